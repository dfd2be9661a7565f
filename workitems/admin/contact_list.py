"""The list of contacts: what it shows and finds, each answered by an index, and what it counts for a page at once."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from contacts.addresses import normal_email, normal_phone
from contacts.models import Contact, ContactEmail, ContactPhone
from workitems import contact_book, search
from workitems.actors import Actor
from workitems.admin.base import CappedPaginator
from workitems.choices import OPEN, Scope
from workitems.errors import InvalidSearch
from workitems.models import Workitem
from workitems.presenting.words import grouped
from workitems.search.sql import with_keys
from workitems.staff import actor_of

NUMBER_BEGUN = re.compile(r"\+?[0-9][0-9\s().\-/]{2,}")
SHORT = 3  # fewer characters than the words' index can look for inside a name


class ContactChangeList(ChangeList):
    """A page of contacts, each with its open work, and with who of them shares something with somebody else."""

    result_list: Any

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.actor = actor_of(request)
        super().__init__(request, *args, **kwargs)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Contact]:
        """Count the open work that the person may see, for the rows that are shown only."""
        rows: QuerySet[Contact] = super().get_queryset(request, exclude_parameters)
        return rows.annotate(open_count=open_count(self.actor))

    def get_results(self, request: HttpRequest) -> None:
        """Complete the rows of the page."""
        super().get_results(request)
        rows: list[Contact] = list(self.result_list)
        double = contact_book.shared_with(rows) if Scope.READ in self.actor.everywhere else set()
        counts = {} if all(hasattr(row, "open_count") for row in rows) else self._counts(rows)
        for contact in rows:
            contact.is_double = contact.pk in double  # type: ignore[attr-defined]
            contact.__dict__.setdefault("open_count", counts.get(contact.pk, 0))
        self.result_list = rows

    def _counts(self, rows: list[Contact]) -> dict[int, int]:
        """Count for rows that were read otherwise than for a page, as those of a file are."""
        same = Contact.objects.filter(pk__in=[row.pk for row in rows]).order_by()
        return dict(same.values_list("pk", open_count(self.actor)))


class ContactList(ModelAdmin):
    """What the back office shows in the list of contacts."""

    list_display = ["display_name", "company", "all_phones", "all_emails", "open_items", "marks"]
    list_filter = ["is_blocked"]
    list_before_template = "admin/workitems/contact_list_head.html"
    search_fields = ["display_name"]  # for the box to be there; what is found is said below
    search_help_text = gettext_lazy(
        "Part of a name or company, the start of a number or e-mail address, a contact id, or a search such as "
        "company:engines blocked:true."
    )
    ordering = ["display_name", "pk"]
    paginator = CappedPaginator
    show_facets = admin.ShowFacets.NEVER

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ContactChangeList]:
        """Count for a page at once."""
        return ContactChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Contact], search_term: str
    ) -> tuple[QuerySet[Contact], bool]:
        """Find by the start of a number or address, else as the search language says."""
        text = search_term.strip()
        begun = _begun(text)
        if begun is not None:
            return queryset.filter(begun), False
        try:
            return search.matching(queryset, text, search.CONTACTS, now=timezone.now()), False
        except InvalidSearch as problem:
            if hasattr(request, "_messages") and not request.path.endswith("/autocomplete/"):
                messages.error(request, _("Nothing was searched for: %s.") % problem.message.rstrip("."))
            return queryset.none(), False

    @admin.display(description=gettext_lazy("phones"))
    def all_phones(self, contact: Contact) -> str:
        """List the numbers, the primary one first."""
        return ", ".join(phone.number for phone in contact.phones.all())

    @admin.display(description=gettext_lazy("e-mail addresses"))
    def all_emails(self, contact: Contact) -> str:
        """List the addresses, the primary one first."""
        return ", ".join(email.address for email in contact.emails.all())

    @admin.display(description=gettext_lazy("open workitems"))
    def open_items(self, contact: Contact) -> str | SafeString:
        """Count the open work that the person may see, and lead to it."""
        count: int = getattr(contact, "open_count", 0)
        if not count:
            return ""
        address = items_address(contact, "state:(inqueue offered accepted active hold conference)")
        return format_html('<a class="wi-text-link" href="{}">{}</a>', address, grouped(count))

    def export_open_items(self, contact: Contact) -> int:
        """Return the bare number for a file."""
        return getattr(contact, "open_count", 0)

    @admin.display(description=gettext_lazy("marks"))
    def marks(self, contact: Contact) -> SafeString:
        """Say in words what is to be known of it."""
        blocked = mark("block", _("Blocked"), "wi-cancelled") if contact.is_blocked else SafeString("")
        erased = mark("person_off", _("Erased"), "") if contact.erased_at else SafeString("")
        double = SafeString("")
        if getattr(contact, "is_double", False):
            double = mark("content_copy", _("Possible duplicate"), "wi-paused")
        return format_html('<span class="wi-marks">{}{}{}</span>', blocked, erased, double)

    def export_marks(self, contact: Contact) -> str:
        """Return the words alone for a file."""
        words = [(contact.is_blocked, _("Blocked")), (contact.erased_at, _("Erased"))]
        return ", ".join(word for holds, word in words if holds)


def open_count(actor: Actor) -> Coalesce:
    """Return how many open workitems of a contact the person may see."""
    mine = Workitem.objects.visible_to(actor).filter(contact=OuterRef("pk"), state__in=OPEN).order_by()
    counts = mine.values("contact").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counts), 0)


def items_address(contact: Contact, more: str = "") -> str:
    """Return the address of the list of a contact's workitems."""
    query = " ".join([f'contactId:"{contact.contact_id}"', *([more] if more else [])])
    return f"{reverse('admin:workitems_workitem_changelist')}?{urlencode({'q': query})}"


def mark(icon: str, words: str, kind: str) -> SafeString:
    """Return a word with an icon."""
    return format_html(
        '<span class="wi-state {}"><span class="material-symbols-outlined" aria-hidden="true">{}</span>{}</span>',
        kind, icon, words,
    )  # fmt: skip


def counted(number: int, most: int) -> str:
    """Return a count that goes no further than it was counted."""
    return _("more than %s") % grouped(most) if number > most else grouped(number)


def items_text(number: int, most: int) -> str:
    """Return so many workitems in words."""
    return ngettext("%s workitem", "%s workitems", number) % counted(number, most)


def _begun(text: str) -> Q | None:
    """Return the condition for what looks like the start of a number, an address or a name; None for anything else."""
    if NUMBER_BEGUN.fullmatch(text):
        digits = re.sub(r"[^0-9]", "", text)
        whole = normal_phone(text)
        begins = ContactPhone.objects.filter(Q(number__startswith=f"+{digits}") | Q(number=whole or text))
        return with_keys(Q(pk__in=begins.order_by().values_list("contact", flat=True)) | Q(contact_id=text))
    if "@" in text and not re.search(r'[\s:"()*]', text):
        begins_so = ContactEmail.objects.filter(address__startswith=normal_email(text))
        return with_keys(Q(pk__in=begins_so.order_by().values_list("contact", flat=True)))
    if text and len(text) < SHORT and text.isalnum():
        return Q(display_name__gt="", display_name__istartswith=text)
    return None
