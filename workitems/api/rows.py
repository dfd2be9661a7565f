"""How many rows are read at little cost: statements that are compiled once and asked for a page's ids.

Building model instances and compiling the same query again cost more than the database does. What comes back are plain
tuples, times in milliseconds and JSON as the text that the database keeps.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection
from django.db.models import BigAutoField, BigIntegerField, F, Func, Lookup, QuerySet, Subquery, TextField
from django.db.models.functions import Cast
from django.db.models.sql.compiler import SQLCompiler

from workitems import statements

PLACE = [-1]  # stands for the ids in a compiled statement


@BigAutoField.register_lookup
class AnyOf(Lookup):
    """``pk__any_of=[…]``: one parameter whatever the number of ids, so that the statement's text stays the same."""

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> Any:
        """Compile for PostgreSQL."""
        left, params = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s)", [*params, list(self.rhs)]

    def as_sqlite(self, compiler: SQLCompiler, connection: Any) -> Any:
        """Compile for SQLite."""
        left, params = self.process_lhs(compiler, connection)
        return f"{left} IN (SELECT value FROM json_each(%s))", [  # noqa: S608  the parameter is bound
            *params,
            json.dumps(list(self.rhs)),
        ]


class Milliseconds(Func):
    """A moment as Unix milliseconds, cut and not rounded; 0 where it is not set."""

    output_field = BigIntegerField()
    template = "COALESCE(FLOOR(EXTRACT(EPOCH FROM %(expressions)s) * 1000)::bigint, 0)"

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **context: Any) -> Any:
        """Take the milliseconds out of the text that SQLite keeps."""
        template = (
            "COALESCE(CAST(STRFTIME('%%%%s', %(expressions)s) AS INTEGER) * 1000"
            " + CAST(SUBSTR(%(expressions)s, 21, 3) AS INTEGER), 0)"
        )
        return super().as_sql(compiler, connection, template=template, **context)


class JsonList(Subquery):
    """The one column of a subquery as a JSON list, as text; the column must be called ``one``."""

    output_field = TextField()
    template = "TO_JSON(ARRAY(%(subquery)s))::text"

    def as_sqlite(self, compiler: SQLCompiler, connection: Any) -> Any:
        """Compile for SQLite."""
        template = "(SELECT JSON_GROUP_ARRAY(one) FROM (%(subquery)s))"
        return super().as_sql(compiler, connection, template=template)


def text_of(name: str) -> Cast:
    """Return a JSON column as the text that the database keeps, which goes out as it is."""
    return Cast(F(name), TextField())


class Statement:
    """A query for the rows of some ids, compiled on first use."""

    def __init__(self, rows: Callable[[list[int]], QuerySet[Any, tuple[Any, ...]]]) -> None:
        self.rows = rows
        self.compiled: dict[str, tuple[str, list[Any]]] = {}

    def of(self, ids: Sequence[int]) -> list[tuple[Any, ...]]:
        """Return the rows of these ids."""
        if not ids:
            return []
        if connection.vendor not in self.compiled:
            sql, params = self.rows(PLACE).query.sql_with_params()
            self.compiled[connection.vendor] = sql, list(params)
        sql, places = self.compiled[connection.vendor]
        given: Any = list(ids) if connection.vendor == "postgresql" else json.dumps(list(ids))
        place: Any = PLACE if connection.vendor == "postgresql" else json.dumps(PLACE)
        return statements.fetch(sql, [given if one == place else one for one in places])
