"""How often a password or a client's secret may be tried, counted in rows that all server processes share.

A check is reserved before the hash is computed, so that no number of parallel requests gets more checks than allowed;
who was right takes his own reservation back.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils.translation import ngettext
from rest_framework import exceptions

from queues.models import Queue
from workitems.api.models import SignInGuard
from workitems.middleware import caller_address

WINDOW_SECONDS = 15 * 60
PER_NAME = 10
PER_ADDRESS = 100
ROUNDS = 5  # a row may be forgotten between its making and its locking
STEP = 1e-6


class TooManyAttempts(exceptions.Throttled):
    """So many passwords or secrets were tried that nothing is checked for a while."""

    default_code = "too_many_attempts"

    def __init__(self, wait: float) -> None:
        self.minutes = math.ceil(wait / 60)
        words = ngettext(
            "Too many attempts. Try again in %d minute.", "Too many attempts. Try again in %d minutes.", self.minutes
        )
        exceptions.APIException.__init__(self, words % self.minutes)
        self.wait = math.ceil(wait)


@dataclass(frozen=True)
class Reservation:
    """One check that counts already, until it is taken back."""

    keys: tuple[str, ...]
    moment: float

    def take_back(self) -> None:
        """Stop counting this check, and no other."""
        with transaction.atomic():
            for row in _locked(self.keys):
                row.checks = [moment for moment in row.checks if moment != self.moment]
                row.save(update_fields=["checks"])


def reserve(limits: Mapping[str, int]) -> Reservation:
    """Count one check for each of these keys, all of them or, with TooManyAttempts, none."""
    keys = tuple(sorted(limits))
    for _round in range(ROUNDS):
        with transaction.atomic():
            rows = _locked(keys)
            if len(rows) == len(keys):
                return _count(rows, keys, limits)
        missing = set(keys) - {row.key for row in rows}
        # in sorted order, and on its own: who waits here holds no lock
        SignInGuard.objects.bulk_create([SignInGuard(key=key) for key in sorted(missing)], ignore_conflicts=True)
    raise TooManyAttempts(1)


def name_key(kind: str, name: str) -> str:
    """Return the key under which the checks for a person's or client's name are counted."""
    return f"{kind}:{hashlib.sha256(name.lower().encode(errors='replace')).hexdigest()}"


def address_keys(meta: Mapping[str, Any]) -> list[str]:
    """Return the key under which the caller's address is counted, none where it is unknown."""
    address = address_of(meta)
    return [name_key("address", address)] if address else []


def address_of(meta: Mapping[str, Any]) -> str:
    """Return the caller's address; of an IPv6 address only the network: one household has all of it."""
    address = caller_address(meta)
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known.packed, 64), strict=False))
    return str(known)


class GuardedBackend(ModelBackend):
    """Passwords, of which only so many are checked for one name and for one address."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return the person, None for a wrong password; raise TooManyAttempts before anything is computed."""
        name = kwargs.pop(User.USERNAME_FIELD, None) if username is None else username
        if name is None or password is None or "\x00" in name:
            return None
        limits = {name_key("person", name): PER_NAME}
        limits |= dict.fromkeys(address_keys(request.META if request else {}), PER_ADDRESS)
        reservation = reserve(limits)
        user = super().authenticate(request, username=name, password=password, **kwargs)
        if not isinstance(user, User):
            return None
        reservation.take_back()
        return user

    def get_user(self, user_id: int) -> User | None:
        """Return who is signed in, if he still may be, with what the head of every page shows of him."""
        memberships = Queue.members.through.objects.filter(user=OuterRef("pk"))
        known = User.objects.select_related("desk_settings", "presence").annotate(is_an_agent=Exists(memberships))
        user = known.filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None


def _locked(keys: tuple[str, ...]) -> list[SignInGuard]:
    return list(SignInGuard.objects.select_for_update().filter(key__in=keys).order_by("key"))


def _count(rows: list[SignInGuard], keys: tuple[str, ...], limits: Mapping[str, int]) -> Reservation:
    now = time.time()
    wait = 0.0
    for row in rows:
        row.checks = sorted(moment for moment in row.checks if moment > now - WINDOW_SECONDS)
        limit = limits[row.key]
        if len(row.checks) >= limit:
            wait = max(wait, row.checks[-limit] + WINDOW_SECONDS - now)
    if wait:
        raise TooManyAttempts(wait)
    moment = now
    while any(moment in row.checks for row in rows):
        moment += STEP
    for row in rows:
        row.checks.append(moment)
        row.last_at = datetime.fromtimestamp(now, UTC)
        row.save(update_fields=["checks", "last_at"])
    return Reservation(keys, moment)
