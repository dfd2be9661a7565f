"""What is explained for many is what each of them would meet, and costs no more for more of them."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.builders import LATER, NOON, make_queue, make_user, make_workitem
from workitems import commands, services
from workitems.actors import Actor
from workitems.choices import ENDED, Door, Scope, State, Type
from workitems.errors import WorkitemError
from workitems.groups import grant, grant_transfer_in
from workitems.models import Workitem
from workitems.outcomes import MOST_SAMPLES, Forecast

SOON = LATER + timedelta(minutes=1)
SEEDS, ITEMS = range(3), 40
KINDS = (Type.INBOUND_CALL, Type.CHAT, Type.INBOUND_EMAIL, Type.OUTBOUND_SMS, Type.OUTBOUND_CALL)

pytestmark = pytest.mark.django_db


class Centre:
    """Four queues, four agents, eight who act, and workitems of all sorts, some of them transferred."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.agents = [make_user(name) for name in ("both", "mailer", "gone", "idle")]
        both, mailer, gone, _idle = self.agents
        self.queues = [
            make_queue("q_open", members=[both, gone]),
            make_queue("q_more", members=[both]),
            make_queue("q_mail", channels=["email"], members=[mailer]),
            make_queue("q_shut", is_open=False),
        ]
        self.actors = self._actors()
        for _ in range(ITEMS):
            self._add_item()
        gone.is_active = False
        gone.save()

    def commands(self) -> list[commands.Command]:
        """Return a transfer to each queue and to each agent, and their undoing."""
        return [
            *map(commands.TransferToQueue, self.queues),
            *map(commands.TransferToAgent, self.agents),
            commands.UndoTransfer(),
        ]

    def _actors(self) -> dict[str, Actor]:
        people = {name: make_user(name) for name in ("admin", "writer", "reader", "lead", "sender")}
        grant(people["admin"], Scope.ADMIN)
        grant(people["writer"], Scope.WRITE)
        grant(people["reader"], Scope.READ, self.queues[0])
        grant(people["lead"], Scope.WRITE, self.queues[0])
        grant(people["lead"], Scope.READ, self.queues[2])
        grant_transfer_in(people["lead"], self.queues[1])
        grant_transfer_in(people["sender"], self.queues[0])
        actors = {name: Actor.of(user, Door.API) for name, user in people.items()}
        return actors | {
            "own items only": Actor.of(self.agents[0], Door.API),
            "reading token": Actor.of(people["writer"], Door.API, [Scope.READ]),
            "system": Actor.job("system", Scope.ADMIN),
        }

    def _add_item(self) -> None:
        dice = self.dice
        state, kind = dice.choice(list(State)), dice.choice(KINDS)
        needs_queue = state in (State.INQUEUE, State.OFFERED)
        queue = dice.choice(self.queues if needs_queue else [None, *self.queues])
        facts = {"archived_at": NOON} if state in ENDED and dice.random() < 0.5 else {}
        agent = None if state == State.INQUEUE else dice.choice(self.agents)
        item = make_workitem(state, queue=queue, agent=agent, type=kind, **facts)
        if dice.random() < 0.7:
            self._move(item)

    def _move(self, item: Workitem) -> None:
        """Let somebody transfer it, if he may, and perhaps somebody touch it afterwards."""
        mover = self.actors[self.dice.choice(list(self.actors))]
        services.execute_many(self.dice.choice(self.commands()[:-1]), [item.workitem_id], actor=mover, now=LATER)
        if self.dice.random() < 0.3:
            note = commands.AddNote("Seen.")
            services.execute(note, item.workitem_id, actor=self.actors["admin"], now=LATER)


def rehearsed(command, item, actor):
    try:
        services.rehearse(command, item.workitem_id, actor=actor, now=SOON)
    except WorkitemError as refusal:
        return refusal
    return None


def tally(refusals):
    """Return the ids by what they meet: code and sentence, or only the code of what cannot be seen."""
    found = defaultdict(set)
    for workitem_id, refusal in refusals.items():
        if refusal is None:
            found["allowed"].add(workitem_id)
        else:
            found[refusal.code, "" if refusal.code == "not_found" else refusal.message].add(workitem_id)
    return found


def check(forecast, expected):
    """Require the same numbers, and samples that are among those who meet it."""
    refused = {
        (one.refusal.code, "" if one.refusal.code == "not_found" else one.refusal.message): one
        for one in forecast.refused.values()
    }
    assert len(refused) == len(forecast.refused)
    assert forecast.allowed == len(expected["allowed"])
    assert {key: one.count for key, one in refused.items()} == {
        key: len(ids) for key, ids in expected.items() if key != "allowed"
    }
    for key, samples in {"allowed": forecast.samples, **{key: one.samples for key, one in refused.items()}}.items():
        assert len(samples) == len(set(samples)) <= MOST_SAMPLES
        assert bool(samples) == bool(expected[key])
        assert set(samples) <= expected[key]


