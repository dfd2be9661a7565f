"""Stale policies: the most specific holds, a warning stands its time, a cap stops, and every run says what it did."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError

from tests.builders import NOON, facts_of, last_event, make_disposition, make_user, make_workitem
from workitems import commands, policies, runs, services
from workitems.actors import Actor
from workitems.choices import Door, EndedBy, Event, Scope, State, Type
from workitems.commands import Command
from workitems.errors import DuplicateObject, InUse, MissingScope, NothingToDo, StaleVersion, WrongRunState
from workitems.groups import grant
from workitems.models import AuditEntry, PolicyRun, StalePolicy, TimeEvent, Workitem
from workitems.policies import simulation, sweeps

SHIPPED = import_module("workitems.migrations.0005_shipped_policies")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _none_shipped(db):
    """Begin without the policies that are shipped."""
    StalePolicy.objects.all().delete()


def make_policy(policy_id="p_one", **facts):
    values = {"name": policy_id, "is_enabled": True, "state": State.INQUEUE, "after_seconds": 3600}
    return StalePolicy.objects.create(policy_id=policy_id, **(values | facts))


def work_off(run, now):
    runs.work_off(policies.POLICY_RUNS, run.pk, clock=lambda: now, seconds=60)
    run.refresh_from_db()
    return run


def sweep(now):
    """Begin what there is to begin, work it off, and return the runs."""
    return [work_off(run, now) for run in policies.sweep(policies.look(now=now), now=now)]


def outcomes(run):
    return {item.workitem_id: item.code or item.outcome for item in run.items.all()}


# Which policy holds

ANYWHERE, BY_CHANNEL, BY_QUEUE, BY_BOTH = ("", ""), ("", "voice"), ("q_support", ""), ("q_support", "voice")


@pytest.mark.parametrize(
    ("switched_on", "place", "holds"),
    [
        ([ANYWHERE, BY_CHANNEL, BY_QUEUE, BY_BOTH], ("q_support", Type.INBOUND_CALL), BY_BOTH),
        ([ANYWHERE, BY_CHANNEL, BY_QUEUE], ("q_support", Type.INBOUND_CALL), BY_QUEUE),
        ([ANYWHERE, BY_CHANNEL], ("q_support", Type.INBOUND_CALL), BY_CHANNEL),
        ([ANYWHERE], ("q_support", Type.INBOUND_CALL), ANYWHERE),
        ([ANYWHERE, BY_CHANNEL, BY_QUEUE, BY_BOTH], ("q_support", Type.CHAT), BY_QUEUE),
        ([ANYWHERE, BY_CHANNEL, BY_BOTH], ("q_support", Type.CHAT), ANYWHERE),
        ([ANYWHERE, BY_CHANNEL, BY_QUEUE, BY_BOTH], ("q_sales", Type.INBOUND_CALL), BY_CHANNEL),
        ([ANYWHERE, BY_QUEUE, BY_BOTH], ("q_sales", Type.INBOUND_CALL), ANYWHERE),
        ([BY_QUEUE, BY_BOTH], ("q_sales", Type.INBOUND_CALL), None),
        ([ANYWHERE, BY_CHANNEL, BY_QUEUE, BY_BOTH], ("q_sales", Type.CHAT), ANYWHERE),
        ([BY_CHANNEL, BY_BOTH], ("q_sales", Type.CHAT), None),
    ],
)
def test_the_most_specific_policy_holds(switched_on, place, holds, queue, sales):
    queues = {"q_support": queue, "q_sales": sales}
    for queue_id, channel in switched_on:
        make_policy(f"p_{queue_id}_{channel}", queue=queues.get(queue_id), channel=channel)
    queue_id, kind = place
    make_workitem(queue=queues[queue_id], type=kind)
    began = [run.policy.policy_id for run in policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR)]
    assert began == ([] if holds is None else [f"p_{holds[0]}_{holds[1]}"])


@pytest.mark.parametrize(("place", "holds"), [("voice", "p_voice"), ("email", "p_any")])
def test_what_is_in_no_queue_is_reached_by_policies_for_any(place, holds, ann, queue):
    make_policy("p_any", state=State.ACTIVE)
    make_policy("p_voice", state=State.ACTIVE, channel="voice")
    make_policy("p_queue", state=State.ACTIVE, queue=queue)
    kind = {"voice": Type.OUTBOUND_CALL, "email": Type.OUTBOUND_EMAIL}[place]
    make_workitem(State.ACTIVE, queue=None, agent=ann, type=kind)
    assert [run.policy.policy_id for run in policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR)] == [holds]


def test_a_longer_time_of_the_more_specific_policy_counts(queue):
    make_policy("p_any")
    make_policy("p_queue", queue=queue, after_seconds=7200)
    make_workitem(queue=queue)
    assert policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR) == []
    assert len(policies.sweep(policies.look(now=NOON + 2 * HOUR), now=NOON + 2 * HOUR)) == 1


def test_a_halted_policy_keeps_the_less_specific_ones_off(queue):
    make_policy("p_any")
    make_policy("p_queue", queue=queue, halted_at=NOON)
    make_workitem(queue=queue)
    assert policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR) == []


def test_a_policy_that_is_switched_off_keeps_nothing_off(queue):
    make_policy("p_any")
    make_policy("p_queue", queue=queue, is_enabled=False)
    make_workitem(queue=queue)
    assert [run.policy.policy_id for run in policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR)] == [
        "p_any"
    ]


@pytest.mark.parametrize("state", [State.OFFERED, State.TERMINATED, State.DISPOSITIONED])
def test_other_states_are_left_alone(state, queue, ann):
    make_policy()
    make_workitem(state, queue=queue, agent=ann)
    assert policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR) == []


def test_what_lies_in_the_archive_is_left_alone(queue):
    make_policy(act="dispose", disposition=make_disposition(), state=State.TERMINATED)
    make_workitem(State.TERMINATED, queue=queue, archived_at=NOON)
    assert policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR) == []


def test_more_places_than_one_part_of_a_statement_takes_still_come_oldest_first(monkeypatch, queue, sales):
    monkeypatch.setattr(policies.reach, "TOGETHER", 2)
    make_policy(cap=3)
    kinds = [Type.INBOUND_CALL, Type.CHAT, Type.INBOUND_EMAIL, Type.INBOUND_SMS]
    items = [
        make_workitem(queue=one, type=kind, active_at=NOON - n * MINUTE)
        for n, (one, kind) in enumerate((one, kind) for one in (queue, sales) for kind in kinds)
    ]
    [run] = policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR)
    named = list(run.items.order_by("pk").values_list("workitem_id", flat=True))
    assert named == [item.workitem_id for item in items[:-4:-1]]


# What counts as activity


@pytest.mark.parametrize(
    ("command", "spared"),
    [
        (commands.AddNote("He calls back at two."), True),
        (commands.AddNote(name="crmUpdated", details={"case": 7}), True),
        (commands.Hold(), True),
        (commands.SetPriority(5), False),
        (commands.Edit({"name": "Another subject"}), False),
    ],
)
def test_activity_is_a_change_of_state_a_note_or_an_event_of_an_integration(command, spared, queue, ann, admin_actor):
    make_policy("p_active", state=State.ACTIVE)
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    services.execute(command, item.workitem_id, actor=admin_actor, now=NOON + 30 * MINUTE)
    assert (policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR) == []) is spared


def test_a_mere_read_is_no_activity(queue, amy):
    from tests.doors import browser

    make_policy()
    item = make_workitem(queue=queue)
    browser(amy).get(item.get_absolute_url())
    assert len(policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR)) == 1


def test_the_simulation_knows_the_events_that_are_no_activity():
    kinds, quiet = [Command], set()
    while kinds:
        kind = kinds.pop()
        kinds.extend(kind.__subclasses__())
        if not kind.is_activity and kind.__module__.startswith("workitems."):
            quiet.add(kind.__name__)
    told = {
        "SetPriority": {Event.PRIORITIZED},
        "Edit": {Event.EDITED},
        "FollowContact": {Event.EDITED},
        "ErasePerson": {Event.EDITED},
        "Exempt": {Event.EXEMPTED},
        "WarnStale": {Event.STALE_WARNED},
        "Archive": {Event.ARCHIVED},
        "Unarchive": {Event.UNARCHIVED},
        "UndoArchive": {Event.UNARCHIVED},
        "UndoUnarchive": {Event.ARCHIVED},
        "UndoPriority": {Event.PRIORITIZED},
        "UndoEdit": {Event.EDITED},
        "TellOfMail": {Event.EMAIL_FAILED, Event.EMAIL_SENT},
    }
    assert quiet == set(told)
    assert set(simulation.QUIET) | {Event.ARCHIVED} == set().union(*told.values())


# Warnings


def test_it_warns_first_and_acts_when_the_warning_has_stood_its_time(queue):
    make_policy(warn_seconds=600)
    item = make_workitem(queue=queue)
    assert policies.warn(policies.look(now=NOON + 49 * MINUTE), now=NOON + 49 * MINUTE) == 0
    assert policies.warn(policies.look(now=NOON + 50 * MINUTE), now=NOON + 50 * MINUTE) == 1
    item.refresh_from_db()
    assert (item.stale_at, item.active_at, item.state) == (NOON + HOUR, NOON, State.INQUEUE)
    assert policies.sweep(policies.look(now=NOON + 59 * MINUTE), now=NOON + 59 * MINUTE) == []
    assert sweep(NOON + HOUR)[0].done == 1


def test_the_warning_tells_which_policy_gives_it(queue):
    policy = make_policy(warn_seconds=600)
    item = make_workitem(queue=queue)
    policies.warn(policies.look(now=NOON + 50 * MINUTE), now=NOON + 50 * MINUTE)
    event = last_event(item)
    assert (event.type, event.actor) == (Event.STALE_WARNED, "stale-policies")
    assert event.details == {
        "staleAt": int((NOON + HOUR).timestamp() * 1000), "policyId": policy.policy_id, "policyVersion": 1,
    }  # fmt: skip


def test_a_policy_switched_on_late_still_warns_first(queue):
    make_policy(warn_seconds=600)
    make_workitem(queue=queue)
    late = NOON + 100 * HOUR
    assert policies.sweep(policies.look(now=late), now=late) == []
    assert policies.warn(policies.look(now=late), now=late) == 1
    assert policies.sweep(policies.look(now=late + 9 * MINUTE), now=late + 9 * MINUTE) == []
    assert sweep(late + 10 * MINUTE)[0].done == 1


def test_it_warns_once(queue):
    make_policy(warn_seconds=600)
    make_workitem(queue=queue)
    assert [policies.warn(policies.look(now=NOON + HOUR), now=NOON + HOUR) for _ in range(2)] == [1, 0]


def test_activity_takes_the_mark_away_and_the_time_begins_anew(queue, admin_actor):
    make_policy(warn_seconds=600)
    item = make_workitem(queue=queue)
    policies.warn(policies.look(now=NOON + 50 * MINUTE), now=NOON + 50 * MINUTE)
    services.execute(commands.AddNote("x"), item.workitem_id, actor=admin_actor, now=NOON + 55 * MINUTE)
    item.refresh_from_db()
    assert item.stale_at is None
    assert policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR) == []
    assert policies.warn(policies.look(now=NOON + HOUR + 45 * MINUTE), now=NOON + HOUR + 45 * MINUTE) == 1


def test_a_sweep_warns_of_so_many_at_most_and_the_next_goes_on(queue, monkeypatch):
    monkeypatch.setattr(sweeps, "MOST_WARNED", 3)
    make_policy(warn_seconds=600)
    for _ in range(5):
        make_workitem(queue=queue)
    assert [policies.warn(policies.look(now=NOON + HOUR), now=NOON + HOUR) for _ in range(3)] == [3, 2, 0]


def test_a_halted_policy_warns_nobody(queue):
    make_policy(warn_seconds=600, halted_at=NOON)
    make_workitem(queue=queue)
    assert policies.warn(policies.look(now=NOON + HOUR), now=NOON + HOUR) == 0


# What is done


def test_terminated_as_stale_by_the_same_command_as_everybody(queue):
    policy = make_policy()
    item = make_workitem(queue=queue)
    [run] = sweep(NOON + HOUR)
    item.refresh_from_db()
    event = last_event(item)
    assert (item.state, item.ended_by, item.version) == (State.TERMINATED, EndedBy.POLICY, 2)
    assert (event.type, event.actor, event.door) == (Event.TERMINATED_STALE, "stale-policies", Door.JOB)
    assert event.details == {
        "since": int(NOON.timestamp() * 1000),
        "policyId": policy.policy_id,
        "policyVersion": 1,
        "runId": run.run_id,
    }


@pytest.mark.parametrize(("keeps_place", "queued_at"), [(True, NOON - HOUR), (False, NOON + HOUR)])
def test_requeued_at_its_old_place_or_at_the_end(keeps_place, queued_at, queue, ann):
    make_policy(state=State.ACCEPTED, act="requeue", keeps_place=keeps_place)
    item = make_workitem(State.ACCEPTED, queue=queue, agent=ann, queued_at=NOON - HOUR)
    [run] = sweep(NOON + HOUR)
    item.refresh_from_db()
    assert (item.state, item.agent, item.queued_at, run.done) == (State.INQUEUE, None, queued_at, 1)


def test_what_has_no_queue_to_return_to_is_no_case_for_requeueing(ann):
    make_policy(state=State.ACCEPTED, act="requeue")
    make_workitem(State.ACCEPTED, queue=None, agent=ann, type=Type.OUTBOUND_CALL)
    assert policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR) == []


def test_disposed_of_with_the_disposition_of_the_policy(queue):
    disposition = make_disposition()
    make_policy(state=State.TERMINATED, act="dispose", disposition=disposition)
    item = make_workitem(State.TERMINATED, queue=queue)
    [run] = sweep(NOON + HOUR)
    item.refresh_from_db()
    assert (item.state, item.disposition, run.done) == (State.DISPOSITIONED, disposition, 1)


def test_a_disposition_for_other_types_disposes_of_nothing(queue):
    disposition = make_disposition(types=[Type.OUTBOUND_CALL, Type.CHAT])
    make_policy(state=State.TERMINATED, act="dispose", disposition=disposition)
    make_workitem(State.TERMINATED, queue=queue)
    assert policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR) == []


def test_a_disposition_that_is_out_of_use_disposes_of_nothing(queue):
    make_policy(state=State.TERMINATED, act="dispose", disposition=make_disposition(is_active=False))
    make_workitem(State.TERMINATED, queue=queue)
    assert policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR) == []


def test_one_run_acts_on_all_queues_and_channels_of_its_policy(queue, sales):
    make_policy()
    for one in (queue, sales):
        for kind in (Type.INBOUND_CALL, Type.CHAT):
            make_workitem(queue=one, type=kind)
    [run] = sweep(NOON + HOUR)
    assert (run.total, run.done) == (4, 4)


# Caps


def test_a_run_stops_at_its_cap_with_an_alert_and_takes_the_oldest(queue):
    policy = make_policy(cap=2)
    items = [make_workitem(queue=queue, active_at=NOON - n * MINUTE) for n in range(3)]
    [run] = sweep(NOON + HOUR)
    policy.refresh_from_db()
    assert (run.is_capped, run.total, policy.halted_at) == (True, 2, NOON + HOUR)
    assert set(outcomes(run)) == {items[2].workitem_id, items[1].workitem_id}
    assert list(policies.alerts()) == [run]


def test_a_run_that_just_fits_is_not_capped(queue):
    policy = make_policy(cap=2)
    for _ in range(2):
        make_workitem(queue=queue)
    [run] = sweep(NOON + HOUR)
    policy.refresh_from_db()
    assert (run.is_capped, run.done, policy.halted_at) == (False, 2, None)
    assert list(policies.alerts()) == []


def test_a_halted_policy_waits_until_somebody_goes_on(queue, admin_actor, amy):
    policy = make_policy(cap=2)
    for _ in range(3):
        make_workitem(queue=queue)
    [run] = sweep(NOON + HOUR)
    assert policies.sweep(policies.look(now=NOON + 2 * HOUR), now=NOON + 2 * HOUR) == []
    policies.go_on(run, actor=admin_actor, now=NOON + 2 * HOUR)
    policy.refresh_from_db()
    assert (run.acknowledged_at, run.acknowledged_by, policy.halted_at) == (NOON + 2 * HOUR, amy, None)
    assert list(policies.alerts()) == []
    assert [one.total for one in sweep(NOON + 2 * HOUR)] == [1]


def test_going_on_twice_does_nothing_more(queue, admin_actor):
    policy = make_policy(cap=1)
    for _ in range(3):
        make_workitem(queue=queue)
    [first] = sweep(NOON + HOUR)
    policies.go_on(first, actor=admin_actor, now=NOON + HOUR)
    [_second] = sweep(NOON + HOUR)
    policies.go_on(first, actor=admin_actor, now=NOON + 2 * HOUR)
    policy.refresh_from_db()
    assert policy.halted_at == NOON + HOUR


def test_only_a_run_that_has_halted_its_policy_lets_go_on(queue, admin_actor):
    make_policy()
    make_workitem(queue=queue)
    [run] = sweep(NOON + HOUR)
    with pytest.raises(WrongRunState):
        policies.go_on(run, actor=admin_actor, now=NOON + HOUR)


# Spared


def test_what_was_active_between_finding_and_locking_is_spared(queue, admin_actor):
    make_policy()
    item, other = make_workitem(queue=queue), make_workitem(queue=queue)
    [run] = policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR)
    services.execute(commands.AddNote("x"), item.workitem_id, actor=admin_actor, now=NOON + HOUR)
    before = facts_of(item)
    work_off(run, NOON + HOUR)
    assert facts_of(item) == before
    assert outcomes(run) == {item.workitem_id: "not_stale", other.workitem_id: "done"}


def test_what_is_exempt_is_spared_and_named_in_a_run_that_happens_anyway(queue):
    make_policy()
    exempt, other = make_workitem(queue=queue, exempt_until=NOON + 2 * HOUR), make_workitem(queue=queue)
    before = facts_of(exempt)
    [run] = sweep(NOON + HOUR)
    assert facts_of(exempt) == before
    assert outcomes(run) == {exempt.workitem_id: "exempt", other.workitem_id: "done"}
    assert (run.state, run.total, run.done, run.refused, run.refusals) == ("done", 2, 1, 1, {"exempt": 1})


def test_no_run_is_made_for_exempt_ones_alone(queue):
    make_policy()
    make_workitem(queue=queue, exempt_until=NOON + 2 * HOUR)
    assert policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR) == []


def test_an_exemption_ends(queue):
    make_policy()
    make_workitem(queue=queue, exempt_until=NOON + 2 * HOUR)
    assert sweep(NOON + 2 * HOUR)[0].done == 1


def test_what_was_exempted_meanwhile_is_spared(queue, admin_actor):
    make_policy()
    item = make_workitem(queue=queue)
    [run] = policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR)
    services.execute(commands.Exempt(NOON + 3 * HOUR), item.workitem_id, actor=admin_actor, now=NOON + HOUR)
    assert outcomes(work_off(run, NOON + HOUR)) == {item.workitem_id: "exempt"}


def test_what_is_exempt_is_not_warned(queue):
    make_policy(warn_seconds=600)
    make_workitem(queue=queue, exempt_until=NOON + 2 * HOUR)
    assert policies.warn(policies.look(now=NOON + HOUR), now=NOON + HOUR) == 0


def test_what_a_more_specific_policy_has_come_to_govern_is_spared(queue, sales):
    make_policy("p_any")
    item, other = make_workitem(queue=queue), make_workitem(queue=sales)
    [run] = policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR)
    make_policy("p_queue", queue=queue, after_seconds=7200)
    before = facts_of(item)
    work_off(run, NOON + HOUR)
    assert facts_of(item) == before
    assert outcomes(run) == {item.workitem_id: "other_policy", other.workitem_id: "done"}


@pytest.mark.parametrize("change", [{"is_enabled": False}, {"after_seconds": 7200}])
def test_a_policy_switched_off_or_changed_while_running_does_nothing_more(change, queue, monkeypatch, admin_actor):
    monkeypatch.setattr(runs, "CHUNK", 1)
    policy = make_policy()
    for _ in range(3):
        make_workitem(queue=queue)
    [run] = policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR)
    stops = iter([False, True])
    runs.work_off(policies.POLICY_RUNS, run.pk, clock=lambda: NOON + HOUR, seconds=60, stop=lambda: next(stops))
    for name, value in change.items():
        setattr(policy, name, value)
    policies.save(policy, actor=admin_actor, now=NOON + HOUR)
    work_off(run, NOON + 3 * HOUR)
    assert sorted(outcomes(run).values()) == ["done", "other_policy", "other_policy"]
    assert run.state == PolicyRun.State.DONE


# Runs


def test_the_record_says_what_and_why_and_by_which_version(queue):
    policy = make_policy(version=4)
    make_workitem(queue=queue)
    [run] = sweep(NOON + HOUR)
    assert (run.policy, run.policy_version, run.state, run.requested_by) == (policy, 4, "done", None)
    assert run.terms == {
        "queueId": "",
        "channel": "",
        "state": "inqueue",
        "afterSeconds": 3600,
        "act": "terminate",
        "keepsPlace": True,
        "dispositionId": "",
        "warnSeconds": 0,
        "cap": 500,
    }
    assert [(item.outcome, item.version) for item in run.items.all()] == [("done", 2)]


def test_a_policy_has_one_unfinished_run_at_most(queue, admin_actor):
    make_policy()
    make_workitem(queue=queue)
    [run] = policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR)
    assert policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR) == []
    policies.pause(run, actor=admin_actor, now=NOON + HOUR)
    assert policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR) == []
    policies.resume(run, actor=admin_actor, now=NOON + HOUR)
    assert work_off(run, NOON + HOUR).done == 1


def test_a_cancelled_run_halts_its_policy_which_would_begin_it_anew(queue, admin_actor):
    policy = make_policy()
    make_workitem(queue=queue)
    [run] = policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR)
    policies.cancel(run, actor=admin_actor, now=NOON + HOUR)
    assert policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR) == []
    policy.refresh_from_db()
    assert policies.halting_run(policy) == run
    policies.go_on(run, actor=admin_actor, now=NOON + HOUR)
    assert len(policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR)) == 1


def test_what_was_set_aside_waits_for_somebody_to_retry_it(queue, admin_actor, monkeypatch):
    make_policy()
    make_workitem(queue=queue)
    [run] = policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR)
    run.items.update(outcome="failed")
    PolicyRun.objects.update(state="done", failed=1)
    assert policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR) == []
    assert policies.retry(run, actor=admin_actor, now=NOON + HOUR) == 1
    assert work_off(run, NOON + HOUR + MINUTE).done == 1


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "retry", "go_on", "reopen"])
def test_runs_are_steered_with_the_admin_scope_everywhere_only(verb, queue, supervisor):
    make_policy(cap=1)
    make_workitem(queue=queue)
    [run] = policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR)
    with pytest.raises(MissingScope):
        getattr(policies, verb)(run, actor=supervisor, now=NOON)
    run.refresh_from_db()
    assert (run.state, run.acknowledged_at) == ("pending", None)


def test_the_admin_scope_on_one_queue_is_not_enough(queue):
    user = make_user()
    grant(user, Scope.ADMIN, queue)
    make_policy()
    with pytest.raises(MissingScope):
        policies.save(StalePolicy.objects.get(), actor=Actor.of(user, Door.API), now=NOON)
    assert list(policies.policies_for(Actor.of(user, Door.API))) == []


def test_a_sweep_that_finds_nothing_asks_three_times(queue, sales, django_assert_num_queries):
    for number, state in enumerate((State.INQUEUE, State.OFFERED, State.ACCEPTED, State.ACTIVE, State.TERMINATED)):
        make_policy(f"p_{number}", state=state)
    make_workitem(queue=queue)
    with django_assert_num_queries(3):
        policies.sweep(policies.look(now=NOON), now=NOON)


@pytest.mark.parametrize("items", [2, 40])
def test_a_run_costs_the_same_for_any_number_of_items(items, queue, sales, django_assert_max_num_queries):
    make_policy()
    for number in range(items):
        make_workitem(queue=(queue, sales)[number % 2])
    with django_assert_max_num_queries(45):
        [run] = sweep(NOON + HOUR)
    assert run.done == items


@pytest.mark.parametrize("items", [2, 40])
def test_warnings_cost_the_same_for_any_number_of_items(items, queue, sales, django_assert_max_num_queries):
    make_policy(warn_seconds=600)
    for number in range(items):
        make_workitem(queue=(queue, sales)[number % 2], active_at=NOON + timedelta(seconds=number))
    with django_assert_max_num_queries(12):
        assert policies.warn(policies.look(now=NOON + HOUR), now=NOON + HOUR) == items


# Reopening


def test_one_workitem_is_reopened_at_its_old_place(queue, admin_actor):
    make_policy()
    item = make_workitem(queue=queue, queued_at=NOON - HOUR)
    sweep(NOON + HOUR)
    services.execute(commands.Reopen(), item.workitem_id, actor=admin_actor, now=NOON + 2 * HOUR)
    item.refresh_from_db()
    assert (item.state, item.queued_at, item.terminated_at) == (State.INQUEUE, NOON - HOUR, None)
    assert policies.sweep(policies.look(now=NOON + 2 * HOUR), now=NOON + 2 * HOUR) == []


@pytest.fixture
def ended(queue):
    """A run that has ended three workitems."""
    make_policy()
    for number in range(3):
        make_workitem(queue=queue, workitem_id=f"wi_{number}")
    return sweep(NOON + HOUR)[0]


def test_a_whole_run_is_reopened_as_far_as_nobody_has_touched_it(ended, admin_actor, amy):
    services.execute(commands.AddNote("x"), "wi_0", actor=admin_actor, now=NOON + HOUR)
    reopening = policies.reopen(ended, actor=admin_actor, now=NOON + 2 * HOUR)
    services.execute(commands.AddNote("x"), "wi_1", actor=admin_actor, now=NOON + 2 * HOUR)
    work_off(reopening, NOON + 2 * HOUR)
    assert outcomes(reopening) == {"wi_1": "stale_version", "wi_2": "done"}
    states = dict(Workitem.objects.values_list("workitem_id", "state"))
    assert states == {"wi_0": "terminated", "wi_1": "terminated", "wi_2": "inqueue"}
    event = last_event(Workitem.objects.get(workitem_id="wi_2"))
    assert (event.type, event.user, event.door, event.details) == (
        Event.REOPENED, amy, Door.JOB, {"runId": reopening.run_id},
    )  # fmt: skip


def test_a_run_is_reopened_once(ended, admin_actor):
    work_off(policies.reopen(ended, actor=admin_actor, now=NOON + HOUR), NOON + HOUR)
    with pytest.raises(NothingToDo):
        policies.reopen(ended, actor=admin_actor, now=NOON + HOUR)
    assert PolicyRun.objects.count() == 2


def test_reopening_needs_the_rights_when_it_runs(ended, admin_actor, amy):
    reopening = policies.reopen(ended, actor=admin_actor, now=NOON + HOUR)
    amy.groups.clear()
    work_off(reopening, NOON + HOUR)
    assert set(outcomes(reopening).values()) == {"not_found"}


def test_only_what_terminated_can_be_reopened(queue, ann, admin_actor):
    make_policy(state=State.ACCEPTED, act="requeue")
    make_workitem(State.ACCEPTED, queue=queue, agent=ann)
    [run] = sweep(NOON + HOUR)
    with pytest.raises(WrongRunState):
        policies.reopen(run, actor=admin_actor, now=NOON + HOUR)


def test_a_reopening_keeps_its_policy_from_nothing(ended, admin_actor, queue):
    policies.reopen(ended, actor=admin_actor, now=NOON + HOUR)
    make_workitem(queue=queue)
    assert len(policies.sweep(policies.look(now=NOON + HOUR), now=NOON + HOUR)) == 1


# Saving


def test_saving_a_change_moves_the_version_on_and_leaves_an_audit_entry(admin_actor, amy):
    policy = make_policy()
    policy.after_seconds = 7200
    assert policies.save(policy, actor=admin_actor, now=NOON)
    policy.refresh_from_db()
    entry = AuditEntry.objects.get()
    assert (policy.version, policy.after_seconds) == (2, 7200)
    assert (entry.what, entry.subject, entry.user) == ("stale policy changed", "p_one", amy)
    assert entry.details == {"version": 2, "changes": {"afterSeconds": {"old": 3600, "new": 7200}}}


def test_saving_no_change_changes_nothing(admin_actor):
    policy = make_policy()
    assert not policies.save(policy, actor=admin_actor, now=NOON)
    policy.refresh_from_db()
    assert (policy.version, AuditEntry.objects.count()) == (1, 0)


def test_saving_takes_no_halt_away_that_came_meanwhile(admin_actor):
    policy = make_policy()
    StalePolicy.objects.update(halted_at=NOON)
    policy.name = "Another name"
    policies.save(policy, actor=admin_actor, now=NOON)
    policy.refresh_from_db()
    assert policy.halted_at == NOON


def test_saving_over_a_newer_version_is_refused(admin_actor):
    policy = make_policy()
    StalePolicy.objects.update(version=2)
    policy.after_seconds = 7200
    with pytest.raises(StaleVersion):
        policies.save(policy, actor=admin_actor, now=NOON, if_version=1)
    assert StalePolicy.objects.get().after_seconds == 3600


@pytest.mark.parametrize("in_queue", [True, False])
def test_a_second_policy_of_the_same_kind_is_refused_by_the_database_too(in_queue, queue, admin_actor):
    facts = {"queue": queue if in_queue else None, "channel": "voice"}
    make_policy("p_one", **facts)
    rival = make_policy("p_two", **facts, is_enabled=False)
    rival.is_enabled = True
    with pytest.raises(DuplicateObject):
        policies.save(rival, actor=admin_actor, now=NOON)
    assert StalePolicy.objects.filter(is_enabled=True).count() == 1
    with pytest.raises(IntegrityError):
        StalePolicy.objects.update(is_enabled=True)


def test_a_policy_that_has_acted_is_kept(queue, admin_actor):
    policy = make_policy()
    make_workitem(queue=queue)
    sweep(NOON + HOUR)
    with pytest.raises(InUse):
        policies.delete(policy, actor=admin_actor, now=NOON)
    assert StalePolicy.objects.exists()


def test_a_policy_that_never_acted_can_go_and_leaves_an_audit_entry(admin_actor):
    policies.delete(make_policy(), actor=admin_actor, now=NOON)
    assert not StalePolicy.objects.exists()
    assert AuditEntry.objects.get().what == "stale policy deleted"


# Simulations


def told(lines):
    return {(line.queue.queue_id if line.queue else "", line.state): line.count for line in lines}


def test_a_simulation_says_what_the_sweep_then_does(queue, sales, ann):
    chats = make_policy("p_chats", channel="chat", after_seconds=7200)
    policy = make_policy("p_any", is_enabled=False)
    for number in range(5):
        make_workitem(queue=(queue, sales)[number % 2], active_at=NOON + number * 20 * MINUTE)
    make_workitem(queue=queue, type=Type.CHAT)
    make_workitem(queue=queue, exempt_until=NOON + 9 * HOUR)
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    simulated = policies.simulate(policy, now=NOON + 2 * HOUR)
    assert told(simulated.now) == {("q_support", "inqueue"): 2, ("q_sales", "inqueue"): 2}
    assert told(simulated.exempt) == {("q_support", "inqueue"): 1}
    StalePolicy.objects.filter(pk=policy.pk).update(is_enabled=True)
    done = {run.policy.policy_id: run.done for run in sweep(NOON + 2 * HOUR)}
    assert done == {"p_any": simulated.total, chats.policy_id: 1}


def test_a_simulation_changes_nothing(queue):
    policy = make_policy(warn_seconds=600)
    item = make_workitem(queue=queue)
    before = facts_of(item)
    policies.simulate(policy, now=NOON + 2 * HOUR)
    assert facts_of(item) == before
    assert not PolicyRun.objects.exists()


def test_a_simulation_tells_what_has_to_be_warned_first(queue):
    policy = make_policy(warn_seconds=600, is_enabled=False)
    make_workitem(queue=queue)
    make_workitem(queue=queue, stale_at=NOON + HOUR)
    simulated = policies.simulate(policy, now=NOON + 2 * HOUR)
    assert (told(simulated.now), told(simulated.unwarned)) == ({("q_support", "inqueue"): 1},) * 2


def test_a_simulation_tells_where_the_cap_would_stop_it(queue):
    policy = make_policy(cap=1, is_enabled=False)
    for _ in range(2):
        make_workitem(queue=queue)
    simulated = policies.simulate(policy, now=NOON + 2 * HOUR)
    assert (simulated.total, simulated.would_halt) == (2, True)


def test_a_simulation_takes_the_place_of_a_rival(queue):
    make_policy("p_one", after_seconds=7200)
    policy = make_policy("p_two", is_enabled=False)
    make_workitem(queue=queue)
    assert policies.simulate(policy, now=NOON + HOUR).total == 1


def tell(item, minutes, kind, state, queue=None):
    """Add a line to a workitem's history."""
    item.version += 1
    at = NOON + minutes * MINUTE
    TimeEvent.objects.create(
        workitem=item, version=item.version, type=kind, timestamp=at, actor="x", door=Door.JOB, to_state=state,
        queue=queue,
    )  # fmt: skip
    Workitem.objects.filter(pk=item.pk).update(version=item.version, modified_at=at)


