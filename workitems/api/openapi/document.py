"""How drf-spectacular is told what operations.py says, so that no view carries its own documentation twice."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from workitems.api import strict
from workitems.api.catalogue import Catalogue
from workitems.api.filters import ChoicesIn
from workitems.api.idempotency import KEY
from workitems.api.listing import MAX_ROWS, TOTALS
from workitems.api.openapi import shapes
from workitems.api.openapi.operations import KINDS, OTHERS, VENDOR, Operation, of_command, of_kind, of_transfer
from workitems.api.views.commands import CommandView
from workitems.api.views.transfers import TransferCommand

V1 = "/api/v1/"
ERRORS = {
    400: "What was sent makes no sense",
    401: "No token, or none that is good",
    403: "The scope is missing",
    404: "It does not exist, or the caller may not see it",
    406: "No form of the answer that Accept names",
    409: "Not possible as things stand",
    411: "The body does not say how long it is",
    412: "It is at another version than If-Match says",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "The Idempotency-Key was used for another request",
    429: "Too many requests, or too many attempts to sign in",
    503: "The database is busy",
}
TAGS = r'^(\*|(W/)?"[^"]*"(, ?(W/)?"[^"]*")*)$'
TEXT = OpenApiTypes.STR
WHOLE = OpenApiTypes.INT


class Schema(AutoSchema):
    """One operation of the document."""

    def operation(self) -> Operation:
        """Return what operations.py says of it."""
        view, action = type(self.view).__name__, getattr(self.view, "action", "")
        if isinstance(self.view, CommandView):
            return of_command(self.view.does)
        if isinstance(self.view, TransferCommand):
            return of_transfer(self.view.does)
        if view in KINDS:
            return of_kind(view, action, vendor=not self.path.startswith(V1))
        return {**OTHERS, **VENDOR}[f"{view}.{self.method.lower()}"]

    def get_operation_id(self) -> str:
        """Name it."""
        operation = self.operation()
        alias = self.path.startswith("/users/api/workitems/{") and operation.name == "vendorGetWorkitem"
        return "vendorFetchWorkitem" if alias else operation.name

    def get_summary(self) -> str:
        """Say it in a sentence."""
        return self.operation().summary

    def get_description(self) -> str:  # type: ignore[override]  # the library's own signature
        """Have nothing to add."""
        return ""

    def get_tags(self) -> list[str]:
        """Group by surface."""
        return ["v1" if self.path.startswith(V1) else "vendor"]

    def get_request_serializer(self) -> Any:
        """Return what may stand in the body."""
        body = self.operation().body
        return body if body is not None and body._declared_fields | body().get_fields() else None

    def get_response_serializers(self) -> Any:
        """Return what comes back, errors included."""
        operation = self.operation()
        form = operation.answer
        answers: dict[Any, Any] = {}
        if operation.lists is not None:
            answers[200, "application/json"] = form
            answers[200, "text/csv"] = OpenApiTypes.STR
            answers[200, "application/x-ndjson"] = OpenApiTypes.STR
        else:
            answers[_json(operation.status)] = OpenApiResponse(form) if form else OpenApiResponse(description="Done")
        if operation.dry_run and operation.answer is not shapes.BulkWire:
            answers = {**answers, **self._with_rehearsal(operation)}
        if self._is_single(operation):
            answers[_json(304)] = OpenApiResponse(description="The caller has this version already")
        for status, text in ERRORS.items():
            if status in self._possible(operation):
                answers[_json(status)] = OpenApiResponse(shapes.ErrorWire, description=text)
        return answers

    def get_override_parameters(self) -> list[Any]:
        """Return what may stand in the query and in the headers."""
        operation = self.operation()
        found = [self._parameter(name) for name in operation.parameters]
        if operation.dry_run:
            found.append(_choice("dryRun", ["true", "false"], "Say what would happen and write nothing"))
        if operation.lists is not None:
            found += self._of_list(operation.lists)
        if operation.changes:
            found.append(_header("If-Match", 'The version that it must be at, for example "7"', TAGS))
        if self.method in ("POST", "PATCH", "DELETE"):
            found.append(
                _header(
                    "Idempotency-Key",
                    "A name for this request; sent again, it has no second effect",
                    f"^{KEY.pattern}$",
                )
            )
        if self._is_single(operation):
            found.append(_header("If-None-Match", 'The version that the caller has, for example "7"', TAGS))
        return found

    def get_examples(self) -> list[OpenApiExample]:
        """Return the body that the tests send."""
        example = self.operation().example
        return [] if example is None else [OpenApiExample("example", value=example, request_only=True)]

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Return how one comes in."""
        return [{"password": []}] if self.operation().name == "logIn" else [{"token": []}]

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        """Leave out the end that only tells our classes apart."""
        name: str = super().get_serializer_name(serializer, direction)
        return name.removesuffix("Wire")

    def _postprocess_serializer_schema(self, schema: Any, serializer: Any, direction: Any) -> Any:
        schema = super()._postprocess_serializer_schema(schema, serializer, direction)  # type: ignore[no-untyped-call]
        if isinstance(serializer, strict.Body):  # a field that is not known is refused
            schema["additionalProperties"] = False
        return schema

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False  # a page is an object with the list in it

    def get_filter_backends(self) -> list[Any]:
        """Leave the filters to the list parameters."""
        return []

    def _is_single(self, operation: Operation) -> bool:
        return self.method == "GET" and operation.lists is None and operation.name not in NO_ETAG

    def _with_rehearsal(self, operation: Operation) -> dict[Any, Any]:
        from drf_spectacular.utils import PolymorphicProxySerializer

        if operation.status != 200 or operation.answer is None:
            return {_json(200): OpenApiResponse(operation.rehearsal)}
        either = PolymorphicProxySerializer(
            component_name="WorkitemOrRehearsal",
            serializers=[shapes.WorkitemWire, shapes.RehearsalWire],
            resource_type_field_name=None,
        )
        return {_json(200): OpenApiResponse(either)}

    def _possible(self, operation: Operation) -> set[int]:
        possible = {400, 401, 406, 411, 413, 429, 503}
        if operation.name != "logIn":
            possible |= {403, 404}
        if self.method != "GET":
            possible |= {409, 415, 422}
        if operation.changes:
            possible.add(412)
        return possible

    def _of_list(self, every: Catalogue) -> list[OpenApiParameter]:
        search = _query("q", TEXT, "A search, for example state:active AND channelType:voice")
        found = [
            *([search] if every.schema else []),
            _choice("sort", every.sort_names, f"The order; {every.usual_sort} if not given"),
            self._parameter("rows"),
            self._parameter("fields"),
            _choice("total", list(TOTALS), "How to count all that match"),
        ]
        if every.expandable:
            found.append(self._parameter("expand"))
        if self.path.startswith(V1):
            found.append(_query("cursor", TEXT, "`next` of the page before"))
        else:
            found.append(_query("start", WHOLE, "How many rows to leave out", minimum=0, maximum=2**31 - 1))
        for name, one in every.filters.base_filters.items():
            choices = [str(value) for value, _label in one.extra.get("choices", [])]
            several = isinstance(one, ChoicesIn)
            if choices and not several:
                found.append(_choice(name, choices, "Keep only these"))
            elif choices:
                found.append(_query(name, TEXT, f"One or several, separated by commas, of: {', '.join(choices)}"))
            else:
                found.append(_query(name, TEXT, "Keep only these"))
        return found

    def _parameter(self, name: str) -> OpenApiParameter:
        return {
            "fields": lambda: _query("fields", TEXT, "Names of fields, separated by commas; all if not given"),
            "expand": lambda: _query("expand", TEXT, "Of contact, timeEvents, actions; all if not given"),
            "rows": lambda: _query("rows", WHOLE, "How many, 100 if not given", minimum=0, maximum=MAX_ROWS),
            "after": lambda: _query("after", WHOLE, "Only events after this version", minimum=0, maximum=2**31 - 1),
            "purge": lambda: _choice("purge", ["true", "false"], "Delete for good"),
        }[name]()


