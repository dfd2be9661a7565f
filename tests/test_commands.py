"""Each command: what it changes, what its event says, and its own refusals."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.builders import (
    LATER,
    NOON,
    facts_of,
    last_event,
    make_contact,
    make_disposition,
    make_presence,
    make_queue,
    make_user,
    make_workitem,
)
from workitems import commands, errors, services
from workitems.actors import Actor
from workitems.choices import Door, EndedBy, Event, Recording, Scope, State, Type
from workitems.models import AuditEntry, TimeEvent, Workitem

MINUTE = timedelta(minutes=1)


@pytest.fixture
def do(supervisor):
    """Execute as a supervisor, a minute after noon."""

    def run(command, item, actor=supervisor, now=LATER, **options):
        return services.execute(command, item.workitem_id, actor=actor, now=now, **options)

    return run


@pytest.fixture
def refused(do):
    """Execute, expect a refusal, and see that nothing has changed."""

    def run(refusal, command, item, **options):
        before = facts_of(item)
        with pytest.raises(refusal) as caught:
            do(command, item, **options)
        assert facts_of(item) == before
        return caught.value

    return run


# Into and out of an agent's hands


def test_an_offer_names_the_agent_and_a_deadline_by_the_queues_time_out(do, queue, ann):
    item = do(commands.Offer(ann), make_workitem(queue=queue))
    assert (item.agent, item.offer_expires_at, item.assigned_at) == (ann, LATER + timedelta(seconds=20), None)
    assert last_event(item).agent == ann


def test_an_offer_to_somebody_outside_the_queue_is_refused(refused, queue):
    refused(errors.AgentUnavailable, commands.Offer(make_user("stranger")), make_workitem(queue=queue))


def test_an_offer_to_an_inactive_member_is_refused(refused, queue, ann):
    type(ann).objects.filter(pk=ann.pk).update(is_active=False)
    refused(errors.AgentUnavailable, commands.Offer(ann), make_workitem(queue=queue))


def test_the_agent_who_was_asked_accepts_without_any_scope(do, queue, ann):
    item = make_workitem(State.OFFERED, queue=queue, agent=ann)
    item = do(commands.Accept(), item, actor=Actor.of(ann, Door.API))
    assert (item.state, item.agent, item.assigned_at, item.offer_expires_at) == (State.ACCEPTED, ann, LATER, None)


def test_nobody_else_accepts_an_offer_without_the_admin_scope(refused, queue, ann):
    refused(errors.NotYourOffer, commands.Accept(), make_workitem(State.OFFERED, queue=queue, agent=ann))


def test_an_admin_accepts_on_behalf_of_the_agent_who_was_asked(do, queue, ann, admin_actor):
    item = do(commands.Accept(), make_workitem(State.OFFERED, queue=queue, agent=ann), actor=admin_actor)
    assert item.agent == ann
    assert last_event(item).user == admin_actor.user


def test_a_rejected_offer_keeps_its_place_in_the_queue(do, queue, ann):
    item = do(commands.Reject(), make_workitem(State.OFFERED, queue=queue, agent=ann))
    assert (item.state, item.agent, item.queued_at) == (State.INQUEUE, None, NOON)
    assert last_event(item).details == {"agent": "ann"}


def test_an_expired_offer_keeps_its_place_in_the_queue(do, queue, ann, system):
    item = do(commands.ExpireOffer(), make_workitem(State.OFFERED, queue=queue, agent=ann), actor=system)
    assert (item.state, item.agent, item.queued_at) == (State.INQUEUE, None, NOON)
    assert last_event(item).type == Event.OFFER_EXPIRED


def test_an_offer_does_not_expire_before_its_deadline(refused, queue, ann, system):
    item = make_workitem(State.OFFERED, queue=queue, agent=ann)
    refused(errors.OfferStillOpen, commands.ExpireOffer(), item, actor=system, now=NOON + timedelta(seconds=19))


@pytest.mark.parametrize("presence", ["away", "noAnswer", "offline"])
def test_an_offer_to_somebody_who_is_not_there_is_refused(presence, refused, queue, ann):
    make_presence(ann, presence)
    refusal = refused(errors.NotAvailable, commands.Offer(ann), make_workitem(queue=queue))
    assert refusal.code == "agent_not_available"


def test_somebody_who_is_there_is_offered_work(do, queue, ann):
    make_presence(ann, "available")
    assert do(commands.Offer(ann), make_workitem(queue=queue)).agent == ann


def test_what_returns_to_its_queue_keeps_its_place(do, queue, ann):
    item = do(commands.ReturnToQueue(), make_workitem(State.ACTIVE, queue=queue, agent=ann, is_muted=True))
    assert (item.state, item.queue, item.queued_at) == (State.INQUEUE, queue, NOON)
    assert (item.agent, item.assigned_at, item.is_muted) == (None, None, False)
    assert (last_event(item).type, last_event(item).details) == (Event.RETURNED, {"agent": "ann"})


def test_what_returns_to_its_queue_may_be_sent_to_its_end(do, queue, ann):
    item = do(commands.ReturnToQueue(keeps_place=False), make_workitem(State.ACTIVE, queue=queue, agent=ann))
    assert item.queued_at == LATER


def test_what_never_waited_returns_to_the_end_of_its_queue(do, queue, ann):
    outbound = make_workitem(State.ACTIVE, queue=queue, agent=ann, type=Type.OUTBOUND_CALL, queued_at=None)
    assert do(commands.ReturnToQueue(), outbound).queued_at == LATER


def test_what_has_no_queue_returns_to_none(refused, ann):
    item = make_workitem(State.ACTIVE, queue=None, agent=ann, type=Type.OUTBOUND_CALL)
    refused(errors.NoQueue, commands.ReturnToQueue(), item)


def test_an_agent_returns_his_own_item_without_any_scope(do, queue, ann):
    item = make_workitem(State.HOLD, queue=queue, agent=ann)
    do(commands.ReturnToQueue(), item, actor=Actor.of(ann, Door.API))
    assert facts_of(item)["agent_id"] is None


def test_people_cannot_expire_offers(refused, queue, ann, admin_actor):
    item = make_workitem(State.OFFERED, queue=queue, agent=ann)
    refused(errors.OnlyForJobs, commands.ExpireOffer(), item, actor=admin_actor)


def test_who_pulls_becomes_the_agent(do, queue, sue):
    item = do(commands.Pull(), make_workitem(queue=queue))
    assert (item.agent, item.assigned_at, last_event(item).type) == (sue, LATER, Event.PULLED)


def test_a_job_cannot_pull(refused, queue, system):
    refused(errors.NoAgent, commands.Pull(), make_workitem(queue=queue), actor=system)


# Talking


def test_tones_are_kept_in_the_event(do, queue, ann):
    item = do(commands.Dtmf("12#"), make_workitem(State.ACTIVE, queue=queue, agent=ann))
    assert last_event(item).details == {"tones": "12#"}


@pytest.mark.parametrize("tones", ["", "E", "1" * 33, "1 2", "a"])
def test_other_tones_are_refused(tones, refused, queue, ann):
    refused(errors.InvalidValue, commands.Dtmf(tones), make_workitem(State.ACTIVE, queue=queue, agent=ann))


def test_a_conference_keeps_its_participant_in_normal_form(do, queue, ann):
    item = do(commands.Conference("+44 20 7946 0123"), make_workitem(State.ACTIVE, queue=queue, agent=ann))
    assert last_event(item).details == {"participant": "+442079460123"}


def test_mute_and_unmute_set_the_flag(do, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    assert do(commands.Mute(), item).is_muted
    assert not do(commands.Unmute(), item).is_muted


def test_muting_what_is_muted_writes_nothing(do, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann, is_muted=True)
    before = facts_of(item)
    do(commands.Mute(), item)
    assert facts_of(item) == before


def test_a_held_item_that_goes_on_keeps_its_agent(do, queue, ann):
    item = do(commands.Unhold(), make_workitem(State.HOLD, queue=queue, agent=ann))
    assert (item.state, item.agent) == (State.ACTIVE, ann)


# Ending


def test_hanging_up_keeps_who_did_it_and_the_agent_for_the_disposition(do, queue, ann):
    item = do(commands.HangUp(EndedBy.CUSTOMER), make_workitem(State.ACTIVE, queue=queue, agent=ann, is_muted=True))
    assert (item.terminated_at, item.ended_by, item.agent, item.is_muted) == (LATER, EndedBy.CUSTOMER, ann, False)
    assert (last_event(item).type, last_event(item).details) == (Event.TERMINATED, {"reason": "customer"})


@pytest.mark.parametrize("state", [State.INQUEUE, State.OFFERED])
def test_a_caller_who_gives_up_waiting_abandons(state, do, queue, ann):
    item = make_workitem(state, queue=queue, agent=ann if state == State.OFFERED else None)
    item = do(commands.HangUp(EndedBy.CUSTOMER), item)
    assert (last_event(item).type, item.agent) == (Event.ABANDONED, None)


def test_nobody_abandons_an_email(do, queue):
    item = do(commands.HangUp(EndedBy.CUSTOMER), make_workitem(queue=queue, type=Type.INBOUND_EMAIL))
    assert last_event(item).type == Event.TERMINATED


def test_hanging_up_in_the_name_of_a_policy_is_refused(refused, queue):
    refused(errors.InvalidValue, commands.HangUp(EndedBy.POLICY), make_workitem(queue=queue))


STALE = commands.Stale(MINUTE)  # at LATER, and not before
STALE_COMMANDS = {
    "terminate": (State.ACTIVE, commands.TerminateStale),
    "requeue": (State.ACTIVE, lambda stale: commands.RequeueStale(stale=stale)),
    "dispose": (State.TERMINATED, lambda stale: commands.DisposeStale(make_disposition(), stale=stale)),
    "warn": (State.ACTIVE, lambda stale: commands.WarnStale(stale, warning=MINUTE)),
}


@pytest.fixture(params=list(STALE_COMMANDS))
def stale_command(request, queue, ann):
    """Return what makes each of the policies' commands for one idea of stale, and a workitem that it is for."""

    def prepare(stale=STALE, **facts):
        state, make = STALE_COMMANDS[request.param]
        return make(stale), make_workitem(state, queue=queue, agent=ann, **facts)

    return prepare


