"""The OpenAPI document: complete, committed, never broken, with examples that work and a client that drives."""

from __future__ import annotations

import copy
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from tests.builders import make_contact, make_disposition, make_queue, make_user, make_workitem
from tests.doors import bearer
from tests.openapi_changes import breaking_changes
from workitems.api.errors import all_codes
from workitems.api.urls import documented
from workitems.api.views.document import document
from workitems.choices import Scope, State, Type
from workitems.groups import grant, sync_scope_groups

COMMITTED = settings.BASE_DIR / "docs/openapi.json"
JSON = "application/json"


def plain(made):
    return json.loads(json.dumps(made, default=str))


def committed():
    return json.loads(COMMITTED.read_text())


def test_the_document_is_valid():
    validate_schema(document())


def test_the_document_breaks_no_promise_of_the_committed_one():
    assert breaking_changes(committed(), plain(document())) == []


def test_the_committed_document_is_up_to_date():
    assert committed() == plain(document()), "make openapi writes it anew; read what has changed before you commit it"


def test_every_route_is_in_the_document():
    places = {f"/{route.pattern}".replace("<str:", "{").replace(">", "}") for route in documented}
    assert places == set(document()["paths"])


def test_every_operation_has_a_name_of_its_own():
    names = [one["operationId"] for methods in document()["paths"].values() for one in methods.values()]
    assert len(names) == len(set(names))


def test_every_error_code_is_documented_in_words():
    text = (settings.BASE_DIR / "docs/errors.md").read_text()
    assert [code for code in all_codes() if f"`{code}`" not in text] == []


def test_the_document_is_served_to_everybody(client):
    answer = client.get("/api/v1/openapi.json")
    assert answer.json() == plain(document())


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda d: d["paths"].pop("/api/v1/bulk"), "path /api/v1/bulk is gone"),
        (lambda d: d["paths"]["/api/v1/bulk"].pop("post"), "post /api/v1/bulk is gone"),
        (
            lambda d: d["components"]["schemas"]["Workitem"]["properties"].pop("state"),
            "Workitem.state is gone",
        ),
        (
            lambda d: d["components"]["schemas"]["Workitem"]["properties"]["version"].update(type="string"),
            "Workitem.version was integer, is string",
        ),
        (
            lambda d: d["components"]["schemas"]["CreateBody"]["properties"]["type"]["enum"].remove("Chat"),
            "CreateBody.type takes no Chat any more",
        ),
        (
            lambda d: d["components"]["schemas"]["CreateBody"]["required"].append("name"),
            "CreateBody.name is required now",
        ),
        (
            lambda d: d["paths"]["/api/v1/workitems"]["get"]["parameters"].pop(0),
            "get /api/v1/workitems: parameter agentUsername is gone",
        ),
        (
            lambda d: d["paths"]["/api/v1/workitems"]["post"]["responses"].pop("201"),
            "post /api/v1/workitems: answer 201 is gone",
        ),
        (
            lambda d: d["paths"]["/api/v1/bulk"]["post"].update(operationId="other"),
            "post /api/v1/bulk: doMany is called other",
        ),
    ],
)
def test_a_broken_promise_is_found(spoil, told):
    before = plain(document())
    after = copy.deepcopy(before)
    spoil(after)
    assert told in breaking_changes(before, after)


def test_what_is_only_added_breaks_nothing():
    before = plain(document())
    after = copy.deepcopy(before)
    after["paths"]["/api/v1/new"] = {"get": {"operationId": "new", "responses": {}}}
    after["components"]["schemas"]["Workitem"]["properties"]["more"] = {"type": "string"}
    assert breaking_changes(before, after) == []


# Examples


def examples():
    for place, methods in document()["paths"].items():
        for method, operation in methods.items():
            for kind in operation.get("requestBody", {}).get("content", {}).values():
                for example in kind.get("examples", {}).values():
                    yield pytest.param(method, place, example["value"], id=operation["operationId"])


