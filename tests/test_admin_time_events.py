"""The history of all workitems in the back office: to look at and to search, and never to change."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.builders import NOON, make_user, make_workitem
from tests.doors import browser
from workitems import services
from workitems.actors import Actor
from workitems.choices import Door, Scope
from workitems.commands import TransferToQueue
from workitems.groups import grant
from workitems.models import TimeEvent

LIST = "/admin/workitems/timeevent/"


@pytest.fixture
def items(queue, sales, sue):
    """One workitem in each queue, each with two events."""
    made = [make_workitem(queue=queue, workitem_id="wi_here"), make_workitem(queue=sales, workitem_id="wi_there")]
    for item in made:
        TimeEvent.objects.create(
            workitem=item, version=2, type="note", timestamp=NOON, actor="sue", user=sue, door="api",
            details={"text": "<b>bold</b>"},
        )  # fmt: skip
    return made


def shown(user, **query):
    answer = browser(user).get(LIST, query)
    assert answer.status_code == 200
    return [(event.workitem.workitem_id, event.version) for event in answer.context["cl"].result_list]


def test_an_earlier_queue_is_named_only_to_who_may_know_its_name(queue, sales, sue):
    item = make_workitem(queue=queue, workitem_id="wi_moved")
    services.execute(TransferToQueue(sales), "wi_moved", actor=Actor.of(sue, Door.PAGE), now=NOON)
    one = make_user("one", is_staff=True)
    grant(one, Scope.WRITE, sales)
    created, moved = TimeEvent.objects.filter(workitem=item).order_by("version")
    for page in (f"{LIST}?q=wi_moved", f"{LIST}{created.pk}/change/", f"{LIST}{moved.pk}/change/"):
        assert "another queue" in browser(one).get(page).content.decode()
        assert queue.name not in browser(one).get(page).content.decode()
        assert queue.queue_id not in browser(one).get(page).content.decode()
        assert {queue.name, queue.queue_id} & set(re.split(r"[^\w]+", browser(sue).get(page).content.decode()))


def test_the_newest_comes_first(tom, items):
    assert shown(tom) == [("wi_there", 2), ("wi_here", 2), ("wi_there", 1), ("wi_here", 1)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "wi_here"}, [("wi_here", 2), ("wi_here", 1)]),
        ({"q": "sue"}, [("wi_there", 2), ("wi_here", 2)]),
        ({"q": "wi_her"}, []),
        ({"event": "created"}, [("wi_there", 1), ("wi_here", 1)]),
        ({"door": "api"}, [("wi_there", 2), ("wi_here", 2)]),
        ({"q": "wi_here", "event": "created"}, [("wi_here", 1)]),
        ({"q": "builder", "door": "api"}, []),
    ],
)
def test_it_is_searched_by_workitem_actor_event_and_door(query, found, tom, items):
    assert shown(tom, **query) == found


def test_only_the_latest_are_looked_through(tom, items, monkeypatch):
    monkeypatch.setattr("workitems.admin.time_events.WINDOW", 1)
    assert shown(tom, q="sue") == [("wi_there", 2)]
    assert shown(tom, q="wi_here") == [("wi_here", 2), ("wi_here", 1)]


def test_whoever_sees_a_part_names_a_workitem(queue, items):
    user = make_user(is_staff=True)
    grant(user, Scope.READ, queue)
    assert shown(user) == []
    assert shown(user, q="sue") == []
    assert shown(user, event="created") == []
    assert shown(user, q="wi_there") == []
    assert shown(user, q="wi_here") == [("wi_here", 2), ("wi_here", 1)]


def test_an_event_is_shown_to_those_who_see_its_workitem(queue, items):
    user = make_user(is_staff=True)
    grant(user, Scope.READ, queue)
    here, there = (item.time_events.get(version=2) for item in items)
    page = browser(user).get(f"{LIST}{here.pk}/change/")
    assert "&lt;b&gt;bold&lt;/b&gt;" in page.content.decode()
    assert browser(user).get(f"{LIST}{there.pk}/change/").status_code == 404


def test_without_any_scope_it_is_closed(eve, items):
    assert browser(eve).get(LIST).status_code == 403


@pytest.mark.parametrize("path", ["add/", "{pk}/change/", "{pk}/delete/"])
def test_nobody_changes_history(path, amy, items):
    pk = TimeEvent.objects.latest("pk").pk
    assert browser(amy).post(LIST + path.format(pk=pk), {"actor": "x", "post": "yes"}).status_code == 403
    assert TimeEvent.objects.filter(actor="x").count() == 0
    assert TimeEvent.objects.count() == 4


@pytest.mark.parametrize("query", ["", "?q=wi_here", "?event=created&door=job&q=builder", "?p=2"])
def test_a_page_costs_the_same_for_any_number_of_rows(query, tom, items, django_assert_max_num_queries):
    TimeEvent.objects.bulk_create(
        TimeEvent(workitem=items[0], version=number, type="note", timestamp=NOON, actor="x", door="api", user=tom)
        for number in range(3, 60)
    )
    client = browser(tom)
    client.get(LIST)
    with django_assert_max_num_queries(12):
        assert client.get(LIST + query).status_code == 200


def test_nothing_is_counted_beyond_what_is_paged(tom, items):
    with CaptureQueriesContext(connection) as asked:
        browser(tom).get(LIST)
    counts = [one["sql"] for one in asked if "COUNT(" in (one["sql"] or "") and "timeevent" in one["sql"]]
    assert counts
    assert all("LIMIT 1001)" in sql for sql in counts)
