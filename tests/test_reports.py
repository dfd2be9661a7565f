"""The figures of reports, by hours and days of each queue's own clock; every number is worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tests.builders import NOON, make_queue, make_user
from tests.lives import after, answered, came, did, given_up
from workitems import errors, reports
from workitems.actors import Actor
from workitems.choices import Door, Scope, Type
from workitems.clocks import Days, Step
from workitems.commands import TransferToQueue
from workitems.groups import grant
from workitems.measures import FIGURES, Sums
from workitems.reports import Asked, Period, Subject

BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")
EVENING = datetime(2026, 3, 2, 20, tzinfo=UTC)


@pytest.fixture
def berlin(ann):
    return make_queue("q_berlin", name="Berlin", time_zone="Europe/Berlin", members=[ann])


@pytest.fixture
def kolkata(ann):
    return make_queue("q_kolkata", name="Kolkata", time_zone="Asia/Kolkata", members=[ann])


def own(first: date, last: date | None = None, step: Step | None = Step.HOUR, **facts) -> Asked:
    return Asked(period=Period.OWN, first=first, last=last or first, step=step, **facts)


def offered_by_hour(report) -> dict[str, int]:
    """Return how many were offered in each hour with any, by what the clock showed and its offset."""
    groups = report.by(lambda cell: cell.slot)
    return {f"{slot.shows:%H:%M}{slot.offset}": groups[slot].offered for slot in sorted(groups)}


def offered_by_day(report) -> dict[str, int]:
    groups = report.by(lambda cell: cell.slot)
    return {f"{slot.shows:%m-%d}": groups[slot].offered for slot in sorted(groups)}


def values(sums: Sums, *names: str) -> list:
    return [FIGURES[name].value(sums) for name in names]


# The figures


def test_a_morning_worked_out_by_hand(supervisor, queue, ann):
    answered(queue, NOON, 10, ann, talk=100, wrap=20)  # within 30 s
    answered(queue, after(NOON, 600), 50, ann, talk=200, wrap=40)  # late
    given_up(queue, after(NOON, 1200), 3)  # shortly
    given_up(queue, after(NOON, 1800), 40)
    waits = came(queue, after(NOON, 2400))  # for ever
    total = reports.make(supervisor, Asked(), now=EVENING).total
    assert values(total, "offered", "answered", "abandoned", "shortAbandoned", "flowedOut", "waiting") == [
        5, 2, 2, 1, 0, 1,
    ]  # fmt: skip
    assert values(total, "abandonedShare", "serviceLevel") == [0.5, 0.25]  # 2 of 4; 1 of 2 + 1 + 1 late
    assert values(total, "asa", "longestWait", "aht", "wrapUp") == [
        30_000,
        (EVENING - waits.created_at) / timedelta(milliseconds=1),
        180_000,
        30_000,
    ]
    assert total.handled == 2


def test_what_still_waits_within_its_service_level_is_not_missed_yet(supervisor, queue, ann):
    answered(queue, NOON, 10, ann)
    came(queue, after(NOON, 100))
    report = reports.make(supervisor, Asked(), now=after(NOON, 130))
    assert (report.total.waiting, report.total.service_level) == (1, 1.0)
    assert reports.make(supervisor, Asked(), now=after(NOON, 131)).total.service_level == 0.5


def test_a_transfer_flows_out_of_one_queue_and_begins_anew_in_the_other(supervisor, queue, sales, ann):
    did(came(queue, NOON), TransferToQueue(sales), after(NOON, 70))
    by_queue = reports.make(supervisor, Asked(), now=EVENING).by(lambda cell: cell.queue)
    assert values(by_queue[queue.pk], "offered", "flowedOut", "longestWait") == [1, 1, 70_000]
    assert values(by_queue[sales.pk], "longestWait", "longestWaitInAll") == [(8 * 3600 - 70) * 1000, 8 * 3600 * 1000]
    assert values(by_queue[sales.pk], "offered", "waiting", "longestWait") == [1, 1, (8 * 3600 - 70) * 1000]


def test_where_there_is_nothing_no_figure_is_made_up(supervisor, queue):
    total = reports.make(supervisor, Asked(), now=EVENING).total
    assert values(total, "offered", "abandonedShare", "serviceLevel", "asa", "longestWait", "aht", "wrapUp") == [
        0, None, None, None, None, None, None,
    ]  # fmt: skip


def test_hours_sum_to_the_day_channels_to_the_queue_and_queues_to_the_total(supervisor, queue, sales, ann):
    for number in range(12):
        at = after(NOON, number * 1700)
        answered(
            queue if number % 2 else sales, at, number * 7, ann, kind=Type.CHAT if number % 3 else Type.INBOUND_CALL
        )
        given_up(queue, at, number * 5)
    report = reports.make(supervisor, Asked(), now=EVENING)
    for key in (lambda cell: cell.slot, lambda cell: (cell.queue, cell.channel), lambda cell: cell.queue):
        assert sum(report.by(key).values(), Sums()) == report.total
    assert report.total.offered == 24
    by_queue = report.by(lambda cell: cell.queue)
    by_channel = report.by(lambda cell: (cell.queue, cell.channel))
    assert by_queue[queue.pk] == by_channel[queue.pk, "voice"] + by_channel[queue.pk, "chat"]


# Days and hours


def test_a_call_around_midnight_counts_on_the_day_when_it_came_and_was_handled_on_the_next(supervisor, berlin, ann):
    midnight = datetime(2026, 3, 3, tzinfo=BERLIN)
    answered(berlin, after(midnight, -20), 10, ann, talk=300)
    came(berlin, midnight)
    asked = own(date(2026, 3, 2), date(2026, 3, 3), Step.DAY, queues=("q_berlin",))
    report = reports.make(supervisor, asked, now=after(midnight, 3600))
    groups = report.by(lambda cell: f"{cell.slot.shows:%m-%d}")
    assert values(groups["03-02"], "offered", "answered", "handled") == [1, 1, 0]
    assert values(groups["03-03"], "offered", "answered", "handled") == [1, 0, 1]


def test_in_spring_a_day_has_23_hours_and_one_is_not_there(supervisor, berlin):
    day = date(2026, 3, 29)
    for hour in (0, 1, 3):
        came(berlin, datetime(2026, 3, 29, hour, 30, tzinfo=BERLIN))
    report = reports.make(supervisor, own(day, queues=("q_berlin",)), now=datetime(2026, 4, 1, tzinfo=UTC))
    assert offered_by_hour(report) == {"00:00": 1, "01:00": 1, "03:00": 1}
    assert len(report.slots) == 23
    assert Days(BERLIN, day, day).stretch.hours == 23


def test_in_autumn_a_day_has_25_hours_and_the_two_of_one_name_are_told_apart(supervisor, berlin):
    day = date(2026, 10, 25)
    midnight = datetime(2026, 10, 24, 22, tzinfo=UTC)
    for hours in (2.5, 3.5, 3.6, 24.99):  # 02:30 at +02:00, 02:30 and 02:36 at +01:00, 23:59
        came(berlin, after(midnight, hours * 3600))
    came(berlin, after(midnight, 25 * 3600))  # midnight
    now = datetime(2026, 11, 1, tzinfo=UTC)
    report = reports.make(supervisor, own(day, queues=("q_berlin",)), now=now)
    assert offered_by_hour(report) == {"02:00+02:00": 1, "02:00+01:00": 2, "23:00": 1}
    assert len(report.slots) == 25
    by_day = own(date(2026, 10, 24), date(2026, 10, 26), Step.DAY, queues=("q_berlin",))
    assert offered_by_day(reports.make(supervisor, by_day, now=now)) == {"10-25": 4, "10-26": 1}


def test_hours_of_a_zone_with_half_an_hour_begin_on_its_own_clock(supervisor, kolkata):
    for minute in (0, 29, 30, 59):  # 17:30, 17:59, 18:00 and 18:29 in Kolkata
        came(kolkata, NOON.replace(minute=minute))
    came(kolkata, NOON.replace(hour=18, minute=29))  # 23:59, the last of the day
    came(kolkata, NOON.replace(hour=18, minute=30))  # the next day
    report = reports.make(supervisor, own(date(2026, 3, 2), queues=("q_kolkata",)), now=EVENING)
    assert offered_by_hour(report) == {"17:00": 2, "18:00": 2, "23:00": 1}


def test_each_queue_counts_its_own_day(supervisor, berlin, kolkata):
    for queue in (berlin, kolkata):
        came(queue, datetime(2026, 3, 2, 19, tzinfo=UTC))  # 20:00 in Berlin, and 00:30 of the next day in Kolkata
    report = reports.make(supervisor, own(date(2026, 3, 2)), now=EVENING)
    assert report.reach.is_of_several_zones
    assert {queue: sums.offered for queue, sums in report.by(lambda cell: cell.queue).items()} == {berlin.pk: 1}


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),  # the clock goes back by half an hour
        ("Africa/Cairo", date(2026, 4, 24), 23),  # it skips midnight
        ("Africa/Cairo", date(2026, 10, 29), 25),  # it shows 23:00 twice
        ("Asia/Kathmandu", date(2026, 3, 2), 24),
    ],
)
def test_the_hours_of_any_zone_follow_each_other_without_a_gap(zone, day, hours):
    days = Days(ZoneInfo(zone), day, day)
    stretches = list(days.slots(Step.HOUR).values())
    assert days.stretch.hours == hours
    assert stretches[0].start == days.stretch.start
    assert stretches[-1].end == days.stretch.end
    assert all(one.end == other.start for one, other in pairwise(stretches))


def test_hours_that_have_not_begun_are_not_in_the_report(supervisor, queue):
    report = reports.make(supervisor, Asked(), now=NOON)
    assert [slot.shows.hour for slot in report.slots] == list(range(13))


# What it is compared with


def test_a_day_that_is_not_over_is_compared_with_as_much_of_the_one_before(supervisor, queue):
    yesterday = NOON - timedelta(days=1)
    for at in (after(yesterday, -60), after(yesterday, 60), after(NOON, -120)):
        came(queue, at)
    report = reports.make(supervisor, Asked(), now=NOON)
    assert (report.total.offered, report.before.offered) == (1, 1)


def test_seven_days_are_compared_with_the_seven_before(supervisor, queue):
    for days in (0, 6, 7, 13, 14):
        came(queue, NOON - timedelta(days=days, minutes=1))
    report = reports.make(supervisor, Asked(Period.WEEK), now=NOON)
    assert (report.total.offered, report.before.offered) == (2, 2)


# Agents


def test_agents_are_told_apart_by_what_left_their_hands(supervisor, queue, ann, ben):
    answered(queue, NOON, 10, ann, talk=100, wrap=20)
    answered(queue, NOON, 10, ben, talk=200, wrap=40)
    answered(queue, after(NOON, 900), 10, ben, talk=400, wrap=60)
    by_agent = reports.make(supervisor, Asked(subject=Subject.AGENTS), now=EVENING).by(lambda cell: cell.agent)
    assert values(by_agent[ann.pk], "handled", "aht", "wrapUp") == [1, 120_000, 20_000]
    assert values(by_agent[ben.pk], "handled", "aht", "wrapUp") == [2, 350_000, 50_000]


# Who sees what


def test_the_supervisor_of_one_queue_gets_the_figures_of_that_queue_alone(queue, sales, ann):
    kim = make_user("kim")
    grant(kim, Scope.READ, queue)
    for one in (queue, sales):
        answered(one, NOON, 10, ann)
    report = reports.make(Actor.of(kim, Door.PAGE), Asked(), now=EVENING)
    assert (report.total.offered, report.total.handled) == (1, 1)
    assert set(report.by(lambda cell: cell.queue)) == {queue.pk}
    by_agent = reports.make(Actor.of(kim, Door.PAGE), Asked(subject=Subject.AGENTS), now=EVENING)
    assert by_agent.total.handled == 1


def test_a_queue_that_one_may_not_see_is_as_unknown_as_one_that_is_not_there(queue, sales):
    kim = make_user("kim")
    grant(kim, Scope.READ, queue)
    for queue_id in ("q_sales", "q_none"):
        with pytest.raises(errors.UnknownObject):
            reports.make(Actor.of(kim, Door.PAGE), Asked(queues=(queue_id,)), now=NOON)


def test_who_may_see_nothing_gets_an_empty_report(queue, ann, eve):
    answered(queue, NOON, 10, ann)
    assert reports.make(Actor.of(eve, Door.PAGE), Asked(), now=EVENING).total == Sums()


# What can be asked


def test_channels_and_queues_narrow_it(supervisor, queue, sales, ann):
    answered(queue, NOON, 10, ann)
    answered(queue, NOON, 10, ann, kind=Type.CHAT)
    answered(sales, NOON, 10, ann, kind=Type.CHAT)
    report = reports.make(supervisor, Asked(queues=("q_support",), channels=("chat",)), now=EVENING)
    assert (report.total.offered, report.total.handled) == (1, 1)


def test_too_long_a_report_is_refused_with_what_would_be_possible():
    with pytest.raises(errors.InvalidValue, match="31 days at most, and these are 32"):
        own(date(2026, 1, 1), date(2026, 2, 1))
    assert own(date(2026, 1, 1), date(2026, 12, 31), Step.DAY).count == 365
    with pytest.raises(errors.InvalidValue, match="366 days at most, and these are 367"):
        own(date(2026, 1, 1), date(2027, 1, 2), Step.DAY)


def test_the_last_day_cannot_come_before_the_first():
    with pytest.raises(errors.InvalidValue, match="before the first"):
        own(date(2026, 1, 2), date(2026, 1, 1))


@pytest.mark.parametrize("count", [1, 12])
def test_more_queues_and_days_cost_no_query_more(count, supervisor, queue, ann, django_assert_num_queries):
    for number in range(count):
        answered(make_queue(f"q_{number}", members=[ann], time_zone="Asia/Kolkata" if number % 2 else ""), NOON, 5, ann)
    with django_assert_num_queries(5):  # queues, their channels, entries, running entries, handling
        reports.make(supervisor, Asked(Period.FOUR_WEEKS, step=Step.HOUR), now=EVENING)
