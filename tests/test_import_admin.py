"""Contacts, queues and dispositions from tables: what is previewed is what is done, and a bad row spoils no other."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import timedelta

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from contacts.models import Contact
from queues.models import Queue
from tests.builders import make_contact, make_disposition, make_queue, make_user
from tests.doors import browser
from workitems import sheets
from workitems.admin import import_jobs, importing, tasks
from workitems.choices import Scope
from workitems.groups import grant
from workitems.models import AuditEntry, Disposition, Export

CONTACTS = "/admin/contacts/contact/"
QUEUES = "/admin/queues/queue/"
DISPOSITIONS = "/admin/workitems/disposition/"


def send(user, content, path=CONTACTS, name="people.csv"):
    content = content.encode() if isinstance(content, str) else content
    return browser(user).post(f"{path}import/", {"file": SimpleUploadedFile(name, content)})


def preview(user, content, path=CONTACTS, name="people.csv"):
    """Send a file and return its plan's lines, and the address of its page."""
    answer = send(user, content, path, name)
    assert answer.status_code == 302, answer.context["form"].errors
    kept = import_jobs.of_user(user)
    return list(import_jobs.lines_of(kept)), answer.headers["Location"]


def confirm(user, address):
    return browser(user).post(address, {"go": "1"}, follow=True)


def statuses(lines):
    return [(line["row"], line["status"]) for line in lines]


def refusal(user, content, path=CONTACTS, name="people.csv"):
    """Return why a file was refused as a whole."""
    answer = send(user, content, path, name)
    assert answer.status_code == 200
    assert not Export.objects.exists()
    return answer.context["form"].errors["file"][0]


def facts():
    contacts = Contact.objects.order_by("pk").values("pk", "contact_id", "display_name", "company", "version")
    return list(contacts), AuditEntry.objects.count()


def book(*rows):
    file = io.BytesIO()
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    workbook.save(file)
    return file.getvalue()


@pytest.fixture(autouse=True)
def of_user(monkeypatch):
    """Find the one import of a person."""
    found = staticmethod(lambda user: Export.objects.get(requested_by=user, list_name__startswith="import "))
    monkeypatch.setattr(import_jobs, "of_user", found, raising=False)


# The preview


def test_a_preview_tells_new_changed_unchanged_and_refused_and_writes_nothing(sue):
    ada, ben = make_contact("Ada", phones=("+12025550123",)), make_contact("Ben")
    before = facts()
    lines, address = preview(
        sue,
        "contactId,displayName,company,phones\n"
        f"{ada.contact_id},Ada,Acme,(202) 555-0123\n"
        f"{ben.contact_id},Ben,,\n"
        ",Cleo,,+44 20 7946 0000\n"
        ",Dan,,not a number\n",
    )
    assert statuses(lines) == [(2, "changed"), (3, "unchanged"), (4, "new"), (5, "refused")]
    assert lines[0]["diff"] == {"company": ["", "Acme"]}
    assert lines[2]["values"]["phones"] == ["+442079460000"]
    assert lines[3]["problem"] == "phones: “not a number” is no phone number."
    page = browser(sue).get(address).content.decode()
    assert "Import the 2 good ones" in page
    assert facts() == before


def test_what_is_confirmed_is_what_was_previewed(sue):
    ada = make_contact("Ada", phones=("+12025550123",))
    lines, address = preview(
        sue,
        "contactId,displayName,company,phones\n"
        f"{ada.contact_id},Ada L.,Acme,+12025550123\n,Cleo,Acme,+12025550199\n,,,\n,,x,\n",
    )
    page = confirm(sue, address)
    assert "2 rows were imported." in page.content.decode()
    ada.refresh_from_db()
    cleo = Contact.objects.get(display_name="Cleo")
    assert (ada.display_name, ada.company, ada.version) == ("Ada L.", "Acme", 2)
    assert [phone.number for phone in cleo.phones.all()] == ["+12025550199"]
    assert Contact.objects.count() == 2
    assert statuses(lines) == [(2, "changed"), (3, "new"), (5, "refused")]


