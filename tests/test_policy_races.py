"""A sweep against activity at the very limit ends with one outcome for each workitem.

On PostgreSQL, where transactions really overlap. A planted fault, the re-check under the lock taken away, is found.
"""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections

from tests.builders import NOON, make_queue, make_user, make_workitem
from workitems import commands, policies, runs, services
from workitems.actors import Actor
from workitems.choices import Door, Event, State
from workitems.errors import DuplicateObject
from workitems.models import PolicyRun, PolicyRunItem, StalePolicy, TimeEvent, Workitem

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="transactions overlap on PostgreSQL only"),
]

RACES, WRITERS = 2_000, 4
LIMIT = NOON + timedelta(hours=1)  # to the microsecond


def in_thread(work):
    """Run work and give the thread's connection back."""
    try:
        return work()
    finally:
        connections["default"].close()


def make_policy(policy_id="p_one", **facts):
    values = {"name": policy_id, "is_enabled": True, "state": State.INQUEUE, "after_seconds": 3600, "cap": 100_000}
    return StalePolicy.objects.create(policy_id=policy_id, **(values | facts))


def race(items):
    """Let a run work its items off while people write a note into each of them, and return the run.

    Both happen at the limit, so each workitem belongs to whoever locks it first.
    """
    make_policy()
    queue, actor = make_queue("q_one"), Actor.of(make_user("root", is_superuser=True), Door.API)
    ids = [make_workitem(queue=queue).workitem_id for _ in range(items)]
    [run] = policies.sweep(policies.look(now=LIMIT), now=LIMIT)
    mixed = ids.copy()
    random.Random(7).shuffle(mixed)
    start = threading.Barrier(WRITERS + 1)

    def write(mine):
        start.wait()
        for workitem_id in mine:
            services.execute(commands.AddNote("x"), workitem_id, actor=actor, now=LIMIT)

    def act():
        start.wait()
        runs.work_off(policies.POLICY_RUNS, run.pk, clock=lambda: LIMIT, seconds=300)

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        parts = [mixed[first::WRITERS] for first in range(WRITERS)]
        doing = [pool.submit(in_thread, lambda part=part: write(part)) for part in parts]
        doing.append(pool.submit(in_thread, act))
        for one in doing:
            one.result()
    run.refresh_from_db()
    return run


def contradictions():
    """Return the workitems whose history, state and outcome in the run do not tell one story."""
    note, end = Event.NOTED.value, Event.TERMINATED_STALE.value
    told = {}
    for workitem_id, version, kind in TimeEvent.objects.order_by("version").values_list(
        "workitem__workitem_id", "version", "type"
    ):
        told.setdefault(workitem_id, []).append((version, kind))
    stories = {
        # the note came first and spared it
        ("inqueue", 2, "refused", "not_stale"): [(1, "created"), (2, note)],
        # it was ended first; the note stands behind that
        ("terminated", 3, "done", ""): [(1, "created"), (2, end), (3, note)],
    }
    facts = {
        one: (state, version) for one, state, version in Workitem.objects.values_list("workitem_id", "state", "version")
    }
    found = []
    for workitem_id, outcome, code in PolicyRunItem.objects.values_list("workitem_id", "outcome", "code"):
        if stories.get((*facts[workitem_id], outcome, code)) != told[workitem_id]:
            found.append(workitem_id)
    return found


def test_a_sweep_against_activity_at_the_limit_has_one_outcome_each():
    run = race(RACES)
    assert contradictions() == []
    assert (run.state, run.done + run.refused, run.failed) == ("done", RACES, 0)
    assert run.done > 0
    assert run.refused > 0


def test_without_the_check_under_the_lock_it_is_found(monkeypatch):
    monkeypatch.setattr(commands.Stale, "check", lambda self, workitem, now: None)
    race(RACES // 4)
    assert contradictions() != []


def together(*works):
    """Let all of these begin at once, and return what came of each."""
    start = threading.Barrier(len(works))

    def play(work):
        start.wait()
        try:
            return work()
        except DuplicateObject as refusal:
            return refusal.code

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(lambda work: in_thread(lambda: play(work)), works))


def test_many_sweeps_at_once_begin_one_run():
    make_policy()
    queue = make_queue("q_one")
    for _ in range(20):
        make_workitem(queue=queue)
    begun = together(*[lambda: policies.sweep(policies.look(now=LIMIT), now=LIMIT)] * 8)
    assert sum(len(runs) for runs in begun) == 1
    assert (PolicyRun.objects.count(), PolicyRunItem.objects.count()) == (1, 20)


def test_two_policies_of_the_same_kind_cannot_both_be_switched_on_at_once():
    actor = Actor.of(make_user("root", is_superuser=True), Door.ADMIN)
    rivals = [make_policy(f"p_{number}", is_enabled=False) for number in range(4)]
    for one in rivals:
        one.is_enabled = True
    answers = together(*[lambda one=one: policies.save(one, actor=actor, now=NOON) for one in rivals])
    assert sorted(map(str, answers)) == ["True", "duplicate", "duplicate", "duplicate"]
    assert StalePolicy.objects.filter(is_enabled=True).count() == 1


def test_a_policy_halted_while_it_is_saved_stays_halted():
    actor = Actor.of(make_user("root", is_superuser=True), Door.ADMIN)
    policy, queue = make_policy(cap=1), make_queue("q_one")
    for _ in range(2):
        make_workitem(queue=queue)
    policy.name = "Another name"
    together(
        lambda: policies.sweep(policies.look(now=LIMIT), now=LIMIT),
        lambda: policies.save(policy, actor=actor, now=NOON),
    )
    halted = StalePolicy.objects.get().halted_at is not None
    assert halted is PolicyRun.objects.filter(is_capped=True).exists()
