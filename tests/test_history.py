"""History stays as it was written, whoever tries and by whatever way."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import ProtectedError

from tests.builders import NOON, facts_of, make_workitem
from workitems.choices import Door, State
from workitems.models import TimeEvent, Workitem


@pytest.fixture
def event(queue):
    return TimeEvent.objects.get(workitem=make_workitem(queue=queue))


def by_sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda event: TimeEvent.objects.filter(pk=event.pk).update(type="other"),
        lambda event: setattr(event, "actor", "other") or event.save(),
        lambda event: event.delete(),
        lambda event: TimeEvent.objects.all().delete(),
        lambda event: TimeEvent.objects.all()._raw_delete("default"),
        lambda event: by_sql("UPDATE workitems_timeevent SET actor = 'other' WHERE id = %s", event.pk),
        lambda event: by_sql("DELETE FROM workitems_timeevent WHERE id = %s", event.pk),
        lambda event: by_sql("DELETE FROM workitems_workitem WHERE id = %s", event.workitem_id),
        lambda event: by_sql(
            "TRUNCATE workitems_timeevent"
            if connection.vendor == "postgresql"
            else "INSERT OR REPLACE INTO workitems_timeevent SELECT * FROM workitems_timeevent"
        ),
    ],
)
def test_an_event_is_neither_changed_nor_deleted(attempt, event):
    before = TimeEvent.objects.values().get(pk=event.pk)
    with pytest.raises(DatabaseError), transaction.atomic():
        attempt(event)
    assert TimeEvent.objects.values().get(pk=event.pk) == before


def test_a_workitem_with_history_is_not_deleted_by_the_orm(event):
    with pytest.raises(ProtectedError):
        event.workitem.delete()
    assert Workitem.objects.filter(pk=event.workitem_id).exists()


def test_a_version_is_told_once(event):
    with pytest.raises(IntegrityError), transaction.atomic():
        TimeEvent.objects.create(workitem=event.workitem, version=1, type="x", timestamp=NOON, actor="x", door=Door.JOB)


BROKEN = [
    ("state", "waiting"),
    ("priority", 6),
    ("channel_type", "email"),
    ("terminated_at", NOON),
    ("ended_by", "agent"),
    ("dispositioned_at", NOON),
    ("offer_expires_at", NOON),
    ("queue", None),
    ("queued_at", None),
    ("archived_at", NOON),
    ("state", "active"),
]


@pytest.mark.parametrize(("name", "value"), BROKEN)
def test_the_database_refuses_facts_that_contradict_each_other(name, value, queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    with pytest.raises(IntegrityError), transaction.atomic():
        Workitem.objects.filter(pk=item.pk).update(**{name: value})
    assert facts_of(item) == before


def test_the_database_refuses_an_agent_on_what_waits_in_a_queue(queue, ann):
    item = make_workitem(queue=queue)
    with pytest.raises(IntegrityError), transaction.atomic():
        Workitem.objects.filter(pk=item.pk).update(agent=ann)


def test_the_database_refuses_a_disposition_before_the_end(queue, ann):
    from tests.builders import make_disposition

    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    with pytest.raises(IntegrityError), transaction.atomic():
        Workitem.objects.filter(pk=item.pk).update(disposition=make_disposition())


@pytest.mark.parametrize(
    "name",
    [
        "workitem_newest",
        "workitem_state_newest",
        "workitem_in_line",
        "workitem_standing",
        "workitem_offer_deadline",
        "workitem_of_agent",
        "workitem_queue_newest",
        "time_event_timeline",
        "transfer_item_in_order",
        "transfer_unfinished",
        "transfer_of_person",
        "policy_run_item_in_order",
        "policy_run_unfinished",
        "policy_run_alert",
    ],
)
@pytest.mark.django_db
def test_the_named_indexes_exist(name):
    with connection.cursor() as cursor:
        tables = [one for one in connection.introspection.table_names(cursor) if one.startswith("workitems_")]
        found = {one for table in tables for one in connection.introspection.get_constraints(cursor, table)}
    assert name in found
