"""How the objects look on the wire: camelCase, times in milliseconds, `""` and `0` for what is not set.

One object and a thousand are read and built by the same lines, on every path.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import OuterRef, QuerySet

from contacts.models import Contact, ContactEmail, ContactPhone
from queues.models import Queue
from workitems import lifecycle
from workitems.actors import Actor
from workitems.api.rows import JsonList, Milliseconds, Statement, text_of
from workitems.api.strict import EPOCH
from workitems.api.veil import Veil
from workitems.choices import Scope
from workitems.errors import UnknownWorkitem
from workitems.models import Disposition, Presence, TimeEvent, Workitem, usual_capacity

Wire = dict[str, Any]

EXPANDABLE = ("contact", "timeEvents", "actions")
EVERYTHING = frozenset(EXPANDABLE)
WORKITEM_FIELDS = (
    "_id", "workitemId", "tenantId", "channelType", "type", "state", "currentStateName", "priority", "contactId",
    "contact", "agentUsername", "selectedQueue", "from", "to", "createdAt", "assignedAt", "terminatedAt", "modifiedAt",
    "dispositionedAt", "queuedAt", "archivedAt", "staleAt", "exemptUntil", "actions", "timeEvents", "dispositionId",
    "dispositionNote", "muted", "name", "data", "version",
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """How much of a workitem is wanted: which of its neighbours, and which of its fields."""

    expand: frozenset[str] = EVERYTHING
    fields: tuple[str, ...] = WORKITEM_FIELDS

    def wants(self, name: str) -> bool:
        """Tell whether this neighbour has to be loaded."""
        return name in self.expand and name in self.fields

    def cut(self, wire: Wire) -> Wire:
        """Leave out what is not wanted."""
        if self.fields is WORKITEM_FIELDS and self.expand == EVERYTHING:
            return wire
        return {name: wire[name] for name in self.fields if name in wire}


WHOLE = Shape()


class Line(NamedTuple):
    """What rights and lifecycle ask about a workitem, read from a list."""

    state: str
    channel_type: str
    agent_id: int | None
    queue_id: int | None
    ended_by: str
    archived_at: int | None


def milliseconds(at: datetime | None) -> int:
    """Return a moment as the wire has it, cut and not rounded; 0 while it is not set."""
    return 0 if at is None else (at - EPOCH) // timedelta(milliseconds=1)


def internal_id(pk: int) -> str:
    """Return a pk as the 24 hex digits of the wire's `_id`."""
    return f"{pk:024x}"


def workitems(pks: Sequence[int], actor: Actor, shape: Shape = WHOLE) -> list[Wire]:
    """Return workitems as this actor sees them, in the order of their pks; what is gone meanwhile is left out."""
    rows = {row[0]: row for row in WORKITEMS.of(pks)}
    timelines = _timelines(rows, Veil(actor)) if shape.wants("timeEvents") else {}
    possible = _possible(actor) if shape.wants("actions") else None
    people = shape.wants("contact")
    found = []
    for pk in pks:
        row = rows.get(pk)
        if row is not None:
            found.append(shape.cut(_workitem(row, timelines.get(pk, []), possible, people)))
    return found


def workitem(pk: int, actor: Actor, shape: Shape = WHOLE) -> Wire:
    """Return one workitem as this actor sees it."""
    found = workitems([pk], actor, shape)
    if not found:  # purged since its pk was read
        raise UnknownWorkitem(workitem_id=internal_id(pk))
    return found[0]


def timeline(pk: int, actor: Actor, *, after: int, rows: int) -> list[Wire]:
    """Return so many of a workitem's events in their order as this actor sees them, those after a version only."""
    home = Workitem.objects.filter(pk=pk).values_list("queue__queue_id", flat=True).first() or ""
    veil = Veil(actor)
    return [_event(row, veil, home) for row in _event_rows([pk]).filter(version__gt=after)[:rows]]


def contacts(pks: Sequence[int]) -> list[Wire]:
    """Return contacts with their numbers and addresses, the primary ones first."""
    rows = {row[0]: row for row in CONTACTS.of(pks)}
    return [_contact(rows[pk][1:]) for pk in pks if pk in rows]


def queues(pks: Sequence[int]) -> list[Wire]:
    """Return queues with the channels that they take and the people who work there."""
    rows = {queue.pk: queue for queue in Queue.objects.filter(pk__in=pks).prefetch_related(*QUEUE_NEIGHBOURS)}
    return [_queue(rows[pk]) for pk in pks if pk in rows]


def dispositions(pks: Sequence[int]) -> list[Wire]:
    """Return dispositions."""
    rows = Disposition.objects.in_bulk(list(pks))
    return [_disposition(rows[pk]) for pk in pks if pk in rows]


