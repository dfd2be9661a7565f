"""Transfers in the back office: asked for step by step, shown on a receipt that stays, and taken back."""

from __future__ import annotations

import csv
import json
import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from tests.builders import NOON, facts_of, last_event, make_queue, make_user, make_workitem
from tests.doors import browser
from workitems import runs, services, transfers
from workitems.actors import Actor
from workitems.choices import Door, Event, Scope, State
from workitems.commands import AddNote
from workitems.groups import grant, grant_transfer_in
from workitems.models import RunItem, Transfer, Workitem

LIST = "/admin/workitems/workitem/"
TRANSFERS = "/admin/workitems/transfer/"
Outcome = RunItem.Outcome


def post(user, step, items, query="", **values):
    data = {"action": "transfer", "step": step, "_selected_action": [item.pk for item in items], **values}
    return browser(user).post(LIST + query, data)


def confirm(user, items, query="", **values):
    return post(user, "confirm", items, query, **{"target": "queue:q_sales", "expected": len(items), **values})


def receipt(transfer, verb="change"):
    return f"{TRANSFERS}{transfer.pk}/{verb}/"


def press(user, transfer, verb):
    return browser(user).post(receipt(transfer, verb), follow=True)


def text_of(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def ask_for(user, items, queue, **facts):
    """Return a transfer as it is before any worker has seen it."""
    actor, ids = Actor.of(user, Door.ADMIN), [item.workitem_id for item in items]
    terms = transfers.Terms(queue=queue, **facts)
    return transfers.request(transfers.Selection(workitem_ids=ids), terms, actor=actor, now=timezone.now())


def work_off(transfer):
    runs.work_off(transfers.TRANSFERS, transfer.pk, clock=timezone.now, seconds=5)
    transfer.refresh_from_db()
    return transfer


def set_aside(transfer, item):
    """Let an item have been given up, as after its last attempt."""
    transfer.items.filter(workitem_id=item.workitem_id).update(outcome=Outcome.FAILED, attempts=5, error="Boom: no")
    Transfer.objects.filter(pk=transfer.pk).update(failed=1, done=transfer.done - 1)
    transfer.refresh_from_db()


# The dialog


def test_it_asks_where_to_and_moves_nothing(sue, queue, sales):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    page = text_of(post(sue, "", [item]))
    assert "Transfer 1 workitem " in page
    assert "Sales" in page
    assert facts_of(item) == before


def test_queues_are_shown_with_what_waits_there_and_whether_they_are_open(sue, queue, sales):
    make_workitem(queue=sales, queued_at=timezone.now() - timedelta(minutes=5, seconds=2))
    make_queue("q_night", name="Night", is_open=False)
    page = text_of(post(sue, "", [make_workitem(queue=queue)]))
    assert "Sales q_sales Open: 1 waiting, the longest for 5 min" in page
    assert "Night q_night Closed: nothing waits warning It takes no work now." in page


def test_only_queues_that_one_may_send_into_are_offered(queue, sales):
    user = make_user(is_staff=True)
    grant(user, Scope.WRITE, queue)
    item = make_workitem(queue=queue)
    before = facts_of(item)
    assert "Sales" not in text_of(post(user, "", [item]))
    assert "cannot be chosen" in text_of(confirm(user, [item]))
    assert facts_of(item) == before


def test_a_queue_that_one_cannot_see_is_marked(queue, sales):
    user = make_user(is_staff=True)
    grant(user, Scope.WRITE, queue)
    grant_transfer_in(user, sales)
    item = make_workitem(queue=queue)
    assert "You will not see it there." in text_of(post(user, "", [item]))
    assert "you will not see them there" in text_of(post(user, "preview", [item], target="queue:q_sales"))


def test_only_active_members_are_offered_as_agents(sue, queue, ann, ben):
    make_user("zoe")
    ben.is_active = False
    ben.save()
    page = post(sue, "", [make_workitem(queue=queue)]).content.decode()
    assert 'value="agent:ann"' in page
    assert "agent:ben" not in page
    assert "agent:zoe" not in page


def test_a_search_leaves_what_fits_and_what_is_chosen_already(sue, queue, sales, ann):
    page = post(sue, "find", [make_workitem(queue=queue)], find="an", target="queue:q_sales").content.decode()
    assert 'value="agent:ann"' in page
    assert 'value="queue:q_sales" checked' in page
    assert "queue:q_support" not in page


def test_more_targets_than_can_be_shown_are_counted(sue, queue, sales, monkeypatch):
    monkeypatch.setattr("workitems.presenting.transfer_targets.TARGETS_SHOWN", 1)
    assert "2 more are not shown" in text_of(post(sue, "", [make_workitem(queue=queue)]))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"target": ""}, "Choose a queue or an agent."),
        ({"target": "queue:q_none"}, "cannot be chosen"),
        ({"target": "agent:zoe"}, "cannot be chosen"),
        ({"reason": "x" * 201}, "at most 200 characters"),
        ({"priority": "6"}, "Select a valid choice"),
        ({"when": "later", "at": "soon"}, "Enter a date and a time."),
        ({"when": "later", "at": "2020-01-01T10:00"}, "This time is past."),
    ],
)
def test_what_makes_no_sense_is_told_beside_what_was_typed(typed, said, sue, queue, sales):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    answer = confirm(sue, [item], **{"reason": "Overflow", **typed})
    assert said in text_of(answer)
    assert typed.get("reason", "Overflow") in answer.content.decode()
    assert facts_of(item) == before
    assert not Transfer.objects.exists()


