"""How the objects look on the wire: camelCase, times in milliseconds, `""` and `0` for what is not set."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from contacts.models import Contact
from workitems import lifecycle
from workitems.actors import Actor
from workitems.models import TimeEvent, Workitem


def milliseconds(moment: datetime | None) -> int:
    """Return a moment as Unix milliseconds, 0 where it is not set."""
    return round(moment.timestamp() * 1000) if moment else 0


def internal_id(pk: int) -> str:
    """Return a pk as the 24 hex digits of the wire's `_id`."""
    return f"{pk:024x}"


def workitem(item: Workitem, actor: Actor) -> dict[str, Any]:
    """Return a workitem as this actor sees it; its card and timeline should be loaded."""
    return {
        "_id": internal_id(item.pk),
        "workitemId": item.workitem_id,
        "tenantId": settings.TENANT_ID,
        "channelType": item.channel_type,
        "type": item.type,
        "state": item.state,
        "currentStateName": item.current_state_name,
        "priority": item.priority,
        "contactId": item.contact.contact_id if item.contact else "",
        "contact": contact(item.contact) if item.contact else None,
        "agentUsername": item.agent_username,
        "selectedQueue": item.selected_queue_id,
        "from": item.from_address,
        "to": item.to_address,
        "createdAt": milliseconds(item.created_at),
        "assignedAt": milliseconds(item.assigned_at),
        "terminatedAt": milliseconds(item.terminated_at),
        "modifiedAt": milliseconds(item.modified_at),
        "dispositionedAt": milliseconds(item.dispositioned_at),
        "queuedAt": milliseconds(item.queued_at),
        "archivedAt": milliseconds(item.archived_at),
        "actions": [action.value for action in lifecycle.available(item, actor)],
        "timeEvents": [time_event(event) for event in item.time_events.all()],
        "dispositionId": item.disposition.disposition_id if item.disposition else "",
        "dispositionNote": item.disposition_note,
        "muted": item.is_muted,
        "name": item.name,
        "data": item.data,
        "version": item.version,
    }


def time_event(event: TimeEvent) -> dict[str, Any]:
    """Return one line of a timeline."""
    return {
        "type": event.type,
        "timestamp": milliseconds(event.timestamp),
        "userId": event.actor,
        "door": event.door,
        "queueId": event.queue.queue_id if event.queue else "",
        "agentUsername": event.agent.get_username() if event.agent else "",
        "details": event.details,
        "fromState": event.from_state,
        "toState": event.to_state,
        "version": event.version,
    }


def contact(person: Contact) -> dict[str, Any]:
    """Return a contact with its numbers and addresses, the primary ones first."""
    return {
        "contactId": person.contact_id,
        "displayName": person.display_name,
        "firstName": person.first_name,
        "lastName": person.last_name,
        "company": person.company,
        "phones": [phone.number for phone in person.phones.all()],
        "emails": [email.address for email in person.emails.all()],
        "externalId": person.external_id,
        "blocked": person.is_blocked,
        "notes": person.notes,
        "data": person.data,
        "createdAt": milliseconds(person.created_at),
        "modifiedAt": milliseconds(person.modified_at),
    }
