"""What a workitem's history says of queues that its reader may not know: nothing, as on the pages.

Whoever sees a workitem may be told of the queue that it is in, and of those whose work he sees or may send work into
(actors.py). The ids of others are empty.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import orjson

from queues.models import Queue
from workitems.actors import Actor
from workitems.choices import Event, Scope
from workitems.timeline import queues_told


class Veil:
    """One reader's; what he may know is looked up when the first queue is met that is not the workitem's own."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._hides_nothing = Scope.READ in actor.everywhere

    def queue(self, queue_id: str, home: str) -> str:
        """Return the id of a queue, or nothing, in the history of a workitem that is at home in another one now."""
        is_told = self._hides_nothing or queue_id in ("", home) or queue_id in self._known
        return queue_id if is_told else ""

    def details(self, kind: str, text: str, home: str) -> str:
        """Return the JSON of an event's details; only transfers tell of queues."""
        if self._hides_nothing or kind not in (Event.TRANSFERRED, Event.TRANSFER_UNDONE):
            return text
        told: dict[str, Any] = orjson.loads(text)
        self._cover(told, queues_told(kind, told), home)
        if isinstance(told.get("before"), dict):
            self._cover(told["before"], ("queueId",), home)
        return orjson.dumps(told).decode()

    @cached_property
    def _known(self) -> frozenset[str]:
        known = Queue.objects.filter(pk__in=self._actor.queues_known)
        return frozenset(known.values_list("queue_id", flat=True))

    def _cover(self, told: dict[str, Any], names: tuple[str, ...], home: str) -> None:
        for name in names:
            if isinstance(told.get(name), str):
                told[name] = self.queue(told[name], home)
