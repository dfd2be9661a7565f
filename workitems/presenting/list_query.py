"""The address of a list of workitems: what it asks for, which workitems that are, and what it says in words.

The list itself, bulk selections and saved views all read addresses here, so that they mean the same. What cannot be
understood raises InvalidValue or InvalidSearch; nobody shows more than was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from workitems import search, worklist
from workitems.actors import Actor
from workitems.errors import InvalidValue
from workitems.models import Workitem
from workitems.querysets import WorkitemQuerySet
from workitems.worklist.pages import LAST_PAGE

SEARCH, SORT, PAGE, VIEW = "q", "sort", "p", "view"
# what says how the list is shown, and not what is in it
MANNERS = (SEARCH, PAGE, SORT, VIEW)
NUMBER = re.compile(r"[0-9]{1,7}")


@dataclass(frozen=True)
class Removable:
    """A filter that holds, in words, and the address of the list without it."""

    label: str
    words: str
    link: str


@dataclass(frozen=True)
class Asked:
    """What an address asks for, understood."""

    filters: worklist.Filters
    text: str = ""  # the search
    sort: str = worklist.USUAL_SORT
    page: int = 1
    usual_sort: str = worklist.USUAL_SORT  # where the address names none

    def of(self, rows: WorkitemQuerySet, now: datetime) -> QuerySet[Workitem]:
        """Keep of these rows what is asked for, in no order."""
        kept = worklist.matching(rows, self.filters, now=now, q=self.text)
        return search.matching(kept, self.text, search.WORKITEMS, now=now)


def read(
    parameters: QueryDict, actor: Actor, *, now: datetime, besides: Collection[str] = (), usually_by_due: bool = False
) -> Asked:
    """Return what an address asks for; `besides` are names in it that are no business of the list.

    `usually_by_due` is whether open work whose order is not named comes by when it is due.
    """
    page = page_number(parameters.get(PAGE, "1"))
    named = {name: values for name, values in parameters.lists() if name not in MANNERS and name not in besides}
    filters = worklist.Reader(actor, now).read(named)
    is_by_due = usually_by_due and filters.is_about_open_work
    usual = worklist.BY_DUE if is_by_due else worklist.USUAL_SORT
    sort = parameters.get(SORT) or usual
    _check_sort(sort, filters)
    return Asked(filters, parameters.get(SEARCH, ""), sort, page, usual)


def _check_sort(sort: str, filters: worklist.Filters) -> None:
    if sort not in worklist.SORTS:
        problem = _("The list is sorted by one of %(allowed)s, and not by “%(sort)s”.")
        facts = {"allowed": ", ".join(worklist.SORTS), "sort": sort[:40]}
        raise InvalidValue(field=SORT, problem=problem % facts)
    if sort == worklist.BY_DUE and not filters.is_about_open_work:
        problem = _("Only open work is sorted by when it is due. Narrow the list to it, or sort otherwise.")
        raise InvalidValue(field=SORT, problem=problem)


def rows_of(query: str, actor: Actor) -> QuerySet[Workitem]:
    """Return the workitems that the list shows this actor at such an address."""
    now = timezone.now()
    return read_query(query, actor, now=now).of(Workitem.objects.visible_to(actor), now)


def read_query(query: str, actor: Actor, *, now: datetime) -> Asked:
    """Return what the part of an address after the question mark asks for, whatever its order was."""
    asked = QueryDict(query, mutable=True)
    for name in (PAGE, SORT):
        asked.pop(name, None)
    return read(asked, actor, now=now)


def shown_by(query: str, actor: Actor) -> list[tuple[str, str]]:
    """Return in words what the list shows at such an address: each filter with its value."""
    asked = QueryDict(query)
    try:
        filters = read_query(query, actor, now=timezone.now()).filters
        lines = [(one.label, one.words) for one in worklist.chips(filters)]
    except InvalidValue:  # what it names is gone, or not for this person to see
        lines = [(name, value) for name in worklist.NAMES for value in asked.getlist(name)]
    text = asked.get(SEARCH, "")
    return [(_("Search"), text), *lines] if text else lines


def page_number(text: str) -> int:
    """Return the number of a page, or raise InvalidValue."""
    number = int(text) if NUMBER.fullmatch(text) else 0
    if not 1 <= number <= LAST_PAGE:
        raise InvalidValue(field=PAGE, problem=_("There is no page “%s”.") % text[:20])
    return number


def pairs_of(parameters: QueryDict) -> list[tuple[str, str]]:
    """Return the names and values of an address without its page and without blanks."""
    return [(name, value) for name, values in parameters.lists() for value in values if name != PAGE and value.strip()]


def link(pairs: Iterable[tuple[str, str]], page: int = 1) -> str:
    """Return the address of the list with these names and values."""
    return f"?{urlencode([*pairs, *([(PAGE, str(page))] if page > 1 else [])])}"


def removable(filters: worklist.Filters, pairs: list[tuple[str, str]]) -> list[Removable]:
    """Return the filters that hold, each with the list without it."""
    return [
        Removable(one.label, one.words, link(pair for pair in pairs if pair != (one.name, one.value)))
        for one in worklist.chips(filters)
    ]
