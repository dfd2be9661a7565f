"""Presences in the back office: who sees whose, what they say, and what goes back to its queue."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.builders import NOON, facts_of, last_event, make_presence, make_user, make_workitem
from tests.doors import browser
from workitems.choices import Scope, State, Type
from workitems.groups import grant
from workitems.models import Presence

LIST = reverse("admin:workitems_presence_changelist")
CAPACITY = '{"voice": 1, "chat": 3}'


def page_of(presence: Presence) -> str:
    return reverse("admin:workitems_presence_change", args=[presence.pk])


@pytest.fixture
def wes(queue):
    """A supervisor of this queue only."""
    user = make_user("wes", is_staff=True)
    grant(user, Scope.WRITE, queue)
    return user


def shown(user) -> list[str]:
    return [presence.user.username for presence in browser(user).get(LIST).context["cl"].result_list]


def test_one_sees_the_agents_of_the_queues_that_one_may_write(sue, wes, queue, sales, ann):
    stranger = make_user("stranger")
    sales.members.add(stranger)
    for agent in (ann, stranger):
        make_presence(agent)
    assert (shown(sue), shown(wes)) == (["ann", "stranger"], ["ann"])


def test_the_list_tells_presence_and_load_in_words(sue, queue, ann):
    make_presence(ann, Presence.Status.NO_ANSWER, capacity={"voice": 1, "chat": 3})
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    make_workitem(State.OFFERED, queue=queue, agent=ann, type=Type.CHAT)
    page = browser(sue).get(LIST).content.decode()
    assert "No answer" in page
    assert "Voice 1/1, Chat 1/3" in page


def test_the_list_costs_the_same_for_any_number(sue, queue, django_assert_max_num_queries):
    client = browser(sue)
    for _ in range(20):
        agent = make_user()
        make_presence(agent)
        make_workitem(State.ACTIVE, queue=queue, agent=agent)
    with django_assert_max_num_queries(14):
        assert len(client.get(LIST).context["cl"].result_list) == 20


def test_a_presence_is_set_as_everywhere_and_hands_back_what_was_offered(wes, queue, ann):
    presence = make_presence(ann)
    item = make_workitem(State.OFFERED, queue=queue, agent=ann)
    assert browser(wes).post(page_of(presence), {"status": "offline"}).status_code == 302
    assert Presence.objects.get().status == "offline"
    assert Presence.objects.get().since > NOON
    assert (facts_of(item)["state"], last_event(item).details["why"]) == ("inqueue", "offline")


def test_nobody_is_marked_here_as_not_answering(wes, queue, ann):
    presence = make_presence(ann)
    assert browser(wes).post(page_of(presence), {"status": "noAnswer"}).status_code == 200
    assert Presence.objects.get().status == "available"


def test_what_was_marked_so_may_stay_so(amy, queue, ann):
    presence = make_presence(ann, Presence.Status.NO_ANSWER)
    browser(amy).post(page_of(presence), {"status": "noAnswer", "capacity": CAPACITY})
    presence = Presence.objects.get()
    assert (presence.status, presence.since, presence.capacity) == ("noAnswer", NOON, {"voice": 1, "chat": 3})


def test_the_capacity_wants_the_admin_scope(wes, amy, queue, ann):
    presence = make_presence(ann, capacity={"voice": 1})
    browser(wes).post(page_of(presence), {"status": "available", "capacity": CAPACITY})
    assert Presence.objects.get().capacity == {"voice": 1}
    browser(amy).post(page_of(presence), {"status": "available", "capacity": CAPACITY})
    assert Presence.objects.get().capacity == {"voice": 1, "chat": 3}


def test_no_capacity_at_all_is_one(amy, queue, ann):
    presence = make_presence(ann)
    browser(amy).post(page_of(presence), {"status": "available", "capacity": ""})
    assert Presence.objects.get().capacity == {}


@pytest.mark.parametrize("capacity", ['{"fax": 1}', '{"voice": -1}', "[1]", "{", "[" * 100_000])
def test_an_impossible_capacity_is_said_beside_it(capacity, amy, queue, ann):
    presence = make_presence(ann, capacity={"voice": 1})
    answer = browser(amy).post(page_of(presence), {"status": "away", "capacity": capacity})
    assert (answer.status_code, list(answer.context["adminform"].form.errors)) == (200, ["capacity"])
    assert (Presence.objects.get().status, Presence.objects.get().capacity) == ("available", {"voice": 1})


def return_all(user, *presences, **values):
    selected = [presence.pk for presence in presences]
    return browser(user).post(LIST, {"action": "return_all", "_selected_action": selected, **values}, follow=True)


def test_returning_all_asks_first_with_the_count(wes, queue, sales, ann):
    presence = make_presence(ann, Presence.Status.OFFLINE)
    items = [make_workitem(State.ACTIVE, queue=place, agent=ann) for place in (queue, queue, sales)]
    before = [facts_of(item) for item in items]
    page = " ".join(return_all(wes, presence).content.decode().split())
    assert "2 workitems go back to their queues, at their old places. This cannot be undone." in page
    assert [facts_of(item) for item in items] == before


def test_all_that_one_may_write_goes_back_to_its_old_places(wes, queue, sales, ann):
    presence = make_presence(ann, Presence.Status.OFFLINE)
    ours, theirs = (make_workitem(State.ACTIVE, queue=place, agent=ann) for place in (queue, sales))
    before = facts_of(theirs)
    assert "1 workitem is back in its queue." in return_all(wes, presence, apply="1").content.decode()
    assert (facts_of(ours)["state"], facts_of(ours)["queued_at"]) == ("inqueue", NOON)
    assert (last_event(ours).actor, last_event(ours).door) == ("wes", "admin")
    assert facts_of(theirs) == before


def test_whom_one_does_not_see_nothing_is_returned_of(wes, queue, sales):
    stranger = make_user("stranger")
    sales.members.add(stranger)
    presence = make_presence(stranger, Presence.Status.OFFLINE)
    item = make_workitem(State.ACTIVE, queue=queue, agent=stranger)
    before = facts_of(item)
    return_all(wes, presence, apply="1")
    assert facts_of(item) == before


def test_what_cannot_go_back_is_named(sue, queue, ann):
    presence = make_presence(ann, Presence.Status.OFFLINE)
    make_workitem(State.ACTIVE, queue=None, agent=ann, workitem_id="wi_homeless")
    assert "wi_homeless: It has no queue to go to." in return_all(sue, presence, apply="1").content.decode()
