"""Which policy holds where, and the statements that find the workitems there.

Of all that are switched on, the most specific holds: its queue and its channel named, then its queue, then its channel,
then neither. A halted policy does nothing, and still keeps the less specific ones off what is its own.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from queues.channels import Channel
from queues.models import Queue
from workitems import statements
from workitems.choices import State, Type
from workitems.models import PolicyRunItem, StalePolicy, Workitem

Place = tuple[int | None, str]  # a queue's pk, or None for no queue, and a channel
Channels = Mapping[int | None, frozenset[str]]

WORKITEMS, ITEMS = Workitem._meta.db_table, PolicyRunItem._meta.db_table
TOGETHER = 100  # so many places in one part of a statement: SQLite takes 500 parts at most


class Sought(enum.Enum):
    """What is looked for."""

    DUE = "due"  # what the policy may act on now
    UNWARNED = "unwarned"  # what it has to warn of first
    EXEMPT = "exempt"  # what it would act on, had nobody exempted it
    DUE_OR_EXEMPT = "due or exempt"
    STANDING = "standing"  # what has stood still for too long, warned of or not


@dataclass(frozen=True)
class Reach:
    """Where a policy holds: on these channels of these queues; None stands for no queue."""

    policy: StalePolicy
    channels: Channels

    @property
    def places(self) -> list[Place]:
        """Each queue with each channel."""
        return [(queue, channel) for queue, channels in self.channels.items() for channel in sorted(channels)]


@dataclass
class Found:
    """The places of a policy at which there is something."""

    reach: Reach
    sought: Sought
    places: list[Place] = field(default_factory=list)


def enabled() -> list[StalePolicy]:
    """Return the policies that are switched on, halted ones too."""
    return list(StalePolicy.objects.filter(is_enabled=True).select_related("disposition"))


def resolve(policies: Sequence[StalePolicy], queues: Iterable[int] | None = None) -> list[Reach]:
    """Return where each of these policies holds; one that holds nowhere is left out.

    `queues` are the pks of all queues, read from the database unless given.
    """
    if not policies:
        return []
    pks = Queue.objects.values_list("pk", flat=True) if queues is None else queues
    by_kind = {(one.queue_id, one.channel, one.state): one for one in policies}
    held: dict[int, dict[int | None, set[str]]] = defaultdict(lambda: defaultdict(set))
    for queue in [None, *pks]:
        for state in {one.state for one in policies}:
            for channel in Channel.values:
                kinds = ((queue, channel, state), (queue, "", state), (None, channel, state), (None, "", state))
                policy = next((by_kind[kind] for kind in kinds if kind in by_kind), None)
                if policy is not None and channel in _channels_for(policy, queue):
                    held[id(policy)][queue].add(channel)
    return [
        Reach(policy, {queue: frozenset(channels) for queue, channels in held[id(policy)].items()})
        for policy in policies
        if id(policy) in held
    ]


def reach_of(policy: StalePolicy) -> Reach:
    """Return where this policy holds, as if it were switched on and not halted."""
    others = [one for one in enabled() if one.pk != policy.pk and _kind(one) != _kind(policy)]
    found = [one for one in resolve([*others, policy]) if one.policy is policy]
    return found[0] if found else Reach(policy, {})


def look(wanted: Sequence[tuple[Reach, Sought]], now: datetime) -> list[Found]:
    """Return the policies, and of each the places, where there is something sought; one statement for all of them."""
    parts: list[str] = []
    params: list[Any] = []
    for number, (reach, sought) in enumerate(wanted):
        condition, values = condition_of(reach.policy, sought, now)
        for source, match in _sources(reach.places):
            parts.append(
                f"SELECT {number}, place.column1, place.column2 FROM (VALUES {source}) place WHERE (SELECT w.id "  # noqa: S608
                f"FROM {WORKITEMS} w WHERE {match} AND {condition} ORDER BY w.active_at, w.id LIMIT 1) IS NOT NULL"
            )
            params += values
    found: dict[int, Found] = {}
    for number, queue, channel in statements.fetch(" UNION ALL ".join(parts), params) if parts else ():
        found.setdefault(number, Found(*wanted[number])).places.append((queue, channel))
    return [found[number] for number in sorted(found)]


def oldest(found: Found, sought: Sought, now: datetime, most: int) -> tuple[str, list[Any]]:
    """Return the statement that gives ids and exemptions of the workitems at these places, longest idle first.

    Each place is read by its index, and no further than `most`.
    """
    condition, values = condition_of(found.reach.policy, sought, now)
    facts = "w.workitem_id, w.exempt_until, w.active_at, w.id"
    parts = [
        f"SELECT {facts} FROM {WORKITEMS} w WHERE {_at(place)} AND {condition} "  # noqa: S608
        f"ORDER BY w.active_at, w.id LIMIT {most}"
        for place in found.places
    ]
    params = values * len(parts)
    while len(parts) > 1:
        parts = [_merged(parts[first : first + TOGETHER], most) for first in range(0, len(parts), TOGETHER)]
    return f"SELECT workitem_id, exempt_until FROM ({parts[0]}) chosen ORDER BY active_at, id", params  # noqa: S608


def matches(places: Sequence[Place]) -> list[tuple[str, str]]:
    """Return joins that give the workitems at these places, as a source of places and what matches them."""
    return [(f"(VALUES {source}) place", match) for source, match in _sources(places)]


def condition_of(policy: StalePolicy, sought: Sought, now: datetime) -> tuple[str, list[Any]]:
    """Return what a workitem `w` at a policy's places must be like, and the values that this needs."""
    at = connection.ops.adapt_datetimefield_value
    ahead = policy.warning if sought is Sought.UNWARNED else timedelta()
    parts = [
        "w.state = %s",
        "w.archived_at IS NULL",
        f"NOT (w.state = '{State.DISPOSITIONED.value}')",  # the very words of the index
        "w.active_at <= %s",
        # what a run has set aside waits for somebody to retry it
        f"NOT EXISTS (SELECT 1 FROM {ITEMS} i WHERE i.workitem_id = w.workitem_id AND i.outcome = 'failed')",  # noqa: S608
    ]
    values: list[Any] = [policy.state, at(now - policy.after + ahead)]
    exempt, due = "w.exempt_until > %s", "(w.exempt_until IS NULL OR w.exempt_until <= %s)"
    if sought is Sought.UNWARNED:
        due += " AND w.stale_at IS NULL"
    elif policy.warn_seconds and sought in (Sought.DUE, Sought.DUE_OR_EXEMPT):
        due += " AND w.stale_at <= %s"
    asked = {Sought.EXEMPT: exempt, Sought.DUE_OR_EXEMPT: f"({exempt} OR {due})"}.get(sought, due)
    parts.append(asked)
    values += [at(now)] * asked.count("%s")
    if policy.act == StalePolicy.Act.DISPOSE and policy.disposition is not None and policy.disposition.types:
        types = policy.disposition.types
        parts.append(f"w.type IN ({', '.join(['%s'] * len(types))})")
        values += types
    return " AND ".join(parts), values


