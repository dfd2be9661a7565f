"""What a list can be narrowed to, and one page of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Q

from queues.channels import Channel
from queues.models import QueueChannel
from tests.builders import NOON, make_presence, make_queue, make_user, make_workitem
from tests.lives import came, did
from workitems import worklist
from workitems.actors import Actor
from workitems.choices import Door, Event, Priority, Scope, State, Type
from workitems.commands import TransferToQueue
from workitems.errors import InvalidValue
from workitems.groups import grant
from workitems.models import TimeEvent, Workitem
from workitems.worklist import MOST_COUNTED, Filters, Reader, Sla, page_of, rows_of, slices

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(admin_actor):
    return Reader(admin_actor, NOON)


def found(reader, q="", **asked):
    """Return the ids that these filters leave, the newest first."""
    filters = reader.read({name: [values] if isinstance(values, str) else values for name, values in asked.items()})
    rows = worklist.matching(Workitem.objects.visible_to(reader.actor), filters, now=reader.now, q=q)
    page = page_of(rows, 1, 100, by=slices(filters, reader.actor))
    assert sorted(page.pks) == sorted(rows.values_list("pk", flat=True))  # the slices leave out nothing
    return [row.workitem_id for row in rows_of(page.pks, ())]


def test_no_filter_shows_everything_but_the_archive(reader, queue):
    make_workitem(queue=queue, workitem_id="open")
    make_workitem(State.TERMINATED, queue=queue, workitem_id="kept", archived_at=NOON)
    assert found(reader) == ["open"]
    assert sorted(found(reader, archived="yes")) == ["kept", "open"]
    assert found(reader, archived="only") == ["kept"]


@pytest.mark.parametrize(
    ("q", "ids"),
    [("archived:true", ["kept"]), ("archivedAt:>2026-01-01", ["kept"]), ('name:"archived: no"', [])],
)
def test_a_search_that_names_the_archive_looks_into_it(q, ids, reader, queue):
    make_workitem(State.TERMINATED, queue=queue, workitem_id="kept", archived_at=NOON)
    assert found(reader, q=q) == ids


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({"state": "hold"}, ["held"]),
        ({"state": ["hold", "inqueue"]}, ["chat", "held", "mail"]),
        ({"channel": "email"}, ["mail"]),
        ({"channel": ["email", "chat"]}, ["chat", "mail"]),
        ({"type": "InboundCall"}, ["ended", "held"]),
        ({"type": ["Facebook", "InboundEmail"]}, ["chat", "mail"]),
        ({"state": "inqueue", "type": "Facebook"}, ["chat"]),
        ({"queue": "q_sales"}, ["chat"]),
        ({"queue": ["q_sales", "q_support"]}, ["chat", "ended", "held", "mail"]),
        ({"priority": "5"}, ["mail"]),
        ({"priority": ["5", "1"]}, ["chat", "mail"]),
        ({"agent": "ann"}, ["held"]),
        ({"agent": "none"}, ["chat", "mail"]),
        ({"agent": "inactive"}, ["ended"]),
        ({"agent": ["ann", "none"]}, ["chat", "held", "mail"]),
        ({"agent": ["ann", "inactive"]}, ["ended", "held"]),
        ({"stale": "yes"}, ["mail"]),
        ({"stale": "no"}, ["chat", "ended", "held"]),
        ({"created_from": "2026-03-02"}, ["chat", "ended", "held"]),
        ({"created_to": "2026-03-01"}, ["mail"]),
        ({"created_from": "2026-03-01", "created_to": "2026-03-01"}, ["mail"]),
        ({"created_from": "now-1h"}, ["chat", "ended", "held"]),
        ({"ended_from": "2026-03-02T12:00:00Z"}, ["ended"]),
        ({"ended_to": "2026-03-01"}, []),
        ({"state": ""}, ["chat", "ended", "held", "mail"]),
    ],
)
def test_each_filter_leaves_what_it_names(asked, ids, reader, queue, sales, ann):
    gone = make_user("gone", is_active=False)
    make_workitem(State.HOLD, queue=queue, agent=ann, workitem_id="held")
    make_workitem(
        queue=queue, type=Type.INBOUND_EMAIL, workitem_id="mail", priority=Priority.HIGHEST, stale_at=NOON,
        created_at=NOON - timedelta(days=1),
    )  # fmt: skip
    make_workitem(queue=sales, type=Type.FACEBOOK, workitem_id="chat", priority=Priority.LOWEST)
    make_workitem(State.TERMINATED, queue=queue, agent=gone, workitem_id="ended")
    assert sorted(found(reader, **asked)) == ids


@pytest.mark.parametrize(
    ("sla", "ids"),
    [
        ("fine", ["at 15", "at 23"]),
        ("warning", ["at 24", "at 30"]),
        ("breached", ["at 31", "at 90", "offered"]),
        (["fine", "breached"], ["at 15", "at 23", "at 31", "at 90", "offered"]),
    ],
)
def test_what_waits_stands_to_the_service_level_of_its_queue(sla, ids, reader, queue, ann):
    QueueChannel.objects.filter(queue=queue, channel=Channel.VOICE).update(sla_seconds=30)
    for seconds in (15, 23, 24, 30, 31, 90):
        make_workitem(queue=queue, workitem_id=f"at {seconds}", queued_at=NOON - timedelta(seconds=seconds))
    make_workitem(State.OFFERED, queue=queue, agent=ann, workitem_id="offered", queued_at=NOON - timedelta(hours=1))
    make_workitem(State.ACTIVE, queue=queue, agent=ann, workitem_id="active", queued_at=NOON - timedelta(hours=1))
    assert sorted(found(reader, sla=sla)) == ids


def test_what_is_back_at_its_old_place_is_late_by_its_new_entry_as_on_the_board(reader, queue):
    QueueChannel.objects.filter(queue=queue, channel=Channel.VOICE).update(sla_seconds=30)
    make_workitem(queue=queue, workitem_id="back", queued_at=NOON - timedelta(hours=1), entered_at=NOON)
    make_workitem(queue=queue, workitem_id="old", queued_at=NOON - timedelta(minutes=1))
    assert found(reader, sla="breached") == ["old"]
    assert found(reader, sla="fine") == ["back"]
    assert [row.workitem_id for row in worklist.ordered(Workitem.objects.all(), "due")] == ["old", "back"]


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({"open": "yes"}, ["active 10 min", "held 40 min", "waits 20 min"]),
        ({"open": "all"}, ["active 10 min", "ended", "held 40 min", "waits 20 min"]),
        ({"age_over": "1200"}, ["held 40 min", "waits 20 min"]),
        ({"age_over": "1201"}, ["held 40 min"]),
        ({"age_over": "2401"}, []),
        ({"age_over": "600", "state": "active"}, ["active 10 min"]),
    ],
)
def test_what_is_open_and_how_long_it_has_been_so(asked, ids, reader, queue, ann):
    for state, minutes, name in (
        (State.INQUEUE, 20, "waits 20 min"),
        (State.ACTIVE, 10, "active 10 min"),
        (State.HOLD, 40, "held 40 min"),
        (State.TERMINATED, 0, "ended"),
    ):
        agent = None if state == State.INQUEUE else ann
        since = NOON - timedelta(minutes=minutes)
        make_workitem(state, queue=queue, agent=agent, workitem_id=name, state_changed_at=since)
    assert sorted(found(reader, **asked)) == ids


@pytest.mark.parametrize(
    ("seconds", "ids"),
    [
        ("1", ["answered after 60 s", "given up after 90 s", "transferred, waits 120 s"]),
        ("60", ["answered after 60 s", "given up after 90 s", "transferred, waits 120 s"]),
        ("61", ["given up after 90 s", "transferred, waits 120 s"]),
        ("91", ["transferred, waits 120 s"]),
        ("121", []),
    ],
)
def test_the_wait_of_a_customer_goes_on_from_when_he_came_until_an_agent_takes_him(seconds, ids, reader, queue, ann):
    since = NOON - timedelta(seconds=120)

    def after(wait):
        return since + timedelta(seconds=wait)

    make_workitem(queue=queue, workitem_id="transferred, waits 120 s", created_at=since, queued_at=after(100))
    make_workitem(
        State.ACTIVE, queue=queue, agent=ann, workitem_id="answered after 60 s", created_at=since, assigned_at=after(60)
    )
    make_workitem(
        State.TERMINATED, queue=queue, workitem_id="given up after 90 s", created_at=since, terminated_at=after(90)
    )
    make_workitem(
        State.ACTIVE, queue=queue, agent=ann, workitem_id="called by ann", type=Type.OUTBOUND_CALL, created_at=since,
        assigned_at=None,
    )  # fmt: skip
    assert sorted(found(reader, wait_over=seconds)) == ids


@pytest.mark.parametrize(("least", "ids"), [("1", ["once", "twice"]), ("2", ["twice"]), ("3", [])])
def test_transfers_are_counted_by_their_events(least, ids, reader, queue, sales):
    came(queue, NOON - timedelta(minutes=5))
    for name, targets in (("once", (sales,)), ("twice", (sales, queue))):
        item = came(queue, NOON - timedelta(minutes=5))
        for number, target in enumerate(targets):
            did(item, TransferToQueue(target), NOON - timedelta(minutes=4 - number))
        Workitem.objects.filter(pk=item.pk).update(workitem_id=name)
    assert sorted(found(reader, transfers_min=least, open="yes")) == ids


@pytest.mark.parametrize(
    "beside", [{"open": "yes"}, {"state": "hold"}, {"created_from": "now-7d"}, {"ended_from": "now-7d"}]
)
def test_transfers_of_all_that_ever_came_are_not_counted(beside, reader, queue):
    assert reader.read({"transfers_min": ["1"], **{name: [value] for name, value in beside.items()}}).transfers_min == 1
    for others in ({}, {"open": ["all"]}, {"state": ["terminated"]}):
        with pytest.raises(InvalidValue) as refused:
            reader.read({"transfers_min": ["1"], **others})
        assert "open work, or from a day on" in refused.value.message


@pytest.mark.parametrize(
    ("ways", "ids"),
    [
        ("offered", ["offer of long ago"]),
        ("silent", ["silent call", "silent mail"]),
        ("inactive", ["with nobody there"]),
        ("undispositioned", ["not dispositioned"]),
        (["offered", "undispositioned"], ["not dispositioned", "offer of long ago"]),
    ],
)
def test_each_way_to_be_stuck_finds_its_own(ways, ids, reader, queue, ann):
    def ago(**span):
        return NOON - timedelta(**span)

    make_presence(ann)
    gone = make_user("gone", is_active=False)
    hers = {"queue": queue, "agent": ann}
    make_workitem(State.OFFERED, workitem_id="offer of long ago", offer_expires_at=ago(seconds=10), **hers)
    make_workitem(State.OFFERED, workitem_id="offer of now", offer_expires_at=ago(seconds=9), **hers)
    make_workitem(State.HOLD, workitem_id="silent call", active_at=ago(minutes=30), **hers)
    make_workitem(State.ACTIVE, workitem_id="busy call", active_at=ago(minutes=29), **hers)
    make_workitem(State.ACTIVE, workitem_id="silent mail", type=Type.INBOUND_EMAIL, active_at=ago(days=1), **hers)
    make_workitem(State.ACTIVE, workitem_id="busy mail", type=Type.INBOUND_EMAIL, active_at=ago(hours=23), **hers)
    make_workitem(State.ACTIVE, queue=queue, agent=gone, workitem_id="with nobody there")
    make_workitem(State.TERMINATED, workitem_id="not dispositioned", terminated_at=ago(hours=1), **hers)
    make_workitem(State.TERMINATED, workitem_id="in wrap-up", terminated_at=ago(minutes=59), **hers)
    assert sorted(found(reader, stuck=ways)) == ids


def test_each_channel_has_its_own_service_level(reader, queue):
    make_workitem(queue=queue, type=Type.INBOUND_EMAIL, workitem_id="mail", queued_at=NOON - timedelta(minutes=5))
    make_workitem(queue=queue, workitem_id="call", queued_at=NOON - timedelta(minutes=5))
    assert found(reader, sla="breached") == ["call"]


def test_without_a_service_level_nothing_is_in_time_or_late(reader):
    make_workitem(queue=make_queue("q_bare", channels=()), queued_at=NOON)
    assert found(reader, sla=["fine", "warning", "breached"]) == []


@pytest.mark.parametrize(
    ("seconds", "way"), [(0, Sla.FINE), (23, Sla.FINE), (24, Sla.WARNING), (30, Sla.WARNING), (31, Sla.BREACHED)]
)
def test_a_row_says_the_same_as_the_filter(seconds, way, reader):
    standing = worklist.standing_of(State.INQUEUE, NOON, 30, NOON + timedelta(seconds=seconds))
    assert (standing.due_at, standing.state) == (NOON + timedelta(seconds=30), way)


@pytest.mark.parametrize(("state", "level"), [(State.ACTIVE, 30), (State.INQUEUE, None)])
def test_what_does_not_wait_or_has_no_level_is_not_due(state, level):
    assert worklist.standing_of(state, NOON, level, NOON) is None


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("colour", ["red"], "There is no filter “colour”."),
        ("state__exact", ["hold"], "There is no filter “state__exact”."),
        ("state", ["holding"], "and not “holding”."),
        ("state", ["%s"], "and not “%s”."),
        ("priority", ["6"], "“priority” takes 1, 2, 3, 4, 5, and not “6”."),
        ("queue", ["q_none"], "There is no queue “q_none” whose work you may see."),
        ("agent", ["nobody"], "There is no agent “nobody” whom you may see."),
        ("age_over", ["0"], "“age_over” takes a number from 1 to 315360000, and not “0”."),
        ("wait_over", ["-5"], "and not “-5”."),
        ("wait_over", ["9" * 11], "“wait_over” takes a number from 1 to 315360000"),
        ("transfers_min", ["1001"], "“transfers_min” takes a number from 1 to 1000, and not “1001”."),
        ("transfers_min", ["²"], "and not “²”."),
        ("stuck", ["silence"], "“stuck” takes offered, silent, inactive, undispositioned, and not “silence”."),
        ("open", ["no"], "“open” takes yes, all, and not “no”."),
        ("figure", ["asa"], "and not “asa”."),
        ("figure", ["answered", "handled"], "“figure” takes one value."),
        ("during_from", ["then"], "during_from takes a time"),
        ("archived", ["perhaps"], "“archived” takes no, yes, only, and not “perhaps”."),
        ("stale", ["yes", "no"], "“stale” takes one value."),
        ("sla", ["late"], "“sla” takes fine, warning, breached, and not “late”."),
        ("created_from", ["yesterday"], "created_from takes a time"),
        ("created_from", ["0001-01-01"], "created_from takes a time"),
        ("created_to", ["9999-12-31"], "created_to takes a time"),
        ("ended_from", ["99999999999999999"], "ended_from takes a time"),
        ("queue", ["q\0"], "“queue” has a value that cannot be meant."),
        ("agent", ["a" * 151], "“agent” has a value that cannot be meant."),
        ("queue", [f"q{number}" for number in range(101)], "“queue” takes 100 values at most."),
    ],
)
def test_what_is_not_known_is_told_and_never_left_out(name, values, told, reader):
    with pytest.raises(InvalidValue) as refused:
        reader.read({name: values})
    assert told in refused.value.message
    assert refused.value.field == name


def test_only_queues_and_agents_that_one_may_see_can_be_named(queue, sales, ann):
    user, stranger = make_user("reader"), make_user("stranger")
    sales.members.add(stranger)
    grant(user, Scope.READ, queue)
    reader = Reader(Actor.of(user, Door.ADMIN), NOON)
    assert reader.read({"queue": ["q_support"], "agent": ["ann"]}).queues == (queue,)
    for asked in ({"queue": ["q_sales"]}, {"agent": ["stranger"]}):
        with pytest.raises(InvalidValue):
            reader.read(asked)


def test_somebody_who_sees_few_queues_sees_their_work_and_his_own(queue, sales, ann):
    user = make_user("reader")
    grant(user, Scope.READ, queue)
    make_workitem(queue=queue, workitem_id="here")
    make_workitem(queue=sales, workitem_id="elsewhere")
    make_workitem(State.ACTIVE, queue=sales, agent=user, workitem_id="own")
    make_workitem(State.ACTIVE, queue=None, agent=user, workitem_id="own, in no queue")
    reader = Reader(Actor.of(user, Door.ADMIN), NOON)
    assert sorted(found(reader)) == ["here", "own", "own, in no queue"]
    assert sorted(found(reader, agent="none")) == ["here"]


def test_a_day_is_one_of_the_servers(reader, queue, settings):
    make_workitem(queue=queue, workitem_id="late", created_at=datetime(2026, 3, 1, 23, 59, tzinfo=UTC))
    assert found(reader, created_to="2026-03-01") == ["late"]
    assert found(reader, created_from="2026-03-02") == []


def test_chips_say_each_value_in_words(reader, queue):
    asked = {"state": ["hold"], "queue": ["q_support"], "agent": ["none", "ann"], "created_from": ["2026-03-02"]}
    words = [(one.label, one.words) for one in worklist.chips(reader.read(asked))]
    assert words == [
        ("State", "On hold"),
        ("Queue", "Support"),
        ("Agent", "nobody"),
        ("Agent", "ann"),
        ("Created from", "2026-03-02"),
    ]


@pytest.mark.parametrize(
    ("asked", "made_of"),
    [
        ({"state": ["hold"], "channel": ["voice"]}, [Q(state="hold", channel_type="voice")]),
        ({"type": ["Chat"]}, [Q(channel_type="chat", type="Chat")]),
        ({"priority": ["5"], "created_from": ["2026-03-02"]}, [Q(priority=5)]),
        ({"priority": ["5"], "state": ["hold"]}, [Q()]),
        ({"priority": ["5"], "archived": ["only"]}, [Q()]),
        ({"agent": ["none"]}, [Q()]),
    ],
)
def test_one_filter_is_read_along_its_index_and_several_are_left_to_the_database(asked, made_of, reader):
    assert slices(reader.read(asked), reader.actor) == made_of


def test_pages_follow_each_other_without_gap(reader, queue):
    items = [make_workitem(queue=queue, created_at=NOON + timedelta(seconds=number)) for number in range(25)]
    newest = [item.pk for item in reversed(items)]
    rows, by = Workitem.objects.all(), slices(reader.read({"state": ["inqueue"]}), reader.actor)
    pages = [page_of(rows, number, 10, by=by) for number in (1, 2, 3, 4)]
    assert [page.pks for page in pages] == [newest[:10], newest[10:20], newest[20:], []]
    assert [(page.first, page.last, page.count, page.has_next) for page in pages] == [
        (1, 10, 25, True), (11, 20, 25, True), (21, 25, 25, False), (0, 0, 25, False),
    ]  # fmt: skip
    assert {page.last_number for page in pages} == {3}


@pytest.mark.parametrize("sort", worklist.SORTS)
def test_every_order_ends_in_a_unique_key(sort, queue):
    pks = [make_workitem(queue=queue).pk for _ in range(3)]
    descends = sort in ("-created", "-changed", "priority")
    assert page_of(Workitem.objects.all(), 1, 10, sort=sort).pks == sorted(pks, reverse=descends)


def test_nobody_counts_beyond_a_thousand(queue, monkeypatch):
    monkeypatch.setattr("workitems.worklist.pages.MOST_COUNTED", 5)
    for _ in range(8):
        make_workitem(queue=queue)
    rows = Workitem.objects.all()
    pages = [page_of(rows, number, 2) for number in (1, 2, 3, 4, 5)]
    assert [len(page.pks) for page in pages] == [2, 2, 2, 2, 0]
    assert {(page.count, page.is_capped) for page in pages} == {(5, True)}
    assert [page.has_next for page in pages] == [True, True, True, False, False]
    assert [page.last_number for page in pages] == [None, None, None, 4, None]
    assert MOST_COUNTED == 1_000


@pytest.mark.parametrize("number", [1, 3])
def test_a_page_and_its_count_are_one_query(number, queue, django_assert_num_queries):
    for _ in range(6):
        make_workitem(queue=queue)
    with django_assert_num_queries(1):
        page_of(Workitem.objects.all(), number, 2)


def test_the_rows_of_a_page_are_one_query_whatever_they_show(queue, ann, django_assert_num_queries):
    items = [make_workitem(State.ACTIVE, queue=queue, agent=ann) for _ in range(3)]
    with django_assert_num_queries(1):
        rows = rows_of([item.pk for item in items], tuple(worklist.COLUMNS))
        shown = [(row.queue.name, row.agent.username, row.sla_seconds, row.event_type) for row in rows]
    assert shown == [("Support", "ann", 30, Event.CREATED)] * 3
    assert [row.pk for row in rows] == [item.pk for item in items]


def test_rows_count_transfers_and_name_the_last_event(queue):
    item, other = make_workitem(queue=queue), make_workitem(queue=queue)
    for version, code in ((2, Event.TRANSFERRED), (3, Event.TRANSFERRED), (4, Event.NOTED)):
        TimeEvent.objects.create(
            workitem=item,
            version=version,
            type=code,
            timestamp=NOON + timedelta(seconds=version),
            actor="x",
            door="api",
        )
    rows = rows_of([other.pk, item.pk], ("transfers", "event"))
    assert [(row.transfers, row.event_type) for row in rows] == [(0, Event.CREATED), (2, Event.NOTED)]
    assert rows[1].event_at == NOON + timedelta(seconds=4)


def test_what_is_gone_by_now_is_left_out_of_the_rows(queue):
    item = make_workitem(queue=queue)
    assert [row.pk for row in rows_of([item.pk + 1, item.pk], ())] == [item.pk]


def test_no_filters_at_all_have_nothing_to_say():
    assert worklist.chips(Filters()) == []
