"""What agents are, have and did, as somebody sees it: for all of them at once, and for one of them closely.

Only what the asker may see is counted, and nothing is said of the rest. An agent sees all that he did himself. Today is
a day by the server's clock: an agent may work in queues of several time zones.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from queues.models import Queue
from workitems import directory, ledger, measures
from workitems.actors import Actor
from workitems.choices import EndedBy, Scope, State
from workitems.errors import UnknownObject
from workitems.models import Presence, Stay, Workitem
from workitems.querysets import WorkitemQuerySet

# how what an agent has in hand is told; the work list finds each by these states
IN_HAND: dict[str, tuple[State, ...]] = {
    "offered": (State.OFFERED,),
    "active": (State.ACCEPTED, State.ACTIVE, State.CONFERENCE),
    "hold": (State.HOLD,),
    "wrapUp": (State.TERMINATED,),
}
# how an agent's time is told
SPENT: dict[str, tuple[State, ...]] = {
    "talking": (State.ACTIVE, State.CONFERENCE),
    "hold": (State.HOLD,),
    "wrapUp": (State.TERMINATED,),
}


@dataclass
class Agent:
    """One agent: his presence, what he has in hand by state, what he did today, and the queues that he works in."""

    user: User
    held: Counter[str] = field(default_factory=Counter)
    today: measures.Sums = field(default_factory=measures.Sums)
    queues: list[Queue] = field(default_factory=list)

    @property
    def presence(self) -> Presence | None:
        """His presence, or None where he has never said any."""
        return getattr(self.user, "presence", None)

    @property
    def status(self) -> str:
        """The code of his presence, or ``""``."""
        return self.presence.status if self.presence else ""

    @property
    def in_hand(self) -> dict[str, int]:
        """How many workitems he has in each way."""
        return {name: sum(self.held[state] for state in states) for name, states in IN_HAND.items()}


def look(actor: Actor, *, now: datetime) -> list[Agent]:
    """Return every agent whom the actor may see, by name; as many queries for a thousand as for one.

    Who is not active any more is among them as long as he has something in hand.
    """
    people = directory.visible_agents(actor).select_related("presence").order_by("first_name", "last_name", "username")
    found = {user.pk: Agent(user) for user in people}
    for pk, state, count in _in_hand(actor).values_list("agent_id", "state").annotate(Count("pk")):
        if pk in found:
            found[pk].held[state] = count
    for pk, sums in _today(actor, now).items():
        if pk in found:
            found[pk].today = sums
    for pk, queue in _memberships(actor, found):
        found[pk].queues.append(queue)
    return [one for one in found.values() if one.user.is_active or one.held]


def find(username: str, actor: Actor, *, now: datetime) -> Agent:
    """Return one agent closely, as `person` finds him."""
    user = person(username, actor)
    agent = Agent(user)
    agent.held.update(dict(_in_hand(actor).filter(agent=user).values_list("state").annotate(Count("pk"))))
    agent.today = _today(actor, now, user).get(user.pk, measures.Sums()) + _answered(actor, user, now)
    agent.queues = [queue for _pk, queue in _memberships(actor, [user.pk])]
    return agent


def person(username: str, actor: Actor) -> User:
    """Return an agent whom the actor may see, or whose work in hand, or himself; raise UnknownObject otherwise."""
    seen = Q(pk__in=directory.visible_agents(actor).values("pk")) | Q(
        Exists(_in_hand(actor).filter(agent=OuterRef("pk")))
    )
    if actor.user is not None and Scope.READ in actor.own_items:
        seen |= Q(pk=actor.user.pk)
    user = User.objects.select_related("presence").filter(seen, username=username).first()
    if user is None:
        raise UnknownObject(what="agent", id=username)
    return user


def held_by(user: User, actor: Actor) -> WorkitemQuerySet:
    """Return what an agent has in hand, as far as the actor may see it: offered, accepted, or to be dispositioned."""
    return _in_hand(actor).filter(agent=user)


def today_began(now: datetime) -> datetime:
    """Return when today began by the server's clock."""
    zone = timezone.get_default_timezone()
    return datetime.combine(timezone.localdate(now, zone), time.min, tzinfo=zone)


