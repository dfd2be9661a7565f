"""Compare a bulk transfer with one set-based statement that moves as many and writes the same events, in the same run.

    DATABASE_URL=postgres://… .venv/bin/python benchmarks/bulk_transfer.py [--sizes 10000 100000] [--rounds 3]

In a database of its own on that server, workitems_benchmark, made anew and dropped again. Then: what a transfer does to
other clients that work on the same rows meanwhile, and what a second worker brings.
"""

import argparse
import gc
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="workitems-benchmark-")

import django

django.setup()

from django.contrib.auth.models import User
from django.db import connection, connections
from django.utils import timezone
from population import fill, fresh_database

from queues.channels import Channel
from queues.models import Queue
from workitems import runs, services, statements, transfers
from workitems.actors import Actor
from workitems.choices import Door, Scope
from workitems.commands import SetPriority
from workitems.groups import grant
from workitems.models import Transfer, Workitem

# The floor: what a transfer has to write, in one statement, with no lock, no rights, no rules, no receipt.
FLOOR = """
    WITH before AS (
        SELECT w.id, w.state, w.queued_at, q.queue_id, w.priority FROM workitems_workitem w
        JOIN queues_queue q ON q.id = w.queue_id WHERE w.workitem_id = ANY(%(ids)s)
    ), moved AS (
        UPDATE workitems_workitem w SET queue_id = %(queue)s, queued_at = now(), modified_at = now(), active_at = now(),
            version = w.version + 1
        FROM before b WHERE w.id = b.id
        RETURNING w.id, w.version, w.state, b.state AS from_state, b.queue_id AS from_queue, b.queued_at
    )
    INSERT INTO workitems_timeevent (workitem_id, version, type, timestamp, actor, user_id, door, token, request_id,
        from_state, to_state, queue_id, agent_id, details)
    SELECT id, version, 'transferred', now(), 'sue', %(user)s, 'job', '', '', from_state, state, %(queue)s, NULL,
        jsonb_build_object('from', from_queue, 'to', %(name)s::text, 'transferId', 'tr_00000000000000000000000000',
            'before', jsonb_build_object('state', from_state, 'queueId', from_queue,
                'queuedAt', extract(epoch FROM queued_at) * 1000))
    FROM moved
"""


class Centre:
    """Three queues, a supervisor, and workitems that wait in the first of the queues."""

    def __init__(self, size: int) -> None:
        self.user = User.objects.create(username="sue")
        grant(self.user, Scope.WRITE)
        self.queues = [Queue.objects.create(queue_id=name, name=name) for name in ("q_one", "q_two", "q_three")]
        for queue in self.queues:
            queue.take(tuple(Channel))
        fill(1, size, self.queues[0], self.user, every=1)
        self.ids = list(Workitem.objects.order_by("pk").values_list("workitem_id", flat=True))
        self.places: dict[str, int] = {}

    def take(self, size: int) -> list[str]:
        """Return the ids of so many workitems that nobody else has."""
        taken, self.ids = self.ids[:size], self.ids[size:]
        return taken

    def target(self, ids: list[str]) -> Queue:
        """Return the queue to which these workitems go next."""
        self.places[ids[0]] = (self.places.get(ids[0], 0) + 1) % 3
        return self.queues[self.places[ids[0]]]

    def request(self, ids: list[str], queue: Queue) -> Transfer:
        """Write a transfer down."""
        actor = Actor.of(self.user, Door.API)
        selection, terms = transfers.Selection(workitem_ids=ids), transfers.Terms(queue=queue)
        return transfers.request(selection, terms, actor=actor, now=timezone.now())


def seconds(work) -> float:
    """Return how long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def tidy() -> None:
    """Leave nothing to be cleaned up at somebody else's expense."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE workitems_workitem")
        cursor.execute("VACUUM ANALYZE workitems_timeevent")
        cursor.execute("VACUUM ANALYZE workitems_transferitem")
        cursor.execute("CHECKPOINT")


def work_off(pk: int) -> None:
    """Work a transfer off, as a worker does."""
    runs.work_off(transfers.TRANSFERS, pk, clock=statements.now, seconds=3600)


def in_process(pk: int, warm: int, ready, go) -> None:
    """Be a worker of its own, which has worked before: its first chunk takes twice as long as all others."""
    connections.close_all()
    work_off(warm)
    ready.release()
    go.wait()
    work_off(pk)


