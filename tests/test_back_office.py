"""The back office shows, filters and triggers, and writes only through commands."""

from __future__ import annotations

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse

from contacts.models import Contact
from tests.builders import NOON, facts_of, last_event, make_contact, make_user, make_workitem
from tests.doors import browser
from workitems.choices import Door, Event, Scope, State
from workitems.groups import grant
from workitems.models import Disposition, TimeEvent, Workitem

LIST = "/admin/workitems/workitem/"


def page_of(item):
    return reverse("admin:workitems_workitem_change", args=[item.pk])


def typed(item, **changes):
    values = {
        "name": item.name,
        "contact": item.contact_id or "",
        "priority": item.priority,
        "from_address": item.from_address,
        "to_address": item.to_address,
        "data": json.dumps(item.data),
        "seen_version": item.version,
    }
    return values | changes


@pytest.mark.parametrize("model", ["workitems/workitem", "workitems/disposition", "contacts/contact", "queues/queue"])
def test_the_four_models_are_there(model, amy):
    assert browser(amy).get(f"/admin/{model}/").status_code == 200


def test_the_list_shows_what_the_person_may_see(queue, sales):
    user = make_user(is_staff=True)
    grant(user, Scope.READ, queue)
    seen, unseen = make_workitem(queue=queue), make_workitem(queue=sales)
    page = browser(user).get(LIST).content.decode()
    assert seen.workitem_id in page
    assert unseen.workitem_id not in page
    assert "Sales" not in page


def test_what_one_may_not_see_has_no_page(queue, sales):
    user = make_user(is_staff=True)
    grant(user, Scope.READ, queue)
    assert browser(user).get(page_of(make_workitem(queue=sales)), follow=True).redirect_chain[-1][0] == "/admin/"


def test_without_any_scope_the_list_is_closed(eve):
    assert browser(eve).get(LIST).status_code == 403


@pytest.mark.parametrize("rows", [2, 25])
def test_a_page_of_the_list_costs_the_same_for_any_number_of_rows(rows, sue, queue, ann, django_assert_max_num_queries):
    for _ in range(rows):
        make_workitem(State.ACTIVE, queue=queue, agent=ann, contact=make_contact())
    client = browser(sue)
    client.get(LIST)
    with django_assert_max_num_queries(12):
        client.get(LIST)


@pytest.mark.parametrize(
    ("term", "found"),
    [("wi_one", 1), ("+1 202 555 0123", 2), ("ada", 1), ("ADA L", 1), ("ada@example.com", 1), ("wi_on", 0), ("zz", 0)],
)
def test_search_by_id_number_address_and_name(term, found, sue, queue):
    ada = make_contact("Ada Lovelace", phones=("+12025550123",), emails=("ada@example.com",))
    make_workitem(queue=queue, workitem_id="wi_one", contact=ada)
    make_workitem(queue=queue, from_address="+12025550123")
    make_workitem(queue=queue)
    answer = browser(sue).get(LIST, {"q": term})
    assert answer.context["cl"].result_count == found


@pytest.mark.parametrize(("query", "found"), [("state__exact=hold", 1), ("channel_type__exact=sms", 0)])
def test_filters(query, found, sue, queue, ann):
    make_workitem(State.HOLD, queue=queue, agent=ann)
    make_workitem(queue=queue)
    assert browser(sue).get(f"{LIST}?{query}").context["cl"].result_count == found


def test_the_page_shows_the_history(sue, queue):
    page = browser(sue).get(page_of(make_workitem(queue=queue))).content.decode()
    assert "Created" in page
    assert "builder" in page


