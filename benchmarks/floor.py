"""The floor that our list is compared with: psycopg and orjson answering the same question, and nothing else.

No authentication, no rights, no filters, no errors; the query's parameters are taken as they come.
"""

import os
from urllib.parse import parse_qs

import orjson
import psycopg

MS = "COALESCE(FLOOR(EXTRACT(EPOCH FROM {}) * 1000)::bigint, 0)"
ROWS = f"""
    SELECT w.id, w.workitem_id, w.channel_type, w.type, w.state, w.current_state_name, w.priority, c.contact_id,
        u.username, q.queue_id, w.from_address, w.to_address, {MS.format("w.created_at")}, {MS.format("w.assigned_at")},
        {MS.format("w.terminated_at")}, {MS.format("w.modified_at")}, {MS.format("w.dispositioned_at")},
        {MS.format("w.queued_at")}, {MS.format("w.archived_at")},
        {MS.format("w.stale_at")}, {MS.format("w.exempt_until")}, d.disposition_id, w.disposition_note, w.is_muted,
        w.name, w.data::text, w.version, c.display_name, c.first_name, c.last_name, c.company, c.source, c.external_id,
        c.is_blocked, c.notes, c.version, c.data::text, {MS.format("c.created_at")}, {MS.format("c.modified_at")},
        to_json(ARRAY(SELECT number FROM contacts_contactphone p WHERE p.contact_id = c.id ORDER BY p.id))::text,
        to_json(ARRAY(SELECT address FROM contacts_contactemail e WHERE e.contact_id = c.id ORDER BY e.id))::text
    FROM workitems_workitem w
    LEFT JOIN contacts_contact c ON c.id = w.contact_id
    LEFT JOIN queues_queue q ON q.id = w.queue_id
    LEFT JOIN auth_user u ON u.id = w.agent_id
    LEFT JOIN workitems_disposition d ON d.id = w.disposition_id
    WHERE w.archived_at IS NULL ORDER BY w.created_at DESC, w.id DESC LIMIT %s
"""
EVENTS = f"""
    SELECT e.workitem_id, e.type, {MS.format('e."timestamp"')}, e.actor, e.door, e.token, e.request_id, q.queue_id,
        u.username, e.details::text, e.from_state, e.to_state, e.version
    FROM workitems_timeevent e
    LEFT JOIN queues_queue q ON q.id = e.queue_id
    LEFT JOIN auth_user u ON u.id = e.agent_id
    WHERE e.workitem_id = ANY(%s) ORDER BY e.workitem_id, e.version
"""
COUNTS = {
    "exact": "SELECT count(*) FROM workitems_workitem WHERE archived_at IS NULL",
    "capped": "SELECT count(*) FROM (SELECT 1 FROM workitems_workitem WHERE archived_at IS NULL LIMIT 1001) s",
}
WORKITEM = (
    "_id", "workitemId", "channelType", "type", "state", "currentStateName", "priority", "contactId", "agentUsername",
    "selectedQueue", "from", "to", "createdAt", "assignedAt", "terminatedAt", "modifiedAt", "dispositionedAt",
    "queuedAt", "archivedAt", "staleAt", "exemptUntil", "dispositionId", "dispositionNote", "muted", "name", "data",
    "version",
)  # fmt: skip
CONTACT = (
    "displayName", "firstName", "lastName", "company", "source", "externalId", "blocked", "notes", "version", "data",
    "createdAt", "modifiedAt", "phones", "emails",
)  # fmt: skip
EVENT = (
    "type", "timestamp", "userId", "door", "token", "requestId", "queueId", "agentUsername", "details", "fromState",
    "toState", "version",
)  # fmt: skip

connection = None


def application(environ, start_response):
    """Answer every request with a page of workitems."""
    global connection
    if connection is None:
        connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    asked = parse_qs(environ["QUERY_STRING"])
    answer = {}
    with connection.cursor() as cursor:
        if asked["total"][0] in COUNTS:
            answer["total"] = cursor.execute(COUNTS[asked["total"][0]]).fetchone()[0]
        rows = cursor.execute(ROWS, [int(asked["rows"][0])]).fetchall()
        events = {}
        for pk, *event in cursor.execute(EVENTS, [[row[0] for row in rows]]).fetchall():
            event[8] = orjson.Fragment(event[8])
            events.setdefault(pk, []).append(dict(zip(EVENT, event, strict=True)))
    objects = []
    for row in rows:
        wire = dict(zip(WORKITEM, row[:27], strict=True))
        wire["data"] = orjson.Fragment(wire["data"])
        contact = dict(zip(CONTACT, row[27:], strict=True))
        for name in ("data", "phones", "emails"):
            contact[name] = orjson.Fragment(contact[name]) if contact[name] else None
        wire["contact"], wire["timeEvents"] = contact, events.get(row[0], [])
        objects.append(wire)
    body = orjson.dumps({"count": len(objects), **answer, "objects": objects})
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
