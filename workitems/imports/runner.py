"""Records into the database: in batches, each of them all or nothing, and never the same workitem twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, transaction
from django.db.models import Model

from contacts.addresses import normal_email, normal_phone
from contacts.models import Contact, ContactEmail, ContactPhone
from queues.channels import Channel
from queues.models import Queue
from workitems import services
from workitems.actors import Actor
from workitems.choices import PASSIVE, State
from workitems.commands import address_on
from workitems.imports.records import Happening, Line, Person, Record, Rejected, Skipped, Unusable
from workitems.models import Disposition, TimeEvent, Workitem
from workitems.outcomes import History

Row = TypeVar("Row", bound=Model)

BATCH = 500
TAKEN_AS_THEY_ARE = (
    "workitem_id", "type", "channel_type", "state", "priority", "name", "disposition_note", "is_muted", "ended_by",
    "data", "created_at", "queued_at", "assigned_at", "terminated_at", "dispositioned_at", "archived_at",
    "stale_at", "exempt_until",
)  # fmt: skip
NAME = "import"


@dataclass
class Counts:
    """What became of the lines; read = imported + unchanged + skipped + rejected, always."""

    imported: int = 0
    unchanged: int = 0
    skipped: int = 0
    rejected: int = 0

    @property
    def read(self) -> int:
        """All lines that were read."""
        return self.imported + self.unchanged + self.skipped + self.rejected


class Importer:
    """Takes lines in, batch by batch."""

    def __init__(
        self,
        actor: Actor,
        reject: Callable[[Rejected], None],
        *,
        create_missing: bool = False,
        queue_names: dict[str, str] | None = None,
        disposition_names: dict[str, str] | None = None,
    ) -> None:
        self.actor = actor
        self.counts = Counts()
        self.create_missing = create_missing
        self._reject = reject
        self._queue_names = queue_names or {}
        self._disposition_names = disposition_names or {}
        self._queues: dict[str, Queue] = {}
        self._agents: dict[str, User] = {}
        self._dispositions: dict[str, Disposition] = {}
        self._members: set[tuple[int, int]] = set()

    def take(self, lines: Iterable[Line]) -> None:
        """Take all lines; memory holds one batch of them."""
        for batch in services.chunks(lines, BATCH):
            self._take_batch(batch)

    def _take_batch(self, batch: list[Line]) -> None:
        records = []
        for line in batch:
            if isinstance(line, Record):
                records.append(line)
            elif isinstance(line, Skipped):
                self.counts.skipped += 1
            else:
                self._refuse(line)
        known = set(
            Workitem.objects.filter(workitem_id__in=[one.workitem_id for one in records]).values_list(
                "workitem_id", flat=True
            )
        )
        fresh: dict[str, Record] = {}
        for record in records:
            if record.workitem_id in known or record.workitem_id in fresh:
                self.counts.unchanged += 1
            else:
                fresh[record.workitem_id] = record
        self._write(list(fresh.values()))

    def _write(self, records: list[Record]) -> None:
        """Write a batch, and where the database refuses it, its records one by one to find the bad one."""
        if not records:
            return
        try:
            refused = self._write_together(records)
        except (IntegrityError, DataError) as error:
            self._forget()
            if len(records) > 1:
                for record in records:
                    self._write([record])
            else:
                self._refuse(Rejected(records[0].line, f"the database refuses it: {_first_line(error)}"))
            return
        self.counts.imported += len(records) - len(refused)
        for rejected in refused:
            self._refuse(rejected)

    def _write_together(self, records: list[Record]) -> list[Rejected]:
        histories, refused = [], []
        with transaction.atomic():
            contacts = self._contacts([one.person for one in records if one.person])
            for record in records:
                try:
                    histories.append(self._history(record, contacts))
                except Unusable as problem:
                    refused.append(Rejected(record.line, str(problem)))
            services.record(histories, actor=self.actor)
        return refused

    def _history(self, record: Record, contacts: dict[Person, Contact]) -> History:
        queue, agent = self._queue(record.queue, record), self._agent(record.agent)
        if queue and agent:
            self._join(queue, agent)
        if record.person and record.person not in contacts:
            raise Unusable(f"contactId: there is no contact {record.person.contact_id}")
        events = [self._event(one, record) for one in record.timeline]
        contact = contacts[record.person] if record.person else None
        return History(self._workitem(record, queue, agent, contact), events)

    def _workitem(self, record: Record, queue: Queue | None, agent: User | None, contact: Contact | None) -> Workitem:
        since, latest = _state_since(record), max(one.at for one in record.timeline)
        deadline = None
        if queue and record.state == State.OFFERED:
            deadline = since + timedelta(seconds=queue.offer_timeout_seconds)
        return Workitem(
            **{name: getattr(record, name) for name in TAKEN_AS_THEY_ARE},
            current_state_name=record.current_state_name or record.state,
            from_address=address_on(record.channel_type, record.from_address),
            to_address=address_on(record.channel_type, record.to_address),
            queue=queue,
            agent=agent,
            contact=contact,
            disposition=self._disposition(record.disposition),
            modified_at=latest,
            active_at=_active_at(record),
            state_changed_at=since,
            offer_expires_at=deadline,
        )

    def _event(self, one: Happening, record: Record) -> TimeEvent:
        return TimeEvent(
            type=one.type,
            timestamp=one.at,
            actor=one.actor or NAME,
            token=one.token,
            request_id=one.request_id,
            from_state=one.from_state,
            to_state=one.to_state,
            queue=self._queue(one.queue, record),
            agent=self._agent(one.agent),
            details=one.details,
        )

    def _queue(self, queue_id: str, record: Record) -> Queue | None:
        if not queue_id:
            return None
        queue = self._queues.get(queue_id) or Queue.objects.filter(queue_id=queue_id).first()
        if queue is None:
            if not self.create_missing:
                raise Unusable(f"selectedQueue: there is no queue {queue_id}")
            queue = _made(Queue(queue_id=queue_id, name=self._queue_names.get(queue_id, queue_id)))
        if queue_id not in self._queues and self.create_missing:
            queue.take([Channel(record.channel_type)])
        self._queues[queue_id] = queue
        return queue

    def _agent(self, username: str) -> User | None:
        if not username:
            return None
        agent = self._agents.get(username) or User.objects.filter(username=username).first()
        if agent is None:
            if not self.create_missing:
                raise Unusable(f"agentUsername: there is no user {username}")
            agent = _made(User(username=username, password=make_password(None)))
        self._agents[username] = agent
        return agent

    def _join(self, queue: Queue, agent: User) -> None:
        if self.create_missing and (queue.pk, agent.pk) not in self._members:
            queue.members.add(agent)
            self._members.add((queue.pk, agent.pk))

    def _disposition(self, disposition_id: str) -> Disposition | None:
        if not disposition_id:
            return None
        disposition = (
            self._dispositions.get(disposition_id) or Disposition.objects.filter(disposition_id=disposition_id).first()
        )
        if disposition is None:
            if not self.create_missing:
                raise Unusable(f"dispositionId: there is no disposition {disposition_id}")
            name = self._disposition_names.get(disposition_id, disposition_id)
            disposition = _made(Disposition(disposition_id=disposition_id, name=name))
        self._dispositions[disposition_id] = disposition
        return disposition

    def _contacts(self, people: list[Person]) -> dict[Person, Contact]:
        """Return the contacts of a batch, with two look-ups for all of them; make those that may be made."""
        by_id = Contact.objects.filter(contact_id__in=[one.contact_id for one in people if one.contact_id])
        known_by_id = {one.contact_id: one for one in by_id}
        by_source = Contact.objects.filter(external_id__in=[one.external_id for one in people if one.source])
        known_by_source = {(one.source, one.external_id): one for one in by_source}
        found: dict[Person, Contact] = {}
        missing: dict[Person, Contact] = {}
        for person in people:
            key = (person.source, person.external_id)
            contact = known_by_id.get(person.contact_id) if person.contact_id else known_by_source.get(key)
            if contact:
                found[person] = contact.survivor
            elif self.create_missing:
                missing[person] = _new_contact(person)
        Contact.objects.bulk_create(missing.values())
        for person, contact in missing.items():
            _add_addresses(person, contact)
        return found | missing

    def _refuse(self, rejected: Rejected) -> None:
        self.counts.rejected += 1
        self._reject(rejected)

    def _forget(self) -> None:
        """Trust no row that was made in a transaction which has been rolled back."""
        for cache in (self._queues, self._agents, self._dispositions):
            cache.clear()
        self._members.clear()


def _made(row: Row) -> Row:
    """Save a neighbour that was missing, if it is one that could have been typed."""
    try:
        row.full_clean()
    except ValidationError as problem:
        raise Unusable("; ".join(problem.messages)) from None
    row.save()
    return row


def _state_since(record: Record) -> datetime:
    """Return since when it stands in its state: the event that led there, else the latest of its times."""
    led_there = [one.at for one in record.timeline if one.to_state == record.state and one.from_state != record.state]
    times = (record.created_at, record.assigned_at, record.terminated_at, record.dispositioned_at)
    return max(led_there) if led_there else max(time for time in times if time)


def _active_at(record: Record) -> datetime:
    """Return when somebody last cared for it, as its timeline tells."""
    return max((one.at for one in record.timeline if one.type not in PASSIVE), default=record.created_at)


def _new_contact(person: Person) -> Contact:
    given = {"contact_id": person.contact_id} if person.contact_id else {}
    return Contact(display_name=person.display_name, source=person.source, external_id=person.external_id, **given)


def _add_addresses(person: Person, contact: Contact) -> None:
    numbers = dict.fromkeys(filter(None, (normal_phone(one) for one in person.phones)))
    for place, number in enumerate(numbers):
        ContactPhone.objects.create(contact=contact, number=number, is_primary=place == 0)
    for place, address in enumerate(dict.fromkeys(normal_email(one) for one in person.emails)):
        ContactEmail.objects.create(contact=contact, address=address, is_primary=place == 0)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
