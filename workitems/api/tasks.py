"""What the REST door forgets; safe to run twice, late or never."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery import shared_task
from django.db.models import QuerySet
from django.utils import timezone
from oauth2_provider.models import clear_expired

from workitems import beat, onlookers, statements
from workitems.api.models import KeptAnswer, SignInGuard
from workitems.api.sign_in import WINDOW_SECONDS

BATCH = 1_000
MOST_BATCHES = 50  # the next run takes the rest
ANSWERS_KEPT_FOR = timedelta(hours=72)
SLOTS_KEPT_FOR = timedelta(hours=1)


@shared_task
def forget() -> dict[str, int]:
    """Delete what counts no more: tokens that have expired, answers, sign-ins, looks and slots of the beat."""
    now = timezone.now()
    clear_expired()  # in batches of CLEAR_EXPIRED_TOKENS_BATCH_SIZE
    return {
        "answers": _delete(KeptAnswer.objects.filter(created_at__lt=now - ANSWERS_KEPT_FOR)),
        "guards": _delete(SignInGuard.objects.filter(last_at__lt=now - timedelta(seconds=WINDOW_SECONDS))),
        "onlookers": onlookers.forget(before=now - onlookers.COUNTS_FOR),
        "slots": beat.forget(before=statements.now() - SLOTS_KEPT_FOR),
    }


def _delete(old: QuerySet[Any]) -> int:
    deleted = 0
    for _batch in range(MOST_BATCHES):
        pks = list(old.values_list("pk", flat=True)[:BATCH])
        # asked again with the condition: a row may have come back to life in between
        deleted += old.filter(pk__in=pks)._raw_delete(old.db) if pks else 0
        if len(pks) < BATCH:
            break
    return deleted
