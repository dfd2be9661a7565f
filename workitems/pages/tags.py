"""What the templates of the desk say in a word: icons, ages, spans and numbers."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from lucide.templatetags.lucide import lucide

from workitems.pages.board_cells import Part
from workitems.presenting.icons import DRAWN
from workitems.presenting.words import duration, exact, grouped

register = template.Library()


@register.simple_tag
def icon(name: str, label: str | Promise = "", size: int = 18) -> SafeString:
    """Draw an icon by the name that icons.py knows; with a label it is told to those who do not see it."""
    drawn = _drawn(name, size)
    return format_html('{}<span class="visually-hidden">{}</span>', drawn, label) if label else drawn


@register.simple_tag
def age(since: datetime | None, now: datetime | None = None) -> SafeString | str:
    """Show how long something has lasted; live.js lets it tick, counted from the server's time."""
    if since is None:
        return "–"
    words = duration(((now or timezone.now()) - since).total_seconds())
    return format_html(
        '<time class="age" datetime="{}" title="{}" data-age>{}</time>', since.isoformat(), exact(since), words
    )


@register.simple_tag(takes_context=True)
def figure(context: Context, part: Part) -> SafeString:
    """Show a figure of the board with its sign, as a way to what is behind it where there is one.

    A board draws a hundred of them each time that something has changed, so it is no template of its own.
    """
    if not part.is_there:
        return SafeString("")
    shown = age(part.since, context["now"]) if part.since else part.text
    words = format_html("{} {}", part.before, shown) if part.before else shown
    sign = format_html("{} ", icon(part.icon, part.icon_label, 16)) if part.icon else ""
    if part.address:
        return format_html('{}<a class="figure" href="{}" title="{}">{}</a>', sign, part.address, part.title, words)
    return format_html('{}<span title="{}">{}</span>', sign, part.title, words)


@register.filter
def span(milliseconds: float | None) -> str:
    """Return milliseconds as a span in words, a dash for none."""
    return "–" if milliseconds is None else duration(milliseconds / 1000)


@register.filter
def share(value: float | None) -> str:
    """Return a share from 0 to 1 in percent, a dash for none."""
    return "–" if value is None else f"{round(value * 100)} %"


@register.filter
def number(value: Any) -> str:
    """Return a number as people read it, a dash for none."""
    return "–" if value is None else grouped(value)


@cache
def _drawn(name: str, size: int) -> SafeString:
    return SafeString(lucide(DRAWN[name], size=size, **{"class": "icon", "aria_hidden": "true", "focusable": "false"}))
