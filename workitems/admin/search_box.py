"""The search box of the back office's list: where it asks for completion."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET
from unfold.admin import ModelAdmin

from workitems.choices import Scope
from workitems.presenting.search_box import completions
from workitems.staff import actor_of

COMPLETE = "admin:workitems_savedview_complete"


class SearchBox(ModelAdmin):
    """Answers to the script of the search box."""

    def get_urls(self) -> list[Any]:
        """Add the address that completes."""
        view = self.admin_site.admin_view(require_GET(self.complete_view))
        return [path("complete/", view, name="workitems_savedview_complete"), *super().get_urls()]

    def complete_view(self, request: HttpRequest) -> JsonResponse:
        """Return what could stand at the cursor."""
        actor = actor_of(request)
        if not actor.can_anywhere(Scope.READ):
            raise PermissionDenied
        return completions(request.GET, actor)
