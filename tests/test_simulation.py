"""The demo centre's agents come and go, answer or do not, and leave offers to the worker where it makes them."""

from __future__ import annotations

import random

import pytest
from django.core.management import call_command
from django.utils import timezone

from queues.models import Queue
from tests.builders import make_workitem
from workitems import routing
from workitems.choices import HANDLED, State
from workitems.commands import Offer
from workitems.demo import centre, simulation
from workitems.demo.simulation import Simulation
from workitems.models import Presence, StalePolicy, TimeEvent, Workitem

Status = Presence.Status


@pytest.fixture
def demo(db, monkeypatch, capsys):
    monkeypatch.setattr(centre, "PAST_ITEMS", 20)
    monkeypatch.setattr(centre, "CONTACTS", 10)
    call_command("load_demo")


@pytest.fixture
def game(demo) -> Simulation:
    return Simulation(random.Random(1))


@pytest.fixture
def nobody_moves(monkeypatch):
    monkeypatch.setattr(simulation, "STAYS_SECONDS", dict.fromkeys(Status, ()))


def play(game: Simulation, seconds: float) -> int:
    return game.tick(timezone.now(), seconds)


def test_the_agents_are_at_work_and_one_has_left_with_work_in_hand(demo, admin_actor):
    (stuck,) = routing.stuck(admin_actor)
    assert stuck.username != "ann.brook"
    assert set(Presence.objects.values_list("user__username", "status")) == {
        (name, "offline" if name == stuck.username else "available") for name in centre.AGENTS
    }


def test_some_queues_offer_by_themselves_and_some_policies_are_on(demo):
    offering = set(Queue.objects.filter(offers_automatically=True).values_list("queue_id", flat=True))
    assert offering == {"q_support", "q_sales", "q_vip"}
    enabled = set(StalePolicy.objects.filter(is_enabled=True).values_list("policy_id", flat=True))
    assert enabled == {"p_lost_calls", "p_unanswered_offers", "p_idle_chats", "p_forgotten_wrap_up"}


def test_only_the_other_queues_get_their_offers_from_the_simulation(game, nobody_moves):
    Workitem.objects.filter(state=State.OFFERED).update(
        state=State.ACCEPTED, current_state_name="accepted", offer_expires_at=None
    )
    Workitem.objects.filter(state__in=HANDLED).update(
        state=State.TERMINATED, terminated_at=timezone.now(), ended_by="agent"
    )
    steps = list(game._offers())
    assert steps
    assert all(isinstance(command, Offer) for command, _item, _actor in steps)
    ids = [workitem_id for _command, workitem_id, _actor in steps]
    queues = set(Workitem.objects.filter(workitem_id__in=ids).values_list("queue__queue_id", flat=True))
    assert queues <= {"q_billing", "q_messages"}


def test_agents_come_and_go(game):
    for _ in range(20):
        play(game, 600)
    assert Presence.objects.filter(status=Status.AVAILABLE).exists()
    assert Presence.objects.exclude(status=Status.AVAILABLE).exists()


def test_who_did_not_answer_comes_back_after_a_while(game):
    Presence.objects.update(status=Status.NO_ANSWER)
    play(game, 60)
    assert not Presence.objects.filter(status=Status.NO_ANSWER).exists()


def test_who_did_not_answer_leaves_his_offers_to_expire(game, nobody_moves):
    Presence.objects.update(status=Status.NO_ANSWER)
    offered = Workitem.objects.filter(state=State.OFFERED)
    before = set(offered.values_list("pk", "version"))
    play(game, 600)
    assert before
    assert set(offered.values_list("pk", "version")) == before


def test_who_is_offline_touches_nothing_that_he_has_in_hand(game, nobody_moves):
    Presence.objects.update(status=Status.OFFLINE)
    with_agents = Workitem.objects.filter(agent__isnull=False)
    before = set(with_agents.values_list("pk", "version"))
    play(game, 600)
    assert set(with_agents.values_list("pk", "version")) == before


def test_an_agent_of_an_older_demo_comes_to_work(game):
    Presence.objects.all().delete()
    play(game, 0.001)
    assert set(Presence.objects.values_list("status", flat=True)) == {Status.AVAILABLE}


def test_whom_somebody_has_made_inactive_stays_away(game):
    Presence.objects.update(status=Status.NO_ANSWER)
    agent = game.centre.agents["ann.brook"]
    type(agent).objects.filter(pk=agent.pk).update(is_active=False)
    play(game, 60)
    assert Presence.objects.get(user=agent).status == Status.NO_ANSWER


def test_what_the_worker_offers_the_agents_answer(game, nobody_moves):
    Workitem.objects.filter(agent__isnull=False).update(
        state=State.TERMINATED, current_state_name="terminated", terminated_at=timezone.now(), ended_by="agent",
        offer_expires_at=None, disposition=None, dispositioned_at=None, archived_at=timezone.now(),
    )  # fmt: skip
    make_workitem(queue=Queue.objects.get(queue_id="q_sales"), priority=5)
    assert routing.assign_waiting(now=timezone.now()) > 0
    offered = set(Workitem.objects.filter(state=State.OFFERED).values_list("pk", flat=True))
    play(game, 60)
    answered = TimeEvent.objects.filter(workitem__in=offered, type__in=["accepted", "rejected"], door="api")
    assert set(answered.values_list("workitem", flat=True)) == offered
