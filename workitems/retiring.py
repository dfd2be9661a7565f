"""Taking queues out of use, and whether a row has ever been used.

A retired queue takes nothing any more and is offered as no target; its history and its members stay. Nothing is retired
while there is work in it.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from queues.models import Queue
from workitems import audit
from workitems.actors import Actor
from workitems.choices import OPEN, Scope
from workitems.errors import MissingScope, QueueHasWork
from workitems.models import Workitem

MOST_COUNTED = 1_000


def work_in(queue: Queue) -> int:
    """Count the open work of a queue, up to one more than is counted exactly."""
    return Workitem.objects.filter(queue=queue, state__in=OPEN)[: MOST_COUNTED + 1].count()


def retire(queue: Queue, *, actor: Actor, now: datetime) -> Queue:
    """Take a queue out of use; raise QueueHasWork while there is work in it.

    The lock holds off whoever would send work there meanwhile: he finds it closed.
    """
    with transaction.atomic():
        row = _locked(queue, actor)
        if row.is_retired:
            return row
        count = work_in(row)
        if count:
            raise QueueHasWork(queue=row.name, count=f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else count)
        before = row.is_open
        row.retired_at, row.is_open = now, False
        _save(row)
        changes = {"is_open": {"old": True, "new": False}} if before else {}
        audit.write("queue retired", row.queue_id, actor=actor, now=now, changes=changes)
        return row


def bring_back(queue: Queue, *, actor: Actor, now: datetime) -> Queue:
    """Take a retired queue into use again; it stays closed until its hours, or somebody, open it."""
    with transaction.atomic():
        row = _locked(queue, actor)
        if row.is_retired:
            row.retired_at = row.hours_applied_at = None
            _save(row)
            audit.write("queue brought back", row.queue_id, actor=actor, now=now)
        return row


def _locked(queue: Queue, actor: Actor) -> Queue:
    row = Queue.objects.select_for_update().get(pk=queue.pk)
    if not actor.can_in(Scope.ADMIN, row):
        raise MissingScope(scope=Scope.ADMIN.value)
    return row


def _save(row: Queue) -> None:
    row.version += 1
    row.save(update_fields=["retired_at", "is_open", "hours_applied_at", "version"])
