"""How long somebody stays signed in: half an hour of idleness (a setting of Django's), and 12 hours at most."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

LONGEST_SECONDS = timedelta(hours=12).total_seconds()
SIGNED_IN_AT = "signed_in_at"


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
        return self.get_response(request)
