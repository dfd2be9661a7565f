"""Contacts in the back office: found by what an index answers, corrected at the row, merged, blocked and erased."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from contacts.models import Contact, ContactPhone
from tests.builders import facts_of, make_contact, make_user, make_workitem
from tests.doors import browser
from workitems.choices import Scope, State
from workitems.groups import grant
from workitems.models import AuditEntry, BulkRun, ContactMerge

LIST = "/admin/contacts/contact/"
PHONE, OTHER, THIRD = "+12025550123", "+12025550124", "+12025550125"


def page_of(contact, name="change"):
    return reverse(f"admin:contacts_contact_{name}", args=[contact.pk])


def merge_page(merge, name):
    return reverse(f"admin:workitems_contactmerge_{name}", args=[merge.pk])


@pytest.fixture
def ada(db):
    return make_contact("Ada Lovelace", phones=(PHONE, OTHER), emails=("ada@example.com",))


@pytest.fixture
def double(db):
    contact = make_contact("ada lovelace", phones=(PHONE, THIRD))
    Contact.objects.filter(pk=contact.pk).update(company="Engines")
    return contact


@pytest.fixture
def local(queue):
    """Somebody who may read and write one queue only."""
    user = make_user("local", is_staff=True)
    grant(user, Scope.WRITE, queue)
    return user


def typed(client, contact, **changes):
    """Return the form of a contact as the page shows it, with some of it typed over."""
    page = client.get(page_of(contact))
    form = page.context["adminform"].form
    values = {name: form[name].value() for name in form.fields} | {"seen": form.seen_token}
    for inline in page.context["inline_admin_formsets"]:
        rows = inline.formset
        for part in (rows.management_form, *rows.forms):
            values |= {part.add_prefix(name): part[name].value() for name in part.fields}
    return {name: "" if value is None else value for name, value in values.items() if value is not False} | changes


def told(answer):
    return [str(message) for message in answer.context["messages"]]


# The list


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ada", ["Ada Lovelace"]),
        ("lace", ["Ada Lovelace"]),
        ("Ad", ["Ada Lovelace"]),
        ("(202) 555-0123", ["Ada Lovelace"]),
        ("+1 202 555", ["Ada Lovelace"]),
        ("ada@", ["Ada Lovelace"]),
        ("blocked:true", ["Bob"]),
        ("company:engines", ["Bob"]),
        ("lovelace AND NOT blocked:true", ["Ada Lovelace"]),
        ("nobody", []),
    ],
)
def test_contacts_are_found_by_words_numbers_addresses_and_the_search_language(text, names, ada, sue):
    bob = make_contact("Bob")
    Contact.objects.filter(pk=bob.pk).update(is_blocked=True, company="Engines")
    found = browser(sue).get(LIST, {"q": text}).context["cl"].result_list
    assert [one.display_name for one in found] == names


def test_a_search_that_cannot_be_understood_says_why_and_finds_nobody(ada, sue):
    answer = browser(sue).get(LIST, {"q": "colour:red"})
    assert len(told(answer)) == 1
    assert "colour" in told(answer)[0]
    assert list(answer.context["cl"].result_list) == []


def test_the_list_shows_open_work_and_who_may_be_the_same(ada, double, sue, queue):
    make_workitem(queue=queue, contact=ada)
    make_workitem(State.TERMINATED, queue=queue, contact=ada)
    rows = {one.display_name: one for one in browser(sue).get(LIST).context["cl"].result_list}
    assert (rows["Ada Lovelace"].open_count, rows["Ada Lovelace"].is_double) == (1, True)


@pytest.mark.parametrize("rows", [2, 25])
def test_a_page_of_the_list_costs_the_same_for_any_number_of_rows(rows, sue, queue, django_assert_max_num_queries):
    for number in range(rows):
        contact = make_contact(phones=(f"+1202555{number:04}",), emails=(f"{number}@example.com",))
        make_workitem(queue=queue, contact=contact)
    client = browser(sue)
    client.get(LIST)
    with django_assert_max_num_queries(12):
        client.get(LIST)


def test_who_went_up_in_another_contact_is_in_no_list(ada, double, sue):
    Contact.objects.filter(pk=double.pk).update(merged_into=ada)
    assert [one.pk for one in browser(sue).get(LIST).context["cl"].result_list] == [ada.pk]
    answer = browser(sue).get("/admin/autocomplete/", choosing("ada"))
    assert [one["id"] for one in answer.json()["results"]] == [str(ada.pk)]


def choosing(term):
    return {"app_label": "workitems", "model_name": "workitem", "field_name": "contact", "term": term}


def test_nobody_chooses_a_contact_that_he_may_not_see(ada, local):
    assert browser(local).get("/admin/autocomplete/", choosing("ada")).json()["results"] == []


# The form


@pytest.mark.parametrize("text", ["(202) 555-0199", "+1 202 555 0199", "202.555.0199", "tel:+1-202-555-0199"])
def test_a_number_is_kept_in_one_form_however_it_is_typed(text, ada, sue):
    client = browser(sue)
    client.post(page_of(ada), typed(client, ada, **{"phones-0-number": text}))
    assert "+12025550199" in ada.phones.values_list("number", flat=True)


@pytest.mark.parametrize(
    ("row", "text", "problem"),
    [
        ("phones-0-number", "call me", "is no phone number"),
        ("phones-1-number", "+1 (202) 555 0123", "stands there twice"),
        ("phones-1-is_primary", "on", "Only one can be the primary one"),
        ("emails-0-address", "ada", "valid email address"),
    ],
)
def test_what_is_wrong_with_a_row_is_told_at_the_row(row, text, problem, ada, sue):
    ContactPhone.objects.filter(number=PHONE).update(is_primary=True)
    client = browser(sue)
    answer = client.post(page_of(ada), typed(client, ada, **{row: text}))
    prefix, number, column = row.split("-")
    rows = next(one.formset for one in answer.context["inline_admin_formsets"] if one.formset.prefix == prefix)
    assert problem in str(rows.forms[int(number)].errors[column])
    assert sorted(ada.phones.values_list("number", flat=True)) == [PHONE, OTHER]


def test_another_number_becomes_the_primary_one(ada, sue):
    ContactPhone.objects.filter(number=OTHER).update(is_primary=True)
    client = browser(sue)
    values = typed(client, ada)
    first, second = sorted(("phones-0", "phones-1"), key=lambda row: values[f"{row}-number"] == OTHER)
    del values[f"{second}-is_primary"]
    client.post(page_of(ada), values | {f"{first}-is_primary": "on"})
    assert list(ada.phones.filter(is_primary=True).values_list("number", flat=True)) == [PHONE]


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": "\\ud800"}', '{"a": 1e999}'])
def test_data_that_cannot_be_kept_is_told_in_the_form(text, ada, sue):
    client = browser(sue)
    answer = client.post(page_of(ada), typed(client, ada, data=text))
    assert answer.context["adminform"].form.errors["data"]
    ada.refresh_from_db()
    assert ada.data == {}


def test_a_change_leaves_old_and_new(ada, sue):
    client = browser(sue)
    client.post(page_of(ada), typed(client, ada, company="Engines", **{"phones-0-DELETE": "on"}))
    entry = AuditEntry.objects.get()
    assert entry.details["changes"]["company"] == {"old": "", "new": "Engines"}
    assert len(entry.details["changes"]["phones"]["new"]) == 1


# The page


def test_the_page_of_a_contact_shows_its_work_and_who_it_may_be(ada, double, sue, queue, django_assert_max_num_queries):
    item = make_workitem(queue=queue, contact=ada)
    client = browser(sue)
    client.get(page_of(ada))
    with django_assert_max_num_queries(24):
        page = client.get(page_of(ada)).content.decode()
    assert item.workitem_id in page
    assert f"{page_of(ada, 'merge')}?other={double.pk}" in page


def test_one_sees_only_that_work_of_a_contact_that_one_may_see(ada, local, queue, sales):
    seen, unseen = make_workitem(queue=queue, contact=ada), make_workitem(queue=sales, contact=ada)
    page = browser(local).get(page_of(ada)).content.decode()
    assert seen.workitem_id in page
    assert unseen.workitem_id not in page


@pytest.mark.parametrize("name", ["change", "history", "merge", "erase"])
def test_what_one_may_not_see_answers_as_if_it_were_not_there(name, ada, local):
    assert browser(local).get(page_of(ada, name)).status_code == 404


def test_who_went_up_in_another_contact_leads_there(ada, double, sue, local):
    Contact.objects.filter(pk=double.pk).update(merged_into=ada)
    assert browser(sue).get(page_of(double))["Location"] == page_of(ada)
    assert browser(local).get(page_of(double)).status_code == 404


# Merging


def confirmed(kept, gone, **choices):
    versions = {"kept_version": kept.version, "gone_version": gone.version}
    return {"other": gone.pk, **versions, **{f"choice-{name}": value for name, value in choices.items()}}


def test_a_merge_is_previewed_with_both_side_by_side_and_writes_nothing(ada, double, sue, queue):
    make_workitem(queue=queue, contact=double)
    page = browser(sue).get(page_of(ada, "merge"), {"other": double.pk}).content.decode()
    assert "1 workitem moves to Ada Lovelace" in page
    assert THIRD in page
    assert ContactMerge.objects.count() == 0


def test_a_merge_does_what_was_chosen_and_leaves_its_traces(ada, double, sue, queue):
    item = make_workitem(queue=queue, contact=double)
    answer = browser(sue).post(page_of(ada, "merge"), confirmed(ada, double, display_name="gone"), follow=True)
    ada.refresh_from_db()
    assert (ada.display_name, ada.company, facts_of(item)["contact_id"]) == ("ada lovelace", "Engines", ada.pk)
    assert told(answer) == ["ada lovelace went up in ada lovelace. 1 workitem moved."]
    assert LogEntry.objects.get().object_id == str(ada.pk)
    assert AuditEntry.objects.filter(what="contact merged").count() == 2


def test_a_merge_of_what_has_changed_meanwhile_shows_both_once_more(ada, double, sue):
    body = confirmed(ada, double, display_name="gone")
    Contact.objects.filter(pk=double.pk).update(version=2, company="Mills")
    answer = browser(sue).post(page_of(ada, "merge"), body)
    page = answer.content.decode()
    assert "has changed meanwhile" in page
    assert "Mills" in page
    assert ContactMerge.objects.count() == 0


@pytest.mark.parametrize("other", ["unseen", "missing", "self", "word"])
def test_nobody_merges_with_what_he_may_not_see_or_with_itself(other, ada, sue):
    pk = {"unseen": 10**9, "missing": 0, "self": ada.pk, "word": "x"}[other]
    client = browser(sue)
    for answer in (
        client.get(page_of(ada, "merge"), {"other": pk}),
        client.post(page_of(ada, "merge"), {"other": pk, "kept_version": 1, "gone_version": 1}),
    ):
        assert answer.status_code == (302 if other == "self" else 404)
    assert ContactMerge.objects.count() == 0


@pytest.mark.parametrize("name", ["merge", "block"])
def test_readers_change_nothing(name, ada, double, tom):
    answer = browser(tom).post(page_of(ada, name), {**confirmed(ada, double), "blocked": "1"})
    ada.refresh_from_db()
    assert (answer.status_code, ada.version, ContactMerge.objects.count()) == (403, 1, 0)


def test_one_who_writes_in_one_queue_merges_nothing(ada, double, local, queue):
    make_workitem(queue=queue, contact=ada)
    assert browser(local).post(page_of(ada, "merge"), confirmed(ada, double)).status_code == 403
    assert ContactMerge.objects.count() == 0


def test_many_workitems_follow_in_the_background(ada, double, sue, queue, monkeypatch):
    monkeypatch.setattr("workitems.contact_book.following.AT_ONCE", 1)
    for _ in range(2):
        make_workitem(queue=queue, contact=double)
    answer = browser(sue).post(page_of(ada, "merge"), confirmed(ada, double), follow=True)
    assert BulkRun.objects.get().total == 2
    assert "Its workitems are on their way" in answer.content.decode()


def test_an_undo_says_what_could_not_be_restored(ada, double, sue):
    client = browser(sue)
    client.post(page_of(ada, "merge"), confirmed(ada, double), follow=True)
    Contact.objects.filter(pk=ada.pk).update(company="Mills")
    ContactPhone.objects.filter(number=THIRD).delete()
    merge = ContactMerge.objects.get()
    answer = client.post(merge_page(merge, "undo"), follow=True)
    assert told(answer) == [
        "Changed since the merge, and left as it is: Company.",
        f"Taken away since the merge, and not given back: {THIRD}.",
        "ada lovelace and Ada Lovelace are two contacts again.",
    ]
    again = client.post(merge_page(merge, "undo"), follow=True)
    assert told(again) == [f"Nothing was undone: The merge {merge.merge_id} has been undone already."]


def test_what_was_left_behind_is_brought_over(ada, double, sue, queue):
    client = browser(sue)
    client.post(page_of(ada, "merge"), confirmed(ada, double))
    late = make_workitem(queue=queue, contact=double)
    assert "1 workitem left behind" in client.get(page_of(ada)).content.decode()
    client.post(merge_page(ContactMerge.objects.get(), "follow"))
    assert facts_of(late)["contact_id"] == ada.pk


@pytest.mark.parametrize("name", ["undo", "follow"])
def test_a_merge_is_undone_by_nobody_who_could_not_make_it(name, ada, double, sue, tom, local):
    browser(sue).post(page_of(ada, "merge"), confirmed(ada, double))
    merge = ContactMerge.objects.get()
    assert browser(tom).post(merge_page(merge, name)).status_code == 403
    assert browser(local).post(merge_page(merge, name)).status_code == 404
    merge.refresh_from_db()
    assert merge.undone_at is None


# Duplicates


def test_the_page_of_duplicates_shows_groups(ada, double, sue, django_assert_max_num_queries):
    client = browser(sue)
    client.get(f"{LIST}duplicates/")
    with django_assert_max_num_queries(16):
        page = client.get(f"{LIST}duplicates/").content.decode()
    assert f"Share the number {PHONE}, the name Ada Lovelace" in page


def test_one_who_does_not_see_all_contacts_has_no_page_of_duplicates(ada, double, local):
    assert browser(local).get(f"{LIST}duplicates/").status_code == 403


# Blocking and erasing


def test_blocking_and_unblocking(ada, sue):
    client = browser(sue)
    client.post(page_of(ada, "block"), {"blocked": "1"})
    assert Contact.objects.get().is_blocked
    client.post(page_of(ada, "block"), {"blocked": "0"})
    assert not Contact.objects.get().is_blocked
    assert list(AuditEntry.objects.order_by("pk").values_list("what", flat=True)) == [
        "contact blocked", "contact unblocked",
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["", "delete", "era"])
def test_nobody_is_erased_without_the_word(word, ada, amy):
    answer = browser(amy).post(page_of(ada, "erase"), {"word": word})
    assert "Type the word" in answer.content.decode()
    ada.refresh_from_db()
    assert (ada.display_name, ada.erased_at) == ("Ada Lovelace", None)


def test_a_person_is_erased_and_the_contact_is_closed(ada, amy, queue):
    make_workitem(State.TERMINATED, queue=queue, contact=ada, name="Ada")
    answer = browser(amy).post(page_of(ada, "erase"), {"word": " Erase "}, follow=True)
    assert told(answer) == ["The person is erased. 1 workitem was emptied."]
    page = answer.content.decode()
    assert "Lovelace" not in page
    assert 'name="_save"' not in page
    assert "Lovelace" not in browser(amy).get(page_of(ada, "history")).content.decode()


def test_nobody_is_erased_while_work_is_open(ada, amy, queue):
    make_workitem(queue=queue, contact=ada)
    answer = browser(amy).post(page_of(ada, "erase"), {"word": "erase"}, follow=True)
    assert "There is still open work" in told(answer)[0]
    ada.refresh_from_db()
    assert ada.erased_at is None


def test_one_without_the_admin_scope_erases_nobody(ada, sue):
    assert browser(sue).post(page_of(ada, "erase"), {"word": "erase"}).status_code == 403
    ada.refresh_from_db()
    assert ada.erased_at is None


XSS = '"><script>alert(1)</script>'


def test_what_a_contact_says_is_nowhere_taken_for_markup(sue, amy):
    one, two = make_contact(XSS, phones=(PHONE,)), make_contact(XSS, phones=(PHONE,))
    Contact.objects.update(company=XSS, notes=XSS)
    Contact.objects.filter(pk=two.pk).update(company=XSS + "2")
    client = browser(amy)
    pages = [client.get(LIST), client.get(page_of(one)), client.get(f"{LIST}duplicates/"),
             client.get(page_of(one, "merge")), client.get(page_of(one, "merge"), {"other": two.pk}),
             client.get(page_of(one, "erase")), client.get(page_of(one, "history"))]  # fmt: skip
    assert [page.status_code for page in pages] == [200] * 7
    assert not any("<script>alert(1)" in page.content.decode() for page in pages)
