"""A report: the sums of what was asked for, and how they add up by queue, channel, agent and time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from workitems.actors import Actor
from workitems.clocks import Slot, Step, Stretch
from workitems.measures import LONGEST, Sums
from workitems.reports.asking import Asked, Reach, reach
from workitems.reports.counting import Cell, Counted, count

Key = TypeVar("Key", bound=Hashable)
ADDED = tuple(one.name for one in fields(Sums) if one.name not in LONGEST)


@dataclass(frozen=True)
class Report:
    """What was asked, what it reaches, and the sums of every queue, channel, agent and hour or day with any work."""

    asked: Asked
    reach: Reach
    now: datetime
    cells: tuple[Counted, ...]

    @cached_property
    def total(self) -> Sums:
        """Return all together."""
        return _sum(one for one in self.cells if one.cell.slot is not None)

    @cached_property
    def before(self) -> Sums:
        """Return all together of the days that these are compared with."""
        return _sum(one for one in self.cells if one.cell.slot is None)

    def by(self, key: Callable[[Cell], Key]) -> dict[Key, Sums]:
        """Return the sums of each group; the days before are in none of them."""
        groups: dict[Key, Sums] = {}
        for one in self.cells:
            if one.cell.slot is not None:
                _add(groups.setdefault(key(one.cell), Sums()), one.sums)
        return groups

    @cached_property
    def slots(self) -> list[Slot]:
        """Return the hours or days that have begun by any of its clocks, in order."""
        return sorted(slot for slot, stretches in self._stretches.items() if min(stretches).start <= self.now)

    def stretch_of(self, slot: Slot) -> Stretch | None:
        """Return from when to when an hour or day is; None where its clocks do not agree."""
        stretches = set(self._stretches[slot])
        return stretches.pop() if len(stretches) == 1 and self._is_shown_by_all(slot) else None

    @cached_property
    def _stretches(self) -> dict[Slot, list[Stretch]]:
        found: dict[Slot, list[Stretch]] = {}
        for clock in self.reach.clocks:
            for slot, stretch in clock.days.slots(self.asked.fineness).items():
                found.setdefault(slot, []).append(stretch)
        return found

    def _is_shown_by_all(self, slot: Slot) -> bool:
        return len(self._stretches[slot]) == len(self.reach.clocks)

    @property
    def is_by_the_hour(self) -> bool:
        """Tell whether its steps are hours."""
        return self.asked.fineness is Step.HOUR


def make(actor: Actor, asked: Asked, *, now: datetime) -> Report:
    """Return the report; raise UnknownObject for a queue that the actor may not see. Up to five queries."""
    reached = reach(actor, asked, now=now)
    counted = tuple(count(asked, reached, now=now)) if reached.clocks else ()
    return Report(asked, reached, now, counted)


def _sum(rows: Iterable[Counted]) -> Sums:
    total = Sums()
    for one in rows:
        _add(total, one.sums)
    return total


def _add(total: Sums, more: Sums) -> None:
    """Add in place: there may be many thousand cells."""
    for name in ADDED:
        value = getattr(more, name)
        if value:
            setattr(total, name, getattr(total, name) + value)
    for name in LONGEST:
        setattr(total, name, max(getattr(total, name), getattr(more, name)))
