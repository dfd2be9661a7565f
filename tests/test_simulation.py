"""The demo centre's agents come and go, answer or do not, and leave offers to the worker where it makes them."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from queues.channels import Channel
from queues.models import Queue
from tests.builders import make_workitem
from workitems import policies, routing
from workitems.choices import HANDLED, State, Type
from workitems.commands import Offer
from workitems.demo import centre, past, present, simulation
from workitems.demo.simulation import Simulation
from workitems.models import Presence, StalePolicy, TimeEvent, Workitem
from workitems.worklist.sla import Sla, stands

Status = Presence.Status


@pytest.fixture
def demo(db, monkeypatch, settings, capsys):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(past, "FULL_DAY", 20)
    monkeypatch.setattr(past, "OLDER_DAY", 1)
    monkeypatch.setattr(past, "GROWTH", 1)
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


def test_the_agents_are_at_work_but_one_is_away_and_one_has_left_with_work_in_hand(demo, admin_actor):
    (stuck,) = routing.stuck(admin_actor)
    assert stuck.username == present.GONE
    gone = {present.GONE: "offline", present.AWAY: "away"}
    assert set(Presence.objects.values_list("user__username", "status")) == {
        (name, gone.get(name, "available")) for name in centre.AGENTS
    }


def test_the_first_look_shows_what_burns(demo, admin_actor):
    now = timezone.now()
    waiting = Workitem.objects.waiting()
    assert waiting.filter(stands([Sla.BREACHED], now)).exists()
    assert waiting.filter(stands([Sla.WARNING], now)).exists()
    assert waiting.values("queue").distinct().count() >= 4


def test_a_policy_stops_at_its_cap_and_another_warns_of_silent_chats_in_the_first_minute(demo):
    now = timezone.now() + timedelta(seconds=60)
    found = policies.look(now=now)
    assert policies.warn(found, now=now) == 2
    begun = policies.sweep(found, now=now)
    assert [(run.policy.policy_id, run.total, run.is_capped) for run in begun] == [
        ("p_forgotten_wrap_up", present.CAP, True)
    ]


def test_the_past_reaches_from_four_weeks_ago_until_today_and_no_further(demo):
    ended = Workitem.objects.exclude(terminated_at=None)
    now = timezone.now()
    assert ended.filter(created_at__lt=now - timedelta(days=26)).exists()
    assert ended.filter(created_at__gte=now - timedelta(days=1)).exists()
    assert not ended.filter(modified_at__gt=now).exists()


def test_today_and_yesterday_were_as_busy_as_the_simulation_is():
    usual = past.FULL_DAY / 24
    live, written = simulation.LIVE_A_MINUTE * 60, [rate * 60 for _below, rate in simulation.WRITTEN_A_MINUTE]
    assert live + min(written) < usual * 1.4
    assert usual < live + max(written)


def test_mails_and_messages_come_the_fewer_the_more_of_them_wait(game):
    def come_in_an_hour() -> int:
        steps = list(game._arrivals(3600))
        return sum(command.channel_type in simulation.WRITTEN for command, _item, _actor in steps)

    Workitem.objects.filter(state=State.INQUEUE, channel_type__in=simulation.WRITTEN).update(
        state=State.TERMINATED, current_state_name="terminated", terminated_at=timezone.now(), ended_by="agent",
        entered_at=None,
    )  # fmt: skip
    assert come_in_an_hour() == 168
    for _ in range(17):
        make_workitem(queue=game.centre.queues["q_billing"], channel_type=Channel.EMAIL, type=Type.INBOUND_EMAIL)
    assert come_in_an_hour() == 6


def test_who_goes_away_from_a_chat_without_a_word_is_left_to_the_policy(game, nobody_moves):
    Presence.objects.update(status=Status.AVAILABLE)
    silent = [
        one.pk
        for one in Workitem.objects.filter(state=State.ACTIVE)
        if centre.goes_silent(one.channel_type, one.contact_id)
    ]
    for _ in range(5):
        play(game, 600)
    assert silent
    assert set(Workitem.objects.filter(pk__in=silent).values_list("state", flat=True)) == {"active"}


def test_one_call_at_a_time_and_not_too_much_else():
    has_room = simulation._has_room
    assert has_room(["chat"], "voice")
    assert not has_room(["videoMeeting"], "voice")
    assert has_room([], "email")
    assert has_room(["chat"], "email")
    assert not has_room(["chat", "sms"], "email")


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
    for _ in range(5):
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
