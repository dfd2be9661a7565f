"""What the pages of all work on many share: the list, with state and progress, and buttons with addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms.widgets import Script
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy

from workitems.admin.base import CappedPaginator
from workitems.admin.exporting import Exporting
from workitems.models import Run
from workitems.presenting import run_words


class RunAdmin(Exporting):
    """Runs of one kind; `search_fields` names the one field with their public id."""

    ordering = ["-pk"]
    actions = None
    paginator = CappedPaginator
    list_per_page = 25
    show_full_result_count = False

    class Media:
        js = [Script("local-times.js", defer=True)]

    def pages(self) -> dict[str, Callable[..., HttpResponseBase]]:
        """Return the pages and buttons of one run, by the last word of their addresses."""
        raise NotImplementedError

    def get_urls(self) -> list[Any]:
        """Add them, each under a name of its own."""
        names = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            *(
                path(f"<path:object_id>/{name}/", self.admin_site.admin_view(view), name=f"{names}_{name}")
                for name, view in self.pages().items()
            ),
            *super().get_urls(),
        ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look for whole ids only."""
        term = search_term.strip()
        return (queryset.filter(**{self.search_fields[0]: term}) if term else queryset), False

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_word(self, run: Run) -> str:
        """Show the state with its icon."""
        return render_to_string("admin/workitems/run_state.html", {"run": run, "icon": run_words.icon_of(run)})

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, run: Run) -> str:
        """Show how far it is, as a bar and in words, at what rate, and how long it will still take."""
        pace = run_words.pace_of(run, timezone.now())
        return render_to_string("admin/workitems/run_bar.html", {**run_words.bar_of(run), "pace": pace})

    @admin.display(description=gettext_lazy("started"), ordering="started_at", empty_value="–")
    def began(self, run: Run) -> str | None:
        """Show when it started, in the reader's own zone."""
        moment = run.started_at
        return None if moment is None else render_to_string("workitems/time.html", {"moment": moment})
