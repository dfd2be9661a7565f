"""How long that which is due has been waiting, and whether the beat still beats: what tells of missing workers.

Cheap at any number of workitems: each question is the first row of an index.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import Max, Min
from django.db.models.functions import Greatest

from workitems import mails
from workitems.models import DRIVEN, BeatSlot, BulkRun, PolicyRun, Transfer, Workitem


def due_since(now: datetime) -> dict[str, datetime | None]:
    """Return for each kind of work since when the oldest of it is due, None where nothing is."""
    return {kind: ask(now) for kind, ask in QUESTIONS.items()}


def seconds_due(now: datetime) -> dict[str, float]:
    """Return for each kind of work how long the oldest of it is due, 0 where nothing is."""
    return {kind: _seconds(since, now) for kind, since in due_since(now).items()}


def beat_age_seconds(now: datetime) -> float | None:
    """Return how long ago a worker began something that the beat told it to, None if that has never been."""
    last: datetime | None = BeatSlot.objects.aggregate(last=Max("claimed_at"))["last"]
    return None if last is None else _seconds(last, now)


def _run_due_since(runs: Any, now: datetime) -> datetime | None:
    # one that moves is not late, however long it takes
    due = runs.filter(state__in=DRIVEN, start_at__lte=now)
    since: datetime | None = due.aggregate(since=Min(Greatest("start_at", "moved_at")))["since"]
    return since


def _offer_due_since(now: datetime) -> datetime | None:
    since: datetime | None = Workitem.objects.overdue_offers(now).aggregate(since=Min("offer_expires_at"))["since"]
    return since


def _mail_due_since(now: datetime) -> datetime | None:
    return mails.due(now).values_list("next_attempt_at", flat=True).first()


def _seconds(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


QUESTIONS: dict[str, Callable[[datetime], datetime | None]] = {
    "transfers": lambda now: _run_due_since(Transfer.objects, now),
    "policy_runs": lambda now: _run_due_since(PolicyRun.objects, now),
    "bulk_runs": lambda now: _run_due_since(BulkRun.objects, now),
    "offers": _offer_due_since,
    "mails": _mail_due_since,
}
