"""The list of transfers and other work on many: both kinds of runs in one, newest first, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workitems import bulk, transfers
from workitems.actors import Actor
from workitems.models import DRIVEN, BulkRun, Run, Transfer
from workitems.pages.addresses import ADDRESSES
from workitems.presenting.bulk_receipts import title_of
from workitems.presenting.run_words import bar_of, icon_of, pace_of
from workitems.presenting.transfer_receipts import target_of
from workitems.presenting.words import grouped, is_key, name_of

SHOWN = 25
PLANNED = "planned"
STATES = (
    ("", gettext_lazy("All")),
    (PLANNED, gettext_lazy("Planned")),
    *((value, label) for value, label in Run.State.choices),
)

Asked = Transfer | BulkRun


@dataclass(frozen=True)
class RunLine:
    """One run of the list."""

    run: Asked
    address: str
    title: str
    icon: str
    bar: dict[str, Any]
    pace: str
    by: str
    refused: str
    is_planned: bool


@dataclass(frozen=True)
class Chip:
    """A filter by state, and whether it holds."""

    words: str
    query: str
    is_on: bool


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: below these rows of either kind; None for the newest."""

    transfer: int | None = None
    bulk: int | None = None

    @classmethod
    def read(cls, text: str) -> Cursor:
        """Read it from an address; what makes no sense is the first page."""
        first, _dot, second = text.partition(".")
        return cls(int(first), int(second)) if is_key(first) and is_key(second) else cls()


@dataclass(frozen=True)
class Page:
    """Some runs, and the address of those before them; "" where there are none."""

    lines: list[RunLine]
    chips: list[Chip]
    older: str


def page_of(actor: Actor, state: str, cursor: Cursor, now: datetime) -> Page:
    """Return a page of the runs that somebody may see: his own, all of them with the admin scope everywhere."""
    state = state if state in dict(STATES) else ""
    moves = _some(transfers.visible_to(actor), state, cursor.transfer, now)
    others = _some(bulk.visible_to(actor), state, cursor.bulk, now)
    merged: list[Asked] = sorted([*moves, *others], key=lambda one: (one.created_at, one.public_id), reverse=True)
    shown = merged[:SHOWN]
    older = ""
    if len(merged) > SHOWN:
        first = _last(shown, Transfer, cursor.transfer, moves)
        second = _last(shown, BulkRun, cursor.bulk, others)
        older = urlencode({**({"state": state} if state else {}), "before": f"{first}.{second}"})
    chips = [Chip(str(words), urlencode({"state": one}) if one else "", one == state) for one, words in STATES]
    return Page([line_of(one, now) for one in shown], chips, older)


def line_of(run: Asked, now: datetime) -> RunLine:
    """Return a run as a line shows it."""
    return RunLine(
        run=run,
        address=ADDRESSES.run(run),
        title=_title(run),
        icon=icon_of(run),
        bar=bar_of(run),
        pace=pace_of(run, now),
        by=name_of(run.requested_by),
        refused=grouped(run.refused + run.failed) if run.refused + run.failed else "",
        is_planned=is_planned(run, now),
    )


def is_planned(run: Asked, now: datetime) -> bool:
    """Tell whether its time has not come yet."""
    return run.state == Run.State.PENDING and run.start_at > now


def _title(run: Asked) -> str:
    if isinstance(run, BulkRun):
        return title_of(run)
    return _("Transfer %s") % target_of(run) if run.undoes_id else _("Transfer to %s") % target_of(run)


def _some(rows: QuerySet[Any], state: str, before: int | None, now: datetime) -> list[Any]:
    if state == PLANNED:
        rows = rows.filter(state=Run.State.PENDING, start_at__gt=now)
    elif state in DRIVEN:
        rows = rows.filter(state=state, start_at__lte=now)
    elif state:
        rows = rows.filter(state=state)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows.order_by("-pk")[: SHOWN + 1])


def _last(shown: list[Asked], kind: type[Asked], before: int | None, read: list[Any]) -> int:
    """Return below which row the next page begins."""
    pks = [one.pk for one in shown if isinstance(one, kind)]
    if pks:
        return min(pks)
    return before if before is not None else max((one.pk for one in read), default=0) + 1
