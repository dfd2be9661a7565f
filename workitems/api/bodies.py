"""What may stand in a request's body: one small shape per operation; a field that is not in it is refused.

A command's body knows which command it asks for, so that every path, the bulk and the dry run read it alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework import serializers

from queues.channels import Channel
from workitems.actors import Actor
from workitems.api import named
from workitems.api.errors import invalid
from workitems.api.strict import Body, Choice, StrictBoolean, StrictInteger, StrictMoment, StrictText, words
from workitems.choices import Action, EndedBy, Event, Priority, Recording, Type
from workitems.commands import (
    Accept,
    AddNote,
    Archive,
    Bridge,
    Command,
    Conference,
    Create,
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
    TransferOptions,
    TransferToAgent,
    TransferToQueue,
    Unarchive,
    Unhold,
    Unmute,
)

TEXT, HTML = "text/plain", "text/html"


def a_priority() -> StrictInteger:
    """Return an optional field for a priority."""
    return StrictInteger(required=False, min_value=Priority.LOWEST, max_value=Priority.HIGHEST)


def check_one_target(attrs: Mapping[str, Any]) -> None:
    """Raise a ValidationError unless these values name a queue or an agent, and not both."""
    if bool(attrs.get("selectedQueue")) == bool(attrs.get("agentUsername")):
        problem = _("Name either selectedQueue or agentUsername.")
        raise serializers.ValidationError({"selectedQueue": [problem]})


class CommandBody(Body):
    """What one command needs beside the workitem."""

    action: ClassVar[Action]
    simple: ClassVar[type[Command]]

    def command(self, actor: Actor, values: Mapping[str, Any]) -> Command:
        """Return the command that these values ask for."""
        return self.simple()


class Plain(CommandBody):
    """Nothing to choose."""


class OfferBody(CommandBody):
    """To whom it is offered."""

    action = Action.OFFER
    agentUsername = StrictText(max_length=150)  # noqa: N815  the wire's own name

    def command(self, actor: Actor, values: Mapping[str, Any]) -> Command:
        """Offer it."""
        return Offer(named.agent(values["agentUsername"], actor))


class ReturnToQueueBody(CommandBody):
    """Where in line; at its old place, unless something else is said."""

    action = Action.RETURN_TO_QUEUE
    keepsPlace = StrictBoolean(default=True)  # noqa: N815

    def command(self, actor: Actor, values: Mapping[str, Any]) -> Command:
        """Take it from its agent."""
        return ReturnToQueue(keeps_place=values["keepsPlace"])


class DtmfBody(CommandBody):
    """Which keys."""

    action = Action.DTMF
    tones = StrictText(max_length=32)

    def command(self, actor: Actor, values: Mapping[str, Any]) -> Command:
        """Send them."""
        return Dtmf(values["tones"])


class ConferenceBody(CommandBody):
    """Who is brought in."""

    action = Action.CONFERENCE
    participant = StrictText(max_length=254)

    def command(self, actor: Actor, values: Mapping[str, Any]) -> Command:
        """Bring him in."""
        return Conference(values["participant"])


class HangUpBody(CommandBody):
    """Why it ended; by the agent, unless something else is said."""

    action = Action.HANGUP
    reason = Choice(
        choices=[EndedBy.AGENT.value, EndedBy.CUSTOMER.value, EndedBy.SYSTEM.value], default=EndedBy.AGENT.value
    )

    def command(self, actor: Actor, values: Mapping[str, Any]) -> Command:
        """End it."""
        return HangUp(EndedBy(values["reason"]))


class TransferBody(CommandBody):
    """To a queue or to an agent, and what the telephony should know of it."""

    action = Action.TRANSFER
    selectedQueue = words(64)  # noqa: N815
    agentUsername = words(150)  # noqa: N815
    eventName = words(64)  # noqa: N815
    recording = Choice(choices=Recording.values, required=False)
    survey = words(64)
    ringAll = StrictBoolean(required=False)  # noqa: N815
    priority = a_priority()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require one target."""
        check_one_target(attrs)
        return attrs

    def command(self, actor: Actor, values: Mapping[str, Any]) -> Command:
        """Move it."""
        options, priority = options_of(values), values.get("priority")
        if values.get("agentUsername"):
            return TransferToAgent(named.agent(values["agentUsername"], actor), options, priority)
        return TransferToQueue(named.target_queue(values["selectedQueue"], actor), options, priority)


