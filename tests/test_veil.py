"""History that goes out as data tells of no queue that its reader may not know."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from tests.builders import NOON, make_user, make_workitem
from tests.doors import bearer, browser
from workitems import services
from workitems.actors import Actor
from workitems.choices import Door, Scope
from workitems.commands import TransferToAgent, TransferToQueue, UndoTransfer
from workitems.groups import grant, grant_transfer_in
from workitems.models import Workitem

ONE = "/api/v1/workitems/wi_moved"


@pytest.fixture
def moved(queue, sales, sue, ann) -> Workitem:
    """A workitem in sales that came from support, went back, and came again."""
    item = make_workitem(queue=queue, workitem_id="wi_moved")
    sales.members.add(ann)
    for command in (TransferToQueue(sales), UndoTransfer(), TransferToQueue(sales), TransferToAgent(ann)):
        services.execute(command, "wi_moved", actor=Actor.of(sue, Door.API), now=NOON)
    return item


@pytest.fixture
def one(sales):
    """A supervisor of sales alone."""
    user = make_user("one", is_staff=True)
    grant(user, Scope.WRITE, sales)
    return user


def asked_by(user, path, accept="*/*") -> str:
    client = browser(user) if path.startswith("/admin/") else Client(headers=bearer(user))
    answer = client.get(path, headers={"Accept": accept})
    assert answer.status_code == 200
    return answer.getvalue().decode()


@pytest.mark.parametrize(
    "path",
    [
        ONE, f"{ONE}/timeline", "/api/v1/workitems", "/data/api/types/workitem/wi_moved",
        "/admin/workitems/workitem/{pk}/change/?tab=raw",
    ],
)  # fmt: skip
def test_a_queue_is_named_only_to_who_may_know_it(path, moved, one, sue, queue):
    path = path.format(pk=moved.pk)
    assert "q_support" in asked_by(sue, path)
    assert "wi_moved" in asked_by(one, path) or path.endswith("/timeline")
    assert "q_support" not in asked_by(one, path)
    grant_transfer_in(one, queue)
    assert "q_support" in asked_by(one, path)


def test_neither_does_a_file_name_it(moved, one, sue):
    path, lines = "/api/v1/workitems", "application/x-ndjson"
    assert "q_support" in asked_by(sue, path, lines)
    assert "wi_moved" in asked_by(one, path, lines)
    assert "q_support" not in asked_by(one, path, lines)


def test_the_rest_of_the_history_is_told(moved, one):
    events = json.loads(asked_by(one, f"{ONE}/timeline"))["timeEvents"]
    assert [(event["type"], event["queueId"]) for event in events] == [
        ("created", ""), ("transferred", "q_sales"), ("transferUndone", ""), ("transferred", "q_sales"),
        ("transferred", "q_sales"),
    ]  # fmt: skip
    moves = [(event["details"]["from"], event["details"].get("to")) for event in events[1:]]
    assert moves == [("", "q_sales"), ("q_sales", ""), ("", "q_sales"), ("", None)]
    assert [event["details"]["before"]["queueId"] for event in events if event["type"] == "transferred"] == [
        "", "", "q_sales",
    ]  # fmt: skip
    assert events[4]["details"]["agent"] == "ann"


def test_what_is_kept_for_an_undo_stays_as_it_was(moved, one):
    before = list(moved.time_events.order_by("version").values_list("details", flat=True))
    asked_by(one, ONE)
    assert list(moved.time_events.order_by("version").values_list("details", flat=True)) == before


def test_a_list_of_items_that_never_moved_costs_nothing_more(sales, one, django_assert_num_queries):
    client = Client(headers=bearer(one))
    make_workitem(queue=sales)
    with django_assert_num_queries(6):
        client.get("/api/v1/workitems")
