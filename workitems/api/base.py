"""What all REST views share: sizes and rates, retries that have one effect, ETags, and JSON."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from workitems.api import conditional, export, idempotency, limits
from workitems.api.authentication import actor_of
from workitems.api.catalogue import Catalogue
from workitems.api.listing import asked, page_by_cursor, page_by_number
from workitems.api.rendering import CSVRenderer, JSONRenderer, NDJSONRenderer

BY_NUMBER, BY_CURSOR = "number", "cursor"
PAGES = {
    BY_NUMBER: (page_by_number, ("rows", "start", "total")),
    BY_CURSOR: (page_by_cursor, ("rows", "cursor", "total")),
}


class ApiView(APIView):
    """A view of the REST door."""

    renderer_classes = [JSONRenderer]
    throttle_classes = [limits.RatePerToken]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer a request; one that bears an Idempotency-Key is answered once."""
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            self.initial(self.request, *args, **kwargs)
            key = idempotency.key_of(self.request)
            answer = idempotency.once(self.request, key, self._work) if key else self._work()
        except Exception as error:  # noqa: BLE001  what is not expected is raised again by handle_exception
            answer = self.handle_exception(error)
        self.response = self.finalize_response(self.request, answer, *args, **kwargs)
        return self.response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Look at the size before anything else."""
        limits.check_size(request)
        super().initial(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say how much may still be asked for, and that nobody else may keep the answer."""
        if getattr(response, "exception", False):  # an error is JSON whatever Accept wanted
            request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in limits.rate_headers(request).items():
            response[name] = value
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return response

    def _work(self) -> Response:
        name = (self.request.method or "").lower()
        handler = getattr(self, name, None) if name in self.http_method_names else None
        try:
            answer: Response = (handler or self.http_method_not_allowed)(self.request, *self.args, **self.kwargs)
        except Exception as error:  # noqa: BLE001  what is not expected is raised again by handle_exception
            answer = self.handle_exception(error)
        return answer


class ListView(ApiView):
    """A view with a list in it: a page as JSON, or all that matches as CSV or NDJSON."""

    catalogue: Catalogue
    paging = BY_CURSOR
    action: str  # of the viewset that it is mixed into

    def get_renderers(self) -> list[Any]:
        """Offer the forms of an export for lists only."""
        kinds = [JSONRenderer, CSVRenderer, NDJSONRenderer] if self.action == "list" else [JSONRenderer]
        return [kind() for kind in kinds]

    def page(self, request: Request) -> HttpResponseBase:
        """Answer with what was asked for, in the form that Accept names."""
        form, actor = request.accepted_renderer.format, actor_of(request)
        if form in export.FORMATS:  # the whole list, so nothing about pages makes sense
            return export.stream(asked(request, self.catalogue, actor, manners=()), form)
        answer, manners = PAGES[self.paging]
        return Response(answer(request, asked(request, self.catalogue, actor, manners=manners)))


def single(request: Request, wire: dict[str, Any], version: int | str, status: int = 200) -> Response:
    """Answer with one object under its ETag, or with 304 where the caller has it already."""
    tag = conditional.etag(version)
    if request.method in ("GET", "HEAD") and conditional.is_known(request, tag):
        return Response(status=304, headers={"ETag": tag})
    return Response(wire, status=status, headers={"ETag": tag})
