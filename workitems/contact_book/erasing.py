"""Erasing what tells of a person: the workitems stay, the person goes.

The contact's own facts and what audits say of them go at once, the workitems chunk by chunk, each chunk with its events
and mails in one transaction; numbers and addresses go last of all, because workitems without a contact are found by
them. Whatever is killed meanwhile, the same call goes on from there. What stays is told in docs/erasing.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef, Q, QuerySet

from contacts.models import Contact, ContactEmail, ContactPhone
from workitems import audit, services
from workitems.actors import Actor
from workitems.choices import OPEN, Scope, Type
from workitems.commands import ErasePerson
from workitems.contact_book.access import absorbed_by, locked, require
from workitems.errors import ContactHasOpenWork, ContactMerged
from workitems.history import telling_of_people
from workitems.models import AuditEntry, ContactMerge, OutgoingMail, TimeEvent, Workitem

ERASED_NAME = "Erased contact"
CHUNK = 200
AT_ONCE = 1_000  # the most workitems of one call; the next call goes on
INBOUND = [one for one in Type if not one.is_outbound]
OUTBOUND = [one for one in Type if one.is_outbound]


@dataclass
class Erasure:
    """How many workitems were emptied, and whether some are left for another call."""

    items: int
    is_complete: bool


def erase(contact_id: str, *, actor: Actor, now: datetime) -> Erasure:
    """Erase the person behind a contact, and behind those that went up in it, for good."""
    require(actor, Scope.ADMIN)
    pks = services.in_transaction(partial(_erase_facts, contact_id, actor, now))
    items = 0
    while items < AT_ONCE:
        done = services.in_transaction(partial(_erase_some, pks, actor, now))
        if not done:
            services.in_transaction(partial(_erase_addresses, pks))
            return Erasure(items, is_complete=True)
        items += done
    return Erasure(items, is_complete=False)


def erasure_left(contact: Contact) -> bool:
    """Tell whether something is still to be erased of a contact whose personal data was to go."""
    if contact.erased_at is None:
        return False
    pks = absorbed_by(contact)
    has_addresses = ContactPhone.objects.filter(contact__in=pks).exists()
    return has_addresses or ContactEmail.objects.filter(contact__in=pks).exists() or _telling(pks).exists()


def _erase_facts(contact_id: str, actor: Actor, now: datetime) -> list[int]:
    (contact,) = locked(actor, [contact_id])
    if contact.merged_into is not None:
        raise ContactMerged(contact=contact_id, kept=contact.merged_into.contact_id)
    pks = absorbed_by(contact)
    rows = list(Contact.objects.filter(pk__in=pks).order_by("pk").select_for_update(no_key=True))
    if Workitem.objects.filter(contact__in=pks, state__in=OPEN).exists():
        raise ContactHasOpenWork(contact=contact_id)
    if contact.erased_at is not None:
        return pks
    for row in rows:
        row.display_name, row.first_name, row.last_name, row.company = ERASED_NAME, "", "", ""
        row.source, row.external_id, row.notes, row.data, row.is_blocked = "", "", "", {}, False
        row.erased_at = now
        row.version += 1
        row.save()
    ids = [row.contact_id for row in rows]
    _empty_audits(ids)
    ContactMerge.objects.filter(Q(kept__in=pks) | Q(gone__in=pks)).update(facts={})
    kind = ContentType.objects.get_for_model(Contact)
    lines = LogEntry.objects.filter(content_type=kind, object_id__in=[str(pk) for pk in pks])
    lines.update(object_repr=ERASED_NAME, change_message="")
    for one in ids:
        audit.write("contact erased", one, actor=actor, now=now)
    return pks


def _empty_audits(contact_ids: list[str]) -> None:
    """Leave in the audit who changed which fields when, and take the values out."""
    emptied = []
    for entry in AuditEntry.objects.filter(subject__in=contact_ids, what__startswith="contact "):
        changes = {name: {"old": "", "new": ""} for name in entry.details.get("changes", {})}
        ids = {name: entry.details[name] for name in ("merge", "kept", "gone") if name in entry.details}
        fields = dict.fromkeys(entry.details.get("values", {}), "")
        entry.details = {name: one for name, one in {"changes": changes, "values": fields, **ids}.items() if one}
        emptied.append(entry)
    AuditEntry.objects.bulk_update(emptied, ["details"], batch_size=CHUNK)


def _erase_some(pks: list[int], actor: Actor, now: datetime) -> int:
    """Empty some workitems with their events and mails, and return how many."""
    contact = Contact.objects.get(pk=pks[0])
    addresses = _addresses_of(pks)
    ids = list(_telling(pks).values_list("workitem_id", flat=True)[:CHUNK])
    ids = ids or list(_unclaimed(addresses).values_list("workitem_id", flat=True)[:CHUNK])
    if ids:
        services.execute_many(ErasePerson(contact, addresses), ids, actor=actor, now=now)
        services.blank_history(ids, actor=actor)
        _empty_mails(ids)
    return len(ids)


def _telling(pks: list[int]) -> QuerySet[Workitem]:
    """Return the workitems of these contacts that tell of a person, by themselves, in an event or in a mail."""
    events = TimeEvent.objects.filter(telling_of_people(), workitem=OuterRef("pk"))
    mails = OutgoingMail.objects.filter(workitem=OuterRef("pk")).exclude(to_addresses=[])
    return Workitem.objects.filter(
        Q(name__gt="")
        | Q(disposition_note__gt="")
        | ~Q(data={})
        | Q(type__in=INBOUND, from_address__gt="")
        | Q(type__in=OUTBOUND, to_address__gt="")
        | Exists(events)
        | Exists(mails),
        contact__in=pks,
    )


def _unclaimed(addresses: frozenset[str]) -> QuerySet[Workitem]:
    """Return the ended workitems with no contact that came from, or went to, addresses that nobody else has."""
    return Workitem.objects.filter(
        Q(from_address__in=addresses) | Q(to_address__in=addresses), contact=None, terminated_at__isnull=False
    )


def _addresses_of(pks: list[int]) -> frozenset[str]:
    """Return the numbers and addresses of these contacts that are theirs alone."""
    own: set[str] = set()
    for model, column in ((ContactPhone, "number"), (ContactEmail, "address")):
        rows = model._default_manager.values_list(column, flat=True)
        theirs = set(rows.filter(contact__in=pks))
        own |= theirs - set(rows.filter(**{f"{column}__in": theirs}).exclude(contact__in=pks))
    return frozenset(own)


def _empty_mails(workitem_ids: list[str]) -> None:
    mails = OutgoingMail.objects.filter(workitem__workitem_id__in=workitem_ids)
    mails.filter(progress=OutgoingMail.Progress.PENDING).update(progress=OutgoingMail.Progress.FAILED)
    mails.update(
        to_addresses=[], cc_addresses=[], bcc_addresses=[], subject="", text="", html="", in_reply_to="",
        references="", error="",
    )  # fmt: skip


def _erase_addresses(pks: list[int]) -> None:
    ContactPhone.objects.filter(contact__in=pks).delete()
    ContactEmail.objects.filter(contact__in=pks).delete()
