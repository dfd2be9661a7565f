"""The conditions that Django has no lookup for, each in the words that an index of PostgreSQL answers.

On SQLite plain LIKE is good enough: it serves small centres, and there LIKE ignores the case of ASCII letters.
"""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value
from django.db.models.sql.compiler import SQLCompiler

from workitems.search.patterns import Pattern

EVERYTHING = ~Q(pk__in=[])
NOTHING = Q(pk__in=[])

MAX_KEYS = 1_000


class Like(Func):
    """Whether a column matches a pattern, exactly as it is written."""

    template = "%(expressions)s"
    arg_joiner = " LIKE "
    output_field = BooleanField()

    def __init__(self, column: str, pattern: Pattern) -> None:
        super().__init__(F(column), Value(str(pattern)))

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        """Name the backslash as the character that escapes, which it is not by itself there."""
        return super().as_sql(
            compiler, connection, template=r"%(expressions)s ESCAPE '\'", arg_joiner=" LIKE ", **context
        )


class CaselessLike(Like):
    """The same in upper or lower case; a trigram index on UPPER(column) answers it."""

    template = "UPPER(%(expressions)s)"
    arg_joiner = ") LIKE UPPER("


class EndsLike(Like):
    """Whether the end of a column matches; an index on REVERSE(column) answers it."""

    template = "REVERSE(%(expressions)s"
    arg_joiner = ") LIKE "

    def __init__(self, column: str, pattern: Pattern) -> None:
        super().__init__(column, pattern.backwards)
        self.forwards = pattern

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        """Look at the column from its start: no index there is in the other direction."""
        plain = self.copy()
        plain.set_source_expressions([self.get_source_expressions()[0], Value(str(self.forwards))])
        return Like.as_sqlite(plain, compiler, connection, **context)


def among(column: str, rows: QuerySet[Any]) -> Q:
    """Return the condition that a column holds one of the keys that a queryset of single values yields."""
    return Q(**{f"{column}__in": rows})


def with_keys(condition: Q) -> Q:
    """Return a condition in which short lists of keys stand for the subqueries of among(), on PostgreSQL.

    It uses no index for IN (SELECT ...) on one side of an OR, but it does for a list. Where there are many keys,
    reading on from the newest row is the better plan, and the subquery stays.
    """
    return Q.create([_with_keys(child) for child in condition.children], condition.connector, condition.negated)


def _with_keys(child: Any) -> Any:
    if isinstance(child, Q):
        return with_keys(child)
    if isinstance(child, tuple) and isinstance(child[1], QuerySet) and connections[child[1].db].vendor == "postgresql":
        keys = list(child[1][: MAX_KEYS + 1])
        return (child[0], keys) if len(keys) <= MAX_KEYS else child
    return child
