"""Where a workitem spent its life: which state, queue and agent, from when to when, as its events tell.

The stretches follow one another without a gap, so that they always sum to the whole life, whatever was imported. How
they are drawn is the doors' matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from workitems.models import TimeEvent, Workitem


class Place(NamedTuple):
    """State, queue and agent at one time; queue and agent are ``""`` where there is none."""

    state: str
    queue: str = ""
    agent: str = ""


class Happening(NamedTuple):
    """When an event put a workitem where; of an event without a state of its own the state is ``""``."""

    at: datetime
    place: Place


@dataclass(frozen=True)
class Segment:
    """A stretch of life in one place."""

    place: Place
    began: datetime
    ended: datetime

    @property
    def time(self) -> timedelta:
        """How long it lasted."""
        return self.ended - self.began


@dataclass(frozen=True)
class Life:
    """From arrival to the end, or to now."""

    segments: Sequence[Segment]
    began: datetime
    ended: datetime
    is_over: bool

    @property
    def time(self) -> timedelta:
        """How long it lasted, or has lasted so far."""
        return self.ended - self.began

    def by_place(self) -> dict[Place, timedelta]:
        """Return the time in each state, queue and agent, in the order in which they were first entered."""
        times: dict[Place, timedelta] = {}
        for segment in self.segments:
            times[segment.place] = times.get(segment.place, timedelta()) + segment.time
        return times

    def by_state(self) -> dict[str, timedelta]:
        """Return the time in each state, in the order in which they were first entered."""
        times: dict[str, timedelta] = {}
        for segment in self.segments:
            times[segment.place.state] = times.get(segment.place.state, timedelta()) + segment.time
        return times


def life_of(workitem: Workitem, now: datetime, *, most: int) -> Life | None:
    """Return the life of a workitem in one query, or None where it has more than so many events."""
    rows = (
        TimeEvent.objects.filter(workitem=workitem)
        .order_by("version")
        .values_list("timestamp", "to_state", "from_state", "queue__name", "agent__username")
    )
    found = list(rows[: most + 1])
    if len(found) > most:
        return None
    first = next((to or before for _at, to, before, *_rest in found if to or before), workitem.state)
    happenings = [Happening(at, Place(to, queue or "", agent or "")) for at, to, _before, queue, agent in found]
    over = workitem.dispositioned_at or workitem.archived_at
    ended = max(over or now, workitem.created_at)
    return Life(
        segments(happenings, began=workitem.created_at, ended=ended, first=first),
        workitem.created_at,
        ended,
        is_over=over is not None,
    )


def segments(happenings: Iterable[Happening], *, began: datetime, ended: datetime, first: str) -> list[Segment]:
    """Return the stretches between two moments; what happened outside of them counts as if at the nearer one.

    Events are taken in the order of their versions. Where their times run backwards, as in histories that were kept
    elsewhere, the earlier event's time holds for the later one. Stretches without any time are left out.
    """
    found: list[Segment] = []
    place, since = Place(first), began
    for index, happening in enumerate(happenings):
        at = min(max(happening.at, since), ended) if index else began
        entered = happening.place if happening.place.state else happening.place._replace(state=place.state)
        if entered != place:
            _add(found, Segment(place, since, at))
            place, since = entered, at
    _add(found, Segment(place, since, ended))
    return found


def _add(found: list[Segment], segment: Segment) -> None:
    """Add a stretch, as a part of the one before where that was in the same place."""
    if segment.began == segment.ended:
        return
    if found and found[-1].place == segment.place:
        found[-1] = replace(found[-1], ended=segment.ended)
    else:
        found.append(segment)
