"""The vendor's way in: a password buys a token, and a token the next one."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from workitems.api import tokens
from workitems.api.authentication import PasswordAuthentication, TokenAuthentication, text_in
from workitems.api.base import ApiView
from workitems.api.tokens import LOGIN, LONGEST_CHAIN, Credential


class LogIn(ApiView):
    """Exchange a username and password for a token."""

    authentication_classes = [PasswordAuthentication]

    def get(self, request: Request) -> Response:
        """Answer with a token that carries all scopes the person holds."""
        assert isinstance(request.user, User)  # noqa: S101  authentication lets nobody else through
        return _answer(request, tokens.issue(request.user, now=timezone.now()))


class RenewToken(ApiView):
    """Exchange the token of a log-in for a fresh one, which never may more."""

    authentication_classes = [TokenAuthentication]

    def get(self, request: Request) -> Response:
        """Answer with a token for the rest of the twelve hours; the old one stays valid until it expires."""
        assert isinstance(request.user, User)  # noqa: S101  authentication lets nobody else through
        assert isinstance(request.auth, Credential)  # noqa: S101
        if request.auth.kind != LOGIN:
            raise PermissionDenied(_("Only the token of a log-in can be renewed here."))
        now = timezone.now()
        began = tokens.log_in_time(text_in(request) or "")
        if began is None or now >= began + LONGEST_CHAIN:
            raise AuthenticationFailed(_("The log-in is twelve hours old; log in again."))
        return _answer(request, tokens.issue(request.user, now=now, scopes=request.auth.scopes, auth_time=began))


def _answer(request: Request, token: str) -> Response:
    address = settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")
    body = {"location": address, "token": token, "clientLocation": address}
    return Response(body, headers={"Cache-Control": "no-store"})
