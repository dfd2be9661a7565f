"""Transfers and bulk runs at the desk: the list, the receipt that stays, and what can be done to a run."""

from __future__ import annotations

import csv
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.builders import facts_of, make_user, make_workitem
from tests.crowds import make_crowd
from tests.doors import browser
from workitems import bulk, runs, services, transfers
from workitems.actors import Actor
from workitems.choices import Action, Door, Event, Scope, State
from workitems.commands import AddNote
from workitems.groups import grant
from workitems.models import BulkRun, RunItem, Transfer
from workitems.selections import Selection

RUNS = reverse("desk-runs")
Outcome = RunItem.Outcome


def text_of(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def ask_for(user, items, queue, start_at=None, **facts):
    """Return a transfer as it is before any worker has seen it."""
    selection = Selection(workitem_ids=[item.workitem_id for item in items])
    terms = transfers.Terms(queue=queue, **facts)
    return transfers.request(selection, terms, actor=Actor.of(user, Door.PAGE), now=timezone.now(), start_at=start_at)


def hold(user, items):
    selection = Selection(workitem_ids=[item.workitem_id for item in items])
    return bulk.request(Action.HOLD, {}, selection, actor=Actor.of(user, Door.PAGE), now=timezone.now())


def work_off(run):
    kind = transfers.TRANSFERS if isinstance(run, Transfer) else bulk.BULK_RUNS
    runs.work_off(kind, run.pk, clock=timezone.now, seconds=5)
    run.refresh_from_db()
    return run


def page_of(run, what="", query=""):
    name, arguments = ("desk-run-press", [run.public_id, what]) if what else ("desk-run", [run.public_id])
    return reverse(name, args=arguments) + query


def look(user, run, what="", query=""):
    return browser(user).get(page_of(run, what, query))


def press(user, run, what):
    answer = browser(user).post(page_of(run, what), follow=True)
    run.refresh_from_db()
    return answer


def shown_in(user, query=""):
    return [line.run for line in browser(user).get(RUNS + query).context["page"].lines]


# The list


def test_one_sees_ones_own_runs_of_both_kinds_newest_first(sue, tom, queue, sales):
    first = ask_for(sue, make_crowd(1, queue), sales)
    second = hold(sue, [make_workitem(State.ACTIVE, queue=queue, agent=make_user())])
    third = ask_for(sue, make_crowd(1, queue), sales)
    assert shown_in(sue) == [third, second, first]
    assert shown_in(tom) == []
    assert "Nothing has been moved in bulk here" in text_of(browser(tom).get(RUNS))


def test_who_has_the_admin_scope_sees_all_runs(sue, amy, queue, sales):
    assert shown_in(amy) == []
    run = ask_for(sue, make_crowd(1, queue), sales)
    assert shown_in(amy) == [run]


def test_runs_are_filtered_by_state_and_planned_ones_stand_apart(sue, queue, sales):
    done = work_off(ask_for(sue, make_crowd(1, queue), sales))
    pending = ask_for(sue, make_crowd(1, queue), sales)
    planned = ask_for(sue, make_crowd(1, queue), sales, start_at=timezone.now() + timedelta(hours=1))
    assert shown_in(sue, "?state=done") == [done]
    assert shown_in(sue, "?state=pending") == [pending]
    assert shown_in(sue, "?state=planned") == [planned]
    assert shown_in(sue, "?state=nonsense") == [planned, pending, done]


def test_runs_are_paged_and_none_is_lost_or_shown_twice(sue, queue, sales, monkeypatch):
    monkeypatch.setattr("workitems.pages.run_list.SHOWN", 2)
    talk = make_workitem(State.ACTIVE, queue=queue, agent=make_user())
    made = [hold(sue, [talk]) if number % 3 else ask_for(sue, [talk], sales) for number in range(7)]
    found, query = [], ""
    while True:
        page = browser(sue).get(RUNS + query).context["page"]
        found += [line.run for line in page.lines]
        if not page.older:
            break
        query = f"?{page.older}"
    assert found == made[::-1]


@pytest.mark.parametrize("before", ["x", "1", "-1.2", "9" * 30 + ".1"])
def test_a_page_that_makes_no_sense_is_the_first(before, sue, queue, sales):
    run = ask_for(sue, make_crowd(1, queue), sales)
    assert shown_in(sue, f"?before={before}") == [run]


def test_the_list_asks_few_questions(sue, queue, sales, django_assert_max_num_queries):
    for _ in range(5):
        ask_for(sue, make_crowd(1, queue), sales)
        hold(sue, make_crowd(1, queue))
    client = browser(sue)
    client.get(RUNS)  # warms what is remembered
    with django_assert_max_num_queries(6):
        client.get(RUNS)


# The receipt


def test_the_receipt_says_who_when_and_why_and_of_every_item_what_became_of_it(sue, queue, sales):
    moved, ended = make_workitem(queue=queue), make_workitem(State.TERMINATED, queue=queue)
    run = work_off(ask_for(sue, [moved, ended], sales, reason="Overflow"))
    page = text_of(look(sue, run))
    assert "1 of 2 moved, 1 refused, 0 set aside, 0 pending." in page
    assert f"Refused {ended.workitem_id} Not possible while it is “In wrap-up”." in page
    assert f"Moved {moved.workitem_id} – In queue · Sales" in page
    assert "Reason Overflow" in page
    assert "by sue" in page


def test_a_bulk_run_has_its_receipt_here_too(sue, queue):
    run = work_off(hold(sue, [make_workitem(State.ACTIVE, queue=queue, agent=make_user())]))
    assert "1 of 1 done" in text_of(look(sue, run))


@pytest.mark.parametrize("what", ["", "csv", "undo", "cancel"])
def test_somebody_elses_run_is_not_there(what, sue, tom, queue, sales):
    run = ask_for(sue, make_crowd(1, queue), sales)
    assert look(tom, run, what).status_code == 404


@pytest.mark.parametrize("what", ["pause", "resume", "cancel", "retry", "undo"])
def test_somebody_elses_run_cannot_be_steered(what, sue, tom, queue, sales):
    run = ask_for(sue, make_crowd(1, queue), sales)
    assert browser(tom).post(page_of(run, what)).status_code == 404
    run.refresh_from_db()
    assert run.state == "pending"


def test_what_one_cannot_see_any_more_is_named_and_not_shown(queue, sales):
    user = make_user("ira")
    grant(user, Scope.WRITE, queue)
    item = make_workitem(queue=queue, name="Secret")
    run = ask_for(user, [item], queue)
    item.queue = sales
    item.save()
    page = text_of(look(user, work_off(run)))
    assert "Not visible to you" in page
    assert "Secret" not in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [("", 2), ("?outcome=done", 1), ("?outcome=refused&code=state", 1), ("?outcome=refused&code=scope", 0)],
)
def test_items_are_filtered_by_outcome_and_reason(query, shown, sue, queue, sales):
    items = [make_workitem(queue=queue), make_workitem(State.TERMINATED, queue=queue)]
    run = work_off(ask_for(sue, items, sales))
    assert len(look(sue, run, query=query).context["lines"]) == shown


