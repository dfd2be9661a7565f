"""Many workitems at once, transfers of them, and a look at whether every one of them was moved exactly once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, F, Max, Min

from queues.channels import Channel
from queues.models import Queue
from tests.builders import LATER, NOON
from workitems import transfers
from workitems.actors import Actor
from workitems.choices import Door, Event, State, Type
from workitems.models import Run, TimeEvent, Transfer, TransferItem, Workitem


class Clock:
    """A clock that shows a later time at each look."""

    def __init__(self, step_seconds: float = 0, begin: datetime = LATER) -> None:
        self.now, self.step = begin, timedelta(seconds=step_seconds)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def make_crowd(count: int, queue: Queue, **facts: Any) -> list[Workitem]:
    """Return so many saved calls that wait in this queue, each with one event."""
    values: dict[str, Any] = {
        "type": Type.INBOUND_CALL,
        "channel_type": Channel.VOICE,
        "state": State.INQUEUE,
        "current_state_name": State.INQUEUE,
        "queue": queue,
        **dict.fromkeys(("created_at", "modified_at", "state_changed_at", "active_at", "queued_at"), NOON),
    }
    crowd = Workitem.objects.bulk_create([Workitem(**(values | facts)) for _ in range(count)], batch_size=500)
    created = {"version": 1, "type": Event.CREATED, "timestamp": NOON, "actor": "builder", "door": Door.JOB}
    TimeEvent.objects.bulk_create(
        [TimeEvent(workitem=one, to_state=one.state, **created) for one in crowd], batch_size=500
    )
    return crowd


def ask_for_transfer(
    chosen: Sequence[Workitem | str], target: Queue | User, user: User, now: datetime = NOON, **terms: Any
) -> Transfer:
    """Return a transfer of these workitems that somebody has just asked for."""
    ids = [one if isinstance(one, str) else one.workitem_id for one in chosen]
    where = {"queue": target} if isinstance(target, Queue) else {"agent": target}
    return transfers.request(
        transfers.Selection(workitem_ids=ids),
        transfers.Terms(**where, **terms),
        actor=Actor.of(user, Door.API),
        now=now,
    )


def violations(transfer: Transfer) -> list[str]:
    """Return what is wrong with a finished transfer that should have moved all its workitems, in words."""
    transfer.refresh_from_db()
    ids = transfer.items.values("workitem_id")
    outcomes = dict(transfer.items.values_list("outcome").annotate(Count("pk")).order_by())
    moves = TimeEvent.objects.filter(workitem__workitem_id__in=ids, details__transferId=transfer.transfer_id)
    told = moves.order_by().values("workitem").annotate(times=Count("pk"))
    found = {
        "not done": int(transfer.state != Run.State.DONE),
        "lost": transfer.total - told.count(),
        "moved twice": told.filter(times__gt=1).count(),
        "items without the outcome done": transfer.total - outcomes.get("done", 0),
        "counted wrongly": abs(transfer.total - transfer.done) + transfer.refused + transfer.failed,
        "chunks left over": transfer.chunks.count(),
        "with gaps or doubles in their history": torn_histories(ids),
    }
    return [f"{count} {what}" for what, count in found.items() if count]


def torn_histories(ids: Any) -> int:
    """Return how many of these workitems have not exactly one event for each of their versions."""
    whole = (
        TimeEvent.objects.filter(workitem__workitem_id__in=ids)
        .order_by()
        .values("workitem")
        .annotate(
            events=Count("pk"), distinct=Count("version", distinct=True), first=Min("version"), last=Max("version")
        )
        .filter(first=1, events=F("last"), distinct=F("last"), last=F("workitem__version"))
    )
    return Workitem.objects.filter(workitem_id__in=ids).count() - whole.count()


def outcomes_of(transfer: Transfer) -> dict[str, str]:
    return dict(TransferItem.objects.filter(run=transfer).values_list("workitem_id", "outcome"))
