"""Transfers and sweeps: rows say what is to do, and twice, late or interrupted does no harm."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.builders import LATER, NOON, facts_of, last_event, make_user, make_workitem
from workitems import services, tasks, transfers
from workitems.actors import Actor
from workitems.choices import Door, Event, Scope, State
from workitems.commands import TransferToQueue
from workitems.groups import grant
from workitems.models import Transfer, TransferItem


@pytest.fixture
def ask(sue, sales):
    """Ask for a transfer to sales as the supervisor."""

    def request(items, user=sue):
        ids = [item if isinstance(item, str) else item.workitem_id for item in items]
        return transfers.request(ids, sales, actor=Actor.of(user, Door.API), now=NOON)

    return request


def outcomes(transfer):
    return dict(transfer.items.values_list("workitem_id", "outcome"))


def test_a_transfer_moves_what_it_can_and_keeps_a_receipt(ask, queue, sales):
    moved, ended = make_workitem(queue=queue), make_workitem(State.TERMINATED, queue=queue)
    before = facts_of(ended)
    transfer = ask([moved, ended, "wi_none"])
    assert tasks.run_transfer(transfer_id=transfer.transfer_id) == 3
    assert facts_of(moved)["queue_id"] == sales.pk
    assert facts_of(ended) == before
    receipt = dict(transfer.items.values_list("workitem_id", "code"))
    assert receipt == {moved.workitem_id: "", ended.workitem_id: "state", "wi_none": "not_found"}
    transfer.refresh_from_db()
    assert (transfer.progress, transfer.finished_at is not None) == ("done", True)


def test_its_events_name_the_requester_and_the_job(ask, queue, sue):
    item = make_workitem(queue=queue)
    tasks.run_transfer(transfer_id=ask([item]).transfer_id)
    event = last_event(item)
    assert (event.type, event.user, event.door) == (Event.TRANSFERRED, sue, Door.JOB)


def test_a_second_run_finds_nothing_to_do(ask, queue):
    item = make_workitem(queue=queue)
    transfer = ask([item])
    tasks.run_transfer(transfer_id=transfer.transfer_id)
    before = facts_of(item)
    finished = Transfer.objects.get().finished_at
    assert tasks.run_transfer(transfer_id=transfer.transfer_id) == 0
    assert facts_of(item) == before
    assert Transfer.objects.get().finished_at == finished


def test_it_goes_chunk_by_chunk(ask, queue, monkeypatch):
    monkeypatch.setattr(transfers, "CHUNK", 2)
    transfer = ask([make_workitem(queue=queue) for _ in range(5)])
    settled = [transfers.work_off_chunk(transfer, now=LATER) for _ in range(4)]
    assert settled == [2, 2, 1, 0]


def test_a_chunk_that_fails_leaves_all_its_rows_as_they_were(ask, queue, monkeypatch):
    item = make_workitem(queue=queue)
    before, transfer = facts_of(item), ask([item])

    def fail(*args):
        raise RuntimeError

    monkeypatch.setattr(transfers, "_tell_progress", fail)
    with pytest.raises(RuntimeError):
        transfers.work_off_chunk(transfer, now=LATER)
    assert facts_of(item) == before
    assert outcomes(transfer) == {item.workitem_id: "pending"}


def test_rights_are_read_when_it_runs(ask, queue, sue):
    item = make_workitem(queue=queue)
    before, transfer = facts_of(item), ask([item])
    sue.groups.clear()
    tasks.run_transfer(transfer_id=transfer.transfer_id)
    assert facts_of(item) == before
    assert TransferItem.objects.get().code == "not_found"


def test_rights_are_read_again_at_each_chunk(ask, queue, sue, monkeypatch):
    monkeypatch.setattr(transfers, "CHUNK", 1)
    transfer = ask([make_workitem(queue=queue), make_workitem(queue=queue)])
    transfers.work_off_chunk(transfer, now=LATER)
    sue.groups.clear()
    transfers.work_off_chunk(transfer, now=LATER)
    assert sorted(outcomes(transfer).values()) == ["done", "refused"]


def test_a_requester_who_has_become_inactive_moves_nothing(ask, queue, sue):
    item = make_workitem(queue=queue)
    before, transfer = facts_of(item), ask([item])
    sue.is_active = False
    sue.save()
    tasks.run_transfer(transfer_id=transfer.transfer_id)
    assert facts_of(item) == before


def test_a_requester_who_becomes_inactive_meanwhile_moves_nothing_more(ask, queue, sue, monkeypatch):
    monkeypatch.setattr(transfers, "CHUNK", 1)
    loaded = Transfer.objects.select_related("requested_by").get(
        pk=ask([make_workitem(queue=queue), make_workitem(queue=queue)]).pk
    )
    transfers.work_off_chunk(loaded, now=LATER)
    type(sue).objects.filter(pk=sue.pk).update(is_active=False)
    transfers.work_off_chunk(loaded, now=LATER)
    assert sorted(outcomes(loaded).values()) == ["done", "refused"]


def test_each_item_is_asked_for_its_own_scope(ask, queue, sales):
    user = make_user()
    grant(user, Scope.WRITE, queue)
    item = make_workitem(queue=queue)
    transfer = ask([item], user=user)
    tasks.run_transfer(transfer_id=transfer.transfer_id)
    assert TransferItem.objects.get().code == "transfer_in"


def test_a_transfer_whose_wake_up_was_lost_is_driven_by_the_beat(ask, queue, monkeypatch):
    transfer = ask([make_workitem(queue=queue)])
    woken = []
    monkeypatch.setattr(tasks.run_transfer, "delay", lambda *, transfer_id: woken.append(transfer_id))
    assert tasks.drive_transfers() == 1
    assert woken == [transfer.transfer_id]


def test_a_transfer_that_moves_is_left_alone_by_the_beat(ask, queue, monkeypatch):
    transfer = ask([make_workitem(queue=queue)])
    Transfer.objects.filter(pk=transfer.pk).update(moved_at=timezone.now())
    monkeypatch.setattr(tasks.run_transfer, "delay", lambda **ids: pytest.fail("woken"))
    assert tasks.drive_transfers() == 0


def test_a_broker_that_is_down_does_not_fail_the_request(ask, queue, monkeypatch, django_capture_on_commit_callbacks):
    def down(**ids):
        raise ConnectionError

    monkeypatch.setattr(tasks.run_transfer, "delay", down)
    transfer = ask([make_workitem(queue=queue)])
    with django_capture_on_commit_callbacks(execute=True):
        tasks.wake_transfer(transfer)


def test_a_chunk_costs_the_same_for_any_number_of_items(ask, queue, django_assert_num_queries):
    for count in (2, 30):
        transfer = ask([make_workitem(queue=queue) for _ in range(count)])
        # pending, requester, rights, savepoints (4), target (2), lock, queues, update, events, items, progress (2)
        with django_assert_num_queries(16):
            transfers.work_off_chunk(transfer, now=LATER)


# Sweeps


def test_overdue_offers_go_back_to_their_place(queue, ann):
    overdue = make_workitem(State.OFFERED, queue=queue, agent=ann)
    open_offer = make_workitem(
        State.OFFERED, queue=queue, agent=ann, offer_expires_at=timezone.now() + timedelta(minutes=1)
    )
    before = facts_of(open_offer)
    assert tasks.expire_offers() == 1
    assert (facts_of(overdue)["state"], facts_of(overdue)["queued_at"]) == ("inqueue", NOON)
    assert last_event(overdue).actor == "expire-offers"
    assert facts_of(open_offer) == before
    assert tasks.expire_offers() == 0


@pytest.fixture
def limit(settings):
    settings.TERMINATE_WAITING_AFTER_SECONDS = 3600


def test_what_waits_too_long_is_ended_by_policy(limit, queue):
    item = make_workitem(queue=queue)
    fresh = make_workitem(queue=queue, state_changed_at=timezone.now())
    before = facts_of(fresh)
    assert tasks.terminate_waiting() == 1
    assert (facts_of(item)["state"], facts_of(item)["ended_by"]) == ("terminated", "policy")
    assert (last_event(item).type, last_event(item).actor, last_event(item).user) == (
        Event.TERMINATED_STALE,
        "terminate-waiting",
        None,
    )
    assert facts_of(fresh) == before
    assert tasks.terminate_waiting() == 0


def test_a_customer_who_was_transferred_just_now_has_not_waited_too_long(limit, queue, sales, supervisor):
    item = make_workitem(queue=queue)
    services.execute(TransferToQueue(sales), item.workitem_id, actor=supervisor, now=timezone.now())
    assert tasks.terminate_waiting() == 0
    assert facts_of(item)["state"] == "inqueue"


def test_what_is_with_an_agent_does_not_wait(limit, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    before = facts_of(item)
    assert tasks.terminate_waiting() == 0
    assert facts_of(item) == before


def test_the_sweep_is_off_until_a_limit_is_set(queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    assert tasks.terminate_waiting() == 0
    assert facts_of(item) == before


def test_what_moved_between_the_look_and_the_lock_is_spared(limit, queue, sue, monkeypatch):
    item = make_workitem(queue=queue)
    lock = services.lock

    def somebody_is_faster(ids):
        type(item).objects.filter(pk=item.pk).update(modified_at=timezone.now())
        return lock(ids)

    monkeypatch.setattr(services, "lock", somebody_is_faster)
    assert tasks.terminate_waiting() == 0
    assert facts_of(item)["state"] == "inqueue"
