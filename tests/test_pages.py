"""The supervisor's pages: signing in, what is open, and what wants looking at."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.builders import NOON, facts_of, last_event, make_presence, make_user, make_workitem
from tests.doors import browser
from workitems.choices import Scope, State
from workitems.groups import grant
from workitems.models import Presence


def page_of(item):
    return f"/supervisor/workitems/{item.workitem_id}/"


def test_strangers_sign_in_first(client, queue):
    answer = client.get(page_of(make_workitem(queue=queue)))
    assert answer["Location"].startswith("/login/?next=/supervisor/")


# What wants looking at


def test_all_goes_back_to_its_old_places(sue, queue, ann):
    make_presence(ann, Presence.Status.OFFLINE)
    items = [make_workitem(State.ACTIVE, queue=queue, agent=ann) for _ in range(2)]
    answer = browser(sue).post("/supervisor/agents/ann/return-all/", follow=True)
    assert "2 workitems are back in their queues, at their old places." in answer.content.decode()
    for item in items:
        assert (facts_of(item)["state"], facts_of(item)["queued_at"]) == ("inqueue", NOON)
        assert (last_event(item).actor, last_event(item).door) == ("sue", "page")


def test_who_is_back_meanwhile_keeps_his_work(sue, queue, ann):
    make_presence(ann, Presence.Status.AVAILABLE)
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    before = facts_of(item)
    answer = browser(sue).post("/supervisor/agents/ann/return-all/", follow=True)
    assert "Nothing was returned" in answer.content.decode()
    assert facts_of(item) == before


@pytest.mark.parametrize(("scope", "status"), [(Scope.READ, 403), (Scope.DELETE, 403), (None, 302)])
def test_without_the_write_scope_nothing_goes_back(scope, status, queue, ann):
    make_presence(ann, Presence.Status.OFFLINE)
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    before, user = facts_of(item), make_user()
    if scope is not None:
        grant(user, scope)
    assert browser(user).post("/supervisor/agents/ann/return-all/").status_code == status
    assert facts_of(item) == before


def test_an_agent_whom_one_does_not_know_answers_like_none(eve, queue, ann):
    make_presence(ann, Presence.Status.OFFLINE)
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    answers = [browser(eve).post(f"/supervisor/agents/{name}/return-all/", follow=True) for name in ("ann", "nobody")]
    assert {"Nothing was returned" in answer.content.decode() for answer in answers} == {True}


def test_what_cannot_go_back_is_named(sue, queue, ann):
    make_presence(ann, Presence.Status.OFFLINE)
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    make_workitem(State.ACTIVE, queue=None, agent=ann, workitem_id="wi_homeless")
    page = browser(sue).post("/supervisor/agents/ann/return-all/", follow=True).content.decode()
    assert "wi_homeless: It has no queue to go to." in page


# One's own presence


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("available", "Work may be offered to you."),
        ("away", "You get nothing until you are available."),
        ("noAnswer", "you get nothing until you are available again."),
        ("offline", "shows as stuck until you are back."),
    ],
)
def test_an_agent_sees_his_presence_in_words(status, words, ann, queue):
    make_presence(ann, Presence.Status(status))
    page = browser(ann).get("/supervisor/").content.decode()
    assert words in page
    assert f'class="presence is-{status}">' in page
    assert str(Presence.Status(status).label) in page


def test_an_agent_without_a_presence_is_asked_for_one(ann, queue):
    assert "Not known" in browser(ann).get("/supervisor/").content.decode()


def test_who_works_in_no_queue_is_not_asked(sue, queue):
    assert "Your presence" not in browser(sue).get("/supervisor/").content.decode()


@pytest.mark.parametrize("status", ["available", "away", "offline"])
def test_an_agent_says_whether_he_takes_work(status, ann, queue):
    answer = browser(ann).post("/supervisor/presence/", {"status": status}, follow=True)
    assert f"You are now: {Presence.Status(status).label}." in answer.content.decode()
    assert Presence.objects.get().status == status


@pytest.mark.parametrize("status", ["", "noAnswer", "asleep"])
def test_there_are_three_presences_to_choose_from(status, ann, queue):
    assert browser(ann).post("/supervisor/presence/", {"status": status}).status_code == 404
    assert not Presence.objects.exists()


@pytest.mark.parametrize("path", ["/supervisor/presence/", "/supervisor/agents/ann/return-all/"])
def test_what_changes_something_is_a_form_of_ours(path, sue, queue, ann):
    make_presence(ann, Presence.Status.OFFLINE)
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    before = facts_of(item)
    client = Client(enforce_csrf_checks=True)
    client.force_login(sue)
    assert client.post(path, {"status": "away", "anyway": "yes"}).status_code == 403
    assert facts_of(item) == before
