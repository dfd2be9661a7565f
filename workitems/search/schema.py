"""Which fields a kind of list can be searched by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from workitems.errors import InvalidSearch
from workitems.search.kinds import Kind
from workitems.search.patterns import shortened
from workitems.search.special import DataValue
from workitems.search.suggestions import closest, did_you_mean

DATA = "data."


@dataclass(frozen=True)
class Schema:
    """The fields of one kind of list, by their names on the wire; what is not named here cannot be asked."""

    fields: Mapping[str, Kind]
    bare: Kind
    # names that are no fields, with what to write instead
    instead: Mapping[str, str | Promise] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Return the names of all fields."""
        return list(self.fields)

    def values(self, name: str) -> tuple[str, ...]:
        """Return the values that a field can have where they are few, else nothing."""
        return self.fields[name].values() if name in self.fields else ()

    def is_prefix(self, name: str) -> bool:
        """Tell whether names of fields begin with this and a dot."""
        return any(one.startswith(f"{name}.") for one in self.fields) or (name == "data" and "data" in self.fields)

    def kind(self, name: str, position: int) -> Kind:
        """Return a field's kind, or raise InvalidSearch with what was perhaps meant."""
        if name in self.fields:
            return self.fields[name]
        if name in self.instead:
            raise InvalidSearch(self.instead[name], position=position)
        if name.startswith(DATA) and "data" in self.fields:
            return self._data_value(name, position)
        suggestion = closest(name, self.fields)
        problem = _('unknown field "%(name)s"') % {"name": shortened(name)}
        raise InvalidSearch(did_you_mean(problem, suggestion), position=position, suggestion=suggestion)

    def _data_value(self, name: str, position: int) -> Kind:
        found = DataValue.named(name.removeprefix(DATA))
        if found is None:
            problem = _("names in data have letters, digits, _ and -, and are at most five levels deep")
            raise InvalidSearch(problem, position=position)
        return found
