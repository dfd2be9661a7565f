"""Everything that matches, as CSV or as one JSON object a line, streamed: memory does not grow with the list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from django.http import StreamingHttpResponse

from workitems import cells
from workitems.api.listing import Asked, everything
from workitems.api.rendering import to_json
from workitems.api.representation import Wire

FORMATS = ("csv", "ndjson")
NESTED = ("contact", "timeEvents", "actions")


def stream(wanted: Asked, form: str) -> StreamingHttpResponse:
    """Return the answer that carries the whole list."""
    lines = _csv(wanted) if form == "csv" else _ndjson(wanted)
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson"
    name = f'attachment; filename="{wanted.catalogue.name}.{form}"'
    return StreamingHttpResponse(lines, content_type=kind, headers={"Content-Disposition": name})


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, orjson.Fragment | dict | list):
        value = to_json(value).decode()
    if not isinstance(value, str):
        return str(value)
    return value


def _ndjson(wanted: Asked) -> Iterator[bytes]:
    for one in everything(wanted):
        yield to_json(one) + b"\n"


def _csv(wanted: Asked) -> Iterator[str]:
    columns = [name for name in wanted.shape.fields if name not in NESTED]
    people = "contact" in wanted.shape.fields and "contact" in wanted.catalogue.expandable
    yield cells.line([*columns, *(["contactName"] if people else [])])
    for one in everything(wanted):
        yield cells.line([*(_text(one[name]) for name in columns), *(_name_in(one) if people else [])])


def _name_in(one: Wire) -> list[str]:
    return [one["contact"]["displayName"] if one.get("contact") else ""]
