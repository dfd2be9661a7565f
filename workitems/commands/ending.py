"""How interactions end, and begin again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from django.utils.translation import gettext as _

from workitems.actors import Actor
from workitems.choices import WAITING, Action, EndedBy, Event
from workitems.commands.base import Command, Details
from workitems.commands.targets import check_in_use
from workitems.errors import (
    DispositionDoesNotApply,
    InvalidValue,
)
from workitems.lifecycle import LIVE
from workitems.models import Disposition, Workitem


@dataclass(frozen=True)
class HangUp(Command):
    """End the interaction; a customer who does so before an agent has accepted abandons it."""

    by: EndedBy = EndedBy.AGENT
    action = Action.HANGUP

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Leave the policies to a command of their own."""
        if self.by not in (EndedBy.AGENT, EndedBy.CUSTOMER, EndedBy.SYSTEM):
            raise InvalidValue(field="reason", problem=_("The reason is agent, customer or system."))

    def event(self, workitem: Workitem) -> str:
        """Tell an abandoned call or chat from a finished one; nobody can abandon an e-mail or SMS."""
        gave_up = self.by is EndedBy.CUSTOMER and workitem.state in WAITING and workitem.channel_type in LIVE
        return Event.ABANDONED if gave_up else Event.TERMINATED

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be over."""
        workitem.end(self.by, at=now)
        return {"reason": self.by.value}


@dataclass(frozen=True)
class Reopen(Command):
    """Put a workitem that a policy ended back into its queue, at its old place."""

    action = Action.REOPEN

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require that its queue is still in use."""
        check_in_use(workitem.queue)

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be open once more."""
        workitem.begin_again()
        workitem.queued_at = workitem.queued_at or now
        return {}


@dataclass(frozen=True)
class SetDisposition(Command):
    """Say how the interaction came out."""

    disposition: Disposition
    note: str = ""
    action = Action.DISPOSITION

    def fresh(self) -> Self:
        """Read the disposition anew."""
        return replace(self, disposition=Disposition.objects.get(pk=self.disposition.pk))

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require a disposition in use and meant for this type."""
        if not self.disposition.applies_to(workitem.type):
            raise DispositionDoesNotApply(disposition=self.disposition.name)

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be done."""
        workitem.disposition = self.disposition
        workitem.disposition_note = self.note
        workitem.dispositioned_at = now
        return {"dispositionId": self.disposition.disposition_id}
