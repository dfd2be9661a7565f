"""What each figure means, on cases made by hand with the numbers written beside them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models.functions import TruncDate, TruncHour

from queues.channels import Channel
from queues.models import QueueChannel
from tests.builders import NOON, make_disposition, make_queue
from workitems import commands, measures, services
from workitems.actors import Actor
from workitems.choices import EndedBy, Scope, Type
from workitems.commands import (
    Accept,
    Bridge,
    Create,
    ExpireOffer,
    HangUp,
    Hold,
    Offer,
    Reject,
    Reopen,
    ReturnToQueue,
    SetDisposition,
    TerminateStale,
    TransferToAgent,
    TransferToQueue,
    UndoTransfer,
    Unhold,
)  # fmt: skip
from workitems.measures import COUNTED_AT_ENTRY, COUNTED_AT_THE_END, FIGURES, Sums
from workitems.models import Stay, Workitem

BERLIN = ZoneInfo("Europe/Berlin")
JOB = Actor.job("test", Scope.ADMIN)


def live(*steps, queue, kind=Type.INBOUND_CALL, at=NOON, actor=JOB, **about):
    """Let a workitem come at a time, and do to it what is said, each so many seconds after that."""
    item = services.create(Create(kind, queue=queue, **about), actor=actor, now=at)
    for seconds, command in steps:
        services.execute(command, item.workitem_id, actor=actor, now=at + timedelta(seconds=seconds))
    return Workitem.objects.get(pk=item.pk)


def sums(queue, now=NOON, **lookups):
    """Return the sums of all that ever happened in a queue; what waits past its service level at `now` is late."""
    entered = measures.entries().filter(queue=queue, **lookups).aggregate(**COUNTED_AT_ENTRY)
    left = measures.handling().filter(queue=queue, **lookups).aggregate(**COUNTED_AT_THE_END)
    running = list(measures.running().filter(queue=queue).values_list("entered_at", "level__sla_seconds"))
    late = sum(now - at > timedelta(seconds=level) for at, level in running)
    return Sums(**entered, **left, waiting=len(running), waiting_late=late)


def answered_after(seconds, agent, talk=60):
    """Return the steps of a call that is answered after so long."""
    return (
        (0, Offer(agent)), (seconds, Accept()), (seconds, Bridge()), (seconds + talk, HangUp(EndedBy.AGENT)),
    )  # fmt: skip


# The wait


def test_a_wait_is_from_the_queue_to_the_answer(queue, ann):
    live(*answered_after(30, ann), queue=queue)
    live(*answered_after(10, ann), queue=queue)
    found = sums(queue)
    assert (found.offered, found.answered, found.asa_ms, found.longest_ms) == (2, 2, 20_000, 30_000)


def test_rejected_and_expired_offers_do_not_begin_the_wait_anew(queue, ann, ben):
    live(
        (5, Offer(ann)), (8, Reject()), (10, Offer(ben)), (31, ExpireOffer()), (40, Offer(ann)), (42, Accept()),
        queue=queue,
    )  # fmt: skip
    found = sums(queue)
    assert (found.offered, found.answered, found.asa_ms) == (1, 1, 42_000)


def test_a_transfer_in_the_middle_of_the_wait_flows_out_and_waits_anew(queue, sales, ann):
    live((20, TransferToQueue(sales)), (50, HangUp(EndedBy.CUSTOMER)), queue=queue)
    here, there = sums(queue), sums(sales)
    assert (here.offered, here.flowed_out, here.longest_ms, here.service_level) == (1, 1, 20_000, None)
    assert (there.offered, there.abandoned, there.longest_ms) == (1, 1, 30_000)


def test_an_offer_to_a_certain_agent_keeps_the_place_in_the_queue(queue, ann):
    live((15, TransferToAgent(ann)), (25, Accept()), queue=queue)
    found = sums(queue)
    assert (found.offered, found.answered, found.asa_ms, found.flowed_out) == (1, 1, 25_000, 0)


def test_a_call_passed_from_agent_to_agent_was_offered_to_the_queue_once(queue, ann, ben):
    live(*answered_after(10, ann)[:3], (40, TransferToAgent(ben)), (45, Accept()), queue=queue)
    found = sums(queue)
    assert (found.offered, found.answered, found.asa_ms) == (1, 1, 10_000)
    assert (found.handled, found.handled_ms) == (1, 30_000)


def test_what_an_agent_gives_back_waits_anew_from_then(queue, ann):
    live(*answered_after(10, ann)[:3], (70, ReturnToQueue()), (100, HangUp(EndedBy.CUSTOMER)), queue=queue)
    found = sums(queue)
    assert (found.offered, found.answered, found.abandoned, found.longest_ms) == (2, 1, 1, 30_000)


def test_after_an_undo_the_wait_goes_on_from_where_it_was(queue, sales, supervisor, ann):
    live((20, TransferToQueue(sales)), (25, UndoTransfer()), (40, Offer(ann)), (45, Accept()),
         queue=queue, actor=supervisor_with_everything(supervisor))  # fmt: skip
    found = sums(queue)
    assert (found.flowed_out, found.answered, found.answered_ms) == (1, 1, 45_000)
    assert (sums(sales).flowed_out, sums(sales).longest_ms) == (1, 5_000)


def test_after_an_undo_a_wait_that_began_anew_is_not_older_than_it_was(queue, sales, supervisor, ann):
    """Its place in line is from before an agent had it, and yet it waits only since he gave it back."""
    live(
        *answered_after(10, ann)[:3], (70, ReturnToQueue()), (80, TransferToQueue(sales)), (85, UndoTransfer()),
        (90, HangUp(EndedBy.CUSTOMER)), queue=queue, actor=supervisor_with_everything(supervisor),
    )  # fmt: skip
    (gave_up,) = Stay.objects.filter(outcome="abandoned")
    assert gave_up.wait_ms == 20_000


def supervisor_with_everything(actor):
    """Return an actor with a user, who alone can undo, and with the rights of the system."""
    return replace(actor, everywhere=JOB.everywhere)


def test_what_a_policy_ended_and_somebody_reopened_waits_anew(queue):
    stale = TerminateStale(commands.Stale(timedelta(seconds=1)))
    live((30, stale), (90, Reopen()), (100, HangUp(EndedBy.CUSTOMER)), queue=queue)
    found = sums(queue)
    assert (found.offered, found.flowed_out, found.abandoned, found.longest_ms) == (2, 1, 1, 30_000)


def test_outbound_work_never_enters_a_queue(queue, ann):
    live((5, Bridge()), (65, HangUp(EndedBy.AGENT)), queue=queue, kind=Type.OUTBOUND_CALL, agent=ann)
    found = sums(queue)
    assert (found.offered, found.handled, found.handled_ms) == (0, 1, 60_000)


# Abandons and flow-outs


@pytest.mark.parametrize(("seconds", "short"), [(4, 1), (5, 1), (6, 0)])
def test_an_abandon_is_short_up_to_the_limit_of_the_queue(seconds, short, queue):
    live((seconds, HangUp(EndedBy.CUSTOMER)), queue=queue)
    found = sums(queue)
    assert (found.abandoned, found.abandoned_short) == (1, short)
    assert found.service_level == (None if short else 0)


@pytest.mark.parametrize("kind", [Type.INBOUND_EMAIL, Type.INBOUND_SMS])
def test_nobody_abandons_an_email_or_a_text_message(kind, queue):
    live((60, HangUp(EndedBy.CUSTOMER)), queue=queue, kind=kind)
    found = sums(queue)
    assert (found.abandoned, found.flowed_out) == (0, 1)


@pytest.mark.parametrize("kind", [Type.CHAT, Type.INBOUND_CALL])
def test_calls_and_chats_are_abandoned_while_offered_as_well(kind, queue, ann):
    live((50, Offer(ann)), (60, HangUp(EndedBy.CUSTOMER)), queue=queue, kind=kind)
    assert sums(queue).abandoned == 1


def test_what_a_policy_ends_flows_out_and_was_handled_by_nobody(queue, ann):
    live((60, TerminateStale(commands.Stale(timedelta(seconds=1)))), queue=queue)
    live(*answered_after(5, ann)[:3], (600, TerminateStale(commands.Stale(timedelta(seconds=1)))), queue=queue)
    found = sums(queue)
    assert (found.flowed_out, found.answered, found.handled, found.aht_ms) == (1, 1, 0, None)


def test_offered_is_what_became_of_it_added_up(queue, sales, ann):
    live(*answered_after(5, ann), queue=queue)
    live((50, HangUp(EndedBy.CUSTOMER)), queue=queue)
    live((9, TransferToQueue(sales)), queue=queue)
    live(queue=queue)
    found = sums(queue)
    assert found.offered == found.answered + found.abandoned + found.flowed_out + found.waiting == 4


# The service level


def test_the_service_level_is_answered_in_time_of_all_but_short_abandons_and_flow_outs(queue, sales, ann):
    live(*answered_after(30, ann), queue=queue)  # the level of calls is 30 seconds
    live(*answered_after(31, ann), queue=queue)
    live((40, HangUp(EndedBy.CUSTOMER)), queue=queue)
    live((3, HangUp(EndedBy.CUSTOMER)), queue=queue)
    live((3, TransferToQueue(sales)), queue=queue)
    assert sums(queue).service_level == 1 / 3


def test_what_still_waits_past_the_service_level_is_missed_already(queue, ann):
    live(*answered_after(10, ann), queue=queue)
    live(queue=queue)
    assert sums(queue, now=NOON + timedelta(seconds=30)).service_level == 1
    assert sums(queue, now=NOON + timedelta(seconds=31)).service_level == 1 / 2


def test_each_channel_has_its_own_service_level(queue, ann):
    live(*answered_after(31, ann), queue=queue)
    live((0, Offer(ann)), (31, Accept()), queue=queue, kind=Type.INBOUND_EMAIL)
    assert [sums(queue, channel_type=one).service_level for one in ("voice", "email")] == [0, 1]


def test_what_came_by_a_channel_that_has_no_service_level_any_more_is_not_missed(queue, ann):
    live(*answered_after(10, ann), queue=queue)
    live((0, Offer(ann)), (31, Accept()), queue=queue, kind=Type.CHAT)
    live((40, HangUp(EndedBy.CUSTOMER)), queue=queue, kind=Type.CHAT)
    QueueChannel.objects.filter(queue=queue, channel=Channel.CHAT).delete()
    assert (sums(queue).answered, sums(queue).service_level) == (2, 1)


def test_without_a_denominator_there_is_no_figure():
    empty = Sums()
    assert {name: figure.value(empty) for name, figure in FIGURES.items() if figure.unit != "count"} == {
        "abandonedShare": None, "serviceLevel": None, "asa": None, "longestWait": None,
        "longestWaitInAll": None, "aht": None, "wrapUp": None,
    }  # fmt: skip
    assert {figure.value(empty) for figure in FIGURES.values() if figure.unit == "count"} == {0}


# The handling


def test_aht_is_talk_and_hold_and_wrap_up_of_what_was_handled(queue, ann):
    live(
        *answered_after(10, ann)[:3], (40, Hold()), (50, Unhold()), (70, HangUp(EndedBy.CUSTOMER)),
        (100, SetDisposition(make_disposition())), queue=queue, kind=Type.CHAT,
    )  # fmt: skip
    found = sums(queue)
    assert (found.handled, found.handled_ms, found.wrapped_ms, found.aht_ms) == (1, 60_000, 30_000, 90_000)


def test_wrap_up_is_of_what_agents_ended_only(queue, ann):
    solved = make_disposition()
    live(*answered_after(0, ann, talk=10), (30, SetDisposition(solved)), queue=queue)
    live(*answered_after(0, ann)[:3], (10, HangUp(EndedBy.CUSTOMER)), (90, SetDisposition(solved)), queue=queue)
    found = sums(queue)
    assert (found.wrap_up_ms, found.wrapped_ms) == (20_000, 100_000)


def test_two_sums_add_up_and_their_means_are_made_of_the_sums():
    slow, quick = Sums(ended=1, answered=1, answered_ms=60_000, longest_ms=60_000), Sums(ended=3, answered=3)
    both = slow + quick
    assert (both.asa_ms, both.longest_ms, both.offered) == (15_000, 60_000, 4)


# Days


def by(truncated, field="entered_at"):
    rows = measures.entries().annotate(part=truncated(field, tzinfo=BERLIN)).values("part").annotate(**COUNTED_AT_ENTRY)
    return {f"{row['part']:%m-%d %H:%M}": row["ended"] for row in rows.order_by("part")}


def test_an_entry_counts_on_the_day_on_which_it_began(ann):
    queue = make_queue("q_berlin", time_zone="Europe/Berlin", members=[ann])
    before_midnight = datetime(2026, 3, 10, 23, 59, 50, tzinfo=BERLIN)
    live(*answered_after(30, ann), queue=queue, at=before_midnight)
    assert by(TruncDate) == {"03-10 00:00": 1}
    tenth = datetime(2026, 3, 10, tzinfo=BERLIN)
    eleventh, twelfth = tenth + timedelta(days=1), tenth + timedelta(days=2)
    assert measures.stays_behind("answered", tenth, eleventh).count() == 1
    assert measures.stays_behind("answered", eleventh, twelfth).count() == 0
    assert measures.stays_behind("handled", tenth, eleventh).count() == 0  # it ended on the next day
    assert measures.stays_behind("handled", eleventh, twelfth).count() == 1


def test_the_day_on_which_clocks_go_forward_has_23_hours(queue):
    for hour in (0, 1, 2, 3):  # UTC; at 01:00 the clocks in Berlin go from 2 to 3
        live((9, HangUp(EndedBy.CUSTOMER)), queue=queue, at=datetime(2026, 3, 29, hour, 30, tzinfo=UTC))
    assert by(TruncHour) == {"03-29 01:00": 1, "03-29 03:00": 1, "03-29 04:00": 1, "03-29 05:00": 1}
    day, following = datetime(2026, 3, 29, tzinfo=BERLIN), datetime(2026, 3, 30, tzinfo=BERLIN)
    assert following.astimezone(UTC) - day.astimezone(UTC) == timedelta(hours=23)
    assert measures.stays_behind("offered", day, following).count() == 4


def test_the_day_on_which_clocks_go_back_has_25_hours(queue):
    last = datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC)  # a second before midnight in Berlin
    live((9, HangUp(EndedBy.CUSTOMER)), queue=queue, at=last)
    live((9, HangUp(EndedBy.CUSTOMER)), queue=queue, at=last + timedelta(seconds=1))
    day, following = datetime(2026, 10, 25, tzinfo=BERLIN), datetime(2026, 10, 26, tzinfo=BERLIN)
    assert following.astimezone(UTC) - day.astimezone(UTC) == timedelta(hours=25)
    assert measures.stays_behind("abandoned", day, following).count() == 1
    assert by(TruncDate) == {"10-25 00:00": 1, "10-26 00:00": 1}


# What it costs


@pytest.mark.skipif(connection.vendor != "postgresql", reason="plans are PostgreSQL's")
@pytest.mark.parametrize(("figure", "index"), [("offered", "stay_entries"), ("handled", "stay_handling")])
def test_a_stretch_of_time_is_found_by_an_index(figure, index, queue):
    fill_with_calls(queue, 20_000)
    rows = measures.stays_behind(figure, NOON, NOON + timedelta(hours=1))
    counted = COUNTED_AT_THE_END if figure == "handled" else COUNTED_AT_ENTRY
    plan = rows.values("queue", "channel_type").annotate(**counted).explain()
    assert index in plan, plan
    assert "Seq Scan on workitems_stay" not in plan


def fill_with_calls(queue, count):
    """Put many stays there, one a minute, each an abandon or a talk of a minute."""
    item = live(queue=queue)
    Stay.objects.bulk_create(
        Stay(
            workitem=item,
            version=number,
            channel_type="voice",
            state=("inqueue", "active")[number % 2],
            queue=queue,
            began_at=NOON + timedelta(minutes=number),
            ended_at=NOON + timedelta(minutes=number + 1),
            lasted_ms=60_000,
            magnitude=3,
            entered_at=None if number % 2 else NOON + timedelta(minutes=number),
            outcome="" if number % 2 else "abandoned",
            wait_ms=None if number % 2 else 60_000,
            customer_ms=None if number % 2 else 60_000,
            handled_ms=60_000 if number % 2 else None,
        )
        for number in range(count)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE workitems_stay")
