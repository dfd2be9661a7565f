"""Scopes on queues: who has what and from where, who may grant it, and that both bite at once."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse

from queues.models import QueueGroupObjectPermission, QueueUserObjectPermission
from tests.builders import NOON, make_user, make_workitem
from tests.doors import browser
from workitems import scopes
from workitems.actors import Actor
from workitems.choices import Door, Scope
from workitems.errors import InvalidValue, MissingScope
from workitems.groups import grant
from workitems.models import AuditEntry

READ, WRITE, DELETE, ADMIN = (one.value for one in Scope)
INTO = "transfer_in"


@pytest.fixture
def quinn(queue):
    """Staff with the admin scope on this queue only."""
    user = make_user("quinn", is_staff=True)
    grant(user, Scope.ADMIN, queue)
    return user


@pytest.fixture
def team(ann) -> Group:
    """A group of the centre's own, with ann in it."""
    group = Group.objects.create(name="Night team")
    ann.groups.add(group)
    return group


def listing(queue) -> str:
    return reverse("admin:queues_queue_scopes", args=[queue.pk])


def page_of(queue, holder) -> str:
    kind = "group" if isinstance(holder, Group) else "user"
    return f"{listing(queue)}?who={kind}:{holder.pk}"


def as_actor(user: User) -> Actor:
    return Actor.of(User.objects.get(pk=user.pk), Door.ADMIN)


def rows() -> list[tuple[str, str, str]]:
    people = QueueUserObjectPermission.objects.values_list(
        "user__username", "permission__codename", "content_object__queue_id"
    )
    groups = QueueGroupObjectPermission.objects.values_list(
        "group__name", "permission__codename", "content_object__queue_id"
    )
    return sorted([*people, *groups])


# The rule


@pytest.mark.parametrize(("code", "codename"), [
    (READ, "read_workitems"), (WRITE, "write_workitems"), (DELETE, "delete_workitems"), (ADMIN, "admin_workitems"),
    (INTO, "transfer_in"),
])  # fmt: skip
def test_each_of_the_five_is_granted_on_this_queue_and_on_no_other(code, codename, quinn, queue, sales, ben):
    changed = scopes.set_on_queue(queue, ben, {code}, actor=as_actor(quinn), now=NOON)
    assert changed == ([code], [])
    assert ("ben", codename, "q_support") in rows()
    assert not as_actor(ben).queues_with(Scope.READ) or as_actor(ben).queues_with(Scope.READ) == [queue.pk]
    assert not as_actor(ben).can_transfer_into(sales)


def test_each_change_leaves_an_entry_with_whom_and_which_scope(quinn, queue, team):
    scopes.set_on_queue(queue, team, {READ, INTO}, actor=as_actor(quinn), now=NOON)
    scopes.set_on_queue(queue, team, {READ}, actor=as_actor(quinn), now=NOON)
    told = [(one.what, one.subject, one.actor, one.details) for one in AuditEntry.objects.order_by("pk")]
    assert told == [
        ("queue scope granted", "q_support", "quinn", {"scope": READ, "group": "Night team"}),
        ("queue scope granted", "q_support", "quinn", {"scope": INTO, "group": "Night team"}),
        ("queue scope revoked", "q_support", "quinn", {"scope": INTO, "group": "Night team"}),
    ]


def test_what_is_so_already_leaves_none(quinn, queue, ben):
    scopes.set_on_queue(queue, ben, {READ}, actor=as_actor(quinn), now=NOON)
    assert scopes.set_on_queue(queue, ben, {READ}, actor=as_actor(quinn), now=NOON) == ([], [])
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("held", [Scope.READ, Scope.WRITE, Scope.DELETE])
def test_less_than_the_admin_scope_grants_nothing(held, queue, ben):
    mike = make_user("mike", is_staff=True)
    grant(mike, held, queue)
    before = rows()
    with pytest.raises(MissingScope):
        scopes.set_on_queue(queue, ben, {READ}, actor=as_actor(mike), now=NOON)
    assert rows() == before


def test_the_admin_of_one_queue_grants_nothing_on_another(quinn, sales, ben):
    before = rows()
    with pytest.raises(MissingScope):
        scopes.set_on_queue(sales, ben, {READ}, actor=as_actor(quinn), now=NOON)
    assert rows() == before