def test_each_change_leaves_an_audit_entry_and_so_does_the_import(sue):
    ada = make_contact("Ada")
    _lines, address = preview(sue, f"contactId,displayName\n{ada.contact_id},Ada L.\n,Cleo\n")
    confirm(sue, address)
    told = list(AuditEntry.objects.order_by("pk").values_list("what", "actor"))
    assert told == [("import begun", "sue"), ("contact changed", "sue"), ("contact created", "sue")]
    assert AuditEntry.objects.get(what="contact changed").details["values"] == {"displayName": "Ada L."}


def test_who_says_nothing_imports_nothing(sue):
    _lines, address = preview(sue, "displayName\nAda\n")
    before = facts()
    answer = browser(sue).post(address, {"drop": "1"}, follow=True)
    assert "Nothing was imported." in answer.content.decode()
    assert facts() == before
    assert browser(sue).post(address, {"go": "1"}).status_code == 404


def test_an_import_is_done_once(sue):
    _lines, address = preview(sue, "displayName\nAda\n")
    confirm(sue, address)
    confirm(sue, address)
    assert Contact.objects.filter(display_name="Ada").count() == 1


def test_a_row_that_has_changed_since_the_preview_is_refused(sue):
    ada, ben = make_contact("Ada"), make_contact("Ben")
    _lines, address = preview(sue, f"contactId,company\n{ada.contact_id},Acme\n{ben.contact_id},Acme\n")
    Contact.objects.filter(pk=ada.pk).update(company="Other", version=2)
    page = confirm(sue, address).content.decode()
    ada.refresh_from_db()
    ben.refresh_from_db()
    assert (ada.company, ben.company) == ("Other", "Acme")
    assert "1 was refused because something has changed since the preview." in page
    assert "It has changed meanwhile" in page


def test_the_refused_rows_come_back_as_they_stood_with_their_reasons(sue):
    _lines, address = preview(sue, "displayName,phones,mine\nAda,x,1\nBen,,2\n")
    answer = browser(sue).get(f"{address}refused/")
    lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert lines == [
        ["Row", "Reason", "displayName", "phones", "mine"],
        ["2", "phones: “x” is no phone number.", "Ada", "x", "1"],
    ]


# Which one is meant


def test_a_contact_is_found_by_what_the_source_system_calls_it(sue):
    ada = make_contact("Ada")
    Contact.objects.filter(pk=ada.pk).update(source="crm", external_id="7")
    lines, _address = preview(sue, "source,externalId,displayName\ncrm,7,Ada L.\nerp,7,Other\n")
    assert [(line["status"], line["id"]) for line in lines] == [("changed", ada.contact_id), ("new", "")]


def test_two_rows_about_the_same_one_are_not_both_done(sue):
    ada = make_contact("Ada")
    lines, _address = preview(sue, f"contactId,displayName\n{ada.contact_id},A\n{ada.contact_id},B\nnew_1,C\nnew_1,D\n")
    assert statuses(lines) == [(2, "changed"), (3, "refused"), (4, "new"), (5, "refused")]
    assert lines[1]["problem"] == "Row 2 is about the same one."


def test_an_id_of_the_source_system_that_another_has_is_refused(sue):
    ada, ben = make_contact("Ada"), make_contact("Ben")
    Contact.objects.filter(pk=ada.pk).update(source="crm", external_id="7")
    lines, _address = preview(sue, f"contactId,source,externalId\n{ben.contact_id},crm,7\n")
    assert lines[0]["problem"] == f"{ada.contact_id} has this id in the source system already."


def test_who_was_merged_or_erased_is_not_changed(sue):
    ada, ben, cleo = make_contact("Ada"), make_contact("Ben"), make_contact("Cleo")
    Contact.objects.filter(pk=ben.pk).update(merged_into=ada)
    Contact.objects.filter(pk=cleo.pk).update(erased_at=timezone.now())
    lines, _address = preview(sue, f"contactId,company\n{ben.contact_id},x\n{cleo.contact_id},x\n")
    assert statuses(lines) == [(2, "refused"), (3, "refused")]


