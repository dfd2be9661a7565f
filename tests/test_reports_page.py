"""The pages of reports and of the board as of a moment: what they show, to whom, and the file that says the same."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from tests.builders import NOON, make_queue, make_user
from tests.doors import browser
from tests.lives import after, answered, came, did, given_up
from workitems import board
from workitems.actors import Actor
from workitems.choices import Door, Scope, Type
from workitems.commands import Accept, Bridge, HangUp, Hold, Offer
from workitems.groups import grant
from workitems.pages import moment as moment_page

REPORTS, FILE, MOMENT = "/supervisor/reports/", "/supervisor/reports/figures.csv", "/supervisor/reports/moment/"
EVENING = datetime(2026, 3, 2, 20, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def evening():
    with time_machine.travel(EVENING, tick=False):
        yield


def text_of(answer) -> str:
    """Return what a page says, without its tags and with one space between words."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def file_of(client: Client, query: str = "") -> list[list[str]]:
    answer = client.get(f"{FILE}{query}")
    assert answer.status_code == 200
    return list(csv.reader(answer.content.decode("utf-8-sig").splitlines()))


def test_the_page_shows_the_figures_each_with_the_items_behind_it(evening, tom, queue, ann):
    answered(queue, NOON, 10, ann)
    given_up(queue, NOON, 40)
    page = browser(tom).get(REPORTS)
    assert "50.0 %" in text_of(page)
    assert (
        "/supervisor/work/?figure=abandoned&amp;during_from=2026-03-02T00%3A00%3A00Z&amp;"
        "during_to=2026-03-03T00%3A00%3A00Z&amp;queue=q_support"
    ) in page.content.decode()


@pytest.mark.parametrize("by", ["queue", "channel", "time", "agent"])
def test_the_file_has_exactly_the_lines_of_the_page(by, evening, tom, queue, sales, ann, ben):
    answered(queue, NOON, 10, ann)
    answered(queue, after(NOON, 600), 45, ben, kind=Type.CHAT)
    given_up(sales, after(NOON, 4000), 40)
    client = browser(tom)
    table = client.get(f"{REPORTS}?by={by}").context["table"]
    head, *lines = file_of(client, f"?by={by}")
    count = len(table.figures)
    assert [line[-count:] for line in lines] == [
        ["" if one.number is None else str(one.number) for one in line.values] for line in [*table.lines, table.total]
    ]
    assert [line[0] for line in lines] == [line.keys[0] for line in [*table.lines, table.total]]
    assert "AHT, seconds" in head


def test_the_file_says_units_times_with_their_offset_and_the_target(evening, tom, ann):
    berlin = make_queue("q_berlin", name="Berlin", time_zone="Europe/Berlin")
    answered(berlin, NOON, 10, ann, talk=65, wrap=10)
    head, line, _total = file_of(browser(tom), "?queue=q_berlin")
    said = dict(zip(head, line, strict=True))
    assert said["From"] == "2026-03-02T00:00:00+01:00"
    assert said["Time zone"] == "Europe/Berlin"
    assert said["Service level target, seconds"] == "30"
    assert (said["Service level, %"], said["AHT, seconds"]) == ("100.0", "75")


def test_no_cell_of_the_file_is_a_formula(evening, tom, ann):
    evil = make_queue("q_evil", name="=HYPERLINK(0)")
    agent = make_user("evil", first_name="@SUM(1)")
    answered(evil, NOON, 10, agent)
    assert file_of(browser(tom))[1][0] == "'=HYPERLINK(0)"
    assert file_of(browser(tom), "?by=agent")[1][0] == "'@SUM(1)"


def test_where_nobody_called_the_service_level_has_no_data(evening, tom, queue, ann):
    did(came(queue, NOON), HangUp(), after(NOON, 5))  # flows out
    assert "no data" in text_of(browser(tom).get(REPORTS))


def test_the_supervisor_of_one_queue_reads_nothing_of_another(evening, queue, sales, ann, ben):
    kim = make_user("kim")
    grant(kim, Scope.READ, queue)
    ben.member_of_queues.remove(queue)
    answered(queue, NOON, 10, ann)
    answered(sales, NOON, 10, ben)
    client = browser(kim)
    for query in ("", "?by=agent", "?by=time", "?by=channel"):
        text = text_of(client.get(f"{REPORTS}{query}"))
        assert "Sales" not in text
        assert "ben" not in text
    assert "Sales" not in text_of(client.get(f"{MOMENT}?at=2026-03-02T12:00"))
    assert client.get(f"{REPORTS}?queue=q_sales").status_code == 404
    assert client.get(f"{FILE}?queue=q_sales").status_code == 404


def test_who_may_see_no_queue_is_told_so(evening, eve, queue):
    assert "You may see no queue" in text_of(browser(eve).get(REPORTS))


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("?range=never", "and not “never”"),
        ("?from=2026-13-01", "is no day"),
        ("?from=2026-03-02&to=2026-03-01", "before the first"),
        ("?from=2026-01-01&to=2026-03-01&step=hour", "31 days at most"),
        ("?range=7days&from=2026-01-01", "not for both"),
        ("?channel=pigeon", "There is no channel “pigeon”"),
        ("?colour=red", "A report knows no “colour”"),
        ("?by=queue&by=time", "takes one value"),
    ],
)
def test_what_cannot_be_asked_is_told_in_words(query, told, evening, tom, queue):
    for address in (REPORTS, FILE):
        answer = browser(tom).get(f"{address}{query}")
        assert answer.status_code == 400
        assert told in text_of(answer)


