"""Small charts over time as SVG has them: where each column, point, line and word stands. What they mean, pages say.

A column says its value in words when pointed at, and in figures above it where there is room; a value that there is not
leaves a gap. Kinds of a stack differ by pattern as well as by colour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

WIDTH, HEIGHT = 640, 200
LEFT, RIGHT, TOP, BOTTOM = 46, 6, 20, 26
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
CHARACTER = 6.2  # how wide a digit is, in the units of the chart
MOST_TICKS = 12
GAP = 0.24  # of a column, between it and the next
WIDEST = 44  # however few columns there are
PATTERNS = ("abandoned", "flowed", "waiting")
TIME_TOPS = (10, 20, 30, 60, 120, 240, 300, 600, 1200, 1800, 3600)

Told = Callable[[float], str]


@dataclass(frozen=True)
class Series:
    """One kind of value along the columns; in a stack they lie on each other in their order."""

    kind: str
    label: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Word:
    """A few characters and the point that they stand at."""

    x: str
    y: str
    text: str


@dataclass(frozen=True)
class Part:
    """One piece of a column."""

    kind: str
    y: str
    height: str
    fill: str = ""  # a pattern, where it is not of one colour


@dataclass
class Column:
    """One hour or day: its place, what it says when pointed at, and its pieces or its point."""

    x: str
    width: str
    middle: str
    title: str
    parts: list[Part] = field(default_factory=list)
    point: str = ""  # how far down


@dataclass(frozen=True)
class Key:
    """One kind of piece, as the legend has it."""

    kind: str
    label: str
    fill: str = ""


@dataclass(frozen=True)
class Chart:
    """Everything that the template draws."""

    name: str
    title: str
    summary: str
    columns: list[Column]
    lines: list[Word]  # of the grid, each with its value
    ticks: list[Word]
    figures: list[Word]  # above the columns
    path: str = ""
    target: Word | None = None  # a line to be reached
    legend: list[Key] = field(default_factory=list)
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM
    plot: int = PLOT_HEIGHT


@dataclass(frozen=True)
class Frame:
    """What a chart is called, what its columns are, and how high it goes."""

    name: str
    title: str
    summary: str
    labels: Sequence[str]  # of the axis
    titles: Sequence[str]  # when pointed at
    top: float
    told: Told  # how a value is written on the axis and above a column

    @property
    def step(self) -> float:
        """Return how wide a column is with the gap to the next."""
        return PLOT_WIDTH / max(1, len(self.labels))

    def x(self, number: int) -> float:
        """Return where a column with its gap begins."""
        return LEFT + number * self.step

    def y(self, value: float) -> float:
        """Return how far down a value stands."""
        return TOP + PLOT_HEIGHT * (1 - value / self.top)

    def columns(self) -> list[Column]:
        """Return the columns, still empty."""
        width = min(self.step * (1 - GAP), WIDEST)
        return [
            Column(
                _at(self.x(number) + (self.step - width) / 2),
                _at(width),
                _at(self.x(number) + self.step / 2),
                title,
            )
            for number, title in enumerate(self.titles)
        ]

    def fill(self, kind: str) -> str:
        """Return the pattern that a kind of piece is filled with, "" where it is of one colour."""
        return f"url(#{kind}-{self.name})" if kind in PATTERNS else ""

    def lines(self) -> list[Word]:
        """Return the lines of the grid: none, half and all."""
        return [Word(_at(LEFT - 6), _at(self.y(one)), self.told(one)) for one in (0, self.top / 2, self.top)]

    def ticks(self) -> list[Word]:
        """Return as many words below the columns as there is room for."""
        longest = max((len(one) for one in self.labels), default=1)
        fitting = min(MOST_TICKS, int(PLOT_WIDTH // ((longest + 1) * CHARACTER)))
        every = -(-len(self.labels) // max(1, fitting))
        return [
            Word(_at(self._within(number, label, WIDTH)), _at(HEIGHT - 8), label)
            for number, label in enumerate(self.labels)
            if number % every == 0
        ]

    def figures(self, values: Sequence[float | None]) -> list[Word]:
        """Return the values above their columns, the highest first, as far as there is room for them."""
        found: list[Word] = []
        taken: list[tuple[float, float]] = []
        for value, number in sorted(((one, number) for number, one in enumerate(values) if one), reverse=True):
            text = self.told(value)
            middle, half = self._within(number, text, WIDTH - RIGHT), (len(text) + 0.5) * CHARACTER / 2
            if all(middle - half >= end or middle + half <= start for start, end in taken):
                taken.append((middle - half, middle + half))
                found.append(Word(_at(middle), _at(self.y(value) - 5), text))
        return found

    def _within(self, number: int, text: str, right: float) -> float:
        """Return the middle of a word at a column that must not leave the picture."""
        return min(self.x(number) + self.step / 2, right - len(text) * CHARACTER / 2)


def columns(frame: Frame, stack: Sequence[Series]) -> Chart:
    """Return a chart of columns, each a stack of the series."""
    found = frame.columns()
    for number, column in enumerate(found):
        heights = [one.values[number] or 0 for one in stack]
        for one, height, end in zip(stack, heights, accumulate(heights), strict=True):
            if height:
                top, bottom = frame.y(end), frame.y(end - height)
                column.parts.append(Part(one.kind, _at(top), _at(bottom - top), frame.fill(one.kind)))
    sums = [_total([one.values[number] for one in stack]) for number in range(len(found))]
    return Chart(
        frame.name, frame.title, frame.summary, found, frame.lines(), frame.ticks(), frame.figures(sums),
        legend=[Key(one.kind, one.label, frame.fill(one.kind)) for one in stack] if len(stack) > 1 else [],
    )  # fmt: skip


def line(frame: Frame, values: Sequence[float | None], target: float) -> Chart:
    """Return a chart of points and of the line between them, which breaks off where there is no value.

    Across it goes the line of a target.
    """
    found, path, is_broken = frame.columns(), "", True
    for column, value in zip(found, values, strict=True):
        if value is not None:
            column.point = _at(frame.y(value))
            path += f"{'M' if is_broken else 'L'}{column.middle} {column.point}"
        is_broken = value is None
    aim = Word(_at(LEFT - 6), _at(frame.y(target)), frame.told(target))
    return Chart(
        frame.name, frame.title, frame.summary, found, frame.lines(), frame.ticks(), frame.figures(values), path, aim
    )


def top_of_counts(most: float) -> float:
    """Return the round number, with a round half, at which a chart ends that shows counts up to this one."""
    step = 1
    while True:
        for top in (2 * step, 4 * step, 6 * step, 10 * step):
            if most <= top:
                return top
        step *= 10


def top_of_times(most: float) -> float:
    """Return the round span, in seconds, at which a chart ends that shows spans up to this one."""
    for top in TIME_TOPS:
        if most <= top:
            return top
    return 3600 * top_of_counts(most / 3600)


def _total(values: Sequence[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return sum(known) if known else None


def _at(place: float) -> str:
    return f"{place:.1f}".removesuffix(".0")