def test_a_policy_acts_on_what_has_stood_still_long_enough(stale_command, do, system):
    item = do(*stale_command(), actor=system)
    assert item.version == 2


def test_no_policy_acts_a_moment_too_early(stale_command, refused, system):
    refused(errors.NotStale, *stale_command(), actor=system, now=LATER - timedelta(microseconds=1))


def test_no_policy_acts_where_something_happened_meanwhile(stale_command, refused, system):
    refused(errors.NotStale, *stale_command(active_at=NOON + timedelta(seconds=1)), actor=system)


def test_no_policy_acts_on_what_is_exempt(stale_command, refused, system):
    refused(errors.IsExempt, *stale_command(exempt_until=LATER + timedelta(microseconds=1)), actor=system)


def test_an_exemption_ends_at_its_time(stale_command, do, system):
    assert do(*stale_command(exempt_until=LATER), actor=system).version == 2


def test_a_policy_that_warns_first_does_not_act_without_the_warning(refused, queue, system):
    command = commands.TerminateStale(commands.Stale(MINUTE, warned=True))
    refused(errors.NotWarned, command, make_workitem(queue=queue), actor=system)
    still = make_workitem(queue=queue, stale_at=LATER + timedelta(microseconds=1))
    refused(errors.NotWarned, command, still, actor=system)


