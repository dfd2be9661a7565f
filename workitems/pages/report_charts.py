"""The charts of a report: what came in and became of it, and how quickly, over its hours or days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from workitems.board import TARGET
from workitems.clocks import Slot
from workitems.measures import FIGURES, Sums
from workitems.pages.report_tables import slot_name
from workitems.presenting import charts
from workitems.presenting.charts import Chart, Frame, Series
from workitems.presenting.figure_words import clock_span, value_text
from workitems.presenting.words import grouped
from workitems.reports import Report, Subject


class Charts:
    """Makes the charts of one report."""

    def __init__(self, report: Report) -> None:
        self.report = report
        groups = report.by(lambda cell: cell.slot)
        self.sums = [groups.get(slot, Sums()) for slot in report.slots]

    def all(self) -> list[Chart]:
        """Return all charts that fit the report; none where nothing happened."""
        if self.report.asked.subject is Subject.AGENTS:
            return [self._handled(), self._spans("aht")] if self.report.total.handled else []
        if not self.report.total.offered and not self.report.total.handled:
            return []
        return [self._offered(), self._service_level(), self._spans("asa"), self._spans("aht")]

    @cached_property
    def _labels(self) -> list[str]:
        return [self._label(slot) for slot in self.report.slots]

    @cached_property
    def _names(self) -> list[str]:
        return [slot_name(slot, self.report) for slot in self.report.slots]

    def _label(self, slot: Slot) -> str:
        if not self.report.is_by_the_hour:
            return date_format(slot.shows, "j M")
        return f"{slot.shows:%H}" if self.report.asked.count == 1 else date_format(slot.shows, "j M H:i")

    def _frame(
        self, name: str, title: str, summary: str, titles: Sequence[str], top: float, told: charts.Told
    ) -> Frame:
        return Frame(name, title, summary, self._labels, titles, top, told)

    def _offered(self) -> Chart:
        stack = [
            Series("answered", _("Answered"), [one.answered for one in self.sums]),
            Series("abandoned", _("Abandoned"), [one.abandoned for one in self.sums]),
            Series("flowed", _("Flow-out"), [one.flowed_out for one in self.sums]),
            Series("waiting", _("Still waiting"), [one.waiting for one in self.sums]),
        ]
        titles = [
            f"{name}: " + ", ".join(f"{grouped(round(one.values[number] or 0))} {one.label.lower()}" for one in stack)
            for number, name in enumerate(self._names)
        ]
        total = self.report.total
        summary = _("%(offered)s offered, of which %(answered)s answered%(peak)s.") % {
            "offered": grouped(total.offered),
            "answered": grouped(total.answered),
            "peak": self._peak([one.offered for one in self.sums], lambda value: grouped(round(value))),
        }
        shown = [one for one in stack if any(one.values)]
        return charts.columns(
            self._frame("offered", _("Offered"), summary, titles, self._top_of_counts("offered"), _count), shown
        )

    def _handled(self) -> Chart:
        values = [one.handled for one in self.sums]
        titles = [
            f"{name}: {_('%s handled') % grouped(value)}" for name, value in zip(self._names, values, strict=True)
        ]
        summary = _("%(handled)s handled%(peak)s.") % {
            "handled": grouped(self.report.total.handled),
            "peak": self._peak(values, lambda value: grouped(round(value))),
        }
        frame = self._frame("handled", _("Handled"), summary, titles, self._top_of_counts("handled"), _count)
        return charts.columns(frame, [Series("answered", _("Handled"), values)])

    def _service_level(self) -> Chart:
        figure = FIGURES["serviceLevel"]
        values = [None if one.service_level is None else one.service_level * 100 for one in self.sums]
        titles = self._titles("serviceLevel")
        summary = _("Service level %(value)s in all; the dashed line is the target, %(target)d %%.") % {
            "value": value_text(figure, self.report.total),
            "target": TARGET * 100,
        }
        frame = self._frame("serviceLevel", _("Service level, %"), summary, titles, 100, _number)
        return charts.line(frame, values, TARGET * 100)

    def _spans(self, name: str) -> Chart:
        figure = FIGURES[name]
        found = [figure.value(one) for one in self.sums]
        values = [None if one is None else one / 1000 for one in found]
        summary = _("%(figure)s %(value)s in all%(peak)s.") % {
            "figure": figure.label,
            "value": value_text(figure, self.report.total),
            "peak": self._peak([one or 0 for one in values], clock_span),
        }
        top = charts.top_of_times(max((one or 0 for one in values), default=0))
        frame = self._frame(
            name,
            _("%s, minutes") % figure.label if top < 3600 else str(figure.label),
            summary,
            self._titles(name),
            top,
            clock_span,
        )
        return charts.columns(frame, [Series("span", str(figure.label), values)])

    def _titles(self, name: str) -> list[str]:
        figure = FIGURES[name]
        return [f"{one}: {value_text(figure, sums)}" for one, sums in zip(self._names, self.sums, strict=True)]

    def _top_of_counts(self, name: str) -> float:
        return charts.top_of_counts(max((FIGURES[name].value(one) or 0 for one in self.sums), default=0))

    def _peak(self, values: Sequence[float], told: Callable[[float], str]) -> str:
        if not any(values):
            return ""
        highest = max(range(len(values)), key=lambda number: values[number])
        return _(", at most %(value)s (%(when)s)") % {"when": self._names[highest], "value": told(values[highest])}


def _count(value: float) -> str:
    return grouped(round(value)) if value < 10_000 else _("%sk") % number_format(round(value / 1000, 1), decimal_pos=1)


def _number(value: float) -> str:
    return f"{value:.0f}"
