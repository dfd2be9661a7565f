"""Lists of the back office as files: the columns and rows of the screen, without formulas, at once or as a job."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta

import openpyxl
import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import Contact
from tests.builders import NOON, make_contact, make_disposition, make_user, make_workitem
from tests.doors import browser
from workitems import exports, sheets
from workitems.admin import tasks
from workitems.admin.exported import value_of, words_of
from workitems.admin.exporting import open_table
from workitems.cells import safe, unsafe
from workitems.choices import Scope, State
from workitems.groups import grant
from workitems.models import AuditEntry, Export, ExportPart, Workitem

CONTACTS = "/admin/contacts/contact/"
WORKITEMS = "/admin/workitems/workitem/"
DISPOSITIONS = "/admin/workitems/disposition/"
EXPORTS = "/admin/workitems/export/"
HOSTILE = [
    "=1+1", "=HYPERLINK(\"http://evil\")", "+1+1", "-2+3", "@SUM(A1)", "\tx", "\rx", "＝1", "＋1", "－1", "＠x", "  =1",
    "=cmd|' /C calc'!A0", "#N/A", "-", "'=1",
]  # fmt: skip


def take(user, path, form="csv", query="", **values):
    return browser(user).post(f"{path}export/{query}", {"format": form, **values})


def body_of(answer):
    return b"".join(answer.streaming_content)


def table_of(answer):
    return list(csv.reader(io.StringIO(body_of(answer).decode("utf-8-sig"), newline="")))


def sheet_of(content):
    return openpyxl.load_workbook(io.BytesIO(content)).active


def ask_for(user, path="workitems.disposition", form="csv", query="", columns=("name", "disposition_id")):
    from workitems.actors import Actor
    from workitems.choices import Door

    actor = Actor.of(user, Door.ADMIN)
    return exports.request(path, form, query, columns, user=user, actor=actor, now=timezone.now())


def work_off(export, **options):
    made = exports.work_off(export.export_id, open_table, clock=timezone.now, seconds=60, **options)
    export.refresh_from_db()
    return made


def file_of(export):
    return b"".join(exports.content(export))


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(exports, "PART_ROWS", 2)


# What stands in the file


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_of_a_csv_begins_a_formula(text, amy):
    make_disposition(name=text)
    (_header, row) = table_of(take(amy, DISPOSITIONS))
    assert row[0] == safe(text)
    assert not row[0].lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))


@pytest.mark.parametrize("text", HOSTILE)
def test_every_text_of_a_workbook_is_a_text(text, amy):
    make_disposition(name=text)
    cell = sheet_of(body_of(take(amy, DISPOSITIONS, "xlsx")))["A2"]
    assert (cell.data_type, cell.value) == ("s", safe(text).replace("\r", "\n"))


@pytest.mark.parametrize("text", [one for one in HOSTILE if one != "'=1"])
def test_what_was_made_safe_can_be_read_again(text):
    assert unsafe(safe(text)) == text


def test_numbers_of_people_stay_as_they_are(amy):
    make_contact("Ada", phones=("+12025550123", "+442079460000"))
    row = table_of(take(amy, CONTACTS))[1]
    assert "+12025550123, +442079460000" in row
    cells = [cell.value for cell in sheet_of(body_of(take(amy, CONTACTS, "xlsx")))[2]]
    assert "+12025550123, +442079460000" in cells


def test_a_file_has_the_columns_and_rows_of_the_screen_in_their_order(amy):
    for name in ("Cleo", "Ada", "Ben"):
        make_disposition(f"d_{name}", name=name)
    rows = table_of(take(amy, DISPOSITIONS, query="?o=-1"))
    page = browser(amy).get(DISPOSITIONS + "?o=-1")
    columns = [name for name in page.context["cl"].list_display if name != "action_checkbox"]
    assert len(rows[0]) == len(columns)
    assert [row[0] for row in rows] == ["Name", "Cleo", "Ben", "Ada"]
    assert [row[0] for row in rows[1:]] == [row.name for row in page.context["cl"].result_list]


def test_all_that_match_are_in_the_file_and_not_a_page_of_them(amy):
    for number in range(60):
        make_disposition(f"d_{number}", name=f"N{number:03}", is_active=number % 2 == 0)
    assert len(table_of(take(amy, DISPOSITIONS, query="?is_active__exact=1&p=2"))) == 1 + 30


def test_what_is_ticked_is_in_the_file_alone(amy):
    first, *_others = [make_disposition(f"d_{name}", name=name) for name in "abc"]
    rows = table_of(take(amy, DISPOSITIONS, selected=[first.pk]))
    assert [row[0] for row in rows[1:]] == ["a"]


def test_a_selection_of_nothing_known_is_an_empty_file(amy):
    make_disposition()
    assert len(table_of(take(amy, DISPOSITIONS, selected=["x"]))) == 1


def test_json_holds_the_values_by_the_names_of_the_columns(amy):
    make_disposition(name="Übrig", is_resolved=False)
    (row,) = json.loads(body_of(take(amy, DISPOSITIONS, "json")))
    assert (row["name"], row["disposition_id"], row["is_resolved"]) == ("Übrig", "d_solved", False)


def test_json_names_the_columns_of_workitems_as_their_list_does(amy, queue):
    make_workitem(queue=queue)
    (row,) = json.loads(body_of(take(amy, WORKITEMS, "json")))
    assert {"id", "state", "queue", "created"} <= set(row)
    assert row["state"] == State.INQUEUE.label


def test_an_empty_list_is_a_good_file_in_each_form(amy):
    assert json.loads(body_of(take(amy, DISPOSITIONS, "json"))) == []
    assert len(table_of(take(amy, DISPOSITIONS))) == 1
    assert sheet_of(body_of(take(amy, DISPOSITIONS, "xlsx"))).max_row == 1


def test_times_are_iso_in_text_and_times_in_a_workbook(amy, queue, tmp_path):
    make_workitem(queue=queue)
    columns = ["workitem_id", "created_at"]
    lines = {}
    for form in ("csv", "json", "xlsx"):
        export = ask_for(amy, "workitems.workitem", form, columns=columns)
        work_off(export)
        lines[form] = file_of(export)
    assert b",2026-03-02T12:00:00+00:00\r\n" in lines["csv"]
    assert json.loads(lines["json"])[0]["created_at"] == "2026-03-02T12:00:00+00:00"
    assert sheet_of(lines["xlsx"])["B2"].value == datetime(2026, 3, 2, 12)  # noqa: DTZ001  as sheets have it


def test_a_choice_is_written_in_words(amy, queue):
    item = make_workitem(State.HOLD, queue=queue, agent=make_user())
    assert value_of(admin.site.get_model_admin(Workitem), item, "state") == State.HOLD.label


def test_the_list_itself_can_say_what_a_column_exports(amy):
    model_admin = admin.site.get_model_admin(Contact)
    model_admin.export_company = lambda row: f"at {row.company}"
    try:
        assert value_of(model_admin, Contact(company="Acme"), "company") == "at Acme"
    finally:
        del model_admin.export_company


def test_of_html_the_words_remain_without_icons_and_with_exact_times():
    icon, moment = '<span aria-hidden="true">check</span>', '<time datetime="2026-03-02">2 Mar</time>'
    assert words_of(f'<span class="x">{icon}Done &amp; gone</span> {moment}') == "Done & gone 2026-03-02"


def test_what_a_customer_has_typed_is_no_html(amy):
    make_contact("<b>Ada</b> &amp; co")
    assert "<b>Ada</b> &amp; co" in table_of(take(amy, CONTACTS))[1]


# Who may


def test_one_takes_away_only_what_one_may_see(queue, sales, db):
    reader = make_user("reader", is_staff=True)
    grant(reader, Scope.READ, queue)
    own = make_workitem(queue=queue)
    other = make_workitem(queue=sales)
    text = body_of(take(reader, WORKITEMS, "json", selected=[own.pk, other.pk])).decode()
    assert own.workitem_id in text
    assert other.workitem_id not in text
    everything = body_of(take(reader, WORKITEMS, "csv")).decode()
    assert own.workitem_id in everything
    assert other.workitem_id not in everything


def test_to_whom_a_list_is_closed_its_export_is_closed(eve):
    make_contact("Ada")
    assert take(eve, CONTACTS).status_code == 403
    assert not AuditEntry.objects.exists()


def test_an_export_is_written_down(amy):
    make_disposition()
    body_of(take(amy, DISPOSITIONS, "json", query="?is_active__exact=1"))
    entry = AuditEntry.objects.get()
    assert (entry.what, entry.subject, entry.actor) == ("list exported", "workitems.disposition", "amy")
    assert entry.details == {"format": "json", "query": "is_active__exact=1", "rows": 1}


def test_to_look_at_the_page_exports_nothing(amy):
    make_disposition()
    page = browser(amy).get(DISPOSITIONS + "export/?is_active__exact=1")
    assert "all that match your search" in page.content.decode()
    assert not AuditEntry.objects.exists()


def test_the_list_leads_to_its_export_with_its_filters(amy):
    page = browser(amy).get(DISPOSITIONS + "?is_active__exact=1&p=1").content.decode()
    assert f"{DISPOSITIONS}export/?is_active__exact=1" in page


def test_what_is_ticked_is_taken_along_to_the_page(amy):
    row = make_disposition()
    data = {"action": "exporting_action", "_selected_action": [row.pk], "index": 0, "select_across": 0}
    page = browser(amy).post(DISPOSITIONS, data)
    assert page.context["selected"] == [str(row.pk)]
    assert f'name="selected" value="{row.pk}"' in page.content.decode()


def test_a_filter_that_is_none_leads_back_to_the_list(amy):
    answer = take(amy, WORKITEMS, query="?priority__exact=abc")
    assert answer.status_code in (200, 302)


@pytest.mark.parametrize("row", sorted(admin.site._registry, key=lambda model: model._meta.label))
def test_every_list_that_has_an_export_can_be_exported(row, amy, queue):
    model_admin = admin.site.get_model_admin(row)
    if not hasattr(model_admin, "exporting_view"):
        pytest.skip("this list has no export")
    path = f"/admin/{row._meta.app_label}/{row._meta.model_name}/"
    make_workitem(State.HOLD, queue=queue, agent=amy, contact=make_contact("Ada"))
    for form in ("csv", "xlsx", "json"):
        assert take(amy, path, form).status_code == 200, path


# The cost


def test_ten_thousand_rows_take_as_many_queries_a_portion_as_five_hundred(amy):
    Contact.objects.bulk_create(Contact(display_name=f"C{number:05}") for number in range(10_000))

    def queries(query):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            lines = table_of(take(amy, CONTACTS, query=query))
        return len(lines) - 1, len(asked)

    few, few_queries = queries("?q=C000")
    many, many_queries = queries("")
    portions = many / exports.PORTION - 1
    assert (few, many) == (100, 10_000)
    assert (many_queries - few_queries) / portions <= 4  # contacts, phones, e-mail addresses, and some to spare


# As a job


def test_a_large_list_becomes_a_job(amy, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setitem(exports.AT_ONCE, Export.Format.CSV, 2)
    woken = []
    monkeypatch.setattr(tasks.run_export, "delay", lambda **ids: woken.append(ids))
    for name in "abc":
        make_disposition(f"d_{name}", name=name)
    with django_capture_on_commit_callbacks(execute=True):
        answer = take(amy, DISPOSITIONS)
    export = Export.objects.get()
    assert answer.headers["Location"] == f"{EXPORTS}{export.pk}/change/"
    assert (export.state, export.requested_by, woken) == ("pending", amy, [{"export_id": export.export_id}])
    assert "begins as soon as a worker is free" in browser(amy).get(answer.headers["Location"]).content.decode()


@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
def test_a_job_makes_the_same_file(form, amy, small_parts):
    for name in "abcde":
        make_disposition(f"d_{name}", name=name)
    export = ask_for(amy, form=form, query="o=-1")
    work_off(export)
    assert (export.state, export.rows, export.selected) == ("done", 5, None)
    at_once = body_of(take(amy, DISPOSITIONS, form, query="?o=-1"))
    names = {
        "csv": lambda content: [line[:1] for line in csv.reader(io.StringIO(content.decode("utf-8-sig")))],
        "json": lambda content: [[row["name"]] for row in json.loads(content)],
        "xlsx": lambda content: [[cell[0].value] for cell in sheet_of(content).iter_rows()],
    }[form]
    assert names(file_of(export)) == names(at_once)
    assert len(names(at_once)) in (5, 6)


@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
def test_a_killed_workers_successor_goes_on_where_it_was(form, amy, small_parts, monkeypatch):
    for name in "abcde":
        make_disposition(f"d_{name}", name=name)
    export = ask_for(amy, form=form)
    whole = ask_for(amy, form=form)
    keep = exports._keep

    def killed(export, number, *arguments, **options):
        if number == 1:
            raise SystemExit
        return keep(export, number, *arguments, **options)

    monkeypatch.setattr(exports, "_keep", killed)
    with pytest.raises(SystemExit):
        work_off(export)
    export.refresh_from_db()
    assert (export.state, export.parts.count(), export.rows) == ("running", 1, 2)
    monkeypatch.setattr(exports, "_keep", keep)
    work_off(export)
    work_off(whole)
    assert (export.state, export.rows, export.attempts) == ("done", 5, 0)
    if form == "xlsx":
        assert list(sheet_of(file_of(export)).values) == list(sheet_of(file_of(whole)).values)
    else:
        assert file_of(export) == file_of(whole)


def test_a_part_that_somebody_else_has_made_is_not_made_twice(amy, small_parts):
    for name in "abcde":
        make_disposition(f"d_{name}", name=name)
    export = ask_for(amy)
    export = exports.take(export.export_id, timezone.now())
    assert exports._keep(export, 0, b"one", 2, timezone.now(), is_last=False) == 1
    assert exports._keep(export, 0, b"two", 2, timezone.now(), is_last=False) == 0
    assert bytes(ExportPart.objects.get().content) == b"one"


def test_after_five_attempts_it_has_failed_and_can_be_tried_again(amy, monkeypatch):
    make_disposition()
    export = ask_for(amy)

    def broken(*arguments):
        raise ZeroDivisionError("no")

    with monkeypatch.context() as patch:
        patch.setattr(exports, "_make", broken)
        for _attempt in range(6):
            work_off(export)
    assert (export.state, export.error) == ("failed", "ZeroDivisionError: no")
    assert "ZeroDivisionError: no" in browser(amy).get(f"{EXPORTS}{export.pk}/change/").content.decode()
    browser(amy).post(f"{EXPORTS}{export.pk}/retry/")
    work_off(export)
    assert (export.state, export.error) == ("done", "")


def test_who_may_not_see_the_list_any_more_gets_no_file(amy):
    make_disposition()
    export = ask_for(amy)
    amy.is_active = False
    amy.save()
    work_off(export)
    assert (export.state, export.error) == ("failed", "You may not see this list any more.")
    assert not export.parts.exists()


def test_rights_are_read_anew_for_each_part(queue, sales, monkeypatch):
    monkeypatch.setattr(exports, "PART_ROWS", 1)
    reader = make_user("reader", is_staff=True)
    grant(reader, Scope.READ)
    make_workitem(queue=queue)
    make_workitem(queue=queue)
    export = ask_for(reader, "workitems.workitem", columns=["workitem_id"])
    stops = iter([False, True])
    work_off(export, stop=lambda: next(stops))
    assert export.rows == 1
    reader.user_permissions.clear()
    reader.groups.clear()
    grant(reader, Scope.READ, sales)
    work_off(export)
    assert (export.state, export.rows) == ("done", 1)


def test_the_file_is_for_its_requester_only(amy, sue):
    make_disposition()
    export = ask_for(amy)
    work_off(export)
    make_root = make_user("root", is_staff=True, is_superuser=True)
    for page in ("change", "download", "progress"):
        assert browser(sue).get(f"{EXPORTS}{export.pk}/{page}/").status_code == 404
        assert browser(make_root).get(f"{EXPORTS}{export.pk}/{page}/").status_code == 404
    answer = browser(amy).get(f"{EXPORTS}{export.pk}/download/")
    assert body_of(answer) == file_of(export)
    assert 'filename="disposition-' in answer.headers["Content-Disposition"]
    assert export.export_id in browser(amy).get(EXPORTS).content.decode() or export.pk
    assert not browser(make_root).get(EXPORTS).context["cl"].result_count


def test_a_cancelled_export_has_no_file(amy, small_parts):
    make_disposition()
    export = ask_for(amy)
    browser(amy).post(f"{EXPORTS}{export.pk}/cancel/")
    assert work_off(export) == 0
    assert (export.state, export.parts.count()) == ("cancelled", 0)
    assert browser(amy).get(f"{EXPORTS}{export.pk}/download/").status_code == 404


def test_only_a_press_of_the_button_cancels(amy):
    export = ask_for(amy)
    assert browser(amy).get(f"{EXPORTS}{export.pk}/cancel/").status_code == 405
    export.refresh_from_db()
    assert export.state == "pending"


def test_a_finished_job_is_written_down_with_its_rows(amy):
    make_disposition()
    export = ask_for(amy, query="is_active__exact=1")
    work_off(export)
    entry = AuditEntry.objects.get(what="list exported")
    assert entry.details == {
        "format": "csv", "query": "is_active__exact=1", "rows": 1, "export": export.export_id,
    }  # fmt: skip
    assert (entry.user, entry.door) == (amy, "job")


def test_the_beat_drives_on_what_has_come_to_a_standstill(amy, monkeypatch):
    woken = []
    monkeypatch.setattr(tasks.run_export, "delay", lambda **ids: woken.append(ids["export_id"]))
    still, fresh = ask_for(amy), ask_for(amy)
    Export.objects.filter(pk=still.pk).update(moved_at=NOON)
    assert tasks.drive_exports() == 1
    assert woken == [still.export_id]
    assert fresh.export_id not in woken


def test_a_week_later_the_file_is_gone(amy):
    make_disposition()
    old, young, running = ask_for(amy), ask_for(amy), ask_for(amy)
    for export in (old, young):
        work_off(export)
    Export.objects.filter(pk__in=[old.pk, running.pk]).update(created_at=timezone.now() - timedelta(days=8))
    assert tasks.forget_exports() == 1
    assert set(Export.objects.values_list("pk", flat=True)) == {young.pk, running.pk}
    assert set(ExportPart.objects.values_list("export", flat=True)) == {young.pk}


def test_more_rows_than_a_sheet_takes_are_refused_in_words(amy, monkeypatch):
    monkeypatch.setattr(exports, "MOST_SHEET_ROWS", 1)
    for name in "abc":
        make_disposition(f"d_{name}", name=name)
    export = ask_for(amy, form="xlsx")
    work_off(export)
    assert (export.state, export.error) == (
        "failed",
        "There are more than 1 rows; narrow the list with a filter.",
    )


def test_what_everything_exports_can_be_imported_again(amy):
    make_contact("Ada", phones=("+12025550123",), emails=("ada@example.org",))
    rows = table_of(take(amy, CONTACTS, fields_of="import"))
    assert rows[0][:3] == ["contactId", "displayName", "firstName"]
    assert dict(zip(*rows, strict=True))["phones"] == "+12025550123"


def test_a_text_longer_than_a_cell_is_cut(amy):
    file = io.BytesIO()
    sheets.write(file, "A/B", ["a"], [["x" * 40_000], ["a\x00b"]])
    sheet = sheet_of(file.getvalue())
    assert (len(sheet["A2"].value), sheet["A3"].value, sheet.title) == (sheets.LONGEST_CELL, "ab", "AB")