# The preview


def test_a_preview_counts_what_moves_and_what_is_refused_and_moves_nothing(sue, queue, sales):
    waiting = [make_workitem(queue=queue) for _ in range(2)]
    there, ended = make_workitem(queue=sales), make_workitem(State.TERMINATED, queue=queue)
    items = [*waiting, there, ended]
    before = [facts_of(item) for item in items]
    answer = post(sue, "preview", items, target="queue:q_sales", reason="Overflow")
    page = text_of(answer)
    assert "2 of 4 will move to Sales" in page
    assert f"1 It belongs to Sales already. {there.workitem_id}" in page
    assert f"1 Not possible while it is “In wrap-up”. {ended.workitem_id}" in page
    assert "Open : 1 waiting" in page or "Open: 1 waiting" in page
    assert [facts_of(item) for item in items] == before


def test_a_preview_tells_what_has_changed_since_the_list_was_loaded(sue, queue, sales):
    seen_at = timezone.now()
    changed = make_workitem(queue=queue, modified_at=seen_at + timedelta(seconds=1))
    gone = make_workitem(queue=sales)
    query = f"?queue={queue.queue_id}"
    page = text_of(post(sue, "preview", [changed, gone], query, target="queue:q_sales", seen_at=seen_at.isoformat()))
    assert f"1 Changed since you loaded the list: {changed.workitem_id}" in page
    assert "1 that you ticked is not in the list any more" in page


def test_the_list_remembers_when_it_was_loaded(sue, queue):
    make_workitem(queue=queue)
    assert re.search(r'name="seen_at" value="20', browser(sue).get(LIST).content.decode())


def test_every_step_carries_what_was_typed_and_ticked(sue, queue, sales):
    item = make_workitem(queue=queue)
    typed = {"target": "queue:q_sales", "reason": "Overflow & more", "priority": "5", "seen_at": NOON.isoformat()}
    for step in ("preview", "change"):
        page = post(sue, step, [item], **typed).content.decode()
        assert f'name="_selected_action" value="{item.pk}"' in page
        assert "Overflow &amp; more" in page
        assert NOON.isoformat() in page


def test_nothing_can_be_confirmed_where_nothing_would_move(sue, queue, sales):
    page = post(sue, "preview", [make_workitem(queue=sales)], target="queue:q_sales").content.decode()
    assert 'value="confirm"' not in page


def test_nothing_moves_without_a_preview(sue, queue, sales):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    assert "1 of 1 will move" in text_of(confirm(sue, [item], expected=""))
    assert facts_of(item) == before


# The word to go


def test_a_small_transfer_is_done_when_its_receipt_comes(sue, queue, sales):
    items = [make_workitem(queue=queue) for _ in range(2)]
    answer = confirm(sue, items, reason="Overflow", priority="5")
    transfer = Transfer.objects.get()
    assert answer["Location"] == receipt(transfer)
    assert [(facts_of(item)["queue_id"], facts_of(item)["priority"]) for item in items] == [(sales.pk, 5)] * 2
    assert (transfer.state, transfer.done, transfer.reason, transfer.requested_by) == ("done", 2, "Overflow", sue)
    event = last_event(items[0])
    assert (event.type, event.door, event.user) == (Event.TRANSFERRED, Door.ADMIN, sue)
    assert event.details["transferId"] == transfer.transfer_id