def test_a_policy_that_warns_first_acts_once_the_warning_has_stood_its_time(do, queue, system):
    command = commands.TerminateStale(commands.Stale(MINUTE, warned=True))
    assert do(command, make_workitem(queue=queue, stale_at=LATER), actor=system).state == State.TERMINATED


def test_a_policy_for_another_state_does_not_hold(stale_command, refused, system):
    refused(errors.OtherPolicy, *stale_command(commands.Stale(MINUTE, state="offered")), actor=system)


def test_no_policy_disposes_of_what_lies_in_the_archive(refused, queue, system):
    item = make_workitem(State.TERMINATED, queue=queue, archived_at=NOON)
    refused(errors.OtherPolicy, commands.DisposeStale(make_disposition(), stale=STALE), item, actor=system)


def test_the_event_tells_since_when_nothing_happened_and_which_policy_acted(do, queue, system):
    stale = commands.Stale(MINUTE, details={"policyId": "p_lost"})
    item = do(commands.TerminateStale(stale), make_workitem(queue=queue), actor=system)
    since = int(NOON.timestamp() * 1000)
    assert (item.ended_by, item.terminated_at) == (EndedBy.POLICY, LATER)
    assert (last_event(item).type, last_event(item).actor) == (Event.TERMINATED_STALE, "sweep")
    assert last_event(item).details == {"since": since, "policyId": "p_lost"}


