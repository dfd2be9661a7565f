"""Actions on many in a real browser: greyed with their reasons, previewed, undone, and nothing that axe objects to."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests import test_admin_browser as before
from tests.builders import NOON, facts_of, make_disposition, make_user, make_workitem
from tests.visits import objections, sticks_out
from workitems import bulk, runs, selections
from workitems.actors import Actor
from workitems.choices import Action, Door, Scope, State
from workitems.groups import grant
from workitems.models import BulkRun, Workitem

LIST, pytestmark = before.LIST, before.pytestmark
page, sue = before.page, before.sue  # fixtures, found by their names
support, sales, items = before.support, before.sales, before.items


def tick(page: Page, count: int) -> None:
    page.goto(LIST)
    page.wait_for_load_state("load")
    with page.expect_response(lambda answer: "/actions/?ids=" in answer.url and answer.url.count(",") == count - 1):
        for number in range(count):
            page.locator(".action-select").nth(number).check()


def run_action(page: Page, action: str) -> None:
    page.locator("select[name=action]").select_option(action)
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_load_state("load")


def test_what_no_ticked_row_allows_is_greyed_with_its_reason(page, items):
    tick(page, 4)
    menu = page.locator("select[name=action]")
    hold = menu.locator("option[value=hold]")
    expect(hold).to_be_disabled()
    expect(hold).to_have_text("Hold (Not possible while it is “In queue”.)")
    expect(menu.locator("option[value=hang_up]")).to_be_enabled()
    menu.select_option("hang_up")
    expect(page.get_by_text("1 / 4: Not possible while it is “In wrap-up”.")).to_be_visible()
    page.locator("#action-toggle").uncheck()
    expect(hold).to_be_enabled()
    expect(hold).to_have_text("Hold")
    assert page.problems == []


def test_a_priority_is_set_with_one_refusal_and_taken_back_with_the_keyboard(page, items):
    tick(page, 4)
    run_action(page, "set_priority")
    page.get_by_role("heading", name="Set priority: 4 workitems").wait_for()
    page.get_by_label("Priority").select_option("5")
    page.get_by_label("Priority").press("Control+Enter")
    page.get_by_role("heading", name="Set priority: possible for 3 of 4").wait_for()
    page.get_by_role("button", name="Set priority: 3 workitems").press("Enter")
    page.locator(".wi-headline", has_text="3 of 4 done, 1 refused").wait_for()
    assert [facts_of(item)["priority"] for item in items] == [5, 5, 5, 3]
    page.get_by_role("link", name="Undo…").press("Enter")
    page.get_by_text("3 of 3 can go back to how they were.").wait_for()
    page.get_by_role("button", name="Send 3 back").press("Enter")
    page.locator(".wi-headline", has_text="3 of 3 done").wait_for()
    assert {facts_of(item)["priority"] for item in items} == {3}
    assert page.problems == []


def test_what_was_typed_is_there_again_after_a_change(page, items):
    tick(page, 2)
    run_action(page, "add_note")
    page.get_by_label("Note").fill("Call <b>back</b>")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_label("Note")).to_have_value("Call <b>back</b>")


def test_a_hold_is_done_at_once_and_leads_to_its_undo(page, support):
    item = make_workitem(State.ACTIVE, queue=support, agent=make_user("zoe"))
    tick(page, 1)
    run_action(page, "hold")
    page.get_by_text("Hold: 1 workitem done.").wait_for()
    assert facts_of(item)["state"] == "hold"
    page.get_by_role("link", name="Receipt and undo").click()
    page.get_by_role("link", name="Undo…").click()
    page.get_by_role("button", name="Send 1 back").click()
    page.locator(".wi-headline", has_text="1 of 1 done").wait_for()
    assert facts_of(item)["state"] == "active"


def test_a_purge_wants_its_word(page, sue, support):
    grant(sue, Scope.ADMIN)
    make_workitem(State.TERMINATED, queue=support, archived_at=NOON)
    page.goto(f"{LIST}?archived=only")
    page.locator(".action-select").check()
    run_action(page, "purge")
    page.get_by_role("button", name="Purge: 1 workitem").click()
    page.get_by_role("alert").get_by_text("Type “purge”, or leave this page.").wait_for()
    assert Workitem.objects.count() == 1
    page.get_by_label("Type “purge” to go on").fill("purge")
    page.get_by_role("button", name="Purge: 1 workitem").click()
    page.locator(".wi-headline", has_text="1 of 1 done").wait_for()
    assert not Workitem.objects.exists()


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_on_the_pages_of_an_action(width, page, items):
    make_disposition()
    tick(page, 4)
    run_action(page, "set_disposition")
    page.set_viewport_size({"width": width, "height": 900})
    page.get_by_role("button", name="Preview").click()  # with nothing chosen
    page.get_by_role("alert").wait_for()
    assert objections(page, ".wi-page") == []
    page.get_by_label("Disposition").select_option("d_solved")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("heading", name="Disposition: possible for 1 of 4").wait_for()
    assert objections(page, ".wi-page") == []
    page.get_by_role("button", name="Disposition: 1 workitem").click()
    page.locator(".wi-headline", has_text="1 of 4 done, 3 refused").wait_for()
    assert objections(page, ".wi-page") == []
    assert not sticks_out(page)
    assert page.problems == []


def test_a_running_receipt_follows_by_itself(page, sue, items, support):
    selection = selections.Selection(workitem_ids=[item.workitem_id for item in items])
    run = bulk.request(Action.PRIORITY, {"priority": 5}, selection, actor=Actor.of(sue, Door.ADMIN), now=NOON)
    page.goto(run.get_absolute_url())
    page.locator(".wi-headline", has_text="0 of 4 done").wait_for()
    runs.work_off(bulk.BULK_RUNS, run.pk, clock=lambda: NOON, seconds=5)
    page.locator(".wi-headline", has_text="3 of 4 done, 1 refused").wait_for()
    assert BulkRun.objects.get().state == "done"
