"""Reports in a real browser: what axe says, definitions on focus, other days, and nothing that runs off the page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from tests.browsers import IN_A_BROWSER
from tests.builders import make_queue, make_user
from tests.lives import after, answered, came, given_up
from tests.visits import enter, objections, sticks_out
from workitems.choices import Scope, Type
from workitems.groups import grant

pytestmark = IN_A_BROWSER


@pytest.fixture
def tom():
    user = make_user("tom")
    grant(user, Scope.READ)
    return user


@pytest.fixture
def yesterday(tom):
    ann = make_user("ann", first_name="Ann", last_name="Brook")
    support, noon = make_queue("q_support", name="Support"), timezone.now() - timedelta(days=1)
    answered(support, noon, 10, ann)
    answered(support, noon, 40, ann, kind=Type.CHAT)
    given_up(support, after(noon, 3), 50)
    came(support, noon)


@pytest.fixture
def page(chromium: Browser, live_server, tom, yesterday) -> Iterator[Page]:
    page = enter(chromium, live_server.url, tom, width=1440)
    yield page
    page.context.close()


@pytest.mark.parametrize("width", [1440, 360])
def test_axe_objects_to_nothing(width, chromium, live_server, tom, yesterday):
    page = enter(chromium, live_server.url, tom, width=width)
    for path in ("?range=yesterday", "?range=7days&by=time", "?range=7days&by=agent", "moment/"):
        page.goto(f"/supervisor/reports/{path}")
        assert (path, objections(page)) == (path, [])
        assert not sticks_out(page)
    assert page.problems == []
    page.context.close()


def test_a_definition_is_shown_while_the_name_of_its_figure_has_the_focus(page):
    page.goto("/supervisor/reports/?range=yesterday")
    name = page.locator(".report-tiles .defined", has_text="Service level")
    name.focus()
    expect(page.locator(".definition")).to_contain_text("counts as missed")
    page.keyboard.press("Escape")
    expect(page.locator(".definition")).to_be_hidden()


def test_other_days_are_chosen_in_a_form_and_stand_in_the_address(page):
    page.goto("/supervisor/reports/?by=time")
    page.get_by_text("Other days", exact=True).click()
    page.get_by_label("From").fill("2026-03-01")
    page.get_by_label("To, included").fill("2026-03-02")
    page.get_by_role("button", name="Show these days").click()
    page.wait_for_url("**/supervisor/reports/?by=time&from=2026-03-01&to=2026-03-02")


def test_a_chart_says_in_words_what_it_shows(page):
    page.goto("/supervisor/reports/?range=yesterday")
    expect(page.get_by_role("img", name="Offered", exact=False).first).to_be_visible()
    expect(page.locator("#chart-offered-d")).to_contain_text("4 offered, of which 2 answered")