def test_what_is_no_scope_is_refused(quinn, queue, ben):
    before = rows()
    with pytest.raises(InvalidValue):
        scopes.set_on_queue(queue, ben, {"add_user", READ}, actor=as_actor(quinn), now=NOON)
    assert rows() == before


def test_who_has_left_is_given_nothing_but_can_be_relieved(quinn, queue):
    gone = make_user("gone", is_active=False)
    with pytest.raises(InvalidValue):
        scopes.set_on_queue(queue, gone, {READ}, actor=as_actor(quinn), now=NOON)
    grant(gone, Scope.READ, queue)
    assert scopes.set_on_queue(queue, gone, set(), actor=as_actor(quinn), now=NOON) == ([], [READ])


# From where


def test_what_somebody_holds_is_told_with_where_it_comes_from(queue, ann, team):
    grant(ann, Scope.READ)
    grant(ann, Scope.WRITE, queue)
    ann.user_permissions.add(Permission.objects.get(codename="delete_workitems"))
    QueueGroupObjectPermission.objects.create(
        content_object=queue, group=team, permission=Permission.objects.get(codename="transfer_in")
    )
    told = {(one.code, one.queue and one.queue.queue_id, one.group and one.group.name) for one in scopes.held_by(ann)}
    assert told == {
        (READ, None, READ), (DELETE, None, None), (WRITE, "q_support", None), (INTO, "q_support", "Night team"),
    }  # fmt: skip


def test_a_superuser_holds_everything_as_such_and_who_has_left_nothing(queue):
    root, gone = make_user("root", is_superuser=True), make_user("gone", is_active=False, is_superuser=True)
    assert [(one.code, one.is_superuser) for one in scopes.held_by(root)] == [(ADMIN, True)]
    assert scopes.held_by(gone) == []


@pytest.mark.parametrize(("scope", "brought"), [
    (Scope.READ, {READ}),
    (Scope.WRITE, {READ, WRITE, INTO}),
    (Scope.DELETE, {READ, DELETE}),
    (Scope.ADMIN, {READ, WRITE, DELETE, ADMIN, INTO}),
])  # fmt: skip
def test_what_comes_from_elsewhere_brings_along_what_the_rights_say(scope, brought, queue, ann):
    grant(ann, scope)
    assert {code for code, found in scopes.sources(ann, queue).items() if found} == brought
    assert as_actor(ann).can_transfer_into(queue) is (INTO in brought)


# The pages


def test_the_page_shows_who_has_what_and_from_where(quinn, amy, queue, ben, team):
    grant(ben, Scope.READ, queue)
    QueueGroupObjectPermission.objects.create(
        content_object=queue, group=team, permission=Permission.objects.get(codename="transfer_in")
    )
    make_user("root", is_superuser=True)
    context = browser(quinn).get(listing(queue)).context
    assert [(one["name"], one["codes"], one["members"]) for one in context["given"]] == [
        ("Night team", [INTO], 1), ("ben", [READ], None), ("quinn", [ADMIN], None),
    ]  # fmt: skip
    assert ("workitems:admin", [ADMIN], 1) in [
        (one["name"], one["codes"], one["members"]) for one in context["everywhere"]
    ]
    assert (context["superusers"], context["members"]) == (["root"], 2)


def test_the_page_of_a_person_tells_what_he_has_from_elsewhere(quinn, queue, ann):
    grant(ann, Scope.READ)
    page = " ".join(browser(quinn).get(page_of(queue, ann)).content.decode().split())
    assert "workitems:read everywhere, through the group workitems:read" in page
    assert "Member: sees and handles what he is assigned, without any scope." in page


def test_a_grant_on_the_page_bites_at_once_and_so_does_its_end(quinn, queue, eve):
    item, theirs = make_workitem(queue=queue), browser(eve)
    place = f"/api/v1/workitems/{item.workitem_id}"
    assert theirs.get(place).status_code == 404
    browser(quinn).post(page_of(queue, eve), {"scopes": [READ]})
    assert theirs.get(place).status_code == 200
    browser(quinn).post(page_of(queue, eve), {"scopes": []})
    assert theirs.get(place).status_code == 404
    assert [one.what for one in AuditEntry.objects.order_by("pk")] == ["queue scope granted", "queue scope revoked"]
    assert LogEntry.objects.filter(user=quinn, object_id=str(queue.pk)).count() == 2


