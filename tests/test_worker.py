"""A real worker on a real broker: the one that CELERY_BROKER_URL names, else the embedded one."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.utils import timezone

from tests.builders import NOON, make_queue, make_user, make_workitem
from tests.crowds import ask_for_transfer, make_crowd, violations
from tests.environment import REAL_BROKER_URL
from tests.halls import Hall, Process, wait_for
from workitems import beat, runs
from workitems.choices import Event, Scope, State
from workitems.groups import grant
from workitems.models import BeatSlot, TimeEvent, Transfer, Workitem

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    hall = Hall(tmp_path, REAL_BROKER_URL)
    yield hall
    hall.close()


def make_transfer(count: int) -> Transfer:
    boss, source, target = make_user("boss"), make_queue("q_source"), make_queue("q_target")
    grant(boss, Scope.WRITE)
    return ask_for_transfer(make_crowd(count, source), target, boss, now=timezone.now())


def done() -> int:
    return Transfer.objects.get().done


def is_finished() -> bool:
    return Transfer.objects.get().is_finished


def wait_for_progress(seconds: float = 60) -> None:
    before = done()
    wait_for(lambda: done() > before or is_finished(), seconds)


def test_a_worker_moves_a_transfer_that_it_is_woken_for(hall):
    transfer = make_transfer(30)
    hall.start_worker()
    hall.wake("run_transfer", transfer_id=transfer.transfer_id)
    wait_for(is_finished)
    assert violations(transfer) == []


def test_killed_workers_lose_nothing_and_double_nothing(hall):
    transfer, luck = make_transfer(5_000), random.Random(6)
    for _ in range(5):
        worker = hall.start_worker()
        hall.wake("run_transfer", transfer_id=transfer.transfer_id)
        wait_for_progress()
        time.sleep(luck.uniform(0, 0.1))
        hall.kill(worker)
    hall.start_worker()
    hall.wake("run_transfer", transfer_id=transfer.transfer_id)
    wait_for(is_finished)
    assert violations(transfer) == []


def test_a_worker_whose_idle_pool_was_killed_goes_on(hall):
    first = make_transfer(30)
    second = ask_for_transfer(make_crowd(30, first.queue), make_queue("q_third"), first.requested_by, timezone.now())
    worker = hall.start_worker()
    hall.wake("run_transfer", transfer_id=first.transfer_id)
    wait_for(lambda: Transfer.objects.get(pk=first.pk).is_finished)
    for child in hall.children(worker):
        os.kill(child, signal.SIGKILL)
    hall.wake("run_transfer", transfer_id=second.transfer_id)
    wait_for(lambda: Transfer.objects.get(pk=second.pk).is_finished)
    assert [*violations(first), *violations(second)] == []


def test_doubled_wake_ups_do_no_harm(hall):
    transfer = make_transfer(2_000)
    hall.wake("run_transfer", times=3, transfer_id=transfer.transfer_id)
    hall.start_worker()
    hall.start_worker()
    wait_for(is_finished)
    assert violations(transfer) == []


def test_a_transfer_whose_wake_up_was_lost_is_done_all_the_same(hall):
    transfer = make_transfer(30)
    Transfer.objects.update(moved_at=timezone.now() - runs.UNMOVED_AFTER)
    hall.start_worker()
    hall.start_beat()
    wait_for(is_finished)
    assert violations(transfer) == []


# Beats


def make_overdue_offers(count: int) -> None:
    ann = make_user("ann")
    queue = make_queue("q_support", members=[ann])
    for _ in range(count):
        make_workitem(State.OFFERED, queue=queue, agent=ann, offer_expires_at=NOON + timedelta(seconds=20))


def test_two_beats_do_no_harm(hall):
    make_overdue_offers(20)
    hall.start_worker()
    hall.start_beat()
    hall.start_beat()
    wait_for(lambda: BeatSlot.objects.filter(task="expire_offers").count() >= 3)
    assert Workitem.objects.filter(state=State.INQUEUE, version=2).count() == 20
    assert TimeEvent.objects.filter(type=Event.OFFER_EXPIRED).count() == 20
    assert not BeatSlot.objects.filter(claimed_at__lt=NOON).exists()


def test_of_ten_beats_one_claims_a_slot():
    def claim(_beat: int) -> bool:
        try:
            return beat.claim("expire_offers", 2.0, now=NOON + timedelta(seconds=1))
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(claim, range(10))) == 1


# Stopped, overtaken, continued


def stop_between_transactions(hall: Hall, worker: Process) -> None:
    """Stop a worker where it holds nothing that others wait for."""
    for _ in range(200):
        hall.signal(worker, signal.SIGSTOP)
        if nothing_is_locked():
            return
        hall.signal(worker, signal.SIGCONT)
        time.sleep(0.01)
    pytest.fail("it was never seen between two transactions")


def nothing_is_locked() -> bool:
    time.sleep(0.05)  # what it had sent to the database before is through by then
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=0)) as probe:
            with suppress(sqlite3.OperationalError):
                probe.execute("BEGIN IMMEDIATE")
            return probe.in_transaction
    with suppress(OperationalError), transaction.atomic():
        return bool(Transfer.objects.select_for_update(nowait=True))
    return False


def test_a_worker_that_was_stopped_and_overtaken_does_no_harm_when_it_goes_on(hall):
    transfer = make_transfer(5_000)
    slow = hall.start_worker()
    hall.wake("run_transfer", transfer_id=transfer.transfer_id)
    wait_for(lambda: done() > 0)
    stop_between_transactions(hall, slow)
    fast = hall.start_worker()
    hall.wake("run_transfer", times=2, transfer_id=transfer.transfer_id)
    wait_for(lambda: done() > 4_000)
    hall.signal(slow, signal.SIGCONT)
    wait_for(is_finished)
    for worker in (slow, fast):
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    assert violations(transfer) == []


@pytest.mark.skipif(connection.vendor != "postgresql", reason="on SQLite who is stopped while he writes stops them all")
def test_a_chunk_whose_worker_was_stopped_within_it_waits_for_it_and_the_rest_does_not(hall):
    transfer = make_transfer(1_000)
    first = transfer.items.order_by("pk").first()
    slow = hall.start_worker()
    with transaction.atomic():
        Workitem.objects.select_for_update().get(workitem_id=first.workitem_id)
        hall.wake("run_transfer", transfer_id=transfer.transfer_id)
        wait_for(lambda: waiting_for_us() > 0)
        hall.signal(slow, signal.SIGSTOP)
    hall.start_worker()
    hall.wake("run_transfer", times=2, transfer_id=transfer.transfer_id)
    wait_for(lambda: done() == 1_000 - runs.CHUNK)
    hall.signal(slow, signal.SIGCONT)
    wait_for(is_finished)
    assert violations(transfer) == []


def waiting_for_us() -> int:
    """Count those who wait for a lock that this connection holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        return cursor.fetchone()[0]
