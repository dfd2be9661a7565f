"""What the pages about agents tell of each: what he has in hand and did today, with the items behind every number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from workitems import agents, measures
from workitems.agents import Agent
from workitems.choices import State
from workitems.presenting.icons import STATE_ICONS

HELD = {
    "offered": (_("Offered"), STATE_ICONS[State.OFFERED]),
    "active": (_("Active"), STATE_ICONS[State.ACTIVE]),
    "hold": (_("On hold"), STATE_ICONS[State.HOLD]),
    "wrapUp": (_("In wrap-up"), STATE_ICONS[State.TERMINATED]),
}
ACCEPTED = ("active", "hold")
# which stays of the ledger stand behind a figure: a mean is made of all that was handled or wrapped up
BEHIND = {"handled": "handled", "aht": "handled", "wrapUp": "wrappedUpByAgent", "answered": "answered"}
ANSWERED = _(
    "Entries into a queue that were offered to the agent and that he accepted; what he took himself is left out."
)


@dataclass(frozen=True)
class Held:
    """How much of one kind somebody has in hand, and where it is listed."""

    name: str
    label: Any
    icon: str
    count: int
    address: str


@dataclass(frozen=True)
class Figure:
    """One figure of an agent's day, with what it means and the items behind it."""

    label: Any
    definition: Any
    value: float | None
    is_time: bool
    address: str


def held_of(one: Agent) -> list[Held]:
    """Return what somebody has in hand, each kind with the list of it."""
    username = one.user.get_username()
    return [
        Held(name, *HELD[name], count, work_address(agent=username, state=[one.value for one in agents.IN_HAND[name]]))
        for name, count in one.in_hand.items()
    ]


def has_accepted(one: Agent) -> bool:
    """Tell whether somebody has accepted something that could go back to its queue."""
    return any(one.in_hand[name] for name in ACCEPTED)


def figures_of(one: Agent, names: Sequence[str], began: str) -> list[Figure]:
    """Return figures of somebody's day, which began at this time in ISO 8601."""
    found = []
    for name in names:
        figure = measures.FIGURES[name]
        value = figure.value(one.today)
        definition = ANSWERED if name == "answered" else figure.definition
        behind = work_address(agent=one.user.get_username(), figure=BEHIND[name], during_from=began)
        found.append(Figure(figure.label, definition, value, figure.unit == "milliseconds", behind if value else ""))
    return found


def work_address(**filters: str | Sequence[str]) -> str:
    """Return the address of the work list with these filters."""
    return f"{reverse('work')}?{urlencode(filters, doseq=True)}"
