"""Transfers in the back office in a real browser: the whole way, live updates, and nothing that axe objects to.

The theme's own parts are not ours to mend, so axe looks at what stands within our own pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from tests.browsers import IN_A_BROWSER
from tests.builders import facts_of, make_queue, make_user, make_workitem
from tests.visits import enter, objections, sticks_out
from workitems import runs, transfers
from workitems.actors import Actor
from workitems.choices import Door, Scope, State
from workitems.groups import grant
from workitems.models import Transfer

LIST = "/admin/workitems/workitem/"

pytestmark = IN_A_BROWSER


@pytest.fixture
def sue():
    user = make_user("sue", is_staff=True)
    grant(user, Scope.WRITE)
    return user


@pytest.fixture
def support():
    return make_queue("q_support", name="Support", members=[make_user("ann")])


@pytest.fixture
def sales():
    return make_queue("q_sales", name="Sales")


@pytest.fixture
def items(support):
    return [*(make_workitem(queue=support) for _ in range(3)), make_workitem(State.TERMINATED, queue=support)]


@pytest.fixture
def page(chromium: Browser, live_server, sue) -> Iterator[Page]:
    page = enter(chromium, live_server.url, sue, timezone_id="Asia/Tokyo")
    yield page
    page.context.close()


def ask_for(user, items, queue) -> Transfer:
    selection = transfers.Selection(workitem_ids=[item.workitem_id for item in items])
    actor = Actor.of(user, Door.ADMIN)
    return transfers.request(selection, transfers.Terms(queue=queue), actor=actor, now=timezone.now())


def work_off(transfer: Transfer) -> None:
    runs.work_off(transfers.TRANSFERS, transfer.pk, clock=timezone.now, seconds=5)


def choose_all(page: Page) -> None:
    page.goto(LIST)
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("transfer")
    page.get_by_role("button", name="Run").click()
    page.get_by_role("heading", name="Transfer 4 workitems").wait_for()
    page.wait_for_load_state("load")  # the heading is there before the script that completes the dialog


def test_a_selection_is_transferred_and_taken_back_with_the_keyboard(page, items, sales):
    choose_all(page)
    page.get_by_label("Find a queue or an agent").focus()
    page.keyboard.type("sal")
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="Sales")).to_be_focused()
    page.keyboard.press("Control+Enter")
    page.get_by_role("heading", name="3 of 4 will move to Sales").wait_for()
    page.get_by_text("Not possible while it is “In wrap-up”.").wait_for()
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Transfer 3 workitems").press("Enter")
    page.locator(".wi-headline", has_text="3 of 4 moved, 1 refused").wait_for()
    assert {facts_of(item)["queue_id"] for item in items[:3]} == {sales.pk}
    page.get_by_role("link", name="Undo…").press("Enter")
    page.get_by_text("3 of 3 can go back to how they were.").wait_for()
    page.get_by_role("button", name="Send 3 back").press("Enter")
    page.locator(".wi-headline", has_text="3 of 3 moved").wait_for()
    assert sales.pk not in {facts_of(item)["queue_id"] for item in items}
    assert page.problems == []


def test_a_ready_reason_is_a_click_and_nothing_typed_is_lost_on_the_way_back(page, items, sales):
    choose_all(page)
    page.get_by_role("radio", name="Sales").check()
    page.get_by_role("button", name="Queue is overloaded").click()
    page.get_by_label("Priority").select_option("5")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_role("radio", name="Sales")).to_be_checked()
    expect(page.get_by_label("Reason")).to_have_value("Queue is overloaded")
    expect(page.get_by_label("Priority")).to_have_value("5")


def test_a_time_is_the_one_on_the_persons_own_clock(page, items, sales):
    choose_all(page)
    page.get_by_role("radio", name="Sales").check()
    page.get_by_role("radio", name="At a time").check()
    day = (timezone.now() + timedelta(days=2)).date()
    page.get_by_label("Date and time").fill(f"{day}T10:00")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Plan the transfer of 3 workitems").click()
    page.locator(".wi-headline", has_text="4 pending").wait_for()
    assert Transfer.objects.get().start_at.isoformat() == f"{day}T01:00:00+00:00"


def test_a_running_receipt_follows_by_itself_and_keeps_focus(page, sue, items, sales):
    transfer = ask_for(sue, items, sales)
    page.goto(transfer.get_absolute_url())
    page.locator(".wi-headline", has_text="0 of 4 moved").wait_for()
    page.get_by_role("link", name="All transfers").focus()
    work_off(transfer)
    page.locator(".wi-headline", has_text="3 of 4 moved, 1 refused").wait_for()
    expect(page.get_by_role("link", name="All transfers")).to_be_focused()
    expect(page.get_by_role("link", name="Undo…")).to_be_visible()
    expect(page.get_by_role("button", name="Pause updates")).to_be_hidden()
    assert page.problems == []


def test_updates_can_be_paused(page, sue, items, sales):
    transfer = ask_for(sue, items, sales)
    page.goto(transfer.get_absolute_url())
    page.get_by_role("button", name="Pause updates").click()
    page.get_by_text("Updates are paused").wait_for()
    work_off(transfer)
    page.wait_for_timeout(3000)
    assert page.locator(".wi-headline", has_text="0 of 4 moved").is_visible()
    page.get_by_role("button", name="Resume updates").click()
    page.locator(".wi-headline", has_text="3 of 4 moved").wait_for()


def test_updates_that_fail_are_told_loudly(page, sue, items, sales):
    transfer = ask_for(sue, items, sales)
    page.goto(transfer.get_absolute_url())
    page.route("**/progress/**", lambda route: route.abort())
    page.get_by_role("alert").get_by_text("Updates fail").wait_for()
    page.unroute("**/progress/**")
    expect(page.get_by_text("Updates fail")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_on_the_pages_of_a_transfer(width, page, sue, items, sales):
    page.set_viewport_size({"width": 1280, "height": 900})
    pending, done = ask_for(sue, items, sales), ask_for(sue, items, sales)
    work_off(done)
    choose_all(page)
    page.set_viewport_size({"width": width, "height": 900})
    page.get_by_role("radio", name="At a time").check()
    page.get_by_role("button", name="Preview").click()  # without a target and a time
    page.get_by_role("alert").wait_for()
    assert objections(page, ".wi-page") == []
    page.get_by_role("radio", name="Support").check()
    page.get_by_role("radio", name="Now", exact=True).check()
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("heading", name="will move to Support").wait_for()
    assert objections(page, ".wi-page") == []
    for transfer, part in ((pending, ""), (pending, "cancel/"), (done, "?outcome=refused"), (done, "undo/")):
        page.goto(transfer.get_absolute_url().replace("change/", part if part.endswith("/") else f"change/{part}"))
        assert objections(page, ".wi-page") == []
        assert not sticks_out(page)
