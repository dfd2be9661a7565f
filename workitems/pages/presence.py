"""The desk: whether somebody takes work, and what he has goes back to its queues."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from workitems import agents, audit, routing, services, tasks
from workitems.actors import Actor
from workitems.errors import MissingScope, UnknownObject
from workitems.models import Presence, Workitem
from workitems.outcomes import Outcome
from workitems.pages.people import actor_of
from workitems.pages.returning import next_of
from workitems.presenting.icons import PRESENCE_ICONS
from workitems.presenting.presences import WHAT_IT_MEANS, WITHOUT_ONE
from workitems.presenting.words import name_of
from workitems.querysets import WorkitemQuerySet

PROBLEMS_SHOWN = 10
MENU = "supervisor/presence_menu.html"


@dataclass(frozen=True)
class Status:
    """A presence in words, with its icon; the code is "" as long as somebody has said none."""

    value: str
    since: datetime | None = None

    @property
    def label(self) -> str:
        """The status in words."""
        return str(Presence.Status(self.value).label) if self.value else _("Not known")

    @property
    def icon(self) -> str:
        """The icon beside the word."""
        return PRESENCE_ICONS[Presence.Status(self.value)] if self.value else "help"

    @property
    def meaning(self) -> str:
        """What it means for the agent himself."""
        return str(WHAT_IT_MEANS[Presence.Status(self.value)] if self.value else WITHOUT_ONE)

    @property
    def mark(self) -> str:
        """What stays the same as long as it does."""
        return f"{self.value}-{self.since.timestamp() if self.since else 0}"

    @classmethod
    def of(cls, presence: Presence | None) -> Status:
        """Return that of an agent."""
        return cls(presence.status, presence.since) if presence is not None else cls("")


def menu(request: HttpRequest) -> dict[str, Any]:
    """Return what the head of a page needs for an agent's own presence, which came with the user; others need none."""
    if not getattr(request.user, "is_an_agent", False):
        return {}
    return {
        "presence_menu": MENU,
        "own_presence": Status.of(getattr(request.user, "presence", None)),
        "presence_choices": routing.CHOICES,
        "own_next": next_of(request) if request.path_info.endswith("/presence/") else request.get_full_path(),
    }


@login_required
@require_http_methods(["GET", "POST"])
def own(request: HttpRequest) -> HttpResponse:
    """Let an agent say whether he takes work; to his page, which knows what held, say what has changed."""
    if request.method == "POST":
        return _set_own(request)
    context = menu(request)
    if not context:
        raise Http404
    status: Status = context["own_presence"]
    if request.GET.get("known") == status.mark:
        return HttpResponse(status=204)
    answer = render(request, MENU)
    if status.value == Presence.Status.NO_ANSWER:
        answer["HX-Trigger"] = json.dumps({"desk:toast": {"text": status.meaning}})
    return answer


@login_required
@require_POST
def set_of_agent(request: HttpRequest, username: str) -> HttpResponse:
    """Let somebody say whether an agent takes work who may write where he works."""
    actor, agent = actor_of(request), _agent(request, username)
    status = _chosen(request)
    try:
        _set_presence(agent, status, actor)
    except MissingScope as refusal:
        raise PermissionDenied(refusal.message) from None
    said = {"name": name_of(agent), "presence": status.label}
    messages.success(request, _("%(name)s is now: %(presence)s.") % said)
    return redirect(next_of(request, agents_page(agent)))


@login_required
@require_http_methods(["GET", "POST"])
def return_all(request: HttpRequest, username: str) -> HttpResponse:
    """Ask, and then put an agent's work back into its queues; one who is back meanwhile keeps his, unless meant so."""
    return _return(request, username) if request.method == "POST" else _ask(request, username)


def agents_page(agent: User) -> str:
    """Return the address of an agent's own page."""
    return reverse("agent", args=[agent.get_username()])


def _set_own(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    status = _chosen(request)
    if actor.user is None or not getattr(request.user, "is_an_agent", False):
        raise Http404
    routing.set_presence(actor.user, status, actor=actor, now=timezone.now())
    tasks.wake_routing()
    messages.success(request, _("You are now: %(presence)s.") % {"presence": status.label})
    return redirect(next_of(request))


def _chosen(request: HttpRequest) -> Presence.Status:
    status = request.POST.get("status", "")
    if status not in routing.CHOICES:
        raise Http404
    return Presence.Status(status)


def _agent(request: HttpRequest, username: str) -> User:
    try:
        return agents.person(username, actor_of(request))
    except UnknownObject:
        raise Http404 from None


def _set_presence(agent: User, status: Presence.Status, actor: Actor) -> None:
    now = timezone.now()
    before = Status.of(getattr(agent, "presence", None)).value

    def change() -> None:
        routing.set_presence(agent, status, actor=actor, now=now)
        if before != status:
            changes = {"status": {"old": before, "new": status.value}}
            audit.write("agent changed", agent.get_username(), actor=actor, now=now, changes=changes)

    services.in_transaction(change)
    tasks.wake_routing()


def _ask(request: HttpRequest, username: str) -> HttpResponse:
    actor, agent = actor_of(request), _agent(request, username)
    count = _accepted(agent, actor).writable_by(actor).filter(queue__isnull=False).count()
    status = Status.of(getattr(agent, "presence", None))
    context = {
        "agent": agent,
        "name": name_of(agent),
        "count": count,
        "status": status,
        "is_gone": status.value == Presence.Status.OFFLINE or not agent.is_active,
        "next": next_of(request, agents_page(agent)),
    }
    return render(request, "supervisor/agent_return.html", context)


def _return(request: HttpRequest, username: str) -> HttpResponse:
    actor = actor_of(request)
    agent = User.objects.filter(username=username).first()
    items = _accepted(agent, actor)
    if "anyway" not in request.POST:
        items = items.stuck()
    if agent is None or not items.exists():  # the same answer for an agent whom the person does not know
        messages.warning(request, _("Nothing was returned: nothing of it is stuck any more."))
    elif not items.writable_by(actor).exists():
        raise PermissionDenied
    else:
        outcome = routing.return_all(agent, actor=actor, now=timezone.now())
        tasks.wake_routing()
        _tell_returned(request, outcome)
    return redirect(next_of(request))


def _accepted(agent: User | None, actor: Actor) -> WorkitemQuerySet:
    rows: WorkitemQuerySet = Workitem.objects.visible_to(actor).handled().filter(agent=agent)
    return rows


def _tell_returned(request: HttpRequest, outcome: Outcome) -> None:
    text = ngettext(
        "%d workitem is back in its queue, at its old place.",
        "%d workitems are back in their queues, at their old places.",
        len(outcome.done),
    )
    messages.success(request, text % len(outcome.done))
    for workitem_id, refusal in list(outcome.refused.items())[:PROBLEMS_SHOWN]:
        messages.warning(request, f"{workitem_id}: {refusal.message}")
