"""The vendor's operations as an integration sees them."""

from __future__ import annotations

import base64
from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken

from tests.builders import NOON, facts_of, last_event, make_contact, make_user, make_workitem
from tests.doors import bearer
from workitems.choices import Door, Scope, State, Type
from workitems.groups import grant, grant_transfer_in
from workitems.models import Workitem

NOON_MS = 1772452800000
JSON = "application/json"


@pytest.fixture
def api(sue) -> Client:
    return Client(headers=bearer(sue))


def basic(username, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


@pytest.fixture
def held_call(queue, ann):
    return make_workitem(State.HOLD, queue=queue, agent=ann, workitem_id="wi_1")


# Coming in


@pytest.fixture
def integration(db):
    user = make_user("integration")
    user.set_password("a long password")
    user.save()
    grant(user, Scope.WRITE)
    return user


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_password_buys_a_token_that_says_who_and_works(integration, slash, client):
    answer = client.get(f"/provider/token-with-authorities{slash}", headers=basic("integration", "a long password"))
    body = answer.json()
    assert (answer.status_code, set(body)) == (200, {"location", "token", "clientLocation"})
    claims = jwt.decode(body["token"], settings.SECRET_KEY, algorithms=["HS256"])
    assert claims["username"] == claims["sub"] == "integration"
    assert (claims["userId"], claims["tenantId"]) == (str(integration.pk), "t_default")
    assert claims["authorities"] == ["workitems:read", "workitems:write"]
    assert claims["exp"] - claims["iat"] == 900
    assert client.get("/users/api/workitems", headers={"Authorization": body["token"]}).status_code == 200


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_wrong_password_buys_nothing(integration, password, client):
    answer = client.get("/provider/token-with-authorities", headers=basic("integration", password))
    assert answer.status_code == 401
    assert set(answer.json()) == {"code", "message", "requestId"}
    assert not AccessToken.objects.exists()


def test_the_token_itself_is_not_kept(integration, client):
    client.get("/provider/token-with-authorities", headers=basic("integration", "a long password"))
    assert AccessToken.objects.get().token == ""


@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "{}"])
def test_the_word_bearer_may_be_left_out(header, sue, client):
    token = bearer(sue)["Authorization"].split()[1]
    answer = client.get("/users/api/workitems", headers={"Authorization": header.format(token)})
    assert answer.status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Token x", "Bearer a b c"])
