"""The panel in which filters are chosen: what can be chosen is what the person may see, and what is chosen stays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from queues.channels import Channel
from workitems import directory
from workitems.actors import Actor
from workitems.cached import remembered
from workitems.choices import Priority, Scope, State, Type
from workitems.presenting.icons import CHANNEL_ICONS, PRIORITY_ICONS, SLA_ICONS, STATE_ICONS
from workitems.stuck import Stuck
from workitems.worklist import Filters, Sla
from workitems.worklist.chips import LABELS, span_in_words
from workitems.worklist.filters import INACTIVE, NOBODY, agents_of

MOST_TICKED = 30  # more than that are typed
MOST_OFFERED = 200  # of what is typed; the others are asked for as one types
OFFERS_LAST_SECONDS = 20
SPANS = (60, 300, 900, 1_800, 3_600, 14_400, 86_400)  # seconds
TRANSFERS = (1, 2, 3, 5, 10)
LINKED = ("figure", "during_from", "during_to")  # asked for by links only
Offer = tuple[str, str]


@dataclass(frozen=True)
class Option:
    """One value to tick."""

    value: str
    words: str
    is_on: bool
    icon: str = ""


@dataclass(frozen=True)
class Group:
    """One filter: values to tick, and perhaps a field to type another one into, which offers some."""

    name: str
    label: str
    options: list[Option]
    is_typed: bool = False
    offers: list[Offer] = field(default_factory=list)
    hint: str = ""


@dataclass(frozen=True)
class Dates:
    """From and until."""

    name: str
    label: str
    start: str
    end: str


@dataclass(frozen=True)
class Panel:
    """What the panel shows of a list as it is now."""

    filters: Filters
    actor: Actor
    offers_open: bool = True  # whether ended work can be left out by it

    @property
    def groups(self) -> list[Group]:
        """The filters that take several values."""
        return [
            self._ticked("state", State.choices, STATE_ICONS),
            self._ticked(
                "sla", Sla.choices, SLA_ICONS, hint=_("Of what waits: due soon is the last fifth of its time.")
            ),
            self._ticked("priority", reversed(Priority.choices), PRIORITY_ICONS),
            self._ticked("channel", Channel.choices, CHANNEL_ICONS),
            self._ticked("type", Type.choices, {}),
            self._queues(),
            self._agents(),
            self._ticked("stuck", Stuck.choices, {}),
        ]

    @property
    def bounds(self) -> list[Group]:
        """The filters from a number on."""
        spans = [(str(one), span_in_words(one)) for one in SPANS]
        numbers = [(str(one), str(one)) for one in TRANSFERS]
        offered = {"age_over": spans, "wait_over": spans, "transfers_min": numbers}
        return [self._bound(name, choices) for name, choices in offered.items()]

    @property
    def linked(self) -> list[tuple[str, str]]:
        """What holds and is chosen elsewhere, as names and values; a form of filters keeps it."""
        return [(name, value) for name, value in self.filters.given if name in LINKED]

    @property
    def dates(self) -> list[Dates]:
        """The filters by time."""
        return [
            Dates(name, str(label), self._one(f"{name}_from"), self._one(f"{name}_to"))
            for name, label in (("created", gettext_lazy("Created")), ("ended", gettext_lazy("Ended")))
        ]

    @property
    def single(self) -> list[Group]:
        """The filters that take one value."""
        choices = {
            "stale": [("", _("All")), ("yes", _("Marked as stale")), ("no", _("Not stale"))],
            "open": [("", _("All")), ("yes", _("Open only"))],
            "archived": [("", _("Left out")), ("yes", _("Included")), ("only", _("Only the archive"))],
        }
        return [
            Group(name, str(LABELS[name]), [Option(value, words, value == self._one(name)) for value, words in values])
            for name, values in choices.items()
            if name != "open" or self.offers_open
        ]

    def _bound(self, name: str, choices: list[Offer]) -> Group:
        """Return choices of a number; one that stands in the address and is not among them is added."""
        chosen = self._one(name)
        own = (
            []
            if chosen in dict(choices)
            else [(chosen, chosen if name == "transfers_min" else span_in_words(int(chosen)))]
            if chosen
            else []
        )
        options = [Option(value, words, value == chosen) for value, words in [("", _("Any")), *choices, *own]]
        return Group(name, str(LABELS[name]), options)

    def _ticked(self, name: str, choices: Iterable[tuple[Any, Any]], icons: dict[Any, str], hint: str = "") -> Group:
        chosen = self.filters.values(name)
        options = [
            Option(str(value), str(words), str(value) in chosen, icons.get(value, "")) for value, words in choices
        ]
        return Group(name, str(LABELS[name]), options, hint=hint)

    def _queues(self) -> Group:
        queues = remembered(_key(self.actor), lambda: _queues_of(self.actor), OFFERS_LAST_SECONDS)
        if len(queues) <= MOST_TICKED:
            return self._ticked("queue", queues, {})
        chosen = [Option(one.queue_id, one.name, True) for one in self.filters.queues]
        return Group("queue", str(LABELS["queue"]), chosen, is_typed=True, offers=queues)

    def _agents(self) -> Group:
        chosen = self.filters.values("agent")
        options = [
            Option(NOBODY, _("Nobody"), NOBODY in chosen, "person_off"),
            Option(INACTIVE, _("Deactivated"), INACTIVE in chosen, "no_accounts"),
            *(Option(value, words, True) for value, words in _named(self.filters.agents)),
        ]
        return Group("agent", str(LABELS["agent"]), options, is_typed=True)

    def _one(self, name: str) -> str:
        return next(iter(self.filters.values(name)), "")


def offered(actor: Actor, name: str, begun: str) -> list[Offer]:
    """Return queues or agents that somebody may mean who has begun to type, by public id or by name."""
    if name == "queue":
        queues = directory.visible_queues(actor)
        found = queues.filter(queue_id__istartswith=begun) | queues.filter(name__istartswith=begun)
        return list(found.order_by("name").values_list("queue_id", "name")[:MOST_OFFERED])
    people = agents_of(actor)
    named = [people.filter(**{f"{one}__istartswith": begun}) for one in ("username", "first_name", "last_name")]
    return _named((named[0] | named[1] | named[2]).order_by("username")[:MOST_OFFERED])


def _queues_of(actor: Actor) -> list[Offer]:
    rows = directory.visible_queues(actor).order_by("name", "queue_id")
    return list(rows.values_list("queue_id", "name")[:MOST_OFFERED])


def _key(actor: Actor) -> str:
    """Return what changes with the queues that the actor may see."""
    seen = "all" if Scope.READ in actor.everywhere else repr(actor.queues_with(Scope.READ))
    return f"worklist-queues:{hashlib.sha256(seen.encode()).hexdigest()[:20]}"


def _named(people: Iterable[Any]) -> list[Offer]:
    return [(one.get_username(), one.get_full_name() or one.get_username()) for one in people]
