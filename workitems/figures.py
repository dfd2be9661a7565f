"""The state of the centre in figures: what is open and waits, and what came in and ended by the hour.

Only what the asker may see, and remembered for half a minute for everybody who sees just the same. Open work is few
and has an index of its own; what came and what ended are counted over two days' stretch of an index by time.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Min, QuerySet, Value
from django.db.models.functions import ExtractHour, TruncDate
from django.utils import timezone

from workitems import cached
from workitems.actors import Actor
from workitems.choices import Scope, State
from workitems.models import Workitem
from workitems.stuck import Stuck, is_stuck

REMEMBERED_SECONDS = 30
HOURS = 24
CREATED, ENDED = "created", "ended"


@dataclass(frozen=True)
class Line:
    """What waits in one queue, and since when the longest of it."""

    queue_id: str
    name: str
    count: int
    since: datetime


@dataclass(frozen=True)
class Day:
    """How many came in and how many ended in each hour of a day, by the server's clock."""

    arrivals: tuple[int, ...]
    endings: tuple[int, ...]


@dataclass(frozen=True)
class Figures:
    """What one person sees of the centre at a moment."""

    at: datetime
    by_state: Counter[str]
    by_channel: Counter[str]
    lines: list[Line]  # the longest wait first
    overdue_offers: int
    stuck: int  # with agents who are gone
    today: Day
    yesterday: Day

    @property
    def open(self) -> int:
        """How many have not ended."""
        return self.by_state.total()

    @property
    def are_empty(self) -> bool:
        """Tell whether nothing is open and nothing has come or ended since yesterday."""
        days = (self.today, self.yesterday)
        return not self.open and not any(sum(day.arrivals) + sum(day.endings) for day in days)


def look(actor: Actor, *, now: datetime) -> Figures:
    """Return the figures of what this actor may see, at most half a minute old."""
    at, standing, flow = cached.remembered(_key(actor), lambda: _count(actor, now), REMEMBERED_SECONDS)
    by_state: Counter[str] = Counter()
    by_channel: Counter[str] = Counter()
    lines: dict[str, Line] = {}
    for queue_id, name, channel, state, count, since, *_rest in standing:
        by_state[state] += count
        by_channel[channel] += count
        if state == State.INQUEUE:
            known = lines.get(queue_id, Line(queue_id, name, 0, since))
            lines[queue_id] = Line(queue_id, name, known.count + count, min(known.since, since))
    today = timezone.localdate(at, timezone.get_default_timezone())
    return Figures(
        at=at,
        by_state=by_state,
        by_channel=by_channel,
        lines=sorted(lines.values(), key=lambda line: line.since),
        overdue_offers=sum(row[-2] for row in standing),
        stuck=sum(row[-1] for row in standing),
        today=_day(flow, today),
        yesterday=_day(flow, today - timedelta(days=1)),
    )


def _key(actor: Actor) -> str:
    """Return what is the same for all who see the same: everything, or these queues and one's own."""
    own = actor.user.pk if actor.user is not None and Scope.READ in actor.own_items else None
    seen = "all" if Scope.READ in actor.everywhere else f"{actor.queues_with(Scope.READ)} {own}"
    return f"figures:{hashlib.sha256(seen.encode()).hexdigest()}"


def _count(actor: Actor, now: datetime) -> tuple[datetime, list[Any], list[Any]]:
    """Return plain rows, which another version of this code can read too: the cache may outlive it."""
    visible: QuerySet[Workitem] = Workitem.objects.visible_to(actor).order_by()
    standing = (
        visible.open()  # type: ignore[attr-defined]
        .values_list("queue__queue_id", "queue__name", "channel_type", "state")
        .annotate(
            Count("pk"),
            Min("queued_at"),
            overdue=Count("pk", filter=is_stuck([Stuck.OFFERED], now)),
            stuck=Count("pk", filter=is_stuck([Stuck.INACTIVE], now)),
        )
    )
    flow = _by_hour(visible, CREATED, "created_at", now).union(_by_hour(visible, ENDED, "terminated_at", now), all=True)
    return now, list(standing), list(flow)


def _by_hour(rows: QuerySet[Workitem], kind: str, field: str, now: datetime) -> QuerySet[Workitem, Any]:
    zone = timezone.get_default_timezone()
    today = timezone.localdate(now, zone)
    begin, end = (datetime.combine(today + timedelta(days=days), time.min, tzinfo=zone) for days in (-1, 1))
    within = rows.filter(**{f"{field}__gte": begin, f"{field}__lt": end})
    return within.values_list(Value(kind), TruncDate(field, tzinfo=zone), ExtractHour(field, tzinfo=zone)).annotate(
        Count("pk")
    )


def _day(flow: Iterable[tuple[str, date, int, int]], day: date) -> Day:
    counts: dict[str, list[int]] = {CREATED: [0] * HOURS, ENDED: [0] * HOURS}
    for kind, on, hour, count in flow:
        if on == day:
            counts[kind][hour] += count
    return Day(tuple(counts[CREATED]), tuple(counts[ENDED]))