@pytest.mark.parametrize(("keeps_place", "queued_at"), [(True, NOON), (False, LATER)])
def test_a_policy_requeues_at_the_old_place_or_at_the_end(keeps_place, queued_at, do, queue, ann, system):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    item = do(commands.RequeueStale(keeps_place, stale=STALE), item, actor=system)
    assert (item.state, item.agent, item.queued_at) == (State.INQUEUE, None, queued_at)


def test_a_policy_sets_only_a_disposition_that_applies(refused, queue, system):
    command = commands.DisposeStale(make_disposition(types=["Chat"]), stale=STALE)
    refused(errors.DispositionDoesNotApply, command, make_workitem(State.TERMINATED, queue=queue), actor=system)


def test_a_warning_marks_the_item_and_activity_takes_the_mark_away(do, queue, system):
    item = do(commands.WarnStale(STALE, warning=5 * MINUTE), make_workitem(queue=queue), actor=system)
    assert (item.stale_at, item.active_at, item.state) == (LATER + 5 * MINUTE, NOON, State.INQUEUE)
    assert last_event(item).type == Event.STALE_WARNED
    assert do(commands.AddNote("On it."), item).stale_at is None


def test_nobody_is_warned_twice(refused, queue, system):
    command = commands.WarnStale(STALE, warning=MINUTE)
    refused(errors.NotStale, command, make_workitem(queue=queue, stale_at=LATER), actor=system)


def test_people_do_not_warn(refused, queue, admin_actor):
    command = commands.WarnStale(STALE, warning=MINUTE)
    refused(errors.OnlyForJobs, command, make_workitem(queue=queue), actor=admin_actor)


def test_an_exemption_is_set_moved_and_lifted_and_takes_the_mark_away(do, queue):
    item = make_workitem(queue=queue, stale_at=LATER)
    for until in (LATER + MINUTE, LATER + 2 * MINUTE, None):
        item = do(commands.Exempt(until), item)
        assert (item.exempt_until, item.stale_at, item.active_at) == (until, None, NOON)
        until_ms = int(until.timestamp() * 1000) if until else 0
        assert (last_event(item).type, last_event(item).details) == (Event.EXEMPTED, {"until": until_ms})


def test_exempting_as_it_is_already_writes_nothing(do, queue):
    item = make_workitem(queue=queue, exempt_until=LATER + MINUTE)
    before = facts_of(item)
    do(commands.Exempt(LATER + MINUTE), item)
    assert facts_of(item) == before


