"""What a field can be asked, by the kind of values it has."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.conf import settings
from django.db.models import BigIntegerField, Model, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from contacts.addresses import normal_address
from workitems.errors import InvalidSearch
from workitems.search import moments
from workitems.search.patterns import ANY, ONE, Pattern, Term, literals
from workitems.search.sql import EVERYTHING, NOTHING, CaselessLike, EndsLike, Like, among
from workitems.search.suggestions import closest

MAX_PK = 2**63 - 1
DIGITS = re.compile(r"[0-9]{8,15}")
INTERNAL_ID = re.compile(r"[0-9a-fA-F]{24}")
SEPARATORS = " .-()/"


@dataclass(frozen=True)
class Bound:
    """One end of a range."""

    term: Term
    is_inside: bool


class Kind:
    """One kind of field; what a kind does not define, it refuses."""

    has_signs = False  # whether a + belongs to the value, wherever it stands
    is_costly = False  # whether it looks into other tables, or into several columns

    def equals(self, term: Term) -> Q:
        """Return the condition for a value as typed."""
        raise NotImplementedError

    def fits(self, term: Term, pattern: Pattern) -> Q:
        """Return the condition for a value with wildcards."""
        problem = _("%(field)s takes no wildcards") % {"field": term.field}
        raise InvalidSearch(problem, position=term.position)

    def is_set(self) -> Q:
        """Return the condition that there is a value."""
        return EVERYTHING

    def between(self, low: Bound | None, high: Bound | None) -> Q:
        """Return the condition for a range, open where a bound is None."""
        bound = low or high
        if bound is None:
            return self.is_set()
        problem = _("%(field)s takes no range; numbers and times do") % {"field": bound.term.field}
        raise InvalidSearch(problem, position=bound.term.position)

    def values(self) -> tuple[str, ...]:
        """Return the values that can be offered while somebody types."""
        return ()


@dataclass(frozen=True)
class Exact(Kind):
    """Text compared as it is: ids, names that programs use; as a bare word, only from its start."""

    column: str
    is_bare: bool = False

    def equals(self, term: Term) -> Q:
        return Q(**{self.column: term.text})

    def fits(self, term: Term, pattern: Pattern) -> Q:
        if self.is_bare and pattern.pieces[0] in (ANY, ONE):
            return NOTHING  # no index could help, and nobody remembers the end of an id
        return Q(Like(self.column, pattern))

    def is_set(self) -> Q:
        return Q(**{f"{self.column}__gt": ""})


@dataclass(frozen=True)
class Text(Kind):
    """Text in which words are looked for, in upper or lower case."""

    column: str

    def equals(self, term: Term) -> Q:
        if not term.text:
            return Q(**{self.column: ""})
        return self.is_set() & Q(CaselessLike(self.column, literals(term.text)))

    def fits(self, term: Term, pattern: Pattern) -> Q:
        return self.is_set() & Q(CaselessLike(self.column, pattern.anywhere))

    def is_set(self) -> Q:
        """Return the condition in the words of the partial indexes, which leave out what is blank."""
        return Q(**{f"{self.column}__gt": ""})


@dataclass(frozen=True)
class Address(Kind):
    """A telephone number however it is typed, an e-mail address in upper or lower case, or a handle."""

    column: str
    has_signs = True

    def equals(self, term: Term) -> Q:
        if not term.text:
            return Q(**{self.column: ""})
        meant = {term.text.strip(), normal_address(term.text)}
        if DIGITS.fullmatch(term.text):
            meant.add(f"+{term.text}")  # the country code without its sign
        return Q(**{f"{self.column}__in": sorted(meant - {""})})

    def fits(self, term: Term, pattern: Pattern) -> Q:
        return _any(self._fits_one(one) for one in sorted(_address_patterns(pattern), key=str))

    def _fits_one(self, pattern: Pattern) -> Q:
        return Q(EndsLike(self.column, pattern) if pattern.is_suffix else Like(self.column, pattern))

    def is_set(self) -> Q:
        return Q(**{f"{self.column}__gt": ""})


def _address_patterns(pattern: Pattern) -> set[Pattern]:
    """Return a pattern as typed and, where it can be one of a number, as numbers are kept."""
    pieces = pattern.pieces
    if "@" in pieces:
        return {Pattern(tuple(piece.lower() for piece in pieces))}
    if not all(piece in (ANY, ONE, "+") or piece in SEPARATORS or piece in "0123456789" for piece in pieces):
        return {pattern}
    number = tuple(piece for piece in pieces if piece not in SEPARATORS)
    found = {pattern, Pattern(number)}
    if number[0] in "0123456789":
        found.add(Pattern(("+", *number)))
    return found


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few values."""

    column: str
    allowed: tuple[str, ...]

    def equals(self, term: Term) -> Q:
        for value in self.allowed:
            if value.lower() == term.text.lower():
                return Q(**{self.column: value})
        raise self._unknown(term)

    def fits(self, term: Term, pattern: Pattern) -> Q:
        found = [value for value in self.allowed if pattern.fits(value)]
        if not found:
            raise self._unknown(term)
        return Q(**{f"{self.column}__in": found})

    def values(self) -> tuple[str, ...]:
        return self.allowed

    def _unknown(self, term: Term) -> InvalidSearch:
        return term.wrong(
            _("one of %(values)s") % {"values": ", ".join(self.allowed)}, closest(term.text, self.allowed)
        )


