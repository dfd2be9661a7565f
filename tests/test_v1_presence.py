"""Presence and capacity of agents by REST, and when workers are told that somebody or something waits."""

from __future__ import annotations

import pytest
from django.test import Client

from queues.models import Queue
from tests.builders import NOON, make_presence, make_user, make_workitem
from tests.doors import bearer
from workitems import tasks
from workitems.choices import Scope, State, Type
from workitems.groups import grant
from workitems.models import Presence, Workitem, usual_capacity

JSON = "application/json"
ANN = "/api/v1/agents/ann"
NOON_MS = 1772452800000


@pytest.fixture
def api(sue) -> Client:
    return Client(headers=bearer(sue))


@pytest.fixture
def woken(monkeypatch) -> list[str]:
    """How often workers are told that work or an agent waits."""
    told: list[str] = []
    monkeypatch.setattr(tasks, "_after_commit", lambda wake: told.append("routing"))
    return told


@pytest.fixture
def automatic(queue) -> Queue:
    queue.offers_automatically = True
    queue.save()
    return queue


def post(client, path, body=None):
    return client.post(path, {} if body is None else body, content_type=JSON)


# Presence and capacity


def test_an_agent_is_shown_with_presence_and_capacity(api, queue, ann, ben):
    make_presence(ann, Presence.Status.AWAY, capacity={"voice": 2})
    found = {one["username"]: one for one in api.get("/api/v1/agents").json()["objects"]}
    assert {name: found["ann"][name] for name in ("presence", "presenceSince", "capacity")} == {
        "presence": "away",
        "presenceSince": NOON_MS,
        "capacity": {"voice": 2},
    }
    assert (found["ben"]["presence"], found["ben"]["presenceSince"]) == ("", 0)
    assert found["ben"]["capacity"] == usual_capacity()


def test_agents_are_found_by_their_presence(api, queue, ann, ben):
    make_presence(ann)
    make_presence(ben, Presence.Status.NO_ANSWER)
    for query, expected in (("available", ["ann"]), ("noAnswer,away", ["ben"])):
        found = api.get(f"/api/v1/agents?presence={query}").json()["objects"]
        assert [one["username"] for one in found] == expected


def test_a_list_of_agents_costs_the_same_for_any_number(api, queue, django_assert_num_queries):
    for _ in range(20):
        user = make_user()
        queue.members.add(user)
        make_presence(user)
    with django_assert_num_queries(6):  # token with its user, rights, total, ids, people with presence, queues
        assert api.get("/api/v1/agents").json()["count"] == 22


@pytest.mark.parametrize("presence", ["available", "away", "offline"])
def test_an_agent_says_himself_whether_he_takes_work(presence, queue, ann):
    own = Client(headers=bearer(ann))
    answer = post(own, f"{ANN}/presence", {"presence": presence})
    assert (answer.status_code, answer.json()["presence"]) == (200, presence)
    assert Presence.objects.get().status == presence
    assert own.get(ANN).json()["presence"] == presence


def test_who_goes_offline_hands_back_what_he_was_offered(queue, ann):
    item = make_workitem(State.OFFERED, queue=queue, agent=ann)
    post(Client(headers=bearer(ann)), f"{ANN}/presence", {"presence": "offline"})
    assert Workitem.objects.get(pk=item.pk).state == State.INQUEUE


@pytest.mark.parametrize("body", [{}, {"presence": "noAnswer"}, {"presence": 1}, {"presence": "away", "since": 1}])
def test_a_presence_that_is_none_is_refused(body, api, queue, ann):
    assert post(api, f"{ANN}/presence", body).status_code == 400
    assert not Presence.objects.exists()


def test_who_may_only_read_sets_no_presence(tom, queue):
    answer = post(Client(headers=bearer(tom)), f"{ANN}/presence", {"presence": "away"})
    assert (answer.status_code, answer.json()["code"]) == (403, "scope")
    assert not Presence.objects.exists()


def test_a_colleague_is_nobody_to_an_agent_without_scope(queue, ben):
    assert post(Client(headers=bearer(ben)), f"{ANN}/presence", {"presence": "away"}).status_code == 404
    assert not Presence.objects.exists()


def test_the_admin_scope_sets_the_capacity(amy, queue):
    answer = post(Client(headers=bearer(amy)), f"{ANN}/capacity", {"capacity": {"voice": 1, "chat": 4}})
    assert (answer.status_code, answer.json()["capacity"]) == (200, {"voice": 1, "chat": 4})


@pytest.mark.parametrize("capacity", [{"fax": 1}, {"voice": 101}, {"voice": -1}, {"voice": "1"}, [], None])
def test_a_capacity_that_is_none_is_refused_by_its_field(capacity, amy, queue):
    answer = post(Client(headers=bearer(amy)), f"{ANN}/capacity", {"capacity": capacity})
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["capacity"])
    assert not Presence.objects.exists()


