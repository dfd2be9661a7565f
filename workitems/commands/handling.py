"""Into and out of an agent's hands."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from django.contrib.auth.models import User

from workitems.actors import Actor
from workitems.choices import Action, Event
from workitems.commands.base import Command, Details
from workitems.commands.targets import lock_presence, with_queues
from workitems.errors import (
    AgentUnavailable,
    AlreadyWithAgent,
    NotAvailable,
    NotYourOffer,
    OfferStillOpen,
)
from workitems.models import Presence, Workitem


@dataclass(frozen=True)
class Offer(Command):
    """Offer the workitem to one agent, who has the queue's offer time-out to answer."""

    agent: User
    action = Action.OFFER

    def lock_first(self, actor: Actor) -> None:
        """Lock the agent's presence: how much he has in hand must not change meanwhile."""
        lock_presence(self.agent.pk)

    def fresh(self) -> Self:
        """Read the agent anew."""
        return replace(self, agent=with_queues(self.agent))

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require an active member of the queue who is there; of whom no presence is known, is taken to be."""
        if not self.agent.is_active or workitem.queue not in self.agent.member_of_queues.all():
            raise AgentUnavailable(agent=self.agent.get_username())
        presence: Presence | None = getattr(self.agent, "presence", None)
        if presence is not None and presence.status != Presence.Status.AVAILABLE:
            raise NotAvailable(agent=self.agent.get_username(), presence=presence.get_status_display())

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
        """Require that the deadline has passed."""
        if workitem.offer_expires_at is not None and workitem.offer_expires_at > now:
            raise OfferStillOpen


@dataclass(frozen=True)
class HandBack(Reject):
    """Take back an offer from an agent who has gone offline; the workitem keeps its place in the queue."""

    agent: User

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require that it has not been offered to somebody else meanwhile."""
        if workitem.agent_id != self.agent.pk:
            raise NotYourOffer

    def event(self, workitem: Workitem) -> str:
        """Tell it from an offer that somebody declined."""
        return Event.RETURNED

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be with nobody, at the same place, and say why."""
        return {**super().change(workitem, actor, now), "why": "offline"}


@dataclass(frozen=True)
class ReturnToQueue(Command):
    """Take the workitem from its agent and put it back into its queue, at its old place or at the end."""

    keeps_place: bool = True
    only_from: User | None = field(default=None, kw_only=True)  # None: whoever has it
    action = Action.RETURN_TO_QUEUE

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require that nobody else has got it meanwhile."""
        if self.only_from is not None and workitem.agent_id != self.only_from.pk:
            raise AlreadyWithAgent(agent=workitem.agent_username)

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be with nobody, in line."""
        details = {"agent": workitem.agent_username}
        workitem.leave_agent()
        workitem.queued_at = workitem.queued_at if self.keeps_place and workitem.queued_at else now
        return details


@dataclass(frozen=True)
class Pull(Command):
    """Take the workitem out of its queue oneself."""

    action = Action.PULL

    def lock_first(self, actor: Actor) -> None:
        """Lock the caller's presence: nobody may give him work for the room that he takes up here."""
        if actor.user is not None:
            lock_presence(actor.user.pk)

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be in the caller's hands."""
        assert actor.user is not None  # noqa: S101  the lifecycle lets only people do this
        workitem.be_assigned(actor.user, at=now)
        return {}
