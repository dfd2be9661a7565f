"""One look at the list of workitems: what its address asks for, the page of it, and what the templates show around it.

What cannot be understood of an address shows no rows and says why; it never shows more than was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.views import ChangeList

from workitems import search, worklist
from workitems.admin import list_layout
from workitems.admin.base import grouped
from workitems.admin.list_cells import Cells, Line
from workitems.admin.list_panel import Panel
from workitems.admin.saved_views import current_view
from workitems.errors import InvalidSearch, InvalidValue
from workitems.models import Workitem
from workitems.querysets import WorkitemQuerySet
from workitems.staff import actor_of
from workitems.worklist.columns import SORT_OF_COLUMN
from workitems.worklist.pages import LAST_PAGE

SORT_VAR, VIEW_VAR = "sort", "view"
# what says how the list is shown, and not what is in it
MANNERS = (SEARCH_VAR, PAGE_VAR, SORT_VAR, VIEW_VAR, IS_POPUP_VAR, TO_FIELD_VAR)
NUMBER = re.compile(r"[0-9]{1,7}")


@dataclass(frozen=True)
class Head:
    """The head of a column: where it leads to be sorted by, and whether it is."""

    column: worklist.Column
    link: str = ""
    order: str = ""  # as ARIA says it


@dataclass(frozen=True)
class Removable:
    """A filter that holds, in words, and the address of the list without it."""

    label: str
    words: str
    link: str


class WorkitemChangeList(ChangeList):
    """The list as one person asked for it."""

    filters: worklist.Filters
    filter_error: InvalidValue | None
    search_error: InvalidSearch | None

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.request, self.now = request, timezone.now()
        self.actor = actor_of(request)
        self.filters, self.sort = worklist.Filters(), worklist.USUAL_SORT
        self.filter_error = self.search_error = None
        super().__init__(request, *args, **kwargs)
        self.title = str(_("Workitems"))

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Workitem]:
        """Return what the address asks for, in its order; the actions are done to these, too."""
        self.query = request.GET.get(SEARCH_VAR, "")
        rows: WorkitemQuerySet = self.root_queryset
        try:
            self.filters, self.sort = self._read(request)
            rows = worklist.matching(rows, self.filters, now=self.now, q=self.query)
            found: QuerySet[Workitem] = search.matching(rows, self.query, search.WORKITEMS, now=self.now)
        except InvalidValue as problem:
            self.filter_error, found = problem, rows.none()
        except InvalidSearch as problem:
            self.search_error, found = problem, rows.none()
        self.has_filters, self.has_active_filters = True, bool(self.filters.given)
        return found.order_by(*worklist.SORTS[self.sort])

    def get_results(self, request: HttpRequest) -> None:
        """Leave the page to be read when it is shown: an action, or a file, has no need of it."""
        self.full_result_count = None
        self.show_full_result_count = self.show_all = self.can_show_all = False

    @cached_property
    def page(self) -> worklist.Page:
        """The ids of the page, and how many there are."""
        slices = worklist.slices(self.filters, self.actor) if not self.query.strip() else None
        by = {"by": slices} if slices else {}
        return worklist.page_of(self.queryset, self.page_num, self.layout.size, sort=self.sort, **by)

    @cached_property
    def result_list(self) -> list[Workitem]:
        """The rows of the page, with all that they show."""
        return worklist.rows_of(self.page.pks, self.columns)

    @property
    def result_count(self) -> int:
        """How many there are, as far as it was counted."""
        return self.page.count

    @property
    def multi_page(self) -> bool:
        """Whether there are other pages."""
        return self.page.has_next or (self.page.number > 1 and not self.filter_error and not self.search_error)

    @property
    def error(self) -> str:
        """What is wrong with the address, apart from the search, which its box tells."""
        return self.filter_error.message if self.filter_error else ""

    @cached_property
    def layout(self) -> list_layout.Layout:
        """The columns and the page size that the person has chosen."""
        return layout_for(self.request)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of this look: those of the view that is open, or one's own."""
        view = current_view(self.request)
        named = tuple(name for name in view.columns if name in worklist.COLUMNS) if view else ()
        return named or self.layout.columns

    @cached_property
    def lines(self) -> list[Line]:
        """The rows of the page, with their cells."""
        site = self.model_admin.admin_site
        return Cells(self.now, self.request, site).lines(self.result_list, self.columns)

    @property
    def heads(self) -> list[Head]:
        """The heads of the columns."""
        return [self._head(worklist.COLUMNS[name]) for name in self.columns]

    @property
    def panel(self) -> Panel:
        """What can be chosen to narrow the list."""
        return Panel(self.filters, self.actor)

    @property
    def column_choices(self) -> list[list_layout.Choice]:
        """What can be chosen as columns."""
        return list_layout.choices(list_layout.Layout(self.columns, self.layout.size), worklist.COLUMNS)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The page sizes that can be chosen."""
        return list_layout.SIZES

    @property
    def chips(self) -> list[Removable]:
        """The filters that hold, each with the list without it."""
        return [
            Removable(one.label, one.words, self._link(pair for pair in self._pairs() if pair != (one.name, one.value)))
            for one in worklist.chips(self.filters)
        ]

    @property
    def kept_beside_filters(self) -> list[tuple[str, str]]:
        """What a form of filters keeps of the address."""
        return [(name, value) for name, value in self._pairs() if name in MANNERS]

    @property
    def kept_on_every_page(self) -> list[tuple[str, str]]:
        """What a form that leads to another page keeps of the address."""
        return self._pairs()

    @property
    def address(self) -> str:
        """The part of the list's address after the question mark, its page included."""
        return urlencode([*self._pairs(), *([(PAGE_VAR, str(self.page_num))] if self.page_num > 1 else [])])

    @property
    def link_without_filters(self) -> str:
        """The list with its search and order alone."""
        return self._link(pair for pair in self.kept_beside_filters if pair[0] != VIEW_VAR)

    @property
    def first_link(self) -> str:
        """The first page."""
        return self._page_link(1)

    @property
    def previous_link(self) -> str:
        """The page before, or ``""``."""
        last = self.page.last_number
        before = min(self.page.number - 1, last) if last else self.page.number - 1
        return self._page_link(before) if before >= 1 else ""

    @property
    def next_link(self) -> str:
        """The page after, or ``""``."""
        return self._page_link(self.page.number + 1) if self.page.has_next else ""

    @property
    def count_words(self) -> str:
        """How many there are, as far as it was counted."""
        return f"{grouped(self.page.count)}+" if self.page.is_capped else grouped(self.page.count)

    @property
    def place_words(self) -> str:
        """Which of them the page shows."""
        if not self.page.pks:
            return ngettext("%s workitem", "%s workitems", self.page.count) % self.count_words
        facts = {"first": grouped(self.page.first), "last": grouped(self.page.last), "count": self.count_words}
        return _("%(first)s–%(last)s of %(count)s") % facts

    def _read(self, request: HttpRequest) -> tuple[worklist.Filters, str]:
        self.page_num = _page_number(request.GET.get(PAGE_VAR, "1"))
        sort = request.GET.get(SORT_VAR, worklist.USUAL_SORT)
        if sort not in worklist.SORTS:
            problem = _("The list is sorted by one of %(allowed)s, and not by “%(sort)s”.")
            facts = {"allowed": ", ".join(worklist.SORTS), "sort": sort[:40]}
            raise InvalidValue(field=SORT_VAR, problem=problem % facts)
        asked = {name: values for name, values in request.GET.lists() if name not in MANNERS}
        return worklist.Reader(self.actor, self.now).read(asked), sort

    def _head(self, column: worklist.Column) -> Head:
        name = SORT_OF_COLUMN.get(column.name)
        if name is None:
            return Head(column)
        order = {name: "ascending", f"-{name}": "descending"}.get(self.sort, "")
        other = name if self.sort == f"-{name}" else f"-{name}"
        kept = [pair for pair in self._pairs() if pair[0] != SORT_VAR]
        return Head(column, self._link(kept if other == worklist.USUAL_SORT else [*kept, (SORT_VAR, other)]), order)

    def _pairs(self) -> list[tuple[str, str]]:
        return [
            (name, value)
            for name, values in self.request.GET.lists()
            for value in values
            if name != PAGE_VAR and value.strip()
        ]

    def _page_link(self, number: int) -> str:
        return self._link([*self._pairs(), *([(PAGE_VAR, str(number))] if number > 1 else [])])

    def _link(self, pairs: Iterable[tuple[str, str]]) -> str:
        return f"?{urlencode(list(pairs))}"


def layout_for(request: HttpRequest) -> list_layout.Layout:
    """Return the columns and the page size that the person has chosen, read once a request."""
    found: list_layout.Layout | None = getattr(request, "list_layout", None)
    if found is None:
        found = list_layout.layout_of(request.user, worklist.COLUMNS, worklist.USUAL_COLUMNS)  # type: ignore[arg-type]
        request.list_layout = found  # type: ignore[attr-defined]
    return found


def _page_number(text: str) -> int:
    number = int(text) if NUMBER.fullmatch(text) else 0
    if not 1 <= number <= LAST_PAGE:
        raise InvalidValue(field=PAGE_VAR, problem=_("There is no page “%s”.") % text[:20])
    return number