def agents(pks: Sequence[int], actor: Actor) -> list[Wire]:
    """Return the people who work in queues, with those of their queues that the actor may see."""
    people = User.objects.select_related("presence").prefetch_related("member_of_queues")
    rows = {user.pk: user for user in people.filter(pk__in=pks)}
    return [_agent(rows[pk], actor) for pk in pks if pk in rows]


def _workitem_rows(pks: list[int]) -> QuerySet[Any, tuple[Any, ...]]:
    return (
        Workitem.objects.filter(pk__any_of=pks)
        .annotate(**_times("created", "assigned", "terminated", "modified", "dispositioned", "queued", "archived"))
        .annotate(stale_ms=Milliseconds("stale_at"), exempt_ms=Milliseconds("exempt_until"))
        .annotate(data_text=text_of("data"))
        .annotate(**_contact_columns("contact__"))
        .values_list(
            "pk", "workitem_id", "channel_type", "type", "state", "current_state_name", "priority",
            "agent_id", "agent__username", "queue_id", "queue__queue_id", "from_address", "to_address",
            "created_ms", "assigned_ms", "terminated_ms", "modified_ms", "dispositioned_ms", "queued_ms", "archived_ms",
            "stale_ms", "exempt_ms", "ended_by", "disposition__disposition_id", "disposition_note", "is_muted", "name",
            "data_text", "version",
            *_contact_values("contact__"),
        )
    )  # fmt: skip


def _event_rows(pks: list[int]) -> QuerySet[Any, tuple[Any, ...]]:
    return (
        TimeEvent.objects.filter(workitem__pk__any_of=pks)
        .order_by("workitem_id", "version")
        .annotate(ms=Milliseconds("timestamp"), details_text=text_of("details"))
        .values_list(
            "workitem_id", "type", "ms", "actor", "door", "token", "request_id", "queue__queue_id", "agent__username",
            "details_text", "from_state", "to_state", "version",
        )
    )  # fmt: skip


def _contact_rows(pks: list[int]) -> QuerySet[Any, tuple[Any, ...]]:
    rows = Contact.objects.order_by().filter(pk__any_of=pks)
    return rows.annotate(**_contact_columns("")).values_list("pk", *_contact_values(""))


def _times(*names: str) -> dict[str, Milliseconds]:
    return {f"{name}_ms": Milliseconds(f"{name}_at") for name in names}


def _contact_columns(path: str) -> dict[str, Any]:
    person = OuterRef(f"{path}pk")
    phones = ContactPhone.objects.filter(contact=person).order_by("-is_primary", "pk")
    emails = ContactEmail.objects.filter(contact=person).order_by("-is_primary", "pk")
    return {
        "contact_phones": JsonList(phones.annotate(one=text_of("number")).values("one")),
        "contact_emails": JsonList(emails.annotate(one=text_of("address")).values("one")),
        "contact_data": text_of(f"{path}data"),
        "contact_created_ms": Milliseconds(f"{path}created_at"),
        "contact_modified_ms": Milliseconds(f"{path}modified_at"),
    }


def _contact_values(path: str) -> list[str]:
    facts = [
        "contact_id", "display_name", "first_name", "last_name", "company", "source", "external_id", "is_blocked",
        "notes", "version",
    ]  # fmt: skip
    return [*(f"{path}{fact}" for fact in facts), *_contact_columns("")]


WORKITEMS = Statement(_workitem_rows)
EVENTS = Statement(_event_rows)
CONTACTS = Statement(_contact_rows)
WORKITEM_COLUMNS = 29
QUEUE_ID_COLUMN = 10
QUEUE_NEIGHBOURS = ("channel_rows", "members", "supervisors")


def _workitem(
    row: tuple[Any, ...], events: list[Wire], possible: Callable[[Line], list[str]] | None, people: bool
) -> Wire:
    (
        pk, workitem_id, channel_type, kind, state, step, priority, agent_id, agent, queue_id, queue, sender, receiver,
        created, assigned, terminated, modified, dispositioned, queued, archived, stale, exempt, ended_by, disposition,
        note, muted, name, data, version, contact_id,
    ) = row[: WORKITEM_COLUMNS + 1]  # fmt: skip
    return {
        "_id": f"{pk:024x}",
        "workitemId": workitem_id,
        "tenantId": settings.TENANT_ID,
        "channelType": channel_type,
        "type": kind,
        "state": state,
        "currentStateName": step,
        "priority": priority,
        "contactId": contact_id or "",
        "contact": _contact(row[WORKITEM_COLUMNS:]) if people and contact_id else None,
        "agentUsername": agent or "",
        "selectedQueue": queue or "",
        "from": sender,
        "to": receiver,
        "createdAt": created,
        "assignedAt": assigned,
        "terminatedAt": terminated,
        "modifiedAt": modified,
        "dispositionedAt": dispositioned,
        "queuedAt": queued,
        "archivedAt": archived,
        "staleAt": stale,
        "exemptUntil": exempt,
        "actions": possible(Line(state, channel_type, agent_id, queue_id, ended_by, archived or None))
        if possible
        else [],
        "timeEvents": events,
        "dispositionId": disposition or "",
        "dispositionNote": note,
        "muted": bool(muted),
        "name": name,
        "data": orjson.Fragment(data),
        "version": version,
    }


