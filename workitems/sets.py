"""Set-based writing: many rows in one statement, whatever they have in common and wherever they differ.

What all rows share goes in as a parameter of its own, the rest as one JSON text that the database reads as a table,
which is some ten times faster than a list of values for each row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import connection
from django.db.models import Field, Model

Row = Mapping[str, Any]


def insert(model: type[Model], rows: Sequence[Row]) -> None:
    """Insert rows given by the names of their columns, each row with the same ones and no two rows alike."""
    if not rows:
        return
    fields = _fields(model, rows[0])
    shared, own = _divide(fields, rows)
    values = [_parameter(field) if field in shared else f"r.{_name(field)}" for field in fields]
    parameters = [_prepared(field, rows[0][field.attname]) for field in fields if field in shared]
    into = f"INSERT INTO {_table(model)} ({', '.join(map(_name, fields))}) SELECT {', '.join(values)}"
    if own:
        _execute(f"{into} FROM {_table_of(own)}", [*parameters, _text(own, rows)])
    else:
        _execute(into, parameters)


def update(model: type[Model], rows: Sequence[Row], *, adding: Mapping[str, int] | None = None) -> None:
    """Update rows given by the names of their columns, `id` and the same others in each; add to what `adding` names."""
    if not rows:
        return
    key, *fields = _fields(model, rows[0])
    shared, own = _divide(fields, rows)
    changes = [f"{_name(one)} = {_parameter(one) if one in shared else f'r.{_name(one)}'}" for one in fields]
    changes += [f'"{column}" = {_table(model)}."{column}" + {number}' for column, number in (adding or {}).items()]
    parameters = [_prepared(field, rows[0][field.attname]) for field in fields if field in shared]
    of_table, key_name = f"UPDATE {_table(model)} SET {', '.join(changes)}", _name(key)
    if own:
        where = f"FROM {_table_of([key, *own])} WHERE {_table(model)}.{key_name} = r.{key_name}"
        _execute(f"{of_table} {where}", [*parameters, _text([key, *own], rows)])
    else:
        where = f"{key_name} IN (SELECT r.{key_name} FROM {_table_of([key])})"
        _execute(f"{of_table} WHERE {where}", [*parameters, _text([key], rows)])


def _fields(model: type[Model], row: Row) -> list[Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if field.attname in row]


def _divide(
    fields: Sequence[Field[Any, Any]], rows: Sequence[Row]
) -> tuple[set[Field[Any, Any]], list[Field[Any, Any]]]:
    """Return the columns in which all rows are alike, and the others."""
    first = rows[0]
    own = [field for field in fields if any(row[field.attname] != first[field.attname] for row in rows)]
    return {field for field in fields if field not in own}, own


def _table_of(fields: Sequence[Field[Any, Any]]) -> str:
    if connection.vendor == "postgresql":
        columns = ", ".join(f"{_name(field)} {field.db_type(connection)}" for field in fields)
        return f"json_to_recordset(%s::json) AS r({columns})"
    columns = ", ".join(f"json_extract(value, '$.{field.column}') AS {_name(field)}" for field in fields)
    return f"(SELECT {columns} FROM json_each(%s)) AS r"


def _text(fields: Sequence[Field[Any, Any]], rows: Sequence[Row]) -> str:
    names = [(field.column, field.attname) for field in fields]
    table = [{column: row[name] for column, name in names} for row in rows]
    # SQLite keeps times as text, in a form of Django's own
    option = 0 if connection.vendor == "postgresql" else orjson.OPT_PASSTHROUGH_DATETIME
    return orjson.dumps(table, default=_plain, option=option).decode()


def _plain(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else str(value)


def _parameter(field: Field[Any, Any]) -> str:
    # PostgreSQL takes a bare text for text, whatever the column
    return f"CAST(%s AS {field.db_type(connection)})" if connection.vendor == "postgresql" else "%s"


def _prepared(field: Field[Any, Any], value: Any) -> Any:
    return field.get_db_prep_save(value, connection)


def _execute(sql: str, parameters: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _name(field: Field[Any, Any]) -> str:
    return connection.ops.quote_name(str(field.column))
