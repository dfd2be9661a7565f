"""Who is calling: a token in the header, with or without the word Bearer."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from oauth2_provider.models import AccessToken
from rest_framework.authentication import BaseAuthentication, BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from workitems.actors import Actor
from workitems.api import tokens
from workitems.choices import Door


class PasswordAuthentication(BasicAuthentication):
    """HTTP Basic, for the log-in only."""

    def authenticate_credentials(self, userid: str, password: str, request: Request | None = None) -> tuple[User, None]:
        """Refuse what no name can hold before the database does."""
        if "\x00" in userid:
            raise AuthenticationFailed(_("Invalid username/password."))
        answer: tuple[User, None] = super().authenticate_credentials(userid, password, request)
        return answer


class TokenAuthentication(BaseAuthentication):
    """Bearer tokens; the vendor's clients leave the word Bearer out."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        """Return the token's person and the token, None where there is none; refuse a bad one."""
        words = request.headers.get("Authorization", "").split()
        if not words or words[0].lower() == "basic":
            return None
        if len(words) > 2 or (len(words) == 2 and words[0].lower() != "bearer"):
            raise AuthenticationFailed(_("The Authorization header must be: Bearer, a blank, the token."))
        token = tokens.find(words[-1])
        if token is None or token.user is None or not token.user.is_active:
            raise AuthenticationFailed(_("The token is unknown, revoked or expired."))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme that a 401 asks for."""
        return 'Bearer realm="workitems"'


def actor_of(request: Request) -> Actor:
    """Return who acts in this request, within the limits of his token; his rights are read once a request."""
    actor: Actor | None = getattr(request, "workitems_actor", None)
    if actor is None:
        scopes = tokens.scopes_of(request.auth) if isinstance(request.auth, AccessToken) else None
        actor = Actor.of(request.user, Door.API, scopes)
        request.workitems_actor = actor  # type: ignore[attr-defined]
    return actor
