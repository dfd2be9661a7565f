"""The search language: what is found, what is refused and where, and what nobody can make of it."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from contacts.models import Contact
from queues.models import Queue
from tests.builders import NOON, make_contact, make_disposition, make_queue, make_user, make_workitem
from workitems.actors import Actor
from workitems.choices import Door, Event, State, Type
from workitems.errors import InvalidSearch
from workitems.models import Disposition, TimeEvent, Workitem
from workitems.search import AGENTS, CONTACTS, DISPOSITIONS, QUEUES, WORKITEMS, Schema, condition, matching

# a quarter of a millisecond past 12:00:00.123 UTC, as databases keep it
PRECISE = NOON + timedelta(milliseconds=123, microseconds=250)

pytestmark = pytest.mark.django_db


@pytest.fixture
def centre(queue: Queue, sales: Queue, ann: User) -> None:
    """Five workitems, each with a short name of its own: call, mail, chat, sms, old."""
    sales.is_open = False
    sales.save()
    lovelace = make_contact("Ada Lovelace", ("+18005551212", "+18005550000"), ("ada@example.com",))
    lovelace.company = "Analytical Engines"
    lovelace.save()
    make_contact("Charles Babbage", ("+442071234567",))
    make_workitem(
        State.ACTIVE,
        queue=queue,
        agent=ann,
        workitem_id="wi_call",
        contact=lovelace,
        from_address="+18005551212",
        to_address="+18885550100",
        priority=5,
        is_muted=True,
        created_at=PRECISE,
        data={"order": 4711, "vip": True, "shop": {"country": "de"}},
    )
    make_workitem(
        queue=sales,
        workitem_id="wi_mail",
        type=Type.INBOUND_EMAIL,
        from_address="ada@example.com",
        to_address="support@example.org",
        name="Refund for order 100% (late_fee)",
        priority=1,
        contact=lovelace,
        data={"order": "4711"},
    )
    make_workitem(
        queue=queue,
        workitem_id="wi_chat",
        type=Type.CHAT,
        from_address="chat-77",
        name='Say "hello"',
        created_at=NOON - timedelta(days=1),
        current_state_name="triage",
    )
    make_workitem(
        State.TERMINATED,
        queue=None,
        workitem_id="wi_sms",
        type=Type.INBOUND_SMS,
        from_address="+442071234567",
        created_at=NOON - timedelta(hours=2),
        contact=Contact.objects.get(display_name="Charles Babbage"),
    )
    old = make_workitem(
        State.DISPOSITIONED,
        queue=queue,
        agent=ann,
        workitem_id="wi_old",
        type=Type.OUTBOUND_CALL,
        disposition=make_disposition(),
        disposition_note="Called back",
        archived_at=NOON,
        created_at=NOON - timedelta(days=40),
        terminated_at=NOON - timedelta(days=39),
        version=7,
    )
    for version in (2, 3):
        TimeEvent.objects.create(
            workitem=old, version=version, type=Event.TRANSFERRED, timestamp=NOON, actor="x", door=Door.JOB
        )
    TimeEvent.objects.create(workitem=old, version=4, type="survey sent", timestamp=NOON, actor="x", door=Door.JOB)


def found(text: str, schema: Schema = WORKITEMS) -> str:
    """Return the short names of what a search finds, in the order in which they were made."""
    rows = matching(Workitem.objects.order_by("pk"), text, schema, now=NOON)
    return " ".join(item.workitem_id.removeprefix("wi_") for item in rows)


def milliseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


ALL = "call mail chat sms old"
AT = milliseconds(PRECISE)

FINDS = [
    ("", ALL),
    (" \t\n", ALL),
    ("*", ALL),
    ("*:*", ALL),
    # values of sets, in upper or lower case
    ("state:active", "call"),
    ("state:ACTIVE", "call"),
    ("channelType:voice", "call old"),
    ("type:InboundSMS", "sms"),
    ("type:*Call", "call old"),
    ("type:inbound*", "call mail sms"),
    # operators
    ("state:active AND channelType:voice", "call"),
    ("state:active channelType:voice", "call"),
    ("state:active channelType:chat", ""),
    ("state:active OR channelType:chat", "call chat"),
    ("NOT channelType:voice", "mail chat sms"),
    ("-channelType:voice", "mail chat sms"),
    ("-channelType:voice -channelType:chat", "mail sms"),
    ("+channelType:voice -state:active", "old"),
    ("channelType:voice AND NOT (state:active OR priority:1)", "old"),
    ("NOT NOT state:active", "call"),
    ("state:active OR channelType:voice AND archived:true", "call old"),
    ("(state:active OR channelType:voice) AND archived:true", "old"),
    ("state:active OR state:inqueue channelType:chat", "chat"),
    # sets of values
    ("state:(inqueue active)", "call mail chat"),
    ("state:(inqueue OR active)", "call mail chat"),
    ("state:(NOT inqueue)", "call sms old"),
    ("state:(inqueue active -inqueue)", "call"),
    ("channelType:(+voice)", "call old"),
    ("priority:([4 TO 5] 1)", "call mail"),
    # numbers
    ("priority:3", "chat sms old"),
    ("priority:[3 TO 5]", "call chat sms old"),
    ("priority:{3 TO 5]", "call"),
    ("priority:[1 TO 3}", "mail"),
    ("priority:>3", "call"),
    ("priority:>=3", "call chat sms old"),
    ("priority:<3", "mail"),
    ("priority:<=3", "mail chat sms old"),
    ("priority:[* TO 2]", "mail"),
    ("priority:[5 TO 1]", ""),
    ("version:7", "old"),
    # times
    (f"createdAt:{AT}", "call"),
    (f"createdAt:{AT - 1}", ""),
    (f"createdAt:{AT + 1}", ""),
    (f"createdAt:[{AT} TO {AT}]", "call"),
    (f"createdAt:{{{AT} TO *]", ""),
    (f"createdAt:>{AT - 1}", "call"),
    (f"createdAt:<={AT}", ALL),
    (f"createdAt:<{AT}", "mail chat sms old"),
    ("createdAt:2026-03-02", "call mail sms"),
    ("createdAt:[2026-03-01 TO 2026-03-01]", "chat"),
    ("createdAt:[2026-03-01 TO 2026-03-02]", "call mail chat sms"),
    ("createdAt:{2026-03-01 TO *]", "call mail sms"),
    ("createdAt:[* TO 2026-03-02}", "chat old"),
    ("createdAt:2026-03-02T12:00", "call mail"),
    ("createdAt:2026-03-02T12:00:00.123Z", "call"),
    ('createdAt:"2026-03-02T13:00:00.123+01:00"', "call"),
    ("createdAt:>=now-1h", "call mail"),
    ("createdAt:[now-2d TO now-1h]", "chat sms"),
    ("createdAt:<now-1w", "old"),
    ("createdAt:>now+2d", ""),
    ("terminatedAt:*", "sms old"),
    ("terminatedAt:0", "call mail chat"),
    ("NOT terminatedAt:<2026-03-01", "call mail chat sms"),
    ("archivedAt:*", "old"),
    ("createdAt:0", ""),
    # yes or no
    ("muted:true", "call"),
    ("muted:False", "mail chat sms old"),
    ("archived:true", "old"),
    ("archived:false", "call mail chat sms"),
    # ids
    ("workitemId:wi_call", "call"),
    ("workitemId:WI_CALL", ""),
    ("workitemId:wi_c*", "call chat"),
    ("workitemId:wi_?ld", "old"),
    ("_id:ffffffffffffffffffffffff", ""),
    ("tenantId:t_default", ALL),
    ("tenantId:other", ""),
    ("NOT tenantId:t_default", ""),
    ("currentStateName:triage", "chat"),
    # who and where
    ("agentUsername:ann", "call old"),
    ("agentUsername:nobody", ""),
    ("NOT agentUsername:ann", "mail chat sms"),
    ("NOT agentUsername:nobody", ALL),
    ("agentUsername:*", "call old"),
    ('agentUsername:""', "mail chat sms"),
    ("selectedQueue:q_support", "call chat old"),
    ("selectedQueue:q_s*", "call mail chat old"),
    ("NOT selectedQueue:q_s*", "sms"),
    ("NOT selectedQueue:*", "sms"),
    ("queue.id:q_sales", "mail"),
    ("queue.name:supp", "call chat old"),
    ("queue.open:false", "mail"),
    ("dispositionId:d_solved", "old"),
    ("dispositionNote:CALLED", "old"),
    ("dispositionNote:*", "old"),
    # addresses, however typed
    ("from:+18005551212", "call"),
    ("from:18005551212", "call"),
    ("from:8005551212", "call"),
    ('from:"(800) 555-1212"', "call"),
    ('from:"+1 800-555-1212"', "call"),
    ("from:442071234567", "sms"),
    ("from:+1800*", "call"),
    ("from:1800*", "call"),
    ("from:*1212", "call"),
    ("from:*555-1212", "call"),
    ("from:+1800555????", "call"),
    ("from:(+1800* +4420*)", "call sms"),
    ("from:(+1800* OR +4420*)", "call sms"),
    ("from:ADA@Example.com", "mail"),
    ("from:*@Example.com", "mail"),
    ("from:chat-77", "chat"),
    ("to:support@example.org", "mail"),
    ('to:""', "chat sms old"),
    ("from:*", "call mail chat sms"),
    # words
    ("name:REFUND", "mail"),
    ('name:"order 100"', "mail"),
    ("name:ref*", "mail"),
    ("name:re?und", "mail"),
    ("name:ord*late", "mail"),
    ("name:100%", "mail"),
    ("name:1%0", ""),
    ("name:late_fee", "mail"),
    ("name:late\\-fee", ""),
    ("name:r_fund", ""),
    ('name:"say \\"hello\\""', "chat"),
    ('name:"re?und"', ""),
    ("name:re\\?und", ""),
    ("name:(refund hello)", "mail chat"),
    # contacts
    ("contact.name:lovelace", "call mail"),
    ("NOT contact.name:lovelace", "chat sms old"),
    ("contact.company:engine", "call mail"),
    ("contact.phone:+1800*", "call mail"),
    ("contact.phone:8005550000", "call mail"),
    ("contact.email:ADA@example.com", "call mail"),
    ("contact.phone:*", "call mail sms"),
    ("contactId:*", "call mail sms"),
    ("NOT contactId:*", "chat old"),
    ("contact:(name:babbage)", "sms"),
    ("contact:name:babbage", "sms"),
    ("contact:(name:babbage OR phone:+1800*)", "call mail sms"),
    # history
    ("event:transferred", "old"),
    ("event:Transferred", "old"),
    ('event:"survey sent"', "old"),
    ("NOT event:transferred", "call mail chat sms"),
    ("event:created", ALL),
    # context
    ("data.order:4711", "call mail"),
    ("data.vip:true", "call"),
    ("data.shop.country:de", "call"),
    ("data:(order:4711)", "call mail"),
    ("NOT data.order:4711", "chat sms old"),
    ("data.order:*", "call mail"),
    ("data:*", "call mail"),
    # bare words
    ("wi_call", "call"),
    ("wi_c*", "call chat"),
    ("refund", "mail"),
    ("refund order", "mail"),
    ("refund hello", ""),
    ("refund OR hello", "mail chat"),
    ('"for order"', "mail"),
    ("lovelace", "call mail"),
    ("ada@example.com", "call mail"),
    ("chat-77", "chat"),
    ("18005551212", "call mail"),
    ("+18005551212", "call mail"),
    ('"+1 800-555-1212"', "call mail"),
    ("+1 800-555-1212", "call mail"),
    (" (800) 555-1212 ", "call mail"),
    ("*5551212", "call mail"),
    ("+1800*", "call mail"),
    ("800-555-1212 state:active", "call"),
    ("-lovelace", "chat sms old"),
    ("nobody", ""),
    ("%", "mail"),
    ("_", "mail"),
]


@pytest.mark.parametrize(("text", "ids"), FINDS)
def test_finds(text: str, ids: str, centre: None) -> None:
    assert found(text) == ids


def test_finds_an_internal_id(centre: None) -> None:
    pk = Workitem.objects.get(workitem_id="wi_sms").pk

    assert found(f"_id:{pk:024x}") == "sms"
    assert found(f"{pk:024X}") == "sms"


def test_finds_a_contact_id(centre: None) -> None:
    contact = Contact.objects.get(display_name="Ada Lovelace")

    assert found(f"contactId:{contact.contact_id}") == "call mail"


def test_a_day_is_a_day_of_the_time_zone(centre: None, settings: Any) -> None:
    settings.TIME_ZONE = "Pacific/Kiritimati"  # 14 hours ahead: its 3 March begins at 10:00 UTC

    assert found("createdAt:2026-03-03") == "call mail sms"


OTHERS = [
    (CONTACTS, Contact, "display_name", "lovelace", "Ada Lovelace"),
    (CONTACTS, Contact, "display_name", "phones:+44*", "Charles Babbage"),
    (CONTACTS, Contact, "display_name", "+44 20 7123 4567", "Charles Babbage"),
    (CONTACTS, Contact, "display_name", "emails:ada@example.com", "Ada Lovelace"),
    (CONTACTS, Contact, "display_name", "NOT emails:*", "Charles Babbage"),
    (CONTACTS, Contact, "display_name", "company:engines blocked:false", "Ada Lovelace"),
    (QUEUES, Queue, "queue_id", "isOpen:false", "q_sales"),
    (QUEUES, Queue, "queue_id", "members:ben", "q_support"),
    (QUEUES, Queue, "queue_id", "channels:voice q_sales", "q_sales"),
    (QUEUES, Queue, "queue_id", "NOT supervisors:*", "q_sales q_support"),
    (DISPOSITIONS, Disposition, "disposition_id", "solved resolved:true", "d_solved"),
    (AGENTS, User, "username", "username:a*", "ann"),
]


@pytest.mark.parametrize(("schema", "model", "name", "text", "names"), OTHERS)
def test_finds_others(schema: Schema, model: Any, name: str, text: str, names: str, centre: None) -> None:
    rows = matching(model.objects.order_by(name), text, schema, now=NOON)

    assert " ".join(getattr(row, name) for row in rows) == names


STATES = "inqueue, offered, accepted, active, hold, conference, terminated, dispositioned"
REFUSED = [
    ("chanelType:voice", 'unknown field "chanelType", did you mean "channelType"?', 0, "channelType"),
    ("state:active AND chanelType:voice", 'unknown field "chanelType", did you mean "channelType"?', 17, "channelType"),
    ("zzz:1", 'unknown field "zzz"', 0, ""),
    ("contact.nam:x", 'unknown field "contact.nam", did you mean "contact.name"?', 0, "contact.name"),
    ("state:actve", f'state takes one of {STATES}, not "actve", did you mean "active"?', 6, "active"),
    ("state:zzz", f'state takes one of {STATES}, not "zzz"', 6, ""),
    ("state:(active zzz)", f'state takes one of {STATES}, not "zzz"', 14, ""),
    ("state:zzz*", f'state takes one of {STATES}, not "zzz*"', 6, ""),
    ("priority:x", 'priority takes a whole number from 1 to 5, not "x"', 9, ""),
    ("priority:-1", 'priority takes a whole number from 1 to 5, not "-1"', 9, ""),
    ("priority:6", 'priority takes a whole number from 1 to 5, not "6"', 9, ""),
    (
        "priority:[1 TO 99999999999999999999]",
        'priority takes a whole number from 1 to 5, not "99999999999999999999"',
        15,
        "",
    ),
    ("priority:3*", "priority takes no wildcards", 9, ""),
    ("version:99999999999", 'version takes a whole number from 1 to 2147483647, not "99999999999"', 8, ""),
    ("muted:yes", 'muted takes true or false, not "yes"', 6, ""),
    ("muted:ture", 'muted takes true or false, not "ture", did you mean "true"?', 6, "true"),
    ("_id:5", '_id takes 24 hexadecimal digits, not "5"', 4, ""),
    (
        "createdAt:yesterday",
        'createdAt takes a time: milliseconds, 2026-03-01, 2026-03-01T10:15:00Z, now or now-1h, not "yesterday"',
        10,
        "",
    ),
    (
        "createdAt:2026-02-30",
        'createdAt takes a time: milliseconds, 2026-03-01, 2026-03-01T10:15:00Z, now or now-1h, not "2026-02-30"',
        10,
        "",
    ),
    (
        "createdAt:9999999999999999",
        'createdAt takes a time: milliseconds, 2026-03-01, 2026-03-01T10:15:00Z, now or now-1h, not "9999999999999999"',
        10,
        "",
    ),
    (
        "createdAt:9999-12-30",
        'createdAt takes a time: milliseconds, 2026-03-01, 2026-03-01T10:15:00Z, now or now-1h, not "9999-12-30"',
        10,
        "",
    ),
    (
        "createdAt:[0001-01-01 TO *]",
        'createdAt takes a time: milliseconds, 2026-03-01, 2026-03-01T10:15:00Z, now or now-1h, not "0001-01-01"',
        11,
        "",
    ),
    ("name:[a TO b]", "name takes no range; numbers and times do", 6, ""),
    ("[1 TO 5]", "a range needs a field, as in priority:[3 TO 5]", 0, ""),
    ("createdAt:[2026* TO *]", "a range takes no wildcards, except * for an open end", 11, ""),
    ("actions:hold", "actions depend on who asks and cannot be searched; use state and channelType", 0, ""),
    ("timeEvents:created", "timeEvents cannot be searched as a whole; use event, as in event:transferred", 0, ""),
    ("contact:ada", "use contactId, contact.name, contact.phone, contact.email or contact.company", 0, ""),
    ("queue:q_support", "use selectedQueue, queue.name or queue.open", 0, ""),
    ("data:4711", "data holds many values; name one of them, as in data.order:4711", 5, "data.order:4711"),
    ("data.a__contains.0:x", "names in data have letters, digits, _ and -, and are at most five levels deep", 0, ""),
    ("state:(name:x)", 'a field cannot stand inside the field "state"', 7, ""),
    ("refund and late", 'write AND, or "and" in quotation marks if you look for the word', 7, "AND"),
    ("refund || late", 'write OR, or "||" in quotation marks if you look for the word', 7, "OR"),
    ("from:*12", "a wildcard before other characters needs at least 3 characters beside it", 5, ""),
    ("a*b", "a wildcard before other characters needs at least 3 characters beside it", 0, ""),
    ("name:a*b*c*d*e*f*g*", 'a word can have at most 5 times "*"', 5, ""),
    ('""', "there is nothing between the quotation marks", 0, ""),
    # syntax
    ("(state:active", "this bracket is never closed", 0, ")"),
    ("state:active)", "this bracket was never opened", 12, ""),
    ('name:"refund', "this quotation mark is never closed", 5, '"'),
    ("state:", "the search ends too early", 6, ""),
    ("state:active AND", "the search ends too early", 16, ""),
    ("state:active AND OR type:Chat", '"OR" is not possible here', 17, ""),
    ("AND state:active", '"AND" is not possible here', 0, ""),
    ("priority:[1 5]", '"5" is not possible here', 12, ""),
    ("()", '")" is not possible here', 1, ""),
    ("refund \\", '"\\" is not possible here', 7, ""),
    ("createdAt:2026-03-02T13:00+01:00", "put a time with an offset into quotation marks", 10, ""),
    # not supported
    ("refnd~", 'similar words ("~") are not supported; use * and ?', 5, ""),
    ('"late refund"~3', 'similar words ("~") are not supported; use * and ?', 13, ""),
    ("refund^2", 'weights ("^") are not supported; put the word into quotation marks if you mean the character', 6, ""),
    ("name:/ref.*/", "regular expressions are not supported; use * and ?", 5, ""),
    ("/ref", 'a word cannot begin with "/"; put it into quotation marks', 0, ""),
    ("a\0b", "this character cannot be searched for", 1, ""),
    ("a\ud800b", "this character cannot be searched for", 1, ""),
]


@pytest.mark.parametrize(("text", "message", "position", "suggestion"), REFUSED)
def test_refuses(text: str, message: str, position: int, suggestion: str) -> None:
    with pytest.raises(InvalidSearch) as refused:
        condition(text, WORKITEMS, now=NOON)

    assert refused.value.message == message
    assert refused.value.facts["position"] == position
    assert refused.value.facts["suggestion"] == suggestion


TOO_MUCH = [
    ("x" * 2001, "longer than 2000 characters", 2000),
    ("(" * 2000, "more than 20 levels", 20),
    ("(" * 21 + "x" + ")" * 21, "more than 20 levels", 20),
    ("NOT " * 500, "more than 20 levels", 80),
    ("-" * 2000, "more than 20 levels", 20),
    ("+" * 2000, "more than 20 levels", 20),
    ("a:" * 1000, "more than 20 levels", 40),
    ("(NOT -" * 300, "more than 20 levels", 41),
    (" OR ".join(["a"] * 101), "more than 100 words", 500),
    ("a " * 1000, "more than 100 words", 200),
    (" OR ".join(["a"] * 31), "more than 30 words without a field", 150),
    (" ".join(["contact.name:a"] * 31), "more than 30 words without a field", 463),
    ("event:(" + "a " * 31 + ")", "more than 30 words without a field", 67),
    ("abc*" * 500, "at most 5 times", 0),
    ("name:" + "a*b?" * 490, "at most 5 times", 5),
]


@pytest.mark.parametrize(("text", "message", "position"), TOO_MUCH)
def test_is_bounded(text: str, message: str, position: int) -> None:
    began = time.perf_counter()
    with pytest.raises(InvalidSearch, match=message) as refused:
        condition(text, WORKITEMS, now=NOON)

    assert time.perf_counter() - began < 0.5
    assert refused.value.facts["position"] == position


WITHIN = [
    ("(" * 20 + "refund" + ")" * 20, "mail"),
    ("NOT " * 20 + "refund", "mail"),
    ("name:(" + "refund " * 100 + ")", "mail"),
    ("workitemId:(" + "wi_mail " * 100 + ")", "mail"),
    (" OR ".join(f"1-8{number:02}*" for number in range(30)), "call mail"),
    ("from:(" + " ".join(f"1-8{number:02}*" for number in range(100)) + ")", "call"),
    (" AND NOT ".join(["refund"] + ["5551212x"] * 29), "mail"),
    ("name:refund*order*100*late*fee*", "mail"),
]


@pytest.mark.parametrize(("text", "ids"), WITHIN)
def test_whatever_is_within_the_bounds_is_answered(text: str, ids: str, centre: None) -> None:
    assert found(text) == ids


PIECES = [
    *"()[]{}:\"'*?\\/~^+-<>=!&|%_,;.@#$ \t\n\0",
    *("AND", "OR", "NOT", "TO", " AND ", " OR ", " NOT ", " TO ", "TRUE", "now", "now-1h", "now+999999w", "*:*"),
    *("state:", "from:", "to:", "createdAt:", "priority:", "name:", "event:", "data.", "data:", "contact:", "_id:"),
    *("contact.user.password:", "queue.members.password:", "__class__:", "agent__password:", "data__a:", "pk:"),
    *("queue.members:", "contact.phone:", "contact.phones.contact:", "agentUsername:", "data.__class__:"),
    *("9" * 400, "99999999999999999999", "-1", "0", "1e309", "NaN", "0x10", "²", "٣", "1772452800123"),
    *("0001-01-01", "9999-12-31", "2026-02-30", "9999-12-31T23:59:59Z", "2026-03-02T12:00", "T12:00"),
    *("é", "ß", "İ", "\u202e", "\ufeff", "\U0001f600", "\ud800", "日本語", "a\u0301", "\x1c", "\x85"),
    *("secret", "wi_", "active", "refund", "+1800", "(800) 555-1212", "ada@example.com", "'; DROP TABLE x; --"),
    *("((((((((((", "****", "????", "NOT NOT NOT ", "\\\\", '"a b"', "[1 TO 5]", "{* TO 3}", ">=", "<"),
]


def test_whatever_is_typed_ends_in_rows_that_the_reader_may_see_or_in_a_refusal(centre: None, eve: User) -> None:
    secret = make_queue("q_secret")
    make_workitem(queue=secret, workitem_id="wi_secret", name="secret refund", from_address="+18005551212")
    visible = Workitem.objects.visible_to(Actor.of(_reader_of("q_sales"), Door.API))
    dice = random.Random(20260302)
    outcomes = {"answered": 0, "refused": 0}

    for _ in range(1500):
        text = "".join(dice.choice(PIECES) for _ in range(dice.choice([1, 2, 3, 5, 8, 13, 40])))
        began = time.perf_counter()
        rows, refusal = _outcome(visible, text)
        if refusal:
            assert refusal.message, text
            assert 0 <= refusal.facts["position"] <= len(text), text
            outcomes["refused"] += 1
        else:
            assert [item.workitem_id for item in rows] in (["wi_mail"], []), text
            outcomes["answered"] += 1
        assert time.perf_counter() - began < 2, text

    assert min(outcomes.values()) > 100


def _outcome(rows: Any, text: str) -> tuple[list[Workitem], InvalidSearch | None]:
    try:
        return list(matching(rows, text, WORKITEMS, now=NOON)), None
    except InvalidSearch as refused:
        return [], refused


def _reader_of(queue_id: str) -> User:
    from guardian.shortcuts import assign_perm

    reader = make_user("rita")
    assign_perm("queues.read_workitems", reader, Queue.objects.get(queue_id=queue_id))
    return reader


SECRETS = ["contact.user.password", "queue.members.password", "agent.password", "agent__password", "__class__", "pk"]


@pytest.mark.parametrize("name", SECRETS)
def test_no_field_leads_anywhere_else(name: str) -> None:
    with pytest.raises(InvalidSearch, match="unknown field"):
        condition(f"{name}:x", WORKITEMS, now=NOON)


@pytest.mark.parametrize("schema", [WORKITEMS, CONTACTS, QUEUES, DISPOSITIONS, AGENTS])
def test_every_field_can_be_asked_for_everything(schema: Schema, centre: None) -> None:
    models = {id(WORKITEMS): Workitem, id(CONTACTS): Contact, id(QUEUES): Queue, id(DISPOSITIONS): Disposition}
    model: Any = models.get(id(schema), User)

    for name in schema.names():
        rows = matching(model.objects.all(), f"{name}:* OR NOT {name}:*", schema, now=NOON)
        assert rows.count() == model.objects.count(), name
        for value in schema.values(name):
            matching(model.objects.all(), f'{name}:"{value}"', schema, now=NOON).count()


def test_queries_do_not_grow_with_what_is_found(centre: None, django_assert_num_queries: Any) -> None:
    related = 2 if connection.vendor == "postgresql" else 0  # one for lovelace, one for the number

    with django_assert_num_queries(1 + related):
        assert found("lovelace selectedQueue:q_support contact.phone:+1800* event:created") == "call"


def test_a_refusal_costs_no_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0), pytest.raises(InvalidSearch):
        condition("lovelace babbage zzz:1", WORKITEMS, now=NOON)


def test_says_which_values_a_field_has() -> None:
    assert WORKITEMS.values("channelType") == ("voice", "email", "sms", "chat", "videoMeeting")
    assert WORKITEMS.values("priority") == ("1", "2", "3", "4", "5")
    assert WORKITEMS.values("muted") == ("true", "false")
    assert WORKITEMS.values("name") == ()
    assert WORKITEMS.values("zzz") == ()


INDEXED = [
    "workitemId:wi_call",
    "workitemId:wi_c*",
    "from:+18005551212",
    "from:+1800*",
    "from:*5551212",
    "to:*5551212",
    "name:refund",
    "name:ref*",
    "selectedQueue:q_support",
    "agentUsername:ann",
    "contactId:ct_x",
    "contact.name:lovelace",
    "contact.company:engines",
    "contact.phone:+1800*",
    "contact.email:ada@example.com",
    "createdAt:>now-1h",
    "state:active",
    "lovelace",
    "+1 800-555-1212",
    "*5551212",
    "wi_c*",
    "ada@example.com",
    "lovelace OR refund",
    "refund state:active",
]


@pytest.mark.parametrize("text", INDEXED)
def test_an_index_answers_on_postgresql(text: str, centre: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite reads the table, which is good enough there")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = matching(Workitem.objects.values("pk").order_by(), text, WORKITEMS, now=NOON).explain()

    assert "Seq Scan on workitems_workitem" not in plan
    assert "Seq Scan on contacts_contact " not in plan
