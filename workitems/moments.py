"""Where everything stood at a moment: what the ledger tells of then, and what has not moved since.

Stays are asked for by their magnitude: one that lasted less than 4 to a power in seconds, and still ran at the moment,
began not longer before it than that. So at most four times as many rows are read as are found, however long the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q, QuerySet

from workitems import ledger
from workitems.actors import Actor
from workitems.choices import EndedBy, Scope, State
from workitems.models import Stay, Workitem

_BY = ("queue_id", "channel_type", "state")
_COUNTED = {"count": Count("pk"), "waiting": Count("entered_at"), "entered": Min("entered_at")}


@dataclass(frozen=True)
class Group:
    """How many stood in one state of a queue and channel at a moment; `queue_id` is the queue's pk, None for none."""

    queue_id: int | None
    channel_type: str
    state: str
    count: int
    since: datetime  # when the first of them came there
    waiting: int = 0  # of these, in a queue entry that ran
    entered_at: datetime | None = None  # when the first of those entries began

    def __add__(self, other: Group) -> Group:
        """Return both together."""
        entered = [at for at in (self.entered_at, other.entered_at) if at is not None]
        return Group(
            self.queue_id,
            self.channel_type,
            self.state,
            self.count + other.count,
            min(self.since, other.since),
            self.waiting + other.waiting,
            min(entered, default=None),
        )


def standing_at(actor: Actor, moment: datetime) -> list[Group]:
    """Return what stood where at a moment, by queue, channel and state, of the queues that the actor may see.

    Wrap-ups are those that an agent had; what was over or in the archive by then is left out. Two queries.
    """
    groups: dict[tuple[int | None, str, str], Group] = {}
    for group in _all_groups(actor, moment):
        key = (group.queue_id, group.channel_type, group.state)
        groups[key] = groups[key] + group if key in groups else group
    return [groups[key] for key in sorted(groups, key=lambda key: (key[0] or 0, key[1], key[2]))]


def stays_at(actor: Actor, moment: datetime) -> QuerySet[Stay]:
    """Return the stays that ran at a moment and are over by now; the rest is in `unmoved_since`."""
    began = Q()
    for power in range(ledger.MAGNITUDES):
        began |= _begun(power, moment)
    rows = Stay.objects.filter(began, ended_at__gt=moment).order_by()
    return rows.filter(_counts(), _seen_by(actor))


def unmoved_since(actor: Actor, moment: datetime) -> QuerySet[Workitem]:
    """Return the workitems that stood at a moment where they stand now."""
    return _unmoved(actor, moment).filter(Q(archived_at=None) | Q(archived_at__gt=moment, modified_at__gt=moment))


def _all_groups(actor: Actor, moment: datetime) -> Iterator[Group]:
    yield from _groups(stays_at(actor, moment).values_list(*_BY).annotate(since=Min("began_at"), **_COUNTED))
    # the archive apart, so that the rest is found by an index that leaves it out
    here, archived_later = (
        rows.values_list(*_BY).annotate(since=Min("place_since"), **_COUNTED)
        for rows in (
            _unmoved(actor, moment).filter(archived_at=None),
            _unmoved(actor, moment).filter(archived_at__gt=moment, modified_at__gt=moment),
        )
    )
    yield from _groups(here.union(archived_later, all=True))


def _groups(rows: Iterable[Any]) -> Iterator[Group]:
    for queue_id, channel, state, since, count, waiting, entered_at in rows:
        yield Group(queue_id, channel, state, count, since, waiting, entered_at)


def _unmoved(actor: Actor, moment: datetime) -> QuerySet[Workitem]:
    return Workitem.objects.filter(_counts(), _seen_by(actor), place_since__lte=moment).order_by()


def _begun(power: int, moment: datetime) -> Q:
    """Return the condition on what can run at a moment, of one magnitude; to the last one there is no end."""
    begun = Q(magnitude=power, began_at__lte=moment)
    return begun if power == ledger.MAGNITUDES - 1 else begun & Q(began_at__gt=moment - ledger.longest(power))


def _counts() -> Q:
    # in the words of the index of what stands still
    wraps_up = Q(agent_id__isnull=False) & ~Q(ended_by=EndedBy.POLICY)
    return ~Q(state=State.DISPOSITIONED) & (~Q(state=State.TERMINATED) | wraps_up)


def _seen_by(actor: Actor) -> Q:
    if Scope.READ in actor.everywhere:
        return Q()
    return Q(queue_id__in=actor.queues_with(Scope.READ))