def test_a_small_transfer_leaves_a_line_of_djangos_own_for_each_that_moved(sue, queue, sales):
    moved, ended = make_workitem(queue=queue), make_workitem(State.TERMINATED, queue=queue)
    confirm(sue, [moved, ended])
    line = LogEntry.objects.get()
    assert (line.user, line.object_id) == (sue, str(moved.pk))
    assert line.change_message == f"Transfer, in run {Transfer.objects.get().transfer_id}"


def test_a_transfer_goes_to_an_agent(sue, queue, ann):
    item = make_workitem(queue=queue)
    confirm(sue, [item], target="agent:ann")
    assert (facts_of(item)["state"], facts_of(item)["agent_id"]) == ("offered", ann.pk)


def test_a_changed_selection_shows_a_new_preview_and_moves_nothing(sue, queue, sales):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    answer = confirm(sue, [item], expected=2, reason="Overflow")
    page = text_of(answer)
    assert "1 workitems match now, not 2" in page
    assert "1 of 1 will move" in page
    assert 'name="expected" value="1"' in answer.content.decode()
    assert 'name="reason" value="Overflow"' in answer.content.decode()
    assert facts_of(item) == before
    assert not Transfer.objects.exists()


def test_all_that_match_move_across_pages_with_the_search_kept(sue, queue, sales):
    items = [make_workitem(queue=queue, from_address="+12025550123") for _ in range(30)]
    other = make_workitem(queue=queue)
    query = "?q=%2B12025550123&state=inqueue"
    answer = confirm(sue, items[:1], query, select_across=1, expected=30)
    assert Workitem.objects.filter(queue=sales).count() == 30
    assert facts_of(other)["queue_id"] == queue.pk
    assert answer["Location"].endswith("?_changelist_filters=q%3D%252B12025550123%26state%3Dinqueue")
    page = browser(sue).get(answer["Location"]).content.decode()
    assert f'href="{LIST}?q=%2B12025550123&amp;state=inqueue"' in page


@pytest.mark.parametrize(("count", "state"), [(2, "done"), (3, "pending")])
def test_more_than_can_be_done_at_once_is_left_to_the_workers(
    count, state, sue, queue, sales, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr("workitems.presenting.starting.AT_ONCE", 2)
    items = [make_workitem(queue=queue) for _ in range(count)]
    with django_capture_on_commit_callbacks(execute=False) as wake_ups:
        confirm(sue, items)
    assert Transfer.objects.get().state == state
    assert len(wake_ups) == (state == "pending")


def test_a_planned_transfer_waits_for_its_time_on_the_persons_clock(sue, queue, sales):
    item = make_workitem(queue=queue)
    day = (timezone.now() + timedelta(days=2)).date()
    confirm(sue, [item], when="later", at=f"{day}T10:00", zone="Asia/Tokyo")
    transfer = Transfer.objects.get()
    assert transfer.start_at.isoformat() == f"{day}T01:00:00+00:00"
    assert (transfer.state, facts_of(item)["queue_id"]) == ("pending", queue.pk)
    assert "Starts" in text_of(browser(sue).get(receipt(transfer)))


@pytest.mark.parametrize("zone", ["", "Mars/Base", "../../etc/passwd", "\x00"])
def test_an_unknown_zone_is_the_servers(zone, sue, queue, sales):
    day = (timezone.now() + timedelta(days=2)).date()
    confirm(sue, [make_workitem(queue=queue)], when="later", at=f"{day}T10:00", zone=zone)
    assert all(one.start_at.isoformat() == f"{day}T10:00:00+00:00" for one in Transfer.objects.all())


def test_readers_cannot_transfer(tom, queue, sales):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    confirm(tom, [item])
    assert facts_of(item) == before


def test_neither_dialog_nor_buttons_work_for_other_sites(sue, queue, sales):
    item = make_workitem(queue=queue)
    transfer = ask_for(sue, [item], sales)
    client = Client(enforce_csrf_checks=True)
    client.force_login(sue)
    data = {"action": "transfer", "step": "confirm", "_selected_action": [item.pk], "target": "queue:q_sales"}
    assert client.post(LIST, {**data, "expected": 1}).status_code == 403
    for verb in ("pause", "resume", "cancel", "undo", "retry"):
        assert client.post(receipt(transfer, verb)).status_code == 403
    transfer.refresh_from_db()
    assert (transfer.state, facts_of(item)["queue_id"]) == ("pending", queue.pk)


# The receipt


def test_the_receipt_says_of_every_item_what_became_of_it(sue, queue, sales):
    moved, ended = make_workitem(queue=queue), make_workitem(State.TERMINATED, queue=queue)
    transfer = work_off(ask_for(sue, [moved, ended], sales, reason="Overflow"))
    page = text_of(browser(sue).get(receipt(transfer)))
    assert "1 of 2 moved, 1 refused, 0 set aside, 0 pending." in page
    assert "Refused Not possible while it is “In wrap-up”." in page
    assert "Overflow" in page


def test_what_does_not_exist_is_told_in_words(sue, queue, sales):
    item = make_workitem(queue=queue)
    actor = Actor.of(sue, Door.API)
    wanted = transfers.Selection(workitem_ids=[item.workitem_id, "wi_nowhere"])
    transfer = transfers.request(wanted, transfers.Terms(queue=sales), actor=actor, now=timezone.now())
    page = text_of(browser(sue).get(receipt(work_off(transfer))))
    assert "There is no workitem wi_nowhere." in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [("", 2), ("?outcome=done", 1), ("?outcome=refused", 1), ("?outcome=refused&code=state", 1),
     ("?outcome=refused&code=scope", 0), ("?outcome=failed", 0), ("?outcome=nonsense", 2), ("?after=x", 2)],
)  # fmt: skip
def test_items_are_filtered_by_outcome_and_reason(query, shown, sue, queue, sales):
    items = [make_workitem(queue=queue), make_workitem(State.TERMINATED, queue=queue)]
    transfer = work_off(ask_for(sue, items, sales))
    assert len(browser(sue).get(receipt(transfer) + query).context["lines"]) == shown


