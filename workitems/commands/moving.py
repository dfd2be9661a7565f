"""Transfers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from types import SimpleNamespace
from typing import Self

from django.contrib.auth.models import User
from django.db.models import F
from django.utils.translation import gettext as _

from queues.models import Queue
from workitems import ledger
from workitems.actors import Actor, Standing
from workitems.choices import WAITING, Action, Event, Recording, Scope, State
from workitems.commands.base import Command, Details
from workitems.commands.targets import check_in_use, check_takes, lock_presence, with_queues
from workitems.commands.values import check_priority
from workitems.errors import (
    AgentUnavailable,
    AlreadyInQueue,
    AlreadyWithAgent,
    MissingTransferIn,
    NoQueue,
    TouchedSince,
)
from workitems.models import TimeEvent, Workitem

READS = (
    "workitem_id", "state", "current_state_name", "channel_type", "queue", "agent", "queued_at", "assigned_at",
    "offer_expires_at", "is_muted", "priority", "ended_by", "archived_at", "version",
)  # fmt: skip


@dataclass(frozen=True)
class TransferOptions:
    """What the telephony reads from a transfer's event; to us they are words to keep."""

    event_name: str = ""
    recording: Recording | None = None
    survey: str = ""
    ring_all: bool | None = None
    transfer_id: str = ""  # of the bulk transfer that it belongs to

    @cached_property
    def details(self) -> Details:
        """What was asked for, under its wire names."""
        asked = {
            "eventName": self.event_name,
            "recording": self.recording.value if self.recording else "",
            "survey": self.survey,
            "ringAll": self.ring_all,
            "transferId": self.transfer_id,
        }
        return {name: value for name, value in asked.items() if value not in ("", None)}


@dataclass(frozen=True)
class TransferToQueue(Command):
    """Put the workitem in line in another queue and free its agent."""

    queue: Queue
    options: TransferOptions = field(default_factory=TransferOptions)
    priority: int | None = None  # None: as it is
    action = Action.TRANSFER
    decides_by = ("state", "channel_type", "queue_id", "agent_id")
    reads = READS

    def fresh(self) -> Self:
        """Read the queue and its channels anew."""
        return replace(self, queue=Queue.objects.held(self.queue.pk))

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require another queue that is open, for this channel, and one that the actor may send work into."""
        if workitem.queue_id == self.queue.pk:
            raise AlreadyInQueue(queue=self.queue.name)
        if not actor.can_transfer_into(self.queue):
            raise MissingTransferIn(queue=self.queue.name)
        check_takes(self.queue, workitem.channel_type)
        if self.priority is not None:
            check_priority(self.priority)

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Stand at the end of the other queue."""
        details = {"from": workitem.selected_queue_id, "to": self.queue.queue_id, **self.options.details}
        details |= _before(workitem, self.priority)
        workitem.enter_queue(self.queue, at=now)
        workitem.priority = self.priority or workitem.priority
        return details


@dataclass(frozen=True)
class TransferToAgent(Command):
    """Offer the workitem to another agent, whatever its state."""

    agent: User
    options: TransferOptions = field(default_factory=TransferOptions)
    priority: int | None = None  # None: as it is
    action = Action.TRANSFER
    decides_by = ("state", "channel_type", "queue_id", "agent_id")
    reads = READS

    def lock_first(self, actor: Actor) -> None:
        """Lock the agent's presence: how much he has in hand must not change meanwhile."""
        lock_presence(self.agent.pk)

    def fresh(self) -> Self:
        """Read the agent anew."""
        return replace(self, agent=with_queues(self.agent))

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require another agent who is active and a member of a queue."""
        if workitem.agent_id == self.agent.pk:
            raise AlreadyWithAgent(agent=self.agent.get_username())
        if not self.agent.is_active or self._fallback(workitem) is None:
            raise AgentUnavailable(agent=self.agent.get_username())
        if self.priority is not None:
            check_priority(self.priority)

    def target(self, workitem: Workitem) -> State:
        """Return the state of being asked."""
        return State.OFFERED

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Wait for the other agent's answer; what never was in a queue gets the place to fall back to now."""
        queue = self._fallback(workitem)
        assert queue is not None  # noqa: S101  checked above
        details = {"from": workitem.agent_username, "agent": self.agent.get_username(), **self.options.details}
        details |= _before(workitem, self.priority)
        workitem.priority = self.priority or workitem.priority
        workitem.queue = queue
        workitem.queued_at = workitem.queued_at or now
        workitem.be_offered(self.agent, now + timedelta(seconds=queue.offer_timeout_seconds))
        return details

    def _fallback(self, workitem: Workitem) -> Queue | None:
        """Return where a rejected offer goes: its own queue, else the agent's first queue for its channel."""
        theirs = self.agent.member_of_queues.all()
        if workitem.queue is not None:
            return workitem.queue if theirs else None
        fitting = (queue for queue in theirs if queue.takes(workitem.channel_type) and not queue.is_retired)
        return next(fitting, None)


