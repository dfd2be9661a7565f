"""One look at the work list: what its address asks for, and everything that the page shows of it.

Where an address names no state, no end, no archive, no figure and no search, and opens no view, open work is meant,
what is due first; a chip says so and takes it away. What cannot be understood shows no rows and says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from queues.models import Queue
from workitems import saved_views, worklist
from workitems.choices import Scope
from workitems.errors import InvalidSearch, InvalidValue
from workitems.models import SavedView, Workitem
from workitems.pages.people import actor_of
from workitems.presenting.cells import Addresses, Cells, Line
from workitems.presenting.layout import DESK, SIZES, Choice, Layout, choices, layout_of
from workitems.presenting.list_parts import Head, count_words, heads, next_link, place_words, previous_link
from workitems.presenting.list_query import (
    MANNERS,
    PAGE,
    SEARCH,
    SORT,
    VIEW,
    Asked,
    Removable,
    link,
    pairs_of,
    read,
    removable,
)
from workitems.presenting.panel import Panel
from workitems.presenting.search_box import Box, box_of

OPEN = "open"
# whoever names one of these asks for more than open work, or for less
SAYS_MORE = (OPEN, SEARCH, VIEW, "state", "ended_from", "ended_to", "archived", "figure", "stuck")
COLUMNS = (
    "id",
    "channel",
    "state",
    "queue",
    "age",
    "wait",
    "priority",
    "contact",
    "agent",
    "sla",
    "transfers",
    "event",
)
PAGE_SIZE = 50
STYLES = {"long": "long", "name": "name", "state": "state is-*", "priority": "priority-*", "sla": "sla sla-*"}


class DeskAddresses(Addresses):
    """The pages of the desk; all of them are for whoever sees the row."""

    def workitem(self, row: Workitem) -> str:
        """Lead to its page."""
        return reverse("workitem", args=[row.workitem_id])

    def agent(self, agent: User) -> str:
        """Lead to his page."""
        return reverse("agent", args=[agent.get_username()])

    def queue(self, queue: Queue) -> str:
        """Lead to the list of this queue."""
        return f"{reverse('work')}?{urlencode({'queue': queue.queue_id})}"


@dataclass(frozen=True)
class Bar:
    """The saved view that is open."""

    view: SavedView
    link: str
    is_mine: bool
    may_delete: bool
    differs: bool


class WorkList:
    """The list as one person asked for it."""

    def __init__(self, request: HttpRequest, parameters: QueryDict | None = None) -> None:
        self.request, self.actor, self.now = request, actor_of(request), timezone.now()
        self.given = request.GET if parameters is None else parameters
        self.asked = Asked(worklist.Filters())
        self.filter_error: InvalidValue | None = None
        self.search_error: InvalidSearch | None = None
        self.is_open_work_implied = not any(self.given.get(name, "").strip() for name in SAYS_MORE)
        try:
            is_by_due = not self.given.get(VIEW)
            self.asked = read(self._meant, self.actor, now=self.now, usually_by_due=is_by_due)
            self.rows: QuerySet[Workitem] = self.asked.of(self._visible, self.now)
        except InvalidValue as problem:
            self.filter_error, self.rows = problem, Workitem.objects.none()
        except InvalidSearch as problem:
            self.search_error, self.rows = problem, Workitem.objects.none()

    @property
    def filters(self) -> worklist.Filters:
        """What the list is narrowed to."""
        return self.asked.filters

    @property
    def has_error(self) -> bool:
        """Tell whether the address could not be understood."""
        return self.filter_error is not None or self.search_error is not None

    @property
    def query(self) -> str:
        """The address after the question mark with all that is meant, and without the page: for saving and moving."""
        return urlencode(self._query_pairs)

    @property
    def selection_key(self) -> str:
        """What a selection holds for: the filters and the search, in whatever order and on whatever page."""
        return urlencode(sorted(pair for pair in self._query_pairs if pair[0] not in (SORT, VIEW)))

    @property
    def link_here(self) -> str:
        """The address of this page of the list."""
        return f"{reverse('work')}?{self.address}"

    @property
    def next_item_link(self) -> str:
        """Where working through the list begins."""
        return f"{reverse('work-next')}?{urlencode(self._pairs)}"

    @property
    def views_link(self) -> str:
        """Where views are opened, and this look is saved as one."""
        return f"{reverse('work-view-save')}?{urlencode({'query': self.query, 'columns': ','.join(self.columns)})}"

    @property
    def address(self) -> str:
        """The address of this page of the list, after the question mark."""
        return link(self._pairs, self.asked.page).removeprefix("?")

    @property
    def is_about_all_work(self) -> bool:
        """Tell whether ended work is among the rows and nothing but the search asked for it."""
        return bool(self.asked.text) and not self.filters.is_about_open_work and not self.filters.values("state")

    @property
    def link_to_open_work(self) -> str:
        """The list with its open work alone."""
        return link([*(pair for pair in self._pairs if pair[0] != OPEN), (OPEN, "yes")])

    @cached_property
    def page(self) -> worklist.Page:
        """The ids of the page, and how many there are."""
        asked = self.asked
        slices = worklist.slices(asked.filters, self.actor) if not asked.text.strip() else None
        by = {"by": slices} if slices else {}
        return worklist.page_of(self.rows, asked.page, self.layout.size, sort=asked.sort, **by)

    @cached_property
    def lines(self) -> list[Line]:
        """The rows of the page, with their cells."""
        cells = Cells(self.now, DeskAddresses(), STYLES)
        return cells.lines(worklist.rows_of(self.page.pks, self.columns), self.columns)

    @cached_property
    def layout(self) -> Layout:
        """The columns and the page size that the person has chosen."""
        user: Any = self.request.user
        return layout_of(user, DESK, worklist.COLUMNS, COLUMNS, PAGE_SIZE)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of this look: those of the view that is open, or one's own."""
        named = tuple(name for name in self.view.columns if name in worklist.COLUMNS) if self.view else ()
        return named or self.layout.columns

    @cached_property
    def view(self) -> SavedView | None:
        """The saved view that is open."""
        return saved_views.current(self.given, self.actor)

    @property
    def bar(self) -> Bar | None:
        """What is said of the view that is open."""
        view = self.view
        if view is None:
            return None
        return Bar(
            view=view,
            link=list_address(view),
            is_mine=saved_views.is_mine(view, self.actor),
            may_delete=saved_views.may_delete(view, self.actor),
            differs=self._differs(view),
        )

    @property
    def heads(self) -> list[Head]:
        """The heads of the columns."""
        by_due = self.filters.is_about_open_work
        return heads(self.columns, self.asked.sort, self._pairs, self.asked.usual_sort, by_due=by_due)

    @property
    def leaves_out_the_archive(self) -> bool:
        """Tell whether what lies in the archive is not looked for."""
        return self.filters.archived is worklist.Archived.NO and not self.filters.figure

    @property
    def panel(self) -> Panel:
        """What can be chosen to narrow the list."""
        return Panel(self.filters, self.actor, offers_open=False)

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
        pairs = [pair for pair in self._pairs if pair != (SORT, worklist.BY_DUE)]  # which holds for open work only
        if not self.filters.is_open:
            return removable(self.filters, pairs)
        # it is said even where it is only meant, and who takes it away wants all work
        opened, *_rest = [one for one in removable(self.filters, []) if one.label == worklist.LABELS[OPEN]]
        kept = [pair for pair in pairs if pair[0] != OPEN]
        others = [one for one in removable(self.filters, pairs) if one.label != opened.label]
        return [Removable(opened.label, opened.words, link([*kept, (OPEN, "all")])), *others]

    @property
    def box(self) -> Box:
        """What the search box shows."""
        return box_of(self.given, self.search_error, reverse("work-complete"))

    @property
    def kept_beside_filters(self) -> list[tuple[str, str]]:
        """What a form of filters keeps of the address."""
        kept = [pair for pair in self._pairs if pair[0] in MANNERS and pair[0] != SORT]
        sort = [(SORT, self.asked.sort)] if self.asked.sort not in (worklist.BY_DUE, self.asked.usual_sort) else []
        return [*kept, *sort, *((OPEN, value) for value in self.given.getlist(OPEN) if value)]

    @property
    def count_words(self) -> str:
        """How many there are, as far as it was counted."""
        return count_words(self.page)

    @property
    def place_words(self) -> str:
        """Which of them the page shows."""
        return place_words(self.page)

    @property
    def first_link(self) -> str:
        """The first page."""
        return link(self._pairs)

    @property
    def previous_link(self) -> str:
        """The page before, or ``""``."""
        return previous_link(self.page, self._pairs)

    @property
    def next_link(self) -> str:
        """The page after, or ``""``."""
        return next_link(self.page, self._pairs)

    @property
    def may_change(self) -> bool:
        """Tell whether the person may change anything, and so has reason to select."""
        return self.actor.can_anywhere(Scope.WRITE) or self.actor.can_anywhere(Scope.DELETE)

    @property
    def _visible(self) -> Any:
        return Workitem.objects.visible_to(self.actor)

    @cached_property
    def _pairs(self) -> list[tuple[str, str]]:
        return pairs_of(self.given)

    @cached_property
    def _meant(self) -> QueryDict:
        meant = self.given.copy()
        if self.is_open_work_implied:
            meant[OPEN] = "yes"
        return meant

    @property
    def _query_pairs(self) -> list[tuple[str, str]]:
        pairs = [pair for pair in pairs_of(self._meant) if pair[0] not in (SORT, VIEW)]
        sort = self.asked.sort
        return pairs if sort == worklist.USUAL_SORT else [*pairs, (SORT, sort)]

    def _differs(self, view: SavedView) -> bool:
        try:
            query = saved_views.normal_query(self.query)
        except InvalidValue:
            return True
        return view.query != query or (view.columns or list(self.columns)) != list(self.columns)


def list_address(view: SavedView) -> str:
    """Return the address of the work list as the view shows it."""
    parts = [part for part in (view.query, urlencode({VIEW: view.view_id})) if part]
    return f"{reverse('work')}?{'&'.join(parts)}"


def without_page(parameters: QueryDict) -> QueryDict:
    """Return an address without the page."""
    kept = parameters.copy()
    kept.pop(PAGE, None)
    return kept
