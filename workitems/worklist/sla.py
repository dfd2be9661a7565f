"""Whether somebody still waits in time: by the service level of his queue for his channel.

Only what waits can be late: in the queue, or offered and not accepted. It is due so many seconds after its entry into
the queue it is in began, as on the board; the last fifth of them is the warning. What has no such entry, since an agent
began it or has talked to the customer already, and what waits in a queue without a service level for its channel, is
neither in time nor late.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, FloatField, OuterRef, Q, QuerySet, Subquery, TextChoices, Value
from django.utils.translation import gettext_lazy as _

from queues.models import QueueChannel
from workitems.choices import WAITING
from workitems.epoch import Seconds

WARNED_AFTER = 0.8  # of the service level


class Sla(TextChoices):
    """How a wait stands to its service level."""

    FINE = "fine", _("In time")
    WARNING = "warning", _("Due soon")
    BREACHED = "breached", _("Overdue")


@dataclass(frozen=True)
class Standing:
    """When a waiting workitem is due, and how that stands now."""

    due_at: datetime
    state: Sla
    warns_at: datetime


def stands(states: Collection[Sla], now: datetime) -> Q:
    """Return the condition that a workitem waits and stands in one of these ways."""
    waited = Value(now.timestamp(), output_field=FloatField()) - Seconds(OuterRef("entered_at"))
    level, warned = F("sla_seconds"), F("sla_seconds") * Value(WARNED_AFTER, output_field=FloatField())
    ways = {
        Sla.FINE: Q(waited__lt=warned),
        Sla.WARNING: Q(waited__gte=warned, waited__lte=level),
        Sla.BREACHED: Q(waited__gt=level),
    }
    wanted = Q()
    for one in states:
        wanted |= ways[one]
    levels = _level_of(OuterRef("queue_id"), OuterRef("channel_type")).annotate(waited=waited)
    return Q(state__in=WAITING) & Q(Exists(levels.filter(wanted)))


def level_of_the_row() -> Subquery:
    """Return the service level, in seconds, of a workitem's queue for its channel."""
    return Subquery(_level_of(OuterRef("queue_id"), OuterRef("channel_type")).values("sla_seconds")[:1])


def standing_of(state: str, entered_at: datetime | None, sla_seconds: int | None, now: datetime) -> Standing | None:
    """Return when it is due and how it stands, or None for what does not wait or has no service level."""
    if state not in WAITING or entered_at is None or sla_seconds is None:
        return None
    waited = (now - entered_at).total_seconds()
    way = Sla.BREACHED if waited > sla_seconds else Sla.WARNING if waited >= sla_seconds * WARNED_AFTER else Sla.FINE
    warns_at = entered_at + timedelta(seconds=sla_seconds * WARNED_AFTER)
    return Standing(entered_at + timedelta(seconds=sla_seconds), way, warns_at)


def _level_of(queue: Any, channel: Any) -> QuerySet[QueueChannel]:
    return QueueChannel.objects.filter(queue_id=queue, channel=channel).order_by()
