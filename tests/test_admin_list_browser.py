"""The list of workitems in a real browser: filters, columns, selection, copying, and nothing that axe objects to."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsers import IN_A_BROWSER
from tests.builders import make_contact, make_queue, make_user, make_workitem
from tests.visits import enter, objections, sticks_out
from workitems.choices import Scope, State
from workitems.groups import grant
from workitems.models import ListLayout

LIST = "/admin/workitems/workitem/"

pytestmark = IN_A_BROWSER


@pytest.fixture
def sue():
    user = make_user("sue", is_staff=True)
    grant(user, Scope.WRITE)
    return user


@pytest.fixture
def items(db):
    ann = make_user("ann", first_name="Annabel", last_name="Brook")
    queue = make_queue("q_support", name="Support", members=[ann])
    calls = [make_workitem(State.ACTIVE, queue=queue, agent=ann, contact=make_contact()) for _ in range(14)]
    return [*calls, make_workitem(State.HOLD, queue=queue, agent=ann), make_workitem(queue=queue, priority=5)]


@pytest.fixture
def page(chromium: Browser, live_server, sue, items) -> Iterator[Page]:
    page = enter(chromium, live_server.url, sue)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield page
    assert page.problems == []  # type: ignore[attr-defined]
    page.context.close()


def rows(page: Page):
    return page.locator("#result_list tbody tr")


def test_filters_are_ticked_and_typed_and_taken_away_again(page):
    page.goto(LIST)
    page.locator("#filters > summary").click()
    page.get_by_role("checkbox", name="On hold").check()
    page.get_by_role("checkbox", name="Active").check()
    page.get_by_label("Agent: add another one").press_sequentially("bro")
    expect(page.locator("#offers-agent option")).to_have_text(["Annabel Brook"])
    page.get_by_label("Agent: add another one").fill("ann")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile(r"/workitem/\?state=active&state=hold&agent=ann$"))
    expect(rows(page)).to_have_count(15)
    page.get_by_role("link", name="Take away State: Active").click()
    expect(page).to_have_url(re.compile(r"/workitem/\?state=hold&agent=ann$"))
    expect(rows(page)).to_have_count(1)


def test_columns_are_moved_with_the_keyboard_and_kept(page, sue):
    page.goto(LIST)
    page.locator("#columns > summary").press("Enter")
    arrow = page.get_by_role("button", name="Move State up")
    arrow.press("Enter")
    expect(arrow).to_be_focused()
    page.locator("#columns").get_by_role("checkbox", name="Contact").uncheck()
    page.get_by_label("Rows a page").select_option("10")
    page.locator("#columns").get_by_role("button", name="Keep").click()
    expect(page.locator("#result_list thead th[scope=col]")).to_have_text(
        [re.compile(one) for one in
         ("Workitem", "State", "Channel", "Queue", "In state for", "Priority", "Agent", "Due", "Created")]
    )  # fmt: skip
    expect(rows(page)).to_have_count(10)
    assert ListLayout.objects.get(user=sue).columns[:3] == ["id", "state", "channel"]


def test_a_panel_closes_with_escape(page):
    page.goto(LIST)
    summary = page.locator("#filters > summary")
    summary.press("Enter")
    page.get_by_role("checkbox", name="On hold").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("checkbox", name="On hold")).to_be_hidden()
    expect(summary).to_be_focused()


def test_the_selection_is_counted_among_all_that_match(page, sue):
    ListLayout.objects.create(user=sue, list_name="workitems", columns=["id"], page_size=10)
    page.goto(f"{LIST}?state=active")
    for number in range(3):
        page.locator(".action-select").nth(number).check()
    expect(page.locator(".action-counter")).to_have_text("3 of 14 selected")
    page.get_by_role("checkbox", name="Select all on this page").check()
    page.get_by_role("link", name="Select all 14 matching").click()
    expect(page.get_by_text("All 14 matching are selected")).to_be_visible()
    expect(page.locator("input[name=select_across]")).to_have_value("1")
    page.locator("#filters > summary").click()
    page.get_by_role("checkbox", name="On hold").check()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile("state=hold"))
    assert page.locator(".action-select:checked").count() == 0


def test_an_id_is_copied(page, items):
    page.goto(f"{LIST}?state=hold")
    page.get_by_role("button", name=f"Copy {items[14].workitem_id}").click()
    expect(page.locator(".wi-copy", has_text="check")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == items[14].workitem_id


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_and_nothing_sticks_out(width, page):
    page.set_viewport_size({"width": width, "height": 800})
    for query, panel in (("", "filters"), ("?state=hold&sla=fine", "columns"), ("?state=nonsense", "")):
        page.goto(f"{LIST}{query}")
        if panel:
            page.locator(f"#{panel} > summary").click()
        assert objections(page, ".wi-worklist") == []
        assert not sticks_out(page)
