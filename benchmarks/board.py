"""Measure the board: its page at ten thousand and at a million workitems, the 304, and 50 supervisors who look at it.

    DATABASE_URL=postgres://… .venv/bin/python benchmarks/board.py [--sizes 10000 1000000] [--rounds 15] [--small]

In a database of its own on that server, workitems_benchmark, made anew and dropped again. Some 5,000 of the million are
open, in ten queues; one in two hundred has come today. First the pages are asked for in this process, so that what is
measured is the page: statements, bytes and milliseconds (medians), whole, as the living part after a change, and as
the 304; the floor is a page of the desk that shows nothing but its frame, asked for in turn with them. Then 50
supervisors with a session each ask a granian of one worker every 3 seconds, with nothing changing and with 5 changes a
second; told is the processor time of that granian, of which the limit is 15 % of one core.
"""

import argparse
import http.client
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import in_process

in_process.begin()

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from population import fill, fresh_database

from queues.channels import Channel
from queues.models import Queue
from workitems import services
from workitems.actors import Actor
from workitems.choices import OPEN, Scope
from workitems.commands import AddNote
from workitems.groups import grant
from workitems.models import Workitem

BOARD, FRAME = "/supervisor/", "/supervisor/settings/"
LIVE = {"X-Live": "1"}
QUEUES, SUPERVISORS, EVERY_SECONDS, CHANGES_A_SECOND = 10, 50, 3, 5
MOST_STATEMENTS, MOST_RATIO, MOST_SHARE = 6, 3.0, 0.15
TICKS = os.sysconf("SC_CLK_TCK")

# What has ended is dispositioned, work lies in all queues, and what is open has come within the last hour.
SPREAD = """
    UPDATE workitems_workitem SET
        queue_id = (SELECT id FROM queues_queue ORDER BY id OFFSET workitems_workitem.id %% %(queues)s LIMIT 1),
        state = CASE state WHEN 'terminated' THEN 'dispositioned' ELSE state END,
        dispositioned_at = CASE state WHEN 'terminated' THEN terminated_at END
    WHERE workitem_id > %(after)s
"""
OPENED = """
    UPDATE workitems_workitem w SET created_at = t.at, queued_at = t.at, place_since = t.at, state_changed_at = t.at,
        active_at = t.at, entered_at = CASE w.state WHEN 'inqueue' THEN t.at END
    FROM (SELECT id, now() - id %% 3600 * interval '1 second' AS at FROM workitems_workitem
        WHERE state IN ('inqueue', 'active')) t WHERE t.id = w.id
"""
STAYS = """
    INSERT INTO workitems_stay (workitem_id, version, channel_type, state, queue_id, agent_id, began_at, ended_at,
        lasted_ms, magnitude, entered_at, outcome, wait_ms, customer_ms, handled_ms, ended_by)
    SELECT w.id, 1000, w.channel_type, 'inqueue', w.queue_id, NULL, t.at, t.at + t.wait * interval '1 millisecond',
        t.wait, 3, t.at, CASE w.id %% 9 WHEN 0 THEN 'abandoned' ELSE 'answered' END, t.wait,
        t.wait, NULL, ''
    FROM workitems_workitem w, LATERAL (SELECT w.id %% 50000 AS wait, CASE w.id %% 200
        WHEN 7 THEN now() - w.id %% 60 * interval '1 second' ELSE w.created_at END AS at) t
    WHERE w.state = 'dispositioned' AND w.workitem_id > %(after)s
    ON CONFLICT DO NOTHING
"""


