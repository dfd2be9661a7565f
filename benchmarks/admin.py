"""Compare the back office's pages at a million workitems with the same pages at ten thousand, in the same run.

    DATABASE_URL=postgres://… .venv/bin/python benchmarks/admin.py [--sizes 10000 1000000] [--rounds 15]

In a database of its own on that server, workitems_benchmark, made anew and dropped again. Some 5,000 of the million are
open. The pages are asked for in this process, so that what is measured is the page and not a server. Each line tells
how many statements a page costs (those that begin and end transactions left out), how many bytes it has, its
milliseconds (medians), and whether PostgreSQL would read workitems or contacts from end to end for it, which it must
not at the largest size.
"""

import argparse
import statistics
import time

import in_process

in_process.begin()

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from population import fill, fresh_database

from contacts.models import Contact
from queues.channels import Channel
from queues.models import Queue
from workitems.choices import Scope
from workitems.groups import grant
from workitems.models import Workitem

LIST = "/admin/workitems/workitem/"
ROWS = 25
LARGE = ("workitems_workitem", "contacts_contact")
MOST_STATEMENTS, MOST_RATIO, MOST_BYTES = 12, 1.5, 250_000


def pages(size: int) -> dict[str, str]:
    """Return the pages by their names; what they ask for exists at every size."""
    item = Workitem.objects.get(workitem_id="wi_000000005001")
    name = Contact.objects.get(pk=item.contact_id).display_name.split()[1]
    return {
        "home": "/admin/",
        "list": LIST,
        "page 5,000 or the last": f"{LIST}?p={min(5_000, size // ROWS)}",
        "state": f"{LIST}?state=inqueue",
        "states": f"{LIST}?state=inqueue&state=active",
        "channel": f"{LIST}?channel=chat",
        "type, rare": f"{LIST}?type=Twitter",
        "type, none": f"{LIST}?type=Facebook",
        "priority": f"{LIST}?priority=5",
        "queue": f"{LIST}?queue=q_support",
        "agent": f"{LIST}?agent=ann",
        "agent, none": f"{LIST}?agent=none",
        "agent, inactive": f"{LIST}?agent=inactive",
        "created": f"{LIST}?created_from=2026-01-01&created_to=2026-01-01",
        "ended": f"{LIST}?ended_from=2026-01-01&ended_to=2026-01-01",
        "archived": f"{LIST}?archived=only",
        "stale": f"{LIST}?stale=yes",
        "service level": f"{LIST}?sla=breached",
        "search: id": f"{LIST}?q={item.workitem_id}",
        "search: phone": f"{LIST}?q=%2B12020000500",
        "search: name": f"{LIST}?q={name}",
        "search: field": f"{LIST}?q=state%3Aactive+AND+priority%3A5",
        "item": f"{LIST}{item.pk}/change/",
        "contacts": "/admin/contacts/contact/",
        "contacts: name": f"/admin/contacts/contact/?q={name}",
        "contact": f"/admin/contacts/contact/{item.contact_id}/change/",
    }


def scans(statements: list[str]) -> list[str]:
    """Return which of the large tables would be read from end to end."""
    found = set()
    with connection.cursor() as cursor:
        for statement in statements:
            if not statement.lstrip("( ").upper().startswith("SELECT"):
                continue
            cursor.execute(f"EXPLAIN {statement}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            found |= {table for table in LARGE if f"Seq Scan on {table} " in plan or plan.endswith(f"on {table}")}
    return sorted(found)


def measure(client: Client, size: int, rounds: int) -> dict[str, float]:
    """Print the table for one size and return the milliseconds by page."""
    taken: dict[str, float] = {}
    for name, path in pages(size).items():
        times, body = [], b""
        for number in range(rounds + 3):
            cache.clear()  # what another page has just read must not be what makes this one quick
            began = time.perf_counter()
            answer = client.get(path)
            body = answer.content
            if number >= 3:
                times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code}")
        cache.clear()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            client.get(path)
        asked = [one["sql"] or "" for one in captured.captured_queries]
        statements = [one for one in asked if one.split(" ", 1)[0] not in ("", "BEGIN", "COMMIT")]
        read = scans(statements)
        taken[name] = statistics.median(times)
        notes = [f"READS ALL OF {', '.join(read)}"] if read else []
        notes += [f"MORE THAN {MOST_STATEMENTS}"] if len(statements) > MOST_STATEMENTS else []
        notes += [f"MORE THAN {MOST_BYTES:,} BYTES"] if len(body) > MOST_BYTES else []
        print(f"{size:>9,}  {name:<24} {len(statements):>3} {len(body):>9,} {taken[name]:8.1f}  {'; '.join(notes)}")
    return taken


def main() -> None:
    """Print ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with fresh_database():
        agent, staff = User.objects.create(username="ann"), User.objects.create(username="sue", is_staff=True)
        for scope in Scope:
            grant(staff, scope)
        queue = Queue.objects.create(queue_id="q_support", name="Support")
        queue.take(tuple(Channel))
        queue.members.add(agent)
        client = Client(raise_request_exception=False)
        client.force_login(staff)
        print("workitems  page                     statements bytes       ms")
        first, smallest, largest = 1, {}, {}
        for size in options.sizes:
            fill(first, size, queue, agent, every=max(50, size // 2_500))
            largest = measure(client, size, options.rounds)
            smallest = smallest or largest
            first = size + 1
        for name, took in largest.items():
            ratio = took / smallest[name]
            print(f"{name}: the largest is {ratio:.2f} x the smallest{'  MORE' if ratio > MOST_RATIO else ''}")


if __name__ == "__main__":
    main()
