"""The beat: what is periodic is begun once a slot, on the right queue, however many beats and messages there are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from celery import current_app
from django.conf import settings
from django.db import connection, connections, transaction
from django.utils import timezone

from tests.builders import NOON
from workitems import beat, statements, tasks
from workitems.api.tasks import forget
from workitems.models import BeatSlot


@pytest.fixture
def noon(monkeypatch):
    """Let it be noon for the beat."""
    monkeypatch.setattr(statements, "now", lambda: NOON)


@pytest.fixture
def work():
    """Return a periodic task, under a name of the schedule, that counts how often it is done."""
    done = []

    @beat.once_a_slot
    def expire_offers() -> int:
        done.append(1)
        return 7

    expire_offers.done = done
    return expire_offers


def test_a_slot_is_claimed_once(db):
    claims = [beat.claim("a", 5, now=NOON + timedelta(seconds=seconds)) for seconds in (0, 1, 4.9, 5, 9)]
    assert claims == [True, False, False, True, False]


def test_each_task_has_slots_of_its_own(db):
    assert beat.claim("a", 5, now=NOON)
    assert beat.claim("b", 5, now=NOON)


def test_a_slot_that_is_taken_spoils_no_transaction(db):
    beat.claim("a", 5, now=NOON)
    with transaction.atomic():
        assert not beat.claim("a", 5, now=NOON)
        assert BeatSlot.objects.count() == 1


def test_a_message_that_comes_twice_does_nothing_the_second_time(db, work, noon):
    assert (work(), work()) == (7, 0)
    assert len(work.done) == 1


def test_a_message_that_comes_late_counts_for_the_slot_in_which_it_comes(db, work, noon, monkeypatch):
    work()
    monkeypatch.setattr(statements, "now", lambda: NOON + timedelta(seconds=2))
    assert (work(), work()) == (7, 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("beats", [2, 10])
def test_beats_that_come_at_once_do_the_work_once(beats, work, noon):
    def come(_number: int) -> int:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(beats) as pool:
        results = list(pool.map(come, range(beats)))
    assert sorted(results) == [*[0] * (beats - 1), 7]
    assert len(work.done) == 1


def test_the_slot_goes_by_the_clock_of_the_database(db, work):
    with time_machine.travel(datetime(2040, 1, 1, tzinfo=UTC), tick=False):
        work()
    of_this_host = BeatSlot.objects.get().slot_at.year == 2040
    assert of_this_host is (connection.vendor == "sqlite")  # which lives on this host


def test_old_slots_are_forgotten(db):
    now = timezone.now()
    for minutes in (0, 59, 61):
        beat.claim("a", 5, now=now - timedelta(minutes=minutes))
    assert forget()["slots"] == 1
    assert BeatSlot.objects.count() == 2


def test_every_entry_of_the_schedule_is_a_task_that_expires():
    current_app.loader.import_default_modules()
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        assert entry["task"] in current_app.tasks
        assert entry["task"].rsplit(".", 1)[1] == name
        assert entry["options"]["expires"] >= max(30, entry["schedule"])


def test_bulk_work_has_a_queue_of_its_own():
    bulk = {"run_transfer", "run_policy", "sweep_stale"}
    entries = {name: entry["task"] for name, entry in settings.CELERY_BEAT_SCHEDULE.items()}
    names = entries | {name: f"workitems.tasks.{name}" for name in (*bulk, "send_mails", "assign_waiting")}
    routes = {name: current_app.amqp.router.route({}, task)["queue"].name for name, task in names.items()}
    assert routes == {name: "bulk" if name in bulk else "interactive" for name in names}


def test_a_worker_that_is_not_told_which_takes_from_both_queues():
    assert set(current_app.amqp.queues.consume_from) == {"interactive", "bulk"}


def waiting() -> int:
    with current_app.connection_for_read() as link:
        return sum(current_app.amqp.queues[name](link.channel()).queue_declare().message_count for name in QUEUES)


QUEUES = ("interactive", "bulk")


@pytest.fixture
def empty_queues():
    with current_app.connection_for_read() as link:
        for name in QUEUES:
            queue = current_app.amqp.queues[name](link.channel())
            queue.declare()
            queue.purge()


@pytest.mark.django_db(transaction=True)
def test_nobody_is_woken_before_the_commit(empty_queues):
    with transaction.atomic():
        tasks.wake_mails()
        assert waiting() == 0
    assert waiting() == 1


@pytest.mark.django_db(transaction=True)
def test_nobody_is_woken_for_what_was_taken_back(empty_queues):
    with transaction.atomic():
        tasks.wake_mails()
        transaction.set_rollback(True)
    assert waiting() == 0
