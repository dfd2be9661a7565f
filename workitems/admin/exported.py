"""What stands in a column of a list, as a file has it: the value itself where there is one, else the words shown."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from html.parser import HTMLParser
from typing import Any

from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone
from django.utils.text import capfirst

BREAKS = frozenset({"br", "p", "div", "li", "tr", "td", "dt", "dd", "span", "small"})
EMPTY_ELEMENTS = frozenset({"br", "img", "input", "hr", "wbr", "meta", "link"})


class _Words(HTMLParser):
    """The words of a cell: without what is hidden from readers, and times as they are meant for programs."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.silent = 0  # how deep within something that is not read

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        moment = facts.get("datetime") if tag == "time" else None
        if moment and not self.silent:
            self.words.append(moment)
        hidden = facts.get("aria-hidden") == "true" or tag in {"script", "style", "svg"} or bool(moment)
        if tag not in EMPTY_ELEMENTS and (self.silent or hidden):
            self.silent += 1
        elif tag in BREAKS:
            self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if self.silent and tag not in EMPTY_ELEMENTS:
            self.silent -= 1
        elif tag in BREAKS:
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.words.append(data)


def value_of(model_admin: Any, row: Any, name: str) -> Any:
    """Return what stands in this column: by the list's own `export_NAME`, as the field says, or as it is shown."""
    own = getattr(model_admin, f"export_{name}", None)
    if callable(own):
        return tidy(own(row))
    try:
        field, attr, value = lookup_field(name, row, model_admin)
    except ObjectDoesNotExist:
        return None
    if field is None:
        return tidy(_displayed(attr, value))
    if getattr(field, "flatchoices", None):
        return tidy(dict(field.flatchoices).get(value, value))
    return tidy(value)


def header_of(model_admin: Any, name: str) -> str:
    """Return the head of this column in words."""
    label: Any = label_for_field(name, model_admin.model, model_admin)
    return words_of(str(capfirst(str(label))))


def tidy(value: Any) -> Any:
    """Return a value of the few kinds that files know."""
    if isinstance(value, datetime):
        return value if timezone.is_aware(value) else timezone.make_aware(value)
    if value is None or isinstance(value, bool | int | float | list | dict | date):
        return value
    if isinstance(value, time | timedelta):
        return value.isoformat() if isinstance(value, time) else value.total_seconds()
    return words_of(str(value)) if hasattr(value, "__html__") else str(value)


def words_of(html: str) -> str:
    """Return the words of a piece of HTML."""
    if "<" not in html and "&" not in html:
        return html
    parser = _Words()
    parser.feed(html)
    parser.close()
    return " ".join("".join(parser.words).split())


def _displayed(attr: Any, value: Any) -> Any:
    """Return what a method of the list shows; the theme's labels and headings come as several things at once."""
    if isinstance(value, tuple) and len(value) == 2 and hasattr(attr, "label"):
        return value[1]
    if isinstance(value, tuple | list):
        return ", ".join(str(tidy(one)) for one in value if isinstance(one, str) and one)
    return value
