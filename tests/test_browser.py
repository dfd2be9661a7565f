"""A person with a keyboard, in a real browser: nothing that axe objects to, nothing that the policy blocks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page

from tests.browsers import IN_A_BROWSER
from tests.builders import facts_of, make_contact, make_presence, make_queue, make_user, make_workitem
from tests.visits import enter, objections, sticks_out
from workitems.choices import Scope, State
from workitems.groups import grant
from workitems.models import Presence

pytestmark = IN_A_BROWSER


@pytest.fixture
def supervisor() -> User:
    user = make_user("sue", is_staff=True)
    user.set_password("a long password")
    user.save()
    grant(user, Scope.WRITE)
    return user


@pytest.fixture
def item(supervisor):
    ann = make_user("ann")
    make_queue("q_sales", name="Sales")
    queue = make_queue("q_support", name="Support", members=[ann])
    contact = make_contact("Ada", phones=("+12025550123",))
    return make_workitem(State.ACTIVE, queue=queue, agent=ann, contact=contact, name="Lost card")


@pytest.fixture
def page(chromium: Browser, live_server, supervisor) -> Iterator[Page]:
    page = enter(chromium, live_server.url, supervisor)
    yield page
    page.context.close()


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_on_our_pages(width, page, item):
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("/supervisor/", item.get_absolute_url()):
        page.goto(path)
        for details in page.locator("details").all():
            details.evaluate("element => { element.open = true; }")
        assert objections(page) == []
        assert not sticks_out(page)


@pytest.fixture
def gone(item, supervisor) -> User:
    """An agent who is offline with work in hand; and the supervisor works in a queue herself."""
    item.queue.members.add(supervisor)
    make_presence(item.agent, Presence.Status.OFFLINE)
    return item.agent


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_on_stuck_work_and_presence(width, page, gone):
    page.set_viewport_size({"width": width, "height": 900})
    for choice in ("Available", "Away", "Offline"):
        page.goto("/supervisor/")
        page.locator("#own-presence > summary").click()
        page.get_by_role("button", name=choice).click()
        page.get_by_text(f"You are now: {choice}.").wait_for()
        page.locator(".board-absent details").evaluate("element => { element.open = true; }")
        assert objections(page) == []
        assert not sticks_out(page)
    assert page.problems == []


def test_stuck_work_is_returned_with_the_keyboard_after_a_question(page, item, gone):
    page.goto("/supervisor/")
    page.get_by_role("heading", name="Work of agents who are gone").wait_for()
    page.locator(".board-absent summary").focus()
    page.keyboard.press("Enter")
    page.get_by_text("This cannot be undone.").wait_for()
    assert facts_of(item)["state"] == "active"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("1 workitem is back in its queue, at its old place.").wait_for()
    assert facts_of(item)["state"] == "inqueue"
    assert page.problems == []


def test_the_way_in_is_open_to_everybody_and_leads_to_the_board(chromium, live_server, supervisor):
    context = chromium.new_context(base_url=live_server.url)
    page = context.new_page()
    page.goto("/")
    assert objections(page) == []
    page.get_by_label("Username").fill("sue")
    page.get_by_label("Password").fill("a long password")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Board", exact=True).wait_for()
    context.close()


def test_times_are_shown_in_the_readers_zone_and_exactly_on_hover(chromium, live_server, page, item):
    page.goto(item.get_absolute_url())
    time = page.locator("time").first
    assert time.get_attribute("datetime").startswith("2026-03-02T12:00:00")
    assert "12:00:00" in (time.get_attribute("title") or "")


def test_the_back_office_lists_edits_and_asks_first(page, item):
    page.goto("/admin/workitems/workitem/")
    page.locator("input.action-select").first.check()
    page.locator("select[name=action]").select_option("hang_up")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("heading", name="Hang up: 1 workitem").wait_for()
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Hang up: 1 workitem").click()
    page.locator(".wi-headline", has_text="1 of 1 done").wait_for()
    assert facts_of(item)["state"] == "terminated"
    assert page.problems == []
