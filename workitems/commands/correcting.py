"""Corrections and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from contacts.models import Contact
from workitems.actors import Actor
from workitems.choices import Action, Event
from workitems.commands.base import Command, Details
from workitems.commands.values import EDITABLE, address_on, check_field, check_object, check_priority
from workitems.errors import (
    InvalidValue,
)
from workitems.models import Workitem


@dataclass(frozen=True)
class SetPriority(Command):
    """Make the workitem more or less urgent."""

    priority: int
    action = Action.PRIORITY
    is_activity = False

    def already(self, workitem: Workitem) -> bool:
        """As urgent as asked."""
        return workitem.priority == self.priority

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Allow 1 to 5."""
        check_priority(self.priority)

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be as urgent as asked."""
        details = {"old": workitem.priority, "new": self.priority}
        workitem.priority = self.priority
        return details


@dataclass(frozen=True)
class Edit(Command):
    """Correct descriptive facts, given by wire name: name, contact, data, currentStateName, from, to."""

    changes: dict[str, Any]
    action = Action.EDIT
    is_activity = False

    def knowing(self, workitems: Sequence[Workitem]) -> Self:
        """Load the contacts of many at once."""
        if "contact" in self.changes:
            prefetch_related_objects(list(workitems), "contact")
        return self

    def already(self, workitem: Workitem) -> bool:
        """All as asked."""
        return not self._differences(workitem)

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Allow the six fields only, each with a value of its kind."""
        for name, value in self.changes.items():
            if name not in EDITABLE:
                raise InvalidValue(field=name, problem=_("This field cannot be edited."))
            check_field(name, value)

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Take the new values; the event keeps old and new of each."""
        differences = self._differences(workitem)
        details = {name: {"old": _plain(old), "new": _plain(new)} for name, (old, new) in differences.items()}
        for name, (_old, new) in differences.items():
            setattr(workitem, EDITABLE[name], new)
        return details

    def _differences(self, workitem: Workitem) -> dict[str, tuple[Any, Any]]:
        found = {}
        for name, value in self.changes.items():
            new = address_on(workitem.channel_type, value) if name in ("from", "to") else value
            old = getattr(workitem, EDITABLE[name])
            if old != new:
                found[name] = (old, new)
        return found


@dataclass(frozen=True)
class AddNote(Command):
    """Write a line of one's own into the timeline."""

    text: str = ""
    name: str = Event.NOTED.value
    details: dict[str, Any] = field(default_factory=dict)
    action = Action.NOTE

    def event(self, workitem: Workitem) -> str:
        """Return the name that the integration chose."""
        return self.name

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require a name that is not one of the system's, and little text."""
        if not 1 <= len(self.name) <= 64:
            raise InvalidValue(field="type", problem=_("The event's name has 1 to 64 characters."))
        if self.name in Event.values and self.name != Event.NOTED:
            raise InvalidValue(field="type", problem=_("“%s” is an event of the system.") % self.name)
        if self.name == Event.NOTED and not self.text.strip():
            raise InvalidValue(field="text", problem=_("The note is empty."))
        check_object("details", {"text": self.text, **self.details})

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Keep the text and what came with it."""
        return {**self.details, "text": self.text} if self.text else dict(self.details)


def _plain(value: Any) -> Any:
    return value.contact_id if isinstance(value, Contact) else value