def test_without_a_good_token_nobody_comes_in(header, client, db):
    answer = client.get("/users/api/workitems", headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_an_expired_token_is_refused(sue, api):
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert api.get("/users/api/workitems").status_code == 401


def test_a_deleted_token_is_refused_at_once(sue, api):
    AccessToken.objects.all().delete()
    assert api.get("/users/api/workitems").status_code == 401


def test_the_claims_inside_a_token_are_never_asked(eve, client, queue):
    make_workitem(queue=queue)
    forged = jwt.encode({"sub": "amy", "authorities": ["workitems:admin"]}, settings.SECRET_KEY, algorithm="HS256")
    assert client.get("/data/api/types/workitem", headers={"Authorization": forged}).status_code == 401


# Reading


def test_a_workitem_looks_like_the_contract_says(api, queue, ann):
    ada = make_contact("Ada", phones=("+12025550123",))
    item = make_workitem(
        State.ACTIVE,
        queue=queue,
        agent=ann,
        contact=ada,
        workitem_id="wi_1",
        from_address="+12025550123",
        data={"a": 1},
        stale_at=NOON + timedelta(minutes=1),
        exempt_until=NOON + timedelta(minutes=2),
    )
    body = api.get("/users/api/workitems/wi_1").json()
    contact = body.pop("contact")
    assert body == {
        "_id": f"{item.pk:024x}",
        "workitemId": "wi_1",
        "tenantId": "t_default",
        "channelType": "voice",
        "type": "InboundCall",
        "state": "active",
        "currentStateName": "active",
        "priority": 3,
        "contactId": ada.contact_id,
        "agentUsername": "ann",
        "selectedQueue": "q_support",
        "from": "+12025550123",
        "to": "",
        "createdAt": NOON_MS,
        "assignedAt": NOON_MS,
        "terminatedAt": 0,
        "modifiedAt": NOON_MS,
        "dispositionedAt": 0,
        "queuedAt": NOON_MS,
        "archivedAt": 0,
        "staleAt": NOON_MS + 60_000,
        "exemptUntil": NOON_MS + 120_000,
        "actions": [
            "returnToQueue", "hold", "mute", "unmute", "dtmf", "conference", "hangup", "transfer", "priority", "edit",
            "note", "exempt",
        ],
        "timeEvents": [
            {
                "type": "created",
                "timestamp": NOON_MS,
                "userId": "builder",
                "door": "job",
                "token": "",
                "requestId": "",
                "queueId": "q_support",
                "agentUsername": "ann",
                "details": {},
                "fromState": "",
                "toState": "active",
                "version": 1,
            }
        ],
        "dispositionId": "",
        "dispositionNote": "",
        "muted": False,
        "name": "",
        "data": {"a": 1},
        "version": 1,
    }  # fmt: skip
    assert (contact["displayName"], contact["phones"], contact["blocked"]) == ("Ada", ["+12025550123"], False)


@pytest.mark.parametrize("slash", ["", "/"])
def test_one_is_found_by_either_id(api, held_call, slash):
    for given in ("wi_1", f"{held_call.pk:024x}"):
        assert api.get(f"/users/api/workitems/{given}{slash}").json()["workitemId"] == "wi_1"


@pytest.mark.parametrize("given", ["wi_none", "f" * 24, "0" * 24])
def test_an_unknown_one_is_not_found(api, given):
    answer = api.get(f"/users/api/workitems/{given}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_an_invisible_one_answers_like_an_unknown_one(eve, held_call):
    api = Client(headers=bearer(eve))
    invisible, unknown = (api.get(f"/users/api/workitems/{one}").json() for one in ("wi_1", "wi_2"))
    assert invisible["message"].replace("wi_1", "wi_2") == unknown["message"]
    assert invisible["code"] == unknown["code"] == "not_found"


def test_mine_are_those_that_i_have_in_hand(queue, ann):
    active = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    wrap_up = make_workitem(State.TERMINATED, queue=queue, agent=ann, assigned_at=NOON + timedelta(minutes=1))
    make_workitem(State.DISPOSITIONED, queue=queue, agent=ann)
    make_workitem(queue=queue)
    objects = Client(headers=bearer(ann)).get("/users/api/workitems").json()["objects"]
    assert [one["workitemId"] for one in objects] == [active.workitem_id, wrap_up.workitem_id]


def test_the_list_pages_and_counts(api, queue):
    items = [make_workitem(queue=queue, created_at=NOON + timedelta(minutes=n)) for n in range(5)]
    body = api.get("/data/api/types/workitem?rows=2&start=1").json()
    assert (body["count"], body["total"]) == (2, 5)
    assert [one["workitemId"] for one in body["objects"]] == [items[3].workitem_id, items[2].workitem_id]


def test_the_list_and_the_single_object_are_the_same(api, held_call):
    listed = api.get("/data/api/types/workitem").json()["objects"][0]
    assert listed == api.get("/users/api/workitems/wi_1").json()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=hold", 1),
        ("state=hold,active", 2),
        ("channelType=email", 1),
        ("type=InboundEmail&state=inqueue", 1),
        ("selectedQueue=q_support", 3),
        ("selectedQueue=q_none", 0),
        ("agentUsername=ann", 2),
        ("priority=5", 1),
        ("from=%2B12025550123", 1),
        ("workitemId=wi_1", 1),
        ("archived=true", 1),
        ("", 3),
    ],
)
def test_plain_filters(query, found, api, held_call, queue, ann):
    make_workitem(State.ACTIVE, queue=queue, agent=ann, priority=5, from_address="+12025550123")
    make_workitem(queue=queue, type=Type.INBOUND_EMAIL)
    make_workitem(State.DISPOSITIONED, queue=queue, archived_at=NOON)
    assert api.get(f"/data/api/types/workitem?{query}").json()["total"] == found


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("rows=1001", "rows"),
        ("rows=-1", "rows"),
        ("rows=x", "rows"),
        ("start=-1", "start"),
        ("start=99999999999", "start"),
        ("state=waiting", "state"),
        ("priority=9", "priority"),
        ("archived=perhaps", "archived"),
        ("stat=hold", "stat"),
        ("rows=1&rows=2", "rows"),
        ("sort=priority", "sort"),
        ("total=some", "total"),
        ("fields=name,nam", "fields"),
        ("expand=queue", "expand"),
        ("cursor=x", "cursor"),
    ],
)
def test_a_query_that_makes_no_sense_says_where(query, field, api):
    answer = api.get(f"/data/api/types/workitem?{query}")
    assert (answer.status_code, answer.json()["code"], list(answer.json()["details"])) == (400, "invalid", [field])


