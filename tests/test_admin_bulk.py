"""Actions on many in the back office: asked for step by step, previewed, shown on a receipt, and taken back."""

from __future__ import annotations

import csv
import json
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from tests.builders import NOON, facts_of, last_event, make_contact, make_disposition, make_user, make_workitem
from tests.crowds import make_crowd
from tests.doors import browser
from workitems import bulk, runs, selections
from workitems.actors import Actor
from workitems.choices import Action, Door, Event, Scope, State, Type
from workitems.groups import grant
from workitems.models import BulkRun, Workitem

LIST = "/admin/workitems/workitem/"
RUNS = "/admin/workitems/bulkrun/"


def post(user, action, items, query="", follow=False, **values):
    data = {"action": action, "select_across": "0", "_selected_action": [item.pk for item in items], **values}
    return browser(user).post(LIST + query, data, follow=follow)


def confirm(user, action, items, **values):
    return post(user, action, items, follow=True, step="confirm", **{"expected": len(items), **values})


def text_of(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def page_of(run, verb="change"):
    return f"{RUNS}{run.pk}/{verb}/"


def press(user, run, verb):
    return browser(user).post(page_of(run, verb), follow=True)


def ask(user, items, action=Action.PRIORITY, **arguments):
    actor, now = Actor.of(user, Door.ADMIN, request_id="rq_ask"), timezone.now()
    chosen = selections.Selection(workitem_ids=[item.workitem_id for item in items])
    return bulk.request(action, arguments or {"priority": 5}, chosen, actor=actor, now=now)


def work_off(run):
    runs.work_off(bulk.BULK_RUNS, run.pk, clock=timezone.now, seconds=5)
    run.refresh_from_db()
    return run


# What asks nothing


def test_hold_does_what_it_can_and_names_the_rest(sue, queue, ann):
    active, waiting = make_workitem(State.ACTIVE, queue=queue, agent=ann), make_workitem(queue=queue)
    page = text_of(post(sue, "hold", [active, waiting], follow=True))
    assert [facts_of(item)["state"] for item in (active, waiting)] == ["hold", "inqueue"]
    assert "Hold: 1 workitem done. Receipt and undo" in page
    assert waiting.workitem_id + ": Not possible while it is “In queue”." in page


def test_many_with_the_same_reason_are_named_together(sue, queue):
    crowd = make_crowd(5, queue)
    page = text_of(post(sue, "unhold", crowd, follow=True))
    assert "and 2 more: Not possible while it is “In queue”." in page
    assert Workitem.objects.filter(state="inqueue").count() == 5


def test_more_than_can_be_done_at_once_get_a_preview_first(sue, queue, ann, monkeypatch):
    monkeypatch.setattr("workitems.presenting.starting.AT_ONCE", 1)
    items = [make_workitem(State.ACTIVE, queue=queue, agent=ann) for _ in range(2)]
    assert "Hold: possible for 2 of 2" in text_of(post(sue, "hold", items))
    assert [facts_of(item)["state"] for item in items] == ["active", "active"]


def test_all_that_match_get_a_preview_first(sue, queue, ann):
    items = [make_workitem(State.ACTIVE, queue=queue, agent=ann) for _ in range(2)]
    assert "Hold: possible for 2 of 2" in text_of(post(sue, "hold", items[:1], select_across="1"))
    assert [facts_of(item)["state"] for item in items] == ["active", "active"]


def test_what_was_done_at_once_can_be_undone_on_its_receipt(sue, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    post(sue, "hold", [item])
    run = BulkRun.objects.get()
    assert "1 of 1 can go back" in text_of(browser(sue).get(page_of(run, "undo")))
    press(sue, run, "undo")
    assert facts_of(item)["state"] == "active"
    assert (last_event(item).type, last_event(item).door) == (Event.RESUMED, Door.ADMIN)


# What asks

ASKED = [
    ("hang_up", State.ACTIVE, {"reason": "system"}, {"state": "terminated", "ended_by": "system"}),
    ("return_to_queue", State.ACTIVE, {"place": "old"}, {"state": "inqueue", "agent_id": None}),
    ("set_priority", State.INQUEUE, {"priority": "5"}, {"priority": 5}),
    ("set_disposition", State.TERMINATED, {"disposition": "d_solved", "note": "Fine"},
     {"state": "dispositioned", "disposition_note": "Fine"}),
    ("add_note", State.INQUEUE, {"text": "Call back"}, {"version": 2}),
    ("exempt", State.INQUEUE, {"hours": "24"}, {"version": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("action", "state", "typed", "becomes"), ASKED)
def test_it_asks_previews_and_does(action, state, typed, becomes, sue, queue, ann):
    make_disposition()
    item = make_workitem(state, queue=queue, agent=None if state == State.INQUEUE else ann)
    before = facts_of(item)
    asked = text_of(post(sue, action, [item]))
    assert "Nothing changes before you have seen a preview." in asked
    assert "possible for 1 of 1" in text_of(post(sue, action, [item], step="preview", **typed))
    assert facts_of(item) == before
    assert "1 of 1 done, 0 refused" in text_of(confirm(sue, action, [item], **typed))
    assert facts_of(item) | becomes == facts_of(item)


@pytest.mark.parametrize(
    ("action", "facts", "is_archived"), [("archive", {}, True), ("unarchive", {"archived_at": NOON}, False)]
)
def test_the_archive_asks_nothing_but_to_confirm(action, facts, is_archived, sue, queue):
    item = make_workitem(State.TERMINATED, queue=queue, **facts)
    before = facts_of(item)
    query = "?archived=yes"
    assert "possible for 1 of 1" in text_of(post(sue, action, [item], query))
    assert facts_of(item) == before
    post(sue, action, [item], query, step="confirm", expected=1)
    assert (facts_of(item)["archived_at"] is not None) == is_archived


@pytest.mark.parametrize(
    ("action", "typed", "said"),
    [
        ("set_priority", {"priority": "9"}, "Select a valid choice"),
        ("set_disposition", {"disposition": "d_none"}, "Select a valid choice"),
        ("add_note", {"text": "  "}, "This field is required"),
        ("hang_up", {"reason": "policy"}, "Select a valid choice"),
    ],
)
@pytest.mark.parametrize("step", ["preview", "confirm"])
def test_what_makes_no_sense_is_told_beside_what_was_typed(step, action, typed, said, sue, queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    assert said in text_of(post(sue, action, [item], step=step, expected=1, **typed))
    assert facts_of(item) == before
    assert not BulkRun.objects.exists()


def test_a_preview_tells_refusals_by_reason_and_what_has_changed(sue, queue):
    old, touched, ended = (
        make_workitem(queue=queue),
        make_workitem(queue=queue, modified_at=timezone.now()),
        make_workitem(State.TERMINATED, queue=queue),
    )
    page = text_of(
        post(sue, "set_priority", [old, touched, ended], step="preview", priority="5", seen_at="2026-03-02T13:00:00Z")
    )
    assert "possible for 2 of 3" in page
    assert "Not possible while it is “In wrap-up”. " + ended.workitem_id in page
    assert "1 Changed since you loaded the list: " + touched.workitem_id in page


def test_what_cannot_be_undone_says_so_before(sue, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    assert "This cannot be undone." in text_of(post(sue, "hang_up", [item], step="preview", reason="agent"))
    page = text_of(confirm(sue, "hang_up", [item], reason="agent"))
    assert "This cannot be undone." in page
    assert "Undo…" not in page


def test_where_nothing_is_possible_nothing_can_be_confirmed(sue, queue):
    item = make_workitem(State.TERMINATED, queue=queue)
    assert 'value="confirm"' not in post(sue, "set_priority", [item], step="preview", priority="5").content.decode()


def test_nothing_is_done_without_a_preview(sue, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    before = facts_of(item)
    post(sue, "hang_up", [item], step="confirm", reason="system")
    assert facts_of(item) == before


def test_a_changed_selection_shows_a_new_preview_and_changes_nothing(sue, queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    page = text_of(post(sue, "set_priority", [item], step="confirm", priority="5", expected=3))
    assert "1 workitems match now, not 3; look again." in page
    assert facts_of(item) == before
    assert not BulkRun.objects.exists()


def test_every_step_carries_what_was_typed_and_ticked(sue, queue):
    items = make_crowd(2, queue)
    page = post(sue, "add_note", items, step="preview", text="Call <b>back</b>").content.decode()
    for item in items:
        assert f'name="_selected_action" value="{item.pk}"' in page
    assert 'name="text" value="Call &lt;b&gt;back&lt;/b&gt;"' in page
    back = post(sue, "add_note", items, step="change", text="Call <b>back</b>").content.decode()
    assert "Call &lt;b&gt;back&lt;/b&gt;</textarea>" in back


def test_all_that_match_are_done_across_pages_with_the_search_kept(sue, queue, sales):
    make_crowd(30, queue)
    make_crowd(2, sales)
    first = Workitem.objects.filter(queue=queue).first()
    typed = {"priority": "5", "select_across": "1"}
    query = "?queue=q_support"
    assert "possible for 30 of 30" in text_of(post(sue, "set_priority", [first], query, step="preview", **typed))
    post(sue, "set_priority", [first], query, step="confirm", expected=30, **typed)
    assert Workitem.objects.filter(priority=5).count() == 30
    assert BulkRun.objects.get().query == "queue=q_support"


def test_more_than_can_be_done_at_once_is_left_to_the_workers(
    sue, queue, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr("workitems.presenting.starting.AT_ONCE", 2)
    items = make_crowd(3, queue)
    with django_capture_on_commit_callbacks() as wake_ups:
        page = text_of(confirm(sue, "set_priority", items, priority="5"))
    assert (BulkRun.objects.get().state, len(wake_ups)) == ("pending", 1)
    assert "0 of 3 done, 0 refused, 0 set aside, 3 pending." in page


# Purging


def test_a_purge_wants_the_word_typed(amy, queue):
    item = make_workitem(State.TERMINATED, queue=queue, archived_at=NOON)
    before, query = facts_of(item), "?archived=yes"
    assert "Type “purge” to go on" in text_of(post(amy, "purge", [item], query))
    for typed in ({}, {"word": "yes"}):
        page = text_of(post(amy, "purge", [item], query, step="confirm", expected=1, **typed))
        assert "possible for 1 of 1" in page
        assert facts_of(item) == before
    assert not BulkRun.objects.exists()
    post(amy, "purge", [item], query, step="confirm", expected=1, word=" Purge ")
    assert not Workitem.objects.exists()
    assert "Not visible to you" in text_of(browser(amy).get(page_of(BulkRun.objects.get())))


# Django's own log


def test_what_is_changed_at_once_leaves_a_line_of_djangos_own_for_each(sue, queue, ann):
    active, waiting = make_workitem(State.ACTIVE, queue=queue, agent=ann), make_workitem(queue=queue)
    post(sue, "hold", [active, waiting])
    line = LogEntry.objects.get()
    assert (line.user, line.object_id, line.is_change()) == (sue, str(active.pk), True)
    assert line.change_message == f"Hold, in run {BulkRun.objects.get().bulk_id}"


def test_what_was_so_already_leaves_no_line(sue, queue):
    confirm(sue, "set_priority", [make_workitem(queue=queue, priority=5)], priority="5")
    assert not LogEntry.objects.exists()


def test_what_is_purged_leaves_a_line_that_says_deleted(amy, queue):
    item = make_workitem(State.TERMINATED, queue=queue, archived_at=NOON)
    post(amy, "purge", [item], "?archived=yes", step="confirm", expected=1, word="purge")
    line = LogEntry.objects.get()
    assert (line.object_id, line.object_repr, line.is_deletion()) == (str(item.pk), item.workitem_id, True)


# Who may


@pytest.mark.parametrize(
    ("scopes", "offered"),
    [
        ([Scope.READ], set()),
        ([Scope.WRITE], {"transfer", "hold", "unhold", "return_to_queue", "hang_up", "set_priority",
                         "set_disposition", "add_note", "exempt"}),
        ([Scope.DELETE], {"archive", "unarchive"}),
    ],
)  # fmt: skip
def test_only_those_actions_are_offered_that_one_could_take(scopes, offered, queue):
    user = make_user(is_staff=True)
    for scope in scopes:
        grant(user, scope, queue)
    page = browser(user).get(LIST)
    form = page.context["action_form"]
    names = {name for name, _label in form.fields["action"].choices if name} if form else set()
    assert names - {"export", "exporting_action"} == offered


def test_an_action_that_is_not_offered_does_nothing(tom, sue, queue, ann):
    active = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    archived = make_workitem(State.TERMINATED, queue=queue, archived_at=NOON)
    before = [facts_of(active), facts_of(archived)]
    post(tom, "hold", [active])
    post(sue, "purge", [archived], "?archived=yes", step="confirm", expected=1, word="purge")
    assert [facts_of(active), facts_of(archived)] == before
    assert not BulkRun.objects.exists()


def test_a_row_of_another_queue_cannot_be_ticked(queue, sales):
    user = make_user(is_staff=True)
    grant(user, Scope.WRITE, queue)
    hidden = make_workitem(queue=sales)
    before = facts_of(hidden)
    post(user, "set_priority", [hidden, make_workitem(queue=queue)], step="confirm", expected=1, priority="5")
    assert facts_of(hidden) == before
    assert BulkRun.objects.get().total == 1


def test_neither_dialog_nor_buttons_work_for_other_sites(sue, queue):
    run = ask(sue, [make_workitem(queue=queue)])
    client = Client(enforce_csrf_checks=True)
    client.force_login(sue)
    assert client.post(LIST, {"action": "hold", "_selected_action": [1]}).status_code == 403
    assert client.post(page_of(run, "pause")).status_code == 403


# What the ticked rows allow


def allowed(user, items, extra=""):
    ids = ",".join(str(item.pk) for item in items)
    return browser(user).get(f"{LIST}actions/?ids={ids}{extra}")


def test_the_menu_is_told_what_the_ticked_rows_allow_and_why_not(sue, queue, ann):
    active, waiting = make_workitem(State.ACTIVE, queue=queue, agent=ann), make_workitem(queue=queue)
    told = allowed(sue, [active, waiting]).json()
    assert told["rows"] == 2
    assert told["actions"]["hold"] == {
        "allowed": 1,
        "refused": [{"count": 1, "reason": "Not possible while it is “In queue”."}],
    }
    assert told["actions"]["archive"]["allowed"] == 0
    assert "purge" not in told["actions"]


def test_the_menu_is_told_nothing_of_what_one_may_not_see(queue, sales):
    user = make_user(is_staff=True)
    grant(user, Scope.WRITE, queue)
    assert allowed(user, [make_workitem(queue=sales)]).json()["rows"] == 0


@pytest.mark.parametrize("extra", [",x", ",", ",1 or 1", ",99999999999999999999"])
def test_what_is_no_number_is_refused(extra, sue, queue):
    assert allowed(sue, [make_workitem(queue=queue)], extra).status_code == 400


def test_the_menu_costs_one_look_at_the_rows(sue, queue, django_assert_max_num_queries):
    client, ids = browser(sue), ",".join(str(item.pk) for item in make_crowd(100, queue))
    client.get(f"{LIST}actions/?ids={ids}")
    with django_assert_max_num_queries(8):
        client.get(f"{LIST}actions/?ids={ids}")


# Receipts


def test_a_receipt_says_of_every_item_what_became_of_it(sue, queue):
    done, refused = make_workitem(queue=queue), make_workitem(State.TERMINATED, queue=queue)
    run = work_off(ask(sue, [done, refused]))
    page = text_of(browser(sue).get(page_of(run)))
    for text in ("Set priority", "Highest", "1 of 2 done, 1 refused", done.workitem_id, "In wrap-up", "by sue"):
        assert text in page
    refused_only = text_of(browser(sue).get(page_of(run), {"outcome": "refused", "code": "state"}))
    assert refused.workitem_id in refused_only
    assert done.workitem_id not in refused_only


@pytest.mark.parametrize(
    ("action", "arguments", "said"),
    [
        (Action.HANGUP, {"reason": "customer"}, "Ended by Customer"),
        (Action.RETURN_TO_QUEUE, {"place": "end"}, "Place At the end"),
        (Action.DISPOSITION, {"dispositionId": "d_solved", "note": "Fine"}, "Disposition Solved"),
        (Action.NOTE, {"text": "Call <i>back</i>"}, "Note Call &lt;i&gt;back&lt;/i&gt;"),
        (Action.EXEMPT, {"until": None}, "Until Policies may act again"),
        (Action.EDIT, {"contactId": None}, "Contact None"),
    ],
)
def test_a_receipt_tells_what_was_asked_for(action, arguments, said, sue, queue):
    make_disposition()
    run = ask(sue, [make_workitem(queue=queue)], action, **arguments)
    assert said in text_of(browser(sue).get(page_of(run)))


def test_what_follows_a_merged_contact_is_undone_with_the_merge(sue, queue):
    gone, kept = make_contact("Gone"), make_contact("Kept")
    names = {"contactId": kept.contact_id, "formerContactId": gone.contact_id, "mergeId": "mg_1"}
    run = work_off(ask(sue, [make_workitem(queue=queue, contact=gone)], Action.EDIT, **names))
    page = text_of(browser(sue).get(page_of(run)))
    assert "Undo the merge of the contacts to take this back." in page
    assert "Undo…" not in page


def test_a_run_and_its_undo_lead_to_each_other(sue, queue):
    run = work_off(ask(sue, [make_workitem(queue=queue)]))
    press(sue, run, "undo")
    undoing = BulkRun.objects.latest("pk")
    assert undoing.bulk_id in text_of(browser(sue).get(page_of(run)))
    page = text_of(browser(sue).get(page_of(undoing)))
    assert run.bulk_id in page
    assert "Undo: Set priority" in page


def test_undo_says_how_many_can_go_back_and_leaves_what_was_touched(sue, queue):
    back, touched = make_workitem(queue=queue), make_workitem(queue=queue)
    run = work_off(ask(sue, [back, touched]))
    Workitem.objects.filter(pk=touched.pk).update(version=7)
    assert "1 of 2 can go back to how they were. 1 was touched since" in text_of(browser(sue).get(page_of(run, "undo")))
    press(sue, run, "undo")
    assert [facts_of(item)["priority"] for item in (back, touched)] == [3, 5]


def test_a_run_is_paused_resumed_and_cancelled(sue, queue, django_capture_on_commit_callbacks):
    run = ask(sue, [make_workitem(queue=queue)])
    press(sue, run, "pause")
    run.refresh_from_db()
    assert run.state == "paused"
    with django_capture_on_commit_callbacks() as wake_ups:
        press(sue, run, "resume")
    assert len(wake_ups) == 1
    assert "1 item is still pending and stays as it is." in text_of(browser(sue).get(page_of(run, "cancel")))
    press(sue, run, "cancel")
    run.refresh_from_db()
    assert run.state == "cancelled"


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "retry", "undo"])
def test_a_button_that_makes_no_sense_is_refused_in_words(verb, sue, queue, ann):
    run = work_off(ask(sue, [make_workitem(State.ACTIVE, queue=queue, agent=ann)], Action.HANGUP, reason="system"))
    assert "Not possible while the run is “Done”." in text_of(press(sue, run, verb))


def test_what_was_set_aside_is_tried_again(sue, queue, django_capture_on_commit_callbacks):
    run = work_off(ask(sue, [make_workitem(queue=queue)]))
    run.items.update(outcome="failed", attempts=5, error="Boom: no")
    BulkRun.objects.update(failed=1, done=0)
    assert "Given up after 5 attempts: Boom: no" in text_of(browser(sue).get(page_of(run)))
    with django_capture_on_commit_callbacks() as wake_ups:
        press(sue, run, "retry")
    run.refresh_from_db()
    assert (run.state, run.failed, len(wake_ups)) == ("running", 0, 1)


def test_a_run_of_somebody_else_is_not_there(sue, amy, queue):
    other = make_user("other", is_staff=True)
    grant(other, Scope.WRITE)
    run = ask(other, [make_workitem(queue=queue)])
    for verb in ("change", "progress", "export", "cancel", "undo"):
        assert browser(sue).get(page_of(run, verb)).status_code == 404
    for verb in ("pause", "resume", "retry", "cancel", "undo"):
        assert browser(sue).post(page_of(run, verb)).status_code == 404
    assert run.bulk_id not in text_of(browser(sue).get(RUNS))
    assert run.bulk_id in text_of(browser(amy).get(RUNS))
    run.refresh_from_db()
    assert run.state == "pending"


def test_readers_have_no_runs(tom):
    assert browser(tom).get(RUNS).status_code == 403


def test_what_has_not_changed_is_not_sent_again(sue, queue):
    run, client = ask(sue, [make_workitem(queue=queue)]), browser(sue)
    first = client.get(page_of(run, "progress"))
    assert client.get(page_of(run, "progress"), headers={"If-None-Match": first["ETag"]}).status_code == 304
    work_off(run)
    assert client.get(page_of(run, "progress"), headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_the_file_has_every_item_with_its_reason(sue, queue):
    done, refused = make_workitem(queue=queue), make_workitem(State.TERMINATED, queue=queue)
    run, client = work_off(ask(sue, [done, refused])), browser(sue)
    rows = list(csv.DictReader(client.get(page_of(run, "export")).getvalue().decode().splitlines()))
    assert [(row["workitemId"], row["outcome"], row["code"]) for row in rows] == [
        (done.workitem_id, "done", ""),
        (refused.workitem_id, "refused", "state"),
    ]
    lines = client.get(page_of(run, "export"), {"format": "ndjson"}).getvalue().splitlines()
    assert json.loads(lines[1])["reason"] == "Not possible while it is “In wrap-up”."


def test_the_list_names_what_is_done_and_how_far_it_is(sue, queue):
    run = work_off(ask(sue, [make_workitem(queue=queue)]))
    page = text_of(browser(sue).get(RUNS))
    for text in (run.bulk_id, "Set priority", "1 of 1 (100 %)", "sue"):
        assert text in page


# What the pages cost


@pytest.mark.parametrize("count", [1, 10])
def test_the_list_costs_the_same_for_any_number_of_runs(count, sue, queue, django_assert_max_num_queries):
    item = make_workitem(queue=queue)
    for _ in range(count):
        ask(sue, [item])
    client = browser(sue)
    client.get(RUNS)
    with django_assert_max_num_queries(12):
        client.get(RUNS)


@pytest.mark.parametrize("count", [1, 30])
def test_a_receipt_costs_the_same_for_any_number_of_items(count, sue, queue, django_assert_max_num_queries):
    items = [make_workitem(State.TERMINATED if n % 2 else State.INQUEUE, queue=queue) for n in range(count)]
    run, client = work_off(ask(sue, items)), browser(sue)
    client.get(page_of(run))
    with django_assert_max_num_queries(12):
        client.get(page_of(run))


@pytest.mark.parametrize("count", [1, 60])
@pytest.mark.parametrize("step", ["", "preview"])
def test_the_dialog_costs_the_same_for_any_number_of_rows(step, count, sue, queue, django_assert_max_num_queries):
    make_disposition()
    kinds = [(state, kind) for state in (State.TERMINATED, State.INQUEUE) for kind in (Type.INBOUND_CALL, Type.CHAT)]
    items = [make_workitem(state, queue=queue, type=kind) for state, kind in kinds * count]
    client = browser(sue)
    data = {"action": "set_disposition", "select_across": "0", "_selected_action": [item.pk for item in items],
            "step": step, "disposition": "d_solved", "note": ""}  # fmt: skip
    client.post(LIST, data)
    with django_assert_max_num_queries(15):
        client.post(LIST, data)
