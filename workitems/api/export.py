"""Everything that matches, as CSV or as one JSON object a line, streamed: memory does not grow with the list."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Any

import orjson
from django.http import StreamingHttpResponse

from workitems.api.listing import Asked, everything
from workitems.api.rendering import to_json
from workitems.api.representation import Wire

FORMATS = ("csv", "ndjson")
# what spreadsheets take for the beginning of a formula, in its full-width forms too
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NUMBER = re.compile(r"\+[0-9]{3,15}")  # E.164: no spreadsheet can do harm with it, and it has to stay as it is
NESTED = ("contact", "timeEvents", "actions")


class Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        """Return the text."""
        return text


def stream(wanted: Asked, form: str) -> StreamingHttpResponse:
    """Return the answer that carries the whole list."""
    lines = _csv(wanted) if form == "csv" else _ndjson(wanted)
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson"
    name = f'attachment; filename="{wanted.catalogue.name}.{form}"'
    return StreamingHttpResponse(lines, content_type=kind, headers={"Content-Disposition": name})


def safe(value: Any) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, orjson.Fragment | dict | list):
        value = to_json(value).decode()
    if not isinstance(value, str):
        return str(value)
    risky = value.lstrip(" ").startswith(FORMULA) and not NUMBER.fullmatch(value)
    return f"'{value}" if risky else value


def _ndjson(wanted: Asked) -> Iterator[bytes]:
    for one in everything(wanted):
        yield to_json(one) + b"\n"


def _csv(wanted: Asked) -> Iterator[str]:
    columns = [name for name in wanted.shape.fields if name not in NESTED]
    people = "contact" in wanted.shape.fields and "contact" in wanted.catalogue.expandable
    writer = csv.writer(Echo())
    yield writer.writerow([*columns, *(["contactName"] if people else [])])
    for one in everything(wanted):
        yield writer.writerow([*(safe(one[name]) for name in columns), *(_name_in(one) if people else [])])


def _name_in(one: Wire) -> list[str]:
    return [safe(one["contact"]["displayName"] if one.get("contact") else "")]
