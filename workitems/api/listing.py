"""Lists: search, filters, sort, pages by number or by cursor, and a total that is exact, capped or left out.

A page is found by its ids first, along an index; its rows are read by those ids.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core import signing
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request

from workitems import search
from workitems.actors import Actor
from workitems.api.catalogue import WORKITEMS, Catalogue
from workitems.api.errors import invalid
from workitems.api.representation import EVERYTHING, Shape, Wire
from workitems.querysets import WorkitemQuerySet

MAX_ROWS = 1000
USUAL_ROWS = 100
MAX_START = 2**31 - 1
CAP = 1000
TOTALS = ("exact", "capped", "none")
EXPORT_CHUNK = 500
LONGEST_CURSOR = 4000
SALT = "workitems.api.cursor"
# what says how a page is shown, and not what is in the list
MANNERS = ("rows", "cursor", "start", "total", "fields", "expand")
QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
NAMES_ARCHIVE = re.compile(r"\barchived(At)?\s*:")


@dataclass(frozen=True)
class Asked:
    """A list as somebody asked for it, before any page of it."""

    catalogue: Catalogue
    actor: Actor
    rows: QuerySet[Any]
    shape: Shape
    field: str
    backwards: bool
    sort: str
    fingerprint: str

    @property
    def ordered(self) -> QuerySet[Any]:
        """The list in its order, which ends in a unique key."""
        sign = "-" if self.backwards else ""
        return self.rows.order_by(f"{sign}{self.field}", f"{sign}pk")

    def after(self, value: Any, pk: int) -> QuerySet[Any]:
        """Return what comes after this place, found along the index whatever its depth."""
        far, near = ("lt", "lte") if self.backwards else ("gt", "gte")
        beyond = Q(**{f"{self.field}__{far}": value}) | Q(**{f"pk__{far}": pk})
        return self.ordered.filter(beyond, **{f"{self.field}__{near}": value})

    def show(self, pks: list[int]) -> list[Wire]:
        """Return these rows as they go out."""
        return self.catalogue.show(pks, self.actor, self.shape)


def asked(request: Request, catalogue: Catalogue, actor: Actor, *, manners: tuple[str, ...]) -> Asked:
    """Return the list that a request asks for; raise InvalidValue or InvalidSearch where it makes no sense."""
    filters = catalogue.filters.base_filters
    allowed = {*filters, *manners, "sort", "fields"} | ({"expand"} if catalogue.expandable else set())
    allowed |= {"q"} if catalogue.schema else set()
    refuse_unknown_parameters(request, allowed)
    rows: Any = catalogue.visible_to(actor)
    q = request.query_params.get("q", "")
    if not filters.keys().isdisjoint(request.query_params):  # a form costs more than the page's own query
        rows = _filtered(rows, request, catalogue)
    if catalogue is WORKITEMS and not request.query_params.get("archived"):
        rows = unless_archived(rows, q)
    if catalogue.schema is not None:
        rows = search.matching(rows, q, catalogue.schema, now=timezone.now())
    sort = one_of(request, "sort", catalogue.sort_names, catalogue.usual_sort)
    return Asked(
        catalogue=catalogue,
        actor=actor,
        rows=rows,
        shape=shape_of(request, catalogue),
        field=catalogue.sorts[sort.removeprefix("-")],
        backwards=sort.startswith("-"),
        sort=sort,
        fingerprint=_fingerprint(request),
    )


def unless_archived(rows: WorkitemQuerySet, q: str) -> WorkitemQuerySet:
    """Leave out what lies in the archive, unless the search asks for it."""
    return rows if NAMES_ARCHIVE.search(QUOTED.sub("", q)) else rows.unarchived()


def page_by_number(request: Request, wanted: Asked) -> dict[str, Any]:
    """Return the rows from `start` on, and how many there are."""
    rows = number(request, "rows", default=USUAL_ROWS, highest=MAX_ROWS)
    start = number(request, "start", default=0, highest=MAX_START)
    total = _total(one_of(request, "total", TOTALS, "exact"), wanted)
    pks = list(wanted.ordered.values_list("pk", flat=True)[start : start + rows])
    objects = wanted.show(pks)
    return {"count": len(objects), **total, "objects": objects}


def page_by_cursor(request: Request, wanted: Asked) -> dict[str, Any]:
    """Return the rows after the cursor's place, and the next page's cursor, empty after the last row."""
    rows = number(request, "rows", default=USUAL_ROWS, highest=MAX_ROWS)
    cursor = request.query_params.get("cursor", "")
    total = _total(one_of(request, "total", TOTALS, "capped"), wanted)
    found = wanted.after(*_place(cursor, wanted)) if cursor else wanted.ordered
    places = list(found.values_list(wanted.field, "pk")[: rows + 1])
    objects = wanted.show([pk for _value, pk in places[:rows]])
    more = len(places) > rows > 0
    return {
        "count": len(objects),
        **total,
        "next": _cursor(places[rows - 1], wanted) if more else "",
        "objects": objects,
    }


def everything(wanted: Asked) -> Iterator[Wire]:
    """Yield all that matches, in its order, a few hundred rows in memory at a time."""
    found = wanted.ordered
    while places := list(found.values_list(wanted.field, "pk")[:EXPORT_CHUNK]):
        yield from wanted.show([pk for _value, pk in places])
        found = wanted.after(*places[-1])


def shape_of(request: Request, catalogue: Catalogue) -> Shape:
    """Return how much of each object is wanted."""
    expand, fields = EVERYTHING, catalogue.fields
    if "expand" in request.query_params and catalogue.expandable:
        expand = frozenset(_names(request, "expand", catalogue.expandable))
    if "fields" in request.query_params:
        chosen = _names(request, "fields", catalogue.fields)
        if not chosen:
            raise invalid("fields", _("Name at least one field."))
        fields = tuple(name for name in catalogue.fields if name in chosen)
    if expand != EVERYTHING:
        fields = tuple(name for name in fields if name not in catalogue.expandable or name in expand)
    return Shape(expand=expand, fields=fields)


def one_of(request: Request, name: str, allowed: tuple[str, ...] | list[str], default: str) -> str:
    """Return a parameter that has set values."""
    value: str = request.query_params.get(name, default)
    if value not in allowed:
        raise invalid(name, _("This must be one of: %s.") % ", ".join(allowed))
    return value


def number(request: Request, name: str, *, default: int, highest: int) -> int:
    """Return a parameter that is a whole number."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= highest):
        raise invalid(name, _("This must be a whole number from 0 to %d.") % highest)
    return int(text)