@pytest.mark.parametrize("seed", SEEDS)
def test_all_at_once_is_what_each_of_them_would_meet(seed):
    centre, met = Centre(seed), set()
    items = list(Workitem.objects.all())
    for command in centre.commands():
        for who, actor in centre.actors.items():
            forecast = services.explain_many(command, Workitem.objects.all(), actor=actor, now=SOON)
            expected = tally({item.workitem_id: rehearsed(command, item, actor) for item in items})
            check(forecast, expected)
            met |= {(who, key if key == "allowed" else key[0]) for key, ids in expected.items() if ids}
    assert {code for _who, code in met} >= {"allowed", "not_found", "scope", "state", "touched_since", "queue_closed"}


@pytest.mark.parametrize("seed", SEEDS)
def test_of_what_somebody_sees_it_is_what_is_explained_to_him_one_by_one(seed):
    centre = Centre(seed)
    for command in centre.dice.sample(centre.commands(), 4):
        for actor in centre.actors.values():
            visible = Workitem.objects.visible_to(actor)
            forecast = services.explain_many(command, visible, actor=actor, now=SOON)
            refusals = {
                item.workitem_id: services.explain_command(command, item, actor, SOON)
                for item in visible.select_related("queue", "agent")
            }
            check(forecast, tally(refusals))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_explained_is_what_happens(seed):
    centre = Centre(seed)
    command, actor = centre.dice.choice(centre.commands()), centre.dice.choice(list(centre.actors.values()))
    items = list(Workitem.objects.all())
    forecast = services.explain_many(command, Workitem.objects.all(), actor=actor, now=SOON)
    outcome = services.execute_many(command, [item.workitem_id for item in items], actor=actor, now=SOON)
    check(forecast, tally(dict.fromkeys(outcome.done, None) | outcome.refused))


def test_explaining_writes_nothing():
    centre = Centre(1)
    before = list(Workitem.objects.order_by("pk").values())
    for command in centre.commands():
        services.explain_many(command, Workitem.objects.all(), actor=centre.actors["admin"], now=SOON)
    assert list(Workitem.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("which", ["to a queue", "to an agent", "undo"])
def test_more_workitems_cost_no_query_more(which, queue, sales, ann, supervisor):
    shut = make_queue("q_shut", is_open=False)
    command = {
        "to a queue": commands.TransferToQueue(sales),
        "to an agent": commands.TransferToAgent(ann),
        "undo": commands.UndoTransfer(),
    }[which]

    def queries_with_more(rounds):
        for state in rounds * [State.INQUEUE, State.ACTIVE, State.TERMINATED]:
            agent = ann if state == State.ACTIVE else None
            moved = make_workitem(state, queue=queue, agent=agent)
            make_workitem(state, queue=shut, agent=agent)
            services.execute_many(commands.TransferToQueue(sales), [moved.workitem_id], actor=supervisor, now=LATER)
        with CaptureQueriesContext(connection) as queries:
            services.explain_many(command, Workitem.objects.all(), actor=supervisor, now=SOON)
        return len(queries)

    few = queries_with_more(1)
    assert queries_with_more(20) == few <= 7


def test_work_that_is_alike_is_decided_once(queue, sales, supervisor, monkeypatch):
    for _ in range(30):
        make_workitem(queue=queue)
    decided = []
    original = commands.TransferToQueue.check
    monkeypatch.setattr(
        commands.TransferToQueue, "check", lambda self, *args: decided.append(1) or original(self, *args)
    )
    forecast = services.explain_many(
        commands.TransferToQueue(sales), Workitem.objects.all(), actor=supervisor, now=SOON
    )
    assert (forecast.allowed, len(decided)) == (30, 1)


def test_many_that_cannot_be_seen_are_one_reason(queue, sales, eve):
    ids = {make_workitem(queue=one).workitem_id for one in (queue, queue, sales)}
    for command in (commands.TransferToQueue(sales), commands.UndoTransfer()):
        forecast = services.explain_many(command, Workitem.objects.all(), actor=Actor.of(eve, Door.API), now=SOON)
        (unseen,) = forecast.refused.values()
        assert (unseen.refusal.code, unseen.count) == ("not_found", 3)
        assert unseen.refusal.facts["workitem_id"] in unseen.samples
        assert set(unseen.samples) <= ids


def test_more_than_a_chunk_is_explained_too(queue, sales, supervisor, monkeypatch):
    monkeypatch.setattr(services, "CHUNK", 4)
    ids = [make_workitem(queue=queue).workitem_id for _ in range(11)]
    services.execute_many(commands.TransferToQueue(sales), ids[:9], actor=supervisor, now=LATER)
    forecast = services.explain_many(commands.UndoTransfer(), Workitem.objects.all(), actor=supervisor, now=SOON)
    assert (forecast.allowed, forecast.refusals) == (9, 2)


def test_forecasts_add_up(queue, sales, supervisor):
    for one in (queue, queue, sales, sales, sales):
        make_workitem(queue=one)
    total = Forecast()
    for part in (Workitem.objects.filter(queue=queue), Workitem.objects.filter(queue=sales)) * 2:
        total.add(services.explain_many(commands.TransferToQueue(sales), part, actor=supervisor, now=SOON))
    assert (total.allowed, total.refusals, len(total.refused)) == (4, 6, 1)
    assert len(total.samples) == len(set(total.samples))
