"""Bodies in JSON, and nothing that only looks like it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

DEEPEST = 100


class StrictJSONParser(BaseParser):
    """JSON by the letter: no lone surrogates, no NaN, nothing that nests without end."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the value, or say where it stops being JSON."""
        try:
            value = orjson.loads(stream.read())
        except orjson.JSONDecodeError as problem:
            raise ParseError(_("The body is no JSON: %s") % problem) from None
        if not _is_shallow(value):
            raise ParseError(_("The body nests deeper than %d levels.") % DEEPEST)
        return value


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _depth in range(DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return True
    return False
