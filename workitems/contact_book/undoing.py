"""Making two contacts of one again, as far as nobody has changed since what the merge had made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contacts.models import Contact
from workitems import audit, services
from workitems.actors import Actor
from workitems.choices import Scope
from workitems.contact_book.access import check_standing, locked, require
from workitems.contact_book.facts import EXTERNAL, all_of
from workitems.contact_book.following import go_back
from workitems.contact_book.merging import COLUMNS
from workitems.errors import ContactErased, MergeUndone, UnknownObject, WrongRunState
from workitems.models import ContactMerge

OUTSIDE = ("source", EXTERNAL)  # the id in another system, which is one only together


@dataclass
class Undone:
    """What went back, and what could not: fields by name, numbers and addresses as they are, counts of workitems."""

    merge: ContactMerge
    kept_as_is: list[str] = field(default_factory=list)
    not_given_back: list[str] = field(default_factory=list)
    items: int = 0
    items_left: int = 0


def undo(merge_id: str, *, actor: Actor, now: datetime) -> Undone:
    """Take a merge back and say what could not be restored."""
    user = require(actor, Scope.WRITE)

    def write() -> Undone:
        merge = ContactMerge.objects.filter(merge_id=merge_id).select_related("kept", "gone").first()
        if merge is None:
            raise UnknownObject(what="merge", id=merge_id)
        kept, gone = locked(actor, [merge.kept.contact_id, merge.gone.contact_id])
        merge = ContactMerge.objects.select_for_update(of=("self",)).select_related("run").get(pk=merge.pk)
        _check(merge, kept, gone)
        merge.kept, merge.gone, merge.undone_at, merge.undone_by = kept, gone, now, user
        undone = Undone(merge)
        _restore(undone, kept, gone, actor, now)
        undone.items, undone.items_left = go_back(merge, actor=actor, now=now)
        merge.save()
        return undone

    return services.in_transaction(write)


def _check(merge: ContactMerge, kept: Contact, gone: Contact) -> None:
    if merge.undone_at is not None:
        raise MergeUndone(merge=merge.merge_id)
    check_standing(kept)
    if gone.erased_at is not None:
        raise ContactErased(contact=gone.contact_id)
    if merge.run is not None and not merge.run.is_finished:
        raise WrongRunState(state=merge.run.get_state_display())


def _restore(undone: Undone, kept: Contact, gone: Contact, actor: Actor, now: datetime) -> None:
    told = undone.merge.facts
    before = {"kept": all_of(kept), "gone": all_of(gone)}
    taken = _is_taken(told["changed"], kept)
    for name, values in told["changed"].items():
        if getattr(kept, name) == values["new"] and not (taken and name in OUTSIDE):
            setattr(kept, name, values["old"])
        else:
            undone.kept_as_is.append(name)
    kept.version += 1
    kept.save()
    if "external" in told and EXTERNAL not in undone.kept_as_is:
        gone.external_id = told["external"][EXTERNAL]
    gone.merged_into = None
    gone.version += 1
    gone.save()
    for name in COLUMNS:
        undone.not_given_back += _give_back(name, kept, gone, told[name])
    ids = {"merge": undone.merge.merge_id, "kept": kept.contact_id, "gone": gone.contact_id}
    for name, contact in (("kept", kept), ("gone", gone)):
        changes = audit.changes(before[name], all_of(Contact.objects.get(pk=contact.pk)))
        audit.write("contact merge undone", contact.contact_id, actor=actor, now=now, changes=changes, **ids)


def _is_taken(changed: dict[str, Any], kept: Contact) -> bool:
    """Tell whether the id in another system cannot be given back: it has changed since, or is another contact's."""
    outside = {name: changed[name] for name in OUTSIDE if name in changed}
    if any(getattr(kept, name) != values["new"] for name, values in outside.items()):
        return True
    old = {name: outside[name]["old"] if name in outside else getattr(kept, name) for name in OUTSIDE}
    return bool(old[EXTERNAL]) and Contact.objects.filter(**old).exclude(pk=kept.pk).exists()


def _give_back(name: str, kept: Contact, gone: Contact, parts: list[dict[str, Any]]) -> list[str]:
    """Give numbers or addresses back, and return those that somebody has taken from the kept contact since."""
    model, column = COLUMNS[name]
    present = {getattr(one, column): one for one in getattr(kept, name).all()}
    missing = []
    for part in parts:
        row = present.get(part["value"])
        if row is None:
            missing.append(part["value"])
            continue
        if part["given"]:
            row.delete()
        model._default_manager.create(**{"contact": gone, column: part["value"], "is_primary": part["is_primary"]})
    return missing
