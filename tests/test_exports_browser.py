"""Files in and out of the back office in a real browser: an import with a bad row, and an export that is opened."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import openpyxl
import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from contacts.models import Contact
from tests.browsers import IN_A_BROWSER
from tests.builders import make_contact, make_user
from tests.visits import enter, objections
from workitems import exports
from workitems.actors import Actor
from workitems.admin.exporting import open_table
from workitems.choices import Door, Scope
from workitems.groups import grant

CONTACTS = "/admin/contacts/contact/"

pytestmark = IN_A_BROWSER


@pytest.fixture
def sue():
    user = make_user("sue", is_staff=True)
    grant(user, Scope.WRITE)
    return user


@pytest.fixture
def page(chromium: Browser, live_server, sue) -> Iterator[Page]:
    page = enter(chromium, live_server.url, sue, accept_downloads=True)
    yield page
    page.context.close()
    assert page.problems == []  # type: ignore[attr-defined]


def test_an_import_with_a_bad_row_is_previewed_and_the_good_ones_are_taken(page, tmp_path):
    ada = make_contact("Ada", phones=("+12025550123",))
    file = tmp_path / "people.csv"
    file.write_text(
        "contactId,displayName,company,phones\n"
        f"{ada.contact_id},Ada,Acme,+12025550123\n,Bob,,not a number\n,Cleo,,(202) 555-0199\n"
    )
    page.goto(CONTACTS)
    page.get_by_role("link", name="Import…").click()
    assert objections(page, ".wi-page") == []
    page.get_by_label("CSV or XLSX").set_input_files(file)
    page.get_by_role("button", name="Preview").press("Enter")
    expect(page.get_by_role("heading", name="What “people.csv” would do")).to_be_visible()
    expect(page.get_by_text("“not a number” is no phone number.")).to_be_visible()
    assert objections(page, ".wi-page") == []
    assert Contact.objects.count() == 1
    with page.expect_download() as told:
        page.get_by_role("link", name="Refused rows as CSV").click()
    refused = told.value.path().read_text(encoding="utf-8-sig")
    assert refused.splitlines()[1].startswith("3,phones: “not a number” is no phone number.,,Bob")
    page.get_by_role("button", name="Import the 2 good ones").press("Enter")
    expect(page.get_by_text("2 rows were imported.")).to_be_visible()
    assert objections(page, ".wi-page") == []
    assert set(Contact.objects.values_list("display_name", "company")) == {("Ada", "Acme"), ("Cleo", "")}


def test_a_file_that_is_none_is_refused_where_it_was_chosen(page, tmp_path):
    file = tmp_path / "people.xlsx"
    file.write_bytes(b"PK broken")
    page.goto(f"{CONTACTS}import/")
    page.get_by_label("CSV or XLSX").set_input_files(file)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("alert")).to_contain_text("This is no workbook")
    assert objections(page, ".wi-page") == []


@pytest.mark.parametrize("form", ["CSV", "XLSX"])
def test_an_export_is_opened_and_says_what_the_screen_says(form, page, tmp_path):
    make_contact("=1+1", phones=("+12025550123",), emails=("ada@example.org",))
    make_contact("Ben")
    page.goto(CONTACTS)
    headers = [
        one for text in page.locator("#result_list thead th").all_inner_texts() if (one := text.strip().split("\n")[0])
    ]
    page.get_by_role("link", name="Export…").click()
    assert objections(page, ".wi-page") == []
    page.get_by_role("radio", name=form).check()
    with page.expect_download() as told:
        page.get_by_role("button", name="Export", exact=True).click()
    content = told.value.path().read_bytes()
    if form == "CSV":
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    else:
        rows = [[cell or "" for cell in row] for row in openpyxl.load_workbook(io.BytesIO(content)).active.values]
    assert told.value.suggested_filename.startswith("contact-")
    assert [one.casefold() for one in rows[0]] == [one.casefold() for one in headers]
    assert [row[0] for row in rows[1:]] == ["'=1+1", "Ben"]
    assert rows[1][2] == "+12025550123"


def test_what_is_ticked_is_exported_with_the_keyboard(page):
    make_contact("Ada")
    make_contact("Ben")
    page.goto(CONTACTS)
    page.locator("input.action-select").first.press("Space")
    page.locator("select[name=action]").select_option("exporting_action")
    page.get_by_role("button", name="Run").press("Enter")
    expect(page.get_by_text("those that you have ticked")).to_be_visible()
    with page.expect_download() as told:
        page.get_by_role("button", name="Export", exact=True).press("Enter")
    assert len(told.value.path().read_text(encoding="utf-8-sig").splitlines()) == 2


def test_the_page_of_a_job_follows_it_to_its_file(page, sue, live_server):
    make_contact("Ada")
    actor = Actor.of(sue, Door.ADMIN)
    export = exports.request("contacts.contact", "csv", "", ["display_name"], user=sue, actor=actor, now=timezone.now())
    page.goto(f"/admin/workitems/export/{export.pk}/change/")
    expect(page.get_by_text("It begins as soon as a worker is free.")).to_be_visible()
    assert objections(page, ".wi-page") == []
    exports.work_off(export.export_id, open_table, clock=timezone.now, seconds=10)
    page.get_by_role("link", name="Download").wait_for()
    assert objections(page, ".wi-page") == []
    with page.expect_download() as told:
        page.get_by_role("link", name="Download").click()
    assert told.value.path().read_text(encoding="utf-8-sig").split() == ["Display", "name", "Ada"]


@pytest.mark.parametrize("width", [360, 1280])
def test_pages_fit_and_can_be_read_narrow_and_wide_light_and_dark(width, page, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("displayName,phones\nAda,x\nCleo,\n")
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{CONTACTS}export/")
    found = objections(page, ".wi-page")
    page.goto(f"{CONTACTS}import/")
    page.get_by_label("CSV or XLSX").set_input_files(file)
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("heading", name="What “people.csv” would do").wait_for()
    assert found + objections(page, ".wi-page") == []
    assert page.evaluate("document.querySelector('.wi-page').scrollWidth <= window.innerWidth")