def _merged(parts: Sequence[str], most: int) -> str:
    union = " UNION ALL ".join(f"SELECT * FROM ({part}) part" for part in parts)  # noqa: S608
    return f"SELECT * FROM ({union}) merged ORDER BY active_at, id LIMIT {most}"  # noqa: S608


def _kind(policy: StalePolicy) -> tuple[int | None, str, str]:
    return policy.queue_id, policy.channel, policy.state


def _channels_for(policy: StalePolicy, queue: int | None) -> Iterable[str]:
    """Return the channels on which the policy can do there what it is meant to."""
    if policy.act == StalePolicy.Act.REQUEUE and queue is None:
        return ()
    if policy.act == StalePolicy.Act.DISPOSE and policy.disposition is not None:
        if not policy.disposition.is_active:
            return ()
        if policy.disposition.types:
            return {channel.value for kind in policy.disposition.types for channel in Type(kind).channels}
    return Channel.values


def _sources(places: Sequence[Place]) -> list[tuple[str, str]]:
    """Return these places as rows of a VALUES list, and how a workitem matches one: those in no queue by themselves."""
    known = [(queue, channel) for queue, channel in places if queue is not None]
    homeless = [channel for queue, channel in places if queue is None]
    sources = []
    if known:
        rows = ", ".join(f"({int(queue)}, '{Channel(channel).value}')" for queue, channel in known)
        sources.append((rows, "w.queue_id = place.column1 AND w.channel_type = place.column2"))
    if homeless:
        rows = ", ".join(f"(CAST(NULL AS integer), '{Channel(channel).value}')" for channel in homeless)
        sources.append((rows, "w.queue_id IS NULL AND w.channel_type = place.column2"))
    return sources


def _at(place: Place) -> str:
    queue, channel = place
    where = "w.queue_id IS NULL" if queue is None else f"w.queue_id = {int(queue)}"
    return f"{where} AND w.channel_type = '{Channel(channel).value}'"