def test_the_list_costs_the_same_for_any_number_of_rows(api, queue, ann, django_assert_num_queries):
    def add(count):
        for _ in range(count):
            make_workitem(State.ACTIVE, queue=queue, agent=ann, contact=make_contact(phones=("+12025550123",)))

    api.get("/data/api/types/workitem")
    for count in (1, 20):
        add(count)
        # token with its user, rights, count, ids, rows with their neighbours, events
        with django_assert_num_queries(6):
            api.get("/data/api/types/workitem?rows=100")


# Doing


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("state", "method", "path", "body", "leads_to"),
    [
        ("accepted", "post", "/users/api/calls/wi_1/bridge", None, "active"),
        ("active", "post", "/users/api/calls/wi_1/hold", None, "hold"),
        ("active", "post", "/users/api/calls/wi_1/hold", {"hold": True}, "hold"),
        ("hold", "post", "/users/api/calls/wi_1/hold", {"hold": False}, "active"),
        ("hold", "delete", "/users/api/calls/wi_1/hold", None, "active"),
        ("active", "post", "/users/api/calls/wi_1/hangup", None, "terminated"),
        ("active", "post", "/users/api/calls/wi_1/hangup", {"reason": "customer"}, "terminated"),
        ("active", "post", "/users/api/calls/wi_1/queuetransfer/q_sales", None, "inqueue"),
        ("active", "post", "/users/api/calls/wi_1/usertransfer/ben", {"recording": "keepCurrent"}, "offered"),
        ("active", "post", "/workflows/api/workitems/wi_1/acd", {"priority": 5}, "active"),
    ],
)
def test_operations(state, method, path, body, leads_to, slash, api, queue, sales, ann, ben):
    item = make_workitem(State(state), queue=queue, agent=ann, workitem_id="wi_1")
    answer = getattr(api, method)(path + slash, body or "", content_type=JSON)
    assert (answer.status_code, answer.json()["state"], answer.json()["version"]) == (200, leads_to, 2)
    assert (last_event(item).actor, last_event(item).door) == ("sue", Door.API)


def test_an_agent_is_named_by_his_id_too(api, queue, ann, ben):
    make_workitem(State.ACTIVE, queue=queue, agent=ann, workitem_id="wi_1")
    assert api.post(f"/users/api/calls/wi_1/usertransfer/{ben.pk}", content_type=JSON).json()["agentUsername"] == "ben"


