"""Fields of a workitem that are more than a column: its history, the context that integrations keep, and its type."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.db.models.lookups import Exact as ExactLookup
from django.db.models.lookups import IsNull
from django.utils.translation import gettext as _

from workitems.choices import Event, Type
from workitems.errors import InvalidSearch
from workitems.models import TimeEvent
from workitems.search.kinds import Choice, Kind
from workitems.search.patterns import Pattern, Term
from workitems.search.sql import Like

# a name that begins with a digit would be a place in an array for Django
KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
MAX_KEYS = 5


class Happened(Kind):
    """An event in the history, by its type; integrations have types of their own, so none is unknown."""

    is_costly = True

    def equals(self, term: Term) -> Q:
        known = {value.lower(): value for value in Event.values}
        return self._exists(Q(type=known.get(term.text.lower(), term.text)))

    def fits(self, term: Term, pattern: Pattern) -> Q:
        return self._exists(Q(Like("type", pattern)))

    def is_set(self) -> Q:
        return self._exists(Q())

    def values(self) -> tuple[str, ...]:
        return tuple(Event.values)

    def _exists(self, condition: Q) -> Q:
        return Q(Exists(TimeEvent.objects.filter(condition, workitem=OuterRef("pk"))))


class Data(Kind):
    """The context as a whole, of which only its presence can be asked."""

    def equals(self, term: Term) -> Q:
        problem = _("data holds many values; name one of them, as in data.order:4711")
        raise InvalidSearch(problem, position=term.position, suggestion="data.order:4711")

    def fits(self, term: Term, pattern: Pattern) -> Q:
        return self.equals(term)

    def is_set(self) -> Q:
        return ~Q(data={})


@dataclass(frozen=True)
class DataValue(Kind):
    """One value of the context, compared as text: 4711 and "4711" are the same."""

    keys: tuple[str, ...]

    @classmethod
    def named(cls, name: str) -> DataValue | None:
        """Return the field for a name after ``data.``, or None where it is none that is safe to ask for."""
        keys = tuple(name.split("."))
        fits = len(keys) <= MAX_KEYS and all(KEY.fullmatch(key) for key in keys)
        return cls(keys) if fits else None

    def equals(self, term: Term) -> Q:
        return self.is_set() & Q(ExactLookup(self._text, Value(term.text)))

    def is_set(self) -> Q:
        return Q(IsNull(self._text, False))

    @property
    def _text(self) -> Cast:
        found: str | KeyTextTransform = "data"
        for key in self.keys:
            found = KeyTextTransform(key, found)
        return Cast(found, TextField())


@dataclass(frozen=True)
class OfType(Choice):
    """A type of workitem; it implies its channels, and saying so lets the index of channels and types answer."""

    def equals(self, term: Term) -> Q:
        return self._with_channels(super().equals(term), [value for value in self.allowed if self._is(value, term)])

    def fits(self, term: Term, pattern: Pattern) -> Q:
        return self._with_channels(super().fits(term, pattern), [one for one in self.allowed if pattern.fits(one)])

    def _is(self, value: str, term: Term) -> bool:
        return value.lower() == term.text.lower()

    def _with_channels(self, types: Q, values: list[str]) -> Q:
        channels = {channel.value for value in values for channel in Type(value).channels}
        return types & Q(channel_type__in=sorted(channels))