def _timelines(workitems: Mapping[int, tuple[Any, ...]], veil: Veil) -> dict[int, list[Wire]]:
    lines: dict[int, list[Wire]] = defaultdict(list)
    for row in EVENTS.of(list(workitems)):
        lines[row[0]].append(_event(row, veil, workitems[row[0]][QUEUE_ID_COLUMN] or ""))
    return lines


def _event(row: tuple[Any, ...], veil: Veil, home: str) -> Wire:
    (
        _pk, kind, at, actor, door, token, request_id, queue, agent, details, from_state, to_state, version,
    ) = row  # fmt: skip
    return {
        "type": kind,
        "timestamp": at,
        "userId": actor,
        "door": door,
        "token": token,
        "requestId": request_id,
        "queueId": veil.queue(queue or "", home),
        "agentUsername": agent or "",
        "details": orjson.Fragment(veil.details(kind, details, home)),
        "fromState": from_state,
        "toState": to_state,
        "version": version,
    }


def _possible(actor: Actor) -> Callable[[Line], list[str]]:
    """Return what finds the possible actions; lines that are alike to the table are looked up once."""
    known: dict[tuple[Any, ...], list[str]] = {}
    user = actor.user.pk if actor.user else None

    def possible(line: Line) -> list[str]:
        mine = user is not None and line.agent_id == user
        alike = (line.state, line.channel_type, mine, line.queue_id, line.ended_by, line.archived_at is None)
        if alike not in known:
            known[alike] = [action.value for action in lifecycle.available(line, actor)]
        return known[alike]

    return possible


def _contact(columns: tuple[Any, ...]) -> Wire:
    (
        contact_id, display_name, first_name, last_name, company, source, external_id, blocked, notes, version, phones,
        emails, data, created, modified,
    ) = columns  # fmt: skip
    return {
        "contactId": contact_id,
        "displayName": display_name,
        "firstName": first_name,
        "lastName": last_name,
        "company": company,
        "phones": orjson.Fragment(phones),
        "emails": orjson.Fragment(emails),
        "source": source,
        "externalId": external_id,
        "blocked": bool(blocked),
        "notes": notes,
        "data": orjson.Fragment(data),
        "createdAt": created,
        "modifiedAt": modified,
        "version": version,
    }


def _queue(queue: Queue) -> Wire:
    return {
        "queueId": queue.queue_id,
        "name": queue.name,
        "description": queue.description,
        "channels": list(queue.sla_seconds),
        "slaSeconds": queue.sla_seconds,
        "isOpen": queue.is_open,
        "priority": queue.priority,
        "shortAbandonSeconds": queue.short_abandon_seconds,
        "offerTimeoutSeconds": queue.offer_timeout_seconds,
        "wrapUpSeconds": queue.wrap_up_seconds,
        "offersAutomatically": queue.offers_automatically,
        "members": _usernames(queue.members.all()),
        "supervisors": _usernames(queue.supervisors.all()),
        "version": queue.version,
    }


def _usernames(users: Iterable[User]) -> list[str]:
    return sorted(user.get_username() for user in users)


def _disposition(disposition: Disposition) -> Wire:
    return {
        "dispositionId": disposition.disposition_id,
        "name": disposition.name,
        "resolved": disposition.is_resolved,
        "types": disposition.types,
        "isActive": disposition.is_active,
        "version": disposition.version,
    }


def _agent(user: User, actor: Actor) -> Wire:
    theirs = [queue.queue_id for queue in user.member_of_queues.all() if actor.can_in(Scope.READ, queue)]
    presence: Presence | None = getattr(user, "presence", None)  # until something is said of it, there is none
    return {
        "userId": str(user.pk),
        "username": user.get_username(),
        "firstName": user.first_name,
        "lastName": user.last_name,
        "isActive": user.is_active,
        "queues": sorted(theirs),
        "presence": presence.status if presence else "",
        "presenceSince": milliseconds(presence.since if presence else None),
        "capacity": presence.capacity if presence else usual_capacity(),
    }
