"""The desk by keyboard, in a real browser."""

from __future__ import annotations

import pytest

from tests.browsers import IN_A_BROWSER
from tests.test_live_browser import desk, page, supervisor  # noqa: F401  the same desk
from workitems.models import DeskSettings

pytestmark = IN_A_BROWSER


def test_a_question_mark_shows_the_map_and_escape_gives_the_focus_back(page):  # noqa: F811
    page.goto("/supervisor/settings/")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keyboard").wait_for()
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0


def test_a_slash_leads_to_the_search_where_keys_are_only_letters(page):  # noqa: F811
    page.goto("/supervisor/settings/")
    page.keyboard.press("/")
    page.keyboard.type("?gb")
    assert page.locator("#desk-search").input_value() == "?gb"
    assert page.get_by_role("dialog").count() == 0


@pytest.mark.parametrize(("key", "where"), [("b", "/supervisor/"), ("a", "/supervisor/agents/")])
def test_g_and_a_letter_lead_to_a_place(key, where, page):  # noqa: F811
    page.goto("/supervisor/settings/")
    page.keyboard.press("g")
    page.keyboard.press(key)
    page.wait_for_url(f"**{where}")


def test_single_keys_can_be_switched_off(page, supervisor):  # noqa: F811
    DeskSettings.objects.create(user=supervisor, has_single_keys=False)
    page.goto("/supervisor/settings/")
    page.keyboard.press("?")
    page.wait_for_timeout(300)
    assert page.get_by_role("dialog").count() == 0
    page.locator(".account-menu summary").click()
    page.get_by_role("button", name="Keyboard").click()
    page.get_by_text("Single keys are switched off.").wait_for()
