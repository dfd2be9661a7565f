"""What a list can be narrowed to, as names and values in an address say it, and what that means.

A name or a value that is not known is an error and never left out: a list that shows too much is acted upon.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from queues.channels import Channel
from queues.models import Queue
from workitems import directory
from workitems.actors import Actor
from workitems.choices import OPEN, Priority, Scope, State, Type
from workitems.errors import InvalidSearch, InvalidValue
from workitems.search.moments import DAY, span
from workitems.search.patterns import Term
from workitems.stuck import Stuck
from workitems.worklist import behind
from workitems.worklist.sla import Sla

NOBODY, INACTIVE = "none", "inactive"  # of agents
MOST_VALUES = 100
MOST_SECONDS = 10 * 365 * 24 * 3600
MOST_TRANSFERS = 1_000
LONGEST_VALUE = 150

One = TypeVar("One")


class Archived(StrEnum):
    """Whether the archive is looked into."""

    NO = "no"
    YES = "yes"
    ONLY = "only"


@dataclass(frozen=True)
class Within:
    """From a moment on, until just before another one; either end may be open."""

    start: datetime | None = None
    end: datetime | None = None

    def on(self, field: str) -> Q:
        """Return the condition that a field lies within."""
        found = Q()
        if self.start:
            found &= Q(**{f"{field}__gte": self.start})
        if self.end:
            found &= Q(**{f"{field}__lt": self.end})
        return found

    def __bool__(self) -> bool:
        return self.start is not None or self.end is not None


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; `given` is the same as names and values, as they stood in the address."""

    given: tuple[tuple[str, str], ...] = ()
    states: tuple[State, ...] = ()
    channels: tuple[Channel, ...] = ()
    types: tuple[Type, ...] = ()
    priorities: tuple[Priority, ...] = ()
    queues: tuple[Queue, ...] = ()
    agents: tuple[User, ...] = ()
    is_with_nobody: bool = False
    inactive_agents: tuple[User, ...] | None = None
    created: Within = Within()
    ended: Within = Within()
    archived: Archived = Archived.NO
    is_stale: bool | None = None
    sla: tuple[Sla, ...] = ()
    is_open: bool | None = None
    age_over: timedelta | None = None  # in its state
    wait_over: timedelta | None = None  # of the customer
    transfers_min: int = 0
    stuck: tuple[Stuck, ...] = ()
    figure: str = ""
    during: Within = Within()  # the figure's stretch of time
    seen_queues: tuple[int, ...] | None = None  # whose stays may be looked at; None for all
    looker: int | None = None  # who looks, if his own stays are for him to see

    @property
    def is_about_open_work(self) -> bool:
        """Whether nothing that has ended can be left."""
        by_state = bool(self.states) and set(self.states) <= set(OPEN)
        by_stuck = bool(self.stuck) and Stuck.UNDISPOSITIONED not in self.stuck
        return bool(self.is_open or by_state or self.sla or by_stuck or self.figure in behind.STILL_RUNNING)

    @property
    def is_about_few(self) -> bool:
        """Whether not everything that ever came is looked through, an item at a time."""
        return bool(self.is_about_open_work or self.created.start or self.ended.start or self.figure)

    @property
    def with_whom(self) -> Q:
        """The condition on who has it: any of what was named."""
        found = Q()
        if self.agents or self.inactive_agents is not None:
            found |= Q(agent__in=self.agent_pks)
        if self.is_with_nobody:
            found |= Q(agent__isnull=True)
        return found

    @property
    def agent_pks(self) -> list[int]:
        """The agents that were named, or meant."""
        return sorted({one.pk for one in (*self.agents, *(self.inactive_agents or ()))})

    def values(self, name: str) -> list[str]:
        """Return what was given under this name."""
        return [value for one, value in self.given if one == name]


