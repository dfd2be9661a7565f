"""The home page: how the centre stands, in the figures and charts that this person may see, and what wants looking at.

Where there is nothing yet, it says what to do first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from queues.channels import Channel
from workitems import figures, policies
from workitems.actors import Actor
from workitems.admin.addresses import ADDRESSES
from workitems.admin.requested_runs import RequestedRunAdmin
from workitems.choices import HANDLED, OPEN, Scope, State
from workitems.models import FINISHED, PolicyRun, Run, Workitem
from workitems.presenting import first_steps
from workitems.presenting.run_words import bar_of, icon_of, pace_of
from workitems.presenting.words import duration, grouped
from workitems.staff import actor_of

LINES_SHOWN = 8
RUNS_SHOWN = 5  # of each kind
RUNS_LOOKED_AT = 500  # of each kind, the newest: receipts are kept for ever
ALERTS_SHOWN = 5
HOUR_WIDTH = 10  # in the units of the chart, which is as high as 100 of them
CHART_HEIGHT = 100


@dataclass(frozen=True)
class Tile:
    """One figure, with what it leads to."""

    title: str
    icon: str
    count: str
    hint: str
    address: str


@dataclass(frozen=True)
class Bar:
    """A count in words and as a length, of a hundred."""

    title: str
    count: str
    share: str
    address: str


class Hour(NamedTuple):
    """One hour of a chart: where its column stands, and what it says."""

    x: str
    y: str
    height: str
    text: str


@dataclass(frozen=True)
class Chart:
    """Today's hours as columns and yesterday's as a line over them."""

    name: str
    title: str
    summary: str
    top: str
    middle: str
    hours: list[Hour]
    line: str


def context(request: HttpRequest) -> dict[str, Any]:
    """Return what the home page shows to this person."""
    actor, now = actor_of(request), timezone.now()
    seen = figures.look(actor, now=now)
    if seen.are_empty and not Workitem.objects.exists():
        return {"steps": first_steps.steps(actor), "is_new": True}
    watched = _watched(request)
    return {
        "has_scope": not seen.are_empty or actor.can_anywhere(Scope.READ),
        "tiles": _tiles(seen, now),
        "states": _bars("state", ((one.value, one.label) for one in OPEN), seen.by_state),
        "channels": _bars("channelType", Channel.choices, seen.by_channel, f" AND state:({' OR '.join(OPEN)})"),
        "open": grouped(seen.open),
        "lines": [_line(line, now) for line in seen.lines[:LINES_SHOWN]],
        "lines_left_out": max(0, len(seen.lines) - LINES_SHOWN),
        "waiting_address": _found_by(f"state:{State.INQUEUE}"),
        "charts": _charts(seen),
        "by_hour": _by_hour(seen),
        "as_of": timezone.localtime(seen.at, timezone.get_default_timezone()),
        "zone": timezone.get_default_timezone_name(),
        "overdue_offers": _overdue(seen),
        "stuck": _stuck(seen),
        "alerts": [run for _owner, run in watched if getattr(run, "is_alert", False)][:ALERTS_SHOWN],
        "runs": [_run(owner, run, actor, now) for owner, run in watched if not run.is_finished],
    }


def _found_by(query: str, **filters: str) -> str:
    """Return the address of the list of just these workitems, in the words of its search box."""
    return f"{reverse('admin:workitems_workitem_changelist')}?{urlencode({'q': query, **filters})}"


def _tiles(seen: figures.Figures, now: datetime) -> list[Tile]:
    waiting, offered = seen.by_state[State.INQUEUE], seen.by_state[State.OFFERED]
    handled = sum(seen.by_state[state] for state in HANDLED)
    longest = _("the longest for %s") % duration((now - seen.lines[0].since).total_seconds()) if seen.lines else ""
    talking = seen.by_state[State.ACTIVE] + seen.by_state[State.CONFERENCE]
    midnight = timezone.localtime(seen.at, timezone.get_default_timezone()).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    since = f"[{round(midnight.timestamp() * 1000)} TO *]"
    handled_query = f"state:({' OR '.join(HANDLED)})"
    return [
        Tile(_("Waiting"), "hourglass_top", grouped(waiting), longest, _found_by(f"state:{State.INQUEUE}")),
        Tile(
            _("Offered"), "ring_volume", grouped(offered), _("to an agent, not answered yet"),
            _found_by(f"state:{State.OFFERED}"),
        ),
        Tile(
            _("With agents"), "headset_mic", grouped(handled), _("%s of them active") % grouped(talking),
            _found_by(handled_query),
        ),
        Tile(
            _("Came in today"), "login", grouped(sum(seen.today.arrivals)),
            _("yesterday %s") % grouped(sum(seen.yesterday.arrivals)), _found_by(f"createdAt:{since}", archived="yes"),
        ),
        Tile(
            _("Ended today"), "task_alt", grouped(sum(seen.today.endings)),
            _("yesterday %s") % grouped(sum(seen.yesterday.endings)),
            _found_by(f"terminatedAt:{since}", archived="yes"),
        ),
    ]  # fmt: skip


def _bars(field: str, words: Iterable[tuple[Any, Any]], counts: Counter[str], more: str = "") -> list[Bar]:
    most = max(counts.values(), default=0) or 1
    return [
        Bar(
            str(label), grouped(counts[value]), f"{100 * counts[value] / most:.1f}", _found_by(f"{field}:{value}{more}")
        )
        for value, label in words
    ]


def _line(line: figures.Line, now: datetime) -> dict[str, Any]:
    return {
        "name": line.name,
        "count": grouped(line.count),
        "wait": duration((now - line.since).total_seconds()),
        "since": line.since,
        "address": _found_by(f'state:{State.INQUEUE} AND selectedQueue:"{line.queue_id}"'),
    }


def _charts(seen: figures.Figures) -> list[Chart]:
    today, yesterday = seen.today, seen.yesterday
    return [
        _chart("arrivals", _("Came in, by the hour"), today.arrivals, yesterday.arrivals),
        _chart("endings", _("Ended, by the hour"), today.endings, yesterday.endings),
    ]


def _chart(name: str, title: str, today: tuple[int, ...], yesterday: tuple[int, ...]) -> Chart:
    top = round_top(max(*today, *yesterday))
    heights = [CHART_HEIGHT * count / top for count in today]
    line = " ".join(
        f"{'L' if hour else 'M'}{hour * HOUR_WIDTH} {CHART_HEIGHT - CHART_HEIGHT * count / top:.2f} h{HOUR_WIDTH}"
        for hour, count in enumerate(yesterday)
    )
    return Chart(
        name=name,
        title=title,
        summary=_("%(today)s today so far, %(yesterday)s yesterday%(peak)s.")
        % {
            "today": grouped(sum(today)),
            "yesterday": grouped(sum(yesterday)),
            "peak": _peak(yesterday),
        },
        top=grouped(top),
        middle=grouped(top // 2) if top % 2 == 0 else "",
        hours=[
            Hour(
                x=str(hour * HOUR_WIDTH),
                y=f"{CHART_HEIGHT - height:.2f}",
                height=f"{height:.2f}",
                text=_("%(hour)s: %(today)s today, %(yesterday)s yesterday")
                % {"hour": span(hour), "today": grouped(today[hour]), "yesterday": grouped(yesterday[hour])},
            )
            for hour, height in enumerate(heights)
        ],
        line=line,
    )


def _peak(counts: tuple[int, ...]) -> str:
    if not any(counts):
        return ""
    hour = max(range(len(counts)), key=lambda one: counts[one])
    return _(", most of them %(hour)s (%(count)s)") % {"hour": span(hour), "count": grouped(counts[hour])}


def round_top(most: int) -> int:
    """Return the round number at which a chart ends that shows counts up to this one."""
    step = 1
    while True:
        for top in (2 * step, 4 * step, 10 * step):
            if most <= top:
                return top
        step *= 10


def span(hour: int) -> str:
    """Return an hour of the day as from and to."""
    return f"{hour:02d}:00–{(hour + 1) % figures.HOURS:02d}:00"


def _by_hour(seen: figures.Figures) -> list[tuple[str, list[str]]]:
    """Return the charts as a table; an hour that has not begun has no figure."""
    now = timezone.localtime(seen.at, timezone.get_default_timezone()).hour
    columns = (seen.today.arrivals, seen.yesterday.arrivals, seen.today.endings, seen.yesterday.endings)
    rows = []
    for hour in range(figures.HOURS):
        counts = [grouped(column[hour]) for column in columns]
        if hour > now:
            counts[0] = counts[2] = "–"
        rows.append((span(hour), counts))
    return rows


def _overdue(seen: figures.Figures) -> str:
    """Say how many offers nobody has taken back, which the beat does within seconds."""
    text = ngettext(
        "%s offer is past its deadline and still stands. Is a worker running?",
        "%s offers are past their deadlines and still stand. Is a worker running?",
        seen.overdue_offers,
    )
    return text % grouped(seen.overdue_offers) if seen.overdue_offers else ""


def _stuck(seen: figures.Figures) -> str:
    """Say how much is in the hands of agents who are gone."""
    text = ngettext(
        "%s workitem is with an agent who is offline.", "%s workitems are with agents who are offline.", seen.stuck
    )
    return text % grouped(seen.stuck) if seen.stuck else ""


def _watched(request: HttpRequest) -> list[tuple[Any, Any]]:
    """Return what has not finished of all work on many, and what waits for somebody, each with the list that has it.

    They are those that each list shows to this person.
    """
    return [
        (owner, run)
        for model, owner in admin.site._registry.items()
        if issubclass(model, Run) and owner.has_view_permission(request)
        for run in _wanted(owner.get_queryset(request))
    ]


def _wanted(rows: QuerySet[Any]) -> QuerySet[Any]:
    newest = rows.order_by("-pk").values("pk")[:RUNS_LOOKED_AT]
    unfinished: QuerySet[Any] = rows.filter(pk__in=newest).exclude(state__in=FINISHED)
    if rows.model is not PolicyRun:
        return unfinished.order_by("-pk")[:RUNS_SHOWN]
    alerts = policies.alerts().order_by()
    wanted = unfinished.order_by().values("pk").union(alerts.values("pk"))
    watched: QuerySet[Any] = rows.filter(pk__in=wanted).annotate(is_alert=Exists(alerts.filter(pk=OuterRef("pk"))))
    return watched.order_by("-is_alert", "-pk")[: RUNS_SHOWN + ALERTS_SHOWN]


def _run(owner: Any, run: Any, actor: Actor, now: datetime) -> dict[str, Any]:
    return {
        "run": run,
        "kind": capfirst(str(owner.opts.verbose_name)),
        "title": _title(owner, run, actor, now),
        "icon": icon_of(run),
        "address": reverse(f"admin:{owner.opts.app_label}_{owner.opts.model_name}_change", args=[run.pk]),
        "pace": pace_of(run, now),
        **bar_of(run),
    }


def _title(owner: Any, run: Any, actor: Actor, now: datetime) -> str:
    """Return what a run is called: as its receipt says, or as the policy that began it."""
    if not isinstance(owner, RequestedRunAdmin):
        return str(run.policy)
    return owner.receipt(run, actor, {}, now, addresses=ADDRESSES).title
