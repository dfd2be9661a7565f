"""The fields of workitems, contacts, queues, dispositions and agents."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact, ContactEmail, ContactPhone
from queues.channels import Channel
from queues.models import Queue, QueueChannel
from workitems.choices import Priority, State, Type
from workitems.models import Disposition
from workitems.search.kinds import (
    MAX_PK,
    Address,
    AnyOf,
    AnyRelated,
    Choice,
    Exact,
    Flag,
    InternalId,
    Moment,
    Number,
    Reference,
    Related,
    Tenant,
    Text,
)
from workitems.search.schema import Schema
from workitems.search.special import Data, Happened, OfType

CHANNELS, STATES, TYPES = tuple(Channel.values), tuple(State.values), tuple(Type.values)
PRIORITY = Number("priority", min(Priority.values), max(Priority.values))

NAME = Related("contact_id", Contact, Text("display_name"))
PHONE = Related("contact_id", ContactPhone, Address("number"), key="contact_id")
EMAIL = Related("contact_id", ContactEmail, Address("address"), key="contact_id")
PHONES = Related("id", ContactPhone, Address("number"), key="contact_id")
EMAILS = Related("id", ContactEmail, Address("address"), key="contact_id")
MEMBER = Related("user_id", User, Exact("username"))

WORKITEMS = Schema(
    fields={
        "_id": InternalId(),
        "workitemId": Exact("workitem_id"),
        "tenantId": Tenant(),
        "channelType": Choice("channel_type", CHANNELS),
        "type": OfType("type", TYPES),
        "state": Choice("state", STATES),
        "currentStateName": Exact("current_state_name"),
        "priority": PRIORITY,
        "contactId": Reference("contact_id", Contact, Exact("contact_id")),
        "contact.name": NAME,
        "contact.company": Related("contact_id", Contact, Text("company")),
        "contact.phone": PHONE,
        "contact.email": EMAIL,
        "agentUsername": Reference("agent_id", User, Exact("username")),
        "selectedQueue": Reference("queue_id", Queue, Exact("queue_id")),
        "queue.id": Reference("queue_id", Queue, Exact("queue_id")),
        "queue.name": Related("queue_id", Queue, Text("name")),
        "queue.open": Related("queue_id", Queue, Flag(Q(is_open=True))),
        "from": Address("from_address"),
        "to": Address("to_address"),
        "createdAt": Moment("created_at"),
        "assignedAt": Moment("assigned_at"),
        "terminatedAt": Moment("terminated_at"),
        "modifiedAt": Moment("modified_at"),
        "dispositionedAt": Moment("dispositioned_at"),
        "queuedAt": Moment("queued_at"),
        "archivedAt": Moment("archived_at"),
        "staleAt": Moment("stale_at"),
        "exemptUntil": Moment("exempt_until"),
        "archived": Flag(Q(archived_at__isnull=False)),
        "event": Happened(),
        "dispositionId": Reference("disposition_id", Disposition, Exact("disposition_id")),
        "dispositionNote": Text("disposition_note"),
        "muted": Flag(Q(is_muted=True)),
        "name": Text("name"),
        "data": Data(),
        "version": Number("version"),
    },
    bare=AnyOf(
        (
            Exact("workitem_id", is_bare=True),
            InternalId(is_bare=True),
            Text("name"),
            Address("from_address"),
            Address("to_address"),
            AnyRelated("contact_id", (NAME, PHONE, EMAIL)),
        )
    ),
    instead={
        "actions": _("actions depend on who asks and cannot be searched; use state and channelType"),
        "timeEvents": _("timeEvents cannot be searched as a whole; use event, as in event:transferred"),
        "contact": _("use contactId, contact.name, contact.phone, contact.email or contact.company"),
        "queue": _("use selectedQueue, queue.name or queue.open"),
    },
)

CONTACTS = Schema(
    fields={
        "_id": InternalId(),
        "contactId": Exact("contact_id"),
        "displayName": Text("display_name"),
        "firstName": Text("first_name"),
        "lastName": Text("last_name"),
        "company": Text("company"),
        "phones": PHONES,
        "emails": EMAILS,
        "externalId": Exact("external_id"),
        "blocked": Flag(Q(is_blocked=True)),
        "notes": Text("notes"),
        "data": Data(),
        "createdAt": Moment("created_at"),
        "modifiedAt": Moment("modified_at"),
        "version": Number("version"),
    },
    bare=AnyOf(
        (
            Exact("contact_id", is_bare=True),
            InternalId(is_bare=True),
            Text("display_name"),
            Text("company"),
            AnyRelated("id", (PHONES, EMAILS)),
        )
    ),
    instead={
        "name": _("use displayName, firstName or lastName"),
        "phone": _("use phones, as in phones:+1800*"),
        "email": _("use emails, as in emails:ada@example.com"),
    },
)

QUEUES = Schema(
    fields={
        "_id": InternalId(),
        "queueId": Exact("queue_id"),
        "name": Text("name"),
        "description": Text("description"),
        "isOpen": Flag(Q(is_open=True)),
        "priority": PRIORITY,
        "channels": Related("id", QueueChannel, Choice("channel", CHANNELS), key="queue_id"),
        "members": Related("id", Queue.members.through, MEMBER, key="queue_id"),
        "supervisors": Related("id", Queue.supervisors.through, MEMBER, key="queue_id"),
        "shortAbandonSeconds": Number("short_abandon_seconds", 0),
        "offerTimeoutSeconds": Number("offer_timeout_seconds", 0),
        "wrapUpSeconds": Number("wrap_up_seconds", 0),
        "offersAutomatically": Flag(Q(offers_automatically=True)),
        "version": Number("version"),
    },
    bare=AnyOf((Exact("queue_id", is_bare=True), InternalId(is_bare=True), Text("name"))),
)

DISPOSITIONS = Schema(
    fields={
        "_id": InternalId(),
        "dispositionId": Exact("disposition_id"),
        "name": Text("name"),
        "resolved": Flag(Q(is_resolved=True)),
        "isActive": Flag(Q(is_active=True)),
        "version": Number("version"),
    },
    bare=AnyOf((Exact("disposition_id", is_bare=True), InternalId(is_bare=True), Text("name"))),
    instead={"types": _("types cannot be searched; use name or dispositionId")},
)

AGENTS = Schema(
    fields={
        "username": Exact("username"),
        "userId": Number("pk", 1, MAX_PK),
        "firstName": Text("first_name"),
        "lastName": Text("last_name"),
    },
    bare=AnyOf((Exact("username", is_bare=True), Text("first_name"), Text("last_name"))),
)
