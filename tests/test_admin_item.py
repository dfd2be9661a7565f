"""The page of a workitem in the back office: what it shows and lets correct, each button, and the form for new ones."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.urls import reverse
from django.utils import timezone

from contacts.models import Contact
from tests.builders import (
    NOON,
    facts_of,
    last_event,
    make_contact,
    make_disposition,
    make_queue,
    make_user,
    make_workitem,
)
from tests.doors import browser
from workitems import services
from workitems.actors import Actor
from workitems.choices import Door, Event, Scope, State, Type
from workitems.commands import AddNote, Edit, ErasePerson, FollowContact, SetPriority, TransferOptions, TransferToQueue
from workitems.groups import grant
from workitems.models import AuditEntry, BulkRun, TimeEvent, Transfer, Workitem

LIST = "/admin/workitems/workitem/"
ADD = f"{LIST}add/"
HOSTILE = "\"'><img src=x onerror=alert(1)></textarea></script><script>alert(1)</script>{{ 7*7 }}"


def page_of(item):
    return reverse("admin:workitems_workitem_change", args=[item.pk])


def show(user, item, tab="overview", **query):
    return browser(user).get(page_of(item), {"tab": tab, **query})


def text_of(answer):
    """Return what a person reads, in one line."""
    page = re.sub(r"<(script|style).*?</\1>", "", answer.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def loaded(user, item):
    """Return what the page's form would send if nothing were typed."""
    form = show(user, item).context["form"]
    values = {name: form[name].value() for name in form.fields}
    return {"seen": form.seen_token} | {name: "" if value is None else value for name, value in values.items()}


def save(user, item, sent=None, **typed):
    return browser(user).post(page_of(item), (sent or loaded(user, item)) | typed)


def press(user, item, action, follow=True, **values):
    address = reverse("admin:workitems_workitem_do", args=[item.pk, action])
    return browser(user).post(address, {"version": item.version, **values}, follow=follow)


def by(user):
    return Actor.of(user, Door.API)


def do(user, item, command, at=NOON):
    return services.execute(command, item.workitem_id, actor=by(user), now=at)


@pytest.fixture
def ada():
    return make_contact("Ada Lovelace", phones=("+12025550123",), emails=("ada@example.com",))


# What may be corrected


def test_all_that_may_be_corrected_goes_through_commands(sue, queue, ada):
    item = make_workitem(queue=queue, name="Old")
    save(
        sue, item, name="New", contact=ada.pk, priority=5, from_address="(202) 555-0123", data='{"a": 1}', note="Hello."
    )
    after = facts_of(item)
    assert (after["name"], after["contact_id"], after["priority"], after["data"]) == ("New", ada.pk, 5, {"a": 1})
    assert (after["from_address"], after["version"]) == ("+12025550123", 4)
    told = TimeEvent.objects.filter(workitem=item).values_list("type", "actor", "door")
    assert list(told)[1:] == [(kind, "sue", "admin") for kind in ("edited", "prioritized", "note")]
    assert LogEntry.objects.values_list("user__username", "action_flag").get() == ("sue", CHANGE)


def test_what_was_not_touched_writes_nothing(sue, queue):
    item = make_workitem(queue=queue, name="Same", data={"b": [1.50, "ä"]})
    before = facts_of(item)
    assert "There was nothing to save." in text_of(browser(sue).post(page_of(item), loaded(sue, item), follow=True))
    assert facts_of(item) == before
    assert not LogEntry.objects.exists()


def test_who_was_slower_is_told_what_has_changed_and_keeps_what_he_typed(sue, amy, queue):
    item = make_workitem(queue=queue, name="Old", data={"order": 1})
    seen = loaded(sue, item)
    do(amy, item, Edit({"name": "Theirs", "data": {"order": 2}}))
    do(amy, item, SetPriority(4))
    before = facts_of(item)
    answer = save(sue, item, seen, name="Mine")
    assert facts_of(item) == before
    told = text_of(answer)
    assert "amy: Edited, Subject: “Old” → “Theirs”, Data · order: “1” → “2”" in told
    assert "amy: Priority set, Priority: “Normal” → “High”" in told
    form = answer.context["form"]
    assert form["name"].value() == "Mine"
    assert str(form["priority"].value()) == "4"
    assert json.loads(form["data"].value()) == {"order": 2}


