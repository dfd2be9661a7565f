"""Tokens: who they stand for and what they may. Their power stands in the database and is read with every request.

Access tokens are JWTs, made at a log-in or for a program (see oauth.py); personal tokens are random words. Of both only
a checksum is kept. Both are found by one statement that is put together once, without the ORM: it runs with every
request, and nothing of its answer is kept, so that a revocation works at once.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from django.conf import settings
from django.contrib.auth.models import User
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q
from django.utils import timezone
from oauth2_provider.models import AccessToken, set_token_value
from oauth2_provider.oauth2_validators import validate_resource_as_url_prefix
from oauth2_provider.settings import oauth2_settings

from workitems import statements
from workitems.actors import Actor
from workitems.api.models import Application, PersonalToken
from workitems.choices import Door, Scope

PERSONAL_PREFIX = "wpt_"
LONGEST_CHAIN = timedelta(hours=12)  # from a log-in to the end of the last token renewed from it
USED_EVERY = timedelta(minutes=5)

LOGIN, CLIENT, PERSONAL = "login", "client", "personal"

_NEEDED = {"id", "password", "username", "is_active", "is_staff", "is_superuser"}
# in the order in which the model takes them
_USER_FIELDS = [field.attname for field in User._meta.concrete_fields if field.attname in _NEEDED]
_USER_COLUMNS = ", ".join(f"u.{name}" for name in _USER_FIELDS)
_ACCESS_SQL = f"""
SELECT t.expires, t.scope, t.resource, t.application_id, a.name, a.client_id, a.scopes,
       a.authorization_grant_type, a.service_user_id, {_USER_COLUMNS}
FROM {AccessToken._meta.db_table} t
JOIN {User._meta.db_table} u ON u.id = t.user_id
LEFT JOIN {Application._meta.db_table} a ON a.id = t.application_id
WHERE t.token_checksum = %s
"""  # noqa: S608  made of the models' own names
_PERSONAL_SQL = f"""
SELECT t.id, t.name, t.scopes, t.expires_at, t.last_used_at, {_USER_COLUMNS}
FROM {PersonalToken._meta.db_table} t
JOIN {User._meta.db_table} u ON u.id = t.user_id
WHERE t.checksum = %s AND t.revoked_at IS NULL
"""  # noqa: S608  made of the models' own names


@dataclass(frozen=True)
class Credential:
    """What a token says about its bearer."""

    kind: str
    name: str
    scopes: tuple[Scope, ...]
    principal: str  # the same for all tokens that follow one another
    expires: datetime


def issue(
    user: User, *, now: datetime, scopes: Iterable[Scope] | None = None, auth_time: datetime | None = None
) -> str:
    """Make a log-in token with every scope that can come to bear, of those given where some are, and return its text.

    It is valid for 15 minutes, and no longer than 12 hours after the password was asked for.
    """
    began = auth_time or now
    expires = min(now + timedelta(seconds=oauth2_settings.ACCESS_TOKEN_EXPIRE_SECONDS), began + LONGEST_CHAIN)
    carried = Actor.of(user, Door.API, scopes).scopes_for_token()
    text = jwt_for(
        user, carried, now=now, expires=expires, auth_time=int(began.timestamp()), password=_password_mark(user)
    )
    row = AccessToken(user=user, expires=expires, scope=" ".join(scope.value for scope in carried))
    set_token_value(row, text)
    row.save()
    return text


def jwt_for(user: User, scopes: Iterable[Scope], *, now: datetime, expires: datetime, **more: int | str) -> str:
    """Return the text of an access token; what it says is for the bearer to read and for nobody to believe."""
    claims = {
        "jti": uuid.uuid4().hex,
        "sub": user.get_username(),
        "username": user.get_username(),
        "userId": str(user.pk),
        "tenantId": settings.TENANT_ID,
        "authorities": [scope.value for scope in scopes],
        "iat": now,
        "exp": expires,
        **more,
    }
    return jwt.encode(claims, settings.SECRET_KEY, algorithm="HS256")


def log_in_time(text: str) -> datetime | None:
    """Return when the password was asked for from which this token stems.

    Only for a text that `find` knows.
    """
    moment = _claim(text, "auth_time")
    return datetime.fromtimestamp(moment, UTC) if isinstance(moment, int) else None


def _claim(text: str, name: str) -> Any:
    """Return a claim of a text that stands in the database by its checksum, and so is ours."""
    try:
        return jwt.decode(text, options={"verify_signature": False}).get(name)
    except jwt.PyJWTError:
        return None


def _password_mark(user: User) -> str:
    """Return what changes with the password: a log-in's tokens end with it, as sessions do."""
    return user.get_session_auth_hash()[:16]