@pytest.mark.parametrize("until", [NOON, LATER, LATER + timedelta(days=367)])
def test_an_exemption_ends_in_time_to_come_and_within_a_year(until, refused, queue):
    refused(errors.InvalidValue, commands.Exempt(until), make_workitem(queue=queue))


def test_what_lies_in_the_archive_needs_no_exemption(refused, queue):
    item = make_workitem(State.TERMINATED, queue=queue, archived_at=NOON)
    refused(errors.IsArchived, commands.Exempt(LATER + MINUTE), item)


def test_what_a_policy_ended_comes_back_to_its_place(do, queue, system, admin_actor):
    item = make_workitem(queue=queue)
    do(commands.TerminateStale(STALE), item, actor=system)
    item = do(commands.Reopen(), item, actor=admin_actor)
    assert (item.state, item.queue, item.queued_at) == (State.INQUEUE, queue, NOON)
    assert (item.terminated_at, item.ended_by) == (None, "")


def test_what_people_ended_is_not_reopened(refused, queue, admin_actor):
    refused(errors.NotEndedByPolicy, commands.Reopen(), make_workitem(State.TERMINATED, queue=queue), actor=admin_actor)


def test_an_archived_item_is_not_reopened(refused, queue, admin_actor):
    item = make_workitem(State.TERMINATED, queue=queue, ended_by=EndedBy.POLICY, archived_at=NOON)
    refused(errors.IsArchived, commands.Reopen(), item, actor=admin_actor)


def test_a_disposition_is_kept_with_its_note(do, queue, ann):
    solved = make_disposition()
    item = do(commands.SetDisposition(solved, "By phone."), make_workitem(State.TERMINATED, queue=queue, agent=ann))
    assert (item.disposition, item.disposition_note, item.dispositioned_at) == (solved, "By phone.", LATER)
    assert last_event(item).details == {"dispositionId": "d_solved"}


@pytest.mark.parametrize("facts", [{"types": ["Chat"]}, {"is_active": False}])
def test_a_disposition_for_other_types_or_out_of_use_is_refused(facts, refused, queue):
    command = commands.SetDisposition(make_disposition(**facts))
    refused(errors.DispositionDoesNotApply, command, make_workitem(State.TERMINATED, queue=queue))


# Elsewhere


def test_a_transfer_to_a_queue_goes_to_its_end_and_frees_the_agent(do, queue, sales, ann):
    item = do(commands.TransferToQueue(sales), make_workitem(State.ACTIVE, queue=queue, agent=ann))
    assert (item.state, item.queue, item.queued_at, item.agent) == (State.INQUEUE, sales, LATER, None)
    event = last_event(item)
    assert (event.type, event.queue) == (Event.TRANSFERRED, sales)
    assert event.details == {
        "from": "q_support",
        "to": "q_sales",
        "before": {
            "state": "active",
            "queueId": "q_support",
            "queuedAt": NOON.timestamp() * 1000,
            "agent": "ann",
            "assignedAt": NOON.timestamp() * 1000,
        },
    }


def test_a_transfer_sets_a_priority_and_remembers_the_old_one(do, queue, sales, ann, ben):
    there = do(commands.TransferToQueue(sales, priority=5), make_workitem(queue=queue))
    with_ben = do(commands.TransferToAgent(ben, priority=1), make_workitem(State.ACTIVE, queue=queue, agent=ann))
    assert (there.priority, with_ben.priority) == (5, 1)
    assert [last_event(item).details["before"]["priority"] for item in (there, with_ben)] == [3, 3]


def test_a_transfer_that_keeps_the_priority_says_nothing_of_it(do, queue, sales):
    item = do(commands.TransferToQueue(sales, priority=3), make_workitem(queue=queue))
    assert "priority" not in last_event(item).details["before"]


