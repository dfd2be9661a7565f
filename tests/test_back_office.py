"""The back office shows, filters and triggers, and writes only through commands."""

from __future__ import annotations

import pytest
from django.contrib.contenttypes.models import ContentType

from contacts.models import Contact
from tests.builders import facts_of, make_contact, make_user, make_workitem
from tests.doors import browser
from workitems.choices import Scope, State
from workitems.groups import grant
from workitems.models import Disposition, Workitem

LIST = "/admin/workitems/workitem/"


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


@pytest.mark.parametrize(("query", "found"), [("state=hold", 1), ("channel=sms", 0)])
def test_filters(query, found, sue, queue, ann):
    make_workitem(State.HOLD, queue=queue, agent=ann)
    make_workitem(queue=queue)
    assert browser(sue).get(f"{LIST}?{query}").context["cl"].result_count == found


def test_nobody_counts_through_addresses(eve, queue):
    item = make_workitem(queue=queue)
    kind = ContentType.objects.get_for_model(item).pk
    assert "supervisor" not in browser(eve).get(f"/admin/r/{kind}/{item.pk}/").get("Location", "")


def test_two_primary_numbers_or_one_number_twice_are_told_in_the_form(amy):
    def post(*phones):
        values = {"display_name": "Ada", "phones-TOTAL_FORMS": len(phones), "phones-INITIAL_FORMS": 0}
        values |= {"emails-TOTAL_FORMS": 0, "emails-INITIAL_FORMS": 0, "data": "{}"}
        for place, (number, primary) in enumerate(phones):
            values |= {f"phones-{place}-number": number} | ({f"phones-{place}-is_primary": "on"} if primary else {})
        return browser(amy).post("/admin/contacts/contact/add/", values).content.decode()

    assert "Only one can be the primary one." in post(("+12025550123", True), ("+12025550124", True))
    assert "+12025550124 stands there twice." in post(("+12025550124", False), ("(202) 555-0124", False))
    post(("+12025550123", True), ("+12025550124", False))
    assert Contact.objects.get().phones.count() == 2


@pytest.mark.parametrize("types", ["5", '["Fax"]', '{"a": 1}'])
def test_a_disposition_is_for_types_that_exist(types, amy):
    values = {"disposition_id": "d_x", "name": "X", "types": types}
    assert browser(amy).post("/admin/workitems/disposition/add/", values).status_code == 200
    assert not Disposition.objects.exists()


def test_nothing_is_deleted_by_hand(amy, queue):
    path = f"{LIST}{make_workitem(queue=queue).pk}/delete/"
    assert browser(amy).get(path).status_code == 403
    assert browser(amy).post(path, {"post": "yes"}).status_code == 403
    assert Workitem.objects.count() == 1


def act(user, action, items, **values):
    data = {"action": action, "_selected_action": [item.pk for item in items], **values}
    return browser(user).post(LIST, data, follow=True)


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
