"""What the pages of the back office share."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from unfold.paginator import Paginator

AT_ONCE = 200  # the most that an action does while the person waits
MOST_COUNTED = 1_000
EVENTS_SHOWN = 200


def is_key(text: str) -> bool:
    """Tell whether this can be the number of a row: digits, and no more of them than the database takes."""
    return text.isdecimal() and len(text) < 19


def grouped(number: int) -> str:
    """Return a number as people read it."""
    return str(number_format(number, use_l10n=True, force_grouping=True))


def duration(seconds: float) -> str:
    """Return a span in its two largest units."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if days:
        return _("%(days)d d %(hours)d h") % {"days": days, "hours": hours_left}
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes_left}
    if minutes:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}
    return _("%(seconds)d s") % {"seconds": rest}


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