@pytest.mark.parametrize(
    ("story", "counted"),
    [
        ([(0, "transferred", "inqueue"), (61, "pulled", "accepted")], True),
        ([(0, "transferred", "inqueue"), (59, "pulled", "accepted")], False),
        ([(0, "transferred", "inqueue"), (30, "note", "inqueue"), (80, "pulled", "accepted")], False),
        ([(0, "transferred", "inqueue"), (30, "crmUpdated", "inqueue"), (80, "pulled", "accepted")], False),
        ([(0, "transferred", "inqueue"), (30, "edited", "inqueue"), (80, "pulled", "accepted")], True),
        ([(0, "transferred", "inqueue"), (30, "prioritized", "inqueue"), (80, "pulled", "accepted")], True),
        ([(0, "activated", "active"), (80, "terminated", "terminated")], False),
        ([(0, "transferred", "inqueue"), (61, "pulled", "accepted"), (70, "transferred", "inqueue"),
          (140, "pulled", "accepted")], True),
    ],
)  # fmt: skip
def test_the_past_is_told_by_history(story, counted, queue, ann):
    policy = make_policy(is_enabled=False)
    item = make_workitem(State.ACCEPTED, queue=queue, agent=ann)
    for minutes, kind, state in story:
        tell(item, minutes, kind, state, queue)
    simulated = policies.simulate(policy, now=NOON + 24 * HOUR)
    assert told(simulated.past) == ({("q_support", "inqueue"): 1} if counted else {})


