"""Pages of the desk and static files go out compressed where the browser takes it.

Programs' answers stay as they are: a compressed one has a weak ETag, with which nothing can be changed safely.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

PAGES = "/supervisor/"


class PagesGZipMiddleware(GZipMiddleware):
    """Compress these."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Leave everything else as it is, and parts of files too."""
        is_ours = request.path_info.startswith((PAGES, f"/{settings.STATIC_URL.lstrip('/')}"))
        if response.status_code != 200 or not is_ours:
            return response
        compressed: HttpResponseBase = super().process_response(request, response)
        return compressed
