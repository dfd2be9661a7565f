"""One action on many: previewed as it will come out, done with the rights of the moment, kept, taken back."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction

from tests.builders import (
    LATER,
    NOON,
    facts_of,
    last_event,
    make_contact,
    make_disposition,
    make_user,
    make_workitem,
)
from tests.crowds import Clock, make_crowd, torn_histories
from workitems import bulk, errors, runs, selections, services, tasks
from workitems.actors import Actor
from workitems.choices import Action, Door, EndedBy, Event, Scope, State, Type
from workitems.commands import Edit, SetPriority
from workitems.groups import grant
from workitems.models import AuditEntry, BulkRun, TimeEvent, Workitem
from workitems.selections import Selection


def chosen(*items: Workitem | str) -> Selection:
    return Selection(workitem_ids=[one if isinstance(one, str) else one.workitem_id for one in items])


def ask(user: Any, action: Action, *items: Workitem | str, request_id: str = "rq_1", **arguments: Any) -> BulkRun:
    actor = Actor.of(user, Door.ADMIN, request_id=request_id)
    return bulk.request(action, arguments, chosen(*items), actor=actor, now=LATER)


def work_off(run: BulkRun, seconds: float = 60, kind: Any = bulk.BULK_RUNS) -> BulkRun:
    runs.work_off(kind, run.pk, clock=Clock(), seconds=seconds)
    run.refresh_from_db()
    return run


def take_back(run: BulkRun, user: Any) -> BulkRun:
    return work_off(bulk.undo(run, actor=Actor.of(user, Door.ADMIN, request_id="rq_2"), now=LATER))


def codes_of(run: BulkRun) -> dict[str, str]:
    return dict(run.items.values_list("workitem_id", "code"))


# What it does


def test_it_does_what_it_can_and_keeps_why_not(queue, ann, sue):
    active, waiting = make_workitem(State.ACTIVE, queue=queue, agent=ann), make_workitem(queue=queue)
    before = facts_of(waiting)
    run = work_off(ask(sue, Action.HOLD, active, waiting, "wi_none"))
    assert (run.state, run.done, run.refused, run.total) == ("done", 1, 2, 3)
    assert codes_of(run) == {active.workitem_id: "", waiting.workitem_id: "state", "wi_none": "not_found"}
    assert facts_of(active)["state"] == "hold"
    assert facts_of(waiting) == before


def test_its_events_name_who_asked_and_the_job(queue, ann, sue):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    work_off(ask(sue, Action.HOLD, item, request_id="rq_7"))
    event = last_event(item)
    assert (event.type, event.actor, event.door, event.request_id) == (Event.HELD, "sue", Door.JOB, "rq_7")


def test_a_small_one_is_done_at_once_through_the_persons_own_door(queue, ann, sue):
    active, waiting = make_workitem(State.ACTIVE, queue=queue, agent=ann), make_workitem(queue=queue)
    run, actor = ask(sue, Action.HOLD, active, waiting), Actor.of(sue, Door.ADMIN)
    assert bulk.do_at_once(run, actor=actor, clock=Clock()) == [active]
    assert last_event(active).door == Door.ADMIN
    assert run.is_finished


DONE = [
    (State.ACTIVE, Action.HANGUP, {"reason": "customer"}, {"state": "terminated", "ended_by": "customer"}),
    (State.HOLD, Action.UNHOLD, {}, {"state": "active"}),
    (State.ACTIVE, Action.RETURN_TO_QUEUE, {"place": "end"}, {"state": "inqueue", "queued_at": LATER}),
    (State.ACTIVE, Action.RETURN_TO_QUEUE, {"place": "old"}, {"state": "inqueue", "queued_at": NOON}),
    (State.INQUEUE, Action.PRIORITY, {"priority": 5}, {"priority": 5}),
    (State.TERMINATED, Action.DISPOSITION, {"dispositionId": "d_solved", "note": "Fine"},
     {"state": "dispositioned", "disposition_note": "Fine"}),
    (State.INQUEUE, Action.NOTE, {"text": "Call back"}, {"events": 2}),
    (State.INQUEUE, Action.EXEMPT, {"until": 1772460000000}, {"events": 2}),
    (State.INQUEUE, Action.EDIT, {"name": "Renamed"}, {"name": "Renamed"}),
    (State.TERMINATED, Action.ARCHIVE, {}, {"archived_at": LATER}),
]  # fmt: skip


@pytest.mark.parametrize(("state", "action", "arguments", "becomes"), DONE)
def test_each_action_does_what_its_command_does(state, action, arguments, becomes, queue, ann, sue):
    make_disposition()
    agent = None if state == State.INQUEUE else ann
    item = make_workitem(state, queue=queue, agent=agent)
    assert work_off(ask(sue, action, item, **arguments)).done == 1
    assert facts_of(item) | becomes == facts_of(item)


def test_what_is_archived_can_be_purged_and_leaves_an_audit_entry(queue, amy):
    archived = make_workitem(State.TERMINATED, queue=queue, archived_at=NOON)
    kept = make_workitem(State.TERMINATED, queue=queue)
    run = work_off(ask(amy, Action.PURGE, archived, kept))
    assert codes_of(run) == {archived.workitem_id: "", kept.workitem_id: "not_archived"}
    assert list(Workitem.objects.all()) == [kept]
    assert AuditEntry.objects.get().subject == archived.workitem_id


def test_a_disposition_that_fits_some_types_only_is_refused_for_the_others(queue, sue):
    make_disposition("d_mail", types=[Type.INBOUND_EMAIL])
    call = make_workitem(State.TERMINATED, queue=queue)
    mail = make_workitem(State.TERMINATED, queue=queue, type=Type.INBOUND_EMAIL)
    run = work_off(ask(sue, Action.DISPOSITION, call, mail, dispositionId="d_mail"))
    assert codes_of(run) == {call.workitem_id: "disposition_does_not_apply", mail.workitem_id: ""}


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        (Action.MUTE, {}),
        (Action.DISPOSITION, {"dispositionId": "d_none"}),
        (Action.EDIT, {"contactId": "ct_none"}),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_nothing(action, arguments, queue, sue):
    with pytest.raises(errors.InvalidValue):
        ask(sue, action, make_workitem(queue=queue), **arguments)
    assert not BulkRun.objects.exists()


@pytest.mark.parametrize(
    ("ids", "expected", "refusal"),
    [([], None, errors.NothingToDo), (["wi_1"], 2, errors.SelectionChanged), (["1", "2", "3"], None, errors.TooMany)],
)
def test_nothing_too_many_or_others_than_were_seen_leave_nothing(ids, expected, refusal, supervisor, monkeypatch):
    monkeypatch.setattr(selections, "MOST_ITEMS", 2)
    with pytest.raises(refusal):
        bulk.request(Action.HOLD, {}, Selection(workitem_ids=ids), actor=supervisor, now=LATER, expected=expected)
    assert not BulkRun.objects.exists()


def test_the_system_asks_for_none(queue, system):
    with pytest.raises(errors.NoAgent):
        bulk.request(Action.HOLD, {}, chosen(make_workitem(queue=queue)), actor=system, now=LATER)


def test_a_search_is_frozen_as_far_as_one_sees_it(queue, sales):
    user = make_user()
    grant(user, Scope.WRITE, queue)
    seen = make_workitem(queue=queue)
    make_workitem(queue=sales)
    actor = Actor.of(user, Door.ADMIN)
    run = bulk.request(
        Action.PRIORITY, {"priority": 5}, Selection(rows=Workitem.objects.all(), query="q=x"), actor=actor, now=LATER
    )
    make_workitem(queue=queue)
    assert list(run.items.values_list("workitem_id", flat=True)) == [seen.workitem_id]
    assert run.query == "q=x"


def test_what_its_arguments_name_may_be_gone_when_it_runs(queue, sue):
    item, disposition = make_workitem(State.TERMINATED, queue=queue), make_disposition()
    before, run = facts_of(item), ask(sue, Action.DISPOSITION, item, dispositionId="d_solved")
    disposition.delete()
    assert codes_of(work_off(run)) == {item.workitem_id: "invalid"}
    assert facts_of(item) == before


# Rights


def test_rights_are_read_again_at_each_chunk(queue, sue, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 1)
    run = ask(sue, Action.PRIORITY, *make_crowd(2, queue), priority=5)
    work_off(run, seconds=0)
    sue.groups.clear()
    work_off(run)
    assert sorted(codes_of(run).values()) == ["", "not_found"]
    assert Workitem.objects.filter(priority=5).count() == 1


def test_each_action_needs_its_own_scope(queue, amy):
    writer = make_user()
    grant(writer, Scope.WRITE)
    item = make_workitem(State.TERMINATED, queue=queue)
    before = facts_of(item)
    assert codes_of(work_off(ask(writer, Action.ARCHIVE, item))) == {item.workitem_id: "scope"}
    assert facts_of(item) == before


def test_one_sees_and_steers_ones_own_and_the_admin_scope_all(queue, sue, amy, supervisor, admin_actor):
    other = make_user("other")
    grant(other, Scope.WRITE)
    run = ask(other, Action.PRIORITY, make_workitem(queue=queue), priority=5)
    assert not bulk.visible_to(supervisor).exists()
    with pytest.raises(errors.MissingScope):
        bulk.cancel(run, actor=supervisor, now=LATER)
    assert bulk.visible_to(admin_actor).get() == run
    bulk.pause(run, actor=admin_actor, now=LATER)
    bulk.resume(run, actor=admin_actor, now=LATER)
    bulk.cancel(run, actor=admin_actor, now=LATER)
    assert run.state == "cancelled"


# Trouble


def test_a_poison_item_is_set_aside_stops_no_other_and_can_be_tried_again(queue, sue, supervisor):
    poison, *others = make_crowd(3, queue)
    before = facts_of(poison)

    def act(run, items, now):
        if any(item.workitem_id == poison.workitem_id for item in items):
            raise RuntimeError("boom")
        return bulk.BULK_RUNS.act(run, items, now)

    run = work_off(
        ask(sue, Action.PRIORITY, poison, *others, priority=5), seconds=0, kind=replace(bulk.BULK_RUNS, act=act)
    )
    clock = Clock()
    while not run.is_finished:
        clock.pass_seconds(6)
        runs.work_off(replace(bulk.BULK_RUNS, act=act), run.pk, clock=clock, seconds=0)
        run.refresh_from_db()
    assert (run.done, run.failed) == (2, 1)
    assert facts_of(poison) == before
    assert bulk.retry(run, actor=Actor.of(sue, Door.ADMIN), now=clock()) == 1
    runs.work_off(bulk.BULK_RUNS, run.pk, clock=clock, seconds=5)
    assert facts_of(poison)["priority"] == 5


def test_the_beat_drives_on_what_nobody_drives(queue, sue, monkeypatch):
    called = []
    monkeypatch.setattr(tasks.run_bulk, "delay", lambda **ids: called.append(ids))
    run = ask(sue, Action.PRIORITY, make_workitem(queue=queue), priority=5)
    assert tasks.drive_runs() == 1
    assert called == [{"bulk_id": run.bulk_id}]


def test_a_worker_works_it_off(queue, sue):
    item = make_workitem(queue=queue)
    assert tasks.run_bulk(bulk_id=ask(sue, Action.PRIORITY, item, priority=5).bulk_id) == 1
    assert facts_of(item)["priority"] == 5


# The preview


def test_a_preview_writes_nothing(queue, supervisor):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    preview = bulk.preview(Action.PRIORITY, {"priority": 5}, chosen(item, "wi_none"), actor=supervisor, now=LATER)
    assert (preview.total, preview.forecast.allowed, preview.missing) == (2, 1, 1)
    assert facts_of(item) == before
    assert not BulkRun.objects.exists()


def test_a_preview_costs_the_same_for_any_number(queue, supervisor, django_assert_num_queries):
    make_disposition("d_all")
    selection = Selection(rows=Workitem.objects.all())
    for count in (10, 1_000):
        make_crowd(count, queue, state=State.TERMINATED, terminated_at=NOON, ended_by=EndedBy.AGENT)
        with django_assert_num_queries(3):
            preview = bulk.preview(
                Action.DISPOSITION, {"dispositionId": "d_all"}, selection, actor=supervisor, now=LATER
            )
    assert preview.forecast.allowed == 1_010


ASKED: list[tuple[Action, dict[str, Any]]] = [
    (Action.HOLD, {}),
    (Action.UNHOLD, {}),
    (Action.HANGUP, {"reason": "system"}),
    (Action.RETURN_TO_QUEUE, {"place": "old"}),
    (Action.PRIORITY, {"priority": 5}),
    (Action.PRIORITY, {"priority": 9}),
    (Action.DISPOSITION, {"dispositionId": "d_mail"}),
    (Action.NOTE, {"text": "Seen"}),
    (Action.NOTE, {"text": " "}),
    (Action.EXEMPT, {"until": None}),
    (Action.EXEMPT, {"until": 1}),
    (Action.ARCHIVE, {}),
    (Action.UNARCHIVE, {}),
    (Action.PURGE, {}),
    (Action.EDIT, {"name": "x" * 300}),
]


@pytest.mark.parametrize("seed", range(2))
def test_the_preview_of_150_random_selections_is_what_comes_of_them(seed, queue, sales, sue, amy, tom, ann):
    make_disposition("d_mail", types=[Type.INBOUND_EMAIL])
    narrow = make_user("narrow")
    grant(narrow, Scope.WRITE, queue)
    grant(narrow, Scope.ADMIN, sales)
    items = [
        make_workitem(
            state,
            queue=place,
            agent=None if state == State.INQUEUE else ann,
            type=kind,
            archived_at=NOON if state == State.DISPOSITIONED and place == sales else None,
        )
        for state in State
        for kind in (Type.INBOUND_CALL, Type.INBOUND_EMAIL)
        for place in (queue, sales, None)
        if place is not None or state not in (State.INQUEUE, State.OFFERED)
    ]
    luck, seen = random.Random(seed), Counter()
    for _ in range(150):
        action, arguments = luck.choice(ASKED)
        actor = Actor.of(luck.choice([sue, amy, tom, ann, narrow]), Door.ADMIN)
        selection = chosen(*luck.sample(items, 9), "wi_none")
        preview = bulk.preview(action, arguments, selection, actor=actor, now=LATER)
        foretold = Counter({"done": preview.forecast.allowed, "not_found": preview.missing})
        for one in preview.forecast.refused.values():
            foretold[one.refusal.code] += one.count
        with transaction.atomic():
            run = work_off(bulk.request(action, arguments, selection, actor=actor, now=LATER, expected=preview.total))
            assert Counter(code or "done" for code in codes_of(run).values()) == +foretold, (action, arguments)
            transaction.set_rollback(True)
        seen += foretold
    assert seen["done"] > 100
    assert len(seen) > 6


# Taking it back

RESTORED = [
    (State.ACTIVE, Action.HOLD, {}, {}),
    (State.HOLD, Action.UNHOLD, {}, {}),
    (State.TERMINATED, Action.ARCHIVE, {}, {}),
    (State.TERMINATED, Action.UNARCHIVE, {}, {"archived_at": NOON}),
    (State.INQUEUE, Action.PRIORITY, {"priority": 5}, {"priority": 2}),
    (State.INQUEUE, Action.EDIT, {"name": "New"}, {"name": "Old"}),
]


@pytest.mark.parametrize(("state", "action", "arguments", "facts"), RESTORED)
def test_an_undo_restores_the_former_state(state, action, arguments, facts, queue, ann, sue):
    item = make_workitem(state, queue=queue, agent=None if state == State.INQUEUE else ann, **facts)
    before = Workitem.objects.values("state", "priority", "name").get(pk=item.pk)
    was_archived = item.archived_at is not None
    undone = take_back(work_off(ask(sue, action, item, **arguments)), sue)
    assert (undone.done, undone.total) == (1, 1)
    assert Workitem.objects.values("state", "priority", "name").get(pk=item.pk) == before
    assert (facts_of(item)["archived_at"] is not None) == was_archived
    assert not torn_histories([item.workitem_id])


@pytest.mark.parametrize("action", [Action.HANGUP, Action.NOTE, Action.PURGE, Action.DISPOSITION, Action.EXEMPT])
def test_what_cannot_be_restored_cannot_be_undone(action):
    assert not bulk.can_be_undone(BulkRun(action=action.value, state="done", done=1))


def test_an_undo_leaves_what_was_touched_since_and_what_was_so_already(queue, sue, supervisor):
    changed, touched, same = make_crowd(3, queue)
    services.execute(SetPriority(5), same.workitem_id, actor=supervisor, now=LATER)
    run = work_off(ask(sue, Action.PRIORITY, changed, touched, same, priority=5))
    assert run.done == 3
    services.execute(SetPriority(1), touched.workitem_id, actor=supervisor, now=LATER)
    undone = take_back(run, sue)
    assert codes_of(undone) == {changed.workitem_id: ""}
    assert [facts_of(one)["priority"] for one in (changed, touched, same)] == [3, 1, 5]


def test_what_is_touched_between_the_undo_and_its_run_stays_too(queue, sue, supervisor):
    item = make_workitem(queue=queue)
    run = work_off(ask(sue, Action.PRIORITY, item, priority=5))
    undoing = bulk.undo(run, actor=supervisor, now=LATER)
    services.execute(SetPriority(1), item.workitem_id, actor=supervisor, now=LATER)
    assert codes_of(work_off(undoing)) == {item.workitem_id: "touched_since"}
    assert facts_of(item)["priority"] == 1


def test_neither_what_is_under_way_nor_an_undo_can_be_undone(queue, sue, supervisor):
    run = ask(sue, Action.PRIORITY, make_workitem(queue=queue), priority=5)
    with pytest.raises(errors.WrongRunState):
        bulk.undo(run, actor=supervisor, now=LATER)
    undone = take_back(work_off(run), sue)
    with pytest.raises(errors.WrongRunState):
        bulk.undo(undone, actor=supervisor, now=LATER)
    with pytest.raises(errors.NothingToDo):
        bulk.undo(run, actor=supervisor, now=LATER)
    assert BulkRun.objects.count() == 2


def test_a_run_and_its_undo_know_each_other(queue, sue):
    run = work_off(ask(sue, Action.PRIORITY, make_workitem(queue=queue), priority=5))
    undone = take_back(run, sue)
    assert (undone.undoes, list(run.undone_by.all())) == (run, [undone])
    assert (run.undoes, list(undone.undone_by.all())) == (None, [])


def test_another_contact_goes_and_comes_back_with_events_whatever_else_has_happened(queue, sue, supervisor):
    gone, kept, third = make_contact("Gone"), make_contact("Kept"), make_contact("Third")
    items = [make_workitem(queue=queue, contact=gone) for _ in range(3)]
    own = make_workitem(queue=queue, contact=kept)
    run = work_off(ask(sue, Action.EDIT, *items, own, contactId=kept.contact_id))
    assert {facts_of(item)["contact_id"] for item in [*items, own]} == {kept.pk}
    assert last_event(items[0]).details == {"contact": {"old": gone.contact_id, "new": kept.contact_id}}
    services.execute(SetPriority(5), items[0].workitem_id, actor=supervisor, now=LATER)
    services.execute(Edit({"contact": third}), items[1].workitem_id, actor=supervisor, now=LATER)
    undone = take_back(run, sue)
    assert codes_of(undone) == {
        items[0].workitem_id: "",
        items[1].workitem_id: "touched_since",
        items[2].workitem_id: "",
    }
    assert [facts_of(one)["contact_id"] for one in [*items, own]] == [gone.pk, third.pk, gone.pk, kept.pk]


def test_contacts_of_many_are_not_read_one_by_one(queue, sue, django_assert_max_num_queries):
    gone, kept = make_contact("Gone"), make_contact("Kept")
    run = ask(sue, Action.EDIT, *make_crowd(200, queue, contact=gone), contactId=kept.contact_id)
    with django_assert_max_num_queries(40):
        work_off(run)
    assert Workitem.objects.filter(contact=kept).count() == 200
    assert TimeEvent.objects.filter(type=Event.EDITED).count() == 200


def test_an_undo_is_asked_for_by_who_made_it_or_an_admin(queue, sue, amy):
    other = make_user("other")
    grant(other, Scope.WRITE)
    item = make_workitem(queue=queue, priority=2)
    run = work_off(ask(sue, Action.PRIORITY, item, priority=5))
    with pytest.raises(errors.MissingScope):
        bulk.undo(run, actor=Actor.of(other, Door.ADMIN), now=LATER)
    assert take_back(run, amy).done == 1
    assert facts_of(item)["priority"] == 2
