"""Ids of what one may not see answer like missing ones, and no body or form changes what it is not for."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import models, transaction
from django.test import Client
from django.urls import reverse

from contacts.models import Contact
from queues.models import Queue
from tests.builders import LATER, NOON, facts_of, make_contact, make_disposition, make_user, make_workitem
from tests.doors import bearer, browser
from workitems.api.models import PersonalToken
from workitems.choices import Door, Scope, State
from workitems.groups import grant
from workitems.models import AuditEntry, Disposition, Transfer, Workitem

JSON = "application/json"
CALL = {"type": "InboundCall", "selectedQueue": "q_support", "from": "+12025550123"}
OUTBOUND = {"type": "OutboundCall", "selectedQueue": "q_support", "to": "+12025550123"}


@pytest.fixture(autouse=True)
def unlimited(settings):
    settings.RATE_LIMIT_PER_MINUTE = 0


@pytest.fixture
def wes(queue) -> User:
    """Staff with the write scope on the queue q_support, and nothing else."""
    user = make_user("wes", is_staff=True)
    grant(user, Scope.WRITE, queue)
    return user


@pytest.fixture
def item(queue, ann) -> Workitem:
    """What he may change."""
    return make_workitem(State.ACTIVE, queue=queue, agent=ann, contact=make_contact("Ada"), workitem_id="wi_1")


@pytest.fixture
def hidden(sales) -> Workitem:
    """What he may not see: a workitem with its contact, queue and agent."""
    agent = make_user("hal")
    sales.members.add(agent)
    contact = Contact.objects.create(contact_id="ct_hidden", display_name="Hidden")
    return make_workitem(State.ACTIVE, queue=sales, agent=agent, contact=contact, workitem_id="wi_hidden", id=987_001)


def answer_in_words(client: Client, method: str, path: str, body: Any, given: str) -> tuple[int, str]:
    """Return what comes back, with the id that was given and the request's own taken out."""
    with transaction.atomic():
        answer = client.generic(method, path, "" if body is None else json.dumps(body), content_type=JSON)
        transaction.set_rollback(True)
    text = re.sub(r"rq_\w+", "REQUEST", answer.content.decode())
    return answer.status_code, text.replace(given, "ID")


# Each place where a program names something: method, path, body; ID stands for the id.

