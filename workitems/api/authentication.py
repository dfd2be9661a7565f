"""Who is calling: a token in the header, with or without the word Bearer, or a browser's session."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from workitems.actors import Actor
from workitems.api import sign_in, tokens
from workitems.api.tokens import Credential
from workitems.choices import Door
from workitems.middleware import request_id

STRICT_PATHS = "/api/v1/"  # the word Bearer may be left out elsewhere only: the vendor's clients do it
LONGEST_NAME = 150


class PasswordAuthentication(BasicAuthentication):
    """HTTP Basic, for the log-in only; how often, sign_in.py says."""

    def authenticate_credentials(self, userid: str, password: str, request: Request | None = None) -> tuple[User, None]:
        """Refuse what no name can hold before the database does."""
        if "\x00" in userid:
            raise AuthenticationFailed(_("Invalid username/password."))
        answer: tuple[User, None] = super().authenticate_credentials(userid, password, request)
        return answer


class TokenAuthentication(BaseAuthentication):
    """Access tokens of people and programs, and personal tokens."""

    def authenticate(self, request: Request) -> tuple[User, Credential] | None:
        """Return the token's person and what the token says, None where there is none; refuse a bad one."""
        text = text_in(request)
        if text is None:
            return None
        found = tokens.find(text, lambda: request.build_absolute_uri(request.path))
        if found is None:
            raise AuthenticationFailed(_("The token is unknown, revoked or expired."))
        return found

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme that a 401 asks for, and what was wrong with the token where one was shown (RFC 6750)."""
        challenge = 'Bearer realm="workitems"'
        return f'{challenge}, error="invalid_token"' if _words(request) else challenge


def text_in(request: Request) -> str | None:
    """Return the token in the request's header, None where there is none."""
    words = _words(request)
    if not words:
        return None
    if len(words) == 2 and words[0].lower() == "bearer":
        return words[1]
    if len(words) == 1 and not request.path.startswith(STRICT_PATHS):
        return words[0]
    raise AuthenticationFailed(_("The Authorization header must be: Bearer, a blank, the token."))


def actor_of(request: Request) -> Actor:
    """Return who acts in this request, within the limits of his token; his rights are read once a request."""
    actor: Actor | None = getattr(request, "workitems_actor", None)
    if actor is None:
        scopes = request.auth.scopes if isinstance(request.auth, Credential) else None
        actor = Actor.of(
            request.user, Door.API, scopes, token=token_name_of(request), request_id=request_id(request._request)
        )
        request.workitems_actor = actor  # type: ignore[attr-defined]
    return actor


def token_name_of(request: Request) -> str:
    """Return the name of the token that the request bears, empty for a session."""
    return request.auth.name[:LONGEST_NAME] if isinstance(request.auth, Credential) else ""


def principal_of(request: Request) -> str:
    """Return who asks and by which means, the same after a token was renewed."""
    if isinstance(request.auth, Credential):
        return request.auth.principal
    return f"user:{request.user.pk}/session"


def rate_key_of(request: Request) -> str:
    """Return what a rate limit counts by: the principal, the address where nobody is known."""
    if request.user is not None and request.user.is_authenticated:
        return principal_of(request)
    return f"address:{sign_in.address_of(request.META)}"


def _words(request: Request) -> list[str]:
    words = request.headers.get("Authorization", "").split()
    return [] if words and words[0].lower() == "basic" else words
