"""What stands around the form of a contact: what can be done, its workitems, who else it may be, and its merges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from contacts.models import Contact
from workitems import contact_book
from workitems.actors import Actor
from workitems.admin.contact_list import counted, items_address, items_text
from workitems.choices import Scope
from workitems.models import ContactMerge, Workitem

ITEMS_SHOWN = 25
MERGES_SHOWN = 20


def panels_of(contact: Contact, actor: Actor, *, may_change: bool) -> dict[str, Any]:
    """Return what the page of a contact shows beside its form."""
    items = Workitem.objects.visible_to(actor).filter(contact=contact).order_by("-created_at", "-pk")
    shown = list(items.select_related("queue", "agent")[: ITEMS_SHOWN + 1])
    reads_all = Scope.READ in actor.everywhere
    return {
        "contact": contact,
        "may_change": may_change,
        "may_erase": Scope.ADMIN in actor.everywhere,
        "items": shown[:ITEMS_SHOWN],
        "more_items": len(shown) > ITEMS_SHOWN,
        "all_items": items_address(contact),
        "duplicates": [(one, words_of(one.shared)) for one in contact_book.duplicates_of(contact, actor)],
        "merges": [merge_line(one) for one in contact_book.merges_of(contact)[:MERGES_SHOWN]] if reads_all else [],
        "erasure_left": contact_book.erasure_left(contact),
    }


def words_of(shared: Sequence[tuple[contact_book.Reason, str]]) -> list[str]:
    """Return in words what contacts share."""
    kinds = {
        contact_book.Reason.NUMBER: _("the number %s"),
        contact_book.Reason.ADDRESS: _("the address %s"),
        contact_book.Reason.NAME: _("the name %s"),
    }
    return [kinds[reason] % value for reason, value in shared]


def merge_line(merge: ContactMerge) -> dict[str, Any]:
    """Return a merge with what can be done about it now."""
    left = 0 if merge.undone_at else contact_book.waiting_items(merge.gone)[: contact_book.MOST_COUNTED + 1].count()
    is_moving = merge.run is not None and not merge.run.is_finished
    return {
        "merge": merge,
        "gone": merge.gone.display_name,
        "left": left and not is_moving,
        "left_text": items_text(left, contact_book.MOST_COUNTED),
        "is_moving": is_moving,
        "can_undo": merge.undone_at is None
        and merge.kept.merged_into_id is None
        and merge.kept.erased_at is None
        and merge.gone.erased_at is None
        and not is_moving,
    }


def line_of(contact: Contact) -> dict[str, Any]:
    """Return a contact as it stands beside another one in a choice."""
    count = contact_book.waiting_items(contact)[: contact_book.MOST_COUNTED + 1].count()
    return {
        "contact": contact,
        "items": counted(count, contact_book.MOST_COUNTED),
        "address": reverse("admin:contacts_contact_change", args=[contact.pk]),
    }