@pytest.mark.parametrize("priority", [0, 6])
def test_a_transfer_to_another_priority_than_one_to_five_is_refused(priority, refused, queue, sales, ben):
    for command in (
        commands.TransferToQueue(sales, priority=priority),
        commands.TransferToAgent(ben, priority=priority),
    ):
        refused(errors.InvalidValue, command, make_workitem(queue=queue))


def test_the_event_of_a_bulk_transfer_names_the_transfer(do, queue, sales):
    options = commands.TransferOptions(transfer_id="tr_1")
    item = do(commands.TransferToQueue(sales, options), make_workitem(queue=queue))
    assert last_event(item).details["transferId"] == "tr_1"


def test_a_transfer_to_its_own_queue_is_refused(refused, queue):
    refused(errors.AlreadyInQueue, commands.TransferToQueue(queue), make_workitem(queue=queue))


def test_a_transfer_to_a_closed_queue_is_refused_even_if_it_closed_just_now(refused, queue, sales):
    type(sales).objects.filter(pk=sales.pk).update(is_open=False)
    refused(errors.QueueClosed, commands.TransferToQueue(sales), make_workitem(queue=queue))


def test_a_transfer_to_a_queue_for_other_channels_is_refused(refused, queue):
    mail = make_queue("q_mail", channels=["email"])
    refused(errors.QueueRefusesChannel, commands.TransferToQueue(mail), make_workitem(queue=queue))


def test_a_transfer_to_an_agent_is_an_offer_with_a_deadline(do, queue, ann, ben):
    options = commands.TransferOptions(event_name="vip", recording=Recording.STOP, survey="s1", ring_all=False)
    item = do(commands.TransferToAgent(ben, options), make_workitem(State.ACTIVE, queue=queue, agent=ann))
    assert (item.state, item.agent, item.offer_expires_at) == (State.OFFERED, ben, LATER + timedelta(seconds=20))
    details = last_event(item).details
    assert details.pop("before")["agent"] == "ann"
    assert details == {
        "from": "ann",
        "agent": "ben",
        "eventName": "vip",
        "recording": "stopRecording",
        "survey": "s1",
        "ringAll": False,
    }


def test_a_transfer_to_the_agent_who_has_it_is_refused(refused, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    refused(errors.AlreadyWithAgent, commands.TransferToAgent(ann), item)


def test_a_transfer_to_somebody_who_works_in_no_queue_is_refused(refused, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    refused(errors.AgentUnavailable, commands.TransferToAgent(make_user("clerk")), item)


def test_an_outbound_call_without_a_queue_gets_one_to_fall_back_to(do, queue, ann, ben):
    item = make_workitem(State.ACTIVE, queue=None, agent=ann, type=Type.OUTBOUND_CALL)
    do(commands.TransferToAgent(ben), item)
    item = do(commands.Reject(), item)
    assert (item.state, item.queue, item.queued_at) == (State.INQUEUE, queue, LATER)


# Corrections


def test_the_priority_goes_from_old_to_new(do, queue):
    item = do(commands.SetPriority(5), make_workitem(queue=queue))
    assert (item.priority, last_event(item).details) == (5, {"old": 3, "new": 5})


@pytest.mark.parametrize("priority", [0, 6, -1])
def test_other_priorities_are_refused(priority, refused, queue):
    refused(errors.InvalidValue, commands.SetPriority(priority), make_workitem(queue=queue))


def test_an_edit_keeps_old_and_new_of_what_changed_only(do, queue):
    ada = make_contact()
    item = make_workitem(queue=queue, name="Old")
    item = do(commands.Edit({"name": "New", "to": "", "contact": ada, "from": "+1 202-555-0123"}), item)
    assert (item.name, item.contact, item.from_address) == ("New", ada, "+12025550123")
    assert last_event(item).details == {
        "name": {"old": "Old", "new": "New"},
        "contact": {"old": None, "new": ada.contact_id},
        "from": {"old": "", "new": "+12025550123"},
    }


def test_an_edit_that_changes_nothing_writes_nothing(do, queue):
    item = make_workitem(queue=queue, name="Old")
    before = facts_of(item)
    do(commands.Edit({"name": "Old"}), item)
    assert facts_of(item) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "active"},
        {"agent": None},
        {"name": "x" * 201},
        {"name": 5},
        {"name": "nul\x00"},
        {"data": []},
        {"data": {"x": "y" * 17_000}},
        {"currentStateName": ""},
        {"contact": "ct_1"},
    ],
)
def test_an_edit_of_other_fields_or_to_other_values_is_refused(changes, refused, queue):
    refused(errors.InvalidValue, commands.Edit(changes), make_workitem(queue=queue))


