"""The supervisor's pages: what is open, and one workitem with its story and all that can be done to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from queues.models import Queue
from workitems import policies, routing, services, tasks
from workitems.actors import Actor
from workitems.choices import Action, Door, Priority, Scope
from workitems.errors import Kind, WorkitemError
from workitems.middleware import request_id
from workitems.models import PolicyRun, Presence, TimeEvent, Workitem
from workitems.pages.forms import FORMS, ActionForm

SHOWN = 50
EVENTS_SHOWN = 500
STUCK_SHOWN = 20
ALERTS_SHOWN = 5
PROBLEMS_SHOWN = 10
STATUS = {Kind.FORBIDDEN: 403, Kind.CONFLICT: 409, Kind.PRECONDITION: 412, Kind.INVALID: 400}


@dataclass(frozen=True)
class ActionCard:
    """One action on the item page: its form, or the reason why not."""

    action: Action
    refusal: WorkitemError | None
    form: ActionForm | None
    error: str = ""

    @property
    def has_fields(self) -> bool:
        """Tell whether there is something to fill in."""
        return self.form is not None and len(self.form.visible_fields()) > 0

    @property
    def is_open(self) -> bool:
        """Tell whether its form lies open: the transfer always, the others once something was wrong."""
        return self.action is Action.TRANSFER or bool(self.error) or (self.form is not None and self.form.is_bound)


@dataclass(frozen=True)
class OwnPresence:
    """What an agent sees of his own presence; the status is "" as long as he has none."""

    status: str
    since: datetime | None
    choices = routing.CHOICES

    @property
    def label(self) -> str:
        """The status in words."""
        return str(Presence.Status(self.status).label) if self.status else _("Not known")


@login_required
@require_GET
def open_work(request: HttpRequest) -> HttpResponse:
    """Show the open work that the person may see, in the order in which it is handed out, and what wants looking at."""
    actor = _actor(request)
    visible = Workitem.objects.visible_to(actor).open()
    items = visible.in_line().select_related("queue", "agent", "contact")[: SHOWN + 1]
    shown, stuck = list(items), routing.stuck(actor)
    context = {
        "items": shown[:SHOWN],
        "more": len(shown) > SHOWN,
        "shown": SHOWN,
        "stuck": stuck[:STUCK_SHOWN],
        "stuck_left_out": max(0, len(stuck) - STUCK_SHOWN),
        "stuck_count": sum(agent.count for agent in stuck),
        "alerts": _alerts(actor),
        "presence": _own_presence(actor),
    }
    return render(request, "workitems/open_work.html", context)


@login_required
@require_POST
def set_presence(request: HttpRequest) -> HttpResponse:
    """Let an agent say whether he takes work."""
    actor, status = _actor(request), request.POST.get("status", "")
    if actor.user is None or status not in routing.CHOICES:
        raise Http404
    routing.set_presence(actor.user, Presence.Status(status), actor=actor, now=timezone.now())
    tasks.wake_routing()
    messages.success(request, _("You are now: %(presence)s.") % {"presence": Presence.Status(status).label})
    return redirect("open-work")


@login_required
@require_POST
def return_all(request: HttpRequest, username: str) -> HttpResponse:
    """Put the work of an agent who is gone back into its queues; one who is back meanwhile keeps his."""
    actor = _actor(request)
    agent = User.objects.filter(username=username).first()
    stuck = Workitem.objects.visible_to(actor).stuck().filter(agent=agent)
    if agent is None or not stuck.exists():  # the same answer for an agent whom the person does not know
        messages.warning(request, _("Nothing was returned: nothing of it is stuck any more."))
    elif not stuck.writable_by(actor).exists():
        raise PermissionDenied
    else:
        outcome = routing.return_all(agent, actor=actor, now=timezone.now())
        tasks.wake_routing()
        _tell_returned(request, outcome)
    return redirect("open-work")


@login_required
@require_GET
def workitem(request: HttpRequest, workitem_id: str) -> HttpResponse:
    """Show one workitem."""
    actor = _actor(request)
    return _page(request, _seen(workitem_id, actor), actor)


@login_required
@require_POST
def act(request: HttpRequest, workitem_id: str, action: str) -> HttpResponse:
    """Do one thing and show the workitem; where it is refused, say so beside what was typed."""
    actor = _actor(request)
    item = _seen(workitem_id, actor)
    if action not in FORMS:
        raise Http404
    form = FORMS[Action(action)](item, actor, request.POST)
    if not form.is_valid():
        return _page(request, item, actor, form, status=400)
    try:
        changed = services.execute(
            form.command(), workitem_id, actor=actor, now=timezone.now(), if_version=form.cleaned_data["version"]
        )
    except WorkitemError as refusal:
        return _page(request, _seen(workitem_id, actor), actor, form, refusal.message, status=STATUS[refusal.kind])
    tasks.wake_after([form.action])
    messages.success(request, _("Done: %(action)s.") % {"action": Action(action).label})
    # by a transfer somebody may give a workitem out of his own sight, and a purge leaves nothing to show
    still_there = Workitem.objects.visible_to(actor).filter(pk=changed.pk).exists()
    return redirect("workitem", workitem_id) if still_there else redirect("open-work")


def _tell_returned(request: HttpRequest, outcome: services.Outcome) -> None:
    text = ngettext(
        "%d workitem is back in its queue, at its old place.",
        "%d workitems are back in their queues, at their old places.",
        len(outcome.done),
    )
    messages.success(request, text % len(outcome.done))
    for workitem_id, refusal in list(outcome.refused.items())[:PROBLEMS_SHOWN]:
        messages.warning(request, f"{workitem_id}: {refusal.message}")


def _own_presence(actor: Actor) -> OwnPresence | None:
    """Return the presence of somebody who works in a queue; others have no use for one."""
    if actor.user is None:
        return None
    works = Queue.members.through.objects.filter(user=OuterRef("pk"))
    person = User.objects.filter(Exists(works), pk=actor.user.pk)
    found = person.values_list("presence__status", "presence__since").first()
    return OwnPresence(found[0] or "", found[1]) if found else None


def _alerts(actor: Actor) -> list[PolicyRun]:
    """Return the runs of stale policies that stopped at their cap and that nobody has looked at."""
    return list(policies.alerts()[:ALERTS_SHOWN]) if Scope.ADMIN in actor.everywhere else []


def _actor(request: HttpRequest) -> Actor:
    return Actor.of(request.user, Door.PAGE, request_id=request_id(request))


def _seen(workitem_id: str, actor: Actor) -> Workitem:
    item: Workitem = get_object_or_404(Workitem.objects.visible_to(actor).with_card(), workitem_id=workitem_id)
    return item


def _page(
    request: HttpRequest,
    item: Workitem,
    actor: Actor,
    tried: ActionForm | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    cards = list(_cards(item, actor, tried, error))
    events = TimeEvent.objects.filter(workitem=item).order_by("-version").select_related("queue", "agent")
    possible = [card for card in cards if card.refusal is None or card.error]
    context = {
        "workitem": item,
        "priority_label": Priority(item.priority).label,
        "at_a_click": [card for card in possible if not card.has_fields and not card.error],
        "with_fields": [card for card in possible if card.has_fields or card.error],
        "refused": [card for card in cards if card.refusal is not None and not card.error],
        "events": events[:EVENTS_SHOWN],
        "events_left_out": max(0, item.version - EVENTS_SHOWN),
    }
    return render(request, "workitems/workitem.html", context, status=status)


def _cards(item: Workitem, actor: Actor, tried: ActionForm | None, error: str) -> Iterator[ActionCard]:
    reasons = services.explain(item, actor)
    order = [*FORMS, *(action for action in reasons if action not in FORMS)]
    for action in order:
        shape = FORMS.get(action)
        if tried is not None and tried.action is action:
            tried.data = {**dict(tried.data.items()), "version": str(item.version)}
            yield ActionCard(action, reasons[action], tried, error)
        elif reasons[action] is not None:
            yield ActionCard(action, reasons[action], None)
        elif shape is not None:
            yield ActionCard(action, None, shape(item, actor))
