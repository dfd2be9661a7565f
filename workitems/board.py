"""The board: how each queue and channel stands now and how its day has gone, for all who may see the same.

Two queries, whatever the number of queues: the queues, and then everything that is counted, each row as JSON. What was
counted is remembered under the mark of all changes, for everybody with the same rights on queues. An agent's own items
in other queues are not on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Min, Q, QuerySet, Value
from django.db.models.functions import JSONObject

from queues.models import Queue
from workitems import cached, clocks, directory, measures, policies, requested, routing
from workitems.actors import Actor
from workitems.choices import Door, Scope, State
from workitems.measures import Sums
from workitems.models import DRIVEN, BulkRun, PolicyRun, Presence, Run, Transfer, Workitem
from workitems.stuck import Stuck, in_wrap_up, is_stuck
from workitems.worklist import Sla
from workitems.worklist.sla import WARNED_AFTER

TARGET = 0.8  # the share that is to be answered within the service level
REMEMBERED_SECONDS = 15
TALKING = (State.ACCEPTED, State.ACTIVE, State.CONFERENCE)
URGENCY = {None: 0, Sla.FINE: 1, Sla.WARNING: 2, Sla.BREACHED: 3}
PROGRESS = (
    "state", "total", "done", "refused", "failed", "created_at", "started_at", "paused_at", "paused_seconds",
    "moved_at",
)  # fmt: skip

Row = dict[str, Any]


@dataclass
class Line:
    """What is counted of a channel of a queue, or of several of them together."""

    waiting: int = 0
    offered: int = 0
    talking: int = 0  # accepted, active or in conference
    hold: int = 0
    wrapping: int = 0
    late: int = 0  # of what waits or is offered, past the service level
    entered_at: datetime | None = None  # the longest wait: when it entered its queue
    created_at: datetime | None = None  # and the customer who has waited longest since he came
    wrapping_since: datetime | None = None
    way: Sla | None = None  # how the longest waits stand to their service levels, at the worst
    today: Sums = field(default_factory=Sums)
    stuck: dict[str, int] = field(default_factory=dict)

    def __add__(self, other: Line) -> Line:
        """Return both together."""
        added: dict[str, Any] = {name: getattr(self, name) + getattr(other, name) for name in (*COUNTED, "today")}
        first: dict[str, Any] = {name: _first(getattr(self, name), getattr(other, name)) for name in MOMENTS}
        stuck = {way: self.stuck.get(way, 0) + other.stuck.get(way, 0) for way in {*self.stuck, *other.stuck}}
        return Line(**added, **first, stuck=stuck, way=max(self.way, other.way, key=lambda one: URGENCY[one]))

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing and was nothing today."""
        return not (self.today.offered or any(getattr(self, name) for name in COUNTED))


COUNTED = tuple(one.name for one in fields(Line) if one.type == "int")
MOMENTS = ("entered_at", "created_at", "wrapping_since")


@dataclass
class QueueLine:
    """One queue: since when its day lasts, who is there, and a line for each of its channels."""

    pk: int
    queue_id: str
    name: str
    is_open: bool
    is_retired: bool
    time_zone: str
    day_began: datetime
    levels: dict[str, int] = field(default_factory=dict)  # the service levels, by channel
    channels: dict[str, Line] = field(default_factory=dict)
    agents: dict[str, int] = field(default_factory=dict)  # by presence

    @property
    def total(self) -> Line:
        """All channels together."""
        return sum(self.channels.values(), Line())


@dataclass(frozen=True)
class RunLine:
    """A run that is on its way: the run as far as it tells its progress, and what it does in a name."""

    kind: str  # transfer, bulk or policy
    run_id: str
    name: str
    requested_by: int | None
    run: Run


@dataclass(frozen=True)
class Alert:
    """A policy's run that stopped at its cap and waits for somebody to look."""

    run_id: str
    policy: str
    cap: int
    address: str


@dataclass
class Board:
    """What somebody may see of the centre at a moment."""

    at: datetime
    sees_all: bool
    queues: list[QueueLine]
    elsewhere: Line = field(default_factory=Line)  # what is in no queue at all
    agents: dict[str, int] = field(default_factory=dict)  # of all queues, each counted once
    absent: list[routing.Stuck] = field(default_factory=list)
    runs: list[RunLine] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)

    def runs_for(self, actor: Actor) -> list[RunLine]:
        """Return the runs that this very person may see."""
        return [one for one in self.runs if one.kind == "policy" or requested.is_visible(one.requested_by, actor)]


def look(actor: Actor, mark: str, *, now: datetime) -> Board:
    """Return the board of what this actor may see, as it was counted under this mark of all changes."""
    return cached.remembered(f"board:{audience_key(actor)}:{mark}", lambda: count(actor, now=now), REMEMBERED_SECONDS)


def audience_key(actor: Actor) -> str:
    """Return what is the same for all who see the same board."""
    rights = sorted(actor.everywhere), sorted((pk, sorted(scopes)) for pk, scopes in actor.by_queue.items())
    return hashlib.sha256(repr(rights).encode()).hexdigest()[:24]


