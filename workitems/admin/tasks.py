"""The doors by which Celery comes in for the back office: files of its lists, and imports into them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from celery import shared_task
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from workitems import beat, exports, statements
from workitems.admin import import_jobs
from workitems.models import Export
from workitems.tasks import is_shutting_down

STINT_SECONDS = 20.0  # the longest that one message keeps a worker; what is left gets another message

logger = logging.getLogger(__name__)


def wake_export(export: Export) -> None:
    """Tell a worker about an export after the commit; should that fail, the beat finds it anyway."""
    transaction.on_commit(partial(_try, partial(run_export.delay, export_id=export.export_id)), robust=True)


def wake_import(export: Export) -> None:
    """Tell a worker about an import after the commit; should that fail, the beat finds it anyway."""
    transaction.on_commit(partial(_try, partial(run_import.delay, import_id=export.export_id)), robust=True)


@shared_task
def run_export(*, export_id: str) -> int:
    """Make a file for a while and return how many parts of it were made."""
    from workitems.admin.exporting import open_table  # which needs this module

    made = exports.work_off(export_id, open_table, clock=statements.now, seconds=STINT_SECONDS, stop=is_shutting_down)
    if made and exports.is_driven(export_id):
        _try(partial(run_export.delay, export_id=export_id))
    return made


@shared_task
def run_import(*, import_id: str) -> int:
    """Import for a while and return how many lines were settled."""
    settled = import_jobs.work_off(import_id, clock=statements.now, seconds=STINT_SECONDS, stop=is_shutting_down)
    if settled and exports.is_driven(import_id):
        _try(partial(run_import.delay, import_id=import_id))
    return settled


@shared_task
@beat.once_a_slot
def drive_exports() -> int:
    """Wake workers for the exports and imports that have come to a standstill and return how many there are."""
    still = list(exports.unfinished(statements.now()))
    for export in still:
        if import_jobs.is_import(export):
            _try(partial(run_import.delay, import_id=export.export_id))
        else:
            _try(partial(run_export.delay, export_id=export.export_id))
    return len(still)


@shared_task
@beat.once_a_slot
def forget_exports() -> int:
    """Delete the files and imports that are older than a week and return how many."""
    return exports.forget(before=timezone.now() - exports.KEPT_FOR)


def _try(wake: Callable[[], Any]) -> None:
    """Wake somebody, unless the broker takes no messages: the beat will find what there is to do."""
    try:
        wake()
    except OperationalError as error:
        logger.warning("a wake-up was not sent: %s", error)