def test_who_gives_an_item_out_of_his_sight_still_gets_his_answer(queue, sales, ann):
    grant_transfer_in(ann, sales)
    make_workitem(State.ACTIVE, queue=queue, agent=ann, workitem_id="wi_1")
    answer = Client(headers=bearer(ann)).post("/users/api/calls/wi_1/queuetransfer/q_sales", content_type=JSON)
    assert (answer.status_code, answer.json()["selectedQueue"], answer.json()["actions"]) == (200, "q_sales", [])


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/users/api/calls/wi_1/bridge", {}, 409, "state"),
        ("/users/api/calls/wi_none/hold", {}, 404, "not_found"),
        ("/users/api/calls/wi_1/queuetransfer/q_none", {}, 404, "not_found"),
        ("/users/api/calls/wi_1/queuetransfer/q_support", {}, 409, "already_in_queue"),
        ("/users/api/calls/wi_1/queuetransfer/q_sales", {"inboxId": "q_other"}, 400, "invalid"),
        ("/users/api/calls/wi_1/queuetransfer/q_sales", {"workitemId": "wi_2"}, 400, "invalid"),
        ("/users/api/calls/wi_1/usertransfer/nobody", {}, 404, "not_found"),
        ("/users/api/calls/wi_1/usertransfer/ben", {"userId": "ann"}, 400, "invalid"),
        ("/users/api/calls/wi_1/usertransfer/ben", {"recording": "loud"}, 400, "invalid"),
        ("/users/api/calls/wi_1/hangup", {"reason": "policy"}, 400, "invalid"),
        ("/users/api/calls/wi_1/hangup", {"why": "x"}, 400, "invalid"),
        ("/users/api/calls/wi_1/hold", {"hold": "maybe"}, 400, "invalid"),
        ("/users/api/calls/wi_1/hold", [1], 400, "invalid"),
        ("/workflows/api/workitems/wi_1/acd", {"priority": 6}, 400, "invalid"),
        ("/workflows/api/workitems/wi_1/acd", {}, 400, "invalid"),
    ],
)
def test_refusals_name_their_code_and_change_nothing(path, body, status, code, api, held_call, sales, ben):
    before = facts_of(held_call)
    answer = api.post(path, body, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert {"code", "message", "requestId"} <= set(answer.json())
    assert facts_of(held_call) == before


def test_reading_is_not_writing(tom, held_call):
    before = facts_of(held_call)
    answer = Client(headers=bearer(tom)).post("/users/api/calls/wi_1/hangup", content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope")
    assert facts_of(held_call) == before


def test_a_queue_that_one_can_neither_see_nor_fill_is_not_there(queue, sales, ann):
    make_workitem(State.ACTIVE, queue=queue, agent=ann, workitem_id="wi_1")
    api = Client(headers=bearer(ann))
    hidden, missing = (
        api.post(f"/users/api/calls/wi_1/queuetransfer/{one}", content_type=JSON) for one in ("q_sales", "q_none")
    )
    assert hidden.status_code == missing.status_code == 404
    assert hidden.json()["message"].replace("q_sales", "q_none") == missing.json()["message"]


# Arriving


def test_a_call_arrives(api, queue):
    ada = make_contact("Ada", phones=("+12025550123",))
    answer = api.post(
        "/data/api/types/workitem",
        {"type": "InboundCall", "selectedQueue": "q_support", "from": "+1 202 555 0123", "data": {"ivr": "2"}},
        content_type=JSON,
    )
    body = answer.json()
    assert (answer.status_code, body["state"], body["contactId"]) == (201, "inqueue", ada.contact_id)
    assert Workitem.objects.get().workitem_id == body["workitemId"]
    assert body["workitemId"].startswith("wi_")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "type"),
        ({"type": "Fax"}, "type"),
        ({"type": "InboundCall"}, "selectedQueue"),
        ({"type": "InboundCall", "selectedQueue": "q_none"}, "selectedQueue"),
        ({"type": "InboundCall", "selectedQueue": "q_support", "channelType": "sms"}, "channelType"),
        ({"type": "InboundCall", "selectedQueue": "q_support", "state": "active"}, "state"),
        ({"type": "InboundCall", "selectedQueue": "q_support", "contactId": "ct_none"}, "contactId"),
        ({"type": "OutboundCall", "agentUsername": "nobody"}, "agentUsername"),
        ({"type": "InboundCall", "selectedQueue": "q_support", "priority": 0}, "priority"),
        ({"type": "InboundCall", "selectedQueue": "q_support", "data": [1]}, "data"),
        ({"type": "InboundCall", "selectedQueue": "q_support", "name": "n" * 201}, "name"),
        ({"type": "InboundCall", "selectedQueue": "q_support", "from": "f" * 255}, "from"),
    ],
)
def test_what_cannot_arrive_says_which_field(body, field, api, queue):
    answer = api.post("/data/api/types/workitem", body, content_type=JSON)
    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])
    assert not Workitem.objects.exists()


