"""When queues are open: from opening hours to moments, and the job that opens and closes at them.

`Queue.is_open` alone decides whether a queue takes work; this writes it at each boundary of its hours. Who opens or
closes a queue by hand between two boundaries is right until the next one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo, available_timezones

from django.db import transaction

from queues.models import Queue
from workitems import audit
from workitems.actors import Actor
from workitems.choices import Scope

MIDNIGHT = time(0)
LOOK = timedelta(days=9)  # hours come again each week
CERTAIN = timedelta(days=8)  # within this of now, where a stretch begins or ends is not only where we stopped to look
HOURS = Actor.job("opening-hours", Scope.ADMIN)


class Hours(Protocol):
    """What is asked of a line of opening hours."""

    weekday: int
    opens_at: time
    closes_at: time


class Stretch(NamedTuple):
    """A time during which a queue is open without a break."""

    opens: datetime
    closes: datetime


class Boundary(NamedTuple):
    """A moment at which a queue opens or closes."""

    at: datetime
    opens: bool


def is_zone(name: str) -> bool:
    """Tell whether this is the name of a time zone."""
    return name in available_timezones()


def is_open_at(hours: Iterable[Hours], zone: ZoneInfo, now: datetime) -> bool:
    """Tell whether a queue with these hours is to be open."""
    return any(one.opens <= now < one.closes for one in stretches(hours, zone, now))


def latest_boundary(hours: Iterable[Hours], zone: ZoneInfo, now: datetime) -> Boundary | None:
    """Return where it has opened or closed last, or None where it is always the same."""
    past = [one for one in _boundaries(hours, zone, now) if one.at <= now]
    return past[-1] if past else None


def next_boundary(hours: Iterable[Hours], zone: ZoneInfo, now: datetime) -> Boundary | None:
    """Return where it opens or closes next, or None where it is always the same."""
    return next((one for one in _boundaries(hours, zone, now) if one.at > now), None)


def stretches(hours: Iterable[Hours], zone: ZoneInfo, around: datetime) -> list[Stretch]:
    """Return when it is open in the days around a moment, in order; what touches or overlaps is one stretch."""
    lines = list(hours)
    first = (around - LOOK).astimezone(zone).date()
    days = [first + timedelta(days=number) for number in range(2 * LOOK.days + 1)]
    found = sorted(_stretch(one, day, zone) for day in days for one in lines if one.weekday == day.weekday())
    joined: list[Stretch] = []
    for one in found:
        if joined and one.opens <= joined[-1].closes:
            joined[-1] = Stretch(joined[-1].opens, max(joined[-1].closes, one.closes))
        elif one.opens < one.closes:
            joined.append(one)
    return joined


def apply_hours(*, now: datetime) -> list[Queue]:
    """Open and close the queues whose hours say so since they were last applied, and return those that changed."""
    with_hours = Queue.objects.in_use().filter(hours__isnull=False).distinct().prefetch_related("hours")
    changed = []
    for pk in [queue.pk for queue in with_hours if _is_due(queue, now)]:
        with transaction.atomic():
            queue = _apply(pk, now)
        if queue is not None:
            changed.append(queue)
    return changed


def _apply(pk: int, now: datetime) -> Queue | None:
    """Bring one queue in line under its lock; return it where that changed it."""
    queue = Queue.objects.select_for_update().filter(pk=pk, retired_at=None).first()
    if queue is None or not _is_due(queue, now):
        return None
    before, queue.hours_applied_at = queue.is_open, now
    queue.is_open = is_open_at(queue.hours.all(), queue.zone, now)
    if queue.is_open == before:
        queue.save(update_fields=["hours_applied_at"])
        return None
    queue.version += 1
    queue.save(update_fields=["hours_applied_at", "is_open", "version"])
    changes = {"is_open": {"old": before, "new": queue.is_open}}
    audit.write("queue changed", queue.queue_id, actor=HOURS, now=now, changes=changes)
    return queue


def _is_due(queue: Queue, now: datetime) -> bool:
    hours = list(queue.hours.all())
    if not hours:
        return False
    if queue.hours_applied_at is None:
        return True
    latest = latest_boundary(hours, queue.zone, now)
    return latest is not None and queue.hours_applied_at < latest.at


def _boundaries(hours: Iterable[Hours], zone: ZoneInfo, around: datetime) -> list[Boundary]:
    found = stretches(hours, zone, around)
    moments = sorted([*(Boundary(one.opens, True) for one in found), *(Boundary(one.closes, False) for one in found)])
    return [one for one in moments if abs(one.at - around) <= CERTAIN]


def _stretch(hours: Hours, day: date, zone: ZoneInfo) -> Stretch:
    last = day + timedelta(days=1) if hours.closes_at == MIDNIGHT else day
    return Stretch(_moment(day, hours.opens_at, zone), _moment(last, hours.closes_at, zone))


def _moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return when the clock shows this time: of two such moments the first, of none the leap."""
    shown = datetime.combine(day, clock)
    moment = shown.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == shown:
        return moment
    new = shown.replace(tzinfo=zone, fold=1).utcoffset()
    assert new is not None  # noqa: S101  every zone has one
    leap = (shown - new).replace(tzinfo=UTC, second=0, microsecond=0)
    while leap.astimezone(zone).utcoffset() != new:
        leap += timedelta(minutes=1)
    return leap