QUEUE_PLACES = [
    ("POST", "/api/v1/workitems", {**CALL, "selectedQueue": "ID"}),
    ("POST", "/api/v1/workitems?dryRun=true", {**CALL, "selectedQueue": "ID"}),
    ("POST", "/api/v1/workitems", {**OUTBOUND, "selectedQueue": "ID"}),
    ("POST", "/data/api/types/workitem", {**CALL, "selectedQueue": "ID"}),
    ("POST", "/data/api/types/workitem", {**OUTBOUND, "selectedQueue": "ID"}),
    ("POST", "/api/v1/workitems/wi_1/transfer", {"selectedQueue": "ID"}),
    ("POST", "/api/v1/workitems/wi_1/transfer?dryRun=true", {"selectedQueue": "ID"}),
    ("POST", "/api/v1/bulk", {"commands": [{"workitemId": "wi_1", "action": "transfer", "selectedQueue": "ID"}]}),
    ("POST", "/users/api/calls/wi_1/queuetransfer/ID", None),
    ("POST", "/users/api/calls/wi_1/queuetransfer/ID", {"inboxId": "ID"}),
    ("POST", "/users/api/calls/wi_1/queuetransfer/q_support", {"inboxId": "ID"}),
    ("GET", "/api/v1/workitems?selectedQueue=ID", None),
    ("GET", "/api/v1/workitems?q=selectedQueue:ID", None),
    ("GET", "/api/v1/queues/ID", None),
    ("PATCH", "/api/v1/queues/ID", {"name": "Mine"}),
    ("DELETE", "/api/v1/queues/ID", None),
    ("GET", "/data/api/types/queue/ID", None),
    ("PATCH", "/data/api/types/queue/ID", {"name": "Mine"}),
    ("DELETE", "/data/api/types/queue/ID", None),
    ("GET", "/api/v1/queues?queueId=ID", None),
    ("GET", "/api/v1/queues?q=queueId:ID", None),
    ("POST", "/api/v1/transfers", {"workitemIds": ["wi_1"], "selectedQueue": "ID"}),
    ("POST", "/api/v1/transfers?dryRun=true", {"workitemIds": ["wi_1"], "selectedQueue": "ID"}),
    ("POST", "/api/v1/transfers?dryRun=true", {"q": "selectedQueue:ID", "selectedQueue": "q_support"}),
]
CONTACT_PLACES = [
    ("POST", "/api/v1/workitems", {**CALL, "contactId": "ID"}),
    ("POST", "/data/api/types/workitem", {**OUTBOUND, "contactId": "ID"}),
    ("POST", "/api/v1/workitems/wi_1/edit", {"contactId": "ID"}),
    ("PATCH", "/api/v1/workitems/wi_1", {"contactId": "ID"}),
    ("PATCH", "/data/api/types/workitem/wi_1", {"contactId": "ID"}),
    ("POST", "/api/v1/bulk", {"commands": [{"workitemId": "wi_1", "action": "edit", "contactId": "ID"}]}),
    ("GET", "/api/v1/workitems?contactId=ID", None),
    ("GET", "/api/v1/workitems?q=contactId:ID", None),
    ("GET", "/api/v1/contacts/ID", None),
    ("PATCH", "/api/v1/contacts/ID", {"company": "Mine"}),
    ("DELETE", "/api/v1/contacts/ID", None),
    ("GET", "/data/api/types/contact/ID", None),
    ("PATCH", "/data/api/types/contact/ID", {"company": "Mine"}),
    ("DELETE", "/data/api/types/contact/ID", None),
    ("GET", "/api/v1/contacts?contactId=ID", None),
    ("GET", "/api/v1/contacts?q=contactId:ID", None),
]
WORKITEM_PLACES = [
    ("GET", "/api/v1/workitems/ID", None),
    ("PATCH", "/api/v1/workitems/ID", {"name": "Mine"}),
    ("DELETE", "/api/v1/workitems/ID", None),
    ("GET", "/api/v1/workitems/ID/actions", None),
    ("GET", "/api/v1/workitems/ID/timeline", None),
    ("POST", "/api/v1/workitems/ID/hold", None),
    ("POST", "/api/v1/workitems/ID/hold?dryRun=true", None),
    ("POST", "/api/v1/workitems/ID/note", {"text": "Mine"}),
    ("POST", "/api/v1/workitems/ID/edit", {"name": "Mine"}),
    ("POST", "/api/v1/workitems/ID/transfer", {"selectedQueue": "q_support"}),
    ("POST", "/api/v1/workitems/ID/transfer", {"selectedQueue": "q_none"}),
    ("POST", "/api/v1/workitems/ID/reopen", None),
    ("POST", "/api/v1/workitems/ID/purge", None),
    ("POST", "/api/v1/bulk", {"commands": [{"workitemId": "ID", "action": "note", "text": "Mine"}]}),
    ("POST", "/api/v1/bulk", {"commands": [{"workitemId": "ID", "action": "hold", "ifVersion": 1}]}),
    ("POST", "/api/v1/bulk", {"commands": [{"workitemId": "ID", "action": "hold", "ifVersion": 9}]}),
    ("POST", "/api/v1/bulk?dryRun=true", {"commands": [{"workitemId": "ID", "action": "hold"}]}),
    (
        "POST",
        "/api/v1/bulk",
        {"commands": [{"workitemId": one, "action": "note", "text": "Mine"} for one in ("wi_1", "ID")]},
    ),
    ("GET", "/users/api/workitems/ID", None),
    ("POST", "/users/api/workitems/ID/sendemailresponse", {"bodyParts": [{"content": "Mine"}]}),
    ("POST", "/users/api/calls/ID/bridge", None),
    ("POST", "/users/api/calls/ID/hold", None),
    ("DELETE", "/users/api/calls/ID/hold", None),
    ("POST", "/users/api/calls/ID/hangup", None),
    ("POST", "/users/api/calls/ID/mute", None),
    ("DELETE", "/users/api/calls/ID/mute", None),
    ("POST", "/users/api/calls/ID/dtmf/5", None),
    ("POST", "/users/api/calls/ID/usertransfer/ann", None),
    ("POST", "/users/api/calls/ID/queuetransfer/q_support", None),
    ("POST", "/users/api/calls/wi_1/bridge", {"workitemId": "ID"}),
    ("POST", "/users/api/calls/wi_1/hold", {"workitemId": "ID"}),
    ("DELETE", "/users/api/calls/wi_1/hold", {"workitemId": "ID"}),
    ("POST", "/users/api/calls/wi_1/hangup", {"workitemId": "ID"}),
    ("POST", "/users/api/calls/wi_1/mute", {"workitemId": "ID"}),
    ("DELETE", "/users/api/calls/wi_1/mute", {"workitemId": "ID"}),
    ("POST", "/users/api/calls/wi_1/dtmf/5", {"workitemId": "ID"}),
    ("POST", "/users/api/calls/wi_1/usertransfer/ben", {"workitemId": "ID"}),
    ("POST", "/workflows/api/workitems/wi_1/acd", {"workitemId": "ID", "priority": 5}),
    ("PATCH", "/api/v1/workitems/wi_1", {"workitemId": "ID", "name": "Mine"}),
    ("PATCH", "/data/api/types/workitem/wi_1", {"workitemId": "ID", "name": "Mine"}),
    ("POST", "/workflows/api/workitems/ID/acd", {"priority": 5}),
    ("GET", "/data/api/types/workitem/ID", None),
    ("PATCH", "/data/api/types/workitem/ID", {"name": "Mine"}),
    ("DELETE", "/data/api/types/workitem/ID", None),
    ("GET", "/api/v1/workitems?workitemId=ID", None),
    ("POST", "/api/v1/workitems/ID/returnToQueue", None),
    ("POST", "/api/v1/workitems/ID/exempt", {"until": None}),
    ("POST", "/api/v1/transfers?dryRun=true", {"workitemIds": ["wi_1", "ID"], "selectedQueue": "q_support"}),
    ("POST", "/api/v1/transfers?dryRun=true", {"workitemIds": ["ID"], "agentUsername": "ann", "seenAt": 1}),
    ("POST", "/api/v1/transfers?dryRun=true", {"q": "workitemId:ID", "selectedQueue": "q_support"}),
]
# An agent of another queue may be sent work; that somebody exists who cannot be must not show.
AGENT_PLACES = [
    ("GET", "/api/v1/agents/ID", None),
    ("GET", "/api/v1/agents?username=ID", None),
    ("GET", "/api/v1/workitems?agentUsername=ID", None),
    ("GET", "/api/v1/workitems?q=agentUsername:ID", None),
    ("POST", "/api/v1/agents/ID/presence", {"presence": "away"}),
    ("POST", "/api/v1/agents/ID/presence", {"presence": "nowhere"}),
    ("POST", "/api/v1/agents/ID/capacity", {"capacity": {"voice": 9}}),
    ("POST", "/api/v1/agents/ID/returnAll", None),
]
GIVING_PLACES = [
    ("POST", "/api/v1/workitems/wi_2/offer", {"agentUsername": "ID"}),
    ("POST", "/api/v1/workitems/wi_1/transfer", {"agentUsername": "ID"}),
    ("POST", "/api/v1/workitems", {**OUTBOUND, "agentUsername": "ID"}),
    ("POST", "/data/api/types/workitem", {**OUTBOUND, "agentUsername": "ID"}),
    ("POST", "/api/v1/bulk", {"commands": [{"workitemId": "wi_1", "action": "transfer", "agentUsername": "ID"}]}),
    ("POST", "/users/api/calls/wi_1/usertransfer/ID", None),
    ("POST", "/users/api/calls/wi_1/usertransfer/ID", {"userId": "ID"}),
    ("POST", "/api/v1/transfers", {"workitemIds": ["wi_1"], "agentUsername": "ID"}),
    ("POST", "/api/v1/transfers?dryRun=true", {"workitemIds": ["wi_1"], "agentUsername": "ID"}),
]
# Whose transfer it is says the requester, not the queue.
TRANSFER_PLACES = [
    ("GET", "/api/v1/transfers/ID", None),
    ("GET", "/api/v1/transfers/ID/items", None),
    *(("POST", f"/api/v1/transfers/ID/{verb}", None) for verb in ("pause", "resume", "cancel", "retry", "undo")),
]


