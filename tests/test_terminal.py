"""What is done from a terminal: scopes, the demo centre, its simulation, and a deployment's own secret."""

from __future__ import annotations

import itertools
import os
import random
import re
import stat
import subprocess
import sys
from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from config.settings import secret_key_file
from contacts.addresses import normal_phone
from contacts.models import ContactEmail, ContactPhone
from queues.models import Queue
from tests.builders import make_queue, make_user, make_workitem
from workitems import beat, services
from workitems.actors import Actor
from workitems.choices import Door, Event, Scope, State
from workitems.demo import centre, past
from workitems.demo.simulation import Simulation
from workitems.lifecycle import MOVES
from workitems.management.commands import jobs
from workitems.models import TimeEvent, Transfer, Workitem


def run(command, *words, **options):
    out = StringIO()
    call_command(command, *words, stdout=out, **options)
    return out.getvalue()


# grant


def test_a_scope_is_given_everywhere(db):
    user = make_user("ann")
    assert "ann now has workitems:write on all workitems." in run("grant", "ann", "workitems:write")
    assert Actor.of(user, Door.API).everywhere == {Scope.READ, Scope.WRITE}


def test_a_scope_is_given_on_one_queue(db):
    user, queue = make_user("ann"), make_queue("q_support")
    run("grant", "ann", "workitems:read", "--queue", "q_support")
    actor = Actor.of(user, Door.API)
    assert (actor.everywhere, actor.queues_with(Scope.READ)) == (frozenset(), [queue.pk])


def test_sending_into_a_queue_is_given(db):
    user, queue = make_user("ann"), make_queue("q_support")
    run("grant", "ann", "transfer_in", "--queue", "q_support")
    assert Actor.of(user, Door.API).can_transfer_into(queue)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["nobody", "workitems:read"], "no user nobody"),
        (["ann", "workitems:read", "--queue", "q_none"], "no queue q_none; queues are: q_support"),
        (["ann", "transfer_in"], "add --queue"),
        (["ann", "workitems:fly"], "invalid choice"),
    ],
)
def test_what_cannot_be_given_says_why(words, reason, db):
    make_user("ann")
    make_queue("q_support")
    with pytest.raises(CommandError, match=reason):
        run("grant", *words)


# The demo centre


@pytest.fixture
def demo(db, monkeypatch):
    monkeypatch.setattr(past, "FULL_DAY", 60)
    monkeypatch.setattr(past, "OLDER_DAY", 10)
    monkeypatch.setattr(centre, "CONTACTS", 30)
    return run("load_demo")


def test_the_demo_centre_has_work_of_all_states_and_channels(demo):
    assert set(Workitem.objects.values_list("state", flat=True)) == set(State.values)
    assert set(Workitem.objects.values_list("channel_type", flat=True)) == {
        "voice",
        "email",
        "sms",
        "chat",
        "videoMeeting",
    }
    assert Workitem.objects.count() > 100


def test_its_past_is_one_that_the_lifecycle_allows(demo):
    allowed = {(move.event, source, move.target) for move in MOVES.values() for source in move.sources}
    allowed |= {(Event.ABANDONED, source, State.TERMINATED) for source in (State.INQUEUE, State.OFFERED)}
    happened = TimeEvent.objects.exclude(type=Event.CREATED).values_list("type", "from_state", "to_state").distinct()
    assert set(happened) <= allowed
    for item in Workitem.objects.prefetch_related("time_events"):
        events = list(item.time_events.all())
        assert [event.timestamp for event in events] == sorted(event.timestamp for event in events)
        assert all(one.to_state == two.from_state for one, two in itertools.pairwise(events))
        assert events[-1].to_state == item.state


def test_its_numbers_and_addresses_belong_to_nobody(demo):
    for number in ContactPhone.objects.values_list("number", flat=True):
        assert number.startswith("+447700900")
        assert normal_phone(number) == number
    assert all(address.endswith("@example.org") for address in ContactEmail.objects.values_list("address", flat=True))


def test_its_passwords_are_shown_once_and_differ_each_time(demo, client):
    name, password = next(line.split()[:2] for line in demo.splitlines() if "supervisor " in line)
    assert client.login(username=name, password=password)
    assert run("load_demo") == "The demo centre is there already.\n"


def test_it_does_not_mix_with_real_work(db):
    make_workitem(queue=make_queue("q_real"))
    with pytest.raises(CommandError, match="wants an empty one"):
        run("load_demo")
    assert Queue.objects.count() == 1