def test_without_ids_every_row_counts_as_new_and_that_is_said(sue):
    make_contact("Ada")
    lines, address = preview(sue, "displayName\nAda\n")
    assert statuses(lines) == [(2, "new")]
    assert "no column with ids" in browser(sue).get(address).content.decode()


# What a cell says


def test_a_column_that_is_missing_leaves_things_and_an_empty_cell_empties_them(sue):
    ada = make_contact("Ada", phones=("+12025550123",), emails=("ada@example.org",))
    _lines, address = preview(sue, f"contactId,phones,blocked\n{ada.contact_id},,\n")
    confirm(sue, address)
    ada.refresh_from_db()
    assert (ada.phones.count(), ada.emails.count(), ada.is_blocked) == (0, 1, False)


@pytest.mark.parametrize(
    ("column", "cell", "problem"),
    [
        ("blocked", "maybe", "blocked: “maybe” is neither yes nor no."),
        ("emails", "ada at home", "emails: “ada at home” is no e-mail address."),
        ("data", "[1]", "data: This is no JSON object: “[1]”."),
        ("company", "x" * 201, "company: Ensure this value has at most 200 characters (it has 201)."),
        ("contactId", "a b/c", "An id has 1 to 64 letters"),
    ],
)
def test_a_cell_that_cannot_be_used_refuses_its_row_with_the_reason(column, cell, problem, sue):
    lines, _address = preview(sue, f"displayName;{column}\nAda;{cell}\n")
    assert lines[0]["status"] == "refused"
    assert problem in lines[0]["problem"]


def test_a_new_one_without_a_name_is_refused(sue):
    lines, _address = preview(sue, "company\nAcme\n")
    assert lines[0]["problem"] == "A new one needs displayName."


def test_more_cells_than_columns_are_refused(sue):
    lines, _address = preview(sue, "displayName\nAda,x\n")
    assert lines[0]["problem"] == "There are more cells than columns."


def test_hostile_text_is_shown_as_text(sue):
    _lines, address = preview(sue, "displayName\n<script>alert(1)</script>\n")
    page = browser(sue).get(address).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_headers_of_the_list_are_understood_too(sue):
    lines, _address = preview(sue, "Display name,E-mail addresses,Blocked,Odd\nAda,ADA@example.org,yes,1\n")
    assert lines[0]["values"] == {"displayName": "Ada", "emails": ["ada@example.org"], "blocked": True}


# Files


@pytest.mark.parametrize(
    "content",
    [
        "displayName,company\nJörg,Ünion\n".encode(),
        "displayName,company\nJörg,Ünion\n".encode("utf-8-sig"),
        "displayName;company\r\nJörg;Ünion\r\n".encode("cp1252"),
        "displayName\tcompany\nJörg\tÜnion\n".encode("utf-16"),
        '\n"displayName","company"\n"Jörg","Ünion"\n'.encode(),
    ],
)
def test_tables_as_spreadsheets_write_them_are_read(content, sue):
    lines, _address = preview(sue, content)
    assert lines[0]["values"] == {"displayName": "Jörg", "company": "Ünion"}


def test_a_workbook_is_read_with_the_values_of_its_formulas(sue):
    content = book(["displayName", "externalId", "blocked"], ["Ada", 7, True], ["Ben", 8.0, False])
    lines, _address = preview(sue, content, name="people.xlsx")
    assert [line["values"]["externalId"] for line in lines] == ["7", "8"]
    assert [line["values"]["blocked"] for line in lines] == [True, False]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.csv", b"", "The file is empty."),
        ("a.csv", b"\n\n", "The file is empty."),
        ("a.csv", b"a,b\n1,2\n", "No column has a known name."),
        ("a.csv", b"company,Company\n1,2\n", "The column company stands there twice."),
        ("a.csv", b"\x00\x01\x02\x81", "This is no text file."),
        ("a.csv", b"\xff\xfea", "This is no text file."),
        ("a.csv", b'company\n"a"b\n', "is no CSV"),
        ("a.xlsx", b"company\n", "This is no workbook"),
        ("a.xlsx", b"PK\x03\x04broken", "This is no workbook"),
        ("a.csv", b"company," + b"x," * 300 + b"\n", "more than 200 columns"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(name, content, problem, sue):
    assert problem in refusal(sue, content, name=name)


def test_a_workbook_that_unpacks_to_too_much_is_refused(sue, monkeypatch):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * 1_000_000)
    monkeypatch.setattr(sheets, "MOST_UNPACKED", 999_999)
    assert "too large once unpacked" in refusal(sue, file.getvalue(), name="bomb.xlsx")


