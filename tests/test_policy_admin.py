"""Stale policies in the back office: seen, simulated and steered by those with the admin scope everywhere."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.builders import make_queue, make_user, make_workitem
from tests.doors import browser
from workitems import policies, runs, tasks
from workitems.choices import Scope, State
from workitems.groups import grant
from workitems.models import AuditEntry, PolicyRun, StalePolicy, Workitem

POLICIES, RUNS = "/admin/workitems/stalepolicy/", "/admin/workitems/policyrun/"


@pytest.fixture(autouse=True)
def _none_shipped(db):
    """Begin without the policies that are shipped."""
    StalePolicy.objects.all().delete()


@pytest.fixture
def policy(db):
    return StalePolicy.objects.create(
        policy_id="p_one", name="Lost calls", is_enabled=True, state=State.INQUEUE, after_seconds=3600, cap=2
    )


@pytest.fixture
def run(policy, queue):
    """A capped run that has ended two of three workitems."""
    for number in range(3):
        make_workitem(queue=queue, workitem_id=f"wi_{number}")
    [run] = policies.sweep(policies.look(now=timezone.now()), now=timezone.now())
    runs.work_off(policies.POLICY_RUNS, run.pk, clock=timezone.now, seconds=60)
    run.refresh_from_db()
    return run


def page_of(thing, name="change"):
    return reverse(f"admin:workitems_{thing._meta.model_name}_{name}", args=[thing.pk])


def typed(policy, **changes):
    values = {
        "policy_id": policy.policy_id,
        "name": policy.name,
        "queue": policy.queue_id or "",
        "channel": policy.channel,
        "state": policy.state,
        "after_seconds": policy.after_seconds,
        "warn_seconds": policy.warn_seconds,
        "act": policy.act,
        "disposition": policy.disposition_id or "",
        "cap": policy.cap,
        "seen_version": policy.version,
        "keeps_place": "on",
    }
    values |= {"is_enabled": "on"} if policy.is_enabled else {}
    return values | changes


def everything(policy, run):
    return [
        POLICIES,
        f"{POLICIES}add/",
        page_of(policy),
        page_of(policy, "simulate"),
        page_of(policy, "delete"),
        RUNS,
        page_of(run),
        page_of(run, "cancel"),
        page_of(run, "reopen"),
    ]


# Who may see and do what


@pytest.mark.parametrize("person", ["sue", "tom", "eve", "here"])
def test_without_the_admin_scope_everywhere_nothing_is_open(person, policy, run, queue, request):
    if person == "here":
        user = make_user("here", is_staff=True)
        grant(user, Scope.ADMIN, queue)
    else:
        user = request.getfixturevalue(person)
    client = browser(user)
    assert {client.get(address).status_code for address in everything(policy, run)} == {403}
    buttons = [page_of(run, name) for name in ("pause", "resume", "retry", "go_on", "cancel", "reopen")]
    assert {client.post(address).status_code for address in buttons} == {403}
    assert client.post(page_of(policy), typed(policy, cap=99)).status_code == 403
    policy.refresh_from_db()
    assert (policy.cap, policy.halted_at is not None, PolicyRun.objects.count()) == (2, True, 1)


def test_with_it_everything_is(policy, run, amy):
    client = browser(amy)
    answers = {address: client.get(address).status_code for address in everything(policy, run)}
    assert answers[page_of(run, "cancel")] == 302  # a finished run cannot be cancelled
    assert {code for address, code in answers.items() if address != page_of(run, "cancel")} == {200}


def test_buttons_are_pressed_not_followed(run, amy):
    buttons = [page_of(run, name) for name in ("pause", "resume", "retry", "go_on")]
    assert {browser(amy).get(address).status_code for address in buttons} == {405}


@pytest.mark.parametrize("name", ["pause", "resume", "retry", "go_on", "cancel", "reopen"])
def test_buttons_ask_for_the_token_of_the_page(name, run, amy):
    client = browser(amy)
    client.handler.enforce_csrf_checks = True
    assert client.post(page_of(run, name)).status_code == 403


def test_a_record_is_neither_added_changed_nor_deleted(run, amy):
    client = browser(amy)
    assert client.get(f"{RUNS}add/").status_code == 403
    assert client.post(page_of(run), {"state": "pending"}).status_code == 403
    assert client.post(page_of(run, "delete"), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("address", [f"{RUNS}999/change/", f"{RUNS}x/reopen/", f"{POLICIES}999/simulate/"])
def test_what_is_not_there_is_not_found(address, amy):
    assert browser(amy).get(address).status_code == 404


# Saving


def test_a_new_policy_is_written_down_with_an_audit_entry(amy):
    fresh = StalePolicy(policy_id="p_new", name="New", state=State.INQUEUE, after_seconds=600, cap=10)
    answer = browser(amy).post(f"{POLICIES}add/", typed(fresh, seen_version=""))
    assert answer.status_code == 302
    stored = StalePolicy.objects.get()
    entry = AuditEntry.objects.get()
    assert (stored.policy_id, stored.version, stored.is_enabled) == ("p_new", 1, False)
    assert (entry.what, entry.user, entry.door) == ("stale policy created", amy, "admin")


def test_a_change_moves_the_version_on(policy, amy):
    browser(amy).post(page_of(policy), typed(policy, after_seconds=7200))
    policy.refresh_from_db()
    assert (policy.after_seconds, policy.version) == (7200, 2)


def test_what_somebody_else_has_changed_is_not_overwritten(policy, amy):
    StalePolicy.objects.update(version=2, after_seconds=7200)
    page = browser(amy).post(page_of(policy), typed(policy, after_seconds=60)).content.decode()
    policy.refresh_from_db()
    assert policy.after_seconds == 7200
    assert "It has changed meanwhile" in page


def test_a_conflict_is_told_in_the_form(policy, amy):
    rival = StalePolicy.objects.create(policy_id="p_two", name="Two", state=State.INQUEUE, after_seconds=60)
    page = browser(amy).post(page_of(rival), typed(rival, is_enabled="on")).content.decode()
    rival.refresh_from_db()
    assert not rival.is_enabled
    assert "“Lost calls” is switched on for the same queue, channel and state." in page


def test_a_conflict_that_comes_between_is_told_in_the_form_too(policy, amy, monkeypatch):
    rival = StalePolicy.objects.create(policy_id="p_two", name="Two", state=State.INQUEUE, after_seconds=60)
    looks = iter([None])
    original = StalePolicy.rival
    monkeypatch.setattr(StalePolicy, "rival", lambda self: next(looks, original(self)))
    monkeypatch.setattr(StalePolicy, "validate_constraints", lambda self, exclude=None: None)
    answer = browser(amy).post(page_of(rival), typed(rival, is_enabled="on"))
    assert answer.status_code == 200
    assert "“Lost calls” is switched on for the same queue" in answer.content.decode()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"act": "requeue"}, "This is possible from these states only"),
        ({"act": "dispose", "state": "terminated"}, "Name a disposition if, and only if, the policy sets one."),
        ({"warn_seconds": 3600}, "The warning must come after"),
        ({"after_seconds": 1}, "greater than or equal to 10"),
        ({"cap": 0}, "greater than or equal to 1"),
        ({"queue": 999}, "Select a valid choice"),
    ],
)
def test_what_makes_no_sense_is_refused_in_the_form(changes, text, policy, amy):
    page = browser(amy).post(page_of(policy), typed(policy, **changes)).content.decode()
    assert text in page
    policy.refresh_from_db()
    assert policy.version == 1


def test_the_id_of_a_policy_stays(policy, amy):
    browser(amy).post(page_of(policy), typed(policy, policy_id="p_else"))
    policy.refresh_from_db()
    assert policy.policy_id == "p_one"


def test_a_policy_that_has_acted_is_not_deleted(policy, run, amy):
    browser(amy).post(page_of(policy, "delete"), {"post": "yes"})
    assert StalePolicy.objects.exists()


def test_a_policy_that_never_acted_is_deleted_with_an_audit_entry(policy, amy):
    browser(amy).post(page_of(policy, "delete"), {"post": "yes"})
    assert not StalePolicy.objects.exists()
    assert AuditEntry.objects.get().what == "stale policy deleted"


# Simulation


def test_the_simulation_shows_counts_and_samples_and_changes_nothing(policy, queue, amy):
    items = [make_workitem(queue=queue) for _ in range(3)]
    page = browser(amy).get(page_of(policy, "simulate")).content.decode()
    assert "It would act on 3 workitems now." in page
    assert "more than its cap of 2" in page
    assert page_of(items[0]) in page
    assert not PolicyRun.objects.exists()
    assert Workitem.objects.filter(state=State.INQUEUE).count() == 3


def test_the_simulation_of_a_policy_that_is_switched_off_is_the_same(policy, queue, amy):
    StalePolicy.objects.update(is_enabled=False)
    make_workitem(queue=queue)
    assert "It would act on 1 workitem now." in browser(amy).get(page_of(policy, "simulate")).content.decode()


@pytest.mark.parametrize("queues", [1, 8])
def test_a_simulation_costs_the_same_for_any_number_of_queues(queues, policy, amy, django_assert_max_num_queries):
    for number in range(queues):
        make_workitem(queue=make_queue(f"q_{number}"))
    client = browser(amy)
    client.get(page_of(policy, "simulate"))
    with django_assert_max_num_queries(18):
        client.get(page_of(policy, "simulate"))


# Runs


def test_the_alert_stands_above_both_lists_until_somebody_has_gone_on(run, amy):
    client = browser(amy)
    assert all("stopped at its cap of 2" in client.get(address).content.decode() for address in (POLICIES, RUNS))
    client.post(page_of(run, "go_on"))
    assert not any("stopped at its cap of" in client.get(address).content.decode() for address in (POLICIES, RUNS))


def test_a_halted_policy_says_so_and_goes_on_with_a_button(policy, run, amy):
    client = browser(amy)
    page = client.get(page_of(policy)).content.decode()
    assert "does nothing more until somebody goes on" in page
    assert page_of(run, "go_on") in page
    client.post(page_of(run, "go_on"))
    policy.refresh_from_db()
    run.refresh_from_db()
    assert (policy.halted_at, run.acknowledged_by) == (None, amy)


def test_the_record_says_what_became_of_each_and_why(run, amy, queue):
    run.items.filter(workitem_id="wi_1").update(outcome="refused", code="not_stale")
    PolicyRun.objects.update(done=1, refused=1, refusals={"not_stale": 1})
    page = browser(amy).get(page_of(run)).content.decode()
    for text in (
        "wi_0",
        "Terminated",
        "There was activity meanwhile.",
        "active meanwhile <b>1</b>",
        "version 1",
        "1 h 0 min",
    ):
        assert text in page
    assert page_of(Workitem.objects.get(workitem_id="wi_0")) in page


def test_the_record_can_be_narrowed_to_an_outcome(run, amy):
    run.items.filter(workitem_id="wi_1").update(outcome="refused", code="not_stale")
    PolicyRun.objects.update(done=1, refused=1)
    page = browser(amy).get(f"{page_of(run)}?outcome=refused").content.decode()
    assert "wi_1" in page
    assert "wi_0" not in page


@pytest.mark.parametrize("page", ["0", "2", "9", "x", "-1", "9" * 30])
def test_any_page_can_be_asked_for(page, run, amy, monkeypatch):
    monkeypatch.setattr("workitems.admin.policy_runs.ITEMS_SHOWN", 1)
    shown = browser(amy).get(page_of(run), {"page": page}).content.decode()
    assert ("wi_0" in shown, "wi_1" in shown) == ((False, True) if page in ("2", "9") else (True, False))


@pytest.mark.parametrize("items", [2, 40])
def test_a_record_costs_the_same_for_any_number_of_items(items, policy, queue, amy, django_assert_max_num_queries):
    StalePolicy.objects.update(cap=100)
    for _ in range(items):
        make_workitem(queue=queue)
    [run] = policies.sweep(policies.look(now=timezone.now()), now=timezone.now())
    client = browser(amy)
    client.get(page_of(run))
    with django_assert_max_num_queries(12):
        client.get(page_of(run))


@pytest.mark.parametrize("rows", [1, 10])
@pytest.mark.parametrize("address", [POLICIES, RUNS])
def test_the_lists_cost_the_same_for_any_number_of_rows(address, rows, amy, queue, django_assert_max_num_queries):
    now = timezone.now()
    for number in range(rows):
        one = StalePolicy.objects.create(
            policy_id=f"p_{number}", name="x", state=State.INQUEUE, after_seconds=60, queue=queue
        )
        PolicyRun.objects.create(
            policy=one, policy_version=1, terms=one.terms(), created_at=now, start_at=now, moved_at=now
        )
    client = browser(amy)
    client.get(address)
    with django_assert_max_num_queries(13):
        client.get(address)


def test_a_run_is_paused_and_resumed(policy, queue, amy, monkeypatch, django_capture_on_commit_callbacks):
    woken = []
    monkeypatch.setattr(tasks.run_policy, "delay", lambda **ids: woken.append(ids["run_id"]))
    make_workitem(queue=queue)
    [run] = policies.sweep(policies.look(now=timezone.now()), now=timezone.now())
    client = browser(amy)
    client.post(page_of(run, "pause"))
    run.refresh_from_db()
    assert run.state == "paused"
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page_of(run, "resume"))
    run.refresh_from_db()
    assert (run.state, woken) == ("pending", [run.run_id])


def test_cancelling_asks_first_and_halts_the_policy(policy, queue, amy):
    make_workitem(queue=queue)
    [run] = policies.sweep(policies.look(now=timezone.now()), now=timezone.now())
    client = browser(amy)
    assert "1 workitem is still pending" in client.get(page_of(run, "cancel")).content.decode()
    run.refresh_from_db()
    assert run.state == "pending"
    client.post(page_of(run, "cancel"))
    run.refresh_from_db()
    policy.refresh_from_db()
    assert (run.state, policy.halted_at is not None) == ("cancelled", True)
    assert "A run of it was cancelled" in client.get(page_of(policy)).content.decode()


def test_a_button_that_makes_no_sense_says_why(run, amy):
    page = browser(amy).post(page_of(run, "pause"), follow=True).content.decode()
    assert "Not possible while the run is “Done”." in page


def test_reopening_asks_first_with_the_count(run, amy):
    page = browser(amy).get(page_of(run, "reopen")).content.decode()
    assert "2 of 2 workitems can be reopened." in page
    assert PolicyRun.objects.count() == 1


def test_reopening_is_a_run_of_its_own(run, amy):
    page = browser(amy).post(page_of(run, "reopen"), follow=True).content.decode()
    assert "2 workitems are reopened." in page
    reopening = PolicyRun.objects.get(reopens=run)
    assert (reopening.requested_by, reopening.total) == (amy, 2)
    runs.work_off(policies.POLICY_RUNS, reopening.pk, clock=lambda: timezone.now() + timedelta(seconds=1), seconds=60)
    assert Workitem.objects.filter(state=State.INQUEUE).count() == 3


def test_what_was_touched_since_is_told_before_reopening(run, amy):
    Workitem.objects.filter(workitem_id="wi_0").update(version=9)
    page = browser(amy).get(page_of(run, "reopen")).content.decode()
    assert "1 of 2 workitems can be reopened." in page
    assert "1 was touched since and stays as it is." in page


def test_customer_text_is_shown_as_text(run, amy):
    Workitem.objects.update(name="<script>alert(1)</script>")
    assert "<script>alert(1)" not in browser(amy).get(page_of(run)).content.decode()


def test_no_row_has_a_number_of_five_thousand_digits(amy):
    client = browser(amy)
    for model in ("workitems/stalepolicy", "workitems/policyrun", "workitems/bulkrun", "workitems/workitem"):
        assert client.get(f"/admin/{model}/{'9' * 5_000}/change/").status_code == 404
    assert client.get(f"/admin/workitems/stalepolicy/{'9' * 5_000}/simulate/").status_code == 404