def available(agents: dict[str, int]) -> int:
    """Return how many of these agents take work."""
    return agents.get(Presence.Status.AVAILABLE, 0)


def logged_in(agents: dict[str, int]) -> int:
    """Return how many of these agents are there at all."""
    return sum(number for status, number in agents.items() if status and status != Presence.Status.OFFLINE)


def count(actor: Actor, *, now: datetime) -> Board:
    """Count everything anew."""
    audience = Actor(name="", door=Door.PAGE, everywhere=actor.everywhere, by_queue=actor.by_queue)
    queues = _queues(audience, now)
    board = Board(now, Scope.READ in actor.everywhere, list(queues.values()))
    first, *others = _parts(audience, queues, now)
    for part, row in first.union(*others, all=True):
        TAKEN[part](board, queues, row)
    board.queues = [one for one in board.queues if not one.is_retired or not one.total.is_empty]
    for one in board.queues:
        _judge(one, now)
    board.absent.sort(key=lambda agent: agent.username)
    return board


# The queues


def _queues(audience: Actor, now: datetime) -> dict[int, QueueLine]:
    rows = directory.visible_queues(audience).order_by("name", "queue_id", "channel_rows__channel")
    found: dict[int, QueueLine] = {}
    began: dict[str, datetime] = {}
    for pk, queue_id, name, is_open, retired_at, zone, channel, level in rows.values_list(
        "pk", "queue_id", "name", "is_open", "retired_at", "time_zone", "channel_rows__channel",
        "channel_rows__sla_seconds",
    ):  # fmt: skip
        if zone not in began:
            clock = Queue(time_zone=zone).zone
            began[zone] = clocks.midnight(clocks.today(now, clock), clock)
        line = found.setdefault(pk, QueueLine(pk, queue_id, name, is_open, retired_at is not None, zone, began[zone]))
        if channel is not None:
            line.levels[channel] = level
            line.channels[channel] = Line()
    return found


def _today(queues: Iterable[QueueLine]) -> Q:
    """Return the condition that an entry began today, by the clock of its queue; the earliest is said for the index."""
    began = {one.time_zone: one.day_began for one in queues}
    if not began:
        return Q(pk__in=[])
    if len(set(began.values())) == 1:
        return Q(entered_at__gte=min(began.values()))
    each = Q()
    for zone, moment in began.items():
        each |= Q(queue__time_zone=zone, entered_at__gte=moment)
    return Q(entered_at__gte=min(began.values())) & each


# What is counted, each part a query of rows of the same two columns


def _parts(audience: Actor, queues: dict[int, QueueLine], now: datetime) -> Iterator[QuerySet[Any, Any]]:
    today = _today(queues.values())
    yield _standing(audience, queues, today, now)
    entries = measures.entries().filter(today, queue__in=directory.visible_queues(audience).values("pk"))
    yield _part(
        "today", entries.values("queue_id", "channel_type"),
        queue=F("queue_id"), channel=F("channel_type"), **measures.COUNTED_AT_ENTRY,
    )  # fmt: skip
    members = Queue.members.through.objects.filter(queue__in=directory.visible_queues(audience), user__is_active=True)
    status = "user__presence__status"
    yield _part("members", members.values("queue_id", status), queue=F("queue_id"), status=F(status), n=Count("pk"))
    agents = directory.visible_agents(audience).filter(is_active=True).order_by().values("presence__status")
    yield _part("agents", agents, status=F("presence__status"), n=Count("pk"))
    absent = routing.stuck_by_agent(audience)
    yield _part("absent", absent, **{name: F(name) for name in (*routing.AGENT_NAMES, "seen", "returnable")})
    yield from _runs(audience)


def _standing(audience: Actor, queues: dict[int, QueueLine], today: Q, now: datetime) -> QuerySet[Any, Any]:
    """Count what is open or to be dispositioned, in the words of the index of what stands still."""
    rows = Workitem.objects.visible_to(audience).unarchived().exclude(state=State.DISPOSITIONED)
    levels = {seconds for one in queues.values() for seconds in one.levels.values()}
    rows = rows.exclude(state=State.TERMINATED, agent__isnull=True).order_by()
    runs, late = Q(entered_at__isnull=False), measures.late(levels, now)
    return _part(
        "standing",
        measures.with_level(rows).values("queue_id", "channel_type", "state"),
        queue=F("queue_id"),
        channel=F("channel_type"),
        state=F("state"),
        n=Count("pk"),
        late=Count("pk", filter=late),
        entered_at=Min("entered_at"),
        created_at=Min("created_at", filter=runs),
        waiting_today=Count("pk", filter=runs & today),
        late_today=Count("pk", filter=late & today),
        wrapping=Count("pk", filter=in_wrap_up()),
        wrapping_since=Min("terminated_at", filter=in_wrap_up()),
        **{way.value: Count("pk", filter=is_stuck([way], now)) for way in Stuck},
    )


