"""The OpenAPI document and the page to try it out; both need nothing from other hosts."""

from __future__ import annotations

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from workitems.api.base import ApiView


@cache
def document() -> dict[str, Any]:
    """Return the document, made once a process."""
    from workitems.api.urls import documented

    generator: Any = SchemaGenerator
    made: dict[str, Any] = generator(patterns=documented).get_schema(request=None, public=True)
    return made


class Document(ApiView):
    """What the REST door can do, for programs."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []
    schema = None

    def get(self, request: Request) -> Response:
        """Answer with the document."""
        return Response(document())


class DocumentPage(SpectacularSwaggerSplitView):
    """What the REST door can do, for people: read it, and try it out with a token."""

    url_name = "v1-document"
    authentication_classes = []
