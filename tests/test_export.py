"""Exports: all that matches, streamed, without formulas."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.test import Client

from tests.builders import make_contact, make_workitem
from tests.doors import bearer
from workitems.cells import line, safe
from workitems.choices import State
from workitems.models import Workitem


@pytest.fixture
def api(sue) -> Client:
    return Client(headers=bearer(sue))


def export(client, kind, query="", path="/api/v1/workitems"):
    answer = client.get(f"{path}{query}", headers={"Accept": kind})
    assert answer.streaming
    return b"".join(answer.streaming_content).decode()


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("path", ["/api/v1/workitems", "/data/api/types/workitem"])
def test_all_that_matches_comes_as_one_object_a_line(path, api, queue, monkeypatch):
    monkeypatch.setattr("workitems.api.listing.EXPORT_CHUNK", 2)
    items = [make_workitem(queue=queue) for _ in range(5)]
    make_workitem(State.TERMINATED, queue=queue)
    lines = [json.loads(line) for line in export(api, "application/x-ndjson", "?state=inqueue", path).splitlines()]
    assert [one["workitemId"] for one in lines] == [item.workitem_id for item in reversed(items)]
    assert lines[0] == api.get(f"/api/v1/workitems/{lines[0]['workitemId']}").json()


def test_a_table_has_the_wire_names_as_its_header(api, queue):
    make_workitem(queue=queue, contact=make_contact("Ada"), data={"a": 1})
    row = rows_of(export(api, "text/csv"))[0]
    assert (row["state"], row["selectedQueue"], row["contactName"], row["data"]) == (
        "inqueue",
        "q_support",
        "Ada",
        '{"a": 1}',
    )
    assert not {"contact", "timeEvents", "actions"} & set(row)


def test_a_table_has_the_fields_asked_for(api, queue):
    make_workitem(queue=queue, workitem_id="wi_1")
    assert export(api, "text/csv", "?fields=workitemId,state") == "workitemId,state\r\nwi_1,inqueue\r\n"


HOSTILE = [
    "=1+1",
    "+1+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "  =1",
    '=HYPERLINK("x")',
    "+cmd|' /C calc'!A0",
    "＝1",
    "＋1",
    "－1",
    "＠A1",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula(text, api, queue):
    make_workitem(queue=queue, name=text)
    cell = rows_of(export(api, "text/csv"))[0]["name"]
    assert cell == f"'{text}"


@pytest.mark.parametrize("number", ["+12025550123", "+4930123456"])
def test_phone_numbers_stay_as_they_are(number, api, queue):
    make_workitem(queue=queue, from_address=number)
    assert rows_of(export(api, "text/csv"))[0]["from"] == number


def test_what_is_not_known_is_an_empty_cell():
    assert line([None, "x"]) == ",x\r\n"


@pytest.mark.parametrize("text", ["Parcel", "1+1", "a=b", "", "'quoted", "Zürich"])
def test_what_is_harmless_stays_as_it_is(text):
    assert safe(text) == text


def test_an_export_shows_nothing_that_the_caller_may_not_see(eve, queue):
    make_workitem(queue=queue)
    assert export(Client(headers=bearer(eve)), "application/x-ndjson") == ""


def test_a_wrong_search_is_told_in_json_before_anything_is_sent(api):
    answer = api.get("/api/v1/workitems?q=nope:1", headers={"Accept": "text/csv"})
    assert (answer.status_code, answer["Content-Type"], answer.json()["code"]) == (400, "application/json", "search")


def test_an_export_costs_three_queries_a_chunk(api, queue, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr("workitems.api.listing.EXPORT_CHUNK", 10)
    for _ in range(20):
        make_workitem(queue=queue)
    with django_assert_num_queries(2 + 2 * 3 + 1 + 1):  # rights; two chunks; an empty one; the count here
        assert len(export(api, "application/x-ndjson").splitlines()) == Workitem.objects.count()
