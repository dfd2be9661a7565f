"""Queues, agents, groups and scopes of the back office in a real browser: by keyboard, narrow, dark, and for axe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import Browser, Page, expect

from queues.models import QueueUserObjectPermission
from tests.browsers import IN_A_BROWSER
from tests.builders import make_presence, make_queue, make_user, make_workitem
from tests.visits import enter, objections, sticks_out
from workitems.choices import Scope, State
from workitems.groups import grant
from workitems.models import Presence

pytestmark = IN_A_BROWSER


@pytest.fixture
def support():
    queue = make_queue("q_support", name="Support", members=[make_user("ann", first_name="Ann", last_name="Brook")])
    make_workitem(State.ACTIVE, queue=queue, agent=queue.members.get())
    return queue


@pytest.fixture
def quinn(support):
    user = make_user("quinn", is_staff=True)
    grant(user, Scope.ADMIN)
    return user


@pytest.fixture
def page(chromium: Browser, live_server, quinn) -> Iterator[Page]:
    page = enter(chromium, live_server.url, quinn)
    yield page
    page.context.close()


def test_a_scope_is_granted_and_taken_back_with_the_keyboard(page, support):
    dora = make_user("dora", first_name="Dora", last_name="Exter")
    page.goto(f"/admin/queues/queue/{support.pk}/change/")
    page.get_by_role("link", name="Who may do what").press("Enter")
    page.get_by_label("Find a person or a group").fill("dor")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Dora Exter").press("Enter")
    page.get_by_role("checkbox", name="See the queue's workitems").press("Space")
    page.get_by_role("button", name="Save").press("Enter")
    page.get_by_text("Dora Exter was granted workitems:read.").wait_for()
    assert QueueUserObjectPermission.objects.get().user == dora
    page.get_by_role("link", name="Change Dora Exter").press("Enter")
    page.get_by_role("checkbox", name="See the queue's workitems").press("Space")
    page.get_by_role("button", name="Save").press("Enter")
    page.get_by_text("Dora Exter has workitems:read no more from here.").wait_for()
    assert not QueueUserObjectPermission.objects.exists()
    assert page.problems == []


def test_a_member_is_found_by_name_and_added_with_the_keyboard(page, support):
    make_user("dora", first_name="Dora", last_name="Exter")
    page.goto(f"/admin/queues/queue/{support.pk}/change/")
    page.get_by_role("combobox", name="Members").focus()
    page.keyboard.type("exter")
    expect(page.get_by_role("option", name="Dora Exter")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("checkbox", name="Dora Exter")).to_be_checked()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/admin/queues/queue/")
    assert sorted(support.members.values_list("username", flat=True)) == ["ann", "dora"]
    assert page.problems == []


def test_a_search_that_finds_nobody_says_so_and_escape_closes_it(page, support):
    page.goto(f"/admin/queues/queue/{support.pk}/change/")
    page.get_by_role("combobox", name="Members").fill("zzzz")
    expect(page.get_by_text("Nobody is called so.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Nobody is called so.")).to_be_hidden()


def test_opening_hours_are_added_and_a_queue_with_work_is_not_retired(page, support):
    page.goto(f"/admin/queues/queue/{support.pk}/change/")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_role("link", name="Add another Opening hours").click()
    page.locator("#id_hours-0-weekday").select_option("2")
    page.locator("#id_hours-0-opens_at").fill("08:30")
    page.locator("#id_hours-0-closes_at").fill("17:00")
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_text("(Europe/Berlin)").wait_for()
    assert [str(one) for one in support.hours.all()] == ["Wednesday 08:30–17:00"]
    page.get_by_role("link", name="Retire").click()
    page.get_by_text("One workitem is still in it.").wait_for()
    assert page.get_by_role("button", name="Retire").count() == 0
    assert page.problems == []


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_on_our_parts_of_the_pages(width, page, support):
    team = Group.objects.create(name="Night team")
    empty = make_queue("q_empty", name="Empty")
    ann = support.members.get()
    presence = make_presence(ann, Presence.Status.NO_ANSWER)
    grant(ann, Scope.WRITE, support)
    page.set_viewport_size({"width": width, "height": 900})
    for address, part in (
        (f"queues/queue/{support.pk}/scopes/", ".wi-page"),
        (f"queues/queue/{support.pk}/scopes/?find=a", ".wi-page"),
        (f"queues/queue/{support.pk}/scopes/?who=user:{ann.pk}", ".wi-page"),
        (f"queues/queue/{support.pk}/scopes/?who=group:{team.pk}", ".wi-page"),
        (f"queues/queue/{support.pk}/retire/", ".wi-page"),
        (f"queues/queue/{empty.pk}/retire/", ".wi-page"),
        (f"queues/queue/{support.pk}/change/", ".wi-page"),
        (f"queues/queue/{support.pk}/change/", ".wi-people"),
        (f"workitems/presence/{presence.pk}/change/", ".wi-page"),
        (f"auth/group/{team.pk}/change/", ".wi-people"),
        ("queues/queue/", "#result_list"),
        ("workitems/presence/", "#result_list"),
        ("workitems/disposition/", "#content, #content-main"),
    ):
        page.goto(f"/admin/{address}")
        assert (address, objections(page, part), sticks_out(page)) == (address, [], False)
    assert page.problems == []
