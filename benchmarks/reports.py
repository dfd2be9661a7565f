"""Measure reports over 28 days: by queue, by time, by agent and as a file, with all workitems in these days.

    DATABASE_URL=postgres://… .venv/bin/python benchmarks/reports.py [--sizes 100000 1000000] [--rounds 5]

In a database of its own on that server, workitems_benchmark, made anew and dropped again. What is measured are pages
asked for in this process: statements and milliseconds (medians). The floor is one hand-written statement that reads the
same stays of the ledger once, and counts them and adds up their waits by queue, channel and outcome.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import in_process

in_process.begin()

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from population import fill, fresh_database

from queues.models import Queue
from workitems.choices import Scope
from workitems.groups import grant

# population.py lets one workitem come each second from this day on
DAYS = "from=2026-01-01&to=2026-01-28"
FLOOR = """
    SELECT queue_id, channel_type, outcome, count(*), sum(wait_ms) FROM workitems_stay
    WHERE entered_at >= '2026-01-01' AND entered_at < '2026-01-29' AND outcome <> '' GROUP BY 1, 2, 3
"""
ASKED = {
    "by queue": f"/supervisor/reports/?{DAYS}",
    "by time": f"/supervisor/reports/?{DAYS}&by=time",
    "by agent": f"/supervisor/reports/?{DAYS}&by=agent",
    "one day": "/supervisor/reports/?from=2026-01-01&to=2026-01-01",
    "moment": "/supervisor/reports/moment/?at=2026-01-01T12:00",
    "file": f"/supervisor/reports/figures.csv?{DAYS}",
}


def read_once() -> None:
    """Read the stays of these days as a statement of its own would."""
    with connection.cursor() as cursor:
        cursor.execute(FLOOR)
        cursor.fetchall()


def asking(client: Client, address: str) -> Callable[[], None]:
    """Return what asks for this page and fails where it does not come."""

    def ask() -> None:
        answer = client.get(address)
        if answer.status_code != 200:
            raise SystemExit(f"{address}: {answer.status_code} {answer.content[:300]!r}")

    return ask


def median(do: Callable[[], None], rounds: int) -> float:
    """Return how many milliseconds it takes, the first time aside."""
    taken = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        do()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken[1:])


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with fresh_database():
        agent, reader = User.objects.create(username="ann"), User.objects.create(username="tom")
        grant(reader, Scope.READ)
        queue = Queue.objects.create(queue_id="q_support", name="Support", time_zone="UTC")
        queue.members.add(agent)
        client = Client()
        client.force_login(reader)
        print("workitems  what      statements       ms  x the floor")
        first = 1
        for size in options.sizes:
            fill(first, size, queue, agent)
            first = size + 1
            floor = median(read_once, options.rounds)
            print(f"{size:>9,}  floor              1 {floor:8.1f}")
            for name, address in ASKED.items():
                ask = asking(client, address)
                with CaptureQueriesContext(connection) as captured:
                    ask()
                statements = len(captured)
                took = median(ask, options.rounds)
                print(f"{size:>9,}  {name:<9} {statements:>9} {took:8.1f} {took / floor:8.2f}")


if __name__ == "__main__":
    main()
