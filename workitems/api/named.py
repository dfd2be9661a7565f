"""What requests name by public id: found within what the caller may see, or refused as if it did not exist."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from contacts.models import Contact
from queues.models import Queue
from workitems import services
from workitems.actors import Actor
from workitems.api.errors import invalid
from workitems.choices import Action, Scope
from workitems.commands import INTERNAL_ID
from workitems.directory import find_contact
from workitems.errors import MissingScope, UnknownWorkitem
from workitems.lifecycle import MOVES
from workitems.models import Disposition, Workitem

LARGEST = 2**63 - 1
IDS_AT_ONCE = 5_000


class Found(NamedTuple):
    """A workitem that the actor may see, and where it stands."""

    pk: int
    workitem_id: str
    version: int
    state: str
    channel_type: str
    agent_id: int | None
    queue_id: int | None
    ended_by: str
    archived_at: datetime | None


def workitem(given: str, actor: Actor) -> Found:
    """Return a workitem by an id of either kind, as if it did not exist where it may not be seen."""
    found = workitems([given], actor).get(given)
    if found is None:
        raise UnknownWorkitem(workitem_id=given)
    return found


def workitems(given: Iterable[str], actor: Actor) -> dict[str, Found]:
    """Return the workitems among these ids of either kind that the actor may see, by the ids given."""
    internal = {min(int(one, 16), LARGEST): one for one in given if INTERNAL_ID.fullmatch(one)}
    public = {one for one in given if "\x00" not in one} - set(internal.values())
    rows = Workitem.objects.visible_to(actor).filter(Q(workitem_id__in=public) | Q(pk__in=internal))
    found = [Found(*row) for row in rows.values_list(*Found._fields)]
    return {internal.get(one.pk, one.workitem_id): one for one in found} | {
        one.workitem_id: one for one in found if one.workitem_id in public
    }


def public_ids(given: Iterable[str], actor: Actor) -> list[str]:
    """Return ids of either kind as public ones; those of what the actor may not see stay as they are."""
    ids = list(given)
    internal = {one for one in ids if INTERNAL_ID.fullmatch(one)}
    known: dict[str, str] = {}
    for chunk in services.chunks(internal, IDS_AT_ONCE):
        known |= {one: found.workitem_id for one, found in workitems(chunk, actor).items()}
    return [known.get(one, one) for one in ids]


def check_scope(action: Action, found: Found, actor: Actor) -> None:
    """Raise MissingScope before anybody else is named, so that a refusal does not tell who exists."""
    scope = MOVES[action].scope
    if not actor.can(scope, found):
        raise MissingScope(scope=scope.value)


def agent(given: str, actor: Actor, field: str = "agentUsername") -> User:
    """Return the person with this username or, failing that, this id, among those who can be given work.

    Everybody else answers as if he did not exist; the actor himself always does.
    """
    works = Exists(Queue.members.through.objects.filter(user=OuterRef("pk")))
    people = User.objects.filter(works | Q(pk=actor.user.pk if actor.user else None))
    found = people.filter(username=given).first() if "\x00" not in given else None
    if found is None and given.isascii() and given.isdigit() and len(given) < 19:
        found = people.filter(pk=int(given)).first()
    if found is None:
        raise invalid(field, _("There is no agent %s.") % given)
    return found


def target_queue(given: str, actor: Actor, field: str = "selectedQueue") -> Queue:
    """Return the queue with this id, where the actor can see it or send work into it."""
    found = Queue.objects.with_channels().filter(queue_id=given).first()
    if found is None or not (actor.can_transfer_into(found) or actor.can_in(Scope.READ, found)):
        raise invalid(field, _("There is no queue %s.") % given)
    return found


def readable_queue(given: str, actor: Actor, field: str = "selectedQueue") -> Queue:
    """Return the queue with this id, where the actor can see its work."""
    found = Queue.objects.filter(queue_id=given).first()
    if found is None or not actor.can_in(Scope.READ, found):
        raise invalid(field, _("There is no queue %s.") % given)
    return found


def contact(given: str, actor: Actor) -> Contact:
    """Return the contact with this id, or the one that it was merged into, where the actor can see him."""
    found = find_contact(given, actor)
    if found is None:
        raise invalid("contactId", _("There is no contact %s.") % given)
    return found


def disposition(given: str) -> Disposition:
    """Return the disposition with this id."""
    found = Disposition.objects.filter(disposition_id=given).first()
    if found is None:
        raise invalid("dispositionId", _("There is no disposition %s.") % given)
    return found
