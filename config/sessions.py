"""How long somebody stays signed in: half an hour of idleness (a setting of Django's), and 12 hours at most.

A page that keeps itself up to date counts as use as long as it can be seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

LONGEST_SECONDS = timedelta(hours=12).total_seconds()
SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"
SEEN_SECONDS = 60  # a session is written so often at most: pages that keep themselves up to date ask every few seconds


class LongestSessionMiddleware:
    """Sign people out twelve hours after they signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Look at the session's age before anything else asks who is there; programs with tokens have no session."""
        if "_auth_user_id" in request.session:
            began = request.session.setdefault(SIGNED_IN_AT, time.time())
            if time.time() - began > LONGEST_SECONDS:
                logout(request)
            elif time.time() - request.session.get(SEEN_AT, 0) > SEEN_SECONDS:
                request.session[SEEN_AT] = time.time()
        return self.get_response(request)
