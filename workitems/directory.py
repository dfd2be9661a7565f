"""Contacts, queues and dispositions as programs keep them: who may see and change them, and each change in one go.

A change is made under the row's lock, moves its version on and leaves an audit entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, models, transaction
from django.db.models import PROTECT, Exists, ManyToOneRel, Model, OuterRef, ProtectedError, Q, QuerySet
from django.utils.translation import gettext as _

from contacts.addresses import normal_email, normal_phone
from contacts.models import Contact, ContactEmail, ContactPhone
from queues.channels import DEFAULT_SLA_SECONDS
from queues.models import Queue, QueueChannel
from workitems import audit
from workitems.actors import Actor
from workitems.choices import Scope
from workitems.commands import check_object, check_workitem_id
from workitems.errors import (
    ContactErased,
    DuplicateObject,
    InUse,
    InvalidValue,
    MissingScope,
    StaleVersion,
    UnknownObject,
)
from workitems.models import Disposition, Workitem

Values = Mapping[str, Any]


def visible_contacts(actor: Actor) -> QuerySet[Contact]:
    """Return the contacts that the actor may see: all of them, or those of the workitems that he may see.

    Those that were merged into others are left out, whoever looks.
    """
    rows: QuerySet[Contact] = Contact.objects.standing()
    if Scope.READ in actor.everywhere:
        return rows
    return rows.filter(Exists(Workitem.objects.visible_to(actor).filter(contact=OuterRef("pk"))))


def find_contact(contact_id: str, actor: Actor) -> Contact | None:
    """Return the contact with this id where the actor may see it; the id of a merged one leads to the one it is now."""
    found = Contact.objects.filter(contact_id=contact_id).first()
    if found is None:
        return None
    return visible_contacts(actor).filter(pk=found.survivor.pk).first()


def visible_queues(actor: Actor) -> QuerySet[Queue]:
    """Return the queues whose work the actor may see."""
    rows: QuerySet[Queue] = Queue.objects.all()
    return rows if Scope.READ in actor.everywhere else rows.filter(pk__in=actor.queues_with(Scope.READ))


def visible_dispositions(actor: Actor) -> QuerySet[Disposition]:
    """Return the dispositions, which everybody needs who can have a workitem to disposition."""
    if actor.can_anywhere(Scope.READ) or Scope.READ in actor.own_items:
        return Disposition.objects.all()
    return Disposition.objects.none()


def visible_agents(actor: Actor) -> QuerySet[User]:
    """Return the people who work in the queues that the actor may see, and himself where he works in any."""
    memberships = Queue.members.through.objects.filter(user=OuterRef("pk"))
    if Scope.READ not in actor.everywhere:
        seen = Q(queue__in=actor.queues_with(Scope.READ))
        if actor.user is not None and Scope.READ in actor.own_items:
            seen |= Q(user=actor.user)
        memberships = memberships.filter(seen)
    return User.objects.filter(Exists(memberships))


def is_used(row: Model) -> bool:
    """Tell whether anything that must not lose it refers to a row, without loading what does."""
    references = [one for one in row._meta.get_fields(include_hidden=True) if isinstance(one, ManyToOneRel)]
    return any(
        one.related_model._base_manager.filter(**{one.field.name: row}).exists()
        for one in references
        if one.on_delete is PROTECT
    )


@dataclass(frozen=True)
class Kind:
    """One kind of object in the directory; values come by wire name."""

    name: str
    model: type[models.Model]
    id_field: str
    id_name: str  # on the wire
    visible_to: Callable[[Actor], QuerySet[Any]]
    change_scope: Scope  # held everywhere, or on the very queue
    delete_scope: Scope
    fill: Callable[[Any, Values], None]
    fill_neighbours: Callable[[Any, Values], None]
    look_further: Callable[[str, Actor], Any] | None = None  # where an id may lead to another object than its own

    def create(self, values: Values, *, actor: Actor, now: datetime) -> Any:
        """Make one and return it; raise a WorkitemError where that is refused."""
        self._require(actor, self.change_scope, None)
        row: Any = self.model()
        if values.get(self.id_name):
            setattr(row, self.id_field, values[self.id_name])
        with transaction.atomic():
            self.fill(row, values)
            self._save(row, values, force_insert=True)
            self._audit("created", getattr(row, self.id_field), values, actor, now)
        return row

    def change(
        self, public_id: str, values: Values, *, actor: Actor, now: datetime, if_version: int | None = None
    ) -> Any:
        """Change what is named in the values and return the object; an empty set of values changes nothing."""
        with transaction.atomic():
            row = self._locked(public_id, actor, self.change_scope, if_version)
            if not values:
                return row
            self.fill(row, values)
            row.version += 1
            self._save(row, values)
            self._audit("changed", public_id, values, actor, now)
            return row

    def delete(self, public_id: str, *, actor: Actor, now: datetime, if_version: int | None = None) -> None:
        """Delete one; raise InUse where a workitem or its history refers to it."""
        with transaction.atomic():
            row = self._locked(public_id, actor, self.delete_scope, if_version)
            if is_used(row):
                raise InUse(what=self.name, id=public_id)
            try:
                row.delete()
            except ProtectedError:  # used just now
                raise InUse(what=self.name, id=public_id) from None
            self._audit("deleted", public_id, {}, actor, now)

    def find(self, public_id: str, actor: Actor) -> Any:
        """Return one that the actor may see; raise UnknownObject otherwise."""
        row = self._visible(public_id, actor)
        if row is None and self.look_further is not None:
            row = self.look_further(public_id, actor)
        if row is None:
            raise UnknownObject(what=self.name, id=public_id)
        return row

    def _visible(self, public_id: str, actor: Actor) -> Any:
        return self.visible_to(actor).filter(**{self.id_field: public_id}).first()

    def _locked(self, public_id: str, actor: Actor, scope: Scope, if_version: int | None) -> Any:
        """Return the very one that has this id, locked: nobody changes or deletes another one by mistake."""
        seen = self._visible(public_id, actor)
        rows = self.model._default_manager.select_for_update()
        row: Any = rows.filter(pk=seen.pk).first() if seen is not None else None
        if row is None or getattr(row, "merged_into_id", None) is not None:  # gone, or merged, while we waited
            raise UnknownObject(what=self.name, id=public_id)
        self._require(actor, scope, row)
        if if_version is not None and if_version != row.version:
            raise StaleVersion(expected=if_version, current=row.version)
        return row

    def _require(self, actor: Actor, scope: Scope, row: Any) -> None:
        if not actor.can_in(scope, row if isinstance(row, Queue) else None):
            raise MissingScope(scope=scope.value)

    def _save(self, row: Any, values: Values, **options: Any) -> None:
        try:
            with transaction.atomic():
                row.save(**options)
                self.fill_neighbours(row, values)
        except IntegrityError:
            raise DuplicateObject(what=self.name, id=values.get(self.id_name) or values.get("externalId", "")) from None

    def _audit(self, what: str, public_id: str, values: Values, actor: Actor, now: datetime) -> None:
        audit.write(f"{self.name} {what}", public_id, actor=actor, now=now, values=dict(values))


def _fill(names: Mapping[str, str]) -> Callable[[Any, Values], None]:
    """Return what takes plain values over, from wire names to fields."""

    def fill(row: Any, values: Values) -> None:
        for name, field in names.items():
            if name in values:
                setattr(row, field, values[name])

    return fill


CONTACT_FACTS = _fill(
    {
        "displayName": "display_name",
        "firstName": "first_name",
        "lastName": "last_name",
        "company": "company",
        "source": "source",
        "externalId": "external_id",
        "blocked": "is_blocked",
        "notes": "notes",
        "data": "data",
    }
)
QUEUE_FACTS = _fill(
    {
        "name": "name",
        "description": "description",
        "isOpen": "is_open",
        "priority": "priority",
        "shortAbandonSeconds": "short_abandon_seconds",
        "offerTimeoutSeconds": "offer_timeout_seconds",
        "wrapUpSeconds": "wrap_up_seconds",
        "offersAutomatically": "offers_automatically",
    }
)
DISPOSITION_FACTS = _fill({"name": "name", "resolved": "is_resolved", "types": "types", "isActive": "is_active"})


def _fill_contact(row: Contact, values: Values) -> None:
    if row.erased_at is not None:
        raise ContactErased(contact=row.contact_id)
    if "contactId" in values:
        try:
            check_workitem_id(values["contactId"])
        except InvalidValue as problem:
            raise InvalidValue(field="contactId", problem=problem.message) from None
    if "data" in values:
        check_object("data", values["data"])
    CONTACT_FACTS(row, values)


def _fill_contact_addresses(row: Contact, values: Values) -> None:
    if "phones" in values:
        numbers = dict.fromkeys(_number(one) for one in values["phones"])
        _replace(row.phones.all(), "number", list(numbers), lambda one: ContactPhone(contact=row, number=one))
    if "emails" in values:
        addresses = dict.fromkeys(_email(one) for one in values["emails"])
        _replace(row.emails.all(), "address", list(addresses), lambda one: ContactEmail(contact=row, address=one))


def _number(text: str) -> str:
    number = normal_phone(text)
    if number is None:
        raise InvalidValue(field="phones", problem=_("“%(text)s” is no phone number.") % {"text": text[:50]})
    return number


def _email(text: str) -> str:
    address = normal_email(text)
    try:
        validate_email(address)
    except ValidationError:
        raise InvalidValue(
            field="emails", problem=_("“%(text)s” is no e-mail address.") % {"text": text[:50]}
        ) from None
    return address


def _replace(rows: Any, field: str, wanted: list[str], make: Callable[[str], Any]) -> None:
    """Make the addresses what is wanted, in that order, the first one the primary one."""
    if list(rows.values_list(field, flat=True)) == wanted:
        return
    rows.delete()
    for place, one in enumerate(wanted):
        row = make(one)
        row.is_primary = place == 0
        row.save(force_insert=True)


def _fill_queue(row: Queue, values: Values) -> None:
    QUEUE_FACTS(row, values)
    if row.is_retired and row.is_open:
        raise InvalidValue(field="isOpen", problem=_("The queue is retired. Bring it back first."))
    for name in ("members", "supervisors"):
        unknown = set(values.get(name, ())) - set(_users(values.get(name, ())))
        if unknown:
            raise InvalidValue(field=name, problem=_("There is no user %s.") % sorted(unknown)[0])


def _fill_queue_neighbours(row: Queue, values: Values) -> None:
    if "channels" in values or "slaSeconds" in values:
        _set_channels(row, values)
    for name in ("members", "supervisors"):
        if name in values:
            getattr(row, name).set(_users(values[name]).values())


def _set_channels(row: Queue, values: Values) -> None:
    given = values.get("slaSeconds", {})
    present = {one.channel: one.sla_seconds for one in row.channel_rows.all()}
    wanted = values.get("channels", list(present))
    stray = sorted(set(given) - set(wanted))
    if stray:
        raise InvalidValue(field="slaSeconds", problem=_("The queue does not take “%s”.") % stray[0])
    row.channel_rows.exclude(channel__in=wanted).delete()
    for channel in wanted:
        seconds = given.get(channel, present.get(channel, DEFAULT_SLA_SECONDS[channel]))
        QueueChannel.objects.update_or_create(queue=row, channel=channel, defaults={"sla_seconds": seconds})
    row.__dict__.pop("sla_seconds", None)


def _users(usernames: Any) -> dict[str, User]:
    return {user.get_username(): user for user in User.objects.filter(username__in=list(usernames))}


def _nothing_more(row: Any, values: Values) -> None:
    """Have no neighbours."""


CONTACT = Kind(
    name="contact",
    model=Contact,
    id_field="contact_id",
    id_name="contactId",
    visible_to=visible_contacts,
    change_scope=Scope.WRITE,
    delete_scope=Scope.ADMIN,
    fill=_fill_contact,
    fill_neighbours=_fill_contact_addresses,
    look_further=find_contact,
)
QUEUE = Kind(
    name="queue",
    model=Queue,
    id_field="queue_id",
    id_name="queueId",
    visible_to=visible_queues,
    change_scope=Scope.ADMIN,
    delete_scope=Scope.ADMIN,
    fill=_fill_queue,
    fill_neighbours=_fill_queue_neighbours,
)
DISPOSITION = Kind(
    name="disposition",
    model=Disposition,
    id_field="disposition_id",
    id_name="dispositionId",
    visible_to=visible_dispositions,
    change_scope=Scope.ADMIN,
    delete_scope=Scope.ADMIN,
    fill=DISPOSITION_FACTS,
    fill_neighbours=_nothing_more,
)
