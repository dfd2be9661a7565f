"""Idempotency-Key, ETag, If-Match, request names and limits: safe to retry, safe to race."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from tests.builders import facts_of, last_event, make_contact, make_queue, make_user, make_workitem
from tests.doors import bearer
from workitems.api.models import KeptAnswer
from workitems.choices import Scope, State
from workitems.groups import grant, sync_scope_groups
from workitems.models import TimeEvent, Workitem

JSON = "application/json"
CREATE = {"type": "InboundCall", "selectedQueue": "q_support"}


@pytest.fixture
def api(sue) -> Client:
    return Client(headers=bearer(sue))


@pytest.fixture
def call(queue, ann):
    return make_workitem(State.ACTIVE, queue=queue, agent=ann, workitem_id="wi_1")


def keyed(client, path, body=None, key="k-1", method="post"):
    headers = {"Idempotency-Key": key}
    return getattr(client, method)(path, {} if body is None else body, content_type=JSON, headers=headers)


# Idempotency-Key


@pytest.mark.parametrize("path", ["/api/v1/workitems", "/data/api/types/workitem"])
def test_a_request_sent_again_has_one_effect_and_the_same_answer(path, api, queue):
    first = keyed(api, path, CREATE)
    again = keyed(api, path, CREATE)
    assert Workitem.objects.count() == 1
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (again["ETag"], again["Location"]) == (first["ETag"], first["Location"])
    assert (again["Idempotent-Replayed"], "Idempotent-Replayed" in first) == ("true", False)


def test_quotes_around_a_key_do_not_matter(api, queue):
    keyed(api, "/api/v1/workitems", CREATE, key="k-1")
    assert keyed(api, "/api/v1/workitems", CREATE, key='"k-1"')["Idempotent-Replayed"] == "true"


def test_the_answer_holds_over_a_renewed_token(sue, queue):
    first = keyed(Client(headers=bearer(sue)), "/api/v1/workitems", CREATE)
    again = keyed(Client(headers=bearer(sue)), "/api/v1/workitems", CREATE)
    assert again.content == first.content


def test_a_refusal_is_kept_too(api, call):
    first = keyed(api, "/api/v1/workitems/wi_1/bridge")
    Workitem.objects.filter(pk=call.pk).update(state=State.ACCEPTED)
    again = keyed(api, "/api/v1/workitems/wi_1/bridge")
    assert (first.status_code, again.status_code) == (409, 409)
    assert again["Idempotent-Replayed"] == "true"


def test_patch_and_delete_are_kept_as_well(api, queue):
    item = make_workitem(State.DISPOSITIONED, queue=queue, workitem_id="wi_1")
    assert keyed(api, "/api/v1/workitems/wi_1", {"name": "x"}, "k-1", "patch").status_code == 200
    assert keyed(api, "/api/v1/workitems/wi_1", {"name": "x"}, "k-1", "patch")["Idempotent-Replayed"] == "true"
    assert keyed(api, "/api/v1/workitems/wi_1", None, "k-2", "delete").status_code == 204
    again = keyed(api, "/api/v1/workitems/wi_1", None, "k-2", "delete")
    assert (again.status_code, again.content) == (204, b"")
    assert facts_of(item)["events"] == 3


@pytest.mark.parametrize(
    ("path", "body"), [("/api/v1/workitems", {**CREATE, "name": "other"}), ("/api/v1/workitems?dryRun=true", CREATE)]
)
def test_the_same_key_for_another_request_is_refused(path, body, api, queue):
    keyed(api, "/api/v1/workitems", CREATE)
    answer = keyed(api, path, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    assert Workitem.objects.count() == 1


def test_a_key_belongs_to_its_principal(api, amy, queue):
    keyed(api, "/api/v1/workitems", CREATE)
    assert keyed(Client(headers=bearer(amy)), "/api/v1/workitems", CREATE).status_code == 201
    assert Workitem.objects.count() == 2


def test_a_key_is_forgotten_after_72_hours(api, queue):
    keyed(api, "/api/v1/workitems", CREATE)
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=72, seconds=1))
    assert keyed(api, "/api/v1/workitems", CREATE).status_code == 201
    assert Workitem.objects.count() == 2


@pytest.mark.parametrize("key", ["", '""', "k" * 256, "kéy"])
def test_a_key_that_is_none_is_refused(key, api, queue):
    answer = keyed(api, "/api/v1/workitems", CREATE, key=key)
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["Idempotency-Key"])
    assert not Workitem.objects.exists()


def test_what_breaks_is_not_kept_and_has_no_effect(api, queue, monkeypatch):
    from workitems.api import representation

    real = representation.workitem
    monkeypatch.setattr(representation, "workitem", lambda *given: 1 / 0)
    api.raise_request_exception = False
    assert keyed(api, "/api/v1/workitems", CREATE).status_code == 500
    assert not Workitem.objects.exists()
    monkeypatch.setattr(representation, "workitem", real)
    assert keyed(api, "/api/v1/workitems", CREATE).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_a_key_sent_five_times_at_once_has_one_effect():
    user = make_user("gateway")
    sync_scope_groups()
    grant(user, Scope.WRITE)
    make_queue("q_support")
    headers, answers, start = bearer(user), [], threading.Barrier(5)

    def send():
        start.wait()
        for _ in range(100):
            answer = keyed(Client(headers=headers), "/api/v1/workitems", CREATE)
            if answer.status_code != 409:
                break
            assert (answer.json()["code"], answer["Retry-After"]) == ("idempotency_running", "1")
        answers.append(answer.content)
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 5
    assert len(set(answers)) == 1
    assert (Workitem.objects.count(), TimeEvent.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_request_whose_connection_was_cut_has_its_answer_kept(live_server):
    sync_scope_groups()
    user = make_user("gateway")
    grant(user, Scope.WRITE)
    make_queue("q_support")
    body = json.dumps(CREATE).encode()
    head = [
        "POST /api/v1/workitems HTTP/1.1",
        f"Host: {live_server.thread.host}",
        f"Authorization: {bearer(user)['Authorization']}",
        "Idempotency-Key: k-cut",
        f"Content-Type: {JSON}",
        f"Content-Length: {len(body)}",
    ]
    with socket.create_connection((live_server.thread.host, live_server.thread.port)) as line:
        line.sendall("\r\n".join([*head, "", ""]).encode() + body)
    deadline = time.monotonic() + 10
    while not KeptAnswer.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    client = Client(headers={**bearer(user), "Idempotency-Key": "k-cut"})
    answer = client.post("/api/v1/workitems", body, content_type=JSON)
    assert (answer.status_code, answer["Idempotent-Replayed"]) == (201, "true")
    assert [item.workitem_id for item in Workitem.objects.all()] == [answer.json()["workitemId"]]


@pytest.mark.django_db(transaction=True)
def test_while_the_first_request_runs_the_second_is_told_so():
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite the second request waits for the first one's transaction and then replays its answer")
    from django.db import transaction

    from workitems.api import idempotency

    sync_scope_groups()
    user = make_user("gateway")
    grant(user, Scope.WRITE)
    make_queue("q_support")
    headers, told = bearer(user), []

    def second():
        told.append(keyed(Client(headers=headers), "/api/v1/workitems", CREATE))
        connections.close_all()

    with transaction.atomic():
        assert idempotency._claim(f"user:{user.pk}/login k-1")
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert (told[0].status_code, told[0].json()["code"], told[0]["Retry-After"]) == (409, "idempotency_running", "1")
    assert not Workitem.objects.exists()


# ETag, If-Match, If-None-Match


def test_a_single_object_has_its_version_as_etag(api, call, queue):
    contact = make_contact()
    assert api.get("/api/v1/workitems/wi_1")["ETag"] == '"1"'
    assert api.get("/users/api/workitems/wi_1")["ETag"] == '"1"'
    assert api.get(f"/api/v1/contacts/{contact.contact_id}")["ETag"] == '"1"'
    assert api.get("/api/v1/queues/q_support")["ETag"] == '"1"'
    assert api.get("/api/v1/agents/ann")["ETag"]


@pytest.mark.parametrize(
    ("given", "status"), [('"1"', 304), ('W/"1"', 304), ("*", 304), ('"2", "1"', 304), ('"2"', 200)]
)
def test_what_the_caller_has_is_not_sent_again(given, status, api, call):
    answer = api.get("/api/v1/workitems/wi_1", headers={"If-None-Match": given})
    assert answer.status_code == status
    assert (answer.content == b"") is (status == 304)
    assert answer["ETag"] == '"1"'


CHANGES = [
    ("post", "/api/v1/workitems/wi_1/hold", {}),
    ("patch", "/api/v1/workitems/wi_1", {"name": "x"}),
    ("post", "/users/api/calls/wi_1/hold", {}),
    ("post", "/workflows/api/workitems/wi_1/acd", {"priority": 5}),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
@pytest.mark.parametrize("given", ['"2"', 'W/"1"', '"x"', '"0", "7"'])
def test_a_change_of_another_version_is_refused_with_the_present_one(method, path, body, given, api, call):
    before = facts_of(call)
    answer = getattr(api, method)(path, body, content_type=JSON, headers={"If-Match": given})
    assert (answer.status_code, answer.json()["code"]) == (412, "stale_version")
    assert answer.json()["details"] == {"version": 1}
    assert facts_of(call) == before


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
@pytest.mark.parametrize("given", ['"1"', "*", '"7", "1"'])
def test_a_change_of_the_present_version_is_made(method, path, body, given, api, call):
    answer = getattr(api, method)(path, body, content_type=JSON, headers={"If-Match": given})
    assert (answer.status_code, answer["ETag"]) == (200, '"2"')


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
def test_a_tag_that_is_none_is_refused(header, api, call):
    method = api.post if header == "If-Match" else api.get
    path = "/api/v1/workitems/wi_1" + ("/hold" if header == "If-Match" else "")
    answer = method(path, content_type=JSON, headers={header: "1"})
    assert (answer.status_code, list(answer.json()["details"])) == (400, [header])


def test_contacts_queues_and_dispositions_keep_to_if_match_too(amy, queue):
    admin, contact = Client(headers=bearer(amy)), make_contact()
    for path in (f"/api/v1/contacts/{contact.contact_id}", "/api/v1/queues/q_support"):
        stale = {"If-Match": '"9"'}
        assert admin.patch(path, {}, content_type=JSON, headers=stale).status_code == 412
        assert admin.delete(path, headers=stale).status_code == 412
        assert admin.get(path).status_code == 200


# Names and limits


def test_the_event_remembers_the_request_and_the_token(api, call):
    answer = api.post("/api/v1/workitems/wi_1/hold", content_type=JSON, headers={"X-Request-Id": "crm-77"})
    event = last_event(call)
    assert (event.request_id, answer["X-Request-Id"]) == ("crm-77", "crm-77")
    assert event.token == "log-in"
    assert answer.json()["timeEvents"][-1]["requestId"] == "crm-77"


def test_a_token_and_its_successors_may_ask_so_often_a_minute(sue, amy, call, settings, time_machine):
    time_machine.move_to(timezone.now().replace(second=10, microsecond=0), tick=False)
    settings.RATE_LIMIT_PER_MINUTE = 2
    first, second, third = (Client(headers=bearer(sue)).get("/api/v1/workitems/wi_1") for _ in range(3))
    assert [one.status_code for one in (first, second, third)] == [200, 200, 429]
    assert (first["RateLimit-Limit"], first["RateLimit-Remaining"], third["RateLimit-Remaining"]) == ("2", "1", "0")
    assert int(third["Retry-After"]) <= int(third["RateLimit-Reset"]) <= 61
    assert third.json()["code"] == "throttled"
    assert Client(headers=bearer(amy)).get("/api/v1/workitems/wi_1").status_code == 200
    time_machine.shift(60)
    assert Client(headers=bearer(sue)).get("/api/v1/workitems/wi_1").status_code == 200


def test_a_body_that_is_too_large_is_refused_unread(api, call):
    before = facts_of(call)

    class Unreadable(io.RawIOBase):
        def read(self, *given):
            raise AssertionError("the body was read")

    answer = api.generic(
        "POST",
        "/api/v1/workitems/wi_1/note",
        content_type=JSON,
        **{"CONTENT_LENGTH": str(100 * 1024 * 1024), "wsgi.input": Unreadable()},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert facts_of(call) == before


def test_a_body_just_within_the_limit_is_read(api, call):
    body = b'{"text": "x"' + b" " * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE - 13) + b"}"
    assert api.post("/api/v1/workitems/wi_1/note", body, content_type=JSON).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "image/png"])
def test_a_form_that_we_do_not_speak_is_refused(accept, api, call):
    answer = api.get("/api/v1/workitems/wi_1", headers={"Accept": accept})
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")


@pytest.mark.parametrize("door", ["page", "admin"])
def test_the_other_doors_remember_the_request_too(door, sue, queue, sales):
    from tests.doors import DOORS
    from workitems.choices import Door

    item = make_workitem(queue=queue)
    DOORS[Door(door)](sue, item, sales)
    assert last_event(item).request_id.startswith("rq_")
