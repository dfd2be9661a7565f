"""A workitem's life as a bar: each stretch as wide as it lasted, and the same times as a table beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from workitems import timeline
from workitems.actors import Actor
from workitems.choices import State
from workitems.models import Workitem
from workitems.presenting.words import duration
from workitems.timeline import Life, Place, Segment

MOST_STRETCHES = 400


@dataclass(frozen=True)
class Stretch:
    """One part of the bar, in percent of its width."""

    state: str
    x: str
    width: str
    title: str


@dataclass(frozen=True)
class Share:
    """How long it was in a state, or in a state, a queue and with an agent."""

    state: str
    label: str
    queue: str
    agent: str
    time: str
    seconds: str
    percent: str


@dataclass(frozen=True)
class Bar:
    """All that the page shows of a life."""

    stretches: list[Stretch]  # none where there are too many to be seen
    states: list[Share]
    places: list[Share]
    time: str
    seconds: str
    is_over: bool


def bar_of(workitem: Workitem, actor: Actor, now: datetime) -> Bar:
    """Return the bar of a workitem's life."""
    life = timeline.life_of(workitem, actor, now)
    drawn = life.segments if len(life.segments) <= MOST_STRETCHES else []
    return Bar(
        [_stretch(segment, life) for segment in drawn],
        [_share(Place(state), time, life) for state, time in life.by_state().items()],
        [_share(place, time, life) for place, time in life.by_place().items()],
        duration(life.time.total_seconds()),
        _seconds(life.time),
        life.is_over,
    )


def _stretch(segment: Segment, life: Life) -> Stretch:
    place = segment.place
    words = [_word(place.state), place.queue, place.agent, duration(segment.time.total_seconds())]
    span = f"{_clock(segment.began)} – {_clock(segment.ended)}"
    return Stretch(
        place.state,
        f"{(segment.began - life.began) / life.time * 100:.4f}%",
        f"{segment.time / life.time * 100:.4f}%",
        " · ".join([*(word for word in words if word), span]),
    )


def _share(place: Place, time: timedelta, life: Life) -> Share:
    return Share(
        place.state,
        _word(place.state),
        place.queue,
        place.agent,
        duration(time.total_seconds()),
        _seconds(time),
        f"{time / life.time * 100:.1f}",
    )


def _word(state: str) -> str:
    return str(State(state).label) if state in State.values else _("Unknown")


def _seconds(time: timedelta) -> str:
    return _("%s s exactly") % f"{time.total_seconds():.6f}".rstrip("0").rstrip(".")


def _clock(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "Y-m-d H:i:s")
