"""One look at the list of workitems: what its address asks for, the page of it, and what the templates show around it.

What cannot be understood of an address shows no rows and says why; it never shows more than was asked for.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from unfold.views import ChangeList

from workitems import worklist
from workitems.admin.list_cells import STYLES, BackOffice
from workitems.admin.saved_views import current_view
from workitems.errors import InvalidSearch, InvalidValue
from workitems.models import Workitem
from workitems.presenting.cells import Cells, Line
from workitems.presenting.layout import BACK_OFFICE, SIZES, Choice, Layout, choices, layout_of
from workitems.presenting.list_parts import Head, count_words, heads, next_link, place_words, previous_link
from workitems.presenting.list_query import MANNERS, VIEW, Asked, Removable, link, pairs_of, read, removable
from workitems.presenting.panel import Panel
from workitems.querysets import WorkitemQuerySet
from workitems.staff import actor_of

BESIDES = (IS_POPUP_VAR, TO_FIELD_VAR)  # what Django adds to the address


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
            asked = self._read(request)
            found: QuerySet[Workitem] = asked.of(rows, self.now)
        except InvalidValue as problem:
            self.filter_error, found = problem, rows.none()
        except InvalidSearch as problem:
            self.search_error, found = problem, rows.none()
        self.has_filters, self.has_active_filters = True, bool(self.filters.given)
        return worklist.ordered(found, self.sort)

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
    def layout(self) -> Layout:
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
        addresses = BackOffice(self.request, self.model_admin.admin_site)
        return Cells(self.now, addresses, STYLES).lines(self.result_list, self.columns)

    @property
    def heads(self) -> list[Head]:
        """The heads of the columns."""
        by_due = self.filters.is_about_open_work
        return heads(self.columns, self.sort, self._pairs(), worklist.USUAL_SORT, by_due=by_due)

    @property
    def panel(self) -> Panel:
        """What can be chosen to narrow the list."""
        return Panel(self.filters, self.actor)

    @property
    def column_choices(self) -> list[Choice]:
        """What can be chosen as columns."""
        return choices(Layout(self.columns, self.layout.size), worklist.COLUMNS)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The page sizes that can be chosen."""
        return SIZES

    @property
    def chips(self) -> list[Removable]:
        """The filters that hold, each with the list without it."""
        return removable(self.filters, self._pairs())

    @property
    def kept_beside_filters(self) -> list[tuple[str, str]]:
        """What a form of filters keeps of the address."""
        return [(name, value) for name, value in self._pairs() if name in (*MANNERS, *BESIDES)]

    @property
    def kept_on_every_page(self) -> list[tuple[str, str]]:
        """What a form that leads to another page keeps of the address."""
        return self._pairs()

    @property
    def address(self) -> str:
        """The part of the list's address after the question mark, its page included."""
        return link(self._pairs(), self.page_num).removeprefix("?")

    @property
    def link_without_filters(self) -> str:
        """The list with its search and order alone."""
        return link(pair for pair in self.kept_beside_filters if pair[0] != VIEW)

    @property
    def first_link(self) -> str:
        """The first page."""
        return link(self._pairs())

    @property
    def previous_link(self) -> str:
        """The page before, or ``""``."""
        return previous_link(self.page, self._pairs())

    @property
    def next_link(self) -> str:
        """The page after, or ``""``."""
        return next_link(self.page, self._pairs())

    @property
    def count_words(self) -> str:
        """How many there are, as far as it was counted."""
        return count_words(self.page)

    @property
    def place_words(self) -> str:
        """Which of them the page shows."""
        return place_words(self.page)

    def _read(self, request: HttpRequest) -> Asked:
        asked = read(request.GET, self.actor, now=self.now, besides=BESIDES)
        self.filters, self.sort, self.page_num = asked.filters, asked.sort, asked.page
        return asked

    def _pairs(self) -> list[tuple[str, str]]:
        return pairs_of(self.request.GET)


def layout_for(request: HttpRequest) -> Layout:
    """Return the columns and the page size that the person has chosen, read once a request."""
    found: Layout | None = getattr(request, "list_layout", None)
    if found is None:
        user: Any = request.user
        found = layout_of(user, BACK_OFFICE, worklist.COLUMNS, worklist.USUAL_COLUMNS)
        request.list_layout = found  # type: ignore[attr-defined]
    return found