def compare(client: Client, place: tuple[str, str, Any], hidden: str, missing: str) -> None:
    method, path, body = place
    told = [
        answer_in_words(client, method, path.replace("ID", one), _named(body, one), one) for one in (hidden, missing)
    ]
    assert told[0] == told[1]


def _named(body: Any, given: str) -> Any:
    return None if body is None else json.loads(json.dumps(body).replace('"ID"', json.dumps(given)))


@pytest.mark.parametrize("place", QUEUE_PLACES, ids=lambda place: f"{place[0]} {place[1]}")
def test_a_hidden_queue_answers_like_a_missing_one(place, wes, item, hidden):
    compare(Client(headers=bearer(wes)), place, "q_sales", "q_nones")


@pytest.mark.parametrize("place", CONTACT_PLACES, ids=lambda place: f"{place[0]} {place[1]}")
def test_a_hidden_contact_answers_like_a_missing_one(place, wes, item, hidden):
    compare(Client(headers=bearer(wes)), place, "ct_hidden", "ct_absent")


@pytest.mark.parametrize("place", WORKITEM_PLACES, ids=lambda place: f"{place[0]} {place[1]}")
def test_a_hidden_workitem_answers_like_a_missing_one(place, wes, item, hidden):
    client = Client(headers=bearer(wes))
    compare(client, place, "wi_hidden", "wi_absent")
    compare(client, place, f"{hidden.pk:024x}", f"{hidden.pk + 1000:024x}")


