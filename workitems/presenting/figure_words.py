"""Figures as people read them: their values, and how they stand against those of the days before."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workitems.measures import Figure, Sums
from workitems.presenting.words import duration, grouped

MORE_IS_BETTER = frozenset({"serviceLevel"})
LESS_IS_BETTER = frozenset({"abandoned", "abandonedShare", "asa", "longestWait", "longestWaitInAll", "waiting"})


@dataclass(frozen=True)
class Change:
    """How a figure has changed: by which icon, in which words, and whether that is good or bad news."""

    icon: str
    text: str
    tone: str = ""  # good, bad, or neither


def value_text(figure: Figure, sums: Sums) -> str:
    """Return a figure in words; where there is nothing to divide by, that there is no data."""
    value = figure.value(sums)
    if value is None:
        return _("no data")
    if figure.unit == "share":
        return percent(value)
    return duration(value / 1000) if figure.unit == "milliseconds" else grouped(round(value))


def percent(share: float) -> str:
    """Return a share from 0 to 1 in percent, to the tenth."""
    return _("%s %%") % number_format(round(share * 100, 1), decimal_pos=1)


def limit(seconds: int) -> str:
    """Return a span that somebody has set, in the largest unit that it is whole in."""
    if seconds and seconds % 3600 == 0:
        return _("%d h") % (seconds // 3600)
    if seconds and seconds % 60 == 0:
        return _("%d min") % (seconds // 60)
    return duration(seconds)


def clock_span(seconds: float) -> str:
    """Return a span in as few characters as a chart has room for: minutes and seconds, from an hour on hours."""
    whole = round(seconds)
    if whole >= 3600:
        return _("%s h") % number_format(round(whole / 3600, 1), decimal_pos=0 if whole % 3600 == 0 else 1)
    return f"{whole // 60}:{whole % 60:02d}"


def change(figure: Figure, sums: Sums, before: Sums) -> Change | None:
    """Return how a figure stands against the same of the days before; None where either has no data."""
    now, then = figure.value(sums), figure.value(before)
    if now is None or then is None:
        return None
    text = _difference(figure, now, then)
    if not text:
        return Change("arrow_forward", _("as before"))
    is_more = now > then
    tone = ""
    if figure.name in MORE_IS_BETTER | LESS_IS_BETTER:
        tone = "good" if is_more == (figure.name in MORE_IS_BETTER) else "bad"
    return Change("arrow_upward" if is_more else "arrow_downward", text, tone)


def _difference(figure: Figure, now: float, then: float) -> str:
    if figure.unit == "share":
        points = round((now - then) * 100, 1)
        words = _("%s points higher") if points > 0 else _("%s points lower")
        return words % number_format(abs(points), decimal_pos=1) if points else ""
    if figure.unit == "milliseconds":
        seconds = round(now / 1000) - round(then / 1000)
        words = _("%s longer") if seconds > 0 else _("%s shorter")
        return words % duration(abs(seconds)) if seconds else ""
    return _counted(round(now), round(then))


def _counted(now: int, then: int) -> str:
    if now == then:
        return ""
    if not then:
        return _("none before")
    if then < 10:  # a share of next to nothing says nothing
        words = ngettext("%s more", "%s more", now - then) if now > then else ngettext("%s less", "%s less", then - now)
        return words % grouped(abs(now - then))
    share = round(abs(now - then) * 100 / then)
    words = _("%s %% more") if now > then else _("%s %% less")
    return words % (grouped(share) if share else _("under 1"))