def test_giving_up_ones_own_admin_scope_asks_first(quinn, queue):
    before = rows()
    answer = browser(quinn).post(page_of(queue, quinn), {"scopes": [READ]})
    assert "You would not hold the admin scope here any more." in answer.content.decode()
    assert rows() == before
    browser(quinn).post(page_of(queue, quinn), {"scopes": [READ], "sure": "1"})
    assert rows() == [("quinn", "read_workitems", "q_support")]


def test_who_holds_it_from_elsewhere_too_is_not_asked(amy, queue):
    grant(amy, Scope.ADMIN, queue)
    browser(amy).post(page_of(queue, amy), {"scopes": []})
    assert rows() == []


def test_the_group_by_which_one_holds_it_is_asked_about_too(queue, ann, team):
    User.objects.filter(pk=ann.pk).update(is_staff=True)
    QueueGroupObjectPermission.objects.create(
        content_object=queue, group=team, permission=Permission.objects.get(codename="admin_workitems")
    )
    answer = browser(ann).post(page_of(queue, team), {"scopes": []})
    assert "You would not hold the admin scope here any more." in answer.content.decode()
    assert rows() == [("Night team", "admin_workitems", "q_support")]


@pytest.mark.parametrize("who", ["reader", "stranger", "agent", "elsewhere"])
def test_others_have_no_such_page_and_change_nothing(who, quinn, queue, sales, ann, tom, eve):
    there = make_user("there", is_staff=True)
    grant(there, Scope.ADMIN, sales)
    user, status = {"reader": (tom, 403), "stranger": (eve, 404), "agent": (ann, 302), "elsewhere": (there, 404)}[who]
    before = rows()
    client = browser(user)
    for address in (listing(queue), page_of(queue, user)):
        assert client.get(address).status_code == status
        assert client.post(address, {"scopes": [ADMIN]}).status_code == status
    assert rows() == before
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("holder", ["user:999999", "group:999999", "tribe:1", "user:x", "user:" + "9" * 99, ""])
def test_who_does_not_exist_has_no_page(holder, quinn, queue):
    assert browser(quinn).get(listing(queue), {"who": holder}).status_code == 404


def test_guardians_own_page_of_permissions_does_not_exist(amy, queue):
    assert browser(amy).get(f"/admin/queues/queue/{queue.pk}/permissions/", follow=True).status_code == 404


def test_people_and_groups_are_found_by_parts_of_their_names(quinn, queue, team):
    make_user("cleo", first_name="Cleo", last_name="Nightingale")
    make_user("gone", last_name="Nightly", is_active=False)
    found = browser(quinn).get(listing(queue), {"find": "night"}).context["found"]
    assert [name for name, _address, _is_group in found] == ["Night team", "Cleo Nightingale"]


def test_of_very_many_the_page_says_how_many_more_there_are(quinn, queue, monkeypatch):
    monkeypatch.setattr("workitems.admin.scopes.MOST_GIVEN", 2)
    for _ in range(4):
        grant(make_user(), Scope.READ, queue)
    answer = browser(quinn).get(listing(queue))
    assert len(answer.context["given"]) == 2
    assert "And 3 more: find them above." in answer.content.decode()


def test_the_page_costs_the_same_for_any_number(quinn, queue, django_assert_max_num_queries):
    for _ in range(30):
        grant(make_user(), Scope.READ, queue)
    client = browser(quinn)
    client.get(listing(queue))
    with django_assert_max_num_queries(25):
        assert len(client.get(listing(queue), {"find": "user"}).context["given"]) == 31


def test_the_queues_history_tells_of_scopes(quinn, queue, ben):
    browser(quinn).post(page_of(queue, ben), {"scopes": [WRITE]})
    page = browser(quinn).get(reverse("admin:queues_queue_history", args=[queue.pk])).content.decode()
    assert "queue scope granted" in page
    assert "workitems:write" in page
