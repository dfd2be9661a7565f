"""The back office's site: Django's admin in Unfold's clothes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from unfold.sites import UnfoldAdminSite

# The theme evaluates expressions in its templates and writes styles inline; our own pages do neither.
THEME_NEEDS = {"script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE], "style-src": [SELF, UNSAFE_INLINE]}


class BackOfficeSite(UnfoldAdminSite):
    """The site at /admin/."""

    def get_urls(self) -> list[Any]:
        """Leave out the way that shows the address of any object to whoever counts through their numbers."""
        return [one for one in super().get_urls() if getattr(one, "name", None) != "view_on_site"]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Say in the form when somebody has tried too often."""
        from workitems.api.sign_in import BackOfficeForm

        self.login_form = BackOfficeForm
        answer: HttpResponse = super().login(request, extra_context)
        return answer

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Allow the theme's scripts and styles on these pages only."""
        return csp_update(THEME_NEEDS)(super().admin_view(view, cacheable))


class BackOfficeConfig(AdminConfig):
    """Makes the site the default one, so that every application registers with it."""

    default_site = "config.back_office.BackOfficeSite"
