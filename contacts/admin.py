"""Contacts in the back office."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from contacts.models import Contact, ContactEmail, ContactPhone


class OncePerContact(forms.BaseInlineFormSet):
    """Numbers or addresses of one contact: each once, and one primary at most."""

    def clean(self) -> None:
        """Say what the database would refuse."""
        super().clean()
        gone = self.deleted_forms
        kept = [form for form in self.forms if form.is_valid() and form.cleaned_data and form not in gone]
        if sum(bool(form.cleaned_data.get("is_primary")) for form in kept) > 1:
            raise ValidationError(_("Only one can be the primary one."))
        values = [str(form.instance) for form in kept]
        if len(set(values)) != len(values):
            raise ValidationError(_("One of them stands there twice."))


class ContactPhoneInline(TabularInline):
    """The contact's numbers."""

    model = ContactPhone
    formset = OncePerContact
    extra = 0


class ContactEmailInline(TabularInline):
    """The contact's e-mail addresses."""

    model = ContactEmail
    formset = OncePerContact
    extra = 0


@admin.register(Contact)
class ContactAdmin(ModelAdmin):
    """The people behind the workitems."""

    list_display = ["display_name", "company", "all_phones", "all_emails", "is_blocked"]
    list_filter = ["is_blocked", "source"]
    # from the start of a word or number only: these have an index, a search inside the text has none
    search_fields = [
        "display_name__istartswith",
        "contact_id__exact",
        "phones__number__startswith",
        "emails__address__startswith",
    ]
    search_help_text = _("The start of a name, number or e-mail address, or a whole contact id.")
    inlines = [ContactPhoneInline, ContactEmailInline]
    readonly_fields = ["contact_id", "created_at", "modified_at"]
    actions = None
    list_per_page = 25
    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Move the version on: programs ask by it whether they know the latest."""
        contact: Contact = obj
        contact.version += change
        super().save_model(request, contact, form, change)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Load numbers and addresses along with the page."""
        return Contact.objects.prefetch_related("phones", "emails")

    @admin.display(description=_("phones"))
    def all_phones(self, contact: Contact) -> str:
        """List the numbers, the primary one first."""
        return ", ".join(phone.number for phone in contact.phones.all())

    @admin.display(description=_("e-mail addresses"))
    def all_emails(self, contact: Contact) -> str:
        """List the addresses, the primary one first."""
        return ", ".join(email.address for email in contact.emails.all())
