"""ETag, If-Match and If-None-Match (RFC 9110, section 13): the ETag of an object is its version."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _
from rest_framework.request import Request

from workitems.api.errors import invalid
from workitems.errors import StaleVersion

TAG = re.compile(r'\s*(W/)?"([^"]*)"\s*')
EVERY = "*"


def etag(version: int | str) -> str:
    """Return the ETag for a version."""
    return f'"{version}"'


def expected_version(request: Request, current: int) -> int | None:
    """Return the version that the change has to find, None where the caller does not care.

    `current` is the version just seen: it stands where If-Match lists several. Raises StaleVersion where no version
    listed can be the present one.
    """
    given = request.headers.get("If-Match")
    if given is None or given.strip() == EVERY:
        return None
    versions = [int(tag) for weak, tag in _tags(given, "If-Match") if not weak and tag.isascii() and tag.isdigit()]
    if current in versions:
        return current
    raise StaleVersion(expected=versions[0] if versions else given, current=current)


def is_known(request: Request, tag: str) -> bool:
    """Tell whether the caller says, by If-None-Match, that he has this very state already."""
    given = request.headers.get("If-None-Match")
    if given is None:
        return False
    if given.strip() == EVERY:
        return True
    return any(etag(one) == tag for _weak, one in _tags(given, "If-None-Match"))


def _tags(text: str, header: str) -> list[tuple[bool, str]]:
    tags = []
    for part in text.split(","):
        match = TAG.fullmatch(part)
        if match is None:
            raise invalid(header, _('This must be * or a list of tags such as "7".'))
        tags.append((match[1] is not None, match[2][:19]))
    return tags