def test_items_are_paged_to_and_fro(sue, queue, sales, monkeypatch):
    monkeypatch.setattr("workitems.presenting.receipts.ITEMS_SHOWN", 2)
    items = [make_workitem(queue=queue) for _ in range(5)]
    transfer, client = ask_for(sue, items, sales), browser(sue)

    def page(query):
        context = client.get(f"{receipt(transfer)}?{query}").context
        return [line.workitem_id for line in context["lines"]], context["newer"], context["older"]

    ids = [item.workitem_id for item in items]
    first, before, after = page("")
    assert (first, before) == (ids[:2], "")
    second, before, after = page(after)
    assert second == ids[2:4]
    assert page(before)[0] == first
    assert page(before)[1] == ""
    third, _before, after = page(after)
    assert (third, after) == (ids[4:], "")


def test_items_lead_to_their_pages_only_where_one_may_see_them(queue, sales):
    user = make_user(is_staff=True)
    grant(user, Scope.WRITE, queue)
    grant_transfer_in(user, sales)
    moved, kept = make_workitem(queue=queue), make_workitem(State.TERMINATED, queue=queue)
    transfer = work_off(ask_for(user, [moved, kept], sales))
    lines = browser(user).get(receipt(transfer)).context["lines"]
    assert [bool(line.address) for line in lines] == [False, True]


def test_a_transfer_of_somebody_else_is_not_there(sue, queue, sales):
    transfer = ask_for(sue, [make_workitem(queue=queue)], sales)
    other = make_user(is_staff=True)
    grant(other, Scope.WRITE)
    client = browser(other)
    assert transfer.transfer_id not in client.get(TRANSFERS).content.decode()
    for verb in ("change", "progress", "export", "cancel", "undo"):
        assert client.get(receipt(transfer, verb)).status_code == 404
    for verb in ("pause", "resume", "cancel", "undo", "retry"):
        assert client.post(receipt(transfer, verb)).status_code == 404
    transfer.refresh_from_db()
    assert transfer.state == "pending"


def test_the_list_shows_state_progress_and_pace_in_words(sue, queue, sales):
    transfer = work_off(ask_for(sue, [make_workitem(queue=queue)], sales))
    Transfer.objects.filter(pk=transfer.pk).update(
        started_at=NOON, finished_at=None, state="running", total=30, done=15, paused_at=NOON + timedelta(seconds=5)
    )
    page = text_of(browser(sue).get(TRANSFERS))
    assert "play_circle Running" in page
    assert "15 of 30 (50 %) 3.0 a second, 5 s left" in page


