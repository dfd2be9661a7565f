"""The cells of the list: what each column says of a workitem, in words, with the exact time beside each age."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from contacts.models import Contact
from queues.channels import Channel
from queues.models import Queue
from workitems.choices import Event, Priority, State, Type
from workitems.models import Workitem
from workitems.presenting.icons import CHANNEL_ICONS, PRIORITY_ICONS, SLA_ICONS, STATE_ICONS
from workitems.presenting.words import duration, exact, grouped
from workitems.worklist import COLUMNS, Column, Sla, standing_of, waited_until

ID_TAIL = 6  # the end of an id tells neighbours apart


@dataclass(frozen=True)
class Cell:
    """What one column says of one workitem; "" is shown as a dash."""

    column: Column
    text: str = ""
    href: str = ""
    title: str = ""
    icon: str = ""
    css: str = ""
    at: str = ""  # the moment that the text tells the age of
    is_running: bool = False  # the age grows
    kind: str = ""  # of a service level: how it stands
    warns_at: str = ""  # and when it is nearly over
    moment: datetime | None = None  # where the text is the moment itself
    more: str = ""


@dataclass(frozen=True)
class Line:
    """One row of the list."""

    row: Workitem
    cells: list[Cell]


class Addresses:
    """Where the cells lead; what somebody may not open, or what a page has no place for, is not linked."""

    def workitem(self, row: Workitem) -> str:
        """Return the address of a workitem's page."""
        return ""

    def queue(self, queue: Queue) -> str:
        """Return the address of a queue's page."""
        return ""

    def contact(self, contact: Contact) -> str:
        """Return the address of a contact's page."""
        return ""

    def agent(self, agent: User) -> str:
        """Return the address of an agent's page."""
        return ""


