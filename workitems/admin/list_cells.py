"""The cells of the list: what each column says of a workitem, in words, with the exact time beside each age."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.contrib.admin.sites import AdminSite
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from contacts.models import Contact
from queues.channels import Channel
from queues.models import Queue
from workitems.admin.base import duration, grouped
from workitems.choices import WAITING, Event, Priority, Scope, State, Type
from workitems.models import Presence, Workitem
from workitems.staff import actor_of
from workitems.worklist import COLUMNS, Column, Sla, standing_of

ID_TAIL = 6  # the end of an id tells neighbours apart

CHANNEL_ICONS = {
    Channel.VOICE: "call",
    Channel.EMAIL: "mail",
    Channel.SMS: "sms",
    Channel.CHAT: "chat",
    Channel.VIDEO_MEETING: "videocam",
}
STATE_ICONS = {
    State.INQUEUE: "hourglass_top",
    State.OFFERED: "ring_volume",
    State.ACCEPTED: "how_to_reg",
    State.ACTIVE: "graphic_eq",
    State.HOLD: "pause_circle",
    State.CONFERENCE: "groups",
    State.TERMINATED: "edit_note",
    State.DISPOSITIONED: "task_alt",
}
PRIORITY_ICONS = {
    Priority.LOWEST: "keyboard_double_arrow_down",
    Priority.LOW: "keyboard_arrow_down",
    Priority.HIGH: "keyboard_arrow_up",
    Priority.HIGHEST: "keyboard_double_arrow_up",
}
SLA_ICONS = {Sla.FINE: "schedule", Sla.WARNING: "warning", Sla.BREACHED: "error"}


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
    moment: datetime | None = None  # where the text is the moment itself
    more: str = ""


@dataclass(frozen=True)
class Line:
    """One row of the list."""

    row: Workitem
    cells: list[Cell]


class Cells:
    """Makes the cells for one person's page; what he may not open is not linked, and without a site nothing is."""

    def __init__(self, now: datetime, request: HttpRequest | None = None, site: AdminSite | None = None) -> None:
        self.now, self.request, self.site = now, request, site

    def lines(self, rows: Sequence[Workitem], columns: Sequence[str]) -> list[Line]:
        """Return the rows with their cells in the order of the columns."""
        makers = [(COLUMNS[name], MAKERS[name]) for name in columns]
        return [Line(row, [make(self, column, row) for column, make in makers]) for row in rows]

    def id(self, column: Column, row: Workitem) -> Cell:
        address = reverse("admin:workitems_workitem_change", args=[row.pk])
        name = row.workitem_id
        cut = len(name) - ID_TAIL if len(name) > 16 else len(name)
        return Cell(column, text=name[:cut], more=name[cut:], href=address, title=name)

    def channel(self, column: Column, row: Workitem) -> Cell:
        channel = Channel(row.channel_type)
        return Cell(column, text=str(channel.label), icon=CHANNEL_ICONS[channel], title=str(Type(row.type).label))

    def type(self, column: Column, row: Workitem) -> Cell:
        return Cell(column, text=str(Type(row.type).label))

    def subject(self, column: Column, row: Workitem) -> Cell:
        return Cell(column, text=row.name, css="wi-long", title=row.name)

    def state(self, column: Column, row: Workitem) -> Cell:
        state = State(row.state)
        more = _("archived") if row.archived_at else _("stale") if row.stale_at else ""
        return Cell(column, text=str(state.label), icon=STATE_ICONS[state], css=f"wi-badge wi-is-{state}", more=more)

    def queue(self, column: Column, row: Workitem) -> Cell:
        if row.queue is None:
            return Cell(column)
        address = ""
        if self._sees_queues and self.request and actor_of(self.request).can_in(Scope.READ, row.queue):
            address = reverse("admin:queues_queue_change", args=[row.queue_id])
        return Cell(column, text=row.queue.name, href=address, title=row.queue.queue_id, css="wi-name")

    def age(self, column: Column, row: Workitem) -> Cell:
        return self._span(column, row.state_changed_at, self.now)

    def wait(self, column: Column, row: Workitem) -> Cell:
        if Type(row.type).is_outbound:
            return Cell(column, title=_("An agent began it: nobody waited."))
        until = self.now if row.state in WAITING else row.assigned_at or row.terminated_at or self.now
        return self._span(column, row.created_at, until)

    def priority(self, column: Column, row: Workitem) -> Cell:
        priority = Priority(row.priority)
        icon = PRIORITY_ICONS.get(priority, "")
        return Cell(column, text=str(priority.label), icon=icon, css=f"wi-priority-{priority.value}")

    def contact(self, column: Column, row: Workitem) -> Cell:
        if row.contact is None:
            return Cell(column)
        address = reverse("admin:contacts_contact_change", args=[row.contact_id]) if self._sees_contacts else ""
        return Cell(column, text=row.contact.display_name, href=address, css="wi-name")

    def sender(self, column: Column, row: Workitem) -> Cell:
        return Cell(column, text=row.from_address, css="wi-name", title=row.from_address)

    def receiver(self, column: Column, row: Workitem) -> Cell:
        return Cell(column, text=row.to_address, css="wi-name", title=row.to_address)

    def agent(self, column: Column, row: Workitem) -> Cell:
        agent = row.agent
        if agent is None:
            return Cell(column)
        more = "" if agent.is_active else _("deactivated")
        name, username = agent.get_full_name(), agent.get_username()
        return Cell(
            column, text=name or username, href=self._address_of(agent), title=username, more=more, css="wi-name"
        )

    def sla(self, column: Column, row: Any) -> Cell:
        standing = standing_of(row.state, row.queued_at, row.sla_seconds, self.now)
        if standing is None:
            return Cell(column)
        left = (standing.due_at - self.now).total_seconds()
        words = _("in %s") % duration(left) if left > 0 else _("%s over") % duration(-left)
        return Cell(
            column,
            text=words,
            icon=SLA_ICONS[standing.state],
            css=f"wi-sla wi-sla-{standing.state}",
            more=str(standing.state.label) if standing.state is Sla.WARNING else "",
            title=exact(standing.due_at),
            at=standing.due_at.isoformat(),
        )

    def transfers(self, column: Column, row: Any) -> Cell:
        return Cell(column, text=grouped(row.transfers))

    def event(self, column: Column, row: Any) -> Cell:
        if not row.event_type:
            return Cell(column)
        words = str(Event(row.event_type).label) if row.event_type in Event.values else row.event_type
        ago = _("%s ago") % duration((self.now - row.event_at).total_seconds())
        return Cell(column, text=words, more=ago, title=exact(row.event_at), at=row.event_at.isoformat(), css="wi-name")

    def created(self, column: Column, row: Workitem) -> Cell:
        return Cell(column, moment=row.created_at, title=exact(row.created_at))

    def _span(self, column: Column, since: datetime, until: datetime) -> Cell:
        words = duration((until - since).total_seconds())
        return Cell(column, text=words, title=exact(since), at=since.isoformat())

    def _address_of(self, agent: User) -> str:
        if self._sees_people:
            return reverse("admin:auth_user_change", args=[agent.pk])
        if self._sees_presences:
            return reverse("admin:workitems_presence_changelist") + "?" + urlencode({"q": agent.get_username()})
        return ""

    @cached_property
    def _sees_queues(self) -> bool:
        return self._opens(Queue)

    @cached_property
    def _sees_contacts(self) -> bool:
        return self._opens(Contact)

    @cached_property
    def _sees_people(self) -> bool:
        return self._opens(User)

    @cached_property
    def _sees_presences(self) -> bool:
        return self._opens(Presence)

    def _opens(self, model: Any) -> bool:
        if self.request is None or self.site is None or not self.site.is_registered(model):
            return False
        return bool(self.site.get_model_admin(model).has_view_permission(self.request))


def plain(name: str, row: Any, now: datetime) -> Any:
    """Return what a column says as files want it: moments and numbers as such, and everything else in words."""
    values: dict[str, Callable[[], Any]] = {
        "id": lambda: row.workitem_id,
        "created": lambda: row.created_at,
        "transfers": lambda: row.transfers,
        "sla": lambda: getattr(standing_of(row.state, row.queued_at, row.sla_seconds, now), "due_at", None),
    }
    return values[name]() if name in values else MAKERS[name](Cells(now), COLUMNS[name], row).text


def exact(moment: datetime) -> str:
    """Return a moment to the second, in the server's zone, with its name."""
    return date_format(timezone.localtime(moment), "Y-m-d H:i:s e")


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
