"""The supervisor's pages: an item with its story, what can be done, and why the rest cannot."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.builders import facts_of, last_event, make_disposition, make_user, make_workitem
from tests.doors import browser
from workitems.choices import Action, Scope, State, Type
from workitems.groups import grant, grant_transfer_in
from workitems.models import AuditEntry, Workitem
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
    assert offered == {"unhold", "conference", "hangup", "transfer", "priority", "edit", "note"}
    assert greyed == {action.value for action in Action if action is not Action.CREATE} - offered


VALUES = {
    "transfer": {"target": "queue:q_sales"},
    "hangup": {"reason": "agent"},
    "priority": {"priority": 5},
    "note": {"text": "Called back."},
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
        from tests.builders import NOON

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


def test_an_incomplete_form_changes_nothing(sue, queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    answer = act(sue, item, "transfer", target="queue:q_none")
    assert (answer.status_code, facts_of(item)) == (400, before)


def test_a_purge_wants_the_id_typed(amy, queue):
    from tests.builders import NOON

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
        # session, user, rights, rights on queues, rows, and the session kept alive in its savepoint
        with django_assert_num_queries(7):
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
