"""The list of workitems: what it shows, filters and finds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from unfold.admin import ModelAdmin

from workitems import saved_views, search, worklist
from workitems.admin.list_changelist import WorkitemChangeList, layout_for
from workitems.errors import InvalidSearch, InvalidValue
from workitems.models import Workitem
from workitems.presenting import layout
from workitems.presenting.cells import plain
from workitems.presenting.panel import offered
from workitems.staff import actor_of

SHOWN = "show_"  # before the name of a column, where Django wants the name of a method
LONGEST_BEGINNING = 100
KEY = re.compile(r"[0-9]{1,18}")


class WorkitemList(ModelAdmin):
    """What the back office shows in the list of workitems."""

    list_display = [f"{SHOWN}{name}" for name in worklist.USUAL_COLUMNS]
    list_select_related = ["queue", "contact", "agent"]
    search_fields = ["workitem_id"]  # that there is a search; how it searches is said below
    ordering = list(worklist.SORTS[worklist.USUAL_SORT])

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[WorkitemChangeList]:
        """Show it in our own way."""
        return WorkitemChangeList

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Return the columns that the person sees, for files too."""
        return [f"{SHOWN}{name}" for name in layout_for(request).columns]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Remember when the list was read, so that a preview can tell what has changed since."""
        if any(KEY.fullmatch(pk) is None for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest
        context = {"seen_at": timezone.now().isoformat()}
        answer: HttpResponse = super().changelist_view(request, {**context, **(extra_context or {})})
        return answer

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Workitem], search_term: str
    ) -> tuple[QuerySet[Workitem], bool]:
        """Search as the list does, wherever else workitems are looked for; what is no search finds nothing."""
        try:
            return search.matching(queryset, search_term, search.WORKITEMS, now=timezone.now()), False
        except InvalidSearch:
            return queryset.none(), False

    def get_urls(self) -> list[Any]:
        """Add where the columns are chosen, and where queues and agents are looked for."""
        kept = self.admin_site.admin_view(require_POST(self.layout_view))
        offers = self.admin_site.admin_view(require_GET(self.offers_view))
        return [
            path("layout/", kept, name="workitems_workitem_layout"),
            path("offers/", offers, name="workitems_workitem_offers"),
            *super().get_urls(),
        ]

    def layout_view(self, request: HttpRequest) -> HttpResponse:
        """Keep the columns and the page size for this person, and go back to the list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        user: Any = request.user
        try:
            if "reset" in request.POST:
                layout.forget(user, layout.BACK_OFFICE)
            else:
                layout.keep(user, layout.BACK_OFFICE, layout.typed(request.POST, worklist.COLUMNS))
        except InvalidValue:
            raise BadRequest from None
        return HttpResponseRedirect(_back_to_the_list(request))

    def offers_view(self, request: HttpRequest) -> HttpResponse:
        """Return queues or agents whose names begin as was typed."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        name = request.GET.get("of", "")
        if name not in ("queue", "agent"):
            raise BadRequest
        begun = request.GET.get("begun", "")[:LONGEST_BEGINNING]
        found = offered(actor_of(request), name, begun) if begun.isprintable() else []
        return JsonResponse({"offers": [{"value": value, "words": words} for value, words in found]})

    def complete_rows(self, rows: Sequence[Any]) -> None:
        """Add to rows for a file what the rows of a page have."""
        complete = {row.pk: row for row in worklist.rows_of([row.pk for row in rows], tuple(worklist.COLUMNS))}
        for row in rows:
            for name in ("sla_seconds", "transfers", "event_type", "event_at"):
                setattr(row, name, getattr(complete.get(row.pk), name, None))


def _shown(name: str) -> Any:
    """Return what Django asks of a column: its head, and what it says of a row."""

    @admin.display(description=worklist.COLUMNS[name].label)
    def show(_self: WorkitemList, row: Workitem) -> Any:
        return plain(name, row, timezone.now())

    return show


for _name in worklist.COLUMNS:
    setattr(WorkitemList, f"{SHOWN}{_name}", _shown(_name))


def _back_to_the_list(request: HttpRequest) -> str:
    """Return the list as it was, from its first page: the rows a page may have changed.

    A view with columns of its own is left, or one would not see what one has chosen.
    """
    query = QueryDict(request.POST.get("address", ""), mutable=True)
    query.pop(PAGE_VAR, None)
    view = saved_views.current(query, actor_of(request))
    if view is not None and view.columns:
        query.pop(saved_views.VIEW)
    opened = "#columns" if "up" in request.POST or "down" in request.POST else ""
    return f"{reverse('admin:workitems_workitem_changelist')}?{query.urlencode()}{opened}"
