"""Faults to be found: the programs under torture are started from here when one of them is planted."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import celery
from celery.signals import import_modules

from config.celery import app  # noqa: F401  what `celery -A` looks for
from config.wsgi import application  # noqa: F401  what the web server looks for

PLANT = os.environ.get("TORTURE_PLANT", "")


def lock_off() -> None:
    """Let workers take on what others have in hand, lock nothing, and ask nothing again."""
    from workitems import runs, services
    from workitems.commands import TransferToQueue
    from workitems.models import Workitem

    def run_of(kind: Any, chunk: Any) -> Any:
        return kind.runs.objects.get(pk=chunk.run_id)

    def all_of(kind: Any, chunk: Any) -> Any:
        return kind.items.objects.filter(run=chunk.run_id, pk__gte=chunk.first, pk__lte=chunk.last)

    def unlocked(ids: Any, reads: Any = ()) -> list[Workitem]:
        return list(Workitem.objects.filter(workitem_id__in=ids).prefetch_related("queue", "agent"))

    runs.LEFT_OVER_AFTER = timedelta(0)
    runs._locked, runs._pending, services.lock = run_of, all_of, unlocked
    TransferToQueue.check = lambda *args: None  # type: ignore[method-assign]


def publish_waits() -> None:
    """Let a request wait for the broker as Celery does when it is left alone."""
    from config import publishing

    publishing.Task.apply_async = celery.Task.apply_async  # type: ignore[method-assign]


@import_modules.connect
def plant(**kwargs: Any) -> None:
    if PLANT == "lock-off":
        lock_off()


if PLANT == "publish-waits":
    publish_waits()
