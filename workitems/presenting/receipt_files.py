"""The receipt of work on many as a file: every item with its outcome."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from django.http import Http404, StreamingHttpResponse

from workitems import cells, runs
from workitems.models import BulkRun, Transfer

EXPORTED_AT_ONCE = 2_000
COLUMNS = ["workitemId", "outcome", "code", "reason", "attempts", "error", "version"]

Kept = Transfer | BulkRun


def export(run: Kept, form: str) -> StreamingHttpResponse:
    """Return all items as a file, streamed: memory does not grow with the run."""
    if form not in ("csv", "ndjson"):
        raise Http404
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson"
    name = f'attachment; filename="{run.public_id}.{form}"'
    lines = _csv(run) if form == "csv" else _ndjson(run)
    return StreamingHttpResponse(lines, content_type=kind, headers={"Content-Disposition": name})


def _csv(run: Kept) -> Iterator[str]:
    yield cells.line(COLUMNS)
    for row in _exported(run):
        yield cells.line(row[name] for name in COLUMNS)


def _ndjson(run: Kept) -> Iterator[bytes]:
    for row in _exported(run):
        yield orjson.dumps(row) + b"\n"


def _exported(run: Kept) -> Iterator[dict[str, Any]]:
    """Yield the items in portions, so that no statement stays open while somebody downloads slowly."""
    last = 0
    while items := list(run.items.filter(pk__gt=last).order_by("pk")[:EXPORTED_AT_ONCE]):
        last = items[-1].pk
        for item in items:
            yield {
                "workitemId": item.workitem_id,
                "outcome": item.outcome,
                "code": item.code,
                "reason": runs.refusal_of(item),
                "attempts": item.attempts,
                "error": item.error,
                "version": item.version or 0,
            }
