"""Where queues stand: what waits, is worked on and is wrapped up, for a page of queues at once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from unfold.views import ChangeList

from queues.models import Queue
from workitems.choices import OPEN, State
from workitems.models import Workitem


@dataclass
class Load:
    """The open work of one queue, by state, and what its agents are wrapping up."""

    states: Counter[str] = field(default_factory=Counter)
    longest_since: datetime | None = None
    in_wrap_up: int = 0
    members: int = 0

    @property
    def waiting(self) -> int:
        """What waits for an agent, and is offered to none."""
        return self.states[State.INQUEUE]

    @property
    def active(self) -> int:
        """What agents have accepted and not put on hold."""
        return self.states[State.ACCEPTED] + self.states[State.ACTIVE] + self.states[State.CONFERENCE]

    @property
    def on_hold(self) -> int:
        """What is on hold."""
        return self.states[State.HOLD]


def loads_of(queues: Sequence[Queue], now: datetime) -> dict[int, Load]:
    """Return where each of these queues stands, in three grouped queries."""
    loads: dict[int, Load] = {queue.pk: Load() for queue in queues}
    if not loads:
        return loads
    open_work = Workitem.objects.filter(queue__in=loads, state__in=OPEN).order_by()
    for pk, state, count, first in open_work.values_list("queue", "state").annotate(Count("pk"), Min("queued_at")):
        load = loads[pk]
        load.states[state] = count
        if state == State.INQUEUE:
            load.longest_since = first
    for pk, count in _wrapping_up(queues, now):
        loads[pk].in_wrap_up = count
    members = Queue.members.through.objects.filter(queue__in=loads).order_by()
    for pk, count in members.values_list("queue").annotate(Count("pk")):
        loads[pk].members = count
    return loads


def items_address(**filters: str | Sequence[str]) -> str:
    """Return the address of the list of workitems with these filters."""
    return f"{reverse('admin:workitems_workitem_changelist')}?{urlencode(filters, doseq=True)}"


class LoadedChangeList(ChangeList):
    """A page of queues with their loads, counted for all of them at once."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then the loads."""
        super().get_results(request)
        page: list[Any] = list(self.result_list)  # type: ignore[has-type]
        loads = loads_of(page, timezone.now())
        for queue in page:
            queue.load = loads[queue.pk]
        self.result_list = page


def _wrapping_up(queues: Sequence[Queue], now: datetime) -> Any:
    """Count what ended within its queue's time for wrap-up, through the index of what ended when."""
    by_seconds: dict[int, list[int]] = defaultdict(list)
    for queue in queues:
        by_seconds[queue.wrap_up_seconds].append(queue.pk)
    recent = Q()
    for seconds, pks in by_seconds.items():
        recent |= Q(queue__in=pks, terminated_at__gt=now - timedelta(seconds=seconds))
    longest = now - timedelta(seconds=max(by_seconds))
    ended = Workitem.objects.filter(recent, state=State.TERMINATED, terminated_at__gt=longest, archived_at=None)
    return ended.order_by().values_list("queue").annotate(Count("pk"))
