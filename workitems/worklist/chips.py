"""Filters in a few words each, so that one can see what a list is narrowed to and take each away again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from queues.channels import Channel
from workitems.choices import Priority, State, Type
from workitems.stuck import Stuck
from workitems.worklist import behind
from workitems.worklist.filters import INACTIVE, NOBODY, Archived, Filters
from workitems.worklist.sla import Sla

LABELS: dict[str, Any] = {
    "state": gettext_lazy("State"),
    "channel": gettext_lazy("Channel"),
    "type": gettext_lazy("Type"),
    "queue": gettext_lazy("Queue"),
    "priority": gettext_lazy("Priority"),
    "agent": gettext_lazy("Agent"),
    "sla": gettext_lazy("Service level"),
    "created_from": gettext_lazy("Created from"),
    "created_to": gettext_lazy("Created until"),
    "ended_from": gettext_lazy("Ended from"),
    "ended_to": gettext_lazy("Ended until"),
    "stale": gettext_lazy("Stale"),
    "archived": gettext_lazy("Archive"),
    "open": gettext_lazy("Open work"),
    "age_over": gettext_lazy("In state for at least"),
    "wait_over": gettext_lazy("Waited at least"),
    "transfers_min": gettext_lazy("Transfers, at least"),
    "stuck": gettext_lazy("Stuck"),
    "figure": gettext_lazy("Behind the figure"),
    "during_from": gettext_lazy("Counted from"),
    "during_to": gettext_lazy("Counted until"),
}
SPANS = ("age_over", "wait_over")
SECONDS = (
    (86_400, ngettext_lazy("%d day", "%d days")),
    (3_600, ngettext_lazy("%d hour", "%d hours")),
    (60, ngettext_lazy("%d minute", "%d minutes")),
    (1, ngettext_lazy("%d second", "%d seconds")),
)


@dataclass(frozen=True)
class Chip:
    """One value of one filter: as it stands in the address, and in words."""

    name: str
    value: str
    label: str
    words: str


def chips(filters: Filters) -> list[Chip]:
    """Return what the filters say, in the order in which it was asked for."""
    words = _words(filters)
    return [
        Chip(name, value, str(LABELS[name]), str(words.get(name, {}).get(value, value)))
        for name, value in filters.given
    ]


def span_in_words(seconds: int) -> str:
    """Return a span in the largest unit that says it exactly."""
    unit, words = next((unit, words) for unit, words in SECONDS if seconds % unit == 0)
    return str(words % (seconds // unit))


def _words(filters: Filters) -> dict[str, dict[str, Any]]:
    return {
        "state": dict(State.choices),
        "channel": dict(Channel.choices),
        "type": dict(Type.choices),
        "priority": {str(one.value): one.label for one in Priority},
        "queue": {one.queue_id: one.name for one in filters.queues},
        "agent": {
            NOBODY: _("nobody"),
            INACTIVE: _("deactivated"),
            **{one.get_username(): one.get_full_name() or one.get_username() for one in filters.agents},
        },
        "sla": dict(Sla.choices),
        "stale": {"yes": _("marked as stale"), "no": _("not stale")},
        "archived": {
            Archived.NO.value: _("left out"),
            Archived.YES.value: _("included"),
            Archived.ONLY.value: _("only"),
        },
        "open": {"yes": _("only"), "all": _("and what has ended")},
        "stuck": dict(Stuck.choices),
        "figure": behind.WORDS,
        **{name: {value: span_in_words(int(value)) for value in filters.values(name)} for name in SPANS},
    }
