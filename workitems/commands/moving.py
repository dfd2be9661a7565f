"""Transfers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from django.contrib.auth.models import User

from queues.models import Queue
from workitems.actors import Actor
from workitems.choices import Action, Recording, State
from workitems.commands.base import Command, Details
from workitems.commands.targets import check_takes, with_queues
from workitems.errors import (
    AgentUnavailable,
    AlreadyInQueue,
    AlreadyWithAgent,
    MissingTransferIn,
)
from workitems.models import Workitem


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
        """Require another queue that is open, for this channel, and one that the actor may send work into."""
        if workitem.queue_id == self.queue.pk:
            raise AlreadyInQueue(queue=self.queue.name)
        if not actor.can_transfer_into(self.queue):
            raise MissingTransferIn(queue=self.queue.name)
        check_takes(self.queue, workitem.channel_type)

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
        return replace(self, agent=with_queues(self.agent))

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require another agent who is active and a member of a queue."""
        if workitem.agent_id == self.agent.pk:
            raise AlreadyWithAgent(agent=self.agent.get_username())
        if not self.agent.is_active or self._fallback(workitem) is None:
            raise AgentUnavailable(agent=self.agent.get_username())

    def target(self, workitem: Workitem) -> State:
        """Return the state of being asked."""
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
