"""How much one caller may ask for: the size of a body, and requests a minute for each token."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from workitems.api.authentication import rate_key_of
from workitems.cached import out_of_reach

WINDOW_SECONDS = 60


class TooLarge(exceptions.APIException):
    """The body is larger than anything that we take."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"

    def __init__(self) -> None:
        super().__init__(_("The body may have %d bytes at most.") % settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


class LengthRequired(exceptions.APIException):
    """The body comes in pieces and does not say how long it is; it would be taken for none."""

    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_code = "length_required"

    def __init__(self) -> None:
        super().__init__(_("Send the body's length in Content-Length, not in chunks."))


def check_size(request: Request) -> None:
    """Raise TooLarge, or LengthRequired, before a byte of the body is read."""
    if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
        raise LengthRequired
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isascii() and length.isdigit() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise TooLarge


class RatePerToken(BaseThrottle):
    """So many requests in a minute, counted in the cache that all processes share (or in each, where none is set)."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request and tell whether it is within the limit."""
        limit: int = settings.RATE_LIMIT_PER_MINUTE
        if not limit:
            return True
        now = time.time()
        window = int(now // WINDOW_SECONDS)
        self.reset = (window + 1) * WINDOW_SECONDS - now
        count = _count(f"rate:{rate_key_of(request)}:{window}")
        request.META["workitems.rate"] = (limit, max(0, limit - count), int(self.reset) + 1)
        return count <= limit

    def wait(self) -> float:
        """Return the seconds until the next window."""
        return self.reset


def _count(key: str) -> int:
    try:
        cache.add(key, 0, timeout=2 * WINDOW_SECONDS)
        return int(cache.incr(key))
    except ValueError:  # pushed out of the cache between the two lines
        return 1
    except out_of_reach():  # a limit that cannot be counted must not stop the work
        return 1


def rate_headers(request: Any) -> dict[str, str]:
    """Return the RateLimit headers of a request that was counted."""
    counted = request.META.get("workitems.rate")
    if counted is None:
        return {}
    limit, remaining, reset = (str(one) for one in counted)
    return {"RateLimit-Limit": limit, "RateLimit-Remaining": remaining, "RateLimit-Reset": reset}
