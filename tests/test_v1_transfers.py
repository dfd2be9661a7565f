"""Bulk transfers by REST: previewed, asked for, followed, stopped, taken back, and their receipts."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from jsonschema import Draft202012Validator

from queues.models import Queue
from tests.builders import NOON, facts_of, make_queue, make_user, make_workitem
from tests.crowds import make_crowd
from tests.doors import bearer, personal
from workitems import services, tasks
from workitems.api.views.document import document
from workitems.choices import Scope, State
from workitems.groups import grant, grant_transfer_in
from workitems.models import Transfer, TransferItem, Workitem

JSON = "application/json"
TRANSFERS = "/api/v1/transfers"
NOON_MS = 1772452800000


@pytest.fixture
def api(sue) -> Client:
    return Client(headers=bearer(sue))


@pytest.fixture
def three(queue) -> list[Workitem]:
    return [make_workitem(queue=queue, workitem_id=f"wi_{n}") for n in (1, 2, 3)]


@pytest.fixture
def woken(monkeypatch) -> list[str]:
    """What workers are told of."""
    told: list[str] = []
    monkeypatch.setattr(tasks, "wake_transfer", lambda transfer: told.append(transfer.transfer_id))
    return told


def post(client, path, body=None, **headers):
    return client.post(path, {} if body is None else body, content_type=JSON, headers=headers)


def ask(client, *ids, **more):
    return post(client, TRANSFERS, {"workitemIds": list(ids), "selectedQueue": "q_sales", **more})


def preview(client, *ids, **more):
    body = {"workitemIds": list(ids), "selectedQueue": "q_sales", **more}
    return post(client, f"{TRANSFERS}?dryRun=true", body)


def moved(client, *ids, **more) -> str:
    """Return the id of a transfer that is done."""
    transfer_id = ask(client, *ids, **more).json()["transferId"]
    tasks.run_transfer(transfer_id=transfer_id)
    return transfer_id


def milliseconds(at) -> int:
    return int(at.timestamp() * 1000)


# Preview


def test_a_preview_counts_what_would_move_and_what_not_and_writes_nothing(api, queue, sales, three):
    make_workitem(State.TERMINATED, queue=queue, workitem_id="wi_4")
    make_workitem(queue=sales, workitem_id="wi_5")
    before = [facts_of(item) for item in three]
    answer = preview(api, "wi_1", "wi_2", "wi_3", "wi_4", "wi_5", "wi_none")
    told = answer.json()
    assert answer.status_code == 200
    assert told["refused"] == [
        {"code": "already_in_queue", "message": "It belongs to Sales already.", "count": 1, "samples": ["wi_5"]},
        {"code": "state", "message": "Not possible while it is “In wrap-up”.", "count": 1, "samples": ["wi_4"]},
    ]
    assert (told["total"], told["willMove"], told["missing"], told["missingSamples"]) == (6, 3, 1, ["wi_none"])
    assert {"wi_1", "wi_3"} <= set(told["samples"])
    assert told["target"] == {"waiting": 1, "longestWaitSince": NOON_MS, "inHand": 0, "isOpen": True}
    assert (told["dryRun"], told["drift"]) == (True, None)
    assert [facts_of(item) for item in three] == before
    assert not Transfer.objects.exists()


def test_a_preview_tells_what_has_changed_since_the_selection_was_seen(api, queue, sales, three):
    Workitem.objects.filter(pk=three[0].pk).update(modified_at=NOON + timedelta(minutes=5))
    told = preview(api, "wi_1", "wi_2", "wi_none", seenAt=NOON_MS + 1000).json()["drift"]
    assert told == {
        "changed": 1,
        "gone": 1,
        "new": 0,
        "samples": {"changed": ["wi_1"], "gone": ["wi_none"], "new": []},
    }


def test_a_preview_of_a_search_tells_what_is_new(api, queue, sales, three):
    body = {"q": "state:inqueue", "selectedQueue": "q_sales", "seenAt": NOON_MS - 1}
    told = post(api, f"{TRANSFERS}?dryRun=true", body).json()
    assert (told["total"], told["drift"]["new"], told["drift"]["changed"]) == (3, 3, 0)


def test_a_preview_shows_how_much_an_agent_has_in_hand(api, queue, ann, three):
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    told = post(api, f"{TRANSFERS}?dryRun=true", {"workitemIds": ["wi_1"], "agentUsername": "ann"}).json()
    assert (told["willMove"], told["target"]["inHand"]) == (1, 1)


def test_the_load_of_a_queue_that_one_only_sends_into_is_not_told(queue, sales, three):
    wes = make_user("wes")
    grant(wes, Scope.WRITE, queue)
    grant_transfer_in(wes, sales)
    told = preview(Client(headers=bearer(wes)), "wi_1").json()
    assert (told["willMove"], told["target"]) == (1, None)


def test_a_preview_costs_the_same_for_any_number_of_items(api, queue, sales, django_assert_max_num_queries):
    items = make_crowd(300, queue)
    with django_assert_max_num_queries(12):
        assert preview(api, *(item.workitem_id for item in items)).json()["willMove"] == 300


def test_a_preview_looks_as_the_document_says(api, queue, sales, three):
    told = preview(api, "wi_1", "wi_none", seenAt=NOON_MS).json()
    shape = {"$ref": "#/components/schemas/Preview", "components": document()["components"]}
    assert not list(Draft202012Validator(shape).iter_errors(told))


# Asking for one


def test_a_transfer_is_written_down_and_workers_are_told(api, sales, three, woken):
    answer = ask(api, "wi_1", "wi_2", reason="Support is full", priority=5)
    told = answer.json()
    assert (answer.status_code, answer["Location"]) == (201, f"{TRANSFERS}/{told['transferId']}")
    assert woken == [told["transferId"]]
    assert {name: told[name] for name in ("state", "total", "done", "pending", "refusals", "undoes", "undoable")} == {
        "state": "pending", "total": 2, "done": 0, "pending": 2, "refusals": {}, "undoes": "", "undoable": None,
    }  # fmt: skip
    assert (told["requestedBy"], told["reason"], told["priority"], told["q"]) == ("sue", "Support is full", 5, "")
    assert (told["selectedQueue"], told["agentUsername"], told["remainingSeconds"]) == ("q_sales", "", None)


def test_workers_move_what_was_asked_for(api, sales, three):
    moved(api, "wi_1", "wi_3", priority=5)
    found = Workitem.objects.order_by("pk").values_list("workitem_id", "queue__queue_id", "priority")
    assert list(found) == [("wi_1", "q_sales", 5), ("wi_2", "q_support", 3), ("wi_3", "q_sales", 5)]


def test_a_search_is_frozen_when_it_is_asked_for(api, queue, sales, three):
    answer = post(api, TRANSFERS, {"q": "selectedQueue:q_support", "selectedQueue": "q_sales", "expectedCount": 3})
    make_workitem(queue=queue)
    assert (answer.json()["total"], answer.json()["q"]) == (3, "selectedQueue:q_support")
    tasks.run_transfer(transfer_id=answer.json()["transferId"])
    assert Workitem.objects.filter(queue=queue).count() == 1


@pytest.mark.parametrize(("q", "found"), [("state:terminated", 1), ("state:terminated archived:true", 1), ("wi_*", 4)])
def test_a_search_leaves_the_archive_out_unless_it_names_it(q, found, api, queue, sales, three):
    make_workitem(State.TERMINATED, queue=queue, workitem_id="wi_4")
    make_workitem(State.TERMINATED, queue=queue, workitem_id="wi_5", archived_at=NOON)
    told = post(api, f"{TRANSFERS}?dryRun=true", {"q": q, "selectedQueue": "q_sales"}).json()
    assert told["total"] == found


def test_ids_may_be_those_of_either_kind(api, sales, three):
    moved(api, f"{three[0].pk:024x}", "wi_2", "wi_1")
    assert Workitem.objects.filter(queue=sales).count() == 2
    assert set(TransferItem.objects.values_list("workitem_id", flat=True)) == {"wi_1", "wi_2"}


def test_one_that_is_to_start_later_wakes_nobody_yet(api, sales, three, woken):
    start = milliseconds(timezone.now() + timedelta(hours=2))
    told = ask(api, "wi_1", startAt=start).json()
    assert (told["startAt"], told["state"], woken) == (start, "pending", [])
    assert tasks.run_transfer(transfer_id=told["transferId"]) == 0


def test_a_queue_that_one_only_sends_into_may_be_the_target(queue, sales, three):
    wes = make_user("wes")
    grant(wes, Scope.WRITE, queue)
    grant_transfer_in(wes, sales)
    moved(Client(headers=bearer(wes)), "wi_1")
    assert Workitem.objects.get(workitem_id="wi_1").queue == sales


def test_a_repeated_request_is_one_transfer(api, sales, three, woken):
    body = {"workitemIds": ["wi_1"], "selectedQueue": "q_sales"}
    first, again = (post(api, TRANSFERS, body, **{"Idempotency-Key": "k-1"}) for _ in range(2))
    assert first.content == again.content
    assert (first["Location"], first["ETag"]) == (again["Location"], again["ETag"])
    assert Transfer.objects.count() == 1


def test_a_hundred_thousand_ids_are_taken_and_one_more_is_not(api, sales, three):
    ids = [f"wi_none_{n:020d}" for n in range(99_999)]
    assert preview(api, "wi_1", *ids).json()["missing"] == 99_999
    answer = preview(api, "wi_1", "wi_2", *ids)
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["workitemIds"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "workitemIds"),
        ({"workitemIds": ["wi_1"], "q": "state:inqueue"}, "workitemIds"),
        ({"workitemIds": []}, "workitemIds"),
        ({"workitemIds": "wi_1"}, "workitemIds"),
        ({"workitemIds": ["wi_1", 7]}, "workitemIds"),
        ({"workitemIds": ["wi_1", ""]}, "workitemIds"),
        ({"workitemIds": ["x" * 65]}, "workitemIds"),
        ({"workitemIds": ["a\x00b"]}, "workitemIds"),
        ({"q": "  "}, "workitemIds"),
        ({"q": "nope:1"}, "q"),
        ({"workitemIds": ["wi_1"], "selectedQueue": ""}, "selectedQueue"),
        ({"workitemIds": ["wi_1"], "agentUsername": "ann"}, "selectedQueue"),
        ({"workitemIds": ["wi_1"], "selectedQueue": "q_none"}, "selectedQueue"),
        ({"workitemIds": ["wi_1"], "selectedQueue": "", "agentUsername": "nobody"}, "agentUsername"),
        ({"workitemIds": ["wi_1"], "reason": "x" * 201}, "reason"),
        ({"workitemIds": ["wi_1"], "priority": 6}, "priority"),
        ({"workitemIds": ["wi_1"], "startAt": 1}, "startAt"),
        ({"workitemIds": ["wi_1"], "startAt": 253402214400000}, "startAt"),
        ({"workitemIds": ["wi_1"], "startAt": "now"}, "startAt"),
        ({"workitemIds": ["wi_1"], "seenAt": -1}, "seenAt"),
        ({"workitemIds": ["wi_1"], "expectedCount": True}, "expectedCount"),
        ({"workitemIds": ["wi_1"], "state": "done"}, "state"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(body, field, api, ann, sales, three):
    answer = post(api, TRANSFERS, {"selectedQueue": "q_sales", **body})
    assert (answer.status_code, next(iter(answer.json()["details"]))) == (400, field)
    assert not Transfer.objects.exists()


def test_another_number_than_was_seen_is_a_conflict(api, sales, three):
    answer = post(api, TRANSFERS, {"q": "state:inqueue", "selectedQueue": "q_sales", "expectedCount": 2})
    assert (answer.status_code, answer.json()["code"]) == (409, "selection_changed")
    assert not Transfer.objects.exists()


def test_a_search_that_finds_nothing_is_nothing_to_do(api, sales, three):
    answer = post(api, TRANSFERS, {"q": "state:hold", "selectedQueue": "q_sales"})
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_do")
    assert not Transfer.objects.exists()


def test_who_may_write_nowhere_asks_for_none(ann, sales, three):
    answer = ask(Client(headers=bearer(ann)), "wi_1")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope")
    assert not Transfer.objects.exists()


def test_rights_are_read_again_when_it_runs(sue, queue, sales, three):
    told = ask(Client(headers=bearer(sue)), "wi_1").json()
    sue.groups.clear()
    sue.user_permissions.clear()
    before = facts_of(three[0])
    tasks.run_transfer(transfer_id=told["transferId"])
    assert facts_of(three[0]) == before
    assert Transfer.objects.get().refusals == {"not_found": 1}


# Following one


def test_progress_can_be_read_at_any_moment(api, sales, three):
    told = api.get(f"{TRANSFERS}/{moved(api, 'wi_1', 'wi_2', 'wi_none')}").json()
    assert (told["state"], told["total"], told["done"], told["refused"]) == ("done", 3, 2, 1)
    assert (told["pending"], told["refusals"], told["undoable"]) == (0, {"not_found": 1}, 2)
    assert told["finishedAt"] >= told["startedAt"] >= told["createdAt"] > 0


def test_while_it_runs_rate_and_remaining_time_are_told(api, sales, three):
    transfer_id = ask(api, "wi_1").json()["transferId"]
    Transfer.objects.update(state="running", started_at=timezone.now() - timedelta(seconds=10), total=300, done=100)
    told = api.get(f"{TRANSFERS}/{transfer_id}").json()
    assert told["ratePerSecond"] == pytest.approx(10, rel=0.2)
    assert told["remainingSeconds"] == pytest.approx(20, rel=0.2)


def test_what_has_not_changed_is_not_sent_again(api, sales, three):
    path = f"{TRANSFERS}/{moved(api, 'wi_1')}"
    tag = api.get(path)["ETag"]
    assert api.get(path, headers={"If-None-Match": tag}).status_code == 304
    Workitem.objects.update(version=9)
    assert api.get(path, headers={"If-None-Match": tag}).json()["undoable"] == 0


def test_fields_can_be_chosen(api, sales, three):
    path = f"{TRANSFERS}/{moved(api, 'wi_1')}?fields=state,undoable"
    assert api.get(path).json() == {"state": "done", "undoable": 1}


def test_lists_show_ones_own_newest_first(api, sue, sales, three):
    ids = [ask(api, "wi_1").json()["transferId"] for _ in range(3)]
    ask(Client(headers=bearer(other := make_user("wes"))), "wi_1")
    grant(other, Scope.WRITE)
    ask(Client(headers=bearer(other)), "wi_1")
    found = api.get(TRANSFERS).json()["objects"]
    assert [one["transferId"] for one in found] == ids[::-1]
    assert "undoable" not in found[0]


def test_the_admin_scope_sees_all_of_them(api, amy, sales, three):
    ask(api, "wi_1")
    assert Client(headers=bearer(amy)).get(TRANSFERS).json()["total"] == 1


def test_a_list_is_paged_by_cursor_and_filtered_by_state(api, sales, three):
    ids = [ask(api, "wi_1").json()["transferId"] for _ in range(3)]
    Transfer.objects.filter(transfer_id=ids[1]).update(state="done")
    first = api.get(f"{TRANSFERS}?state=pending,paused&rows=1").json()
    second = api.get(f"{TRANSFERS}?state=pending,paused&rows=1&cursor={first['next']}").json()
    assert [one["objects"][0]["transferId"] for one in (first, second)] == [ids[2], ids[0]]
    assert (first["total"], second["next"]) == (2, "")


@pytest.mark.parametrize("query", ["state=over", "q=state:done", "sort=state", "fields=undoable"])
def test_what_a_list_cannot_do_is_refused(query, api):
    answer = api.get(f"{TRANSFERS}?{query}")
    assert (answer.status_code, list(answer.json()["details"])) == (400, [query.split("=")[0]])


def test_a_list_costs_the_same_for_any_number_of_rows(api, sales, three, django_assert_num_queries):
    for _ in range(20):
        ask(api, "wi_1")
    with django_assert_num_queries(5):  # token with its user, rights, total, ids, rows
        assert api.get(TRANSFERS).json()["count"] == 20


# Steering one


@pytest.mark.parametrize(
    ("verb", "before", "after", "wakes"),
    [
        ("pause", "pending", "paused", False),
        ("pause", "running", "paused", False),
        ("resume", "paused", "pending", True),
        ("cancel", "pending", "cancelled", False),
        ("cancel", "paused", "cancelled", False),
    ],
)
def test_it_can_be_paused_resumed_and_cancelled(verb, before, after, wakes, api, sales, three, woken):
    transfer_id = ask(api, "wi_1").json()["transferId"]
    woken.clear()
    Transfer.objects.update(state=before)
    answer = post(api, f"{TRANSFERS}/{transfer_id}/{verb}")
    assert (answer.status_code, answer.json()["state"]) == (200, after)
    assert woken == [transfer_id] * wakes


@pytest.mark.parametrize(
    ("verb", "state"),
    [
        ("pause", "paused"),
        ("pause", "done"),
        ("resume", "running"),
        ("cancel", "done"),
        ("cancel", "cancelled"),
        ("retry", "done"),
        ("undo", "running"),
    ],
)
def test_what_makes_no_sense_now_is_a_conflict(verb, state, api, sales, three, woken):
    transfer_id = ask(api, "wi_1").json()["transferId"]
    woken.clear()
    Transfer.objects.update(state=state)
    answer = post(api, f"{TRANSFERS}/{transfer_id}/{verb}")
    assert (answer.status_code, answer.json()["code"]) == (409, "run_state")
    assert (Transfer.objects.get().state, woken) == (state, [])


def test_what_was_set_aside_is_taken_on_once_more(api, sales, three, woken):
    transfer_id = moved(api, "wi_1")
    TransferItem.objects.update(outcome="failed", attempts=5, error="Poison")
    Transfer.objects.update(done=0, failed=1)
    woken.clear()
    told = post(api, f"{TRANSFERS}/{transfer_id}/retry").json()
    assert (told["state"], told["failed"], told["pending"], woken) == ("running", 0, 1, [transfer_id])


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "retry", "undo"])
def test_a_token_for_reading_steers_nothing(verb, sue, api, sales, three):
    transfer_id = moved(api, "wi_1")
    answer = post(Client(headers=personal(sue, Scope.READ)), f"{TRANSFERS}/{transfer_id}/{verb}")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope")
    assert Transfer.objects.count() == 1


@pytest.mark.parametrize("verb", ["pause", "undo"])
def test_steering_takes_no_body(verb, api, sales, three):
    transfer_id = ask(api, "wi_1").json()["transferId"]
    answer = post(api, f"{TRANSFERS}/{transfer_id}/{verb}", {"state": "done"})
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["state"])


# The way back


def test_an_undo_brings_back_what_nobody_has_touched_and_tells_how_many_stay(api, supervisor, queue, sales, three):
    from workitems.commands import AddNote

    transfer_id = moved(api, "wi_1", "wi_2", "wi_3")
    services.execute(AddNote("Called back."), "wi_2", actor=supervisor, now=timezone.now())
    answer = post(api, f"{TRANSFERS}/{transfer_id}/undo")
    told = answer.json()
    assert (answer.status_code, answer["Location"]) == (201, f"{TRANSFERS}/{told['transferId']}")
    assert (told["undoes"], told["total"], told["left"], told["undoable"]) == (transfer_id, 2, 1, None)
    tasks.run_transfer(transfer_id=told["transferId"])
    assert set(Workitem.objects.filter(queue=queue).values_list("workitem_id", flat=True)) == {"wi_1", "wi_3"}
    assert api.get(f"{TRANSFERS}/{told['transferId']}").json()["undoable"] == 0


def test_an_undo_looks_as_the_document_says(api, sales, three):
    told = post(api, f"{TRANSFERS}/{moved(api, 'wi_1')}/undo").json()
    shape = {"$ref": "#/components/schemas/Undoing", "components": document()["components"]}
    assert not list(Draft202012Validator(shape).iter_errors(told))


def test_where_nothing_can_be_brought_back_there_is_nothing_to_do(api, sales, three):
    transfer_id = moved(api, "wi_1")
    Workitem.objects.update(version=9)
    answer = post(api, f"{TRANSFERS}/{transfer_id}/undo")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_do")
    assert Transfer.objects.count() == 1


# The receipt


def test_the_receipt_tells_of_every_item_what_became_of_it(api, queue, sales, three):
    make_workitem(State.TERMINATED, queue=queue, workitem_id="wi_4")
    path = f"{TRANSFERS}/{moved(api, 'wi_1', 'wi_4', 'wi_none')}/items"
    assert api.get(path).json()["objects"] == [
        {
            "workitemId": "wi_1", "outcome": "done", "code": "", "message": "", "attempts": 0, "error": "",
            "version": 2,
        },
        {
            "workitemId": "wi_4", "outcome": "refused", "code": "state",
            "message": "Not possible while it is “In wrap-up”.", "attempts": 0, "error": "", "version": None,
        },
        {
            "workitemId": "wi_none", "outcome": "refused", "code": "not_found",
            "message": "There is no workitem wi_none.", "attempts": 0, "error": "", "version": None,
        },
    ]  # fmt: skip


def test_a_receipt_is_paged_and_filtered(api, queue, sales, three):
    path = f"{TRANSFERS}/{moved(api, 'wi_1', 'wi_2', 'wi_none')}/items"
    first = api.get(f"{path}?rows=2").json()
    second = api.get(f"{path}?rows=2&cursor={first['next']}").json()
    assert [one["workitemId"] for page in (first, second) for one in page["objects"]] == ["wi_1", "wi_2", "wi_none"]
    for query, found in (("outcome=refused,failed", 1), ("code=not_found", 1), ("workitemId=wi_2", 1)):
        assert api.get(f"{path}?{query}").json()["total"] == found


def test_a_receipt_costs_the_same_for_any_number_of_items(api, queue, sales, django_assert_num_queries):
    transfer_id = ask(api, *(item.workitem_id for item in make_crowd(50, queue))).json()["transferId"]
    with django_assert_num_queries(6):  # token with its user, rights, transfer, total, ids, rows
        assert api.get(f"{TRANSFERS}/{transfer_id}/items").json()["count"] == 50


def test_a_receipt_can_be_exported_and_no_cell_is_a_formula(api, sales, three, monkeypatch):
    monkeypatch.setattr("workitems.api.listing.EXPORT_CHUNK", 2)
    transfer_id = ask(api, "wi_1", "wi_2", "=1+1").json()["transferId"]
    TransferItem.objects.filter(workitem_id="wi_1").update(outcome="failed", error="=HYPERLINK(1)")
    path = f"{TRANSFERS}/{transfer_id}/items"
    table = api.get(f"{path}?sort=-place", headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(table.getvalue().decode())))
    assert [row["workitemId"] for row in rows] == ["'=1+1", "wi_2", "wi_1"]
    assert (rows[2]["error"], rows[1]["version"]) == ("'=HYPERLINK(1)", "")
    lines = api.get(path, headers={"Accept": "application/x-ndjson"}).getvalue().splitlines()
    assert [json.loads(line)["workitemId"] for line in lines] == ["wi_1", "wi_2", "=1+1"]


def test_a_receipt_lists_nothing_of_another_transfer(api, sales, three):
    ask(api, "wi_2")
    path = f"{TRANSFERS}/{ask(api, 'wi_1').json()['transferId']}/items"
    assert [one["workitemId"] for one in api.get(path).json()["objects"]] == ["wi_1"]


# One at a time


@pytest.mark.parametrize(("body", "place"), [({}, NOON), ({"keepsPlace": True}, NOON), ({"keepsPlace": False}, None)])
def test_a_workitem_returns_to_its_queue_at_its_place_or_at_the_end(body, place, api, queue, ann):
    make_workitem(State.ACTIVE, queue=queue, agent=ann, workitem_id="wi_1")
    told = post(api, "/api/v1/workitems/wi_1/returnToQueue", body).json()
    assert (told["state"], told["agentUsername"]) == ("inqueue", "")
    assert (told["queuedAt"] == NOON_MS) is (place == NOON)


def test_a_workitem_is_exempt_until_a_time_and_can_be_let_go_again(api, queue):
    make_workitem(queue=queue, workitem_id="wi_1", stale_at=NOON)
    until = milliseconds(timezone.now() + timedelta(days=2))
    told = post(api, "/api/v1/workitems/wi_1/exempt", {"until": until}).json()
    assert (told["exemptUntil"], told["staleAt"]) == (until, 0)
    assert post(api, "/api/v1/workitems/wi_1/exempt", {"until": None}).json()["exemptUntil"] == 0


@pytest.mark.parametrize("body", [{}, {"until": "soon"}, {"until": 1}, {"until": 253402214400000}, {"until": -1}])
def test_a_time_that_makes_no_sense_exempts_nothing(body, api, queue):
    item = make_workitem(queue=queue, workitem_id="wi_1")
    before = facts_of(item)
    answer = post(api, "/api/v1/workitems/wi_1/exempt", body)
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["until"])
    assert facts_of(item) == before


@pytest.mark.parametrize("target", [{"selectedQueue": "q_sales"}, {"agentUsername": "ben"}])
def test_a_transfer_may_set_the_priority_along(target, api, queue, sales, ann, ben):
    make_workitem(State.ACTIVE, queue=queue, agent=ann, workitem_id="wi_1")
    assert post(api, "/api/v1/workitems/wi_1/transfer", {**target, "priority": 5}).json()["priority"] == 5


def test_a_bulk_knows_the_new_commands(api, queue, ann):
    make_workitem(State.ACTIVE, queue=queue, agent=ann, workitem_id="wi_1")
    until = milliseconds(timezone.now() + timedelta(days=2))
    commands = [
        {"workitemId": "wi_1", "action": "exempt", "until": until},
        {"workitemId": "wi_1", "action": "returnToQueue", "keepsPlace": True},
        {"workitemId": "wi_1", "action": "warnStale"},
    ]
    told = post(api, "/api/v1/bulk", {"commands": commands}).json()
    assert [one["status"] for one in told["results"]] == ["done", "done", "refused"]


def test_what_policies_have_marked_can_be_listed(api, queue):
    make_workitem(queue=queue, workitem_id="wi_1", stale_at=NOON)
    make_workitem(queue=queue, workitem_id="wi_2", exempt_until=NOON)
    found = {"stale=true": "wi_1", "stale=false": "wi_2", "q=staleAt:*": "wi_1", "q=exemptUntil:2026-03-02": "wi_2"}
    for query, expected in found.items():
        assert [one["workitemId"] for one in api.get(f"/api/v1/workitems?{query}").json()["objects"]] == [expected]


def test_a_queue_says_whether_it_offers_by_itself(amy):
    make_queue("q_new")
    admin = Client(headers=bearer(amy))
    changed = admin.patch("/api/v1/queues/q_new", {"offersAutomatically": True}, content_type=JSON)
    assert changed.json()["offersAutomatically"] is Queue.objects.get().offers_automatically is True
    for query in ("offersAutomatically=true", "q=offersAutomatically:true"):
        assert admin.get(f"/api/v1/queues?{query}").json()["total"] == 1


@pytest.mark.parametrize(
    "q",
    [
        "tenantId:t_other",
        "_id:ffffffffffffffffffffffff",
        "selectedQueue:q_nowhere",
        "contact.name:nobody",
        "state:inqueue AND NOT state:inqueue",
        "event:nothing",
        "agentUsername:* queue.name:nowhere",
        "nobody",
    ],
)
def test_a_search_that_can_find_nothing_is_previewed_and_refused(q, api, sales, three):
    body = {"q": q, "selectedQueue": "q_sales", "seenAt": NOON_MS}
    assert post(api, f"{TRANSFERS}?dryRun=true", body).json()["total"] == 0
    assert post(api, TRANSFERS, body).json()["code"] == "nothing_to_do"


@pytest.mark.parametrize(
    "q", ["tenantId:t_default", "*:*", "wi_1 OR contact.name:ada OR queue.name:support", "NOT nobody"]
)
def test_searches_of_every_kind_can_be_moved(q, queue, sales, three):
    wes = make_user("wes")
    grant(wes, Scope.WRITE, queue)
    grant_transfer_in(wes, sales)
    make_workitem(queue=make_queue("q_hidden"))
    client, body = Client(headers=bearer(wes)), {"q": q, "selectedQueue": "q_sales"}
    told = post(client, f"{TRANSFERS}?dryRun=true", body).json()
    assert told["total"] == post(client, TRANSFERS, body).json().get("total") == 3
