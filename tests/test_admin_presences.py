"""Presences in the back office: who sees whose, what they say, and what goes back to its queue."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from tests.builders import NOON, facts_of, last_event, make_presence, make_user, make_workitem
from tests.doors import browser
from workitems.choices import Scope, State, Type
from workitems.groups import grant
from workitems.models import AuditEntry, Presence

LIST = reverse("admin:workitems_presence_changelist")
CAPACITY = {"capacity_voice": "1", "capacity_chat": "3"}


def page_of(presence: Presence) -> str:
    return reverse("admin:workitems_presence_change", args=[presence.pk])


def save(user, presence: Presence, **values):
    """Post the page with these values, as somebody does who has just loaded it."""
    client = browser(user)
    seen = client.get(page_of(presence)).context["adminform"].form.seen_token
    return client.post(page_of(presence), {"seen": seen, **values})


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
    with django_assert_max_num_queries(15):
        assert len(client.get(LIST).context["cl"].result_list) == 20


def test_a_presence_is_set_as_everywhere_and_hands_back_what_was_offered(wes, queue, ann):
    presence = make_presence(ann)
    item = make_workitem(State.OFFERED, queue=queue, agent=ann)
    assert save(wes, presence, status="offline").status_code == 302
    assert Presence.objects.get().status == "offline"
    assert Presence.objects.get().since > NOON
    assert (facts_of(item)["state"], last_event(item).details["why"]) == ("inqueue", "offline")


def test_nobody_is_marked_here_as_not_answering(wes, queue, ann):
    presence = make_presence(ann)
    assert save(wes, presence, status="noAnswer").status_code == 200
    assert Presence.objects.get().status == "available"


def test_what_was_marked_so_may_stay_so(amy, queue, ann):
    presence = make_presence(ann, Presence.Status.NO_ANSWER)
    save(amy, presence, status="noAnswer", **CAPACITY)
    presence = Presence.objects.get()
    assert (presence.status, presence.since, presence.capacity) == ("noAnswer", NOON, {"voice": 1, "chat": 3})


def test_the_capacity_wants_the_admin_scope(wes, amy, queue, ann):
    presence = make_presence(ann, capacity={"voice": 1})
    save(wes, presence, status="available", **CAPACITY)
    assert Presence.objects.get().capacity == {"voice": 1}
    save(amy, presence, status="available", **CAPACITY)
    assert Presence.objects.get().capacity == {"voice": 1, "chat": 3}


def test_no_capacity_at_all_is_one(amy, queue, ann):
    presence = make_presence(ann)
    save(amy, presence, status="available")
    assert Presence.objects.get().capacity == {}


@pytest.mark.parametrize("capacity", ["-1", "101", "1.5", "many", "9" * 5_000])
def test_an_impossible_capacity_is_said_beside_it(capacity, amy, queue, ann):
    presence = make_presence(ann, capacity={"voice": 1})
    answer = save(amy, presence, status="away", capacity_voice=capacity)
    assert (answer.status_code, list(answer.context["adminform"].form.errors)) == (200, ["capacity_voice"])
    assert (Presence.objects.get().status, Presence.objects.get().capacity) == ("available", {"voice": 1})


def test_a_change_leaves_an_entry_about_the_agent_and_djangos_line(amy, queue, ann):
    presence = make_presence(ann, capacity={"voice": 1})
    save(amy, presence, status="away", **CAPACITY)
    entry = AuditEntry.objects.get()
    assert (entry.what, entry.subject, entry.actor) == ("agent changed", "ann", "amy")
    changes = entry.details["changes"]
    assert changes["status"] == {"old": "available", "new": "away"}
    assert changes["capacity"] == {"old": {"voice": 1}, "new": {"voice": 1, "chat": 3}}
    assert LogEntry.objects.get().user == amy
    page = browser(amy).get(reverse("admin:workitems_presence_history", args=[presence.pk])).content.decode()
    assert "agent changed" in page


def test_what_a_colleague_has_set_meanwhile_is_not_overwritten(amy, queue, ann):
    presence = make_presence(ann)
    client = browser(amy)
    seen = client.get(page_of(presence)).context["adminform"].form.seen_token
    Presence.objects.update(status="away")
    answer = client.post(page_of(presence), {"seen": seen, "status": "offline"})
    assert "has changed this while you were typing" in answer.content.decode()
    assert Presence.objects.get().status == "away"


def test_readers_look_and_change_nothing(tom, queue, ann):
    presence = make_presence(ann)
    client = browser(tom)
    assert client.get(page_of(presence)).status_code == 200
    assert client.post(page_of(presence), {"status": "offline"}).status_code == 403
    assert Presence.objects.get().status == "available"
    assert not AuditEntry.objects.exists()


def test_no_queue_is_named_that_one_may_not_see(wes, queue, sales, ann):
    sales.members.add(ann)
    presence = make_presence(ann)
    for page in (browser(wes).get(LIST), browser(wes).get(page_of(presence))):
        assert "Support" in page.content.decode()
        assert "Sales" not in page.content.decode()


def test_the_page_sums_up_what_the_agent_may_and_from_where(amy, queue, ann):
    grant(ann, Scope.READ)
    grant(ann, Scope.WRITE, queue)
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    page = browser(amy).get(page_of(make_presence(ann)))
    assert page.context["scope_lines"] == [
        ("Everywhere", ["workitems:read through the group workitems:read"]), ("Support", ["workitems:write"]),
    ]  # fmt: skip
    assert "/admin/workitems/workitem/?agent=ann" in page.content.decode()
    assert "1 of 1" in page.content.decode()


def test_scopes_are_summed_up_for_those_only_who_decide_over_them(wes, queue, sales, ann):
    grant(ann, Scope.DELETE, sales)
    grant(ann, Scope.READ, queue)
    presence = make_presence(ann)
    assert browser(wes).get(page_of(presence)).context["scope_lines"] == []
    quinn = make_user("quinn", is_staff=True)
    grant(quinn, Scope.ADMIN, queue)
    assert browser(quinn).get(page_of(presence)).context["scope_lines"] == [("Support", ["workitems:read"])]


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
