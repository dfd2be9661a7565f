"""From luqum's tree to one condition."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_, or_
from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from luqum import tree

from contacts.addresses import normal_phone
from workitems.errors import InvalidSearch
from workitems.search.kinds import Bound, Kind, Moment
from workitems.search.patterns import Term
from workitems.search.reading import check_characters, read
from workitems.search.schema import Schema
from workitems.search.sql import EVERYTHING, with_keys

Row = TypeVar("Row", bound=Model)

# each costs a query of its own on PostgreSQL, or a look at much of a table
MAX_COSTLY = 30

OPERATORS = {"and": "AND", "or": "OR", "not": "NOT", "&&": "AND", "||": "OR"}


def matching(rows: QuerySet[Row], text: str, schema: Schema, *, now: datetime) -> QuerySet[Row]:
    """Keep the rows that a search finds; a blank one finds them all."""
    return rows.filter(condition(text, schema, now=now)) if text.strip() else rows


def condition(text: str, schema: Schema, *, now: datetime) -> Q:
    """Return what a search asks now, or raise InvalidSearch.

    Not to be kept: on PostgreSQL the keys of a few related rows are read into it.
    """
    check_characters(text)
    if not text.strip():
        return Q()
    compiler = Compiler(schema, now)
    if not text.lstrip().startswith("-") and normal_phone(text) is not None:
        # a number with blanks and brackets in it, which would otherwise be several words
        start = len(text) - len(text.lstrip())
        return with_keys(schema.bare.equals(Term("", text.strip(), start, now)))
    return with_keys(compiler.compile(read(text), None))


@dataclass(frozen=True)
class Field:
    """The field inside which something stands; without a kind, the first half of a name such as contact.name."""

    name: str
    position: int
    kind: Kind | None


class Compiler:
    """Walks a tree whose depth reading.py has bounded."""

    def __init__(self, schema: Schema, now: datetime) -> None:
        self.schema = schema
        self.now = now
        self.costly = 0
        self.cases: dict[type[tree.Item], Callable[..., Q]] = {
            tree.SearchField: self.search_field,
            tree.Group: self.group,
            tree.FieldGroup: self.group,
            tree.AndOperation: self.every,
            tree.OrOperation: self.some,
            tree.UnknownOperation: self.adjacent,
            tree.Not: self.negation,
            tree.Prohibit: self.negation,
            tree.Plus: self.plus,
            tree.Range: self.range,
            tree.From: self.open_range,
            tree.To: self.open_range,
            tree.Word: self.value,
            tree.Phrase: self.value,
        }

    def compile(self, node: tree.Item, field: Field | None) -> Q:
        """Return the condition of one node."""
        return self.cases[type(node)](node, field)

    def group(self, node: tree.BaseGroup, field: Field | None) -> Q:
        return self.compile(node.expr, field)

    def every(self, node: tree.BaseOperation, field: Field | None) -> Q:
        return reduce(and_, self.each(node.operands, field))

    def some(self, node: tree.BaseOperation, field: Field | None) -> Q:
        return reduce(or_, self.each(node.operands, field))

    def each(self, nodes: Iterable[tree.Item], field: Field | None) -> list[Q]:
        return [self.compile(node, field) for node in nodes]

    def adjacent(self, node: tree.UnknownOperation, field: Field | None) -> Q:
        """Join what stands side by side: all of it, but any of a field's values, unless a sign demands or forbids."""
        if field is None or field.kind is None:
            return self.every(node, field)
        signs = (tree.Not, tree.Prohibit) if field.kind.has_signs else (tree.Not, tree.Prohibit, tree.Plus)
        demands = [one for one in node.operands if isinstance(one, signs)]
        plain = [one for one in node.operands if not isinstance(one, signs)]
        found = self.each(demands, field)
        if plain:
            found.append(reduce(or_, self.each(plain, field)))
        return reduce(and_, found)

    def negation(self, node: tree.Unary, field: Field | None) -> Q:
        return ~self.compile(node.a, field)

    def plus(self, node: tree.Plus, field: Field | None) -> Q:
        if field is not None and field.kind is not None and field.kind.has_signs and isinstance(node.a, tree.Word):
            return self.ask(self.word(node.a, field, sign="+"), field)
        return self.compile(node.a, field)

    def search_field(self, node: tree.SearchField, outer: Field | None) -> Q:
        if outer is None and node.name == "*" and isinstance(node.expr, tree.Word) and node.expr.value == "*":
            return EVERYTHING
        field = self.field(node, outer)
        if isinstance(node.expr, (tree.Plus, tree.Prohibit)) and isinstance(node.expr.a, tree.Word):
            # right after the colon a sign belongs to the value: from:+1800*
            return self.ask(self.word(node.expr.a, field, sign=node.expr.op), field)
        return self.compile(node.expr, field)

    def field(self, node: tree.SearchField, outer: Field | None) -> Field:
        if outer is not None and isinstance(outer.kind, Moment):
            problem = _("put a time with an offset into quotation marks")
            raise InvalidSearch(problem, position=node.pos)
        if outer is not None and not self.schema.is_prefix(outer.name):
            problem = _('a field cannot stand inside the field "%(name)s"') % {"name": outer.name}
            raise InvalidSearch(problem, position=node.pos)
        name = f"{outer.name}.{node.name}" if outer else node.name
        if self.schema.is_prefix(name) and name not in self.schema.fields:
            return Field(name, node.pos, None)
        return Field(name, node.pos, self.schema.kind(name, node.pos))

    def value(self, node: tree.Term, field: Field | None) -> Q:
        if field is None and node.value in OPERATORS:
            operator = OPERATORS[node.value]
            problem = _('write %(operator)s, or "%(word)s" in quotation marks if you look for the word')
            facts = {"operator": operator, "word": node.value}
            raise InvalidSearch(problem % facts, position=node.pos, suggestion=operator)
        return self.ask(self.term(node, field), field)

    def term(self, node: tree.Item, field: Field | None) -> Term:
        if isinstance(node, tree.Prohibit):  # a negative number at the end of a range
            return self.word(node.a, field, sign="-")
        if isinstance(node, tree.Phrase):
            return Term.of_phrase(field.name if field else "", node.value, node.pos, self.now)
        return self.word(node, field)

    def word(self, node: tree.Word, field: Field | None, sign: str = "") -> Term:
        name = field.name if field else ""
        return Term.of_word(name, sign + node.value, node.pos - len(sign), self.now)

    def ask(self, term: Term, field: Field | None) -> Q:
        kind = self.kind(field)
        self.count(kind, term)
        if term.is_star:
            return kind.is_set()
        if term.pattern is not None:
            return kind.fits(term, term.pattern)
        if field is None and not term.text.strip():
            raise InvalidSearch(_("there is nothing between the quotation marks"), position=term.position)
        return kind.equals(term)

    def count(self, kind: Kind, term: Term) -> None:
        self.costly += kind.is_costly
        if self.costly > MAX_COSTLY:
            problem = _("the search has more than %(limit)s words without a field, or in fields of contacts and events")
            raise InvalidSearch(problem % {"limit": MAX_COSTLY}, position=term.position)

    def kind(self, field: Field | None) -> Kind:
        if field is None:
            return self.schema.bare
        if field.kind is None:
            return self.schema.kind(field.name, field.position)  # which says what to write instead
        return field.kind

    def range(self, node: tree.Range, field: Field | None) -> Q:
        low, high = self.bound(node.low, field, node.include_low), self.bound(node.high, field, node.include_high)
        return self.between(node, field, low, high)

    def open_range(self, node: tree.OpenRange, field: Field | None) -> Q:
        bound = self.bound(node.a, field, node.include)
        return self.between(node, field, *((bound, None) if isinstance(node, tree.From) else (None, bound)))

    def bound(self, node: tree.Item, field: Field | None, is_inside: bool) -> Bound | None:
        term = self.term(node, field)
        if term.is_star:
            return None
        if term.pattern is not None:
            raise InvalidSearch(_("a range takes no wildcards, except * for an open end"), position=term.position)
        return Bound(term, is_inside)

    def between(self, node: tree.Item, field: Field | None, low: Bound | None, high: Bound | None) -> Q:
        if field is None:
            problem = _("a range needs a field, as in priority:[3 TO 5]")
            raise InvalidSearch(problem, position=node.pos)
        return self.kind(field).between(low, high)
