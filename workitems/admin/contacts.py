"""Contacts in the back office: the people behind the workitems, found, corrected, and made one where they are one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Contact
from workitems import directory
from workitems.actors import Actor
from workitems.admin.contact_form import ContactEmailInline, ContactForm, ContactPhoneInline
from workitems.admin.contact_list import ContactList
from workitems.admin.contact_pages import ContactPages
from workitems.admin.contact_panels import panels_of
from workitems.choices import Scope
from workitems.presenting.words import is_key
from workitems.staff import actor_of


@admin.register(Contact)
class ContactAdmin(ContactList, ContactPages):
    """The people behind the workitems."""

    kind = "contact"
    neighbours = ("phones", "emails")
    form = ContactForm
    inlines = [ContactPhoneInline, ContactEmailInline]
    fieldsets = [
        (None, {"fields": ["display_name", ("first_name", "last_name"), "company", "notes"]}),
        (gettext_lazy("For programs"), {"fields": [("source", "external_id"), "data"], "classes": ["collapse"]}),
        (gettext_lazy("Record"), {"fields": ["contact_id", ("created_at", "modified_at")], "classes": ["collapse"]}),
    ]
    readonly_fields = ["contact_id", "created_at", "modified_at"]
    change_form_outer_before_template = "admin/workitems/contact_head.html"
    change_form_outer_after_template = "admin/workitems/contact_panels.html"

    class Media:
        css = {"all": ["contacts.css"]}

    def visible_rows(self, actor: Actor) -> QuerySet[Contact]:
        """Show those whom the person may see, with numbers and addresses."""
        return directory.visible_contacts(actor).prefetch_related("phones", "emails")

    def can_add(self, actor: Actor) -> bool:
        """Let those make contacts who may write everywhere."""
        return Scope.WRITE in actor.everywhere

    def can_change(self, actor: Actor, row: Contact | None) -> bool:
        """Let the same people change them; one whose person was erased stays as it is."""
        return Scope.WRITE in actor.everywhere and (row is None or row.erased_at is None)

    def can_delete(self, actor: Actor, row: Contact | None) -> bool:
        """Let only those delete contacts who may do everything."""
        return Scope.ADMIN in actor.everywhere

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Delete whom nothing refers to; with workitems, a contact can be merged or erased."""
        contact = self.seen(request, object_id)
        if self.has_delete_permission(request, contact) and directory.is_used(contact):
            text = _("%s has workitems or a past, so it stays. Merge it with another contact, or erase the person.")
            messages.error(request, text % contact)
            return HttpResponseRedirect(reverse("admin:contacts_contact_change", args=[contact.pk]))
        answer: HttpResponse = super().delete_view(request, object_id, extra_context)
        return answer

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the form with what stands around it; who went up in another contact leads there."""
        actor = actor_of(request)
        contact = self.get_object(request, object_id) if self.has_view_permission(request) else None
        if contact is None and is_key(object_id):
            kept = self._survivor(object_id, actor)
            if kept is not None:
                messages.info(request, _("This contact was merged into %s.") % kept)
                return HttpResponseRedirect(reverse("admin:contacts_contact_change", args=[kept.pk]))
        context = dict(extra_context or {})
        if contact is not None:
            context |= panels_of(contact, actor, may_change=self.can_change(actor, contact))
        page: HttpResponse = super().change_view(request, object_id, form_url, context)
        return page

    def _survivor(self, pk: str, actor: Actor) -> Contact | None:
        gone = Contact.objects.filter(pk=pk, merged_into__isnull=False).first() if len(pk) < 19 else None
        return directory.visible_contacts(actor).filter(pk=gone.survivor.pk).first() if gone else None
