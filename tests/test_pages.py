"""The supervisor's pages: an item with its story, what can be done, and why the rest cannot."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.builders import NOON, facts_of, last_event, make_disposition, make_presence, make_user, make_workitem
from tests.doors import browser
from workitems.choices import Action, Scope, State, Type
from workitems.groups import grant, grant_transfer_in
from workitems.models import AuditEntry, PolicyRun, Presence, StalePolicy, Workitem
from workitems.pages.forms import FORMS


def page_of(item):
    return f"/supervisor/workitems/{item.workitem_id}/"


def act(user, item, action, **values):
    return browser(user).post(f"{page_of(item)}{action}/", {"version": item.version, **values})


def test_strangers_sign_in_first(client, queue):
    answer = client.get(page_of(make_workitem(queue=queue)))
    assert answer["Location"].startswith("/login/?next=/supervisor/")


def test_after_twelve_hours_one_signs_in_again(sue):
    client = browser(sue)
    assert client.get("/supervisor/").status_code == 200
    session = client.session
    session["signed_in_at"] -= 12 * 3600 + 1
    session.save()
    assert client.get("/supervisor/").status_code == 302


def test_a_session_ends_after_half_an_hour_of_idleness(sue):
    client = browser(sue)
    client.get("/supervisor/")
    assert client.session.get_expiry_age() == 1800


def test_what_one_may_not_see_is_not_there(eve, queue):
    assert browser(eve).get(page_of(make_workitem(queue=queue))).status_code == 404


def test_the_page_tells_facts_story_and_reasons(sue, queue, ann):
    item = make_workitem(State.HOLD, queue=queue, agent=ann, name="Lost card")
    page = browser(sue).get(page_of(item)).content.decode()
    for text in ("Lost card", "On hold", "Support", "builder", "Created", "Not possible while it is “On hold”."):
        assert text in page


def test_the_page_offers_what_is_possible_and_greys_the_rest(sue, queue, ann):
    context = browser(sue).get(page_of(make_workitem(State.HOLD, queue=queue, agent=ann))).context
    offered = {card.action.value for card in [*context["at_a_click"], *context["with_fields"]]}
    greyed = {card.action.value for card in context["refused"]}
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
    assert greyed == {action.value for action in Action if action is not Action.CREATE} - offered


VALUES = {
    "transfer": {"target": "queue:q_sales"},
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


@pytest.mark.parametrize("action", [action.value for action in FORMS])
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
        values = {"agent": ann.pk}
    if action == "disposition":
        values = {"disposition": make_disposition().pk}
    if action == "purge":
        values = {"confirm": item.workitem_id}
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


def test_what_has_changed_meanwhile_is_shown_again_first(sue, queue):
    item = make_workitem(queue=queue, version=4)
    before = facts_of(item)
    answer = browser(sue).post(f"{page_of(item)}note/", {"version": 3, "text": "Mine"})
    assert (answer.status_code, facts_of(item)) == (412, before)
    page = answer.content.decode()
    assert "has changed meanwhile" in page
    assert "Mine" in page
    assert 'name="version" value="4"' in page


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


def test_an_incomplete_form_changes_nothing(sue, queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    answer = act(sue, item, "transfer", target="queue:q_none")
    assert (answer.status_code, facts_of(item)) == (400, before)


def test_a_purge_wants_the_id_typed(amy, queue):
    item = make_workitem(State.DISPOSITIONED, queue=queue, archived_at=NOON)
    assert act(amy, item, "purge", confirm="yes").status_code == 400
    assert Workitem.objects.exists()


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


def test_the_transfer_form_names_only_where_one_may_send_it(queue, sales):
    user = make_user()
    grant(user, Scope.WRITE, queue)
    page = browser(user).get(page_of(make_workitem(queue=queue))).content.decode()
    assert "queue:q_sales" not in page
    grant_transfer_in(user, sales)
    page = browser(user).get(page_of(make_workitem(queue=queue))).content.decode()
    assert "queue:q_sales" in page


def test_who_gives_an_item_out_of_his_sight_lands_in_the_list(queue, sales):
    user = make_user()
    grant(user, Scope.WRITE, queue)
    grant_transfer_in(user, sales)
    answer = act(user, make_workitem(queue=queue), "transfer", target="queue:q_sales")
    assert answer["Location"] == "/supervisor/"


def test_the_open_work_stands_in_the_order_in_which_it_is_handed_out(sue, queue):
    low, high = make_workitem(queue=queue, priority=1), make_workitem(queue=queue, priority=5)
    make_workitem(State.TERMINATED, queue=queue)
    assert browser(sue).get("/supervisor/").context["items"] == [high, low]


def test_the_open_work_is_what_one_may_see(eve, queue):
    make_workitem(queue=queue)
    page = browser(eve).get("/supervisor/")
    assert page.context["items"] == []
    assert "ask for a scope" in page.content.decode()


def test_the_open_work_costs_the_same_for_any_number_of_rows(sue, queue, django_assert_num_queries):
    client = browser(sue)
    for count in (1, 20):
        for _ in range(count):
            make_workitem(queue=queue)
        # session, user, rights, rows, stuck work, one's presence, and the session kept alive in its savepoint
        with django_assert_num_queries(9):
            client.get("/supervisor/")


def test_the_item_page_costs_the_same_for_any_number_of_events(sue, queue, sales, django_assert_max_num_queries):
    item = make_workitem(queue=queue)
    for number in range(15):
        act(sue, Workitem.objects.get(pk=item.pk), "note", text=f"note {number}")
    client = browser(sue)
    with django_assert_max_num_queries(13):
        client.get(page_of(item))


def test_a_script_in_a_customers_words_stays_words(sue, queue):
    item = make_workitem(queue=queue, name="<script>alert(1)</script>", from_address='"><img src=x onerror=alert(1)>')
    page = browser(sue).get(page_of(item)).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


# What wants looking at


def test_stuck_work_is_told_with_its_agents_and_a_question(sue, queue, ann, ben):
    ann.first_name, ann.last_name = "Ann", "Brook"
    ann.save()
    make_presence(ann, Presence.Status.OFFLINE)
    make_presence(ben, Presence.Status.AWAY)
    for agent in (ann, ann, ben):
        make_workitem(State.ACTIVE, queue=queue, agent=agent)
    page = " ".join(browser(sue).get("/supervisor/").content.decode().split())
    assert "2 workitems are with agents who are offline" in page
    assert "Ann Brook" in page
    assert "2 workitems go back to their queues, at their old places. This cannot be undone." in page
    assert 'action="/supervisor/agents/ann/return-all/"' in page
    assert "/agents/ben/" not in page


def test_who_may_only_read_gets_no_button(tom, queue, ann):
    make_presence(ann, Presence.Status.OFFLINE)
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    page = browser(tom).get("/supervisor/").content.decode()
    assert "1 workitem is with an agent who is offline" in " ".join(page.split())
    assert "return-all" not in page


def test_where_nothing_is_stuck_nothing_is_said(sue, queue, ann):
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    assert "banner" not in browser(sue).get("/supervisor/").content.decode()


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


def make_alert(**facts):
    policy = StalePolicy.objects.create(policy_id="p_x", name="Lost calls", state="inqueue", after_seconds=60)
    return PolicyRun.objects.create(
        policy=policy, policy_version=1, terms={"cap": 500}, is_capped=True, created_at=NOON, start_at=NOON,
        moved_at=NOON, **facts,
    )  # fmt: skip


def test_a_policy_that_stopped_at_its_cap_is_told_to_administrators(amy):
    run = make_alert()
    page = " ".join(browser(amy).get("/supervisor/").content.decode().split())
    assert "The stale policy “Lost calls” stopped at its cap of 500 workitems" in page
    assert run.get_absolute_url() in page


def test_others_are_told_of_no_policy(sue):
    make_alert()
    assert "Lost calls" not in browser(sue).get("/supervisor/").content.decode()


def test_an_alert_that_somebody_has_seen_is_told_no_more(amy):
    make_alert(acknowledged_at=NOON, acknowledged_by=amy)
    assert "Lost calls" not in browser(amy).get("/supervisor/").content.decode()


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
    assert f'class="state presence {status}">{Presence.Status(status).label}<' in page


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
    assert (client.post(path, {"status": "away"}).status_code, client.get(path).status_code) == (403, 405)
    assert facts_of(item) == before
