"""What a person fills in for each action, on one workitem and on many; offered.py says which actions there are.

The widgets are plain; a door may dress them. Transfers have a dialog of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Self

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Contact
from workitems import bulk, directory
from workitems.actors import Actor
from workitems.choices import Action, EndedBy, Priority
from workitems.commands import (
    Command,
    Conference,
    Dtmf,
    Edit,
    Offer,
    SendEmailResponse,
    reply_subject,
    their_address,
)
from workitems.models import Disposition, Workitem

MOST_NOTE = MOST_ADDRESSES = 4_000  # characters
Text = str | Promise
# the fields of EditForm by their names on the wire
WIRE_NAMES = {"name": "name", "from_address": "from", "to_address": "to", "contact": "contact"}


class ActionForm(forms.Form):
    """One action, with what it is given; most are given nothing.

    `workitem` is the one that is meant, or None for many. Of what wants a word typed, the word is asked for unless
    `asks_word` is False, as on the way to a preview.
    """

    action: ClassVar[Action]
    word: ClassVar[Text] = ""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        actor: Actor,
        workitem: Workitem | None = None,
        asks_word: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        self.actor, self.workitem = actor, workitem
        if self.word and asks_word:
            self.fields["word"] = forms.CharField(
                label=_("Type “%(word)s” to go on") % {"word": self.word},
                error_messages={"required": _("Type “%(word)s”, or leave this page.") % {"word": self.word}},
                widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
            )
        self.prepare()
        for name, field in self.fields.items():
            if self.is_bound and name in self.errors:
                field.widget.attrs |= {"aria-invalid": "true", "aria-describedby": f"{self[name].auto_id}-errors"}

    def prepare(self) -> None:
        """Fill in choices and present values."""

    def clean_word(self) -> str:
        """Only the very word will do."""
        typed: str = self.cleaned_data["word"].strip()
        if typed.casefold() != str(self.word).casefold():
            raise ValidationError(_("Type “%(word)s”, or leave this page.") % {"word": self.word})
        return typed

    def arguments(self) -> dict[str, Any]:
        """Return what the filled-in form asks for, in codes and public ids, as a run keeps it."""
        return {}

    def command(self) -> Command:
        """Return what the filled-in form asks for."""
        return bulk.command_of(self.action, self.arguments())

    def renewed(self, workitem: Workitem) -> Self:
        """Return the form for the workitem as it is by now, with what was typed."""
        return type(self)(self._typed(workitem), actor=self.actor, workitem=workitem, auto_id=self.auto_id)

    def _typed(self, workitem: Workitem) -> dict[str, Any]:
        return dict(self.data.items())


class ReturnToQueueForm(ActionForm):
    """Where in its queue."""

    action = Action.RETURN_TO_QUEUE
    place = forms.ChoiceField(
        label=gettext_lazy("Place"),
        choices=[("old", gettext_lazy("At its old place")), ("end", gettext_lazy("At the end"))],
    )

    def arguments(self) -> dict[str, Any]:
        """Name the place."""
        return {"place": self.cleaned_data["place"]}


class HangUpForm(ActionForm):
    """Who ended it."""

    action = Action.HANGUP
    reason = forms.ChoiceField(
        label=gettext_lazy("Ended by"),
        choices=[(by.value, by.label) for by in (EndedBy.AGENT, EndedBy.CUSTOMER, EndedBy.SYSTEM)],
        initial=EndedBy.SYSTEM.value,
    )

    def arguments(self) -> dict[str, Any]:
        """Name who."""
        return {"reason": self.cleaned_data["reason"]}


class PriorityForm(ActionForm):
    """How urgent."""

    action = Action.PRIORITY
    priority = forms.TypedChoiceField(
        label=gettext_lazy("Priority"),
        choices=list(reversed(Priority.choices)),
        initial=Priority.NORMAL.value,
        coerce=int,
    )

    def prepare(self) -> None:
        """Show what it is."""
        if self.workitem is not None:
            self.initial.setdefault("priority", self.workitem.priority)

    def arguments(self) -> dict[str, Any]:
        """Name how urgent."""
        return {"priority": self.cleaned_data["priority"]}


class DispositionForm(ActionForm):
    """How it came out."""

    action = Action.DISPOSITION
    disposition = forms.ModelChoiceField(
        Disposition.objects.filter(is_active=True).order_by("name", "pk"),
        label=gettext_lazy("Disposition"),
        to_field_name="disposition_id",
        empty_label=gettext_lazy("Choose a disposition"),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=MOST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def prepare(self) -> None:
        """Offer those for this type of work; which of many it does not fit, the preview tells."""
        if self.workitem is None:
            return
        active = Disposition.objects.filter(is_active=True).order_by("name", "pk")
        fitting = [one.pk for one in active if one.applies_to(self.workitem.type)]
        self.fields["disposition"].queryset = active.filter(pk__in=fitting)  # type: ignore[attr-defined]

    def arguments(self) -> dict[str, Any]:
        """Name it."""
        return {
            "dispositionId": self.cleaned_data["disposition"].disposition_id,
            "note": self.cleaned_data["note"],
        }


class NoteForm(ActionForm):
    """What to remember."""

    action = Action.NOTE
    text = forms.CharField(label=gettext_lazy("Note"), max_length=MOST_NOTE, widget=forms.Textarea(attrs={"rows": 3}))

    def arguments(self) -> dict[str, Any]:
        """Keep the text."""
        return {"text": self.cleaned_data["text"]}


class ExemptForm(ActionForm):
    """For how long."""

    action = Action.EXEMPT
    hours = forms.TypedChoiceField(
        label=gettext_lazy("For"),
        coerce=int,
        choices=[
            (1, gettext_lazy("An hour")),
            (8, gettext_lazy("Eight hours")),
            (24, gettext_lazy("A day")),
            (168, gettext_lazy("A week")),
            (720, gettext_lazy("30 days")),
            (0, gettext_lazy("No longer: policies may act again")),
        ],
        initial=24,
    )

    def arguments(self) -> dict[str, Any]:
        """Name the time until which."""
        hours = self.cleaned_data["hours"]
        until = timezone.now() + timedelta(hours=hours)
        return {"until": int(until.timestamp() * 1000) if hours else None}


class PurgeForm(ActionForm):
    """What is gone for good wants a word typed."""

    action = Action.PURGE
    word = gettext_lazy("purge")


class OfferForm(ActionForm):
    """To whom."""

    action = Action.OFFER
    agent = forms.ModelChoiceField(
        User.objects.none(),
        label=gettext_lazy("Agent"),
        to_field_name="username",
        empty_label=gettext_lazy("Choose an agent"),
    )

    def prepare(self) -> None:
        """Offer the queue's active members."""
        if self.workitem is not None and self.workitem.queue is not None:
            members = self.workitem.queue.members.filter(is_active=True).order_by("username")
            self.fields["agent"].queryset = members  # type: ignore[attr-defined]

    def command(self) -> Command:
        """Offer it."""
        return Offer(self.cleaned_data["agent"])


