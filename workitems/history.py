"""The triggers that keep history as it was written, on SQLite and PostgreSQL.

Installed after every migrate and not by a migration: SQLite drops a table's triggers whenever a migration rebuilds it.
An event may be deleted only once its workitem is gone, and a workitem only out of the archive.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

EVENTS, WORKITEMS = "workitems_timeevent", "workitems_workitem"

SQLITE = [
    f"""
    CREATE TRIGGER IF NOT EXISTS time_event_never_changes BEFORE UPDATE ON {EVENTS}
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
STATEMENTS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


def install_triggers(using: str = "default", **kwargs: Any) -> None:
    """Make the triggers where they are missing; called after every migrate."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if not {EVENTS, WORKITEMS} <= set(connection.introspection.table_names(cursor)):
            return  # migrated back to before the tables
        for statement in STATEMENTS[connection.vendor]:
            cursor.execute(statement)
