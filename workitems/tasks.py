"""The doors by which Celery comes in: ids in, domain calls, a small report out; safe to run twice, late or never."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from workitems import mails, services, transfers
from workitems.actors import Actor
from workitems.choices import Scope
from workitems.commands import ExpireOffer, TerminateStale
from workitems.models import Transfer, Workitem

SWEEP = 5_000  # the most that one run of a sweep takes on; the next run takes the rest
MAILS = 200
MAILS_FOR = timedelta(minutes=1)  # the worker has other things to do


def wake_transfer(transfer: Transfer) -> None:
    """Tell a worker about a transfer after the commit; should that fail, the beat finds the transfer anyway."""

    def wake() -> None:
        run_transfer.delay(transfer_id=transfer.transfer_id)

    transaction.on_commit(wake, robust=True)


@shared_task
def run_transfer(*, transfer_id: str) -> int:
    """Work off a bulk transfer and return how many items this run settled."""
    transfer = Transfer.objects.select_related("queue").get(transfer_id=transfer_id)
    settled = 0
    while count := transfers.work_off_chunk(transfer, now=timezone.now()):
        settled += count
    return settled


@shared_task
def drive_transfers() -> int:
    """Wake workers for the transfers that have come to a standstill and return how many there are."""
    standing = list(transfers.unfinished(timezone.now()).values_list("transfer_id", flat=True))
    for transfer_id in standing:
        run_transfer.delay(transfer_id=transfer_id)
    return len(standing)


def wake_mails() -> None:
    """Tell a worker after the commit that there are mails to send; should that fail, the beat finds them anyway."""
    transaction.on_commit(send_mails.delay, robust=True)


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
def expire_offers() -> int:
    """Put offers that were not answered in time back at their place and return how many went back."""
    now = timezone.now()
    overdue = Workitem.objects.overdue_offers(now).order_by("offer_expires_at")[:SWEEP]
    actor = Actor.job("expire-offers", Scope.ADMIN)
    outcome = services.execute_many(ExpireOffer(), overdue.values_list("workitem_id", flat=True), actor=actor, now=now)
    return len(outcome.done)


@shared_task
def terminate_waiting() -> int:
    """End what has waited in its queue for too long and return how many; switched off where no limit is set."""
    if not settings.TERMINATE_WAITING_AFTER_SECONDS:
        return 0
    now = timezone.now()
    limit = now - timedelta(seconds=settings.TERMINATE_WAITING_AFTER_SECONDS)
    waiting = Workitem.objects.waiting_since_before(limit).order_by("state_changed_at", "pk")[:SWEEP]
    actor = Actor.job("terminate-waiting", Scope.ADMIN)
    outcome = services.execute_many(
        TerminateStale(inactive_since=limit), waiting.values_list("workitem_id", flat=True), actor=actor, now=now
    )
    return len(outcome.done)