@pytest.mark.parametrize("place", AGENT_PLACES, ids=lambda place: f"{place[0]} {place[1]}")
def test_a_hidden_agent_answers_like_a_missing_one(place, wes, item, hidden):
    compare(Client(headers=bearer(wes)), place, "hal", "nil")


@pytest.mark.parametrize("place", TRANSFER_PLACES, ids=lambda place: f"{place[0]} {place[1]}")
def test_somebody_elses_transfer_answers_like_a_missing_one(place, wes, sue, queue):
    Transfer.objects.create(
        transfer_id="tr_hidden", queue=queue, requested_by=sue, door=Door.API, created_at=NOON, start_at=NOON,
        moved_at=NOON,
    )  # fmt: skip
    compare(Client(headers=bearer(wes)), place, "tr_hidden", "tr_absent")


@pytest.mark.parametrize("place", GIVING_PLACES, ids=lambda place: f"{place[0]} {place[1]}")
def test_somebody_who_cannot_be_given_work_answers_like_a_missing_one(place, wes, item, queue):
    make_workitem(State.INQUEUE, queue=queue, workitem_id="wi_2")
    make_user("uta")
    compare(Client(headers=bearer(wes)), place, "uta", "nil")


def test_numbers_of_people_tell_no_names(wes, item):
    uta = make_user("uta")
    answer = Client(headers=bearer(wes)).post(f"/users/api/calls/wi_1/usertransfer/{uta.pk}", content_type=JSON)
    assert "uta" not in answer.content.decode()


# Fields: all those of the models, and all those on the wire

KINDS = ("workitem", "contact", "queue", "disposition")
PLACES = {
    "workitem": ("/api/v1/workitems", "/data/api/types/workitem"),
    "contact": ("/api/v1/contacts", "/data/api/types/contact"),
    "queue": ("/api/v1/queues", "/data/api/types/queue"),
    "disposition": ("/api/v1/dispositions", "/data/api/types/disposition"),
}
MODELS = {"workitem": Workitem, "contact": Contact, "queue": Queue, "disposition": Disposition}
PUBLIC_ID = {"workitem": "workitemId", "contact": "contactId", "queue": "queueId", "disposition": "dispositionId"}
EDITABLE = {
    "workitem": {"name", "contactId", "currentStateName", "data", "from", "to", "priority"},
    "contact": {
        "displayName", "firstName", "lastName", "company", "phones", "emails", "source", "externalId", "blocked",
        "notes", "data",
    },
    "queue": {
        "name", "description", "channels", "slaSeconds", "isOpen", "priority", "shortAbandonSeconds",
        "offerTimeoutSeconds", "wrapUpSeconds", "offersAutomatically", "members", "supervisors",
    },
    "disposition": {"name", "resolved", "types", "isActive"},
}  # fmt: skip
CREATABLE = {
    "workitem": EDITABLE["workitem"] | {"type", "channelType", "workitemId", "selectedQueue", "agentUsername"},
    "contact": EDITABLE["contact"] | {"contactId"},
    "queue": EDITABLE["queue"] | {"queueId"},
    "disposition": EDITABLE["disposition"] | {"dispositionId"},
}
NEW = {
    "workitem": CALL,
    "contact": {"displayName": "Bob"},
    "queue": {"queueId": "q_new", "name": "New"},
    "disposition": {"dispositionId": "d_new", "name": "New"},
}
OTHERS = {"is_superuser": True, "is_staff": True, "user": 1, "owner": 1, "tenant": "x", "groups": [], "__class__": "x"}


@pytest.fixture
def kept(queue, ann, amy) -> dict[str, models.Model]:
    """One of each kind."""
    contact = make_contact("Ada", phones=("+12025550123",), emails=("ada@example.com",))
    return {
        "workitem": make_workitem(State.ACTIVE, queue=queue, agent=ann, contact=contact, workitem_id="wi_1"),
        "contact": contact,
        "queue": queue,
        "disposition": make_disposition(),
    }


def public_id(kept: dict[str, models.Model], kind: str) -> str:
    return getattr(kept[kind], f"{kind}_id")


def fields_of(kind: str, client: Client, kept: dict[str, models.Model]) -> dict[str, Any]:
    """Return every field's name on the wire and in the model, each with a value that it has or could have."""
    names = {name for one in MODELS[kind]._meta.get_fields() for name in (one.name, getattr(one, "attname", one.name))}
    wire = client.get(f"{PLACES[kind][0]}/{public_id(kept, kind)}").json()
    return {**dict.fromkeys(sorted(names | {"pk", "id"}), 1), **OTHERS, **wire}


