"""The page of a workitem in a real browser: tabs, typing, buttons, and nothing that axe objects to.

The theme's own parts are not ours to mend, so axe looks at what stands within our own pages.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsers import IN_A_BROWSER
from tests.builders import NOON, facts_of, make_contact, make_queue, make_user, make_workitem
from tests.visits import enter, objections, sticks_out
from workitems import services
from workitems.actors import Actor
from workitems.choices import Door, Scope, State
from workitems.commands import AddNote, Edit
from workitems.groups import grant
from workitems.models import TimeEvent, Workitem

pytestmark = IN_A_BROWSER


@pytest.fixture
def sue():
    user = make_user("sue", is_staff=True)
    grant(user, Scope.WRITE)
    return user


@pytest.fixture
def item(sue):
    ann = make_user("ann")
    queue = make_queue("q_support", name="Support", members=[ann])
    contact = make_contact("Ada Lovelace", phones=("+12025550123",))
    made = make_workitem(
        State.ACTIVE, queue=queue, agent=ann, contact=contact, name="Old", data={"order": {"id": 12}},
        workitem_id="wi_it",
    )  # fmt: skip
    make_workitem(queue=queue, contact=contact, name="Another call")
    services.execute(AddNote("Called back."), made.workitem_id, actor=Actor.of(sue, Door.API), now=NOON)
    return made


@pytest.fixture
def page(chromium: Browser, live_server, sue) -> Iterator[Page]:
    page = enter(chromium, live_server.url, sue)
    yield page
    page.context.close()
    assert page.problems == []  # type: ignore[attr-defined]


def address_of(item: Workitem) -> str:
    return f"/admin/workitems/workitem/{item.pk}/change/"


def look_at(page: Page, item: Workitem, tab: str = "") -> None:
    page.goto(address_of(item) + (f"?tab={tab}" if tab else ""))
    page.wait_for_load_state("load")


def test_what_was_typed_outlives_a_look_at_the_other_tabs(page, item):
    look_at(page, item)
    page.get_by_label("Subject").fill("Typed")
    page.get_by_role("tab", name="Timeline").click()
    page.get_by_text("Called back.").wait_for()
    assert page.url.endswith("?tab=timeline")
    page.get_by_role("tab", name="Contact’s other items").click()
    page.get_by_role("link", name="Another call").wait_for()
    page.go_back()
    expect(page.get_by_text("Called back.")).to_be_visible()
    page.get_by_role("tab", name="Overview").click()
    expect(page.get_by_label("Subject")).to_have_value("Typed")


def test_the_tabs_go_with_the_keyboard(page, item):
    look_at(page, item)
    page.get_by_role("tab", name="Overview").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab", name="Raw data")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_text('"workitemId": "wi_it"').wait_for()
    expect(page.get_by_role("tab", name="Raw data")).to_have_attribute("aria-selected", "true")


def test_a_part_that_cannot_be_loaded_is_told(page, item):
    look_at(page, item)
    page.route("**/*tab=raw*", lambda route: route.fulfill(status=204))
    page.route("**/*tab=timeline*", lambda route: route.abort())
    page.get_by_role("tab", name="Timeline").click()
    page.get_by_text("This part could not be loaded.").wait_for()
    page.problems.clear()  # the browser says itself that the request was cut off


def test_the_json_editor_says_where_it_is_wrong_and_formats_without_changing_a_digit(page, item):
    look_at(page, item)
    data, verdict = page.locator("#id_data"), page.locator("[data-verdict]")
    for typed, told in {
        '{"a": 1,\n "b": [1, 2,]}': "Line 2, column 13: “]” is not expected here",
        '{"a": 1': "Line 1, column 8: it ends too early",
        "{a: 1}": "Line 1, column 2: “a” is not expected here",
        '{1: "a"}': "Line 1, column 2: a name in double quotes is expected",
        '{"a": "b}': "Line 1, column 7: this text is not closed",
        '{"a": 01}': "Line 1, column 8: “1” is not expected here",
        "{} x": "Line 1, column 4: “x” is not expected here",
        "{} {}": "Line 1, column 4: nothing more is expected after the end",
        "[1]": "This must be an object",
        '{"a": "' + "x" * 16_400 + '"}': "Too large",
    }.items():
        data.fill(typed)
        expect(verdict).to_contain_text(told)
        expect(data).to_have_attribute("aria-invalid", "true")
    data.fill('{"big":12345678901234567890,"f":1.50,"l":[],"o":{"u":"\\u00e9"}}')
    expect(verdict).to_have_text("Valid JSON")
    expect(page.locator("[data-bytes]")).to_have_text("63 of 16,384 bytes")
    page.get_by_role("button", name="Format").click()
    formatted = '{\n  "big": 12345678901234567890,\n  "f": 1.50,\n  "l": [],\n  "o": {\n    "u": "\\u00e9"\n  }\n}'
    expect(data).to_have_value(formatted)
    expect(page.locator("[data-lines]")).to_have_text("\n".join(map(str, range(1, 9))))
    data.focus()
    page.keyboard.press("Tab")
    expect(page.locator("#id_note")).to_be_focused()


def test_of_two_who_edit_the_second_is_told_and_saves_once_more(page, item):
    look_at(page, item)
    page.get_by_label("Subject").fill("Mine")
    amy = make_user("amy", is_superuser=True)
    services.execute(Edit({"name": "Theirs"}), item.workitem_id, actor=Actor.of(amy, Door.API), now=NOON)
    page.get_by_role("button", name="Save").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("amy: Edited, Subject: “Old” → “Theirs”")
    expect(alert).to_be_focused()
    expect(page.get_by_label("Subject")).to_have_value("Mine")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    assert facts_of(item)["name"] == "Mine"


def test_a_button_beside_the_form_throws_nothing_away_that_was_typed(page, item):
    look_at(page, item)
    page.get_by_label("Subject").fill("Typed")
    page.locator("#id_note").fill("Half a note")
    page.get_by_role("button", name="Hold", exact=True).click()
    page.get_by_text("Done: Hold.").wait_for()
    page.get_by_text("What you had typed is still here, not saved yet.").wait_for()
    expect(page.get_by_label("Subject")).to_have_value("Typed")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    assert (facts_of(item)["name"], facts_of(item)["state"]) == ("Typed", "hold")
    assert TimeEvent.objects.filter(workitem=item, details={"text": "Half a note"}).exists()
    expect(page.get_by_text("What you had typed is still here")).to_be_hidden()


def test_hold_and_undo_with_the_keyboard(page, item):
    look_at(page, item)
    page.get_by_role("button", name="Hold", exact=True).press("Enter")
    page.get_by_text("The last thing that happened was yours: Put on hold.").wait_for()
    page.get_by_role("button", name="Undo").press("Enter")
    page.get_by_text("Undone: Put on hold.").wait_for()
    assert facts_of(item)["state"] == "active"


def test_what_needs_an_answer_opens_where_it_stands(page, item):
    look_at(page, item)
    page.locator("summary", has_text="Hang up").press("Enter")
    page.get_by_text("Whoever is on the line is cut off.").wait_for()
    page.get_by_label("Ended by").select_option("customer")
    page.get_by_role("button", name="Hang up").press("Enter")
    page.get_by_text("Done: Hang up.").wait_for()
    assert facts_of(item)["ended_by"] == "customer"


def test_a_walk_in_is_taken_down(page, item):
    page.goto("/admin/workitems/workitem/add/")
    page.locator("#id_type").select_option("InboundCall")
    page.locator("#id_new_name").fill("Grace Hopper")
    page.locator("#id_new_address").fill("(202) 555-0177")
    page.locator("#id_note").fill("Is at the desk.")
    page.get_by_role("button", name="Take down").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Inbound work needs a queue.")
    page.locator("#id_queue").select_option(label="Support")
    page.get_by_role("button", name="Take down").click()
    page.get_by_text("Taken down:").wait_for()
    made = Workitem.objects.latest("pk")
    assert (made.contact.display_name, made.from_address) == ("Grace Hopper", "+12025550177")


def test_a_contact_is_found_while_one_types(page, item):
    page.goto("/admin/workitems/workitem/add/")
    page.wait_for_load_state("load")
    page.locator(".select2-selection").click()
    page.locator(".select2-search__field").fill("Ada")
    page.locator(".select2-results__option", has_text="Ada Lovelace").click()
    expect(page.locator("select[name=contact]")).to_have_value(str(item.contact_id))


def test_all_of_it_works_without_scripts(chromium, live_server, sue, item):
    page = enter(chromium, live_server.url, sue, java_script_enabled=False)
    look_at(page, item)
    page.locator("input[name=name]").fill("New", timeout=3000)
    page.get_by_role("button", name="Save").click()
    assert facts_of(item)["name"] == "New"
    page.get_by_role("link", name="Timeline").click()
    assert page.url.endswith("?tab=timeline")
    assert page.get_by_text("Called back.").is_visible()
    page.context.close()


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_and_nothing_runs_over(width, page, item):
    page.set_viewport_size({"width": width, "height": 900})
    for tab in ("", "timeline", "contact", "raw"):
        look_at(page, item, tab)
        if not tab:
            page.locator("summary", has_text="Hang up").click()
            page.locator("summary", has_text="By state, queue and agent").click()
        assert objections(page, ".wi-page") == []
        assert not sticks_out(page)
    page.goto("/admin/workitems/workitem/add/")
    page.get_by_role("button", name="Take down").click()
    page.get_by_role("alert").wait_for()
    assert objections(page, ".wi-page") == []
    assert not sticks_out(page)
