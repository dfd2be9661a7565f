"""Compare our list over HTTP with psycopg and orjson answering the same question over HTTP, in the same run.

    DATABASE_URL=postgres://… .venv/bin/python benchmarks/api_list.py [--sizes 10000 100000 1000000] [--rounds 60]

In a database of its own on that server, workitems_benchmark, made anew and dropped again. Both sides are granian in
WSGI mode with one worker and one thread, asked in turn over one kept connection each; ours with a token, rights and the
usual limits.
"""

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="workitems-benchmark-")

import django

django.setup()

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from population import fill, fresh_database

from queues.channels import Channel
from queues.models import Queue
from workitems.api import tokens
from workitems.choices import Scope
from workitems.groups import grant


@contextmanager
def served(application: str, folder: Path, url: str):
    """Run a WSGI application under granian and yield a kept connection to it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--blocking-threads", "1", "--no-ws", "--log-level", "error", application,
    ]  # fmt: skip
    environment = {**os.environ, "DATABASE_URL": url, "HTTPS": "off", "RATE_LIMIT_PER_MINUTE": "100000000"}
    process = subprocess.Popen(command, cwd=folder, env=environment)
    try:
        link = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(100):
            try:
                link.connect()
                break
            except OSError:
                time.sleep(0.1)
        link.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield link
    finally:
        process.terminate()
        process.wait()


def ask(link: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> tuple[float, bytes]:
    """Return the milliseconds that an answer took, and its body."""
    began = time.perf_counter()
    link.request("GET", path, headers=headers)
    answer = link.getresponse()
    body = answer.read()
    took = (time.perf_counter() - began) * 1000
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {body[:300]!r}")
    return took, body


def medians(rounds: int, *asks) -> list[float]:
    """Return the median of each question, all of them asked in turn."""
    for one in asks:
        for _ in range(30):
            one()
    taken: list[list[float]] = [[] for _ in asks]
    for _ in range(rounds):
        for place, one in enumerate(asks):
            taken[place].append(one()[0])
    return [statistics.median(one) for one in taken]


def cursor_at(link, headers, size: int) -> str:
    """Return the cursor of the page at 90 % of the list, made as the product makes it."""
    from workitems.api.catalogue import WORKITEMS as CATALOGUE
    from workitems.api.listing import Asked, _cursor
    from workitems.models import Workitem

    first = json.loads(ask(link, "/api/v1/workitems?rows=1&total=none&expand=", headers)[1])["next"]
    from django.core import signing

    from workitems.api.listing import SALT

    sort, fingerprint, _value, _pk = signing.loads(first, salt=SALT)
    item = Workitem.objects.get(workitem_id=f"wi_{size // 10:012d}")
    place = Asked(CATALOGUE, None, None, None, "created_at", True, sort, fingerprint)
    return _cursor((item.created_at, item.pk), place)


def measure(size: int, rounds: int, url: str, user: User) -> dict[str, float]:
    """Print the table for one size and return our own milliseconds by question."""
    ours: dict[str, float] = {}
    with (
        served("config.wsgi:application", ROOT, url) as product,
        served("floor:application", ROOT / "benchmarks", url) as floor,
    ):
        headers = {"Authorization": f"Bearer {tokens.issue(user, now=timezone.now())}"}
        for rows in (25, 100):
            for total in ("none", "capped", "exact"):
                query = f"rows={rows}&total={total}"
                mine, least = medians(
                    rounds,
                    lambda q=query: ask(product, f"/api/v1/workitems?{q}", headers),
                    lambda q=query: ask(floor, f"/?{q}", {}),
                )
                ours[query] = mine
                print(f"{size:>9,}  {rows:>4}  {total:<7} {mine:8.2f} {least:8.2f} {mine / least:6.2f}")
            deep = cursor_at(product, headers, size)
            first, at_depth = medians(
                rounds,
                lambda r=rows: ask(product, f"/api/v1/workitems?rows={r}&total=none", headers),
                lambda r=rows, c=deep: ask(product, f"/api/v1/workitems?rows={r}&total=none&cursor={c}", headers),
            )
            print(f"{size:>9,}  {rows:>4}  cursor page at 90 %: {at_depth:.2f} ms, {at_depth / first:.2f} x the first")
    return ours


def main() -> None:
    """Print ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    with fresh_database():
        base, _slash, _name = os.environ["DATABASE_URL"].rpartition("/")
        url = f"{base}/{connection.settings_dict['NAME']}"
        agent, reader = User.objects.create(username="ann"), User.objects.create(username="bi")
        grant(reader, Scope.READ)
        queue = Queue.objects.create(queue_id="q_support", name="Support")
        queue.take(tuple(Channel))
        queue.members.add(agent)
        print("workitems  rows  total     ours ms  floor ms  ratio")
        first, smallest = 1, {}
        for size in options.sizes:
            fill(first, size, queue, agent)
            ours = measure(size, options.rounds, url, reader)
            smallest = smallest or ours
            first = size + 1
        for query, took in ours.items():
            print(f"{query}: the largest is {took / smallest[query]:.2f} x the smallest")


if __name__ == "__main__":
    main()