NO_ETAG = ("logIn", "renewToken", "listMyWorkitems", "explainActions")


def tidy(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Say each error once, and drop the marks that only the library's own enumeration step reads."""

    def clean(node: Any) -> Any:
        if isinstance(node, dict):
            return {name: clean(value) for name, value in node.items() if name != "x-spec-enum-id"}
        return [clean(one) for one in node] if isinstance(node, list) else node

    cleaned: dict[str, Any] = clean(result)
    shared = cleaned["components"].setdefault("responses", {})
    for methods in cleaned["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                if int(status) in ERRORS:
                    shared[f"Error{status}"] = answer
                    operation["responses"][status] = {"$ref": f"#/components/responses/Error{status}"}
    return cleaned


def _json(status: int) -> tuple[int, str]:
    return status, "application/json"


def _query(name: str, kind: Any, text: str, **bounds: int) -> OpenApiParameter:
    schema: Any = {"type": "integer", **bounds} if bounds else kind
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=text)


def _choice(name: str, choices: list[str], text: str) -> OpenApiParameter:
    return OpenApiParameter(name, TEXT, OpenApiParameter.QUERY, enum=choices, description=text)


def _header(name: str, text: str, pattern: str) -> OpenApiParameter:
    schema: Any = {"type": "string", "pattern": pattern}
    return OpenApiParameter(name, schema, OpenApiParameter.HEADER, description=text)
