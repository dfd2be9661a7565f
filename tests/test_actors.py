"""Who may see and do what: scopes everywhere and on one queue, an agent's own items, tokens, jobs."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission
from guardian.shortcuts import assign_perm

from tests.builders import LATER, facts_of, make_user, make_workitem
from workitems import commands, errors, services
from workitems.actors import Actor
from workitems.choices import Door, Scope, State
from workitems.groups import grant, grant_transfer_in, sync_scope_groups
from workitems.models import Workitem

READ, WRITE, DELETE, ADMIN = Scope.READ, Scope.WRITE, Scope.DELETE, Scope.ADMIN

IMPLIED = {READ: {READ}, WRITE: {READ, WRITE}, DELETE: {READ, DELETE}, ADMIN: {READ, WRITE, DELETE, ADMIN}}


def actor(user, *token_scopes) -> Actor:
    return Actor.of(user, Door.API, token_scopes or None)


@pytest.mark.parametrize("scope", list(Scope))
def test_a_group_gives_its_scope_on_every_workitem(scope, queue):
    user = make_user()
    user.groups.add(Group.objects.get(name=scope.value))
    item = make_workitem(queue=queue)
    assert {one for one in Scope if actor(user).can(one, item)} == IMPLIED[scope]


@pytest.mark.parametrize("scope", list(Scope))
def test_a_scope_on_one_queue_ends_at_its_border(scope, queue, sales):
    user = make_user()
    grant(user, scope, queue)
    here, there, nowhere = (make_workitem(queue=one) for one in (queue, sales, queue))
    nowhere.queue = None
    assert {one for one in Scope if actor(user).can(one, here)} == IMPLIED[scope]
    assert not any(actor(user).can(one, there) for one in Scope)
    assert not any(actor(user).can(one, nowhere) for one in Scope)


def test_a_scope_that_a_group_holds_on_a_queue_reaches_its_members(queue, sales):
    team, user = Group.objects.create(name="team"), make_user()
    user.groups.add(team)
    assign_perm("queues.read_workitems", team, queue)
    visible = make_workitem(queue=queue)
    make_workitem(queue=sales)
    assert list(Workitem.objects.visible_to(actor(user))) == [visible]


def test_a_permission_given_to_a_person_alone_counts_everywhere(queue):
    user = make_user()
    user.user_permissions.add(Permission.objects.get(codename="read_workitems"))
    assert actor(user).can(READ, make_workitem(queue=queue))


def test_an_agent_sees_and_changes_his_own_items_without_any_scope(queue, ann):
    mine = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    make_workitem(queue=queue)
    assert list(Workitem.objects.visible_to(actor(ann))) == [mine]
    services.execute(commands.Hold(), mine.workitem_id, actor=actor(ann), now=LATER)
    assert facts_of(mine)["state"] == "hold"


def test_an_agents_own_right_does_not_reach_the_archive(queue, ann):
    mine = make_workitem(State.DISPOSITIONED, queue=queue, agent=ann)
    with pytest.raises(errors.MissingScope):
        services.execute(commands.Archive(), mine.workitem_id, actor=actor(ann), now=LATER)
    assert facts_of(mine)["archived_at"] is None


def test_what_one_may_not_see_is_as_if_it_were_not_there(queue, eve):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    with pytest.raises(errors.UnknownWorkitem):
        services.execute(commands.HangUp(), item.workitem_id, actor=actor(eve), now=LATER)
    assert facts_of(item) == before


def test_what_one_may_see_but_not_change_is_forbidden(queue, tom):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    with pytest.raises(errors.MissingScope):
        services.execute(commands.HangUp(), item.workitem_id, actor=actor(tom), now=LATER)
    assert facts_of(item) == before


@pytest.mark.parametrize("made", ["sue", "amy", "superuser"])
def test_the_inactive_may_nothing_whatever_they_hold(made, request, queue):
    user = make_user("root", is_superuser=True) if made == "superuser" else request.getfixturevalue(made)
    user.is_active = False
    user.save()
    make_workitem(queue=queue)
    make_workitem(State.ACTIVE, queue=queue, agent=user)
    grant(user, WRITE, queue)
    assert not Workitem.objects.visible_to(actor(user)).exists()
    assert actor(user).scopes_for_token() == []


def test_nobody_in_particular_may_nothing(queue):
    make_workitem(queue=queue)
    assert not Workitem.objects.visible_to(Actor.of(AnonymousUser(), Door.PAGE)).exists()


def test_a_superuser_may_everything(queue):
    root = make_user(is_superuser=True)
    assert all(actor(root).can(scope, make_workitem(queue=queue)) for scope in Scope)


@pytest.mark.parametrize(
    ("token", "left"),
    [([READ], {READ}), ([WRITE], {READ, WRITE}), ([DELETE], {READ, DELETE}), ([ADMIN], {READ, WRITE, DELETE})],
)
def test_a_token_carries_fewer_scopes_than_its_user_and_never_more(token, left, sue, queue):
    item = make_workitem(queue=queue)
    assert {one for one in Scope if actor(sue, *token).can(one, item)} == left


def test_a_reading_token_narrows_an_agents_own_right_too(queue, ann):
    mine = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    assert actor(ann, READ).can(READ, mine)
    assert not actor(ann, READ).can(WRITE, mine)


def test_sending_into_a_queue_needs_a_permission_of_its_own(queue, sales):
    user = make_user()
    grant(user, WRITE, queue)
    item = make_workitem(queue=queue)
    before = facts_of(item)
    with pytest.raises(errors.MissingTransferIn):
        services.execute(commands.TransferToQueue(sales), item.workitem_id, actor=actor(user), now=LATER)
    assert facts_of(item) == before


def test_one_may_send_into_a_queue_that_one_cannot_see(queue, sales):
    user = make_user()
    grant(user, WRITE, queue)
    grant_transfer_in(user, sales)
    item = make_workitem(queue=queue)
    services.execute(commands.TransferToQueue(sales), item.workitem_id, actor=actor(user), now=LATER)
    assert facts_of(item)["queue_id"] == sales.pk
    assert not Workitem.objects.visible_to(actor(user)).exists()


def test_a_reading_token_cannot_send_anywhere(queue, sales):
    user = make_user()
    grant_transfer_in(user, sales)
    assert not actor(user, READ).can_transfer_into(sales)


def test_write_on_the_target_alone_does_not_allow_sending_into_it(sales):
    user = make_user()
    grant(user, WRITE, sales)
    assert not actor(user).can_transfer_into(sales)


def test_a_job_may_what_it_says_and_no_more(queue):
    job = Actor.job("reader", READ)
    assert job.can(READ, make_workitem(queue=queue))
    assert not job.can(WRITE, make_workitem(queue=queue))


def test_the_four_groups_are_mended_after_every_migrate(db):
    group = Group.objects.get(name="workitems:read")
    group.permissions.set(Permission.objects.filter(codename="admin_workitems"))
    sync_scope_groups()
    assert "admin_workitems" not in group.permissions.values_list("codename", flat=True)
    assert "read_workitems" in group.permissions.values_list("codename", flat=True)


def test_rights_are_read_with_a_fixed_number_of_queries(queue, sales, django_assert_num_queries):
    user = make_user()
    for one in (queue, sales):
        grant(user, WRITE, one)
    with django_assert_num_queries(1):
        actor(user)
