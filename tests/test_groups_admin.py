"""Groups in the back office: members with an audit entry, the system's own groups kept, and nobody rising by it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse

from tests.builders import make_user
from tests.doors import browser
from workitems.choices import Scope
from workitems.groups import grant, sync_scope_groups
from workitems.models import AuditEntry

LIST = reverse("admin:auth_group_changelist")
ADD = reverse("admin:auth_group_add")


def page_of(group: Group, what: str = "change") -> str:
    return reverse(f"admin:auth_group_{what}", args=[group.pk])


def save(user: User, group: Group, **values):
    client = browser(user)
    page = client.get(page_of(group)).context
    seen = page["adminform"].form.seen_token
    return client.post(page_of(group), {"seen": seen, "name": group.name, **values})


def kept() -> list[tuple]:
    """Return all groups with their members and permissions."""
    return [
        (
            group.name,
            sorted(group.user_set.values_list("username", flat=True)),
            sorted(group.permissions.values_list("codename", flat=True)),
        )
        for group in Group.objects.order_by("name")
    ]


@pytest.fixture
def team(db) -> Group:
    return Group.objects.create(name="Night team")


def scope_group(scope: Scope) -> Group:
    return Group.objects.get(name=scope.value)


def test_the_list_marks_the_systems_own_groups_and_counts_members(amy, team):
    team.user_set.add(make_user(), make_user(is_active=False))
    answer = browser(amy).get(LIST)
    assert {one.name: one.count for one in answer.context["cl"].result_list} == {
        "Night team": 1, "workitems:read": 0, "workitems:write": 0, "workitems:delete": 0, "workitems:admin": 1,
    }  # fmt: skip
    assert answer.content.decode().count("Kept by the system") == 4


def test_the_four_groups_carry_their_scope_and_nothing_else(db):
    sync_scope_groups()
    assert {scope.value: [one.codename for one in scope_group(scope).permissions.all()] for scope in Scope} == {
        "workitems:read": ["read_workitems"],
        "workitems:write": ["write_workitems"],
        "workitems:delete": ["delete_workitems"],
        "workitems:admin": ["admin_workitems"],
    }


def test_members_are_put_in_and_taken_out_with_an_entry(amy, ann, ben):
    grant(ann, Scope.READ)
    assert save(amy, scope_group(Scope.READ), members_add="ben").status_code == 302
    assert sorted(scope_group(Scope.READ).user_set.values_list("username", flat=True)) == ["ben"]
    entry = AuditEntry.objects.get()
    assert (entry.what, entry.subject, entry.actor) == ("group changed", "workitems:read", "amy")
    assert entry.details == {"changes": {"members": {"old": ["ann"], "new": ["ben"]}}}


def test_a_group_of_ones_own_is_made_and_deleted_with_entries(amy, ann):
    browser(amy).post(ADD, {"name": "Night team", "members_add": "ann"})
    team = Group.objects.get(name="Night team")
    assert list(team.user_set.all()) == [ann]
    browser(amy).post(page_of(team, "delete"), {"post": "yes"})
    assert not Group.objects.filter(name="Night team").exists()
    assert [one.what for one in AuditEntry.objects.order_by("pk")] == ["group created", "group deleted"]


@pytest.mark.parametrize("name", ["workitems:root", "Workitems:Admin"])
def test_no_group_takes_a_name_of_the_systems(name, amy):
    before = kept()
    answer = browser(amy).post(ADD, {"name": name})
    assert list(answer.context["adminform"].form.errors) == ["name"]
    assert kept() == before


def test_the_systems_groups_are_neither_renamed_nor_deleted(amy):
    group = scope_group(Scope.READ)
    before = kept()
    save(amy, group, name="Readers")
    assert browser(amy).post(page_of(group, "delete"), {"post": "yes"}).status_code == 403
    assert kept() == before


def test_permissions_of_django_are_neither_shown_nor_taken(amy, team):
    raw = Permission.objects.get(codename="add_user")
    save(amy, team, permissions=[raw.pk])
    assert not team.permissions.exists()
    assert "permissions" not in browser(amy).get(page_of(team)).context["adminform"].form.fields


def test_a_group_that_gives_more_than_scopes_is_filled_by_superusers_only(amy, team, ann):
    team.permissions.add(Permission.objects.get(codename="change_user"))
    before = kept()
    assert browser(amy).post(page_of(team), {"name": "Night team", "members_add": "amy"}).status_code == 403
    assert kept() == before
    root = make_user("root", is_staff=True, is_superuser=True)
    assert save(root, team, members_add="ann").status_code == 302
    assert list(team.user_set.all()) == [ann]


def test_nobody_shuts_himself_out_of_everything(amy):
    before = kept()
    answer = save(amy, scope_group(Scope.ADMIN))
    assert "You would shut yourself out." in answer.content.decode()
    assert kept() == before


@pytest.mark.parametrize("scope", [Scope.READ, Scope.WRITE, Scope.DELETE, None])
def test_without_the_admin_scope_everywhere_groups_are_closed(scope, queue, team):
    user = make_user("mike", is_staff=True)
    grant(user, Scope.ADMIN, queue)
    if scope:
        grant(user, scope)
    before = kept()
    client = browser(user)
    assert [client.get(place).status_code for place in (LIST, ADD, page_of(team))] == [403, 403, 403]
    assert client.post(page_of(team), {"name": "Mine", "members_add": "mike"}).status_code == 403
    assert client.post(page_of(scope_group(Scope.ADMIN)), {"members_add": "mike"}).status_code == 403
    assert kept() == before
    assert not AuditEntry.objects.exists()


def test_somebody_taken_out_of_a_group_loses_its_scope_at_once(amy, tom):
    client = browser(tom)
    assert client.get("/admin/queues/queue/").status_code == 200
    save(amy, scope_group(Scope.READ))
    assert client.get("/admin/queues/queue/").status_code == 403


def test_a_colleagues_members_are_told_and_stay(amy, team, ann):
    client = browser(amy)
    seen = client.get(page_of(team)).context["adminform"].form.seen_token
    team.user_set.add(ann)
    answer = client.post(page_of(team), {"seen": seen, "name": "Day team"})
    assert "has changed this while you were typing" in answer.content.decode()
    assert answer.context["adminform"].form["members"].value() == ["ann"]
    assert (team.user_set.get(), Group.objects.get(pk=team.pk).name) == (ann, "Night team")
