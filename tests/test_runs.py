"""Work on many, chunk by chunk: killed, late, doubled, poisoned or overtaken, nothing is lost and nothing doubled."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, connections
from django.utils import timezone

from tests.builders import LATER, NOON, facts_of, make_queue, make_user, make_workitem
from tests.crowds import Clock, ask_for_transfer, make_crowd, outcomes_of, violations
from workitems import runs, services, tasks
from workitems.choices import Scope, State
from workitems.errors import WrongRunState
from workitems.groups import grant
from workitems.models import Transfer, TransferItem, Workitem
from workitems.outcomes import Outcome
from workitems.transfers import TRANSFERS

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="transactions overlap on PostgreSQL only")
GRACE = runs.LEFT_OVER_AFTER.total_seconds()


@pytest.fixture
def ask(sue, sales) -> Callable[[Sequence[Any]], Transfer]:
    """Ask for a transfer to sales as the supervisor."""
    return lambda chosen: ask_for_transfer(chosen, sales, sue)


def work_off(transfer: Transfer, kind: Any = TRANSFERS, clock: Clock | None = None, seconds: float = 60) -> int:
    return runs.work_off(kind, transfer.pk, clock=clock or Clock(), seconds=seconds)


def one_chunk(transfer: Transfer, kind: Any = TRANSFERS, clock: Clock | None = None) -> int:
    return work_off(transfer, kind, clock, seconds=0)


def counts(transfer: Transfer) -> tuple[str, int, int, int, dict[str, int]]:
    transfer.refresh_from_db()
    return transfer.state, transfer.done, transfer.refused, transfer.failed, transfer.refusals


class Killed(BaseException):
    """What a worker gets that is killed: nothing in the product catches it."""


def killing_after(act: Any) -> Any:
    """Return what does the work of a chunk and is killed before its commit."""

    def killed(*args: Any) -> Any:
        act(*args)
        raise Killed

    return killed


# Chunk by chunk


def test_it_goes_chunk_by_chunk(ask, queue, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 2)
    transfer = ask(make_crowd(5, queue))
    assert [one_chunk(transfer) for _ in range(4)] == [2, 2, 1, 0]
    assert violations(transfer) == []


def test_counts_and_reasons_are_right_after_each_chunk(ask, queue, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 2)
    states = (State.INQUEUE, State.TERMINATED, State.TERMINATED, State.INQUEUE)
    transfer = ask([*(make_workitem(state, queue=queue) for state in states), "wi_none"])
    seen = []
    for _ in range(4):
        one_chunk(transfer)
        seen.append(counts(transfer))
    assert seen == [
        ("running", 1, 1, 0, {"state": 1}),
        ("running", 2, 2, 0, {"state": 2}),
        ("running", 2, 3, 0, {"state": 2, "not_found": 1}),
        ("done", 2, 3, 0, {"state": 2, "not_found": 1}),
    ]


def test_what_is_killed_before_its_commit_leaves_nothing(ask, queue):
    item = make_workitem(queue=queue)
    before, transfer = facts_of(item), ask([item])
    with pytest.raises(Killed):
        work_off(transfer, replace(TRANSFERS, act=killing_after(TRANSFERS.act)))
    assert facts_of(item) == before
    assert outcomes_of(transfer) == {item.workitem_id: "pending"}
    assert counts(transfer) == ("running", 0, 0, 0, {})


def test_what_a_killed_worker_had_taken_on_is_done_after_the_grace(ask, queue):
    transfer, clock = ask(make_crowd(3, queue)), Clock()
    with pytest.raises(Killed):
        work_off(transfer, replace(TRANSFERS, act=killing_after(TRANSFERS.act)), clock)
    clock.pass_seconds(GRACE - 1)
    assert one_chunk(transfer, clock=clock) == 0
    clock.pass_seconds(1)
    assert work_off(transfer, clock=clock) == 3
    assert violations(transfer) == []


def test_who_waits_for_a_chunk_of_somebody_else_stops_when_told(ask, queue):
    transfer, waits = ask(make_crowd(1, queue)), iter([False, False, True])
    runs._take(TRANSFERS, transfer.pk, LATER)
    assert runs.work_off(TRANSFERS, transfer.pk, clock=Clock(), seconds=60, stop=lambda: next(waits)) == 0


def test_a_doubled_message_finds_nothing_to_do(ask, queue):
    transfer = ask(make_crowd(3, queue))
    work_off(transfer)
    finished = Transfer.objects.get().finished_at
    assert work_off(transfer, clock=Clock(begin=LATER + timedelta(hours=1))) == 0
    assert violations(transfer) == []
    assert Transfer.objects.get().finished_at == finished


def test_a_chunk_costs_the_same_for_any_number_of_items(ask, queue, django_assert_max_num_queries):
    costs = []
    for count in (2, 30):
        transfer = ask(make_crowd(count, queue))
        with django_assert_max_num_queries(40) as asked:
            one_chunk(transfer)
        costs.append(len(asked.captured_queries))
    assert costs[0] == costs[1]


# Poison


def acting_on(poison: Workitem, problem: BaseException, calls: Counter[str]) -> Any:
    """Return a kind of run on which one workitem is poison; `calls` counts how often each is tried."""

    def act(run: Transfer, items: Sequence[TransferItem], now: Any) -> Outcome:
        calls.update(item.workitem_id for item in items)
        outcome = TRANSFERS.act(run, items, now)
        if any(item.workitem_id == poison.workitem_id for item in items):
            raise problem
        return outcome

    return replace(TRANSFERS, act=act)


def work_off_to_the_end(transfer: Transfer, kind: Any) -> None:
    """Work it off as workers do that are woken again and again, each after the grace."""
    clock = Clock()
    for _ in range(20):
        clock.pass_seconds(GRACE)
        with suppress(Killed, OperationalError, IntegrityError):
            one_chunk(transfer, kind, clock)
    transfer.refresh_from_db()


@pytest.mark.parametrize(
    ("problem", "place"),
    [
        (ValueError("too sour"), 500),
        (IntegrityError("too sour"), 0),
        (OperationalError("too slow"), 999),
        (Killed(), 0),
        (Killed(), 500),
        (Killed(), 999),
    ],
)
def test_a_poison_item_is_set_aside_after_five_attempts_and_stops_no_other(ask, queue, place, problem):
    crowd, calls = make_crowd(1000, queue), Counter()
    poison = crowd[place]
    before, transfer = facts_of(poison), ask(crowd)
    work_off_to_the_end(transfer, acting_on(poison, problem, calls))
    assert counts(transfer) == ("done", 999, 0, 1, {})
    assert calls[poison.workitem_id] == 5
    assert facts_of(poison) == before
    assert Workitem.objects.filter(queue=transfer.queue, version=2).count() == 999


def test_what_is_set_aside_says_why(ask, queue):
    crowd = make_crowd(3, queue)
    transfer = ask(crowd)
    work_off_to_the_end(transfer, acting_on(crowd[1], ValueError("too sour"), Counter()))
    item = transfer.items.get(outcome="failed")
    assert (item.workitem_id, item.attempts, item.error) == (crowd[1].workitem_id, 5, "ValueError: too sour")


def test_what_kills_its_workers_is_said_to_have_been_interrupted(ask, queue):
    crowd = make_crowd(3, queue)
    transfer = ask(crowd)
    work_off_to_the_end(transfer, acting_on(crowd[0], Killed(), Counter()))
    assert transfer.items.get(outcome="failed").error == "interrupted"


def test_a_poison_item_holds_up_no_other_chunk(ask, queue, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 10)
    crowd = make_crowd(30, queue)
    transfer = ask(crowd)
    kind, clock = acting_on(crowd[0], ValueError("too sour"), Counter()), Clock()
    assert [one_chunk(transfer, kind, clock) for _ in range(3)] == [9, 10, 10]


def test_a_database_that_is_gone_is_no_fault_of_the_items(ask, queue):
    transfer = ask(make_crowd(3, queue))

    def gone(*args: Any) -> Any:
        raise OperationalError("the connection is closed")

    with pytest.raises(OperationalError):
        one_chunk(transfer, replace(TRANSFERS, act=gone))
    assert set(transfer.items.values_list("outcome", "attempts")) == {("pending", 0)}


def test_what_was_set_aside_can_be_tried_again(ask, queue):
    crowd = make_crowd(20, queue)
    transfer = ask(crowd)
    work_off_to_the_end(transfer, acting_on(crowd[7], ValueError("too sour"), Counter()))
    assert runs.retry(TRANSFERS, transfer, now=LATER) == 1
    assert counts(transfer) == ("running", 19, 0, 0, {})
    assert work_off(transfer) == 1
    assert violations(transfer) == []


def test_where_nothing_was_set_aside_there_is_nothing_to_try_again(ask, queue):
    transfer = ask(make_crowd(2, queue))
    work_off(transfer)
    with pytest.raises(WrongRunState):
        runs.retry(TRANSFERS, transfer, now=LATER)
    assert violations(transfer) == []


def test_trying_again_takes_nothing_out_of_the_hands_of_others(ask, queue, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 10)
    crowd = make_crowd(30, queue)
    transfer, clock = ask(crowd), Clock()
    poisons = {crowd[0].workitem_id, crowd[29].workitem_id}
    held = [runs._take(TRANSFERS, transfer.pk, clock()) for _ in range(3)]
    TransferItem.objects.filter(workitem_id__in=poisons).update(outcome="failed", attempts=5)
    Transfer.objects.filter(pk=transfer.pk).update(failed=2)
    runs.retry(TRANSFERS, transfer, now=clock())
    fresh = transfer.chunks.exclude(pk__in=[chunk.pk for chunk in held])
    assert [chunk.last - chunk.first for chunk in fresh] == [0, 0]


def test_thousands_that_were_set_aside_are_tried_again_in_chunks(ask, queue, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 10)
    transfer = ask(make_crowd(25, queue))
    one_chunk(transfer)
    transfer.items.update(outcome="failed", attempts=5, version=None)
    last = transfer.items.order_by("pk").last()
    Transfer.objects.filter(pk=transfer.pk).update(done=0, failed=25, state="done", handed_out=last.pk)
    assert runs.retry(TRANSFERS, transfer, now=LATER) == 25
    assert transfer.chunks.count() == 3


# Pause, resume, cancel, start


def test_a_paused_run_stands_still_and_goes_on(ask, queue, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 2)
    transfer = ask(make_crowd(4, queue))
    one_chunk(transfer)
    runs.pause(TRANSFERS, transfer, now=LATER)
    assert (work_off(transfer), counts(transfer)) == (0, ("paused", 2, 0, 0, {}))
    runs.resume(TRANSFERS, transfer, now=LATER)
    assert work_off(transfer) == 2
    assert violations(transfer) == []


def test_a_run_that_has_not_begun_can_be_paused_too(ask, queue):
    transfer = ask(make_crowd(1, queue))
    runs.pause(TRANSFERS, transfer, now=LATER)
    assert work_off(transfer) == 0
    runs.resume(TRANSFERS, transfer, now=LATER)
    assert transfer.state == "pending"
    assert work_off(transfer) == 1


def test_a_cancelled_run_leaves_the_rest_as_it_is(ask, queue, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 2)
    crowd = make_crowd(4, queue)
    before, transfer = facts_of(crowd[3]), ask(crowd)
    one_chunk(transfer)
    runs.cancel(TRANSFERS, transfer, now=LATER)
    assert (work_off(transfer), counts(transfer)) == (0, ("cancelled", 2, 0, 0, {}))
    assert facts_of(crowd[3]) == before
    assert transfer.pending == 2


def test_a_chunk_in_flight_is_finished_when_its_run_is_cancelled(ask, queue):
    transfer = ask(make_crowd(3, queue))
    chunk = runs._take(TRANSFERS, transfer.pk, LATER)
    runs.cancel(TRANSFERS, transfer, now=LATER)
    assert runs._do(TRANSFERS, chunk, Clock()) == 3
    assert counts(transfer) == ("cancelled", 3, 0, 0, {})


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (runs.pause, "paused"),
        (runs.pause, "done"),
        (runs.resume, "running"),
        (runs.resume, "cancelled"),
        (runs.cancel, "done"),
        (runs.cancel, "cancelled"),
        (runs.retry, "cancelled"),
    ],
)
def test_what_cannot_be_done_from_a_state_is_refused_and_changes_nothing(ask, queue, change, state):
    transfer = ask(make_crowd(1, queue))
    Transfer.objects.filter(pk=transfer.pk).update(state=state)
    before = Transfer.objects.values().get()
    with pytest.raises(WrongRunState):
        change(TRANSFERS, transfer, now=LATER)
    assert Transfer.objects.values().get() == before


def test_a_run_does_not_begin_before_its_time(ask, queue):
    transfer = ask(make_crowd(1, queue))
    Transfer.objects.filter(pk=transfer.pk).update(start_at=LATER + timedelta(hours=1))
    assert work_off(transfer) == 0
    assert not runs.unfinished(TRANSFERS, LATER).exists()
    on_time = LATER + timedelta(hours=1)
    assert list(runs.unfinished(TRANSFERS, on_time)) == [transfer]
    assert work_off(transfer, clock=Clock(begin=on_time)) == 1


def test_a_run_that_nobody_drives_is_found(ask, queue):
    transfer = ask(make_crowd(1, queue))
    late = NOON + runs.UNMOVED_AFTER
    assert list(runs.unfinished(TRANSFERS, late)) == [transfer]
    assert not runs.unfinished(TRANSFERS, late - timedelta(seconds=1)).exists()


@pytest.mark.parametrize("state", ["paused", "done", "cancelled"])
def test_a_run_that_is_not_to_go_on_is_left_alone(ask, queue, state):
    ask(make_crowd(1, queue))
    Transfer.objects.update(state=state)
    assert not runs.unfinished(TRANSFERS, LATER + timedelta(days=1)).exists()


def test_a_run_whose_last_worker_died_after_its_last_chunk_is_closed(ask, queue):
    transfer = ask(make_crowd(1, queue))
    one_chunk(transfer)
    assert counts(transfer)[0] == "running"
    assert list(runs.unfinished(TRANSFERS, LATER + runs.UNMOVED_AFTER)) == [transfer]
    work_off(transfer)
    assert violations(transfer) == []


def test_progress_rate_and_remaining_time_can_be_read_at_any_moment():
    transfer = Transfer(total=1000, done=200, refused=40, failed=10, state="running", started_at=NOON)
    now = NOON + timedelta(seconds=50)
    assert (transfer.settled, transfer.pending) == (250, 750)
    assert (transfer.rate(now), transfer.remaining_seconds(now)) == (5.0, 150)


def test_pauses_do_not_count_as_work():
    transfer = Transfer(total=1000, done=250, state="paused", started_at=NOON, paused_at=NOON + timedelta(seconds=50))
    assert transfer.rate(NOON + timedelta(hours=1)) == 5.0
    transfer.paused_at, transfer.paused_seconds, transfer.state = None, 3550.0, "running"
    assert transfer.rate(NOON + timedelta(hours=1)) == 5.0


def test_the_rate_counts_the_time_that_a_run_was_paused(ask, queue, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 2)
    transfer = ask(make_crowd(4, queue))
    one_chunk(transfer)
    runs.pause(TRANSFERS, transfer, now=LATER + timedelta(seconds=1))
    runs.resume(TRANSFERS, transfer, now=LATER + timedelta(seconds=101))
    assert transfer.rate(LATER + timedelta(seconds=101)) == 2.0


@pytest.mark.parametrize(
    "facts", [{"state": "pending"}, {"state": "running", "started_at": NOON}, {"state": "done", "done": 5}]
)
def test_where_nothing_can_be_said_about_the_remaining_time_nothing_is_said(facts):
    assert Transfer(total=10, **facts).remaining_seconds(LATER) is None


# Messages


def test_a_lost_wake_up_is_made_up_for_by_the_beat(ask, queue, monkeypatch):
    transfer, woken = ask(make_crowd(1, queue)), []
    monkeypatch.setattr(tasks.run_transfer, "delay", lambda *, transfer_id: woken.append(transfer_id))
    assert tasks.drive_runs() == 1
    assert woken == [transfer.transfer_id]


def test_a_run_that_moves_is_left_alone_by_the_beat(ask, queue, monkeypatch):
    ask(make_crowd(1, queue))
    Transfer.objects.update(moved_at=timezone.now())
    monkeypatch.setattr(tasks.run_transfer, "delay", lambda **ids: pytest.fail("woken"))
    assert tasks.drive_runs() == 0


def test_a_broker_that_is_down_does_not_fail_the_request(ask, queue, monkeypatch, django_capture_on_commit_callbacks):
    def down(**ids: str) -> None:
        raise ConnectionError

    monkeypatch.setattr(tasks.run_transfer, "delay", down)
    transfer = ask(make_crowd(1, queue))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.wake_transfer(transfer)


def test_a_large_run_wakes_several_workers_and_a_small_one_wakes_one(
    ask, queue, monkeypatch, django_capture_on_commit_callbacks
):
    woken = []
    monkeypatch.setattr(tasks.run_transfer, "delay", lambda **ids: woken.append(ids))
    transfer = ask(make_crowd(1, queue))
    for total, messages in ((10, 1), (2_500, 3), (100_000, 4)):
        woken.clear()
        transfer.total = total
        with django_capture_on_commit_callbacks(execute=True):
            tasks.wake_transfer(transfer)
        assert len(woken) == messages


def test_a_stint_that_leaves_something_asks_for_another(ask, queue, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 2)
    monkeypatch.setattr(tasks, "STINT_SECONDS", 0)
    woken = []
    monkeypatch.setattr(tasks.run_transfer, "delay", lambda **ids: woken.append(ids))
    transfer = ask(make_crowd(3, queue))
    Transfer.objects.update(start_at=NOON)
    assert tasks.run_transfer(transfer_id=transfer.transfer_id) == 2
    assert woken == [{"transfer_id": transfer.transfer_id}]


# Stopped, overtaken, continued


def test_who_was_stopped_before_his_chunk_and_is_overtaken_does_nothing_more(ask, queue):
    transfer, clock = ask(make_crowd(3, queue)), Clock()
    stopped = runs._take(TRANSFERS, transfer.pk, clock())
    clock.pass_seconds(GRACE)
    assert work_off(transfer, clock=clock) == 3
    assert runs._do(TRANSFERS, stopped, clock) == 0
    assert violations(transfer) == []


def test_who_was_stopped_item_by_item_and_is_overtaken_does_nothing_more(ask, queue):
    transfer, clock = ask(make_crowd(3, queue)), Clock()
    stopped = runs._take(TRANSFERS, transfer.pk, clock())
    clock.pass_seconds(GRACE)
    assert work_off(transfer, clock=clock) == 3
    assert runs._do_one_by_one(TRANSFERS, stopped, clock) == 0
    assert violations(transfer) == []


class Stopper:
    """A kind of run whose first chunk stands still, done but not committed, until it is let go."""

    def __init__(self) -> None:
        self.stands, self.may_go = threading.Event(), threading.Event()
        self.backend = 0
        self.kind = replace(TRANSFERS, act=self.act)

    def act(self, run: Transfer, items: Sequence[TransferItem], now: Any) -> Outcome:
        outcome = TRANSFERS.act(run, items, now)
        if not self.stands.is_set():
            self.backend = connection.connection.info.backend_pid
            self.stands.set()
            assert self.may_go.wait(30)
        return outcome


def in_thread(work: Callable[[], Any]) -> Any:
    """Run work and give the thread's connection back."""
    try:
        return work()
    finally:
        connections["default"].close()


