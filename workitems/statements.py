"""Statements that nearly every request asks: PostgreSQL plans each of them once a connection and not once a request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.db import NotSupportedError, connection
from django.utils import timezone


def fetch(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return all rows of a statement whose text stays the same from request to request."""
    if connection.vendor == "postgresql":
        return _fetch_prepared(sql, params)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def now() -> datetime:
    """Return the database's time, by which deadlines and sweeps go: the clocks of several hosts may differ."""
    if connection.vendor != "postgresql":
        return timezone.now()  # an embedded database lives on this very host
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def commit_lazily() -> None:
    """Let this transaction's commit not wait for the disk; a crash of the server may lose it, whole and in order.

    For what the next transaction tells of as well, or what is done anew where it is lost.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")


def _fetch_prepared(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    raw: Any = connection
    try:
        return _run(raw, sql, params, keep=True)
    except NotSupportedError:
        # A migration has changed the type of a column under a plan; PostgreSQL says so instead of planning anew.
        if raw.connection is not None:
            raw.connection._prepared.clear()
        if raw.in_atomic_block:
            raise  # the transaction is lost, the next one finds a clean connection
        return _run(raw, sql, params, keep=False)


def _run(raw: Any, sql: str, params: Sequence[Any], *, keep: bool) -> list[tuple[Any, ...]]:
    raw.ensure_connection()
    with raw.wrap_database_errors, raw._prepare_cursor(_prepared_cursor()(raw.connection)) as cursor:
        raw.connection.prepare_threshold = 0 if keep else None  # Django's own queries are never prepared
        try:
            cursor.execute(sql, params)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        finally:
            raw.connection.prepare_threshold = None
    return rows


@cache
def _prepared_cursor() -> Any:
    from django.db.backends.postgresql import base  # needs psycopg, which SQLite does not

    return base.ServerBindingCursor  # the other kind binds on the client, and so plans anew each time
