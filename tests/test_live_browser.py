"""A living page in a real browser: it follows the server, and takes nothing out of the reader's hands."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page

from tests.browsers import IN_A_BROWSER
from tests.builders import make_queue, make_user, make_workitem
from tests.halls import Hall, wait_for
from tests.visits import enter, objections, sticks_out
from workitems.choices import Scope
from workitems.groups import grant
from workitems.models import DeskSettings

pytestmark = IN_A_BROWSER

Desk = Callable[[str], Page]


@pytest.fixture
def supervisor() -> User:
    user = make_user("sue", is_staff=True)
    grant(user, Scope.ADMIN)
    return user


@pytest.fixture
def desk(chromium: Browser, supervisor) -> Iterator[Desk]:
    """The supervisor's browser, at the server of this address."""
    opened: list[Page] = []

    def at(url: str) -> Page:
        opened.append(enter(chromium, url, supervisor))
        return opened[-1]

    yield at
    for page in opened:
        page.context.close()


@pytest.fixture
def page(desk, live_server) -> Page:
    return desk(live_server.url)


class Web:
    """A web server of its own process, which can be stopped and started again where it was."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        words = ("--interface", "wsgi", "--port", str(self.port), "--blocking-threads", "2", "config.wsgi:application")
        self.process = self.hall.start("web.log", "-m", "granian", *words)
        wait_for(self.answers)

    def stop(self) -> None:
        self.hall.kill(self.process)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/login/", timeout=60) as answer:  # noqa: S310  our own address
                return answer.status == 200
        except OSError:
            return False


@pytest.fixture
def web(tmp_path, settings) -> Iterator[Web]:
    hall = Hall(tmp_path, "memory://")
    hall.env["SECRET_KEY"] = settings.SECRET_KEY  # or it would know no session of ours
    web = Web(hall)
    web.start()
    yield web
    hall.close()


@pytest.fixture
def board(page: Page) -> Page:
    queue = make_queue("q_support", name="Support")
    make_workitem(queue=queue)
    page.goto("/supervisor/")
    page.locator("#live").get_by_text("Support").wait_for()
    return page


def change() -> None:
    make_queue("q_sales", name="Sales")


def test_the_page_follows_the_server(board):
    change()
    board.locator("#live").get_by_text("Sales").wait_for()
    assert board.problems == []


def test_what_is_typed_and_where_the_caret_is_stays(board):
    board.evaluate("""() => {
        const field = document.createElement("input");
        field.dataset.keep = "";
        field.id = "typed";
        document.getElementById("live").prepend(field);
    }""")
    board.locator("#typed").type("half a sen")
    change()
    board.locator("#live").get_by_text("Sales").wait_for()
    assert board.locator("#typed").input_value() == "half a sen"
    assert board.evaluate("document.activeElement.id") == "typed"


def test_rows_stay_in_their_order_while_some_are_selected_until_one_asks_for_it(board):
    board.evaluate("document.body.dataset.holdOrder = ''")
    change()
    pill = board.get_by_role("button", name="1 update – show")
    pill.wait_for()
    assert board.locator("#live").get_by_text("Sales").count() == 0
    pill.click()
    board.locator("#live").get_by_text("Sales").wait_for()


def test_a_pause_holds_until_it_is_over(board):
    board.get_by_role("button", name="Pause updates").click()
    board.get_by_text("Paused at").wait_for()
    change()
    board.wait_for_timeout(4500)
    assert board.locator("#live").get_by_text("Sales").count() == 0
    board.get_by_role("button", name="Pause updates").click()
    board.locator("#live").get_by_text("Sales").wait_for()


def test_the_interval_is_kept_for_the_person(board, supervisor):
    with board.expect_response("**/supervisor/settings/"):
        board.get_by_label("Update every").select_option("30")
    assert DeskSettings.objects.get(user=supervisor).refresh_seconds == 30


def test_a_lost_server_is_told_loudly_and_forgotten_when_it_is_back(board):
    board.route("**/supervisor/", lambda route: route.abort())
    board.get_by_text("Connection lost.").wait_for()
    board.unroute("**/supervisor/")
    change()
    board.get_by_role("button", name="Try now").click()
    board.locator("#live").get_by_text("Sales").wait_for()
    assert board.get_by_text("Connection lost.").count() == 0


def test_a_server_that_is_stopped_and_started_again_is_followed_again(web, desk):
    page = desk(web.url)
    make_queue("q_support", name="Support")
    page.goto("/supervisor/")
    page.locator("#live").get_by_text("Support").first.wait_for()
    page.locator("#desk-search").fill("half a sen")
    web.stop()
    page.get_by_text("Connection lost.").wait_for()
    change()
    web.start()
    page.locator("#live").get_by_text("Sales").first.wait_for(timeout=60_000)  # its patience has grown meanwhile
    page.get_by_text("Connected again.").wait_for()
    assert page.get_by_text("Connection lost.").count() == 0
    assert page.locator("#desk-search").input_value() == "half a sen"
    assert [one for one in page.problems if "ERR_CONNECTION_REFUSED" not in one] == []


def test_nothing_is_sent_while_the_server_is_away_and_what_is_typed_stays(board):
    board.route("**/supervisor/", lambda route: route.abort())
    board.get_by_text("Connection lost.").wait_for()
    board.evaluate("""() => {
        const form = document.createElement("form");
        form.method = "post";
        form.innerHTML = '<textarea name="text">Call back</textarea><button>Keep</button>';
        document.getElementById("content").append(form);
    }""")
    board.get_by_role("button", name="Keep").click()
    board.get_by_text("Not sent: there is no connection.").wait_for()
    assert board.locator("#content textarea").input_value() == "Call back"


def test_a_hidden_tab_asks_for_nothing_and_asks_at_once_when_it_is_looked_at(board):
    hide = """(hidden) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    board.evaluate(hide, True)
    asked: list[str] = []
    board.on("request", lambda request: asked.append(request.url))
    change()
    board.wait_for_timeout(3500)
    assert asked == []
    board.evaluate(hide, False)
    board.locator("#live").get_by_text("Sales").first.wait_for()


def test_who_is_signed_out_is_led_back_here(board):
    board.context.clear_cookies()
    board.get_by_text("You are signed out.").wait_for(timeout=20_000)
    link = board.get_by_role("link", name="Sign in").get_attribute("href") or ""
    assert link.endswith("/login/?next=%2Fsupervisor%2F")


def test_the_hint_of_the_demo_stays_away_where_it_has_been_put_away(board, settings):
    settings.ENVIRONMENT_NAME = "Demo"
    board.reload()
    board.get_by_role("button", name="Put this away").click()
    assert board.locator("[data-hint]").count() == 0
    board.reload()
    board.locator("#live").get_by_text("Support").first.wait_for()
    assert board.locator("[data-hint]:visible").count() == 0


def test_nothing_flashes_where_motion_is_not_wanted(board):
    board.emulate_media(reduced_motion="reduce")
    change()
    board.locator("#live").get_by_text("Sales").wait_for()
    assert board.locator(".has-changed").count() == 0


@pytest.mark.parametrize("width", [360, 640, 1280])  # 640 is 1280 at 200 %
def test_axe_finds_nothing_and_nothing_scrolls_sideways(width, page):
    make_queue("q_support", name="Support")
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("/supervisor/settings/", "/supervisor/"):  # there with the first steps
        page.goto(path)
        assert objections(page) == []
        assert not sticks_out(page)