def test_the_workflow_step_follows_the_state_until_an_integration_names_its_own(do, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    assert do(commands.Hold(), item).current_state_name == "hold"
    do(commands.Edit({"currentStateName": "verify identity"}), item)
    assert do(commands.Unhold(), item).current_state_name == "verify identity"


def test_a_note_keeps_its_text(do, queue):
    item = do(commands.AddNote("Called back."), make_workitem(queue=queue))
    assert (last_event(item).type, last_event(item).details) == ("note", {"text": "Called back."})


def test_an_integration_writes_events_of_its_own(do, queue):
    item = do(commands.AddNote(name="bot.handover", details={"score": 3}), make_workitem(queue=queue))
    assert (last_event(item).type, last_event(item).details) == ("bot.handover", {"score": 3})


@pytest.mark.parametrize(
    "note",
    [
        commands.AddNote(" "),
        commands.AddNote("x", name="terminated"),
        commands.AddNote("x", name=""),
        commands.AddNote("x", name="n" * 65),
        commands.AddNote("x" * 17_000),
    ],
)
def test_empty_large_or_falsely_named_notes_are_refused(note, refused, queue):
    refused(errors.InvalidValue, note, make_workitem(queue=queue))


# The archive


def test_archived_and_back(do, queue):
    item = do(commands.Archive(), make_workitem(State.DISPOSITIONED, queue=queue))
    assert item.archived_at == LATER
    assert do(commands.Unarchive(), item).archived_at is None


def test_archiving_twice_is_refused(refused, queue):
    item = make_workitem(State.DISPOSITIONED, queue=queue, archived_at=NOON)
    refused(errors.IsArchived, commands.Archive(), item)


def test_a_purge_takes_history_along_and_leaves_an_audit_entry(do, queue, admin_actor):
    item = make_workitem(State.DISPOSITIONED, queue=queue, archived_at=NOON)
    do(commands.Purge(), item, actor=admin_actor)
    assert not Workitem.objects.exists()
    assert not TimeEvent.objects.exists()
    entry = AuditEntry.objects.get()
    assert (entry.what, entry.subject, entry.user) == ("purged", item.workitem_id, admin_actor.user)


def test_what_is_not_archived_is_not_purged(refused, queue, admin_actor):
    item = make_workitem(State.DISPOSITIONED, queue=queue)
    refused(errors.NotArchived, commands.Purge(), item, actor=admin_actor)


# Arrival


def create(actor, **facts):
    return services.create(commands.Create(**facts), actor=actor, now=NOON)


def test_an_inbound_call_arrives_in_its_queue(supervisor, queue):
    item = create(supervisor, type=Type.INBOUND_CALL, queue=queue)
    assert (item.state, item.queue, item.queued_at, item.agent, item.version) == ("inqueue", queue, NOON, None, 1)
    assert (last_event(item).type, last_event(item).actor) == (Event.CREATED, "sue")


def test_an_outbound_call_starts_with_its_agent(supervisor, queue, ann):
    item = create(supervisor, type=Type.OUTBOUND_CALL, agent=ann, queue=queue)
    assert (item.state, item.agent, item.assigned_at, item.queued_at) == ("accepted", ann, NOON, None)


def test_outbound_work_without_an_agent_is_the_callers(supervisor, sue):
    assert create(supervisor, type=Type.OUTBOUND_SMS).agent == sue


def test_new_work_takes_the_queues_priority(supervisor):
    assert create(supervisor, type=Type.CHAT, queue=make_queue("q_vip", priority=5)).priority == 5


def test_the_contact_is_found_by_number_however_typed(supervisor, queue):
    ada = make_contact(phones=("+12025550123",))
    item = create(supervisor, type=Type.INBOUND_CALL, queue=queue, from_address="(202) 555-0123")
    assert (item.contact, item.from_address) == (ada, "+12025550123")


def test_the_contact_is_found_by_address_in_any_case(supervisor, queue):
    ada = make_contact(emails=("ada@example.com",))
    assert create(supervisor, type=Type.INBOUND_EMAIL, queue=queue, from_address="Ada@Example.com").contact == ada


def test_outbound_work_finds_whom_it_goes_to(supervisor):
    ada = make_contact(phones=("+12025550123",))
    assert create(supervisor, type=Type.OUTBOUND_CALL, to_address="+12025550123").contact == ada


def test_a_number_that_two_people_share_finds_nobody(supervisor, queue):
    make_contact("Ada", phones=("+12025550123",))
    make_contact("Bob", phones=("+12025550123",))
    assert create(supervisor, type=Type.INBOUND_CALL, queue=queue, from_address="+12025550123").contact is None


@pytest.mark.parametrize("address", ["anonymous", "sip:bob@pbx.example", "1001", ""])
def test_addresses_that_are_no_numbers_are_kept_as_they_are(address, supervisor, queue):
    assert create(supervisor, type=Type.INBOUND_CALL, queue=queue, from_address=address).from_address == address


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"type": Type.INBOUND_CALL}, errors.InvalidValue),
        ({"type": Type.INBOUND_CALL, "channel_type": "email"}, errors.InvalidValue),
        ({"type": Type.OUTBOUND_CALL, "priority": 9}, errors.InvalidValue),
        ({"type": Type.OUTBOUND_CALL, "workitem_id": "a b"}, errors.InvalidValue),
        ({"type": Type.OUTBOUND_CALL, "data": {"x": "y" * 17_000}}, errors.InvalidValue),
        ({"type": Type.OUTBOUND_CALL, "name": "x" * 201}, errors.InvalidValue),
    ],
)
def test_what_makes_no_sense_does_not_arrive(facts, refusal, supervisor):
    with pytest.raises(refusal):
        create(supervisor, **facts)
    assert not Workitem.objects.exists()


def test_nothing_arrives_in_a_closed_queue(supervisor):
    with pytest.raises(errors.QueueClosed):
        create(supervisor, type=Type.INBOUND_CALL, queue=make_queue("q_night", is_open=False))
    assert not Workitem.objects.exists()


def test_an_id_arrives_once(supervisor, queue):
    create(supervisor, type=Type.INBOUND_CALL, queue=queue, workitem_id="crm-1")
    with pytest.raises(errors.DuplicateWorkitem):
        create(supervisor, type=Type.INBOUND_CALL, queue=queue, workitem_id="crm-1")
    assert Workitem.objects.count() == 1


def test_creating_needs_the_write_scope_on_the_queue(tom, queue):
    with pytest.raises(errors.MissingScope):
        create(Actor.of(tom, Door.API), type=Type.INBOUND_CALL, queue=queue)
    assert not Workitem.objects.exists()


def test_a_job_that_may_only_read_creates_nothing(queue):
    with pytest.raises(errors.MissingScope):
        create(Actor.job("reader", Scope.READ), type=Type.INBOUND_CALL, queue=queue)
    assert not Workitem.objects.exists()
