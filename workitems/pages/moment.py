"""The board as it stood at any past moment: the same columns, counted from the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from queues.channels import Channel
from queues.models import Queue
from workitems import clocks, directory, moments
from workitems.actors import Actor
from workitems.board import TALKING, Line
from workitems.choices import State
from workitems.errors import InvalidValue
from workitems.models import Workitem
from workitems.pages.people import actor_of
from workitems.presenting.icons import CHANNEL_ICONS
from workitems.presenting.words import duration

NAMES = ("at", "zone")
FIRST_SHOWN = timedelta(hours=1)  # before now, where no moment is named
STEPS = (
    (gettext_lazy("1 day"), timedelta(days=1)),
    (gettext_lazy("1 hour"), timedelta(hours=1)),
    (gettext_lazy("5 min"), timedelta(minutes=5)),
)


@dataclass(frozen=True)
class Moment:
    """A moment, by whose clock it was named, and what is to be said about that."""

    at: datetime
    zone: ZoneInfo
    note: str = ""
    other: str = ""  # the address of the other moment at which the clock showed the same

    @property
    def shown(self) -> datetime:
        """Return it as its clock shows it."""
        return self.at.astimezone(self.zone)

    @property
    def typed(self) -> str:
        """Return it as the field for it has it."""
        return f"{self.shown:%Y-%m-%dT%H:%M}"

    @property
    def time(self) -> str:
        """Return its time of the day."""
        return f"{self.shown:%H:%M:%S}" if self.shown.second else f"{self.shown:%H:%M}"

    @property
    def offset(self) -> str:
        """Return by how much its clock was ahead of UTC."""
        return self.shown.isoformat()[-6:]

    def address(self, change: timedelta = timedelta()) -> str:
        """Return the address of this moment, or of one so much later; days go by the clock."""
        is_days = change % timedelta(days=1) == timedelta()
        at = clocks.back(self.at, -change.days, self.zone) if is_days else self.at + change
        return address(at, self.zone)


@dataclass
class Row:
    """A queue, or one of its channels, as it stood."""

    name: str
    line: Line
    wait: str  # the longest
    icon: str = ""
    is_part: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Hop:
    """An earlier or later moment to look at; without an address it has not come yet."""

    label: str
    address: str


@dataclass
class Standing:
    """Everything that stood at a moment, by queue and channel."""

    queues: dict[int | None, dict[str, Line]] = field(default_factory=dict)

    def take(self, group: moments.Group) -> None:
        """Count one group of the ledger in, as the board counts."""
        line = self.queues.setdefault(group.queue_id, {}).setdefault(group.channel_type, Line())
        line.waiting += group.count if group.state == State.INQUEUE else 0
        line.offered += group.count if group.state == State.OFFERED else 0
        line.talking += group.count if group.state in TALKING else 0
        line.hold += group.count if group.state == State.HOLD else 0
        line.wrapping += group.count if group.state == State.TERMINATED else 0
        line.entered_at = min((at for at in (line.entered_at, group.entered_at) if at), default=None)

    def total(self) -> Line:
        """Return all queues together."""
        return sum((line for channels in self.queues.values() for line in channels.values()), Line())


@login_required
@require_GET
def as_of(request: HttpRequest) -> HttpResponse:
    """Show how everything stood at the moment that the address names."""
    actor, now = actor_of(request), timezone.now()
    queues = list(directory.visible_queues(actor).order_by("name", "queue_id"))
    zones = _zones(queues)
    try:
        moment = _read(request.GET, now, zones)
    except InvalidValue as refusal:
        zone = ZoneInfo(zones[0])
        context = {"refusal": refusal.message, "moment": Moment(now - FIRST_SHOWN, zone), "zones": zones}
        return render(request, "supervisor/moment.html", context, status=400)
    return render(request, "supervisor/moment.html", _context(actor, moment, queues, zones, now))


def address(at: datetime, zone: ZoneInfo) -> str:
    """Return the address of a moment."""
    shown = at.astimezone(zone)
    return f"{reverse('moment')}?{urlencode({'at': shown.isoformat(timespec='minutes'), 'zone': str(zone)})}"


def standing(actor: Actor, at: datetime) -> Standing:
    """Return how everything stood that the actor may see."""
    found = Standing()
    for group in moments.standing_at(actor, at):
        found.take(group)
    return found


def _context(actor: Actor, moment: Moment, queues: list[Queue], zones: list[str], now: datetime) -> dict[str, Any]:
    found = standing(actor, moment.at)
    is_empty, total = not found.queues, found.total()
    return {
        "moment": moment,
        "zones": zones,
        "earlier": [Hop(str(label), moment.address(-change)) for label, change in STEPS],
        "later": [_later(str(label), moment, change, now) for label, change in reversed(STEPS)],
        "rows": [*_rows(queues, found, moment.at)],
        "total": Row(_("Total"), total, _wait(total, moment.at)),
        "quiet": max(0, len(queues) - sum(queue is not None for queue in found.queues)),
        "is_before_everything": is_empty and _is_before_everything(actor, moment.at),
        "is_empty": is_empty,
        "day": date_format(moment.shown, "l, j F Y"),
        "report": _report_of(moment),
    }


def _read(asked: QueryDict, now: datetime, zones: list[str]) -> Moment:
    for name in asked:
        if name not in NAMES:
            raise InvalidValue(field=name, problem=_("This page knows no “%s”.") % name[:100])
    zone = _zone(asked.get("zone", "") or zones[0])
    text = asked.get("at", "")
    if not text:
        return Moment((now - FIRST_SHOWN).replace(second=0, microsecond=0), zone)
    moment = _named(_typed(text), zone)
    if moment.at > now:
        raise InvalidValue(field="at", problem=_("That moment has not come yet. Choose one that is over."))
    return moment


def _typed(text: str) -> datetime:
    try:
        typed = datetime.fromisoformat(text)
        if not 1990 <= typed.year <= 2200:
            raise ValueError
    except ValueError:
        problem = _("“%s” is no moment. Write it as in 2026-11-26T14:00.") % text[:100]
        raise InvalidValue(field="at", problem=problem) from None
    return typed


def _named(typed: datetime, zone: ZoneInfo) -> Moment:
    """Return the moment at which a clock showed this; say so where that was never, or twice."""
    if typed.tzinfo is not None:
        return Moment(typed.astimezone(UTC), zone)
    first, second = (typed.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first < second:
        note = _("The clock showed this twice that day. This is the first time.")
        return Moment(first, zone, note, address(second, zone))
    if first > second:  # the clock went over it: as far after the gap as it is into it
        return Moment(first, zone, _("The clock was put forward over this time. This is what it showed instead."))
    return Moment(first, zone)


def _zone(name: str) -> ZoneInfo:
    if name not in available_timezones():
        raise InvalidValue(field="zone", problem=_("There is no time zone “%s”.") % name[:100])
    return ZoneInfo(name)


def _zones(queues: Iterable[Queue]) -> list[str]:
    """Return the zones to choose from, that of most queues first."""
    found = [str(one.zone) for one in queues]
    server = [settings.TIME_ZONE]
    return sorted({*found, *server}, key=lambda zone: (-found.count(zone), zone))


def _later(label: str, moment: Moment, change: timedelta, now: datetime) -> Hop:
    return Hop(label, moment.address(change) if moment.at + change <= now else "")


def _rows(queues: list[Queue], found: Standing, at: datetime) -> Iterable[Row]:
    for queue in queues:
        if queue.pk in found.queues:
            yield from _queue_rows(queue.name, found.queues[queue.pk], at)
    if None in found.queues:
        yield from _queue_rows(_("In no queue"), found.queues[None], at)


def _queue_rows(name: str, channels: dict[str, Line], at: datetime) -> Iterable[Row]:
    """Return the row of a queue, and those of its channels where it had work of several."""
    whole = sum(channels.values(), Line())
    if len(channels) == 1:
        channel = Channel(next(iter(channels)))
        yield Row(name, whole, _wait(whole, at), CHANNEL_ICONS[channel], hint=str(channel.label))
        return
    yield Row(name, whole, _wait(whole, at))
    for channel in Channel:
        if channel.value in channels:
            line = channels[channel.value]
            yield Row(str(channel.label), line, _wait(line, at), CHANNEL_ICONS[channel], is_part=True)


def _wait(line: Line, at: datetime) -> str:
    return duration((at - line.entered_at).total_seconds()) if line.entered_at else "–"


def _is_before_everything(actor: Actor, at: datetime) -> bool:
    return not Workitem.objects.visible_to(actor).filter(created_at__lte=at).exists()


def _report_of(moment: Moment) -> str:
    """Return the address of the report of that day, by the hour."""
    day = moment.shown.date().isoformat()
    return f"{reverse('reports')}?{urlencode({'from': day, 'to': day, 'step': 'hour'})}"
