"""Work that has got stuck: how one sees it, said once for the board, which counts it, and the list, which finds it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, TextChoices
from django.utils.translation import gettext_lazy as _

from queues.channels import Channel
from workitems.choices import State
from workitems.measures import WRAPPED_UP
from workitems.models import Workitem

OVERDUE = timedelta(seconds=10)  # the beat takes an offer back within two seconds of its deadline
LIVE_SILENT = timedelta(minutes=30)  # nothing has happened on a call or in a chat
WRITTEN_SILENT = timedelta(days=1)
UNDISPOSITIONED = timedelta(hours=1)
LIVE = (Channel.VOICE, Channel.VIDEO_MEETING, Channel.CHAT)


class Stuck(TextChoices):
    """The ways in which work is stuck."""

    OFFERED = "offered", _("Offered too long")
    SILENT = "silent", _("Silent")
    INACTIVE = "inactive", _("Agent gone")
    UNDISPOSITIONED = "undispositioned", _("Not dispositioned")


DEFINITIONS: dict[str, Any] = {
    Stuck.OFFERED: _("Offered to an agent and not taken back, though the offer has expired."),
    Stuck.SILENT: _("Active or on hold, and nothing has happened for 30 minutes; e-mail and SMS: for a day."),
    Stuck.INACTIVE: _("Accepted by an agent who is offline or not active any more."),
    Stuck.UNDISPOSITIONED: _("Ended with its agent more than an hour ago, and not dispositioned yet."),
}


def is_stuck(ways: Iterable[Stuck], now: datetime) -> Q:
    """Return the condition that a workitem is stuck in any of these ways."""
    found = Q(pk__in=[])
    for way in ways:
        found |= _condition(way, now)
    return found


def in_wrap_up() -> Q:
    """Return the condition that its agent has ended it and not dispositioned it yet, in the words of an index."""
    return WRAPPED_UP & Q(archived_at__isnull=True) & ~Q(state=State.DISPOSITIONED)


def _condition(way: Stuck, now: datetime) -> Q:
    if way is Stuck.OFFERED:
        return Q(state=State.OFFERED, offer_expires_at__lte=now - OVERDUE)
    if way is Stuck.SILENT:
        live = Q(channel_type__in=LIVE, active_at__lte=now - LIVE_SILENT)
        return Q(state__in=(State.ACTIVE, State.HOLD)) & (live | Q(active_at__lte=now - WRITTEN_SILENT))
    if way is Stuck.INACTIVE:
        return Q(pk__in=Workitem.objects.stuck().values("pk"))
    return in_wrap_up() & Q(terminated_at__lte=now - UNDISPOSITIONED)