def test_an_id_arrives_once(api, queue):
    body = {"type": "InboundCall", "selectedQueue": "q_support", "workitemId": "crm-1"}
    assert api.post("/data/api/types/workitem", body, content_type=JSON).status_code == 201
    again = api.post("/data/api/types/workitem", body, content_type=JSON)
    assert (again.status_code, again.json()["code"]) == (409, "duplicate")
    assert Workitem.objects.count() == 1


def test_a_queue_that_one_cannot_see_is_no_place_to_create_in(queue, sales):
    user = make_user()
    grant(user, Scope.WRITE, queue)
    body = {"type": "InboundCall", "selectedQueue": "q_sales"}
    answer = Client(headers=bearer(user)).post("/data/api/types/workitem", body, content_type=JSON)
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["selectedQueue"])


# What lies beside


@pytest.mark.parametrize("path", ["/data/none", "/users/api/none/", "/workflows", "/provider/x"])
def test_unknown_paths_answer_in_json(path, client):
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_wrong_method_answers_in_json(api):
    answer = api.put("/users/api/workitems")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [("{", JSON, 400, "malformed"), ("a=b", "text/plain", 415, "unsupported_media_type")],
)
def test_bodies_that_are_no_json_are_refused(content, kind, status, code, api, held_call):
    answer = api.post("/users/api/calls/wi_1/hold", content, content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_bug_says_nothing_about_its_inside(api, held_call, monkeypatch):
    from workitems import services

    monkeypatch.setattr(services, "execute", lambda *args, **kwargs: 1 / 0)
    api.raise_request_exception = False
    answer = api.post("/users/api/calls/wi_1/hold", content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
    assert "division" not in answer.content.decode()


@pytest.mark.parametrize(("given", "kept"), [("abc-1", True), ("a b", False), ("x" * 65, False)])
def test_a_request_has_a_name(given, kept, client):
    answer = client.get("/data/none", headers={"X-Request-Id": given})
    assert answer["X-Request-Id"] == answer.json()["requestId"]
    assert (answer["X-Request-Id"] == given) is kept


def test_a_session_needs_the_csrf_token(sue, held_call):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(sue)
    before = facts_of(held_call)
    assert browser.post("/users/api/calls/wi_1/hangup").status_code == 403
    assert facts_of(held_call) == before


def test_a_chosen_id_cannot_look_like_an_internal_one(api, queue):
    other = make_workitem(queue=queue)
    body = {"type": "InboundCall", "selectedQueue": "q_support", "workitemId": f"{other.pk:024x}"}
    answer = api.post("/data/api/types/workitem", body, content_type=JSON)
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["workitemId"])
    assert api.get(f"/users/api/workitems/{other.pk:024x}").json()["workitemId"] == other.workitem_id


def test_the_internal_id_of_an_invisible_item_tells_nothing(eve, held_call):
    api = Client(headers=bearer(eve))
    hidden, missing = f"{held_call.pk:024x}", "f" * 24
    for path in ("/users/api/calls/{}/bridge", "/users/api/calls/{}/usertransfer/sue"):
        answers = [api.post(path.format(one), content_type=JSON) for one in (hidden, missing)]
        assert [one.status_code for one in answers] == [404, 404]
        assert answers[0].json()["message"].replace(hidden, missing) == answers[1].json()["message"]


@pytest.mark.parametrize(
    "value",
    [
        '{"a": "\\ud800"}',
        '{"\\ud800": 1}',
        '{"a": 1e400}',
        '{"a": "\\u0000"}',
        '{"a": ' + "[" * 3000 + "]" * 3000 + "}",
    ],
)
def test_data_that_no_database_can_keep_is_refused(value, api, queue):
    content = '{"type": "InboundCall", "selectedQueue": "q_support", "data": ' + value + "}"
    answer = api.post("/data/api/types/workitem", content, content_type=JSON)
    assert answer.status_code == 400
    assert answer.json()["code"] in ("invalid", "malformed")
    assert not Workitem.objects.exists()


@pytest.mark.parametrize("content", ["[" * 200_000, '{"\\ud800": 1}', '{"type": "\\ud800"}', '"x"', "[]", "5"])
def test_bodies_that_are_no_objects_are_refused(content, api):
    answer = api.post("/data/api/types/workitem", content, content_type=JSON)
    assert (answer.status_code, answer.json()["code"] in ("invalid", "malformed")) == (400, True)


def test_an_address_that_grows_in_lower_case_is_refused(api, queue):
    body = {"type": "InboundEmail", "selectedQueue": "q_support", "from": "\u0130" * 253 + "@"}
    assert api.post("/data/api/types/workitem", body, content_type=JSON).status_code == 400


@pytest.mark.parametrize(
    "path", ["/users/api/workitems/a%00", "/supervisor/workitems/%00/", "/users/api/calls/x%00/hold"]
)
def test_an_address_with_a_nul_is_not_there(path, api):
    assert api.get(path).status_code == 404


def test_a_name_with_a_nul_does_not_come_in(client, db):
    answer = client.get("/provider/token-with-authorities", headers=basic("a\0b", "x"))
    assert answer.status_code == 401


@pytest.mark.parametrize("address", ["anna2025550123", "2025550123"])
def test_a_chat_handle_is_not_somebodys_number(address, api, queue):
    make_contact("Ada", phones=("+12025550123",))
    body = {"type": "Twitter", "selectedQueue": "q_support", "from": address}
    item = api.post("/data/api/types/workitem", body, content_type=JSON).json()
    assert (item["from"], item["contactId"]) == (address, "")


def test_outbound_work_is_not_put_on_people_who_do_not_work_there(api, queue, sales):
    sales.members.add(make_user("clerk"))
    body = {"type": "OutboundCall", "selectedQueue": "q_support", "agentUsername": "clerk"}
    answer = api.post("/data/api/types/workitem", body, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "agent_unavailable")
    assert not Workitem.objects.exists()


def test_who_works_in_no_queue_answers_like_nobody(api, queue):
    make_user("clerk")
    messages = []
    for name in ("clerk", "nobody"):
        body = {"type": "OutboundCall", "selectedQueue": "q_support", "agentUsername": name}
        answer = api.post("/data/api/types/workitem", body, content_type=JSON)
        messages.append((answer.status_code, answer.json()["message"].replace(name, "X")))
    assert messages[0] == messages[1] == (400, "There is no agent X.")
    assert not Workitem.objects.exists()


def test_without_a_scope_nobody_learns_who_exists(eve, sue):
    api = Client(headers=bearer(eve))
    answers = [
        api.post("/data/api/types/workitem", {"type": "OutboundCall", "agentUsername": one}, content_type=JSON).json()
        for one in ("sue", "nobody")
    ]
    assert [one["code"] for one in answers] == ["scope", "scope"]


def test_a_foreign_host_is_told_in_json(client):
    answer = client.get("/users/api/workitems", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
