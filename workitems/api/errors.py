"""The one place where refusals become HTTP answers.

Every error has `{code, message, requestId}`, and `details` where fields are at fault.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views import defaults
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from workitems.api.middleware import request_id
from workitems.errors import InvalidValue, Kind, StaleVersion, WorkitemError

STATUS = {
    Kind.UNKNOWN: status.HTTP_404_NOT_FOUND,
    Kind.FORBIDDEN: status.HTTP_403_FORBIDDEN,
    Kind.CONFLICT: status.HTTP_409_CONFLICT,
    Kind.PRECONDITION: status.HTTP_412_PRECONDITION_FAILED,
    Kind.INVALID: status.HTTP_400_BAD_REQUEST,
}
CODES = {
    exceptions.ParseError: "malformed",
    exceptions.AuthenticationFailed: "not_authenticated",
    exceptions.NotAuthenticated: "not_authenticated",
    exceptions.PermissionDenied: "scope",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.Throttled: "throttled",
}
PATHS = ("/data", "/users", "/workflows", "/provider")


class Unknown(exceptions.NotFound):
    """Something named in the path does not exist for this caller."""


def answer_to(error: Exception, context: dict[str, Any]) -> Response | None:
    """Translate an expected error into its answer; None, for a bug, lets it go on as one."""
    request = context["request"]
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, WorkitemError):
        set_rollback()
        return Response(body(request, error.code, error.message, _details_of(error)), status=STATUS[error.kind])
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    challenge = getattr(error, "auth_header", None)
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    if isinstance(error, exceptions.ValidationError):
        answer = body(request, "invalid", _("The request has values that cannot be used."), _fields(error.detail))
    else:
        answer = body(request, CODES.get(type(error), _nearest_code(error)), str(error.detail))
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


def _nearest_code(error: exceptions.APIException) -> str:
    return next((code for kind, code in CODES.items() if isinstance(error, kind)), "error")


def _details_of(error: WorkitemError) -> dict[str, Any] | None:
    if isinstance(error, InvalidValue):
        return {error.field: [error.message]}
    if isinstance(error, StaleVersion):
        return {"version": error.facts["current"]}
    return None


def _fields(detail: Any) -> dict[str, Any]:
    if isinstance(detail, dict):
        return {name: [str(line) for line in _flat(lines)] for name, lines in detail.items()}
    return {"body": [str(line) for line in _flat(detail)]}


def _flat(lines: Any) -> list[Any]:
    if isinstance(lines, dict):
        return [line for inner in lines.values() for line in _flat(inner)]
    if isinstance(lines, list):
        return [line for inner in lines for line in _flat(inner)]
    return [lines]
