"""Making one contact of two: the kept one takes over what the other has, and the other one's workitems follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from contacts.models import Contact, ContactEmail, ContactPhone
from workitems import audit, services
from workitems.actors import Actor
from workitems.choices import Scope
from workitems.contact_book.access import absorbed_by, check_standing, locked, require
from workitems.contact_book.facts import EXTERNAL, Difference, all_of, compare, parts_of, united
from workitems.contact_book.following import MOST_COUNTED, follow, waiting_items
from workitems.errors import MergeUndone, SameContact, StaleVersion, UnknownObject, WrongRunState
from workitems.models import ContactMerge

COLUMNS = {"phones": (ContactPhone, "number"), "emails": (ContactEmail, "address")}


@dataclass
class Preview:
    """What a merge would do now; `items` counts no further than one beyond what is told."""

    kept: Contact
    gone: Contact
    differences: list[Difference]
    items: int


def preview(kept_id: str, gone_id: str, *, actor: Actor) -> Preview:
    """Return what would become of two contacts; raise what a merge would raise."""
    require(actor, Scope.WRITE)
    if kept_id == gone_id:
        raise SameContact
    kept, gone = _looked_up(kept_id), _looked_up(gone_id)
    return Preview(kept, gone, compare(kept, gone), waiting_items(gone)[: MOST_COUNTED + 1].count())


def merge(
    kept_id: str,
    gone_id: str,
    choices: Mapping[str, str],
    *,
    actor: Actor,
    now: datetime,
    seen: tuple[int, int] | None = None,
) -> ContactMerge:
    """Let one contact go up in another and return what an undo has to know.

    `choices` says whose fact holds where both have one; `seen` are the versions that the person has looked at.
    """
    user = require(actor, Scope.WRITE)
    if kept_id == gone_id:
        raise SameContact

    def write() -> ContactMerge:
        kept, gone = locked(actor, [kept_id, gone_id])
        check_standing(kept)
        check_standing(gone)
        for expected, contact in zip(seen or (), (kept, gone), strict=False):
            if expected != contact.version:
                raise StaleVersion(expected=expected, current=contact.version)
        merged = _unite(kept, gone, choices, user, actor, now)
        follow(merged, actor=actor, now=now)
        return merged

    return services.in_transaction(write)


def bring_over(merge_id: str, *, actor: Actor, now: datetime) -> None:
    """Let workitems follow that stand with the merged contact still: what came meanwhile, or what a run has left."""
    require(actor, Scope.WRITE)

    def write() -> None:
        merged = ContactMerge.objects.select_for_update(of=("self",)).filter(merge_id=merge_id).first()
        if merged is None:
            raise UnknownObject(what="merge", id=merge_id)
        if merged.undone_at is not None:
            raise MergeUndone(merge=merge_id)
        if merged.run is not None and not merged.run.is_finished:
            raise WrongRunState(state=merged.run.get_state_display())
        follow(merged, actor=actor, now=now)

    services.in_transaction(write)


def merges_of(contact: Contact) -> QuerySet[ContactMerge]:
    """Return the merges that led to the contact, also by way of others, the latest first."""
    return ContactMerge.objects.filter(kept__in=absorbed_by(contact)).select_related(
        "kept", "gone", "made_by", "undone_by", "run", "undo_run"
    )


def _looked_up(contact_id: str) -> Contact:
    contact = Contact.objects.filter(contact_id=contact_id).first()
    if contact is None:
        raise UnknownObject(what="contact", id=contact_id)
    check_standing(contact)
    return contact


def _unite(
    kept: Contact, gone: Contact, choices: Mapping[str, str], user: User, actor: Actor, now: datetime
) -> ContactMerge:
    before = {"kept": all_of(kept), "gone": all_of(gone)}
    facts = united(kept, gone, choices)
    told: dict[str, Any] = {"changed": {name: {"old": getattr(kept, name), "new": new} for name, new in facts.items()}}
    told |= parts_of(gone)
    if EXTERNAL in facts:
        told["external"] = {"source": gone.source, EXTERNAL: gone.external_id}
        gone.external_id = ""
    gone.merged_into = kept
    gone.version += 1
    gone.save()
    for name, value in facts.items():
        setattr(kept, name, value)
    kept.version += 1
    kept.save()
    for name in COLUMNS:
        _take_over(name, kept, told[name])
        getattr(gone, name).all().delete()
    merged = ContactMerge.objects.create(kept=kept, gone=gone, facts=told, made_at=now, made_by=user)
    ids = {"merge": merged.merge_id, "kept": kept.contact_id, "gone": gone.contact_id}
    for name, contact in (("kept", kept), ("gone", gone)):
        changes = audit.changes(before[name], all_of(Contact.objects.get(pk=contact.pk)))
        audit.write("contact merged", contact.contact_id, actor=actor, now=now, changes=changes, **ids)
    return merged


def _take_over(name: str, kept: Contact, parts: list[dict[str, Any]]) -> None:
    """Give the kept contact what it lacks, and note of each part whether it was given."""
    model, column = COLUMNS[name]
    own = {getattr(one, column): one.is_primary for one in getattr(kept, name).all()}
    for part in parts:
        part["given"] = part["value"] not in own
        if part["given"]:
            becomes_primary = part["is_primary"] and not any(own.values())
            model._default_manager.create(**{"contact": kept, column: part["value"], "is_primary": becomes_primary})
            own[part["value"]] = becomes_primary
