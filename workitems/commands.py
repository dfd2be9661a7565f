"""The verbs: one small class each, with its own rules, its change, and what its event says.

A command is a value. It neither locks nor saves nor asks for scopes on the workitem: services.py does that for all of
them alike. Rules that need none of a command's parameters stand in lifecycle.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

import orjson
from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from contacts.addresses import normal_address
from contacts.models import Contact
from queues.models import Queue
from workitems.actors import Actor
from workitems.choices import WAITING, Action, EndedBy, Event, Priority, Recording, State, Type
from workitems.errors import (
    AgentUnavailable,
    AlreadyInQueue,
    AlreadyWithAgent,
    DispositionDoesNotApply,
    InvalidValue,
    MissingTransferIn,
    NotStale,
    OfferStillOpen,
    QueueClosed,
    QueueRefusesChannel,
)
from workitems.lifecycle import LIVE, MOVES
from workitems.models import Disposition, Workitem

Details = dict[str, Any]

MAX_DATA_BYTES = 16 * 1024
TONES = re.compile(r"[0-9*#A-D]{1,32}")


class Command:
    """What all commands share: most check nothing of their own, and lead where the table says."""

    action: ClassVar[Action]

    def fresh(self) -> Self:
        """Return the command with what it refers to read anew, inside the transaction."""
        return self

    def already(self, workitem: Workitem) -> bool:
        """Tell whether the workitem is as the command would make it, so that nothing needs to be written."""
        return False

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Raise a WorkitemError where the command's own rules forbid it."""

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Change the facts, and return the codes and public ids that the event keeps."""
        return {}

    def target(self, workitem: Workitem) -> State | None:
        """Return the state to enter, or None to stay."""
        return MOVES[self.action].target

    def event(self, workitem: Workitem) -> str:
        """Return the code of the event, seen from the state before the change."""
        event = MOVES[self.action].event
        assert event is not None  # noqa: S101  the one action without an event leaves no row to carry it
        return event


# Into and out of an agent's hands


@dataclass(frozen=True)
class Offer(Command):
    """Offer the workitem to one agent, who has the queue's offer time-out to answer."""

    agent: User
    action = Action.OFFER

    def fresh(self) -> Self:
        """Read the agent anew."""
        return replace(self, agent=_with_queues(self.agent))

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """The agent must be an active member of the queue."""
        if not self.agent.is_active or workitem.queue not in self.agent.member_of_queues.all():
            raise AgentUnavailable(agent=self.agent.get_username())

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Wait for the agent's answer."""
        assert workitem.queue is not None  # noqa: S101  the database refuses waiting without a queue
        workitem.be_offered(self.agent, now + timedelta(seconds=workitem.queue.offer_timeout_seconds))
        return {"agent": self.agent.get_username()}


@dataclass(frozen=True)
class Accept(Command):
    """Accept an offer."""

    action = Action.ACCEPT

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be in the hands of the agent who was asked."""
        assert workitem.agent is not None  # noqa: S101  the database refuses an offer to nobody
        workitem.be_assigned(workitem.agent, at=now)
        return {}


@dataclass(frozen=True)
class Reject(Command):
    """Reject an offer; the workitem keeps its place in the queue."""

    action = Action.REJECT

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be with nobody, at the same place."""
        details = {"agent": workitem.agent_username}
        workitem.leave_agent()
        return details


@dataclass(frozen=True)
class ExpireOffer(Reject):
    """Take back an offer that was not answered in time; the workitem keeps its place in the queue."""

    action = Action.EXPIRE_OFFER

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """The deadline must have passed."""
        if workitem.offer_expires_at is not None and workitem.offer_expires_at > now:
            raise OfferStillOpen


@dataclass(frozen=True)
class Pull(Command):
    """Take the workitem out of its queue oneself."""

    action = Action.PULL

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be in the caller's hands."""
        assert actor.user is not None  # noqa: S101  the lifecycle lets only people do this
        workitem.be_assigned(actor.user, at=now)
        return {}


# Talking


@dataclass(frozen=True)
class Bridge(Command):
    """Connect agent and customer."""

    action = Action.BRIDGE