def test_saved_once_more_it_is_put_in_place_and_nothing_else_is_lost(sue, amy, queue):
    item = make_workitem(queue=queue, name="Old")
    seen = loaded(sue, item)
    do(amy, item, Edit({"name": "Theirs", "to": "+12025550199"}))
    form = save(sue, item, seen, name="Mine").context["form"]
    again = {name: form[name].value() or "" for name in form.fields} | {"seen": form.seen_token}
    save(sue, item, again)
    after = facts_of(item)
    assert (after["name"], after["to_address"]) == ("Mine", "+12025550199")
    assert last_event(item).details == {"name": {"old": "Theirs", "new": "Mine"}}


def test_a_priority_that_came_with_a_transfer_is_told_too(sue, amy, queue, sales):
    item = make_workitem(queue=queue)
    seen = loaded(sue, item)
    do(amy, item, TransferToQueue(sales, priority=5))
    told = text_of(save(sue, item, seen, name="Mine"))
    assert "Queue: “q_support” → “q_sales”" in told
    assert "Priority: “Normal” → “Highest”" in told


def test_a_page_that_was_tampered_with_is_not_saved(sue, queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    assert "This page was not complete." in text_of(save(sue, item, name="New", seen="x"))
    assert facts_of(item) == before


def test_a_refusal_is_told_beside_its_field(sue, queue):
    item = make_workitem(State.TERMINATED, queue=queue)
    before = facts_of(item)
    form = save(sue, item, priority=5).context["form"]
    assert form.errors["priority"] == ["Not possible while it is “In wrap-up”."]
    assert facts_of(item) == before


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ('{"a": 1,}', "line 1, column"),
        ('{\n  "a": 1\n  "b": 2\n}', "This is no JSON from line 3, column 3 on."),
        ("[1]", "The data must be an object."),
        ('{"a": "\\u0000"}', "This holds something that cannot be kept."),
        ("[" * 5000, "nests too deep"),
        (json.dumps({"a": "x" * 16_384}), "This must be 16 KiB at most."),
    ],
)
def test_data_that_cannot_be_kept_is_told_beside_it_and_stays_as_it_was_typed(typed, told, sue, queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    form = save(sue, item, data=typed).context["form"]
    assert told in form.errors["data"][0]
    assert form["data"].value() == typed
    assert facts_of(item) == before


def test_empty_data_is_an_empty_object(sue, queue):
    item = make_workitem(queue=queue, data={"a": 1})
    save(sue, item, data="")
    assert facts_of(item)["data"] == {}


@pytest.mark.parametrize("name", ["state", "queue", "agent", "version", "terminated_at", "created_at", "ended_by"])
def test_lifecycle_facts_cannot_be_typed(name, sue, queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    save(sue, item, **{name: "terminated"})
    assert facts_of(item) == before


def test_a_contact_can_only_be_chosen_by_whoever_sees_it(queue, sales, ada):
    user = make_user(is_staff=True)
    grant(user, Scope.WRITE, queue)
    item, secret = make_workitem(queue=queue), make_contact("Secret")
    make_workitem(queue=queue, contact=ada)
    make_workitem(queue=sales, contact=secret)
    assert "contact" in save(user, item, contact=secret.pk).context["form"].errors
    assert facts_of(item)["contact_id"] is None
    save(user, item, contact=ada.pk)
    assert facts_of(item)["contact_id"] == ada.pk


def test_a_contact_that_was_merged_or_erased_cannot_be_chosen_anew_but_stays(sue, queue, ada):
    gone = make_contact("Gone")
    Contact.objects.filter(pk=gone.pk).update(merged_into=ada)
    item, other = make_workitem(queue=queue), make_workitem(queue=queue, contact=gone)
    assert "contact" in save(sue, item, contact=gone.pk).context["form"].errors
    save(sue, other, name="Still theirs")
    assert (facts_of(other)["name"], facts_of(other)["contact_id"]) == ("Still theirs", gone.pk)


def test_readers_see_no_form_and_cannot_send_one(tom, sue, queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    assert show(tom, item).context["form"] is None
    assert browser(tom).post(page_of(item), loaded(sue, item) | {"name": "New"}).status_code == 403
    assert facts_of(item) == before


def test_what_one_may_not_see_is_not_there(queue, sales):
    user = make_user(is_staff=True)
    grant(user, Scope.WRITE, queue)
    item = make_workitem(queue=sales)
    before = facts_of(item)
    assert show(user, item).status_code == 404
    assert browser(user).post(page_of(item), {"name": "New"}).status_code == 404
    assert press(user, item, "archive").status_code == 404
    assert browser(user).get(reverse("admin:workitems_workitem_history", args=[item.pk])).status_code == 404
    assert facts_of(item) == before


@pytest.mark.parametrize("pk", ["x", "0", "9" * 30, "1%00"])
def test_an_address_that_leads_nowhere_is_a_404(pk, sue):
    assert browser(sue).get(f"{LIST}{pk}/change/").status_code == 404


# Buttons


def labels(buttons):
    return [button.action.value for button in buttons]


def test_each_action_is_a_button_or_has_its_reason(sue, queue, ann):
    answer = show(sue, make_workitem(State.ACTIVE, queue=queue, agent=ann))
    assert labels(answer.context["possible"]) == [
        "transfer", "hold", "mute", "dtmf", "conference", "returnToQueue", "hangup", "priority", "note", "edit",
        "exempt",
    ]  # fmt: skip
    assert {group.reason: labels(group.buttons) for group in answer.context["impossible"]} == {
        "Not possible while it is “Active”.": [
            "offer", "pull", "accept", "reject", "bridge", "unhold", "leaveConference", "disposition", "archive",
            "unarchive",
        ],
        "It is so already.": ["unmute"],
        "This needs the scope workitems:admin.": ["reopen", "purge"],
        "Not possible on the channel “Voice”.": ["sendEmailResponse"],
    }  # fmt: skip
    assert "Not possible while it is “Active”." in text_of(answer)


def test_what_only_jobs_do_is_nowhere(amy, queue):
    page = text_of(show(amy, make_workitem(queue=queue)))
    for word in ("Expire offer", "Warn before it is stale", "Terminate as stale"):
        assert word not in page


def test_readers_have_no_buttons(tom, queue):
    answer = show(tom, make_workitem(queue=queue))
    assert answer.context["possible"] == []
    assert "There is nothing that you can do here now." in text_of(answer)


@pytest.mark.parametrize(
    ("state", "action", "values", "event"),
    [
        (State.INQUEUE, "offer", {"agent": "ann"}, Event.OFFERED),
        (State.INQUEUE, "pull", {}, Event.PULLED),
        (State.OFFERED, "accept", {}, Event.ACCEPTED),
        (State.OFFERED, "reject", {}, Event.REJECTED),
        (State.ACCEPTED, "bridge", {}, Event.ACTIVATED),
        (State.ACTIVE, "returnToQueue", {"place": "end"}, Event.RETURNED),
        (State.ACTIVE, "hold", {}, Event.HELD),
        (State.HOLD, "unhold", {}, Event.RESUMED),
        (State.ACTIVE, "mute", {}, Event.MUTED),
        (State.ACTIVE, "dtmf", {"tones": "12#"}, Event.TONES_SENT),
        (State.ACTIVE, "conference", {"participant": "+12025550100"}, Event.CONFERENCED),
        (State.CONFERENCE, "leaveConference", {}, Event.CONFERENCE_LEFT),
        (State.ACTIVE, "hangup", {"reason": "system"}, Event.TERMINATED),
        (State.INQUEUE, "priority", {"priority": 5}, Event.PRIORITIZED),
        (State.TERMINATED, "disposition", {"disposition": "d_solved", "note": ""}, Event.DISPOSITIONED),
        (State.INQUEUE, "note", {"text": "Called."}, Event.NOTED),
        (State.INQUEUE, "exempt", {"hours": 8}, Event.EXEMPTED),
        (State.TERMINATED, "archive", {}, Event.ARCHIVED),
    ],
)  # fmt: skip
def test_a_button_does_its_command_and_leaves_a_line_in_both_histories(state, action, values, event, amy, queue, ann):
    make_disposition()
    with_agent = state not in (State.INQUEUE, State.DISPOSITIONED)
    item = make_workitem(state, queue=queue, agent=ann if with_agent else None)
    assert "Done: " in text_of(press(amy, item, action, **values))
    told = last_event(item)
    assert (told.type, told.actor, told.door, told.version) == (event, "amy", Door.ADMIN, 2)
    line = LogEntry.objects.get()
    assert (line.user, line.object_id, line.change_message) == (amy, str(item.pk), action)


def test_a_button_that_needs_an_answer_asks_on_the_page(sue, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    before = facts_of(item)
    answer = press(sue, item, "hangup", reason="nobody")
    assert answer.status_code == 400
    assert [button.action.value for button in answer.context["possible"] if button.is_open] == ["hangup"]
    assert facts_of(item) == before


def test_a_refusal_shows_its_reason_and_changes_nothing(sue, queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    answer = press(sue, item, "hold")
    assert answer.status_code == 409
    assert "Not possible while it is “In queue”." in text_of(answer)
    assert facts_of(item) == before
    assert not LogEntry.objects.exists()


def test_a_button_on_a_page_that_is_out_of_date_does_nothing(sue, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    do(sue, item, AddNote("Something else."))
    before = facts_of(item)
    answer = press(sue, item, "hold")
    assert answer.status_code == 412
    assert "has changed meanwhile" in text_of(answer)
    assert facts_of(item) == before


def test_readers_cannot_press(tom, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    before = facts_of(item)
    assert press(tom, item, "hold").status_code == 403
    assert facts_of(item) == before


def test_buttons_are_pressed_and_not_visited(sue, queue):
    item = make_workitem(queue=queue)
    assert browser(sue).get(reverse("admin:workitems_workitem_do", args=[item.pk, "hold"])).status_code == 405
    assert press(sue, item, "explode").status_code == 404


@pytest.mark.parametrize(("word", "left"), [("purge", 0), ("", 1), ("delete", 1)])
def test_a_purge_wants_its_word_typed(word, left, amy, queue):
    item = make_workitem(State.TERMINATED, queue=queue, archived_at=NOON)
    press(amy, item, "purge", word=word)
    assert Workitem.objects.count() == left
    assert AuditEntry.objects.filter(what="purged", subject=item.workitem_id).count() == 1 - left
    assert LogEntry.objects.filter(action_flag=DELETION).count() == 1 - left


def test_the_transfer_opens_its_dialog_with_this_one(sue, queue, sales):
    item = make_workitem(queue=queue)
    form = re.search(
        r'<form[^>]*action="/admin/workitems/workitem/".*?</form>', show(sue, item).content.decode(), re.DOTALL
    )
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.group()))
    answer = browser(sue).post(LIST, sent)
    assert "Transfer 1 workitem" in text_of(answer)


def test_who_gives_it_out_of_sight_is_led_to_the_list(queue, ann):
    user = make_user(is_staff=True)
    other = make_queue("q_other", members=[user])
    grant(user, Scope.READ, other)
    item = make_workitem(State.ACCEPTED, queue=queue, agent=user)
    answer = press(user, item, "returnToQueue", follow=False, place="old")
    assert (answer.status_code, answer["Location"]) == (302, LIST)


# Undo


@pytest.mark.parametrize(
    ("state", "action", "values", "fact"),
    [
        (State.ACTIVE, "hold", {}, "state"),
        (State.HOLD, "unhold", {}, "state"),
        (State.INQUEUE, "priority", {"priority": 5}, "priority"),
        (State.ACTIVE, "mute", {}, "is_muted"),
        (State.TERMINATED, "archive", {}, "archived_at"),
    ],
)
def test_what_can_be_taken_back_exactly_is_one_click_away(state, action, values, fact, sue, queue, ann):
    item = make_workitem(state, queue=queue, agent=None if state == State.INQUEUE else ann)
    before = facts_of(item)[fact]
    answer = press(sue, item, action, **values)
    assert facts_of(item)[fact] != before
    assert answer.context["undo"] is not None
    item.refresh_from_db()
    assert "Undone" in text_of(press(sue, item, "undo"))
    assert facts_of(item)[fact] == before


def test_a_transfer_is_taken_back(sue, queue, sales):
    item = make_workitem(queue=queue)
    do(sue, item, TransferToQueue(sales), timezone.now())
    item.refresh_from_db()
    press(sue, item, "undo")
    assert (facts_of(item)["queue_id"], facts_of(item)["queued_at"]) == (queue.pk, NOON)


def test_a_correction_is_taken_back(sue, queue, ada):
    item = make_workitem(queue=queue, name="Old", contact=ada)
    save(sue, item, name="New", contact="")
    item.refresh_from_db()
    press(sue, item, "undo")
    assert (facts_of(item)["name"], facts_of(item)["contact_id"]) == ("Old", ada.pk)


def test_nobody_takes_back_what_was_somebody_elses(sue, amy, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    press(amy, item, "hold")
    item.refresh_from_db()
    before = facts_of(item)
    assert show(sue, item).context["undo"] is None
    assert "Nothing was undone" in text_of(press(sue, item, "undo"))
    assert facts_of(item) == before


def test_what_is_long_past_is_not_taken_back(sue, queue, ann):
    item = make_workitem(queue=queue)
    do(sue, item, SetPriority(5), timezone.now() - timedelta(minutes=16))
    item.refresh_from_db()
    before = facts_of(item)
    press(sue, item, "undo")
    assert facts_of(item) == before


def test_an_undo_is_refused_once_something_else_has_happened(sue, amy, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    press(sue, item, "hold")
    item.refresh_from_db()
    do(amy, item, AddNote("Meanwhile."), timezone.now())
    before = facts_of(item)
    assert "Nothing was undone" in text_of(press(sue, item, "undo"))
    assert facts_of(item) == before


# Tabs


@pytest.mark.parametrize("tab", ["overview", "timeline", "contact", "raw"])
def test_each_tab_costs_little_with_a_long_history(tab, sue, queue, ada, ann, django_assert_max_num_queries):
    item = make_workitem(State.TERMINATED, queue=queue, agent=ann, contact=ada, version=500)
    make_disposition()
    for _ in range(30):
        make_workitem(queue=queue, contact=ada, agent=None)
    TimeEvent.objects.bulk_create(
        TimeEvent(
            workitem=item, version=number, type=Event.EDITED, timestamp=NOON, actor="x", door="api", queue=queue,
            agent=ann, to_state="active", from_state="hold", user=sue,
            details={"contact": {"old": None, "new": ada.contact_id}, "transferId": f"tr_{number}", "runId": "pr_1"},
        )
        for number in range(2, 501)
    )  # fmt: skip
    client = browser(sue)
    client.get(page_of(item))
    with django_assert_max_num_queries(12):
        assert client.get(page_of(item), {"tab": tab}).status_code == 200


def test_a_script_gets_the_part_without_the_page(sue, queue):
    item = make_workitem(queue=queue)
    part = browser(sue).get(page_of(item), {"tab": "timeline"}, headers={"X-Part": "1"}).content.decode()
    assert "Timeline" in part
    assert "<html" not in part


def test_the_history_page_is_the_timeline(sue, queue):
    item = make_workitem(queue=queue)
    answer = browser(sue).get(reverse("admin:workitems_workitem_history", args=[item.pk]))
    assert answer["Location"] == f"{page_of(item)}?tab=timeline"


def test_the_timeline_tells_who_how_old_and_new(sue, queue, sales, ada):
    item = make_workitem(queue=queue, name="Old")
    actor = Actor.of(sue, Door.API, request_id="rq_7")
    for command in (
        Edit({"name": "New", "contact": ada, "data": {"kept": 1, "order": 2}}), SetPriority(5),
        TransferToQueue(sales), AddNote("Called back."),
    ):  # fmt: skip
        services.execute(command, item.workitem_id, actor=actor, now=NOON)
    page = text_of(show(sue, item, "timeline"))
    for told in (
        "Subject before: Old → now: New", f"Contact before: – → now: Ada Lovelace ({ada.contact_id})",
        "Data · order before: – → now: 2", "Priority before: Normal → now: Highest",
        "Queue before: q_support → now: q_sales", "Note Called back.", "sue, API", "request rq_7",
    ):  # fmt: skip
        assert told in page


def test_a_batch_is_linked_for_those_who_may_see_it(sue, amy, tom, queue, sales):
    run = Transfer.objects.create(
        queue=sales, requested_by=sue, door=Door.ADMIN, created_at=NOON, start_at=NOON, moved_at=NOON
    )
    item = make_workitem(queue=queue)
    do(sue, item, TransferToQueue(sales, TransferOptions(transfer_id=run.transfer_id)))
    link = f'href="{run.get_absolute_url()}"'
    assert link in show(sue, item, "timeline").content.decode()
    assert link in show(amy, item, "timeline").content.decode()
    page = show(tom, item, "timeline").content.decode()
    assert link not in page
    assert run.transfer_id in page


def test_a_bulk_run_is_linked_for_those_who_may_see_it(sue, tom, queue):
    run = BulkRun.objects.create(
        action="priority", requested_by=sue, request_id="rq_9", door=Door.ADMIN, created_at=NOON, start_at=NOON,
        moved_at=NOON,
    )  # fmt: skip
    item = make_workitem(queue=queue)
    actor = Actor.of(sue, Door.JOB, request_id="rq_9")
    services.execute(SetPriority(5), item.workitem_id, actor=actor, now=NOON)
    link = f'href="{run.get_absolute_url()}"'
    assert link in show(sue, item, "timeline").content.decode()
    assert link not in show(tom, item, "timeline").content.decode()


@pytest.fixture
def long_item(queue):
    item = make_workitem(queue=queue, version=450)
    TimeEvent.objects.bulk_create(
        TimeEvent(workitem=item, version=number, type="note", timestamp=NOON, actor="x", door="api")
        for number in range(2, 451)
    )
    return item


def versions(answer):
    return [line.event.version for line in answer.context["page"].lines]


def test_a_long_timeline_goes_on_from_page_to_page(sue, long_item):
    client, asked, seen = browser(sue), "tab=timeline", []
    while asked:
        answer = client.get(f"{page_of(long_item)}?{asked}")
        seen.append(versions(answer))
        asked = answer.context["page"].more_query
    assert [(part[0], part[-1]) for part in seen] == [(450, 251), (250, 51), (50, 1)]
    assert "250 earlier events" in text_of(show(sue, long_item, "timeline"))


def test_the_oldest_can_come_first(sue, long_item):
    answer = show(sue, long_item, "timeline", order="oldest")
    assert (versions(answer)[0], versions(answer)[-1]) == (1, 200)
    assert "250 later events" in text_of(answer)
    assert versions(show(sue, long_item, "timeline", order="oldest", **{"from": 400}))[0] == 401


@pytest.mark.parametrize("edge", ["x", "-1", "9" * 40, "１２"])
def test_an_edge_that_makes_no_sense_does_no_harm(edge, sue, long_item):
    assert show(sue, long_item, "timeline", **{"from": edge}).status_code == 200


def test_the_contacts_other_items_are_those_that_the_person_may_see(queue, sales, ada):
    user = make_user(is_staff=True)
    grant(user, Scope.READ, queue)
    item, seen, unseen = (make_workitem(queue=one, contact=ada) for one in (queue, queue, sales))
    make_workitem(queue=queue, contact=make_contact("Somebody else"))
    assert show(user, item, "contact").context["others"] == [seen]
    assert unseen.workitem_id not in show(user, item, "contact").content.decode()


def test_of_many_other_items_the_latest_25_are_shown_and_the_list_has_all(sue, queue, ada):
    item = make_workitem(queue=queue, contact=ada)
    made = [make_workitem(queue=queue, contact=ada, created_at=NOON + timedelta(hours=one)) for one in range(27)]
    answer = show(sue, item, "contact")
    assert answer.context["others"] == made[:1:-1]
    assert f"?q=contactId%3A%22{ada.contact_id}%22" in answer.content.decode()


def test_raw_data_is_what_the_api_gives(sue, queue, ada, client):
    from tests.doors import bearer

    item = make_workitem(queue=queue, contact=ada, data={"a": HOSTILE})
    shown = re.search(r'<pre class="wi-raw"[^>]*>(.*?)</pre>', show(sue, item, "raw").content.decode(), re.DOTALL)
    given = client.get(f"/api/v1/workitems/{item.workitem_id}", headers=bearer(sue)).json()
    assert json.loads(html.unescape(shown.group(1))) == given


def test_the_bar_sums_to_the_life(sue, queue, sales):
    item = make_workitem(queue=queue, created_at=NOON)
    do(sue, item, TransferToQueue(sales), NOON + timedelta(minutes=3))
    bar = show(sue, item).context["bar"]
    assert sum(float(one.width.rstrip("%")) for one in bar.stretches) == pytest.approx(100, abs=0.01)
    assert [share.queue for share in bar.places] == ["Support", "Sales"]
    assert bar.places[0].time == "3 min 0 s"


@pytest.mark.parametrize("tab", ["overview", "timeline", "contact", "raw"])
def test_nothing_that_a_customer_says_is_taken_for_markup(tab, sue, queue, ann):
    ada = make_contact(HOSTILE[:200])
    item = make_workitem(
        State.DISPOSITIONED, queue=queue, agent=ann, contact=ada, name=HOSTILE, from_address=HOSTILE,
        to_address=HOSTILE, data={HOSTILE: HOSTILE}, disposition_note=HOSTILE, disposition=make_disposition(),
        current_state_name=HOSTILE[:64],
    )  # fmt: skip
    make_workitem(queue=queue, contact=ada, name=HOSTILE)
    do(sue, item, Edit({"name": f"x{HOSTILE}", "data": {"a": HOSTILE}}))
    do(sue, item, AddNote(HOSTILE, name="custom", details={HOSTILE: HOSTILE}))
    page = show(sue, item, tab).content.decode()
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert "{{ 7*7 }}" in page or tab == "contact"


# New ones


def take_down(user, follow=True, **typed):
    values = {"workitem_id": "wi_new", "type": "InboundCall", "contact": "", "queue": "", "priority": "", "note": ""}
    return browser(user).post(ADD, values | typed, follow=follow)


def test_a_walk_in_is_taken_down_with_its_note(sue, queue, ada):
    page = text_of(take_down(sue, contact=ada.pk, queue=queue.pk, name="Lost card", priority=4, note="Is at the desk."))
    item = Workitem.objects.get()
    assert "Taken down: wi_new." in page
    assert (item.type, item.state, item.queue, item.contact, item.priority) == (
        Type.INBOUND_CALL, State.INQUEUE, queue, ada, 4,
    )  # fmt: skip
    assert (item.name, item.from_address, item.to_address) == ("Lost card", "+12025550123", "")
    told = TimeEvent.objects.filter(workitem=item).values_list("type", "actor", "door")
    assert list(told) == [("created", "sue", "admin"), ("note", "sue", "admin")]
    assert LogEntry.objects.values_list("action_flag", "object_id").get() == (ADDITION, str(item.pk))


def test_a_call_back_of_ones_own_is_in_ones_hands(sue, queue, ada):
    take_down(sue, type="OutboundCall", contact=ada.pk)
    item = Workitem.objects.get()
    assert (item.state, item.agent, item.to_address, item.from_address) == (State.ACCEPTED, sue, "+12025550123", "")


def test_a_new_contact_is_made_with_its_audit_entry(sue, queue):
    take_down(sue, queue=queue.pk, new_name="Grace", new_address="(202) 555-0177")
    item = Workitem.objects.get()
    assert (item.contact.display_name, item.from_address) == ("Grace", "+12025550177")
    entry = AuditEntry.objects.get()
    assert (entry.what, entry.subject, entry.actor) == ("contact created", item.contact.contact_id, "sue")


@pytest.mark.parametrize(
    ("typed", "field", "told"),
    [
        ({"type": ""}, "type", "This field is required."),
        ({}, "queue", "Inbound work needs a queue."),
        ({"queue": "closed"}, "queue", "Select a valid choice"),
        ({"queue": "mails"}, "queue", "does not take"),
        ({"queue": "own", "name": "x" * 201}, "name", "at most 200"),
        ({"queue": "own", "new_name": "Grace"}, "new_address", "Enter a number or an e-mail address."),
        ({"queue": "own", "new_address": "grace@example.com"}, "new_name", "Enter a name."),
        ({"queue": "own", "new_name": "Grace", "new_address": "nobody"}, "new_address", "neither a number nor"),
        ({"queue": "own", "new_name": "Grace", "new_address": "a@"}, "new_address", "is no e-mail address"),
        ({"queue": "own", "new_name": "Ada", "new_address": "ADA@example.com"}, "new_address", "Ada Lovelace ("),
        ({"new_name": "Grace", "new_address": "+12025550177"}, "queue", "Inbound work needs a queue."),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_made(typed, field, told, sue, queue, ada):
    closed, mails = make_queue("q_closed", is_open=False), make_queue("q_mail", channels=("email",))
    queues = {"own": queue, "closed": closed, "mails": mails}
    if "queue" in typed:
        typed = typed | {"queue": queues[typed["queue"]].pk}
    form = take_down(sue, **typed).context["form"]
    assert told in form.errors[field][0]
    assert not Workitem.objects.exists()
    assert Contact.objects.count() == 1
    assert not AuditEntry.objects.exists()
    assert not LogEntry.objects.exists()


def test_one_contact_is_enough(sue, queue, ada):
    form = take_down(sue, queue=queue.pk, contact=ada.pk, new_name="Grace", new_address="g@example.com").context["form"]
    assert form.errors["new_name"] == ["Choose a contact or name a new one, not both."]
    assert not Workitem.objects.exists()


def test_sent_twice_it_is_taken_down_once(sue, queue):
    take_down(sue, queue=queue.pk)
    assert "It was taken down already" in text_of(take_down(sue, queue=queue.pk))
    assert Workitem.objects.count() == 1


def test_one_takes_down_only_for_queues_that_one_may_write(queue, sales, ada):
    user = make_user(is_staff=True)
    grant(user, Scope.WRITE, queue)
    form = browser(user).get(ADD).context["form"]
    assert list(form.fields["queue"].queryset) == [queue]
    assert "new_name" not in form.fields
    take_down(user, queue=sales.pk)
    take_down(user, queue=queue.pk, contact=ada.pk)
    take_down(user, type="OutboundCall")
    assert not Workitem.objects.exists()
    take_down(user, queue=queue.pk)
    assert Workitem.objects.get().queue == queue


@pytest.mark.parametrize("person", ["tom", "eve"])
def test_readers_and_strangers_take_nothing_down(person, request, queue):
    user = request.getfixturevalue(person)
    assert browser(user).get(ADD).status_code == 403
    assert take_down(user, queue=queue.pk).status_code == 403
    assert not Workitem.objects.exists()


def test_the_form_is_filled_in_by_its_address(sue, ada):
    form = browser(sue).get(ADD, {"contact": ada.pk, "type": "OutboundCall"}).context["form"]
    assert (str(form["contact"].value()), form["type"].value()) == (str(ada.pk), "OutboundCall")


@pytest.mark.parametrize("told", ["merge", "erasure"])
def test_what_a_merge_or_an_erasure_has_told_offers_no_undo_and_breaks_no_page(told, sue, queue):
    former, contact = make_contact("Ada L."), make_contact("Ada Lovelace")
    item = make_workitem(queue=queue, contact=former, name="Ada's parcel")
    command = FollowContact(former, contact, "mg_1") if told == "merge" else ErasePerson(former)
    services.execute(command, item.workitem_id, actor=Actor.of(sue, Door.ADMIN), now=timezone.now())
    answer = show(sue, item)
    assert answer.status_code == 200
    assert "Undo" not in text_of(answer)