@dataclass(frozen=True)
class Home:
    """Where a workitem stood before a transfer, as the transfer's event tells."""

    moved_by: int | None
    state: State
    queue: Queue | None
    agent: User | None
    queued_at: datetime | None
    entered_at: datetime | None  # when the queue entry began that the transfer has ended
    assigned_at: datetime | None
    is_muted: bool
    priority: int | None  # None: the transfer left it as it was

    @property
    def agent_back(self) -> User | None:
        """The former agent, if he is still there to have it back."""
        return self.agent if self.agent is not None and self.agent.is_active else None

    def standing(self, workitem: Workitem) -> Standing:
        """Return the workitem as it would be at home, as far as rights and lifecycle ask."""
        return SimpleNamespace(
            state=workitem.state,
            channel_type=workitem.channel_type,
            agent_id=self.agent.pk if self.agent else None,
            queue_id=self.queue.pk if self.queue else None,
            ended_by=workitem.ended_by,
            archived_at=workitem.archived_at,
        )


@dataclass(frozen=True)
class UndoTransfer(Command):
    """Return a workitem to the queue, the place and the agent that it had before it was transferred.

    Only while nothing else has happened to it. `versions` says, by public id, what version the transfer left; without
    it the latest event must be a transfer.
    """

    versions: Mapping[str, int] = field(default_factory=dict)
    options: TransferOptions = field(default_factory=TransferOptions)
    homes: Mapping[int, Home] = field(default_factory=dict)
    action = Action.TRANSFER
    reads = READS

    def knowing(self, workitems: Sequence[Workitem]) -> Self:
        """Read what the transfers wrote into the history."""
        return replace(self, homes=_homes(workitems))

    def standing(self, workitem: Workitem, actor: Actor) -> Standing:
        """Let whoever transferred it fetch it back from where he cannot see it, if he may still write at its home."""
        home = self.homes.get(workitem.pk)
        return home.standing(workitem) if home and self._is_his(home, workitem, actor) else workitem

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require that the transfer is the last thing that happened, and the right to send it where it was."""
        home = self.homes.get(workitem.pk)
        if home is None or self.versions.get(workitem.workitem_id, workitem.version) != workitem.version:
            raise TouchedSince
        if home.queue is None and self.target(workitem) in WAITING:
            raise NoQueue
        if home.queue is not None and not self._may_go_home(home, home.queue, workitem, actor):
            is_known = actor.may_know(home.queue.pk)
            raise MissingTransferIn(queue=home.queue.name if is_known else _("the queue where it was"))
        check_in_use(home.queue)

    def target(self, workitem: Workitem) -> State:
        """Return the former state; without its agent it waits in its queue."""
        home = self.homes.get(workitem.pk)
        return home.state if home and home.agent_back else State.INQUEUE

    def event(self, workitem: Workitem) -> str:
        """Tell it from another transfer."""
        return Event.TRANSFER_UNDONE

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Stand where it stood; an offer is made anew, with its whole time to answer."""
        home = self.homes[workitem.pk]
        agent, queue = home.agent_back, home.queue
        details = {
            "from": workitem.selected_queue_id,
            "to": queue.queue_id if queue else "",
            "agent": agent.get_username() if agent else "",
            **self.options.details,
        }
        workitem.leave_agent()
        workitem.queue, workitem.queued_at = queue, home.queued_at
        workitem.priority = home.priority or workitem.priority
        if agent is None:
            workitem.queued_at = home.queued_at or now
        elif home.state == State.OFFERED:
            assert queue is not None  # noqa: S101  the database refuses offers without one
            workitem.be_offered(agent, now + timedelta(seconds=queue.offer_timeout_seconds))
        else:
            workitem.be_assigned(agent, at=home.assigned_at or now)
            workitem.is_muted = home.is_muted
        return details

    def waited_since(self, workitem: Workitem) -> datetime | None:
        """Wait on as if it had not been away."""
        return self.homes[workitem.pk].entered_at

    def _may_go_home(self, home: Home, queue: Queue, workitem: Workitem, actor: Actor) -> bool:
        is_there = queue.pk == workitem.queue_id
        return is_there or self._is_his(home, workitem, actor) or actor.can_transfer_into(queue)

    @staticmethod
    def _is_his(home: Home, workitem: Workitem, actor: Actor) -> bool:
        moved_it = actor.user is not None and home.moved_by == actor.user.pk
        return moved_it and actor.can(Scope.WRITE, home.standing(workitem))


