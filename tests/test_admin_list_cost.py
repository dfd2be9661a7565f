"""On PostgreSQL no look at the list reads workitems or contacts from end to end, whatever it is narrowed to."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks import population
from queues.models import Queue
from tests.builders import make_queue, make_user
from tests.doors import browser
from workitems.choices import Scope
from workitems.groups import grant

LIST = "/admin/workitems/workitem/"
ROWS = 20_000
MOST_QUERIES = 12
TABLES = ("workitems_workitem", "contacts_contact")

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite serves small centres"),
]

# some of each kind, common and rare, old and new
VARIETY = [
    "UPDATE workitems_workitem SET channel_type = 'chat', type = 'Chat' WHERE id % 10 = 3",
    "UPDATE workitems_workitem SET channel_type = 'chat', type = 'Facebook' WHERE id % 1000 = 5",
    "UPDATE workitems_workitem SET channel_type = 'email', type = 'InboundEmail' WHERE id % 7 = 2 AND id % 10 <> 3",
    "UPDATE workitems_workitem SET channel_type = 'videoMeeting' WHERE id % 500 = 7 AND channel_type = 'voice'",
    "UPDATE workitems_workitem SET state = 'hold' WHERE state = 'active' AND id % 40 = 1",
    "UPDATE workitems_workitem SET archived_at = now() WHERE state = 'terminated' AND id % 300 = 4",
    "UPDATE workitems_workitem SET stale_at = now() WHERE state = 'inqueue' AND id % 600 = 0",
    "UPDATE workitems_workitem SET priority = 5 WHERE id % 2000 = 11",
]
ADDRESSES = [
    "",
    "p=2",
    "p=100",
    "sort=created",
    "sort=-changed",
    "sort=-priority",
    "state=hold",
    "state=terminated",
    "state=hold&state=active",
    "state=inqueue&p=20",
    "channel=voice",
    "channel=videoMeeting",
    "channel=chat&channel=sms",
    "type=InboundCall",
    "type=Facebook",
    "type=OutboundSMS",
    "queue=q_support",
    "queue=q_quiet",
    "queue=q_quiet&queue=q_support",
    "priority=5",
    "priority=1&priority=2",
    "agent=ann",
    "agent=ben",
    "agent=none",
    "agent=inactive",
    "agent=ann&agent=none",
    "created_from=2026-01-01&created_to=2026-01-01",
    "ended_from=2026-01-01&ended_to=2026-01-01",
    "created_from=2031-01-01",
    "ended_from=2031-01-01",
    "archived=yes",
    "archived=only",
    "stale=yes",
    "stale=no",
    "sla=fine",
    "sla=warning",
    "sla=breached",
    "state=inqueue&channel=voice",
    "q=wi_000000000777",
    "q=%2B12020000777",
    "q=%2B1+202+000+0777",
    "q=Person",
    "q=c4ca4238a0b9",
    "q=contact.name:c4ca4238a0b9",
    "q=state:inqueue",
    "q=priority:5",
    "q=name:eccbc87e4b5c",
    "q=archived:true",
]
FEWER = ["", "p=100", "state=hold", "sla=breached", "agent=ann", "q=Person", "archived=only"]


@pytest.fixture
def centre():
    ann, _ben = make_user("ann"), make_user("ben")
    make_user("gone", is_active=False)
    make_queue("q_quiet", name="Quiet")
    support = make_queue("q_support", name="Support", members=[ann])
    with connection.cursor() as cursor:
        cursor.execute(population.CONTACTS, {"first": 10 * ROWS, "last": 13 * ROWS})
    population.fill(1, ROWS, support, ann, every=4, events=0)
    with connection.cursor() as cursor:
        for statement in VARIETY:
            cursor.execute(statement)
        cursor.execute("VACUUM ANALYZE workitems_workitem")


def plan_of(statement):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}")
        return "\n".join(line for (line,) in cursor.fetchall())


def costs(client, address):
    """Return what is wrong with how one look at the list is read."""
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(f"{LIST}?{address}")
    statements = [one["sql"] or "" for one in asked.captured_queries]
    found = [] if answer.status_code == 200 else [f"answered {answer.status_code}"]
    if answer.context["cl"].error or answer.context["cl"].search_error:
        found.append("it was not understood")
    if len(statements) > MOST_QUERIES:
        found.append(f"{len(statements)} queries")
    for statement in statements:
        if statement.startswith("SELECT") and any(table in statement for table in TABLES):
            plan = plan_of(statement)
            if any(f"Seq Scan on {table} " in plan for table in TABLES):
                found.append(f"{statement[:600]}\n{plan}")
    return found


def test_no_look_at_the_list_reads_a_table_from_end_to_end(amy, centre):
    eve = make_user("eve", is_staff=True)  # sees few queues
    for name in ("q_quiet", "q_support"):
        grant(eve, Scope.READ, Queue.objects.get(queue_id=name))
    problems = []
    for person, addresses in ((amy, ADDRESSES), (eve, FEWER)):
        client = browser(person)
        client.get(LIST)
        problems += [f"{person} {address}: {one}" for address in addresses for one in costs(client, address)]
    assert not problems, "\n\n".join(problems)
