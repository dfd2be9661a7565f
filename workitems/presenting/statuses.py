"""Which HTTP status tells of which kind of refusal, at every door."""

from __future__ import annotations

from http import HTTPStatus

from workitems.errors import Kind

STATUS = {
    Kind.UNKNOWN: HTTPStatus.NOT_FOUND,
    Kind.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Kind.CONFLICT: HTTPStatus.CONFLICT,
    Kind.PRECONDITION: HTTPStatus.PRECONDITION_FAILED,
    Kind.INVALID: HTTPStatus.BAD_REQUEST,
}
