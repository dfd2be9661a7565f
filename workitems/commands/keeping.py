"""The archive, and the way out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workitems.actors import Actor
from workitems.choices import Action
from workitems.commands.base import Command, Details
from workitems.models import Workitem


@dataclass(frozen=True)
class Archive(Command):
    """Take the workitem out of the ordinary lists."""

    action = Action.ARCHIVE
    is_activity = False

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Lie in the archive."""
        workitem.archived_at = now
        return {}


@dataclass(frozen=True)
class Unarchive(Command):
    """Bring the workitem back into the ordinary lists."""

    action = Action.UNARCHIVE
    is_activity = False

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Lie in the archive no more."""
        workitem.archived_at = None
        return {}


@dataclass(frozen=True)
class Purge(Command):
    """Delete an archived workitem with its history, for good."""

    action = Action.PURGE
