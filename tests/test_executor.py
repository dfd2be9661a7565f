"""One and many go the same way: locked, decided row by row, written set-based, all in one transaction."""

from __future__ import annotations

import psycopg.errors
import pytest
from django.db import OperationalError

from tests.builders import LATER, NOON, facts_of, last_event, make_queue, make_workitem
from workitems import commands, errors, services, sets
from workitems.choices import EndedBy, Event, State
from workitems.models import TimeEvent, Workitem
from workitems.outcomes import History


def test_many_are_moved_and_the_refused_are_named(supervisor, queue, sales, ann):
    waiting = [make_workitem(queue=queue) for _ in range(3)]
    ended = make_workitem(State.TERMINATED, queue=queue)
    there = make_workitem(queue=sales)
    ids = [item.workitem_id for item in [*waiting, ended, there]]
    before = facts_of(ended), facts_of(there)
    outcome = services.execute_many(commands.TransferToQueue(sales), [*ids, "wi_none"], actor=supervisor, now=LATER)
    assert list(outcome.done) == ids[:3]
    assert {one: refusal.code for one, refusal in outcome.refused.items()} == {
        ids[3]: "state",
        ids[4]: "already_in_queue",
        "wi_none": "not_found",
    }
    assert (facts_of(ended), facts_of(there)) == before
    assert Workitem.objects.filter(queue=sales, queued_at=LATER, version=2).count() == 3
    assert TimeEvent.objects.filter(type=Event.TRANSFERRED, version=2).count() == 3


def test_one_row_more_costs_no_query_more(supervisor, queue, sales, django_assert_num_queries):
    ids = [make_workitem(queue=queue).workitem_id for _ in range(40)]
    # savepoint, target queue and its channels, lock, queues, update, events, stays, release
    for count in (2, 30):
        with django_assert_num_queries(9):
            services.execute_many(commands.TransferToQueue(sales), ids[:count], actor=supervisor, now=LATER)
        ids = ids[count:]


def test_rows_that_change_differently_are_each_written_right(supervisor, queue):
    low, high = make_workitem(queue=queue, priority=1), make_workitem(queue=queue, priority=4)
    services.execute_many(commands.SetPriority(5), [low.workitem_id, high.workitem_id], actor=supervisor, now=LATER)
    assert [last_event(item).details["old"] for item in (low, high)] == [1, 4]


def test_an_id_given_twice_is_done_once(supervisor, queue):
    item = make_workitem(queue=queue)
    outcome = services.execute_many(commands.HangUp(), [item.workitem_id] * 2, actor=supervisor, now=LATER)
    assert list(outcome.done) == [item.workitem_id]
    assert facts_of(item)["events"] == 2


def test_nothing_to_do_is_told_apart_from_done(supervisor, queue, ann):
    held = make_workitem(State.HOLD, queue=queue, agent=ann)
    active = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    outcome = services.execute_many(
        commands.Hold(), [held.workitem_id, active.workitem_id], actor=supervisor, now=LATER
    )
    assert set(outcome.done) == {held.workitem_id, active.workitem_id}
    assert outcome.unchanged == {held.workitem_id}


def test_a_version_that_has_passed_is_refused(supervisor, queue):
    item = make_workitem(queue=queue, version=3)
    before = facts_of(item)
    with pytest.raises(errors.StaleVersion) as caught:
        services.execute(commands.HangUp(), item.workitem_id, actor=supervisor, now=LATER, if_version=2)
    assert caught.value.facts == {"expected": 2, "current": 3}
    assert facts_of(item) == before


def test_the_version_that_is_current_is_accepted(supervisor, queue):
    item = make_workitem(queue=queue)
    item = services.execute(commands.HangUp(), item.workitem_id, actor=supervisor, now=LATER, if_version=1)
    assert item.version == 2


def test_what_is_returned_is_what_was_written(supervisor, queue, sales, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann, data={"a": 1})
    returned = services.execute(commands.TransferToQueue(sales), item.workitem_id, actor=supervisor, now=LATER)
    stored = Workitem.objects.get(pk=item.pk)
    for name in (*services.FACTS, "version"):
        assert getattr(returned, name) == getattr(stored, name), name


def test_when_history_cannot_be_written_nothing_is(supervisor, queue, monkeypatch):
    item = make_workitem(queue=queue)
    before = facts_of(item)

    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(sets, "insert", fail)
    with pytest.raises(RuntimeError):
        services.execute(commands.HangUp(), item.workitem_id, actor=supervisor, now=LATER)
    assert facts_of(item) == before


@pytest.mark.django_db(transaction=True)
def test_the_loser_of_a_deadlock_tries_again():
    tries = []

    def work():
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError from psycopg.errors.DeadlockDetected()
        return "done"

    assert services.in_transaction(work) == "done"
    assert len(tries) == 3


@pytest.mark.django_db(transaction=True)
def test_after_three_lost_races_it_gives_up():
    def work():
        raise OperationalError from psycopg.errors.DeadlockDetected()

    with pytest.raises(OperationalError):
        services.in_transaction(work)


@pytest.mark.django_db(transaction=True)
def test_another_database_error_is_not_tried_again():
    tries = []

    def work():
        tries.append(1)
        raise OperationalError

    with pytest.raises(OperationalError):
        services.in_transaction(work)
    assert len(tries) == 1


def test_recording_a_history_needs_the_admin_scope(supervisor, queue):
    history = History(
        Workitem(
            type="Chat",
            channel_type="chat",
            state="terminated",
            current_state_name="terminated",
            ended_by=EndedBy.SYSTEM,
            created_at=NOON,
            modified_at=NOON,
            state_changed_at=NOON,
            active_at=NOON,
            terminated_at=NOON,
            queue=queue,
        ),
        [TimeEvent(type=Event.CREATED, timestamp=NOON, actor="x")],
    )
    with pytest.raises(errors.MissingScope):
        services.record([history], actor=supervisor)
    assert not Workitem.objects.exists()


def test_a_chunk_is_bounded(supervisor, monkeypatch, sales):
    monkeypatch.setattr(services, "CHUNK", 2)
    source = make_queue("q_source")
    ids = [make_workitem(queue=source).workitem_id for _ in range(5)]
    outcome = services.execute_many(commands.TransferToQueue(sales), ids, actor=supervisor, now=LATER)
    assert list(outcome.done) == ids
