"""How workitems arrive."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from contacts.models import Contact
from queues.models import Queue
from workitems.actors import Actor
from workitems.choices import Action, Priority, State, Type
from workitems.commands.targets import check_takes
from workitems.commands.values import EDITABLE, address_on, check_field, check_priority, check_workitem_id
from workitems.errors import (
    AgentUnavailable,
    InvalidValue,
)
from workitems.models import Workitem


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
        return replace(self, queue=Queue.objects.held(self.queue.pk))

    def check(self, actor: Actor) -> None:
        """Raise a WorkitemError where it cannot arrive like this."""
        if self.channel not in self.type.channels:
            raise InvalidValue(field="channelType", problem=_("The channel does not fit the type %s.") % self.type)
        if self.priority is not None:
            check_priority(self.priority)
        if self.workitem_id:
            check_workitem_id(self.workitem_id)
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
            check_takes(self.queue, self.channel)

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
            from_address=address_on(self.channel, self.from_address),
            to_address=address_on(self.channel, self.to_address),
            data=self.data,
            created_at=now,
            modified_at=now,
            state_changed_at=now,
            active_at=now,
        )
        if self.workitem_id:
            workitem.workitem_id = self.workitem_id
        theirs = workitem.to_address if self.type.is_outbound else workitem.from_address
        if self.contact or theirs.startswith("+") or "@" in theirs:
            workitem.contact = self.contact or Contact.objects.the_one_known_by(theirs)
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
        # nobody is given work that he has nothing to do with
        if not agent.is_active or (agent != actor.user and not self._works_here(agent)):
            raise AgentUnavailable(agent=agent.get_username())

    def _works_here(self, agent: User) -> bool:
        theirs = agent.member_of_queues.all()
        return theirs.exists() if self.queue is None else self.queue in theirs

    def _starter(self, actor: Actor) -> User:
        agent = self.agent or actor.user
        assert agent is not None  # noqa: S101  checked above
        return agent