def truth(request: Request, name: str) -> bool:
    """Return a parameter that is true or false; not given, it is false."""
    return one_of(request, name, ("true", "false"), "false") == "true"


def refuse_unknown_parameters(request: Request, known: set[str] | tuple[str, ...]) -> None:
    """Raise InvalidValue where a parameter means nothing here, or stands there twice."""
    for name, values in request.query_params.lists():
        if name not in known:
            raise invalid(name, _("Unknown parameter; allowed are: %s.") % (", ".join(sorted(known)) or _("none")))
        if len(values) > 1:
            raise invalid(name, _("This parameter may stand there once."))


def _filtered(rows: QuerySet[Any], request: Request, catalogue: Catalogue) -> QuerySet[Any]:
    for name in catalogue.filters.base_filters:
        if request.query_params.get(name) == "":
            raise invalid(name, _("This is empty; leave it out or give it a value."))
    form = catalogue.filters(request.query_params, queryset=rows)
    if not form.is_valid():
        field, problems = next(iter(form.errors.items()))
        raise invalid(field, str(problems[0]))
    found: QuerySet[Any] = form.qs
    return found


def refuse_another_id(values: dict[str, Any], field: str, *right: str) -> None:
    """Take an id out of a body's values; raise InvalidValue where it is not the path's."""
    if values.pop(field, right[0]) not in right:
        raise invalid(field, _("This differs from the id in the path."))


def _names(request: Request, name: str, allowed: tuple[str, ...]) -> list[str]:
    chosen = [part for part in request.query_params[name].split(",") if part]
    for one in chosen:
        if one not in allowed:
            raise invalid(name, _("“%(name)s” is none of: %(allowed)s.") % {"name": one, "allowed": ", ".join(allowed)})
    return chosen


def _total(how: str, wanted: Asked) -> dict[str, Any]:
    if how == "none":
        return {}
    if how == "exact":
        return {"total": wanted.rows.order_by().count()}
    count = wanted.rows.order_by()[: CAP + 1].count()
    return {"total": min(count, CAP), "totalCapped": count > CAP}


def _fingerprint(request: Request) -> str:
    parts = sorted((name, value) for name, value in request.query_params.items() if name not in MANNERS)
    return hashlib.sha256(f"{request.path} {parts}".encode()).hexdigest()[:16]


def _cursor(place: tuple[Any, int], wanted: Asked) -> str:
    value, pk = place
    kept = value.isoformat() if isinstance(value, datetime) else value
    return signing.dumps([wanted.sort, wanted.fingerprint, kept, pk], salt=SALT)


def _place(cursor: str, wanted: Asked) -> tuple[Any, int]:
    try:
        if len(cursor) > LONGEST_CURSOR:
            raise signing.BadSignature
        sort, fingerprint, value, pk = signing.loads(cursor, salt=SALT)
    except (signing.BadSignature, ValueError):
        raise invalid("cursor", _("This is no cursor of ours.")) from None
    if (sort, fingerprint) != (wanted.sort, wanted.fingerprint):
        raise invalid("cursor", _("This cursor belongs to a list with another search, filter or sort."))
    return (datetime.fromisoformat(value) if wanted.field.endswith("_at") else value), pk