def _runs(audience: Actor) -> Iterator[QuerySet[Any, Any]]:
    """Find what is on its way, whoever has asked for it: who may see which is known of each person only."""
    progress = {name: F(name) for name in PROGRESS}
    transfers, bulk = (model._default_manager.filter(state__in=DRIVEN) for model in (Transfer, BulkRun))
    target = {"queue": F("queue__name"), "agent": F("agent__username")}
    yield _part("transfer", transfers, id=F("transfer_id"), by=F("requested_by_id"), **target, **progress)
    yield _part("bulk", bulk, id=F("bulk_id"), by=F("requested_by_id"), action=F("action"), **progress)
    of_policies = policies.runs_for(audience).filter(state__in=DRIVEN)
    yield _part("policy", of_policies, id=F("run_id"), policy=F("policy__name"), **progress)
    if Scope.ADMIN in audience.everywhere:
        yield _part(
            "alert", policies.alerts(), pk=F("pk"), id=F("run_id"), policy=F("policy__name"), cap=F("terms__cap")
        )


def _part(name: str, rows: QuerySet[Any, Any], **columns: Any) -> QuerySet[Any, Any]:
    rows = rows.order_by().annotate(part=Value(name), payload=JSONObject(**columns))
    return rows.values_list("part", "payload")


# Where each row belongs


def _take_standing(board: Board, queues: dict[int, QueueLine], row: Row) -> None:
    line = _line_of(board, queues, row)
    state, number = row["state"], row["n"]
    line.waiting += number if state == State.INQUEUE else 0
    line.offered += number if state == State.OFFERED else 0
    line.talking += number if state in TALKING else 0
    line.hold += number if state == State.HOLD else 0
    line.wrapping += row["wrapping"]
    line.late += row["late"]
    for name in MOMENTS:
        setattr(line, name, _first(getattr(line, name), _moment(row[name])))
    line.today.waiting += row["waiting_today"]
    line.today.waiting_late += row["late_today"]
    for way in Stuck:
        line.stuck[way.value] = line.stuck.get(way.value, 0) + row[way.value]


def _take_today(board: Board, queues: dict[int, QueueLine], row: Row) -> None:
    line = _line_of(board, queues, row)
    line.today += Sums(**{name: row[name] for name in measures.COUNTED_AT_ENTRY})


def _take_members(_board: Board, queues: dict[int, QueueLine], row: Row) -> None:
    if row["queue"] in queues:
        queues[row["queue"]].agents[row["status"] or ""] = row["n"]


def _take_agents(board: Board, _queues: dict[int, QueueLine], row: Row) -> None:
    board.agents[row["status"] or ""] = row["n"]


def _take_absent(board: Board, _queues: dict[int, QueueLine], row: Row) -> None:
    username, first, last, is_active, since = (row[name] for name in routing.AGENT_NAMES)
    board.absent.append(
        routing.Stuck.of(username, first, last, bool(is_active), _moment(since), row["seen"], row["returnable"])
    )


def _take_transfer(board: Board, _queues: dict[int, QueueLine], row: Row) -> None:
    name = row["queue"] or row["agent"] or ""
    board.runs.append(RunLine("transfer", row["id"], name, row["by"], _run(Transfer, row)))


def _take_bulk(board: Board, _queues: dict[int, QueueLine], row: Row) -> None:
    board.runs.append(RunLine("bulk", row["id"], row["action"], row["by"], _run(BulkRun, row)))


def _take_policy(board: Board, _queues: dict[int, QueueLine], row: Row) -> None:
    board.runs.append(RunLine("policy", row["id"], row["policy"], None, _run(PolicyRun, row)))


def _take_alert(board: Board, _queues: dict[int, QueueLine], row: Row) -> None:
    address = PolicyRun(pk=row["pk"]).get_absolute_url()
    board.alerts.append(Alert(row["id"], row["policy"], int(row["cap"]), address))


TAKEN = {
    "standing": _take_standing,
    "today": _take_today,
    "members": _take_members,
    "agents": _take_agents,
    "absent": _take_absent,
    "transfer": _take_transfer,
    "bulk": _take_bulk,
    "policy": _take_policy,
    "alert": _take_alert,
}


def _line_of(board: Board, queues: dict[int, QueueLine], row: Row) -> Line:
    if row["queue"] not in queues:
        return board.elsewhere
    return queues[row["queue"]].channels.setdefault(row["channel"], Line())


def _judge(queue: QueueLine, now: datetime) -> None:
    """Say of each channel how its longest wait stands to its service level."""
    for channel, line in queue.channels.items():
        level = queue.levels.get(channel)
        if level is None or line.entered_at is None:
            continue
        is_warned = now - line.entered_at >= timedelta(seconds=level) * WARNED_AFTER
        line.way = Sla.BREACHED if line.late else Sla.WARNING if is_warned else Sla.FINE


def _run(model: type[Transfer | BulkRun | PolicyRun], row: Row) -> Run:
    facts = {name: _moment(row[name]) if name.endswith("_at") else row[name] for name in PROGRESS}
    return model(**facts)


def _first(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


def _moment(text: str | None) -> datetime | None:
    """Return a moment as the databases write it in JSON; SQLite leaves the zone out, which is UTC."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