def test_the_past_goes_back_seven_days(queue, ann):
    policy = make_policy(is_enabled=False)
    item = make_workitem(State.ACCEPTED, queue=queue, agent=ann)
    tell(item, 0, "transferred", "inqueue", queue)
    tell(item, 120, "pulled", "accepted", queue)
    assert policies.simulate(policy, now=NOON + 7 * 24 * HOUR).past_total == 1
    assert policies.simulate(policy, now=NOON + 7 * 24 * HOUR + 3 * HOUR).past_total == 0


def test_the_past_counts_what_stands_there_still(queue):
    policy = make_policy(is_enabled=False)
    make_workitem(queue=queue)
    assert told(policies.simulate(policy, now=NOON + 30 * 24 * HOUR).past) == {("q_support", "inqueue"): 1}


def test_the_past_leaves_to_more_specific_policies_what_is_theirs(queue, sales):
    make_policy("p_queue", queue=queue)
    policy = make_policy("p_any", is_enabled=False)
    for one in (queue, sales):
        make_workitem(queue=one)
    simulated = policies.simulate(policy, now=NOON + 2 * HOUR)
    assert told(simulated.now) == told(simulated.past) == {("q_sales", "inqueue"): 1}


# As shipped


def test_sensible_policies_are_shipped_switched_off():
    SHIPPED.ship(apps, None)
    stored = list(StalePolicy.objects.all())
    assert [policy.policy_id for policy in stored] == sorted(one["policy_id"] for one in SHIPPED.SHIPPED)
    assert not any(policy.is_enabled for policy in stored)
    for policy in stored:
        policy.is_enabled = True
        policy.full_clean()


def test_they_can_be_taken_back_as_far_as_they_have_not_acted(queue):
    SHIPPED.ship(apps, None)
    StalePolicy.objects.filter(policy_id="p_lost_calls").update(is_enabled=True)
    make_workitem(queue=queue)
    assert len(policies.sweep(policies.look(now=NOON + 2 * HOUR), now=NOON + 2 * HOUR)) == 1
    SHIPPED.take_back(apps, None)
    assert [policy.policy_id for policy in StalePolicy.objects.all()] == ["p_lost_calls"]
