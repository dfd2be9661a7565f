"""Nobody reaches what is not his: every route, method, person and placement, against a table written by hand."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver

from contacts.models import Contact
from queues.models import Queue
from tests.builders import LATER, NOON, make_presence, make_queue, make_user, make_workitem
from tests.doors import basic, bearer, personal
from tests.route_table import API, BULK, PAGE_PEOPLE, PAGES, PEOPLE, PLACEMENTS, Lists, Row
from workitems import audit
from workitems.actors import Actor
from workitems.api.models import Application, PersonalToken
from workitems.choices import WAITING, Door, Scope, State, Type
from workitems.groups import grant, grant_transfer_in
from workitems.models import (
    AuditEntry,
    BulkRun,
    ContactMerge,
    Disposition,
    Export,
    OutgoingMail,
    PolicyRun,
    Presence,
    SavedView,
    StalePolicy,
    TimeEvent,
    Transfer,
    TransferItem,
    Workitem,
)

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
HERE = {f"{scope.value.removeprefix('workitems:')}-here": scope for scope in Scope}
GROUPS = {scope.value.removeprefix("workitems:"): scope for scope in Scope}
ROUTES = [(name, method) for (name, method), _rows in groupby(API, key=lambda row: row[:2])]


def routes_of(resolver: URLResolver, space: str = "", before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Yield every route below, under its name, or its pattern where it has none."""
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from routes_of(one, f"{space}{one.namespace}:" if one.namespace else space, before + str(one.pattern))
        else:
            yield f"{space}{one.name}" if one.name else before + str(one.pattern), one


def is_for_programs(pattern: URLPattern) -> bool:
    module = getattr(pattern.callback, "cls", pattern.callback).__module__
    return module.startswith(("workitems.api.views", "workitems.api.log_in", "workitems.api.errors"))


API_ROUTES = {name: one for name, one in routes_of(get_resolver()) if is_for_programs(one)}


@dataclass
class World:
    """The people, each with the headers that he comes with, and where things are."""

    headers: dict[str, dict[str, str]]
    people: dict[str, User]
    queues: dict[str, Queue | None]
    contacts: dict[str, Contact]
    items: dict[str, Workitem]
    client: Client  # one for all, for each reads all static files


@pytest.fixture
def world(db, settings) -> World:
    settings.RATE_LIMIT_PER_MINUTE = 0
    both = [make_user(name) for name in ("holder", "agent_both")]
    queues = {
        place: make_queue(f"q_{place}", members=[*both, make_user(f"agent_{place}")]) for place in ("own", "other")
    }
    make_queue("q_target")
    make_user("agent_none")
    people = {"holder": both[0]}
    for person in PEOPLE[1:]:
        if person not in people:
            people[person] = make_user(person, is_superuser=person in ("superuser", "read-token"))
    for person, scope in HERE.items():
        grant(people[person], scope, queues["own"])
    for person, scope in GROUPS.items():
        grant(people[person], scope)
    grant(people["inactive"], Scope.ADMIN)
    headers = {person: bearer(user) for person, user in people.items()}
    headers["read-token"] = personal(people["read-token"], Scope.READ)
    User.objects.filter(username="inactive").update(is_active=False)
    Disposition.objects.create(disposition_id="d_own", name="Solved")
    contacts = {
        place: Contact.objects.create(contact_id=f"ct_{place}", display_name=place)
        for place in ("own", "other", "none")
    }
    client = Client(raise_request_exception=False)
    return World({"anonymous": {}, **headers}, people, {**queues, "none": None}, contacts, {}, client)


