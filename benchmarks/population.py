"""A contact centre of any size, made by the database itself, for the benchmarks on PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import setup_databases, teardown_databases

from queues.models import Queue

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
        data, created_at, modified_at, state_changed_at, active_at, queued_at, offer_expires_at, assigned_at,
        terminated_at, dispositioned_at, archived_at, version, place_since, entered_at, handled_ms)
    SELECT 'wi_' || lpad(n::text, 12, '0'), k.channel, k.type, s.state, s.state, 1 + n %% 5,
        'Subject ' || md5(n::text), '+1202' || lpad((n %% 10000000)::text, 7, '0'), '+12025550100',
        (SELECT min(id) FROM contacts_contact) + (n / 10) %% (SELECT count(*) FROM contacts_contact),
        CASE WHEN s.state = 'inqueue' THEN NULL ELSE %(agent)s END, %(queue)s, NULL, '', false,
        CASE WHEN s.state = 'terminated' THEN 'agent' ELSE '' END, '{"crm": "c-1", "score": 7}', t.at, t.at,
        t.at, t.at, t.at, NULL, CASE WHEN s.state = 'inqueue' THEN NULL ELSE t.at END,
        CASE WHEN s.state = 'terminated' THEN t.at END, NULL, NULL, 5,
        t.at + CASE s.state WHEN 'inqueue' THEN 0 WHEN 'active' THEN 1 + n %% 60 ELSE 61 + n %% 60 END
            * interval '1 second',
        CASE WHEN s.state = 'inqueue' THEN t.at END, 0
    FROM generate_series(%(first)s, %(last)s) n,
        LATERAL (SELECT timestamptz '2026-01-01' + n * interval '1 second' AS at) t,
        LATERAL (SELECT CASE WHEN n %% %(every)s = 0 THEN 'inqueue' WHEN n %% %(every)s = 1 THEN 'active'
            ELSE 'terminated' END AS state) s,
        LATERAL (SELECT CASE WHEN n %% 10 < 7 THEN 'voice' WHEN n %% 10 = 7 THEN 'email' WHEN n %% 10 = 8 THEN 'sms'
            ELSE 'chat' END AS channel, CASE WHEN n %% 10 < 7 THEN 'InboundCall' WHEN n %% 10 = 7 THEN 'InboundEmail'
            WHEN n %% 10 = 8 THEN 'InboundSMS' WHEN n %% 300 = 9 THEN 'Twitter' ELSE 'Chat' END AS type) k
"""
EVENTS = """
    INSERT INTO workitems_timeevent (workitem_id, version, type, timestamp, actor, user_id, door, token, request_id,
        from_state, to_state, queue_id, agent_id, details)
    SELECT id, v, (ARRAY['created', 'offered', 'accepted', 'activated', 'terminated'])[v],
        created_at + v * interval '1 second', 'gateway', %(agent)s, 'api', 'gateway', 'rq_' || id, 'inqueue', 'offered',
        queue_id, agent_id, '{"agent": "ann"}'
    FROM workitems_workitem, generate_series(1, %(events)s) v WHERE workitem_id > %(after)s
"""
# the ledger of it: each was answered after at most a minute, and each that is over was talked about for a minute
STAYS = """
    INSERT INTO workitems_stay (workitem_id, version, channel_type, state, queue_id, agent_id, began_at, ended_at,
        lasted_ms, magnitude, entered_at, outcome, wait_ms, customer_ms, handled_ms, ended_by)
    SELECT id, 3, channel_type, 'inqueue', queue_id, NULL, created_at, created_at + s.wait * interval '1 second',
        s.wait * 1000, CASE WHEN s.wait < 4 THEN 1 WHEN s.wait < 16 THEN 2 ELSE 3 END, created_at, 'answered',
        s.wait * 1000, s.wait * 1000, NULL::bigint, ''
    FROM workitems_workitem, LATERAL (SELECT 1 + substr(workitem_id, 4)::bigint %% 60 AS wait) s
    WHERE workitem_id > %(after)s AND state <> 'inqueue'
    UNION ALL
    SELECT id, 5, channel_type, 'active', queue_id, agent_id, created_at + s.wait * interval '1 second',
        created_at + (s.wait + 60) * interval '1 second', 60000, 3, NULL, '', NULL, NULL, 60000, ''
    FROM workitems_workitem, LATERAL (SELECT 1 + substr(workitem_id, 4)::bigint %% 60 AS wait) s
    WHERE workitem_id > %(after)s AND state = 'terminated'
"""


def fill(first: int, last: int, queue: Queue, agent: User, every: int = 50, events: int = 5) -> None:
    """Add workitems, each with some events; every tenth brings a contact, and of `every` one waits, one is active."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        values = {"first": first, "last": last, "queue": queue.pk, "agent": agent.pk, "every": every, "events": events}
        cursor.execute(CONTACTS, values)
        cursor.execute(PHONES, values)
        cursor.execute(WORKITEMS, values)
        fresh = {**values, "after": f"wi_{first - 1:012d}"}
        for statement in (EVENTS, STAYS):
            cursor.execute(statement, fresh)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")  # what was written must not be paid for by the first questions


@contextmanager
def fresh_database() -> Iterator[None]:
    """Make workitems_benchmark anew on the server that DATABASE_URL names, and drop it at the end."""
    if connection.vendor != "postgresql":
        raise SystemExit("This is measured on PostgreSQL; name a server in DATABASE_URL.")
    connection.settings_dict["TEST"]["NAME"] = "workitems_benchmark"
    connection.settings_dict["OPTIONS"].pop("pool")  # its threads do not live on in processes that are forked
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        yield
    finally:
        connection.close()
        teardown_databases(databases, verbosity=0)
