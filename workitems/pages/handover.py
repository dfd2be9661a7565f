"""An agent leaves: what he has goes back to its queues, at its old places, and one page to print stays of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from workitems import bulk, directory, routing, tasks
from workitems.actors import Actor
from workitems.choices import OPEN, WITH_AGENT, Action, State
from workitems.errors import SelectionChanged, WorkitemError
from workitems.models import Presence, Workitem
from workitems.pages.handover_sheet import ONLY_FROM, note_of, with_notes
from workitems.pages.people import actor_of
from workitems.presenting import starting
from workitems.presenting.words import grouped, name_of
from workitems.selections import Selection

ITEMS_SHOWN = 200


@dataclass(frozen=True)
class Held:
    """A workitem that the agent has, as the page shows it."""

    item: Workitem
    note: str
    goes_back: bool


@login_required
@require_http_methods(["GET", "POST"])
def handover(request: HttpRequest, username: str) -> HttpResponse:
    """Show what an agent has, and hand it over where the person says so."""
    actor = actor_of(request)
    agent = _agent(username, actor)
    return _hand_over(request, agent, actor) if request.method == "POST" else _page(request, agent, actor)


def _agent(username: str, actor: Actor) -> User:
    agent = User.objects.filter(username=username).select_related("presence").first()
    if agent is None:
        raise Http404
    is_known = directory.visible_agents(actor).filter(pk=agent.pk).exists()
    if not is_known and not _held(agent, actor).exists():
        raise Http404
    return agent


def _held(agent: User, actor: Actor) -> QuerySet[Workitem]:
    return Workitem.objects.visible_to(actor).filter(agent=agent, state__in=[*OPEN, State.TERMINATED], archived_at=None)


def _returnable(agent: User, actor: Actor) -> QuerySet[Workitem]:
    """Return what can go back: accepted from a queue, and the person may change it."""
    return Workitem.objects.writable_by(actor).filter(agent=agent, state__in=WITH_AGENT, queue__isnull=False)


def _page(request: HttpRequest, agent: User, actor: Actor, problem: str = "", status: int = 200) -> HttpResponse:
    return render(request, "supervisor/handover.html", {**_context(agent, actor, timezone.now()), "problem": problem},
                  status=status)  # fmt: skip


def _context(agent: User, actor: Actor, now: datetime) -> dict[str, Any]:
    rows = with_notes(_held(agent, actor)).order_by("queue__name", "state_changed_at", "pk")
    going = set(_returnable(agent, actor).values_list("pk", flat=True))
    shown = list(rows[: ITEMS_SHOWN + 1])
    count = len(shown) if len(shown) <= ITEMS_SHOWN else rows.count()
    presence: Presence | None = getattr(agent, "presence", None)
    open_ones = [one.workitem_id for one in shown if one.state in OPEN]
    return {
        "agent": agent,
        "name": name_of(agent),
        "presence": presence,
        "held": [Held(one, note_of(one), one.pk in going) for one in shown[:ITEMS_SHOWN]],
        "count": count,
        "left_out": grouped(count - ITEMS_SHOWN) if count > ITEMS_SHOWN else "",
        "going": len(going),
        "going_text": grouped(len(going)),
        "may_set_presence": routing.may_set_presence(agent, actor),
        "is_offline": presence is None or presence.status == Presence.Status.OFFLINE,
        "to_transfer": ",".join(open_ones),
        "transferable": len(open_ones),
        "now": now,
    }


def _hand_over(request: HttpRequest, agent: User, actor: Actor) -> HttpResponse:
    ids = list(_returnable(agent, actor).order_by("pk").values_list("workitem_id", flat=True))
    sets_offline = request.POST.get("offline") == "1"
    if (not ids or sets_offline) and not routing.may_set_presence(agent, actor):
        raise PermissionDenied
    if str(len(ids)) != request.POST.get("expected", ""):
        problem = _("What %(name)s has in hand has changed. This is how it stands now; confirm once more.")
        return _page(request, agent, actor, problem % {"name": name_of(agent)}, status=409)
    try:
        sheet = _return(agent, ids, actor) if ids else ""
        if sets_offline:  # only now: what he was offered is on the sheet, and what he is offered meanwhile goes back
            routing.set_presence(agent, Presence.Status.OFFLINE, actor=actor, now=timezone.now())
    except SelectionChanged as refusal:
        return _page(request, agent, actor, refusal.message, status=409)
    except WorkitemError as refusal:
        return _page(request, agent, actor, refusal.message, status=403)
    tasks.wake_routing()
    if sheet:
        return redirect("desk-run-press", sheet, "sheet")
    messages.success(request, _("%s is offline and had nothing to hand over.") % name_of(agent))
    return redirect("handover", agent.get_username())


def _return(agent: User, ids: list[str], actor: Actor) -> str:
    """Have it all put back at its old places, and return the run's id."""
    now = timezone.now()
    arguments = {"place": "old", ONLY_FROM: agent.get_username()}
    run = bulk.request(
        Action.RETURN_TO_QUEUE, arguments, Selection(workitem_ids=ids), actor=actor, now=now, expected=len(ids)
    )
    starting.start(run, actor, now)
    return run.bulk_id
