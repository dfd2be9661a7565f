"""The form of a contact: its facts, and a row for each number and e-mail address."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from contacts.addresses import normal_email, normal_phone
from contacts.models import Contact, ContactEmail, ContactPhone
from workitems.admin.guarded import PartsOfTheRow, SeenForm
from workitems.admin.item_form import DataField
from workitems.commands import check_object
from workitems.errors import InvalidValue

MOST_TYPED = 60


class ContactForm(SeenForm):
    """What a contact says of itself."""

    data = DataField(  # type: ignore[assignment]
        required=False,
        label=gettext_lazy("Data"),
        help_text=gettext_lazy("A JSON object for integrations, 16 KiB at most."),
        widget=UnfoldAdminTextareaWidget(
            attrs={"rows": 6, "wrap": "off", "spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
        ),
    )

    class Meta:
        model = Contact
        fields = ["display_name", "first_name", "last_name", "company", "notes", "source", "external_id", "data"]
        widgets: ClassVar = {"notes": UnfoldAdminTextareaWidget(attrs={"rows": 4})}
        help_texts: ClassVar = {
            "source": gettext_lazy("For example crm. Together with the id there, it is with one contact only."),
        }

    def clean_data(self) -> dict[str, Any]:
        """Allow an object that both databases can keep."""
        data: Any = self.cleaned_data["data"]
        if not isinstance(data, dict):
            raise ValidationError(_("The data must be an object: { … }."))
        try:
            check_object("data", data)
        except InvalidValue as problem:
            raise ValidationError(problem.message) from None
        return data


class AddressForm(forms.ModelForm):
    """A row of the contact: it may become the primary one while another still is, which the whole set decides."""

    column = ""

    def validate_constraints(self) -> None:
        """Say at the field what stands in another row already."""
        try:
            self.instance.validate_constraints(exclude=self._get_validation_exclusions())
        except ValidationError:
            self.add_error(self.column, twice(getattr(self.instance, self.column)))

    def _get_validation_exclusions(self) -> set[str]:
        """Leave the question which one is primary to the set: it alone sees them all."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded | {"is_primary"}


class PhoneForm(AddressForm):
    """A number, typed as people write numbers."""

    column = "number"
    number = forms.CharField(
        label=gettext_lazy("Number"),
        max_length=MOST_TYPED,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "tel", "autocomplete": "off"}),
    )

    def clean_number(self) -> str:
        """Bring it into the one form in which numbers are kept."""
        typed: str = self.cleaned_data["number"]
        number = normal_phone(typed)
        if number is None:
            raise ValidationError(
                _("“%s” is no phone number. With its country code it looks like +1 202 555 0123.") % typed
            )
        return number


class EmailForm(AddressForm):
    """An e-mail address."""

    column = "address"
    address = forms.EmailField(
        label=gettext_lazy("Address"),
        max_length=254,
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "off"}),
    )

    def clean_address(self) -> str:
        """Bring it into the form in which addresses are compared."""
        return normal_email(self.cleaned_data["address"])


class OncePerContact(forms.BaseInlineFormSet):
    """Numbers or addresses of one contact: each once, and one primary at most."""

    def clean(self) -> None:
        """Say at the row what the database would refuse."""
        seen: set[str] = set()
        has_primary = False
        rows: list[Any] = self.forms
        for form in rows:
            if form in self.deleted_forms or not getattr(form, "cleaned_data", None):
                continue
            value = form.cleaned_data.get(form.column)
            is_primary = bool(form.cleaned_data.get("is_primary"))
            if value in seen:
                form.add_error(form.column, twice(value))
            if has_primary and is_primary:
                form.add_error("is_primary", _("Only one can be the primary one."))
            if value:
                seen.add(value)
            has_primary = has_primary or is_primary
        super().clean()

    def save(self, commit: bool = True) -> Any:
        """Let the former primary one step back before another one steps forward."""
        if commit:
            stepping_back = [
                form.instance.pk
                for form in self.initial_forms
                if form.initial.get("is_primary") and (form in self.deleted_forms or not form.instance.is_primary)
            ]
            rows: Any = self.model
            rows.objects.filter(pk__in=stepping_back).update(is_primary=False)
        return super().save(commit=commit)


class ContactPhoneInline(PartsOfTheRow, TabularInline):
    """The contact's numbers."""

    model = ContactPhone
    form = PhoneForm
    formset = OncePerContact
    fields = ["number", "is_primary"]
    extra = 0
    hide_title = True


class ContactEmailInline(PartsOfTheRow, TabularInline):
    """The contact's e-mail addresses."""

    model = ContactEmail
    form = EmailForm
    formset = OncePerContact
    fields = ["address", "is_primary"]
    extra = 0
    hide_title = True


def twice(value: str) -> str:
    """Return what is wrong with a number or an address that has a row already."""
    return _("%s stands there twice.") % value
