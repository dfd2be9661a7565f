"""Reports in a real browser: what axe says, definitions on focus, other days, and nothing that runs off the page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from tests.browsers import IN_A_BROWSER
from tests.builders import make_queue, make_user
from tests.doors import browser
from tests.lives import after, answered, came, given_up
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


def open_page(chromium: Browser, address: str, user, scheme: str = "light", width: int = 1440) -> Page:
    context = chromium.new_context(base_url=address, viewport={"width": width, "height": 900}, color_scheme=scheme)
    context.add_cookies([{"name": "sessionid", "value": browser(user).cookies["sessionid"].value, "url": address}])
    page = context.new_page()
    page.problems = []  # type: ignore[attr-defined]
    page.on("console", lambda line: page.problems.append(line.text) if line.type == "error" else None)
    return page


@pytest.fixture
def page(chromium: Browser, live_server, tom, yesterday) -> Iterator[Page]:
    page = open_page(chromium, live_server.url, tom)
    yield page
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
def test_axe_objects_to_nothing(scheme, width, chromium, live_server, tom, yesterday):
    page = open_page(chromium, live_server.url, tom, scheme, width)
    for path in ("?range=yesterday", "?range=7days&by=time", "?range=7days&by=agent", "moment/"):
        page.goto(f"/supervisor/reports/{path}")
        page.wait_for_load_state("networkidle")
        found = Axe().run(page).response["violations"]
        assert [f"{path} {one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]] == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
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
