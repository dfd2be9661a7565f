"""A worker that is told to stop stops after the chunk in hand, and the next one goes on."""

from __future__ import annotations

import signal
import time
from types import SimpleNamespace

import pytest
from billiard import pool
from django.db import transaction
from django.utils import timezone

from tests.builders import make_queue, make_user, make_workitem
from tests.test_worker import Hall, hall, wait_for  # noqa: F401  the fixture
from workitems import runs, transfers
from workitems.actors import Actor
from workitems.choices import Door, Event, Scope
from workitems.groups import grant
from workitems.models import TimeEvent, Transfer, TransferItem, Workitem

pytestmark = pytest.mark.django_db(transaction=True)


def make_transfer(count: int) -> Transfer:
    user, source, target = make_user("boss"), make_queue("q_source"), make_queue("q_target")
    grant(user, Scope.WRITE)
    with transaction.atomic():
        ids = [make_workitem(queue=source).workitem_id for _ in range(count)]
    selection, terms = transfers.Selection(workitem_ids=ids), transfers.Terms(queue=target)
    return transfers.request(selection, terms, actor=Actor.of(user, Door.API), now=timezone.now())


def settled() -> int:
    return TransferItem.objects.exclude(outcome="pending").count()


def finish(hall: Hall, transfer: Transfer) -> None:  # noqa: F811
    hall.start_worker()
    hall.wake("run_transfer", transfer_id=transfer.transfer_id)
    wait_for(lambda: Transfer.objects.get().state == "done")


def test_a_worker_that_is_told_to_stop_leaves_whole_chunks_and_the_next_one_goes_on(hall):  # noqa: F811
    transfer = make_transfer(2000)
    worker = hall.start_worker()
    hall.wake("run_transfer", transfer_id=transfer.transfer_id)
    wait_for(lambda: settled() > 0)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(15) == 0
    assert settled() % runs.CHUNK == 0
    assert TimeEvent.objects.filter(type=Event.TRANSFERRED).count() == settled()
    finish(hall, transfer)
    assert Workitem.objects.filter(queue__queue_id="q_target", version=2).count() == 2000
    assert TimeEvent.objects.filter(type=Event.TRANSFERRED).count() == 2000


def test_a_worker_that_is_told_to_stop_begins_no_further_chunk(hall):  # noqa: F811
    transfer = make_transfer(3 * runs.CHUNK)
    worker = hall.start_worker()
    wait_for(hall.is_ready)
    with transaction.atomic():
        Transfer.objects.select_for_update().get()  # on SQLite the whole database: the worker waits with its first
        hall.wake("run_transfer", transfer_id=transfer.transfer_id)
        time.sleep(3)
        worker.send_signal(signal.SIGTERM)
        time.sleep(1)
    assert worker.wait(15) == 0
    assert settled() in (0, runs.CHUNK)
    assert Transfer.objects.get().state != "done"
    finish(hall, transfer)
    assert settled() == 3 * runs.CHUNK


def test_a_pool_process_whose_report_was_lost_keeps_a_worker_that_stops_for_no_longer_than_three_seconds(monkeypatch):
    naps: list[float] = []
    monkeypatch.setattr(time, "sleep", naps.append)
    idle = SimpleNamespace(on_ready_counter=SimpleNamespace(value=0))
    pool.Worker._ensure_messages_consumed(idle, completed=1)
    assert 1 <= sum(naps) <= 3
