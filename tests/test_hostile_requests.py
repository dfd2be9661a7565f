"""Requests that no friendly client sends: each has a clear answer and no effect."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, connections, transaction
from django.test import Client

from tests.builders import NOON, facts_of, make_contact, make_queue, make_user, make_workitem
from tests.doors import bearer
from workitems import statements
from workitems.api.models import KeptAnswer
from workitems.choices import Scope, State
from workitems.groups import grant, sync_scope_groups
from workitems.models import TimeEvent

JSON = "application/json"

only_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")


@pytest.fixture
def api(amy) -> Client:
    return Client(headers=bearer(amy))


@pytest.fixture
def call(queue, ann):
    return make_workitem(State.ACTIVE, queue=queue, agent=ann, workitem_id="wi_1")


@pytest.mark.parametrize("path", ["/api/v1/workitems/wi_1/note", "/users/api/calls/wi_1/hold"])
def test_a_body_in_chunks_is_refused_and_not_taken_for_none(path, api, call):
    before = facts_of(call)
    answer = api.generic("POST", path, content_type=JSON, HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")
    assert facts_of(call) == before


@pytest.mark.parametrize("path", ["/api/v1/queues/q_support", "/api/v1/contacts/{contact}"])
def test_an_empty_form_changes_nothing(path, api, queue):
    path = path.format(contact=make_contact().contact_id)
    before = api.get(path).json()
    form = {"CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": "0"}
    assert api.generic("PATCH", path, **form).status_code == 200
    assert api.get(path).json() == before


@pytest.mark.parametrize("method", ["DESTROY", "PARTIAL_UPDATE", "RETRIEVE", "REQUEST", "ARGS", "_WORK", "TRACE"])
def test_a_method_is_no_name_of_ours(method, api, queue):
    item = make_workitem(State.DISPOSITIONED, queue=queue, workitem_id="wi_1")
    before = facts_of(item)
    answer = api.generic(method, "/users/api/workitems/wi_1")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert facts_of(item) == before


def test_nobody_unknown_can_have_an_answer_kept(client, db):
    for path in ("/api/v1/openapi.json", "/api/v1/workitems"):
        client.post(path, {}, content_type=JSON, headers={"Idempotency-Key": "k"})
    assert not KeptAnswer.objects.exists()


def test_an_answer_is_not_repeated_to_who_may_less_by_now(queue):
    user = make_user("gateway")
    grant(user, Scope.WRITE, queue)
    make_workitem(State.ACTIVE, queue=queue, agent=make_user("zoe"), workitem_id="wi_1")
    given = {"content_type": JSON, "headers": {"Idempotency-Key": "k"}}
    assert Client(headers=bearer(user)).post("/api/v1/workitems/wi_1/hold", {}, **given).status_code == 200
    user.queueuserobjectpermission_set.all().delete()
    again = Client(headers=bearer(user)).post("/api/v1/workitems/wi_1/hold", {}, **given)
    assert (again.status_code, again.json()["code"]) == (403, "rights_changed")


def test_a_missing_right_is_not_kept(queue):
    user = make_user("gateway")
    grant(user, Scope.READ, queue)
    make_workitem(State.ACTIVE, queue=queue, agent=make_user("zoe"), workitem_id="wi_1")
    given = {"content_type": JSON, "headers": {"Idempotency-Key": "k"}}
    assert Client(headers=bearer(user)).post("/api/v1/workitems/wi_1/hold", {}, **given).status_code == 403
    grant(user, Scope.WRITE, queue)
    assert Client(headers=bearer(user)).post("/api/v1/workitems/wi_1/hold", {}, **given).status_code == 200


def test_a_bulk_tells_nobody_who_exists(eve, sue):
    api = Client(headers=bearer(eve))
    lines = [{"workitemId": "wi_none", "action": "offer", "agentUsername": name} for name in ("sue", "nobody")]
    results = api.post("/api/v1/bulk", {"commands": lines}, content_type=JSON).json()["results"]
    assert [one["code"] for one in results] == ["not_found", "not_found"]


@pytest.mark.parametrize("given", ["\x00", "a\x00b", "f" * 24, "x" * 5000, ""])
def test_an_id_that_is_none_is_not_found_in_a_bulk(given, api):
    lines = [{"workitemId": given, "action": "hold"}]
    result = api.post("/api/v1/bulk", {"commands": lines}, content_type=JSON).json()["results"][0]
    assert result["status"] == "refused"


@pytest.mark.parametrize("path", ["/api/v1/bulk", "/api/v1/workitems/wi_1/edit"])
@pytest.mark.parametrize("depth", [101, 254, 255, 1000])
def test_what_nests_too_deep_is_refused(path, depth, api, call):
    before = facts_of(call)
    inner = '{"workitemId": "wi_1", "action": "edit", "data": {"a": ' + "[" * depth + "]" * depth + "}}"
    body = '{"commands": [' + inner + "]}" if "bulk" in path else inner
    answer = api.post(path, body, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert facts_of(call) == before


def test_agents_are_not_searched_by_what_is_not_shown(api):
    for q in ("queue:q_sales", "email:a*"):
        assert api.get("/api/v1/agents", {"q": q}).json()["code"] == "search"


def test_a_long_name_has_a_cursor_that_is_taken(api):
    for n in range(2):
        make_contact("Ж" * 195 + str(n))
    cursor = api.get("/api/v1/contacts?rows=1").json()["next"]
    assert api.get("/api/v1/contacts", {"rows": 1, "cursor": cursor}).json()["count"] == 1


@pytest.mark.parametrize("query", ["contactId=", "agentUsername=", "from="])
def test_an_empty_filter_is_refused_and_not_ignored(query, api):
    assert api.get(f"/api/v1/workitems?{query}").status_code == 400


def test_a_quoted_word_does_not_open_the_archive(api, queue):
    make_workitem(State.DISPOSITIONED, queue=queue, archived_at=NOON, name="x")
    assert api.get("/api/v1/workitems", {"q": 'NOT name:"archived:x"'}).json()["total"] == 0


def test_a_change_in_the_back_office_moves_the_version_on_and_a_look_does_not(amy, api):
    amy.is_superuser = True
    amy.save()
    contact = make_contact()
    browser = Client()
    browser.force_login(amy)
    form = {"display_name": "Ada L", "source": "", "external_id": "", "notes": "", "data": "{}"}
    for part in ("phones", "emails"):
        form |= {f"{part}-TOTAL_FORMS": "0", f"{part}-INITIAL_FORMS": "0"}
    page = f"/admin/contacts/contact/{contact.pk}/change/"
    form["seen"] = browser.get(page).context["adminform"].form.seen_token
    assert browser.post(page, form).status_code == 302
    assert api.get(f"/api/v1/contacts/{contact.contact_id}")["ETag"] == '"2"'
    form["seen"] = browser.get(page).context["adminform"].form.seen_token
    assert browser.post(page, form).status_code == 302
    assert api.get(f"/api/v1/contacts/{contact.contact_id}")["ETag"] == '"2"'


# PostgreSQL


@only_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_wait_for_a_lock_ends_as_busy():
    sync_scope_groups()
    user = make_user("gateway")
    grant(user, Scope.WRITE)
    item = make_workitem(State.ACTIVE, queue=make_queue(), agent=user, workitem_id="wi_1")
    answers = []

    def ask():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        answers.append(Client(headers=headers).post("/api/v1/workitems/wi_1/hold", {}, content_type=JSON))
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
        connections.close_all()

    headers = bearer(user)
    with transaction.atomic():
        type(item).objects.select_for_update().get(pk=item.pk)
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert (answers[0].status_code, answers[0].json()["code"], answers[0]["Retry-After"]) == (503, "busy", "1")


@only_postgresql
@pytest.mark.django_db(transaction=True)
def test_bulks_with_keys_in_opposite_order_do_not_deadlock():
    sync_scope_groups()
    user = make_user("gateway")
    grant(user, Scope.WRITE)
    queue = make_queue()
    ids = [make_workitem(State.ACTIVE, queue=queue, agent=user).workitem_id for _ in range(30)]
    headers, statuses, start = bearer(user), [], threading.Barrier(4)

    def send(number):
        order = ids if number % 2 else ids[::-1]
        lines = [{"workitemId": one, "action": "note", "text": f"{number} {one}"} for one in order]
        start.wait()
        client = Client(headers={**headers, "Idempotency-Key": f"k-{number}"}, raise_request_exception=False)
        statuses.append(client.post("/api/v1/bulk", {"commands": lines}, content_type=JSON).status_code)
        connections.close_all()

    threads = [threading.Thread(target=send, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 4
    assert TimeEvent.objects.filter(type="note").count() == 120


@only_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_statement_is_planned_once_and_survives_a_change_of_its_columns():
    make_user("ada")
    sql = "SELECT username FROM auth_user WHERE username = %s"
    assert statements.fetch(sql, ["ada"]) == [("ada",)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT username%%'", [])
        assert cursor.fetchone() == (1,)
        cursor.execute("ALTER TABLE auth_user ALTER username TYPE varchar(151)")
    try:
        assert statements.fetch(sql, ["ada"]) == [("ada",)]
        assert statements.fetch(sql, ["ada"]) == [("ada",)]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE auth_user ALTER username TYPE varchar(150)")
