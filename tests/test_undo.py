"""A transfer undone: everything is as it was, as long as nothing else has happened, for those who may."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from guardian.shortcuts import remove_perm

from queues.models import Queue
from tests.builders import LATER, NOON, facts_of, last_event, make_presence, make_queue, make_user, make_workitem
from workitems import commands, errors, services
from workitems.actors import Actor
from workitems.choices import Door, Event, Recording, Scope, State, Type
from workitems.groups import grant, grant_transfer_in
from workitems.models import TimeEvent, Workitem
from workitems.outcomes import History

PLACE = NOON - timedelta(minutes=7, microseconds=123_457)
ASSIGNED = NOON - timedelta(minutes=3, microseconds=1)
UNDONE = LATER + timedelta(minutes=1)
EVERY_OPEN_STATE = ["inqueue", "offered", "accepted", "active", "hold", "conference"]
# what tells that time has passed and things have happened; all else must be as it was
TOLD_ANEW = {"version", "events", "modified_at", "active_at", "state_changed_at", "place_since", "offer_expires_at"}


def transfer(item, target, actor, **options):
    """Transfer to a queue or to an agent, a minute after noon."""
    make = commands.TransferToAgent if isinstance(target, User) else commands.TransferToQueue
    return services.execute(make(target, **options), item.workitem_id, actor=actor, now=LATER)


def undo(item, actor, versions=None):
    """Undo the transfer, two minutes after noon."""
    return services.execute(commands.UndoTransfer(versions or {}), item.workitem_id, actor=actor, now=UNDONE)


@pytest.fixture
def refused():
    """Try to undo, expect a refusal, and see that nothing has changed; rehearsing says the same."""

    def run(refusal, item, actor, **options):
        before = facts_of(item)
        with pytest.raises(refusal):
            undo(item, actor, **options)
        assert facts_of(item) == before
        command = commands.UndoTransfer(options.get("versions", {}))
        with pytest.raises(refusal):
            services.rehearse(command, item.workitem_id, actor=actor, now=UNDONE)

    return run


def as_it_stands(item):
    return {name: value for name, value in facts_of(item).items() if name not in TOLD_ANEW}


def in_state(state, queue, agent, **facts):
    """Return a workitem with a place and an agent who has had it for some time, both to the microsecond."""
    usual = {"queued_at": PLACE if queue else None, "priority": 2}
    if state not in ("inqueue", "offered"):
        usual["assigned_at"] = ASSIGNED
    return make_workitem(State(state), queue=queue, agent=None if state == "inqueue" else agent, **(usual | facts))


@pytest.fixture
def lead(queue, sales):
    """Somebody who writes in the one queue and may send into the other, which he cannot see."""
    user = make_user("lead")
    grant(user, Scope.WRITE, queue)
    grant_transfer_in(user, sales)
    return user


def by(user: User, *token_scopes: Scope, door: Door = Door.API) -> Actor:
    return Actor.of(user, door, token_scopes or None)


# Everything as it was


@pytest.mark.parametrize("state", EVERY_OPEN_STATE)
@pytest.mark.parametrize("target", ["sales", "ben"])
def test_all_is_as_it_was_before_the_transfer(target, state, request, supervisor, queue, ann):
    item = in_state(state, queue, ann)
    before = as_it_stands(item)
    transfer(item, request.getfixturevalue(target), supervisor, priority=5)
    assert as_it_stands(item) != before
    undo(item, supervisor)
    assert as_it_stands(item) == before


@pytest.mark.parametrize("state", ["active", "conference"])
@pytest.mark.parametrize("target", ["sales", "ben"])
def test_who_was_muted_is_muted_again(target, state, request, supervisor, queue, ann):
    item = in_state(state, queue, ann, is_muted=True)
    transfer(item, request.getfixturevalue(target), supervisor)
    assert undo(item, supervisor).is_muted


def test_a_workflow_step_of_an_integrations_own_stays(supervisor, queue, sales, ann):
    item = in_state("active", queue, ann, current_state_name="verify identity")
    transfer(item, sales, supervisor)
    assert undo(item, supervisor).current_state_name == "verify identity"


def test_what_was_offered_is_offered_anew_with_the_whole_time_to_answer(supervisor, sales, ann):
    slow = make_queue("q_slow", members=[ann], offer_timeout_seconds=90)
    item = in_state("offered", slow, ann)
    transfer(item, sales, supervisor)
    item = undo(item, supervisor)
    assert (item.state, item.agent, item.offer_expires_at) == (State.OFFERED, ann, UNDONE + timedelta(seconds=90))


@pytest.mark.parametrize("state", ["offered", "active"])
def test_without_its_agent_it_waits_at_its_place(state, supervisor, queue, sales, ann):
    item = in_state(state, queue, ann)
    transfer(item, sales, supervisor)
    User.objects.filter(pk=ann.pk).update(is_active=False)
    item = undo(item, supervisor)
    assert (item.state, item.queue, item.queued_at) == (State.INQUEUE, queue, PLACE)
    assert (item.agent, item.assigned_at, item.offer_expires_at) == (None, None, None)
    assert last_event(item).details["agent"] == ""


def test_an_agent_who_is_away_gets_back_what_was_his(supervisor, queue, sales, ann):
    item = in_state("active", queue, ann)
    transfer(item, sales, supervisor)
    make_presence(ann, "away")
    assert undo(item, supervisor).agent == ann


def test_a_queue_that_has_closed_takes_back_what_was_its_own(supervisor, queue, sales):
    item = in_state("inqueue", queue, None)
    transfer(item, sales, supervisor)
    type(queue).objects.filter(pk=queue.pk).update(is_open=False)
    item = undo(item, supervisor)
    assert (item.queue, item.queued_at) == (queue, PLACE)


@pytest.mark.parametrize("target", ["sales", "ben"])
def test_an_outbound_call_goes_back_to_its_agent_and_to_no_queue(target, request, supervisor, queue, ann):
    item = in_state("active", None, ann, type=Type.OUTBOUND_CALL)
    before = as_it_stands(item)
    transfer(item, request.getfixturevalue(target), supervisor)
    undo(item, supervisor)
    assert as_it_stands(item) == before


def test_an_outbound_call_in_a_queue_where_it_never_waited_goes_back_unqueued(supervisor, queue, sales, ann):
    item = in_state("active", queue, ann, type=Type.OUTBOUND_CALL, queued_at=None)
    before = as_it_stands(item)
    transfer(item, sales, supervisor)
    undo(item, supervisor)
    assert as_it_stands(item) == before


def test_an_outbound_call_without_queue_and_agent_has_nowhere_to_go_back_to(refused, supervisor, sales, ann):
    item = in_state("active", None, ann, type=Type.OUTBOUND_CALL)
    transfer(item, sales, supervisor)
    User.objects.filter(pk=ann.pk).update(is_active=False)
    refused(errors.NoQueue, item, supervisor)


def test_only_the_last_of_two_transfers_is_undone(supervisor, queue, sales, ann):
    third = make_queue("q_third")
    item = in_state("active", queue, ann)
    transfer(item, sales, supervisor)
    there = as_it_stands(item)
    transfer(item, third, supervisor)
    undo(item, supervisor)
    assert as_it_stands(item) == there


def test_many_go_back_each_to_its_own_place_to_the_microsecond(supervisor, queue, sales):
    dice = random.Random(4)
    spans = [timedelta(microseconds=dice.randrange(40 * 365 * 86_400_000_000)) for _ in range(150)]
    items = [make_workitem(queue=queue, queued_at=NOON - span, priority=dice.randrange(1, 6)) for span in spans]
    before, ids = [as_it_stands(item) for item in items], [item.workitem_id for item in items]
    services.execute_many(commands.TransferToQueue(sales, priority=5), ids, actor=supervisor, now=LATER)
    outcome = services.execute_many(commands.UndoTransfer(), ids, actor=supervisor, now=UNDONE)
    assert list(outcome.done) == ids
    assert [as_it_stands(item) for item in items] == before


def test_one_more_that_goes_back_costs_no_query_more(supervisor, queue, sales, ann, django_assert_num_queries):
    places = [PLACE - timedelta(seconds=number) for number in range(40)]
    ids = [in_state("active", queue, ann, queued_at=place).workitem_id for place in places]
    services.execute_many(commands.TransferToQueue(sales), ids, actor=supervisor, now=LATER)
    # savepoint, lock, queues; transfers, former queues and agents; update, events, stays, release
    for count in (2, 30):
        with django_assert_num_queries(10):
            services.execute_many(commands.UndoTransfer(), ids[:count], actor=supervisor, now=UNDONE)
        ids = ids[count:]


# History


def test_history_tells_of_it(supervisor, sue, queue, sales, ann):
    item = transfer(in_state("hold", queue, ann), sales, supervisor)
    options = commands.TransferOptions(transfer_id="tr_2")
    item = services.execute(commands.UndoTransfer(options=options), item.workitem_id, actor=supervisor, now=UNDONE)
    event = last_event(item)
    assert (event.type, event.version, item.version, facts_of(item)["events"]) == (Event.TRANSFER_UNDONE, 3, 3, 3)
    assert (event.from_state, event.to_state, event.queue, event.agent) == ("inqueue", "hold", queue, ann)
    assert (event.user, event.timestamp) == (sue, UNDONE)
    assert event.details == {"from": "q_sales", "to": "q_support", "agent": "ann", "transferId": "tr_2"}


def test_it_is_activity(supervisor, queue, sales):
    item = transfer(in_state("inqueue", queue, None), sales, supervisor)
    assert undo(item, supervisor).active_at == UNDONE


# Only as long as nothing else has happened

SINCE = {
    "note": lambda people: commands.AddNote("Seen."),
    "event of an integration": lambda people: commands.AddNote(name="bot.handover"),
    "edit": lambda people: commands.Edit({"name": "New"}),
    "priority": lambda people: commands.SetPriority(5),
    "exempt": lambda people: commands.Exempt(UNDONE + timedelta(hours=1)),
    "offer": lambda people: commands.Offer(people["ben"]),
    "pull": lambda people: commands.Pull(),
}


@pytest.mark.parametrize("since", list(SINCE))
def test_whatever_has_happened_since_is_not_undone(since, refused, supervisor, queue, sales, ann, ben):
    sales.members.add(ben)
    item = transfer(in_state("active", queue, ann), sales, supervisor)
    services.execute(SINCE[since]({"ben": ben}), item.workitem_id, actor=supervisor, now=LATER)
    refused(errors.TouchedSince, item, supervisor)


@pytest.mark.parametrize("answer", [commands.Accept(), commands.Reject()])
def test_a_transfer_that_the_agent_has_answered_is_not_undone(answer, refused, supervisor, queue, ann, ben):
    item = transfer(in_state("active", queue, ann), ben, supervisor)
    services.execute(answer, item.workitem_id, actor=by(ben), now=LATER)
    refused(errors.TouchedSince, item, supervisor)


def test_what_has_ended_since_stays_ended(refused, supervisor, queue, sales):
    item = transfer(in_state("inqueue", queue, None), sales, supervisor)
    services.execute(commands.HangUp(), item.workitem_id, actor=supervisor, now=LATER)
    refused(errors.WrongState, item, supervisor)


def test_what_was_never_transferred_is_not_undone(refused, supervisor, queue):
    refused(errors.TouchedSince, in_state("inqueue", queue, None), supervisor)


def test_an_undone_transfer_is_not_undone_again(refused, supervisor, queue, sales):
    item = transfer(in_state("inqueue", queue, None), sales, supervisor)
    undo(item, supervisor)
    refused(errors.TouchedSince, item, supervisor)


def test_another_transfer_after_an_undone_one_is_undone(supervisor, queue, sales):
    item = transfer(in_state("inqueue", queue, None), sales, supervisor)
    undo(item, supervisor)
    transfer(item, sales, supervisor)
    assert undo(item, supervisor).queued_at == PLACE


def test_another_transfer_than_the_one_that_is_meant_is_not_undone(refused, supervisor, queue, sales, ben):
    item = in_state("inqueue", queue, None)
    meant = transfer(item, sales, supervisor).version
    transfer(item, ben, supervisor)
    refused(errors.TouchedSince, item, supervisor, versions={item.workitem_id: meant})


def test_the_transfer_that_is_meant_is_undone(supervisor, queue, sales):
    item = transfer(in_state("inqueue", queue, None), sales, supervisor)
    assert undo(item, supervisor, versions={item.workitem_id: item.version}).queue == queue


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"before": {"state": "inqueue", "queueId": "q_support", "queuedAt": 0}},
        {"before": {"state": "terminated", "queueId": ["q_support"]}},
        {"before": 5},
    ],
)
def test_what_an_import_tells_of_a_transfer_elsewhere_is_not_undone(details, refused, supervisor, sales):
    facts = {"created_at": NOON, "modified_at": NOON, "state_changed_at": NOON, "active_at": NOON, "queued_at": NOON}
    item = Workitem(
        type=Type.CHAT, channel_type="chat", state="inqueue", current_state_name="inqueue", queue=sales, **facts
    )
    told = TimeEvent(type=Event.TRANSFERRED, timestamp=NOON, actor="sue", queue=sales, details=details)
    services.record([History(item, [told])], actor=Actor.job("import", Scope.ADMIN))
    refused(errors.TouchedSince, item, supervisor)


def test_what_the_system_itself_moved_is_not_undone(refused, supervisor, system, queue, sales):
    item = transfer(in_state("inqueue", queue, None), sales, system)
    refused(errors.TouchedSince, item, supervisor)


# Only by those who may


def test_who_sent_it_where_he_cannot_see_it_fetches_it_back(lead, queue, sales, ann):
    item = transfer(in_state("active", queue, ann), sales, by(lead))
    assert not Workitem.objects.visible_to(by(lead)).exists()
    item = undo(item, by(lead))
    assert (item.queue, item.agent) == (queue, ann)


def test_what_a_job_sent_on_his_behalf_he_fetches_back_himself(lead, queue, sales):
    item = transfer(in_state("inqueue", queue, None), sales, by(lead, door=Door.JOB))
    assert undo(item, by(lead)).queue == queue


def test_a_job_on_his_behalf_fetches_back_what_he_sent_himself(lead, queue, sales):
    item = transfer(in_state("inqueue", queue, None), sales, by(lead))
    assert undo(item, by(lead, door=Door.JOB)).queue == queue


def test_an_agent_fetches_back_what_he_gave_away(queue, ann, ben):
    item = in_state("active", queue, ann)
    before = as_it_stands(item)
    transfer(item, ben, by(ann))
    undo(item, by(ann))
    assert as_it_stands(item) == before


def test_an_agent_does_not_fetch_back_what_others_took_from_him(refused, supervisor, queue, sales, ann):
    item = transfer(in_state("active", queue, ann), sales, supervisor)
    refused(errors.UnknownWorkitem, item, by(ann))


def test_without_his_rights_at_home_he_fetches_nothing_back(refused, lead, queue, sales):
    item = transfer(in_state("inqueue", queue, None), sales, by(lead))
    remove_perm("queues.write_workitems", lead, queue)
    refused(errors.UnknownWorkitem, item, by(lead))


def test_who_may_only_read_at_home_by_now_fetches_nothing_back(refused, lead, queue, sales):
    item = transfer(in_state("inqueue", queue, None), sales, by(lead))
    remove_perm("queues.write_workitems", lead, queue)
    grant(lead, Scope.READ, queue)
    refused(errors.UnknownWorkitem, item, by(lead))


def test_a_token_that_may_only_read_fetches_nothing_back(refused, lead, queue, sales):
    item = transfer(in_state("inqueue", queue, None), sales, by(lead))
    refused(errors.UnknownWorkitem, item, by(lead, Scope.READ))


def test_a_token_that_may_only_read_undoes_nothing_that_it_sees(refused, sue, queue, sales):
    item = transfer(in_state("inqueue", queue, None), sales, by(sue))
    refused(errors.MissingScope, item, by(sue, Scope.READ))


@pytest.mark.parametrize("person", ["lead", "ann"])
def test_the_inactive_fetch_nothing_back(person, request, refused, lead, queue, ann, ben):
    user = request.getfixturevalue(person)
    item = transfer(in_state("active", queue, ann), ben, by(user))
    user.is_active = False
    user.save()
    refused(errors.UnknownWorkitem, item, by(user))


def test_once_somebody_else_has_moved_it_on_he_does_not_reach_it(refused, supervisor, lead, queue, sales):
    item = transfer(in_state("inqueue", queue, None), sales, by(lead))
    transfer(item, make_queue("q_secret"), supervisor)
    refused(errors.UnknownWorkitem, item, by(lead))


def test_touched_where_he_cannot_see_it_is_as_if_it_were_not_there(refused, supervisor, lead, queue, sales):
    item = transfer(in_state("inqueue", queue, None), sales, by(lead))
    services.execute(commands.AddNote("Confidential."), item.workitem_id, actor=supervisor, now=LATER)
    refused(errors.UnknownWorkitem, item, by(lead))


def test_a_stranger_finds_no_workitem(refused, supervisor, eve, queue, sales):
    item = transfer(in_state("inqueue", queue, None), sales, supervisor)
    refused(errors.UnknownWorkitem, item, by(eve))


def test_who_writes_at_its_former_home_only_does_not_reach_what_others_sent_away(refused, supervisor, queue, sales):
    other = make_user("other")
    grant(other, Scope.WRITE, queue)
    grant_transfer_in(other, queue)
    item = transfer(in_state("inqueue", queue, None), sales, supervisor)
    refused(errors.UnknownWorkitem, item, by(other))


def test_who_receives_it_needs_the_right_to_send_it_back(refused, supervisor, queue, sales):
    receiver = make_user("receiver")
    grant(receiver, Scope.WRITE, sales)
    item = transfer(in_state("inqueue", queue, None), sales, supervisor)
    refused(errors.MissingTransferIn, item, by(receiver))
    grant(receiver, Scope.WRITE, queue)
    refused(errors.MissingTransferIn, item, by(receiver))


def test_the_refusal_names_no_queue_whose_name_he_may_not_know(supervisor, queue, sales):
    receiver = make_user("receiver")
    grant(receiver, Scope.WRITE, sales)
    item = transfer(in_state("inqueue", queue, None), sales, supervisor)
    Queue.objects.filter(pk=queue.pk).update(retired_at=LATER)
    with pytest.raises(errors.MissingTransferIn) as refusal:
        undo(item, by(receiver))
    assert queue.name not in refusal.value.message


def test_who_receives_it_and_may_send_it_back_undoes_it(supervisor, queue, sales):
    receiver = make_user("receiver")
    grant(receiver, Scope.WRITE, sales)
    grant_transfer_in(receiver, queue)
    item = transfer(in_state("inqueue", queue, None), sales, supervisor)
    assert undo(item, by(receiver)).queue == queue


def test_who_lost_his_rights_at_home_is_like_anybody_else_who_receives_it(refused, lead, queue, sales):
    item = transfer(in_state("inqueue", queue, None), sales, by(lead))
    remove_perm("queues.write_workitems", lead, queue)
    grant(lead, Scope.WRITE, sales)
    refused(errors.MissingTransferIn, item, by(lead))


def test_within_one_queue_nobody_needs_the_right_to_send_into_it(supervisor, queue, ann, ben):
    other = make_user("other")
    grant(other, Scope.WRITE, queue)
    item = transfer(in_state("active", queue, ann), ben, supervisor)
    assert undo(item, by(other)).agent == ann


def test_who_may_read_only_is_told_so(refused, supervisor, tom, queue, sales):
    item = transfer(in_state("inqueue", queue, None), sales, supervisor)
    refused(errors.MissingScope, item, by(tom))


def test_the_transfers_options_do_not_disturb_the_way_back(supervisor, queue, sales, ann):
    options = commands.TransferOptions(event_name="vip", recording=Recording.STOP, survey="s1", ring_all=True)
    item = in_state("active", queue, ann)
    before = as_it_stands(item)
    transfer(item, sales, supervisor, options=options)
    undo(item, supervisor)
    assert as_it_stands(item) == before
