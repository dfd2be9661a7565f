"""Access tokens: JWTs that say who, and whose power stands in the database."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timedelta

import jwt
from django.conf import settings
from django.contrib.auth.models import User
from oauth2_provider.models import AccessToken, set_token_value
from oauth2_provider.settings import oauth2_settings

from workitems.actors import Actor
from workitems.choices import Door, Scope


def issue(user: User, *, now: datetime) -> str:
    """Make a token for a person with every scope that can come to bear, valid for 15 minutes, and return its text."""
    scopes = Actor.of(user, Door.API).scopes_for_token()
    expires = now + timedelta(seconds=oauth2_settings.ACCESS_TOKEN_EXPIRE_SECONDS)
    claims = {
        "jti": uuid.uuid4().hex,
        "sub": user.get_username(),
        "username": user.get_username(),
        "userId": str(user.pk),
        "tenantId": settings.TENANT_ID,
        "authorities": [scope.value for scope in scopes],
        "iat": now,
        "exp": expires,
    }
    text = jwt.encode(claims, settings.SECRET_KEY, algorithm="HS256")
    row = AccessToken(user=user, expires=expires, scope=" ".join(claims["authorities"]))
    set_token_value(row, text)
    row.save()
    return text


def find(text: str) -> AccessToken | None:
    """Return the row of a token that is still good, or None; the claims inside the text are never asked."""
    checksum = hashlib.sha256(text.encode()).hexdigest()
    token = AccessToken.objects.select_related("user").filter(token_checksum=checksum).first()
    return token if token is not None and not token.is_expired() else None


def scopes_of(token: AccessToken) -> list[Scope]:
    """Return the scopes that the token carries."""
    return [Scope(name) for name in token.scope.split() if name in Scope.values]