# What stays behind


def test_all_that_an_agent_has_in_hand_returns_to_its_place(api, queue, ann):
    items = [make_workitem(State.ACTIVE, queue=queue, agent=ann) for _ in range(2)]
    assert post(api, f"{ANN}/returnAll").json() == {"done": 2, "refused": []}
    found = Workitem.objects.filter(pk__in=[item.pk for item in items], state=State.INQUEUE, queued_at=NOON)
    assert found.count() == 2


def test_what_cannot_return_is_told_and_stops_nothing_else(api, queue, ann):
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    make_workitem(State.ACTIVE, queue=None, agent=ann, workitem_id="wi_1", type=Type.OUTBOUND_CALL)
    assert post(api, f"{ANN}/returnAll").json() == {
        "done": 1,
        "refused": [{"workitemId": "wi_1", "code": "no_queue", "message": "It has no queue to go to."}],
    }


def test_a_supervisor_returns_what_stands_in_his_own_queue_only(queue, sales, ann):
    user = make_user("wes")
    grant(user, Scope.WRITE, queue)
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    other = make_workitem(State.ACTIVE, queue=sales, agent=ann)
    assert post(Client(headers=bearer(user)), f"{ANN}/returnAll").json() == {"done": 1, "refused": []}
    assert Workitem.objects.get(pk=other.pk).state == State.ACTIVE


# Who is told


def test_work_that_arrives_where_offers_are_automatic_is_told_of(api, automatic, woken):
    post(api, "/api/v1/workitems", {"type": "InboundCall", "selectedQueue": "q_support"})
    assert woken == ["routing"]


def test_work_that_arrives_elsewhere_wakes_nobody(api, automatic, sales, woken):
    post(api, "/api/v1/workitems", {"type": "InboundCall", "selectedQueue": "q_sales"})
    assert woken == []


@pytest.mark.parametrize(
    ("state", "action", "body", "told"),
    [
        ("offered", "reject", {}, True),
        ("active", "returnToQueue", {}, True),
        ("active", "hangup", {}, True),
        ("active", "transfer", {"selectedQueue": "q_sales"}, True),
        ("active", "hold", {}, False),
        ("active", "note", {"text": "Called back."}, False),
    ],
)
def test_commands_that_make_room_are_told_of(state, action, body, told, api, automatic, sales, ann, woken):
    make_workitem(State(state), queue=automatic, agent=ann, workitem_id="wi_1")
    post(api, f"/api/v1/workitems/wi_1/{action}", body)
    assert woken == ["routing"] * told


def test_a_bulk_tells_of_its_commands_once(api, automatic, ann, woken):
    for n in (1, 2):
        make_workitem(State.ACTIVE, queue=automatic, agent=ann, workitem_id=f"wi_{n}")
    post(api, "/api/v1/bulk", {"commands": [{"workitemId": f"wi_{n}", "action": "hangup"} for n in (1, 2)]})
    assert woken == ["routing"]


def test_where_no_queue_offers_by_itself_nobody_is_woken(api, queue, ann, woken):
    make_workitem(State.ACTIVE, queue=queue, agent=ann, workitem_id="wi_1")
    post(api, "/api/v1/workitems/wi_1/hangup")
    post(api, f"{ANN}/presence", {"presence": "available"})
    assert woken == []


def test_an_agent_who_comes_back_is_told_of(api, automatic, woken):
    post(api, f"{ANN}/presence", {"presence": "available"})
    assert woken == ["routing"]


def test_whether_any_queue_offers_by_itself_is_asked_once_in_a_while(
    api, queue, ann, django_assert_num_queries, django_assert_max_num_queries
):
    for n in (1, 2):
        make_workitem(State.ACTIVE, queue=queue, agent=ann, workitem_id=f"wi_{n}")
    post(api, "/api/v1/workitems/wi_1/hold")
    with django_assert_max_num_queries(12) as first:
        post(api, "/api/v1/workitems/wi_1/hangup")
    with django_assert_num_queries(len(first) - 1):
        post(api, "/api/v1/workitems/wi_2/hangup")


def test_a_queue_that_begins_to_offer_by_itself_is_told_of_at_once(amy, api, queue, ann, woken):
    make_workitem(State.ACTIVE, queue=queue, agent=ann, workitem_id="wi_1")
    post(api, "/api/v1/workitems/wi_1/hangup")  # by now it is known that none does
    admin = Client(headers=bearer(amy))
    admin.patch("/api/v1/queues/q_support", {"offersAutomatically": True}, content_type=JSON)
    assert woken == ["routing"]
