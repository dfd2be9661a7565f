"""The desk: one agent, what he has in hand, how his day has been, and how much he takes at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from workitems import agents, audit, routing, services, tasks
from workitems.actors import Actor
from workitems.agents import Agent
from workitems.errors import MissingScope, UnknownObject
from workitems.models import Presence, Stay, Workitem
from workitems.pages import live
from workitems.pages.agent_facts import figures_of, has_accepted, held_of
from workitems.pages.people import actor_of
from workitems.pages.presence import Status, agents_page
from workitems.presenting.icons import CHANNEL_ICONS, STATE_ICONS
from workitems.presenting.presences import CAPACITIES, room, room_field, typed_capacity
from workitems.presenting.words import name_of

ITEMS_SHOWN = 100
HANDLED_SHOWN = 10
FIGURES = ("handled", "aht", "wrapUp", "answered")
SPENT = {
    "talking": gettext_lazy("Talking, writing, in conference"),
    "hold": gettext_lazy("On hold"),
    "wrapUp": gettext_lazy("In wrap-up"),
}


@dataclass(frozen=True)
class Share:
    """How much of an agent's time went where, and its place in a bar that is a hundred wide."""

    name: str
    label: Any
    ms: int
    start: float
    width: float

    @property
    def of_all(self) -> float:
        """Its share, from 0 to 1."""
        return self.width / 100


class CapacityForm(forms.Form):
    """How much of each channel an agent takes at a time."""

    def __init__(self, presence: Presence | None, data: Any = None) -> None:
        super().__init__(data)
        most = {line.channel: line.most for line in room(presence, {})}
        for name, channel in CAPACITIES.items():
            self.fields[name] = room_field(channel)
            self.initial[name] = most.get(channel, 0)


@login_required
@require_http_methods(["GET", "POST"])
def agent(request: HttpRequest, username: str) -> HttpResponse:
    """Show one agent, and say how much he takes at a time."""
    try:
        return _say_capacity(request, username) if request.method == "POST" else _show(request, username)
    except UnknownObject:
        raise Http404 from None
    except MissingScope as refusal:
        raise PermissionDenied(refusal.message) from None


def _show(request: HttpRequest, username: str) -> HttpResponse:
    def context(_mark: str) -> dict[str, Any]:
        return _context(request, agents.find(username, actor_of(request), now=timezone.now()))

    return live.answer(request, "supervisor/agent.html", context)


def _say_capacity(request: HttpRequest, username: str) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    found = agents.find(username, actor, now=now)
    if not routing.may_set_capacity(found.user, actor):
        raise PermissionDenied
    form = CapacityForm(found.presence, request.POST)
    if not form.is_valid():
        return render(request, "supervisor/agent.html", _context(request, found, form), status=400)
    _set_capacity(found.user, typed_capacity(form.cleaned_data), actor)
    messages.success(request, _("Saved: how much %(name)s takes at a time.") % {"name": name_of(found.user)})
    return redirect(agents_page(found.user))


def _set_capacity(user: User, capacity: dict[str, int], actor: Actor) -> None:
    now = timezone.now()
    presence: Presence | None = getattr(user, "presence", None)
    before = presence.capacity if presence is not None else {}

    def change() -> None:
        routing.set_capacity(user, capacity, actor=actor, now=now)
        if before != capacity:
            changes = {"capacity": {"old": before, "new": capacity}}
            audit.write("agent changed", user.get_username(), actor=actor, now=now, changes=changes)

    services.in_transaction(change)
    tasks.wake_routing()


def _context(request: HttpRequest, one: Agent, form: CapacityForm | None = None) -> dict[str, Any]:
    actor, now, user = actor_of(request), timezone.now(), one.user
    items = _items(user, actor)
    spent = agents.time_spent(user, actor, now=now)
    if form is None and routing.may_set_capacity(user, actor):
        form = CapacityForm(one.presence)
    return {
        "now": now,
        "one": one,
        "name": name_of(user),
        "is_self": actor.user is not None and actor.user.pk == user.pk,
        "status": Status.of(one.presence),
        "held": held_of(one),
        "items": [_with_icons(item) for item in items[:ITEMS_SHOWN]],
        "has_more": len(items) > ITEMS_SHOWN,
        "room": room(one.presence, routing.in_hand([user.pk], now=now, seen_by=actor)[user.pk]),
        "figures": figures_of(one, FIGURES, agents.today_began(now).isoformat()),
        "shares": shares(spent),
        "spent_ms": sum(spent.values()),
        "handled": _handled(user, actor),
        "may_set": routing.may_set_presence(user, actor),
        "may_return": has_accepted(one),
        "presence_choices": routing.CHOICES,
        "form": form,
        "here": request.get_full_path(),
        "zone": timezone.get_default_timezone_name(),
    }


def _items(user: User, actor: Actor) -> list[Workitem]:
    """Return what he has in hand: what goes on first, the longest of it on top."""
    held = agents.held_by(user, actor).select_related("queue", "contact")
    return list(held.order_by("terminated_at", "state_changed_at", "pk")[: ITEMS_SHOWN + 1])


def _with_icons(item: Workitem) -> tuple[Workitem, str, str]:
    return item, STATE_ICONS[item.state], CHANNEL_ICONS[item.channel_type]  # type: ignore[index]  # a state is its text


def _handled(user: User, actor: Actor) -> list[tuple[Stay, str]]:
    stays = agents.lately_handled(user, actor, now=timezone.now()).select_related("workitem__contact", "queue")
    return [(stay, CHANNEL_ICONS[stay.channel_type]) for stay in stays[:HANDLED_SHOWN]]  # type: ignore[index]


def shares(spent: dict[str, int]) -> list[Share]:
    """Return where an agent's time went, each with its place in the bar."""
    whole, start, found = sum(spent.values()), 0.0, []
    for name, ms in spent.items():
        width = round(100 * ms / whole, 2) if whole else 0.0
        found.append(Share(name, SPENT[name], ms, round(start, 2), width))
        start += width
    return found
