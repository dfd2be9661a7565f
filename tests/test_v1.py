"""Our own REST API: objects, commands, bulk, dry runs, pages and shapes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from contacts.models import Contact
from queues.models import Queue
from tests.builders import NOON, facts_of, last_event, make_contact, make_disposition, make_user, make_workitem
from tests.doors import bearer
from workitems import tasks
from workitems.api.bodies import COMMANDS
from workitems.choices import Scope, State, Type
from workitems.groups import grant
from workitems.lifecycle import ITEM_ACTIONS, MOVES
from workitems.models import AuditEntry, Disposition, Workitem

JSON = "application/json"


@pytest.fixture
def api(sue) -> Client:
    return Client(headers=bearer(sue))


@pytest.fixture
def admin(amy) -> Client:
    return Client(headers=bearer(amy))


@pytest.fixture
def call(queue, ann):
    return make_workitem(State.ACTIVE, queue=queue, agent=ann, workitem_id="wi_1")


def post(client, path, body=None):
    return client.post(path, {} if body is None else body, content_type=JSON)


# Commands


def test_every_action_but_the_systems_own_has_a_path():
    assert set(COMMANDS) == {action for action in ITEM_ACTIONS if not MOVES[action].by_system}


@pytest.mark.parametrize(
    ("state", "action", "body", "leads_to"),
    [
        ("inqueue", "offer", {"agentUsername": "ben"}, "offered"),
        ("offered", "reject", {}, "inqueue"),
        ("inqueue", "pull", {}, "accepted"),
        ("accepted", "bridge", {}, "active"),
        ("active", "hold", {}, "hold"),
        ("hold", "unhold", {}, "active"),
        ("active", "mute", {}, "active"),
        ("active", "dtmf", {"tones": "12#A"}, "active"),
        ("active", "conference", {"participant": "+12025550199"}, "conference"),
        ("conference", "leaveConference", {}, "active"),
        ("active", "hangup", {"reason": "customer"}, "terminated"),
        ("active", "transfer", {"selectedQueue": "q_sales"}, "inqueue"),
        ("active", "transfer", {"agentUsername": "ben", "recording": "stopRecording"}, "offered"),
        ("active", "priority", {"priority": 5}, "active"),
        ("active", "edit", {"name": "Parcel", "from": "+12025550123", "data": {"a": 1}}, "active"),
        ("active", "note", {"text": "Called back."}, "active"),
        ("active", "note", {"type": "surveySent", "details": {"score": 5}}, "active"),
        ("terminated", "disposition", {"dispositionId": "d_solved", "note": "All well."}, "dispositioned"),
        ("terminated", "archive", {}, "terminated"),
    ],
)
def test_commands(state, action, body, leads_to, api, queue, sales, ann, ben):
    make_disposition()
    with_agent = state != "inqueue"
    item = make_workitem(State(state), queue=queue, agent=ann if with_agent else None, workitem_id="wi_1")
    answer = post(api, f"/api/v1/workitems/wi_1/{action}", body)
    assert (answer.status_code, answer.json()["state"], answer.json()["version"]) == (200, leads_to, 2)
    assert answer["ETag"] == '"2"'
    assert last_event(item).actor == "sue"


def test_an_offer_is_accepted_by_the_agent_who_was_asked(queue, ann):
    make_workitem(State.OFFERED, queue=queue, agent=ann, workitem_id="wi_1")
    assert post(Client(headers=bearer(ann)), "/api/v1/workitems/wi_1/accept").json()["state"] == "accepted"


def test_an_archived_one_can_be_purged_with_its_history(admin, queue):
    make_workitem(State.DISPOSITIONED, queue=queue, archived_at=NOON, workitem_id="wi_1")
    assert post(admin, "/api/v1/workitems/wi_1/purge").status_code == 204
    assert not Workitem.objects.exists()


@pytest.mark.parametrize(
    ("action", "body", "status", "code", "field"),
    [
        ("bridge", {}, 409, "state", None),
        ("archive", {}, 409, "state", None),
        ("hold", {"hold": False}, 400, "invalid", "hold"),
        ("transfer", {}, 400, "invalid", "selectedQueue"),
        ("transfer", {"selectedQueue": "q_sales", "agentUsername": "ben"}, 400, "invalid", "selectedQueue"),
        ("transfer", {"selectedQueue": "q_none"}, 400, "invalid", "selectedQueue"),
        ("transfer", {"agentUsername": "nobody"}, 400, "invalid", "agentUsername"),
        ("priority", {"priority": "5"}, 400, "invalid", "priority"),
        ("priority", {"priority": True}, 400, "invalid", "priority"),
        ("edit", {"state": "terminated"}, 400, "invalid", "state"),
        ("note", {"type": "terminated"}, 400, "invalid", "type"),
        ("note", {"text": "   "}, 400, "invalid", "text"),
        ("disposition", {"dispositionId": "d_none"}, 400, "invalid", "dispositionId"),
        ("reopen", {}, 403, "scope", None),
        ("expireOffer", {}, 404, "not_found", None),
    ],
)
def test_what_a_command_refuses_changes_nothing(action, body, status, code, field, api, call, sales, ben):
    before = facts_of(call)
    answer = post(api, f"/api/v1/workitems/wi_1/{action}", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert list(answer.json().get("details", {})) == ([field] if field else [])
    assert facts_of(call) == before


def test_every_action_is_explained(api, call):
    lines = {one["action"]: one for one in api.get("/api/v1/workitems/wi_1/actions").json()["actions"]}
    assert set(lines) == {action.value for action in ITEM_ACTIONS}
    assert lines["hold"] == {"action": "hold", "allowed": True, "code": "", "message": ""}
    assert (lines["unhold"]["allowed"], lines["unhold"]["code"]) == (False, "state")
    assert lines["reopen"]["code"] == "scope"


def test_the_timeline_goes_on_after_a_version(api, call):
    post(api, "/api/v1/workitems/wi_1/hold")
    post(api, "/api/v1/workitems/wi_1/unhold")
    answer = api.get("/api/v1/workitems/wi_1/timeline?after=1").json()
    assert [event["type"] for event in answer["timeEvents"]] == ["held", "resumed"]


# Dry runs


def test_a_dry_run_says_what_would_happen_and_writes_nothing(api, call, sales):
    before = facts_of(call)
    answer = post(api, "/api/v1/workitems/wi_1/transfer?dryRun=true", {"selectedQueue": "q_sales"})
    assert answer.json() == {
        "dryRun": True,
        "changes": True,
        "event": "transferred",
        "fromState": "active",
        "toState": "inqueue",
        "selectedQueue": "q_sales",
        "agentUsername": "",
        "version": 2,
    }
    assert facts_of(call) == before


def test_a_dry_run_of_what_is_so_already_says_that_nothing_changes(api, call):
    answer = post(api, "/api/v1/workitems/wi_1/priority?dryRun=true", {"priority": 3}).json()
    assert (answer["changes"], answer["event"], answer["version"]) == (False, "", 1)


def test_a_dry_run_is_refused_like_the_real_one(api, call):
    assert post(api, "/api/v1/workitems/wi_1/bridge?dryRun=true").json()["code"] == "state"


def test_a_dry_run_of_an_arrival_makes_none(api, queue):
    answer = post(api, "/api/v1/workitems?dryRun=true", {"type": "InboundCall", "selectedQueue": "q_support"})
    assert (answer.status_code, answer.json()["toState"]) == (200, "inqueue")
    assert not Workitem.objects.exists()


# Many commands in one request


def bulk(client, *commands, dry=False):
    return post(client, f"/api/v1/bulk{'?dryRun=true' if dry else ''}", {"commands": list(commands)})


def test_each_command_of_a_bulk_has_its_own_result(api, queue, sales, ann):
    make_workitem(State.ACTIVE, queue=queue, agent=ann, workitem_id="wi_1")
    second = make_workitem(queue=queue, workitem_id="wi_2")
    answer = bulk(
        api,
        {"workitemId": "wi_1", "action": "hold"},
        {"workitemId": "wi_1", "action": "hold"},
        {"workitemId": "wi_2", "action": "hold"},
        {"workitemId": "wi_none", "action": "hold"},
        {"workitemId": f"{second.pk:024x}", "action": "transfer", "selectedQueue": "q_sales"},
        {"workitemId": "wi_2", "action": "priority", "priority": 9},
        {"workitemId": "wi_2", "action": "dance"},
        {"workitemId": "wi_2", "action": "priority", "priority": 4, "ifVersion": 1},
        7,
    ).json()
    assert [(one["index"], one["status"], one.get("code")) for one in answer["results"]] == [
        (0, "done", None),
        (1, "unchanged", None),
        (2, "refused", "state"),
        (3, "refused", "not_found"),
        (4, "done", None),
        (5, "refused", "invalid"),
        (6, "refused", "invalid"),
        (7, "refused", "stale_version"),
        (8, "refused", "invalid"),
    ]
    assert {name: answer[name] for name in ("count", "done", "unchanged", "refused")} == {
        "count": 9,
        "done": 2,
        "unchanged": 1,
        "refused": 6,
    }
    assert Workitem.objects.get(workitem_id="wi_2").queue == sales


def test_a_bulk_costs_the_same_for_any_number_of_items(api, queue, sales, django_assert_max_num_queries):
    items = [make_workitem(queue=queue) for _ in range(60)]
    commands = [{"workitemId": item.workitem_id, "action": "transfer", "selectedQueue": "q_sales"} for item in items]
    with django_assert_max_num_queries(17):
        assert bulk(api, *commands).json()["done"] == 60


def test_a_bulk_can_be_rehearsed(api, call):
    before = facts_of(call)
    answer = bulk(api, {"workitemId": "wi_1", "action": "hold"}, dry=True).json()
    assert (answer["done"], answer["results"][0]["version"]) == (1, 2)
    assert facts_of(call) == before


@pytest.mark.parametrize(
    "body", [{}, [], {"commands": []}, {"commands": {}}, {"commands": [1] * 1001}, {"commands": [1], "x": 1}]
)
def test_a_bulk_that_is_none_is_refused(body, api):
    answer = post(api, "/api/v1/bulk", body)
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["commands"])


# Lists


def test_pages_follow_each_other_by_cursor(api, queue):
    items = [make_workitem(queue=queue, created_at=NOON + timedelta(minutes=n // 2)) for n in range(5)]
    seen, cursor = [], ""
    for _ in range(3):
        page = api.get(f"/api/v1/workitems?rows=2&cursor={cursor}").json()
        seen += [one["workitemId"] for one in page["objects"]]
        cursor = page["next"]
    assert seen == [item.workitem_id for item in reversed(items)]
    assert cursor == ""


@pytest.mark.parametrize("sort", ["createdAt", "-createdAt", "modifiedAt", "-modifiedAt", "workitemId", "-workitemId"])
def test_every_sort_pages_without_a_gap(sort, api, queue):
    for n in range(5):
        make_workitem(queue=queue, created_at=NOON + timedelta(microseconds=n % 3))
    whole = [one["workitemId"] for one in api.get(f"/api/v1/workitems?sort={sort}").json()["objects"]]
    seen, cursor = [], ""
    while not seen or cursor:
        page = api.get(f"/api/v1/workitems?sort={sort}&rows=2&cursor={cursor}").json()
        seen += [one["workitemId"] for one in page["objects"]]
        cursor = page["next"]
    assert seen == whole
    assert len(set(seen)) == 5


@pytest.mark.parametrize("spoil", [lambda one: "x", lambda one: one[:-1] + ("a" if one[-1] != "a" else "b")])
def test_a_forged_cursor_is_refused(spoil, api, queue):
    for _ in range(2):
        make_workitem(queue=queue)
    cursor = api.get("/api/v1/workitems?rows=1").json()["next"]
    answer = api.get("/api/v1/workitems", {"cursor": spoil(cursor)})
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["cursor"])


def test_a_cursor_is_good_for_its_own_list_only(api, queue):
    for _ in range(2):
        make_workitem(queue=queue)
    cursor = api.get("/api/v1/workitems?rows=1&state=inqueue").json()["next"]
    assert api.get("/api/v1/workitems", {"cursor": cursor, "state": "active"}).status_code == 400


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("exact", {"total": 3}),
        ("capped", {"total": 3, "totalCapped": False}),
        ("none", {}),
    ],
)
def test_the_total_is_as_asked(asked, told, api, queue):
    for _ in range(3):
        make_workitem(queue=queue)
    page = api.get(f"/api/v1/workitems?total={asked}&rows=1").json()
    assert {name: value for name, value in page.items() if name.startswith("total")} == told


def test_a_capped_total_stops_at_the_cap(api, queue, monkeypatch):
    monkeypatch.setattr("workitems.api.listing.CAP", 2)
    for _ in range(3):
        make_workitem(queue=queue)
    page = api.get("/api/v1/workitems").json()
    assert (page["total"], page["totalCapped"]) == (2, True)


def test_fields_and_expand_keep_answers_small(api, call):
    one = api.get("/api/v1/workitems?fields=state,workitemId").json()["objects"][0]
    assert one == {"workitemId": "wi_1", "state": "active"}
    bare = api.get("/api/v1/workitems/wi_1?expand=").json()
    assert not {"contact", "timeEvents", "actions"} & set(bare)
    assert "timeEvents" in api.get("/api/v1/workitems/wi_1?expand=timeEvents").json()


def test_what_is_not_expanded_is_not_read(api, call, django_assert_num_queries):
    with django_assert_num_queries(4):  # token with its user, rights, ids, rows
        api.get("/api/v1/workitems?expand=&total=none")


def test_lists_and_single_objects_are_the_same_on_both_surfaces(api, call):
    listed = api.get("/data/api/types/workitem").json()["objects"][0]
    for path in ("/api/v1/workitems/wi_1", "/data/api/types/workitem/wi_1", "/users/api/workitems/wi_1"):
        assert api.get(path).json() == listed


def test_the_archive_is_shown_where_it_is_asked_for(api, queue):
    make_workitem(State.DISPOSITIONED, queue=queue, archived_at=NOON)
    make_workitem(queue=queue)
    for query, found in (("", 1), ("archived=true", 1), ("archived=any", 2), ("q=archived:true", 1)):
        assert api.get(f"/api/v1/workitems?{query}").json()["total"] == found


def test_a_search_narrows_the_list(api, queue, ann):
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    make_workitem(queue=queue, type=Type.CHAT)
    assert api.get("/api/v1/workitems", {"q": "state:active AND channelType:voice"}).json()["total"] == 1


def test_a_search_with_an_unknown_field_says_where_and_what_was_meant(api):
    answer = api.get("/api/v1/workitems", {"q": "state:active chanelType:voice"})
    assert (answer.status_code, answer.json()["code"]) == (400, "search")
    assert answer.json()["message"] == 'unknown field "chanelType", did you mean "channelType"?'
    assert answer.json()["details"]["position"] == 13
    assert answer.json()["details"]["suggestion"] == "channelType"


def test_a_search_finds_nothing_outside_ones_queues(queue, sales):
    user = make_user()
    grant(user, Scope.READ, queue)
    make_workitem(queue=queue)
    make_workitem(queue=sales)
    found = Client(headers=bearer(user)).get("/api/v1/workitems", {"q": "state:inqueue OR NOT state:inqueue"})
    assert found.json()["total"] == 1


# Corrections


def test_a_patch_changes_what_it_names_in_one_go(api, call):
    ada = make_contact()
    body = {"name": "Parcel", "priority": 5, "contactId": ada.contact_id}
    answer = api.patch("/api/v1/workitems/wi_1", body, content_type=JSON)
    assert (answer.status_code, answer.json()["name"], answer.json()["priority"]) == (200, "Parcel", 5)
    assert answer.json()["contactId"] == ada.contact_id
    assert answer["ETag"] == '"3"'


def test_a_patch_that_is_refused_in_part_changes_nothing(api, queue, ann):
    item = make_workitem(State.TERMINATED, queue=queue, agent=ann, workitem_id="wi_1")
    before = facts_of(item)
    answer = api.patch("/api/v1/workitems/wi_1", {"name": "Parcel", "priority": 5}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "state")
    assert facts_of(item) == before


def test_delete_archives_and_purges_only_on_demand(admin, queue):
    make_workitem(State.DISPOSITIONED, queue=queue, workitem_id="wi_1")
    assert admin.delete("/api/v1/workitems/wi_1").status_code == 204
    assert Workitem.objects.get().archived_at is not None
    assert admin.delete("/api/v1/workitems/wi_1").json()["code"] == "archived"
    assert admin.delete("/api/v1/workitems/wi_1?purge=true").status_code == 204
    assert not Workitem.objects.exists()


# Contacts, queues, dispositions, agents


@pytest.mark.parametrize("place", ["/api/v1/contacts", "/data/api/types/contact"])
def test_a_contact_is_made_changed_and_deleted(place, admin):
    body = {
        "contactId": "ct_1",
        "displayName": "Ada",
        "phones": ["(202) 555-0123", "+1 202 555 0123"],
        "emails": ["A@X.org"],
    }
    made = post(admin, place, body)
    assert (made.status_code, made["Location"], made["ETag"]) == (201, f"{place}/ct_1", '"1"')
    assert (made.json()["phones"], made.json()["emails"]) == (["+12025550123"], ["a@x.org"])
    changed = admin.patch(f"{place}/ct_1", {"phones": ["+12025550124"], "blocked": True}, content_type=JSON)
    assert (changed.json()["phones"], changed.json()["blocked"], changed["ETag"]) == (["+12025550124"], True, '"2"')
    assert admin.get(f"{place}/ct_1").json() == changed.json()
    assert admin.delete(f"{place}/ct_1").status_code == 204
    assert not Contact.objects.exists()
    assert [entry.what for entry in AuditEntry.objects.order_by("pk")] == [
        "contact created", "contact changed", "contact deleted",
    ]  # fmt: skip


def test_a_queue_is_made_and_changed(admin, ann):
    body = {
        "queueId": "q_new",
        "name": "New",
        "channels": ["voice", "chat"],
        "slaSeconds": {"chat": 60},
        "members": ["ann"],
    }
    made = post(admin, "/api/v1/queues", body).json()
    assert (made["slaSeconds"], made["members"], made["isOpen"]) == ({"chat": 60, "voice": 30}, ["ann"], True)
    changed = admin.patch("/api/v1/queues/q_new", {"channels": ["voice"], "isOpen": False}, content_type=JSON).json()
    assert (changed["channels"], changed["isOpen"], changed["version"]) == (["voice"], False, 2)


def test_a_disposition_is_made_and_changed(admin):
    body = {"dispositionId": "d_new", "name": "New", "types": ["Chat"]}
    assert post(admin, "/api/v1/dispositions", body).status_code == 201
    assert admin.patch("/api/v1/dispositions/d_new", {"isActive": False}, content_type=JSON).json()["isActive"] is False


@pytest.mark.parametrize(
    ("place", "body"),
    [
        ("contacts", {"contactId": "ct_1", "displayName": "Ada"}),
        ("contacts", {"displayName": "Ada", "source": "crm", "externalId": "7"}),
        ("queues", {"queueId": "q_new", "name": "New"}),
        ("dispositions", {"dispositionId": "d_new", "name": "New"}),
    ],
)
def test_a_second_one_of_the_same_id_is_a_conflict(place, body, admin):
    assert post(admin, f"/api/v1/{place}", body).status_code == 201
    again = post(admin, f"/api/v1/{place}", body)
    assert (again.status_code, again.json()["code"]) == (409, "duplicate")


@pytest.mark.parametrize(
    ("place", "body", "field"),
    [
        ("contacts", {}, "displayName"),
        ("contacts", {"displayName": "Ada", "phones": ["call me"]}, "phones"),
        ("contacts", {"displayName": "Ada", "emails": ["nobody"]}, "emails"),
        ("contacts", {"displayName": "Ada", "version": 7}, "version"),
        ("contacts", {"displayName": 7}, "displayName"),
        ("queues", {"queueId": "a b", "name": "New"}, "queueId"),
        ("queues", {"queueId": "q_new", "name": "New", "slaSeconds": {"fax": 1}}, "slaSeconds"),
        ("queues", {"queueId": "q_new", "name": "New", "members": ["nobody"]}, "members"),
        ("dispositions", {"dispositionId": "d_new", "name": "New", "types": ["Fax"]}, "types"),
    ],
)
def test_what_no_object_can_hold_is_refused_by_field(place, body, field, admin):
    answer = post(admin, f"/api/v1/{place}", body)
    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])
    assert [kind.objects.count() for kind in (Contact, Queue, Disposition)] == [0, 0, 0]


def test_what_is_in_use_is_not_deleted(admin, queue):
    make_workitem(queue=queue)
    answer = admin.delete("/api/v1/queues/q_support")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert Queue.objects.exists()


def test_who_has_one_queue_sees_its_contacts_and_agents_only(queue, sales, ann):
    user = make_user()
    grant(user, Scope.READ, queue)
    mine, other = make_contact("Mine"), make_contact("Other")
    make_workitem(queue=queue, contact=mine)
    make_workitem(queue=sales, contact=other)
    api = Client(headers=bearer(user))
    assert [one["displayName"] for one in api.get("/api/v1/contacts").json()["objects"]] == ["Mine"]
    assert api.get(f"/api/v1/contacts/{other.contact_id}").status_code == 404
    assert [one["queueId"] for one in api.get("/api/v1/queues").json()["objects"]] == ["q_support"]
    assert [one["username"] for one in api.get("/api/v1/agents").json()["objects"]] == ["ann", "ben"]


@pytest.mark.parametrize(("place", "budget"), [("contacts", 5), ("queues", 8), ("dispositions", 5), ("agents", 6)])
def test_lists_cost_the_same_for_any_number_of_rows(place, budget, admin, queue, django_assert_max_num_queries):
    for n in range(20):
        make_contact(phones=("+12025550123",))
        make_disposition(f"d_{n}")
        queue.members.add(make_user())
    with django_assert_max_num_queries(budget):
        assert admin.get(f"/api/v1/{place}").json()["count"] > 0


# What programs do in the wild


def test_a_dry_run_of_a_purge_says_that_it_changes_something(admin, queue):
    make_workitem(State.DISPOSITIONED, queue=queue, archived_at=NOON, workitem_id="wi_1")
    assert post(admin, "/api/v1/workitems/wi_1/purge?dryRun=true").json()["changes"] is True
    assert Workitem.objects.exists()


def test_a_purge_in_a_bulk_is_done(admin, queue):
    make_workitem(State.DISPOSITIONED, queue=queue, archived_at=NOON, workitem_id="wi_1")
    assert bulk(admin, {"workitemId": "wi_1", "action": "purge"}).json()["results"][0]["status"] == "done"
    assert not Workitem.objects.exists()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/users/api/calls/wi_1/hold", {"hold": True}),
        ("post", "/users/api/calls/wi_1/hangup", {}),
        ("post", "/users/api/calls/wi_1/mute", {}),
        ("post", "/workflows/api/workitems/wi_1/acd", {"priority": 5}),
        ("patch", "/data/api/types/workitem/wi_1", {"name": "x"}),
    ],
)
def test_a_body_may_repeat_the_paths_id_and_name_no_other(method, path, body, api, call):
    before = facts_of(call)
    other = getattr(api, method)(path, {**body, "workitemId": "wi_2"}, content_type=JSON)
    assert (other.status_code, list(other.json()["details"])) == (400, ["workitemId"])
    assert facts_of(call) == before
    same = getattr(api, method)(path, {**body, "workitemId": "wi_1"}, content_type=JSON)
    assert (same.status_code, same.json()["version"]) == (200, 2)


def test_what_is_not_expanded_is_not_shown_empty(api, call):
    shown = api.get("/api/v1/workitems?expand=contact&fields=workitemId,actions").json()["objects"][0]
    assert shown == {"workitemId": "wi_1"}


@pytest.mark.parametrize("number", ["+12025550123", "12025550123", "+1 202-555-0123", "(202) 555-0123"])
def test_a_number_is_found_however_it_is_typed(number, api, queue):
    make_workitem(queue=queue, from_address="+12025550123")
    assert api.get("/api/v1/workitems", {"from": number}).json()["total"] == 1


@pytest.mark.parametrize("query", ["rows=5", "cursor=x", "total=exact"])
def test_an_export_is_the_whole_list(query, api):
    answer = api.get(f"/api/v1/workitems?{query}", headers={"Accept": "text/csv"})
    assert (answer.status_code, list(answer.json()["details"])) == (400, [query.split("=")[0]])


@pytest.mark.parametrize(
    "path", ["/users/api/workitems/wi_1/sendemailresponse", "/api/v1/workitems/wi_1/sendEmailResponse"]
)
def test_an_answer_by_mail_goes_out(path, api, queue, ann, mailoutbox):
    make_workitem(
        State.ACTIVE, queue=queue, agent=ann, workitem_id="wi_1", type=Type.INBOUND_EMAIL, name="Parcel",
        from_address="ada@example.org", to_address="support@example.org", data={"messageId": "<m1@example.org>"},
    )  # fmt: skip
    body = {
        "from": "support@example.org",
        "to": "ada@example.org",
        "subject": "Re: Parcel",
        "bodyParts": [
            {"contentType": "text/plain", "content": "On its way."},
            {"contentType": "text/html", "content": "<p>On its way.</p>"},
        ],
        "toAddresses": ["bob@example.org"],
        "ccAddresses": ["cc@example.org"],
        "bccAddresses": ["bcc@example.org"],
        "createdAt": 1772452800000,
    }
    assert post(api, path, body).json()["timeEvents"][-1]["type"] == "emailAnswered"
    assert mailoutbox == []
    tasks.send_mails()
    (mail,) = mailoutbox
    assert (mail.to, mail.cc, mail.bcc) == (
        ["ada@example.org", "bob@example.org"],
        ["cc@example.org"],
        ["bcc@example.org"],
    )
    assert (mail.body, mail.alternatives[0].content) == ("On its way.", "<p>On its way.</p>")
    assert mail.extra_headers["In-Reply-To"] == "<m1@example.org>"