def lately_handled(user: User, actor: Actor, *, now: datetime) -> QuerySet[Stay]:
    """Return the stays with which this agent's handling ended today, the latest first, as far as they are seen."""
    stays = measures.stays_behind("handled", today_began(now), now + timedelta(seconds=1)).filter(agent=user)
    visible = Workitem.objects.visible_to(actor)
    return stays.filter(workitem__in=visible).order_by("-ended_at", "-pk")


def time_spent(user: User, actor: Actor, *, now: datetime) -> dict[str, int]:
    """Return how long an agent has talked, kept on hold and wrapped up today, in milliseconds.

    What he does side by side counts each for itself, and what is not over counts until now.
    """
    names = {state: name for name, states in SPENT.items() for state in states}
    spent = dict.fromkeys(SPENT, 0)
    began = today_began(now)
    rows: list[Any] = list(_stays_since(began, user, actor).values_list("state", "began_at", "ended_at"))
    running = held_by(user, actor).filter(state__in=names).values_list("state", "place_since", "state_changed_at")
    rows += [(state, since or changed, now) for state, since, changed in running]
    for state, since, until in rows:
        spent[names[state]] += max(0, ledger.milliseconds(min(until, now) - max(since, began)))
    return spent


def _in_hand(actor: Actor) -> WorkitemQuerySet:
    """Keep what agents have, in the words of the index of what stands still."""
    rows: WorkitemQuerySet = Workitem.objects.visible_to(actor).unarchived().filter(agent__isnull=False)
    rows = rows.exclude(state=State.TERMINATED, ended_by=EndedBy.POLICY)  # nobody is asked how that came out
    return rows.exclude(state=State.DISPOSITIONED).order_by()


def _today(actor: Actor, now: datetime, user: User | None = None) -> dict[int, measures.Sums]:
    """Return what was handled and wrapped up today, by agent."""
    rows = measures.handling().filter(_seen_by(actor), ended_at__gte=today_began(now), agent__isnull=False)
    if user is not None:
        rows = rows.filter(agent=user)
    names = list(measures.COUNTED_AT_THE_END)
    counted: Any = rows.values_list("agent_id").annotate(**measures.COUNTED_AT_THE_END)
    return {pk: measures.Sums(**dict(zip(names, figures, strict=True))) for pk, *figures in counted}


def _answered(actor: Actor, user: User, now: datetime) -> measures.Sums:
    """Return how many entries of today ended with this agent accepting what he was offered."""
    rows = measures.stays_behind("answered", today_began(now), now + timedelta(seconds=1))
    return measures.Sums(answered=rows.filter(_seen_by(actor), agent=user).count())


def _stays_since(began: datetime, user: User, actor: Actor) -> QuerySet[Stay]:
    """Return an agent's stays that ended since then, asked for by their magnitude as moments.py explains."""
    last = ledger.MAGNITUDES - 1
    within = Q(magnitude=last)
    for power in range(last):
        within |= Q(magnitude=power, began_at__gt=began - ledger.longest(power))
    states = [state for states in SPENT.values() for state in states]
    return Stay.objects.filter(within, _seen_by(actor), ended_at__gt=began, agent=user, state__in=states).order_by()


def _seen_by(actor: Actor) -> Q:
    """Return the condition on stays in the queues that the actor may see, and on those of his own."""
    if Scope.READ in actor.everywhere:
        return Q()
    seen = Q(queue_id__in=actor.queues_with(Scope.READ))
    if actor.user is not None and Scope.READ in actor.own_items:
        seen |= Q(agent_id=actor.user.pk)
    return seen


def _memberships(actor: Actor, pks: Iterable[int]) -> list[tuple[int, Queue]]:
    """Return who works where, of these agents and of the queues that the actor may see."""
    queues = {queue.pk: queue for queue in directory.visible_queues(actor).filter(retired_at=None)}
    wanted = set(pks)
    rows = Queue.members.through.objects.filter(queue__in=queues)
    if len(wanted) == 1:
        rows = rows.filter(user__in=wanted)
    pairs = rows.values_list("user_id", "queue_id") if queues else ()
    works_in: dict[int, list[Queue]] = defaultdict(list)
    for user, queue in pairs:
        works_in[user].append(queues[queue])
    return [(pk, queue) for pk in wanted & works_in.keys() for queue in sorted(works_in[pk], key=lambda one: one.name)]
