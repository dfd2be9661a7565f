"""The one place where refusals become HTTP answers.

Every error has `{code, message, requestId}`, and `details` where fields are at fault.
"""

from __future__ import annotations

import math
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import IntegrityError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views import defaults
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from workitems.errors import InvalidSearch, InvalidValue, StaleVersion, WorkitemError
from workitems.middleware import request_id
from workitems.presenting.statuses import STATUS

CODES = {
    exceptions.ParseError: "malformed",
    exceptions.AuthenticationFailed: "not_authenticated",
    exceptions.NotAuthenticated: "not_authenticated",
    exceptions.PermissionDenied: "forbidden",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.Throttled: "throttled",
}
# Beside the codes of workitems.errors and those above: what only this door has to say.
OWN_CODES = (
    "invalid", "idempotency_running", "idempotency_mismatch", "rights_changed", "too_large", "length_required",
    "too_many_attempts", "busy", "gone_meanwhile", "server_error",
)  # fmt: skip
PATHS = ("/data", "/users", "/workflows", "/provider", "/api", "/oauth")


class Unknown(exceptions.NotFound):
    """Something named in the path does not exist for this caller."""


class Busy(exceptions.APIException):
    """The database could not do it in time."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "busy"
    wait = 1

    def __init__(self) -> None:
        super().__init__(_("The database is busy; try again."))


class GoneMeanwhile(exceptions.APIException):
    """Something that the request names was deleted while it was being answered."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "gone_meanwhile"

    def __init__(self) -> None:
        super().__init__(_("Something that this refers to has been deleted meanwhile."))


def all_codes() -> list[str]:
    """Return every code that an error can bear."""

    def below(kind: type[WorkitemError]) -> set[str]:
        own = {kind.code} if hasattr(kind, "code") else set()
        return own.union(*(below(child) for child in kind.__subclasses__()))

    return sorted(below(WorkitemError) | set(CODES.values()) | set(OWN_CODES))


def answer_to(error: Exception, context: dict[str, Any]) -> Response | None:
    """Translate an expected error into its answer; None, for a bug, lets it go on as one."""
    request = context["request"]
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if _was_cut_short(error) and _has_search(request):
        error = InvalidSearch(_("This search takes too long; narrow it, for example by a time or a queue."))
    if _is_busy(error):
        error = Busy()
    elif isinstance(error, ObjectDoesNotExist) or _is_dangling(error):
        error = GoneMeanwhile()
    if isinstance(error, WorkitemError):
        set_rollback()
        return Response(body(request, error.code, error.message, details_of(error)), status=STATUS[error.kind])
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    challenge = getattr(error, "auth_header", None)
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(math.ceil(error.wait))  # type: ignore[attr-defined]
    if isinstance(error, exceptions.ValidationError):
        answer = body(request, InvalidValue.code, invalid_text(), fields_of(error))
    else:
        answer = body(request, _code_of(error), str(error.detail))
    return Response(answer, status=error.status_code, headers=headers)


def body(request: HttpRequest, code: str, message: str, details: Any = None) -> dict[str, Any]:
    """Return the body that every error has."""
    answer = {"code": code, "message": message, "requestId": request_id(request)}
    return {**answer, "details": details} if details else answer


def invalid(field: str, problem: str) -> InvalidValue:
    """Return the refusal of one field's value."""
    return InvalidValue(field=field, problem=problem)


def not_found(request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
    """Answer a path that does not exist."""
    return JsonResponse(body(request, "not_found", _("There is nothing at this address.")), status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer after a bug, without a word about its inside: programs in JSON, people with a page."""
    if not request.path.startswith(PATHS):
        return defaults.server_error(request)
    return JsonResponse(body(request, "server_error", _("Something went wrong on our side.")), status=500)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer what Django refuses before any view sees it: a foreign host, a body too large."""
    if not request.path.startswith(PATHS):
        return defaults.bad_request(request, exception or Exception())
    return JsonResponse(body(request, "malformed", _("The request cannot be read.")), status=400)


def _is_busy(error: Exception) -> bool:
    """Tell whether the database gave up waiting, or chose this request as the loser of a race three times."""
    if not isinstance(error, OperationalError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state in ("55P03", "40001", "40P01", "57014") or "database is locked" in str(error)


def _is_dangling(error: Exception) -> bool:
    """Tell whether a row that was named has been deleted by somebody else before ours was written."""
    return isinstance(error, IntegrityError) and (
        getattr(error.__cause__, "sqlstate", None) == "23503" or "FOREIGN KEY" in str(error)
    )


def _was_cut_short(error: Exception) -> bool:
    """Tell whether PostgreSQL ended a statement because it took longer than statement_timeout."""
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", "") == "57014"


def _has_search(request: Request) -> bool:
    return "q" in request.query_params or (isinstance(request.data, dict) and "q" in request.data)


def _code_of(error: exceptions.APIException) -> str:
    if error.default_code in OWN_CODES:
        return str(error.default_code)
    return next((code for kind, code in CODES.items() if isinstance(error, kind)), "malformed")


def details_of(error: WorkitemError) -> dict[str, Any] | None:
    """Return what the error says beside its message."""
    if isinstance(error, InvalidValue):
        return {error.field: [error.message]}
    if isinstance(error, InvalidSearch):
        position, suggestion = error.facts["position"], error.facts["suggestion"]
        return {"q": [error.message], "position": position, "suggestion": suggestion}
    if isinstance(error, StaleVersion):
        return {"version": error.facts["current"]}
    return None


def invalid_text() -> str:
    """Return the message of an error whose details say the rest."""
    return _("The request has values that cannot be used.")


def fields_of(error: exceptions.ValidationError) -> dict[str, Any]:
    """Return the fields at fault, each with what is wrong."""
    detail: Any = error.detail
    if isinstance(detail, dict):
        return {name: [str(line) for line in _flat(lines)] for name, lines in detail.items()}
    return {"body": [str(line) for line in _flat(detail)]}


def _flat(lines: Any) -> list[Any]:
    if isinstance(lines, dict):
        return [line for inner in lines.values() for line in _flat(inner)]
    if isinstance(lines, list):
        return [line for inner in lines for line in _flat(inner)]
    return [lines]
