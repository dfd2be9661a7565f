"""The ledger: kept with every change, made anew from history, and compared with it."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.builders import NOON, facts_of, make_user, make_workitem
from workitems import commands, ledger, moments, rebuilding, services
from workitems.actors import Actor
from workitems.choices import Door, EndedBy, Event, Scope, State, Type
from workitems.demo import loading, past
from workitems.groups import grant
from workitems.imports import wire
from workitems.imports.runner import Importer
from workitems.models import Stay, TimeEvent, Workitem

JOB = Actor.job("test", Scope.ADMIN)


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def stays_of(item):
    return list(Stay.objects.filter(workitem=item).order_by("version").values())


@pytest.fixture
def lived(queue, sales, ann):
    """A call that was offered, rejected, transferred and answered, as the executor has written it."""
    create = commands.Create(Type.INBOUND_CALL, queue=queue)
    item = services.create(create, actor=JOB, now=NOON)
    sales.members.add(ann)
    for seconds, command in (
        (5, commands.Offer(ann)),
        (9, commands.Reject()),
        (20, commands.TransferToQueue(sales)),
        (30, commands.Offer(ann)),
        (33, commands.Accept()),
        (34, commands.Bridge()),
    ):
        services.execute(command, item.workitem_id, actor=JOB, now=after(seconds))
    return Workitem.objects.get(pk=item.pk)


def run(what, *options):
    out, code = StringIO(), 0
    try:
        call_command("ledger", what, *options, stdout=out, stderr=StringIO())
    except SystemExit as end:
        code = int(end.code or 0)
    return out.getvalue(), code


# Kept with every change


def test_a_change_writes_the_stay_that_is_over(lived):
    first, *_others, last = stays_of(lived)
    assert (first["state"], first["began_at"], first["ended_at"], first["magnitude"]) == ("inqueue", NOON, after(5), 2)
    assert (last["state"], last["version"], last["lasted_ms"]) == ("accepted", lived.version, 1000)
    assert [(one["outcome"], one["wait_ms"]) for one in stays_of(lived) if one["outcome"]] == [
        ("flowedOut", 20_000),
        ("answered", 13_000),
    ]
    assert (lived.place_since, lived.entered_at) == (after(34), None)


def test_what_does_not_move_it_writes_nothing(lived):
    before = stays_of(lived)
    services.execute(commands.AddNote("Hello."), lived.workitem_id, actor=JOB, now=after(50))
    services.execute(commands.Mute(), lived.workitem_id, actor=JOB, now=after(51))
    assert stays_of(lived) == before
    assert Workitem.objects.get(pk=lived.pk).place_since == after(34)


def test_where_the_clock_runs_backwards_the_earlier_time_holds(lived):
    services.execute(commands.HangUp(EndedBy.AGENT), lived.workitem_id, actor=JOB, now=after(10))
    last = stays_of(lived)[-1]
    assert (last["state"], last["began_at"], last["ended_at"], last["handled_ms"]) == (
        "active",
        after(34),
        after(34),
        0,
    )
    assert run("check") == ("1 workitems, 7 stays: 1 right, 0 not.\n", 0)


def test_what_is_not_in_the_ledger_yet_stays_out_of_it(queue):
    item = make_workitem(queue=queue, place_since=None, entered_at=None)
    services.execute(commands.HangUp(EndedBy.CUSTOMER), item.workitem_id, actor=JOB, now=after(5))
    assert stays_of(item) == []
    assert Workitem.objects.get(pk=item.pk).place_since is None


def test_a_purge_takes_the_stays_along(lived):
    for command in (commands.HangUp(), commands.Archive(), commands.Purge()):
        services.execute(command, lived.workitem_id, actor=JOB, now=after(60))
    assert not Stay.objects.exists()


@pytest.mark.parametrize(
    ("seconds", "power"), [(0, 0), (0.9, 0), (1, 1), (3, 1), (4, 2), (15, 2), (16, 3), (10**9, 15), (10**11, 15)]
)
def test_a_magnitude_is_the_power_of_4_that_a_span_is_shorter_than(seconds, power):
    assert ledger.magnitude(timedelta(seconds=seconds)) == power


def test_a_moment_keeps_its_microseconds():
    assert ledger.moment(1772452800000.001) == NOON + timedelta(microseconds=1)
    assert [ledger.moment(value) for value in (0, True, None, "1", -5, 10**18)] == [None] * 6


# Imported histories


def history(*events, state=State.TERMINATED, **facts):
    """Return the stays of a history of events given as second, code and further columns."""
    item = Workitem(
        pk=1, type=Type.INBOUND_CALL, channel_type="voice", state=state, created_at=NOON, ended_by="customer", **facts
    )
    told = [
        TimeEvent(version=number, timestamp=after(at), type=code, **columns)
        for number, (at, code, columns) in enumerate(events, start=1)
    ]
    return ledger.follow(item, told)


def test_times_that_run_backwards_take_nothing_from_the_sum():
    standing, stays = history(
        (0, Event.CREATED, {"to_state": "inqueue", "queue_id": 1}),
        (5, Event.PULLED, {"to_state": "accepted", "queue_id": 1, "agent_id": 1}),
        (3, Event.ACTIVATED, {"to_state": "active", "queue_id": 1, "agent_id": 1}),
    )
    assert [(one["state"], one["lasted_ms"]) for one in stays] == [("inqueue", 5000), ("accepted", 0)]
    assert (standing.place.state, standing.since) == ("active", after(5))


def test_events_that_lead_nowhere_cut_nothing():
    _standing, stays = history(
        (0, Event.CREATED, {"to_state": "inqueue", "queue_id": 1}),
        (2, "bot.asked", {}),
        (8, Event.ABANDONED, {"to_state": "terminated", "queue_id": 1}),
    )
    assert [(one["lasted_ms"], one["outcome"], one["version"]) for one in stays] == [(8000, "abandoned", 3)]


@pytest.mark.parametrize(("queued_at", "wait"), [(after(2), 6000), (None, None)])
def test_a_first_event_says_since_when_it_waited_or_that_it_never_did(queued_at, wait):
    told = int(queued_at.timestamp() * 1000) if queued_at else 0
    _standing, stays = history(
        (0, Event.CREATED, {"to_state": "inqueue", "queue_id": 1, "details": {"queuedAt": told}}),
        (8, Event.ABANDONED, {"to_state": "terminated", "queue_id": 1}),
    )
    assert [one["wait_ms"] for one in stays] == [wait]


def test_what_other_events_say_of_a_queue_is_no_wait():
    _standing, stays = history(
        (0, Event.CREATED, {"to_state": "inqueue", "queue_id": 1}),
        (4, "bot.asked", {"to_state": "inqueue", "queue_id": 2, "details": {"queuedAt": 1}}),
        (8, Event.ABANDONED, {"to_state": "terminated", "queue_id": 2}),
    )
    assert [one["wait_ms"] for one in stays] == [4000, 4000]


def test_a_history_without_events_stands_where_the_workitem_does():
    standing, stays = history(state=State.INQUEUE, queue_id=1)
    assert (standing.place.state, standing.since, standing.entered_at, stays) == ("inqueue", NOON, NOON, [])


# Compared and made anew


def test_a_ledger_as_history_tells_it_is_right(lived):
    assert run("check") == ("1 workitems, 6 stays: 1 right, 0 not.\n", 0)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda item: Stay.objects.filter(version=3).delete(), "stay 3 is missing"),
        (lambda item: Stay.objects.filter(version=4).update(wait_ms=1), "stay 4: wait_ms is 1, history says 20000"),
        (lambda item: Stay.objects.filter(version=4).update(version=99), "stay 99 is of no event"),
        (lambda item: Workitem.objects.update(handled_ms=7), "handled_ms is 7, history says 0"),
        (lambda item: Workitem.objects.update(entered_at=NOON), "entered_at is 2026-03-02T12:00:00+00:00"),
    ],
)
def test_what_differs_is_named_and_made_anew(spoil, named, lived):
    whole, before = stays_of(lived), facts_of(lived)
    spoil(lived)
    text, code = run("check")
    assert (named in text, lived.workitem_id in text, code) == (True, True, 1)
    assert run("rebuild") == ("1 workitems, 6 stays: 0 were right, 1 made anew.\n", 0)
    assert [one | {"id": 0} for one in stays_of(lived)] == [one | {"id": 0} for one in whole]
    assert facts_of(lived) == before
    assert run("check")[1] == 0


def test_what_is_right_is_left_alone(lived):
    before = stays_of(lived)
    assert run("rebuild") == ("1 workitems, 6 stays: 1 were right, 0 made anew.\n", 0)
    assert stays_of(lived) == before


def test_after_an_update_what_was_there_before_comes_into_the_ledger(lived):
    whole = stays_of(lived)
    Stay.objects.all().delete()
    Workitem.objects.update(place_since=None, entered_at=None, handled_ms=0)
    assert run("check")[0].startswith(f"{lived.workitem_id}: is not in the ledger\n")
    assert run("rebuild", "--missing")[0] == "1 workitems, 6 stays: 0 were right, 1 made anew.\n"
    assert [one | {"id": 0} for one in stays_of(lived)] == [one | {"id": 0} for one in whole]
    assert run("rebuild", "--missing")[0] == "0 workitems, 0 stays: 0 were right, 0 made anew.\n"


def test_only_what_is_asked_for_is_looked_at(lived, queue, sales):
    other = services.create(commands.Create(Type.CHAT, queue=queue), actor=JOB, now=after(90_000))
    assert run("check", "--queue", "q_sales")[0].startswith("1 workitems")
    assert run("check", "--queue", "q_support")[0].startswith("2 workitems")
    assert run("check", "--since", "2026-03-03")[0].startswith("1 workitems")
    assert other.place_since == after(90_000)


@pytest.mark.parametrize("options", [("--queue", "q_none"), ("--since", "yesterday"), ("--since", "2026-02-30")])
def test_what_does_not_exist_is_refused(options, db):
    with pytest.raises(CommandError):
        run("check", *options)


def test_portions_follow_one_another_and_miss_nothing(queue, monkeypatch):
    items = [make_workitem(queue=queue).pk for _ in range(5)]
    monkeypatch.setattr(rebuilding, "CHUNK", 2)
    assert list(rebuilding.portions(rebuilding.of_interest())) == [items[:2], items[2:4], items[4:]]


# What comes from elsewhere


def place_that_history_tells(item):
    standing, _stays = ledger.follow(item, list(TimeEvent.objects.filter(workitem=item).order_by("version")))
    return standing.place


def test_the_demos_past_is_in_the_ledger_and_ends_where_each_workitem_stands(db, monkeypatch):
    monkeypatch.setattr(past, "FULL_DAY", 30)
    monkeypatch.setattr(past, "OLDER_DAY", 5)
    loading.load(now=NOON)
    assert run("check")[1] == 0
    assert all(place_that_history_tells(item) == ledger.Place.of(item) for item in Workitem.objects.all())


CAME = int(NOON.timestamp()) * 1000
WAITS = {
    "workitemId": "crm-1",
    "type": "InboundCall",
    "state": "inqueue",
    "createdAt": CAME,
    "queuedAt": CAME + 2000,
    "selectedQueue": "q_support",
}
OVER = {"state": "terminated", "assignedAt": CAME + 5000, "terminatedAt": CAME + 65_000, "agentUsername": "ann"}


def bring_in(line):
    refused = []
    Importer(JOB, refused.append).take(wire.read_jsonl([(1, json.dumps(line))]))
    assert refused == []
    return Workitem.objects.get()


def test_what_comes_in_waiting_has_waited_since_it_was_queued(queue):
    item = bring_in(WAITS)
    assert (item.place_since, item.entered_at) == (NOON, after(2))
    services.execute(commands.HangUp(EndedBy.CUSTOMER), item.workitem_id, actor=JOB, now=after(9))
    assert [(one["outcome"], one["wait_ms"]) for one in stays_of(item)] == [("abandoned", 7000)]
    assert run("check")[1] == 0


def test_times_alone_tell_of_the_wait_and_of_the_work(queue, ann):
    item = bring_in(WAITS | OVER)
    assert [(one["state"], one["outcome"], one["wait_ms"], one["agent_id"]) for one in stays_of(item)] == [
        ("inqueue", "answered", 3000, None),
        ("accepted", "", None, ann.pk),
    ]
    assert place_that_history_tells(item) == ledger.Place.of(item)


def test_events_that_leave_out_queue_and_agent_stay_where_they_were(queue, ann):
    events = [
        {"type": "created", "timestamp": CAME, "toState": "inqueue"},
        {"type": "pulled", "timestamp": CAME + 5000, "fromState": "inqueue", "toState": "accepted"},
        {"type": "terminated", "timestamp": CAME + 65_000, "fromState": "accepted", "toState": "terminated"},
    ]
    item = bring_in(WAITS | OVER | {"timeEvents": events})
    assert [one["outcome"] for one in stays_of(item)] == ["answered", ""]
    assert place_that_history_tells(item) == ledger.Place.of(item)


# A moment of the past


def standing(actor, seconds):
    return [
        (one.state, one.count, one.waiting, one.since, one.entered_at)
        for one in moments.standing_at(actor, after(seconds))
    ]


@pytest.mark.parametrize(
    ("seconds", "found"),
    [
        (-1, []),
        (0, [("inqueue", 1, 1, 0, 0)]),
        (7, [("offered", 1, 1, 5, 0)]),
        (9, [("inqueue", 1, 1, 9, 0)]),
        (25, [("inqueue", 1, 1, 20, 20)]),
        (33, [("accepted", 1, 0, 33, None)]),
        (99, [("active", 1, 0, 34, None)]),
    ],
)
def test_at_each_moment_it_stands_where_it_stood_then(seconds, found, lived):
    assert standing(JOB, seconds) == [
        (state, count, waiting, after(since), None if entered is None else after(entered))
        for state, count, waiting, since, entered in found
    ]


def test_what_was_over_by_then_stands_nowhere(lived, ann):
    for seconds, command in ((60, commands.HangUp()), (3600, commands.Archive())):
        services.execute(command, lived.workitem_id, actor=JOB, now=after(seconds))
    assert standing(JOB, 61) == [("terminated", 1, 0, after(60), None)]
    assert standing(JOB, 3601) == []


def test_who_sees_one_queue_sees_nothing_of_the_others_at_any_moment(lived, queue):
    only_here = make_user("only_here")
    grant(only_here, Scope.READ, queue)
    actor = Actor.of(only_here, Door.PAGE)
    assert [one.queue_id for one in moments.standing_at(actor, after(7))] == [queue.pk]
    assert moments.standing_at(actor, after(25)) == []
    assert moments.standing_at(Actor.of(make_user("nobody"), Door.PAGE), after(7)) == []


def test_a_moment_costs_two_queries(lived, django_assert_num_queries):
    with django_assert_num_queries(2):
        moments.standing_at(JOB, after(7))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="plans are PostgreSQL's")
def test_a_moment_is_found_by_an_index(lived, queue):
    Stay.objects.bulk_create(
        Stay(
            workitem=lived,
            version=number + 100,
            channel_type="voice",
            state="inqueue",
            queue=queue,
            began_at=after(number * 60),
            ended_at=after(number * 60 + 50),
            lasted_ms=50_000,
            magnitude=3,
        )
        for number in range(20_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE workitems_stay")
    plan = moments.stays_at(JOB, after(600_030)).explain()
    assert "stay_at_a_moment" in plan, plan
    assert "Seq Scan" not in plan
    assert moments.stays_at(JOB, after(600_030)).count() == 1
