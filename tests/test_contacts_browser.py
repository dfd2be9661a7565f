"""Contacts in a real browser: made one and two again, a number corrected at its row, a person erased, and axe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from contacts.models import Contact
from tests.browsers import IN_A_BROWSER
from tests.builders import facts_of, make_contact, make_queue, make_user, make_workitem
from tests.visits import enter, objections, sticks_out
from workitems.choices import Scope, State
from workitems.groups import grant

LIST = "/admin/contacts/contact/"

pytestmark = IN_A_BROWSER


@pytest.fixture
def ada():
    contact = make_contact("Ada Lovelace", phones=("+12025550123", "+12025550124"), emails=("ada@example.com",))
    Contact.objects.filter(pk=contact.pk).update(company="Analytical Engines", notes="Prefers to be called after four.")
    return contact


@pytest.fixture
def double():
    contact = make_contact("A. Lovelace", phones=("+12025550123",))
    Contact.objects.filter(pk=contact.pk).update(company="Engines", first_name="Ada")
    return contact


@pytest.fixture
def item(double):
    return make_workitem(State.TERMINATED, queue=make_queue(), contact=double, name="A refund")


@pytest.fixture
def page(chromium: Browser, live_server) -> Iterator[Page]:
    amy = make_user("amy", is_staff=True)
    grant(amy, Scope.ADMIN)
    page = enter(chromium, live_server.url, amy)
    yield page
    page.context.close()


def page_of(contact, part="change") -> str:
    return f"{LIST}{contact.pk}/{part}/"


def test_two_contacts_become_one_and_two_again_with_the_keyboard(page, ada, double, item):
    page.goto(page_of(ada))
    page.get_by_role("link", name="Compare A. Lovelace").press("Enter")
    page.get_by_role("heading", name="Merge A. Lovelace into Ada Lovelace").wait_for()
    company = page.get_by_role("group", name="Company")
    company.get_by_role("radio", name="Keep this").focus()
    page.keyboard.press("ArrowDown")
    expect(company.get_by_role("radio", name="Take this")).to_be_checked()
    page.get_by_text("1 workitem moves to Ada Lovelace").wait_for()
    page.get_by_role("button", name="Merge").press("Enter")
    page.get_by_text("A. Lovelace went up in Ada Lovelace. 1 workitem moved.").wait_for()
    expect(page.get_by_label("Company")).to_have_value("Engines")
    page.get_by_role("link", name=item.workitem_id).wait_for()
    page.get_by_role("button", name="Undo the merge of A. Lovelace").press("Enter")
    page.get_by_text("A. Lovelace and Ada Lovelace are two contacts again. 1 workitem goes back").wait_for()
    expect(page.get_by_label("Company")).to_have_value("Analytical Engines")
    assert facts_of(item)["contact_id"] == double.pk
    assert page.problems == []


def test_a_number_is_typed_as_people_type_it_and_a_wrong_one_is_told_at_its_row(page, ada):
    page.goto(page_of(ada))
    number = page.locator("#id_phones-0-number")
    number.fill("call me")
    page.get_by_role("button", name="Save", exact=True).click()
    row = page.locator("tr, tbody, .form-row", has=page.locator("#id_phones-0-number")).first
    row.get_by_text("“call me” is no phone number.").wait_for()
    expect(number).to_have_value("call me")
    number.fill("(202) 555-0199")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator("#id_phones-0-number")).to_have_value("+12025550199")


def test_a_person_is_erased_only_with_the_word(page, double, item):
    page.goto(page_of(double))
    page.get_by_role("link", name="Erase the person…").click()
    page.get_by_label("Type “erase” to go on").fill("delete")
    page.get_by_role("button", name="Erase for good").click()
    page.get_by_role("alert").get_by_text("Type the word “erase” to go on.").wait_for()
    page.get_by_label("Type “erase” to go on").fill("erase")
    page.keyboard.press("Enter")
    page.get_by_text("The person is erased. 1 workitem was emptied.").wait_for()
    assert page.get_by_text("Lovelace").count() == 0
    assert facts_of(item)["name"] == ""
    assert page.problems == []


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_on_the_pages_of_contacts(width, page, ada, double, item):
    page.set_viewport_size({"width": width, "height": 900})
    Contact.objects.filter(pk=double.pk).update(is_blocked=True)
    parts = [
        LIST, f"{LIST}duplicates/", page_of(ada), page_of(double), page_of(ada, "merge"),
        f"{page_of(ada, 'merge')}?other={double.pk}", page_of(ada, "erase"),
    ]  # fmt: skip
    for address in parts:
        page.goto(address)
        assert (address, objections(page, ".wi-page"), sticks_out(page)) == (address, [], False)
    assert page.problems == []