def test_a_workbook_without_its_sheets_is_refused(sue):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("other.txt", b"x")
    assert "This is no workbook" in refusal(sue, file.getvalue(), name="a.xlsx")


def test_too_many_rows_and_bytes_are_refused(sue, monkeypatch):
    monkeypatch.setattr(sheets, "MOST_ROWS", 2)
    assert "more than 20,000 rows" in refusal(sue, "company\n1\n2\n3\n")
    monkeypatch.setattr(sheets, "MOST_BYTES", 10)
    assert "larger than 10 MB" in refusal(sue, "displayName\nAda\n")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_empty_table_has_the_headers_that_are_understood(form, sue):
    answer = browser(sue).get(f"{CONTACTS}import/template/{form}/")
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    (_number, header), *rest = sheets.read(f"a.{form}", content)
    assert header[:3] == ["contactId", "displayName", "firstName"]
    assert rest == []


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_was_exported_is_imported_unchanged(form, amy):
    make_contact("=1+1", phones=("+12025550123", "+12025550124"), emails=("ada@example.org",))
    make_contact("Ben")
    make_queue("q_a", name="A", members=[make_user("ann")])
    make_disposition(types=["Chat", "InboundCall"])
    for path, name in ((CONTACTS, 2), (QUEUES, 1), (DISPOSITIONS, 1)):
        Export.objects.all().delete()
        answer = browser(amy).post(f"{path}export/", {"format": form, "fields_of": "import"})
        lines, _address = preview(amy, b"".join(answer.streaming_content), path, f"a.{form}")
        assert [line["status"] for line in lines] == ["unchanged"] * name, lines


# Who may


def test_only_who_may_add_and_change_everywhere_imports(tom, sue, queue):
    here = make_user("here", is_staff=True)
    grant(here, Scope.ADMIN, queue)
    for user in (tom, here):
        assert send(user, "displayName\nAda\n").status_code == 403
        assert send(user, "queueId,name\nq_x,X\n", QUEUES).status_code == 403
        assert "Import…" not in browser(user).get(QUEUES).content.decode()
    assert send(sue, "queueId,name\nq_x,X\n", QUEUES).status_code == 403
    assert "Import…" in browser(sue).get(CONTACTS).content.decode()
    assert not Export.objects.exists()


def test_an_import_is_seen_and_done_by_its_person_only(sue, amy):
    _lines, address = preview(sue, "displayName\nAda\n")
    for page in (address, f"{address}refused/"):
        assert browser(amy).get(page).status_code == 404
    assert browser(amy).post(address, {"go": "1"}).status_code == 404
    assert not Contact.objects.exists()
    assert not browser(sue).get("/admin/workitems/export/").context["cl"].result_count


def test_the_plan_of_one_list_is_no_plan_of_another(amy):
    _lines, address = preview(amy, "displayName\nAda\n")
    assert browser(amy).get(address.replace(CONTACTS, QUEUES)).status_code == 404


def test_a_worker_stops_where_its_person_may_not_import_any_more(sue):
    _lines, _address = preview(sue, "displayName\nAda\n")
    kept = import_jobs.of_user(sue)
    import_jobs.begin(kept, actor=import_jobs.exports.actor_for(kept), now=timezone.now())
    sue.groups.clear()
    sue.user_permissions.clear()
    tasks.run_import(import_id=kept.export_id)
    kept.refresh_from_db()
    assert (kept.state, kept.rows) == ("failed", 0)
    assert not Contact.objects.exists()


# Queues and dispositions


