"""Moments as seconds since 1970, so that the database can reckon with them."""

from __future__ import annotations

from typing import Any

from django.db.models import FloatField, Func, IntegerField
from django.db.models.sql.compiler import SQLCompiler


class Seconds(Func):
    """A moment in seconds and fractions of them."""

    output_field = FloatField()
    template = "DATE_PART('epoch', %(expressions)s)"  # EXTRACT gives a numeric, with which reckoning takes longer

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **context: Any) -> Any:
        """Take the seconds, and their fractions, out of the text that SQLite keeps."""
        template = "(STRFTIME('%%%%s', %(expressions)s) + CAST(SUBSTR(%(expressions)s, 20) AS REAL))"
        return super().as_sql(compiler, connection, template=template, **context)


class WholeSeconds(Func):
    """A moment in whole seconds, fractions left out."""

    output_field = IntegerField()
    template = "CAST(FLOOR(DATE_PART('epoch', %(expressions)s)) AS bigint)"

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **context: Any) -> Any:
        """Take the seconds out of the text that SQLite keeps."""
        template = "CAST(STRFTIME('%%%%s', %(expressions)s) AS INTEGER)"
        return super().as_sql(compiler, connection, template=template, **context)
