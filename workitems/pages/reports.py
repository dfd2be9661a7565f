"""The desk's reports: how work came in and was dealt with over a stretch of time, and the same as a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from workitems import cells, directory, reports
from workitems.actors import Actor
from workitems.board import TARGET
from workitems.errors import WorkitemError
from workitems.measures import Figure
from workitems.pages import report_query
from workitems.pages.people import actor_of
from workitems.pages.report_charts import Charts
from workitems.pages.report_controls import Controls
from workitems.pages.report_query import By, View
from workitems.pages.report_tables import Maker, Person, Value, file_lines
from workitems.presenting.figure_words import Change, change
from workitems.presenting.statuses import STATUS
from workitems.presenting.words import name_of
from workitems.reports import Report
from workitems.worklist.filters import agents_of

TILES = ("offered", "answered", "abandonedShare", "serviceLevel", "asa", "longestWait", "aht", "wrapUp")


@dataclass(frozen=True)
class Tile:
    """One figure of the whole report, and how it stands against the days before."""

    figure: Figure
    value: Value
    change: Change | None


@login_required
@require_GET
def reports_page(request: HttpRequest) -> HttpResponse:
    """Show the report that the address names."""
    actor, now = actor_of(request), timezone.now()
    try:
        view = report_query.read(request.GET)
        report = reports.make(actor, view.asked, now=now)
    except WorkitemError as refusal:
        return _refusal(request, actor, refusal)
    maker = _maker(actor, view, report)
    return render(request, "supervisor/reports.html", _context(maker, actor))


@login_required
@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """Give exactly the lines that the page shows, as CSV."""
    actor, now = actor_of(request), timezone.now()
    try:
        view = report_query.read(request.GET)
        report = reports.make(actor, view.asked, now=now)
    except WorkitemError as refusal:
        return _refusal(request, actor, refusal)
    lines = file_lines(_maker(actor, view, report).table())
    answer = HttpResponse(_csv(lines), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{_file_name(view, report)}"'
    answer["Cache-Control"] = "private, no-cache"
    return answer


def _context(maker: Maker, actor: Actor) -> dict[str, Any]:
    view, report = maker.view, maker.report
    table = maker.table()
    return {
        "view": view,
        "controls": Controls(view, report.reach.choices),
        "report": report,
        "words": words_of(report),
        "zones": [str(one.days.zone) for one in report.reach.clocks],
        "table": table,
        "tiles": _tiles(maker, table.total.values),
        "charts": Charts(report).all(),
        "slots": _times(maker).table() if view.by not in (By.TIME, By.AGENT) else None,
        "figures": maker.figures,
        "is_about_agents": view.by is By.AGENT,
        "may_see_any": bool(report.reach.choices) or report.reach.is_everything,
        "is_empty": not any(one.cell.slot for one in report.cells),
        "target": _("%d %%") % (TARGET * 100),
        "export_address": view.address("reports-export"),
        "first_day": report.reach.clocks[0].days.first.isoformat() if report.reach.clocks else "",
        "last_day": report.reach.clocks[0].days.last.isoformat() if report.reach.clocks else "",
    }


def _times(maker: Maker) -> Maker:
    """Return what makes the same report's lines by time, for the figures beside the charts."""
    return Maker(View(maker.view.asked, By.TIME), maker.report)


def _maker(actor: Actor, view: View, report: Report) -> Maker:
    """Return what makes the lines; the names of agents are one more query where it is about them."""
    if view.by is not By.AGENT:
        return Maker(view, report)
    keys = {one.cell.agent for one in report.cells if one.cell.agent is not None}
    people = agents_of(actor).filter(pk__in=keys)
    return Maker(view, report, {one.pk: Person(one.get_username(), name_of(one)) for one in people})


def _tiles(maker: Maker, values: list[Value]) -> list[Tile]:
    return [
        Tile(one.figure, one, change(one.figure, maker.report.total, maker.report.before))
        for one in values
        if one.figure.name in TILES or maker.view.by is By.AGENT
    ]


def words_of(report: Report) -> dict[str, str]:
    """Return of which days a report is, by the hour or day, and with which days it is compared."""
    if not report.reach.clocks:
        return {}
    clock = report.reach.clocks[0]
    now = report.now.astimezone(clock.days.zone)
    before = clock.days.shifted(-clock.days.count)
    is_cut = clock.before.end < before.stretch.end
    compared = days_text(before.first, before.last)
    if is_cut:
        compared = _("%(days)s until %(time)s") % {"days": compared, "time": f"{now:%H:%M}"}
    return {
        "days": days_text(clock.days.first, clock.days.last),
        "compared": compared,
        "as_of": f"{now:%H:%M:%S}",
        "zone": str(clock.days.zone),
    }


def days_text(first: date, last: date) -> str:
    """Return one day, or the first and the last of several."""
    if first == last:
        return date_format(first, "D j M Y")
    start = date_format(first, "D j M" if first.year == last.year else "D j M Y")
    return f"{start} – {date_format(last, 'D j M Y')}"


def _refusal(request: HttpRequest, actor: Actor, refusal: WorkitemError) -> HttpResponse:
    """Say in words what is wrong with the address, above the controls of a usual report."""
    context = {
        "refusal": refusal.message,
        "controls": Controls(View(), directory.visible_queues(actor)),
    }
    return render(request, "supervisor/reports.html", context, status=STATUS[refusal.kind])


def _csv(lines: Iterator[list[Any]]) -> Iterator[str]:
    yield "\ufeff"
    yield from (cells.line(line) for line in lines)


def _file_name(view: View, report: Report) -> str:
    days: list[datetime] = [one.days.stretch.start.astimezone(one.days.zone) for one in report.reach.clocks]
    return f"report-by-{view.by.value}-{min(days):%Y-%m-%d}.csv" if days else "report.csv"