def test_the_admin_scope_everywhere_sees_all_transfers(sue, amy, queue, sales):
    transfer = ask_for(sue, [make_workitem(queue=queue)], sales)
    assert transfer.transfer_id in browser(amy).get(TRANSFERS).content.decode()
    assert "Paused." in text_of(press(amy, transfer, "pause"))


@pytest.mark.parametrize("number", ["0", "x", "1e9", "9" * 40])
def test_there_is_no_receipt_under_a_number_that_nobody_has(number, sue):
    assert browser(sue).get(f"{TRANSFERS}{number}/change/").status_code == 404


def test_what_has_not_changed_is_not_sent_again(sue, queue, sales):
    transfer, client = ask_for(sue, [make_workitem(queue=queue)], sales), browser(sue)
    first = client.get(receipt(transfer, "progress"))
    assert "0 of 1 moved" in text_of(first)
    assert client.get(receipt(transfer, "progress"), headers={"If-None-Match": first["ETag"]}).status_code == 304
    work_off(transfer)
    again = client.get(receipt(transfer, "progress"), headers={"If-None-Match": first["ETag"]})
    assert "1 of 1 moved" in text_of(again)


# The buttons


def test_a_transfer_is_paused_and_resumed(sue, queue, sales, django_capture_on_commit_callbacks):
    transfer = ask_for(sue, [make_workitem(queue=queue)], sales)
    press(sue, transfer, "pause")
    transfer.refresh_from_db()
    assert transfer.state == "paused"
    with django_capture_on_commit_callbacks(execute=False) as wake_ups:
        press(sue, transfer, "resume")
    transfer.refresh_from_db()
    assert (transfer.state, len(wake_ups)) == ("pending", 1)


def test_cancelling_asks_first_with_the_count(sue, queue, sales):
    transfer = ask_for(sue, [make_workitem(queue=queue) for _ in range(2)], sales)
    assert "2 items are still pending and stay as they are." in text_of(browser(sue).get(receipt(transfer, "cancel")))
    transfer.refresh_from_db()
    assert transfer.state == "pending"
    press(sue, transfer, "cancel")
    transfer.refresh_from_db()
    assert transfer.state == "cancelled"


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "retry"])
def test_a_button_that_comes_too_late_is_refused_in_words(verb, sue, queue, sales):
    transfer = work_off(ask_for(sue, [make_workitem(queue=queue)], sales))
    assert "Not possible while the run is “Done”." in text_of(press(sue, transfer, verb))
    transfer.refresh_from_db()
    assert transfer.state == "done"


def test_undoing_too_early_is_refused_in_words(sue, queue, sales):
    transfer = ask_for(sue, [make_workitem(queue=queue)], sales)
    assert "Not possible while the run is “Pending”." in text_of(press(sue, transfer, "undo"))
    assert Transfer.objects.count() == 1


@pytest.mark.parametrize("verb", ["pause", "resume", "retry"])
def test_buttons_are_not_links(verb, sue, queue, sales):
    transfer = ask_for(sue, [make_workitem(queue=queue)], sales)
    assert browser(sue).get(receipt(transfer, verb)).status_code == 405


def test_what_was_set_aside_is_tried_again(sue, queue, sales, django_capture_on_commit_callbacks):
    item = make_workitem(queue=queue)
    transfer = work_off(ask_for(sue, [item, make_workitem(queue=queue)], sales))
    set_aside(transfer, item)
    page = text_of(browser(sue).get(receipt(transfer)))
    assert "Set aside Given up after 5 attempts: Boom: no" in page
    assert "Retry the 1 set aside" in page
    with django_capture_on_commit_callbacks(execute=False) as wake_ups:
        press(sue, transfer, "retry")
    transfer.refresh_from_db()
    assert (transfer.state, transfer.failed, len(wake_ups)) == ("running", 0, 1)


# Undo


def test_undo_says_how_many_can_go_back_and_leaves_what_was_touched(sue, queue, sales):
    back, touched = make_workitem(queue=queue), make_workitem(queue=queue)
    transfer = work_off(ask_for(sue, [back, touched], sales))
    services.execute(AddNote("Called."), touched.workitem_id, actor=Actor.of(sue, Door.API), now=timezone.now())
    page = text_of(browser(sue).get(receipt(transfer, "undo")))
    assert "1 of 2 can go back to how they were. 1 was touched since and stays as it is." in page
    assert touched.workitem_id in page
    page = text_of(press(sue, transfer, "undo"))
    assert [facts_of(item)["queue_id"] for item in (back, touched)] == [queue.pk, sales.pk]
    assert "1 of 1 moved" in page
    event = last_event(back)
    assert (event.type, event.door) == (Event.TRANSFER_UNDONE, Door.ADMIN)


