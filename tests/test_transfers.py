"""Bulk transfers: previewed as they will come out, done with the rights of the moment, kept as receipts, taken back."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from queues.channels import Channel
from queues.models import Queue
from tests.builders import LATER, NOON, facts_of, last_event, make_queue, make_user, make_workitem
from tests.crowds import Clock, ask_for_transfer, make_crowd, outcomes_of, violations
from workitems import commands, errors, runs, selections, services, transfers
from workitems.actors import Actor
from workitems.choices import Door, Event, Scope, State, Type
from workitems.groups import grant, grant_transfer_in
from workitems.models import Transfer, TransferItem, Workitem
from workitems.transfers import TRANSFERS, Selection, Terms

PLACE = ("state", "queue_id", "agent_id", "queued_at", "assigned_at", "priority", "is_muted")


def work_off(transfer: Transfer, seconds: float = 60) -> Transfer:
    runs.work_off(TRANSFERS, transfer.pk, clock=Clock(begin=max(LATER, transfer.start_at)), seconds=seconds)
    transfer.refresh_from_db()
    return transfer


def chosen(*workitems: Workitem | str, **facts: Any) -> Selection:
    return Selection(
        workitem_ids=[one if isinstance(one, str) else one.workitem_id for one in workitems],
        **facts,
    )


def searched(query: str = "", **facts: Any) -> Selection:
    return Selection(rows=Workitem.objects.filter(**facts), query=query)


def codes_of(transfer: Transfer) -> dict[str, str]:
    return dict(transfer.items.values_list("workitem_id", "code"))


def place_of(workitem: Workitem) -> dict[str, Any]:
    return Workitem.objects.values(*PLACE).get(pk=workitem.pk)


# What it does


def test_it_moves_what_it_can_and_keeps_a_receipt(queue, sales, sue):
    moved, ended = make_workitem(queue=queue), make_workitem(State.TERMINATED, queue=queue)
    before = facts_of(ended)
    transfer = work_off(ask_for_transfer([moved, ended, "wi_none"], sales, sue))
    assert facts_of(moved)["queue_id"] == sales.pk
    assert facts_of(ended) == before
    assert codes_of(transfer) == {moved.workitem_id: "", ended.workitem_id: "state", "wi_none": "not_found"}
    assert (transfer.state, transfer.done, transfer.refused, transfer.total) == ("done", 1, 2, 3)


def test_its_events_name_who_asked_the_job_and_the_transfer(queue, sales, sue):
    item = make_workitem(queue=queue)
    transfer = work_off(ask_for_transfer([item], sales, sue))
    event = last_event(item)
    assert (event.type, event.user, event.door) == (Event.TRANSFERRED, sue, Door.JOB)
    assert event.details["transferId"] == transfer.transfer_id


def test_it_offers_to_an_agent(queue, ann, sue):
    item = make_workitem(queue=queue)
    work_off(ask_for_transfer([item], ann, sue))
    assert (facts_of(item)["state"], facts_of(item)["agent_id"]) == ("offered", ann.pk)


def test_it_sets_the_priority_that_was_asked_for(queue, sales, sue):
    item = make_workitem(queue=queue, priority=2)
    work_off(ask_for_transfer([item], sales, sue, priority=5))
    assert facts_of(item)["priority"] == 5


def test_it_keeps_the_priority_unless_told_otherwise(queue, sales, sue):
    item = make_workitem(queue=queue, priority=2)
    work_off(ask_for_transfer([item], sales, sue))
    assert facts_of(item)["priority"] == 2


def test_it_keeps_the_reason(queue, sales, sue):
    transfer = ask_for_transfer([make_workitem(queue=queue)], sales, sue, reason="Training day")
    assert Transfer.objects.get(pk=transfer.pk).reason == "Training day"


@pytest.mark.parametrize("selected", [lambda items: chosen(*items), lambda items: searched(state="inqueue")])
def test_what_waits_longer_is_moved_earlier(queue, sales, supervisor, monkeypatch, selected):
    monkeypatch.setattr(runs, "CHUNK", 1)
    items = [make_workitem(queue=queue, queued_at=NOON + timedelta(seconds=one)) for one in (30, 10, 20)]
    transfer = transfers.request(selected(items), Terms(queue=sales), actor=supervisor, now=LATER)
    runs.work_off(TRANSFERS, transfer.pk, clock=Clock(step_seconds=0.001), seconds=60)
    line = Workitem.objects.filter(queue=sales).in_line()
    assert list(line) == [items[1], items[2], items[0]]


def test_a_small_one_is_done_while_the_person_waits_and_through_his_door(queue, sales, sue, supervisor):
    item = make_workitem(queue=queue)
    transfer = ask_for_transfer([item], sales, sue)
    transfers.do_at_once(transfer, actor=supervisor, clock=Clock())
    assert (transfer.state, last_event(item).door) == ("done", Door.API)


def test_it_waits_for_its_time(queue, sales, supervisor):
    item = make_workitem(queue=queue)
    before, tonight = facts_of(item), LATER + timedelta(hours=8)
    transfer = transfers.request(chosen(item), Terms(queue=sales), actor=supervisor, now=LATER, start_at=tonight)
    assert runs.work_off(TRANSFERS, transfer.pk, clock=Clock(), seconds=60) == 0
    assert facts_of(item) == before
    assert runs.work_off(TRANSFERS, transfer.pk, clock=Clock(begin=tonight), seconds=60) == 1


# What is meant


def test_a_search_is_frozen_when_it_is_asked_for(queue, sales, supervisor):
    item = make_workitem(queue=queue)
    transfer = transfers.request(
        searched("state:inqueue", state="inqueue"), Terms(queue=sales), actor=supervisor, now=LATER
    )
    late = make_workitem(queue=queue)
    before = facts_of(late)
    work_off(transfer)
    assert codes_of(transfer) == {item.workitem_id: ""}
    assert facts_of(late) == before
    assert transfer.query == "state:inqueue"


def test_a_search_means_only_what_one_can_see(queue, sales):
    user = make_user()
    grant(user, Scope.WRITE, queue)
    grant_transfer_in(user, sales)
    mine, other = make_workitem(queue=queue), make_workitem(queue=make_queue("q_hidden"))
    actor = Actor.of(user, Door.PAGE)
    transfer = transfers.request(searched(state="inqueue"), Terms(queue=sales), actor=actor, now=LATER)
    assert list(codes_of(transfer)) == [mine.workitem_id]
    assert other.workitem_id not in codes_of(transfer)


def test_an_id_named_twice_is_meant_once(queue, sales, sue):
    item = make_workitem(queue=queue)
    assert ask_for_transfer([item, item, "wi_none", "wi_none"], sales, sue).total == 2


def test_ids_that_one_cannot_see_come_out_like_missing_ones(queue, sales):
    user = make_user()
    grant(user, Scope.WRITE, sales)
    hidden = make_workitem(queue=queue)
    before = facts_of(hidden)
    transfer = work_off(ask_for_transfer([hidden, "wi_none"], sales, user))
    assert list(codes_of(transfer).values()) == ["not_found", "not_found"]
    assert facts_of(hidden) == before


def test_as_many_as_were_seen_are_taken_on(queue, sales, supervisor):
    make_crowd(2, queue)
    transfer = transfers.request(searched(state="inqueue"), Terms(queue=sales), actor=supervisor, now=LATER, expected=2)
    assert transfer.total == 2


@pytest.mark.parametrize(
    ("selection", "more", "refusal"),
    [
        (Selection(workitem_ids=[]), {}, errors.NothingToDo),
        (Selection(workitem_ids=["wi_1", "wi_2"]), {"expected": 3}, errors.SelectionChanged),
        (Selection(workitem_ids=["wi_1", "wi_2", "wi_3"]), {}, errors.TooMany),
    ],
)
def test_nothing_too_many_or_others_than_were_seen_is_refused_and_leaves_nothing(
    sales, supervisor, monkeypatch, selection, more, refusal
):
    monkeypatch.setattr(selections, "MOST_ITEMS", 2)
    with pytest.raises(refusal):
        transfers.request(selection, Terms(queue=sales), actor=supervisor, now=LATER, **more)
    assert (Transfer.objects.count(), TransferItem.objects.count()) == (0, 0)


def test_a_search_that_finds_too_many_is_refused(queue, sales, supervisor, monkeypatch):
    monkeypatch.setattr(selections, "MOST_ITEMS", 2)
    make_crowd(3, queue)
    with pytest.raises(errors.TooMany):
        transfers.request(searched(state="inqueue"), Terms(queue=sales), actor=supervisor, now=LATER)
    assert not Transfer.objects.exists()


@pytest.mark.parametrize("field", ["selectedQueue", "reason", "priority"])
@pytest.mark.parametrize("ask", [transfers.preview, transfers.request])
def test_terms_that_make_no_sense_are_refused_by_name(queue, sales, ann, supervisor, field, ask):
    terms = {
        "selectedQueue": Terms(queue=sales, agent=ann),
        "reason": Terms(queue=sales, reason="x" * 201),
        "priority": Terms(queue=sales, priority=6),
    }[field]
    with pytest.raises(errors.InvalidValue) as caught:
        ask(chosen(make_workitem(queue=queue)), terms, actor=supervisor, now=LATER)
    assert caught.value.field == field
    assert not Transfer.objects.exists()


def test_the_system_asks_for_no_transfers(queue, sales, system):
    with pytest.raises(errors.NoAgent):
        transfers.request(chosen(make_workitem(queue=queue)), Terms(queue=sales), actor=system, now=LATER)


# Rights


def test_rights_are_read_when_it_runs(queue, sales, sue):
    item = make_workitem(queue=queue)
    before, transfer = facts_of(item), ask_for_transfer([item], sales, sue)
    sue.groups.clear()
    assert codes_of(work_off(transfer)) == {item.workitem_id: "not_found"}
    assert facts_of(item) == before


def test_rights_are_read_again_at_each_chunk(queue, sales, sue, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 1)
    transfer = ask_for_transfer(make_crowd(2, queue), sales, sue)
    work_off(transfer, seconds=0)
    sue.groups.clear()
    work_off(transfer)
    assert sorted(outcomes_of(transfer).values()) == ["done", "refused"]


def test_a_scope_that_becomes_read_only_is_named_in_the_receipt(queue, sales, sue):
    item = make_workitem(queue=queue)
    transfer = ask_for_transfer([item], sales, sue)
    sue.groups.clear()
    grant(sue, Scope.READ)
    assert codes_of(work_off(transfer)) == {item.workitem_id: "scope"}


def test_who_becomes_inactive_meanwhile_moves_nothing_more(queue, sales, sue, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 1)
    transfer = ask_for_transfer(make_crowd(2, queue), sales, sue)
    work_off(transfer, seconds=0)
    User.objects.filter(pk=sue.pk).update(is_active=False)
    work_off(transfer)
    assert sorted(outcomes_of(transfer).values()) == ["done", "refused"]


def test_each_target_is_asked_for_its_own_right(queue, sales):
    user = make_user()
    grant(user, Scope.WRITE, queue)
    item = make_workitem(queue=queue)
    assert codes_of(work_off(ask_for_transfer([item], sales, user))) == {item.workitem_id: "transfer_in"}


def test_it_may_no_more_than_the_token_that_asked_for_it(queue, sales, sue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    actor = Actor.of(sue, Door.API, [Scope.READ], token="reporting")
    transfer = work_off(transfers.request(chosen(item), Terms(queue=sales), actor=actor, now=LATER))
    assert codes_of(transfer) == {item.workitem_id: "scope"}
    assert facts_of(item) == before


def test_its_events_name_the_token_that_asked_for_it(queue, sales, sue):
    item = make_workitem(queue=queue)
    actor = Actor.of(sue, Door.API, [Scope.WRITE], token="crm", request_id="rq_1")
    work_off(transfers.request(chosen(item), Terms(queue=sales), actor=actor, now=LATER))
    assert (last_event(item).token, last_event(item).request_id) == ("crm", "rq_1")


def test_one_sees_and_changes_ones_own_transfers_only(queue, sales, sue):
    transfer = ask_for_transfer([make_workitem(queue=queue)], sales, sue)
    other = make_user()
    grant(other, Scope.WRITE)
    actor = Actor.of(other, Door.API)
    assert not transfers.visible_to(actor).exists()
    with pytest.raises(errors.UnknownObject):
        transfers.find(transfer.transfer_id, actor)
    for change in (transfers.pause, transfers.resume, transfers.cancel, transfers.retry, transfers.undo):
        with pytest.raises(errors.MissingScope):
            change(transfer, actor=actor, now=LATER)
    assert Transfer.objects.get().state == "pending"


def test_the_admin_scope_sees_and_changes_them_all(queue, sales, sue, admin_actor):
    transfer = ask_for_transfer([make_workitem(queue=queue)], sales, sue)
    assert transfers.find(transfer.transfer_id, admin_actor) == transfer
    transfers.pause(transfer, actor=admin_actor, now=LATER)
    assert transfer.state == "paused"


def test_a_token_that_only_reads_changes_no_transfer_of_its_person(queue, sales, sue):
    transfer = ask_for_transfer([make_workitem(queue=queue)], sales, sue)
    reader = Actor.of(sue, Door.API, [Scope.READ])
    assert transfers.find(transfer.transfer_id, reader) == transfer
    with pytest.raises(errors.MissingScope):
        transfers.cancel(transfer, actor=reader, now=LATER)


def test_one_pauses_resumes_and_cancels_ones_own(queue, sales, sue, supervisor):
    transfer, seen = ask_for_transfer([make_workitem(queue=queue)], sales, sue), []
    for change in (transfers.pause, transfers.resume, transfers.cancel):
        change(transfer, actor=supervisor, now=LATER)
        seen.append(transfer.state)
    assert seen == ["paused", "pending", "cancelled"]


# The receipt


def test_a_receipt_says_each_reason_in_words(queue, sales, sue):
    closed = make_queue("q_closed", name="Closed one", is_open=False)
    ended, waiting = make_workitem(State.TERMINATED, queue=queue), make_workitem(queue=queue)
    transfer = work_off(ask_for_transfer([ended, waiting, "wi_none"], closed, sue))
    assert {item.workitem_id: runs.refusal_of(item) for item in transfer.items.all()} == {
        ended.workitem_id: "Not possible while it is “In wrap-up”.",
        waiting.workitem_id: "Closed one is closed.",
        "wi_none": "There is no workitem wi_none.",
    }


def test_what_was_moved_has_no_reason(queue, sales, sue):
    transfer = work_off(ask_for_transfer([make_workitem(queue=queue)], sales, sue))
    assert runs.refusal_of(transfer.items.get()) == ""


def test_every_refusal_that_can_stand_in_a_receipt_has_its_sentence():
    for kind in (errors.WrongState(state="x"), errors.MissingScope(scope="x"), errors.UnknownWorkitem(workitem_id="x")):
        assert errors.message_of(kind.code, {name: str(fact) for name, fact in kind.facts.items()}) == kind.message


# The preview


def test_a_preview_writes_nothing(queue, sales, supervisor):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    transfers.preview(chosen(item, "wi_none"), Terms(queue=sales), actor=supervisor, now=LATER)
    assert facts_of(item) == before
    assert not Transfer.objects.exists()


def test_a_preview_tells_what_moves_what_does_not_and_shows_some(queue, sales, supervisor):
    waiting, ended = make_workitem(queue=queue), make_workitem(State.TERMINATED, queue=queue)
    preview = transfers.preview(chosen(waiting, ended, "wi_none"), Terms(queue=sales), actor=supervisor, now=LATER)
    (refused,) = preview.forecast.refused.values()
    assert (preview.total, preview.forecast.allowed, preview.forecast.samples) == (3, 1, [waiting.workitem_id])
    assert (refused.refusal.code, refused.count, refused.samples) == ("state", 1, [ended.workitem_id])
    assert (preview.missing, preview.missing_samples) == (1, ["wi_none"])


def test_a_preview_tells_how_the_target_queue_stands(queue, sales, supervisor):
    make_workitem(queue=sales, queued_at=NOON + timedelta(seconds=30))
    make_workitem(queue=sales)
    load = transfers.preview(chosen(make_workitem(queue=queue)), Terms(queue=sales), actor=supervisor, now=LATER).load
    assert (load.waiting, load.longest_since, load.is_open) == (2, NOON, True)


def test_a_preview_tells_how_much_the_target_agent_has_in_hand(queue, ann, supervisor):
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    make_workitem(State.TERMINATED, queue=queue, agent=ann)
    load = transfers.preview(chosen(make_workitem(queue=queue)), Terms(agent=ann), actor=supervisor, now=LATER).load
    assert (load.in_hand, load.is_open) == (1, True)


def test_a_preview_of_ids_tells_what_has_changed_or_gone_since_they_were_seen(queue, sales, supervisor):
    same, changed = make_workitem(queue=queue), make_workitem(queue=queue, modified_at=LATER)
    selection = chosen(same, changed, "wi_gone", seen_at=NOON)
    drift = transfers.preview(selection, Terms(queue=sales), actor=supervisor, now=LATER).drift
    assert (drift.changed, drift.gone, drift.new) == (1, 1, 0)
    assert (drift.samples["changed"], drift.samples["gone"]) == ([changed.workitem_id], ["wi_gone"])


def test_a_preview_of_a_search_tells_what_has_changed_or_come_since_it_was_seen(queue, sales, supervisor):
    make_workitem(queue=queue)
    changed = make_workitem(queue=queue, modified_at=LATER)
    new = make_workitem(queue=queue, created_at=LATER, modified_at=LATER)
    selection = Selection(rows=Workitem.objects.filter(state="inqueue"), seen_at=NOON)
    drift = transfers.preview(selection, Terms(queue=sales), actor=supervisor, now=LATER).drift
    assert (drift.changed, drift.gone, drift.new) == (1, 0, 1)
    assert (drift.samples["changed"], drift.samples["new"]) == ([changed.workitem_id], [new.workitem_id])


def test_who_does_not_say_when_he_looked_hears_of_no_drift(queue, sales, supervisor):
    preview = transfers.preview(chosen(make_workitem(queue=queue)), Terms(queue=sales), actor=supervisor, now=LATER)
    assert preview.drift is None


@dataclass
class World:
    """A small centre with something of everything that decides about a transfer."""

    items: list[Workitem]
    targets: list[Queue | User]
    actors: list[Actor]


@pytest.fixture
def world(queue, sales, sue, amy, tom, ann, ben) -> World:
    mail_only = make_queue("q_mail", channels=[Channel.EMAIL], members=[ben])
    closed = make_queue("q_closed", is_open=False)
    idle, gone = make_user("idle"), make_user("gone", is_active=False)
    queue.members.add(gone)
    narrow, sender, reader = make_user("narrow"), make_user("sender"), make_user("reader")
    grant(narrow, Scope.WRITE, queue)
    grant(sender, Scope.WRITE, sales)
    grant_transfer_in(sender, queue)
    grant_transfer_in(sender, closed)
    grant(reader, Scope.READ, queue)
    grant(reader, Scope.ADMIN, sales)
    kinds = (Type.INBOUND_CALL, Type.INBOUND_EMAIL, Type.CHAT)
    items = []
    for number, state in enumerate([*State] * 3):
        agent = None if state == State.INQUEUE else (ann, ben)[number % 2]
        for place in (queue, sales, mail_only, None):
            if place is None and state in (State.INQUEUE, State.OFFERED):
                continue
            items.append(make_workitem(state, queue=place, agent=agent, type=kinds[number // len(State)]))
    people = [sue, amy, tom, narrow, sender, reader, ann, make_user("nobody")]
    actors = [Actor.of(user, Door.API) for user in people]
    actors += [Actor.of(sue, Door.API, [scope]) for scope in (Scope.READ, Scope.WRITE)]
    return World(items, [queue, sales, mail_only, closed, ann, ben, idle, gone], actors)


def random_selection(luck: random.Random, world: World) -> Selection:
    if luck.random() < 0.3:
        states = luck.sample([*State], 3)
        return Selection(rows=Workitem.objects.filter(state__in=states, pk__gte=luck.choice(world.items).pk))
    ids = [one.workitem_id for one in luck.sample(world.items, luck.randint(1, 12))]
    return Selection(workitem_ids=ids + [f"wi_none{number}" for number in range(luck.randint(0, 2))])


def foretold(preview: transfers.Preview) -> Counter[str]:
    told = Counter({"moved": preview.forecast.allowed, "not_found": preview.missing})
    for one in preview.forecast.refused.values():
        told[one.refusal.message] += one.count
    return +told


def came_out(transfer: Transfer) -> Counter[str]:
    return Counter(
        "moved" if item.outcome == "done" else item.code if item.code == "not_found" else runs.refusal_of(item)
        for item in transfer.items.all()
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_preview_of_250_random_selections_is_what_comes_of_them(world, seed):
    luck, seen = random.Random(seed), Counter()
    for _ in range(250):
        selection, target, actor = random_selection(luck, world), luck.choice(world.targets), luck.choice(world.actors)
        terms = Terms(queue=target) if isinstance(target, Queue) else Terms(agent=target)
        preview = transfers.preview(selection, terms, actor=actor, now=LATER)
        with transaction.atomic():
            if preview.total:
                transfer = work_off(transfers.request(selection, terms, actor=actor, now=LATER, expected=preview.total))
                assert came_out(transfer) == foretold(preview)
                seen += foretold(preview)
            else:
                with pytest.raises(errors.NothingToDo):
                    transfers.request(selection, terms, actor=actor, now=LATER)
            transaction.set_rollback(True)
    assert seen["moved"] > 100
    assert len(seen) > 8


# Many


def test_the_preview_of_a_search_costs_the_same_for_any_number(queue, sales, supervisor, django_assert_num_queries):
    for count in (10, 1000):
        make_crowd(count, queue)
        with django_assert_num_queries(7):
            transfers.preview(searched(state="inqueue"), Terms(queue=sales), actor=supervisor, now=LATER)


def test_asking_for_a_search_costs_the_same_for_any_number(queue, sales, supervisor, django_assert_num_queries):
    for count in (10, 1000):
        make_crowd(count, queue)
        with django_assert_num_queries(6):
            transfers.request(searched(state="inqueue"), Terms(queue=sales), actor=supervisor, now=LATER)


def test_thousands_of_ids_are_asked_about_in_portions(queue, sales, supervisor, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(selections, "IDS_AT_ONCE", 100)
    selection = chosen(*make_crowd(300, queue), "wi_none")
    with django_assert_num_queries(22):
        preview = transfers.preview(selection, Terms(queue=sales), actor=supervisor, now=LATER)
    assert (preview.total, preview.forecast.allowed, preview.missing) == (301, 300, 1)
    with django_assert_num_queries(11):
        assert transfers.request(selection, Terms(queue=sales), actor=supervisor, now=LATER).total == 301


# Taking it back


def taken_back(transfer: Transfer, user: User) -> Transfer:
    return work_off(transfers.undo(transfer, actor=Actor.of(user, Door.API), now=LATER + timedelta(hours=1)))


def test_an_undo_returns_each_to_its_queue_place_and_agent(queue, sales, ann, ben, sue):
    items = [
        make_workitem(queue=queue, queued_at=NOON - timedelta(minutes=5), priority=4),
        make_workitem(State.ACTIVE, queue=queue, agent=ann, is_muted=True),
        make_workitem(State.HOLD, queue=queue, agent=ben, assigned_at=NOON - timedelta(minutes=1)),
        make_workitem(State.ACCEPTED, queue=None, agent=ann, type=Type.OUTBOUND_CALL),
    ]
    before = [place_of(item) for item in items]
    transfer = work_off(ask_for_transfer(items, sales, sue, priority=5))
    assert Workitem.objects.filter(queue=sales, priority=5).count() == 4
    undone = taken_back(transfer, sue)
    assert [place_of(item) for item in items] == before
    assert (undone.state, undone.done, undone.total) == ("done", 4, 4)
    assert last_event(items[0]).type == Event.TRANSFER_UNDONE


def test_an_undo_of_a_transfer_to_an_agent_returns_what_he_has_not_touched(queue, ann, sue):
    items = [make_workitem(queue=queue, queued_at=NOON - timedelta(minutes=one)) for one in range(2)]
    before = [place_of(item) for item in items]
    transfer = work_off(ask_for_transfer(items, ann, sue))
    services.execute(commands.Accept(), items[1].workitem_id, actor=Actor.of(ann, Door.PAGE), now=LATER)
    accepted = facts_of(items[1])
    taken_back(transfer, sue)
    assert place_of(items[0]) == before[0]
    assert facts_of(items[1]) == accepted


def test_an_undo_leaves_what_somebody_has_touched_and_tells_how_many(queue, sales, sue, supervisor):
    items = make_crowd(4, queue)
    transfer = work_off(ask_for_transfer(items, sales, sue))
    services.execute(commands.AddNote("Mine."), items[2].workitem_id, actor=supervisor, now=LATER)
    touched = facts_of(items[2])
    undoing = transfers.undo(transfer, actor=supervisor, now=LATER)
    assert (undoing.total, transfer.done - undoing.total) == (3, 1)
    work_off(undoing)
    assert facts_of(items[2]) == touched
    assert Workitem.objects.filter(queue=queue, version=3).count() == 3


def test_what_is_touched_between_the_undo_and_its_run_stays_too(queue, sales, sue, supervisor):
    items = make_crowd(2, queue)
    transfer = work_off(ask_for_transfer(items, sales, sue))
    undoing = transfers.undo(transfer, actor=supervisor, now=LATER)
    services.execute(commands.AddNote("Mine."), items[0].workitem_id, actor=supervisor, now=LATER)
    assert codes_of(work_off(undoing)) == {items[0].workitem_id: "touched_since", items[1].workitem_id: ""}


def test_what_the_transfer_refused_is_not_taken_back(queue, sales, sue):
    moved, ended = make_workitem(queue=queue), make_workitem(State.TERMINATED, queue=queue)
    before = facts_of(ended)
    undone = taken_back(work_off(ask_for_transfer([moved, ended], sales, sue)), sue)
    assert list(codes_of(undone)) == [moved.workitem_id]
    assert facts_of(ended) == before


def test_a_cancelled_transfer_can_be_taken_back_as_far_as_it_went(queue, sales, sue, supervisor, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 2)
    transfer = ask_for_transfer(make_crowd(4, queue), sales, sue)
    work_off(transfer, seconds=0)
    transfers.cancel(transfer, actor=supervisor, now=LATER)
    assert taken_back(transfer, sue).done == 2
    assert Workitem.objects.filter(queue=queue).count() == 4


def test_the_second_undo_finds_nothing(queue, sales, sue, supervisor):
    transfer = work_off(ask_for_transfer([make_workitem(queue=queue)], sales, sue))
    taken_back(transfer, sue)
    with pytest.raises(errors.NothingToDo):
        transfers.undo(transfer, actor=supervisor, now=LATER)
    assert Transfer.objects.count() == 2


def test_what_is_under_way_and_what_is_an_undo_itself_cannot_be_taken_back(queue, sales, sue, supervisor):
    transfer = ask_for_transfer([make_workitem(queue=queue)], sales, sue)
    with pytest.raises(errors.WrongRunState):
        transfers.undo(transfer, actor=supervisor, now=LATER)
    undone = taken_back(work_off(transfer), sue)
    with pytest.raises(errors.WrongRunState):
        transfers.undo(undone, actor=supervisor, now=LATER)
    assert Transfer.objects.count() == 2


def test_who_moved_them_may_fetch_them_back_from_where_he_cannot_see_them(queue, sales):
    user = make_user()
    grant(user, Scope.WRITE, queue)
    grant_transfer_in(user, sales)
    item = make_workitem(queue=queue)
    before = place_of(item)
    transfer = work_off(ask_for_transfer([item], sales, user))
    assert not Workitem.objects.visible_to(Actor.of(user, Door.API)).exists()
    assert taken_back(transfer, user).done == 1
    assert place_of(item) == before


def test_an_admin_may_take_back_what_somebody_else_moved(queue, sales, sue, amy):
    item = make_workitem(queue=queue)
    before = place_of(item)
    assert taken_back(work_off(ask_for_transfer([item], sales, sue)), amy).done == 1
    assert place_of(item) == before


def test_without_an_active_agent_an_undone_item_waits_at_its_old_place(queue, sales, ann, sue):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    transfer = work_off(ask_for_transfer([item], sales, sue))
    User.objects.filter(pk=ann.pk).update(is_active=False)
    taken_back(transfer, sue)
    assert place_of(item) | {"priority": 3} == {
        "state": "inqueue",
        "queue_id": queue.pk,
        "agent_id": None,
        "queued_at": NOON,
        "assigned_at": None,
        "priority": 3,
        "is_muted": False,
    }


def test_a_transfer_and_its_undo_leave_whole_histories(queue, sales, sue):
    transfer = work_off(ask_for_transfer(make_crowd(30, queue), sales, sue))
    assert violations(transfer) == []
    assert violations(taken_back(transfer, sue)) == []