class PriorityBody(CommandBody):
    """How urgent it is."""

    action = Action.PRIORITY
    priority = StrictInteger(min_value=Priority.LOWEST, max_value=Priority.HIGHEST)

    def command(self, actor: Actor, values: Mapping[str, Any]) -> Command:
        """Set it."""
        return SetPriority(values["priority"])


class BodyPart(Body):
    """One form of a mail's text."""

    contentType = Choice(choices=[TEXT, HTML], default=TEXT)  # noqa: N815
    content = words(1024 * 1024, required=True)


class EmailBody(CommandBody):
    """An answer by e-mail; whom it comes from and goes to, and its subject, follow from the workitem if not named."""

    action = Action.SEND_EMAIL_RESPONSE
    subject = words(998)
    bodyParts = BodyPart(many=True)  # noqa: N815
    toAddresses = serializers.ListField(child=StrictText(), required=False, max_length=100)  # noqa: N815
    ccAddresses = serializers.ListField(child=StrictText(), required=False, max_length=100)  # noqa: N815
    bccAddresses = serializers.ListField(child=StrictText(), required=False, max_length=100)  # noqa: N815
    createdAt = StrictInteger(required=False, min_value=0, max_value=2**53)  # noqa: N815

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, a word of Python's that cannot stand in the class, and its counterpart."""
        return {**super().get_fields(), "from": words(254), "to": words(254)}

    def command(self, actor: Actor, values: Mapping[str, Any]) -> Command:
        """Answer."""
        one = [values["to"]] if values.get("to") else []
        parts: dict[str, str] = {}
        for part in values["bodyParts"]:
            if part["contentType"] in parts:
                raise invalid("bodyParts", _("There may be one part of each kind."))
            parts[part["contentType"]] = part["content"]
        return SendEmailResponse(
            from_address=values.get("from", ""),
            to_addresses=tuple(dict.fromkeys([*one, *values.get("toAddresses", [])])),
            cc=tuple(values.get("ccAddresses", [])),
            bcc=tuple(values.get("bccAddresses", [])),
            subject=values.get("subject", ""),
            text=parts.get(TEXT, ""),
            html=parts.get(HTML, ""),
            written_at=values.get("createdAt"),
        )


class EditBody(CommandBody):
    """Corrections; what is not named stays as it is."""

    action = Action.EDIT
    name = words(200)
    contactId = words(64)  # noqa: N815
    currentStateName = words(64, allow_blank=False)  # noqa: N815
    data = serializers.DictField(required=False)  # type: ignore[assignment]  # also a property of DRF's

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, a word of Python's that cannot stand in the class, and its counterpart."""
        return {**super().get_fields(), "from": words(254), "to": words(254)}

    def command(self, actor: Actor, values: Mapping[str, Any]) -> Command:
        """Correct it; an empty contactId means nobody."""
        changes = {name: value for name, value in values.items() if name in self.fields and name != "contactId"}
        if "contactId" in values:
            changes["contact"] = named.contact(values["contactId"], actor) if values["contactId"] else None
        return Edit(changes)


class NoteBody(CommandBody):
    """A line for the timeline: text, or an event of the integration's own with details."""

    action = Action.NOTE
    text = words(16_384)
    type = words(64, default=Event.NOTED.value, allow_blank=False)
    details = serializers.DictField(required=False, default=dict)

    def command(self, actor: Actor, values: Mapping[str, Any]) -> Command:
        """Write it."""
        return AddNote(values.get("text", ""), name=values["type"], details=values["details"])


class DispositionCommandBody(CommandBody):
    """How it came out."""

    action = Action.DISPOSITION
    dispositionId = StrictText(max_length=64)  # noqa: N815
    note = words(16_384)

    def command(self, actor: Actor, values: Mapping[str, Any]) -> Command:
        """Say so."""
        return SetDisposition(named.disposition(values["dispositionId"]), note=values.get("note", ""))


class ExemptBody(CommandBody):
    """Until when no stale policy may act; null, or 0, lets them act again."""

    action = Action.EXEMPT
    until = StrictMoment(allow_null=True)

    def command(self, actor: Actor, values: Mapping[str, Any]) -> Command:
        """Keep the policies off it."""
        return Exempt(values["until"])


def plain(of: Action, does: type[Command]) -> type[CommandBody]:
    """Return the body of a command that leaves nothing to choose."""
    return type(f"{does.__name__}Body", (Plain,), {"action": of, "simple": does, "__doc__": Plain.__doc__})


