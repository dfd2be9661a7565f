"""The triggers that keep history as it was written, on SQLite and PostgreSQL.

Installed after every migrate and not by a migration: SQLite drops a table's triggers whenever a migration rebuilds it.
An event may be deleted only once its workitem is gone, and a workitem only out of the archive. What an event says may
be blanked, and nothing else about it changed, once the personal data of the workitem's contact was erased.
"""

from __future__ import annotations

import json
from typing import Any

from django.db import connections
from django.db.models import Q

from workitems.choices import Event

EVENTS, WORKITEMS, CONTACTS = "workitems_timeevent", "workitems_workitem", "contacts_contact"

BLANK = {"erased": True}  # all that an event says when it was blanked
KEPT = (
    "id", "workitem_id", "version", "type", "timestamp", "actor", "user_id", "door", "token", "request_id",
    "from_state", "to_state", "queue_id", "agent_id",
)  # fmt: skip
# what these events say can tell of a person: texts, addresses and tones; those of integrations' own can as well
TELLING = (
    Event.EDITED, Event.NOTED, Event.CONFERENCED, Event.TONES_SENT, Event.EMAIL_ANSWERED, Event.EMAIL_FAILED,
    Event.EMAIL_SENT,
)  # fmt: skip
ERASED = f"""EXISTS (
    SELECT 1 FROM {WORKITEMS} w JOIN {CONTACTS} c ON c.id = w.contact_id
    WHERE w.id = OLD.workitem_id AND c.erased_at IS NOT NULL
)"""

SQLITE = [
    "DROP TRIGGER IF EXISTS time_event_never_changes",  # forbade the blanking as well
    f"""
    CREATE TRIGGER IF NOT EXISTS time_event_is_only_blanked BEFORE UPDATE ON {EVENTS}
    WHEN NOT (
        json(NEW.details) = json('{json.dumps(BLANK)}')
        AND {" AND ".join(f"NEW.{column} IS OLD.{column}" for column in KEPT)}
        AND {ERASED}
    )
    BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END
    """,
    f"""
    CREATE TRIGGER IF NOT EXISTS time_event_goes_with_its_workitem BEFORE DELETE ON {EVENTS}
    WHEN EXISTS (SELECT 1 FROM {WORKITEMS} WHERE id = OLD.workitem_id)
    BEGIN SELECT RAISE(ABORT, 'history cannot be deleted'); END
    """,
    # INSERT OR REPLACE deletes without asking the trigger above
    f"""
    CREATE TRIGGER IF NOT EXISTS time_event_is_never_replaced BEFORE INSERT ON {EVENTS}
    WHEN EXISTS (SELECT 1 FROM {EVENTS} WHERE id = NEW.id OR (workitem_id = NEW.workitem_id AND version = NEW.version))
    BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint: history cannot be replaced'); END
    """,
    f"""
    CREATE TRIGGER IF NOT EXISTS workitem_goes_from_the_archive BEFORE DELETE ON {WORKITEMS}
    WHEN OLD.archived_at IS NULL
    BEGIN SELECT RAISE(ABORT, 'only an archived workitem can be purged'); END
    """,
]

POSTGRESQL = [
    f"""
    CREATE OR REPLACE FUNCTION workitems_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF NEW.details = '{json.dumps(BLANK)}'::jsonb
               AND to_jsonb(NEW) - 'details' = to_jsonb(OLD) - 'details'
               AND {ERASED}
            THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'history cannot be changed' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF EXISTS (SELECT 1 FROM {WORKITEMS} WHERE id = OLD.workitem_id) THEN
            RAISE EXCEPTION 'history cannot be deleted' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END $$
    """,
    f"""
    CREATE OR REPLACE TRIGGER time_event_keeps BEFORE UPDATE OR DELETE ON {EVENTS}
    FOR EACH ROW EXECUTE FUNCTION workitems_keep_history()
    """,
    """
    CREATE OR REPLACE FUNCTION workitems_keep_all_history() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'history cannot be deleted' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    f"""
    CREATE OR REPLACE TRIGGER time_event_not_truncated BEFORE TRUNCATE ON {EVENTS}
    FOR EACH STATEMENT EXECUTE FUNCTION workitems_keep_all_history()
    """,
    """
    CREATE OR REPLACE FUNCTION workitems_keep_workitem() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'only an archived workitem can be purged' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    f"""
    CREATE OR REPLACE TRIGGER workitem_goes_from_the_archive BEFORE DELETE ON {WORKITEMS}
    FOR EACH ROW WHEN (OLD.archived_at IS NULL) EXECUTE FUNCTION workitems_keep_workitem()
    """,
]
TRIGGERS = [words[5] for words in (one.split() for one in SQLITE) if words[0] == "CREATE"]
STATEMENTS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


def telling_of_people() -> Q:
    """Return which events say something that can tell of a person and that was not blanked."""
    says = ~Q(details={}) & ~Q(details=BLANK) & ~Q(type=Event.EDITED, details__has_key="erased")
    return (Q(type__in=TELLING) | ~Q(type__in=Event.values)) & says


def remove_triggers(using: str = "default", plan: Any = (), **kwargs: Any) -> None:
    """Remove SQLite's triggers before migrations are run: it renames no table that one of them names."""
    connection = connections[using]
    if plan and connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for name in TRIGGERS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def install_triggers(using: str = "default", **kwargs: Any) -> None:
    """Make the triggers where they are missing; called after every migrate."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if not {EVENTS, WORKITEMS} <= set(connection.introspection.table_names(cursor)):
            return  # migrated back to before the tables
        for statement in STATEMENTS[connection.vendor]:
            cursor.execute(statement)