def arrange(world: World, row: Row) -> None:
    """Put a workitem into each place, in the state in which the command is possible."""
    if row.may_transfer_in:
        for person in (*HERE, "holder"):
            grant_transfer_in(world.people[person], Queue.objects.get(queue_id="q_target"))
    if row.state == "gone":
        return
    make_transfer("tr_own", world.people["write-here"], row.run)
    make_transfer("tr_other", world.people["write"], row.run)
    facts = dict(row.facts)
    if facts.pop("archived", False):
        facts["archived_at"] = NOON
    state = State(row.state)
    for place, queue in world.queues.items():
        if queue is None and state in WAITING:
            continue
        world.items[place] = make_workitem(
            state,
            queue=queue,
            agent=None if state is State.INQUEUE else world.people["holder"],
            workitem_id=f"wi_{place}",
            contact=world.contacts[place] if place != "none" else None,
            **{**facts, "type": Type(facts.get("type", Type.INBOUND_CALL))},
        )


def make_transfer(transfer_id: str, owner: User, state: str) -> None:
    """Make a transfer that has moved one workitem and set another one aside."""
    target = Queue.objects.get(queue_id="q_target")
    transfer = Transfer.objects.create(
        transfer_id=transfer_id, state=state, queue=target, requested_by=owner, door=Door.API, created_at=NOON,
        start_at=NOON, moved_at=NOON, total=2, done=1, failed=1,
    )  # fmt: skip
    TransferItem.objects.create(run=transfer, workitem_id="wi_own", outcome="done", version=1)
    TransferItem.objects.create(run=transfer, workitem_id="wi_none", outcome="failed", attempts=5, error="Poison")


def path_of(name: str, row: Row, place: str, world: World) -> str:
    if name.startswith("^"):
        return f"/{name[1:].split('(', maxsplit=1)[0]}/nowhere"
    prefixes = {"contact": "ct", "queue": "q", "disposition": "d"}
    prefix = next((short for kind, short in prefixes.items() if f"-{kind}-" in name), "")
    known = {
        "workitem_id": internal_id(world, place) if row.by_internal_id else f"wi_{place}",
        "object_id": f"{prefix}_{place}",
        "username": f"agent_{place}",
        "transfer_id": f"tr_{place}",
        "digit": "5",
        "user_id": "agent_both",
        "inbox_id": "q_target",
    }
    wanted = API_ROUTES[name].pattern.converters
    query = f"?{row.query}" if row.query else ""
    return reverse(name, kwargs={key: known[key] for key in wanted}) + query


def internal_id(world: World, place: str) -> str:
    return f"{world.items[place].pk if place in world.items else 10**9:024x}"


def body_of(row: Row, place: str, world: World) -> str:
    if row.body is None:
        return ""
    text = json.dumps(row.body).replace("q_{placement}", "" if place == "none" else f"q_{place}")
    return text.replace("{placement}", place).replace("{_id}", internal_id(world, place))


def ask(world: World, key: tuple[str, str, str], person: str, place: str) -> str:
    """Send the request, take its effect back, and return the cell."""
    row, headers = API[key], world.headers[person]
    if row.password:
        headers = basic(person, "right horse") if person != "anonymous" else {}
    before = written()
    with transaction.atomic():
        answer = world.client.generic(
            key[1],
            path_of(key[0], row, place, world),
            body_of(row, place, world),
            content_type="application/json",
            headers={**headers, "Accept": row.accept},
        )
        cell = cell_of(row, answer)
        if cell not in ("ok", "done") and written() != before:
            cell += " and yet something was written"
        transaction.set_rollback(True)
    return cell


def written() -> tuple[Any, ...]:
    """Tell what every change leaves behind."""
    rows = [one.objects.count() for one in (TimeEvent, AuditEntry, OutgoingMail, TransferItem)]
    runs = sorted(Transfer.objects.values_list("transfer_id", "state", "failed"))
    return *rows, runs, sorted(Presence.objects.values_list("user", "status", "capacity__voice"))


def cell_of(row: Row, answer: Any) -> str:
    if answer.status_code != row.ok:
        return str(answer.status_code)
    if row.ok == 204:
        return "ok"
    if row.cells is BULK:
        (line,) = answer.json()["results"]
        return line.get("code", line["status"])
    if isinstance(row.cells, Lists):
        return " ".join(sorted(ids_in(answer))) or "nothing"
    return "ok"


