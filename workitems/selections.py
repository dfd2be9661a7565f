"""Which workitems somebody means: named one by one, or all that a search matches, and frozen as rows of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from workitems import services
from workitems.actors import Actor
from workitems.errors import NothingToDo, SelectionChanged, TooMany
from workitems.models import Run, RunItem, Workitem
from workitems.outcomes import MOST_SAMPLES, Forecast

MOST_ITEMS = 500_000
IDS_AT_ONCE = 5_000


@dataclass(frozen=True)
class Selection:
    """Which workitems are meant: those with these ids, or those among these rows that the actor can see.

    `seen_at` is when the person saw them, and says what has changed since.
    """

    workitem_ids: Sequence[str] | None = None
    rows: QuerySet[Workitem] | None = None
    query: str = ""  # for the record: what was searched for
    seen_at: datetime | None = None

    @property
    def ids(self) -> list[str]:
        """The ids that were named, each once."""
        return list(dict.fromkeys(self.workitem_ids or ()))

    def parts(self, actor: Actor) -> list[QuerySet[Workitem]]:
        """Return what the actor can see of it, in portions that a statement can bear."""
        visible = Workitem.objects.visible_to(actor)
        if self.rows is not None:
            return [self.rows & visible]
        return [visible.filter(workitem_id__in=ids) for ids in services.chunks(self.ids, IDS_AT_ONCE)]

    def missing(self, parts: list[QuerySet[Workitem]]) -> list[str]:
        """Return the ids that were named and are not among these rows."""
        known = {one for part in parts for one in part.order_by().values_list("workitem_id", flat=True)}
        return [one for one in self.ids if one not in known]


@dataclass
class Drift:
    """What has become of a selection since somebody saw it; `samples` holds some of the ids of each kind."""

    changed: int = 0
    gone: int = 0
    new: int = 0
    samples: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Preview:
    """What would become of a selection now."""

    total: int
    forecast: Forecast
    missing: int  # ids that do not exist, or not for this actor
    missing_samples: list[str]
    drift: Drift | None


def preview(selection: Selection, parts: list[QuerySet[Workitem]], forecast: Forecast) -> Preview:
    """Complete a forecast of these parts with what is missing and what has changed since the selection was seen."""
    found = forecast.allowed + forecast.refusals
    missing = selection.missing(parts) if selection.rows is None and found < len(selection.ids) else []
    return Preview(
        total=found + len(missing),
        forecast=forecast,
        missing=len(missing),
        missing_samples=missing[:MOST_SAMPLES],
        drift=_drift(selection, parts, missing),
    )


def freeze(run: Run, items: Any, selection: Selection, actor: Actor, **columns: str) -> None:
    """Write down as a run's items the workitems that are meant now, in the order in which they wait.

    `columns` names further columns of the items and the workitem's facts that they keep.
    """
    for part in selection.parts(actor):
        ordered = part.in_line()  # type: ignore[attr-defined]
        copy(run, items, ordered.values_list("workitem_id", *columns.values())[: MOST_ITEMS + 1], tuple(columns))
    if selection.rows is None:
        missing = selection.missing([])
        known = set(_items(run, items).values_list("workitem_id", flat=True)) if missing else set()
        items._default_manager.bulk_create(
            [items(run=run, workitem_id=one) for one in missing if one not in known], batch_size=1000
        )


def copy(run: Run, items: Any, rows: QuerySet[Any, tuple[Any, ...]], columns: Sequence[str] = ()) -> None:
    """Let the database copy workitem ids, and what these columns keep, into a run's items itself, however many."""
    try:
        sql, params = rows.query.sql_with_params()
    except EmptyResultSet:  # no look at the database is needed to know that there are none
        return
    names = ", ".join(("run_id", "workitem_id", *columns, "outcome", "code", "facts", "attempts", "error"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {items._meta.db_table} ({names}) "  # noqa: S608  made of names of our own
            f"SELECT %s, chosen.*, 'pending', '', '{{}}', 0, '' FROM ({sql}) chosen",
            [run.pk, *params],
        )


def close(run: Run, items: Any, expected: int | None) -> None:
    """Count what was written down; raise where that is nothing, too much, or other than the person has seen."""
    run.total = _items(run, items).count()
    if not run.total:
        raise NothingToDo
    if run.total > MOST_ITEMS:
        raise TooMany(most=MOST_ITEMS)
    if expected is not None and expected != run.total:
        raise SelectionChanged(current=run.total, expected=expected)
    run.save(update_fields=["total"])


def _items(run: Run, items: Any) -> QuerySet[RunItem]:
    rows: QuerySet[RunItem] = items._default_manager.filter(run=run.pk)
    return rows


def _drift(selection: Selection, parts: list[QuerySet[Workitem]], missing: list[str]) -> Drift | None:
    """Return what has changed since the selection was seen; what a search matched then and not now, nobody knows."""
    if selection.seen_at is None:
        return None
    drift = Drift(gone=len(missing))
    drift.samples["gone"] = missing[:MOST_SAMPLES]
    for part in parts:
        touched = part.order_by().filter(modified_at__gt=selection.seen_at)
        kinds = {"changed": touched}
        if selection.rows is not None:
            kinds = {
                "changed": touched.filter(created_at__lte=selection.seen_at),
                "new": touched.filter(created_at__gt=selection.seen_at),
            }
        for name, rows in kinds.items():
            setattr(drift, name, getattr(drift, name) + rows.count())
            kept = drift.samples.setdefault(name, [])
            kept.extend(rows.values_list("workitem_id", flat=True)[: MOST_SAMPLES - len(kept)])
    return drift
