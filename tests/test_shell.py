"""What stands around the pages of the desk: places, the search field, one's own settings, and the first steps."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from tests.builders import make_queue, make_user, make_workitem
from tests.doors import browser
from workitems.api.tokens import make_personal
from workitems.choices import Scope
from workitems.groups import grant
from workitems.models import DeskSettings

SETTINGS = "/supervisor/settings/"


def page(user: User, address: str = SETTINGS) -> str:
    return browser(user).get(address).content.decode()


def chosen_by(user: User) -> dict[str, object]:
    rows = DeskSettings.objects.filter(user=user).values("refresh_seconds", "has_single_keys", "density", "theme")
    return rows.first() or {}


# Places


def test_the_place_where_one_is_is_marked(sue):
    assert page(sue, "/supervisor/").count('aria-current="page"') == 1


def test_a_page_that_is_no_place_marks_none(sue):
    assert "aria-current" not in page(sue)


def test_who_is_not_signed_in_gets_no_shell(client, db):
    answer = client.get("/login/").content.decode()
    assert 'id="desk-search"' not in answer
    assert "desk.js" not in answer


# The hint of the demo


@pytest.mark.parametrize(("name", "shown"), [("Demo", 1), ("Staging", 0), ("", 0)])
def test_what_to_try_first_is_told_in_the_demo_only(name, shown, sue, queue, settings):
    settings.ENVIRONMENT_NAME = name
    assert page(sue, "/supervisor/").count('data-hint="demo"') == shown


def test_who_is_led_through_the_first_steps_is_told_nothing_else(amy, settings):
    settings.ENVIRONMENT_NAME = "Demo"
    assert 'data-hint="demo"' not in page(amy, "/supervisor/")


# The search field


def find(user: User, typed: str) -> str:
    return browser(user).get("/supervisor/find/", {"q": typed})["Location"]


def test_a_whole_id_leads_to_its_workitem(sue, queue):
    item = make_workitem(queue=queue)
    assert find(sue, f" {item.workitem_id} ") == item.get_absolute_url()


def test_anything_else_leads_to_the_work_list(sue, queue):
    make_workitem(queue=queue)
    assert find(sue, "state:inqueue lost") == "/supervisor/work/?q=state%3Ainqueue+lost"


def test_nothing_typed_leads_to_the_whole_work_list(sue):
    assert find(sue, " ") == "/supervisor/work/"


def test_the_id_of_what_one_may_not_see_leads_nowhere_else_than_an_unknown_one(eve, queue):
    item = make_workitem(queue=queue)
    assert find(eve, item.workitem_id) == f"/supervisor/work/?q={item.workitem_id}"


@pytest.mark.parametrize("typed", ["x" * 70, "é" * 64])
def test_what_can_be_no_id_is_searched_for(typed, sue):
    assert find(sue, typed).startswith("/supervisor/work/?q=")


# Settings


def test_who_has_chosen_nothing_sees_what_holds_for_all(sue):
    assert 'data-refresh="3" data-single-keys="on"' in page(sue)
    assert DeskSettings.objects.count() == 0


def test_what_is_chosen_is_kept_and_holds_on_every_page(sue):
    values = {"refresh_seconds": "30", "single_keys": "off", "density": "compact", "theme": "dark"}
    assert browser(sue).post(SETTINGS, values)["Location"] == SETTINGS
    assert chosen_by(sue) == {"refresh_seconds": 30, "has_single_keys": False, "density": "compact", "theme": "dark"}
    shown = page(User.objects.get(pk=sue.pk), "/supervisor/")
    assert 'data-theme="dark" data-density="compact"' in shown
    assert 'data-refresh="30" data-single-keys="off"' in shown


def test_a_script_that_changes_one_thing_leaves_the_others_and_wants_no_page(sue):
    DeskSettings.objects.create(user=sue, has_single_keys=False, theme="dark")
    answer = browser(sue).post(SETTINGS, {"refresh_seconds": "10"}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert chosen_by(sue) == {
        "refresh_seconds": 10,
        "has_single_keys": False,
        "density": "comfortable",
        "theme": "dark",
    }


@pytest.mark.parametrize(
    "wrong",
    [{"refresh_seconds": "1"}, {"refresh_seconds": "x"}, {"theme": "pink"}, {"density": ""}, {"single_keys": "?"}],
)
def test_what_cannot_be_chosen_changes_nothing(wrong, sue):
    DeskSettings.objects.create(user=sue, refresh_seconds=30)
    before = chosen_by(sue)
    assert browser(sue).post(SETTINGS, {"density": "compact", **wrong}).status_code == 400
    assert chosen_by(sue) == before


def test_everybody_chooses_for_himself(sue, eve):
    browser(sue).post(SETTINGS, {"refresh_seconds": "60"})
    assert chosen_by(eve) == {}


def test_settings_cost_few_queries(sue, django_assert_max_num_queries):
    client = browser(sue)
    client.get(SETTINGS)  # which begins the session
    with django_assert_max_num_queries(3):
        client.get(SETTINGS)


# First steps


def first_steps(user: User) -> str:
    return page(user, "/supervisor/")


def test_a_new_installation_is_led_to_its_first_queue(amy):
    shown = first_steps(amy)
    assert "Four steps to the first workitem" in shown
    assert shown.count("step is-next") == 1
    assert "step is-done" not in shown
    assert "/admin/queues/queue/add/" in shown


def test_what_is_done_is_marked_and_the_next_comes(amy, queue):
    shown = first_steps(amy)
    assert shown.count("step is-done") == 2
    assert 'card step is-next" id="step-program"' in shown


def test_a_program_is_let_in_by_a_token_too(amy, queue):
    make_personal(amy, name="try", scopes=[Scope.WRITE], days=1, now=timezone.now())
    assert 'card step is-next" id="step-workitem"' in first_steps(amy)


def test_the_command_makes_what_the_first_queue_takes(amy, queue):
    shown = first_steps(amy)
    assert "curl http://testserver/api/v1/workitems" in shown
    assert "&quot;selectedQueue&quot;: &quot;q_support&quot;" in shown


def test_the_steps_go_with_the_first_workitem(amy, queue):
    make_workitem(queue=queue)
    assert "Four steps" not in first_steps(amy)


def test_who_can_do_nothing_about_it_is_shown_no_steps(sue):
    assert "Four steps" not in first_steps(sue)


def test_an_admin_of_one_queue_is_shown_no_steps(db):
    holder = make_user("holder")
    grant(holder, Scope.ADMIN, make_queue("q_own"))
    assert "Four steps" not in first_steps(holder)