def ids_in(answer: Any) -> list[str]:
    """Return where the objects of a list are, whatever form it has."""
    if answer["Content-Type"].startswith("text/csv"):
        objects = list(csv.DictReader(answer.getvalue().decode("utf-8-sig").splitlines()))
    elif answer["Content-Type"].startswith("application/x-ndjson"):
        objects = [json.loads(line) for line in answer.getvalue().splitlines()]
    else:
        objects = answer.json()["objects"]
        assert answer.json().get("count", len(objects)) == len(objects)
        assert answer.json().get("total", len(objects)) == len(objects)
    keys = (
        "transferId",
        "workitemId",
        "queueId",
        "dispositionId",
        "username",
        "contactId",
    )  # workitems have contacts and queues too
    ids = [one[next(key for key in keys if key in one)] for one in objects]
    return [one.split("_", 1)[1] for one in ids if one not in ("holder", "agent_both")]


def differences(world: World, key: tuple[str, str, str]) -> list[str]:
    row = API[key]
    wrong = []
    with transaction.atomic():
        arrange(world, row)
        for person in PEOPLE:
            cells = row.cells[person]
            for place, expected in zip(PLACEMENTS, cells, strict=False):
                if expected == "-":
                    continue
                found = ask(world, key, person, place if len(cells) > 1 else "own")
                if found != expected:
                    wrong.append(f"{' '.join(key)}: {person}, {place}: {found} and not {expected}")
        world.items.clear()
        transaction.set_rollback(True)
    return wrong


def test_every_route_has_a_row():
    assert {name for name, _method in ROUTES} == set(API_ROUTES)


@pytest.mark.parametrize(("name", "method"), ROUTES, ids=lambda word: word)
def test_nobody_reaches_what_is_not_his(name, method, world, settings):
    keys = [key for key in API if key[:2] == (name, method)]
    if any(API[key].password for key in keys):
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        for user in world.people.values():
            user.set_password("right horse")
            user.save(update_fields=["password"])
    assert [line for key in keys for line in differences(world, key)] == []


@pytest.mark.parametrize("name", sorted(set(API_ROUTES) - {"vendor-log-in"}))  # which asks for the password first
def test_a_method_without_a_row_is_refused(name, world):
    path = path_of(name, Row(API[next(key for key in API if key[0] == name)].cells), "own", world)
    missing = [method for method in METHODS if (name, method) not in ROUTES and not name.startswith("^")]
    found = {method: world.client.generic(method, path, headers=world.headers["superuser"]) for method in missing}
    assert {method: answer.status_code for method, answer in found.items()} == dict.fromkeys(missing, 405)


@pytest.mark.parametrize("name", sorted(name for name in API_ROUTES if not name.startswith(("^", "v1-doc"))))
def test_no_method_tells_anything_without_a_token(name, world):
    path = path_of(name, Row(API[next(key for key in API if key[0] == name)].cells), "own", world)
    found = {method: world.client.generic(method, path).status_code for method in (*METHODS, "HEAD", "OPTIONS")}
    assert found == dict.fromkeys((*METHODS, "HEAD", "OPTIONS"), 401)


def test_the_document_page_asks_for_no_token_and_so_trips_over_none(world):
    assert world.client.get("/api/v1/docs", headers=world.headers["inactive"]).status_code == 200


# Pages

PAGE_ROUTES = {name: one for name, one in routes_of(get_resolver()) if name not in API_ROUTES}


@dataclass
class Places:
    """Browsers of the people, and what stands where."""

    browsers: dict[str, Client]
    known: dict[str, dict[str, Any]]