def test_the_receipt_is_a_file(sue, queue, sales):
    items = [make_workitem(queue=queue), make_workitem(State.TERMINATED, queue=queue)]
    run = work_off(ask_for(sue, items, sales))
    lines = list(csv.DictReader(look(sue, run, "csv").getvalue().decode("utf-8-sig").splitlines()))
    assert [(line["workitemId"], line["outcome"]) for line in lines] == [
        (items[0].workitem_id, "done"), (items[1].workitem_id, "refused"),
    ]  # fmt: skip


def test_what_was_not_done_leads_to_the_work_list(sue, queue, sales):
    item = make_workitem(State.TERMINATED, queue=queue)
    run = work_off(ask_for(sue, [make_workitem(queue=queue), item], sales))
    again = look(sue, run).context["again"]
    assert (
        again["address"] == f"{reverse('work')}?q=workitemId%3A%28%22{item.workitem_id}%22%29#select={item.workitem_id}"
    )


def test_the_receipt_asks_few_questions(sue, queue, sales, django_assert_max_num_queries):
    run, client = work_off(ask_for(sue, make_crowd(20, queue), sales)), browser(sue)
    client.get(RUNS)  # warms what is remembered
    with django_assert_max_num_queries(8):
        client.get(page_of(run))


# What is done to a run


