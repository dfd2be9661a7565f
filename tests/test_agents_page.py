"""The desk's agents: who is there, what they have and did, and what may be done about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.builders import facts_of, last_event, make_presence, make_user, make_workitem
from tests.doors import browser
from workitems import agents as people
from workitems.choices import EndedBy, EntryOutcome, Scope, State
from workitems.groups import grant
from workitems.models import AuditEntry, Presence, Stay

LIST = "/supervisor/agents/"


def page_of(name: str) -> str:
    return f"{LIST}{name}/"


def words(answer) -> str:
    return " ".join(answer.content.decode().split())


def names(answer) -> list[str]:
    return [row.agent.user.username for row in answer.context["rows"]]


def row_of(answer, name: str):
    return next(row for row in answer.context["rows"] if row.agent.user.username == name)


def held(row) -> dict[str, int]:
    return {one.name: one.count for one in row.held if one.count}


def stay(item, agent, state=State.ACTIVE, *, minutes=2, ago=1, **facts) -> Stay:
    """A stay of so many minutes that ended so many minutes ago."""
    end = timezone.now() - timedelta(minutes=ago)
    begin = end - timedelta(minutes=minutes)
    lasted = minutes * 60_000
    return Stay.objects.create(
        workitem=item, version=item.stays.count() + 2, channel_type=item.channel_type, state=state, queue=item.queue,
        agent=agent, began_at=begin, ended_at=end, lasted_ms=lasted, magnitude=facts.pop("magnitude", 4), **facts,
    )  # fmt: skip


@pytest.fixture
def noon(monkeypatch):
    """Let it be the middle of a day, so that what happened an hour ago happened today."""
    at = timezone.now().replace(hour=12, minute=0)
    monkeypatch.setattr(timezone, "now", lambda: at)
    return at


@pytest.fixture
def wes(queue):
    """A supervisor of the queue of ann and ben, and of no other."""
    user = make_user("wes")
    grant(user, Scope.WRITE, queue)
    return user


# The list


def test_the_list_tells_presence_in_words_and_since_when(sue, queue, ann):
    make_presence(ann, Presence.Status.NO_ANSWER)
    page = words(browser(sue).get(LIST))
    assert "No answer" in page
    assert 'datetime="2026-03-02T12:00:00+00:00"' in page


def test_a_presence_that_was_never_said_is_not_known(sue, queue):
    assert "Not known" in words(browser(sue).get(LIST))


def test_what_somebody_has_in_hand_leads_to_just_these_items(sue, queue, ann):
    for state in (State.OFFERED, State.ACCEPTED, State.ACTIVE, State.HOLD, State.TERMINATED, State.DISPOSITIONED):
        make_workitem(state, queue=queue, agent=ann)
    row = row_of(browser(sue).get(LIST), "ann")
    assert held(row) == {"offered": 1, "active": 2, "hold": 1, "wrapUp": 1}
    addresses = {one.name: one.address for one in row.held}
    assert addresses["active"] == "/supervisor/work/?agent=ann&state=accepted&state=active&state=conference"


def test_capacity_is_told_as_used_of_possible(sue, queue, ann):
    make_presence(ann, capacity={"voice": 1, "chat": 3})
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    answer = browser(sue).get(LIST)
    assert [(line.channel.value, line.held, line.most) for line in row_of(answer, "ann").room] == [
        ("voice", 1, 1),
        ("chat", 0, 3),
    ]
    assert "Voice: 1 of 1" in words(answer)


def test_the_day_of_an_agent_is_what_left_his_hands_today(noon, sue, queue, ann):
    item = make_workitem(State.DISPOSITIONED, queue=queue, agent=ann)
    stay(item, ann, handled_ms=120_000)
    stay(item, ann, State.TERMINATED, minutes=1, ended_by=EndedBy.AGENT)
    stay(item, ann, handled_ms=999_000, ago=60 * 24)  # yesterday
    figures = row_of(browser(sue).get(LIST), "ann").figures
    assert [one.value for one in figures] == [1, 180_000, 60_000]
    assert "figure=handled" in figures[0].address


def test_without_data_there_is_no_figure(sue, queue):
    figures = row_of(browser(sue).get(LIST), "ann").figures
    assert [(one.value, one.address) for one in figures] == [(0, ""), (None, ""), (None, "")]


def test_totals_by_presence_count_all_and_lead_to_them(sue, queue, ann, ben):
    make_presence(ann)
    make_presence(ben, Presence.Status.AWAY)
    answer = browser(sue).get(f"{LIST}?presence=away")
    assert {total.status.value: total.count for total in answer.context["totals"]} == {
        "available": 1, "noAnswer": 0, "away": 1, "offline": 0,
    }  # fmt: skip
    assert names(answer) == ["ben"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=brook", ["ann"]),
        ("q=BEN", ["ben"]),
        ("q=nobody", []),
        ("queue=q_sales", ["ben"]),
        ("presence=unknown", ["ann", "ben"]),
        ("presence=available", []),
    ],
)
def test_the_list_is_narrowed(query, found, sue, queue, sales, ann, ben):
    ann.last_name = "Brook"
    ann.save()
    sales.members.add(ben)
    assert sorted(names(browser(sue).get(f"{LIST}?{query}"))) == found


@pytest.mark.parametrize("query", ["presence=asleep", "sort=shoe", "queue=q_none", "p=0", "p=x"])
def test_what_cannot_be_meant_is_not_there(query, sue, queue):
    assert browser(sue).get(f"{LIST}?{query}").status_code == 404


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("name", ["ann", "ben"]),
        ("-name", ["ben", "ann"]),
        ("presence", ["ben", "ann"]),
        ("-hand", ["ann", "ben"]),
        ("-since", ["ann", "ben"]),
        ("-handled", ["ann", "ben"]),
        ("aht", ["ben", "ann"]),
    ],
)
def test_the_list_is_sorted(sort, found, noon, sue, queue, ann, ben):
    make_presence(ann, Presence.Status.OFFLINE)
    make_presence(ben, since=timezone.now() - timedelta(days=9999))
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    stay(item, ann, handled_ms=1000)
    assert names(browser(sue).get(f"{LIST}?sort={sort}")) == found


def test_a_page_has_fifty(sue, queue):
    queue.members.add(*[make_user(f"agent{number:03}") for number in range(60)])
    first, second = (browser(sue).get(f"{LIST}?sort=name&p={page}") for page in (1, 2))
    assert (len(names(first)), len(names(second))) == (50, 12)
    assert not set(names(first)) & set(names(second))
    assert "Page 2 of 2" in words(second)


def test_who_has_left_is_listed_as_long_as_he_has_something(sue, queue, ann, ben):
    ann.is_active = ben.is_active = False
    ann.save()
    ben.save()
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    answer = browser(sue).get(LIST)
    assert names(answer) == ["ann"]
    assert "Account closed" in words(answer)


@pytest.mark.parametrize("count", [1, 70])
def test_the_list_costs_the_same_for_any_number_of_agents(count, wes, queue, django_assert_max_num_queries):
    others = [make_user(f"agent{number}") for number in range(count)]
    queue.members.add(*others)
    for other in others:
        make_presence(other)
        make_workitem(State.ACTIVE, queue=queue, agent=other)
    client = browser(wes)
    # session, user, mark, rights, the session kept alive in its savepoint (3), and eight of its own
    with django_assert_max_num_queries(15):
        client.get(LIST)


def test_nothing_new_costs_one_query(sue, queue, django_assert_num_queries):
    client = browser(sue)
    etag = client.get(LIST, headers={"X-Live": "1"})["ETag"]
    with django_assert_num_queries(1):
        assert client.get(LIST, headers={"X-Live": "1", "If-None-Match": etag}).status_code == 304


def test_the_living_part_is_the_list_alone(sue, queue):
    page = words(browser(sue).get(LIST, headers={"X-Live": "1"}))
    assert 'data-row="ann"' in page
    assert "<html" not in page


def test_where_nobody_is_one_is_told_what_to_do(eve, queue):
    page = words(browser(eve).get(LIST))
    assert "No agents yet" in page
    assert "ask for a scope" in page


# Who sees what


def test_a_supervisor_of_one_queue_sees_its_agents_and_their_work_there_alone(wes, queue, sales, ann):
    sales.members.add(ann, make_user("stranger"))
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    for _ in range(3):
        make_workitem(State.HOLD, queue=sales, agent=ann)
    stay(make_workitem(State.DISPOSITIONED, queue=sales, agent=ann), ann, handled_ms=1000)
    answer = browser(wes).get(LIST)
    row = row_of(answer, "ann")
    assert names(answer) == ["ann", "ben"]
    assert (held(row), [queue.name for queue in row.agent.queues]) == ({"active": 1}, ["Support"])
    assert [line.held for line in row.room if line.channel == "voice"] == [1]
    assert row.figures[0].value == 0
    assert "Sales" not in words(answer)


def test_an_agent_without_scopes_sees_himself(ann, ben, queue):
    assert names(browser(ann).get(LIST)) == ["ann"]


def test_ones_own_page_is_open_to_oneself(ann, queue):
    make_workitem(State.ACTIVE, queue=queue, agent=ann, name="Lost card")
    answer = browser(ann).get(page_of("ann"))
    assert answer.status_code == 200
    assert "Lost card" in words(answer)


def test_whoever_works_nowhere_has_a_page_too(eve):
    assert browser(eve).get(page_of("eve")).status_code == 200


@pytest.mark.parametrize("name", ["ann", "nobody"])
def test_an_agent_whom_one_may_not_see_is_not_there(name, eve, queue, ann):
    assert browser(eve).get(page_of(name)).status_code == 404


# One agent


def test_the_page_tells_what_he_has_and_has_handled(noon, sue, queue, ann):
    item = make_workitem(State.HOLD, queue=queue, agent=ann, name="Lost card")
    done = make_workitem(State.DISPOSITIONED, queue=queue, agent=ann, name="Cancel the order")
    stay(done, ann, handled_ms=120_000)
    page = words(browser(sue).get(page_of("ann")))
    for text in ("Lost card", item.get_absolute_url(), "1 on hold", "Cancel the order", "2 min 0 s"):
        assert text in page


def test_what_was_handled_elsewhere_is_not_told(noon, wes, queue, sales, ann):
    stay(make_workitem(State.DISPOSITIONED, queue=sales, agent=ann, name="Secret"), ann, handled_ms=120_000)
    page = words(browser(wes).get(page_of("ann")))
    assert "Secret" not in page
    assert "No data yet today" in page


def test_answered_counts_the_offers_that_he_accepted(noon, sue, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    entered = timezone.now() - timedelta(minutes=5)
    stay(item, ann, State.OFFERED, outcome=EntryOutcome.ANSWERED, entered_at=entered, wait_ms=1000, customer_ms=1000)
    figures = {str(one.label): one.value for one in browser(sue).get(page_of("ann")).context["figures"]}
    assert figures["Answered"] == 1


def test_the_bar_sums_to_the_time_that_went_by_today(noon, sue, queue, ann):
    item = make_workitem(State.HOLD, queue=queue, agent=ann, place_since=timezone.now() - timedelta(minutes=1))
    stay(item, ann, State.ACTIVE, minutes=3)
    stay(item, ann, State.CONFERENCE, minutes=2)
    stay(item, ann, State.TERMINATED, minutes=4)
    stay(item, ann, State.ACTIVE, minutes=60, ago=60 * 20)  # yesterday evening
    context = browser(sue).get(page_of("ann")).context
    assert {one.name: one.ms for one in context["shares"]} == {"talking": 300_000, "hold": 60_000, "wrapUp": 240_000}
    assert sum(one.width for one in context["shares"]) == pytest.approx(100, abs=0.1)


def test_a_stay_over_midnight_counts_from_midnight_on(noon, sue, queue, ann):
    item = make_workitem(State.DISPOSITIONED, queue=queue, agent=ann)
    stay(item, ann, State.ACTIVE, minutes=13 * 60, ago=60, magnitude=8)
    began = people.today_began(noon)
    shares = browser(sue).get(page_of("ann")).context["shares"]
    assert shares[0].ms == (noon - timedelta(hours=1) - began) // timedelta(milliseconds=1)


def test_the_page_costs_the_same_for_any_number_of_items(sue, queue, ann, django_assert_max_num_queries):
    make_presence(ann)
    for _ in range(20):
        make_workitem(State.ACTIVE, queue=queue, agent=ann)
    client = browser(sue)
    with django_assert_max_num_queries(20):
        client.get(page_of("ann"))


# Capacity

CAPACITY = {"capacity_voice": 2, "capacity_chat": 4}


def test_capacity_is_said_by_the_admin_scope_and_written_down(amy, queue, ann):
    make_presence(ann, capacity={"voice": 1})
    answer = browser(amy).post(page_of("ann"), CAPACITY, follow=True)
    assert "Saved" in words(answer)
    assert Presence.objects.get().capacity == {"voice": 2, "chat": 4}
    entry = AuditEntry.objects.get()
    assert (entry.what, entry.subject, entry.actor) == ("agent changed", "ann", "amy")


def test_a_supervisor_without_it_neither_sees_the_form_nor_says_it(wes, queue, ann):
    make_presence(ann, capacity={"voice": 1})
    assert "capacity_voice" not in words(browser(wes).get(page_of("ann")))
    assert browser(wes).post(page_of("ann"), CAPACITY).status_code == 403
    assert Presence.objects.get().capacity == {"voice": 1}


@pytest.mark.parametrize("value", ["-1", "101", "many"])
def test_a_capacity_that_cannot_be_changes_nothing(value, amy, queue, ann):
    make_presence(ann, capacity={"voice": 1})
    answer = browser(amy).post(page_of("ann"), {"capacity_voice": value})
    assert answer.status_code == 400
    assert 'class="errorlist' in answer.content.decode()
    assert Presence.objects.get().capacity == {"voice": 1}


# Somebody's presence


def set_presence(user, name, status, **values):
    return browser(user).post(f"{page_of(name)}presence/", {"status": status, **values}, follow=True)


def test_a_supervisor_sets_a_presence_and_it_is_written_down(wes, queue, ann):
    make_presence(ann)
    answer = set_presence(wes, "ann", "away", next=LIST)
    assert "ann is now: Away." in words(answer)
    assert answer.request["PATH_INFO"] == LIST
    assert Presence.objects.get().status == "away"
    assert AuditEntry.objects.get().details["changes"] == {"status": {"old": "available", "new": "away"}}


def test_who_is_sent_offline_hands_back_what_he_was_offered(wes, queue, ann):
    make_presence(ann)
    item = make_workitem(State.OFFERED, queue=queue, agent=ann)
    set_presence(wes, "ann", "offline")
    assert (facts_of(item)["state"], last_event(item).actor) == ("inqueue", "presence")


def test_who_may_only_read_sees_the_buttons_greyed_with_the_reason(tom, queue, ann):
    make_presence(ann)
    page = words(browser(tom).get(LIST))
    assert "Only somebody who may change work where the agent works sets his presence." in page
    assert set_presence(tom, "ann", "offline").status_code == 403
    assert Presence.objects.get().status == "available"


@pytest.mark.parametrize("status", ["", "noAnswer", "asleep"])
def test_there_are_three_presences_to_set(status, wes, queue, ann):
    make_presence(ann)
    assert set_presence(wes, "ann", status).status_code == 404
    assert (Presence.objects.get().status, AuditEntry.objects.count()) == ("available", 0)


def test_a_stranger_cannot_set_the_presence_of_somebody_he_does_not_see(eve, queue, ann):
    make_presence(ann)
    assert set_presence(eve, "ann", "offline").status_code == 404
    assert Presence.objects.get().status == "available"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil"])
def test_one_goes_on_to_addresses_of_ours_only(elsewhere, wes, queue, ann):
    answer = browser(wes).post(f"{page_of('ann')}presence/", {"status": "away", "next": elsewhere})
    assert answer["Location"] == page_of("ann")


# Return all to queue


def test_the_question_tells_how_much_goes_back(wes, queue, sales, ann):
    make_presence(ann)
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    make_workitem(State.ACTIVE, queue=sales, agent=ann)
    make_workitem(State.OFFERED, queue=queue, agent=ann)
    page = words(browser(wes).get(f"{page_of('ann')}return-all/?next={LIST}"))
    assert "1 workitem goes back to its queue, at its old place. This cannot be undone." in page
    assert "ann is available: customers whom he is talking to wait again." in page


def test_what_somebody_has_goes_back_though_he_is_there_when_that_is_meant(wes, queue, ann):
    make_presence(ann)
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    answer = browser(wes).post(f"{page_of('ann')}return-all/", {"anyway": "yes", "next": LIST}, follow=True)
    assert "1 workitem is back in its queue" in words(answer)
    assert (facts_of(item)["state"], answer.request["PATH_INFO"]) == ("inqueue", LIST)


def test_who_may_only_read_returns_nothing_though_it_is_meant(tom, queue, ann):
    make_presence(ann)
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    before = facts_of(item)
    assert "There is nothing that you may return." in words(browser(tom).get(f"{page_of('ann')}return-all/"))
    assert browser(tom).post(f"{page_of('ann')}return-all/", {"anyway": "yes"}).status_code == 403
    assert facts_of(item) == before


# One's own presence, in the head of every page

MENU = "/supervisor/presence/"


def test_the_menu_costs_no_query(ann, sue, queue):
    make_presence(ann)
    counts = []
    for user in (ann, sue):
        client = browser(user)
        client.get(page_of(user.username))
        with CaptureQueriesContext(connection) as counted:
            client.get("/supervisor/settings/")
        counts.append(len(counted))
    assert counts[0] == counts[1]


def test_the_page_asks_whether_the_presence_has_changed(ann, queue):
    make_presence(ann)
    client = browser(ann)
    mark = client.get(MENU).context["own_presence"].mark
    assert client.get(f"{MENU}?known={mark}").status_code == 204
    Presence.objects.update(status="noAnswer")
    answer = client.get(f"{MENU}?known={mark}&next=/supervisor/work/")
    assert "No answer" in words(answer)
    assert 'name="next" value="/supervisor/work/"' in words(answer)
    assert "You did not answer an offer" in answer["HX-Trigger"]
