"""The home page and what stands around every page, in a real browser: keys, colours, widths, and what axe says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from tests.browsers import IN_A_BROWSER
from tests.builders import make_presence, make_queue, make_user, make_workitem
from tests.visits import enter, objections, sticks_out
from workitems.choices import Door, Scope, State
from workitems.groups import grant
from workitems.models import Transfer

# not ours: the theme's own dialogs, which are hidden until they are opened
OURS = {"include": [["#page"]]}

pytestmark = IN_A_BROWSER


@pytest.fixture
def amy():
    user = make_user("amy", is_staff=True)
    grant(user, Scope.ADMIN)
    return user


@pytest.fixture
def centre(amy):
    ann = make_user("ann")
    make_presence(ann, "offline")
    now = timezone.now()
    support = make_queue("q_support", name="Support", members=[ann])
    for minutes in (1, 3, 30):
        moment = now - timedelta(minutes=minutes)
        make_workitem(queue=support, queued_at=moment, created_at=moment)
    make_workitem(State.ACTIVE, queue=support, agent=ann, created_at=now)
    Transfer.objects.create(
        queue=support, state="running", total=40, done=10, requested_by=amy, door=Door.ADMIN, created_at=now,
        start_at=now, started_at=now - timedelta(seconds=5), moved_at=now,
    )  # fmt: skip
    return support


@pytest.fixture
def page(chromium: Browser, live_server, amy) -> Iterator[Page]:
    page = enter(chromium, live_server.url, amy)
    yield page
    page.context.close()


@pytest.mark.parametrize("width", [1440, 360])
def test_axe_objects_to_nothing_on_the_home_page(width, chromium, live_server, amy, centre):
    page = enter(chromium, live_server.url, amy, width=width)
    page.goto("/admin/")
    page.get_by_text("The same by the hour, in figures").click()
    assert objections(page, OURS) == []
    assert not sticks_out(page)
    assert page.problems == []
    page.context.close()


def test_axe_objects_to_nothing_where_there_is_nothing(chromium, live_server, amy):
    page = enter(chromium, live_server.url, amy)
    for path in ("/admin/", "/admin/workitems/policyrun/?q=none", "/admin/no/such/page/"):
        page.goto(path)
        assert objections(page, {"include": [[".wi-empty, .wi-steps"], ["#nav-sidebar"]]}) == []
    page.context.close()


def test_a_page_is_found_and_opened_with_the_keyboard_alone(page, centre):
    page.goto("/admin/")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+k")
    expect(page.locator("#search-input-command")).to_be_focused()
    page.keyboard.type("dispos")
    expect(page.locator("#command-results-list")).to_contain_text("Dispositions")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/workitems/disposition/")
    assert page.problems == []


def test_the_first_stop_of_the_tab_key_skips_the_menu(page, centre):
    page.goto("/admin/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")


def test_colours_are_switched_and_people_sign_out_with_the_keyboard(page, centre):
    page.goto("/admin/")
    page.locator(".wi-account-button").press("Enter")
    page.get_by_role("button", name="Dark").press("Enter")
    expect(page.locator("html")).to_have_class("dark")
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Sign out").press("Enter")
    page.wait_for_url("**/login/**")


def test_a_narrow_screen_opens_and_closes_the_menu(chromium, live_server, amy, centre):
    page = enter(chromium, live_server.url, amy, width=360)
    page.goto("/admin/")
    link = page.get_by_role("link", name="Stale policies")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Show the menu").click()
    expect(link).to_be_visible()
    page.get_by_role("button", name="Close the menu").click()
    expect(link).to_be_hidden()
    page.context.close()


def test_figures_are_brought_up_to_date_without_a_reload_and_can_be_paused(page, centre):
    page.clock.install()
    page.goto("/admin/")
    page.wait_for_load_state("networkidle")
    waiting = page.locator("[data-live=tiles] .wi-tile").first
    expect(waiting).to_contain_text("3")
    make_workitem(queue=centre)
    cache.clear()
    page.clock.run_for(32_000)
    expect(waiting).to_contain_text("4")
    page.get_by_role("button", name="Pause updates").click()
    make_workitem(queue=centre)
    cache.clear()
    page.clock.run_for(65_000)
    expect(page.get_by_role("button", name="Go on updating")).to_be_visible()
    expect(waiting).to_contain_text("4")


def test_a_server_that_does_not_answer_is_told(page, centre):
    page.clock.install()
    page.goto("/admin/")
    page.wait_for_load_state("networkidle")
    page.route("**/admin/", lambda route: route.abort())
    page.clock.run_for(32_000)
    expect(page.get_by_text("The server does not answer: these figures are old.")).to_be_visible()
