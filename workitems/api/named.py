"""What requests name by public id: found within what the caller may see, or refused as if it did not exist."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils.translation import gettext as _

from contacts.models import Contact
from queues.models import Queue
from workitems.actors import Actor
from workitems.api.errors import invalid
from workitems.choices import Scope
from workitems.commands import INTERNAL_ID
from workitems.directory import visible_contacts
from workitems.errors import UnknownWorkitem
from workitems.models import Disposition, Workitem


def workitem(given: str, actor: Actor) -> tuple[int, str, int]:
    """Return pk, public id and version for an id of either kind, as if it did not exist where it may not be seen."""
    wanted = Q(pk=min(int(given, 16), 2**63 - 1)) if INTERNAL_ID.fullmatch(given) else Q(workitem_id=given)
    rows = Workitem.objects.visible_to(actor).filter(wanted)
    found: tuple[int, str, int] | None = rows.values_list("pk", "workitem_id", "version").first()
    if found is None:
        raise UnknownWorkitem(workitem_id=given)
    return found


def agent(given: str, field: str = "agentUsername") -> User:
    """Return the user with this username or, failing that, this id."""
    found = User.objects.filter(username=given).first()
    if found is None and given.isascii() and given.isdigit() and len(given) < 19:
        found = User.objects.filter(pk=int(given)).first()
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
    """Return the contact with this id, where the actor can see him."""
    found = visible_contacts(actor).filter(contact_id=given).first()
    if found is None:
        raise invalid("contactId", _("There is no contact %s.") % given)
    return found


def disposition(given: str) -> Disposition:
    """Return the disposition with this id."""
    found = Disposition.objects.filter(disposition_id=given).first()
    if found is None:
        raise invalid("dispositionId", _("There is no disposition %s.") % given)
    return found
