"""Presence, offers that expire, waiting work that finds its agents, and work whose agents are gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from queues.models import Queue
from tests.builders import LATER, NOON, facts_of, last_event, make_disposition, make_queue, make_user, make_workitem
from workitems import commands, routing, services
from workitems.actors import Actor
from workitems.choices import HANDLED, Door, Event, Scope, State, Type
from workitems.errors import AlreadyWithAgent, InvalidValue, MissingScope, NotAvailable, NotYourOffer
from workitems.groups import grant
from workitems.models import Presence, Workitem, usual_capacity

Status = Presence.Status
AGO = NOON - timedelta(hours=1)


def be(agent: User, status: Status = Status.AVAILABLE, *, since=AGO, **capacity: int) -> Presence:
    """Put a presence straight into the database."""
    values = {"status": status, "since": since, "capacity": capacity or usual_capacity()}
    return Presence.objects.update_or_create(user=agent, defaults=values)[0]


def status_of(agent: User) -> tuple[str, object]:
    return Presence.objects.values_list("status", "since").get(user=agent)


def me(user: User) -> Actor:
    return Actor.of(user, Door.API)


def holder(item: Workitem) -> tuple[str, str]:
    """Return in which state an item is, and with whom."""
    item = Workitem.objects.select_related("agent").get(pk=item.pk)
    return item.state, item.agent_username


@pytest.fixture
def routed(queue: Queue) -> Queue:
    """The queue of ann and ben, offering by itself."""
    Queue.objects.update(offers_automatically=True)
    return queue


# Presence


def test_an_agent_says_himself_that_he_is_there(ann, queue):
    presence = routing.set_presence(ann, Status.AVAILABLE, actor=me(ann), now=NOON)
    assert (presence.status, presence.capacity) == (Status.AVAILABLE, usual_capacity())
    assert status_of(ann) == ("available", NOON)


def test_what_he_says_again_keeps_its_time(ann, queue):
    be(ann, Status.AVAILABLE, since=AGO)
    routing.set_presence(ann, Status.AVAILABLE, actor=me(ann), now=NOON)
    assert status_of(ann) == ("available", AGO)


def test_who_may_write_where_he_works_may_say_it_for_him(ann, queue):
    user = make_user()
    grant(user, Scope.WRITE, queue)
    routing.set_presence(ann, Status.AWAY, actor=me(user), now=NOON)
    assert status_of(ann) == ("away", NOON)


@pytest.mark.parametrize("scope", [Scope.READ, Scope.DELETE])
def test_other_scopes_do_not_let_anybody_say_it(scope, ann, queue):
    user = make_user()
    grant(user, scope)
    with pytest.raises(MissingScope):
        routing.set_presence(ann, Status.AWAY, actor=me(user), now=NOON)
    assert not Presence.objects.exists()


def test_write_where_he_does_not_work_is_not_enough(ann, queue, sales):
    user = make_user()
    grant(user, Scope.WRITE, sales)
    with pytest.raises(MissingScope):
        routing.set_presence(ann, Status.AWAY, actor=me(user), now=NOON)
    assert not Presence.objects.exists()


def test_a_token_that_only_reads_does_not_speak_for_its_agent(ann, queue):
    with pytest.raises(MissingScope):
        routing.set_presence(ann, Status.AWAY, actor=Actor.of(ann, Door.API, [Scope.READ]), now=NOON)


def test_an_agent_who_is_not_active_any_more_says_nothing(ann, queue):
    User.objects.filter(pk=ann.pk).update(is_active=False)
    with pytest.raises(MissingScope):
        routing.set_presence(ann, Status.AVAILABLE, actor=me(User.objects.get(pk=ann.pk)), now=NOON)


def test_nobody_marks_himself_as_not_answering(ann, queue):
    be(ann)
    with pytest.raises(InvalidValue):
        routing.set_presence(ann, Status.NO_ANSWER, actor=me(ann), now=NOON)
    assert status_of(ann) == ("available", AGO)


def test_the_capacity_is_for_those_with_the_admin_scope_where_he_works(ann, queue):
    chief = make_user()
    grant(chief, Scope.ADMIN, queue)
    routing.set_capacity(ann, {"voice": 2, "email": 0}, actor=me(chief), now=NOON)
    assert Presence.objects.get().capacity == {"voice": 2, "email": 0}


def test_nobody_sets_his_own_capacity(ann, queue, supervisor):
    be(ann, voice=1)
    for actor in (me(ann), supervisor):
        with pytest.raises(MissingScope):
            routing.set_capacity(ann, {"voice": 9}, actor=actor, now=NOON)
    assert Presence.objects.get().capacity == {"voice": 1}


@pytest.mark.parametrize("capacity", [{"fax": 1}, {"voice": -1}, {"voice": 101}, {"voice": True}, {"voice": "1"}, [1]])
def test_impossible_capacities_are_refused(capacity, ann, queue, admin_actor):
    be(ann, voice=1)
    with pytest.raises(InvalidValue) as refusal:
        routing.set_capacity(ann, capacity, actor=admin_actor, now=NOON)
    assert refusal.value.field == "capacity"
    assert Presence.objects.get().capacity == {"voice": 1}


@pytest.mark.parametrize("status", [Status.AWAY, Status.NO_ANSWER, Status.OFFLINE])
def test_nobody_offers_to_somebody_who_is_not_there(status, ann, queue, supervisor):
    be(ann, status)
    item = make_workitem(queue=queue)
    before = facts_of(item)
    with pytest.raises(NotAvailable):
        services.execute(commands.Offer(ann), item.workitem_id, actor=supervisor, now=LATER)
    assert facts_of(item) == before


# Offline


def test_who_goes_offline_hands_back_what_he_was_offered_to_its_old_place(ann, queue):
    be(ann)
    item = make_workitem(State.OFFERED, queue=queue, agent=ann, queued_at=AGO)
    routing.set_presence(ann, Status.OFFLINE, actor=me(ann), now=LATER)
    assert holder(item) == (State.INQUEUE, "")
    assert facts_of(item)["queued_at"] == AGO
    event = last_event(item)
    assert (event.type, event.actor, event.door) == (Event.RETURNED, "presence", Door.JOB)
    assert event.details == {"agent": "ann", "why": "offline"}


@pytest.mark.parametrize("status", [Status.AVAILABLE, Status.AWAY])
def test_who_stays_keeps_what_he_was_offered(status, ann, queue):
    be(ann, Status.OFFLINE)
    item = make_workitem(State.OFFERED, queue=queue, agent=ann)
    before = facts_of(item)
    routing.set_presence(ann, status, actor=me(ann), now=LATER)
    assert facts_of(item) == before


@pytest.mark.parametrize("state", HANDLED)
def test_what_he_had_accepted_stays_and_shows_as_stuck(state, ann, queue, supervisor):
    item = make_workitem(state, queue=queue, agent=ann)
    before = facts_of(item)
    routing.set_presence(ann, Status.OFFLINE, actor=me(ann), now=LATER)
    assert facts_of(item) == before
    (stuck,) = routing.stuck(supervisor)
    assert (stuck.username, stuck.since, stuck.count, stuck.returnable) == ("ann", LATER, 1, 1)


def test_what_others_were_offered_stays_with_them(ann, ben, queue):
    item = make_workitem(State.OFFERED, queue=queue, agent=ben)
    before = facts_of(item)
    routing.set_presence(ann, Status.OFFLINE, actor=me(ann), now=LATER)
    assert facts_of(item) == before


def test_what_somebody_else_was_offered_meanwhile_is_not_handed_back(ann, ben, queue, system):
    item = make_workitem(State.OFFERED, queue=queue, agent=ben)
    before = facts_of(item)
    with pytest.raises(NotYourOffer):
        services.execute(commands.HandBack(ann), item.workitem_id, actor=system, now=LATER)
    assert facts_of(item) == before


# Stuck


def test_the_work_of_somebody_who_is_not_active_any_more_is_stuck(ann, queue, supervisor):
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    assert routing.stuck(supervisor) == []
    User.objects.filter(pk=ann.pk).update(is_active=False)
    (stuck,) = routing.stuck(supervisor)
    assert (stuck.username, stuck.is_active, stuck.since) == ("ann", False, None)


def test_waiting_and_ended_work_is_never_stuck(ann, queue, supervisor):
    be(ann, Status.OFFLINE)
    make_workitem(State.OFFERED, queue=queue, agent=ann)
    make_workitem(State.TERMINATED, queue=queue, agent=ann)
    make_workitem(queue=queue)
    assert routing.stuck(supervisor) == []


@pytest.mark.parametrize("status", [Status.AVAILABLE, Status.AWAY, Status.NO_ANSWER])
def test_work_of_those_who_are_somewhere_is_not_stuck(status, ann, queue, supervisor):
    be(ann, status)
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    assert routing.stuck(supervisor) == []


def test_one_sees_stuck_what_one_sees_and_may_return_what_one_may_write(ann, queue, sales):
    be(ann, Status.OFFLINE)
    for place in (queue, queue, sales, None):
        make_workitem(State.ACTIVE, queue=place, agent=ann)
    reader, writer, stranger = make_user(), make_user(), make_user()
    grant(reader, Scope.READ)
    grant(writer, Scope.READ)
    grant(writer, Scope.WRITE, queue)
    counts = [[(one.count, one.returnable) for one in routing.stuck(me(user))] for user in (reader, writer, stranger)]
    assert counts == [[(4, 0)], [(4, 2)], []]


def test_stuck_work_costs_one_query_for_any_number(queue, supervisor, django_assert_num_queries):
    for _ in range(5):
        agent = make_user()
        be(agent, Status.OFFLINE)
        for _ in range(3):
            make_workitem(State.ACTIVE, queue=queue, agent=agent)
    with django_assert_num_queries(1):
        assert [one.count for one in routing.stuck(supervisor)] == [3] * 5


# Return all


def test_all_that_an_agent_has_in_hand_goes_back_to_its_old_places(ann, ben, queue, sales, supervisor):
    items = [
        make_workitem(state, queue=place, agent=ann, queued_at=AGO) for state in HANDLED for place in (queue, sales)
    ]
    others = make_workitem(State.ACTIVE, queue=queue, agent=ben)
    before = facts_of(others)
    outcome = routing.return_all(ann, actor=supervisor, now=LATER)
    assert set(outcome.done) == {item.workitem_id for item in items}
    for item in items:
        assert holder(item) == (State.INQUEUE, "")
        assert (facts_of(item)["queued_at"], facts_of(item)["queue_id"]) == (AGO, item.queue_id)
        assert (last_event(item).type, last_event(item).actor) == (Event.RETURNED, "sue")
    assert facts_of(others) == before


def test_what_has_no_queue_is_reported_and_stays(ann, queue, supervisor):
    item = make_workitem(State.ACTIVE, queue=None, agent=ann)
    before = facts_of(item)
    outcome = routing.return_all(ann, actor=supervisor, now=LATER)
    assert {key: refusal.code for key, refusal in outcome.refused.items()} == {item.workitem_id: "no_queue"}
    assert facts_of(item) == before


def test_what_one_may_not_write_stays(ann, queue, sales):
    user = make_user()
    grant(user, Scope.READ)
    grant(user, Scope.WRITE, queue)
    ours, theirs = (make_workitem(State.ACTIVE, queue=place, agent=ann) for place in (queue, sales))
    before = facts_of(theirs)
    outcome = routing.return_all(ann, actor=me(user), now=LATER)
    assert (set(outcome.done), outcome.refused) == ({ours.workitem_id}, {})
    assert facts_of(theirs) == before


def test_what_somebody_else_has_got_meanwhile_stays_with_him(ann, ben, queue, supervisor):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ben)
    before = facts_of(item)
    with pytest.raises(AlreadyWithAgent):
        services.execute(commands.ReturnToQueue(only_from=ann), item.workitem_id, actor=supervisor, now=LATER)
    assert facts_of(item) == before


# Offers that expire


def test_an_offer_that_nobody_answers_goes_back_to_its_place_and_marks_its_agent(ann, queue):
    be(ann)
    item = make_workitem(State.OFFERED, queue=queue, agent=ann, queued_at=AGO, offer_expires_at=LATER)
    assert routing.expire_offers(now=LATER) == 1
    assert holder(item) == (State.INQUEUE, "")
    assert facts_of(item)["queued_at"] == AGO
    assert (last_event(item).type, last_event(item).details) == (Event.OFFER_EXPIRED, {"agent": "ann"})
    assert status_of(ann) == ("noAnswer", LATER)


def test_an_offer_that_can_still_be_answered_stays(ann, queue):
    be(ann)
    item = make_workitem(State.OFFERED, queue=queue, agent=ann, offer_expires_at=LATER)
    before = facts_of(item)
    assert routing.expire_offers(now=LATER - timedelta(microseconds=1)) == 0
    assert facts_of(item) == before
    assert status_of(ann) == ("available", AGO)


def test_who_is_offline_stays_offline(ann, queue):
    be(ann, Status.OFFLINE)
    make_workitem(State.OFFERED, queue=queue, agent=ann)
    assert routing.expire_offers(now=LATER) == 1
    assert status_of(ann) == ("offline", AGO)


def test_a_second_silence_keeps_the_time_of_the_first(ann, queue):
    be(ann, Status.NO_ANSWER)
    make_workitem(State.OFFERED, queue=queue, agent=ann)
    routing.expire_offers(now=LATER)
    assert status_of(ann) == ("noAnswer", AGO)


def test_of_whom_no_presence_is_known_none_is_made_up(ann, queue):
    make_workitem(State.OFFERED, queue=queue, agent=ann)
    assert routing.expire_offers(now=LATER) == 1
    assert not Presence.objects.exists()


def test_an_answer_in_the_last_moment_leaves_its_agent_unmarked(ann, queue, monkeypatch):
    be(ann)
    item = make_workitem(State.OFFERED, queue=queue, agent=ann)

    def answer_first(agents):
        services.execute(commands.Accept(), item.workitem_id, actor=me(ann), now=LATER)
        return []

    monkeypatch.setattr(routing, "lock_presences", answer_first)
    assert routing.expire_offers(now=LATER) == 0
    assert holder(item) == (State.ACCEPTED, "ann")
    assert status_of(ann) == ("available", AGO)


def test_offers_expire_chunk_by_chunk_until_none_is_left(ann, queue, monkeypatch):
    monkeypatch.setattr(routing, "CHUNK", 2)
    for _ in range(5):
        make_workitem(State.OFFERED, queue=queue, agent=ann)
    assert routing.expire_offers(now=LATER) == 5
    assert Workitem.objects.filter(state=State.INQUEUE).count() == 5


def test_no_answer_gets_nothing_until_available_again(ann, routed):
    be(ann, voice=5)
    item = make_workitem(State.OFFERED, queue=routed, agent=ann)
    routing.expire_offers(now=LATER)
    assert routing.assign_waiting(now=LATER) == 0
    routing.set_presence(ann, Status.AVAILABLE, actor=me(ann), now=LATER)
    assert routing.assign_waiting(now=LATER) == 1
    assert holder(item) == (State.OFFERED, "ann")


def test_a_sweep_that_finds_nothing_asks_once(queue, django_assert_num_queries):
    with django_assert_num_queries(3):  # the question, in a transaction of its own
        routing.expire_offers(now=LATER)


# Waiting work


def test_waiting_work_is_offered_with_the_queues_time_to_answer(ann, routed):
    be(ann)
    item = make_workitem(queue=routed)
    assert routing.assign_waiting(now=LATER) == 1
    assert holder(item) == (State.OFFERED, "ann")
    assert facts_of(item)["offer_expires_at"] == LATER + timedelta(seconds=20)
    assert (last_event(item).actor, last_event(item).door) == ("assign-waiting", Door.JOB)


def test_a_queue_with_the_switch_off_offers_nothing(ann, queue):
    be(ann)
    item = make_workitem(queue=queue)
    before = facts_of(item)
    assert routing.assign_waiting(now=LATER) == 0
    assert facts_of(item) == before


def test_what_waits_in_a_closed_queue_is_still_offered(ann, routed):
    be(ann)
    Queue.objects.update(is_open=False)
    make_workitem(queue=routed)
    assert routing.assign_waiting(now=LATER) == 1


@pytest.mark.parametrize("status", [Status.AWAY, Status.NO_ANSWER, Status.OFFLINE, None])
def test_only_the_available_are_asked(status, ann, routed):
    if status is not None:
        be(ann, status)
    make_workitem(queue=routed)
    assert routing.assign_waiting(now=LATER) == 0


def test_only_active_members_are_asked(ann, routed):
    for agent in (ann, make_user()):
        be(agent)
    User.objects.filter(pk=ann.pk).update(is_active=False)
    make_workitem(queue=routed)
    assert routing.assign_waiting(now=LATER) == 0


def test_the_most_urgent_goes_first_then_who_has_waited_longest_over_all_queues(ann, routed):
    second = make_queue("q_second", members=[ann], offers_automatically=True)
    be(ann, voice=3)
    urgent = make_workitem(queue=second, priority=5)
    oldest = make_workitem(queue=second, queued_at=AGO)
    next_one = make_workitem(queue=routed, queued_at=AGO + timedelta(seconds=1))
    late = make_workitem(queue=routed)
    assert routing.assign_waiting(now=LATER) == 3
    assert {item.pk for item in (urgent, oldest, next_one)} == set(
        Workitem.objects.filter(state=State.OFFERED).values_list("pk", flat=True)
    )
    assert holder(late) == (State.INQUEUE, "")


def test_who_has_been_idle_longest_is_asked_first(ann, ben, routed):
    be(ann, since=AGO)
    be(ben, since=AGO - timedelta(minutes=1))
    item = make_workitem(queue=routed)
    routing.assign_waiting(now=LATER)
    assert holder(item) == (State.OFFERED, "ben")


def test_idle_is_who_has_ended_nothing_since(ann, ben, routed):
    be(ann, since=AGO)
    be(ben, since=AGO - timedelta(minutes=1))
    make_workitem(State.DISPOSITIONED, queue=routed, agent=ben, terminated_at=NOON)
    item = make_workitem(queue=routed)
    routing.assign_waiting(now=LATER)
    assert holder(item) == (State.OFFERED, "ann")


def test_who_has_something_in_hand_is_not_idle(ann, ben, routed):
    be(ann, since=AGO - timedelta(minutes=1), chat=3)
    be(ben, since=AGO, chat=3)
    make_workitem(State.ACTIVE, queue=routed, agent=ann, type=Type.CHAT)
    item = make_workitem(queue=routed, type=Type.CHAT)
    routing.assign_waiting(now=LATER)
    assert holder(item) == (State.OFFERED, "ben")


def test_equals_take_turns(ann, ben, routed):
    for agent in (ann, ben):
        be(agent, chat=2)
    items = [make_workitem(queue=routed, type=Type.CHAT) for _ in range(4)]
    assert routing.assign_waiting(now=LATER) == 4
    assert [holder(item)[1] for item in items] == ["ann", "ben", "ann", "ben"]


@pytest.mark.parametrize("state", [State.OFFERED, *HANDLED])
def test_what_an_agent_has_in_hand_takes_up_his_capacity(state, ann, routed, sales):
    be(ann, voice=1)
    make_workitem(state, queue=sales, agent=ann)
    make_workitem(queue=routed)
    assert routing.assign_waiting(now=LATER) == 0


def test_each_channel_has_a_capacity_of_its_own_and_what_is_not_named_has_none(ann, routed):
    be(ann, voice=1, chat=1)
    make_workitem(State.ACTIVE, queue=routed, agent=ann)
    call, chat, mail = (
        make_workitem(queue=routed, type=kind) for kind in (Type.INBOUND_CALL, Type.CHAT, Type.INBOUND_EMAIL)
    )
    assert routing.assign_waiting(now=LATER) == 1
    assert [holder(item)[0] for item in (call, chat, mail)] == [State.INQUEUE, State.OFFERED, State.INQUEUE]


def test_wrap_up_takes_up_capacity_for_as_long_as_its_queue_grants(ann, routed, sales):
    be(ann, voice=1)
    Queue.objects.filter(pk=sales.pk).update(wrap_up_seconds=600)
    done = make_workitem(State.TERMINATED, queue=sales, agent=ann, terminated_at=NOON)
    make_workitem(queue=routed)
    assert routing.assign_waiting(now=NOON + timedelta(seconds=599)) == 0
    assert routing.assign_waiting(now=NOON + timedelta(seconds=600)) == 1
    assert done.queue == sales


def test_a_disposition_ends_the_wrap_up(ann, routed, supervisor):
    be(ann, voice=1)
    done = make_workitem(State.TERMINATED, queue=routed, agent=ann)
    make_workitem(queue=routed)
    assert routing.assign_waiting(now=NOON) == 0
    services.execute(commands.SetDisposition(make_disposition()), done.workitem_id, actor=supervisor, now=NOON)
    assert routing.assign_waiting(now=NOON) == 1


def test_room_that_is_gone_at_the_last_moment_is_not_used(ann, ben, routed, monkeypatch):
    be(ann, since=AGO - timedelta(minutes=1), voice=1)
    be(ben, voice=1)
    item, other = make_workitem(queue=routed), make_workitem(State.INQUEUE, queue=routed, priority=1)
    lock = routing.lock_presence

    def be_faster(agent_pk):
        if agent_pk == ann.pk:
            Workitem.objects.filter(pk=other.pk).update(state=State.ACCEPTED, agent=ann, version=2)
        return lock(agent_pk)

    monkeypatch.setattr(routing, "lock_presence", be_faster)
    assert routing.assign_waiting(now=LATER) == 1
    assert holder(item) == (State.OFFERED, "ben")


def test_an_agent_who_leaves_at_the_last_moment_is_passed_over(ann, ben, routed, monkeypatch):
    be(ann, since=AGO - timedelta(minutes=1))
    be(ben)
    item = make_workitem(queue=routed)
    lock = routing.lock_presence

    def leave(agent_pk):
        Presence.objects.filter(user=ann).update(status=Status.AWAY)
        return lock(agent_pk)

    monkeypatch.setattr(routing, "lock_presence", leave)
    assert routing.assign_waiting(now=LATER) == 1
    assert holder(item) == (State.OFFERED, "ben")


def test_what_somebody_takes_at_the_last_moment_is_left_to_him(ann, routed, monkeypatch):
    be(ann, voice=2)
    taken, free = make_workitem(queue=routed, priority=5), make_workitem(queue=routed)
    lock = routing.lock_presence

    def take(agent_pk):
        Workitem.objects.filter(pk=taken.pk).update(
            state=State.TERMINATED, terminated_at=NOON, ended_by="customer", version=2
        )
        return lock(agent_pk)

    monkeypatch.setattr(routing, "lock_presence", take)
    assert routing.assign_waiting(now=LATER) == 1
    assert (holder(taken)[0], holder(free)[0]) == (State.TERMINATED, State.OFFERED)


@pytest.mark.parametrize("give_back", [commands.Reject(), commands.ReturnToQueue()])
def test_who_has_given_it_back_is_not_asked_again_at_once(give_back, ann, ben, routed):
    be(ann, since=AGO - timedelta(minutes=1))
    be(ben)
    state = State.OFFERED if isinstance(give_back, commands.Reject) else State.ACCEPTED
    item = make_workitem(state, queue=routed, agent=ann)
    services.execute(give_back, item.workitem_id, actor=me(ann), now=LATER)
    routing.assign_waiting(now=LATER)
    assert holder(item) == (State.OFFERED, "ben")


def test_a_sole_agent_is_asked_again_after_a_while(ann, routed):
    be(ann)
    item = make_workitem(State.OFFERED, queue=routed, agent=ann)
    services.execute(commands.Reject(), item.workitem_id, actor=me(ann), now=LATER)
    assert routing.assign_waiting(now=LATER + timedelta(seconds=59)) == 0
    assert routing.assign_waiting(now=LATER + timedelta(seconds=60)) == 1


def test_a_long_line_of_one_channel_hides_no_other(ann, routed, monkeypatch):
    monkeypatch.setattr(routing, "LOOK", 2)
    be(ann, email=1, voice=1)
    mails = [make_workitem(queue=routed, type=Type.INBOUND_EMAIL, priority=5) for _ in range(5)]
    call = make_workitem(queue=routed)
    assert routing.assign_waiting(now=LATER) == 2
    assert [holder(item)[0] for item in (mails[0], call)] == [State.OFFERED] * 2


def test_nothing_that_waits_costs_one_query(ann, routed, django_assert_num_queries):
    be(ann)
    make_workitem(State.ACTIVE, queue=routed, agent=ann)
    with django_assert_num_queries(1):
        assert routing.assign_waiting(now=LATER) == 0


def test_a_look_costs_the_same_for_any_number_of_agents_and_items(routed, django_assert_num_queries):
    for _ in range(2):
        for _ in range(10):
            agent = make_user()
            routed.members.add(agent)
            be(agent, chat=1)
            make_workitem(State.ACTIVE, queue=routed, agent=agent, type=Type.CHAT)
            make_workitem(queue=routed, type=Type.CHAT)
        with django_assert_num_queries(5):  # queues, longest wrap-up, presences, who works where, what is in hand
            assert routing.assign_waiting(now=LATER) == 0


def test_an_offer_costs_the_same_in_a_crowd(routed, django_assert_max_num_queries):
    for _ in range(20):
        agent = make_user()
        routed.members.add(agent)
        be(agent, chat=1)
        make_workitem(queue=routed, type=Type.CHAT)
    with django_assert_max_num_queries(10 + 20 * 15):
        assert routing.assign_waiting(now=LATER) == 20


def test_what_is_in_hand_is_counted_by_agent_and_channel(ann, ben, queue):
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    make_workitem(State.OFFERED, queue=queue, agent=ann, type=Type.CHAT)
    make_workitem(State.ACCEPTED, queue=None, agent=ann, type=Type.CHAT)
    make_workitem(State.DISPOSITIONED, queue=queue, agent=ann)
    assert routing.in_hand([ann.pk, ben.pk], now=LATER) == {ann.pk: {"voice": 1, "chat": 2}, ben.pk: {}}