def test_queues_come_with_channels_members_and_service_levels(amy):
    make_user("ann")
    _lines, address = preview(
        amy,
        'queueId,name,channels,members,priority,offersAutomatically\nq_x,X,"voice:45, E-mail",ann,4,yes\n',
        QUEUES,
    )
    confirm(amy, address)
    queue = Queue.objects.get()
    assert (queue.queue_id, queue.priority, queue.offers_automatically) == ("q_x", 4, True)
    assert queue.sla_seconds == {"email": 3600, "voice": 45}
    assert [user.username for user in queue.members.all()] == ["ann"]


def test_a_queue_with_unknown_people_or_a_wrong_id_is_refused(amy):
    lines, _address = preview(amy, "queueId,name,members,priority\nq_x,X,nobody,3\nq y,Y,,3\nq_z,Z,,9\n", QUEUES)
    assert [line["problem"] for line in lines] == [
        "There is no user nobody.",
        "queue_id: Letters, digits and _ . - only.",
        "priority: “9” is no whole number from 1 to 5.",
    ]


def test_dispositions_come_with_their_types(amy):
    make_disposition("d_old", name="Old")
    content = 'dispositionId,name,types,resolved\nd_new,New,"chat; InboundCall",no\nd_old,Old,,yes\n'
    lines, address = preview(amy, content, DISPOSITIONS)
    confirm(amy, address)
    assert statuses(lines) == [(2, "new"), (3, "unchanged")]
    row = Disposition.objects.get(disposition_id="d_new")
    assert (row.types, row.is_resolved) == (["Chat", "InboundCall"], False)


# Many


def many(count):
    return "displayName,phones\n" + "".join(f"C{number},+1202555{number:04}\n" for number in range(count))


def test_a_large_import_is_finished_by_a_worker(sue, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setattr(importing, "AT_ONCE_SECONDS", 0)
    woken = []
    monkeypatch.setattr(tasks.run_import, "delay", lambda **ids: woken.append(ids["import_id"]))
    _lines, address = preview(sue, many(450))
    with django_capture_on_commit_callbacks(execute=True):
        page = confirm(sue, address)
    kept = import_jobs.of_user(sue)
    assert "0 of 450 rows are settled" in page.content.decode()
    assert woken == [kept.export_id]
    tasks.run_import(import_id=kept.export_id)
    assert Contact.objects.count() == 450
    assert "450 rows were imported." in browser(sue).get(address).content.decode()


def test_a_killed_workers_successor_does_no_row_twice(sue, monkeypatch):
    _lines, _address = preview(sue, many(450))
    kept = import_jobs.of_user(sue)
    import_jobs.begin(kept, actor=import_jobs.exports.actor_for(kept), now=timezone.now())
    do, done = import_jobs._do, []

    def killed(table, line, actor, now):
        if line["row"] == 300:
            raise SystemExit
        done.append(line["row"])
        do(table, line, actor, now)

    monkeypatch.setattr(import_jobs, "_do", killed)
    with pytest.raises(SystemExit):
        tasks.run_import(import_id=kept.export_id)
    assert Contact.objects.count() == 200
    monkeypatch.setattr(import_jobs, "_do", do)
    Export.objects.update(moved_at=timezone.now() - timedelta(minutes=1))
    monkeypatch.setattr(tasks.run_import, "delay", lambda import_id: tasks.run_import(import_id=import_id))
    assert tasks.drive_exports() == 1
    assert Contact.objects.count() == 450


def test_a_preview_asks_as_many_queries_for_a_thousand_rows_as_for_five_hundred(sue, django_assert_max_num_queries):
    with django_assert_max_num_queries(60):
        preview(sue, many(1_500))


def test_a_small_workbook_with_endless_empty_lines_is_refused_in_words():
    book = openpyxl.Workbook()
    book.active.append(["displayName"])
    book.active.cell(row=1_048_576, column=1, value="Ada")
    packed = io.BytesIO()
    book.save(packed)
    with pytest.raises(sheets.Unreadable, match="100,000 lines"):
        sheets.read("contacts.xlsx", packed.getvalue())


def test_a_cell_that_is_too_long_is_refused_in_words():
    line = "phones\n" + "a" + " " * 40_000 + "b\n"
    with pytest.raises(sheets.Unreadable, match="Row 2 has a cell"):
        sheets.read("contacts.csv", line.encode())
