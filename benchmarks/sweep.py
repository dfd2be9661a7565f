"""Compare a stale policy that ends many workitems with one set-based statement that ends as many, in the same run.

    DATABASE_URL=postgres://… .venv/bin/python benchmarks/sweep.py [--size 1000000] [--stale 50000] [--rounds 3]

In a database of its own on that server, workitems_benchmark, made anew and dropped again. Then: what a sweep costs that
finds nothing.
"""

import argparse
import gc
import os
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="workitems-benchmark-")

import django

django.setup()

from django.contrib.auth.models import User
from django.db import connection
from population import fill, fresh_database

from queues.channels import Channel
from queues.models import Queue
from workitems import policies, runs, statements
from workitems.models import PolicyRun, StalePolicy, Workitem

# The floor: find and end what is stale and write the events, in one statement, with no lock, no rules, no record.
FLOOR = """
    WITH stale AS (
        SELECT id FROM workitems_workitem
        WHERE queue_id = %(queue)s AND state = 'inqueue' AND active_at < now() - interval '1 hour'
            AND archived_at IS NULL AND state <> 'dispositioned'
        ORDER BY active_at LIMIT %(most)s
    ), ended AS (
        UPDATE workitems_workitem w SET state = 'terminated', current_state_name = 'terminated', ended_by = 'policy',
            terminated_at = now(), state_changed_at = now(), modified_at = now(), active_at = now(),
            version = version + 1
        FROM stale s WHERE w.id = s.id RETURNING w.id, w.version, w.queue_id
    )
    INSERT INTO workitems_timeevent (workitem_id, version, type, timestamp, actor, user_id, door, token, request_id,
        from_state, to_state, queue_id, agent_id, details)
    SELECT id, version, 'terminatedStale', now(), 'stale-policies', NULL, 'job', '', '', 'inqueue', 'terminated',
        queue_id, NULL, jsonb_build_object('since', extract(epoch FROM now()) * 1000, 'policyId', 'p_one',
            'policyVersion', 1, 'runId', 'pr_00000000000000000000000000')
    FROM ended
"""


def seconds(work) -> float:
    """Return how long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def make_stale(most: int) -> None:
    """Let so many workitems stand in their queue since yesterday, and no others."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(
            "UPDATE workitems_workitem SET state = 'inqueue', ended_by = '', terminated_at = NULL, agent_id = NULL, "
            "active_at = now() - interval '1 day' WHERE id IN (SELECT id FROM workitems_workitem "
            "WHERE state = 'terminated' ORDER BY id LIMIT %s)",
            [most],
        )
        cursor.execute("VACUUM ANALYZE workitems_workitem")
        cursor.execute("CHECKPOINT")


def by_floor(queue: Queue, most: int) -> None:
    """End them in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(FLOOR, {"queue": queue.pk, "most": most})


def by_policy(most: int) -> None:
    """End them as the product does: sweep, and work the run off."""
    now = statements.now()
    for run in policies.sweep(policies.look(now=now), now=now):
        runs.work_off(policies.POLICY_RUNS, run.pk, clock=statements.now, seconds=3600)
        run.refresh_from_db()
        if (run.state, run.done) != (PolicyRun.State.DONE, most):
            raise SystemExit(f"{run.state}: {run.done} of {most}, {run.refusals}")


def look(rounds: int) -> float:
    """Return the median of the milliseconds that a sweep takes which finds nothing."""
    taken = []
    for _ in range(rounds):
        now = statements.now()
        began = time.perf_counter()
        found = policies.look(now=now)
        policies.warn(found, now=now)
        begun = policies.sweep(found, now=now)
        taken.append((time.perf_counter() - began) * 1000)
        if begun:
            raise SystemExit("It found something.")
    return statistics.median(taken)


def main() -> None:
    """Print ratios."""
    gc.freeze()  # as a worker does at its start
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--stale", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with fresh_database():
        agent = User.objects.create(username="ann")
        queues = [Queue.objects.create(queue_id=f"q_{number}", name=f"Queue {number}") for number in range(10)]
        for queue in queues:
            queue.take(tuple(Channel))
        fill(1, options.size, queues[0], agent, events=1)
        Workitem.objects.exclude(state="terminated").update(active_at=statements.now() + timedelta(days=1))
        StalePolicy.objects.filter(is_enabled=True).update(is_enabled=False)
        policy = StalePolicy.objects.create(
            policy_id="p_one", name="One", is_enabled=True, state="inqueue", after_seconds=3600, cap=100_000
        )
        for state in ("offered", "accepted", "active", "hold", "conference"):
            StalePolicy.objects.create(
                policy_id=f"p_{state}", name=state, is_enabled=True, state=state, after_seconds=3600, warn_seconds=600
            )
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        look(20)
        print(f"{options.size:,} workitems, {policy} and 5 more policies, 10 queues")
        print(f"a sweep that finds nothing: {look(200):.2f} ms")
        floors, ours = [], []
        for _ in range(options.rounds):
            make_stale(options.stale)
            floors.append(seconds(lambda: by_floor(queues[0], options.stale)))
            make_stale(options.stale)
            ours.append(seconds(lambda: by_policy(options.stale)))
        floor, work = statistics.median(floors), statistics.median(ours)
        print(f"{options.stale:,} ended: {work:.2f} s, floor {floor:.2f} s, {work / floor:.2f} x")


if __name__ == "__main__":
    main()