def test_queues_of_several_zones_are_told_and_no_wrong_link_is_made(evening, tom, ann):
    for queue_id, zone in (("q_b", "Europe/Berlin"), ("q_k", "Asia/Kolkata")):
        answered(make_queue(queue_id, time_zone=zone), NOON, 10, ann)
    page = browser(tom).get(f"{REPORTS}?queue=q_b&queue=q_k")
    assert "go by several clocks" in text_of(page)
    assert all(one.address == "" for one in page.context["table"].total.values)


def test_a_day_leads_to_its_hours_and_an_hour_to_how_it_stood(evening, tom, queue, ann):
    answered(queue, NOON, 10, ann)
    client = browser(tom)
    days = client.get(f"{REPORTS}?range=7days&by=time").context["table"].lines
    assert "from=2026-03-02&to=2026-03-02&step=hour" in days[-1].address
    hours = client.get(f"{REPORTS}?by=time").context["table"].lines
    assert hours[12].moment == f"{reverse('moment')}?at=2026-03-02T12%3A00&zone=UTC"


@pytest.mark.parametrize("query", ["", "?range=28days&step=hour", "?by=time", "?by=agent"])
def test_a_report_costs_eight_queries(query, evening, tom, queue, ann, ben, django_assert_max_num_queries):
    for number in range(6):
        answered(make_queue(f"q_{number}"), after(NOON, number * 300), 10, ann if number % 2 else ben)
    client = browser(tom)
    client.get(REPORTS)
    with django_assert_max_num_queries(8):
        client.get(f"{REPORTS}{query}")


# As of a moment


def test_the_board_as_of_a_moment_is_what_the_live_board_said_then(tom, queue, sales, ann, ben):
    actor, said = Actor.of(tom, Door.PAGE), {}
    first, second, third = (came(one, after(NOON, at)) for one, at in ((queue, 0), (queue, 30), (sales, 60)))
    steps = [
        (100, first, Offer(ann)), (110, first, Accept()), (115, first, Bridge()), (150, second, Offer(ben)),
        (160, first, Hold()), (165, second, Accept()), (200, third, HangUp()), (230, first, HangUp()),
    ]  # fmt: skip
    for at, item, command in steps:
        did(item, command, after(NOON, at))
        said[at + 1] = [
            (one.pk, line.waiting, line.offered, line.talking, line.hold, line.wrapping, line.entered_at)
            for one in board.count(actor, now=after(NOON, at + 1)).queues
            for line in one.channels.values()
            if any((line.waiting, line.offered, line.talking, line.hold, line.wrapping))
        ]
    assert len(said) == len(steps)
    for at, expected in said.items():
        found = moment_page.standing(actor, after(NOON, at))
        assert sorted(
            (pk, line.waiting, line.offered, line.talking, line.hold, line.wrapping, line.entered_at)
            for pk, channels in found.queues.items()
            for line in channels.values()
        ) == sorted(expected), at


def test_the_page_shows_the_moment_by_the_clock_that_is_named(evening, tom, queue):
    came(queue, NOON)
    page = browser(tom).get(f"{MOMENT}?at=2026-03-02T13:05&zone=Europe/Berlin")
    assert "13:05 Monday, 2 March 2026 Europe/Berlin (UTC+01:00)" in text_of(page)
    assert page.context["total"].line.waiting == 1
    assert page.context["total"].wait == "5 min 0 s"


def test_a_time_that_comes_twice_is_told_and_the_second_can_be_seen(tom):
    with time_machine.travel(datetime(2026, 11, 1, tzinfo=UTC), tick=False):
        client = browser(tom)
        first = client.get(f"{MOMENT}?at=2026-10-25T02:30&zone=Europe/Berlin").context["moment"]
        assert first.at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
        second = client.get(first.other).context["moment"]
        assert second.at == first.at + timedelta(hours=1)


def test_a_time_that_the_clock_skips_is_told(evening, tom):
    page = browser(tom).get(f"{MOMENT}?at=2025-03-30T02:30&zone=Europe/Berlin")
    assert "put forward over this time" in text_of(page)
    assert "03:30" in text_of(page)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("?at=2026-03-03T00:00", "has not come yet"),
        ("?at=noon", "is no moment"),
        ("?at=2026-03-02T10:00&zone=Mars/Base", "There is no time zone"),
        ("?when=now", "knows no “when”"),
    ],
)
def test_a_moment_that_cannot_be_is_told_in_words(query, told, evening, tom):
    answer = browser(tom).get(f"{MOMENT}{query}")
    assert answer.status_code == 400
    assert told in text_of(answer)


def test_a_moment_before_the_first_workitem_is_told(evening, tom, queue):
    came(queue, NOON)
    assert "Nothing had come in by then" in text_of(browser(tom).get(f"{MOMENT}?at=2026-03-02T11:00"))


def test_a_moment_at_which_everything_was_done_is_told(evening, tom, queue):
    given_up(queue, NOON, 10)
    assert "Everything was done" in text_of(browser(tom).get(f"{MOMENT}?at=2026-03-02T13:00"))


def test_a_moment_costs_eight_queries(evening, tom, queue, sales, ann, django_assert_max_num_queries):
    for one in (queue, sales):
        came(one, NOON)
        answered(one, NOON, 10, ann)
    client = browser(tom)
    client.get(MOMENT)
    with django_assert_max_num_queries(8):
        client.get(f"{MOMENT}?at=2026-03-02T12:05")
