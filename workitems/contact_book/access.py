"""Who may do what to contacts, and how they are locked: lowest pk first, so that two of us cannot block each other."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User

from contacts.models import Contact
from workitems import directory
from workitems.actors import Actor
from workitems.choices import Scope
from workitems.errors import ContactErased, ContactMerged, MissingScope, NoAgent, UnknownObject


def require(actor: Actor, scope: Scope) -> User:
    """Return the person who acts; raise MissingScope unless he holds the scope everywhere."""
    if scope not in actor.everywhere:
        raise MissingScope(scope=scope.value)
    if actor.user is None:
        raise NoAgent
    return actor.user


def locked(actor: Actor, contact_ids: Sequence[str]) -> list[Contact]:
    """Return these contacts, locked, in the order of their ids here; raise UnknownObject where one is not to be seen.

    Workitems may go on referring to them meanwhile: with a full lock, whoever has locked a workitem and gives it such
    a contact would wait for us, and we for him.
    """
    seen = set(directory.visible_contacts(actor).filter(contact_id__in=contact_ids).values_list("pk", flat=True))
    rows = Contact.objects.filter(contact_id__in=contact_ids).order_by("pk").select_for_update(no_key=True)
    found = {row.contact_id: row for row in rows}
    for contact_id in contact_ids:
        row = found.get(contact_id)
        if row is None or (row.pk not in seen and row.merged_into_id is None):
            raise UnknownObject(what="contact", id=contact_id)
    return [found[contact_id] for contact_id in contact_ids]


def check_standing(contact: Contact) -> None:
    """Raise ContactMerged or ContactErased where it is not a contact like others any more."""
    if contact.merged_into is not None:
        raise ContactMerged(contact=contact.contact_id, kept=contact.merged_into.contact_id)
    if contact.erased_at is not None:
        raise ContactErased(contact=contact.contact_id)


def absorbed_by(contact: Contact) -> list[int]:
    """Return the pks of the contact and of all that went up in it, step by step."""
    pks, latest = [contact.pk], [contact.pk]
    while latest:
        latest = list(Contact.objects.filter(merged_into__in=latest).order_by("pk").values_list("pk", flat=True))
        pks += latest
    return pks
