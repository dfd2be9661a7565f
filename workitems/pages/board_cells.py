"""The figures of the board as people read them: each with its definition, and the address of just what is behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from workitems import board
from workitems.board import TALKING, TARGET, Line
from workitems.choices import State
from workitems.measures import FIGURES
from workitems.models import Presence
from workitems.presenting.icons import SLA_ICONS
from workitems.presenting.words import grouped
from workitems.worklist import Sla
from workitems.worklist.filters import MOST_VALUES

TONES = {Sla.WARNING: "warns", Sla.BREACHED: "breaches"}
Text = str | Promise


@dataclass(frozen=True)
class Column:
    """One figure of the board: its label, what it means, and by what rows are sorted."""

    name: str
    label: Text
    definition: Text
    icon: str
    value: Callable[[Line], float]
    short: Text = ""  # where it stands under a heading, or there is little room


def _moment(at: datetime | None) -> float:
    """Return what is the greater, the longer ago it is; nothing comes last."""
    return -at.timestamp() if at else -float("inf")


def _share(value: float | None) -> float:
    return -1.0 if value is None else value


COLUMNS = {
    one.name: one
    for one in (
        Column(
            "waiting",
            gettext_lazy("Waiting"),
            gettext_lazy("What is in the queue now and with nobody."),
            "hourglass_top",
            lambda line: line.waiting,
        ),
        Column(
            "wait",
            gettext_lazy("Longest wait"),
            gettext_lazy(
                "The longest wait of what is in the queue or offered, since it entered this queue; below it, since the "
                "customer came. A warning in the last fifth of the service level of its channel, a breach past it."
            ),
            "schedule",
            lambda line: _moment(line.entered_at),
        ),
        Column(
            "offered",
            gettext_lazy("Offered"),
            gettext_lazy("Offered to an agent who has not answered yet."),
            "ring_volume",
            lambda line: line.offered,
        ),
        Column(
            "active",
            gettext_lazy("Active"),
            gettext_lazy("Accepted by an agent, active or in conference."),
            "graphic_eq",
            lambda line: line.talking,
        ),
        Column(
            "hold",
            gettext_lazy("On hold"),
            gettext_lazy("Put on hold by its agent."),
            "pause_circle",
            lambda line: line.hold,
        ),
        Column(
            "wrapUp",
            gettext_lazy("In wrap-up"),
            gettext_lazy("Ended with its agent and not dispositioned yet; below it, the oldest."),
            "edit_note",
            lambda line: line.wrapping,
        ),
        Column(
            "agents",
            gettext_lazy("Agents"),
            gettext_lazy("Members who are available, of those who are logged in: available, away or not answering."),
            "groups",
            lambda line: 0,
        ),
        Column(
            "answered",
            gettext_lazy("Answered today"),
            FIGURES["answered"].definition,
            "check_circle",
            lambda line: line.today.answered,
            gettext_lazy("Answered"),
        ),
        Column(
            "abandoned",
            gettext_lazy("Abandoned today"),
            FIGURES["abandonedShare"].definition,
            "call_end",
            lambda line: _share(line.today.abandoned_share),
            gettext_lazy("Abandoned"),
        ),
        Column(
            "level",
            gettext_lazy("Service level today"),
            FIGURES["serviceLevel"].definition,
            "monitoring",
            lambda line: _share(line.today.service_level),
            gettext_lazy("Service level"),
        ),
    )
}


@dataclass(frozen=True)
class Part:
    """A figure, or a second one below it: what it says, or since when it lasts, and what is behind it."""

    text: str = ""
    since: datetime | None = None
    before: str = ""  # words before an age
    address: str = ""
    title: str = ""
    tone: str = ""
    icon: str = ""
    icon_label: str = ""

    @property
    def is_there(self) -> bool:
        """Tell whether it says anything."""
        return bool(self.text) or self.since is not None


NOTHING = Part()


@dataclass(frozen=True)
class Cell:
    """One figure of one line, and what stands below it."""

    column: Column
    main: Part
    below: Part = NOTHING

    @property
    def is_quiet(self) -> bool:
        """Tell whether there is nothing to look at."""
        return self.main.text in ("0", "–")


class Links:
    """Addresses of the work list: of these queues, of this channel, and of today by their clock."""

    def __init__(self, queues: Sequence[str], channel: str, day_began: datetime | None, *, is_all: bool) -> None:
        self._place = [("queue", one) for one in queues] if not is_all else []
        self._place += [("channel", channel)] if channel else []
        self._day_began = day_began
        self._can_say = is_all or len(queues) <= MOST_VALUES

    def now(self, **filters: Any) -> str:
        """Return where what stands so now is listed."""
        return self._address(filters) if self._can_say else ""

    def today(self, figure: str) -> str:
        """Return where what stands behind a figure of today is listed; queues of several clocks have several days."""
        if self._day_began is None or not self._can_say:
            return ""
        began = self._day_began.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return self._address({"figure": figure, "during_from": began})

    def agents(self, presence: str = "") -> str:
        """Return where the agents of one queue, or of all that one sees, are listed."""
        place = [pair for pair in self._place if pair[0] == "queue"]
        if len(place) > 1:
            place = []
        return f"{reverse('agents')}?{urlencode([*place, *([('presence', presence)] if presence else [])])}"

    def _address(self, filters: dict[str, Any]) -> str:
        return f"{reverse('work')}?{urlencode([*filters.items(), *self._place], doseq=True)}"


def cells_of(line: Line, links: Links, agents: dict[str, int] | None, target: float = TARGET) -> list[Cell]:
    """Return the figures of a line in the order of the columns; a channel has no agents of its own."""
    return [
        _count("waiting", line.waiting, links.now(state=State.INQUEUE)),
        Cell(COLUMNS["wait"], *_wait(line, links)),
        _count("offered", line.offered, links.now(state=State.OFFERED)),
        _count("active", line.talking, links.now(state=list(TALKING))),
        _count("hold", line.hold, links.now(state=State.HOLD)),
        Cell(COLUMNS["wrapUp"], _number("wrapUp", line.wrapping, links.now(figure="inWrapUp")), _oldest(line)),
        Cell(COLUMNS["agents"], *_agents(agents, links)),
        _count("answered", line.today.answered, links.today("answered")),
        Cell(COLUMNS["abandoned"], *_abandoned(line, links)),
        Cell(COLUMNS["level"], *_level(line, links, target)),
    ]


def _count(name: str, number: int, address: str) -> Cell:
    return Cell(COLUMNS[name], _number(name, number, address))


def _number(name: str, number: int, address: str) -> Part:
    return Part(grouped(number), address=address, title=str(COLUMNS[name].definition))


def _wait(line: Line, links: Links) -> tuple[Part, Part]:
    """Return both longest waits, and how many are late instead of the second where any is."""
    if line.entered_at is None:
        return Part("–", title=str(COLUMNS["wait"].definition)), NOTHING
    is_hot = line.way in TONES
    longest = Part(
        since=line.entered_at,
        address=links.now(figure="waiting", sort="due"),
        title=str(COLUMNS["wait"].definition),
        tone=TONES.get(line.way, "") if line.way else "",
        icon=SLA_ICONS[line.way] if line.way and is_hot else "",
        icon_label=str(line.way.label) if line.way and is_hot else "",
    )
    return longest, _customer(line, links)


def _customer(line: Line, links: Links) -> Part:
    if line.late:
        return Part(
            ngettext("%s late", "%s late", line.late) % grouped(line.late),
            address=links.now(figure="waitingLate", sort="due"),
            title=_("Waiting or offered past the service level of their channel."),
            tone="breaches",
        )
    if line.created_at is not None and line.created_at != line.entered_at:
        return Part(since=line.created_at, before=_("in all"), title=_("Since the customer came, transfers included."))
    return NOTHING


def _oldest(line: Line) -> Part:
    if line.wrapping_since is None:
        return NOTHING
    return Part(since=line.wrapping_since, before=_("oldest"), title=_("Since the oldest of them has ended."))


def _agents(agents: dict[str, int] | None, links: Links) -> tuple[Part, Part]:
    if agents is None:
        return Part(""), NOTHING
    available, there = board.available(agents), board.logged_in(agents)
    title = str(COLUMNS["agents"].definition)
    main = Part(grouped(available), address=links.agents(Presence.Status.AVAILABLE), title=title)
    return main, Part(_("of %s") % grouped(there), address=links.agents(), title=_("All of them, with their presence."))


def _abandoned(line: Line, links: Links) -> tuple[Part, Part]:
    title = str(COLUMNS["abandoned"].definition)
    share = line.today.abandoned_share
    if share is None:
        return Part("–", title=f"{_('No data.')} {title}"), NOTHING
    address = links.today("abandoned")
    return Part(_percent(share), address=address, title=title), Part(
        grouped(line.today.abandoned), address=address, title=str(FIGURES["abandoned"].definition)
    )


def _level(line: Line, links: Links, target: float) -> tuple[Part, Part]:
    """Return the service level, and how many were or are late."""
    title = f"{COLUMNS['level'].definition} {_('The target is %s.') % _percent(target)}"
    share = line.today.service_level
    if share is None:
        return Part("–", title=f"{_('No data.')} {title}"), NOTHING
    is_short = share < target
    main = Part(
        _percent(share),
        address=links.today("serviceLevel"),
        title=title,
        tone="warns" if is_short else "",
        icon="arrow_downward" if is_short else "",
        icon_label=_("Below the target of %s") % _percent(target) if is_short else "",
    )
    missed = line.today.answered_late
    if not missed:
        return main, NOTHING
    words = ngettext("%s answered late", "%s answered late", missed) % grouped(missed)
    return main, Part(words, address=links.today("answeredLate"), title=_("Answered after the service level."))


def _percent(share: float) -> str:
    return _("%s %%") % round(share * 100)
