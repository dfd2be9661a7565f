"""Counting for reports: a few sums over the ledger, grouped by queue, channel and hour or day of each queue's clock.

The database finds the hour or day by plain arithmetic: within a stretch of one offset, and there are two or three of
those in a year, it is the second less the rest of (second + offset) by the step. That is exact for zones with half
hours, tells the two hours of autumn apart, which TruncHour puts together, and costs SQLite no call into Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, Case, Count, FloatField, IntegerField, Min, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Floor

from workitems import clocks, measures
from workitems.clocks import Slot, Step
from workitems.epoch import Seconds, WholeSeconds
from workitems.measures import Sums
from workitems.reports.asking import Asked, Clock, Reach, Subject

BEFORE = -1  # stands for the days that are compared with; everything else is a second since 1970


class Cell(NamedTuple):
    """What one set of sums is of; `slot` is None for the days that are compared with."""

    queue: int | None
    channel: str
    agent: int | None
    slot: Slot | None


@dataclass(frozen=True)
class Counted:
    """One row as the database counted it."""

    cell: Cell
    sums: Sums


def count(asked: Asked, reach: Reach, *, now: datetime) -> Iterator[Counted]:
    """Yield the sums of all that is asked for; agents are told apart only where it is about them. Up to 3 queries."""
    if asked.subject is Subject.WORK:
        yield from _rows(asked, reach, "entered_at", measures.entries(), measures.COUNTED_AT_ENTRY)
        yield from _rows(asked, reach, "entered_at", measures.running(), _waiting(reach, now))
    yield from _rows(asked, reach, "ended_at", measures.handling(), measures.COUNTED_AT_THE_END)


def _rows(asked: Asked, reach: Reach, field: str, rows: QuerySet[Any], counted: Mapping[str, Any]) -> Iterator[Counted]:
    by_agent = ["agent_id"] if asked.subject is Subject.AGENTS else []
    if asked.channels:
        rows = rows.filter(channel_type__in=asked.channels)
    within = rows.filter(_within(field, reach)).annotate(slot_key=_key(field, reach, asked.fineness))
    slots = {clock.days.zone: clock.days.slot_of(asked.fineness) for clock in reach.clocks}
    for queue, channel, key, *more in within.values_list("queue_id", "channel_type", "slot_key", *by_agent).annotate(
        **counted
    ):
        agent = more.pop(0) if by_agent else None
        slot = None if key == BEFORE else slots[reach.clock_of[queue].days.zone][key]
        yield Counted(Cell(queue, channel, agent, slot), Sums(**dict(zip(counted, more, strict=True))))


def _waiting(reach: Reach, now: datetime) -> dict[str, Any]:
    """Return how what still waits is counted: all of it, what is past its service level, and the longest."""
    levels = {seconds for queue in reach.queues.values() for seconds in queue.sla_seconds.values()}
    return {
        "waiting": Count("pk"),
        "waiting_late": Count("pk", filter=measures.late(levels, now)),
        "longest_ms": _longest("entered_at", now),
        "longest_customer_ms": _longest("created_at", now),
    }


def _longest(field: str, now: datetime) -> Cast:
    """Return how many milliseconds have passed since the earliest moment."""
    passed = Value(now.timestamp(), output_field=FloatField()) - Seconds(Min(field))
    return Cast(Floor(passed * 1000), BigIntegerField())


def _within(field: str, reach: Reach) -> Q:
    """Return the condition on what is counted; the widest bounds are said first, for the index by time."""
    start, end = min(one.start for one in reach.clocks), max(one.end for one in reach.clocks)
    each = Q(pk__in=[])
    for clock in reach.clocks:
        days = _between(field, *clock.days.stretch) | _between(field, *clock.before)
        each |= days & _goes_by(clock, reach)
    return _between(field, start, end) & each


def _key(field: str, reach: Reach, step: Step) -> Combinable:
    second = WholeSeconds(field)
    cases = []
    for clock in reach.clocks:
        mine = _goes_by(clock, reach)
        cases.append(When(mine & Q(**{f"{field}__lt": clock.days.stretch.start}), then=Value(BEFORE)))
        for steady in clock.days.steady:
            key = second - (second + Value(steady.offset)) % Value(step.seconds)
            cases.append(When(mine & Q(**{f"{field}__lt": clocks.moment(steady.end)}), then=key))
    return Case(*cases, output_field=IntegerField())


def _goes_by(clock: Clock, reach: Reach) -> Q:
    """Return the condition that a row's queue goes by a clock; none where all goes by one."""
    if reach.is_everything and not reach.is_of_several_zones:
        return Q()
    mine = Q(queue_id__in=clock.queues)
    return mine | Q(queue_id__isnull=True) if clock.has_work_without_queue else mine


def _between(field: str, start: datetime, end: datetime) -> Q:
    return Q(**{f"{field}__gte": start, f"{field}__lt": end})
