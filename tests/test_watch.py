"""Health and metrics: what they tell, to whom, and at what cost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from tests.builders import make_queue, make_user, make_workitem
from workitems import beat
from workitems.choices import Door, State, Type
from workitems.models import BulkRun, OutgoingMail, PolicyRun, Presence, StalePolicy, Transfer
from workitems.watch import health

# Builders


def make_transfer(user, queue, **facts):
    now = timezone.now()
    values = {"created_at": now, "start_at": now, "moved_at": now} | facts
    return Transfer.objects.create(queue=queue, requested_by=user, door=Door.API, **values)


def make_policy_run(**facts):
    now = timezone.now()
    policy, _made = StalePolicy.objects.get_or_create(
        policy_id="p_1", defaults={"name": "Lost calls", "state": State.INQUEUE, "after_seconds": 60}
    )
    values = {"created_at": now, "start_at": now, "moved_at": now} | facts
    return PolicyRun.objects.create(policy=policy, policy_version=1, **values)


def make_bulk_run(user, **facts):
    now = timezone.now()
    values = {"created_at": now, "start_at": now, "moved_at": now} | facts
    return BulkRun.objects.create(action="hold", requested_by=user, door=Door.ADMIN, **values)


def make_mail(item, **facts):
    now = timezone.now()
    values = {"created_at": now, "next_attempt_at": now} | facts
    return OutgoingMail.objects.create(workitem=item, from_address="us@example.com", message_id="<1@x>", **values)


def ago(seconds):
    return timezone.now() - timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
def look_anew(monkeypatch):
    monkeypatch.setattr(health.broker, "look_again_at", 0.0)


@pytest.fixture
def ready(client):
    def ask():
        answer = client.get("/health/ready")
        return answer.status_code, answer.json()["status"], answer.json()["checks"]

    return ask


# Health


def test_a_process_that_lives_says_so_without_the_database(client, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_a_last_slash_makes_no_difference(path, client, db):
    assert client.get(f"{path}/").status_code == client.get(path).status_code == 200


def test_a_probe_is_not_sent_to_https(client, settings, db):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/health/live").status_code == 200


def test_health_is_not_kept_by_anybody(client, db):
    assert "no-store" in client.get("/health/ready")["Cache-Control"]


def test_all_is_well(ready, db):
    beat.claim("expire_offers", 2, now=timezone.now())
    status, word, checks = ready()
    assert (status, word) == (200, "ok")
    assert {name: check["state"] for name, check in checks.items()} == dict.fromkeys(
        ("database", "broker", "migrations", "work", "beat"), "ok"
    )


def test_a_fresh_deployment_without_a_beat_is_ready_with_a_warning(ready, db):
    status, word, checks = ready()
    assert (status, word) == (200, "warning")
    assert checks["beat"] == {"state": "warning", "seconds": None, "limitSeconds": 60}


def test_a_beat_that_has_stopped_is_a_warning(ready, db):
    beat.claim("expire_offers", 2, now=ago(100))
    status, word, checks = ready()
    assert (status, word, checks["beat"]["state"]) == (200, "warning", "warning")
    assert checks["beat"]["seconds"] >= 100


def test_a_deployment_may_insist_on_a_beat(ready, settings, db):
    settings.HEALTH_FAILS_ON = [*settings.HEALTH_FAILS_ON, "beat"]
    assert ready()[:2] == (503, "failing")


def test_a_database_that_does_not_answer_is_named_and_nothing_else_is_asked(ready, db):
    def fail(execute, sql, params, many, context):
        raise OperationalError("password of somebody")

    with connection.execute_wrapper(fail):
        status, word, checks = ready()
    assert (status, word, checks["database"]) == (503, "failing", {"state": "failing"})
    assert {checks[name]["state"] for name in ("migrations", "work", "beat")} == {"unknown"}
    assert "somebody" not in str(checks)


def test_a_migration_that_was_not_applied_is_named(ready, db):
    MigrationRecorder.Migration.objects.filter(app="workitems").order_by("-name").first().delete()
    status, _word, checks = ready()
    assert (status, checks["migrations"]) == (503, {"state": "failing", "unapplied": ["workitems"]})


@pytest.fixture
def dead_broker(monkeypatch):
    monkeypatch.setenv("CELERY_BROKER_WRITE_URL", "redis://:secret@127.0.0.1:1/0")


def test_a_broker_that_does_not_answer_is_named(ready, dead_broker, db):
    status, _word, checks = ready()
    assert (status, checks["broker"]) == (503, {"state": "failing"})


def test_a_load_balancer_may_do_without_a_broker(ready, dead_broker, settings, db):
    settings.HEALTH_FAILS_ON = ["database", "migrations"]
    assert ready()[:2] == (200, "warning")


def test_the_broker_is_looked_at_once_in_a_while(ready, monkeypatch, db):
    ready()
    monkeypatch.setattr(health, "_broker_answers", lambda: pytest.fail("asked again"))
    assert ready()[2]["broker"]["state"] == "ok"


@pytest.fixture
def late(sue, queue, ann):
    """Return how to make one piece of work of each kind that has been due for so many seconds."""
    return {
        "transfers": lambda seconds: make_transfer(sue, queue, start_at=ago(seconds), moved_at=ago(seconds)),
        "policy_runs": lambda seconds: make_policy_run(start_at=ago(seconds), moved_at=ago(seconds)),
        "bulk_runs": lambda seconds: make_bulk_run(sue, start_at=ago(seconds), moved_at=ago(seconds)),
        "offers": lambda seconds: make_workitem(State.OFFERED, queue=queue, agent=ann, offer_expires_at=ago(seconds)),
        "mails": lambda seconds: make_mail(make_workitem(queue=queue), next_attempt_at=ago(seconds)),
    }


@pytest.mark.parametrize("kind", ["transfers", "policy_runs", "bulk_runs", "offers", "mails"])
def test_work_that_has_been_due_for_too_long_is_named(kind, late, ready):
    late[kind](400)
    status, _word, checks = ready()
    assert (status, checks["work"]["state"], checks["work"]["oldest"]) == (503, "failing", kind)
    assert checks["work"]["seconds"] >= 400


@pytest.mark.parametrize("kind", ["transfers", "policy_runs", "bulk_runs", "offers", "mails"])
def test_work_that_is_due_but_not_for_long_is_no_alarm(kind, late, ready):
    late[kind](100)
    status, _word, checks = ready()
    assert (status, checks["work"]["state"], checks["work"]["oldest"]) == (200, "ok", kind)


@pytest.mark.parametrize(
    ("state", "due_for", "still_for"),
    [
        ("running", 4000, 1),
        ("pending", -3600, 4000),  # in an hour
        ("paused", 4000, 4000),
        ("done", 4000, 4000),
        ("cancelled", 4000, 4000),
    ],
)
def test_a_run_that_nobody_has_to_drive_is_not_late(state, due_for, still_for, sue, queue, ready):
    make_transfer(sue, queue, state=state, start_at=ago(due_for), moved_at=ago(still_for))
    assert ready()[2]["work"]["state"] == "ok"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_nothing_can_be_done_there(path, client, db):
    assert client.post(path).status_code == 405


# Metrics


@pytest.fixture
def figures(client, settings):
    settings.METRICS_TOKEN = "a-long-token"

    def ask():
        answer = client.get("/metrics", headers={"Authorization": "Bearer a-long-token"})
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain; version=")
        return {
            (sample.name.removeprefix("workitems_"), *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(answer.content.decode())
            for sample in family.samples
        }

    return ask


def test_without_a_token_in_the_settings_there_are_no_metrics(client, db):
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer x"}, {"Authorization": "a-long-token"}])
def test_metrics_are_for_those_who_know_the_token(header, client, settings, db):
    settings.METRICS_TOKEN = "a-long-token"
    answer = client.get("/metrics", headers=header)
    assert (answer.status_code, answer["WWW-Authenticate"], answer.content) == (401, "Bearer", b"")


def test_an_empty_centre_has_figures_too(figures, db):
    found = figures()
    assert found["runs", "transfers", "running"] == 0
    assert found["oldest_due_seconds", "mails"] == 0
    assert ("beat_age_seconds",) not in found


def test_runs_and_their_items_are_counted(figures, sue, queue):
    make_transfer(
        sue, queue, state="done", total=10, done=7, refused=2, failed=1, refusals={"state": 1, "not_found": 1}
    )
    make_transfer(sue, queue, state="running", total=10, done=3, refused=1, refusals={"state": 1})
    make_transfer(sue, queue, state="cancelled", total=10, done=4)
    make_policy_run(state="done", total=2, done=1, refused=1, refusals={"exempt": 1})
    found = figures()
    assert [found["runs", "transfers", state] for state in ("done", "running", "cancelled", "paused")] == [1, 1, 1, 0]
    assert found["run_items_settled_total", "transfers", "done"] == 14
    assert found["run_items_settled_total", "transfers", "refused"] == 3
    assert found["run_items_pending", "transfers"] == 6
    assert found["run_items_set_aside", "transfers"] == 1
    assert found["run_items_refused_total", "state", "transfers"] == 2
    assert found["run_items_refused_total", "not_found", "transfers"] == 1
    assert found["run_items_refused_total", "exempt", "policy_runs"] == 1


def test_lags_are_told(figures, late):
    for make in late.values():
        make(100)
    beat.claim("expire_offers", 2, now=ago(5))
    found = figures()
    assert all(100 <= found["oldest_due_seconds", kind] < 200 for kind in late)
    assert 5 <= found["beat_age_seconds",] < 100


def test_offers_queues_agents_and_mails_are_counted(figures, queue, sales, ann, ben):
    make_workitem(State.OFFERED, queue=queue, agent=ann, offer_expires_at=ago(5))
    make_workitem(State.OFFERED, queue=queue, agent=ben, offer_expires_at=timezone.now() + timedelta(minutes=5))
    make_workitem(queue=queue)
    make_workitem(State.ACCEPTED, queue=None, agent=ann, type=Type.OUTBOUND_CALL)
    ended = make_workitem(State.TERMINATED, queue=sales)
    make_mail(ended)
    make_mail(ended, progress="failed")
    make_mail(ended, progress="sent")
    Presence.objects.create(user=ann, status="available", since=timezone.now())
    found = figures()
    assert (found["offers", "open"], found["offers", "overdue"]) == (1, 1)
    assert (found["queue_depth", "q_support", "offered"], found["queue_depth", "q_support", "inqueue"]) == (2, 1)
    assert found["queue_depth", "", "accepted"] == 1
    assert found["queue_depth", "q_sales", "inqueue"] == 0
    assert ("queue_depth", "q_sales", "terminated") not in found
    assert (found["agents", "available"], found["agents", "offline"]) == (1, 0)
    assert (found["mails", "pending"], found["mails", "failed"]) == (1, 1)


def test_figures_cost_the_same_however_much_there_is(figures, sue, django_assert_num_queries):
    for number in range(3):
        queue = make_queue(f"q_{number}")
        make_transfer(make_user(), queue)
        make_workitem(queue=queue)
    # time twice on PostgreSQL only; runs (3), refusals (3), due (5), beat, offers, queues (3), agents, mails (2)
    with django_assert_num_queries(19 + (connection.vendor == "postgresql")):
        figures()
