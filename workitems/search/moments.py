"""Moments as they are typed: milliseconds, dates, date-times, and so long before or after now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext as _

from workitems.search.patterns import Term

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# far from where a time zone or a span would lead out of the calendar
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)

MILLISECOND = timedelta(milliseconds=1)
UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}

NUMBER = re.compile(r"[0-9]{1,16}")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MINUTE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?P<seconds>:[0-9]{2}(?P<fraction>\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
NOW = re.compile(r"now(?:(?P<sign>[+-])(?P<count>[0-9]{1,6})(?P<unit>[smhdw]))?")


@dataclass(frozen=True)
class Span:
    """What a typed time covers: from `start` until just before `end`."""

    start: datetime
    end: datetime


def span(term: Term) -> Span:
    """Return the millisecond, second, minute or day that was typed."""
    try:
        found = _span(term.text, term.now)
    except (ValueError, OverflowError):
        found = None
    if found is None or not EARLIEST <= found.start < LATEST:
        raise term.wrong(_("a time: milliseconds, 2026-03-01, 2026-03-01T10:15:00Z, now or now-1h"))
    return found


def _span(text: str, now: datetime) -> Span | None:
    if NUMBER.fullmatch(text):
        start = EPOCH + timedelta(milliseconds=int(text))
        return Span(start, start + MILLISECOND)
    if DAY.fullmatch(text):
        return _day(date.fromisoformat(text))
    if found := MINUTE.fullmatch(text):
        start = datetime.fromisoformat(text)
        if start.tzinfo is None:
            start = start.replace(tzinfo=get_default_timezone())
        length = (
            MILLISECOND if found["fraction"] else timedelta(seconds=1) if found["seconds"] else timedelta(minutes=1)
        )
        return Span(start, start + length)
    if found := NOW.fullmatch(text.lower()):
        start = now
        if found["unit"]:
            start += UNITS[found["unit"]] * int(f"{found['sign']}{found['count']}")
        return Span(start, start + MILLISECOND)
    return None


def _day(day: date) -> Span:
    zone = get_default_timezone()
    return Span(
        datetime.combine(day, time.min, tzinfo=zone), datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone)
    )
