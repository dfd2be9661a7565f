"""Rows put straight into the state that a test wants, without the commands that usually lead there."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from contacts.models import Contact, ContactEmail, ContactPhone
from queues.channels import Channel
from queues.models import Queue
from workitems.choices import ENDED, WAITING, WITH_AGENT, Door, EndedBy, Event, State, Type
from workitems.models import Disposition, Presence, TimeEvent, Workitem

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)

numbers = itertools.count(1)


def make_user(username: str = "", **facts: Any) -> User:
    return User.objects.create(username=username or f"user{next(numbers)}", **facts)


def make_queue(queue_id: str = "q_support", **facts: Any) -> Queue:
    channels = facts.pop("channels", tuple(Channel))
    members = facts.pop("members", ())
    queue = Queue.objects.create(queue_id=queue_id, name=facts.pop("name", queue_id), **facts)
    queue.take(channels)
    queue.members.add(*members)
    return queue


def make_contact(name: str = "Ada", phones: tuple[str, ...] = (), emails: tuple[str, ...] = ()) -> Contact:
    contact = Contact.objects.create(display_name=name)
    for number in phones:
        ContactPhone.objects.create(contact=contact, number=number)
    for address in emails:
        ContactEmail.objects.create(contact=contact, address=address)
    return contact


def make_disposition(disposition_id: str = "d_solved", **facts: Any) -> Disposition:
    return Disposition.objects.create(disposition_id=disposition_id, name=facts.pop("name", "Solved"), **facts)


def make_presence(agent: User, status: str = Presence.Status.AVAILABLE, **facts: Any) -> Presence:
    return Presence.objects.create(user=agent, status=status, since=facts.pop("since", NOON), **facts)


def make_workitem(
    state: State = State.INQUEUE, *, queue: Queue | None, agent: User | None = None, **facts: Any
) -> Workitem:
    """Return a saved workitem with one event, created at noon; voice unless `type` says otherwise."""
    kind = facts.pop("type", Type.INBOUND_CALL)
    ended = state in ENDED
    values: dict[str, Any] = {
        "type": kind,
        "channel_type": kind.channels[0],
        "state": state,
        "current_state_name": state,
        "queue": queue,
        "agent": agent,
        "created_at": NOON,
        "modified_at": NOON,
        "state_changed_at": NOON,
        "active_at": NOON,
        "queued_at": NOON if queue else None,
        "assigned_at": NOON if state in WITH_AGENT and state != State.OFFERED else None,
        "offer_expires_at": NOON + timedelta(seconds=20) if state == State.OFFERED else None,
        "terminated_at": NOON if ended else None,
        "ended_by": EndedBy.AGENT if ended else "",
        "dispositioned_at": NOON if state == State.DISPOSITIONED else None,
    }
    values |= facts
    # in the ledger as if it had come like this
    waits = state in WAITING and not kind.is_outbound
    values = {"place_since": values["created_at"], "entered_at": values["queued_at"] if waits else None} | values
    workitem = Workitem.objects.create(**values)
    TimeEvent.objects.create(
        workitem=workitem,
        version=1,
        type=Event.CREATED,
        timestamp=NOON,
        actor="builder",
        door=Door.JOB,
        to_state=state,
        queue=queue,
        agent=agent,
    )
    return workitem


def facts_of(workitem: Workitem) -> dict[str, Any]:
    """Return everything the database has about a workitem and how many events: what a refusal must leave as it is."""
    row = Workitem.objects.filter(pk=workitem.pk).values().get()
    return row | {"events": TimeEvent.objects.filter(workitem=workitem).count()}


def last_event(workitem: Workitem) -> TimeEvent:
    event = TimeEvent.objects.filter(workitem_id=workitem.pk).order_by("-version").first()
    assert event is not None
    return event
