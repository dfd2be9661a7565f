"""Sixteen clients write to SQLite at once, and none of them hears that the database is locked."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from tests.builders import LATER, make_queue, make_user, make_workitem
from workitems import commands, services
from workitems.actors import Actor
from workitems.choices import Door, Event, Scope
from workitems.errors import WorkitemError
from workitems.groups import grant
from workitems.models import TimeEvent, Workitem

CLIENTS, ITEMS = 16, 25

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the promise is about SQLite"),
]


def everybody_writes() -> tuple[int, list[Exception]]:
    """Let every client change all items, once each; return how many changes were made, and the errors."""
    user, queue = make_user("sue"), make_queue("q_one")
    grant(user, Scope.WRITE)
    actor = Actor.of(user, Door.API)
    ids = [make_workitem(queue=queue).workitem_id for _ in range(ITEMS)]
    start, errors = threading.Barrier(CLIENTS), []

    def client(number: int) -> int:
        done = 0
        start.wait()
        try:
            for item_id in ids:
                try:
                    services.execute(commands.AddNote(f"client {number}"), item_id, actor=actor, now=LATER)
                    done += 1
                except WorkitemError as error:
                    errors.append(error)
        except Exception as error:  # noqa: BLE001  whatever a client would be shown
            errors.append(error)
        finally:
            connections["default"].close()
        return done

    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(client, range(CLIENTS))), errors


def test_sixteen_writers_are_all_served():
    done, errors = everybody_writes()
    assert (done, errors) == (CLIENTS * ITEMS, [])
    assert set(Workitem.objects.values_list("version", flat=True)) == {CLIENTS + 1}
    assert TimeEvent.objects.filter(type=Event.NOTED).count() == CLIENTS * ITEMS


def test_without_the_early_write_lock_some_are_turned_away(settings):
    settings_of = connections["default"].settings_dict["OPTIONS"]
    before = settings_of["transaction_mode"]
    connections["default"].close()
    settings_of["transaction_mode"] = "DEFERRED"
    try:
        _done, errors = everybody_writes()
    finally:
        settings_of["transaction_mode"] = before
        connections["default"].close()
    assert errors
