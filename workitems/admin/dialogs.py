"""The way from ticked rows to work on many: each step is a page of the list of workitems itself.

So its filters and its search hold, and what was typed and ticked is carried from step to step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.datastructures import MultiValueDict
from django.utils.functional import cached_property
from django.utils.http import urlencode

from workitems.actors import Actor
from workitems.admin.addresses import LIST_QUERY
from workitems.models import BulkRun, Transfer, Workitem
from workitems.selections import Selection
from workitems.staff import actor_of

CARRIED = ("action", "select_across", "seen_at", "_selected_action")


@dataclass
class Dialog:
    """One request of a dialog: the rows that are meant, and what the person has typed so far."""

    request: HttpRequest
    rows: QuerySet[Workitem]
    site: dict[str, Any]  # what every page of the back office needs

    @cached_property
    def actor(self) -> Actor:
        """Return the person."""
        return actor_of(self.request)

    @cached_property
    def across(self) -> bool:
        """Tell whether all rows that match are meant, and not the ticked ones."""
        return self.request.POST.get("select_across") == "1"

    @cached_property
    def ticked(self) -> int:
        """How many rows the person has ticked."""
        return len(set(self.request.POST.getlist("_selected_action")))

    @cached_property
    def selection(self) -> Selection:
        """Return the rows that are meant, and when the person has seen them."""
        query = self.request.GET.urlencode() if self.across else ""
        return Selection(rows=self.rows, query=query, seen_at=_moment(self.request.POST.get("seen_at", "")))

    @property
    def step(self) -> str:
        """Return which step was asked for."""
        return self.request.POST.get("step", "")

    @property
    def expected(self) -> int | None:
        """Return how many the person has seen in the preview, None where he has seen none."""
        text = self.request.POST.get("expected", "")
        return int(text) if text.isdecimal() and len(text) < 10 else None

    def left_out(self, total: int) -> int:
        """Return how many of the ticked rows are not among those that are meant any more."""
        return 0 if self.across else self.ticked - total

    def hidden(self, names: Iterable[str]) -> list[tuple[str, str]]:
        """Return what is carried to the next step, as names and values."""
        posted: MultiValueDict[str, str] = self.request.POST
        return [(name, value) for name in names for value in posted.getlist(name)]

    def page(self, template: str, title: str, **context: Any) -> HttpResponse:
        """Return a page of the dialog."""
        shared = {**self.site, "title": title, "list_query": self.request.GET.urlencode()}
        return TemplateResponse(self.request, f"admin/workitems/{template}", {**shared, **context})

    def to_receipt(self, run: Transfer | BulkRun) -> HttpResponse:
        """Lead to the run's receipt, from which there is a way back to the list as it was."""
        query = self.request.GET.urlencode()
        address = run.get_absolute_url()
        return HttpResponseRedirect(f"{address}?{urlencode({LIST_QUERY: query})}" if query else address)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