def shown_as(operation, status):
    answer = operation["responses"][str(status)]
    if "$ref" in answer:
        answer = document()["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    return answer["content"]["application/json"]["schema"]


def check(shape, value):
    """Fail where a value does not have the shape that the document promises."""
    problems = Draft202012Validator({**shape, "components": document()["components"]}).iter_errors(value)
    assert [f"{one.json_path}: {one.message[:200]}" for one in problems] == []


@pytest.fixture
def centre(db):
    """What the examples talk about."""
    ann = make_user("ann")
    queue = make_queue("q_support", members=[ann])
    make_queue("q_sales")
    make_disposition()
    make_contact()
    return queue, ann


STARTS = {"offer": State.INQUEUE, "disposition": State.TERMINATED, "sendEmailResponse": State.ACCEPTED}


@pytest.mark.parametrize(("method", "place", "example"), list(examples()))
def test_examples_work_as_the_document_says(method, place, example, centre, amy):
    queue, ann = centre
    action = place.rsplit("/", 1)[-1]
    is_mail = action.lower() == "sendemailresponse"
    state = STARTS.get(action, State.ACCEPTED if is_mail else State.ACTIVE)
    make_workitem(
        state,
        queue=queue,
        agent=None if state is State.INQUEUE else ann if "usertransfer" not in place else amy,
        workitem_id="wi_1",
        type=Type.INBOUND_EMAIL if is_mail else Type.INBOUND_CALL,
        from_address="ada@example.org" if is_mail else "+12025550123",
        to_address="support@example.org" if is_mail else "+12025550100",
    )
    contact = make_contact("Kept")
    kept = {"contact": contact.contact_id, "queue": "q_sales", "disposition": "d_solved"}
    object_id = next((value for name, value in kept.items() if name in place), "")
    path = place.format(
        workitem_id="wi_1", object_id=object_id, user_id="ann", inbox_id="q_sales", digit="1",
        username="ann",
    )  # fmt: skip
    answer = getattr(Client(headers=bearer(amy)), method)(path, example, content_type=JSON)
    operation = document()["paths"][place][method]
    assert answer.status_code in (200, 201), answer.content
    check(shown_as(operation, answer.status_code), answer.json())


def test_lists_and_errors_look_as_the_document_says(centre, amy):
    queue, ann = centre
    make_workitem(State.ACTIVE, queue=queue, agent=ann, contact=make_contact(phones=("+12025550123",)))
    api = Client(headers=bearer(amy))
    for place, methods in document()["paths"].items():
        if "get" in methods and "{" not in place and "token" not in place:
            answer = api.get(place)
            check(shown_as(methods["get"], 200), answer.json())
            wrong = api.get(f"{place}?nope=1")
            check(shown_as(methods["get"], 400), wrong.json())


# A client


@pytest.mark.django_db(transaction=True)
def test_a_generated_client_drives_an_item_from_its_arrival_to_its_disposition(live_server, tmp_path, monkeypatch):
    package = tmp_path / "client"
    made = subprocess.run(
        [
            sys.executable, "-m", "openapi_python_client", "generate", "--path", str(COMMITTED), "--meta", "none",
            "--output-path", str(package), "--fail-on-warning",
        ],
        capture_output=True, text=True, check=False, env={"PATH": str(Path(sys.executable).parent)},
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    sync_scope_groups()
    ann = make_user("ann")
    grant(ann, Scope.WRITE)
    make_queue("q_support", members=[ann])
    make_disposition()

    client = importlib.import_module("client").AuthenticatedClient(
        base_url=live_server.url, token=bearer(ann)["Authorization"].split()[1], raise_on_unexpected_status=True
    )
    models = importlib.import_module("client.models")

    def call(name, *path, **given):
        return importlib.import_module(f"client.api.v1.{name}").sync(*path, client=client, **given)

    item = call(
        "create_workitem", body=models.CreateBody.from_dict({"type": "InboundCall", "selectedQueue": "q_support"})
    )
    for name in ("pull", "bridge", "hold", "unhold"):
        item = call(f"{name}_workitem", item.workitem_id)
    body = models.HangUpBody.from_dict({"reason": "customer"})
    assert call("hangup_workitem", item.workitem_id, body=body).state == "terminated"
    body = models.DispositionCommandBody.from_dict({"dispositionId": "d_solved"})
    item = call("disposition_workitem", item.workitem_id, body=body)
    assert (item.state, item.version) == ("dispositioned", 7)
    page = call("list_workitems", q="state:dispositioned")
    assert [one.workitem_id for one in page.objects] == [item.workitem_id]
