"""On PostgreSQL no look at the work list reads workitems, stays or events from end to end."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks import population
from queues.models import Queue
from tests.builders import make_queue, make_user
from tests.doors import browser
from tests.test_admin_list_cost import plan_of
from workitems.choices import Scope
from workitems.groups import grant

LIST = "/supervisor/work/"
ROWS = 20_000  # of which a twentieth is open
TABLES = ("workitems_workitem", "workitems_stay", "workitems_timeevent")
MINUTES = "during_from=2026-01-01T01:00:00Z&during_to=2026-01-01T01:05:00Z"

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite serves small centres"),
]

DISPOSITIONED = """
    UPDATE workitems_workitem SET state = 'dispositioned', dispositioned_at = terminated_at
    WHERE state = 'terminated' AND id % 50 > 0
"""  # so that few are in wrap-up
TRANSFERRED = """
    INSERT INTO workitems_timeevent (workitem_id, version, type, timestamp, actor, door, token, request_id, from_state,
        to_state, details)
    SELECT id, 6, 'transferred', created_at + interval '6 seconds', 'sue', 'page', '', '', state, state, '{}'
    FROM workitems_workitem WHERE id % 50 = 0
"""
ADDRESSES = [
    "",
    "p=3",
    "queue=q_support",
    "queue=q_quiet",
    "channel=chat",
    "state=inqueue&sort=due",
    "sla=breached",
    "agent=ann",
    "age_over=3600",
    "wait_over=60",
    "transfers_min=1",
    "transfers_min=3",
    "stuck=silent&stuck=inactive&stuck=offered",
    "stuck=undispositioned",
    f"figure=offered&{MINUTES}",
    f"figure=answered&{MINUTES}&queue=q_support",
    f"figure=answeredLate&{MINUTES}",
    f"figure=handled&{MINUTES}&agent=ann",
    "figure=waiting&queue=q_support&sort=due",
    "figure=waitingLate&sort=due",
    "figure=inWrapUp",
]
FEWER = ["", "transfers_min=1", f"figure=offered&{MINUTES}", "figure=waiting&sort=due"]


@pytest.fixture
def centre():
    ann = make_user("ann")
    make_queue("q_quiet", name="Quiet")
    support = make_queue("q_support", name="Support", members=[ann])
    with connection.cursor() as cursor:
        cursor.execute(population.CONTACTS, {"first": 10 * ROWS, "last": 10 * ROWS + 100})
    population.fill(1, ROWS, support, ann, every=40, events=2)
    with connection.cursor() as cursor:
        cursor.execute(DISPOSITIONED)
        cursor.execute(TRANSFERRED)
        for table in TABLES:
            cursor.execute(f"VACUUM ANALYZE {table}")


def costs(client, address):
    """Return the tables that one look at the list reads from end to end, with the plan."""
    with CaptureQueriesContext(connection) as asked:
        look = client.get(f"{LIST}?{address}").context["look"]
    assert not look.has_error, address
    plans = [plan_of(one["sql"]) for one in asked.captured_queries if (one["sql"] or "").startswith("SELECT")]
    return [f"{address}\n{plan}" for plan in plans if any(f"Seq Scan on {table} " in plan for table in TABLES)]


def test_no_look_at_the_work_list_reads_a_table_from_end_to_end(sue, centre):
    sam = make_user("sam")  # sees one queue
    grant(sam, Scope.READ, Queue.objects.get(queue_id="q_support"))
    problems = []
    for person, addresses in ((sue, ADDRESSES), (sam, FEWER)):
        client = browser(person)
        client.get(LIST)
        problems += [f"{person} {one}" for address in addresses for one in costs(client, address)]
    assert not problems, "\n\n".join(problems)
