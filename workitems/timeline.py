"""Where a workitem spent its life: which state, queue and agent, from when to when, as the ledger has it.

The stretches follow one another without a gap, so that they always sum to the whole life, whatever was imported. How
they are drawn is the doors' matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from queues.models import Queue
from workitems import ledger
from workitems.actors import Actor
from workitems.choices import Event
from workitems.models import Stay, TimeEvent, Workitem


class Place(NamedTuple):
    """State, queue and agent at one time; queue and agent are ``""`` where there is none."""

    state: str
    queue: str = ""
    agent: str = ""


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


def life_of(workitem: Workitem, actor: Actor, now: datetime) -> Life:
    """Return the life of a workitem from the ledger, in one query beside its queue and agent.

    Of earlier queues only those are named whose names the actor may know.
    """
    over = workitem.dispositioned_at or workitem.archived_at
    ended = max(over or now, workitem.created_at)
    entered = (_from_the_ledger if workitem.place_since else _from_history)(workitem, actor)
    return Life(segments(entered, ended=ended), workitem.created_at, ended, is_over=over is not None)


def segments(entered: Sequence[tuple[Place, datetime]], *, ended: datetime) -> list[Segment]:
    """Return the stretches in places that were entered one after the other; what came after the end has no time.

    Stretches without any time are left out, and those in the same place that then follow one another are one.
    """
    found: list[Segment] = []
    leaving = [min(since, ended) for _place, since in entered[1:]] + [ended]
    for (place, since), left in zip(entered, leaving, strict=True):
        _add(found, Segment(place, min(since, ended), left))
    return found


def queues_told(event: str, details: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names under which an event's details tell ids of queues, as those of a transfer between queues do."""
    is_between_queues = event == Event.TRANSFERRED and "agent" not in details
    return ("from", "to") if is_between_queues or event == Event.TRANSFER_UNDONE else ()


def name_for(actor: Actor, workitem: Workitem, queue_pk: int, name: str) -> str:
    """Return the name of a queue that a workitem has been in, where the actor may know it."""
    return name if queue_pk == workitem.queue_id or actor.may_know(queue_pk) else _("another queue")


def _from_the_ledger(workitem: Workitem, actor: Actor) -> list[tuple[Place, datetime]]:
    stays = (
        Stay.objects.filter(workitem=workitem)
        .order_by("version")
        .values_list("state", "queue_id", "queue__name", "agent__username", "began_at")
    )
    queue = workitem.queue.name if workitem.queue else ""
    here = Place(workitem.state, queue, workitem.agent_username)
    return [
        *(
            (Place(state, name_for(actor, workitem, queue, name) if queue else "", agent or ""), began)
            for state, queue, name, agent, began in stays
        ),
        (here, workitem.place_since or workitem.created_at),
    ]


def _from_history(workitem: Workitem, actor: Actor) -> list[tuple[Place, datetime]]:
    """Follow the events of what is not in the ledger yet, as its rebuild will."""
    events = list(TimeEvent.objects.filter(workitem=workitem).order_by("version"))
    standing, stays = ledger.follow(workitem, events)
    queues = Queue.objects.in_bulk({event.queue_id for event in events} - {None})
    agents = User.objects.in_bulk({event.agent_id for event in events} - {None})
    places = [(ledger.Place(one["state"], one["queue_id"], one["agent_id"]), one["began_at"]) for one in stays]
    return [
        (
            Place(
                place.state,
                name_for(actor, workitem, place.queue_id, queues[place.queue_id].name) if place.queue_id else "",
                agents[place.agent_id].get_username() if place.agent_id else "",
            ),
            began,
        )
        for place, began in [*places, (standing.place, standing.since)]
    ]


def _add(found: list[Segment], segment: Segment) -> None:
    """Add a stretch, as a part of the one before where that was in the same place."""
    if segment.began == segment.ended:
        return
    if found and found[-1].place == segment.place:
        found[-1] = replace(found[-1], ended=segment.ended)
    else:
        found.append(segment)
