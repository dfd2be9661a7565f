"""Idempotency-Key (IETF draft-ietf-httpapi-idempotency-key-header): one effect, however often a request is sent.

The answer is written in the transaction of its effect, so there is never one without the other.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

from workitems import services
from workitems.api.authentication import actor_of, principal_of
from workitems.api.errors import invalid
from workitems.api.models import KeptAnswer
from workitems.api.rendering import to_json

KEPT_FOR = timedelta(hours=72)
METHODS = ("POST", "PATCH", "DELETE")
KEY = re.compile(r'"?([!#-~]{1,255})"?')
KEPT_HEADERS = ("ETag", "Location")
RETRY_AFTER_SECONDS = 1
# What was done, or was refused for good: who gets in by now, or asks something else, is answered anew.
WORTH_KEEPING = {200, 201, 204, 400, 409, 412}


class StillRunning(exceptions.APIException):
    """The first request with this key has not been answered yet."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "idempotency_running"
    wait = RETRY_AFTER_SECONDS

    def __init__(self) -> None:
        super().__init__(_("The first request with this Idempotency-Key is still running."))


class OtherRequest(exceptions.APIException):
    """The key has been used for something else."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "idempotency_mismatch"

    def __init__(self) -> None:
        super().__init__(_("This Idempotency-Key was used for another request."))


class OtherRights(exceptions.APIException):
    """What the caller may do has changed, so he may not see the first answer again."""

    status_code = status.HTTP_403_FORBIDDEN
    default_code = "rights_changed"

    def __init__(self) -> None:
        super().__init__(_("It was answered, but what you may do has changed since; look at the workitem itself."))


def key_of(request: Request) -> str | None:
    """Return the key that the request bears; the draft's quotes around it may be left out."""
    given = request.headers.get("Idempotency-Key")
    if given is None or request.method not in METHODS or not request.user.is_authenticated:
        return None
    match = KEY.fullmatch(given.strip())
    if match is None:
        raise invalid("Idempotency-Key", _("This must be 1 to 255 ASCII characters, without blanks and quotes."))
    return match[1]


def once(request: Request, key: str, work: Callable[[], Response]) -> Response:
    """Return the answer to the first request with this key, doing the work where this is the first."""
    principal, asked = principal_of(request), _fingerprint(request)

    def write() -> Response:
        if not _claim(f"{principal} {key}"):
            raise StillRunning
        kept = KeptAnswer.objects.filter(principal=principal, key=key, created_at__gt=timezone.now() - KEPT_FOR).first()
        if kept is not None:
            return _again(kept, asked, rights_of(request))
        with transaction.atomic():
            answer = work()
            if answer.exception:
                transaction.set_rollback(True)
        if answer.status_code in WORTH_KEEPING:
            _keep(principal, key, asked, rights_of(request), answer)
        return answer

    return services.in_transaction(write)


def _claim(name: str) -> bool:
    """Tell whether nobody else is at work on this name; held until the transaction ends.

    On SQLite the transaction itself holds everybody else off.
    """
    if connection.vendor != "postgresql":
        return True
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        row = cursor.fetchone()
    return bool(row and row[0])


def _fingerprint(request: Request) -> str:
    parts = [str(request.method), request.get_full_path(), request.headers.get("If-Match", "")]
    return hashlib.sha256("\n".join(parts).encode() + b"\n" + request._request.body).hexdigest()


def rights_of(request: Request) -> str:
    """Return a name for what the caller may do now: an answer is repeated to him while that is the same."""
    actor = actor_of(request)
    by_queue = sorted((queue, sorted(scopes)) for queue, scopes in actor.by_queue.items())
    told = [sorted(actor.everywhere), by_queue, sorted(actor.may_transfer_in), sorted(actor.own_items)]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _keep(principal: str, key: str, asked: str, rights: str, answer: Response) -> None:
    facts: dict[str, Any] = {
        "fingerprint": asked,
        "rights": rights,
        "status": answer.status_code,
        "headers": {name: answer[name] for name in KEPT_HEADERS if name in answer},
        "body": b"" if answer.data is None else to_json(answer.data),
        "created_at": timezone.now(),
    }
    KeptAnswer.objects.update_or_create(principal=principal, key=key, defaults=facts)


def _again(kept: KeptAnswer, asked: str, rights: str) -> Response:
    if kept.fingerprint != asked:
        raise OtherRequest
    if kept.rights != rights:
        raise OtherRights
    body = bytes(kept.body)
    answer = Response(orjson.Fragment(body) if body else None, status=kept.status, headers=kept.headers)
    answer["Idempotent-Replayed"] = "true"
    return answer
