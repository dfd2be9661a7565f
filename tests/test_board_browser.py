"""The board in a real browser: it lives without a reload, takes nothing out of one's hands, and axe is content."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from tests.browsers import IN_A_BROWSER
from tests.builders import make_presence, make_queue, make_user, make_workitem
from tests.visits import enter, objections, sticks_out
from workitems.choices import Scope, State, Type
from workitems.groups import grant
from workitems.models import PolicyRun, Presence, StalePolicy

pytestmark = IN_A_BROWSER

BOARD, WALL = "/supervisor/", "/supervisor/wallboard/"
PAGES = [BOARD, f"{BOARD}?open=q_support", WALL]


@pytest.fixture
def supervisor() -> User:
    user = make_user("sue", is_staff=True)
    grant(user, Scope.ADMIN)
    return user


@pytest.fixture
def support(supervisor):
    ann = make_user("ann", first_name="Ann", last_name="Brook")
    make_presence(ann, Presence.Status.OFFLINE)
    queue = make_queue("q_support", name="Support", members=[ann])
    make_queue("q_sales", name="Sales", is_open=False)
    waits(queue, 600)
    waits(queue, 25, type=Type.CHAT)
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    policy = StalePolicy.objects.create(policy_id="p_x", name="Lost calls", state="inqueue", after_seconds=60)
    now = timezone.now()
    times = {"created_at": now, "start_at": now, "moved_at": now, "started_at": now}
    PolicyRun.objects.create(
        policy=policy, policy_version=1, terms={"cap": 500}, is_capped=True, total=9, done=3, state="running", **times
    )
    return queue


def waits(queue, seconds: float, **facts):
    now = timezone.now()
    since = now - timedelta(seconds=seconds)
    times = {"entered_at": since, "queued_at": since, "created_at": since, "modified_at": now}
    return make_workitem(queue=queue, **(times | facts))


@pytest.fixture
def page(chromium: Browser, live_server, supervisor, support) -> Iterator[Page]:
    page = enter(chromium, live_server.url, supervisor, width=1440)
    yield page
    assert page.problems == []  # type: ignore[attr-defined]
    page.context.close()


def waiting(page: Page, queue_id: str = "q_support"):
    return page.locator(f"tbody[data-row={queue_id}] tr").first.locator("td.col-waiting .figure")


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(path, width, page):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(path)
    if path != WALL:
        page.locator("#definitions").evaluate("element => { element.open = true; }")
        page.locator(".board-absent details").evaluate("element => { element.open = true; }")
    assert objections(page) == []
    assert not sticks_out(page)


def test_figures_change_without_a_reload(page, support):
    page.goto(BOARD)
    page.evaluate("window.isTheSame = true")
    expect(waiting(page)).to_have_text("2")
    waits(support, 5)
    expect(waiting(page)).to_have_text("3", timeout=10_000)
    assert page.evaluate("window.isTheSame")


def test_the_age_of_a_wait_ticks_by_itself(page):
    page.goto(BOARD)
    age = page.locator("tbody[data-row=q_support] td.col-wait time").first
    before = age.text_content()
    expect(age).not_to_have_text(before, timeout=5_000)


def test_an_opened_queue_stays_open_and_keeps_the_focus(page, support):
    page.goto(BOARD)
    toggle = page.locator("#toggle-q_support")
    toggle.focus()
    page.keyboard.press("Enter")
    channel = page.locator("tr.board-channel", has_text="Chat")
    expect(channel).to_be_visible()
    expect(toggle).to_have_attribute("aria-expanded", "true")
    expect(toggle).to_be_focused()
    assert "open=q_support" in page.url
    waits(support, 5, type=Type.CHAT)
    expect(channel.locator("td.col-waiting .figure")).to_have_text("2", timeout=10_000)
    expect(toggle).to_be_focused()
    page.keyboard.press("Enter")
    expect(channel).to_have_count(0)


def test_a_queue_opens_under_the_pointer_too(page):
    page.goto(BOARD)
    page.locator("#toggle-q_support").click()
    expect(page.locator("tr.board-channel")).to_have_count(5)


def test_a_click_on_a_head_sorts_without_a_reload(page):
    page.goto(BOARD)
    page.evaluate("window.isTheSame = true")
    page.locator("#sort-name").click()
    expect(page.locator("tbody[data-row]").first).to_have_attribute("data-row", "q_sales")
    page.locator("#sort-name").click()
    expect(page.locator("tbody[data-row]").first).to_have_attribute("data-row", "q_support")
    page.get_by_role("link", name="Worst first").click()
    expect(page.get_by_role("link", name="Worst first")).to_have_count(0)
    assert page.evaluate("window.isTheSame")
    page.reload()
    expect(page.locator("tbody[data-row]").first).to_have_attribute("data-row", "q_support")


def test_rows_do_not_move_under_the_pointer(page, support):
    page.goto(BOARD)
    order = page.locator("tbody[data-row]")
    expect(order.first).to_have_attribute("data-row", "q_support")
    page.locator("tbody[data-row=q_support] td.col-hold").first.hover()
    sales = make_queue("q_new", name="New")
    for _ in range(4):
        waits(sales, 600)
    page.locator("#live-pill").wait_for(timeout=10_000)
    expect(order.first).to_have_attribute("data-row", "q_support")
    assert page.evaluate("document.querySelector('table.board > :nth-child(2)').tagName") == "THEAD"
    page.mouse.move(5, 5)
    expect(order.first).to_have_attribute("data-row", "q_new", timeout=10_000)


def test_the_question_before_a_return_stays_open_while_the_board_lives(page, support):
    page.goto(BOARD)
    page.locator(".board-absent summary").click()
    waits(support, 5)
    expect(waiting(page)).to_have_text("3", timeout=10_000)
    expect(page.get_by_text("This cannot be undone.")).to_be_visible()
    page.get_by_role("button", name="Return 1 workitem").click()
    expect(page.get_by_text("1 workitem is back in its queue, at its old place.")).to_be_visible()


def test_a_figure_says_what_it_means_to_whoever_comes_with_the_keyboard(page):
    page.goto(BOARD)
    waiting(page).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    said = waiting(page).evaluate("element => getComputedStyle(element, '::after').content")
    assert "What is in the queue now and with nobody." in said


def test_the_wallboard_lives_and_is_left_with_escape(page, support):
    page.goto(WALL)
    cell = page.locator("tr[data-row=q_support] td.col-waiting .figure")
    expect(cell).to_have_text("2")
    bar = page.locator(".wall-bar")
    page.mouse.move(700, 600)
    expect(bar).to_have_css("opacity", "0")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(bar).to_have_css("opacity", "1")
    waits(support, 5)
    expect(cell).to_have_text("3", timeout=10_000)
    page.keyboard.press("Escape")
    page.wait_for_url(f"**{BOARD}")


@pytest.mark.parametrize("width", [1920, 2560])
def test_the_wallboard_is_large_and_fits(width, page):
    page.set_viewport_size({"width": width, "height": width * 9 // 16})
    page.goto(WALL)
    sizes = page.locator("tr[data-row=q_support] td.col-waiting .figure").evaluate(
        "element => parseFloat(getComputedStyle(element).fontSize)"
    )
    assert sizes >= width / 50
    assert not sticks_out(page)


def test_the_board_reads_without_script(chromium, live_server, supervisor, support):
    page = enter(chromium, live_server.url, supervisor, java_script_enabled=False)
    page.goto(BOARD)
    page.locator("#toggle-q_support").click()
    expect(page.locator("tr.board-channel")).to_have_count(5)
    page.context.close()
