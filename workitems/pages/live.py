"""Pages that keep themselves up to date: the whole page to begin with, and its living part to whoever asks again.

The answer bears a mark of all that pages show. Asked again with that mark while nothing has changed,
UnchangedMiddleware says so with one small query, before anybody looks at sessions or rights; since it shows nothing,
it needs none. The mark is signed and bound to the session and the address, and holds for some seconds only: what
changes by time alone, and a session that has ended, show soon.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.urls import resolve
from django.utils.cache import patch_vary_headers

from workitems import cached, marks

ASKS = "X-Live"  # the header by which a page's script asks for the living part alone
PAGES = "/supervisor/"
HOLDS_SECONDS = 15
STEP_SECONDS = (
    3  # marks run out at a multiple of this, each session's at one of its own, so that all do not ask at once
)
SHARED_SECONDS = STEP_SECONDS / 2  # two a step, so that the next step finds nothing out anew in the middle of one
SALT = "workitems.pages.live"

View = TypeVar("View", bound=Callable[..., HttpResponse])


class UnchangedMiddleware:
    """Answer 304 to a living page that asks again while nothing has changed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Look at the mark, and at nothing else."""
        known = request.headers.get("If-None-Match", "")
        asks = bool(known) and request.method == "GET" and is_asked_again(request)
        is_ours = asks and known == _etag(request, _mark_in(known))
        if is_ours and known == _etag(request, _mark_of(request, _current(request))):
            answer = HttpResponseNotModified()
            answer["ETag"] = known
            return answer
        return self.get_response(request)


def is_asked_again(request: HttpRequest) -> bool:
    """Tell whether a page's script asks for the living part of the page."""
    return ASKS in request.headers and request.path_info.startswith(PAGES)


def also_marked_by(more: Callable[..., str]) -> Callable[[View], View]:
    """Let a page show something that changes no mark, by a mark of its own; `more` is given the address's parts."""

    def decorate(view: View) -> View:
        view.also_marked_by = more  # type: ignore[attr-defined]
        return view

    return decorate


def answer(
    request: HttpRequest, template: str, context: Callable[[str], dict[str, Any]], *, is_shared: bool = False
) -> HttpResponse:
    """Return the page `x.html`, or its living part `x_live.html`, which the page includes, where that is asked for.

    `context` is given a name of this moment, under which what it finds out may be remembered. What is shared, because
    many look at just the same, moves on twice a step at most where it is only asked for again.
    """
    mark = _current(request)  # before anything is read: what changes meanwhile is shown the next time
    if is_shared and is_asked_again(request):
        mark = cached.remembered(f"{SALT}.shared.{time.time() // SHARED_SECONDS}", lambda: mark, STEP_SECONDS)
    own = _mark_of(request, mark)
    part = template.replace(".html", "_live.html") if is_asked_again(request) else template
    response = render(request, part, context(f"{mark}-{_step()}"))
    response["ETag"] = _etag(request, own)
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, [ASKS, "Cookie"])
    return response


def _current(request: HttpRequest) -> str:
    """Return the mark, which is asked for once a request."""
    known: str | None = getattr(request, "live_mark", None)
    if known is None:
        known = marks.current()
        request.live_mark = known  # type: ignore[attr-defined]
    return known


def _step() -> int:
    return int(time.time() // STEP_SECONDS)


def _stretch(session: str) -> int:
    """Return the stretch for which the marks of this session hold now.

    It begins with a step: what was found out in a step is never shown for longer than HOLDS_SECONDS.
    """
    steps = HOLDS_SECONDS // STEP_SECONDS
    ahead = int.from_bytes(hashlib.sha256(session.encode()).digest()[:8]) % steps
    return (_step() + ahead) // steps


def _mark_of(request: HttpRequest, mark: str) -> str:
    match = resolve(request.path_info)
    more = getattr(match.func, "also_marked_by", None)
    return f"{mark}-{more(**match.kwargs)}" if more else mark


def _etag(request: HttpRequest, mark: str) -> str:
    session = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    bound = f"{session} {request.get_full_path()} {_stretch(session)}"
    signature = signing.Signer(salt=SALT).signature(f"{mark} {hashlib.sha256(bound.encode()).hexdigest()}")
    return f'W/"{mark}.{signature}"'


def _mark_in(etag: str) -> str:
    return etag.removeprefix('W/"').partition(".")[0]
