"""One page of a list: its ids first, along an index, and a count that stops early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from workitems.worklist.columns import SORTS, USUAL_SORT
from workitems.worklist.conditions import WHOLE
from workitems.worklist.ordering import with_order

MOST_COUNTED = 1_000
LAST_PAGE = 10_000


@dataclass(frozen=True)
class Page:
    """The ids of a page in their order, how many there are in all, and whether that is only the least."""

    pks: list[int]
    number: int
    size: int
    count: int
    is_capped: bool
    has_next: bool

    @property
    def first(self) -> int:
        """The place of its first row, from 1; 0 where it has none."""
        return (self.number - 1) * self.size + 1 if self.pks else 0

    @property
    def last(self) -> int:
        """The place of its last row."""
        return self.first + len(self.pks) - 1 if self.pks else 0

    @property
    def last_number(self) -> int | None:
        """The number of the last page, or None where nobody has counted so far."""
        if not self.is_capped:
            return max(1, -(-self.count // self.size))
        return None if self.has_next or not self.pks else self.number


def page_of(
    rows: QuerySet[Any], number: int, size: int, *, sort: str = USUAL_SORT, by: Sequence[Q] = tuple(WHOLE)
) -> Page:
    """Return a page of these rows, which the slices in `by` divide among them where the newest come first.

    Among the first thousand, one query tells the page and how many there are; farther on nobody counts.
    """
    found = _ids(rows, sort, by)
    start = (number - 1) * size
    first = 0 if start <= MOST_COUNTED else start
    pks = [pk for pk, *_rest in found[first : max(start + size, MOST_COUNTED) + 1]]
    count = first + len(pks)
    if first and not pks:  # beyond the last page: how many there are in all is not known
        count = found[: MOST_COUNTED + 1].count()
    page = pks[start - first : start - first + size + 1]
    return Page(page[:size], number, size, min(count, MOST_COUNTED), count > MOST_COUNTED, len(page) > size)


def _ids(rows: QuerySet[Any], sort: str, by: Sequence[Q]) -> QuerySet[Any]:
    # each order needs its fields in the select list of a union
    fields = [one.removeprefix("-") for one in SORTS[sort]][::-1]
    rows = with_order(rows, sort)
    slices = [rows.filter(one).order_by().values_list(*fields) for one in (by if sort == USUAL_SORT else WHOLE)]
    first, *others = slices
    return (first.union(*others, all=True) if others else first).order_by(*SORTS[sort])
