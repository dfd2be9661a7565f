"""The back office's site: Django's admin in Unfold's clothes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.defaults import page_not_found, permission_denied
from unfold.sites import UnfoldAdminSite

LONGEST_TERM = 100
# The theme evaluates expressions in its templates and writes styles inline; our own pages do neither.
THEME_NEEDS = {"script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE], "style-src": [SELF, UNSAFE_INLINE]}


class BackOfficeSite(UnfoldAdminSite):
    """The site at /admin/."""

    index_title = gettext_lazy("How the centre stands")

    def get_urls(self) -> list[Any]:
        """Leave out the way that shows the address of any object to whoever counts through their numbers."""
        return [one for one in super().get_urls() if getattr(one, "name", None) != "view_on_site"]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send everybody to the one way of signing in, and say no to those who are in and have nothing to do here."""
        from django.contrib.auth.views import redirect_to_login

        if request.user.is_authenticated:
            if not self.has_permission(request):
                raise PermissionDenied
            return HttpResponseRedirect(reverse("admin:index"))
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send people to their own page for it."""
        return HttpResponseRedirect(reverse("account_change_password"))

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Allow the theme's scripts and styles on these pages only, and say in its clothes what may not be seen."""
        inside = super().admin_view(view, cacheable)

        @wraps(inside)
        def told(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            try:
                return inside(request, *args, **kwargs)
            except Http404:
                return self._refusal(request, 404, _("Nothing here"))
            except PermissionDenied:
                return self._refusal(request, 403, _("You may not do this"))

        return csp_update(THEME_NEEDS)(told)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Leave out, on every page, what only the page of one application shows: the menu has a table of its own."""
        return list(super().get_app_list(request, app_label)) if app_label else []

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show how the centre stands."""
        from workitems.admin import home

        answer: TemplateResponse = super().index(request, {**home.context(request), **(extra_context or {})})
        return answer

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Find pages by a few letters of their names; what is in the tables is left to their lists."""
        from workitems.admin import navigation

        term = request.GET.get("s", "").strip()[:LONGEST_TERM]
        results = navigation.found(request, term) if term else []
        return TemplateResponse(request, "unfold/helpers/command_results.html", {"results": results})

    def nothing_yet(self) -> dict[str, Any]:
        """Return what to do where a list has nothing in it, by the label of its model."""
        from workitems.admin import navigation

        return navigation.nothing_yet()

    def _refusal(self, request: HttpRequest, status: int, title: str) -> HttpResponse:
        if not self.has_permission(request):
            return (permission_denied if status == 403 else page_not_found)(request, Exception(title))
        context = {**self.each_context(request), "title": title, "is_forbidden": status == 403}
        return TemplateResponse(request, "admin/refusal.html", context, status=status)


def environment(request: HttpRequest) -> list[str] | None:
    """Return the badge that tells this installation from others, in the theme's form."""
    return [settings.ENVIRONMENT_NAME, "warning"] if settings.ENVIRONMENT_NAME else None


def title_prefix(request: HttpRequest) -> str | None:
    """Return what goes before the title in the browser's tab."""
    return f"[{settings.ENVIRONMENT_NAME}]" if settings.ENVIRONMENT_NAME else None


class BackOfficeConfig(AdminConfig):
    """Makes the site the default one, so that every application registers with it."""

    default_site = "config.back_office.BackOfficeSite"
