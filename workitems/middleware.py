"""A name for every request, to find it again in answers and logs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, clear_contextvars
from ulid import ULID

# Where programs come in, with and without a last slash.
PROGRAMS = ("/data/", "/users/api/", "/workflows/", "/provider/", "/api/", "/health/", "/metrics")
DESK = "/supervisor/"
GIVEN = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class RequestIdMiddleware:
    """Take the caller's X-Request-Id where it is a decent one, make one otherwise, and send it back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Name the request before anything else sees it."""
        given = request.headers.get("X-Request-Id", "")
        request_id = given if GIVEN.fullmatch(given) else f"rq_{str(ULID()).lower()}"
        request.META["workitems.request_id"] = request_id
        if "\x00" in request.path:
            request.path = request.path_info = "/data/nul"  # no address has a NUL in it, and PostgreSQL takes none
        elif request.path_info.startswith(PROGRAMS) and request.path_info.endswith("/"):
            request.path, request.path_info = request.path[:-1], request.path_info[:-1]  # each has one route
        clear_contextvars()
        bind_contextvars(request_id=request_id)  # until the next: Django logs the answer after the last middleware
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


class TextMiddleware:
    """Refuse what no database takes as text, before a page of the desk looks anything up by it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Go on."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        """Look at what was asked for and at what was sent, once it is known that the sender meant it."""
        if request.path_info.startswith(DESK):
            sent = [value for data in (request.GET, request.POST) for _name, values in data.lists() for value in values]
            if any("\x00" in str(value) for value in sent):
                raise BadRequest


def request_id(request: HttpRequest) -> str:
    """Return the request's name."""
    return str(request.META.get("workitems.request_id", ""))


def caller_address(meta: Mapping[str, Any]) -> str:
    """Return the caller's address as nobody can choose it: a proxy of ours adds what it saw at the end of the list."""
    address = str(meta.get("REMOTE_ADDR") or "")
    if settings.BEHIND_PROXY:
        address = str(meta.get("HTTP_X_FORWARDED_FOR") or "").rpartition(",")[2].strip() or address
    return address
