"""Transfers at the desk: one moves at a word and comes back at another, many move after a preview."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from queues.channels import Channel
from tests.builders import facts_of, last_event, make_presence, make_queue, make_user, make_workitem
from tests.crowds import make_crowd
from tests.doors import browser
from workitems import services
from workitems.actors import Actor
from workitems.choices import Door, Event, Scope, State, Type
from workitems.commands import AddNote, TransferToQueue
from workitems.groups import grant, grant_transfer_in
from workitems.models import Transfer, Workitem

ASK, PREVIEW, START = (reverse(name) for name in ("transfer", "transfer-preview", "transfer-start"))
SCRIPT = {"HX-Request": "true"}


def text_of(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def ask(user, item, **headers):
    return browser(user).get(ASK, {"workitem": item.workitem_id}, headers=headers)


def move(user, item, target="queue:q_sales", headers=None, **typed):
    data = {"workitem": item.workitem_id, "target": target, "version": item.version, **typed}
    return browser(user).post(START, data, headers=headers or {})


def ids_of(items):
    return ",".join(item.workitem_id for item in items)


def preview(user, items, **typed):
    return browser(user).post(PREVIEW, {"workitem": ids_of(items), "target": "queue:q_sales", **typed})


def start(user, items, **typed):
    data = {"workitem": ids_of(items), "target": "queue:q_sales", "expected": len(items), **typed}
    return browser(user).post(START, data)


def toast_of(answer):
    return json.loads(answer["HX-Trigger"])["desk:toast"]


def targets_of(answer):
    return {target.value: target for target in answer.context["targets"]}


@pytest.fixture
def ira(queue, sales):
    """A supervisor of the first queue only, who may send into the other."""
    user = make_user("ira")
    grant(user, Scope.WRITE, queue)
    grant_transfer_in(user, sales)
    return user


# The dialog


def test_it_asks_where_to_and_moves_nothing(sue, queue, sales):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    page = text_of(ask(sue, item))
    assert "To which queue or agent" in page
    assert item.workitem_id in page
    assert facts_of(item) == before


def test_a_script_gets_what_is_within_the_dialog(sue, queue, sales):
    assert "<html" not in ask(sue, make_workitem(queue=queue), **SCRIPT).content.decode()


def test_each_target_says_where_it_stands(sue, queue, sales, ann):
    make_workitem(queue=sales, queued_at=timezone.now() - timedelta(minutes=5, seconds=2))
    make_presence(ann)
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    page = text_of(ask(sue, make_workitem(queue=queue)))
    assert re.search(r"Sales q_sales 1 waiting longest 5 min \d+ s Open", page)
    assert "ann 1 in hand Available" in page


def test_where_it_cannot_go_is_shown_with_the_reason(sue, queue, sales, ann):
    make_queue("q_night", name="Night", is_open=False)
    make_queue("q_mail", name="Mail", channels=[Channel.EMAIL])
    found = targets_of(ask(sue, make_workitem(State.ACTIVE, queue=queue, agent=ann)))
    assert {value: target.refusal for value, target in found.items() if target.refusal} == {
        "queue:q_night": "Night is closed.",
        "queue:q_mail": "Mail does not take “voice”.",
        "queue:q_support": "It belongs to Support already.",
        "agent:ann": "ann has it already.",
    }


def test_a_queue_that_one_cannot_read_tells_its_name_and_whether_it_is_open(ira, queue, sales):
    make_crowd(7, sales)
    answer = ask(ira, make_workitem(queue=queue))
    target = targets_of(answer)["queue:q_sales"]
    assert (target.waiting, target.is_hidden, target.is_open, target.longest_since) == (None, True, True, None)
    assert "7" not in target.facts
    assert "You will not see it there." in text_of(answer)


def test_what_an_agent_has_elsewhere_is_not_counted_for_who_cannot_read_it(ira, queue, sales, ann):
    make_workitem(State.ACTIVE, queue=sales, agent=ann)
    assert targets_of(ask(ira, make_workitem(queue=queue)))["agent:ann"].in_hand == 0


def test_where_one_may_not_send_is_not_offered(queue, sales):
    user = make_user("ina")
    grant(user, Scope.WRITE, queue)
    item = make_workitem(queue=queue)
    before = facts_of(item)
    assert "queue:q_sales" not in targets_of(ask(user, item))
    assert move(user, item).status_code == 400
    assert facts_of(item) == before


def test_where_one_sends_most_comes_first(sue, queue, sales):
    make_queue("q_zoo", name="Zoo")
    client = browser(sue)
    for _ in range(2):
        item = make_workitem(queue=queue)
        client.post(START, {"workitem": item.workitem_id, "target": "queue:q_zoo"})
    found = client.get(ASK, {"workitem": make_workitem(queue=queue).workitem_id}).context["targets"]
    assert (found[0].value, found[0].is_usual) == ("queue:q_zoo", True)


@pytest.mark.parametrize(("who", "status"), [("eve", 404), ("tom", 403)])
def test_who_may_not_move_it_is_told_so(who, status, request, queue, sales):
    user, item = request.getfixturevalue(who), make_workitem(queue=queue)
    before = facts_of(item)
    assert ask(user, item).status_code == status
    assert move(user, item).status_code == status
    assert facts_of(item) == before


def test_what_has_ended_says_why_it_stays(sue, queue, sales):
    answer = ask(sue, make_workitem(State.TERMINATED, queue=queue), **SCRIPT)
    assert answer.status_code == 409
    assert "Not possible while it is “In wrap-up”." in text_of(answer)


def test_nothing_chosen_is_told(sue):
    assert browser(sue).get(ASK).status_code == 409


def test_the_recording_is_asked_of_calls_alone(sue, queue, sales):
    assert 'name="recording"' in ask(sue, make_workitem(queue=queue)).content.decode()
    assert 'name="recording"' not in ask(sue, make_workitem(queue=queue, type=Type.CHAT)).content.decode()


def test_targets_that_are_left_out_are_searched_for(sue, queue, sales, monkeypatch):
    monkeypatch.setattr("workitems.presenting.transfer_targets.TARGETS_SHOWN", 1)
    item = make_workitem(queue=queue)
    assert "more are not shown" in text_of(ask(sue, item))
    found = browser(sue).get(reverse("transfer-targets"), {"workitem": item.workitem_id, "find": "sal"}, headers=SCRIPT)
    assert "Sales" in text_of(found)
    assert "Support" not in text_of(found)


def test_the_dialog_asks_few_questions(sue, queue, sales, ann, django_assert_max_num_queries):
    for number in range(5):
        make_queue(f"q_{number}", members=[ann])
        make_presence(make_user(f"agent{number}"))
    item, client = make_workitem(State.ACTIVE, queue=queue, agent=ann), browser(sue)
    client.get(ASK, {"workitem": item.workitem_id})
    with django_assert_max_num_queries(10):
        client.get(ASK, {"workitem": item.workitem_id}, headers=SCRIPT)


# One moves


def test_one_moves_at_a_word_and_the_toast_can_take_it_back(sue, queue, sales):
    item = make_workitem(queue=queue)
    answer = move(sue, item, headers=SCRIPT, priority="5")
    toast = toast_of(answer)
    assert (answer.status_code, toast["text"]) == (200, "Moved to Sales.")
    assert (facts_of(item)["queue_id"], facts_of(item)["priority"]) == (sales.pk, 5)
    assert (last_event(item).door, last_event(item).user) == (Door.PAGE, sue)
    back = browser(sue).post(toast["undo"]["url"], headers=SCRIPT)
    assert toast_of(back)["text"] == "Moved back to Support."
    assert (facts_of(item)["queue_id"], facts_of(item)["priority"]) == (queue.pk, 3)
    assert last_event(item).type == Event.TRANSFER_UNDONE


def test_the_reason_stays_as_a_note_just_before(sue, queue, sales):
    item = make_workitem(queue=queue)
    move(sue, item, reason="Wrong queue")
    noted, moved = item.time_events.order_by("version")[1:]
    assert (noted.type, noted.details["text"], moved.type) == (Event.NOTED, "Wrong queue", Event.TRANSFERRED)


def test_a_refused_transfer_leaves_no_note(sue, queue, sales):
    item = make_workitem(queue=queue)
    sales.is_open = False
    sales.save()
    before = facts_of(item)
    answer = move(sue, item, reason="Wrong queue", headers=SCRIPT)
    assert answer.status_code == 409
    assert "Sales is closed." in text_of(answer)
    assert facts_of(item) == before


def test_it_goes_to_an_agent_with_what_the_telephony_is_told(sue, queue, ann):
    item = make_workitem(queue=queue)
    move(sue, item, "agent:ann", recording="stopRecording")
    assert (facts_of(item)["state"], facts_of(item)["agent_id"]) == ("offered", ann.pk)
    assert last_event(item).details["recording"] == "stopRecording"


def test_who_comes_second_is_told_what_the_first_has_done(sue, amy, queue, sales):
    make_queue("q_zoo", name="Zoo")
    item = make_workitem(queue=queue)
    move(amy, item, "queue:q_zoo")
    before = facts_of(item)
    answer = move(sue, item, headers=SCRIPT)
    assert answer.status_code == 412
    assert "It has changed meanwhile: it is “In queue” now, Zoo." in text_of(answer)
    assert facts_of(item) == before
    version = re.search(r'name="version" value="(\d+)"', answer.content.decode())[1]
    assert move(sue, item, version=version, headers=SCRIPT).status_code == 200


def test_an_undo_leaves_what_somebody_has_touched(sue, amy, queue, sales):
    item = make_workitem(queue=queue)
    undo = toast_of(move(sue, item, headers=SCRIPT))["undo"]["url"]
    services.execute(AddNote("Mine."), item.workitem_id, actor=Actor.of(amy, Door.PAGE), now=timezone.now())
    before = facts_of(item)
    answer = browser(sue).post(undo, headers=SCRIPT)
    assert answer.status_code == 409
    assert toast_of(answer)["text"].startswith("It was not moved back. ")
    assert facts_of(item) == before


def test_an_undo_of_another_transfer_is_refused(sue, queue, sales):
    zoo, item = make_queue("q_zoo", name="Zoo"), make_workitem(queue=queue)
    undo = toast_of(move(sue, item, headers=SCRIPT))["undo"]["url"]
    services.execute(TransferToQueue(zoo), item.workitem_id, actor=Actor.of(sue, Door.PAGE), now=timezone.now())
    before = facts_of(item)
    assert browser(sue).post(undo, headers=SCRIPT).status_code == 409
    assert facts_of(item) == before


def test_who_sends_it_out_of_his_sight_fetches_it_back(ira, queue, sales):
    item = make_workitem(queue=queue)
    undo = toast_of(move(ira, item, headers=SCRIPT))["undo"]["url"]
    assert facts_of(item)["queue_id"] == sales.pk
    assert browser(ira).post(undo, headers=SCRIPT).status_code == 200
    assert facts_of(item)["queue_id"] == queue.pk


@pytest.mark.parametrize(
    ("came_from", "leads_to"),
    [
        ("/supervisor/work/?state=inqueue", "/supervisor/work/?state=inqueue"),
        ("{item}", "/supervisor/work/"),
        ("{item}?next=/supervisor/", "/supervisor/"),
        ("{item}?next=//evil.example/", "/supervisor/work/"),
        ("https://evil.example/", "/supervisor/work/"),
        ("//evil.example/", "/supervisor/work/"),
        ("/\\evil.example/", "/supervisor/work/"),
        ("", "/supervisor/work/"),
    ],
)
def test_who_sees_it_no_more_goes_back_to_where_he_came_from(came_from, leads_to, ira, queue, sales):
    item = make_workitem(queue=queue)
    page = reverse("workitem", args=[item.workitem_id])
    assert move(ira, item, next=came_from.replace("{item}", page))["Location"] == leads_to


def test_a_script_is_led_away_only_where_the_page_shows_nothing_more(sue, ira, queue, sales):
    first, second = make_workitem(queue=queue), make_workitem(queue=queue)
    pages = [reverse("workitem", args=[item.workitem_id]) for item in (first, second)]
    assert "HX-Location" not in move(sue, first, next=pages[0], headers=SCRIPT)
    assert move(ira, second, next=pages[1], headers=SCRIPT)["HX-Location"] == "/supervisor/work/"


def test_without_script_it_moves_and_the_undo_is_a_page(sue, queue, sales):
    item, client = make_workitem(queue=queue), browser(sue)
    answer = client.post(START, {"workitem": item.workitem_id, "target": "queue:q_sales"}, follow=True)
    assert "Moved to Sales." in text_of(answer)
    undo = reverse("transfer-undo", args=[item.workitem_id]) + f"?version={facts_of(item)['version']}"
    assert undo in answer.content.decode()
    assert "Move it back" in text_of(client.get(undo))
    assert facts_of(item)["queue_id"] == sales.pk
    client.post(undo)
    assert facts_of(item)["queue_id"] == queue.pk


def test_without_a_target_it_asks_again(sue, queue, sales):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    answer = move(sue, item, "", reason="Wrong queue")
    assert answer.status_code == 400
    assert "Choose a queue or an agent." in text_of(answer)
    assert "Wrong queue" in answer.content.decode()
    assert facts_of(item) == before


# Many are looked at first


def test_a_preview_counts_what_moves_and_what_is_refused_and_moves_nothing(sue, queue, sales):
    items = [*(make_workitem(queue=queue) for _ in range(2)), make_workitem(State.TERMINATED, queue=queue)]
    make_workitem(queue=sales)
    before = [facts_of(item) for item in items]
    page = text_of(preview(sue, items, reason="Overflow"))
    assert "2 of 3 will move to Sales" in page
    assert f"1 Not possible while it is “In wrap-up”. {items[2].workitem_id}" in page
    assert "Sales now 1 1 waiting, the longest for" in page
    assert "Sales after 3 Open" in page
    assert [facts_of(item) for item in items] == before


def test_a_preview_tells_what_is_gone_or_has_changed(sue, queue, sales):
    seen_at = timezone.now()
    changed = make_workitem(queue=queue, modified_at=seen_at + timedelta(seconds=1))
    data = {"workitem": f"{changed.workitem_id},wi_gone", "target": "queue:q_sales", "seen_at": seen_at.isoformat()}
    page = text_of(browser(sue).post(PREVIEW, data))
    assert f"1 Changed since you loaded the list {changed.workitem_id}" in page
    assert "1 Gone, or not visible to you any more wi_gone" in page


def test_a_preview_of_a_hidden_queue_says_nothing_of_its_line(ira, queue, sales):
    make_crowd(7, sales)
    page = text_of(preview(ira, [make_workitem(queue=queue), make_workitem(queue=queue)]))
    assert "you will not see them there" in page
    assert "Sales now" not in page
    assert " 7 " not in page
    assert " 9 " not in page


def test_a_preview_costs_the_same_however_many(sue, queue, sales):
    client, counts = browser(sue), []
    for count in (1, 3, 60):  # the first look warms what is remembered
        items = make_crowd(count, queue)
        with CaptureQueriesContext(connection) as asked:
            client.post(PREVIEW, {"workitem": ids_of(items), "target": "queue:q_sales"})
        counts.append(len(asked))
    assert counts[1] == counts[2] <= 13


def test_nothing_moves_without_a_preview(sue, queue, sales):
    items = make_crowd(2, queue)
    answer = start(sue, items, expected="")
    assert "2 of 2 will move" in text_of(answer)
    assert not Transfer.objects.exists()


def test_a_changed_selection_shows_the_preview_again(sue, queue, sales):
    make_crowd(3, queue)
    data = {"query": "queue=q_support", "all": "1", "target": "queue:q_sales", "expected": 2}
    answer = browser(sue).post(START, data)
    assert answer.status_code == 409
    assert "3 workitems match now, not 2" in text_of(answer)
    assert not Transfer.objects.exists()
    assert Workitem.objects.filter(queue=queue).count() == 3


def test_all_that_the_list_shows_move(sue, queue, sales):
    make_crowd(3, queue)
    other = make_workitem(State.ACTIVE, queue=queue, agent=make_user("zoe"))
    data = {"query": "queue=q_support&state=inqueue", "all": "1", "target": "queue:q_sales", "expected": 3}
    answer = browser(sue).post(START, data)
    transfer = Transfer.objects.get()
    assert answer["Location"] == reverse("desk-run", args=[transfer.transfer_id])
    assert (transfer.done, transfer.query, transfer.door) == (3, "queue=q_support&state=inqueue", Door.PAGE)
    assert facts_of(other)["queue_id"] == queue.pk


def test_a_list_that_makes_no_sense_moves_nothing(sue, queue, sales):
    make_crowd(2, queue)
    answer = browser(sue).post(ASK, {"query": "nonsense=1", "all": "1"})
    assert answer.status_code == 400
    assert "There is no filter “nonsense”." in text_of(answer)


def test_what_was_typed_is_carried_and_can_be_changed(sue, queue, sales):
    items = make_crowd(2, queue)
    typed = {
        "reason": "Overflow & more",
        "priority": "5",
        "seen_at": timezone.now().isoformat(),
        "next": "/supervisor/",
    }
    page = preview(sue, items, **typed).content.decode()
    again = browser(sue).post(ASK, {"workitem": ids_of(items), "target": "queue:q_sales", "step": "change", **typed})
    for shown in (page, again.content.decode()):
        assert "Overflow &amp; more" in shown
        assert f'name="workitem" value="{ids_of(items)}"' in shown
        assert 'name="next" value="/supervisor/"' in shown


def test_a_planned_transfer_waits_for_its_time_on_the_persons_clock(sue, queue, sales):
    items = make_crowd(2, queue)
    day = (timezone.now() + timedelta(days=2)).date()
    start(sue, items, when="later", at=f"{day}T10:00", zone="Asia/Tokyo")
    transfer = Transfer.objects.get()
    assert transfer.start_at.isoformat() == f"{day}T01:00:00+00:00"
    assert (transfer.state, facts_of(items[0])["queue_id"]) == ("pending", queue.pk)


def test_no_line_of_djangos_own_is_left(sue, queue, sales):
    start(sue, make_crowd(2, queue))
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("address", [PREVIEW, START])
def test_a_look_moves_nothing(address, sue):
    assert browser(sue).get(address).status_code == 405
