"""Four doors, one rule: the effect with one event by the right actor, or a refusal that changes nothing."""

from __future__ import annotations

import pytest

from tests.builders import facts_of, last_event, make_workitem
from tests.doors import DOORS
from workitems.choices import Event, State


@pytest.fixture(params=list(DOORS), ids=[door.value for door in DOORS])
def door(request):
    return request.param


def test_every_door_leads_to_the_effect_with_one_event_by_the_right_actor(door, sue, queue, sales):
    item = make_workitem(queue=queue)
    DOORS[door](sue, item, sales)
    after = facts_of(item)
    assert (after["queue_id"], after["version"], after["events"]) == (sales.pk, 2, 2)
    event = last_event(item)
    assert (event.type, event.actor, event.user, event.door) == (Event.TRANSFERRED, "sue", sue, door)


@pytest.mark.parametrize("person", ["eve", "tom"])
def test_no_door_opens_without_the_scope(person, door, request, queue, sales):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    DOORS[door](request.getfixturevalue(person), item, sales)
    assert facts_of(item) == before


def test_no_door_opens_for_the_inactive(door, sue, queue, sales):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    sue.is_active = False
    sue.save()
    DOORS[door](sue, item, sales)
    assert facts_of(item) == before


def test_no_door_opens_in_the_wrong_state(door, sue, queue, sales):
    item = make_workitem(State.TERMINATED, queue=queue)
    before = facts_of(item)
    DOORS[door](sue, item, sales)
    assert facts_of(item) == before


def test_no_door_opens_into_a_closed_queue(door, sue, queue, sales):
    sales.is_open = False
    sales.save()
    item = make_workitem(queue=queue)
    before = facts_of(item)
    DOORS[door](sue, item, sales)
    assert facts_of(item) == before
