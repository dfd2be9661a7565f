"""Answers in JSON, and the two forms in which everything that matches can be exported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer


class JSONRenderer(BaseRenderer):
    """JSON as fast as it can be written; parts that the database keeps as JSON go out as they are."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the value as JSON, nothing where there is none."""
        return b"" if data is None else to_json(data)


class CSVRenderer(JSONRenderer):
    """Named in Accept for an export; errors still come as JSON."""

    media_type = "text/csv"
    format = "csv"


class NDJSONRenderer(JSONRenderer):
    """Named in Accept for an export, one object a line; errors still come as JSON."""

    media_type = "application/x-ndjson"
    format = "ndjson"


def to_json(data: Any) -> bytes:
    """Return a value as JSON; lazy translations become text."""
    return orjson.dumps(data, default=str)
