"""What takes an action on many back: the opposite, on what nobody has touched since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from contacts.models import Contact
from workitems.actors import Actor
from workitems.choices import Action
from workitems.commands.base import Command, Details
from workitems.commands.keeping import Archive, Unarchive
from workitems.commands.talking import Hold, Unhold
from workitems.commands.values import EDITABLE
from workitems.errors import InvalidValue, TouchedSince
from workitems.models import TimeEvent, Workitem

Changes = dict[str, dict[str, Any]]  # old and new by wire name


@dataclass(frozen=True)
class Untouched(Command):
    """Requires that a workitem is at the version at which it was left; `versions` goes by workitem id."""

    versions: Mapping[str, int] = field(default_factory=dict)

    def already(self, workitem: Workitem) -> bool:
        """Never: what somebody else has made so is his change, and no undo."""
        return False

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require that nobody has touched it since."""
        if workitem.version != self.versions.get(workitem.workitem_id):
            raise TouchedSince


@dataclass(frozen=True)
class UndoHold(Untouched, Unhold):
    """Go on talking with a customer whom a run has put on hold."""


@dataclass(frozen=True)
class UndoUnhold(Untouched, Hold):
    """Put a customer back on hold with whom a run has let the talk go on."""


@dataclass(frozen=True)
class UndoArchive(Untouched, Unarchive):
    """Bring back from the archive what a run has put there."""


@dataclass(frozen=True)
class UndoUnarchive(Untouched, Archive):
    """Put back into the archive what a run has brought from there."""


@dataclass(frozen=True)
class UndoPriority(Untouched):
    """Make the workitem as urgent as it was before a run."""

    changes: Mapping[int, Changes] = field(default_factory=dict, kw_only=True)  # by the workitem's pk
    action = Action.PRIORITY
    is_activity = False

    def knowing(self, workitems: Sequence[Workitem]) -> Self:
        """Look up how urgent they were."""
        return replace(self, changes=_told(self.versions, workitems))

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require that history tells how urgent it was."""
        super().check(workitem, actor, now)
        if "old" not in self.changes.get(workitem.pk, {}):
            raise TouchedSince

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be as urgent as before."""
        details = {"old": workitem.priority, "new": self.changes[workitem.pk]["old"]}
        workitem.priority = details["new"]  # type: ignore[assignment]
        return details


@dataclass(frozen=True)
class UndoEdit(Command):
    """Give fields the values that they had before a run, where they still have those that it gave them.

    What else has happened to the workitem since does not matter.
    """

    versions: Mapping[str, int] = field(default_factory=dict)
    changes: Mapping[int, Changes] = field(default_factory=dict, kw_only=True)  # by the workitem's pk
    contacts: Mapping[str, Contact] = field(default_factory=dict, kw_only=True)  # by public id
    action = Action.EDIT
    is_activity = False

    def knowing(self, workitems: Sequence[Workitem]) -> Self:
        """Look up what they said."""
        prefetch_related_objects(list(workitems), "contact")
        changes = _told(self.versions, workitems)
        ids = {one["contact"]["old"] for one in changes.values() if "contact" in one} - {None}
        return replace(self, changes=changes, contacts=Contact.objects.in_bulk(ids, field_name="contact_id"))

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require the values that the run gave."""
        changes = self.changes.get(workitem.pk, {})
        told_otherwise = changes.keys() - EDITABLE.keys()  # a merge or an erasure: not for this undo
        if not changes or told_otherwise or any(_plain(workitem, name) != one["new"] for name, one in changes.items()):
            raise TouchedSince
        old = changes.get("contact", {}).get("old")
        if old is not None and old not in self.contacts:
            raise InvalidValue(field="contactId", problem=_("There is no such contact."))

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Say what they said before."""
        changes = self.changes[workitem.pk]
        for name, one in changes.items():
            old = one["old"]
            setattr(workitem, EDITABLE[name], self.contacts.get(old) if name == "contact" else old)
        return {name: {"old": one["new"], "new": one["old"]} for name, one in changes.items()}


def _told(versions: Mapping[str, int], workitems: Sequence[Workitem]) -> dict[int, Changes]:
    """Return what the events at these versions tell of each workitem."""
    wanted = {one.pk: versions[one.workitem_id] for one in workitems if one.workitem_id in versions}
    events = TimeEvent.objects.filter(workitem__in=list(wanted), version__in=set(wanted.values()))
    return {
        pk: details
        for pk, version, details in events.values_list("workitem_id", "version", "details")
        if wanted[pk] == version
    }


def _plain(workitem: Workitem, name: str) -> Any:
    value = getattr(workitem, EDITABLE[name])
    return value.contact_id if isinstance(value, Contact) else value