def test_the_simulation_moves_work_on_by_ordinary_commands(demo):
    game = Simulation(random.Random(1), speed=60)
    now = timezone.now()
    done = sum(game.tick(now + timedelta(seconds=second), 1) for second in range(10))
    assert done > 20
    played = TimeEvent.objects.filter(door=Door.API)
    assert set(played.values_list("type", flat=True)) >= {"accepted", "activated"}
    assert not played.filter(user=None).exists()


def test_the_simulation_leaves_other_queues_alone(demo):
    real = make_workitem(queue=make_queue("q_real"))
    game = Simulation(random.Random(1), speed=1000)
    for _ in range(3):
        game.tick(timezone.now(), 1)
    assert Workitem.objects.get(pk=real.pk).version == 1


def test_the_simulation_gives_way_to_people(demo, monkeypatch):
    game = Simulation(random.Random(1), speed=60)
    steps = list(game._offers())

    def somebody_was_faster(*args, **kwargs):
        raise services.WrongState(state="x")

    monkeypatch.setattr(services, "execute", somebody_was_faster)
    assert sum(game._do(*step, timezone.now()) for step in steps) == 0


def test_without_a_demo_centre_nothing_is_simulated(db):
    with pytest.raises(CommandError, match="load_demo"):
        run("simulate", "--ticks", "1")


@pytest.mark.parametrize("speed", ["0", "-1", "5000"])
def test_impossible_speeds_are_refused(speed, demo):
    with pytest.raises(CommandError, match="speed"):
        run("simulate", "--ticks", "1", "--speed", speed)


# Jobs


def make_transfer(**facts):
    now = timezone.now()
    values = {"created_at": now, "start_at": now, "moved_at": now, "requested_by": User.objects.get()} | facts
    return Transfer.objects.create(queue=Queue.objects.get(), door=Door.API, **values)


@pytest.fixture
def shop(db):
    make_user("ann")
    make_queue("q_support")


def test_runs_are_shown_with_how_far_they_are(shop):
    now = timezone.now()
    run_ = make_transfer(
        state="running", total=100, done=40, refused=8, failed=2,
        started_at=now - timedelta(seconds=10), moved_at=now - timedelta(seconds=65),
    )  # fmt: skip
    (line,) = [line for line in run("jobs").splitlines() if run_.transfer_id in line]
    assert re.fullmatch(rf"{run_.transfer_id} +transfer +running +40 +8 +2 +100 +\d\.\d +\d+ s +1 min \d s ago", line)


def test_unfinished_runs_stand_before_the_latest_finished_ones(shop):
    unfinished = make_transfer(state="paused")
    finished = [make_transfer(state="done", created_at=timezone.now() + timedelta(seconds=n)) for n in range(12)]
    ids = [line.split()[0] for line in run("jobs").splitlines() if line.startswith("tr_")]
    assert ids == [one.transfer_id for one in [unfinished, *reversed(finished[2:])]]


def test_what_is_due_and_the_last_beat_are_shown(shop):
    make_transfer(start_at=timezone.now() - timedelta(hours=2), moved_at=timezone.now() - timedelta(hours=2))
    beat.claim("expire_offers", 2, now=timezone.now() - timedelta(seconds=90))
    shown = run("jobs")
    assert "  transfers: 2 h 0 min" in shown
    assert "  mails: nothing due" in shown
    assert "Last beat: 1 min 30 s ago" in shown


def test_without_runs_and_beat_jobs_says_so(db):
    assert "No runs." in run("jobs")
    assert "Last beat: never" in run("jobs")


def test_jobs_are_shown_anew_until_somebody_stops_it(db, monkeypatch):
    naps = iter([None, KeyboardInterrupt])

    def nap(seconds):
        if (end := next(naps)) is not None:
            raise end

    monkeypatch.setattr(jobs.time, "sleep", nap)
    assert run("jobs", "--watch").count("Last beat") == 2


def test_a_database_without_tables_is_one_clear_line(tmp_path):
    env = os.environ | {"DATA_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}"}
    done = subprocess.run(
        [sys.executable, "manage.py", "jobs"], cwd=settings.BASE_DIR, env=env, capture_output=True, check=False
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert b"run manage.py migrate" in done.stderr


# A deployment's own secret


def test_the_secret_key_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    path = tmp_path / "var" / "secret_key"
    key = secret_key_file(path)
    assert len(key) >= 50
    assert secret_key_file(path) == key
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["secret_key"]


def test_two_deployments_have_two_secrets(tmp_path):
    assert secret_key_file(tmp_path / "one") != secret_key_file(tmp_path / "two")
