"""The search box and saved views in a real browser, with the keyboard where that is how one works."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from tests.browsers import IN_A_BROWSER
from tests.builders import make_queue, make_user, make_workitem
from tests.visits import enter, objections, sticks_out
from workitems.choices import Scope, State
from workitems.groups import grant
from workitems.models import SavedView

LIST = "/admin/workitems/workitem/"

pytestmark = IN_A_BROWSER


@pytest.fixture
def sue():
    user = make_user("sue", is_staff=True)
    grant(user, Scope.WRITE)
    user.groups.add(Group.objects.create(name="Night shift"))
    return user


@pytest.fixture
def items(sue):
    support = make_queue("q_support", name="Support", members=[make_user("ann")])
    waiting = [make_workitem(State.INQUEUE, queue=support, priority=5) for _ in range(3)]
    return [*waiting, make_workitem(State.INQUEUE, queue=support, priority=1)]


@pytest.fixture
def page(chromium: Browser, live_server, sue, items) -> Iterator[Page]:
    page = enter(chromium, live_server.url, sue)
    page.goto(LIST)
    yield page
    page.context.close()


def box(page: Page):
    return page.get_by_label("Search workitems")


def offers(page: Page):
    return page.get_by_role("listbox", name="Suggestions")


def test_a_search_is_completed_with_the_keyboard_alone(page):
    page.keyboard.press("/")
    expect(box(page)).to_be_focused()
    page.keyboard.type("sta")
    expect(offers(page).get_by_role("option").first).to_contain_text("state")
    expect(box(page)).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    chosen = page.locator("[role=option][aria-selected=true]")
    expect(box(page)).to_have_attribute("aria-activedescendant", chosen.get_attribute("id"))
    page.keyboard.press("Enter")
    expect(box(page)).to_have_value("state:")
    expect(offers(page).get_by_role("option").first).to_contain_text("inqueue")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(box(page)).to_have_value("state:inqueue")
    expect(box(page)).to_be_focused()
    page.keyboard.type(" selectedQueue:sup")
    page.get_by_role("option", name="q_support").wait_for()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(box(page)).to_have_value("state:inqueue selectedQueue:q_support")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=state%3Ainqueue+selectedQueue%3Aq_support")
    assert page.problems == []


def test_completion_works_in_the_middle_and_counts_characters_as_the_server_does(page):
    box(page).fill("😀😀 stat:hold")
    box(page).evaluate("box => box.setSelectionRange(9, 9)")  # after "stat", in UTF-16 units
    page.keyboard.press("ArrowDown")
    offers(page).get_by_role("option", name="where it is in its life").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(box(page)).to_have_value("😀😀 state:hold")
    assert box(page).evaluate("box => box.selectionStart") == len("😀😀 state".encode("utf-16-le")) // 2


def test_escape_closes_and_enter_without_a_choice_searches_for_what_is_typed(page):
    box(page).focus()
    page.keyboard.type("hol")
    offers(page).wait_for()
    page.keyboard.press("Escape")
    expect(offers(page)).to_be_hidden()
    expect(box(page)).to_have_value("hol")
    page.keyboard.press("ArrowDown")
    offers(page).wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=hol")


def test_a_click_takes_an_offer(page):
    box(page).focus()
    page.keyboard.type("priority:")
    offers(page).get_by_role("option", name="Highest").click()
    expect(box(page)).to_have_value("priority:5")
    expect(box(page)).to_be_focused()


def test_offers_for_what_was_typed_before_are_not_taken(page):
    box(page).focus()
    page.keyboard.type("sta")
    offers(page).wait_for()
    page.route("**/complete/**", lambda route: None)  # the next answer never comes
    page.keyboard.type("rt")
    offers(page).get_by_role("option").first.click()
    expect(box(page)).to_have_value("start")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=start")


def test_a_slash_that_is_typed_is_a_slash(page):
    page.get_by_text("Save view…").click()
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("24/7")
    expect(page.get_by_label("Name", exact=True)).to_have_value("24/7")
    box(page).focus()
    page.keyboard.type("a/b")
    expect(box(page)).to_have_value("a/b")


def test_a_mistake_is_shown_at_its_place_and_mended_with_a_click(page):
    box(page).fill("state:actve")
    page.keyboard.press("Enter")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("did you mean")
    expect(alert.locator("mark")).to_have_text("actve")
    expect(box(page)).to_have_attribute("aria-invalid", "true")
    expect(box(page)).to_be_focused()
    assert page.evaluate("document.getSelection().toString()") == "actve"
    alert.get_by_role("link", name="state:active").click()
    expect(box(page)).to_have_value("state:active")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_box_and_bar_work_without_their_scripts(page):
    page.route("**/static/search-box.js", lambda route: route.abort())
    page.route("**/static/saved-views.js", lambda route: route.abort())
    page.goto(LIST)
    assert box(page).get_attribute("role") is None
    box(page).fill("priority:5")
    page.get_by_role("button", name="Search", exact=True).click()
    page.wait_for_url("**/?q=priority%3A5")
    page.get_by_text("Save view…").click()
    page.get_by_label("Name", exact=True).fill("Without script")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("list", name="Saved views").get_by_role("link", name="Without script").wait_for()
    assert SavedView.objects.get().query == "q=priority%3A5"


def test_a_view_is_saved_counted_opened_renamed_changed_and_deleted(page):
    views = page.get_by_role("list", name="Saved views")
    box(page).fill("priority:5")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=priority%3A5")
    page.goto(f"{LIST}?q=priority%3A5&state=inqueue")
    page.get_by_text("Save view…").press("Enter")
    page.get_by_label("Name", exact=True).fill("Urgent")
    page.get_by_label("Share with").select_option("Night shift")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(views.get_by_role("link")).to_contain_text("Urgent")
    expect(views.get_by_role("link")).to_contain_text("3 workitems")
    expect(views.get_by_role("link")).to_have_attribute("aria-current", "page")
    expect(page.locator(".wi-views")).to_contain_text("shared with Night shift")

    page.goto(LIST)
    page.get_by_text("Save view…").click()
    page.get_by_label("Name", exact=True).fill("Urgent")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("You have a view “Urgent” already").wait_for()
    assert SavedView.objects.count() == 1

    views.get_by_role("link", name="Urgent").click()
    expect(box(page)).to_have_value("priority:5")
    page.get_by_role("link", name="Rename or share…").click()
    page.get_by_label("Name").fill("Burning")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(views.get_by_role("link")).to_contain_text("Burning")

    box(page).fill("priority:1")
    page.keyboard.press("Enter")
    page.get_by_text("Changed", exact=True).wait_for()
    page.get_by_role("button", name="Update").click()
    expect(views.get_by_role("link")).to_contain_text("1 workitem")
    expect(page.get_by_text("Changed", exact=True)).to_have_count(0)

    page.get_by_role("link", name="Delete…").click()
    page.locator("input[type=submit], button[type=submit]").filter(visible=True).last.click()
    page.get_by_text("The view “Burning” is deleted.").wait_for()
    expect(box(page)).to_have_value("priority:1")
    assert not SavedView.objects.exists()
    assert page.problems == []


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_on_the_box_and_the_bar(width, page, sue):
    page.set_viewport_size({"width": width, "height": 900})
    now = timezone.now()
    view = SavedView.objects.create(owner=sue, name="Urgent", query="q=priority%3A5", created_at=now, modified_at=now)
    page.goto(f"{LIST}?q=state:actve&view={view.view_id}")
    page.get_by_text("How to search").click()
    page.get_by_text("Save as…").click()
    assert objections(page, ".wi-search") == []
    assert objections(page, ".wi-views") == []
    box(page).fill("state:")
    box(page).press("End")
    page.keyboard.press("ArrowDown")
    offers(page).wait_for()
    page.keyboard.press("ArrowDown")
    assert objections(page, ".wi-search") == []
    assert not sticks_out(page)
    page.goto(f"/admin/workitems/savedview/{view.pk}/change/")
    assert objections(page, ".wi-page") == []
    if width > 1000:
        assert objections(page, ".wi-menu-views") == []
    assert page.problems == []
