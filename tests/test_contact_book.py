"""Two contacts become one and two again, are blocked, or are erased; their workitems follow, each with its event."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection, connections, transaction

from contacts.models import Contact
from tests.builders import LATER, NOON, facts_of, last_event, make_contact, make_user, make_workitem
from workitems import bulk, commands, contact_book, directory, history, runs, services
from workitems.actors import Actor
from workitems.choices import Door, Event, Scope, State, Type
from workitems.contact_book import Choice
from workitems.errors import (
    ContactErased,
    ContactHasOpenWork,
    ContactMerged,
    MergeUndone,
    MissingScope,
    SameContact,
    StaleVersion,
    UnknownObject,
    WorkitemError,
    WrongRunState,
)
from workitems.groups import grant
from workitems.models import AuditEntry, ContactMerge, OutgoingMail, TimeEvent, Workitem

PHONE, OTHER, THIRD = "+12025550123", "+12025550124", "+12025550125"


@pytest.fixture
def ada(db):
    return make_contact("Ada Lovelace", phones=(PHONE, OTHER), emails=("ada@example.com",))


@pytest.fixture
def double(db):
    contact = make_contact("ada lovelace", phones=(PHONE, THIRD), emails=("ada@work.example",))
    Contact.objects.filter(pk=contact.pk).update(company="Engines", notes="Calls on Mondays.", first_name="Ada")
    contact.refresh_from_db()
    return contact


def merged(kept, gone, actor, choices=None, seen=None) -> ContactMerge:
    return contact_book.merge(kept.contact_id, gone.contact_id, choices or {}, actor=actor, now=LATER, seen=seen)


def numbers_of(contact) -> list[str]:
    return sorted(contact.phones.values_list("number", flat=True))


def addresses_of(contact) -> list[str]:
    return sorted(contact.emails.values_list("address", flat=True))


def everything() -> list[object]:
    contacts = list(Contact.objects.order_by("pk").values())
    return [contacts, [(numbers_of(one), addresses_of(one)) for one in Contact.objects.order_by("pk")],
            ContactMerge.objects.count(), AuditEntry.objects.count(), TimeEvent.objects.count()]  # fmt: skip


# Merging


def test_the_kept_contact_takes_over_what_it_lacks(ada, double, supervisor):
    merged(ada, double, supervisor)
    ada.refresh_from_db()
    assert (ada.display_name, ada.first_name, ada.company, ada.notes) == (
        "Ada Lovelace", "Ada", "Engines", "Calls on Mondays.",
    )  # fmt: skip
    assert numbers_of(ada) == [PHONE, OTHER, THIRD]
    assert addresses_of(ada) == ["ada@example.com", "ada@work.example"]
    assert ada.version == 2


def test_the_other_one_is_gone_for_everybody(ada, double, supervisor):
    merged(ada, double, supervisor)
    double.refresh_from_db()
    assert (double.merged_into, double.version, numbers_of(double)) == (ada, 2, [])
    assert list(directory.visible_contacts(supervisor)) == [ada]
    assert Contact.objects.the_one_known_by(THIRD) == ada


@pytest.mark.parametrize(
    ("choice", "company", "notes"),
    [
        (Choice.KEPT, "Mills", "Deaf."),
        (Choice.GONE, "Engines", "Calls on Mondays."),
        (Choice.BOTH, "Mills", "Deaf.\n\nCalls on Mondays."),
    ],
)
def test_where_both_say_something_somebody_chooses(choice, company, notes, ada, double, supervisor):
    Contact.objects.filter(pk=ada.pk).update(company="Mills", notes="Deaf.")
    merged(ada, double, supervisor, {"company": choice, "notes": choice})
    ada.refresh_from_db()
    assert (ada.company, ada.notes) == (company, notes)


def test_whoever_was_blocked_stays_blocked_unless_somebody_says_otherwise(ada, double, supervisor):
    Contact.objects.filter(pk=double.pk).update(is_blocked=True)
    merged(ada, double, supervisor)
    ada.refresh_from_db()
    assert ada.is_blocked


def test_the_id_of_a_source_system_is_only_with_one_of_them(ada, double, supervisor):
    Contact.objects.filter(pk=double.pk).update(source="crm", external_id="7")
    merged(ada, double, supervisor)
    ada.refresh_from_db()
    double.refresh_from_db()
    assert (ada.source, ada.external_id, double.external_id) == ("crm", "7", "")


def test_workitems_follow_each_with_its_event(ada, double, supervisor, queue):
    open_one = make_workitem(queue=queue, contact=double)
    ended = make_workitem(State.TERMINATED, queue=queue, contact=double, archived_at=NOON)
    merge = merged(ada, double, supervisor)
    for item in (open_one, ended):
        event = last_event(item)
        assert facts_of(item)["contact_id"] == ada.pk
        assert (event.type, event.version, event.actor) == (Event.EDITED, 2, "sue")
        assert event.details == {
            "contact": {"old": double.contact_id, "new": ada.contact_id}, "mergeId": merge.merge_id,
        }  # fmt: skip


def test_a_merge_leaves_an_audit_entry_on_both(ada, double, supervisor):
    merge = merged(ada, double, supervisor)
    for contact in (ada, double):
        entry = AuditEntry.objects.get(subject=contact.contact_id)
        assert (entry.what, entry.actor, entry.details["merge"]) == ("contact merged", "sue", merge.merge_id)
    changes = AuditEntry.objects.get(subject=ada.contact_id).details["changes"]
    assert changes["company"] == {"old": "", "new": "Engines"}
    assert len(changes["phones"]["new"]) == 3


def test_many_workitems_follow_in_a_run(ada, double, supervisor, sue, queue, monkeypatch):
    monkeypatch.setattr(contact_book.following, "AT_ONCE", 2)
    items = [make_workitem(queue=queue, contact=double) for _ in range(3)]
    merge = merged(ada, double, supervisor)
    assert {facts_of(item)["contact_id"] for item in items} == {double.pk}
    services.execute(commands.Edit({"contact": None}), items[0].workitem_id, actor=supervisor, now=LATER)
    runs.work_off(bulk.BULK_RUNS, merge.run.pk, clock=lambda: LATER, seconds=5)
    merge.run.refresh_from_db()
    assert (merge.run.done, merge.run.refused) == (2, 1)
    assert [facts_of(item)["contact_id"] for item in items] == [None, ada.pk, ada.pk]


def test_a_contact_is_not_merged_into_itself(ada, supervisor):
    before = everything()
    with pytest.raises(SameContact):
        merged(ada, ada, supervisor)
    assert everything() == before


@pytest.mark.parametrize("which", ["kept", "gone"])
@pytest.mark.parametrize(("fact", "error"), [("merged_into", ContactMerged), ("erased_at", ContactErased)])
def test_what_is_no_contact_any_more_is_not_merged(which, fact, error, ada, double, supervisor):
    third = make_contact("Bob")
    broken = ada if which == "kept" else double
    Contact.objects.filter(pk=broken.pk).update(**{fact: third if fact == "merged_into" else NOON})
    before = everything()
    with pytest.raises(error):
        merged(ada, double, supervisor)
    assert everything() == before


def test_one_who_may_not_write_everywhere_merges_nothing(ada, double, tom, queue):
    user = make_user()
    grant(user, Scope.WRITE, queue)
    before = everything()
    for one in (tom, user):
        with pytest.raises(MissingScope):
            merged(ada, double, Actor.of(one, Door.ADMIN))
    assert everything() == before


def test_a_contact_that_does_not_exist_is_not_merged(ada, supervisor):
    with pytest.raises(UnknownObject):
        contact_book.merge(ada.contact_id, "ct_nobody", {}, actor=supervisor, now=LATER)


def test_what_has_changed_since_it_was_looked_at_is_not_merged(ada, double, supervisor):
    before = everything()
    with pytest.raises(StaleVersion):
        merged(ada, double, supervisor, seen=(1, 2))
    assert everything() == before


def test_an_undo_of_the_later_merge_comes_first(ada, double, supervisor):
    third = make_contact("Ada L.")
    first = merged(ada, double, supervisor)
    merged(third, ada, supervisor)
    before = everything()
    with pytest.raises(ContactMerged):
        contact_book.undo(first.merge_id, actor=supervisor, now=LATER)
    assert everything() == before


# Programs


def test_the_id_of_a_merged_contact_leads_programs_to_the_kept_one(ada, double, supervisor):
    third = make_contact("Ada L.")
    merged(ada, double, supervisor)
    merged(third, ada, supervisor)
    assert directory.CONTACT.find(double.contact_id, supervisor) == third


@pytest.mark.parametrize(
    "attempt",
    [
        lambda one, actor: directory.CONTACT.change(one.contact_id, {"company": "x"}, actor=actor, now=LATER),
        lambda one, actor: directory.CONTACT.delete(one.contact_id, actor=actor, now=LATER),
    ],
)
def test_by_the_id_of_a_merged_contact_programs_change_and_delete_nothing(attempt, ada, double, supervisor, amy):
    merged(ada, double, supervisor)
    actor, before = Actor.of(amy, Door.API), everything()
    with pytest.raises(UnknownObject):
        attempt(double, actor)
    assert everything() == before


def test_one_who_may_not_see_the_kept_contact_is_not_led_to_it(ada, double, supervisor, queue, sales):
    user = make_user()
    grant(user, Scope.READ, queue)
    make_workitem(queue=sales, contact=double)
    merged(ada, double, supervisor)
    with pytest.raises(UnknownObject):
        directory.CONTACT.find(double.contact_id, Actor.of(user, Door.API))


# Undoing


def test_an_undo_restores_both_as_they_were(ada, double, supervisor, queue):
    Contact.objects.filter(pk=double.pk).update(source="crm", external_id="7")
    item = make_workitem(queue=queue, contact=double)
    own = make_workitem(queue=queue, contact=ada)
    leave = ("version", "modified_at")
    before = [{k: v for k, v in row.items() if k not in leave} for row in Contact.objects.order_by("pk").values()]
    parts = [(numbers_of(one), addresses_of(one)) for one in (ada, double)]
    merge = merged(ada, double, supervisor)
    undone = contact_book.undo(merge.merge_id, actor=supervisor, now=LATER)
    after = [{k: v for k, v in row.items() if k not in leave} for row in Contact.objects.order_by("pk").values()]
    assert after == before
    assert [(numbers_of(one), addresses_of(one)) for one in (ada, double)] == parts
    assert (facts_of(item)["contact_id"], facts_of(own)["contact_id"]) == (double.pk, ada.pk)
    assert (undone.items, undone.items_left, undone.kept_as_is, undone.not_given_back) == (1, 0, [], [])
    assert AuditEntry.objects.filter(what="contact merge undone").count() == 2


def test_an_undo_leaves_what_somebody_has_changed_since_and_says_so(ada, double, supervisor, queue):
    moved, changed = (make_workitem(queue=queue, contact=double) for _ in range(2))
    later = make_workitem(queue=queue, contact=ada)
    merge = merged(ada, double, supervisor)
    values = {"company": "Mills", "phones": [PHONE, OTHER]}
    directory.CONTACT.change(ada.contact_id, values, actor=supervisor, now=LATER)
    third = make_contact("Third")
    services.execute(commands.Edit({"contact": third}), changed.workitem_id, actor=supervisor, now=LATER)
    undone = contact_book.undo(merge.merge_id, actor=supervisor, now=LATER)
    ada.refresh_from_db()
    assert (undone.kept_as_is, undone.not_given_back) == (["company"], [THIRD])
    assert (undone.items, undone.items_left) == (1, 1)
    assert (ada.company, ada.first_name, numbers_of(double)) == ("Mills", "", [PHONE])
    assert [facts_of(one)["contact_id"] for one in (moved, changed, later)] == [double.pk, third.pk, ada.pk]


def test_a_merge_is_not_undone_twice(ada, double, supervisor):
    merge = merged(ada, double, supervisor)
    contact_book.undo(merge.merge_id, actor=supervisor, now=LATER)
    before = everything()
    with pytest.raises(MergeUndone):
        contact_book.undo(merge.merge_id, actor=supervisor, now=LATER)
    assert everything() == before


def test_a_merge_whose_workitems_still_move_is_not_undone(ada, double, supervisor, queue, monkeypatch):
    monkeypatch.setattr(contact_book.following, "AT_ONCE", 0)
    make_workitem(queue=queue, contact=double)
    merge = merged(ada, double, supervisor)
    with pytest.raises(WrongRunState):
        contact_book.undo(merge.merge_id, actor=supervisor, now=LATER)
    runs.work_off(bulk.BULK_RUNS, merge.run.pk, clock=lambda: LATER, seconds=5)
    runs.work_off(bulk.BULK_RUNS, merge.run.pk, clock=lambda: LATER, seconds=5)
    contact_book.undo(merge.merge_id, actor=supervisor, now=LATER)
    merge.refresh_from_db()
    runs.work_off(bulk.BULK_RUNS, merge.undo_run.pk, clock=lambda: LATER, seconds=5)
    assert Workitem.objects.get().contact == double


def test_what_came_for_the_merged_one_meanwhile_can_be_brought_over(ada, double, supervisor, queue):
    merge = merged(ada, double, supervisor)
    late = make_workitem(queue=queue, contact=double)
    contact_book.follow(merge, actor=supervisor, now=LATER)
    assert facts_of(late)["contact_id"] == ada.pk
    contact_book.undo(merge.merge_id, actor=supervisor, now=LATER)
    assert facts_of(late)["contact_id"] == double.pk


# Races


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="transactions overlap on PostgreSQL only")
def test_of_two_merges_into_each_other_one_is_refused():
    sue = make_user("sue")
    grant(sue, Scope.WRITE)
    actor, start = Actor.of(sue, Door.ADMIN), threading.Barrier(2)

    def attempt(kept, gone) -> str:
        start.wait()
        try:
            merged(kept, gone, actor)
        except WorkitemError as refusal:
            return refusal.code
        finally:
            connections["default"].close()
        return "done"

    for _ in range(10):
        one, two = make_contact("One", phones=(PHONE,)), make_contact("Two", phones=(OTHER,))
        with ThreadPoolExecutor(2) as pool:
            told = list(pool.map(attempt, (one, two), (two, one)))
        assert sorted(told) == ["contact_merged", "done"]
        assert Contact.objects.filter(pk__in=[one.pk, two.pk], merged_into=None).count() == 1


# Duplicates


def test_duplicates_are_found_by_number_address_and_name(ada, double, supervisor):
    by_mail = make_contact("A. L.", emails=("ada@example.com",))
    by_name = make_contact("ADA   LOVELACE")
    make_contact("Ada Lovelace-King")
    found = {one.contact: sorted(reason for reason, _value in one.shared)
             for one in contact_book.duplicates_of(ada, supervisor)}  # fmt: skip
    assert found == {double: ["name", "number"], by_mail: ["address"], by_name: ["name"]}


def test_merged_and_erased_contacts_are_nobodys_duplicates(ada, double, supervisor):
    merged(ada, double, supervisor)
    gone = make_contact("Ada Lovelace")
    Contact.objects.filter(pk=gone.pk).update(erased_at=NOON)
    assert contact_book.duplicates_of(ada, supervisor) == []


def test_one_learns_of_no_duplicate_that_one_may_not_see(ada, double, queue):
    user = make_user()
    grant(user, Scope.READ, queue)
    assert contact_book.duplicates_of(ada, Actor.of(user, Door.ADMIN)) == []


def test_the_book_is_walked_in_stretches_and_each_group_is_told_once(ada, double, db, monkeypatch):
    monkeypatch.setattr(contact_book.duplicates, "STRETCH", 2)
    monkeypatch.setattr(contact_book.duplicates, "STRETCHES", 1)
    third = make_contact("Third", phones=(PHONE,), emails=("ada@example.com",))
    last = make_contact("Last", emails=("third@example.com",))
    told, after = [], 0
    while after is not None:
        part = contact_book.find_groups(after)
        told += [(*group.shared, group.contacts) for group in part.groups]
        after = part.after
    assert sorted(told, key=lambda one: one[0]) == [
        (("address", "ada@example.com"), [ada, third]),
        (("name", "Ada Lovelace"), [ada, double]),
        (("number", PHONE), [ada, double, third]),
    ]
    assert last.pk > third.pk


# Blocking


def test_blocking_leaves_an_audit_entry_once(ada, supervisor):
    for _ in range(2):
        contact_book.set_blocked(ada.contact_id, True, actor=supervisor, now=LATER)
    ada.refresh_from_db()
    assert (ada.is_blocked, ada.version) == (True, 2)
    assert AuditEntry.objects.get().what == "contact blocked"


def test_one_who_may_not_write_everywhere_blocks_nobody(ada, tom):
    with pytest.raises(MissingScope):
        contact_book.set_blocked(ada.contact_id, True, actor=Actor.of(tom, Door.ADMIN), now=LATER)
    ada.refresh_from_db()
    assert not ada.is_blocked


# Erasing


def history_of(*items) -> str:
    return " ".join(str(event.details) for event in TimeEvent.objects.filter(workitem__in=items))


def ended(queue, **facts):
    return make_workitem(State.TERMINATED, queue=queue, **facts)


def test_an_erased_person_is_nowhere_any_more(ada, double, supervisor, admin_actor, queue, sue):
    Contact.objects.filter(pk=ada.pk).update(
        first_name="Ada", last_name="Lovelace", company="Engines", source="crm", external_id="7", notes="Lovelace",
        data={"born": "Lovelace"},
    )  # fmt: skip
    directory.CONTACT.change(ada.contact_id, {"company": "Lovelace & Co"}, actor=supervisor, now=NOON)
    merged(ada, double, supervisor)
    LogEntry.objects.create(
        user=sue, content_type=ContentType.objects.get_for_model(Contact), object_id=str(ada.pk),
        object_repr="Ada Lovelace", action_flag=CHANGE, change_message="Lovelace",
    )  # fmt: skip
    contact_book.erase(ada.contact_id, actor=admin_actor, now=LATER)
    for contact in Contact.objects.all():
        assert (contact.display_name, contact.erased_at) == ("Erased contact", LATER)
        assert "ovelace" not in str(Contact.objects.filter(pk=contact.pk).values())
        assert (numbers_of(contact), addresses_of(contact)) == ([], [])
    told = str([list(model.objects.values()) for model in (AuditEntry, ContactMerge, LogEntry)])
    assert not any(word in told for word in ("ovelace", PHONE, "ada@", "Engines"))
    assert AuditEntry.objects.filter(what="contact erased").count() == 2
    assert not contact_book.erasure_left(Contact.objects.get(pk=ada.pk))


def test_workitems_stay_and_the_person_goes_from_them_and_their_history(ada, admin_actor, queue):
    call = ended(queue, contact=ada, from_address=PHONE, to_address="+18005550100", name="Ada", data={"a": "Ada"})
    written = ended(queue, contact=ada, type=Type.OUTBOUND_SMS, from_address="+18005550100", to_address="+12025559999")
    services.execute(commands.AddNote("Ada called."), call.workitem_id, actor=admin_actor, now=LATER)
    services.execute(commands.Edit({"name": "Ada's call"}), call.workitem_id, actor=admin_actor, now=LATER)
    erasure = contact_book.erase(ada.contact_id, actor=admin_actor, now=LATER)
    assert (erasure.items, erasure.is_complete) == (2, True)
    after = facts_of(call)
    assert (after["from_address"], after["to_address"], after["name"], after["data"]) == ("", "+18005550100", "", {})
    assert (facts_of(written)["from_address"], facts_of(written)["to_address"]) == ("+18005550100", "")
    assert (after["contact_id"], after["state"], after["version"]) == (ada.pk, State.TERMINATED, 4)
    assert last_event(call).details == {"erased": ["data", "from", "name"]}
    assert "Ada" not in history_of(call)
    told = TimeEvent.objects.filter(workitem=call).order_by("version").values_list("type", flat=True)
    assert list(told) == ["created", "note", "edited", "edited"]


def test_what_came_without_a_contact_from_an_address_of_that_person_alone_goes_as_well(ada, admin_actor, queue):
    make_contact("House mate", phones=(OTHER,))
    alone, shared = ended(queue, from_address=PHONE), ended(queue, from_address=OTHER)
    contact_book.erase(ada.contact_id, actor=admin_actor, now=LATER)
    assert (facts_of(alone)["from_address"], facts_of(alone)["contact_id"]) == ("", ada.pk)
    assert facts_of(shared)["from_address"] == OTHER


def test_answers_by_mail_to_that_person_are_emptied_and_not_sent_any_more(ada, admin_actor, queue):
    item = ended(queue, contact=ada, type=Type.INBOUND_EMAIL)
    mail = OutgoingMail.objects.create(
        workitem=item, from_address="us@example.com", to_addresses=["ada@example.com"], subject="Ada", text="Ada",
        message_id="m", created_at=NOON, next_attempt_at=NOON,
    )  # fmt: skip
    contact_book.erase(ada.contact_id, actor=admin_actor, now=LATER)
    mail.refresh_from_db()
    assert (mail.to_addresses, mail.subject, mail.text, mail.progress) == ([], "", "", OutgoingMail.Progress.FAILED)


def test_an_erasure_goes_on_where_it_has_stopped(ada, admin_actor, queue, monkeypatch):
    items = [ended(queue, contact=ada, name="Ada") for _ in range(3)]
    monkeypatch.setattr(contact_book.erasing, "CHUNK", 1)
    monkeypatch.setattr(contact_book.erasing, "AT_ONCE", 2)
    first = contact_book.erase(ada.contact_id, actor=admin_actor, now=LATER)
    assert (first.items, first.is_complete) == (2, False)
    ada.refresh_from_db()
    assert contact_book.erasure_left(ada)
    second = contact_book.erase(ada.contact_id, actor=admin_actor, now=LATER)
    assert (second.items, second.is_complete) == (1, True)
    assert {facts_of(item)["name"] for item in items} == {""}
    assert not contact_book.erasure_left(ada)


def test_nobody_is_erased_while_work_for_him_is_open(ada, admin_actor, queue):
    make_workitem(queue=queue, contact=ada)
    before = everything()
    with pytest.raises(ContactHasOpenWork):
        contact_book.erase(ada.contact_id, actor=admin_actor, now=LATER)
    assert everything() == before


def test_erasing_needs_the_admin_scope(ada, supervisor):
    before = everything()
    with pytest.raises(MissingScope):
        contact_book.erase(ada.contact_id, actor=supervisor, now=LATER)
    assert everything() == before


def test_an_erased_contact_takes_no_facts_any_more(ada, admin_actor):
    contact_book.erase(ada.contact_id, actor=admin_actor, now=LATER)
    before = everything()
    with pytest.raises(ContactErased):
        directory.CONTACT.change(ada.contact_id, {"company": "x"}, actor=admin_actor, now=LATER)
    assert everything() == before


def test_a_merge_with_an_erased_contact_is_not_undone(ada, double, supervisor, admin_actor):
    merge = merged(ada, double, supervisor)
    contact_book.erase(ada.contact_id, actor=admin_actor, now=LATER)
    before = everything()
    with pytest.raises(ContactErased):
        contact_book.undo(merge.merge_id, actor=supervisor, now=LATER)
    assert everything() == before


BLANKED = {"details": {"erased": True}}


@pytest.mark.parametrize(
    ("erased", "change"),
    [
        (False, BLANKED),
        (True, {"details": {"text": "other"}}),
        (True, {"details": {"erased": True, "text": "other"}}),
        (True, BLANKED | {"actor": "other"}),
        (True, BLANKED | {"timestamp": NOON + timedelta(1)}),
        (True, {"type": "other"}),
    ],
)
def test_an_event_is_blanked_for_an_erased_person_only_and_changed_for_nobody(erased, change, ada, queue):
    Contact.objects.filter(pk=ada.pk).update(erased_at=NOON if erased else None)
    event = TimeEvent.objects.get(workitem=make_workitem(queue=queue, contact=ada))
    before = TimeEvent.objects.values().get(pk=event.pk)
    with pytest.raises(DatabaseError), transaction.atomic():
        TimeEvent.objects.filter(pk=event.pk).update(**change)
    assert TimeEvent.objects.values().get(pk=event.pk) == before


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite is held up by triggers")
def test_the_triggers_step_aside_for_migrations_and_come_back():
    def names() -> set[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            return {name for (name,) in cursor.fetchall()}

    before = names()
    history.remove_triggers(plan=["a migration"])
    assert names() == set()
    history.install_triggers()
    assert names() == before == set(history.TRIGGERS)