def by_workers(centre: Centre, pk: int, count: int) -> float:
    """Return how long so many workers take for a transfer, from their common start."""
    warm = [centre.request(ids, centre.target(ids)).pk for ids in (centre.take(50) for _ in range(count))]
    ready, go = multiprocessing.Semaphore(0), multiprocessing.Event()
    connections.close_all()
    workers = [multiprocessing.Process(target=in_process, args=(pk, one, ready, go)) for one in warm]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.acquire()
    began = time.perf_counter()
    go.set()
    for worker in workers:
        worker.join()
    took = time.perf_counter() - began
    transfer = Transfer.objects.get(pk=pk)
    if (transfer.state, transfer.done) != ("done", transfer.total):
        raise SystemExit(f"{transfer.state}: {transfer.done} of {transfer.total}")
    return took


def measure(centre: Centre, size: int, rounds: int) -> None:
    """Print how the transfer compares with the floor."""
    floors, works, requests = [], [], []
    halves = centre.take(size), centre.take(size)
    for _ in range(rounds):
        queue = centre.target(halves[0])
        tidy()
        values = {"ids": halves[0], "queue": queue.pk, "name": queue.queue_id, "user": centre.user.pk}
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            floors.append(seconds(lambda c=cursor, v=values: c.execute(FLOOR, v)))
        queue = centre.target(halves[1])
        tidy()
        began = time.perf_counter()
        transfer = centre.request(halves[1], queue)
        asked_at = time.perf_counter()
        work_off(transfer.pk)
        requests.append(asked_at - began)
        works.append(time.perf_counter() - asked_at)
        transfer.refresh_from_db()
        if (transfer.state, transfer.done) != ("done", size):
            raise SystemExit(f"{transfer.state}: {transfer.done} of {size}, {transfer.refusals}")
    floor, work, asked = (statistics.median(one) for one in (floors, works, requests))
    print(
        f"{size:>9,} {floor:9.2f} {work:9.2f} {work / floor:7.2f} {asked:9.2f} {(work + asked) / floor:7.2f}"
        f" {size / work:12,.0f}"
    )


def other_client(ids: list[str], until, results, seed: int) -> None:
    """Set priorities of random rows, one by one, and report how long each took in milliseconds."""
    connections.close_all()
    dice, taken = random.Random(seed), []
    actor = Actor.of(User.objects.get(username="sue"), Door.API)
    while not until.is_set():
        command, one = SetPriority(dice.randint(1, 5)), dice.choice(ids)
        began = time.perf_counter()
        services.execute(command, one, actor=actor, now=timezone.now())
        taken.append((time.perf_counter() - began) * 1000)
        time.sleep(0.02)
    results.put(taken)


def with_clients(ids: list[str], work, count: int = 2) -> list[float]:
    """Return the milliseconds of all single commands that other clients had done while something went on."""
    connections.close_all()
    until, results = multiprocessing.Event(), multiprocessing.Queue()
    clients = [multiprocessing.Process(target=other_client, args=(ids, until, results, seed)) for seed in range(count)]
    for client in clients:
        client.start()
    time.sleep(2)
    work()
    until.set()
    taken = [one for _client in clients for one in results.get()]
    for client in clients:
        client.join()
    return sorted(taken)


def disturb(centre: Centre, size: int) -> None:
    """Print what a transfer does to others on the same rows."""
    ids = centre.take(size)
    tidy()
    idle = with_clients(ids, lambda: time.sleep(10))
    transfer = centre.request(ids, centre.target(ids))
    busy = with_clients(ids, lambda: by_workers(centre, transfer.pk, 1))
    for name, taken in (("idle", idle), ("busy", busy)):
        p50, p95, most = taken[len(taken) // 2], taken[int(len(taken) * 0.95)], taken[-1]
        over = sum(one > 100 for one in taken)
        print(
            f"{name}: {len(taken):6,} commands, p50 {p50:.1f}, p95 {p95:.1f}, longest {most:.1f} ms, over 100: {over}"
        )
    ratio = busy[int(len(busy) * 0.95)] / idle[int(len(idle) * 0.95)]
    print(f"p95 of single commands: {ratio:.2f} x idle")


def share(centre: Centre, size: int, rounds: int) -> None:
    """Print what a second worker brings."""
    took, ids = {}, centre.take(size)
    for count in (1, 2):
        one = []
        for _ in range(rounds):
            tidy()
            transfer = centre.request(ids, centre.target(ids))
            one.append(by_workers(centre, transfer.pk, count))
        took[count] = statistics.median(one)
        print(f"{count} worker(s): {size / took[count]:9,.0f} items/s")
    print(f"throughput from one to two workers: {took[1] / took[2]:.2f} x")


def main() -> None:
    """Print ratios."""
    gc.freeze()  # as a worker does at its start
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with fresh_database():
        centre = Centre(2 * sum(options.sizes) + 2 * max(options.sizes) + 1_000)
        print("    items   floor s     run s   ratio  request s   both   items/s")
        for size in options.sizes:
            measure(centre, size, options.rounds)
        disturb(centre, max(options.sizes))
        share(centre, max(options.sizes), options.rounds)


if __name__ == "__main__":
    main()
