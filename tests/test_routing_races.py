"""An offer ends one way, and no agent gets more than he can take, however many decide at once.

On PostgreSQL, where transactions really overlap; SQLite lets one writer in at a time (test_sqlite_writers.py).
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models import Count

from tests.builders import LATER, NOON, make_queue, make_user
from workitems import commands, lifecycle, routing, services
from workitems.actors import Actor
from workitems.choices import Action, Door, Event, State, Type
from workitems.commands import handling
from workitems.errors import WorkitemError
from workitems.models import Presence, TimeEvent, Workitem

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="transactions overlap on PostgreSQL only"),
]

AGENTS = 8


def make_agents(**capacity: int) -> list[Any]:
    agents = [make_user() for _ in range(AGENTS)]
    for agent in agents:
        Presence.objects.create(user=agent, status=Presence.Status.AVAILABLE, since=NOON, capacity=capacity)
    return agents


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run these at the same time, each with a connection of its own."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        try:
            start.wait()
            return work()
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def put(count: int, state: State, **facts: Any) -> list[Workitem]:
    """Put many like workitems straight into the database."""
    values = {
        "type": Type.CHAT,
        "channel_type": "chat",
        "state": state,
        "current_state_name": state,
        **dict.fromkeys(("created_at", "modified_at", "state_changed_at", "active_at", "queued_at"), NOON),
    }
    items = Workitem.objects.bulk_create(Workitem(**(values | facts)) for _ in range(count))
    TimeEvent.objects.bulk_create(
        TimeEvent(workitem=item, version=1, type=Event.CREATED, timestamp=NOON, door=Door.JOB, to_state=state)
        for item in items
    )
    return items


# Offers: the sweep against the answer

ROUNDS, OFFERS_A_ROUND, ANSWERERS = 20, 100, 4


def race_offers(rounds: int) -> Counter[tuple[str, ...]]:
    """Let agents accept offers in the very moment in which they expire; return how each came out, by its history."""
    dice = random.Random(1)
    agents = make_agents(chat=100)
    queue = make_queue("q_one", members=agents)
    items = {}
    for number in range(rounds):
        deadline = NOON + timedelta(seconds=number + 1)
        offered = [agents[n % AGENTS] for n in range(OFFERS_A_ROUND)]
        for agent in agents:
            count = offered.count(agent)
            items.setdefault(number, []).extend(
                put(count, State.OFFERED, queue=queue, agent=agent, offer_expires_at=deadline)
            )
    actors = {agent.pk: Actor.of(agent, Door.API) for agent in agents}

    def answer(mine: list[Workitem]) -> None:
        for item in mine:
            try:
                services.execute(commands.Accept(), item.workitem_id, actor=actors[item.agent_id], now=NOON)
            except WorkitemError:
                continue

    def sweep(number: int, after: float) -> None:
        time.sleep(after)
        routing.expire_offers(now=NOON + timedelta(seconds=number + 1))

    for number, offers in items.items():
        dice.shuffle(offers)
        shares = [offers[n::ANSWERERS] for n in range(ANSWERERS)]
        at_once(
            *[lambda share=share: answer(share) for share in shares],
            lambda number=number: sweep(number, dice.uniform(0, 0.2)),
        )
    events: dict[int, list[str]] = {item.pk: [] for offers in items.values() for item in offers}
    for pk, event in TimeEvent.objects.exclude(type=Event.CREATED).order_by("version").values_list("workitem", "type"):
        events[pk].append(event)
    return Counter(tuple(told) for told in events.values())


@pytest.fixture
def slow_sweep(monkeypatch):
    """Leave time between finding the overdue offers and locking them."""
    lock = routing.lock_presences

    def dawdle(agents):
        time.sleep(0.03)
        return lock(agents)

    monkeypatch.setattr(routing, "lock_presences", dawdle)


def test_an_offer_either_expires_or_is_accepted(slow_sweep):
    outcomes = race_offers(ROUNDS)
    assert set(outcomes) == {(Event.ACCEPTED,), (Event.OFFER_EXPIRED,)}
    assert outcomes.total() == ROUNDS * OFFERS_A_ROUND == 2_000
    assert not Workitem.objects.exclude(version=2).exists()
    assert Workitem.objects.filter(state=State.ACCEPTED).count() == outcomes[Event.ACCEPTED,]
    assert Workitem.objects.filter(state=State.INQUEUE, queued_at=NOON).count() == outcomes[Event.OFFER_EXPIRED,]


def test_without_the_second_look_what_was_accepted_expires(slow_sweep, monkeypatch):
    look = lifecycle.refusal

    def look_away(action, workitem, actor):
        return None if action is Action.EXPIRE_OFFER else look(action, workitem, actor)

    monkeypatch.setattr(lifecycle, "refusal", look_away)
    outcomes = race_offers(4)
    assert outcomes[Event.ACCEPTED, Event.OFFER_EXPIRED] > 0


# Capacity: several assigners

WAITING, ASSIGNERS, CAPACITY = 300, 4, 9


@pytest.fixture
def each_for_himself(monkeypatch):
    """Let each assigner go through the line in an order of his own, or they would only meet at one item at a time."""
    line = routing._in_line

    def shuffled(queues, agents):
        items, saw_all = line(queues, agents)
        random.shuffle(items)
        return items, saw_all

    monkeypatch.setattr(routing, "_in_line", shuffled)


def assign_at_once() -> None:
    """Let four workers hand out three hundred items to eight agents at once."""
    agents = make_agents(chat=CAPACITY)
    queue = make_queue("q_one", members=agents, offers_automatically=True)
    put(WAITING, State.INQUEUE, queue=queue)
    at_once(*[lambda: routing.assign_waiting(now=LATER)] * ASSIGNERS)


def too_many() -> int:
    """Count the offers beyond what agents can take."""
    held = Workitem.objects.filter(agent__isnull=False).values("agent").annotate(held=Count("pk"))
    return sum(max(0, one["held"] - CAPACITY) for one in held)


def test_no_agent_ever_gets_more_than_he_can_take(each_for_himself):
    assign_at_once()
    assert too_many() == 0
    offered = TimeEvent.objects.filter(type=Event.OFFERED).values_list("workitem_id", flat=True)
    assert len(offered) == len(set(offered)) == AGENTS * CAPACITY
    assert Workitem.objects.filter(state=State.OFFERED).count() == AGENTS * CAPACITY


def test_without_the_lock_on_his_presence_he_does(each_for_himself, monkeypatch):
    def only_look(agent_pk):
        presence = Presence.objects.filter(user=agent_pk).first()
        time.sleep(0.01)
        return presence

    monkeypatch.setattr(routing, "lock_presence", only_look)
    monkeypatch.setattr(handling, "lock_presence", only_look)
    assign_at_once()
    assert too_many() > 0


def test_an_agent_who_goes_offline_while_work_is_handed_out_keeps_no_offer():
    agents = make_agents(chat=CAPACITY)
    queue = make_queue("q_one", members=agents, offers_automatically=True)
    put(WAITING, State.INQUEUE, queue=queue)

    def leave() -> None:
        for agent in agents[:4]:
            time.sleep(0.05)
            actor = Actor.of(agent, Door.API)
            routing.set_presence(agent, Presence.Status.OFFLINE, actor=actor, now=LATER)

    at_once(lambda: routing.assign_waiting(now=LATER), lambda: routing.assign_waiting(now=LATER), leave)
    held = Counter(Workitem.objects.filter(state=State.OFFERED).values_list("agent", flat=True))
    assert [held[agent.pk] for agent in agents[:4]] == [0, 0, 0, 0]
    assert all(held[agent.pk] <= CAPACITY for agent in agents[4:])