@pytest.fixture
def places(db) -> Places:
    queues = {place: make_queue(f"q_{place}", name=f"q_{place}") for place in ("own", "other")}
    people = {person: make_user(person, is_staff=person not in ("nobody", "anonymous")) for person in PAGE_PEOPLE}
    User.objects.filter(username="superuser").update(is_superuser=True)
    grant(people["read-here"], Scope.READ, queues["own"])
    for person in ("read", "write", "delete", "admin"):
        grant(people[person], GROUPS[person])
    grant(people["inactive"], Scope.ADMIN)
    known = {place: things_in(queue, place, people["superuser"]) for place, queue in queues.items()}
    known["missing"] = dict.fromkeys(known["own"], 10**9)
    shared = Client(raise_request_exception=False)
    browsers = {}
    for person, user in people.items():
        browsers[person] = Client(raise_request_exception=False)
        browsers[person].handler = shared.handler  # reads all static files once
        if person != "anonymous":
            browsers[person].force_login(user)
    User.objects.filter(username="inactive").update(is_active=False)
    return Places(browsers, known)


def things_in(queue: Queue, place: str, owner: User) -> dict[str, Any]:
    """Return the pks of one of each kind, all named after the place."""
    contact = Contact.objects.create(contact_id=f"ct_{place}", display_name=f"ct_{place}")
    item = make_workitem(
        State.ACTIVE, queue=queue, agent=make_user(f"agent_{place}"), contact=contact, workitem_id=f"wi_{place}"
    )
    gone = Contact.objects.create(contact_id=f"gone_{place}", display_name=f"gone_{place}", merged_into=contact)
    merge = ContactMerge.objects.create(
        kept=contact, gone=gone, facts={"changed": {}, "phones": [], "emails": []}, made_at=NOON, made_by=owner
    )
    transfer = Transfer.objects.create(
        transfer_id=f"tr_{place}", queue=queue, requested_by=owner, door=Door.ADMIN, created_at=NOON, start_at=NOON,
        moved_at=NOON,
    )  # fmt: skip
    policy = StalePolicy.objects.create(policy_id=f"p_{place}", name=f"p_{place}", state="inqueue", after_seconds=60)
    times = dict.fromkeys(("created_at", "start_at", "moved_at"), NOON)
    run = PolicyRun.objects.create(policy=policy, policy_version=1, terms=policy.terms(), **times)
    mail = OutgoingMail.objects.create(
        mail_id=f"ml_{place}", workitem=item, from_address="us@example.com", message_id=place, created_at=NOON,
        next_attempt_at=NOON,
    )  # fmt: skip
    token = PersonalToken.objects.create(
        user=owner, name=f"token_{place}", checksum=place, created_at=NOON, expires_at=LATER
    )
    return {
        "contacts_contact": contact.pk,
        "workitems_contactmerge": merge.pk,
        "queues_queue": queue.pk,
        "workitems_workitem": item.pk,
        "workitems_timeevent": item.time_events.get().pk,
        "workitems_disposition": Disposition.objects.create(disposition_id=f"d_{place}", name=f"d_{place}").pk,
        "workitems_transfer": transfer.pk,
        "workitems_bulkrun": BulkRun.objects.create(
            action="hold", requested_by=owner, door=Door.ADMIN, created_at=NOON, start_at=NOON, moved_at=NOON
        ).pk,
        "workitems_export": Export.objects.create(
            list_name="contacts.contact", format="csv", requested_by=owner, state="done", created_at=NOON, moved_at=NOON
        ).pk,
        "workitems_stalepolicy": policy.pk,
        "workitems_policyrun": run.pk,
        "workitems_presence": make_presence(item.agent, Presence.Status.OFFLINE).pk,
        "workitems_outgoingmail": mail.pk,
        "auth_user": item.agent_id,
        "auth_group": Group.objects.create(name=f"group_{place}").pk,
        "api_application": Application.objects.create(name=f"program_{place}", user=owner).pk,
        "api_personaltoken": token.pk,
        "workitems_savedview": SavedView.objects.create(
            view_id=f"sv_{place}", owner=owner, name=f"view_{place}", created_at=NOON, modified_at=NOON
        ).pk,
        "workitems_auditentry": audit.write("tested", place, actor=Actor.job("test"), now=NOON).pk,
    }


