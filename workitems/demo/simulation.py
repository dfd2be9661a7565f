"""Customers who come and agents who answer, playing the demo centre through the ordinary commands.

Every tick looks at the rows and moves some of them on, so a simulation may stop and start again at any moment. It
touches the demo centre's own queues only.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from contacts.models import Contact
from queues.channels import Channel
from queues.models import Queue
from workitems import routing, services
from workitems.actors import Actor
from workitems.choices import HANDLED, Door, EndedBy, Scope, State
from workitems.commands import (
    Accept,
    Bridge,
    Command,
    Create,
    HangUp,
    Hold,
    Offer,
    Reject,
    SetDisposition,
    TransferToQueue,
    Unhold,
)
from workitems.demo import centre
from workitems.errors import WorkitemError
from workitems.lifecycle import LIVE
from workitems.models import Disposition, Presence, Workitem

Status = Presence.Status

LIVE_A_MINUTE = 1.0
# What is written waits its turn. While less of it waits than this, so much comes in a minute: never nothing to do, and
# never more than can be done, whoever is away.
WRITTEN_A_MINUTE = ((8, 2.8), (13, 0.9), (17, 0.4), (math.inf, 0.1))
WRITTEN = frozenset(Channel) - frozenset(LIVE)
LOOKED_AT = 200
# Mean seconds that a workitem stays in a state before the players move it on.
MEAN_SECONDS = {
    State.OFFERED: 5,
    State.ACCEPTED: 3,
    State.HOLD: 30,
    State.CONFERENCE: 60,
    State.TERMINATED: 25,
}
TALK_SECONDS = {
    Channel.VOICE: 140,
    Channel.VIDEO_MEETING: 240,
    Channel.EMAIL: 260,
    Channel.SMS: 150,
    Channel.CHAT: 170,
}
PATIENCE_SECONDS = 750
# How much of something else an agent has in hand at most when the simulation offers him work in its queues.
MOST_IN_HAND = {Channel.VOICE: 2, Channel.VIDEO_MEETING: 2, Channel.EMAIL: 2, Channel.SMS: 2, Channel.CHAT: 2}
ONE_AT_A_TIME = (Channel.VOICE, Channel.VIDEO_MEETING)
# Mean seconds that an agent stays as he is before he says something else. Who does not answer an offer within its time,
# as happens with the means above, is marked by the worker and comes back after a while.
STAYS_SECONDS = {
    Status.AVAILABLE: ((Status.AWAY, 1_800), (Status.OFFLINE, 3_600)),
    Status.AWAY: ((Status.AVAILABLE, 240),),
    Status.NO_ANSWER: ((Status.AVAILABLE, 60),),
    Status.OFFLINE: ((Status.AVAILABLE, 600),),
}


@dataclass
class Simulation:
    """The players."""

    dice: random.Random
    speed: float = 1.0

    def __post_init__(self) -> None:
        self.system = Actor.job("simulation", Scope.ADMIN)
        self.statuses = _statuses()
        queues = Queue.objects.with_channels().filter(queue_id__in=centre.QUEUES)
        self.queues = {queue.pk: queue for queue in queues}
        agents = User.objects.filter(username__in=centre.AGENTS, is_active=True)
        self.centre = centre.Centre(
            queues={queue.queue_id: queue for queue in self.queues.values()},
            agents={agent.get_username(): agent for agent in agents},
            dispositions=list(Disposition.objects.filter(disposition_id__in=centre.DISPOSITIONS)),
            contacts=list(
                Contact.objects.filter(emails__address__endswith="@example.org").prefetch_related("phones", "emails")
            ),
        )
        for contact in self.centre.contacts:
            self.centre.numbers[contact.pk] = contact.phones.all()[0].number
            self.centre.addresses[contact.pk] = contact.emails.all()[0].address

    def tick(self, now: datetime, seconds: float) -> int:
        """Play so many seconds, ending now, and return how many things were done."""
        played = seconds * self.speed
        done = sum(self._say(agent, status, now) for agent, status in self._presences(played))
        self.statuses = _statuses()
        steps = [*self._arrivals(played), *self._offers(), *self._answers(played)]
        return done + sum(self._do(command, workitem_id, actor, now) for command, workitem_id, actor in steps)

    def _presences(self, played: float) -> Iterable[tuple[User, Presence.Status]]:
        """Let agents come and go; who has no presence yet comes, and whom somebody has made inactive stays away."""
        rows = Presence.objects.values_list("user", "status", "user__is_active")
        known = {user: (status, is_active) for user, status, is_active in rows}
        for agent in self.centre.agents.values():
            now_is, is_active = known.get(agent.pk, ("", agent.is_active))
            if not now_is:
                yield agent, Status.AVAILABLE
            elif is_active:
                leaving = [one for one, mean in STAYS_SECONDS[Status(now_is)] if self.dice.random() < played / mean]
                yield from ((agent, one) for one in leaving[:1])

    def _arrivals(self, played: float) -> Iterable[tuple[Command | Create, str, Actor]]:
        """Let customers come: calls and chats always, mails and messages the fewer, the more of them wait."""
        waiting = Workitem.objects.waiting().filter(queue__in=self.queues, channel_type__in=WRITTEN).count()
        written = next(rate for below, rate in WRITTEN_A_MINUTE if waiting < below)
        for rate, channels in ((LIVE_A_MINUTE, LIVE), (written, WRITTEN)):
            expected = rate * played / 60
            for _number in range(int(expected) + (self.dice.random() < expected % 1)):
                about = centre.arrival(self.dice, self.centre, *centre.chosen(self.dice, channels))
                yield Create(**about), "", self.system

    def _offers(self) -> Iterable[tuple[Command, str, Actor]]:
        """Offer what waits in queues that do not do so themselves to members who are there and have room for it."""
        mine = Workitem.objects.filter(queue__in=self.queues)
        in_hand: dict[int, list[str]] = defaultdict(list)
        for agent_pk, channel in mine.filter(state__in=[State.OFFERED, *HANDLED]).values_list("agent", "channel_type"):
            in_hand[agent_pk].append(channel)
        for item in mine.waiting().filter(queue__offers_automatically=False).in_line()[:LOOKED_AT]:
            members = self.centre.members(self.queues[item.queue_id or 0])
            there = [agent for agent in members if self._status(agent) == Status.AVAILABLE]
            free = [agent for agent in there if _has_room(in_hand[agent.pk], item.channel_type)]
            if free:
                agent = min(free, key=lambda one: len(in_hand[one.pk]))
                in_hand[agent.pk].append(item.channel_type)
                yield Offer(agent), item.workitem_id, self.system

    def _answers(self, played: float) -> Iterable[tuple[Command, str, Actor]]:
        """Move on what has been in its state for long enough, by the dice."""
        mine = Workitem.objects.filter(queue__in=self.queues).select_related("agent")
        for item in mine.filter(state=State.INQUEUE, channel_type__in=LIVE).in_line()[:LOOKED_AT]:
            if self.dice.random() < played / PATIENCE_SECONDS:
                yield HangUp(EndedBy.CUSTOMER), item.workitem_id, self.system
        agents = self.centre.agents.values()  # who else takes part, plays for himself
        players = [agent.pk for agent in agents if self._status(agent) != Status.OFFLINE]
        listening = [agent.pk for agent in agents if self._status(agent) in (Status.AVAILABLE, Status.AWAY)]
        for state in (State.ACTIVE, *MEAN_SECONDS):
            who = listening if state == State.OFFERED else players
            standing = mine.filter(state=state, agent__in=who).order_by("state_changed_at")
            for item in standing[:LOOKED_AT]:
                if item.agent is not None and self.dice.random() < played / self._mean(item):
                    yield self._next(item), item.workitem_id, Actor.of(item.agent, Door.API)

    def _mean(self, item: Workitem) -> float:
        """Return how long it stays in its state, in the mean; for ever, where the customer has gone without a word."""
        if item.state != State.ACTIVE:
            return MEAN_SECONDS[State(item.state)]
        return (
            math.inf
            if centre.goes_silent(item.channel_type, item.contact_id)
            else TALK_SECONDS[Channel(item.channel_type)]
        )

    def _next(self, item: Workitem) -> Command:
        chance = self.dice.random()
        if item.state == State.ACTIVE:
            return self._while_talking(item, chance)
        if item.state == State.TERMINATED:
            fitting = [one for one in self.centre.dispositions if one.applies_to(item.type)]
            return SetDisposition(self.dice.choice(fitting))
        usual: dict[str, Command] = {
            State.OFFERED: Reject() if chance < 0.08 else Accept(),
            State.ACCEPTED: Bridge(),
            State.HOLD: Unhold(),
            State.CONFERENCE: HangUp(EndedBy.AGENT),
        }
        return usual[item.state]

    def _while_talking(self, item: Workitem, chance: float) -> Command:
        if chance < 0.15 and item.channel_type in LIVE:
            return Hold()
        elsewhere = [one for one in self.queues.values() if one.pk != item.queue_id and one.takes(item.channel_type)]
        if chance < 0.2 and elsewhere:
            return TransferToQueue(self.dice.choice(elsewhere))
        return HangUp(EndedBy.CUSTOMER if chance < 0.6 else EndedBy.AGENT)

    def _status(self, agent: User) -> str:
        return self.statuses.get(agent.pk, Status.OFFLINE)

    def _say(self, agent: User, status: Presence.Status, now: datetime) -> int:
        """Say it, as the agent himself."""
        try:
            routing.set_presence(agent, status, actor=Actor.of(agent, Door.API), now=now)
        except WorkitemError:
            return 0
        return 1

    def _do(self, command: Command | Create, workitem_id: str, actor: Actor, now: datetime) -> int:
        """Do it; somebody else may have been faster, then the players leave it at that."""
        try:
            if isinstance(command, Create):
                services.create(command, actor=actor, now=now)
            else:
                services.execute(command, workitem_id, actor=actor, now=now)
        except WorkitemError:
            return 0
        return 1


def _has_room(in_hand: Sequence[str], channel: str) -> bool:
    """Tell whether an agent takes one more: one call at a time, and of other things not too many."""
    if channel in ONE_AT_A_TIME and any(one in ONE_AT_A_TIME for one in in_hand):
        return False
    return len(in_hand) < MOST_IN_HAND[Channel(channel)]


def _statuses() -> dict[int, str]:
    """Return the presences of those who are active; the others are as good as offline."""
    return dict(Presence.objects.filter(user__is_active=True).values_list("user", "status"))
