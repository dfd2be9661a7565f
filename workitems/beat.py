"""Periodic work that is begun once, however many beats there are and however often their messages come."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from workitems import statements
from workitems.models import BeatSlot


def once_a_slot(work: Callable[[], int]) -> Callable[[], int]:
    """Run this periodic work only for whoever claims its present slot; the others report 0.

    The schedule in the settings names the function and says how long a slot is.
    """

    @functools.wraps(work)
    def claimed() -> int:
        seconds = settings.CELERY_BEAT_SCHEDULE[work.__name__]["schedule"]
        return work() if claim(work.__name__, seconds, now=statements.now()) else 0

    return claimed


def claim(task: str, seconds: float, *, now: datetime) -> bool:
    """Tell whether the slot that the time lies in is ours: nobody has claimed it before."""
    slot = datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)
    try:
        with transaction.atomic():
            BeatSlot.objects.create(task=task, slot_at=slot, claimed_at=now)
    except IntegrityError:
        return False
    return True


def forget(*, before: datetime) -> int:
    """Delete the slots claimed before this time and return how many."""
    count, _kinds = BeatSlot.objects.filter(claimed_at__lt=before).delete()
    return count
