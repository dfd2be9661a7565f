"""The table of a report, line by line, as the page shows it and as its file has it.

Page and file are made of the same lines, so that they cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from queues.channels import Channel
from queues.models import Queue
from workitems.clocks import Slot, Step, Stretch
from workitems.measures import FIGURES, Figure, Sums
from workitems.pages import report_query
from workitems.pages.report_query import By, View
from workitems.presenting.figure_words import limit, value_text
from workitems.presenting.icons import CHANNEL_ICONS
from workitems.reports import Clock, Report

OF_WORK = (
    "offered", "answered", "abandoned", "abandonedShare", "shortAbandoned", "flowedOut", "waiting", "serviceLevel",
    "asa", "longestWait", "longestWaitInAll", "handled", "aht", "wrapUp",
)  # fmt: skip
OF_AGENTS = ("handled", "aht", "wrapUp")
LONG = 30  # lines


@dataclass(frozen=True)
class Person:
    """An agent by his names."""

    username: str
    name: str


@dataclass(frozen=True)
class Value:
    """One figure of one line: in words, as a plain number, and where the items behind it are."""

    figure: Figure
    text: str
    number: float | None
    address: str = ""
    note: str = ""


@dataclass
class Line:
    """One line: what it is of, and its figures."""

    name: str
    sums: Sums
    values: list[Value]
    keys: tuple[str, ...] = ()  # what the file says of it first
    kind: str = ""  # part: of the line above it
    icon: str = ""
    hint: str = ""
    address: str = ""  # a closer look at it
    moment: str = ""  # how everything stood as it began
    began: str = ""  # as its clock showed it
    stretch: Stretch | None = None
    zone: str = ""
    target: int | None = None


@dataclass
class Table:
    """All lines, their total, and what stands above the columns."""

    title: str
    figures: list[Figure]
    lines: list[Line]
    total: Line
    heads: tuple[str, ...]  # of what the file says first
    left_out: int = 0
    has_moments: bool = False

    @property
    def is_long(self) -> bool:
        """Tell whether its head and total are to stay in sight."""
        return len(self.lines) > LONG

    @property
    def is_narrow(self) -> bool:
        """Tell whether it has so few columns that a wide one would be hard to read across."""
        return len(self.figures) <= len(OF_AGENTS)


@dataclass(frozen=True)
class Maker:
    """Makes the lines of one report; `people` are the agents whom the reader may see."""

    view: View
    report: Report
    people: dict[int, Person] = field(default_factory=dict)

    def table(self) -> Table:
        """Return the table."""
        makers = {By.QUEUE: self._queues, By.CHANNEL: self._channels, By.TIME: self._times, By.AGENT: self._agents}
        titles = {
            By.QUEUE: _("By queue and channel"), By.CHANNEL: _("By channel"), By.AGENT: _("By agent"),
            By.TIME: _("By the hour") if self.report.is_by_the_hour else _("By the day"),
        }  # fmt: skip
        heads = {
            By.QUEUE: (_("Queue"), _("Queue id"), _("Channel")), By.CHANNEL: (_("Channel"),),
            By.AGENT: (_("Agent"), _("Username")),
            By.TIME: (_("Hour") if self.report.is_by_the_hour else _("Day"),),
        }  # fmt: skip
        by = self.view.by
        lines = list(makers[by]())
        return Table(
            title=titles[by],
            figures=self.figures,
            lines=lines,
            total=self._total(len(heads[by])),
            heads=heads[by],
            left_out=self._left_out(lines) if by is By.QUEUE else 0,
            has_moments=any(line.moment for line in lines),
        )

    @property
    def figures(self) -> list[Figure]:
        """Return the figures that the report shows."""
        return [FIGURES[name] for name in (OF_AGENTS if self.view.by is By.AGENT else OF_WORK)]

    def values(self, sums: Sums, stretch: Stretch | None, note: str = "", **named: Iterable[str]) -> list[Value]:
        """Return the figures of a line, each with the items behind it."""
        filters = {"queue": self.view.asked.queues, "channel": [one.value for one in self.view.asked.channels], **named}
        return [
            Value(
                figure,
                value_text(figure, sums),
                _number(figure, sums),
                report_query.items(figure.name, stretch, **filters),
                note if figure.name == "serviceLevel" else "",
            )
            for figure in self.figures
        ]

    def _total(self, keys: int) -> Line:
        sums, (stretch, zone) = self.report.total, self._whole()
        return Line(
            _("Total"), sums, self.values(sums, stretch), (_("Total"), *[""] * (keys - 1)), "total",
            stretch=stretch, zone=zone,
        )  # fmt: skip

    def _whole(self) -> tuple[Stretch | None, str]:
        """Return the whole stretch and its zone; no stretch where several clocks see it differently."""
        clocks = self.report.reach.clocks
        if len(clocks) == 1:
            return clocks[0].days.stretch, str(clocks[0].days.zone)
        return None, ", ".join(str(one.days.zone) for one in clocks)

    def _queues(self) -> Iterator[Line]:
        by_queue = self.report.by(lambda cell: cell.queue)
        by_channel = self.report.by(lambda cell: (cell.queue, cell.channel))
        for queue in sorted(self.report.reach.queues.values(), key=lambda one: (one.name.casefold(), one.queue_id)):
            if queue.pk in by_queue or queue.queue_id in self.view.asked.queues:
                parts = {channel: sums for (pk, channel), sums in by_channel.items() if pk == queue.pk}
                yield from self._queue(queue, by_queue.get(queue.pk, Sums()), parts)
        if None in by_queue:
            yield Line(
                _("In no queue"), by_queue[None], self.values(by_queue[None], None), (_("In no queue"), "", ""),
                hint=_("what agents began themselves"), zone=str(self.report.reach.clock_of[None].days.zone),
            )  # fmt: skip

    def _queue(self, queue: Queue, sums: Sums, parts: dict[str, Sums]) -> Iterator[Line]:
        clock = self.report.reach.clock_of[queue.pk]
        only = next(iter(parts)) if len(parts) == 1 else ""
        yield self._part(queue, clock, sums, only, queue.name)
        if len(parts) > 1:
            for channel in Channel:
                if channel.value in parts:
                    yield self._part(queue, clock, parts[channel.value], channel.value)

    def _part(self, queue: Queue, clock: Clock, sums: Sums, channel: str, name: str = "") -> Line:
        """Return the line of a queue, which has a name, or of one of its channels."""
        target, label = queue.sla_seconds.get(channel), _label(channel)
        note = _("within %s") % limit(target) if target is not None else ""
        named = {"queue": [queue.queue_id]} | ({} if name else {"channel": [channel]})
        return Line(
            name=name or label,
            sums=sums,
            values=self.values(sums, clock.days.stretch, note, **named),
            keys=(queue.name, queue.queue_id, label or _("All channels")),
            kind="" if name else "part",
            icon=CHANNEL_ICONS[Channel(channel)] if channel else "",
            hint=label if name else "",
            stretch=clock.days.stretch,
            zone=str(clock.days.zone),
            target=target,
        )

    def _channels(self) -> Iterator[Line]:
        stretch, zone = self._whole()
        groups = self.report.by(lambda cell: cell.channel)
        for channel in Channel:
            if channel.value in groups:
                sums = groups[channel.value]
                yield Line(
                    str(channel.label), sums, self.values(sums, stretch, channel=[channel.value]),
                    (str(channel.label),), icon=CHANNEL_ICONS[channel], stretch=stretch, zone=zone,
                )  # fmt: skip

    def _times(self) -> Iterator[Line]:
        groups, (_stretch, zone) = self.report.by(lambda cell: cell.slot), self._whole()
        for slot in self.report.slots:
            stretch, sums = self.report.stretch_of(slot), groups.get(slot, Sums())
            name = slot_name(slot, self.report)
            yield Line(
                name, sums, self.values(sums, stretch), (name,), hint=_odd(stretch, self.report),
                address="" if self.report.is_by_the_hour else self.view.on(slot.shows.date()).address(),
                moment=self._moment(slot, stretch), began=f"{slot.shows:%H:%M}", stretch=stretch, zone=zone,
            )  # fmt: skip

    def _moment(self, slot: Slot, stretch: Stretch | None) -> str:
        if stretch is None or not self.report.is_by_the_hour:
            return ""
        return report_query.moment(slot, str(self.report.reach.clocks[0].days.zone))

    def _agents(self) -> Iterator[Line]:
        stretch, zone = self._whole()
        groups = self.report.by(lambda cell: cell.agent if cell.agent in self.people else None)
        for agent in sorted(groups, key=lambda one: (one is None, -groups[one].handled, one and self.people[one].name)):
            sums = groups[agent]
            if agent is None:
                others = _("Others")
                yield Line(others, sums, self.values(sums, None), (others, ""), hint=_("or nobody any more"), zone=zone)
                continue
            who = self.people[agent]
            yield Line(
                who.name, sums, self.values(sums, stretch, agent=[who.username]), (who.name, who.username),
                hint=who.username if who.username != who.name else "", stretch=stretch, zone=zone,
            )  # fmt: skip

    def _left_out(self, lines: list[Line]) -> int:
        return len(self.report.reach.queues) - sum(bool(one.keys[1]) and one.kind != "part" for one in lines)


def slot_name(slot: Slot, report: Report) -> str:
    """Return an hour or a day in words; the hour that comes twice says by its offset which it is."""
    if not report.is_by_the_hour:
        return date_format(slot.shows, "D j M Y")
    end = slot.shows + timedelta(hours=1)
    hour = f"{slot.shows:%H:%M}–{end:%H:%M}"
    if slot.offset:
        hour = f"{hour} ({slot.offset})"
    is_plain = report.asked.count == 1 and not report.reach.is_of_several_zones
    return hour if is_plain else f"{date_format(slot.shows, 'D j M')}, {hour}"


def file_lines(table: Table) -> Iterator[list[Any]]:
    """Yield the head and the lines of the file; figures are plain numbers, and none where there is no data."""
    units = {"count": "", "share": _(", %"), "milliseconds": _(", seconds")}
    targets = [_("Service level target, seconds")] if any(line.target is not None for line in table.lines) else []
    figures = [f"{figure.label}{units[figure.unit]}" for figure in table.figures]
    yield [*table.heads, _("From"), _("To"), _("Time zone"), *targets, *figures]
    for line in [*table.lines, table.total]:
        ends = [line.stretch.start, line.stretch.end] if line.stretch else ["", ""]
        local = [_in_zone(end, line.zone) for end in ends]
        target = [line.target if line.target is not None else ""] if targets else []
        yield [
            *line.keys,
            *local,
            line.zone,
            *target,
            *("" if one.number is None else one.number for one in line.values),
        ]


def _in_zone(at: Any, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).isoformat() if at else ""


def _number(figure: Figure, sums: Sums) -> float | None:
    """Return a figure as its file has it: shares in percent to the tenth, spans in whole seconds."""
    value = figure.value(sums)
    if value is None:
        return None
    if figure.unit == "share":
        return round(value * 100, 1)
    return round(value / 1000) if figure.unit == "milliseconds" else round(value)


def _odd(stretch: Stretch | None, report: Report) -> str:
    """Say how long a day is that has not 24 hours."""
    if stretch is None or report.asked.fineness is Step.HOUR or stretch.hours == 24:
        return ""
    return _("%g hours") % stretch.hours


def _label(channel: str) -> str:
    return str(Channel(channel).label) if channel else ""