def make_big_transfer(count: int) -> Transfer:
    boss, source, target = make_user("boss"), make_queue("q_source"), make_queue("q_target")
    grant(boss, Scope.WRITE)
    return ask_for_transfer(make_crowd(count, source), target, boss)


@pytest.fixture
def stopper() -> Iterator[Stopper]:
    stopper = Stopper()
    yield stopper
    stopper.may_go.set()


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_others_finish_the_rest_while_one_stands_still_and_then_goes_on(stopper, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 10)
    transfer = make_big_transfer(50)
    late = Clock(begin=LATER + timedelta(minutes=5))
    with ThreadPoolExecutor(1) as pool:
        standing = pool.submit(in_thread, lambda: work_off(transfer, stopper.kind))
        assert stopper.stands.wait(30)
        assert work_off(transfer, clock=late, seconds=1) == 40
        assert counts(transfer)[:2] == ("running", 40)
        stopper.may_go.set()
        assert standing.result(30) == 10
    work_off(transfer, clock=late)
    assert violations(transfer) == []


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_the_chunk_of_one_whose_connection_was_cut_is_done_by_another(stopper, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 10)
    transfer = make_big_transfer(50)
    late = Clock(begin=LATER + timedelta(minutes=5))
    with ThreadPoolExecutor(1) as pool:
        standing = pool.submit(in_thread, lambda: work_off(transfer, stopper.kind))
        assert stopper.stands.wait(30)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [stopper.backend])
        assert work_off(transfer, clock=late) == 50
        stopper.may_go.set()
        with pytest.raises(OperationalError):
            standing.result(30)
    assert violations(transfer) == []


