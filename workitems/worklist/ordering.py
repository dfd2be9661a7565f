"""The orders of a list, and what the one by due time needs beside the row.

By due time comes first what waits and has a service level, the earliest due first; then whatever else is open, the
longest in its state first. No index can hold this, since it changes with the queue's service level. It is asked of open
work only (list_query.py refuses it otherwise), for which there is the partial index workitem_in_line: of 100,000
workitems, 5,000 of them open, PostgreSQL 15 reads those 5,000 by it (2,916 buffers) and keeps the first thousand in a
heap, in 70 ms on two busy cores. It grows with the open work and not with the table.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Case, F, FloatField, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Cast

from workitems.choices import WAITING
from workitems.epoch import Seconds
from workitems.measures import with_level
from workitems.models import Workitem
from workitems.worklist.columns import BY_DUE, SORTS

HAS_A_LEVEL = Q(state__in=WAITING, entered_at__isnull=False, level__sla_seconds__isnull=False)


def ordered(rows: QuerySet[Workitem], sort: str) -> QuerySet[Workitem]:
    """Return the rows in one of SORTS."""
    return with_order(rows, sort).order_by(*SORTS[sort])


def with_order(rows: QuerySet[Workitem], sort: str) -> QuerySet[Any]:
    """Return the rows with the fields that this order goes by."""
    if sort != BY_DUE:
        return rows
    due = Seconds(F("entered_at")) + Cast(F("level__sla_seconds"), FloatField())
    return with_level(rows).annotate(
        due_place=Case(When(HAS_A_LEVEL, then=Value(0)), default=Value(1), output_field=IntegerField()),
        due_after=Case(When(HAS_A_LEVEL, then=due), default=Value(0.0), output_field=FloatField()),
    )