def test_it_is_paused_and_goes_on(sue, queue, sales, django_capture_on_commit_callbacks):
    run = ask_for(sue, make_crowd(3, queue), sales)
    assert "Paused." in text_of(press(sue, run, "pause"))
    assert run.state == "paused"
    with django_capture_on_commit_callbacks(execute=False) as wake_ups:
        press(sue, run, "resume")
    assert (run.state, len(wake_ups)) == ("pending", 1)


def test_a_planned_one_is_cancelled_before_its_time(sue, queue, sales):
    item = make_workitem(queue=queue)
    run = ask_for(sue, [item], sales, start_at=timezone.now() + timedelta(hours=1))
    assert "Cancel this transfer?" in text_of(look(sue, run, "cancel"))
    press(sue, run, "cancel")
    assert (run.state, facts_of(item)["queue_id"]) == ("cancelled", queue.pk)


def test_what_was_set_aside_is_tried_again(sue, queue, sales):
    run = work_off(ask_for(sue, make_crowd(2, queue), sales))
    item = run.items.first()
    run.items.filter(pk=item.pk).update(outcome=Outcome.FAILED, attempts=5, error="Boom: no")
    Transfer.objects.filter(pk=run.pk).update(failed=1, done=1)
    assert "Given up after 5 attempts: Boom: no" in text_of(look(sue, run))
    press(sue, run, "retry")
    assert (run.failed, run.state) == (0, "running")


def test_what_cannot_be_done_is_told_and_changes_nothing(sue, queue, sales):
    run = work_off(ask_for(sue, make_crowd(1, queue), sales))
    assert "message error" in press(sue, run, "pause").content.decode()
    assert run.state == "done"


def test_an_undo_says_first_how_many_go_back_and_has_a_receipt_of_its_own(sue, amy, queue, sales):
    items = make_crowd(3, queue)
    run = work_off(ask_for(sue, items, sales))
    services.execute(AddNote("Mine."), items[0].workitem_id, actor=Actor.of(amy, Door.PAGE), now=timezone.now())
    question = text_of(look(sue, run, "undo"))
    assert "2 of 3 can go back to how they were." in question
    assert f"Touched since, and left where they are: 1 {items[0].workitem_id}" in question
    answer = press(sue, run, "undo")
    undoing = Transfer.objects.exclude(pk=run.pk).get()
    assert answer.redirect_chain[-1][0] == page_of(undoing)
    assert (undoing.undoes, undoing.done) == (run, 2)
    assert [facts_of(item)["queue_id"] for item in items] == [sales.pk, queue.pk, queue.pk]
    assert items[1].time_events.order_by("version").last().type == Event.TRANSFER_UNDONE


def test_a_hold_on_many_is_undone_here_as_well(sue, queue):
    item = make_workitem(State.ACTIVE, queue=queue, agent=make_user())
    run = work_off(hold(sue, [item]))
    press(sue, run, "undo")
    assert facts_of(item)["state"] == "active"
    assert BulkRun.objects.count() == 2


@pytest.mark.parametrize(
    ("what", "method", "status"),
    [
        ("pause", "get", 405),
        ("csv", "post", 405),
        ("sheet", "get", 404),
        ("nonsense", "get", 404),
        ("nonsense", "post", 404),
    ],
)
def test_other_ways_lead_nowhere(what, method, status, sue, queue, sales):
    run = ask_for(sue, make_crowd(1, queue), sales)
    assert getattr(browser(sue), method)(page_of(run, what)).status_code == status


def test_a_page_that_is_asked_again_costs_one_question_while_nothing_changes(
    sue, queue, sales, django_assert_num_queries
):
    run, client = work_off(ask_for(sue, make_crowd(1, queue), sales)), browser(sue)
    first = client.get(page_of(run), headers={"X-Live": "1"})
    assert "<html" not in first.content.decode()
    with django_assert_num_queries(1):
        again = client.get(page_of(run), headers={"X-Live": "1", "If-None-Match": first["ETag"]})
    assert again.status_code == 304
