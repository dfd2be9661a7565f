"""Numbers, spans, moments and names as people read them."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _


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


def exact(moment: datetime) -> str:
    """Return a moment to the second, in the server's zone, with its name."""
    return date_format(timezone.localtime(moment), "Y-m-d H:i:s e")


def name_of(user: User) -> str:
    """Return somebody's name, or the username of who has none."""
    return user.get_full_name() or user.get_username()
