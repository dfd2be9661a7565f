"""The work list in a real browser: what is selected stays in hand, whatever the server and colleagues do meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from queues.models import QueueChannel
from tests.browsers import IN_A_BROWSER
from tests.builders import make_contact, make_queue, make_user, make_workitem
from tests.lives import did
from tests.visits import enter, objections, sticks_out
from workitems.choices import Priority, Scope, State
from workitems.commands import HangUp, SetPriority
from workitems.groups import grant
from workitems.models import ListLayout, Onlooker, Workitem

WORK = "/supervisor/work/"
ON_A_PAGE = 10
PATIENCE = 20_000  # milliseconds, with what the page asks for every three seconds

pytestmark = IN_A_BROWSER


def make_supervisor(name: str) -> User:
    user = make_user(name, is_staff=True)
    grant(user, Scope.WRITE)
    ListLayout.objects.create(
        user=user, list_name="desk", columns=["id", "state", "queue", "priority", "agent", "sla"], page_size=ON_A_PAGE
    )
    return user


@pytest.fixture
def sue() -> User:
    return make_supervisor("sue")


@pytest.fixture
def items(db) -> list[Workitem]:
    """Return twelve calls, the longest active first: wi_0 to wi_11."""
    ann = make_user("ann", first_name="Ann", last_name="Brook")
    queue = make_queue("q_support", name="Support", members=[ann])
    now = timezone.now()
    return [
        make_workitem(
            State.ACTIVE, queue=queue, agent=ann, workitem_id=f"wi_{number}", contact=make_contact(f"Person {number}"),
            state_changed_at=now - timedelta(hours=2, minutes=-number), active_at=now,
        )
        for number in range(12)
    ]  # fmt: skip


@pytest.fixture
def page(chromium: Browser, live_server, sue, items) -> Iterator[Page]:
    page = enter(chromium, live_server.url, sue)
    yield page
    assert page.problems == []  # type: ignore[attr-defined]
    page.context.close()


def box(page: Page, number: int):
    return page.get_by_role("checkbox", name=f"Select wi_{number}", exact=True)


def count(page: Page):
    return page.locator("#bulk-count")


def bar(page: Page):
    return page.get_by_role("region", name="What to do with the selected")


def order(page: Page) -> list[str]:
    return page.locator("#work-rows [data-row]").evaluate_all("rows => rows.map(row => row.dataset.row)")


def comes_first(queue) -> Workitem:
    """Return a call that is late already, and so belongs on top of the list."""
    since = timezone.now() - timedelta(minutes=5)
    late = make_workitem(queue=queue, workitem_id="wi_late", queued_at=since, state_changed_at=since)
    return did(late, SetPriority(Priority.HIGH), timezone.now())


def test_a_selection_is_kept_over_pages_and_taken_along(page):
    page.goto(WORK)
    box(page, 0).check()
    page.get_by_role("link", name="Next", exact=True).click()
    expect(count(page)).to_have_text("1 of 12 selected")
    box(page, 11).check()
    page.get_by_role("link", name="Previous", exact=True).click()
    expect(count(page)).to_have_text("2 of 12 selected")
    expect(box(page, 0)).to_be_checked()
    bar(page).get_by_role("button", name="Priority").click()
    expect(page.get_by_role("heading", name="2 workitems")).to_be_visible()


def test_all_that_match_are_chosen_after_the_whole_page(page):
    page.goto(WORK)
    page.get_by_role("checkbox", name="Select all on this page").check()
    expect(count(page)).to_have_text(f"{ON_A_PAGE} of 12 selected")
    page.get_by_role("button", name="Select all 12 matching").click()
    expect(count(page)).to_have_text("All 12 matching are selected")
    bar(page).get_by_role("button", name="Priority").click()
    expect(page.get_by_role("heading", name="12 workitems")).to_be_visible()


def test_rows_change_but_keep_their_places_while_some_are_selected(page, items):
    page.goto(WORK)
    box(page, 1).check()
    before = order(page)
    did(items[0], SetPriority(Priority.HIGHEST), timezone.now())
    expect(page.locator("[data-row=wi_0] .priority-5")).to_be_visible(timeout=PATIENCE)
    comes_first(items[0].queue)
    updates = page.locator("#live-pill")
    expect(updates).to_be_visible(timeout=PATIENCE)
    assert order(page) == before
    expect(box(page, 1)).to_be_checked()
    updates.click()
    expect(page.locator("#work-rows [data-row]").first).to_have_attribute("data-row", "wi_late")
    expect(box(page, 1)).to_be_checked()
    expect(count(page)).to_have_text("1 of 13 selected")


def test_a_wait_that_gets_late_while_one_looks_bears_a_sign_beside_its_colour(page, items):
    QueueChannel.objects.filter(queue=items[0].queue).update(sla_seconds=60)
    make_workitem(queue=items[0].queue, workitem_id="wi_due", queued_at=timezone.now() - timedelta(seconds=52))
    page.goto(WORK)
    due = page.locator("[data-row=wi_due] .sla")
    expect(due).to_have_class("sla warns")
    expect(due).to_have_class("sla breaches", timeout=PATIENCE)
    assert due.locator("svg").count() == 1


def test_a_changed_filter_clears_the_selection(page):
    page.goto(f"{WORK}?state=active")
    box(page, 0).check()
    page.reload()
    expect(count(page)).to_have_text("1 of 12 selected")
    page.get_by_role("link", name="Take away State: Active").click()
    expect(page).to_have_url(re.compile(r"/work/\?$"))
    expect(bar(page)).to_be_hidden()
    expect(box(page, 0)).not_to_be_checked()


def test_what_an_action_left_over_comes_selected(page):
    page.goto(f"{WORK}#select=wi_3,wi_11")
    expect(count(page)).to_have_text("2 of 12 selected")
    expect(box(page, 3)).to_be_checked()
    box(page, 3).uncheck()
    page.reload()
    expect(count(page)).to_have_text("1 of 12 selected")
    expect(box(page, 3)).not_to_be_checked()


def test_rows_are_selected_and_moved_by_the_keyboard_alone(page):
    page.goto(WORK)
    for key in "jjxjx":
        page.keyboard.press(key)
    expect(count(page)).to_have_text("2 of 12 selected")
    expect(box(page, 1)).to_be_checked()
    page.keyboard.press("u")
    expect(bar(page)).to_be_hidden()
    page.keyboard.press("t")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("wi_2")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator("[data-row=wi_2]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/wi_2/"))


def test_one_sees_what_colleagues_do_and_keeps_selected_what_was_refused(page, chromium, live_server, items):
    other = enter(chromium, live_server.url, make_supervisor("tom"))
    for one in (page, other):
        one.goto(f"{WORK}?open=all&sort=created")  # what is changed stays in its place
        box(one, 0).check()
    box(page, 1).check()
    other.get_by_role("button", name="Hold", exact=True).click()
    expect(other.get_by_text("1 workitem done.")).to_be_visible()
    expect(bar(other)).to_be_hidden()
    expect(page.locator("[data-row=wi_0]")).to_contain_text("On hold", timeout=PATIENCE)
    did(items[0], HangUp(), timezone.now())
    expect(page.locator("[data-row=wi_0]")).to_contain_text(str(State.TERMINATED.label), timeout=PATIENCE)
    page.get_by_role("button", name="Hold", exact=True).click()
    expect(page.get_by_text("1 workitem done.")).to_be_visible()
    expect(page.locator(".message.warning, .message.error")).to_contain_text("wi_0")
    expect(box(page, 0)).to_be_checked()
    expect(count(page)).to_have_text("1 of 12 selected")
    assert other.problems == []  # type: ignore[attr-defined]
    other.context.close()


def test_one_works_through_the_list_past_what_a_colleague_has_open(page, items):
    now = timezone.now()
    Onlooker.objects.create(
        workitem=items[1], user=make_supervisor("tom"), since=now, seen_at=now + timedelta(minutes=5)
    )
    page.goto(WORK)
    for number in (0, 2, 3):
        page.keyboard.press("n")
        expect(page).to_have_url(re.compile(f"/wi_{number}/"))
        page.wait_for_load_state()  # or there is nobody yet to listen to the next key


def test_filters_and_pages_and_a_transfer_need_no_script(chromium, live_server, sue, items):
    page = enter(chromium, live_server.url, sue, java_script_enabled=False)
    page.goto(WORK)
    page.locator("#filters > summary").click()
    page.get_by_role("checkbox", name="Active").check()
    page.get_by_label("Agent: add another one").fill("ann")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("link", name="Take away Agent: Ann Brook")).to_be_visible()
    page.get_by_role("link", name="Next", exact=True).click()
    assert order(page) == ["wi_10", "wi_11"]
    box(page, 11).check()
    page.get_by_role("button", name="Transfer…").click()
    expect(page.get_by_role("heading", name="Transfer")).to_be_visible()
    expect(page.get_by_text("wi_11").first).to_be_visible()
    page.context.close()


def test_axe_finds_nothing_and_nothing_sticks_out(page, items):
    comes_first(items[0].queue)
    page.emulate_media(reduced_motion="reduce")
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{WORK}#select=wi_0")
        expect(bar(page)).to_be_visible()
        for opened in ("filters", "columns"):
            page.locator(f"#{opened} > summary").click()
            assert objections(page) == [], (width, opened)
            page.locator(f"#{opened} > summary").click()
        assert not sticks_out(page), width
