"""The home page tells how the centre stands, to each what he may see; the menu leads where one may go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from tests.builders import NOON, make_presence, make_queue, make_user, make_workitem
from tests.doors import browser
from workitems import figures
from workitems.actors import Actor
from workitems.admin import navigation
from workitems.admin.home import round_top, span
from workitems.choices import Door, Scope, State, Type
from workitems.groups import grant
from workitems.models import PolicyRun, Presence, StalePolicy, Transfer

HOME = "/admin/"
BEFORE_NOON = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
YESTERDAY = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
def at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def reader(queue):
    """Staff who may read what is in Support, and nothing else."""
    user = make_user("rita", is_staff=True)
    grant(user, Scope.READ, queue)
    return user


def home(user) -> str:
    return " ".join(browser(user).get(HOME).content.decode().split())


def make_policy(**facts) -> StalePolicy:
    values = {"policy_id": "p_lost", "name": "Lost calls", "state": State.ACTIVE, "after_seconds": 3600}
    return StalePolicy.objects.create(**(values | facts))


def seen_by(user) -> figures.Figures:
    return figures.look(Actor.of(user, Door.ADMIN), now=timezone.now())


# the menu


def test_whatever_is_registered_stands_in_a_group_or_is_hidden_on_purpose():
    placed = {place.target for group in navigation.GROUPS for place in group.places}
    registered = {model._meta.label for model in admin.site._registry}
    assert registered - placed - navigation.HIDDEN == set()
    assert placed & navigation.HIDDEN == set()


def test_each_place_is_named_once_and_is_a_model_or_a_page():
    targets = [place.target for group in navigation.GROUPS for place in group.places]
    assert len(targets) == len(set(targets))
    assert {target for target in targets if "." not in target} == {"admin:index", "board"}
    for target in targets:
        assert "." not in target or apps.get_model(target)


def test_each_list_says_what_to_do_when_nothing_is_in_it():
    lists = [place for group in navigation.GROUPS for place in group.places if "." in place.target]
    assert [place.target for place in lists if not place.nothing_yet] == []


def test_the_menu_shows_what_one_may_open(amy, tom):
    everything, some = home(amy), home(tom)
    for address in ("workitems/stalepolicy/", "workitems/policyrun/", "api/application/", "workitems/workitem/"):
        assert f'href="/admin/{address}"' in everything
    assert 'href="/admin/workitems/workitem/"' in some
    for address in ("workitems/stalepolicy/", "workitems/policyrun/", "api/application/"):
        assert address not in some


def test_a_group_with_nothing_for_somebody_is_left_out(eve):
    page = home(eve)
    assert "nav-group-1" in page
    assert ">Rules<" not in page
    assert ">Queues<" not in page


def test_the_menu_marks_where_one_is(amy):
    page = browser(amy).get("/admin/queues/queue/").content.decode()
    assert '<a class="wi-nav-link" href="/admin/queues/queue/" aria-current="page">' in page
    assert page.count("wi-nav-link") > page.count('aria-current="page"') == 1


@pytest.mark.parametrize(("name", "shown"), [("Demo", True), ("", False)])
def test_the_environment_has_a_badge_where_it_has_a_name(name, shown, settings, amy):
    settings.ENVIRONMENT_NAME = name
    page = browser(amy).get(HOME).content.decode()
    assert ("[Demo]" in page) is shown
    assert ('<strong class="wi-environment">Demo</strong>' in page) is shown


def test_a_page_is_headed_by_its_objects_own_name(amy, queue):
    item = make_workitem(queue=queue, workitem_id="wi_one")
    page = browser(amy).get(f"/admin/workitems/workitem/{item.pk}/change/").content.decode()
    assert ">Workitems</a>" in page
    assert ">wi_one</a>" in page
    assert ">Wi_one<" not in page


# the palette


def found(user, term) -> str:
    return browser(user).get("/admin/search/", {"s": term, "extended": "1"}).content.decode()


def test_the_palette_finds_pages_by_a_few_letters_of_their_names(amy):
    page = found(amy, "queue add")
    assert 'href="/admin/queues/queue/add/"' in page
    assert 'href="/admin/contacts/contact/"' not in page


def test_the_palette_offers_to_look_for_the_words_and_looks_for_nothing_itself(amy, django_assert_max_num_queries):
    client = browser(amy)
    with django_assert_max_num_queries(6) as queries:
        page = client.get("/admin/search/", {"s": "ada & co", "extended": "1"}).content.decode()
    assert 'href="/admin/workitems/workitem/?q=ada+%26+co"' in page
    assert 'href="/admin/contacts/contact/?q=ada+%26+co"' in page
    asked = " ".join(str(one["sql"]) for one in queries)
    assert "contacts_contact" not in asked
    assert "workitems_workitem" not in asked


def test_the_palette_names_no_page_that_one_may_not_open(tom):
    assert "stalepolicy" not in found(tom, "polic")


def test_the_palette_escapes_what_was_typed(amy):
    assert "<script>alert" not in found(amy, "<script>alert(1)</script>")


def test_the_palette_is_for_staff(ann):
    assert browser(ann).get("/admin/search/", {"s": "queue"}).status_code in (302, 403)
    assert Client().get("/admin/search/", {"s": "queue"}).status_code == 302


# lists with nothing in them


def test_an_empty_list_says_what_to_do_next(amy):
    page = browser(amy).get("/admin/queues/queue/").content.decode()
    assert "No queues yet" in page
    assert "Work waits in queues." in page
    assert "Add queue" in page


def test_a_search_that_finds_nothing_says_so(amy, queue):
    page = browser(amy).get("/admin/queues/queue/", {"q": "zzz"}).content.decode()
    assert "Nothing found" in page
    assert "No queues yet" not in page


# addresses that lead nowhere


def test_what_is_not_there_is_told_inside_the_back_office(amy):
    answer = browser(amy).get("/admin/no/such/page/")
    assert answer.status_code == 404
    assert "There is nothing at this address" in answer.content.decode()
    assert "wi-nav-link" in answer.content.decode()


def test_what_one_may_not_do_is_told_inside_the_back_office(tom):
    answer = browser(tom).get("/admin/api/application/")
    assert answer.status_code == 403
    assert "Your account lacks the right for it." in answer.content.decode()
    assert "wi-nav-link" in answer.content.decode()


def test_nobody_but_staff_gets_a_page_of_the_back_office(ann):
    assert Client().get(HOME).status_code == 302
    assert "wi-nav-link" not in browser(ann).get("/admin/no/such/page/", follow=True).content.decode()


# the figures


def test_open_work_is_counted_by_state_and_channel_and_what_has_ended_is_not(at_noon, amy, queue, ann):
    make_workitem(queue=queue)
    make_workitem(queue=queue, type=Type.CHAT)
    make_workitem(State.HOLD, queue=queue, agent=ann)
    make_workitem(State.TERMINATED, queue=queue, agent=ann)
    seen = seen_by(amy)
    assert seen.by_state == {"inqueue": 2, "hold": 1}
    assert seen.by_channel == {"voice": 2, "chat": 1}
    assert seen.open == 3


def test_the_longest_wait_comes_first(at_noon, amy, queue, sales):
    make_workitem(queue=queue, queued_at=NOON - timedelta(minutes=5))
    make_workitem(queue=queue, queued_at=NOON - timedelta(minutes=1))
    make_workitem(queue=sales, queued_at=NOON - timedelta(minutes=9))
    assert seen_by(amy).lines == [
        figures.Line("q_sales", "Sales", 1, NOON - timedelta(minutes=9)),
        figures.Line("q_support", "Support", 2, NOON - timedelta(minutes=5)),
    ]


def test_what_came_and_what_ended_is_counted_by_the_hour_of_today_and_yesterday(at_noon, amy, queue, ann):
    make_workitem(queue=queue, created_at=BEFORE_NOON)
    make_workitem(queue=queue, created_at=BEFORE_NOON - timedelta(days=2))
    make_workitem(State.TERMINATED, queue=queue, agent=ann, created_at=YESTERDAY, terminated_at=BEFORE_NOON)
    seen = seen_by(amy)
    assert {hour: count for hour, count in enumerate(seen.today.arrivals) if count} == {9: 1}
    assert {hour: count for hour, count in enumerate(seen.today.endings) if count} == {9: 1}
    assert {hour: count for hour, count in enumerate(seen.yesterday.arrivals) if count} == {9: 1}
    assert sum(seen.yesterday.endings) == 0


def test_the_day_is_the_servers(at_noon, settings, amy, queue):
    settings.TIME_ZONE = "Asia/Tokyo"
    make_workitem(queue=queue, created_at=datetime(2026, 3, 1, 15, 30, tzinfo=UTC))
    make_workitem(queue=queue, created_at=datetime(2026, 3, 1, 14, 30, tzinfo=UTC))
    seen = seen_by(amy)
    assert (seen.today.arrivals[0], seen.yesterday.arrivals[23]) == (1, 1)
    assert timezone.get_default_timezone() == ZoneInfo("Asia/Tokyo")


def test_an_offer_past_its_deadline_is_told(at_noon, amy, queue, ann):
    make_workitem(State.OFFERED, queue=queue, agent=ann, offer_expires_at=NOON - timedelta(seconds=11))
    make_workitem(State.OFFERED, queue=queue, agent=ann, offer_expires_at=NOON - timedelta(seconds=5))
    assert seen_by(amy).overdue_offers == 1
    assert "1 offer is past its deadline and still stands. Is a worker running?" in home(amy)


def test_everybody_is_shown_what_he_may_see_whoever_looked_before(at_noon, amy, reader, eve, queue, sales):
    make_workitem(queue=queue)
    make_workitem(queue=sales)
    assert seen_by(amy).open == 2
    assert seen_by(reader).open == 1
    assert seen_by(eve).open == 0
    assert "Sales" in home(amy)
    assert "Sales" not in home(reader)


def test_an_agents_own_work_counts_for_nobody_else(at_noon, ann, ben, queue):
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    assert (seen_by(ann).open, seen_by(ben).open) == (1, 0)


def test_figures_are_remembered_for_half_a_minute(amy, queue, django_assert_num_queries):
    with time_machine.travel(NOON, tick=False) as clock:
        seen_by(amy)
        actor = Actor.of(amy, Door.ADMIN)
        make_workitem(queue=queue)
        with django_assert_num_queries(0):
            assert figures.look(actor, now=timezone.now()).open == 0
        clock.shift(31)
        assert figures.look(actor, now=timezone.now()).open == 1


# the page


def test_each_figure_leads_to_what_is_behind_it(at_noon, amy, queue, ann):
    make_workitem(queue=queue)
    page = home(amy)
    for query in (
        "state%3Ainqueue", "state%3Aoffered",
        "channelType%3Avoice+AND+state%3A%28inqueue+OR+offered+OR+accepted+OR+active+OR+hold+OR+conference%29",
        "state%3A%28accepted+OR+active+OR+hold+OR+conference%29",
        "state%3Ainqueue+AND+selectedQueue%3A%22q_support%22",
        "createdAt%3A%5B1772409600000+TO+%2A%5D&amp;archived=yes",
    ):  # fmt: skip
        assert f'href="/admin/workitems/workitem/?q={query}"' in page


def test_the_list_behind_a_figure_shows_just_as_many(at_noon, amy, queue, sales, ann):
    make_workitem(queue=queue)
    make_workitem(queue=sales)
    make_workitem(State.OFFERED, queue=queue, agent=ann, created_at=YESTERDAY)
    make_workitem(State.HOLD, queue=queue, agent=ann, created_at=YESTERDAY)
    make_workitem(State.TERMINATED, queue=queue, agent=ann, created_at=YESTERDAY)
    client = browser(amy)
    shown = client.get(HOME).context
    behind = [(tile.count, tile.address) for tile in shown["tiles"]]
    behind += [(line["count"], line["address"]) for line in shown["lines"]]
    assert [count for count, _address in behind] == ["2", "1", "1", "2", "1", "1", "1"]
    for count, address in behind:
        assert client.get(address).content.decode().count('name="_selected_action"') == int(count)


def test_the_charts_are_told_in_words_and_as_a_table_too(at_noon, amy, queue):
    make_workitem(queue=queue, created_at=BEFORE_NOON)
    for _ in range(3):
        make_workitem(queue=queue, created_at=YESTERDAY)
    page = home(amy)
    assert "1 today so far, 3 yesterday, most of them 09:00–10:00 (3)." in page
    assert "<title>09:00–10:00: 1 today, 3 yesterday</title>" in page
    assert '<th scope="row">09:00–10:00</th> <td class="wi-figure">1</td> <td class="wi-figure">3</td>' in page
    assert '<th scope="row">13:00–14:00</th> <td class="wi-figure">–</td> <td class="wi-figure">0</td>' in page


def test_work_of_agents_who_are_gone_is_told(at_noon, amy, queue, ann):
    make_presence(ann, Presence.Status.OFFLINE)
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    assert "1 workitem is with an agent who is offline." in home(amy)


def test_a_policy_that_waits_for_somebody_is_told_to_those_who_may_see_it(at_noon, amy, tom, queue):
    make_workitem(queue=queue)
    PolicyRun.objects.create(
        policy=make_policy(), policy_version=1, terms={"cap": 7}, is_capped=True,
        state=PolicyRun.State.DONE, created_at=NOON, start_at=NOON, moved_at=NOON,
    )  # fmt: skip
    assert "“Lost calls” stopped at its cap of 7 workitems" in home(amy)
    assert "Lost calls" not in home(tom)


def test_runs_in_progress_are_shown_to_those_who_may_see_them(at_noon, amy, sue, tom, queue):
    make_workitem(queue=queue)
    facts = {"requested_by": sue, "door": Door.ADMIN, "created_at": NOON, "start_at": NOON, "moved_at": NOON}
    Transfer.objects.create(queue=queue, state="running", total=40, done=10, **facts)
    Transfer.objects.create(queue=make_queue("q_done", name="Finished"), state="done", total=1, done=1, **facts)
    for user in (amy, sue):
        page = home(user)
        assert "Transfer to Support" in page
        assert "10 of 40 (25 %)" in page
        assert "Finished" not in page
    colleague = make_user("sid", is_staff=True)
    grant(colleague, Scope.WRITE)
    for user in (colleague, tom):
        assert "Transfer to Support" not in home(user)


def test_names_that_customers_and_staff_chose_are_escaped(at_noon, amy):
    make_workitem(queue=make_queue("q_x", name="<img src=x onerror=alert(1)>"))
    assert "<img src=x" not in home(amy)


@pytest.mark.parametrize("who", ["amy", "sue", "reader"])
def test_the_page_costs_at_most_twelve_queries_when_nothing_is_remembered(
    who, request, at_noon, queue, sales, ann, django_assert_max_num_queries
):
    user = request.getfixturevalue(who)
    for state in (State.INQUEUE, State.ACTIVE, State.HOLD, State.TERMINATED):
        for line in (queue, sales):
            make_workitem(state, queue=line, agent=None if state == State.INQUEUE else ann)
    client = browser(user)
    with django_assert_max_num_queries(12):
        assert client.get(HOME).status_code == 200


# a new installation


def test_a_new_installation_says_what_to_do_first(amy):
    page = home(amy)
    assert "Nothing has come in yet" in page
    assert page.count("wi-step-mark") == 4
    assert "wi-step-done" not in page


def test_steps_that_are_done_are_marked(amy, queue):
    assert home(amy).count("wi-step-done") == 2  # a queue, and its members


def test_the_steps_give_way_to_the_figures_with_the_first_workitem(amy, queue):
    make_workitem(queue=queue, created_at=NOON - timedelta(days=400))
    page = home(amy)
    assert "wi-step-mark" not in page
    assert "Open work by state" in page


def test_those_who_can_do_nothing_about_it_are_shown_no_steps(tom):
    page = home(tom)
    assert "Nothing has come in yet" in page
    assert "wi-step-mark" not in page


def test_somebody_without_any_scope_is_told_whom_to_ask(eve, queue):
    make_workitem(queue=queue)
    page = home(eve)
    assert "Your account holds no scope." in page
    assert "Open work by state" not in page


@pytest.mark.parametrize(
    ("most", "top"), [(0, 2), (1, 2), (3, 4), (5, 10), (11, 20), (25, 40), (60, 100), (101, 200), (12_345, 20_000)]
)
def test_a_chart_ends_at_a_round_number(most, top):
    assert round_top(most) == top


def test_an_hour_is_named_from_and_to():
    assert (span(0), span(23)) == ("00:00–01:00", "23:00–00:00")
