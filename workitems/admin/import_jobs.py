"""Imports that somebody has previewed: kept as rows until he says yes, then carried out portion by portion.

An import is kept like an export, as a row with parts: each part holds some lines of the plan and, once they are
settled, what became of them. A part's lines and their outcome are written in one transaction.
"""

from __future__ import annotations

import gzip
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import orjson
from django.apps import apps
from django.db import DataError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from queues.models import Queue
from workitems import audit, exports, tasks
from workitems.actors import Actor
from workitems.admin.import_plans import CHANGED, NEW, REFUSED, Line, Plan
from workitems.admin.import_resources import TABLES, Table
from workitems.errors import ListClosed, WorkitemError, WrongRunState
from workitems.models import Export, ExportPart
from workitems.services import chunks, in_transaction

PREFIX = "import "
PORTION = 200
DONE = "done"

logger = logging.getLogger(__name__)
State = Export.State


def is_import(export: Export) -> bool:
    """Tell imports from exports."""
    return export.list_name.startswith(PREFIX)


def keep(found: Plan, table: Table, name: str, *, user: Any, now: datetime) -> Export:
    """Keep a plan until its person says what is to happen; only he can see it."""

    def write() -> Export:
        kept = Export.objects.create(
            list_name=PREFIX + table.model._meta.label_lower,
            format=Export.Format.JSON,
            query=name[:200],
            columns={
                "header": found.header, "ignored": found.ignored, "hasIds": found.has_ids, "counts": found.counts,
                "total": len(found.lines),
            },
            requested_by=user,
            state=State.CANCELLED,  # nothing is to happen, unless he says so
            created_at=now,
            moved_at=now,
        )  # fmt: skip
        for number, lines in enumerate(chunks(found.lines, PORTION)):
            ExportPart.objects.create(export=kept, number=number, content=_packed(lines))
        return kept

    return in_transaction(write)


def of(actor: Actor) -> QuerySet[Export]:
    """Return the imports of this person; nobody sees those of others."""
    return exports.of(actor).filter(list_name__startswith=PREFIX)


def lines_of(kept: Export) -> Iterator[Line]:
    """Yield all lines, a part in memory at a time."""
    for number in kept.parts.values_list("number", flat=True):
        yield from _unpacked(kept.parts.values_list("content", flat=True).get(number=number))


def is_open(kept: Export) -> bool:
    """Tell whether its person still has to say what is to happen."""
    return kept.state == State.CANCELLED and kept.finished_at is None


def begin(kept: Export, *, actor: Actor, now: datetime) -> None:
    """Let it be carried out; raise WrongRunState where that was said already."""

    def write() -> None:
        rows = Export.objects.filter(pk=kept.pk, state=State.CANCELLED, finished_at=None)
        if not rows.update(state=State.PENDING, moved_at=now):
            kept.refresh_from_db()
            raise WrongRunState(state=kept.get_state_display())
        facts: dict[str, Any] = kept.columns
        audit.write("import begun", kept.export_id, actor=actor, now=now, list=kept.list_name, file=kept.query,
                    counts=facts["counts"])  # fmt: skip

    in_transaction(write)
    kept.refresh_from_db()


def drop(kept: Export) -> None:
    """Throw the plan away: nothing happens; what has been begun meanwhile goes on."""

    def write() -> None:
        locked = Export.objects.select_for_update().filter(pk=kept.pk).first()
        if locked is not None and is_open(locked):
            locked.parts.all().delete()
            locked.delete()

    in_transaction(write)


def table_of(kept: Export) -> Table:
    """Return the columns of what is imported."""
    return TABLES[apps.get_model(kept.list_name.removeprefix(PREFIX))]()


def work_off(
    import_id: str,
    *,
    clock: Callable[[], datetime],
    seconds: float,
    stop: Callable[[], bool] = bool,
    actor: Actor | None = None,
) -> int:
    """Carry an import out for at most so many seconds, or until told to stop; return how many lines were settled."""
    until, settled = time.monotonic() + seconds, 0
    while not stop() and time.monotonic() < until:
        kept = in_transaction(partial(exports.take, import_id, clock()))
        if kept is None:
            break
        try:
            settled += in_transaction(partial(_do_part, kept.pk, actor or exports.actor_for(kept), clock))
        except exports.DATABASE_IS_AWAY:
            raise
        except WorkitemError as refusal:
            exports.fail(kept, refusal.message, clock())
            break
        except Exception as problem:
            logger.exception("a part of an import failed")
            exports.note(kept, problem)
            break
    if settled and TABLES[Queue] is type(table_of(Export.objects.get(export_id=import_id))):
        tasks.queues_changed()
    return settled


def _do_part(pk: int, actor: Actor, clock: Callable[[], datetime]) -> int:
    kept = Export.objects.select_for_update().filter(pk=pk, state=State.RUNNING).first()
    if kept is None:
        return 0
    table, facts = table_of(kept), dict(kept.columns)
    if table.kind.change_scope not in actor.everywhere:
        raise ListClosed
    part = kept.parts.filter(number=kept.rows // PORTION).first()
    lines = _unpacked(part.content) if part is not None else []
    for line in lines:
        if line["status"] in (NEW, CHANGED):
            _do(table, line, actor, clock())
    if part is not None:
        part.content = _packed(lines)
        part.save(update_fields=["content"])
    kept.rows += len(lines)
    facts["outcomes"] = dict(
        Counter(facts.get("outcomes", {})) + Counter(line["outcome"] for line in lines if "outcome" in line)
    )
    kept.columns, kept.attempts, kept.error, kept.moved_at = facts, 0, "", clock()
    if kept.rows >= facts["total"]:
        kept.state, kept.finished_at = State.DONE, clock()
    kept.save()
    return len(lines)


def _do(table: Table, line: Line, actor: Actor, now: datetime) -> None:
    """Carry one line out as it was previewed, or write down why that is refused by now."""
    values, kind = table.for_kind(line["values"]), table.kind
    try:
        with transaction.atomic():
            if line["status"] == NEW:
                line["id"] = getattr(kind.create(values, actor=actor, now=now), kind.id_field)
            else:
                kind.change(line["id"], values, actor=actor, now=now, if_version=line["version"])
    except WorkitemError as refusal:
        line["outcome"], line["problem"] = REFUSED, refusal.message
    except DataError:
        line["outcome"], line["problem"] = REFUSED, _("The database takes no such value.")
    else:
        line["outcome"] = DONE


def _packed(lines: Sequence[Line]) -> bytes:
    return gzip.compress(orjson.dumps(lines), mtime=0)


def _unpacked(content: bytes | memoryview) -> list[Line]:
    lines: list[Line] = orjson.loads(gzip.decompress(bytes(content)))
    return lines
