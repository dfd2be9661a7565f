"""What stands around the rows of a list: the heads that sort it, how many there are, and the way to other pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workitems import worklist
from workitems.presenting.list_query import SORT, link
from workitems.presenting.words import grouped
from workitems.worklist.columns import SORT_OF_COLUMN


@dataclass(frozen=True)
class Head:
    """The head of a column: where it leads to be sorted by, and whether it is."""

    column: worklist.Column
    link: str = ""
    order: str = ""  # as ARIA says it


def heads(columns: Sequence[str], sort: str, pairs: list[tuple[str, str]], usual: str, *, by_due: bool) -> list[Head]:
    """Return the heads of the columns; `usual` is the order that an address need not name."""
    kept = [pair for pair in pairs if pair[0] != SORT]
    return [_head(worklist.COLUMNS[name], sort, kept, usual, by_due=by_due) for name in columns]


def _head(column: worklist.Column, sort: str, kept: list[tuple[str, str]], usual: str, *, by_due: bool) -> Head:
    name = SORT_OF_COLUMN.get(column.name)
    if name is None or (name == worklist.BY_DUE and not by_due):
        return Head(column)
    order = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
    other = name if sort == f"-{name}" or f"-{name}" not in worklist.SORTS else f"-{name}"
    return Head(column, link(kept if other == usual else [*kept, (SORT, other)]), order)


def count_words(page: worklist.Page) -> str:
    """Return how many there are, as far as it was counted."""
    return f"{grouped(page.count)}+" if page.is_capped else grouped(page.count)


def place_words(page: worklist.Page) -> str:
    """Return which of them the page shows."""
    if not page.pks:
        return ngettext("%s workitem", "%s workitems", page.count) % count_words(page)
    facts = {"first": grouped(page.first), "last": grouped(page.last), "count": count_words(page)}
    return _("%(first)s–%(last)s of %(count)s") % facts


def previous_link(page: worklist.Page, pairs: list[tuple[str, str]]) -> str:
    """Return the page before, or ``""``."""
    last = page.last_number
    before = min(page.number - 1, last) if last else page.number - 1
    return link(pairs, before) if before >= 1 else ""


def next_link(page: worklist.Page, pairs: list[tuple[str, str]]) -> str:
    """Return the page after, or ``""``."""
    return link(pairs, page.number + 1) if page.has_next else ""
