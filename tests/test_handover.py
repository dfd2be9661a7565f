"""An agent leaves: his work goes back at its old places, and a sheet of it stays."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.builders import NOON, facts_of, make_contact, make_presence, make_user, make_workitem
from tests.doors import browser
from workitems import bulk, runs, services
from workitems.actors import Actor
from workitems.choices import Action, Door, Scope, State
from workitems.commands import AddNote, TransferToAgent
from workitems.errors import InvalidValue
from workitems.groups import grant
from workitems.models import BulkRun, Presence
from workitems.selections import Selection

PAGE = reverse("handover", args=["ann"])


def text_of(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def hand_over(user, expected, **typed):
    return browser(user).post(PAGE, {"expected": expected, "offline": "1", **typed})


def sheet_of(user, run):
    return browser(user).get(reverse("desk-run-press", args=[run.bulk_id, "sheet"]))


@pytest.fixture
def held(ann, queue):
    """What ann has: a talk and an offer, and a call that came from no queue."""
    make_presence(ann)
    early = NOON - timedelta(hours=1)
    return [
        make_workitem(State.ACTIVE, queue=queue, agent=ann, queued_at=early, contact=make_contact("Ada")),
        make_workitem(State.OFFERED, queue=queue, agent=ann, queued_at=early),
        make_workitem(State.ACTIVE, queue=None, agent=ann),
    ]


def test_it_shows_what_the_agent_has_and_changes_nothing(sue, held):
    services.execute(
        AddNote("Calls back at 5."), held[0].workitem_id, actor=Actor.of(sue, Door.PAGE), now=timezone.now()
    )
    before = [facts_of(item) for item in held]
    page = text_of(browser(sue).get(PAGE))
    assert re.search(rf"{held[0].workitem_id} Active Support Ada .* Calls back at 5. Goes back", page)
    assert "Hand over 2 workitems" in page
    assert [facts_of(item) for item in held] == before


def test_it_all_goes_back_to_its_old_place_and_the_agent_is_offline(sue, ann, queue, held):
    answer = hand_over(sue, 2)
    run = BulkRun.objects.get()
    assert answer["Location"] == reverse("desk-run-press", args=[run.bulk_id, "sheet"])
    for item in held[:2]:
        facts = facts_of(item)
        assert (facts["state"], facts["agent_id"], facts["queued_at"]) == ("inqueue", None, NOON - timedelta(hours=1))
    assert facts_of(held[2])["agent_id"] == ann.pk
    assert Presence.objects.get(user=ann).status == "offline"
    assert (run.action, run.arguments, run.done) == ("returnToQueue", {"place": "old", "onlyFrom": "ann"}, 2)


def test_the_agent_stays_online_where_the_person_says_so(sue, ann, held):
    hand_over(sue, 2, offline="")
    assert Presence.objects.get(user=ann).status == "available"


def test_what_has_changed_since_is_looked_at_again(sue, ann, held):
    before = [facts_of(item) for item in held]
    answer = hand_over(sue, 3)
    assert answer.status_code == 409
    assert "has changed" in text_of(answer)
    assert [facts_of(item) for item in held] == before
    assert Presence.objects.get(user=ann).status == "available"
    assert not BulkRun.objects.exists()


def test_what_another_agent_has_got_meanwhile_stays_with_him(sue, ann, ben, queue, held):
    selection = Selection(workitem_ids=[item.workitem_id for item in held[:2]])
    arguments, actor, now = {"place": "old", "onlyFrom": "ann"}, Actor.of(sue, Door.PAGE), timezone.now()
    run = bulk.request(Action.RETURN_TO_QUEUE, arguments, selection, actor=actor, now=now)
    services.execute(TransferToAgent(ben), held[0].workitem_id, actor=actor, now=now)
    runs.work_off(bulk.BULK_RUNS, run.pk, clock=timezone.now, seconds=5)
    assert facts_of(held[0])["agent_id"] == ben.pk
    assert facts_of(held[1])["state"] == "inqueue"
    assert "Not handed over: ben has it already." in text_of(sheet_of(sue, run))


def test_the_sheet_says_who_has_left_when_by_whom_and_where_everything_is(sue, held):
    services.execute(
        AddNote("Calls back at 5."), held[0].workitem_id, actor=Actor.of(sue, Door.PAGE), now=timezone.now()
    )
    hand_over(sue, 2)
    page = text_of(sheet_of(sue, BulkRun.objects.get()))
    assert "Handover sheet of ann" in page
    assert "Handed over by sue" in page
    assert "2 of 2 back in their queues" in page
    assert f"{held[0].workitem_id} Ada Active Calls back at 5. In queue, Support" in page


def test_the_sheet_is_for_those_who_see_the_run(sue, tom, held):
    hand_over(sue, 2)
    assert sheet_of(tom, BulkRun.objects.get()).status_code == 404


def test_a_supervisor_of_one_queue_hands_over_what_is_in_it(ann, queue, sales, held):
    user = make_user("ira")
    grant(user, Scope.WRITE, queue)
    elsewhere = make_workitem(State.ACTIVE, queue=sales, agent=ann, name="Secret")
    page = browser(user).get(PAGE)
    assert elsewhere.workitem_id not in page.content.decode()
    hand_over(user, 2)
    assert facts_of(elsewhere)["agent_id"] == ann.pk
    assert elsewhere.workitem_id not in sheet_of(user, BulkRun.objects.get()).content.decode()


@pytest.mark.parametrize(("who", "status"), [("eve", 404), ("tom", 403)])
def test_who_may_change_nothing_hands_nothing_over(who, status, request, held):
    before = [facts_of(item) for item in held]
    assert hand_over(request.getfixturevalue(who), 0).status_code == status
    assert [facts_of(item) for item in held] == before


def test_nobody_is_not_there(sue):
    assert browser(sue).get(reverse("handover", args=["nobody"])).status_code == 404


def test_an_agent_with_nothing_is_set_offline_alone(sue, ann, queue):
    make_presence(ann)
    assert "has nothing in hand" in text_of(browser(sue).get(PAGE))
    hand_over(sue, 0)
    assert Presence.objects.get(user=ann).status == "offline"
    assert not BulkRun.objects.exists()


def test_a_run_that_names_no_agent_is_refused(sue, held):
    selection = Selection(workitem_ids=[held[0].workitem_id])
    with pytest.raises(InvalidValue):
        bulk.request(
            Action.RETURN_TO_QUEUE, {"onlyFrom": "nobody"}, selection, actor=Actor.of(sue, Door.PAGE), now=NOON
        )


def test_page_and_sheet_cost_the_same_however_many(sue, ann, queue, django_assert_max_num_queries):
    make_presence(ann)
    for _ in range(12):
        make_workitem(State.ACTIVE, queue=queue, agent=ann, contact=make_contact())
    client = browser(sue)
    with django_assert_max_num_queries(10):
        client.get(PAGE)
    hand_over(sue, 12)
    sheet = reverse("desk-run-press", args=[BulkRun.objects.get().bulk_id, "sheet"])
    with django_assert_max_num_queries(8):
        client.get(sheet)
