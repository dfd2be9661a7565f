"""Statements that nearly every request asks: PostgreSQL plans each of them once a connection and not once a request."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection


def fetch(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return all rows of a statement whose text stays the same from request to request."""
    if connection.vendor == "postgresql":
        return _fetch_prepared(sql, params)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _fetch_prepared(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    connection.ensure_connection()
    raw: Any = connection
    with raw.wrap_database_errors, raw._prepare_cursor(_prepared_cursor()(raw.connection)) as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


@cache
def _prepared_cursor() -> Any:
    from django.db.backends.postgresql import base  # needs psycopg, which SQLite does not

    server_binding: Any = base.ServerBindingCursor

    class PreparedCursor(server_binding):
        """Django's own cursors bind on the client and plan anew each time."""

        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            """Keep the plan."""
            return super().execute(query, params, prepare=True, **options)

    return PreparedCursor
