"""Into and out of an agent's hands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from django.contrib.auth.models import User

from workitems.actors import Actor
from workitems.choices import Action
from workitems.commands.base import Command, Details
from workitems.commands.targets import with_queues
from workitems.errors import (
    AgentUnavailable,
    OfferStillOpen,
)
from workitems.models import Workitem


@dataclass(frozen=True)
class Offer(Command):
    """Offer the workitem to one agent, who has the queue's offer time-out to answer."""

    agent: User
    action = Action.OFFER

    def fresh(self) -> Self:
        """Read the agent anew."""
        return replace(self, agent=with_queues(self.agent))

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require an active member of the queue."""
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
        """Require that the deadline has passed."""
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