@dataclass(frozen=True)
class Hold(Command):
    """Put the customer on hold."""

    action = Action.HOLD

    def already(self, workitem: Workitem) -> bool:
        """On hold is on hold."""
        return workitem.state == State.HOLD


@dataclass(frozen=True)
class Unhold(Command):
    """Go on talking with a customer on hold."""

    action = Action.UNHOLD

    def already(self, workitem: Workitem) -> bool:
        """Talking is talking."""
        return workitem.state == State.ACTIVE and workitem.channel_type in LIVE


@dataclass(frozen=True)
class Mute(Command):
    """Switch the agent's microphone off."""

    action = Action.MUTE

    def already(self, workitem: Workitem) -> bool:
        """Muted is muted."""
        return workitem.is_muted

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be muted."""
        workitem.is_muted = True
        return {}


@dataclass(frozen=True)
class Unmute(Command):
    """Switch the agent's microphone on."""

    action = Action.UNMUTE

    def already(self, workitem: Workitem) -> bool:
        """Not muted is not muted."""
        return not workitem.is_muted

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be heard."""
        workitem.is_muted = False
        return {}


@dataclass(frozen=True)
class Dtmf(Command):
    """Send telephone key tones."""

    tones: str
    action = Action.DTMF

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Tones are 1 to 32 of the sixteen keys."""
        if not TONES.fullmatch(self.tones):
            raise InvalidValue(field="digit", problem=_("Tones are 1 to 32 characters of 0-9 * # A-D."))

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Keep what was sent."""
        return {"tones": self.tones}


@dataclass(frozen=True)
class Conference(Command):
    """Bring a third party into the conversation."""

    participant: str
    action = Action.CONFERENCE

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Somebody must be named."""
        if not 1 <= len(self.participant.strip()) <= 254:
            raise InvalidValue(field="participant", problem=_("Name a number or address, 254 characters at most."))

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Keep who was brought in."""
        return {"participant": normal_address(self.participant)}


@dataclass(frozen=True)
class LeaveConference(Command):
    """Go on with the customer alone."""

    action = Action.LEAVE_CONFERENCE


@dataclass(frozen=True)
class SendEmailResponse(Command):
    """Answer by e-mail."""

    to: str
    subject: str
    action = Action.SEND_EMAIL_RESPONSE

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Keep whom the answer went to, and its subject."""
        return {"to": self.to, "subject": self.subject}


# Ending


@dataclass(frozen=True)
class HangUp(Command):
    """End the interaction; a customer who does so before an agent has accepted abandons it."""

    by: EndedBy = EndedBy.AGENT
    action = Action.HANGUP

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Policies end workitems by a command of their own."""
        if self.by not in (EndedBy.AGENT, EndedBy.CUSTOMER, EndedBy.SYSTEM):
            raise InvalidValue(field="reason", problem=_("The reason is agent, customer or system."))

    def event(self, workitem: Workitem) -> str:
        """Tell an abandoned call or chat from a finished one; nobody can abandon an e-mail or SMS."""
        gave_up = self.by is EndedBy.CUSTOMER and workitem.state in WAITING and workitem.channel_type in LIVE
        return Event.ABANDONED if gave_up else Event.TERMINATED

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be over."""
        workitem.end(self.by, at=now)
        return {"reason": self.by.value}


@dataclass(frozen=True)
class TerminateStale(Command):
    """End a workitem in which nothing has happened since the limit."""

    inactive_since: datetime
    action = Action.TERMINATE_STALE

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """It must not have moved since it was found."""
        if workitem.state_changed_at >= self.inactive_since:
            raise NotStale

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be over, in a way that can be taken back."""
        workitem.end(EndedBy.POLICY, at=now)
        return {"since": int(workitem.state_changed_at.timestamp() * 1000)}


@dataclass(frozen=True)
class Reopen(Command):
    """Put a workitem that a policy ended back into its queue, at its old place."""

    action = Action.REOPEN

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be open once more."""
        workitem.begin_again()
        workitem.queued_at = workitem.queued_at or now
        return {}


