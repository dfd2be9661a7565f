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
from django.test.utils import setup_databases, teardown_databases
from django.utils import timezone

from queues.channels import Channel
from queues.models import Queue
from workitems.api import tokens
from workitems.choices import Scope
from workitems.groups import grant

CONTACTS = """
    INSERT INTO contacts_contact (contact_id, display_name, first_name, last_name, company, source, external_id,
        is_blocked, notes, data, created_at, modified_at, version)
    SELECT 'ct_' || n, 'Person ' || md5(n::text), '', '', 'Example ' || n %% 1000, '', '', false, '', '{}', now(),
        now(), 1 FROM generate_series(%(first)s, %(last)s) n WHERE n %% 10 = 0
"""
PHONES = """
    INSERT INTO contacts_contactphone (contact_id, number, is_primary)
    SELECT id, '+1202' || lpad((id %% 10000000)::text, 7, '0'), true FROM contacts_contact
    WHERE id > (SELECT coalesce(max(contact_id), 0) FROM contacts_contactphone)
"""
WORKITEMS = """
    INSERT INTO workitems_workitem (workitem_id, channel_type, type, state, current_state_name, priority, name,
        from_address, to_address, contact_id, agent_id, queue_id, disposition_id, disposition_note, is_muted, ended_by,
        data, created_at, modified_at, state_changed_at, queued_at, offer_expires_at, assigned_at, terminated_at,
        dispositioned_at, archived_at, version)
    SELECT 'wi_' || lpad(n::text, 12, '0'), 'voice', 'InboundCall', s.state, s.state, 1 + n %% 5,
        'Subject ' || md5(n::text), '+1202' || lpad((n %% 10000000)::text, 7, '0'), '+12025550100',
        (SELECT min(id) FROM contacts_contact) + (n / 10) %% (SELECT count(*) FROM contacts_contact),
        CASE WHEN s.state = 'inqueue' THEN NULL ELSE %(agent)s END, %(queue)s, NULL, '', false,
        CASE WHEN s.state = 'terminated' THEN 'agent' ELSE '' END, '{"crm": "c-1", "score": 7}', t.at, t.at, t.at, t.at,
        NULL, CASE WHEN s.state = 'inqueue' THEN NULL ELSE t.at END,
        CASE WHEN s.state = 'terminated' THEN t.at END, NULL, NULL, 5
    FROM generate_series(%(first)s, %(last)s) n,
        LATERAL (SELECT timestamptz '2026-01-01' + n * interval '1 second' AS at) t,
        LATERAL (SELECT CASE n %% 50 WHEN 0 THEN 'inqueue' WHEN 1 THEN 'active' ELSE 'terminated' END AS state) s
"""
EVENTS = """
    INSERT INTO workitems_timeevent (workitem_id, version, type, timestamp, actor, user_id, door, token, request_id,
        from_state, to_state, queue_id, agent_id, details)
    SELECT id, v, (ARRAY['created', 'offered', 'accepted', 'activated', 'terminated'])[v],
        created_at + v * interval '1 second', 'gateway', %(agent)s, 'api', 'gateway', 'rq_' || id, 'inqueue', 'offered',
        queue_id, agent_id, '{"agent": "ann"}'
    FROM workitems_workitem, generate_series(1, 5) v WHERE workitem_id > %(after)s
"""


def fill(first: int, last: int, queue: Queue, agent: User) -> None:
    """Add workitems, each with five events; every tenth brings a new contact."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        values = {"first": first, "last": last, "queue": queue.pk, "agent": agent.pk}
        cursor.execute(CONTACTS, values)
        cursor.execute(PHONES, values)
        cursor.execute(WORKITEMS, values)
        cursor.execute(EVENTS, {**values, "after": f"wi_{first - 1:012d}"})
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")  # what was written must not be paid for by the first questions


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
    if connection.vendor != "postgresql":
        raise SystemExit("The floor speaks to PostgreSQL; name a server in DATABASE_URL.")
    connection.settings_dict["TEST"]["NAME"] = "workitems_benchmark"
    databases = setup_databases(verbosity=0, interactive=False)
    base, _slash, _name = os.environ["DATABASE_URL"].rpartition("/")
    url = f"{base}/{connection.settings_dict['NAME']}"
    try:
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
    finally:
        connection.close()
        teardown_databases(databases, verbosity=0)


if __name__ == "__main__":
    main()