def make_personal(user: User, *, name: str, scopes: Iterable[Scope], days: int, now: datetime) -> str:
    """Make a personal token and return its secret, which cannot be read again."""
    secret = PERSONAL_PREFIX + secrets.token_urlsafe(32)
    PersonalToken.objects.create(
        user=user,
        name=name,
        checksum=checksum(secret),
        scopes=[scope.value for scope in scopes],
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    return secret


def checksum(text: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def scopes_named(names: Iterable[Any]) -> tuple[Scope, ...]:
    """Return the scopes among these names."""
    return tuple(Scope(name) for name in names if name in Scope.values)


def find(text: str, address: Callable[[], str] | None = None) -> tuple[User, Credential] | None:
    """Return whom a token stands for, None where it is unknown, revoked, expired, or its person is not active.

    `address` tells what is asked for: a token may be meant for one place only (RFC 8707).
    """
    found = _personal(text) if text.startswith(PERSONAL_PREFIX) else _access(text, address)
    if found is None or not found[0].is_active or found[1].expires <= timezone.now():
        return None
    return found


def _access(text: str, address: Callable[[], str] | None) -> tuple[User, Credential] | None:
    row = _row(_ACCESS_SQL, text)
    if row is None:
        return None
    expires, scope, resource, application, name, client_id, allowed, grant, service_user, *facts = row
    user = _user(facts)
    scopes = scopes_named(scope.split())
    audiences = json.loads(resource or "[]")
    if audiences and not (address and validate_resource_as_url_prefix(address(), audiences)):
        return None
    if application is None:
        if _claim(text, "password") != _password_mark(user):
            return None
        return user, Credential(LOGIN, "log-in", scopes, f"user:{user.pk}/login", _aware(expires))
    if grant == Application.GRANT_CLIENT_CREDENTIALS and service_user != user.pk:
        return None  # it acts as somebody else by now
    still = json.loads(allowed)
    scopes = tuple(scope for scope in scopes if isinstance(still, list) and scope.value in still)
    principal = f"user:{user.pk}/client:{application}"
    return user, Credential(CLIENT, name or client_id, scopes, principal, _aware(expires))


def _personal(text: str) -> tuple[User, Credential] | None:
    row = _row(_PERSONAL_SQL, text)
    if row is None:
        return None
    pk, name, scopes, expires, used, *facts = row
    user, now = _user(facts), timezone.now()
    credential = Credential(
        PERSONAL, name, scopes_named(json.loads(scopes)), f"user:{user.pk}/personal:{pk}", _aware(expires)
    )
    if user.is_active and credential.expires > now and (used is None or _aware(used) <= now - USED_EVERY):
        late = Q(last_used_at=None) | Q(last_used_at__lte=now - USED_EVERY)
        PersonalToken.objects.filter(late, pk=pk).update(last_used_at=now)
    return user, credential


def _row(sql: str, text: str) -> tuple[Any, ...] | None:
    return next(iter(statements.fetch(sql, [checksum(text)])), None)


def _user(facts: list[Any]) -> User:
    return User.from_db(DEFAULT_DB_ALIAS, _USER_FIELDS, facts)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # SQLite keeps UTC and does not say so