# Several at once, and what guards them, taken away


def work_at_once(transfer: Transfer, workers: int = 4) -> list[int]:
    """Let so many workers begin together, each late enough to think the others' chunks left over."""
    start = threading.Barrier(workers)

    def play(number: int) -> int:
        start.wait()
        clock = Clock(step_seconds=GRACE, begin=LATER + timedelta(hours=number))
        settled = 0
        with suppress(IntegrityError, OperationalError):
            settled = work_off(transfer, clock=clock, seconds=20)
        return settled

    with ThreadPoolExecutor(workers) as pool:
        settled = list(pool.map(lambda number: in_thread(lambda: play(number)), range(workers)))
    work_off(transfer, clock=Clock(begin=LATER + timedelta(days=1)))
    return settled


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_several_workers_share_a_run_and_double_nothing(monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 25)
    transfer = make_big_transfer(1000)
    settled = work_at_once(transfer)
    assert sum(settled) == 1000
    assert violations(transfer) == []


@pytest.fixture
def chunk_lock_off(monkeypatch):
    """Plant a fault: a chunk is done without its row being locked or asked for again."""

    def run_of(kind: Any, chunk: Any) -> Any:
        return kind.runs.objects.get(pk=chunk.run_id)

    monkeypatch.setattr(runs, "_locked", run_of)


