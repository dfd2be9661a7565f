"""What back-office staff may correct in a workitem, checked by the very commands that will do it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from contacts.models import Contact
from workitems import directory, services
from workitems.admin.addresses import batch_address
from workitems.admin.guarded import SeenForm
from workitems.choices import Event
from workitems.commands import AddNote, Command, Edit, SetPriority
from workitems.errors import InvalidValue, WorkitemError
from workitems.models import Workitem
from workitems.presenting import item_history
from workitems.presenting.action_forms import MOST_NOTE

MOST_TOLD = 10
# the fields of the form by their names on the wire
EDITED = {"name": "name", "contact": "contact", "from": "from_address", "to": "to_address", "data": "data"}


class DataField(forms.JSONField):
    """JSON that was typed, with all that typing can do to it; nothing typed is an empty object."""

    def to_python(self, value: Any) -> Any:
        """Say where it is no JSON, and refuse what nests too deep to be read."""
        try:
            found = super().to_python(value)
        except RecursionError:
            raise ValidationError(_("This nests too deep to be read."), code="invalid") from None
        except ValidationError:
            raise ValidationError(_told_where(value), code="invalid") from None
        return {} if found is None else found

    def prepare_value(self, value: Any) -> Any:
        """Show it line by line."""
        if isinstance(value, InvalidJSONInput):
            return value
        return json.dumps(value, indent=2, ensure_ascii=False)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Show what was typed as it was typed."""
        return initial if self.disabled or data is None else InvalidJSONInput(data)


class WorkitemForm(SeenForm):
    """The descriptive facts, the priority, and a note for the timeline."""

    data = DataField(  # type: ignore[assignment]
        required=False,
        label=gettext_lazy("Data"),
        help_text=gettext_lazy("A JSON object for integrations, 16 KiB at most."),
        widget=UnfoldAdminTextareaWidget(
            attrs={"rows": 10, "wrap": "off", "spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
        ),
    )
    note = forms.CharField(
        required=False,
        max_length=MOST_NOTE,
        label=gettext_lazy("Note"),
        help_text=gettext_lazy("Written into the timeline when you save; notes cannot be changed afterwards."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )

    class Meta:
        model = Workitem
        fields = ["name", "contact", "priority", "from_address", "to_address", "data"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        contact = self.fields.get("contact")
        if isinstance(contact, forms.ModelChoiceField):
            # the one that it has may stay, whatever has become of it
            own = Contact.objects.filter(pk=self.instance.contact_id)
            contact.queryset = directory.visible_contacts(self.actor).filter(erased_at=None) | own

    def clean(self) -> dict[str, Any]:
        """Refuse now what the executor would refuse, while what was typed is still there.

        The page saves in this same transaction, so with the row locked nothing can come between.
        """
        cleaned = super().clean()
        if self.errors:
            return cleaned
        workitem = Workitem.objects.get(pk=self.instance.pk)
        for command in self.commands():
            refusal = services.explain_command(command, workitem, self.actor, timezone.now())
            if refusal is not None:
                self.add_error(self._field_at_fault(command, refusal), refusal.message)
        return cleaned

    def commands(self) -> list[Command]:
        """Return what has to be done for the fields that were changed."""
        edited = {
            name: self.cleaned_data[field]
            for name, field in EDITED.items()
            if field in self.changed_data and field in self.cleaned_data
        }
        commands: list[Command] = [Edit(edited)] if edited else []
        if "priority" in self.changed_data:
            commands.append(SetPriority(self.cleaned_data["priority"]))
        if self.cleaned_data.get("note"):
            commands.append(AddNote(self.cleaned_data["note"]))
        return commands

    def _field_at_fault(self, command: Command, refusal: WorkitemError) -> str | None:
        if isinstance(refusal, InvalidValue):
            field = EDITED.get(refusal.field.removesuffix("Id"), refusal.field)
        else:
            field = {SetPriority: "priority", AddNote: "note"}.get(type(command), "")
        return field if field in self.fields else None

    def _told(self, changed: dict[str, Any], since: datetime) -> str:
        """Say event by event what has happened since the page was loaded, by whom, from what to what."""
        before = changed["version"]["old"]
        found = item_history.since(self.instance, before, self.actor, batch_address, most=MOST_TOLD + 1)
        lines = found[:MOST_TOLD]
        told = [str(line) for line in lines]
        # a transfer can set the priority along the way
        if "priority" in changed and not any(line.event.type == Event.PRIORITIZED for line in lines):
            told.append(str(item_history.priority_change(changed["priority"]["old"], changed["priority"]["new"])))
        if len(found) > MOST_TOLD:
            told.append(_("and more, see the timeline"))
        return _(
            "This workitem has changed meanwhile. %(changes)s. What you typed is kept, and fields that you did not "
            "touch show the new values; save to put yours in place."
        ) % {"changes": "; ".join(told)}


def _told_where(typed: Any) -> str:
    """Say at which line and column it stops to be JSON."""
    try:
        json.loads(typed)
    except json.JSONDecodeError as error:
        facts = {"line": error.lineno, "column": error.colno}
        return _("This is no JSON from line %(line)d, column %(column)d on.") % facts
    except (TypeError, ValueError):
        pass
    return _("This is no JSON.")