class Cells:
    """Makes the cells; `styles` names the classes of a page's style sheet: long, name, state, priority and sla."""

    def __init__(
        self, now: datetime, addresses: Addresses | None = None, styles: Mapping[str, str] | None = None
    ) -> None:
        self.now, self.addresses, self.styles = now, addresses or Addresses(), styles or {}

    def lines(self, rows: Sequence[Workitem], columns: Sequence[str]) -> list[Line]:
        """Return the rows with their cells in the order of the columns."""
        makers = [(COLUMNS[name], MAKERS[name]) for name in columns]
        return [Line(row, [make(self, column, row) for column, make in makers]) for row in rows]

    def id(self, column: Column, row: Workitem) -> Cell:
        name = row.workitem_id
        cut = len(name) - ID_TAIL if len(name) > 16 else len(name)
        return Cell(column, text=name[:cut], more=name[cut:], href=self.addresses.workitem(row), title=name)

    def channel(self, column: Column, row: Workitem) -> Cell:
        channel = Channel(row.channel_type)
        return Cell(column, text=str(channel.label), icon=CHANNEL_ICONS[channel], title=str(Type(row.type).label))

    def type(self, column: Column, row: Workitem) -> Cell:
        return Cell(column, text=str(Type(row.type).label))

    def subject(self, column: Column, row: Workitem) -> Cell:
        return Cell(column, text=row.name, css=self._style("long"), title=row.name)

    def state(self, column: Column, row: Workitem) -> Cell:
        state = State(row.state)
        more = _("archived") if row.archived_at else _("stale") if row.stale_at else ""
        return Cell(column, text=str(state.label), icon=STATE_ICONS[state], css=self._style("state", state), more=more)

    def queue(self, column: Column, row: Workitem) -> Cell:
        if row.queue is None:
            return Cell(column)
        address = self.addresses.queue(row.queue)
        return Cell(column, text=row.queue.name, href=address, title=row.queue.queue_id, css=self._style("name"))

    def age(self, column: Column, row: Workitem) -> Cell:
        return self._span(column, row.state_changed_at, self.now)

    def wait(self, column: Column, row: Workitem) -> Cell:
        until = waited_until(row, self.now)
        if until is None:
            return Cell(column, title=_("An agent began it: nobody waited."))
        return self._span(column, row.created_at, until)

    def priority(self, column: Column, row: Workitem) -> Cell:
        priority = Priority(row.priority)
        icon = PRIORITY_ICONS.get(priority, "")
        return Cell(column, text=str(priority.label), icon=icon, css=self._style("priority", priority.value))

    def contact(self, column: Column, row: Workitem) -> Cell:
        if row.contact is None:
            return Cell(column)
        address = self.addresses.contact(row.contact)
        name = row.contact.display_name
        return Cell(column, text=name, href=address, title=name, css=self._style("name"))

    def sender(self, column: Column, row: Workitem) -> Cell:
        return Cell(column, text=row.from_address, css=self._style("name"), title=row.from_address)

    def receiver(self, column: Column, row: Workitem) -> Cell:
        return Cell(column, text=row.to_address, css=self._style("name"), title=row.to_address)

    def agent(self, column: Column, row: Workitem) -> Cell:
        agent = row.agent
        if agent is None:
            return Cell(column)
        more = "" if agent.is_active else _("deactivated")
        name, username = agent.get_full_name(), agent.get_username()
        return Cell(
            column,
            text=name or username,
            href=self.addresses.agent(agent),
            title=username,
            more=more,
            css=self._style("name"),
        )

    def sla(self, column: Column, row: Any) -> Cell:
        standing = standing_of(row.state, row.entered_at, row.sla_seconds, self.now)
        if standing is None:
            return Cell(column)
        left = (standing.due_at - self.now).total_seconds()
        words = _("in %s") % duration(left) if left > 0 else _("%s over") % duration(-left)
        return Cell(
            column,
            text=words,
            icon=SLA_ICONS[standing.state],
            css=self._style("sla", standing.state),
            more=str(standing.state.label) if standing.state is Sla.WARNING else "",
            title=exact(standing.due_at),
            at=standing.due_at.isoformat(),
            kind=standing.state.value,
            warns_at=standing.warns_at.isoformat(),
        )

    def transfers(self, column: Column, row: Any) -> Cell:
        return Cell(column, text=grouped(row.transfers))

    def event(self, column: Column, row: Any) -> Cell:
        if not row.event_type:
            return Cell(column)
        words = str(Event(row.event_type).label) if row.event_type in Event.values else row.event_type
        ago = _("%s ago") % duration((self.now - row.event_at).total_seconds())
        return Cell(
            column,
            text=words,
            more=ago,
            title=exact(row.event_at),
            at=row.event_at.isoformat(),
            css=self._style("name"),
        )

    def created(self, column: Column, row: Workitem) -> Cell:
        return Cell(column, moment=row.created_at, title=exact(row.created_at))

    def _span(self, column: Column, since: datetime, until: datetime) -> Cell:
        words = duration((until - since).total_seconds())
        return Cell(column, text=words, title=exact(since), at=since.isoformat(), is_running=until == self.now)

    def _style(self, part: str, kind: object = "") -> str:
        return self.styles.get(part, "").replace("*", str(kind))


def plain(name: str, row: Any, now: datetime) -> Any:
    """Return what a column says as files want it: moments and numbers as such, and everything else in words."""
    values: dict[str, Callable[[], Any]] = {
        "id": lambda: row.workitem_id,
        "created": lambda: row.created_at,
        "transfers": lambda: row.transfers,
        "sla": lambda: getattr(standing_of(row.state, row.entered_at, row.sla_seconds, now), "due_at", None),
    }
    return values[name]() if name in values else MAKERS[name](Cells(now), COLUMNS[name], row).text


MAKERS: dict[str, Callable[[Cells, Column, Any], Cell]] = {
    "id": Cells.id,
    "channel": Cells.channel,
    "type": Cells.type,
    "subject": Cells.subject,
    "state": Cells.state,
    "queue": Cells.queue,
    "age": Cells.age,
    "wait": Cells.wait,
    "priority": Cells.priority,
    "contact": Cells.contact,
    "from": Cells.sender,
    "to": Cells.receiver,
    "agent": Cells.agent,
    "sla": Cells.sla,
    "transfers": Cells.transfers,
    "event": Cells.event,
    "created": Cells.created,
}
