"""Lists as files: CSV, XLSX and JSON, at once or, where that takes longer, as a job.

A job's row comes first and a message is only a wake-up. The rows that are meant are written down once; then part after
part is made and kept, each in a transaction of its own, so that a killed worker's successor goes on with the next part.
What a list is, and who may see it, is the business of whoever has opened it.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import IO, Any, Protocol

import orjson
from django.db import InterfaceError, OperationalError
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from workitems import audit, cells, sheets
from workitems.actors import Actor
from workitems.choices import Door
from workitems.errors import TooManyRows, WorkitemError, WrongRunState
from workitems.models import MOST_ATTEMPTS, AuditEntry, Export, ExportPart
from workitems.services import chunks, in_transaction

PORTION = 500  # rows read at once
PART_ROWS = 2_000  # of a part, which comes to a megabyte or so
PART_BYTES = 1024 * 1024
MOST_ROWS = 2_000_000
MOST_SHEET_ROWS = 1_000_000  # what a sheet takes
AT_ONCE = {Export.Format.CSV: 100_000, Export.Format.JSON: 100_000, Export.Format.XLSX: 20_000}
KEPT_FOR = timedelta(days=7)
UNMOVED_AFTER = timedelta(seconds=15)
HEARTBEAT_SECONDS = 5.0
MOST_ERROR = 500
BATCH = 100  # deleted at once
DATABASE_IS_AWAY = (OperationalError, InterfaceError)  # the fault of no export
CONTENT_TYPES = {
    Export.Format.CSV: "text/csv; charset=utf-8",
    Export.Format.JSON: "application/json",
    Export.Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

logger = logging.getLogger(__name__)
State, Format = Export.State, Export.Format
DRIVEN = (State.PENDING, State.RUNNING)
Row = Sequence[Any]
Clock = Callable[[], datetime]


class Table(Protocol):
    """An open list: its columns, which rows match, and what stands in the columns of some of them."""

    names: list[str]
    headers: list[str]
    title: str

    def ids(self, most: int) -> list[int]: ...
    def rows(self, pks: Sequence[int]) -> list[Row]: ...


OpenTable = Callable[[Export], Table]


def stream(table: Table, form: str, pks: Sequence[int]) -> Iterator[bytes]:
    """Yield the file of these rows, CSV or JSON; no statement stays open while somebody downloads slowly."""
    yield _opening(table, form)
    written = 0
    for portion in chunks(pks, PORTION):
        rows = table.rows(portion)
        yield _lines(table, form, rows, follow=written > 0)
        written += len(rows)
    yield _closing(form, written)


def write_workbook(file: IO[bytes], table: Table, pks: Sequence[int]) -> None:
    """Write a workbook of these rows."""
    rows = (row for portion in chunks(pks, PORTION) for row in table.rows(portion))
    sheets.write(file, table.title, table.headers, rows)


def tell(list_name: str, form: str, query: str, *, actor: Actor, now: datetime, **details: Any) -> AuditEntry:
    """Write down who has taken which list away, with which filters and how much of it."""
    return audit.write("list exported", list_name, actor=actor, now=now, format=form, query=query, **details)


def request(
    list_name: str, form: str, query: str, columns: Sequence[str], *, user: Any, actor: Actor, now: datetime
) -> Export:
    """Ask for a file that a worker makes; the caller wakes one."""

    def write() -> Export:
        export = Export.objects.create(
            list_name=list_name,
            format=form,
            query=query,
            columns=list(columns),
            requested_by=user,
            created_at=now,
            moved_at=now,
        )
        audit.write(
            "export requested", export.export_id, actor=actor, now=now, list=list_name, format=form, query=query
        )
        return export

    return in_transaction(write)


def of(actor: Actor) -> QuerySet[Export]:
    """Return the exports that the person has asked for; nobody sees those of others."""
    return Export.objects.filter(requested_by=actor.user) if actor.user is not None else Export.objects.none()


def unfinished(now: datetime) -> QuerySet[Export]:
    """Return those that nobody has driven on for a while: a message was lost, or a worker died."""
    stalled = Export.objects.filter(state__in=DRIVEN, moved_at__lte=now - UNMOVED_AFTER).order_by("moved_at")
    return stalled.only("export_id", "list_name")


def cancel(export: Export, *, now: datetime) -> None:
    """End it and throw away what there is of the file."""

    def write() -> None:
        _change_state(export, DRIVEN, state=State.CANCELLED, finished_at=now, selected=None)
        export.parts.all().delete()

    in_transaction(write)


def retry(export: Export, *, now: datetime) -> None:
    """Let one that has failed go on where it was."""
    _change_state(export, (State.FAILED,), state=State.PENDING, finished_at=None, moved_at=now, attempts=0, error="")


def content(export: Export) -> Iterator[bytes]:
    """Yield the file, a part in memory at a time."""
    for number in export.parts.values_list("number", flat=True):
        yield bytes(export.parts.values_list("content", flat=True).get(number=number))


def forget(*, before: datetime) -> int:
    """Delete the exports that were asked for before this time, with their files, and return how many."""
    pks = list(
        Export.objects.filter(created_at__lt=before).exclude(state__in=DRIVEN).values_list("pk", flat=True)[:BATCH]
    )
    for pk in pks:  # one file a transaction
        in_transaction(partial(_delete, pk))
    return len(pks)


def work_off(
    export_id: str, open_table: OpenTable, *, clock: Clock, seconds: float, stop: Callable[[], bool] = bool
) -> int:
    """Make parts of the file for at most so many seconds, or until told to stop, and return how many."""
    until, made, pks = time.monotonic() + seconds, 0, None
    while not stop() and time.monotonic() < until:
        export = in_transaction(partial(take, export_id, clock()))
        if export is None:
            break
        try:
            table = open_table(export)  # anew for each part: what the person may see can have changed
            pks = pks or _frozen(export, table)
            done = _make(export, table, pks, clock)
        except DATABASE_IS_AWAY:
            raise
        except WorkitemError as refusal:
            fail(export, refusal.message, clock())
            break
        except Exception as problem:
            logger.exception("a part of an export failed")
            note(export, problem)
            break
        made += done
    return made


def is_driven(export_id: str) -> bool:
    """Tell whether there is more to do."""
    return Export.objects.filter(export_id=export_id, state__in=DRIVEN).exists()


def _delete(pk: int) -> None:
    ExportPart.objects.filter(export=pk).delete()
    Export.objects.filter(pk=pk).delete()


def _change_state(export: Export, sources: Sequence[str], **facts: Any) -> None:
    changed = Export.objects.filter(pk=export.pk, state__in=sources).update(**facts)
    export.refresh_from_db()
    if not changed:
        raise WrongRunState(state=export.get_state_display())


def take(export_id: str, now: datetime) -> Export | None:
    """Return the export to make the next part of, with one more attempt marked; None where there is nothing to do."""
    rows = Export.objects.select_for_update(of=("self",)).select_related("requested_by").defer("selected")
    export = rows.filter(export_id=export_id, state__in=DRIVEN).first()
    if export is None:
        return None
    export.attempts += 1
    export.moved_at = now
    if export.attempts > MOST_ATTEMPTS:
        export.state, export.finished_at = State.FAILED, now
        export.error = export.error or _("The worker was stopped at this place again and again.")
        export.attempts = MOST_ATTEMPTS
    else:
        export.state = State.RUNNING
    export.save(update_fields=["attempts", "moved_at", "state", "finished_at", "error"])
    return export if export.state == State.RUNNING else None


def _frozen(export: Export, table: Table) -> list[int]:
    """Return the rows that are meant, written down at the first time."""
    pks: list[int] | None = Export.objects.values_list("selected", flat=True).get(pk=export.pk)
    if pks is None:
        most = MOST_SHEET_ROWS if export.format == Format.XLSX else MOST_ROWS
        pks = table.ids(most + 1)
        if len(pks) > most:
            raise TooManyRows(most=most)
        Export.objects.filter(pk=export.pk, selected__isnull=True).update(selected=pks)
        pks = Export.objects.values_list("selected", flat=True).get(pk=export.pk) or []  # the first one's, if two came
    return pks


def _make(export: Export, table: Table, pks: Sequence[int], clock: Clock) -> int:
    number = export.parts.count()
    portion = pks[number * PART_ROWS : (number + 1) * PART_ROWS]
    is_sheet = export.format == Format.XLSX
    if is_sheet and not portion:
        return _bind(export, table, clock)
    rows = [row for some in chunks(portion, PORTION) for row in table.rows(some)]
    if is_sheet:
        part = b"".join(orjson.dumps([_kept(value) for value in row]) + b"\n" for row in rows)
        return _keep(export, number, part, len(rows), clock(), is_last=False)
    part = _lines(table, export.format, rows, follow=export.rows > 0)
    if number == 0:
        part = _opening(table, export.format) + part
    is_last = (number + 1) * PART_ROWS >= len(pks)
    if is_last:
        part += _closing(export.format, export.rows + len(rows))
    return _keep(export, number, part, len(rows), clock(), is_last=is_last)


def _keep(export: Export, number: int, part: bytes, rows: int, now: datetime, *, is_last: bool) -> int:
    """Keep a part, unless somebody else has made it meanwhile or nobody wants it any more."""

    def write() -> int:
        if not _is_mine(export, number):
            return 0
        ExportPart.objects.create(export=export, number=number, content=part)
        Export.objects.filter(pk=export.pk).update(rows=F("rows") + rows, moved_at=now, attempts=0, error="")
        if is_last:
            _finish(export, now)
        return 1

    return in_transaction(write)


def _bind(export: Export, table: Table, clock: Clock) -> int:
    """Make the workbook of the rows that are kept as lines, and put it in their place."""
    count = export.parts.count()
    with tempfile.TemporaryFile() as file:
        sheets.write(file, table.title, table.headers, _kept_rows(export, clock))
        file.seek(0)

        def write() -> int:
            if not _is_mine(export, count):
                return 0
            export.parts.all().delete()
            for number, piece in enumerate(iter(partial(file.read, PART_BYTES), b"")):
                ExportPart.objects.create(export=export, number=number, content=piece)
            _finish(export, clock())
            return 1

        return in_transaction(write)


def _kept_rows(export: Export, clock: Clock) -> Iterator[Row]:
    told = time.monotonic()
    for part in content(export):
        for line in part.splitlines():
            yield [_value(one) for one in orjson.loads(line)]
        if time.monotonic() - told > HEARTBEAT_SECONDS:
            told = time.monotonic()
            Export.objects.filter(pk=export.pk).update(moved_at=clock())


def _is_mine(export: Export, parts: int) -> bool:
    locked = Export.objects.select_for_update().filter(pk=export.pk, state=State.RUNNING).only("pk").first()
    return locked is not None and locked.parts.count() == parts


def _finish(export: Export, now: datetime) -> None:
    Export.objects.filter(pk=export.pk).update(
        state=State.DONE, finished_at=now, moved_at=now, attempts=0, error="", selected=None
    )
    export.refresh_from_db(fields=["rows"])
    actor = actor_for(export)
    tell(export.list_name, export.format, export.query, actor=actor, now=now, rows=export.rows, export=export.export_id)


def actor_for(export: Export) -> Actor:
    """Return who acts in the worker: the person who has asked, with what he may do now."""
    return Actor.of(export.requested_by, Door.JOB)


def note(export: Export, problem: Exception) -> None:
    """Keep what went wrong; it is tried again."""
    Export.objects.filter(pk=export.pk).update(error=f"{type(problem).__name__}: {problem}"[:MOST_ERROR])


def fail(export: Export, why: str, now: datetime) -> None:
    """End it, with the reason for its person."""
    Export.objects.filter(pk=export.pk, state=State.RUNNING).update(state=State.FAILED, error=why, finished_at=now)


def _opening(table: Table, form: str) -> bytes:
    if form == Format.JSON:
        return b"["
    return b"\xef\xbb\xbf" + cells.line(table.headers).encode()  # by which spreadsheets know UTF-8


def _closing(form: str, rows: int) -> bytes:
    return (b"\n]\n" if rows else b"]\n") if form == Format.JSON else b""


def _lines(table: Table, form: str, rows: Sequence[Row], *, follow: bool) -> bytes:
    if form == Format.CSV:
        return "".join(cells.line(sheets.text_of(value) for value in row) for row in rows).encode()
    pieces = [
        b"\n" + orjson.dumps({name: _plain(one) for name, one in zip(table.names, row, strict=True)}) for row in rows
    ]
    return (b"," if follow and pieces else b"") + b",".join(pieces)


def _plain(value: Any) -> Any:
    return sheets.text_of(value) if isinstance(value, date) else value


def _kept(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"at": value.astimezone(UTC).isoformat()}
    return sheets.text_of(value) if isinstance(value, date | list | dict) else value


def _value(kept: Any) -> Any:
    return datetime.fromisoformat(kept["at"]) if isinstance(kept, dict) else kept