@dataclass(frozen=True)
class SetDisposition(Command):
    """Say how the interaction came out."""

    disposition: Disposition
    note: str = ""
    action = Action.DISPOSITION

    def fresh(self) -> Self:
        """Read the disposition anew."""
        return replace(self, disposition=Disposition.objects.get(pk=self.disposition.pk))

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """It must be in use, and meant for this type."""
        if not self.disposition.applies_to(workitem.type):
            raise DispositionDoesNotApply(disposition=self.disposition.name)

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be done."""
        workitem.disposition = self.disposition
        workitem.disposition_note = self.note
        workitem.dispositioned_at = now
        return {"dispositionId": self.disposition.disposition_id}


# Elsewhere


@dataclass(frozen=True)
class TransferOptions:
    """What the telephony reads from a transfer's event; to us they are words to keep."""

    event_name: str = ""
    recording: Recording | None = None
    survey: str = ""
    ring_all: bool | None = None

    def details(self) -> Details:
        """Return what was asked for, under its wire names."""
        asked = {
            "eventName": self.event_name,
            "recording": self.recording.value if self.recording else "",
            "survey": self.survey,
            "ringAll": self.ring_all,
        }
        return {name: value for name, value in asked.items() if value not in ("", None)}


@dataclass(frozen=True)
class TransferToQueue(Command):
    """Put the workitem in line in another queue and free its agent."""

    queue: Queue
    options: TransferOptions = field(default_factory=TransferOptions)
    action = Action.TRANSFER

    def fresh(self) -> Self:
        """Read the queue and its channels anew."""
        return replace(self, queue=Queue.objects.with_channels().get(pk=self.queue.pk))

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """The queue must be another one, open, for this channel, and one that the actor may send work into."""
        if workitem.queue_id == self.queue.pk:
            raise AlreadyInQueue(queue=self.queue.name)
        if not actor.can_transfer_into(self.queue):
            raise MissingTransferIn(queue=self.queue.name)
        _check_takes(self.queue, workitem.channel_type)

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Stand at the end of the other queue."""
        details = {"from": workitem.selected_queue_id, "to": self.queue.queue_id, **self.options.details()}
        workitem.enter_queue(self.queue, at=now)
        return details


@dataclass(frozen=True)
class TransferToAgent(Command):
    """Offer the workitem to another agent, whatever its state."""

    agent: User
    options: TransferOptions = field(default_factory=TransferOptions)
    action = Action.TRANSFER

    def fresh(self) -> Self:
        """Read the agent anew."""
        return replace(self, agent=_with_queues(self.agent))

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """The agent must be another one, active, and a member of a queue."""
        if workitem.agent_id == self.agent.pk:
            raise AlreadyWithAgent(agent=self.agent.get_username())
        if not self.agent.is_active or self._fallback(workitem) is None:
            raise AgentUnavailable(agent=self.agent.get_username())

    def target(self, workitem: Workitem) -> State:
        """The other agent is asked first."""
        return State.OFFERED

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Wait for the other agent's answer; what never was in a queue gets the place to fall back to now."""
        queue = self._fallback(workitem)
        assert queue is not None  # noqa: S101  checked above
        details = {"from": workitem.agent_username, "agent": self.agent.get_username(), **self.options.details()}
        workitem.queue = queue
        workitem.queued_at = workitem.queued_at or now
        workitem.be_offered(self.agent, now + timedelta(seconds=queue.offer_timeout_seconds))
        return details

    def _fallback(self, workitem: Workitem) -> Queue | None:
        """Return where a rejected offer goes: its own queue, else the agent's first queue for its channel."""
        theirs = self.agent.member_of_queues.all()
        if workitem.queue is not None:
            return workitem.queue if theirs else None
        return next((queue for queue in theirs if queue.takes(workitem.channel_type)), None)


# Corrections


@dataclass(frozen=True)
class SetPriority(Command):
    """Make the workitem more or less urgent."""

    priority: int
    action = Action.PRIORITY

    def already(self, workitem: Workitem) -> bool:
        """As urgent as asked."""
        return workitem.priority == self.priority

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Priorities go from 1 to 5."""
        check_priority(self.priority)

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be as urgent as asked."""
        details = {"old": workitem.priority, "new": self.priority}
        workitem.priority = self.priority
        return details


