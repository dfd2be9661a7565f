"""What the pages of the back office share."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.functional import cached_property
from unfold.paginator import Paginator

from workitems.presenting import starting
from workitems.presenting.words import grouped

AT_ONCE = starting.AT_ONCE
MOST_COUNTED = 1_000
EVENTS_SHOWN = 200


class CappedPaginator(Paginator):
    """Pages without counting the whole table: a thousand rows can be paged through, the rest searched for."""

    @cached_property
    def count(self) -> int:
        """Count a thousand at most, and one to show that there are more."""
        rows: QuerySet[Any] = self.object_list
        return rows.order_by().values("pk")[: MOST_COUNTED + 1].count()

    @property
    def count_text(self) -> str:
        """The count as people read it."""
        return f"{grouped(MOST_COUNTED)}+" if self.count > MOST_COUNTED else grouped(self.count)
