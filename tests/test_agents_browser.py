"""The desk's agents in a browser: nothing that axe objects to, menus by keyboard, and a question before work goes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page

from tests.browsers import IN_A_BROWSER
from tests.builders import facts_of, make_presence, make_queue, make_user, make_workitem
from tests.visits import enter, objections, sticks_out
from workitems.choices import Scope, State
from workitems.groups import grant
from workitems.models import Presence

pytestmark = IN_A_BROWSER
LIST = "/supervisor/agents/"


@pytest.fixture
def item(db):
    sue = make_user("sue")
    grant(sue, Scope.ADMIN)
    ann = make_user("ann", first_name="Ann", last_name="Brook")
    queue = make_queue("q_support", name="Support", members=[ann, sue])
    make_presence(ann, capacity={"voice": 1, "chat": 3})
    make_presence(sue, Presence.Status.AWAY)
    return make_workitem(State.ACTIVE, queue=queue, agent=ann, name="Lost card")


@pytest.fixture
def page(chromium: Browser, live_server, item) -> Iterator[Page]:
    page = enter(chromium, live_server.url, User.objects.get(username="sue"), width=1440)
    page.goto(LIST)
    yield page
    page.context.close()


@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing_and_the_page_is_no_wider_than_the_window(width, page):
    page.set_viewport_size({"width": width, "height": 900})
    for path in (LIST, f"{LIST}ann/", f"{LIST}ann/return-all/"):
        page.goto(path)
        page.wait_for_load_state("load")
        assert objections(page) == []
        assert not sticks_out(page)
    page.goto(LIST)
    page.locator("[popovertarget]").first.click()
    page.locator("#own-presence").evaluate("element => { element.open = true; }")
    assert objections(page) == []
    assert page.problems == []


def test_a_presence_is_set_with_the_keyboard_from_the_list(page, item):
    page.get_by_role("button", name="Actions for Ann Brook").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Away").last.wait_for()
    page.locator(":popover-open button[value=away]").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Ann Brook is now: Away.").wait_for()
    assert Presence.objects.get(user=item.agent).status == "away"
    assert page.problems == []


def test_work_goes_back_after_a_question_in_a_dialog(page, item):
    page.goto(f"{LIST}ann/")
    page.get_by_role("link", name="Return all to queue").click()
    page.locator("dialog[open]").get_by_text("This cannot be undone.").wait_for()
    assert facts_of(item)["state"] == "active"
    page.locator("dialog[open]").get_by_role("button", name="Return 1 workitem").click()
    page.get_by_text("1 workitem is back in its queue, at its old place.").wait_for()
    assert facts_of(item)["state"] == "inqueue"
    assert page.problems == []
