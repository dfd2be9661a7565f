"""What a person fills in for each action, on one workitem and on many, and what he is told before.

OFFERED is the one table of the actions of the back office: the page of an item, the list's menu and the dialog of many
read it. Transfers have a dialog of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from workitems import bulk
from workitems.actors import Actor
from workitems.choices import Action, EndedBy, Priority
from workitems.commands import (
    Accept,
    Bridge,
    Command,
    Conference,
    Dtmf,
    LeaveConference,
    Mute,
    Offer,
    Pull,
    Reject,
    Reopen,
    Unmute,
)
from workitems.models import Disposition, Workitem

MOST_NOTE = 4_000
Text = str | Promise


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
                widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "autocapitalize": "none"}),
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


class HoldForm(ActionForm):
    """Nothing to say."""

    action = Action.HOLD


class UnholdForm(ActionForm):
    """Nothing to say."""

    action = Action.UNHOLD


class ReturnToQueueForm(ActionForm):
    """Where in its queue."""

    action = Action.RETURN_TO_QUEUE
    place = forms.ChoiceField(
        label=gettext_lazy("Place"),
        choices=[("old", gettext_lazy("At its old place")), ("end", gettext_lazy("At the end"))],
        widget=UnfoldAdminSelectWidget,
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
        widget=UnfoldAdminSelectWidget,
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
        widget=UnfoldAdminSelectWidget,
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
        widget=UnfoldAdminSelectWidget,
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=MOST_NOTE,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
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
    text = forms.CharField(
        label=gettext_lazy("Note"), max_length=MOST_NOTE, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )

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
        widget=UnfoldAdminSelectWidget,
    )

    def arguments(self) -> dict[str, Any]:
        """Name the time until which."""
        hours = self.cleaned_data["hours"]
        until = timezone.now() + timedelta(hours=hours)
        return {"until": int(until.timestamp() * 1000) if hours else None}


class ArchiveForm(ActionForm):
    """Nothing to say."""

    action = Action.ARCHIVE


class UnarchiveForm(ActionForm):
    """Nothing to say."""

    action = Action.UNARCHIVE


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
        widget=UnfoldAdminSelectWidget,
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
    tones = forms.CharField(label=gettext_lazy("Keys"), max_length=32, widget=UnfoldAdminTextInputWidget)

    def command(self) -> Command:
        """Press them."""
        return Dtmf(self.cleaned_data["tones"])


class ConferenceForm(ActionForm):
    """Whom to bring in."""

    action = Action.CONFERENCE
    participant = forms.CharField(
        label=gettext_lazy("Number or address"), max_length=254, widget=UnfoldAdminTextInputWidget
    )

    def command(self) -> Command:
        """Bring him in."""
        return Conference(self.cleaned_data["participant"])


@dataclass(frozen=True)
class Offered:
    """One action as the back office offers it.

    `asks` is whether a dialog comes first, to fill in or to answer; what does not ask is done at once. `can_undo` is
    whether the former state can be restored exactly, `consequence` what the dialog says of it.
    """

    form: type[ActionForm]
    icon: str
    consequence: Text
    can_undo: bool = False
    asks: bool = True
    on_many: bool = True

    @property
    def action(self) -> Action:
        """The action itself."""
        return self.form.action

    @property
    def label(self) -> str:
        """The action in a word or two."""
        return str(self.action.label)

    @property
    def word(self) -> Text:
        """The word that has to be typed first, or ``""``."""
        return self.form.word

    @property
    def menu_label(self) -> str:
        """The action as menus and buttons name it: three dots say that a dialog comes first."""
        return f"{self.label}…" if self.asks else self.label


def _simple(action: Action, makes: type[Command], icon: str, consequence: Text) -> Offered:
    """Return an action that is given nothing, on one item only."""
    form = type(f"{makes.__name__}Form", (ActionForm,), {"action": action, "command": lambda self: makes()})
    return Offered(form, icon, consequence, asks=False, on_many=False)


# in the order in which menus show them
OFFERED: dict[Action, Offered] = {
    one.action: one
    for one in (
        Offered(OfferForm, "person_add", gettext_lazy("The agent is asked, and has the queue's time to answer."),
                on_many=False),
        _simple(Action.PULL, Pull, "pan_tool", gettext_lazy("It is yours.")),
        _simple(Action.ACCEPT, Accept, "check", gettext_lazy("It is in the hands of the agent who was asked.")),
        _simple(Action.REJECT, Reject, "close", gettext_lazy("It goes back to its place in the queue.")),
        _simple(Action.BRIDGE, Bridge, "play_arrow", gettext_lazy("The conversation begins.")),
        Offered(HoldForm, "pause", gettext_lazy("The customer waits on hold."), can_undo=True, asks=False),
        Offered(UnholdForm, "play_arrow", gettext_lazy("The conversation goes on."), can_undo=True, asks=False),
        _simple(Action.MUTE, Mute, "mic_off", gettext_lazy("The customer does not hear the agent.")),
        _simple(Action.UNMUTE, Unmute, "mic", gettext_lazy("The customer hears the agent again.")),
        Offered(DtmfForm, "dialpad", gettext_lazy("The keys are pressed in the call."), on_many=False),
        Offered(ConferenceForm, "group_add", gettext_lazy("Somebody else is brought in."), on_many=False),
        _simple(Action.LEAVE_CONFERENCE, LeaveConference, "group_remove", gettext_lazy("Agent and customer remain.")),
        Offered(ReturnToQueueForm, "undo",
                gettext_lazy("Work is taken from its agent and waits in its queue. This cannot be undone.")),
        Offered(HangUpForm, "call_end", gettext_lazy("Whoever is on the line is cut off. This cannot be undone.")),
        Offered(PriorityForm, "priority_high", gettext_lazy("Handed out sooner or later than other work."),
                can_undo=True),
        Offered(DispositionForm, "task_alt", gettext_lazy("The wrap-up is over. This cannot be undone.")),
        Offered(NoteForm, "edit_note", gettext_lazy("Written into the timeline. This cannot be undone.")),
        Offered(ExemptForm, "timer_off", gettext_lazy("Stale policies keep off until then.")),
        _simple(Action.REOPEN, Reopen, "restart_alt", gettext_lazy("It waits in its queue again, at its old place.")),
        Offered(ArchiveForm, "archive", gettext_lazy("Moved out of the ordinary lists, into the archive."),
                can_undo=True),
        Offered(UnarchiveForm, "unarchive", gettext_lazy("Moved out of the archive, back into the ordinary lists."),
                can_undo=True),
        Offered(PurgeForm, "delete_forever",
                gettext_lazy("Deleted with its history, for good. This cannot be undone.")),
    )
}  # fmt: skip
ON_MANY: dict[Action, Offered] = {action: one for action, one in OFFERED.items() if one.on_many}
