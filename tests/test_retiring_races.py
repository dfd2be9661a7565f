"""Nothing comes into a queue that is retired meanwhile, and nothing is brought back into one.

The race is on PostgreSQL, where transactions really overlap; SQLite lets one writer in at a time.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections

from queues.models import Queue
from tests.builders import LATER, NOON, facts_of, make_queue, make_workitem
from tests.doors import personal
from workitems import commands, directory, retiring, services
from workitems.actors import Actor
from workitems.choices import Door, EndedBy, Scope, State, Type
from workitems.errors import InvalidValue, QueueClosed, QueueHasWork
from workitems.models import Workitem

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="transactions overlap on PostgreSQL only")
SYSTEM = Actor.job("test", Scope.ADMIN)


def in_thread(work: Any) -> Any:
    try:
        return work()
    finally:
        connections["default"].close()


@on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["created", "transferred"])
def test_what_arrives_while_a_queue_is_retired_keeps_it_in_use(how, monkeypatch):
    here, there = make_queue("q_here"), make_queue("q_there")
    item = make_workitem(queue=there)
    checked, go_on = threading.Event(), threading.Event()

    def pause(queue: Queue, channel: str) -> None:
        checked.set()
        go_on.wait(10)

    module = commands.creating if how == "created" else commands.moving
    monkeypatch.setattr(module, "check_takes", pause)

    def arrive() -> None:
        if how == "created":
            services.create(commands.Create(type=Type.CHAT, queue=here), actor=SYSTEM, now=LATER)
        else:
            services.execute(commands.TransferToQueue(here), item.workitem_id, actor=SYSTEM, now=LATER)

    with ThreadPoolExecutor(2) as pool:
        arriving = pool.submit(in_thread, arrive)
        assert checked.wait(10)
        retired = pool.submit(in_thread, lambda: retiring.retire(here, actor=SYSTEM, now=LATER))
        with pytest.raises(TimeoutError):
            retired.result(timeout=1)  # it waits for what is on its way
        go_on.set()
        arriving.result()
        with pytest.raises(QueueHasWork):
            retired.result()
    assert not Queue.objects.get(pk=here.pk).is_retired
    assert Workitem.objects.filter(queue=here).count() == 1


@pytest.fixture
def old(db) -> Queue:
    return make_queue("q_old", name="Old", is_open=False, retired_at=NOON)


def test_nothing_is_reopened_into_a_retired_queue(old, amy):
    item = make_workitem(State.TERMINATED, queue=old, ended_by=EndedBy.POLICY)
    before = facts_of(item)
    with pytest.raises(QueueClosed):
        services.execute(commands.Reopen(), item.workitem_id, actor=Actor.of(amy, Door.API), now=LATER)
    assert facts_of(item) == before


def test_no_transfer_is_undone_into_a_retired_queue(queue, sales, amy):
    actor = Actor.of(amy, Door.API)
    item = make_workitem(queue=queue)
    services.execute(commands.TransferToQueue(sales), item.workitem_id, actor=actor, now=LATER)
    retiring.retire(queue, actor=actor, now=LATER)
    before = facts_of(item)
    with pytest.raises(QueueClosed):
        services.execute(commands.UndoTransfer(), item.workitem_id, actor=actor, now=LATER)
    assert facts_of(item) == before


def test_what_has_no_queue_falls_back_to_none_that_is_retired(old, amy, ann, ben):
    actor = Actor.of(amy, Door.API)
    old.members.add(ben)
    item = make_workitem(State.ACTIVE, queue=None, agent=ann, type=Type.OUTBOUND_CALL)
    before = facts_of(item)
    with pytest.raises(commands.moving.AgentUnavailable):
        services.execute(commands.TransferToAgent(ben), item.workitem_id, actor=actor, now=LATER)
    assert facts_of(item) == before


def test_no_program_opens_a_retired_queue(old, amy, client):
    with pytest.raises(InvalidValue):
        directory.QUEUE.change("q_old", {"isOpen": True}, actor=Actor.of(amy, Door.API), now=LATER)
    assert not Queue.objects.get().is_open
    answer = client.get("/api/v1/queues/q_old", headers=personal(amy))
    assert (answer.status_code, answer.json()["isOpen"]) == (200, False)
