"""Where work can be sent: queues and agents, each with where it stands, and the reason where it takes none of it.

Of a queue whose work somebody may not see, he is told the name and whether it is open, and nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Case, Count, Min, Q, QuerySet, When, prefetch_related_objects
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from queues.models import Queue
from workitems import directory
from workitems.actors import Actor
from workitems.choices import Scope, State
from workitems.commands import Command, TransferToAgent, TransferToQueue
from workitems.errors import QueueClosed, WorkitemError
from workitems.models import Presence, Workitem
from workitems.presenting.words import duration, grouped, name_of
from workitems.transfers import Load

TARGETS_SHOWN = 200  # of queues, and of agents; the rest is searched for


@dataclass(frozen=True)
class Target:
    """A queue or an agent as a dialog offers it."""

    value: str
    name: str
    public_id: str
    facts: str  # where it stands, in words
    warning: str = ""
    refusal: str = ""  # why none of the workitems can go there
    is_open: bool = True
    waiting: int | None = None  # of a queue whose work the person sees
    longest_since: datetime | None = None
    presence: str = ""  # of an agent who has one
    presence_word: str = ""
    in_hand: int = 0
    is_hidden: bool = False  # whether work is out of the person's sight there
    is_usual: bool = False  # whether the person sends work there often

    @property
    def is_queue(self) -> bool:
        """Tell it from an agent."""
        return self.value.startswith("queue:")


@dataclass(frozen=True)
class Sought:
    """What is looked for: words to find, what is chosen already, what is to move, and where the person often sends."""

    find: str = ""
    chosen: str = ""
    samples: Sequence[Workitem] = ()  # one of each kind of what is to move, as far as a target may ask
    usual: Sequence[str] = ()


def queues_for(actor: Actor) -> list[Queue]:
    """Return the queues that somebody may send work into."""
    return [
        queue
        for queue in Queue.objects.with_channels().in_use().order_by("name", "pk")
        if actor.can_transfer_into(queue)
    ]


def agents_for(actor: Actor) -> QuerySet[User]:
    """Return the agents to whom somebody may transfer: those he sees who are active."""
    agents: QuerySet[User] = directory.visible_agents(actor).filter(is_active=True)
    return agents.select_related("presence").order_by("username")


def targets_for(actor: Actor, sought: Sought, now: datetime) -> tuple[list[Target], int]:
    """Return the queues and agents to choose from, each with where it stands, and how many more there are.

    What is chosen already is always among them, and what the person often sends to comes first.
    """
    word, chosen = sought.find.casefold(), sought.chosen
    queues = [
        one
        for one in queues_for(actor)
        if word in f"{one.name}\n{one.queue_id}".casefold() or chosen == f"queue:{one.queue_id}"
    ]
    agents, more_agents = _agents(actor, sought)
    more_queues = max(0, len(queues) - TARGETS_SHOWN)
    if more_queues:
        wanted = {chosen, *sought.usual}
        queues.sort(key=lambda one: f"queue:{one.queue_id}" not in wanted)
    found = [
        *_queue_targets(queues[:TARGETS_SHOWN], actor, sought, now),
        *_agent_targets(agents, actor, sought, now),
    ]
    place = {value: number for number, value in enumerate(sought.usual)}
    found.sort(key=lambda one: place.get(one.value, len(place)))
    return found, more_queues + more_agents


def refusal_of(command: Command, samples: Iterable[Workitem], actor: Actor, now: datetime) -> str:
    """Return why this command does nothing to any of these workitems, or ``""`` where it can do something to one."""
    first = ""
    for sample in samples:
        try:
            command.check(sample, actor, now)
        except WorkitemError as refusal:
            first = first or refusal.message
        else:
            return ""
    return first


def line_in_words(count: int, longest: datetime | None, now: datetime) -> str:
    """Return how much waits in a queue, and for how long the longest."""
    if not count or longest is None:
        return _("nothing waits")
    words = {"count": grouped(count), "wait": duration((now - longest).total_seconds())}
    return _("%(count)s waiting, the longest for %(wait)s") % words


def standing_of(load: Load, target: Queue | User, actor: Actor, now: datetime) -> str:
    """Return in words where a target stands, as far as the person may know it."""
    if isinstance(target, User):
        return _in_hand(load.in_hand)
    if not reads(actor, target):
        return ""
    return line_in_words(load.waiting, load.longest_since, now)


def reads(actor: Actor, target: Queue | User) -> bool:
    """Tell whether somebody sees there what he sends there."""
    return isinstance(target, User) or actor.can_in(Scope.READ, target)


def named(target: Queue | User) -> str:
    """Return the target's name, as people say it."""
    return target.name if isinstance(target, Queue) else name_of(target)


