"""What a report can be asked for: which days, how finely, of which queues and channels.

Days are those of each queue's own clock, so one report may have several clocks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from queues.channels import Channel
from queues.models import Queue
from workitems import clocks, directory
from workitems.actors import Actor
from workitems.choices import Scope
from workitems.clocks import Days, Step, Stretch
from workitems.errors import InvalidValue, UnknownObject

MOST_DAYS = {Step.HOUR: 31, Step.DAY: 366}
FIRST_YEAR, LAST_YEAR = 1990, 2200


class Period(StrEnum):
    """Which days a report is of."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "7days"
    FOUR_WEEKS = "28days"
    OWN = "own"


REACH = {Period.TODAY: (0, 0), Period.YESTERDAY: (1, 1), Period.WEEK: (6, 0), Period.FOUR_WEEKS: (27, 0)}  # days back


class Subject(StrEnum):
    """Whose figures they are: those of queues and what comes in, or those of the agents who deal with it."""

    WORK = "work"
    AGENTS = "agents"


@dataclass(frozen=True)
class Asked:
    """What somebody wants to know; without queues all that he may see, without channels all."""

    period: Period = Period.TODAY
    first: date | None = None  # of days of one's own
    last: date | None = None
    step: Step | None = None
    queues: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    subject: Subject = Subject.WORK

    def __post_init__(self) -> None:
        if self.period is Period.OWN:
            _check(self.first, self.last)
        if self.count > MOST_DAYS[self.fineness]:
            raise InvalidValue(field="from", problem=_too_long(self.fineness, self.count))

    @property
    def count(self) -> int:
        """Return how many days it covers."""
        if self.first is not None and self.last is not None:
            return (self.last - self.first).days + 1
        back_to, back_from = REACH[self.period]
        return back_to - back_from + 1

    @property
    def fineness(self) -> Step:
        """Return the step that was asked for, or hours for up to two days and days for more."""
        return self.step or (Step.HOUR if self.count <= 2 else Step.DAY)

    def days(self, zone: ZoneInfo, now: datetime) -> Days:
        """Return its days by the clock of a zone."""
        if self.first is not None and self.last is not None:
            return Days(zone, self.first, self.last)
        first, last = (clocks.today(now, zone) - timedelta(days=back) for back in REACH[self.period])
        return Days(zone, first, last)


@dataclass(frozen=True)
class Clock:
    """The queues that go by one clock, the days that are asked for by it, and those that they are compared with."""

    days: Days
    before: Stretch
    queues: tuple[int, ...]
    has_work_without_queue: bool  # which goes by the server's clock

    @property
    def start(self) -> datetime:
        """Return from when on anything is counted."""
        return self.before.start

    @property
    def end(self) -> datetime:
        """Return until when anything is counted."""
        return self.days.stretch.end


@dataclass(frozen=True)
class Reach:
    """What a report counts, which queues by which clocks, and which queues there are to choose from."""

    choices: tuple[Queue, ...]
    queues: dict[int, Queue]
    clocks: tuple[Clock, ...]
    is_everything: bool  # work in no queue too

    @property
    def is_of_several_zones(self) -> bool:
        """Tell whether the same day begins at several moments."""
        return len(self.clocks) > 1

    @cached_property
    def clock_of(self) -> dict[int | None, Clock]:
        """Map each queue to the clock that it goes by, and None to that of work in no queue."""
        found: dict[int | None, Clock] = {}
        for clock in self.clocks:
            found.update(dict.fromkeys([*clock.queues, *([None] if clock.has_work_without_queue else [])], clock))
        return found


def reach(actor: Actor, asked: Asked, *, now: datetime) -> Reach:
    """Return what the actor's report counts; raise UnknownObject for a queue that he may not see. Two queries."""
    visible = {one.queue_id: one for one in directory.visible_queues(actor).prefetch_related("channel_rows")}
    for queue_id in asked.queues:
        if queue_id not in visible:
            raise UnknownObject(what="queue", id=queue_id)
    chosen = [visible[one] for one in asked.queues] if asked.queues else list(visible.values())
    is_everything = not asked.queues and Scope.READ in actor.everywhere
    return Reach(
        choices=tuple(visible.values()),
        queues={one.pk: one for one in chosen},
        clocks=_clocks(asked, chosen, is_everything, now),
        is_everything=is_everything,
    )


def _clocks(asked: Asked, queues: Iterable[Queue], is_everything: bool, now: datetime) -> tuple[Clock, ...]:
    server = ZoneInfo(settings.TIME_ZONE)
    by_zone: dict[ZoneInfo, list[int]] = {server: []} if is_everything else {}
    for queue in queues:
        by_zone.setdefault(queue.zone, []).append(queue.pk)
    if is_everything and len(by_zone) == 2 and not by_zone[server]:
        return (_clock(asked, *by_zone.popitem(), True, now),)  # all queues go by one other clock: so does the rest
    return tuple(_clock(asked, zone, pks, is_everything and zone is server, now) for zone, pks in by_zone.items())


def _clock(asked: Asked, zone: ZoneInfo, pks: list[int], has_rest: bool, now: datetime) -> Clock:
    days = asked.days(zone, now)
    before = days.shifted(-days.count)
    until = before.stretch.end
    if days.stretch.start <= now < days.stretch.end:  # a day that is not over is compared with as much of another
        until = min(until, clocks.back(now, days.count, zone))
    return Clock(days, Stretch(before.stretch.start, until), tuple(pks), has_rest)


def _check(first: date | None, last: date | None) -> None:
    if first is None or last is None:
        raise InvalidValue(field="from", problem=_("Days of your own need a first and a last one."))
    if last < first:
        raise InvalidValue(field="to", problem=_("The last day comes before the first."))
    if not FIRST_YEAR <= first.year <= last.year <= LAST_YEAR:
        raise InvalidValue(field="from", problem=_("Only years from %d to %d can be meant.") % (FIRST_YEAR, LAST_YEAR))


def _too_long(step: Step, count: int) -> str:
    facts = {"most": MOST_DAYS[step], "count": count}
    if step is Step.HOUR:
        return _("By the hour, a report has %(most)d days at most, and these are %(count)d. Ask by the day.") % facts
    return _("A report has %(most)d days at most, and these are %(count)d.") % facts
