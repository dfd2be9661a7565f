"""What a person fills in for each action of the item page, and the command that it makes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import ClassVar

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from queues.models import Queue
from workitems.actors import Actor
from workitems.choices import Action, EndedBy, Priority
from workitems.commands import (
    Accept,
    AddNote,
    Archive,
    Bridge,
    Command,
    Conference,
    Dtmf,
    Edit,
    Exempt,
    HangUp,
    Hold,
    LeaveConference,
    Mute,
    Offer,
    Pull,
    Purge,
    Reject,
    Reopen,
    ReturnToQueue,
    SendEmailResponse,
    SetDisposition,
    SetPriority,
    TransferToAgent,
    TransferToQueue,
    Unarchive,
    Unhold,
    Unmute,
    reply_subject,
    their_address,
)
from workitems.models import Disposition, Workitem


class ActionForm(forms.Form):
    """One action on one workitem, as it was when the page was made."""

    action: ClassVar[Action]
    simple: ClassVar[type[Command]]
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, workitem: Workitem, actor: Actor, data: QueryDict | None = None) -> None:
        super().__init__(data, initial={"version": workitem.version}, auto_id=f"{self.action.value}_%s")
        self.workitem = workitem
        self.actor = actor
        self.prepare()

    def prepare(self) -> None:
        """Fill in choices and present values."""

    def command(self) -> Command:
        """Return what the filled-in form asks for."""
        return self.simple()


class HangUpForm(ActionForm):
    """Who ended it."""

    action = Action.HANGUP
    reason = forms.ChoiceField(
        label=gettext_lazy("Ended by"),
        choices=[(by.value, by.label) for by in (EndedBy.AGENT, EndedBy.CUSTOMER, EndedBy.SYSTEM)],
    )

    def command(self) -> Command:
        """End it."""
        return HangUp(EndedBy(self.cleaned_data["reason"]))


class OfferForm(ActionForm):
    """To whom."""

    action = Action.OFFER
    agent = forms.ModelChoiceField(User.objects.none(), label=gettext_lazy("Agent"))

    def prepare(self) -> None:
        """Offer the queue's active members."""
        if self.workitem.queue is not None:
            members = self.workitem.queue.members.filter(is_active=True).order_by("username")
            self.fields["agent"].queryset = members  # type: ignore[attr-defined]

    def command(self) -> Command:
        """Offer it."""
        return Offer(self.cleaned_data["agent"])


class TransferForm(ActionForm):
    """Where to: one list of the queues and agents that the person may send it to."""

    action = Action.TRANSFER
    target = forms.ChoiceField(label=gettext_lazy("To"))

    def prepare(self) -> None:
        """Leave out closed queues, those for other channels, and where it is already."""
        channel = self.workitem.channel_type
        self.queues = {
            f"queue:{queue.queue_id}": queue
            for queue in Queue.objects.with_channels()
            if queue.pk != self.workitem.queue_id
            and queue.is_open
            and queue.takes(channel)
            and self.actor.can_transfer_into(queue)
        }
        agents = User.objects.filter(is_active=True, member_of_queues__channel_rows__channel=channel).distinct()
        self.agents = {
            f"agent:{agent.get_username()}": agent
            for agent in agents.order_by("username")
            if agent.pk != self.workitem.agent_id
        }
        self.fields["target"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose a queue or an agent")),
            (_("Queues"), [(key, queue.name) for key, queue in self.queues.items()]),
            (_("Agents"), [(key, agent.get_full_name() or key[6:]) for key, agent in self.agents.items()]),
        ]

    def command(self) -> Command:
        """Send it there."""
        target = self.cleaned_data["target"]
        if target in self.queues:
            return TransferToQueue(self.queues[target])
        return TransferToAgent(self.agents[target])


class ReturnToQueueForm(ActionForm):
    """Where in its queue."""

    action = Action.RETURN_TO_QUEUE
    place = forms.ChoiceField(
        label=gettext_lazy("Place"),
        choices=[("old", gettext_lazy("At its old place")), ("end", gettext_lazy("At the end"))],
    )

    def command(self) -> Command:
        """Put it there."""
        return ReturnToQueue(keeps_place=self.cleaned_data["place"] == "old")


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
            (0, gettext_lazy("No longer")),
        ],
    )

    def command(self) -> Command:
        """Keep the policies off, or let them on it again."""
        hours = self.cleaned_data["hours"]
        return Exempt(timezone.now() + timedelta(hours=hours) if hours else None)


class PriorityForm(ActionForm):
    """How urgent."""

    action = Action.PRIORITY
    priority = forms.TypedChoiceField(label=gettext_lazy("Priority"), choices=Priority.choices, coerce=int)

    def prepare(self) -> None:
        """Show what it is."""
        self.initial["priority"] = self.workitem.priority

    def command(self) -> Command:
        """Set it."""
        return SetPriority(self.cleaned_data["priority"])


