"""The page of a workitem on the desk: its facts, its story, what can be done, and why the rest cannot."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.utils import timezone

from tests.builders import (
    NOON,
    facts_of,
    last_event,
    make_contact,
    make_disposition,
    make_user,
    make_workitem,
)
from tests.doors import browser
from workitems import onlookers, services
from workitems.actors import Actor
from workitems.choices import Action, Door, Event, Scope, State, Type
from workitems.commands import AddNote, SetPriority, TransferToQueue
from workitems.groups import grant
from workitems.models import AuditEntry, Onlooker, TimeEvent, Workitem
from workitems.presenting.offered import OFFERED

SCRIPT = {"HX-Request": "true"}


def page_of(item):
    return f"/supervisor/workitems/{item.workitem_id}/"


def show(user, item, **query):
    return browser(user).get(page_of(item), query)


def text_of(answer):
    return " ".join(answer.content.decode().split())


def act(user, item, action, query="", script=False, **values):
    headers = SCRIPT if script else {}
    return browser(user).post(f"{page_of(item)}{action}/{query}", {"version": item.version, **values}, headers=headers)


def do(user, item, command):
    return services.execute(command, item.workitem_id, actor=Actor.of(user, Door.PAGE), now=timezone.now())


def fresh(item):
    return Workitem.objects.get(pk=item.pk)


def toast_of(answer):
    return json.loads(answer["HX-Trigger"])["desk:toast"]


def test_what_one_may_not_see_is_not_there(eve, queue):
    assert browser(eve).get(page_of(make_workitem(queue=queue))).status_code == 404


def test_the_page_tells_facts_story_and_reasons(sue, queue, ann):
    item = make_workitem(State.HOLD, queue=queue, agent=ann, name="Lost card")
    page = browser(sue).get(page_of(item)).content.decode()
    for text in ("Lost card", "On hold", "Support", "builder", "Created", "Not possible while it is “On hold”."):
        assert text in page


def test_the_page_offers_what_is_possible_and_greys_the_rest(sue, queue, ann):
    context = show(sue, make_workitem(State.HOLD, queue=queue, agent=ann)).context
    offered = {
        one.action.value for one in [context["transfer"], context["note"], *context["clicks"], *context["forms"]]
    }
    greyed = {button.action.value for group in context["impossible"] for button in group.buttons}
    assert offered == {
        "unhold",
        "conference",
        "hangup",
        "transfer",
        "returnToQueue",
        "priority",
        "edit",
        "note",
        "exempt",
    }
    jobs = {"create", "expireOffer", "warnStale", "terminateStale"}
    assert greyed == {action.value for action in Action} - jobs - offered


VALUES = {
    "hangup": {"reason": "agent"},
    "priority": {"priority": 5},
    "note": {"text": "Called back."},
    "returnToQueue": {"place": "old"},
    "exempt": {"hours": 8},
    "edit": {"name": "New"},
    "dtmf": {"tones": "12#"},
    "conference": {"participant": "+442079460123"},
    "sendEmailResponse": {"to": "ada@example.com", "text": "Here it is."},
}
STARTS = {
    "offer": "inqueue",
    "pull": "inqueue",
    "accept": "offered",
    "reject": "offered",
    "bridge": "accepted",
    "unhold": "hold",
    "leaveConference": "conference",
    "disposition": "terminated",
    "reopen": "terminated",
    "archive": "dispositioned",
    "unarchive": "dispositioned",
    "purge": "dispositioned",
}


@pytest.mark.parametrize("action", [action.value for action in OFFERED])
def test_every_form_does_what_it_says(action, amy, queue, sales, ann):
    state = STARTS.get(action, "active")
    facts = {"ended_by": "policy"} if action == "reopen" else {}
    if action == "sendEmailResponse":
        facts = {"type": Type.INBOUND_EMAIL, "to_address": "help@example.org"}
    if action in ("unarchive", "purge"):
        facts["archived_at"] = NOON
    if action == "unmute":
        facts["is_muted"] = True
    item = make_workitem(State(state), queue=queue, agent=None if state == "inqueue" else ann, **facts)
    values = VALUES.get(action, {})
    if action == "offer":
        values = {"agent": "ann"}
    if action == "disposition":
        values = {"disposition": make_disposition().disposition_id}
    if action == "purge":
        values = {"word": "purge"}
    answer = act(amy, item, action, **values)
    assert answer.status_code == 302
    if action == "purge":
        assert (Workitem.objects.count(), AuditEntry.objects.count()) == (0, 1)
    else:
        assert (facts_of(item)["version"], last_event(item).actor, last_event(item).door) == (2, "amy", "page")


def test_a_refusal_is_said_beside_what_was_typed(sue, queue, sales, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    before = facts_of(item)
    answer = act(sue, item, "dtmf", tones="xyz")
    assert (answer.status_code, facts_of(item)) == (400, before)
    assert "Tones are 1 to 32" in answer.content.decode()
    assert 'value="xyz"' in answer.content.decode()


@pytest.mark.parametrize(("place", "keeps"), [("old", True), ("end", False)])
def test_what_returns_to_its_queue_keeps_its_place_or_goes_to_the_end(place, keeps, sue, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    act(sue, item, "returnToQueue", place=place)
    assert (facts_of(item)["queued_at"] == NOON) is keeps


def test_an_exemption_is_shown_and_can_be_ended(sue, queue):
    item = make_workitem(queue=queue)
    act(sue, item, "exempt", hours=8)
    assert "Exempt from stale policies until" in browser(sue).get(page_of(item)).content.decode()
    act(sue, Workitem.objects.get(pk=item.pk), "exempt", hours=0)
    assert facts_of(item)["exempt_until"] is None


def test_unknown_actions_are_not_there(sue, queue):
    assert act(sue, make_workitem(queue=queue), "explode").status_code == 404


def test_looking_never_changes_anything(sue, queue):
    item = make_workitem(queue=queue)
    assert browser(sue).get(f"{page_of(item)}hangup/").status_code == 405


def test_forms_from_elsewhere_are_refused(sue, queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    client = Client(enforce_csrf_checks=True)
    client.force_login(sue)
    assert client.post(f"{page_of(item)}hangup/", {"version": 1, "reason": "agent"}).status_code == 403
    assert facts_of(item) == before


def test_a_script_in_a_customers_words_stays_words(sue, queue):
    item = make_workitem(queue=queue, name="<script>alert(1)</script>", from_address='"><img src=x onerror=alert(1)>')
    page = browser(sue).get(page_of(item)).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_an_incomplete_form_changes_nothing(sue, queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    answer = act(sue, item, "note", text="")
    assert (answer.status_code, facts_of(item)) == (400, before)


def test_a_purge_wants_its_word_typed(amy, queue):
    item = make_workitem(State.DISPOSITIONED, queue=queue, archived_at=NOON)
    assert act(amy, item, "purge", word="yes").status_code == 400
    assert Workitem.objects.exists()


def test_a_transfer_has_a_page_of_its_own(sue, queue):
    item = make_workitem(queue=queue)
    assert f'data-transfer="{item.workitem_id}"' in show(sue, item).content.decode()
    assert act(sue, item, "transfer", target="queue:q_sales").status_code == 404


def test_who_gives_an_item_out_of_his_sight_lands_in_the_work_list(queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    assert act(ann, item, "returnToQueue", place="old")["Location"] == "/supervisor/work/"


# Who was slower


def test_a_click_on_a_page_that_is_out_of_date_does_nothing(sue, amy, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    do(amy, item, SetPriority(5))
    before = facts_of(item)
    answer = act(sue, item, "hold")
    assert (answer.status_code, facts_of(item)) == (412, before)
    assert "has changed meanwhile" in text_of(answer)


def test_a_form_that_was_too_slow_tells_what_has_changed_and_keeps_what_was_typed(sue, amy, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    do(amy, item, SetPriority(5))
    answer = act(sue, item, "dtmf", tones="12#")
    page = text_of(answer)
    assert answer.status_code == 412
    assert "amy: Priority set, Priority: “Normal” → “Highest”" in page
    assert 'value="12#"' in page
    assert 'name="version" value="2"' in page


def test_sent_once_more_it_is_done(sue, amy, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    do(amy, item, SetPriority(5))
    assert act(sue, fresh(item), "dtmf", tones="12#").status_code == 302


def test_a_correction_leaves_alone_what_it_did_not_touch_and_others_have_changed(sue, amy, queue):
    item = make_workitem(queue=queue, name="Old", from_address="a@example.com", type=Type.INBOUND_EMAIL)
    seen = {f"initial-{name}": value for name, value in show_values(item).items()}
    act(amy, item, "edit", from_address="b@example.com")
    typed = {**show_values(item), "name": "Mine", **seen}
    refused = act(sue, item, "edit", **typed)
    assert refused.status_code == 412
    form = refused.context["tried"].form
    assert (form["name"].value(), form["from_address"].value()) == ("Mine", "b@example.com")
    act(sue, fresh(item), "edit", **form.data)
    assert (fresh(item).name, fresh(item).from_address) == ("Mine", "b@example.com")


def show_values(item):
    return {"name": item.name, "from_address": item.from_address, "to_address": item.to_address, "contact": ""}


def test_a_note_is_never_too_late(sue, amy, queue):
    item = make_workitem(queue=queue)
    do(amy, item, SetPriority(5))
    assert act(sue, item, "note", text="Called.").status_code == 302
    assert last_event(item).details["text"] == "Called."


def test_what_is_gone_meanwhile_is_not_there(amy, queue):
    item = make_workitem(State.DISPOSITIONED, queue=queue, archived_at=NOON)
    act(amy, item, "purge", word="purge")
    assert act(amy, item, "note", text="Late").status_code == 404


def test_a_contact_that_one_may_not_see_cannot_be_chosen(queue, sales):
    user, hidden = make_user(), make_contact("Hidden")
    grant(user, Scope.WRITE, queue)
    make_workitem(queue=sales, contact=hidden)
    item = make_workitem(queue=queue)
    before = facts_of(item)
    answer = act(user, item, "edit", contact=hidden.contact_id)
    assert (answer.status_code, facts_of(item)) == (400, before)


# What a script is told


def test_a_script_hears_in_a_toast_what_was_done_and_how_to_take_it_back(sue, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    answer = act(sue, item, "hold", script=True)
    assert (answer.status_code, toast_of(answer)["text"]) == (204, "Done: Hold.")
    undone = browser(sue).post(toast_of(answer)["undo"]["url"], headers=SCRIPT)
    assert toast_of(undone)["text"] == "Undone: Put on hold."
    assert facts_of(item)["state"] == "active"


def test_what_cannot_be_taken_back_offers_no_undo(sue, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    assert "undo" not in toast_of(act(sue, item, "hangup", script=True, reason="system"))


def test_a_script_hears_a_refused_click_in_a_toast(sue, amy, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    do(amy, item, SetPriority(5))
    answer = act(sue, item, "hold", script=True)
    assert (answer.status_code, toast_of(answer)["kind"]) == (412, "is-bad")
    assert "has changed meanwhile" in toast_of(answer)["text"]


def test_a_script_gets_a_refused_form_alone(sue, queue, ann):
    answer = act(sue, make_workitem(State.ACTIVE, queue=queue, agent=ann), "dtmf", script=True, tones="xyz")
    page = answer.content.decode()
    assert (answer.status_code, "<html" in page, page.count("<form")) == (400, False, 1)
    assert "Tones are 1 to 32" in page


def test_a_refused_note_comes_back_with_its_text(tom, queue):
    answer = act(tom, make_workitem(queue=queue), "note", script=True, text="Mine")
    assert answer.status_code == 403
    assert "Mine" in answer.content.decode()


def test_a_script_is_led_away_from_what_is_out_of_sight(queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    assert act(ann, item, "returnToQueue", script=True, place="old")["HX-Redirect"] == "/supervisor/work/"


# The way back


def test_the_last_step_of_ones_own_can_be_taken_back_without_a_script(sue, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    act(sue, item, "hold")
    assert "Your last step: Put on hold." in text_of(show(sue, item))
    browser(sue).post(f"{page_of(item)}undo/")
    assert facts_of(item)["state"] == "active"


def test_nobody_takes_back_what_somebody_else_did(sue, amy, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    act(amy, item, "hold")
    before = facts_of(item)
    answer = browser(sue).post(f"{page_of(item)}undo/", follow=True)
    assert "Nothing was undone" in text_of(answer)
    assert facts_of(item) == before


# The story


def test_notes_stand_out_with_their_whole_text_and_who_wrote_them(sue, queue):
    item = make_workitem(queue=queue)
    do(sue, item, AddNote("First line\nsecond " + "x" * 500))
    page = show(sue, item).content.decode()
    assert "sue noted" in page
    assert "First line<br>second " + "x" * 500 in page


def test_the_timeline_can_be_narrowed_to_a_kind(sue, queue):
    item = make_workitem(queue=queue)
    do(sue, item, AddNote("Called."))
    do(sue, item, SetPriority(5))
    kinds = {kind: [line.event.type for line in show(sue, item, kind=kind).context["timeline"].lines]
             for kind in ("notes", "moves", "corrections", "nonsense")}  # fmt: skip
    assert kinds == {
        "notes": ["note"],
        "moves": ["created"],
        "corrections": ["prioritized"],
        "nonsense": ["prioritized", "note", "created"],
    }


def test_the_story_keeps_quiet_about_queues_whose_names_the_reader_may_not_know(sue, queue, sales):
    item = make_workitem(State.INQUEUE, queue=queue)
    do(sue, item, TransferToQueue(sales))
    one = make_user("one", is_staff=True)
    grant(one, Scope.WRITE, sales)
    page = text_of(show(one, item))
    assert "another queue" in page
    assert queue.name not in page
    assert queue.queue_id not in page
    assert queue.queue_id in text_of(show(sue, item))
    assert queue.name not in text_of(browser(one).get(f"/admin/workitems/workitem/{item.pk}/change/?tab=timeline"))


def test_a_story_with_strange_details_is_told_all_the_same(sue, queue):
    item = make_workitem(State.INQUEUE, queue=queue, version=2)
    TimeEvent.objects.create(
        workitem=item, version=2, type=Event.TRANSFERRED, timestamp=NOON, actor="import", door=Door.JOB,
        details={"from": ["a", "b"], "to": {"c": 1}},
    )  # fmt: skip
    assert "a, b" in text_of(show(sue, item))


def test_a_long_timeline_goes_on_from_page_to_page(sue, queue):
    item = make_workitem(queue=queue)
    for number in range(34):
        do(sue, item, AddNote(f"note {number}"))
    first = show(sue, item).context["timeline"]
    assert (len(first.lines), first.more) == (30, 5)
    second = browser(sue).get(f"{page_of(item)}?{first.more_query}").context["timeline"]
    assert [line.event.version for line in second.lines] == [5, 4, 3, 2, 1]


def test_the_bar_is_told_in_numbers(sue, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    page = text_of(show(sue, item))
    assert "Where its time went" in page
    assert "All of its life" in page


# The contact


def test_what_else_is_open_for_the_contact_is_listed_as_far_as_one_may_see_it(queue, sales):
    ada, user = make_contact("Ada"), make_user()
    grant(user, Scope.READ, queue)
    item, other = (make_workitem(queue=queue, contact=ada) for _ in range(2))
    make_workitem(queue=sales, contact=ada)
    make_workitem(State.TERMINATED, queue=queue, contact=ada)
    assert [row for row, _icon in show(user, item).context["others"]] == [other]


# Through a list


def test_the_next_of_a_list_is_one_click_away(sue, queue):
    item = make_workitem(queue=queue)
    page = show(sue, item, list="queue=q_support").content.decode()
    assert f'href="/supervisor/work/next/?queue=q_support&amp;after={item.workitem_id}"' in page
    assert 'href="/supervisor/work/?queue=q_support"' in page


def test_the_way_on_that_the_list_has_told_is_kept(sue, queue):
    item = make_workitem(queue=queue)
    onwards = f"/supervisor/work/next/?queue=q_support&after={item.workitem_id}&place=3"
    page = show(sue, item, next=onwards).content.decode()
    assert onwards.replace("&", "&amp;") in page
    assert act(sue, item, "note", query="?list=queue%3Dq_support", text="x")["Location"].endswith(
        "?list=queue%3Dq_support"
    )


@pytest.mark.parametrize("onwards", ["https://evil.example/", "//evil.example/work/next/?x", "/supervisor/work/next/"])
def test_the_way_on_leads_nowhere_else(onwards, sue, queue):
    assert "evil" not in show(sue, make_workitem(queue=queue), next=onwards).content.decode().split("<main")[1]


def test_after_the_end_one_goes_on_at_once_where_one_wants_to(sue, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    answer = act(sue, item, "hangup", query="?list=queue%3Dq_support", reason="agent", then="next")
    assert answer["Location"] == f"/supervisor/work/next/?queue=q_support&after={item.workitem_id}"


# Who looks


def test_who_has_the_page_open_is_named_to_others(sue, tom, queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    assert browser(tom).post(f"{page_of(item)}look/").status_code == 204
    assert "tom looks at this too" in text_of(show(sue, item))
    assert "looks at this too" not in text_of(show(tom, item))
    assert facts_of(item) == before


def test_who_closes_the_page_is_named_no_more(sue, tom, queue):
    item = make_workitem(queue=queue)
    for body in ({}, {"leaves": "1"}):
        browser(tom).post(f"{page_of(item)}look/", body)
    assert not Onlooker.objects.exists()


def live(client, item, etag=""):
    return client.get(page_of(item), headers={"X-Live": "1", **({"If-None-Match": etag} if etag else {})})


def test_the_page_hears_within_its_next_question_that_somebody_has_come_to_look(sue, tom, queue, monkeypatch):
    item, client = make_workitem(queue=queue), browser(sue)
    monkeypatch.setattr("workitems.pages.live.HOLDS_SECONDS", 10**9)
    first = live(client, item)
    assert live(client, item, first["ETag"]).status_code == 304
    onlookers.look(item.pk, Actor.of(tom, Door.PAGE), timezone.now())
    second = live(client, item, first["ETag"])
    assert (second.status_code, "tom looks at this too" in text_of(second)) == (200, True)
    assert live(client, item, second["ETag"]).status_code == 304


def test_nothing_new_costs_two_queries(sue, queue, django_assert_num_queries, monkeypatch):
    item, client = make_workitem(queue=queue), browser(sue)
    monkeypatch.setattr("workitems.pages.live.HOLDS_SECONDS", 10**9)
    etag = live(client, item)["ETag"]
    with django_assert_num_queries(2):
        assert live(client, item, etag).status_code == 304


# What it costs


def test_the_item_page_costs_the_same_for_any_number_of_events(sue, queue, ann, django_assert_max_num_queries):
    contact = make_contact("Ada")
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann, contact=contact)
    make_workitem(queue=queue, contact=contact)
    client = browser(sue)
    for _ in range(2):
        client.get(page_of(item))
        with django_assert_max_num_queries(12):
            client.get(page_of(item))
        for number in range(15):
            do(sue, item, AddNote(f"note {number}"))
