"""Who has a workitem open: named to those who may see it, forgotten when nothing is heard, and no event at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group

from tests.builders import LATER, NOON, facts_of, make_user, make_workitem
from workitems import onlookers
from workitems.actors import Actor
from workitems.api.tasks import forget
from workitems.choices import Door, Scope, State
from workitems.groups import grant
from workitems.models import Onlooker

SOON = NOON + timedelta(seconds=15)


def by_page(user):
    return Actor.of(user, Door.PAGE)


@pytest.fixture
def item(queue):
    return make_workitem(queue=queue)


def test_others_are_named_with_the_time_since_when(item, sue, tom):
    tom.first_name, tom.last_name = "Tom", "Reed"
    tom.save()
    onlookers.look(item.pk, by_page(tom), NOON)
    onlookers.look(item.pk, by_page(sue), NOON)
    assert onlookers.others(item, by_page(sue), SOON) == [("Tom Reed", NOON)]


def test_who_goes_on_looking_has_looked_since_he_came(item, sue, tom):
    for moment in (NOON, SOON, SOON + timedelta(seconds=29)):
        onlookers.look(item.pk, by_page(tom), moment)
    assert onlookers.others(item, by_page(sue), LATER) == [("tom", NOON)]


def test_who_comes_back_after_a_while_looks_since_then(item, sue, tom):
    for moment in (NOON, LATER):
        onlookers.look(item.pk, by_page(tom), moment)
    assert onlookers.others(item, by_page(sue), LATER) == [("tom", LATER)]


def test_a_look_of_half_a_minute_ago_does_not_count(item, sue, tom):
    onlookers.look(item.pk, by_page(tom), NOON)
    assert onlookers.others(item, by_page(sue), NOON + timedelta(seconds=30)) == []


def test_who_leaves_is_named_no_more(item, sue, tom):
    onlookers.look(item.pk, by_page(tom), NOON)
    onlookers.leave(item.pk, by_page(tom))
    assert onlookers.others(item, by_page(sue), NOON) == []


def test_looking_changes_nothing_of_the_workitem(item, tom):
    before = facts_of(item)
    onlookers.look(item.pk, by_page(tom), LATER)
    onlookers.leave(item.pk, by_page(tom))
    assert facts_of(item) == before


def test_a_job_looks_at_nothing(item, system):
    onlookers.look(item.pk, system, NOON)
    assert not Onlooker.objects.exists()


def holding(scope, queue=None):
    def make(queue_of_item):
        user = make_user()
        grant(user, scope, queue_of_item if queue else None)
        return user

    return make


def by_a_group(queue):
    user = make_user()
    group = Group.objects.create(name="watchers")
    user.groups.add(group)
    from guardian.shortcuts import assign_perm

    assign_perm("queues.write_workitems", group, queue)
    return user


@pytest.mark.parametrize(
    "make",
    [
        holding(Scope.READ),
        holding(Scope.DELETE),
        holding(Scope.READ, "here"),
        holding(Scope.ADMIN, "here"),
        by_a_group,
        lambda queue: make_user(is_superuser=True),
    ],
    ids=["everywhere", "delete everywhere", "here", "admin here", "group here", "superuser"],
)
def test_whoever_may_see_it_is_named(make, item, queue, sue):
    user = make(queue)
    assert by_page(user).can(Scope.READ, item)
    onlookers.look(item.pk, by_page(user), NOON)
    assert onlookers.others(item, by_page(sue), NOON) == [(user.username, NOON)]


def test_an_agent_who_looks_at_his_own_is_named(queue, ann, sue):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    onlookers.look(item.pk, by_page(ann), NOON)
    assert onlookers.others(item, by_page(sue), NOON) == [("ann", NOON)]


def test_whoever_may_not_see_it_any_more_is_not_named(item, queue, sales, sue):
    user = make_user()
    grant(user, Scope.READ, queue)
    onlookers.look(item.pk, by_page(user), NOON)
    item.queue = sales
    item.save()
    assert not by_page(user).can(Scope.READ, item)
    assert onlookers.others(item, by_page(sue), NOON) == []


def test_who_is_not_active_any_more_is_not_named(item, tom, sue):
    onlookers.look(item.pk, by_page(tom), NOON)
    tom.is_active = False
    tom.save()
    assert onlookers.others(item, by_page(sue), NOON) == []


def test_what_others_have_open_is_told_by_item_for_what_one_may_see(item, queue, sales, sue, tom, amy):
    hidden = make_workitem(queue=sales)
    user = make_user()
    grant(user, Scope.READ, queue)
    for onlooker in (tom, amy):
        for one in (item, hidden):
            onlookers.look(one.pk, by_page(onlooker), NOON)
    onlookers.look(item.pk, by_page(user), NOON)
    assert onlookers.open_elsewhere(by_page(user), SOON) == {item.pk: ["tom", "amy"]}
    assert onlookers.open_elsewhere(by_page(user), LATER) == {}


def test_names_cost_one_query_however_many_look(item, sue, django_assert_num_queries):
    for _ in range(5):
        onlookers.look(item.pk, by_page(holding(Scope.READ)(None)), NOON)
    actor = by_page(sue)
    with django_assert_num_queries(1):
        assert len(onlookers.others(item, actor, NOON)) == 5
    with django_assert_num_queries(1):
        assert len(onlookers.open_elsewhere(actor, NOON)[item.pk]) == 5


def test_the_mark_changes_when_somebody_comes_or_goes_and_not_while_he_stays(item, tom):
    empty = onlookers.mark(item.workitem_id, NOON)
    onlookers.look(item.pk, by_page(tom), NOON)
    one = onlookers.mark(item.workitem_id, NOON)
    onlookers.look(item.pk, by_page(tom), SOON)
    assert onlookers.mark(item.workitem_id, SOON) == one != empty
    onlookers.leave(item.pk, by_page(tom))
    assert onlookers.mark(item.workitem_id, SOON) == empty


def test_old_looks_are_forgotten(item, tom, sue):
    onlookers.look(item.pk, by_page(tom), NOON)
    onlookers.look(item.pk, by_page(sue), LATER)
    assert onlookers.forget(before=LATER) == 1
    assert [row.user for row in Onlooker.objects.all()] == [sue]


def test_the_hourly_task_forgets_them(item, tom):
    onlookers.look(item.pk, by_page(tom), NOON)
    assert forget()["onlookers"] == 1
