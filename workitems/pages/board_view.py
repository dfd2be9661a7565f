"""What the board and the wallboard show: rows in their order, tiles of all together, and what is stuck."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from queues.channels import Channel
from workitems.board import URGENCY, Board, Line, QueueLine, available
from workitems.pages.board_cells import COLUMNS, Cell, Links, cells_of
from workitems.presenting.icons import CHANNEL_ICONS
from workitems.presenting.words import grouped
from workitems.stuck import DEFINITIONS, Stuck
from workitems.worklist import Sla

FIRE, NAME = "fire", "name"
ON_THE_WALL = ("waiting", "wait", "active", "agents", "abandoned", "level")
MOST_OPEN = 100
STUCK_ICONS = {
    Stuck.OFFERED: "ring_volume",
    Stuck.SILENT: "mic_off",
    Stuck.INACTIVE: "person_off",
    Stuck.UNDISPOSITIONED: "edit_note",
}


@dataclass(frozen=True)
class Asked:
    """What the address asks for: an order, which queues show their channels, and which are shown at all."""

    sort: str = FIRE
    opened: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: QueryDict) -> Asked:
        """Read it; an order that is not known is not there."""
        sort = values.get("sort") or FIRE
        if sort.removeprefix("-") not in {FIRE, NAME, *COLUMNS}:
            raise Http404
        opened = tuple(sorted(set(values.getlist("open"))))[:MOST_OPEN]
        return cls(sort, opened, tuple(sorted({one for one in values.getlist("queue") if one})))

    def address(self, **changes: Any) -> str:
        """Return the address of the same with this changed."""
        asked = replace(self, **changes)
        pairs = [("sort", asked.sort)] if asked.sort != FIRE else []
        pairs += [("queue", one) for one in asked.queues] + [("open", one) for one in asked.opened]
        return f"?{urlencode(pairs)}"

    def toggled(self, queue_id: str) -> str:
        """Return the address at which a queue shows its channels, or no longer."""
        rest = tuple(one for one in self.opened if one != queue_id)
        return self.address(opened=rest if queue_id in self.opened else (*rest, queue_id))

    def sorted_by(self, name: str) -> str:
        """Return the address at which this column sorts: the greatest first, and the other way round after that."""
        usual = name if name == NAME else f"-{name}"
        other = f"-{name}" if name == NAME else name
        return self.address(sort=other if self.sort == usual else usual)

    def direction(self, name: str) -> str:
        """Return how a column is sorted, as aria-sort says it."""
        if self.sort.removeprefix("-") != name:
            return "none"
        return "descending" if self.sort.startswith("-") else "ascending"

    def within(self, board: Board) -> Asked:
        """Return the same with the open queues that are there; a queue that is asked for and not there is an error."""
        known = {one.queue_id for one in board.queues}
        if any(one not in known for one in self.queues):
            raise Http404
        return replace(self, opened=tuple(one for one in self.opened if one in known))

    def pick(self, board: Board) -> list[QueueLine]:
        """Return the queues that are asked for, in their order."""
        return self._in_order(one for one in board.queues if not self.queues or one.queue_id in self.queues)

    def _in_order(self, queues: Iterable[QueueLine]) -> list[QueueLine]:
        name, is_down = self.sort.removeprefix("-"), self.sort.startswith("-")
        by_name = sorted(queues, key=lambda one: (one.name.casefold(), one.queue_id))
        if name == NAME:
            return by_name[::-1] if is_down else by_name
        if name == FIRE:
            return sorted(by_name, key=_heat, reverse=not is_down)
        if name == "agents":
            return sorted(by_name, key=lambda one: available(one.agents), reverse=is_down)
        return sorted(by_name, key=lambda one: COLUMNS[name].value(one.total), reverse=is_down)


def _heat(queue: QueueLine) -> tuple[int, int, int, float]:
    """Return where it burns: what is late, then what will be soon, then what waits."""
    line = queue.total
    since = -line.entered_at.timestamp() if line.entered_at else -float("inf")
    return max(URGENCY[line.way], URGENCY[Sla.FINE]), line.late, line.waiting, since


@dataclass(frozen=True)
class ChannelRow:
    """One channel of an opened queue."""

    name: str
    icon: str
    cells: list[Cell]


@dataclass(frozen=True)
class Row:
    """One queue."""

    queue: QueueLine
    way: str  # how its longest wait stands: "", warning or breached
    cells: list[Cell]
    toggle: str
    is_open: bool  # it shows its channels
    channels: list[ChannelRow]

    @property
    def wall_cells(self) -> list[Cell]:
        """The few figures that are read from afar."""
        return on_the_wall(self.cells)


@dataclass(frozen=True)
class Head:
    """The head of a column."""

    label: Any
    definition: Any
    address: str
    direction: str
    name: str = ""


@dataclass(frozen=True)
class StuckCount:
    """How much is stuck in one way."""

    label: Any
    definition: Any
    icon: str
    count: int
    address: str


def figures_of(board: Board, asked: Asked) -> dict[str, Any]:
    """Return what is the same for all who may see this board: tiles, heads and rows."""
    queues = asked.pick(board)
    return {
        "now": board.at,
        "asked": asked,
        "tiles": cells_of(*_all_of(board, queues, asked)),
        "heads": list(_heads(asked)),
        "rows": [_row(one, asked) for one in queues],
        "elsewhere": None if asked.queues or board.elsewhere.is_empty else _elsewhere(board),
        "columns": COLUMNS.values(),
        "stuck": stuck_of(board, queues, asked),
        "is_by_heat": asked.sort == FIRE,
        "by_heat": asked.address(sort=FIRE),
    }


def wall_of(board: Board, asked: Asked) -> dict[str, Any]:
    """Return the same for the wallboard, which shows fewer of them."""
    figures = figures_of(board, asked)
    return {
        **figures,
        "wall_tiles": on_the_wall(figures["tiles"]),
        "wall_columns": [COLUMNS[name] for name in ON_THE_WALL],
    }


def on_the_wall(cells: Iterable[Cell]) -> list[Cell]:
    """Keep what is read from afar, in that order."""
    by_name = {cell.column.name: cell for cell in cells}
    return [by_name[name] for name in ON_THE_WALL]


def stuck_of(board: Board, queues: list[QueueLine], asked: Asked) -> list[StuckCount]:
    """Return how much of these queues is stuck, in each way."""
    line, links, _agents = _all_of(board, queues, asked)
    return [
        StuckCount(way.label, DEFINITIONS[way], STUCK_ICONS[way], line.stuck.get(way, 0), links.now(stuck=way.value))
        for way in Stuck
    ]


def _all_of(board: Board, queues: list[QueueLine], asked: Asked) -> tuple[Line, Links, dict[str, int] | None]:
    """Return all queues together, where what is behind them is listed, and their agents where all are meant."""
    total = sum((one.total for one in queues), Line())
    is_all = board.sees_all and not asked.queues
    if not asked.queues:
        total += board.elsewhere
    days = {one.day_began for one in queues}
    links = Links([one.queue_id for one in queues], "", days.pop() if len(days) == 1 else None, is_all=is_all)
    agents = board.agents if not asked.queues else queues[0].agents if len(queues) == 1 else None
    return total, links, agents


def _heads(asked: Asked) -> Iterable[Head]:
    yield Head(_("Queue"), "", asked.sorted_by(NAME), asked.direction(NAME), NAME)
    for column in COLUMNS.values():
        address, direction = asked.sorted_by(column.name), asked.direction(column.name)
        yield Head(column.label, column.definition, address, direction, column.name)


def _row(queue: QueueLine, asked: Asked) -> Row:
    line, is_open = queue.total, queue.queue_id in asked.opened
    way = line.way.value if line.way in (Sla.WARNING, Sla.BREACHED) else ""
    links = Links([queue.queue_id], "", queue.day_began, is_all=False)
    channels = [_channel(queue, one) for one in queue.channels] if is_open else []
    return Row(queue, way, cells_of(line, links, queue.agents), asked.toggled(queue.queue_id), is_open, channels)


def _channel(queue: QueueLine, channel: str) -> ChannelRow:
    links = Links([queue.queue_id], channel, queue.day_began, is_all=False)
    known = Channel(channel)
    return ChannelRow(str(known.label), CHANNEL_ICONS[known], cells_of(queue.channels[channel], links, None))


def _elsewhere(board: Board) -> list[tuple[Any, str]]:
    """Return what is in no queue, which agents have begun themselves: the counts, which no list is narrowed to."""
    line = board.elsewhere
    counts = {"active": line.talking, "hold": line.hold, "wrapUp": line.wrapping, "offered": line.offered}
    return [(COLUMNS[name].label, grouped(number)) for name, number in counts.items() if number]
