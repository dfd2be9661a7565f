"""Where work can go."""

from __future__ import annotations

from django.contrib.auth.models import User

from queues.models import Queue
from workitems.errors import (
    QueueClosed,
    QueueRefusesChannel,
)


def check_takes(queue: Queue, channel: str) -> None:
    """Raise a WorkitemError unless the queue is open and takes this channel."""
    if not queue.is_open:
        raise QueueClosed(queue=queue.name)
    if not queue.takes(channel):
        raise QueueRefusesChannel(queue=queue.name, channel=channel)


def with_queues(agent: User) -> User:
    """Return the agent read anew, with the queues he works in."""
    return User.objects.prefetch_related("member_of_queues__channel_rows").get(pk=agent.pk)
