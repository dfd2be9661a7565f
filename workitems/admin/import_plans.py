"""What a table would change: each line is new, changed, unchanged or refused, and nothing is written.

The plan is what is carried out later, so it holds the values as they were understood and the versions that were seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, prefetch_related_objects
from django.utils.translation import gettext as _

from workitems import sheets
from workitems.actors import Actor
from workitems.admin.import_resources import Table, plain_header
from workitems.cells import unsafe
from workitems.errors import WorkitemError
from workitems.services import chunks

NEW, CHANGED, UNCHANGED, REFUSED = "new", "changed", "unchanged", "refused"
AT_ONCE = 500
Line = dict[str, Any]  # as JSON keeps it


@dataclass
class Plan:
    """What is to be done, line by line."""

    header: list[str]
    lines: list[Line] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)  # columns that nobody knows
    has_ids: bool = True

    @property
    def counts(self) -> dict[str, int]:
        """How many lines there are of each kind."""
        return dict(Counter(line["status"] for line in self.lines))


def plan(table: Table, rows: Sequence[sheets.Line], actor: Actor) -> Plan:
    """Return what these rows would change for this person; raise Unreadable where the header makes no sense."""
    header = rows[0][1]
    names = _names(table, header)
    known = {name for name in names if name}
    found = Plan(
        header=header,
        ignored=[text for text, name in zip(header, names, strict=True) if text and not name],
        has_ids=table.kind.id_name in known or {"source", "externalId"} <= known,
    )
    reader = _Reader(table, names, actor)
    for portion in chunks(rows[1:], AT_ONCE):
        found.lines.extend(reader.read(portion))
    return found


def _names(table: Table, header: Sequence[str]) -> list[str]:
    """Return which column each header means, ``""`` for none."""
    by_header = table.names_by_header()
    names = [by_header.get(plain_header(unsafe(text)), "") for text in header]
    twice = [name for name, count in Counter(name for name in names if name).items() if count > 1]
    if twice:
        raise sheets.Unreadable(_("The column %s stands there twice.") % twice[0])
    if not any(names):
        known = ", ".join(table.column_names())
        raise sheets.Unreadable(_("No column has a known name. Known are: %s.") % known)
    return names


class _Reader:
    """Reads lines against what is there, some hundred at a time."""

    def __init__(self, table: Table, names: Sequence[str], actor: Actor) -> None:
        self.table, self.names, self.actor = table, names, actor
        self.kind = table.kind
        self.columns = {one.column_name: one for one in table.columns()}
        self.seen: dict[tuple[str, ...], int] = {}  # in which row something was met first

    def read(self, rows: Sequence[sheets.Line]) -> Iterator[Line]:
        """Yield what each line would do."""
        drafts = [self._draft(number, cells) for number, cells in rows]
        there = self._there([draft for draft in drafts if not draft["problem"]])
        for draft in drafts:
            if not draft["problem"]:
                self._decide(draft, there)
            if draft["problem"]:
                draft["status"] = REFUSED
                draft["values"] = draft["diff"] = {}
            if draft["status"] == UNCHANGED:
                draft["values"], draft["cells"] = {}, []
            yield draft

    def _draft(self, number: int, cells: Sequence[str]) -> Line:
        values: dict[str, Any] = {}
        problems: list[str] = []
        for name, cell in zip(self.names, cells, strict=False):
            if name:
                self._clean(name, unsafe(cell), values, problems)
        for name in self.names[len(cells) :]:  # a row may end before the header does
            if name:
                self._clean(name, "", values, problems)
        if len(cells) > len(self.names):
            problems.append(_("There are more cells than columns."))
        title = values.get(self.table.title_of) or values.get(self.kind.id_name) or ""
        return {
            "row": number,
            "status": REFUSED,
            "id": values.pop(self.kind.id_name, None) or "",
            "title": title,
            "values": values,
            "diff": {},
            "version": None,
            "problem": " ".join(problems),
            "cells": list(cells),
        }

    def _clean(self, name: str, cell: str, values: dict[str, Any], problems: list[str]) -> None:
        try:
            value = self.columns[name].clean({name: cell})
        except ValueError as problem:
            problems.append(f"{name}: {problem}")
            return
        if value is not None:
            values[name] = value

    def _there(self, drafts: Sequence[Line]) -> dict[tuple[str, ...], Any]:
        """Return what is there of these lines, by id and by what the source system calls it."""
        wanted = Q(**{f"{self.kind.id_field}__in": {draft["id"] for draft in drafts} - {""}})
        foreign = {draft["values"]["externalId"] for draft in drafts if draft["values"].get("externalId")}
        if foreign:
            wanted |= Q(external_id__in=foreign)
        rows: list[Any] = list(self.kind.model._default_manager.filter(wanted))
        visible = self.kind.visible_to(self.actor).filter(pk__in=[row.pk for row in rows])
        in_sight = set(visible.values_list("pk", flat=True))
        prefetch_related_objects(rows, *self.table.neighbours)
        found: dict[tuple[str, ...], Any] = {}
        for row in rows:
            row.in_sight = row.pk in in_sight
            found[self.kind.id_field, getattr(row, self.kind.id_field)] = row
            if foreign and row.external_id:
                found[row.source, row.external_id] = row
        return found

    def _decide(self, draft: Line, there: dict[tuple[str, ...], Any]) -> None:
        values = draft["values"]
        by_id = there.get((self.kind.id_field, draft["id"]))
        foreign = (values.get("source", getattr(by_id, "source", "")), values.get("externalId", ""))
        by_foreign = there.get(foreign) if foreign[1] else None
        row = by_id if draft["id"] else by_foreign
        keys = [
            key for key in ((self.kind.id_field, draft["id"] or _id_of(row, self.kind.id_field)), foreign) if key[1]
        ]
        draft["problem"] = self._clash(draft, keys) or self._occupied(draft, row, by_foreign)
        if draft["problem"]:
            return
        for key in keys:
            self.seen.setdefault(key, draft["row"])
        if row is None:
            self._make(draft)
        else:
            self._compare(draft, row)

    def _clash(self, draft: Line, keys: Sequence[tuple[str, str]]) -> str:
        for key in keys:
            if key in self.seen:
                return _("Row %d is about the same one.") % self.seen[key]
        return ""

    def _occupied(self, draft: Line, row: Any, by_foreign: Any) -> str:
        if row is not None and not row.in_sight:
            return _("“%s” was merged or erased, or is out of your sight.") % _id_of(row, self.kind.id_field)
        if by_foreign is not None and by_foreign is not row:
            return _("%s has this id in the source system already.") % _id_of(by_foreign, self.kind.id_field)
        return ""

    def _make(self, draft: Line) -> None:
        values = {**draft["values"], **({self.kind.id_name: draft["id"]} if draft["id"] else {})}
        missing = [name for name in self.table.needed if not values.get(name)]
        if missing:
            draft["problem"] = _("A new one needs %s.") % ", ".join(missing)
            return
        row: Any = self.kind.model()
        if draft["id"]:
            setattr(row, self.kind.id_field, draft["id"])
        draft["problem"] = self._objection(row, values)
        draft["status"] = NEW
        draft["values"] = draft["values"] | {name: values[name] for name in values if name == self.kind.id_name}
        draft["diff"] = {name: ["", value] for name, value in self._shown(draft["values"]).items() if value}

    def _compare(self, draft: Line, row: Any) -> None:
        now = self.table.current(row, list(draft["values"]))
        changed = {name: value for name, value in draft["values"].items() if value != now[name]}
        emptied = [name for name in self.table.needed if name in changed and not changed[name]]
        draft["id"], draft["version"] = getattr(row, self.kind.id_field), row.version
        draft["title"] = draft["title"] or str(row)
        if emptied:
            draft["problem"] = _("%s cannot be empty.") % emptied[0]
            return
        draft["status"] = CHANGED if changed else UNCHANGED
        old, new = self._shown(now), self._shown(changed)
        draft["values"], draft["diff"] = changed, {name: [old[name], new[name]] for name in changed}
        if changed:
            draft["problem"] = self._objection(row, changed)

    def _objection(self, row: Any, values: dict[str, Any]) -> str:
        """Return what the directory or the database would object to."""
        try:
            self.kind.fill(row, self.table.for_kind(values))
            row.full_clean(validate_unique=False, validate_constraints=False)
        except WorkitemError as refusal:
            return refusal.message
        except ValidationError as problem:
            return " ".join(f"{name}: {texts[0]}" for name, texts in problem.message_dict.items())
        return ""

    def _shown(self, values: dict[str, Any]) -> dict[str, str]:
        return {name: _text(self.columns[name].widget, value) for name, value in values.items()}


def _id_of(row: Any, id_field: str) -> str:
    return str(getattr(row, id_field)) if row is not None else ""


def _text(widget: Any, value: Any) -> str:
    """Return a value as the preview shows it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {one}" for name, one in value.items())
    return str(value)