def _homes(workitems: Sequence[Workitem]) -> dict[int, Home]:
    """Return where these workitems stood, those of them whose latest event is a transfer that somebody made here.

    What was imported tells of places elsewhere, in words that nobody has checked, and names nobody as its user.
    """
    versions = {workitem.pk: workitem.version for workitem in workitems}
    latest = TimeEvent.objects.filter(
        workitem__in=list(versions), version=F("workitem__version"), type=Event.TRANSFERRED, user__isnull=False
    )
    events = [one for one in latest if one.version == versions[one.workitem_id] and "before" in one.details]
    told = [event.details["before"] for event in events]
    queues = Queue.objects.in_bulk({one["queueId"] for one in told} - {""}, field_name="queue_id")
    agents = User.objects.in_bulk({one.get("agent", "") for one in told} - {""}, field_name="username")
    return {event.workitem_id: _home(event, queues, agents) for event in events}


def _home(event: TimeEvent, queues: Mapping[str, Queue], agents: Mapping[str, User]) -> Home:
    before = event.details["before"]
    return Home(
        moved_by=event.user_id,
        state=State(before["state"]),
        queue=queues.get(before["queueId"]),
        agent=agents.get(before.get("agent", "")),
        queued_at=ledger.moment(before.get("queuedAt")),
        entered_at=ledger.entered_before(event),
        assigned_at=ledger.moment(before.get("assignedAt")),
        is_muted=before.get("muted", False),
        priority=before.get("priority"),
    )


def _before(workitem: Workitem, priority: int | None) -> Details:
    """Return what an undo has to know; times in milliseconds, with the microseconds as their fraction."""
    before: Details = {"state": workitem.state, "queueId": workitem.selected_queue_id}
    if workitem.queued_at is not None:
        before["queuedAt"] = _milliseconds(workitem.queued_at)
    if workitem.state in WAITING and workitem.place_since and workitem.entered_at != workitem.queued_at:
        before["enteredAt"] = _milliseconds(workitem.entered_at) if workitem.entered_at else 0
    if workitem.agent is not None:
        before["agent"] = workitem.agent_username
    if workitem.assigned_at is not None:
        before["assignedAt"] = _milliseconds(workitem.assigned_at)
    if workitem.is_muted:
        before["muted"] = True
    if priority not in (None, workitem.priority):
        before["priority"] = workitem.priority
    return {"before": before}


def _milliseconds(at: datetime) -> float:
    return (at - ledger.EPOCH) // timedelta(microseconds=1) / 1000
