"""Days and hours by a clock on a wall: in which moments they begin and end, daylight saving included.

A day may have 23, 24 or 25 hours. The hour that comes twice in autumn is two hours here, told apart by their offsets.
Within a stretch of one offset, plain arithmetic finds the hour or day of a moment, which any database does as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WALL = datetime(1970, 1, 1)  # noqa: DTZ001  what a clock shows has no zone


class Step(StrEnum):
    """How finely time is divided."""

    HOUR = "hour"
    DAY = "day"

    @property
    def seconds(self) -> int:
        """Return how long one lasts as a rule."""
        return 3600 if self is Step.HOUR else 86400


class Slot(NamedTuple):
    """An hour or a day as a clock shows its beginning; `offset` is told where that is not enough to know which."""

    shows: datetime
    again: bool = False  # the second time on that day
    offset: str = ""


class Stretch(NamedTuple):
    """From a moment on, until just before another one."""

    start: datetime
    end: datetime

    @property
    def hours(self) -> float:
        """Return how long it is."""
        return (self.end - self.start).total_seconds() / 3600


class Steady(NamedTuple):
    """A stretch of time in which a zone keeps its offset, in seconds since 1970."""

    start: int
    end: int
    offset: int


@dataclass(frozen=True)
class Days:
    """Whole days by the clock of a zone, both ends included."""

    zone: ZoneInfo
    first: date
    last: date

    @cached_property
    def stretch(self) -> Stretch:
        """Return from when to when they are."""
        return Stretch(midnight(self.first, self.zone), midnight(self.last + timedelta(days=1), self.zone))

    @property
    def count(self) -> int:
        """Return how many days they are."""
        return (self.last - self.first).days + 1

    @cached_property
    def steady(self) -> list[Steady]:
        """Return their stretches of one offset, in order."""
        found: list[Steady] = []
        start, end = seconds(self.stretch.start), seconds(self.stretch.end)
        while start < end:
            offset = _offset(start, self.zone)
            until = _change(start, end, self.zone)
            found.append(Steady(start, until, offset))
            start = until
        return found

    def slots(self, step: Step) -> dict[Slot, Stretch]:
        """Return their hours or days in order, each with the moments between which it is."""
        found: dict[Slot, Stretch] = {}
        for _key, slot, stretch in self._pieces(step):
            known = found.get(slot)
            found[slot] = Stretch(known.start, stretch.end) if known else stretch
        return found

    def slot_of(self, step: Step) -> dict[int, Slot]:
        """Map what arithmetic finds for a moment, `t - (t + offset) % step`, to the hour or day that it is."""
        return {key: slot for key, slot, _stretch in self._pieces(step)}

    def shifted(self, days: int) -> Days:
        """Return as many days, so many later."""
        change = timedelta(days=days)
        return Days(self.zone, self.first + change, self.last + change)

    def _pieces(self, step: Step) -> Iterator[tuple[int, Slot, Stretch]]:
        """Yield each slot of each steady stretch: its key, itself, and the part of it in that stretch."""
        twice = self._shown_twice() if step is Step.HOUR else {}
        seen: set[datetime] = set()
        for steady in self.steady:
            key = steady.start - (steady.start + steady.offset) % step.seconds
            while key < steady.end:
                shows = WALL + timedelta(seconds=key + steady.offset)
                stretch = Stretch(moment(max(key, steady.start)), moment(min(key + step.seconds, steady.end)))
                again = step is Step.HOUR and shows in seen
                yield key, Slot(shows, again, offset_text(steady.offset) if shows in twice else ""), stretch
                seen.add(shows)
                key += step.seconds

    def _shown_twice(self) -> set[datetime]:
        """Return the hours that the clock shows a second time."""
        found: set[datetime] = set()
        for before, after in zip(self.steady, self.steady[1:], strict=False):
            shows = after.start + after.offset - (after.start + after.offset) % 3600
            while shows < before.end + before.offset:
                found.add(WALL + timedelta(seconds=shows))
                shows += 3600
        return found


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment at which a day begins; where the clock skips midnight, when it does."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def today(now: datetime, zone: ZoneInfo) -> date:
    """Return the day that it is by the clock of a zone."""
    return now.astimezone(zone).date()


def back(at: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Return the moment at which the clock showed the same so many days before."""
    shown = at.astimezone(zone)
    return (shown - timedelta(days=days)).astimezone(UTC)  # by the clock: Python counts days on it


def seconds(at: datetime) -> int:
    """Return a moment in whole seconds since 1970."""
    return (at - EPOCH) // timedelta(seconds=1)


def moment(since_1970: int) -> datetime:
    """Return the moment so many seconds after 1970 began."""
    return EPOCH + timedelta(seconds=since_1970)


def offset_text(offset: int) -> str:
    """Return an offset as ISO 8601 writes it."""
    minutes = abs(offset) // 60
    return f"{'-' if offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def _offset(at: int, zone: ZoneInfo) -> int:
    offset = moment(at).astimezone(zone).utcoffset()
    return round((offset or timedelta()).total_seconds())


def _change(start: int, end: int, zone: ZoneInfo) -> int:
    """Return when the offset changes for the first time after a moment, at the latest the end."""
    offset, known = _offset(start, zone), start
    while known < end:
        later = min(known + 86400, end)
        if _offset(later, zone) != offset:
            return _first(known, later, offset, zone)
        known = later
    return end


def _first(same: int, other: int, offset: int, zone: ZoneInfo) -> int:
    while other - same > 1:
        middle = (same + other) // 2
        same, other = (middle, other) if _offset(middle, zone) == offset else (same, middle)
    return other