def page_path(name: str, case: str, places: Places) -> str:
    place = "own" if case == "-" else case
    if name == "admin/(?P<url>.*)$":
        return "/admin/nowhere/"
    if "/" in name:
        model = "_".join(name.split("/")[1:3])
        return "/" + name.replace("<path:object_id>", str(places.known[place][model]))
    model = next((one for one in places.known[place] if name.startswith(f"admin:{one}_")), "api_personaltoken")
    pk = places.known[place][model]
    arguments = {
        "workitem": [f"wi_{place}"],
        "item-look": [f"wi_{place}"],
        "item-undo": [f"wi_{place}"],
        "act": [f"wi_{place}", "note"],
        "admin:workitems_workitem_do": [pk, "note"],
        "return-all": [f"agent_{place}"],
        "agent": [f"agent_{place}"],
        "work-bulk": ["hold"],
        "work-view-update": [f"sv_{place}"],
        "work-view-delete": [f"sv_{place}"],
        "agent-presence": [f"agent_{place}"],
        "handover": [f"agent_{place}"],
        "transfer-undo": [f"wi_{place}"],
        "desk-run": [f"tr_{place}"],
        "desk-run-press": [f"tr_{place}", "cancel"],
        "account-token-revoke": [pk],
        "admin:app_list": ["contacts"],
        "account_reset_password_from_key": ["1", "key-none"],
        "mfa_remove_webauthn": [10**9],
        "mfa_edit_webauthn": [10**9],
    }.get(name, [pk] if PAGE_ROUTES[name].pattern.converters else [])
    query = "?app_label=workitems&model_name=workitem&field_name=contact&term=a" if "autocomplete" in name else ""
    query = {"transfer": f"?workitem=wi_{place}", "transfer-undo": "?version=1"}.get(name, query)
    return reverse(name, args=arguments) + query


def visit(places: Places, key: tuple[str, str, str], person: str) -> str:
    """Send the browser there, take the effect back, and return the cell."""
    name, method, case = key
    client = places.browsers[person]
    cookies = client.cookies.copy()
    note = {"version": "1", "text": "Called back."}
    bodies = {"act": note, "admin:workitems_workitem_do": note, "agent": {"capacity_voice": "-1"}}
    body = (bodies | {"agent-presence": {"status": "away"}}).get(name, {})
    with transaction.atomic():
        path = page_path(name, case, places)
        answer = client.get(path) if method == "GET" else client.post(path, body)
        transaction.set_rollback(True)
    client.cookies = cookies
    if answer.status_code not in (301, 302):
        return str(answer.status_code)
    target = answer["Location"].split("?")[0]
    return {"/login/": "in", "/admin/login/": "back", "/admin/": "index"}.get(target, "on")


def test_every_page_has_a_row():
    assert {name for name, _method, _case in PAGES} == set(PAGE_ROUTES)


@pytest.mark.parametrize("person", PAGE_PEOPLE)
def test_nobody_sees_a_page_that_is_not_for_him(person, places):
    found = {key: visit(places, key, person) for key in PAGES}
    wrong = [
        f"{' '.join(key)}: {cell} and not {PAGES[key][person]}"
        for key, cell in found.items()
        if cell != PAGES[key][person]
    ]
    assert wrong == []


@pytest.mark.parametrize("person", ["nobody", "staff", "read-here"])
def test_no_page_names_what_stands_elsewhere(person, places):
    client = places.browsers[person]
    named = []
    for key in PAGES:
        if key[1] == "GET" and PAGES[key][person] == "200":
            page = client.get(page_path(key[0], key[2], places)).content.decode()
            named += [(key, word) for word in ("wi_other", "q_other", "ct_other", "ml_other") if word in page]
    assert named == []
