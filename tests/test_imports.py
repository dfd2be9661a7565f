"""Imports: true times, a state that the lifecycle allows, every line accounted for, and nothing twice."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client

from contacts.models import Contact
from tests.builders import NOON, make_disposition, make_workitem
from tests.doors import bearer
from workitems import commands, services
from workitems.actors import Actor
from workitems.choices import Action, Event, Scope
from workitems.imports.bank_calls import COLUMNS
from workitems.imports.runner import PASSIVE, Importer
from workitems.lifecycle import MOVES
from workitems.models import TimeEvent, Workitem

pytestmark = pytest.mark.django_db
JERUSALEM = ZoneInfo("Asia/Jerusalem")
BANK_CALLS = settings.BASE_DIR.parent / "shared/data/bank-calls-1999-02.tsv.gz"


def run(path: Path, form: str, *options: str) -> tuple[dict[str, int], int]:
    """Import a file; return the counts of the last line and the exit code."""
    out, code = StringIO(), 0
    try:
        call_command("import_workitems", str(path), "--format", form, *options, stdout=out, stderr=StringIO())
    except SystemExit as end:
        code = int(end.code or 0)
    line = out.getvalue().splitlines()[0]
    words = line.replace("=", "+").split("+")
    counts = {text.split()[1]: int(text.split()[0]) for text in words}
    assert counts["read"] == sum(count for name, count in counts.items() if name != "read")
    return counts, code


def rejects(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.with_name(path.name + ".rejects.jsonl").read_text().splitlines()]


# The bank's calls

CALL = {
    "vru+line": "AA0101",
    "call_id": "34540",
    "customer_id": "48178511",
    "priority": "2",
    "type": "PS",
    "date": "990201",
    "vru_entry": "8:19:42",
    "vru_exit": "8:19:47",
    "vru_time": "5",
    "q_start": "8:19:47",
    "q_exit": "8:20:21",
    "q_time": "34",
    "outcome": "AGENT",
    "ser_start": "8:20:21",
    "ser_exit": "8:22:04",
    "ser_time": "103",
    "server": "MICHAL",
}
NO_WAIT = {"q_start": "0:00:00", "q_exit": "0:00:00", "q_time": "0"}
NO_SERVICE = {"ser_start": "0:00:00", "ser_exit": "0:00:00", "ser_time": "0", "server": "NO_SERVER"}


@pytest.fixture
def take(tmp_path):
    """Import calls that differ from the usual one, and return the workitems."""

    def importing(*differences):
        path = tmp_path / "calls.tsv"
        rows = ["\t".join((CALL | one)[name] for name in COLUMNS) for one in differences]
        path.write_bytes("\r\n".join(["\t".join(COLUMNS), *rows, ""]).encode())
        counts, code = run(path, "bank-calls")
        return list(Workitem.objects.order_by("created_at", "pk")), counts, code

    return importing


def at(clock: str, day: int = 1) -> datetime:
    return datetime.strptime(f"1999-02-{day:02} {clock}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=JERUSALEM)


def story(item):
    return list(TimeEvent.objects.filter(workitem=item).order_by("version").values_list("type", "timestamp"))


def test_a_served_call_becomes_a_dispositioned_workitem_with_its_true_times(take):
    (item,), counts, code = take({})
    assert (counts["imported"], code) == (1, 0)
    assert (item.state, item.type, item.priority, item.ended_by) == ("dispositioned", "InboundCall", 4, "agent")
    assert (item.queue.queue_id, item.queue.name) == ("q_bank_ps", "Regular service")
    assert (item.agent.get_username(), item.contact.external_id) == ("michal", "48178511")
    assert (item.created_at, item.queued_at) == (at("08:19:42"), at("08:19:47"))
    assert (item.assigned_at, item.terminated_at) == (at("08:20:21"), at("08:22:04"))
    assert story(item) == [
        ("created", at("08:19:42")),
        ("offered", at("08:20:21")),
        ("accepted", at("08:20:21")),
        ("activated", at("08:20:21")),
        ("terminated", at("08:22:04")),
        ("dispositioned", at("08:22:04")),
    ]


def test_a_caller_who_hung_up_in_the_queue_has_abandoned(take):
    (item,), *_ = take({"outcome": "HANG", **NO_SERVICE})
    assert (item.state, item.ended_by, item.agent) == ("terminated", "customer", None)
    assert story(item) == [("created", at("08:19:42")), ("abandoned", at("08:20:21"))]


def test_a_call_id_that_comes_again_at_another_time_is_another_call(take):
    items, *_ = take({}, {"vru_entry": "8:19:43"})
    assert len(items) == 2


def test_an_agent_without_a_name_is_nobody(take):
    (item,), *_ = take({"server": "NO_SERVER"})
    assert (item.state, item.agent) == ("dispositioned", None)


def test_a_served_call_without_service_times_ends_when_it_was_accepted(take):
    (item,), *_ = take({"ser_start": "0:00:00", "ser_exit": "0:00:00", "ser_time": "0"})
    assert (item.assigned_at, item.terminated_at) == (at("08:20:21"), at("08:20:21"))


def test_a_caller_who_left_in_the_voice_unit_never_waited(take):
    (item,), *_ = take({"outcome": "HANG", **NO_WAIT, **NO_SERVICE})
    assert item.queued_at == item.terminated_at == at("08:19:47")


def test_service_that_begins_before_the_queue_is_left_counts_from_its_beginning(take):
    (item,), *_ = take({"ser_start": "8:20:19"})
    assert item.assigned_at == at("08:20:19")
    times = [when for _code, when in story(item)]
    assert times == sorted(times)


def test_phantoms_are_skipped(take):
    items, counts, code = take({"outcome": "PHANTOM"})
    assert (items, counts["skipped"], code) == ([], 1, 0)


@pytest.mark.parametrize(
    ("clocks", "accepted", "ended"),
    [
        (
            {"vru_entry": "23:59:31", "vru_exit": "23:59:40", "q_start": "23:59:40", "q_exit": "0:00:06"}
            | {"ser_start": "0:00:05", "ser_exit": "0:01:28"},
            at("00:00:05", 2),
            at("00:01:28", 2),
        ),
        (
            {"vru_entry": "23:59:54", "vru_exit": "23:59:54", "q_start": "0:00:00", "q_exit": "0:00:27"}
            | {"ser_start": "0:00:26", "ser_exit": "0:01:33"},
            at("00:00:26", 2),
            at("00:01:33", 2),
        ),
        (
            {
                "vru_entry": "23:51:58",
                "vru_exit": "23:52:11",
                **NO_WAIT,
                "ser_start": "23:52:10",
                "ser_exit": "0:00:32",
            },
            at("23:52:10"),
            at("00:00:32", 2),
        ),
    ],
)
def test_times_step_past_midnight(clocks, accepted, ended, take):
    (item,), *_ = take(clocks)
    assert (item.assigned_at, item.terminated_at) == (accepted, ended)
    times = [when for _code, when in story(item)]
    assert times == sorted(times)


def test_a_voice_unit_that_let_go_before_the_call_came_gives_the_earlier_time(take):
    (item,), *_ = take({"vru_entry": "9:48:14", "vru_exit": "9:47:17", "q_start": "9:47:17", "q_exit": "9:50:11"}
                       | {"ser_start": "9:50:11", "ser_exit": "9:51:28"})  # fmt: skip
    assert (item.created_at, item.queued_at) == (at("09:47:17"), at("09:47:17"))


@pytest.mark.parametrize("customer", ["0", "6.02701E+11"])
def test_unknown_and_mangled_customers_are_nobody(customer, take):
    (item,), *_ = take({"customer_id": customer})
    assert item.contact is None
    assert item.data["customer_id"] == customer


def test_a_customer_who_calls_twice_is_one_contact(take):
    take({}, {"call_id": "34541"})
    assert Contact.objects.count() == 1


@pytest.mark.parametrize(
    ("difference", "reason"),
    [
        ({"outcome": "LOST"}, "unknown outcome"),
        ({"type": "XX"}, "unknown type"),
        ({"priority": "9"}, "unknown priority"),
        ({"q_exit": "25:00:00"}, "no time"),
        ({"date": "990231"}, "no time"),
        ({"server": "MICHAL\tMORE"}, "18 columns"),
    ],
)
def test_what_cannot_be_taken_goes_to_the_rejects_and_the_rest_goes_on(difference, reason, take, tmp_path):
    items, counts, code = take({}, difference, {"call_id": "2"})
    assert (len(items), counts["rejected"], code) == (2, 1, 1)
    (rejected,) = rejects(tmp_path / "calls.tsv")
    assert rejected["line"] == 3
    assert reason in rejected["reason"]


def test_another_file_is_rejected_by_its_header(tmp_path):
    path = tmp_path / "calls.tsv"
    path.write_text("a\tb\n1\t2\n")
    assert run(path, "bank-calls") == ({"read": 1, "imported": 0, "unchanged": 0, "skipped": 0, "rejected": 1}, 1)


def test_a_second_run_changes_nothing_and_says_so(take):
    take({}, {"call_id": "2"})
    before = list(Workitem.objects.values()), list(TimeEvent.objects.values())
    _items, counts, code = take({}, {"call_id": "2"})
    assert (counts["unchanged"], counts["imported"], code) == (2, 0, 0)
    assert (list(Workitem.objects.values()), list(TimeEvent.objects.values())) == before


def test_an_import_that_was_interrupted_goes_on_where_it_stopped(take):
    take({})
    items, counts, _code = take({}, {"call_id": "2"})
    assert (counts["unchanged"], counts["imported"], len(items)) == (1, 1, 2)


@pytest.mark.skipif(not BANK_CALLS.exists(), reason=f"the real calls are not at {BANK_CALLS}")
def test_all_real_calls_come_in_and_a_second_time_nothing(tmp_path):
    expected = {"read": 33344, "imported": 33066, "unchanged": 0, "skipped": 278, "rejected": 0}
    assert run(BANK_CALLS, "bank-calls", "--rejects", str(tmp_path / "r")) == (expected, 0)
    assert Workitem.objects.count() == 33066
    assert Workitem.objects.filter(state="dispositioned").count() == 27162
    assert Workitem.objects.filter(state="terminated", ended_by="customer").count() == 5904
    assert TimeEvent.objects.count() == 27162 * 6 + 5904 * 2
    again = expected | {"imported": 0, "unchanged": 33066}
    assert run(BANK_CALLS, "bank-calls", "--rejects", str(tmp_path / "r")) == (again, 0)
    assert not (tmp_path / "r").exists()


# JSONL and CSV

NOON_MS = 1772452800000
WAITING = {
    "workitemId": "crm-1",
    "type": "InboundCall",
    "state": "inqueue",
    "createdAt": NOON_MS,
    "queuedAt": NOON_MS,
    "selectedQueue": "q_support",
}
ENDED = WAITING | {
    "workitemId": "crm-2",
    "state": "terminated",
    "assignedAt": NOON_MS + 5000,
    "terminatedAt": NOON_MS + 65000,
    "agentUsername": "ann",
}


@pytest.fixture
def take_json(tmp_path):
    def importing(*lines, options=()):
        path = tmp_path / "items.jsonl"
        path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines))
        return run(path, "jsonl", *options)

    return importing


def test_a_line_of_json_is_a_workitem(take_json, queue, ann):
    events = [
        {"type": "created", "timestamp": NOON_MS, "toState": "inqueue", "queueId": "q_support"},
        {"type": "bot.handover", "timestamp": NOON_MS + 1000, "details": {"score": 3}},
        {"type": "pulled", "timestamp": NOON_MS + 5000, "userId": "ann", "fromState": "inqueue", "toState": "accepted"},
        {"type": "terminated", "timestamp": NOON_MS + 65000, "userId": "ann", "details": {"reason": "customer"}},
    ]
    counts, code = take_json(
        ENDED | {"timeEvents": events, "data": {"a": 1}, "from": "(202) 555-0123"} | {"state": "terminated"}
    )
    # the last event tells no state, so the one before would contradict: say where it led
    assert (counts["rejected"], code) == (1, 1)
    events[-1]["toState"] = "terminated"
    events[-1]["fromState"] = "accepted"
    counts, code = take_json(ENDED | {"timeEvents": events, "data": {"a": 1}, "from": "(202) 555-0123"})
    item = Workitem.objects.get()
    assert (counts["imported"], item.version, item.ended_by, item.from_address) == (1, 4, "customer", "+12025550123")
    assert [one[0] for one in story(item)] == ["created", "bot.handover", "pulled", "terminated"]


def test_times_alone_tell_a_timeline(take_json, queue, ann):
    take_json(ENDED)
    assert [code for code, _at in story(Workitem.objects.get())] == ["created", "accepted", "terminated"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "no JSON"),
        ("[1]", "must be an object"),
        (WAITING | {"colour": "red"}, "unknown field colour"),
        (WAITING | {"state": "waiting"}, "state: must be one of"),
        (WAITING | {"type": "Fax"}, "type: must be one of"),
        (WAITING | {"channelType": "email"}, "does not fit the type"),
        (WAITING | {"priority": 9}, "priority: must be from 1 to 5"),
        (WAITING | {"priority": True}, "priority: must be from 1 to 5"),
        (WAITING | {"createdAt": 0}, "createdAt: is missing"),
        (WAITING | {"createdAt": "noon"}, "createdAt: must be Unix milliseconds"),
        (WAITING | {"createdAt": 10**18}, "createdAt: must be Unix milliseconds"),
        (WAITING | {"workitemId": ""}, "workitemId: An id has"),
        (WAITING | {"workitemId": "a/b"}, "workitemId: An id has"),
        (WAITING | {"workitemId": "0" * 24}, "workitemId: An id has"),
        (WAITING | {"contactId": "ct_1", "contact": {"phones": 5}}, "lists of texts"),
        (ENDED | {"terminatedAt": NOON_MS - 1}, "createdAt: nothing can have happened before"),
        (WAITING | {"workitemId": 5}, "workitemId: must be text"),
        (WAITING | {"terminatedAt": NOON_MS}, "terminatedAt: must be set if and only if"),
        (WAITING | {"dispositionedAt": NOON_MS}, "dispositionedAt: must be set if and only if"),
        (WAITING | {"selectedQueue": ""}, "selectedQueue and queuedAt"),
        (WAITING | {"selectedQueue": "q_none"}, "there is no queue q_none"),
        (WAITING | {"agentUsername": "ann"}, "nobody has it in the state inqueue"),
        (WAITING | {"state": "active"}, "agentUsername: needed"),
        (WAITING | {"archivedAt": NOON_MS}, "archivedAt: only what has ended"),
        (WAITING | {"name": "n" * 201}, "name: This must be text"),
        (WAITING | {"name": "nul\x00"}, "name: must be text"),
        (WAITING | {"data": {"x": "y" * 17_000}}, "data: This must be 16 KiB"),
        (WAITING | {"contactId": "ct_none"}, "there is no contact ct_none"),
        (WAITING | {"contact": {"displayName": "x"}}, "contactId: is missing"),
        (ENDED | {"agentUsername": "nobody"}, "there is no user nobody"),
        (WAITING | {"timeEvents": [{"type": "x"}]}, "each needs a type"),
        (WAITING | {"timeEvents": [{"type": "x", "timestamp": 1, "colour": 1}]}, "unknown field colour"),
        (
            WAITING
            | {"timeEvents": [{"type": "held", "timestamp": NOON_MS, "fromState": "inqueue", "toState": "hold"}]},
            "held cannot lead from inqueue to hold",
        ),
    ],
)
def test_a_line_that_cannot_be_taken_says_why(line, reason, take_json, tmp_path, queue, ann):
    counts, code = take_json(line, WAITING | {"workitemId": "good"})
    assert (counts["imported"], counts["rejected"], code) == (1, 1, 1)
    (rejected,) = rejects(tmp_path / "items.jsonl")
    assert rejected["line"] == 1
    assert reason in str(rejected["reason"])


def test_what_only_the_database_refuses_is_found_and_the_batch_goes_on(take_json, tmp_path, queue, ann):
    bad = WAITING | {"workitemId": "bad", "from": "x" * 200, "currentStateName": "s" * 65}
    good = [WAITING | {"workitemId": f"good-{number}"} for number in range(5)]
    counts, _code = take_json(*good[:3], bad, *good[3:])
    assert counts["imported"] + counts["rejected"] == 6
    assert Workitem.objects.filter(workitem_id__startswith="good").count() == 5


def test_missing_neighbours_are_made_when_asked_for(take_json):
    person = {"contactId": "ct_ada", "contact": {"displayName": "Ada", "phones": ["+12025550123"]}}
    counts, code = take_json(ENDED | person, options=["--create-missing"])
    assert (counts["imported"], code) == (1, 0)
    item = Workitem.objects.get()
    assert (item.queue.queue_id, item.agent.get_username()) == ("q_support", "ann")
    assert [phone.number for phone in item.contact.phones.all()] == ["+12025550123"]
    assert not item.agent.has_usable_password()


def test_an_offer_that_comes_in_has_a_deadline(take_json, queue, ann):
    take_json(WAITING | {"state": "offered", "agentUsername": "ann"})
    assert Workitem.objects.get().offer_expires_at is not None


def test_csv_has_wire_names_as_its_header(tmp_path, queue, ann):
    path = tmp_path / "items.csv"
    item = ENDED | {"data": '{"a": "b, c"}', "muted": "false", "priority": 4}
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(item))
        writer.writeheader()
        writer.writerow(item)
        writer.writerow(item | {"workitemId": "crm-3", "priority": "high"})
    counts, code = run(path, "csv")
    assert (counts["imported"], counts["rejected"], code) == (1, 1, 1)
    stored = Workitem.objects.get()
    assert (stored.priority, stored.data, stored.agent) == (4, {"a": "b, c"}, ann)
    assert rejects(path)[0]["line"] == 3


@pytest.mark.parametrize(("column", "cell"), [("priority", "\u00b2"), ("createdAt", "--5")])
def test_cells_that_are_no_numbers_are_rejected(column, cell, tmp_path, queue):
    path = tmp_path / "items.csv"
    row = {**WAITING, column: cell}
    path.write_text(",".join([*row]) + "\n" + ",".join(map(str, row.values())) + "\n")
    assert run(path, "csv")[0]["rejected"] == 1


def test_a_spreadsheets_byte_order_mark_is_no_part_of_the_header(tmp_path, queue):
    path = tmp_path / "items.csv"
    path.write_text(",".join([*WAITING]) + "\n" + ",".join(map(str, WAITING.values())) + "\n", encoding="utf-8-sig")
    assert run(path, "csv")[0]["imported"] == 1


@pytest.mark.parametrize("form", ["csv", "bank-calls"])
def test_bytes_that_are_no_utf8_are_rejected_in_every_format(form, tmp_path, queue):
    path = tmp_path / "items"
    rows = {
        "csv": [",".join([*WAITING]), ",".join(map(str, (WAITING | {"workitemId": "\udcff"}).values()))],
        "bank-calls": ["\t".join(COLUMNS), "\t".join((CALL | {"server": "\udcff"})[name] for name in COLUMNS)],
    }[form]
    path.write_bytes("\n".join(rows).encode(errors="surrogateescape"))
    assert run(path, form)[0]["rejected"] == 1


def test_csv_with_an_unknown_column_is_rejected_as_a_whole(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text("workitemId,colour\n1,red\n")
    assert run(path, "csv")[1] == 1
    assert "colour" in str(rejects(path)[0]["reason"])


def test_what_the_api_shows_comes_in_again(tmp_path, queue, ann, sue):
    source = make_workitem("active", queue=queue, agent=ann, data={"a": 1}, workitem_id="wi_1")
    body = Client(headers=bearer(sue)).get("/users/api/workitems/wi_1").json()
    path = tmp_path / "items.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(body | {"workitemId": "wi_2"}).encode()))
    assert run(path, "jsonl")[0]["imported"] == 1
    copy = Workitem.objects.get(workitem_id="wi_2")
    for name in ("state", "queue", "agent", "created_at", "queued_at", "assigned_at", "priority", "data"):
        assert getattr(copy, name) == getattr(source, name), name


@pytest.fixture
def copied(tmp_path, sue):
    """Export a workitem as the API shows it, import it under another id, and return the copy."""

    def copy(item):
        body = Client(headers=bearer(sue)).get(f"/users/api/workitems/{item.workitem_id}").json()
        path = tmp_path / "items.jsonl"
        path.write_text(json.dumps(body | {"workitemId": f"copy-{item.version}"}))
        run(path, "jsonl")
        return Workitem.objects.get(workitem_id=f"copy-{item.version}")

    return copy


def timeline(item):
    columns = ("version", "type", "timestamp", "from_state", "to_state", "queue", "agent", "details")
    return list(TimeEvent.objects.filter(workitem=item).order_by("version").values_list(*columns))


COPIED = (
    "state", "state_changed_at", "queue", "queued_at", "agent", "assigned_at", "priority", "is_muted", "ended_by",
    "active_at", "stale_at", "exempt_until", "modified_at", "archived_at", "version",
)  # fmt: skip
STALE = commands.Stale(timedelta(minutes=1))
LIVES = {
    "handed about": [
        commands.Pull(),
        commands.Bridge(),
        commands.SetPriority(5),
        commands.ReturnToQueue(),
        lambda people: commands.TransferToQueue(people["sales"], priority=1),
        commands.UndoTransfer(),
        lambda people: commands.TransferToAgent(people["ben"]),
        commands.UndoTransfer(),
        lambda people: commands.Offer(people["ann"]),
        commands.ReturnToQueue(keeps_place=False),
    ],
    "taken from an agent and given back": [
        commands.Pull(),
        commands.Bridge(),
        commands.Mute(),
        lambda people: commands.TransferToQueue(people["sales"]),
        commands.UndoTransfer(),
    ],
    "stale": [
        commands.WarnStale(STALE, warning=timedelta(minutes=2)),
        commands.SetPriority(4),
        lambda people: commands.Exempt(people["now"] + timedelta(hours=1)),
        commands.Exempt(None),
        commands.WarnStale(STALE, warning=timedelta(minutes=2)),
        commands.TerminateStale(commands.Stale(timedelta(minutes=1), warned=True)),
        commands.Reopen(),
        commands.Pull(),
        commands.RequeueStale(stale=STALE),
        commands.HangUp(),
        lambda people: commands.DisposeStale(make_disposition(), stale=STALE),
        commands.Archive(),
    ],
    "mailed": [
        commands.Pull(),
        commands.TellOfMail(Event.EMAIL_FAILED, "ml_1", "no such mailbox"),
        commands.Edit({"name": "Late"}),
        commands.TellOfMail(Event.EMAIL_SENT, "ml_1"),
    ],
}


@pytest.mark.parametrize("life", list(LIVES))
def test_every_life_comes_in_again_as_it_is_after_each_of_its_steps(life, copied, admin_actor, queue, sales, ann, ben):
    item = make_workitem(queue=queue, workitem_id="wi_1")
    now = NOON
    for step in LIVES[life]:
        now += timedelta(minutes=5)
        people = {"sales": sales, "ann": ann, "ben": ben, "now": now}
        command = step if isinstance(step, commands.Command) else step(people)
        by_system = command.action in (Action.WARN_STALE, Action.TERMINATE_STALE)
        actor = Actor.job("stale-policies", Scope.ADMIN) if by_system else admin_actor
        item = services.execute(command, item.workitem_id, actor=actor, now=now)
        copy = copied(item)
        assert {name: getattr(copy, name) for name in COPIED} == {name: getattr(item, name) for name in COPIED}
        assert timeline(copy) == timeline(item)


def test_the_importer_knows_which_events_are_no_activity():
    told = {
        MOVES[command.action].event
        for command in vars(commands).values()
        if isinstance(command, type) and issubclass(command, commands.Command) and not command.is_activity
    }
    # what TellOfMail tells is no note
    assert {Event.EMAIL_FAILED, Event.EMAIL_SENT} | told - {Event.NOTED, None} == PASSIVE


@pytest.mark.parametrize(
    ("code", "from_state", "to_state"),
    [
        ("transferUndone", "active", "inqueue"),
        ("transferUndone", "inqueue", "terminated"),
        ("returnedToQueue", "inqueue", "inqueue"),
        ("emailFailed", "accepted", "active"),
        ("exempted", "dispositioned", "dispositioned"),
    ],
)
def test_new_events_that_lead_where_they_cannot_are_rejected(code, from_state, to_state, take_json, queue):
    event = {"type": code, "timestamp": NOON_MS, "fromState": from_state, "toState": to_state}
    assert take_json(WAITING | {"timeEvents": [event]})[0]["rejected"] == 1


def test_a_line_that_is_no_utf8_is_rejected_or_taken_but_never_stops_the_rest(tmp_path, queue):
    path = tmp_path / "items.jsonl"
    path.write_bytes(b'{"workitemId": "\xff"}\n' + json.dumps(WAITING).encode() + b"\n")
    counts, _code = run(path, "jsonl")
    assert (counts["imported"], counts["rejected"]) == (1, 1)


@pytest.mark.parametrize("content", [None, b"\x1f\x8bbroken"])
def test_a_file_that_cannot_be_read_is_an_error(content, tmp_path):
    path = tmp_path / "calls.tsv.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError):
        run(path, "bank-calls")


def test_memory_holds_one_batch(monkeypatch):
    from workitems.imports import runner
    from workitems.imports.records import Skipped

    monkeypatch.setattr(runner, "BATCH", 10)
    pulled = []

    def lines():
        for number in range(100):
            pulled.append(number)
            yield Skipped(number)

    importer = Importer(Actor.job("import", Scope.ADMIN), lambda rejected: None)
    seen = []
    original = importer._take_batch
    monkeypatch.setattr(importer, "_take_batch", lambda batch: (seen.append(len(pulled)), original(batch)))
    importer.take(lines())
    assert seen == list(range(10, 101, 10))
