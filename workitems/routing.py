"""Who gets what: presence, offers to agents who are free, and offers that were not answered.

Whoever gives an agent work, or takes it from him for his presence, locks his presence first and workitems after it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from queues.models import Queue
from workitems import services
from workitems.actors import Actor
from workitems.choices import Event, Scope, State
from workitems.commands import ExpireOffer, HandBack, Offer, ReturnToQueue
from workitems.commands.targets import lock_presence, lock_presences
from workitems.errors import AgentUnavailable, InvalidValue, MissingScope, NotAvailable, WorkitemError
from workitems.models import Presence, TimeEvent, Workitem
from workitems.outcomes import Outcome
from workitems.querysets import held_on

CHUNK = 200  # offers that expire in one transaction
LOOK = 200  # waiting workitems of a queue that one round looks at
IDLE_WITHIN = timedelta(days=1)  # what an agent ended before says nothing about how long he has been idle
NOT_AGAIN_FOR = timedelta(minutes=1)  # who has given a workitem back is not asked again at once

Status = Presence.Status
CHOICES = (Status.AVAILABLE, Status.AWAY, Status.OFFLINE)  # what people say; that somebody does not answer, shows
PRESENCE = Actor.job("presence", Scope.ADMIN)
EXPIRE = Actor.job("expire-offers", Scope.ADMIN)
ASSIGN = Actor.job("assign-waiting", Scope.ADMIN)


# Presence


def may_set_presence(agent: User, actor: Actor) -> bool:
    """Tell whether this is the agent himself, or somebody who may write where he works."""
    return agent.pk in whose_presence_may_be_set([agent.pk], actor)


def whose_presence_may_be_set(agent_pks: Collection[int], actor: Actor) -> set[int]:
    """Return those of these agents whose presence the actor may set, in one query at most."""
    held = _who_works_where(Scope.WRITE, agent_pks, actor)
    if actor.user is not None and actor.user.pk in agent_pks and Scope.WRITE in actor.own_items:
        held.add(actor.user.pk)
    return held


def may_set_capacity(agent: User, actor: Actor) -> bool:
    """Tell whether the actor holds the admin scope where the agent works."""
    return agent.pk in _who_works_where(Scope.ADMIN, [agent.pk], actor)


def set_presence(agent: User, status: Presence.Status, *, actor: Actor, now: datetime) -> Presence:
    """Say whether an agent takes work; who goes offline hands back what he was offered, to its old places."""
    if not may_set_presence(agent, actor):
        raise MissingScope(scope=Scope.WRITE.value)
    if status not in CHOICES:
        raise InvalidValue(field="status", problem=_("Only offers that expire mark an agent so."))
    return services.in_transaction(partial(_set_presence, agent, status, now))


def set_capacity(agent: User, capacity: dict[str, int], *, actor: Actor, now: datetime) -> Presence:
    """Say how many workitems of each channel an agent is offered at a time."""
    if not may_set_capacity(agent, actor):
        raise MissingScope(scope=Scope.ADMIN.value)
    try:
        Presence(capacity=capacity).clean()
    except ValidationError as error:
        raise InvalidValue(field="capacity", problem=error.messages[0]) from None

    def write() -> Presence:
        presence = _locked(agent, now)
        presence.capacity = capacity
        presence.save(update_fields=["capacity"])
        return presence

    return services.in_transaction(write)


def _who_works_where(scope: Scope, agent_pks: Collection[int], actor: Actor) -> set[int]:
    """Return those of these agents who work in a queue on which the actor holds the scope."""
    if scope in actor.everywhere:
        return set(agent_pks)
    queues = actor.queues_with(scope)
    memberships = Queue.members.through.objects.filter(queue__in=queues, user__in=agent_pks)
    return set(memberships.values_list("user_id", flat=True)) if queues and agent_pks else set()


def _locked(agent: User, now: datetime) -> Presence:
    Presence.objects.get_or_create(user=agent, defaults={"since": now})
    presence = lock_presence(agent.pk)
    assert presence is not None  # noqa: S101  made above, and deleted with the agent only
    return presence


def _set_presence(agent: User, status: Presence.Status, now: datetime) -> Presence:
    presence = _locked(agent, now)
    if presence.status != status:
        presence.status, presence.since = status, now
        presence.save(update_fields=["status", "since"])
    if status == Status.OFFLINE:
        offered = Workitem.objects.filter(agent=agent, state=State.OFFERED, terminated_at=None)
        ids = list(offered.values_list("workitem_id", flat=True))
        services.execute_many(HandBack(agent), ids, actor=PRESENCE, now=now)
    return presence


# What stays behind


AGENT_NAMES = (
    "agent__username", "agent__first_name", "agent__last_name", "agent__is_active", "agent__presence__since",
)  # fmt: skip


@dataclass(frozen=True)
class Stuck:
    """An agent who is gone with work in hand: how much of it the asker sees, and how much he may return."""

    username: str
    name: str
    is_active: bool
    since: datetime | None
    count: int
    returnable: int

    @classmethod
    def of(
        cls, username: str, first: str, last: str, is_active: bool, since: datetime | None, seen: int, returnable: int
    ) -> Stuck:
        """Return what the database has counted."""
        return cls(username, f"{first} {last}".strip() or username, is_active, since, seen, returnable)


def stuck(actor: Actor) -> list[Stuck]:
    """Return the agents who are offline, or not active any more, with accepted work that the actor may see."""
    rows: Any = stuck_by_agent(actor).order_by("agent__username").values_list(*AGENT_NAMES, "seen", "returnable")
    return [Stuck.of(*row) for row in rows]


def stuck_by_agent(actor: Actor) -> QuerySet[Workitem, Any]:
    """Return the same by the fields of its agents, with how much is `seen` and how much `returnable`."""
    writable = held_on(Scope.WRITE, actor)
    returnable = Q(queue__isnull=False) if writable is None else writable & Q(queue__isnull=False)
    rows: QuerySet[Workitem, Any] = Workitem.objects.visible_to(actor).stuck().order_by().values(*AGENT_NAMES)
    return rows.annotate(seen=Count("pk"), returnable=Count("pk", filter=returnable))


def return_all(agent: User, *, actor: Actor, now: datetime) -> Outcome:
    """Put what an agent has accepted back at its old places, as far as the actor may."""
    handled = Workitem.objects.writable_by(actor).handled().filter(agent=agent)
    ids = list(handled.values_list("workitem_id", flat=True))
    return services.execute_many(ReturnToQueue(only_from=agent), ids, actor=actor, now=now)


# Offers that were not answered


def expire_offers(*, now: datetime) -> int:
    """Put offers that were not answered in time back at their place and return how many went back.

    Their agents get nothing more until they say that they are available again.
    """
    total = 0
    while True:
        found, back = services.in_transaction(partial(_expire_chunk, now))
        total += back
        if found < CHUNK or not back:
            return total


def _expire_chunk(now: datetime) -> tuple[int, int]:
    overdue = Workitem.objects.overdue_offers(now).order_by("offer_expires_at", "pk")
    offers: dict[str, Any] = dict(overdue.values_list("workitem_id", "agent_id")[:CHUNK])
    if not offers:
        return 0, 0
    lock_presences(offers.values())
    back = services.execute_many(ExpireOffer(), offers, actor=EXPIRE, now=now).done
    silent = Presence.objects.filter(user__in={offers[workitem_id] for workitem_id in back})
    silent.exclude(status__in=[Status.NO_ANSWER, Status.OFFLINE]).update(status=Status.NO_ANSWER, since=now)
    return len(offers), len(back)


# Waiting work to those who are free


class Waiting(NamedTuple):
    """A workitem in line."""

    pk: int
    workitem_id: str
    queue: int
    channel: str
    priority: int
    queued_at: datetime


@dataclass
class Free:
    """An available agent in one round: what he has in hand, and since when he has been idle."""

    presence: Presence
    queues: set[int]
    held: Counter[str]
    idle_since: datetime
    is_out: bool = False  # he turned out not to be free after all

    def has_room_for(self, channel: str) -> bool:
        """Tell whether he can be offered one more."""
        return not self.is_out and self.held[channel] < self.presence.room_for(channel)

    @property
    def turn(self) -> tuple[int, datetime, int]:
        """Whose turn it is: who has least in hand, then who has been idle the longest."""
        return self.held.total(), self.idle_since, self.presence.user_id


def in_hand(agent_pks: Iterable[int], *, now: datetime, seen_by: Actor | None = None) -> dict[int, Counter[str]]:
    """Return how many workitems of each channel agents have: offered, accepted, and still being wrapped up.

    Where it is asked who looks, what he may not see is left out.
    """
    rows = None if seen_by is None else Workitem.objects.visible_to(seen_by)
    return _in_hand(agent_pks, _longest_wrap_up(), now, rows)


def assign_waiting(*, now: datetime) -> int:
    """Offer waiting work to agents who are free and return how many offers were made.

    Highest priority first, then longest wait; never beyond an agent's capacity.
    """
    total = 0
    while True:
        made, saw_all = _round(now)
        total += made
        if saw_all or not made:
            return total


def _round(now: datetime) -> tuple[int, bool]:
    """Offer what is first in line; return how many offers were made, and whether all that waits was looked at."""
    waiting = Workitem.objects.waiting().filter(queue=OuterRef("pk"))
    queues = list(
        Queue.objects.filter(Exists(waiting), offers_automatically=True).order_by("pk").values_list("pk", flat=True)
    )
    if not queues:
        return 0, True
    wrap_up = _longest_wrap_up()
    agents = _available(queues, wrap_up, now)
    items, saw_all = _in_line(queues, agents)
    given_back = _given_back(items, now) if items else set()
    made = 0
    for item in items:
        fitting = [
            agent
            for agent in agents
            if item.queue in agent.queues and (item.pk, agent.presence.user.get_username()) not in given_back
        ]
        made += _offer_to_one(item, fitting, wrap_up, now)
    return made, saw_all


def _available(queues: Sequence[int], wrap_up: timedelta, now: datetime) -> list[Free]:
    memberships = Queue.members.through.objects.filter(queue__in=queues)
    theirs = Workitem.objects.filter(agent=OuterRef("user"), terminated_at__gte=now - IDLE_WITHIN)
    presences = list(
        Presence.objects.filter(status=Status.AVAILABLE, user__is_active=True, user__in=memberships.values("user"))
        .select_related("user")
        .annotate(ended_at=Subquery(theirs.order_by("-terminated_at").values("terminated_at")[:1]))
    )
    pks = [presence.user_id for presence in presences]
    works_in: dict[int, set[int]] = defaultdict(set)
    for user, queue in memberships.filter(user__in=pks).values_list("user_id", "queue_id") if pks else ():
        works_in[user].add(queue)
    held = _in_hand(pks, wrap_up, now)
    return [
        Free(one, works_in[one.user_id], held[one.user_id], max(one.since, one.ended_at or one.since))
        for one in presences
    ]


def _in_line(queues: Sequence[int], agents: Sequence[Free]) -> tuple[list[Waiting], bool]:
    """Return what is first in line over all queues, and whether that is all that somebody has room for."""
    lines = [_line(queue, [agent for agent in agents if queue in agent.queues]) for queue in queues]
    items = sorted((item for line in lines for item in line), key=lambda one: (-one.priority, one.queued_at, one.pk))
    return items, all(len(line) < LOOK for line in lines)


def _line(queue: int, members: Sequence[Free]) -> list[Waiting]:
    """Return what is first in line of a queue, on channels that one of its members has room for."""
    channels = {channel for one in members for channel in one.presence.capacity if one.has_room_for(channel)}
    if not channels:
        return []
    line = Workitem.objects.waiting().filter(queue=queue, channel_type__in=channels).in_line()
    rows: Any = line.values_list("pk", "workitem_id", "queue_id", "channel_type", "priority", "queued_at")
    return [Waiting(*row) for row in rows[:LOOK]]


def _given_back(items: Sequence[Waiting], now: datetime) -> set[tuple[int, str]]:
    """Return who has lately given back which workitem, by its pk and his username."""
    events = TimeEvent.objects.filter(
        workitem__in=[item.pk for item in items],
        type__in=[Event.REJECTED, Event.RETURNED],
        timestamp__gt=now - NOT_AGAIN_FOR,
    )
    return {(pk, details.get("agent", "")) for pk, details in events.values_list("workitem_id", "details")}


def _offer_to_one(item: Waiting, agents: Sequence[Free], wrap_up: timedelta, now: datetime) -> bool:
    """Offer a workitem to the agent whose turn it is, or to the next where he is not free after all."""
    while fitting := [agent for agent in agents if agent.has_room_for(item.channel)]:
        agent = min(fitting, key=lambda one: one.turn)
        try:
            services.in_transaction(partial(_offer, item, agent, wrap_up, now))
        except (AgentUnavailable, NotAvailable):
            agent.is_out = True
        except WorkitemError:
            return False  # somebody was faster
        else:
            agent.held[item.channel] += 1
            agent.idle_since = now
            return True
    return False


def _offer(item: Waiting, agent: Free, wrap_up: timedelta, now: datetime) -> None:
    """Make the offer, having asked under the lock of the agent's presence whether he still has room."""
    user = agent.presence.user
    presence = lock_presence(user.pk)
    held = _in_hand([user.pk], wrap_up, now)[user.pk]
    if presence is None or held[item.channel] >= presence.room_for(item.channel):
        raise AgentUnavailable(agent=user.get_username())
    services.execute(Offer(user), item.workitem_id, actor=ASSIGN, now=now)


def _in_hand(
    agent_pks: Iterable[int], wrap_up: timedelta, now: datetime, among: QuerySet[Workitem] | None = None
) -> dict[int, Counter[str]]:
    """Count what agents have in hand; no wrap-up takes longer than this one."""
    counts: dict[int, Counter[str]] = {agent_pk: Counter() for agent_pk in agent_pks}
    wrapped_up = Q(state=State.TERMINATED, terminated_at__gt=now - wrap_up, archived_at=None)
    known = Workitem.objects.all() if among is None else among
    rows = known.filter(Q(terminated_at=None) | wrapped_up, agent__in=counts)
    for agent, channel, ended_at, seconds in rows.values_list(
        "agent", "channel_type", "terminated_at", "queue__wrap_up_seconds"
    ):
        if ended_at is None or ended_at > now - timedelta(seconds=seconds or 0):
            counts[agent][channel] += 1
    return counts


def _longest_wrap_up() -> timedelta:
    return timedelta(seconds=Queue.objects.aggregate(longest=Max("wrap_up_seconds"))["longest"] or 0)
