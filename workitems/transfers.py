"""Bulk transfers: what is to move stands in rows, and is worked off chunk by chunk.

One chunk is one transaction that moves workitems and marks their rows, all or nothing. So a killed worker loses the
chunk in flight, which the next one does again, and a message delivered twice finds nothing left to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import QuerySet

from queues.models import Queue
from workitems import services
from workitems.actors import Actor
from workitems.choices import Door
from workitems.commands import TransferToQueue
from workitems.errors import NoAgent
from workitems.models import Transfer, TransferItem

CHUNK = 200
UNMOVED_AFTER = timedelta(seconds=30)


def request(workitem_ids: Iterable[str], queue: Queue, *, actor: Actor, now: datetime) -> Transfer:
    """Write down that these workitems are to move to this queue on the actor's behalf."""
    if actor.user is None:
        raise NoAgent
    with transaction.atomic():
        transfer = Transfer.objects.create(
            queue=queue, requested_by=actor.user, door=actor.door, created_at=now, moved_at=now
        )
        for chunk in services.chunks(dict.fromkeys(workitem_ids), services.CHUNK):
            TransferItem.objects.bulk_create(TransferItem(transfer=transfer, workitem_id=one) for one in chunk)
    return transfer


def work_off_chunk(transfer: Transfer, *, now: datetime) -> int:
    """Move the next chunk and return how many rows it settled; 0 when there is nothing left to take.

    The requester's rights are read anew each time: what he may no longer do is refused, item by item.
    """
    return services.in_transaction(lambda: _work_off_chunk(transfer, now))


def unfinished(now: datetime) -> QuerySet[Transfer]:
    """Return the transfers that nobody has driven on for a while: their message was lost, or their worker died."""
    return Transfer.objects.exclude(progress=Transfer.Progress.DONE).filter(moved_at__lte=now - UNMOVED_AFTER)


def _work_off_chunk(transfer: Transfer, now: datetime) -> int:
    skip = connection.features.has_select_for_update_skip_locked
    pending = TransferItem.objects.select_for_update(skip_locked=skip).filter(
        transfer=transfer, outcome=TransferItem.Outcome.PENDING
    )
    items = {item.workitem_id: item for item in pending.order_by("pk")[:CHUNK]}
    actor = Actor.of(User.objects.get(pk=transfer.requested_by_id), Door.JOB)
    outcome = services.execute_many(TransferToQueue(transfer.queue), items, actor=actor, now=now)
    done = [items[one].pk for one in outcome.done]
    TransferItem.objects.filter(pk__in=done).update(outcome=TransferItem.Outcome.DONE)
    for code in {refusal.code for refusal in outcome.refused.values()}:
        refused = [items[one].pk for one, refusal in outcome.refused.items() if refusal.code == code]
        TransferItem.objects.filter(pk__in=refused).update(outcome=TransferItem.Outcome.REFUSED, code=code)
    _tell_progress(transfer, now)
    return len(items)


def _tell_progress(transfer: Transfer, now: datetime) -> None:
    row = Transfer.objects.filter(pk=transfer.pk).exclude(progress=Transfer.Progress.DONE)
    if transfer.items.filter(outcome=TransferItem.Outcome.PENDING).exists():
        row.update(progress=Transfer.Progress.RUNNING, moved_at=now)
    else:
        row.update(progress=Transfer.Progress.DONE, moved_at=now, finished_at=now)