class DtmfForm(ActionForm):
    """Which keys."""

    action = Action.DTMF
    tones = forms.CharField(label=gettext_lazy("Keys"), max_length=32)

    def command(self) -> Command:
        """Press them."""
        return Dtmf(self.cleaned_data["tones"])


class ConferenceForm(ActionForm):
    """Whom to bring in."""

    action = Action.CONFERENCE
    participant = forms.CharField(label=gettext_lazy("Number or address"), max_length=254)

    def command(self) -> Command:
        """Bring him in."""
        return Conference(self.cleaned_data["participant"])


class AnswerForm(ActionForm):
    """What to write, and to whom."""

    action = Action.SEND_EMAIL_RESPONSE
    to = forms.CharField(label=gettext_lazy("To"), max_length=MOST_ADDRESSES)
    cc = forms.CharField(label=gettext_lazy("Copy to"), max_length=MOST_ADDRESSES, required=False)
    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=998, required=False)
    text = forms.CharField(label=gettext_lazy("Answer"), widget=forms.Textarea(attrs={"rows": 8}))

    def prepare(self) -> None:
        """Answer who wrote."""
        if self.workitem is not None:
            self.initial.update(to=their_address(self.workitem), subject=reply_subject(self.workitem))

    def command(self) -> Command:
        """Send it."""
        cleaned = self.cleaned_data
        return SendEmailResponse(
            to_addresses=_addresses(cleaned["to"]),
            cc=_addresses(cleaned["cc"]),
            subject=cleaned["subject"],
            text=cleaned["text"],
        )


class EditForm(ActionForm):
    """The subject, the addresses and the contact; what was not touched stays as it is by now."""

    action = Action.EDIT
    name = forms.CharField(label=gettext_lazy("Subject"), max_length=200, required=False)
    from_address = forms.CharField(label=gettext_lazy("From"), max_length=254, required=False)
    to_address = forms.CharField(label=gettext_lazy("To"), max_length=254, required=False)
    contact = forms.CharField(
        label=gettext_lazy("Contact"),
        max_length=64,
        required=False,
        help_text=gettext_lazy("The contact’s id, such as ct_…; empty for nobody."),
    )

    def prepare(self) -> None:
        """Show what they are."""
        for field in self.fields.values():
            field.show_hidden_initial = True  # tells what was touched, whatever has happened meanwhile
        if self.workitem is not None:
            self.initial.update(self._values(self.workitem))

    def clean_contact(self) -> Contact | None:
        """Let only those be chosen whom the person may see; the one that it has may stay."""
        typed: str = self.cleaned_data["contact"]
        own = self.workitem.contact if self.workitem is not None else None
        if not typed or (own is not None and typed == own.contact_id):
            return own if typed else None
        found = directory.find_contact(typed, self.actor)
        if found is None:
            raise ValidationError(_("There is no contact %(id)s that you may see.") % {"id": typed})
        return found

    def command(self) -> Command:
        """Correct them."""
        return Edit({WIRE_NAMES[name]: self.cleaned_data[name] for name in self.changed_data})

    def _typed(self, workitem: Workitem) -> dict[str, Any]:
        values = self._values(workitem)
        touched = {name: self.data[name] for name in self.changed_data}
        return {f"initial-{name}": value for name, value in values.items()} | values | touched

    def _values(self, workitem: Workitem) -> dict[str, str]:
        values = {name: getattr(workitem, name) for name in ("name", "from_address", "to_address")}
        return values | {"contact": workitem.contact.contact_id if workitem.contact else ""}


def _addresses(typed: str) -> tuple[str, ...]:
    return tuple(one for one in re.split(r"[,;\s]+", typed) if one)