EDITABLE = {
    "name": "name",
    "contact": "contact",
    "data": "data",
    "currentStateName": "current_state_name",
    "from": "from_address",
    "to": "to_address",
}


@dataclass(frozen=True)
class Edit(Command):
    """Correct descriptive facts, given by wire name: name, contact, data, currentStateName, from, to."""

    changes: dict[str, Any]
    action = Action.EDIT

    def already(self, workitem: Workitem) -> bool:
        """All as asked."""
        return not self._differences(workitem)

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Each field must be one of the six, with a value of its kind."""
        for name, value in self.changes.items():
            if name not in EDITABLE:
                raise InvalidValue(field=name, problem=_("This field cannot be edited."))
            check_field(name, value)

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Take the new values; the event keeps old and new of each."""
        differences = self._differences(workitem)
        details = {name: {"old": _plain(old), "new": _plain(new)} for name, (old, new) in differences.items()}
        for name, (_old, new) in differences.items():
            setattr(workitem, EDITABLE[name], new)
        return details

    def _differences(self, workitem: Workitem) -> dict[str, tuple[Any, Any]]:
        found = {}
        for name, value in self.changes.items():
            if name not in EDITABLE:
                continue
            new = normal_address(value) if name in ("from", "to") and isinstance(value, str) else value
            old = getattr(workitem, EDITABLE[name])
            if old != new:
                found[name] = (old, new)
        return found


@dataclass(frozen=True)
class AddNote(Command):
    """Write a line of one's own into the timeline."""

    text: str = ""
    name: str = Event.NOTED.value
    details: dict[str, Any] = field(default_factory=dict)
    action = Action.NOTE

    def event(self, workitem: Workitem) -> str:
        """The name that the integration chose."""
        return self.name

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """The name must not be one of the system's, and the whole must be small."""
        if not 1 <= len(self.name) <= 64:
            raise InvalidValue(field="type", problem=_("The event's name has 1 to 64 characters."))
        if self.name in Event.values and self.name != Event.NOTED:
            raise InvalidValue(field="type", problem=_("“%s” is an event of the system.") % self.name)
        if self.name == Event.NOTED and not self.text.strip():
            raise InvalidValue(field="text", problem=_("The note is empty."))
        _check_size("details", {"text": self.text, **self.details})

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Keep the text and what came with it."""
        return {**self.details, "text": self.text} if self.text else dict(self.details)


@dataclass(frozen=True)
class Archive(Command):
    """Take the workitem out of the ordinary lists."""

    action = Action.ARCHIVE

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Lie in the archive."""
        workitem.archived_at = now
        return {}


