"""The workitems behind a figure of board and reports.

The figures are made of stays, and of entries that still run (measures.py). So a queue, a channel or an agent named
beside a figure is that of the stay: its workitem may be elsewhere by now. A workitem that entered a queue twice stands
behind two entries and is shown once.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import F, FloatField, Q, QuerySet, Value
from django.utils.translation import gettext_lazy as _

from workitems import measures
from workitems.choices import OPEN
from workitems.epoch import Seconds
from workitems.models import Workitem
from workitems.search.moments import EARLIEST, LATEST
from workitems.stuck import in_wrap_up

if TYPE_CHECKING:
    from workitems.worklist.filters import Filters

WAITING, WAITING_LATE = "waiting", "waitingLate"
IN_WRAP_UP = "inWrapUp"
STILL_RUNNING = frozenset({WAITING, WAITING_LATE})
OFFERED, SERVICE_LEVEL = "offered", "serviceLevel"  # of which some still wait
WORDS: dict[str, Any] = {
    OFFERED: _("offered"),
    "answered": _("answered"),
    "answeredInTime": _("answered in time"),
    "answeredLate": _("answered late"),
    "abandoned": _("abandoned"),
    "shortAbandoned": _("abandoned shortly"),
    "flowedOut": _("flowed out"),
    "handled": _("handled"),
    "wrappedUp": _("wrapped up"),
    "wrappedUpByAgent": _("ended and wrapped up by the agent"),
    SERVICE_LEVEL: _("counted for the service level"),
    WAITING: _("waiting"),
    WAITING_LATE: _("waiting past the service level"),
    IN_WRAP_UP: _("in wrap-up"),
}


def is_behind(filters: Filters, now: datetime) -> Q:
    """Return the condition that a workitem stands behind the figure that the filters name."""
    if filters.figure in STILL_RUNNING:  # which is open work: so the index of it is read, and not the whole table
        return Q(state__in=OPEN, pk__in=_running(filters, now).values("pk"))
    if filters.figure == IN_WRAP_UP:
        return Q(pk__in=_where(Workitem.objects.filter(in_wrap_up()), filters).values("pk"))
    start, end = filters.during.start or EARLIEST, filters.during.end or LATEST
    stays = _where(measures.stays_behind(filters.figure, start, end), filters)
    stays = stays.filter(_seen(filters))
    if filters.figure not in (OFFERED, SERVICE_LEVEL):
        return Q(pk__in=stays.values("workitem"))
    return Q(pk__in=stays.values("workitem").union(_running(filters, now).values("pk")))


def _running(filters: Filters, now: datetime) -> QuerySet[Workitem]:
    """Return the entries that still run; whoever lists them leaves out what may not be seen."""
    rows: QuerySet[Workitem] = _where(measures.running(), filters).filter(filters.during.on("entered_at"))
    rows = rows.filter(_seen(filters))
    if filters.figure not in (WAITING_LATE, SERVICE_LEVEL):
        return rows
    waited = Value(now.timestamp(), output_field=FloatField()) - Seconds(F("entered_at"))
    return rows.alias(waited=waited).filter(waited__gt=F("level__sla_seconds"))


def _seen(filters: Filters) -> Q:
    """Return the condition that who looks may see it: of his queues, and as an agent's own."""
    if filters.seen_queues is None:
        return Q()
    seen = Q(queue__in=filters.seen_queues)
    return seen | Q(agent=filters.looker, agent__isnull=False) if filters.agents else seen


def _where(rows: QuerySet[Any], filters: Filters) -> QuerySet[Any]:
    if filters.queues:
        rows = rows.filter(queue__in=filters.queues)
    if filters.channels:
        rows = rows.filter(channel_type__in=filters.channels)
    return rows.filter(filters.with_whom)
