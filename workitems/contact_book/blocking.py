"""Blocking: a mark on a contact that everybody sees and that gateways read."""

from __future__ import annotations

from datetime import datetime

from contacts.models import Contact
from workitems import audit, services
from workitems.actors import Actor
from workitems.choices import Scope
from workitems.contact_book.access import check_standing, locked, require


def set_blocked(contact_id: str, blocked: bool, *, actor: Actor, now: datetime) -> Contact:
    """Block the contact, or let it through again; say nothing twice."""
    require(actor, Scope.WRITE)

    def write() -> Contact:
        (contact,) = locked(actor, [contact_id])
        check_standing(contact)
        if contact.is_blocked != blocked:
            contact.is_blocked = blocked
            contact.version += 1
            contact.save(update_fields=["is_blocked", "version", "modified_at"])
            changes = {"is_blocked": {"old": not blocked, "new": blocked}}
            what = "contact blocked" if blocked else "contact unblocked"
            audit.write(what, contact_id, actor=actor, now=now, changes=changes)
        return contact

    return services.in_transaction(write)
