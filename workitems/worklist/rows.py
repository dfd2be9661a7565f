"""What the rows of a page show, read in one query whatever their number."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from workitems.choices import Event
from workitems.models import TimeEvent, Workitem
from workitems.worklist.sla import level_of_the_row

SHOWN = (
    "workitem_id", "channel_type", "type", "state", "priority", "name", "from_address", "to_address", "version",
    "created_at", "state_changed_at", "entered_at", "queued_at", "assigned_at", "terminated_at", "stale_at",
    "archived_at",
    "contact__display_name", "agent__username", "agent__first_name", "agent__last_name", "agent__is_active",
    "queue__queue_id", "queue__name",
)  # fmt: skip


def rows_of(pks: Sequence[int], columns: Collection[str]) -> list[Workitem]:
    """Return these workitems in this order, with what the columns need.

    They carry `sla_seconds`, `transfers`, `event_type` and `event_at` where the columns sla, transfers and event ask.
    """
    rows = Workitem.objects.filter(pk__in=pks).select_related("queue", "contact", "agent").only(*SHOWN)
    events = TimeEvent.objects.filter(workitem=OuterRef("pk")).order_by()
    if "sla" in columns:
        rows = rows.annotate(sla_seconds=level_of_the_row())
    if "transfers" in columns:
        rows = rows.annotate(transfers=transfers_of_the_row())
    if "event" in columns:
        last = events.order_by("-timestamp", "-pk")
        rows = rows.annotate(
            event_type=Subquery(last.values("type")[:1]), event_at=Subquery(last.values("timestamp")[:1])
        )
    found = {row.pk: row for row in rows.order_by()}
    return [found[pk] for pk in pks if pk in found]


def transfers_of_the_row() -> Coalesce:
    """Return how often a workitem was transferred."""
    events = TimeEvent.objects.filter(workitem=OuterRef("pk"), type=Event.TRANSFERRED).order_by()
    counted = events.values("workitem").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