@dataclass(frozen=True)
class Number(Kind):
    """A whole number."""

    column: str
    lowest: int = 1
    highest: int = 2**31 - 1

    def equals(self, term: Term) -> Q:
        return Q(**{self.column: self._number(term)})

    def between(self, low: Bound | None, high: Bound | None) -> Q:
        found = EVERYTHING
        if low:
            found = Q(**{f"{self.column}__{'gte' if low.is_inside else 'gt'}": self._number(low.term)})
        if high:
            found &= Q(**{f"{self.column}__{'lte' if high.is_inside else 'lt'}": self._number(high.term)})
        return found

    def values(self) -> tuple[str, ...]:
        few = self.highest - self.lowest < 10
        return tuple(str(number) for number in range(self.lowest, self.highest + 1)) if few else ()

    def _number(self, term: Term) -> int:
        if re.fullmatch(r"[0-9]{1,19}", term.text) and self.lowest <= int(term.text) <= self.highest:
            return int(term.text)
        allowed = _("a whole number from %(lowest)s to %(highest)s")
        raise term.wrong(allowed % {"lowest": self.lowest, "highest": self.highest})


@dataclass(frozen=True)
class Flag(Kind):
    """Yes or no."""

    true: Q

    def equals(self, term: Term) -> Q:
        if term.text.lower() == "true":
            return self.true
        if term.text.lower() == "false":
            return ~self.true
        raise term.wrong(_("true or false"), closest(term.text, self.values()))

    def values(self) -> tuple[str, ...]:
        return ("true", "false")


@dataclass(frozen=True)
class Moment(Kind):
    """A time; 0 stands for none, as on the wire."""

    column: str

    def equals(self, term: Term) -> Q:
        if term.text == "0":
            return Q(**{f"{self.column}__isnull": True})
        span = moments.span(term)
        return Q(**{f"{self.column}__gte": span.start, f"{self.column}__lt": span.end})

    def is_set(self) -> Q:
        return Q(**{f"{self.column}__isnull": False})

    def between(self, low: Bound | None, high: Bound | None) -> Q:
        found = self.is_set()
        if low:
            span = moments.span(low.term)
            found &= Q(**{f"{self.column}__gte": span.start if low.is_inside else span.end})
        if high:
            span = moments.span(high.term)
            found &= Q(**{f"{self.column}__lt": span.end if high.is_inside else span.start})
        return found


@dataclass(frozen=True)
class InternalId(Kind):
    """The `_id` of the wire; as a bare word, anything else is simply none."""

    is_bare: bool = False

    def equals(self, term: Term) -> Q:
        if not INTERNAL_ID.fullmatch(term.text):
            if self.is_bare:
                return NOTHING
            raise term.wrong(_("24 hexadecimal digits"))
        return Q(pk=int(term.text, 16))  # Django knows that no column holds more than 64 bits

    def fits(self, term: Term, pattern: Pattern) -> Q:
        return NOTHING if self.is_bare else super().fits(term, pattern)


class Tenant(Kind):
    """The one tenant that this deployment serves."""

    def equals(self, term: Term) -> Q:
        return EVERYTHING if term.text == settings.TENANT_ID else NOTHING

    def fits(self, term: Term, pattern: Pattern) -> Q:
        return EVERYTHING if pattern.fits(settings.TENANT_ID) else NOTHING

    def values(self) -> tuple[str, ...]:
        return (settings.TENANT_ID,)


@dataclass(frozen=True)
class Related(Kind):
    """A field of other rows, whose `key` stands in this row's `column`."""

    column: str
    model: type[Model]
    inner: Kind
    key: str = "pk"
    is_costly = True

    @property
    def has_signs(self) -> bool:  # type: ignore[override]
        """Tell it as the field itself does."""
        return self.inner.has_signs

    def equals(self, term: Term) -> Q:
        return among(self.column, self.keys(self.inner.equals(term)))

    def fits(self, term: Term, pattern: Pattern) -> Q:
        return among(self.column, self.keys(self.inner.fits(term, pattern)))

    def is_set(self) -> Q:
        return among(self.column, self.keys(self.inner.is_set()))

    def values(self) -> tuple[str, ...]:
        return self.inner.values()

    def keys(self, condition: Q) -> QuerySet[Any]:
        """Return the keys of the other rows that meet a condition."""
        return self.model._default_manager.filter(condition).order_by().values_list(self.key, flat=True)


@dataclass(frozen=True)
class AnyRelated(Kind):
    """Fields of several other tables that share one key, asked in one query."""

    column: str
    kinds: tuple[Related, ...]

    def equals(self, term: Term) -> Q:
        return self._any(kind.keys(kind.inner.equals(term)) for kind in self.kinds)

    def fits(self, term: Term, pattern: Pattern) -> Q:
        return self._any(kind.keys(kind.inner.fits(term, pattern)) for kind in self.kinds)

    def _any(self, keys: Iterable[QuerySet[Any]]) -> Q:
        first, *others = keys
        return among(self.column, first.union(*others))


@dataclass(frozen=True)
class Reference(Related):
    """The public id of a row that this one points to; ``""`` where it points to none."""

    is_costly = False

    def equals(self, term: Term) -> Q:
        if not term.text:
            return ~self.is_set()
        one = Subquery(self.keys(self.inner.equals(term))[:1])
        # one value, so that an index on the column also gives the order; no row has the pk 0
        return Q(**{self.column: Coalesce(one, Value(0), output_field=BigIntegerField())})

    def is_set(self) -> Q:
        return Q(**{f"{self.column}__isnull": False})


@dataclass(frozen=True)
class AnyOf(Kind):
    """Several fields that are asked the same."""

    kinds: tuple[Kind, ...]
    is_costly = True

    def equals(self, term: Term) -> Q:
        return _any(kind.equals(term) for kind in self.kinds)

    def fits(self, term: Term, pattern: Pattern) -> Q:
        return _any(kind.fits(term, pattern) for kind in self.kinds)


def _any(conditions: Iterable[Q]) -> Q:
    return reduce(or_, conditions)