def everything() -> dict[str, Any]:
    """Return all rows of all kinds."""
    rows = {kind: list(model.objects.order_by("pk").values()) for kind, model in MODELS.items()}
    channels = list(Queue.objects.order_by("pk", "channel_rows").values("channel_rows__channel", "members"))
    addresses = list(Contact.objects.order_by("pk").values("phones__number", "emails__address"))
    return {**rows, "channels": channels, "addresses": addresses, "audits": AuditEntry.objects.count()}


@pytest.mark.parametrize("surface", [0, 1], ids=["v1", "vendor"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_change_takes_editable_fields_only(kind, surface, kept, amy):
    client = Client(headers=bearer(amy))
    path = f"{PLACES[kind][surface]}/{public_id(kept, kind)}"
    fields = fields_of(kind, client, kept)
    assert set(fields) >= EDITABLE[kind]
    before = everything()
    taken = set()
    assert client.patch(path, {PUBLIC_ID[kind]: fields.pop(PUBLIC_ID[kind])}, content_type=JSON).status_code == 200
    assert everything() == before
    for name, value in fields.items():
        with transaction.atomic():
            answer = client.patch(path, {name: value}, content_type=JSON)
            if answer.status_code == 400 and "Unknown field" in answer.json()["details"].get(name, [""])[0]:
                assert everything() == before, name
            else:
                taken.add(name)
            transaction.set_rollback(True)
    assert taken == EDITABLE[kind]
    assert client.patch(path, fields, content_type=JSON).status_code == 400
    assert everything() == before


@pytest.mark.parametrize("given", ["x_new", "1", ""])
@pytest.mark.parametrize("surface", [0, 1], ids=["v1", "vendor"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_id_cannot_be_changed(kind, surface, given, kept, amy):
    path = f"{PLACES[kind][surface]}/{public_id(kept, kind)}"
    before = everything()
    answer = Client(headers=bearer(amy)).patch(path, {PUBLIC_ID[kind]: given}, content_type=JSON)
    assert answer.status_code == 400
    assert everything() == before


@pytest.mark.parametrize("surface", [0, 1], ids=["v1", "vendor"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_one_takes_its_own_fields_only(kind, surface, kept, amy):
    client = Client(headers=bearer(amy))
    path = PLACES[kind][surface]
    fields = fields_of(kind, client, kept)
    before = everything()
    taken = set()
    for name, value in fields.items():
        with transaction.atomic():
            answer = client.post(path, {**NEW[kind], name: value}, content_type=JSON)
            if answer.status_code == 400 and "Unknown field" in answer.json()["details"].get(name, [""])[0]:
                assert everything() == before, name
            else:
                taken.add(name)
            transaction.set_rollback(True)
    assert taken == CREATABLE[kind]
    assert client.post(path, {**fields, **NEW[kind]}, content_type=JSON).status_code == 400
    assert everything() == before


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_editable_is_the_only_thing_that_changes(kind, kept, amy):
    """All editable fields at once, with other values: the columns that are not theirs stay as they are."""
    client = Client(headers=bearer(amy))
    other = Contact.objects.create(contact_id="ct_2", display_name="Bob")
    body = {
        "workitem": {
            "name": "B", "contactId": other.contact_id, "currentStateName": "b", "data": {"b": 1},
            "from": "+12025550111", "to": "+12025550112", "priority": 5,
        },
        "contact": {
            "displayName": "B", "firstName": "B", "lastName": "B", "company": "B", "phones": [], "emails": [],
            "source": "b", "externalId": "b", "blocked": True, "notes": "b", "data": {"b": 1},
        },
        "queue": {
            "name": "B", "description": "b", "channels": ["voice"], "slaSeconds": {"voice": 1}, "isOpen": False,
            "priority": 1, "shortAbandonSeconds": 1, "offerTimeoutSeconds": 1, "wrapUpSeconds": 1,
            "offersAutomatically": True, "members": [], "supervisors": [],
        },
        "disposition": {"name": "B", "resolved": False, "types": ["Chat"], "isActive": False},
    }[kind]  # fmt: skip
    assert set(body) == EDITABLE[kind]
    own = {
        "workitem": {"name", "contact_id", "current_state_name", "data", "from_address", "to_address", "priority"},
        "contact": {
            "display_name", "first_name", "last_name", "company", "source", "external_id", "is_blocked", "notes",
            "data",
        },
        "queue": {
            "name", "description", "is_open", "priority", "short_abandon_seconds", "offer_timeout_seconds",
            "wrap_up_seconds", "offers_automatically",
        },
        "disposition": {"name", "is_resolved", "types", "is_active"},
    }[kind]  # fmt: skip
    before = row_of(kept[kind])
    assert client.patch(f"{PLACES[kind][0]}/{public_id(kept, kind)}", body, content_type=JSON).status_code == 200
    assert changed(before, kept[kind]) - {"modified_at"} == own | {"version"}


def row_of(one: models.Model) -> dict[str, Any]:
    return type(one)._default_manager.filter(pk=one.pk).values().get()


def changed(before: dict[str, Any], one: models.Model) -> set[str]:
    after = row_of(one)
    return {name for name in before if before[name] != after[name]}


COMMAND_FIELDS = {
    "offer": {"agentUsername"},
    "accept": set(),
    "reject": set(),
    "returnToQueue": {"keepsPlace"},
    "pull": set(),
    "bridge": set(),
    "hold": set(),
    "unhold": set(),
    "mute": set(),
    "unmute": set(),
    "dtmf": {"tones"},
    "conference": {"participant"},
    "leaveConference": set(),
    "hangup": {"reason"},
    "transfer": {"selectedQueue", "agentUsername", "eventName", "recording", "survey", "ringAll", "priority"},
    "priority": {"priority"},
    "sendEmailResponse": {
        "from", "to", "subject", "bodyParts", "toAddresses", "ccAddresses", "bccAddresses", "createdAt",
    },
    "edit": {"name", "contactId", "currentStateName", "data", "from", "to"},
    "note": {"text", "type", "details"},
    "disposition": {"dispositionId", "note"},
    "exempt": {"until"},
    "reopen": set(),
    "archive": set(),
    "unarchive": set(),
    "purge": set(),
}  # fmt: skip


@pytest.mark.parametrize("action", COMMAND_FIELDS)
def test_a_command_takes_its_own_fields_only(action, kept, amy):
    client = Client(headers=bearer(amy))
    before = facts_of(kept["workitem"])
    fields = fields_of("workitem", client, kept)
    strange = {name: value for name, value in fields.items() if name not in COMMAND_FIELDS[action]}
    for name, value in strange.items():
        answer = client.post(f"/api/v1/workitems/wi_1/{action}", {name: value}, content_type=JSON)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), name
        assert name in answer.json()["details"]
    line = {**strange, "workitemId": "wi_1", "action": action}
    answer = client.post("/api/v1/bulk", {"commands": [line]}, content_type=JSON).json()
    assert (answer["refused"], answer["results"][0]["code"]) == (1, "invalid")
    assert facts_of(kept["workitem"]) == before


VENDOR_COMMANDS = [
    ("/users/api/calls/wi_1/bridge", set()),
    ("/users/api/calls/wi_1/hold", {"hold"}),
    ("/users/api/calls/wi_1/hangup", {"reason"}),
    ("/users/api/calls/wi_1/mute", set()),
    ("/users/api/calls/wi_1/dtmf/5", set()),
    ("/users/api/calls/wi_1/usertransfer/ben", {"userId", "workitemId", "eventName", "recording", "survey"}),
    (
        "/users/api/calls/wi_1/queuetransfer/q_sales",
        {"inboxId", "workitemId", "eventName", "recording", "ringAll", "survey"},
    ),
    ("/workflows/api/workitems/wi_1/acd", {"priority"}),
    ("/users/api/workitems/wi_1/sendemailresponse", COMMAND_FIELDS["sendEmailResponse"]),
]


@pytest.mark.parametrize(("path", "own"), VENDOR_COMMANDS, ids=[path for path, _own in VENDOR_COMMANDS])
def test_a_vendor_command_takes_its_own_fields_only(path, own, kept, sales, amy):
    client = Client(headers=bearer(amy))
    before = facts_of(kept["workitem"])
    for name, value in fields_of("workitem", client, kept).items():
        if name not in own | {"workitemId"}:  # which may be repeated
            answer = client.post(path, {name: value}, content_type=JSON)
            assert answer.status_code == 400
            assert name in answer.json()["details"]
    assert facts_of(kept["workitem"]) == before


# The item page's forms

FORM_CASES = {
    "hangup": (
        "active",
        {"reason": "customer"},
        {"state", "current_state_name", "state_changed_at", "terminated_at", "ended_by"},
    ),
    "offer": (
        "inqueue",
        {"agent": "BEN"},
        {"state", "current_state_name", "state_changed_at", "agent_id", "offer_expires_at"},
    ),
    "transfer": (
        "active",
        {"target": "queue:q_sales"},
        {"state", "current_state_name", "state_changed_at", "queue_id", "queued_at", "agent_id", "assigned_at"},
    ),
    "priority": ("active", {"priority": "5"}, {"priority"}),
    "note": ("active", {"text": "Called back."}, set()),
    "disposition": (
        "terminated",
        {"disposition": "SOLVED", "note": "Well."},
        {"state", "current_state_name", "state_changed_at", "dispositioned_at", "disposition_id", "disposition_note"},
    ),
    "edit": (
        "active",
        {"name": "Parcel", "from_address": "+12025550111", "to_address": "+12025550112", "contact": ""},
        {"name", "from_address", "to_address"},
    ),
    "dtmf": ("active", {"tones": "12"}, set()),
    "conference": ("active", {"participant": "+12025550199"}, {"state", "current_state_name", "state_changed_at"}),
    "hold": ("active", {}, {"state", "current_state_name", "state_changed_at"}),
    "mute": ("active", {}, {"is_muted"}),
    "pull": ("inqueue", {}, {"state", "current_state_name", "state_changed_at", "agent_id", "assigned_at"}),
    "bridge": ("accepted", {}, {"state", "current_state_name", "state_changed_at"}),
    "archive": ("terminated", {}, {"archived_at"}),
}


NO_ACTIVITY = {"priority", "edit", "archive"}  # for stale policies
IN_THE_LEDGER = {
    "transfer": {"entered_at"}, "pull": {"entered_at"}, "hold": {"handled_ms"}, "conference": {"handled_ms"},
}  # fmt: skip


@pytest.mark.parametrize("action", FORM_CASES)
def test_a_form_changes_what_it_is_for_and_nothing_else(action, queue, sales, ann, ben, amy):
    state, given, own = FORM_CASES[action]
    solved = make_disposition()
    words = {"BEN": ben.username, "SOLVED": solved.disposition_id}
    item = make_workitem(State(state), queue=queue, agent=None if state == "inqueue" else ann, workitem_id="wi_1")
    others = {
        "state": "dispositioned", "current_state_name": "x", "workitem_id": "wi_2", "id": "999", "pk": "999",
        "type": "Chat", "channel_type": "chat", "queue": sales.pk, "queue_id": sales.pk, "agent": amy.pk,
        "agent_id": amy.pk, "contact": "999", "contact_id": "999", "data": '{"x": 1}', "is_muted": "on",
        "muted": "true", "ended_by": "policy", "disposition": "999", "disposition_id": "999",
        "disposition_note": "x", "created_at": "2020-01-01", "modified_at": "2020-01-01", "queued_at": "2020-01-01",
        "archived_at": "2020-01-01", "terminated_at": "2020-01-01", "assigned_at": "2020-01-01",
        "state_changed_at": "2020-01-01", "offer_expires_at": "2020-01-01", "dispositioned_at": "2020-01-01",
        "active_at": "2020-01-01", "stale_at": "2020-01-01", "exempt_until": "2099-01-01",
        "name": "x", "from_address": "x", "to_address": "x", "from": "x", "to": "x", "priority": "1",
        "selectedQueue": "q_sales", "agentUsername": "amy", "contactId": "x", "version_": "7",
    }  # fmt: skip
    before = row_of(item)
    is_transfer = action == "transfer"
    answer = browser(amy).post(
        reverse("transfer-start") if is_transfer else reverse("act", args=["wi_1", action]),
        {**others, **{name: words.get(value, value) for name, value in given.items()}, "version": "1"}
        | ({"workitem": "wi_1", "priority": ""} if is_transfer else {}),
    )
    assert answer.status_code == 302
    activity = set() if action in NO_ACTIVITY else {"active_at"}
    moved = {"place_since"} if own & {"state", "queue_id", "agent_id"} else set()
    assert changed(before, item) == own | moved | IN_THE_LEDGER.get(action, set()) | activity | {
        "version",
        "modified_at",
    }


@pytest.mark.parametrize(
    ("state", "action", "field", "hidden", "missing"),
    [
        ("active", "transfer", "target", "queue:q_sales", "queue:q_nones"),
        ("active", "transfer", "target", "agent:uta", "agent:nil"),
        ("inqueue", "offer", "agent", "uta", "nil"),
        ("terminated", "disposition", "disposition", "d_old", "d_none"),
    ],
)
def test_a_form_answers_a_hidden_id_like_a_missing_one(state, action, field, hidden, missing, queue, sales, ann, wes):
    make_workitem(State(state), queue=queue, agent=None if state == "inqueue" else ann, workitem_id="wi_1")
    make_user("uta", id=987_001)
    make_disposition("d_old", id=987_002, is_active=False)
    told = []
    for one in (hidden, missing):
        address = reverse("transfer-start") if action == "transfer" else reverse("act", args=["wi_1", action])
        client = browser(wes)
        with time_machine.travel(LATER, tick=False):
            answer = client.post(address, {"version": "1", "workitem": "wi_1", field: one})
        page = re.sub(r'(csrfmiddlewaretoken" value=|nonce=)"[^"]*"', "", answer.content.decode())
        told.append((answer.status_code, page.replace(one, "ID")))
    assert told[0] == told[1]
    assert told[0][0] == 400


# The back office


@pytest.mark.parametrize("action", ["hold", "hang_up", "transfer"])
def test_an_action_of_the_back_office_touches_no_hidden_workitem(action, wes, item, hidden):
    before = facts_of(hidden)
    client = browser(wes)
    told = []
    for pk in (hidden.pk, hidden.pk + 1000):
        answer = client.post(
            reverse("admin:workitems_workitem_changelist"),
            {
                "action": action,
                "_selected_action": [pk],
                "apply": "1",
                "reason": "system",
                "step": "confirm",
                "target": "queue:q_support",
                "expected": 1,
            },
        )
        told.append(
            (answer.status_code, re.sub(r'(csrfmiddlewaretoken" value=|nonce=)"[^"]*"', "", answer.content.decode()))
        )
    assert told[0][0] == told[1][0]
    assert told[0][1].replace(str(hidden.pk), "ID") == told[1][1].replace(str(hidden.pk + 1000), "ID")
    assert facts_of(hidden) == before


def test_the_back_office_sends_nothing_into_a_hidden_queue(wes, item, hidden):
    before = facts_of(item)
    answer = browser(wes).post(
        reverse("admin:workitems_workitem_changelist"),
        {
            "action": "transfer", "_selected_action": [item.pk], "step": "confirm", "target": "queue:q_sales",
            "expected": 1,
        },
    )  # fmt: skip
    assert answer.status_code == 200
    assert facts_of(item) == before


def test_the_back_office_gives_no_hidden_contact_to_a_workitem(wes, item, hidden):
    page, client, before = reverse("admin:workitems_workitem_change", args=[item.pk]), browser(wes), row_of(item)
    client.post(
        page,
        {
            "name": "Parcel", "contact": hidden.contact_id, "priority": "3", "from_address": "", "to_address": "",
            "data": "{}", "seen": client.get(page).context["form"].seen_token,
        },
    )  # fmt: skip
    assert row_of(item) == before


BACK_OFFICE = {
    "workitem": (
        {"name": "B", "priority": "5", "from_address": "", "to_address": "", "data": "{}"},
        {"name", "priority", "contact_id"},
    ),
    "contact": ({"display_name": "B", "data": "{}"}, {"display_name"}),
    "disposition": ({"name": "B", "is_active": "on", "is_resolved": "on"}, {"name"}),
    "queue": (
        {
            "name": "B", "priority": "3", "short_abandon_seconds": "5", "offer_timeout_seconds": "20",
            "wrap_up_seconds": "60", "is_open": "on",
        },
        {"name"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_back_office_changes_what_its_form_shows_and_nothing_else(kind, kept, amy):
    User.objects.filter(pk=amy.pk).update(is_superuser=True)
    given, own = BACK_OFFICE[kind]
    model = MODELS[kind]
    kept["contact"].phones.all().delete()
    kept["contact"].emails.all().delete()
    kept["queue"].channel_rows.all().delete()
    names = {one.attname for one in model._meta.concrete_fields} | {one.name for one in model._meta.concrete_fields}
    inlines = {
        f"{prefix}-{name}_FORMS": "0"
        for prefix in ("phones", "emails", "channel_rows", "hours")
        for name in ("TOTAL", "INITIAL")
    }
    others = dict.fromkeys(names - {"contact", *PLAIN.get(kind, ())}, "9")
    before = row_of(kept[kind])
    path = reverse(f"admin:{model._meta.app_label}_{kind}_change", args=[kept[kind].pk])
    client = browser(amy)
    page = client.get(path).context
    seen = (page["form"] if kind == "workitem" else page["adminform"].form).seen_token
    answer = client.post(path, {**others, **inlines, **given, "seen": seen})
    assert answer.status_code == 302, answer.context["errors"]
    assert changed(before, kept[kind]) - {"version", "modified_at"} == own


# what the forms of the back office show beside what is given above
PLAIN = {
    "contact": ("first_name", "last_name", "company", "source", "external_id", "is_blocked", "notes"),
    "queue": ("description", "offers_automatically", "time_zone"),
    "disposition": ("types",),
}


def test_a_token_is_for_the_person_who_makes_it_and_for_what_he_holds(wes, amy):
    given = {
        "name": "script", "scopes": ["workitems:write"], "days": "1", "user": amy.pk, "user_id": amy.pk,
        "checksum": "x", "expires_at": "2099-01-01", "created_at": "2020-01-01", "last_used_at": "2020-01-01",
    }  # fmt: skip
    page = browser(wes)
    assert page.post(reverse("account-tokens"), {**given, "scopes": ["workitems:admin"]}).status_code == 400
    assert page.post(reverse("account-tokens"), given).status_code == 200
    token = PersonalToken.objects.get()
    assert (token.user, token.scopes, token.last_used_at) == (wes, ["workitems:write"], None)
    assert (token.expires_at - token.created_at).days == 1
