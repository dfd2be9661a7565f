"""Opening hours: by whose clock, over which days, and what holds when somebody opens or closes by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from queues.models import Queue, QueueHours
from tests.builders import NOON, make_queue
from workitems import opening, statements, tasks
from workitems.models import AuditEntry

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
MON, TUE, SAT, SUN = 0, 1, 5, 6


@dataclass
class Line:
    weekday: int
    opens_at: time
    closes_at: time


def line(weekday: int, opens: str, closes: str) -> Line:
    return Line(weekday, time.fromisoformat(opens), time.fromisoformat(closes))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


OFFICE = [line(MON, "09:00", "12:00"), line(MON, "13:00", "17:00")]


# NOON is a Monday
@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-02 08:59:59", False),
        ("2026-03-02 09:00", True),
        ("2026-03-02 11:59:59", True),
        ("2026-03-02 12:00", False),
        ("2026-03-02 13:00", True),
        ("2026-03-02 17:00", False),
        ("2026-03-03 10:00", False),
    ],
)
def test_it_is_open_from_the_first_moment_to_before_the_last_of_each_stretch(moment, expected):
    assert opening.is_open_at(OFFICE, UTC_ZONE, at(moment)) is expected


def test_the_clock_is_the_queues_own():
    assert opening.is_open_at(OFFICE, BERLIN, at("2026-03-02 08:30"))
    assert not opening.is_open_at(OFFICE, BERLIN, at("2026-03-02 16:30"))


def test_midnight_as_the_end_is_the_end_of_the_day():
    night = [line(MON, "22:00", "00:00")]
    assert opening.is_open_at(night, UTC_ZONE, at("2026-03-02 23:59:59"))
    assert not opening.is_open_at(night, UTC_ZONE, at("2026-03-03 00:00"))
    assert not opening.is_open_at(night, UTC_ZONE, at("2026-03-02 00:00"))


def test_a_night_over_midnight_is_one_stretch_without_a_break():
    night = [line(MON, "22:00", "00:00"), line(TUE, "00:00", "06:00")]
    found = opening.next_boundary(night, UTC_ZONE, at("2026-03-02 23:00"))
    assert found == (at("2026-03-03 06:00"), False)


def test_a_whole_day_is_from_midnight_to_midnight():
    sunday = [line(SUN, "00:00", "00:00")]
    assert opening.is_open_at(sunday, UTC_ZONE, at("2026-03-08 00:00"))
    assert opening.is_open_at(sunday, UTC_ZONE, at("2026-03-08 23:59"))
    assert not opening.is_open_at(sunday, UTC_ZONE, at("2026-03-09 00:00"))


def test_what_is_always_open_has_no_boundary():
    always = [line(day, "00:00", "00:00") for day in range(7)]
    assert opening.is_open_at(always, BERLIN, NOON)
    assert (opening.latest_boundary(always, BERLIN, NOON), opening.next_boundary(always, BERLIN, NOON)) == (None, None)


def test_boundaries_on_both_sides_of_a_moment():
    assert opening.latest_boundary(OFFICE, UTC_ZONE, NOON) == (NOON, False)
    assert opening.next_boundary(OFFICE, UTC_ZONE, NOON) == (at("2026-03-02 13:00"), True)


def test_the_next_opening_may_be_a_week_away():
    assert opening.next_boundary(OFFICE, UTC_ZONE, at("2026-03-02 17:00")) == (at("2026-03-09 09:00"), True)


# the clocks of Berlin leap from 02:00 to 03:00 on 29 March 2026, and go back from 03:00 to 02:00 on 25 October
def test_nine_oclock_is_nine_oclock_before_and_after_the_clocks_change():
    days = [line(SAT, "09:00", "10:00"), line(SUN, "09:00", "10:00")]
    opens = [one.opens for one in opening.stretches(days, BERLIN, at("2026-03-28 12:00"))]
    assert at("2026-03-28 08:00") in opens
    assert at("2026-03-29 07:00") in opens


def test_a_time_that_the_clock_leaps_over_is_the_leap():
    found = opening.next_boundary([line(SUN, "02:30", "06:00")], BERLIN, at("2026-03-28 12:00"))
    assert found == (at("2026-03-29 01:00"), True)


def test_a_stretch_that_the_clock_leaps_over_whole_is_none():
    lines = [line(SUN, "02:10", "02:50")]
    around = at("2026-03-28 12:00")
    assert [one.opens.day for one in opening.stretches(lines, BERLIN, around)] == [22, 5]
    assert not opening.is_open_at(lines, BERLIN, at("2026-03-29 01:20"))


def test_a_time_that_comes_twice_counts_the_first_time():
    lines = [line(SUN, "02:30", "02:45")]
    assert opening.next_boundary(lines, BERLIN, at("2026-10-24 12:00")) == (at("2026-10-25 00:30"), True)
    assert not opening.is_open_at(lines, BERLIN, at("2026-10-25 01:35"))


def test_a_day_with_twentyfive_hours_is_open_all_of_them():
    lines = [line(SUN, "00:00", "00:00")]
    (stretch,) = [
        one for one in opening.stretches(lines, BERLIN, at("2026-10-25 10:00")) if one.opens == at("2026-10-24 22:00")
    ]
    assert stretch.closes - stretch.opens == timedelta(hours=25)


@pytest.mark.parametrize(("name", "known"), [("Europe/Berlin", True), ("Berlin", False), ("../etc/passwd", False)])
def test_zones_are_known_by_name(name, known):
    assert opening.is_zone(name) is known


# The job


@pytest.fixture
def office(db) -> Queue:
    queue = make_queue("q_office", is_open=False, hours_applied_at=at("2026-03-02 07:00"))
    QueueHours.objects.create(queue=queue, weekday=MON, opens_at=time(9), closes_at=time(17))
    return queue


def state_of(queue: Queue) -> tuple[bool, int]:
    row = Queue.objects.get(pk=queue.pk)
    return row.is_open, row.version


def test_a_queue_is_opened_and_closed_at_its_boundaries_with_an_audit_entry(office):
    assert opening.apply_hours(now=at("2026-03-02 08:59")) == []
    assert opening.apply_hours(now=at("2026-03-02 09:00")) == [office]
    assert state_of(office) == (True, 2)
    assert opening.apply_hours(now=at("2026-03-02 17:00:20")) == [office]
    assert state_of(office) == (False, 3)
    closed, opened = AuditEntry.objects.all()
    assert (opened.what, opened.subject, opened.actor, opened.door) == (
        "queue changed", "q_office", "opening-hours", "job",
    )  # fmt: skip
    assert opened.details == {"changes": {"is_open": {"old": False, "new": True}}}
    assert closed.details == {"changes": {"is_open": {"old": True, "new": False}}}


def test_a_boundary_is_applied_once_so_that_a_switch_by_hand_holds_until_the_next(office):
    opening.apply_hours(now=at("2026-03-02 09:00"))
    Queue.objects.update(is_open=False)
    assert opening.apply_hours(now=at("2026-03-02 16:59")) == []
    assert not Queue.objects.get().is_open
    Queue.objects.update(is_open=True)
    opening.apply_hours(now=at("2026-03-02 17:01"))
    assert not Queue.objects.get().is_open


def test_a_switch_by_hand_after_a_boundary_holds_though_the_job_comes_later(office):
    Queue.objects.update(is_open=False, hours_applied_at=at("2026-03-02 09:00:10"))
    assert opening.apply_hours(now=at("2026-03-02 09:00:30")) == []


def test_what_the_job_slept_through_is_made_up_for(office):
    Queue.objects.update(is_open=True)
    assert opening.apply_hours(now=at("2026-03-04 03:00")) == [office]
    assert state_of(office) == (False, 2)


def test_a_queue_that_stands_as_it_should_keeps_its_version_and_leaves_no_entry(office):
    Queue.objects.update(is_open=True)
    assert opening.apply_hours(now=at("2026-03-02 09:00")) == []
    assert state_of(office) == (True, 1)
    assert not AuditEntry.objects.exists()


def test_new_hours_take_hold_at_once(office):
    Queue.objects.update(hours_applied_at=None)
    assert opening.apply_hours(now=NOON) == [office]


def test_without_hours_it_is_opened_and_closed_by_hand_only(queue):
    assert opening.apply_hours(now=NOON) == []
    assert state_of(queue) == (True, 1)


def test_a_retired_queue_stays_closed(office):
    Queue.objects.update(retired_at=NOON)
    assert opening.apply_hours(now=at("2026-03-02 09:00")) == []
    assert not Queue.objects.get().is_open


def test_the_beat_does_it(office, monkeypatch):
    monkeypatch.setattr(statements, "now", lambda: NOON)
    assert tasks.apply_hours() == 1
    assert Queue.objects.get().is_open
