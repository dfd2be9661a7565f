"""The page of a workitem in a real browser: two supervisors at once, typing while it changes, the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from tests.browsers import IN_A_BROWSER
from tests.builders import facts_of, last_event, make_contact, make_queue, make_user, make_workitem
from tests.visits import enter, objections, sticks_out
from workitems import services
from workitems.actors import Actor
from workitems.choices import Door, Scope, State
from workitems.commands import AddNote, SetPriority
from workitems.groups import grant

pytestmark = IN_A_BROWSER

Open = Callable[..., Page]


@pytest.fixture
def people(db):
    found = [make_user(name, first_name=name.title(), last_name="Hart", is_staff=True) for name in ("sue", "max")]
    for user in found:
        grant(user, Scope.WRITE)
    return found


@pytest.fixture
def item(people):
    ann = make_user("ann")
    make_queue("q_sales", name="Sales")
    queue = make_queue("q_support", name="Support", members=[ann])
    contact = make_contact("Ada", phones=("+12025550123",))
    made = make_workitem(State.ACTIVE, queue=queue, agent=ann, contact=contact, name="Lost card")
    make_workitem(queue=queue, contact=contact, name="Another call")
    do(people[1], made, AddNote("Called back."))
    return made


def do(user, item, command):
    return services.execute(command, item.workitem_id, actor=Actor.of(user, Door.API), now=timezone.now())


@pytest.fixture
def open_as(chromium: Browser, live_server) -> Iterator[Open]:
    opened: list[Page] = []

    def open_page(user, item, width=1280):
        page = enter(chromium, live_server.url, user, width=width)
        opened.append(page)
        page.goto(item.get_absolute_url())
        return page

    yield open_page
    for page in opened:
        page.context.close()


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(width, open_as, people, item):
    page = open_as(people[0], item, width)
    for details in page.locator("#live details").all():
        details.evaluate("element => { element.open = true; }")
    assert objections(page) == []
    assert not sticks_out(page)
    assert page.problems == []


def test_two_supervisors_see_each_other_and_the_slower_one_loses_nothing(open_as, people, item):
    sue, other = open_as(people[0], item), open_as(people[1], item)
    expect(sue.get_by_text("Max Hart looks at this too")).to_be_visible(timeout=20_000)
    expect(other.get_by_text("Sue Hart looks at this too")).to_be_visible(timeout=20_000)
    sue.get_by_text("Send tones…").click()
    sue.get_by_label("Keys").fill("12#")
    other.get_by_role("button", name="Hold").click()
    other.get_by_text("Done: Hold.").wait_for()
    expect(sue.locator("#item-state")).to_have_text("On hold", timeout=20_000)
    expect(sue.locator("#item-changed")).to_contain_text("Max Hart: Put on hold")
    expect(sue.get_by_label("Keys")).to_have_value("12#")
    before = facts_of(item)
    sue.get_by_role("button", name="Send tones").click()
    expect(sue.get_by_role("alert").filter(has_text="It has changed meanwhile")).to_be_visible()
    expect(sue.get_by_label("Keys")).to_have_value("12#")
    assert facts_of(item) == before
    assert sue.problems == other.problems == []


def test_a_note_being_written_outlives_updates_and_a_reload(open_as, people, item):
    page = open_as(people[0], item)
    page.get_by_label("Write a note").fill("Half a thou")
    do(people[1], item, SetPriority(5))
    expect(page.locator("#item-priority")).to_contain_text("Highest", timeout=20_000)
    expect(page.get_by_label("Write a note")).to_have_value("Half a thou")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.get_by_label("Write a note")).to_have_value("Half a thou")
    page.get_by_label("Write a note").press("Control+Enter")
    page.get_by_text("Done: Add a note.").wait_for()
    expect(page.locator(".story-note").first).to_contain_text("Half a thou", timeout=20_000)
    expect(page.get_by_label("Write a note")).to_have_value("")


def test_a_hold_is_taken_back_from_its_toast(open_as, people, item):
    page = open_as(people[0], item)
    page.get_by_role("button", name="Hold").click()
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    page.get_by_text("Undone: Put on hold.").wait_for()
    assert facts_of(item)["state"] == "active"


def test_a_walk_with_the_keyboard_alone(open_as, people, item):
    page = open_as(people[0], item)
    page.keyboard.press("p")
    page.locator(".item-choices button").first.wait_for()
    page.keyboard.press("Enter")
    page.get_by_text("Done: Set priority.").wait_for()
    expect(page.locator("#item-priority")).to_contain_text("Highest", timeout=20_000)
    page.get_by_role("button", name="Hold").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#item-state")).to_have_text("On hold", timeout=20_000)
    page.get_by_label("Write a note").focus()
    page.keyboard.type("Waits for a form.")
    page.keyboard.press("Control+Enter")
    page.get_by_text("Done: Add a note.").wait_for()
    assert last_event(item).details["text"] == "Waits for a form."
    page.locator("#act-transfer").focus()
    page.keyboard.press("t")
    page.locator("dialog[open]").wait_for()
    page.keyboard.type("Sales")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.get_by_text("Moved to Sales.").wait_for()
    expect(page.locator("#item-queue")).to_contain_text("Sales", timeout=20_000)
    assert page.problems == []


def test_a_refusal_stands_beside_what_was_typed(open_as, people, item):
    page = open_as(people[0], item)
    page.get_by_text("Send tones…").click()
    page.get_by_label("Keys").fill("xyz")
    page.get_by_role("button", name="Send tones").click()
    page.get_by_role("alert").get_by_text("Tones are 1 to 32").wait_for()
    expect(page.get_by_label("Keys")).to_have_value("xyz")
