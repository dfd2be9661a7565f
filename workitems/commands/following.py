"""What becomes of the workitems of a contact that was merged into another one, or whose personal data was erased."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from contacts.models import Contact
from workitems.actors import Actor
from workitems.choices import Action, Type
from workitems.commands.base import Command, Details
from workitems.errors import InvalidValue
from workitems.models import Workitem


@dataclass(frozen=True)
class FollowContact(Command):
    """Belong to another contact than before, where it still belongs to that one."""

    former: Contact
    contact: Contact
    merge_id: str = ""
    action = Action.EDIT
    is_activity = False

    def already(self, workitem: Workitem) -> bool:
        """With the other one already."""
        return workitem.contact_id == self.contact.pk

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Leave what somebody has given to a third contact meanwhile."""
        if not self.already(workitem) and workitem.contact_id != self.former.pk:
            raise InvalidValue(field="contactId", problem=_("It is with another contact by now."))

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Take the other contact; the event says which merge it was."""
        workitem.contact = self.contact
        old_and_new = {"old": self.former.contact_id, "new": self.contact.contact_id}
        return {"contact": old_and_new, "mergeId": self.merge_id}


@dataclass(frozen=True)
class ErasePerson(Command):
    """Lose what tells of the person: the customer's address, the subject, the data and the note of the disposition.

    What is with no contact, but came from one of the addresses, is given to the contact that nobody is any more.
    """

    contact: Contact
    addresses: frozenset[str] = field(default_factory=frozenset)
    action = Action.EDIT
    is_activity = False

    def already(self, workitem: Workitem) -> bool:
        """Nothing is left that tells of the person."""
        return not self._blanks(workitem) and workitem.contact_id is not None

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Empty the fields; the event names them and tells no values."""
        blanks = self._blanks(workitem)
        for name, blank in blanks.items():
            setattr(workitem, name, blank)
        if workitem.contact_id is None:
            workitem.contact = self.contact
        return {"erased": sorted(WIRE_NAMES[name] for name in blanks)}

    def _blanks(self, workitem: Workitem) -> dict[str, Any]:
        blanks: dict[str, Any] = {"name": "", "data": {}, "disposition_note": ""}
        blanks["to_address" if Type(workitem.type).is_outbound else "from_address"] = ""
        for name in ("from_address", "to_address"):
            if getattr(workitem, name) in self.addresses:
                blanks[name] = ""
        return {name: blank for name, blank in blanks.items() if getattr(workitem, name) != blank}


WIRE_NAMES = {
    "name": "name",
    "data": "data",
    "disposition_note": "dispositionNote",
    "from_address": "from",
    "to_address": "to",
}
