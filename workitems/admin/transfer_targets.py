"""Where work can be sent from the back office: queues and agents, each with where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Case, Count, Min, Q, QuerySet, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from queues.models import Queue
from workitems import directory
from workitems.actors import Actor
from workitems.admin.base import duration, grouped
from workitems.choices import Scope, State
from workitems.models import Workitem

TARGETS_SHOWN = 200  # of queues, and of agents; the rest is searched for


@dataclass(frozen=True)
class Target:
    """A queue or an agent as the dialog offers it."""

    value: str
    name: str
    public_id: str
    facts: str
    warning: str = ""

    @property
    def is_queue(self) -> bool:
        """Tell it from an agent."""
        return self.value.startswith("queue:")


def queues_for(actor: Actor) -> list[Queue]:
    """Return the queues that somebody may send work into."""
    return [
        queue
        for queue in Queue.objects.filter(retired_at=None).order_by("name", "pk")
        if actor.can_transfer_into(queue)
    ]


def agents_for(actor: Actor) -> QuerySet[User]:
    """Return the agents to whom somebody may transfer: those he sees who are active."""
    agents: QuerySet[User] = directory.visible_agents(actor).filter(is_active=True)
    return agents.select_related("presence").order_by("username")


def targets_for(actor: Actor, find: str, chosen: str, now: datetime) -> tuple[list[Target], int]:
    """Return the queues and agents to choose from, each with where it stands, and how many more there are.

    What is chosen already is always among them.
    """
    word = find.casefold()
    named = Q(username__icontains=find) | Q(first_name__icontains=find) | Q(last_name__icontains=find)
    is_chosen = Q(username=chosen.removeprefix("agent:"))
    queues = [
        one
        for one in queues_for(actor)
        if word in f"{one.name}\n{one.queue_id}".casefold() or chosen == f"queue:{one.queue_id}"
    ]
    people = agents_for(actor).filter(named | is_chosen)
    left_out = max(0, len(queues) - TARGETS_SHOWN) + max(0, people.count() - TARGETS_SHOWN)
    queues.sort(key=lambda one: chosen != f"queue:{one.queue_id}" and len(queues) > TARGETS_SHOWN)
    agents = list(people.order_by(Case(When(is_chosen, then=0), default=1), "username")[:TARGETS_SHOWN])
    return [
        *_queue_targets(queues[:TARGETS_SHOWN], actor, now),
        *_agent_targets(sorted(agents, key=User.get_username)),
    ], left_out


def _queue_targets(queues: list[Queue], actor: Actor, now: datetime) -> list[Target]:
    waiting = Workitem.objects.filter(state=State.INQUEUE, queue__in=[one.pk for one in queues])
    lines = {
        pk: (count, longest)
        for pk, count, longest in waiting.order_by().values_list("queue").annotate(Count("pk"), Min("queued_at"))
    }
    targets = []
    for queue in queues:
        count, longest = lines.get(queue.pk, (0, None))
        warnings = [
            *([] if queue.is_open else [_("It takes no work now.")]),
            *([] if actor.can_in(Scope.READ, queue) else [_("You will not see it there.")]),
        ]
        facts = f"{_('Open') if queue.is_open else _('Closed')}: {line_in_words(count, longest, now)}"
        targets.append(Target(f"queue:{queue.queue_id}", queue.name, queue.queue_id, facts, " ".join(warnings)))
    return targets


def _agent_targets(agents: list[User]) -> list[Target]:
    held = Workitem.objects.open().filter(agent__in=[one.pk for one in agents]).order_by()
    in_hand = dict(held.values_list("agent").annotate(Count("pk")))
    targets = []
    for agent in agents:
        presence = getattr(agent, "presence", None)
        count = in_hand.get(agent.pk, 0)
        facts = ngettext("%d item in hand", "%d items in hand", count) % count
        name = agent.get_full_name() or agent.get_username()
        facts = f"{presence.get_status_display()}: {facts}" if presence else facts
        targets.append(Target(f"agent:{agent.get_username()}", name, agent.get_username(), facts))
    return targets


def line_in_words(count: int, longest: datetime | None, now: datetime) -> str:
    """Return how much waits in a queue, and for how long the longest."""
    if not count or longest is None:
        return _("nothing waits")
    words = {"count": grouped(count), "wait": duration((now - longest).total_seconds())}
    return _("%(count)s waiting, the longest for %(wait)s") % words


def name_of(target: Queue | User) -> str:
    """Return the target's name, as people say it."""
    return target.name if isinstance(target, Queue) else target.get_full_name() or target.get_username()