class NoteForm(ActionForm):
    """What to remember."""

    action = Action.NOTE
    text = forms.CharField(label=gettext_lazy("Note"), widget=forms.Textarea(attrs={"rows": 3}), max_length=4000)

    def command(self) -> Command:
        """Write it down."""
        return AddNote(self.cleaned_data["text"])


class DispositionForm(ActionForm):
    """How it came out."""

    action = Action.DISPOSITION
    disposition = forms.ModelChoiceField(Disposition.objects.filter(is_active=True), label=gettext_lazy("Disposition"))
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=4000)

    def prepare(self) -> None:
        """Offer those for this type of work."""
        active = Disposition.objects.filter(is_active=True)
        fitting = [one.pk for one in active if one.applies_to(self.workitem.type)]
        self.fields["disposition"].queryset = active.filter(pk__in=fitting)  # type: ignore[attr-defined]

    def command(self) -> Command:
        """Say so."""
        return SetDisposition(self.cleaned_data["disposition"], self.cleaned_data["note"])


class EditForm(ActionForm):
    """The subject and the addresses."""

    action = Action.EDIT
    name = forms.CharField(label=gettext_lazy("Subject"), max_length=200, required=False)
    from_address = forms.CharField(label=gettext_lazy("From"), max_length=254, required=False)
    to_address = forms.CharField(label=gettext_lazy("To"), max_length=254, required=False)

    def prepare(self) -> None:
        """Show what they are."""
        self.initial.update({name: getattr(self.workitem, name) for name in ("name", "from_address", "to_address")})

    def command(self) -> Command:
        """Correct them."""
        cleaned = self.cleaned_data
        return Edit({"name": cleaned["name"], "from": cleaned["from_address"], "to": cleaned["to_address"]})


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
    to = forms.CharField(label=gettext_lazy("To"), max_length=4000)
    cc = forms.CharField(label=gettext_lazy("Copy to"), max_length=4000, required=False)
    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=998, required=False)
    text = forms.CharField(label=gettext_lazy("Answer"), widget=forms.Textarea(attrs={"rows": 8}))

    def prepare(self) -> None:
        """Answer who wrote."""
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


class PurgeForm(ActionForm):
    """What is gone for good wants its name typed."""

    action = Action.PURGE
    confirm = forms.CharField(label=gettext_lazy("Type the workitem's id to delete it with its history, for good"))

    def clean_confirm(self) -> str:
        """Only the very id will do."""
        typed: str = self.cleaned_data["confirm"]
        if typed != self.workitem.workitem_id:
            raise ValidationError(_("This is not the id of this workitem."))
        return typed

    def command(self) -> Command:
        """Delete it."""
        return Purge()


def _addresses(typed: str) -> tuple[str, ...]:
    return tuple(one for one in re.split(r"[,;\s]+", typed) if one)


def _simple_form(of: Action, makes: type[Command]) -> type[ActionForm]:
    return type(f"{makes.__name__}Form", (ActionForm,), {"action": of, "simple": makes})


# In the order in which the page shows them.
FORMS: dict[Action, type[ActionForm]] = {
    Action.TRANSFER: TransferForm,
    Action.OFFER: OfferForm,
    Action.PULL: _simple_form(Action.PULL, Pull),
    Action.ACCEPT: _simple_form(Action.ACCEPT, Accept),
    Action.REJECT: _simple_form(Action.REJECT, Reject),
    Action.RETURN_TO_QUEUE: ReturnToQueueForm,
    Action.BRIDGE: _simple_form(Action.BRIDGE, Bridge),
    Action.HOLD: _simple_form(Action.HOLD, Hold),
    Action.UNHOLD: _simple_form(Action.UNHOLD, Unhold),
    Action.MUTE: _simple_form(Action.MUTE, Mute),
    Action.UNMUTE: _simple_form(Action.UNMUTE, Unmute),
    Action.DTMF: DtmfForm,
    Action.CONFERENCE: ConferenceForm,
    Action.LEAVE_CONFERENCE: _simple_form(Action.LEAVE_CONFERENCE, LeaveConference),
    Action.SEND_EMAIL_RESPONSE: AnswerForm,
    Action.HANGUP: HangUpForm,
    Action.DISPOSITION: DispositionForm,
    Action.PRIORITY: PriorityForm,
    Action.NOTE: NoteForm,
    Action.EDIT: EditForm,
    Action.EXEMPT: ExemptForm,
    Action.REOPEN: _simple_form(Action.REOPEN, Reopen),
    Action.ARCHIVE: _simple_form(Action.ARCHIVE, Archive),
    Action.UNARCHIVE: _simple_form(Action.UNARCHIVE, Unarchive),
    Action.PURGE: PurgeForm,
}