COMMANDS: dict[Action, type[CommandBody]] = {
    body.action: body
    for body in (
        OfferBody,
        plain(Action.ACCEPT, Accept),
        plain(Action.REJECT, Reject),
        ReturnToQueueBody,
        plain(Action.PULL, Pull),
        plain(Action.BRIDGE, Bridge),
        plain(Action.HOLD, Hold),
        plain(Action.UNHOLD, Unhold),
        plain(Action.MUTE, Mute),
        plain(Action.UNMUTE, Unmute),
        DtmfBody,
        ConferenceBody,
        plain(Action.LEAVE_CONFERENCE, LeaveConference),
        HangUpBody,
        TransferBody,
        PriorityBody,
        EmailBody,
        EditBody,
        NoteBody,
        DispositionCommandBody,
        ExemptBody,
        plain(Action.REOPEN, Reopen),
        plain(Action.ARCHIVE, Archive),
        plain(Action.UNARCHIVE, Unarchive),
        plain(Action.PURGE, Purge),
    )
}


class Repeated(Body):
    """The vendor's clients repeat the path's id in the body; another one is refused."""

    workitemId = StrictText(required=False)  # noqa: N815


def repeated(body: type[CommandBody]) -> type[CommandBody]:
    """Return a command's body that may repeat the path's id."""
    return type(f"Vendor{body.__name__}", (body, Repeated), {"__doc__": body.__doc__})


class VendorHoldBody(Repeated):
    """Hold, or resume with `false`."""

    hold = StrictBoolean(default=True)


class VendorToAgentBody(Repeated):
    """What a transfer to an agent may say beside its path."""

    userId = StrictText(required=False)  # noqa: N815
    eventName = words(64)  # noqa: N815
    recording = Choice(choices=Recording.values, required=False)
    survey = words(64)


class VendorToQueueBody(Repeated):
    """What a transfer to a queue may say beside its path."""

    inboxId = StrictText(required=False)  # noqa: N815
    eventName = words(64)  # noqa: N815
    recording = Choice(choices=Recording.values, required=False)
    ringAll = StrictBoolean(required=False)  # noqa: N815
    survey = words(64)


VENDOR_COMMANDS = {
    action: repeated(COMMANDS[action])
    for action in (Action.BRIDGE, Action.HANGUP, Action.PRIORITY, Action.SEND_EMAIL_RESPONSE)
}


class WorkitemPatchBody(EditBody, Repeated):
    """Corrections, the priority among them."""

    priority = a_priority()

    def commands(self, actor: Actor, values: Mapping[str, Any]) -> list[Command]:
        """Return an edit, a priority, or both."""
        rest = {name: value for name, value in values.items() if name != "priority"}
        commands: list[Command] = [self.command(actor, rest)] if rest else []
        if "priority" in values:
            commands.append(SetPriority(values["priority"]))
        return commands


class CreateBody(Body):
    """A workitem that arrives, or that an agent starts."""

    type = Choice(choices=Type.values)
    channelType = Choice(choices=Channel.values, required=False)  # noqa: N815
    workitemId = words(64, allow_blank=False)  # noqa: N815
    selectedQueue = words(64)  # noqa: N815
    agentUsername = words(150)  # noqa: N815
    contactId = words(64)  # noqa: N815
    name = words(200)
    priority = a_priority()
    data = serializers.DictField(required=False)  # type: ignore[assignment]  # also a property of DRF's
    currentStateName = words(64, allow_blank=False)  # noqa: N815

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, a word of Python's that cannot stand in the class, and its counterpart."""
        return {**super().get_fields(), "from": words(254), "to": words(254)}

    def command(self, actor: Actor, values: Mapping[str, Any]) -> Create:
        """Let it arrive."""
        queue, agent, contact = (values.get(name) for name in ("selectedQueue", "agentUsername", "contactId"))
        return Create(
            type=Type(values["type"]),
            channel_type=values.get("channelType", ""),
            queue=named.readable_queue(queue, actor) if queue else None,
            agent=named.agent(agent, actor) if agent else None,
            contact=named.contact(contact, actor) if contact else None,
            workitem_id=values.get("workitemId", ""),
            from_address=values.get("from", ""),
            to_address=values.get("to", ""),
            name=values.get("name", ""),
            priority=values.get("priority"),
            data=values.get("data", {}),
            current_state_name=values.get("currentStateName", ""),
        )


def options_of(values: Mapping[str, Any]) -> TransferOptions:
    """Return what the telephony should know of a transfer."""
    return TransferOptions(
        event_name=values.get("eventName", ""),
        recording=Recording(values["recording"]) if values.get("recording") else None,
        survey=values.get("survey", ""),
        ring_all=values.get("ringAll"),
    )
