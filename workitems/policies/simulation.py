"""What a policy would do, counted without doing it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from queues.models import Queue
from workitems.choices import PASSIVE, Event
from workitems.models import StalePolicy, TimeEvent, Workitem
from workitems.policies import reach as reaches
from workitems.policies.reach import Reach, Sought

LOOKED_BACK = timedelta(days=7)
MOST_SAMPLES = 5
# these leave a workitem's last activity where it was; one that is archived ends its stay
QUIET = tuple(sorted(PASSIVE - {Event.ARCHIVED}))

WORKITEMS, EVENTS = Workitem._meta.db_table, TimeEvent._meta.db_table


@dataclass
class Line:
    """How many workitems of a queue, in a state, and some of them; no queue: those that are in none."""

    queue: Queue | None
    state: str
    count: int = 0
    samples: list[str] = field(default_factory=list)


@dataclass
class Simulation:
    """What a policy would do now, and what it would have done of late."""

    now: list[Line]
    unwarned: list[Line]  # what it would mark now, and act on only after the warning has stood its time
    exempt: list[Line]  # what it would spare now
    past: list[Line]
    cap: int

    @property
    def total(self) -> int:
        """How many workitems it would act on now, if its cap were high enough."""
        return sum(line.count for line in self.now)

    @property
    def past_total(self) -> int:
        """How many workitems it would have acted on, those counted twice that stood in two queues."""
        return sum(line.count for line in self.past)

    @property
    def would_halt(self) -> bool:
        """Tell whether the first run would stop at its cap."""
        return self.total > self.cap


def simulate(policy: StalePolicy, *, now: datetime) -> Simulation:
    """Return what a policy would do, as if it were switched on and not halted, in place of any rival.

    `now` is what the next sweep would take, by the very conditions of the sweep. `past` counts the workitems that stood
    in the policy's state without activity for longer than its time, at some time of the last seven days, by their
    history and by where they stand; each once a queue, however often. What the policy would thereby have prevented or
    brought about is not played through, other policies are taken as they are today, and exemptions and warnings of
    those days are left out of account.
    """
    reach = reaches.reach_of(policy)
    names = {queue.pk: queue for queue in Queue.objects.all()}

    def count(sought: Sought) -> list[Line]:
        return _lines(reach, names, _standing(reach, sought, now))

    return Simulation(
        now=count(Sought.DUE),
        unwarned=count(Sought.UNWARNED) if policy.warn_seconds else [],
        exempt=count(Sought.EXEMPT),
        past=_lines(reach, names, _past(reach, now)),
        cap=policy.cap,
    )


Counted = tuple[int | None, str, int, str, str]  # queue, channel, how many, the first and the last of them


def _lines(reach: Reach, names: dict[int, Queue], counted: Iterable[Counted]) -> list[Line]:
    lines: dict[int | None, Line] = {}
    for queue, channel, count, first, last in sorted(counted, key=lambda one: (one[0] or 0, one[1])):
        if channel in reach.channels.get(queue, ()):
            line = lines.setdefault(queue, Line(names.get(queue or 0), reach.policy.state))
            line.count += count
            fresh = [one for one in dict.fromkeys((first, last)) if one not in line.samples]
            line.samples += fresh[: MOST_SAMPLES - len(line.samples)]
    return sorted(lines.values(), key=lambda line: (line.queue is None, line.queue.name if line.queue else ""))


def _standing(reach: Reach, sought: Sought, now: datetime) -> list[Counted]:
    """Count what stands there now, by queue and channel."""
    condition, values = reaches.condition_of(reach.policy, sought, now)
    parts, params = [], []
    for source, match in reaches.matches(reach.places):
        parts.append(
            f"SELECT w.queue_id, w.channel_type, count(*), min(w.workitem_id), max(w.workitem_id) "  # noqa: S608
            f"FROM {source} JOIN {WORKITEMS} w ON {match} WHERE {condition} GROUP BY w.queue_id, w.channel_type"
        )
        params += values
    return _fetch(" UNION ALL ".join(parts), params) if parts else []


def _past(reach: Reach, now: datetime) -> list[Counted]:
    """Count what stood there for too long within the last seven days, by queue and channel."""
    policy, at = reach.policy, connection.ops.adapt_datetimefield_value
    condition, values = reaches.condition_of(policy, Sought.STANDING, now)
    kinds = _types_of(policy)
    ended = f"""
        SELECT spell.queue_id, spell.channel_type, spell.workitem_id FROM (
            SELECT e.queue_id, w.channel_type, w.workitem_id, w.type AS kind, e.type, e.to_state, e.timestamp AS since,
                lead(e.timestamp) OVER (PARTITION BY e.workitem_id ORDER BY e.version) AS until
            FROM {WORKITEMS} w JOIN {EVENTS} e ON e.workitem_id = w.id
            WHERE w.modified_at > %s AND e.type NOT IN ({_places_for(QUIET)})
        ) spell
        WHERE spell.to_state = %s AND spell.type <> '{Event.ARCHIVED.value}' AND spell.until > %s
            AND {_longer_than()} {f"AND spell.kind IN ({_places_for(kinds)})" if kinds else ""}
    """  # noqa: S608  made of names of our own
    begin = now - LOOKED_BACK
    params = [at(begin), *QUIET, policy.state, at(begin), policy.after_seconds, *kinds]
    standing = f"SELECT w.queue_id, w.channel_type, w.workitem_id FROM {WORKITEMS} w WHERE {condition}"  # noqa: S608
    return _fetch(
        "SELECT queue_id, channel_type, count(DISTINCT workitem_id), min(workitem_id), max(workitem_id) "  # noqa: S608
        f"FROM ({ended} UNION ALL {standing}) found GROUP BY queue_id, channel_type",
        [*params, *values],
    )


def _longer_than() -> str:
    if connection.vendor == "postgresql":
        return "spell.until - spell.since > %s * interval '1 second'"
    return "(julianday(spell.until) - julianday(spell.since)) * 86400 > %s"


def _types_of(policy: StalePolicy) -> list[str]:
    if policy.act == StalePolicy.Act.DISPOSE and policy.disposition is not None:
        return list(policy.disposition.types)
    return []


def _places_for(values: Iterable[str]) -> str:
    return ", ".join("%s" for _value in values)


def _fetch(sql: str, params: list[Any]) -> list[Counted]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[Counted] = cursor.fetchall()
    return rows