def _agents(actor: Actor, sought: Sought) -> tuple[list[User], int]:
    find = sought.find
    fits = Q(username__icontains=find) | Q(first_name__icontains=find) | Q(last_name__icontains=find)
    wanted = [one.removeprefix("agent:") for one in (sought.chosen, *sought.usual) if one.startswith("agent:")]
    is_chosen = Q(username=sought.chosen.removeprefix("agent:"))
    people = agents_for(actor).filter(fits | is_chosen)
    first = Case(When(username__in=wanted, then=0), default=1)
    agents = list(people.order_by(first, "username")[: TARGETS_SHOWN + 1])
    more = people.count() - TARGETS_SHOWN if len(agents) > TARGETS_SHOWN else 0
    return sorted(agents[:TARGETS_SHOWN], key=User.get_username), more


def _queue_targets(queues: Sequence[Queue], actor: Actor, sought: Sought, now: datetime) -> list[Target]:
    seen = [one.pk for one in queues if reads(actor, one)]
    waiting = Workitem.objects.filter(state=State.INQUEUE, queue__in=seen).order_by()
    lines = {
        pk: (count, first) for pk, count, first in waiting.values_list("queue").annotate(Count("pk"), Min("queued_at"))
    }
    return [_queue_target(one, lines.get(one.pk, (0, None)), actor, sought, now) for one in queues]


def _queue_target(
    queue: Queue, line: tuple[int, datetime | None], actor: Actor, sought: Sought, now: datetime
) -> Target:
    is_read, value = reads(actor, queue), f"queue:{queue.queue_id}"
    word = _("Open") if queue.is_open else _("Closed")
    refusal = refusal_of(TransferToQueue(queue), sought.samples, actor, now)
    warnings = [
        *([] if queue.is_open else [_("It takes no work now.")]),
        *([] if is_read else [_("You will not see it there.")]),
    ]
    return Target(
        value=value,
        name=queue.name,
        public_id=queue.queue_id,
        facts=f"{word}: {line_in_words(*line, now)}" if is_read else word,
        warning=" ".join(warnings),
        refusal=refusal or ("" if queue.is_open else QueueClosed(queue=queue.name).message),
        is_open=queue.is_open,
        waiting=line[0] if is_read else None,
        longest_since=line[1],
        is_hidden=not is_read,
        is_usual=value in sought.usual,
    )


def _agent_targets(agents: Sequence[User], actor: Actor, sought: Sought, now: datetime) -> list[Target]:
    if sought.samples:
        prefetch_related_objects(agents, "member_of_queues")
        if any(one.queue_id is None for one in sought.samples):
            prefetch_related_objects(agents, "member_of_queues__channel_rows")
    held = Workitem.objects.visible_to(actor).open().filter(agent__in=[one.pk for one in agents]).order_by()
    in_hand = dict(held.values_list("agent").annotate(Count("pk")))
    return [_agent_target(one, in_hand.get(one.pk, 0), actor, sought, now) for one in agents]


def _agent_target(agent: User, in_hand: int, actor: Actor, sought: Sought, now: datetime) -> Target:
    presence: Presence | None = getattr(agent, "presence", None)
    value, word = f"agent:{agent.get_username()}", presence.get_status_display() if presence else ""
    return Target(
        value=value,
        name=name_of(agent),
        public_id=agent.get_username(),
        facts=f"{word}: {_in_hand(in_hand)}" if word else _in_hand(in_hand),
        refusal=refusal_of(TransferToAgent(agent), sought.samples, actor, now),
        presence=presence.status if presence else "",
        presence_word=word,
        in_hand=in_hand,
        is_usual=value in sought.usual,
    )


def _in_hand(count: int) -> str:
    return ngettext("%d item in hand", "%d items in hand", count) % count
