"""Where work can go."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User

from queues.models import Queue
from workitems.errors import (
    QueueClosed,
    QueueRefusesChannel,
)
from workitems.models import Presence


def check_takes(queue: Queue, channel: str) -> None:
    """Raise a WorkitemError unless the queue is open and takes this channel."""
    if not queue.is_open:
        raise QueueClosed(queue=queue.name)
    if not queue.takes(channel):
        raise QueueRefusesChannel(queue=queue.name, channel=channel)


def check_in_use(queue: Queue | None) -> None:
    """Raise a WorkitemError where the queue is retired."""
    if queue is not None and queue.is_retired:
        raise QueueClosed(queue=queue.name)


def with_queues(agent: User) -> User:
    """Return the agent read anew, with the queues he works in."""
    people = User.objects.select_related("presence").prefetch_related("member_of_queues__channel_rows")
    return people.get(pk=agent.pk)


def lock_presence(agent_pk: int) -> Presence | None:
    """Hold off everybody else who would give this agent work, until the transaction ends; return his presence."""
    return next(iter(lock_presences([agent_pk])), None)


def lock_presences(agent_pks: Iterable[int]) -> list[Presence]:
    """Lock the presences of several agents, lowest pk first so that two of us cannot block each other."""
    return list(Presence.objects.select_for_update().filter(user__in=set(agent_pks)).order_by("pk"))