@dataclass(frozen=True)
class Unarchive(Command):
    """Bring the workitem back into the ordinary lists."""

    action = Action.UNARCHIVE

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Lie in the archive no more."""
        workitem.archived_at = None
        return {}


@dataclass(frozen=True)
class Purge(Command):
    """Delete an archived workitem with its history, for good."""

    action = Action.PURGE


# Arrival


@dataclass(frozen=True)
class Create:
    """A workitem that arrives, or that an agent starts; what is not said is chosen by queue, type and address."""

    type: Type
    channel_type: str = ""
    queue: Queue | None = None
    agent: User | None = None
    contact: Contact | None = None
    workitem_id: str = ""
    from_address: str = ""
    to_address: str = ""
    name: str = ""
    priority: int | None = None
    data: dict[str, Any] = field(default_factory=dict)
    current_state_name: str = ""
    action = Action.CREATE

    def fresh(self) -> Self:
        """Read the queue and its channels anew."""
        if self.queue is None:
            return self
        return replace(self, queue=Queue.objects.with_channels().get(pk=self.queue.pk))

    def check(self, actor: Actor) -> None:
        """Raise a WorkitemError where it cannot arrive like this."""
        if self.channel not in self.type.channels:
            raise InvalidValue(field="channelType", problem=_("The channel does not fit the type %s.") % self.type)
        if self.priority is not None:
            check_priority(self.priority)
        if self.workitem_id and not re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", self.workitem_id):
            raise InvalidValue(
                field="workitemId", problem=_("An id has 1 to 64 letters, digits or characters of _ . : -")
            )
        for name in ("name", "from", "to", "data"):
            check_field(name, getattr(self, EDITABLE[name]))
        if self.current_state_name:
            check_field("currentStateName", self.current_state_name)
        if self.type.is_outbound:
            self._check_outbound(actor)
        elif self.queue is None:
            raise InvalidValue(field="selectedQueue", problem=_("Inbound work needs a queue."))
        elif self.agent is not None:
            raise InvalidValue(field="agentUsername", problem=_("Inbound work starts without an agent."))
        if self.queue is not None:
            _check_takes(self.queue, self.channel)

    @property
    def channel(self) -> str:
        """The channel named, or the type's usual one."""
        return self.channel_type or self.type.channels[0]

    def build(self, actor: Actor, now: datetime) -> Workitem:
        """Return the workitem, not saved, in its first state."""
        state = State.ACCEPTED if self.type.is_outbound else State.INQUEUE
        workitem = Workitem(
            type=self.type,
            channel_type=self.channel,
            state=state,
            current_state_name=self.current_state_name or state,
            priority=self.priority or (self.queue.priority if self.queue else Priority.NORMAL),
            name=self.name,
            from_address=normal_address(self.from_address),
            to_address=normal_address(self.to_address),
            data=self.data,
            created_at=now,
            modified_at=now,
            state_changed_at=now,
        )
        if self.workitem_id:
            workitem.workitem_id = self.workitem_id
        workitem.contact = self.contact or Contact.objects.the_one_known_by(
            workitem.to_address if self.type.is_outbound else workitem.from_address
        )
        if self.type.is_outbound:
            workitem.queue = self.queue
            workitem.be_assigned(self._starter(actor), at=now)
        elif self.queue is not None:
            workitem.enter_queue(self.queue, at=now)
        return workitem

    def _check_outbound(self, actor: Actor) -> None:
        agent = self.agent or actor.user
        if agent is None:
            raise InvalidValue(field="agentUsername", problem=_("Outbound work needs the agent who starts it."))
        if not agent.is_active:
            raise AgentUnavailable(agent=agent.get_username())

    def _starter(self, actor: Actor) -> User:
        agent = self.agent or actor.user
        assert agent is not None  # noqa: S101  checked above
        return agent


# Values


def check_priority(priority: int) -> None:
    """Raise InvalidValue unless the priority is from 1 to 5."""
    if priority not in Priority.values:
        raise InvalidValue(field="priority", problem=_("The priority goes from 1, the lowest, to 5, the highest."))


def check_field(name: str, value: Any) -> None:
    """Raise InvalidValue where a descriptive field, by its wire name, is given something it cannot hold."""
    if name == "contact":
        if value is not None and not isinstance(value, Contact):
            raise InvalidValue(field="contactId", problem=_("There is no such contact."))
        return
    if name == "data":
        if not isinstance(value, dict):
            raise InvalidValue(field="data", problem=_("The data must be an object."))
        _check_size("data", value)
        return
    length = Workitem._meta.get_field(EDITABLE[name]).max_length
    if not isinstance(value, str) or len(value) > length or "\x00" in value:
        raise InvalidValue(field=name, problem=_("This must be text of %d characters at most.") % length)
    if name == "currentStateName" and not value:
        raise InvalidValue(field=name, problem=_("The workflow step needs a name."))


def _check_size(name: str, value: dict[str, Any]) -> None:
    if len(orjson.dumps(value, default=str)) > MAX_DATA_BYTES:
        raise InvalidValue(field=name, problem=_("This must be %d KiB at most.") % (MAX_DATA_BYTES // 1024))


def _check_takes(queue: Queue, channel: str) -> None:
    if not queue.is_open:
        raise QueueClosed(queue=queue.name)
    if not queue.takes(channel):
        raise QueueRefusesChannel(queue=queue.name, channel=channel)


def _with_queues(agent: User) -> User:
    return User.objects.prefetch_related("member_of_queues__channel_rows").get(pk=agent.pk)


def _plain(value: Any) -> Any:
    return value.contact_id if isinstance(value, Contact) else value