def test_a_transfer_and_its_undo_lead_to_each_other(sue, queue, sales):
    transfer = work_off(ask_for(sue, [make_workitem(queue=queue)], sales))
    press(sue, transfer, "undo")
    undoing = Transfer.objects.get(undoes=transfer)
    assert f'href="{receipt(undoing)}"' in browser(sue).get(receipt(transfer)).content.decode()
    assert f'href="{receipt(transfer)}"' in browser(sue).get(receipt(undoing)).content.decode()


def test_an_undo_with_nothing_left_to_return_is_refused_in_words(sue, queue, sales):
    transfer = work_off(ask_for(sue, [make_workitem(queue=queue)], sales))
    press(sue, transfer, "undo")
    assert "There is nothing to do" in text_of(press(sue, transfer, "undo"))
    assert Transfer.objects.count() == 2


# Files


def test_no_cell_of_the_file_is_a_formula(sue, queue):
    trap = make_queue("q_trap", name="=HYPERLINK(1)", is_open=False)
    item = make_workitem(queue=queue, workitem_id="-1+2")
    transfer = work_off(ask_for(sue, [item], trap))
    answer = browser(sue).get(receipt(transfer, "export"))
    rows = list(csv.reader(answer.getvalue().decode().splitlines()))
    assert rows[0] == ["workitemId", "outcome", "code", "reason", "attempts", "error", "version"]
    assert rows[1] == ["'-1+2", "refused", "queue_closed", "'=HYPERLINK(1) is closed.", "0", "", "0"]
    assert answer["Content-Disposition"] == f'attachment; filename="{transfer.transfer_id}.csv"'


def test_the_file_has_every_item_in_lines_of_json_too(sue, queue, sales, monkeypatch):
    monkeypatch.setattr("workitems.presenting.receipt_files.EXPORTED_AT_ONCE", 2)
    items = [make_workitem(queue=queue) for _ in range(5)]
    transfer = work_off(ask_for(sue, items, sales))
    answer = browser(sue).get(receipt(transfer, "export"), {"format": "ndjson"})
    lines = [json.loads(line) for line in answer.getvalue().splitlines()]
    assert [line["workitemId"] for line in lines] == [item.workitem_id for item in items]
    assert {line["outcome"] for line in lines} == {"done"}


def test_a_format_that_there_is_not_is_not_there(sue, queue, sales):
    transfer = ask_for(sue, [make_workitem(queue=queue)], sales)
    assert browser(sue).get(receipt(transfer, "export"), {"format": "exe"}).status_code == 404


# What the pages cost


@pytest.mark.parametrize("count", [1, 10])
def test_the_list_costs_the_same_for_any_number_of_transfers(count, sue, queue, sales, django_assert_max_num_queries):
    item = make_workitem(queue=queue)
    for _ in range(count):
        ask_for(sue, [item], sales)
    client = browser(sue)
    client.get(TRANSFERS)
    with django_assert_max_num_queries(10):
        client.get(TRANSFERS)


@pytest.mark.parametrize("count", [1, 30])
def test_a_receipt_costs_the_same_for_any_number_of_items(count, sue, queue, sales, django_assert_max_num_queries):
    items = [make_workitem(State.TERMINATED if n % 2 else State.INQUEUE, queue=queue) for n in range(count)]
    transfer = work_off(ask_for(sue, items, sales))
    client = browser(sue)
    client.get(receipt(transfer))
    with django_assert_max_num_queries(12):
        client.get(receipt(transfer))


@pytest.mark.parametrize("count", [1, 20])
def test_the_dialog_costs_the_same_for_any_number_of_targets(count, sue, queue, django_assert_max_num_queries):
    for number in range(count):
        make_queue(f"q_{number}", members=[make_user()])
    client, item = browser(sue), make_workitem(queue=queue)
    data = {"action": "transfer", "_selected_action": [item.pk]}
    client.post(LIST, data)
    with django_assert_max_num_queries(17):
        client.post(LIST, data)
