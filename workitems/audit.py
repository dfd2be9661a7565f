"""What was done to that which keeps no history of its own: who, what, old and new, when, by which door and from where.

Written in the transaction of the change it tells of. Workitems have their events; all else in the back office has this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.db.models import ForeignKey, Model

from workitems.actors import Actor
from workitems.models import AuditEntry

Facts = dict[str, Any]

# by what people and programs know a row, the first that it has
PUBLIC_IDS = (
    "workitem_id", "transfer_id", "policy_id", "run_id", "bulk_id", "export_id", "view_id", "merge_id",
    "contact_id", "disposition_id", "queue_id", "username", "client_id", "codename", "name",
)  # fmt: skip
# kept by the machinery, or secret: never worth, or not fit for, an audit
LEFT_OUT = frozenset({
    "id", "version", "created_at", "modified_at", "password", "client_secret", "checksum", "last_login",
    "hours_applied_at",
})  # fmt: skip


def write(what: str, subject: str, *, actor: Actor, now: datetime, **details: Any) -> AuditEntry:
    """Write down that the actor did this to that; details hold codes, public ids and plain values."""
    written = entry(what, subject, actor=actor, now=now, **details)
    written.save(force_insert=True)
    return written


def entry(what: str, subject: str, *, actor: Actor, now: datetime, **details: Any) -> AuditEntry:
    """Return such an entry, not saved yet."""
    return AuditEntry(
        at=now,
        actor=actor.name,
        user=actor.user,
        door=actor.door,
        token=actor.token,
        request_id=actor.request_id,
        address=actor.address,
        what=what,
        subject=subject,
        details={name: value for name, value in details.items() if value},
    )


def facts_of(row: Model, neighbours: Iterable[str] = ()) -> Facts:
    """Return what a row says now, in plain values: its fields, and those of its neighbours that are named.

    A neighbour is a many-to-many field or the reverse of a foreign key.
    """
    facts: Facts = {}
    for field in row._meta.concrete_fields:
        if field.name not in LEFT_OUT:
            is_row = isinstance(field, ForeignKey)
            facts[field.name] = plain(getattr(row, field.name if is_row else field.attname))
    for name in neighbours:
        rows = list(getattr(row, name).all())
        if any(one.name == name for one in row._meta.many_to_many):
            facts[name] = sorted(public_id(one) for one in rows)
        else:
            facts[name] = [_part(one, type(row)) for one in rows]
    return facts


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return old and new of each fact that differs; of passwords only that they do."""
    return {
        name: {"old": before.get(name), "new": after.get(name)}
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    }


def public_id(row: Model) -> str:
    """Return by what people and programs know this row."""
    name = next((one for one in PUBLIC_IDS if _has_plain(row, one)), "pk")
    return str(getattr(row, name))


def plain(value: Any) -> Any:
    """Return a value as JSON can keep it, a row by its public id."""
    if isinstance(value, Model):
        return public_id(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _has_plain(row: Model, name: str) -> bool:
    return any(field.attname == name and not field.is_relation for field in row._meta.concrete_fields)


def _part(row: Model, owner: type[Model]) -> Facts:
    return {
        field.name: plain(getattr(row, field.name))
        for field in row._meta.concrete_fields
        if field.name not in LEFT_OUT and field.related_model is not owner
    }