@pytest.fixture
def filter_off(monkeypatch):
    """Plant a fault: a chunk's items are done whatever has become of them."""

    def all_of(kind: Any, chunk: Any) -> Any:
        return kind.items.objects.filter(run=chunk.run_id, pk__gte=chunk.first, pk__lte=chunk.last)

    monkeypatch.setattr(runs, "_pending", all_of)


def test_without_the_chunk_lock_and_the_filter_what_is_overtaken_is_counted_twice(
    ask, queue, chunk_lock_off, filter_off
):
    transfer, clock = ask(make_crowd(3, queue)), Clock()
    stopped = runs._take(TRANSFERS, transfer.pk, clock())
    clock.pass_seconds(GRACE)
    work_off(transfer, clock=clock)
    runs._do(TRANSFERS, stopped, clock)
    assert violations(transfer) == ["3 items without the outcome done", "3 counted wrongly"]


@pytest.fixture
def recheck_off(monkeypatch):
    """Plant a fault: what was read before the lock is believed, and the target's queue is not asked about."""

    def read(ids: Sequence[str], reads: Sequence[str] = ()) -> list[Workitem]:
        return list(Workitem.objects.filter(workitem_id__in=ids).prefetch_related("queue", "agent"))

    monkeypatch.setattr(services, "lock", read)
    monkeypatch.setattr("workitems.commands.TransferToQueue.check", lambda *args: None)