class Reader:
    """Reads filters for somebody: he can name only the queues and agents that he may see."""

    def __init__(self, actor: Actor, now: datetime) -> None:
        self.actor, self.now = actor, now

    def read(self, asked: Mapping[str, Sequence[str]]) -> Filters:
        """Return the filters that an address names; raise InvalidValue for what is not known. Blanks ask nothing."""
        found = Filters()
        given: list[tuple[str, str]] = []
        for name, raw in asked.items():
            if name not in READERS:
                raise InvalidValue(field=name, problem=_("There is no filter “%s”.") % name[:LONGEST_VALUE])
            values = [one for one in dict.fromkeys(value.strip() for value in raw) if one]
            if not values:
                continue
            self._check(name, values)
            found = replace(found, **READERS[name](self, found, name, values))
            given += [(name, value) for value in values]
        if found.transfers_min and not found.is_about_few:
            problem = _("Transfers are counted in open work, or from a day on. Choose one of them as well.")
            raise InvalidValue(field="transfers_min", problem=problem)
        if found.during and not found.figure:
            problem = _("A stretch of time belongs to a figure. Name the figure as well.")
            raise InvalidValue(field="during_from", problem=problem)
        return replace(found, given=tuple(given))

    def _check(self, name: str, values: Sequence[str]) -> None:
        if len(values) > (1 if name in SINGLE else MOST_VALUES):
            most = 1 if name in SINGLE else MOST_VALUES
            problem = _("“%(name)s” takes %(most)d values at most.") if most > 1 else _("“%(name)s” takes one value.")
            raise InvalidValue(field=name, problem=problem % {"name": name, "most": most})
        for value in values:
            if len(value) > LONGEST_VALUE or not value.isprintable():
                raise InvalidValue(field=name, problem=_("“%s” has a value that cannot be meant.") % name)

    def _queues(self, _found: Filters, name: str, values: Sequence[str]) -> dict[str, Any]:
        visible = directory.visible_queues(self.actor)
        queues = {one.queue_id: one for one in visible.filter(queue_id__in=values)}
        problem = _("There is no queue “%s” whose work you may see.")
        return {"queues": tuple(_known(queues, value, name, problem) for value in values)}

    def _agents(self, _found: Filters, name: str, values: Sequence[str]) -> dict[str, Any]:
        named = [value for value in values if value not in (NOBODY, INACTIVE)]
        people = agents_of(self.actor)
        agents = {one.get_username(): one for one in people.filter(username__in=named)} if named else {}
        problem = _("There is no agent “%s” whom you may see.")
        return {
            "agents": tuple(_known(agents, value, name, problem) for value in named),
            "is_with_nobody": NOBODY in values,
            "inactive_agents": tuple(people.filter(is_active=False)) if INACTIVE in values else None,
        }

    def _moment(self, found: Filters, name: str, values: Sequence[str]) -> dict[str, Any]:
        """Read an end of a stretch of time: what is typed is within it, but a figure's ends at the very moment."""
        field, _underscore, end = name.partition("_")
        within: Within = getattr(found, field)
        try:
            covered = span(Term(name, values[0], 0, self.now))
        except InvalidSearch as problem:
            raise InvalidValue(field=name, problem=problem.message) from None
        until = covered.start if field == "during" and not DAY.fullmatch(values[0]) else covered.end
        changed = replace(within, start=covered.start) if end == "from" else replace(within, end=until)
        return {field: changed}

    def _figure(self, _found: Filters, name: str, values: Sequence[str]) -> dict[str, Any]:
        _known(behind.WORDS, values[0], name, _problem(name, behind.WORDS))
        seen = None if Scope.READ in self.actor.everywhere else tuple(self.actor.queues_with(Scope.READ))
        looker = self.actor.user.pk if self.actor.user and Scope.READ in self.actor.own_items else None
        return {"figure": values[0], "seen_queues": seen, "looker": looker}


def agents_of(actor: Actor) -> QuerySet[User]:
    """Return the people by whom the actor may narrow a list; whoever sees all work has seen all names."""
    return User.objects.all() if Scope.READ in actor.everywhere else directory.visible_agents(actor)


Read = Callable[[Reader, Filters, str, Sequence[str]], dict[str, Any]]


def _among(field: str, choices: Mapping[str, One]) -> Read:
    """Return what reads a filter that takes any of a few values."""

    def read(_reader: Reader, _found: Filters, name: str, values: Sequence[str]) -> dict[str, Any]:
        return {field: tuple(_known(choices, value, name, _problem(name, choices)) for value in values)}

    return read


def _one_of(field: str, choices: Mapping[str, One]) -> Read:
    """Return what reads a filter that takes one of a few values."""
    several = _among(field, choices)

    def read(reader: Reader, found: Filters, name: str, values: Sequence[str]) -> dict[str, Any]:
        return {field: several(reader, found, name, values)[field][0]}

    return read


def _number(field: str, most: int, make: Callable[[int], Any]) -> Read:
    """Return what reads a filter that takes a number."""

    def read(_reader: Reader, _found: Filters, name: str, values: Sequence[str]) -> dict[str, Any]:
        text = values[0]
        if not (text.isascii() and text.isdecimal() and len(text) <= 10 and 1 <= int(text) <= most):
            problem = _("“%(name)s” takes a number from 1 to %(most)d, and not “%(text)s”.")
            raise InvalidValue(field=name, problem=problem % {"name": name, "most": most, "text": text})
        return {field: make(int(text))}

    return read


def _seconds(number: int) -> timedelta:
    return timedelta(seconds=number)


def _problem(name: str, choices: Mapping[str, Any]) -> str:
    problem = _("“%(name)s” takes %(allowed)s, and not “%%s”.")
    return problem % {"name": name, "allowed": ", ".join(choices)}


def _known(choices: Mapping[str, One], value: str, name: str, problem: str) -> One:
    if value not in choices:
        raise InvalidValue(field=name, problem=problem % value)
    return choices[value]


def _by_value(choices: Any) -> dict[str, Any]:
    return {str(one.value): one for one in choices}


READERS: dict[str, Read] = {
    "state": _among("states", _by_value(State)),
    "channel": _among("channels", _by_value(Channel)),
    "type": _among("types", _by_value(Type)),
    "queue": Reader._queues,
    "priority": _among("priorities", _by_value(Priority)),
    "agent": Reader._agents,
    "sla": _among("sla", _by_value(Sla)),
    "created_from": Reader._moment,
    "created_to": Reader._moment,
    "ended_from": Reader._moment,
    "ended_to": Reader._moment,
    "stale": _one_of("is_stale", {"yes": True, "no": False}),
    "archived": _one_of("archived", _by_value(Archived)),
    "open": _one_of("is_open", {"yes": True, "all": None}),
    "age_over": _number("age_over", MOST_SECONDS, _seconds),
    "wait_over": _number("wait_over", MOST_SECONDS, _seconds),
    "transfers_min": _number("transfers_min", MOST_TRANSFERS, int),
    "stuck": _among("stuck", _by_value(Stuck)),
    "figure": Reader._figure,
    "during_from": Reader._moment,
    "during_to": Reader._moment,
}
NAMES = tuple(READERS)
SINGLE = frozenset(READERS) - {"state", "channel", "type", "queue", "priority", "agent", "sla", "stuck"}
