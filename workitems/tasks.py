"""The doors by which Celery comes in: ids in, domain calls, a small report out; safe to run twice, late or never."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from queues.models import Queue
from workitems import beat, bulk, cached, mails, opening, policies, routing, runs, statements, transfers
from workitems.choices import Action
from workitems.models import BulkRun, PolicyRun, Transfer

MAILS = 200
MAILS_FOR = timedelta(minutes=1)  # the worker has other things to do
STINT_SECONDS = 20.0  # the longest that one message keeps a worker; what is left gets another message
DRIVERS = 4  # the most messages for one run: so many workers may share it
ITEMS_PER_DRIVER = 1_000
AUTOMATIC, REMEMBERED_SECONDS = "routing:automatic", 10
# afterwards something waits that did not, or an agent has room that he had not
MAKES_ROOM = frozenset(
    {Action.REJECT, Action.RETURN_TO_QUEUE, Action.HANGUP, Action.TRANSFER, Action.DISPOSITION, Action.REOPEN}
)

logger = logging.getLogger(__name__)


def wake_transfer(transfer: Transfer) -> None:
    """Tell workers about a transfer after the commit; should that fail, the beat finds the transfer anyway."""
    _wake_for(transfer.pending, lambda: run_transfer.delay(transfer_id=transfer.transfer_id))


def wake_policy_run(run: PolicyRun) -> None:
    """Tell workers about a policy's run after the commit; should that fail, the beat finds it anyway."""
    _wake_for(run.pending, lambda: run_policy.delay(run_id=run.run_id))


def wake_bulk(run: BulkRun) -> None:
    """Tell workers about work on many after the commit; should that fail, the beat finds it anyway."""
    _wake_for(run.pending, lambda: run_bulk.delay(bulk_id=run.bulk_id))


def wake_mails() -> None:
    """Tell a worker after the commit that there are mails to send; should that fail, the beat finds them anyway."""
    _after_commit(send_mails.delay)


def wake_routing() -> None:
    """Tell a worker after the commit that work or an agent waits, where any queue offers by itself at all.

    Should that fail, the beat finds them anyway.
    """
    if cached.remembered(AUTOMATIC, Queue.objects.filter(offers_automatically=True).exists, REMEMBERED_SECONDS):
        _after_commit(assign_waiting.delay)


def wake_after(actions: Iterable[Action]) -> None:
    """Wake whoever has to go on after these actions."""
    done = frozenset(actions)
    if Action.SEND_EMAIL_RESPONSE in done:
        wake_mails()
    if MAKES_ROOM & done:
        wake_routing()


def queues_changed() -> None:
    """Take note that queues may work otherwise now."""
    cached.forget(AUTOMATIC)
    wake_routing()


@shared_task
def run_transfer(*, transfer_id: str) -> int:
    """Work off a bulk transfer for a while and return how many items were settled."""
    transfer = Transfer.objects.only("pk").get(transfer_id=transfer_id)
    return _work_off(transfers.TRANSFERS, transfer, lambda: run_transfer.delay(transfer_id=transfer_id))


@shared_task
def run_policy(*, run_id: str) -> int:
    """Work off a policy's run for a while and return how many items were settled."""
    run = PolicyRun.objects.only("pk").get(run_id=run_id)
    return _work_off(policies.POLICY_RUNS, run, lambda: run_policy.delay(run_id=run_id))


@shared_task
def run_bulk(*, bulk_id: str) -> int:
    """Work off work on many for a while and return how many items were settled."""
    run = BulkRun.objects.only("pk").get(bulk_id=bulk_id)
    return _work_off(bulk.BULK_RUNS, run, lambda: run_bulk.delay(bulk_id=bulk_id))


@shared_task
@beat.once_a_slot
def drive_runs() -> int:
    """Wake workers for the runs that are due or have come to a standstill and return how many there are."""
    now = statements.now()
    moving = list(runs.unfinished(transfers.TRANSFERS, now))
    acting = list(runs.unfinished(policies.POLICY_RUNS, now))
    doing = list(runs.unfinished(bulk.BULK_RUNS, now))
    for transfer in moving:
        _try(partial(run_transfer.delay, transfer_id=transfer.transfer_id))
    for run in acting:
        _try(partial(run_policy.delay, run_id=run.run_id))
    for one in doing:
        _try(partial(run_bulk.delay, bulk_id=one.bulk_id))
    return len(moving) + len(acting) + len(doing)


@shared_task
@beat.once_a_slot
def sweep_stale() -> int:
    """Let the stale policies warn and begin their runs, and return how many runs were begun."""
    now = statements.now()
    found = policies.look(now=now)
    policies.warn(found, now=now)
    begun = policies.sweep(found, now=now)
    for run in begun:
        wake_policy_run(run)
    return len(begun)


@shared_task
@beat.once_a_slot
def apply_hours() -> int:
    """Open and close the queues whose hours say so and return how many were opened or closed."""
    changed = opening.apply_hours(now=statements.now())
    if changed:
        queues_changed()
    return len(changed)


@shared_task
@beat.once_a_slot
def expire_offers() -> int:
    """Put offers that were not answered in time back at their place and return how many went back."""
    back = routing.expire_offers(now=statements.now())
    if back:
        wake_routing()
    return back


@shared_task
def assign_waiting() -> int:
    """Offer waiting work to agents who are free and return how many offers were made."""
    return routing.assign_waiting(now=statements.now())


@shared_task
@beat.once_a_slot
def keep_assigning() -> int:
    """Offer what no wake-up has told of, and return how many offers were made."""
    return routing.assign_waiting(now=statements.now())


@shared_task
def send_mails() -> int:
    """Send the mails that are due and return how many went out; one that finds no server leaves the rest for later."""
    begun, sent = timezone.now(), 0
    for pk in list(mails.due(begun).values_list("pk", flat=True)[:MAILS]):
        now = timezone.now()
        if now - begun > MAILS_FOR:
            break
        result = mails.send(pk, now=now)
        sent += result is mails.Result.SENT
        if result is mails.Result.UNREACHABLE:
            break
    return sent


@shared_task
@beat.once_a_slot
def keep_sending() -> int:
    """Send the mails that no wake-up has told of, and return how many went out."""
    return send_mails()


def _wake_for(items: int, wake: Callable[[], Any]) -> None:
    for _driver in range(min(DRIVERS, 1 + items // ITEMS_PER_DRIVER)):
        _after_commit(wake)


def _after_commit(wake: Callable[[], Any]) -> None:
    transaction.on_commit(lambda: _try(wake), robust=True)


def _try(wake: Callable[[], Any]) -> None:
    """Wake somebody, unless the broker takes no messages: the beat will find what there is to do."""
    try:
        wake()
    except OperationalError as error:
        logger.warning("a wake-up was not sent: %s", error)


def _work_off(kind: runs.Kind[Any], run: Any, again: Callable[[], Any]) -> int:
    settled = runs.work_off(
        kind, run.pk, clock=statements.now, seconds=STINT_SECONDS, stop=lambda: bool(_shutting_down.value)
    )
    if settled and not _shutting_down.value and runs.is_driven(kind, run.pk):
        _try(again)
    return settled


# Shared with the pool's processes, which are forked later and hear of no signal themselves.
_shutting_down: Any = multiprocessing.Value("b", 0, lock=False)


def is_shutting_down() -> bool:
    """Tell whether this worker has been told to stop."""
    return bool(_shutting_down.value)


@worker_shutting_down.connect
def _stop_after_the_chunk(**kwargs: Any) -> None:
    _shutting_down.value = 1