def test_without_lock_filter_and_recheck_what_is_overtaken_is_moved_twice(
    ask, queue, chunk_lock_off, filter_off, recheck_off
):
    transfer, clock = ask(make_crowd(3, queue)), Clock()
    stopped = runs._take(TRANSFERS, transfer.pk, clock())
    clock.pass_seconds(GRACE)
    work_off(transfer, clock=clock)
    runs._do(TRANSFERS, stopped, clock)
    assert "3 moved twice" in violations(transfer)


@pytest.fixture
def unique_off() -> Iterator[None]:
    """Plant a fault: history may tell a version twice."""
    from workitems.models import TimeEvent

    constraint = next(one for one in TimeEvent._meta.constraints if one.name == "time_event_once_per_version")
    with connection.schema_editor() as editor:
        editor.remove_constraint(TimeEvent, constraint)
    yield
    with connection.schema_editor() as editor:
        editor.execute("ALTER TABLE workitems_timeevent DISABLE TRIGGER USER")
        editor.execute("DELETE FROM workitems_timeevent")
        editor.execute("ALTER TABLE workitems_timeevent ENABLE TRIGGER USER")
        editor.add_constraint(TimeEvent, constraint)


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_without_locks_and_unique_version_histories_are_torn(
    chunk_lock_off, filter_off, recheck_off, unique_off, monkeypatch
):
    monkeypatch.setattr(runs, "CHUNK", 25)
    transfer = make_big_transfer(200)
    work_twice_at_once(transfer)
    assert [one for one in violations(transfer) if "history" in one]


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_without_locks_the_unique_version_still_keeps_histories_whole(
    chunk_lock_off, filter_off, recheck_off, monkeypatch
):
    monkeypatch.setattr(runs, "CHUNK", 25)
    transfer = make_big_transfer(200)
    work_twice_at_once(transfer)
    assert not [one for one in violations(transfer) if "history" in one]


def work_twice_at_once(transfer: Transfer) -> None:
    """Let two workers do the same chunks in step, as if a stopped one went on beside the one that overtook it."""
    chunks = []
    while chunk := services.in_transaction(partial(runs._take, TRANSFERS, transfer.pk, LATER)):
        chunks.append(chunk)
    start = threading.Barrier(2)
    read = services.lock

    def lock_in_step(ids: Sequence[str], reads: Sequence[str] = ()) -> list[Workitem]:
        found = read(ids)
        with suppress(threading.BrokenBarrierError):
            start.wait(5)
        return found

    def play(_number: int) -> None:
        for chunk in chunks:
            with suppress(IntegrityError):
                runs._do(TRANSFERS, replace_row(chunk), Clock())

    services.lock, restored = lock_in_step, services.lock
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda number: in_thread(lambda: play(number)), range(2)))
    finally:
        services.lock = restored


def replace_row(chunk: Any) -> Any:
    """Return the same row as another object: each worker has its own."""
    return type(chunk)(**{field.attname: getattr(chunk, field.attname) for field in chunk._meta.concrete_fields})