@pytest.mark.parametrize("name", ["state", "queue", "agent", "version", "terminated_at", "created_at", "ended_by"])
def test_lifecycle_facts_cannot_be_typed(name, sue, queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    browser(sue).post(page_of(item), typed(item, **{name: "terminated"}))
    assert facts_of(item) == before


def test_an_edit_goes_through_commands(sue, queue):
    item, ada = make_workitem(queue=queue, name="Old"), make_contact()
    browser(sue).post(page_of(item), typed(item, name="New", contact=ada.pk, priority=5))
    after = facts_of(item)
    assert (after["name"], after["contact_id"], after["priority"], after["version"]) == ("New", ada.pk, 5, 3)
    event = last_event(item)
    assert (event.type, event.actor, event.door) == (Event.PRIORITIZED, "sue", Door.ADMIN)
    assert LogEntry.objects.get().user == sue


def test_an_edit_of_what_has_changed_meanwhile_is_refused_and_keeps_what_was_typed(sue, queue):
    item = make_workitem(queue=queue, version=4)
    before = facts_of(item)
    answer = browser(sue).post(page_of(item), typed(item, name="Mine", seen_version=3))
    assert "has changed meanwhile" in answer.content.decode()
    assert 'value="Mine"' in answer.content.decode()
    assert facts_of(item) == before


def test_an_edit_that_a_command_refuses_is_told_in_the_form(sue, queue):
    item = make_workitem(State.TERMINATED, queue=queue)
    before = facts_of(item)
    answer = browser(sue).post(page_of(item), typed(item, priority=5))
    assert "Not possible while" in answer.content.decode()
    assert facts_of(item) == before


def test_readers_cannot_edit(tom, queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    assert browser(tom).post(page_of(item), typed(item, name="New")).status_code == 403
    assert facts_of(item) == before


def test_a_contact_is_chosen_only_by_those_who_may_see_contacts(queue):
    user = make_user(is_staff=True)
    grant(user, Scope.WRITE, queue)
    item, secret = make_workitem(queue=queue), make_contact("Secret")
    browser(user).post(page_of(item), typed(item, contact=secret.pk))
    assert facts_of(item)["contact_id"] is None


def test_nobody_counts_through_addresses(eve, queue):
    item = make_workitem(queue=queue)
    kind = ContentType.objects.get_for_model(item).pk
    assert "supervisor" not in browser(eve).get(f"/admin/r/{kind}/{item.pk}/").get("Location", "")


@pytest.mark.parametrize("data", ["[" * 5000, '{"a": "\\ud800"}', '{"a": 1e999}', '{"a": "\\u0000"}', "{", "[1]"])
def test_data_that_cannot_be_kept_is_told_in_the_form(data, sue, queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    assert browser(sue).post(page_of(item), typed(item, data=data)).status_code == 200
    assert facts_of(item) == before


def test_a_long_history_can_be_looked_at_and_the_item_still_edited(sue, queue):
    item = make_workitem(queue=queue, version=600)
    TimeEvent.objects.bulk_create(
        TimeEvent(workitem=item, version=number, type="note", timestamp=NOON, actor="x", door="api")
        for number in range(2, 601)
    )
    assert "400 earlier events" in browser(sue).get(page_of(item)).content.decode()
    browser(sue).post(page_of(item), typed(item, name="New"))
    assert facts_of(item)["name"] == "New"


def test_two_primary_numbers_or_one_number_twice_are_told_in_the_form(amy):
    def post(*phones):
        values = {"display_name": "Ada", "phones-TOTAL_FORMS": len(phones), "phones-INITIAL_FORMS": 0}
        values |= {"emails-TOTAL_FORMS": 0, "emails-INITIAL_FORMS": 0, "data": "{}"}
        for place, (number, primary) in enumerate(phones):
            values |= {f"phones-{place}-number": number} | ({f"phones-{place}-is_primary": "on"} if primary else {})
        return browser(amy).post("/admin/contacts/contact/add/", values).content.decode()

    assert "Only one can be the primary one." in post(("+12025550123", True), ("+12025550124", True))
    assert "One of them stands there twice." in post(("+12025550124", False), ("(202) 555-0124", False))
    post(("+12025550123", True), ("+12025550124", False))
    assert Contact.objects.get().phones.count() == 2


@pytest.mark.parametrize("types", ["5", '["Fax"]', '{"a": 1}'])
def test_a_disposition_is_for_types_that_exist(types, amy):
    values = {"disposition_id": "d_x", "name": "X", "types": types}
    assert browser(amy).post("/admin/workitems/disposition/add/", values).status_code == 200
    assert not Disposition.objects.exists()


@pytest.mark.parametrize("path", ["add/", "{pk}/delete/"])
def test_nothing_is_added_or_deleted_by_hand(path, amy, queue):
    item = make_workitem(queue=queue)
    assert browser(amy).get(LIST + path.format(pk=item.pk)).status_code == 403
    assert browser(amy).post(LIST + path.format(pk=item.pk), {"post": "yes"}).status_code == 403
    assert Workitem.objects.count() == 1


def act(user, action, items, **values):
    data = {"action": action, "_selected_action": [item.pk for item in items], **values}
    return browser(user).post(LIST, data, follow=True)


def test_hold_does_what_it_can_and_names_the_rest(sue, queue, ann):
    active, waiting = make_workitem(State.ACTIVE, queue=queue, agent=ann), make_workitem(queue=queue)
    page = act(sue, "hold", [active, waiting]).content.decode()
    assert facts_of(active)["state"] == "hold"
    assert facts_of(waiting)["state"] == "inqueue"
    assert "1 workitem done." in page
    assert waiting.workitem_id + ": Not possible" in page


def test_hanging_up_asks_first_with_the_count(sue, queue, ann):
    items = [make_workitem(State.ACTIVE, queue=queue, agent=ann) for _ in range(2)]
    before = [facts_of(item) for item in items]
    page = act(sue, "hang_up", items).content.decode()
    assert "2 workitems are selected." in page
    assert [facts_of(item) for item in items] == before


def test_hanging_up_ends_them_once_it_is_confirmed(sue, queue, ann):
    items = [make_workitem(State.ACTIVE, queue=queue, agent=ann) for _ in range(2)]
    act(sue, "hang_up", items, apply=1, reason="system")
    assert [facts_of(item)["ended_by"] for item in items] == ["system", "system"]


def test_too_many_at_once_are_left_alone(sue, queue, ann, monkeypatch):
    monkeypatch.setattr("workitems.admin.workitems.AT_ONCE", 1)
    items = [make_workitem(State.ACTIVE, queue=queue, agent=ann) for _ in range(2)]
    assert "Nothing was done" in act(sue, "hold", items).content.decode()
    assert [facts_of(item)["state"] for item in items] == ["active", "active"]


def test_a_row_that_is_no_number_is_refused(sue, queue):
    item = make_workitem(queue=queue)
    data = {"action": "hold", "_selected_action": [item.pk, "x"]}
    assert browser(sue).post(LIST, data).status_code == 400


def test_readers_have_no_actions(tom, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    act(tom, "hold", [item])
    assert facts_of(item)["state"] == "active"


def test_only_these_pages_let_scripts_be_evaluated(sue, client):
    assert "unsafe-eval" in browser(sue).get(LIST)["Content-Security-Policy"]
    for path in ("/supervisor/", "/users/api/workitems"):
        assert "unsafe" not in browser(sue).get(path)["Content-Security-Policy"]
