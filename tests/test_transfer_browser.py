"""Transfers at the desk in Chromium: by the keyboard, two people at once, three thousand with one refused, and axe."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browsers import IN_A_BROWSER
from tests.builders import facts_of, make_presence, make_queue, make_user, make_workitem
from tests.crowds import make_crowd
from tests.visits import enter, objections, sticks_out
from workitems import runs, services, transfers
from workitems.actors import Actor
from workitems.choices import Door, Scope, State
from workitems.commands import AddNote
from workitems.groups import grant, grant_transfer_in
from workitems.models import Transfer, Workitem

pytestmark = IN_A_BROWSER
ASK = reverse("transfer")


def make_supervisor(name: str) -> User:
    user = make_user(name, is_staff=True)
    grant(user, Scope.WRITE)
    return user


@pytest.fixture
def sue() -> User:
    return make_supervisor("sue")


@pytest.fixture
def support():
    ann = make_user("ann", first_name="Ann", last_name="Brook")
    make_presence(ann)
    return make_queue("q_support", name="Support", members=[ann])


@pytest.fixture
def sales():
    return make_queue("q_sales", name="Sales")


@pytest.fixture
def page(chromium: Browser, live_server, sue) -> Iterator[Page]:
    page = enter(chromium, live_server.url, sue, timezone_id="Asia/Tokyo")
    yield page
    assert page.problems == []  # type: ignore[attr-defined]
    page.context.close()


def field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="To which queue or agent")


def open_dialog(page: Page, item: Workitem) -> None:
    """Open the dialog over the list of runs, as a button on any page does."""
    page.goto(reverse("desk-runs"))
    page.wait_for_load_state("load")
    page.evaluate("url => { desk.openDialog(url) }", f"{ASK}?workitem={item.workitem_id}&next=/supervisor/runs/")
    expect(field(page)).to_be_focused()


def ask_for_all(page: Page) -> None:
    """Choose all that wait in Support, as the work list does."""
    page.goto(reverse("desk-runs"))
    page.wait_for_load_state("load")
    page.evaluate(
        """([address, seen]) => {
            const form = Object.assign(document.createElement("form"), { method: "post", action: address });
            const typed = { query: "queue=q_support", all: "1", seen_at: seen, csrfmiddlewaretoken: desk.csrf() };
            for (const [name, value] of Object.entries(typed)) {
                form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
            }
            document.body.append(form);
            form.submit();
        }""",
        [ASK, timezone.now().isoformat()],
    )
    field(page).wait_for()


def choose(page: Page, name: str) -> None:
    field(page).press_sequentially(name)
    page.keyboard.press("Enter")


def work_off(transfer: Transfer, seconds: float = 60) -> None:
    runs.work_off(transfers.TRANSFERS, transfer.pk, clock=timezone.now, seconds=seconds)


# One


def test_it_moves_by_the_keyboard_alone_and_comes_back(page, support, sales):
    item = make_workitem(queue=support)
    open_dialog(page, item)
    page.keyboard.type("s")  # Sales: of what begins so, what is not refused comes first
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Moved to Sales.")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert facts_of(item)["queue_id"] == sales.pk
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Moved back to Support.")).to_be_visible()
    assert facts_of(item)["queue_id"] == support.pk


def test_arrows_walk_over_what_is_refused(page, support, sales):
    open_dialog(page, make_workitem(queue=support))
    options = page.get_by_role("listbox").get_by_role("option")
    expect(options).to_have_count(3)
    expect(options.filter(has_text="It belongs to Support already.")).to_have_attribute("aria-disabled", "true")
    pointed = [field(page).get_attribute("aria-activedescendant")]
    for _ in range(2):
        page.keyboard.press("ArrowDown")
        pointed.append(field(page).get_attribute("aria-activedescendant"))
    assert pointed[0] == pointed[2] != pointed[1]
    page.keyboard.type("nobody here")
    expect(page.get_by_text("No queue or agent has this name.")).to_be_visible()


def test_without_a_choice_nothing_is_sent(page, support, sales):
    item = make_workitem(queue=support)
    before = facts_of(item)
    open_dialog(page, item)
    page.get_by_role("dialog").get_by_role("button", name="Transfer").click()
    expect(field(page)).to_be_focused()
    expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("Choose a queue or an agent.")
    assert facts_of(item) == before


def test_a_reason_is_ready_at_hand(page, support, sales):
    item = make_workitem(queue=support)
    open_dialog(page, item)
    choose(page, "ann")
    page.get_by_role("button", name="Needs a specialist").click()
    expect(page.get_by_label("Reason")).to_have_value("Needs a specialist")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Moved to Ann Brook.")).to_be_visible()
    assert [one.details.get("text") for one in item.time_events.order_by("version")][1] == "Needs a specialist"


def test_of_two_who_move_the_same_the_second_is_told(page, chromium, live_server, support, sales):
    item = make_workitem(queue=support)
    other = enter(chromium, live_server.url, make_supervisor("sam"))
    for one in (page, other):
        open_dialog(one, item)
        choose(one, "sales" if one is page else "ann")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Moved to Sales.")).to_be_visible()
    other.keyboard.press("Enter")
    expect(other.get_by_role("dialog").get_by_role("alert")).to_contain_text("It has changed meanwhile")
    assert facts_of(item)["queue_id"] == sales.pk
    other.keyboard.press("Enter")  # he means it
    expect(other.get_by_text("Moved to Ann Brook.")).to_be_visible()
    other.context.close()


def test_who_sees_it_no_more_is_led_back_with_the_undo(chromium, live_server, support, sales):
    ira, item = make_user("ira"), make_workitem(queue=support)
    grant(ira, Scope.WRITE, support)
    grant_transfer_in(ira, sales)
    page = enter(chromium, live_server.url, ira)
    here = reverse("workitem", args=[item.workitem_id]) + "?next=/supervisor/runs/"
    page.goto(reverse("desk-runs"))
    page.wait_for_load_state("load")
    page.goto(f"{ASK}?workitem={item.workitem_id}")
    expect(page.get_by_role("listbox").get_by_text("You will not see it there.")).to_be_visible()
    page.goto(reverse("desk-settings"))
    page.wait_for_load_state("load")
    page.evaluate(
        "url => { desk.openDialog(url) }", f"{ASK}?workitem={item.workitem_id}&next={here.replace('?', '%3F')}"
    )
    choose(page, "sales")
    page.keyboard.press("Enter")
    page.wait_for_url("**/supervisor/runs/")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Moved back to Support.")).to_be_visible()
    assert facts_of(item)["queue_id"] == support.pk
    page.context.close()


def test_without_script_it_is_a_page_with_a_plain_choice(chromium, live_server, sue, support, sales):
    page, item = enter(chromium, live_server.url, sue, java_script_enabled=False), make_workitem(queue=support)
    page.goto(f"{ASK}?workitem={item.workitem_id}")
    page.get_by_label("To which queue or agent").fill("sal")
    page.get_by_role("button", name="Search").last.click()
    page.get_by_role("radio", name="Sales").check()
    page.get_by_role("main").get_by_role("button", name="Transfer").click()
    expect(page.get_by_text("Moved to Sales.")).to_be_visible()
    page.get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Move it back").click()
    assert facts_of(item)["queue_id"] == support.pk
    page.context.close()


# Many


def test_three_thousand_move_with_one_refused_and_come_back_but_for_what_was_touched(page, sue, support, sales):
    make_crowd(2_999, support)
    ended = make_workitem(State.TERMINATED, queue=support)
    ask_for_all(page)
    page.get_by_role("heading", name="Transfer 3,000 workitems").wait_for()
    choose(page, "sales")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="2,999 of 3,000 will move to Sales").wait_for()
    expect(page.get_by_text("Not possible while it is “In wrap-up”.")).to_be_visible()
    page.keyboard.press("Enter")
    page.get_by_text("0 of 3,000 moved").wait_for()
    transfer = Transfer.objects.get()
    work_off(transfer, seconds=0)  # one chunk
    page.get_by_text("500 of 3,000 (16 %)").wait_for()  # the page keeps itself up to date
    page.get_by_role("button", name="Pause").last.click()
    page.get_by_text("Paused.").wait_for()
    work_off(transfer)
    assert Workitem.objects.filter(queue=sales).count() == 500
    page.get_by_role("button", name="Resume").last.click()
    page.get_by_text("It goes on.").wait_for()
    work_off(transfer)
    page.get_by_text("2,999 of 3,000 moved, 1 refused").wait_for()
    page.get_by_role("link", name="Refused 1").click()
    expect(page.get_by_role("row", name=ended.workitem_id)).to_be_visible()
    touched = Workitem.objects.filter(queue=sales).first()
    services.execute(AddNote("Mine."), touched.workitem_id, actor=Actor.of(sue, Door.PAGE), now=timezone.now())
    page.get_by_role("link", name="Undo…").click()
    page.get_by_text("2,998 of 2,999 can go back").wait_for()
    page.get_by_role("button", name="Send 2,998 back").click()
    page.get_by_text("2,998 items go back.").wait_for()
    work_off(Transfer.objects.exclude(pk=transfer.pk).get())
    page.get_by_text("2,998 of 2,998 moved").wait_for()
    assert Workitem.objects.filter(queue=sales).get() == touched


def test_a_run_is_stopped_after_a_question(page, support, sales):
    make_crowd(600, support)
    ask_for_all(page)
    choose(page, "sales")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Transfer 600 workitems").click()
    page.get_by_text("0 of 600 moved").wait_for()
    transfer = Transfer.objects.get()
    work_off(transfer, seconds=0)
    page.get_by_role("link", name="Stop…").click()
    page.get_by_role("button", name="Cancel the transfer").click()
    page.get_by_text("Cancelled.").wait_for()
    work_off(transfer)
    assert Workitem.objects.filter(queue=sales).count() == 500


def test_what_comes_to_the_selection_meanwhile_shows_the_preview_again(page, support, sales):
    make_crowd(3, support)
    ask_for_all(page)
    choose(page, "sales")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="3 of 3 will move to Sales").wait_for()
    make_crowd(1, support)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="4 of 4 will move to Sales").wait_for()
    expect(page.get_by_role("main").get_by_role("alert")).to_contain_text("4 workitems match now, not 3")
    assert not Transfer.objects.exists()


def test_a_time_is_meant_on_ones_own_clock(page, support, sales):
    make_crowd(2, support)
    ask_for_all(page)
    expect(page.get_by_label("Date and time")).to_be_hidden()
    choose(page, "sales")
    page.get_by_label("At a time").check()
    expect(page.get_by_text("In the time zone Asia/Tokyo")).to_be_visible()
    day = f"{timezone.now() + timedelta(days=30):%Y-%m-%d}"
    page.get_by_label("Date and time").fill(f"{day}T10:00")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Plan the transfer of 2 workitems").click()
    page.get_by_text("Planned").first.wait_for()
    assert Transfer.objects.get().start_at.isoformat() == f"{day}T01:00:00+00:00"


# For everybody


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_and_nothing_sticks_out(width, page, support, sales):
    page.set_viewport_size({"width": width, "height": 900})
    make_queue("q_night", name="Night", is_open=False)
    agent = User.objects.get(username="ann")
    make_workitem(State.ACTIVE, queue=support, agent=agent)
    item = make_workitem(queue=support, name="A subject that is longer than anybody would care to read in one go " * 2)
    make_workitem(State.TERMINATED, queue=support)
    looked_at = {}

    def look(name: str) -> None:
        looked_at[name] = [*objections(page), *(["it sticks out"] if sticks_out(page) else [])]

    open_dialog(page, item)
    look("dialog")
    choose(page, "sales")
    look("dialog with a choice")
    ask_for_all(page)
    page.get_by_role("button", name="Preview").click()
    choose(page, "sales")
    look("bulk")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="will move to Sales").wait_for()
    look("preview")
    page.keyboard.press("Enter")
    page.get_by_text("2 of 3 moved").wait_for()
    look("receipt")
    page.get_by_role("link", name="Undo…").click()
    page.get_by_role("dialog").wait_for()
    look("undo")
    page.goto(reverse("desk-runs"))
    look("runs")
    make_workitem(State.ACTIVE, queue=support, agent=agent)
    page.goto(reverse("handover", args=["ann"]))
    look("handover")
    page.get_by_role("button", name="Hand over").click()
    page.get_by_role("heading", name="Handover sheet").wait_for()
    look("sheet")
    assert {name: found for name, found in looked_at.items() if found} == {}