def populate(first: int, size: int, queue: Queue, agent: User) -> None:
    """Add workitems up to this size, with their stays."""
    fill(first, size, queue, agent, every=max(50, size // 2_500))
    with connection.cursor() as cursor:
        values = {"queues": QUEUES, "after": f"wi_{first - 1:012d}"}
        for statement in (SPREAD, OPENED, STAYS):
            cursor.execute(statement, values)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def touch() -> None:
    """Change something, so that the mark is another one."""
    pk = Workitem.objects.filter(state__in=OPEN).order_by("?").values_list("pk", flat=True)[0]
    Workitem.objects.filter(pk=pk).update(modified_at=timezone.now())


def ask(client: Client, path: str, headers: dict[str, str], status: int = 200) -> tuple[float, object]:
    """Return the milliseconds of an answer, and the answer."""
    began = time.perf_counter()
    answer = client.get(path, headers=headers)
    took = (time.perf_counter() - began) * 1000
    if answer.status_code != status:
        raise SystemExit(f"{path}: {answer.status_code}")
    return took, answer


def measure(client: Client, size: int, rounds: int) -> dict[str, float]:
    """Print the table of one size and return the medians by name."""
    taken: dict[str, list[float]] = {"frame": [], "page": [], "part": [], "304": []}
    costs: dict[str, tuple[int, int]] = {}

    def one(name: str, path: str, headers: dict[str, str], status: int = 200) -> object:
        with CaptureQueriesContext(connection) as captured:
            took, answer = ask(client, path, headers, status)
        asked = [query["sql"] for query in captured.captured_queries]
        # those that PostgreSQL keeps prepared come without their text
        statements = [sql for sql in asked if not sql or sql.split(" ", 1)[0] not in ("BEGIN", "COMMIT")]
        taken[name].append(took)
        costs[name] = (len(statements), len(answer.content))
        return answer

    client.get(BOARD)
    for _ in range(rounds + 3):
        one("frame", FRAME, {})
        cache.clear()
        touch()
        one("page", BOARD, {})
        cache.clear()
        touch()
        etag = one("part", BOARD, LIVE)["ETag"]
        while (
            client.get(BOARD, headers={**LIVE, "If-None-Match": etag}).status_code != 304
        ):  # the mark has just run out
            etag = client.get(BOARD, headers=LIVE)["ETag"]
        one("304", BOARD, {**LIVE, "If-None-Match": etag}, 304)
    medians = {name: statistics.median(times[3:]) for name, times in taken.items()}
    for name, took in medians.items():
        statements, length = costs[name]
        note = f"MORE THAN {MOST_STATEMENTS}" if statements > (1 if name == "304" else MOST_STATEMENTS) else ""
        print(f"{size:>9,}  {name:<6} {statements:>3} {length:>9,} {took:8.1f} {took / medians['frame']:6.2f}  {note}")
    return medians


@contextmanager
def served(url: str):
    """Run the product under granian with one worker and yield its port and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--blocking-threads", "4", "--no-ws", "--log-level", "error", "config.wsgi:application",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=in_process.ROOT, env={**os.environ, "DATABASE_URL": url})
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port, process
    finally:
        process.terminate()
        process.wait()


def processor_seconds(pid: int) -> float:
    """Return what a process and its children have used so far."""
    spent = 0.0
    for one in [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]:
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        spent += (int(fields[11]) + int(fields[12])) / TICKS
    return spent


class Supervisor(threading.Thread):
    """Somebody whose board asks every three seconds, as a browser would."""

    def __init__(self, port: int, session: str, until: float) -> None:
        super().__init__(daemon=True)
        self.port, self.session, self.until = port, session, until
        self.answers: dict[int, int] = {}
        self.bytes, self.slowest = 0, 0.0

    def run(self) -> None:
        """Ask until the end."""
        link = http.client.HTTPConnection("127.0.0.1", self.port)
        headers = {"Cookie": f"sessionid={self.session}", "X-Live": "1", "Accept-Encoding": "gzip", "Host": "127.0.0.1"}
        time.sleep(random.random() * EVERY_SECONDS)
        while time.monotonic() < self.until:
            began = time.monotonic()
            link.request("GET", BOARD, headers=headers)
            answer = link.getresponse()
            self.bytes += len(answer.read())
            self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
            if answer.status == 200:
                headers["If-None-Match"] = answer.headers["ETag"]
            self.slowest = max(self.slowest, time.monotonic() - began)
            time.sleep(max(0.0, EVERY_SECONDS - (time.monotonic() - began)))


def watch(port: int, process: subprocess.Popen, sessions: list[str], seconds: int, changes: int) -> None:
    """Let everybody look for so long and print what that has cost."""
    until = time.monotonic() + seconds + EVERY_SECONDS
    crowd = [Supervisor(port, session, until) for session in sessions]
    for one in crowd:
        one.start()
    time.sleep(EVERY_SECONDS)  # by now each has asked once
    began, spent, changed = time.monotonic(), processor_seconds(process.pid), 0
    actor = Actor.job("benchmark", Scope.ADMIN)
    ids = list(Workitem.objects.filter(state__in=OPEN).values_list("workitem_id", flat=True)[:500])
    while time.monotonic() < began + seconds:
        if changes:
            services.execute(AddNote("changed"), random.choice(ids), actor=actor, now=timezone.now())
            changed += 1
        time.sleep(max(0.0, began + (changed or seconds) / (changes or 1) - time.monotonic()))
    share = (processor_seconds(process.pid) - spent) / (time.monotonic() - began)
    for one in crowd:
        one.join()
    told = {
        status: sum(one.answers.get(status, 0) for one in crowd)
        for status in sorted({s for one in crowd for s in one.answers})
    }
    if set(told) - {200, 304}:
        raise SystemExit(f"not all were answered: {told}")
    print(
        f"{len(crowd)} supervisors, {changed / seconds:.1f} changes a second: {share:.1%} of a core, answers {told}, "
        f"{sum(one.bytes for one in crowd):,} bytes, the slowest {max(one.slowest for one in crowd) * 1000:.0f} ms"
        f"{'  MORE' if share > MOST_SHARE else ''}"
    )


def sessions_of(number: int) -> list[str]:
    """Return so many supervisors, each signed in: all may see the same."""
    found = []
    for place in range(number):
        user = User.objects.create(username=f"supervisor{place}")
        grant(user, Scope.WRITE)
        client = Client()
        client.force_login(user)
        client.get(BOARD)
        found.append(client.cookies["sessionid"].value)
    return found


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--small", action="store_true", help="2,000 and 20,000 workitems, and 15 seconds")
    options = parser.parse_args()
    if options.small:
        options.sizes, options.seconds = [2_000, 20_000], 15
    with fresh_database():
        agent, staff = User.objects.create(username="ann"), User.objects.create(username="sue", is_staff=True)
        for scope in Scope:
            grant(staff, scope)
        queues = [Queue.objects.create(queue_id=f"q_{number}", name=f"Queue {number}") for number in range(QUEUES)]
        for queue in queues:
            queue.take(tuple(Channel))
            queue.members.add(agent)
        client = Client(raise_request_exception=False)
        client.force_login(staff)
        print("workitems  what   statements bytes     ms   x the frame")
        first, smallest, largest = 1, {}, {}
        for size in options.sizes:
            populate(first, size, queues[0], agent)
            largest = measure(client, size, options.rounds)
            smallest = smallest or largest
            first = size + 1
        for name, took in largest.items():
            ratio = took / smallest[name]
            print(f"{name}: the largest is {ratio:.2f} x the smallest{'  MORE' if ratio > MOST_RATIO else ''}")
        base, _slash, _name = os.environ["DATABASE_URL"].rpartition("/")
        url = f"{base}/{connection.settings_dict['NAME']}"
        sessions = sessions_of(SUPERVISORS)
        with served(url) as (port, process):
            for changes in (0, CHANGES_A_SECOND):
                watch(port, process, sessions, options.seconds, changes)


if __name__ == "__main__":
    main()
