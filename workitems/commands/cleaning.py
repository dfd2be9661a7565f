"""What stale policies do, and how a workitem is kept from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from workitems.actors import Actor
from workitems.choices import Action, EndedBy
from workitems.commands.base import Command, Details
from workitems.commands.ending import Reopen, SetDisposition
from workitems.commands.handling import ReturnToQueue
from workitems.errors import InvalidValue, IsExempt, NotStale, NotWarned, OtherPolicy, StaleVersion
from workitems.models import Workitem

LONGEST_EXEMPTION = timedelta(days=366)


@dataclass(frozen=True)
class Stale:
    """When a workitem is stale: nothing has happened `after` so long, in this state, where the policy holds.

    What has to be `warned` of first is stale once the warning says so.
    """

    after: timedelta
    state: str | None = None  # None: any
    # the channels of each queue, by its pk; those in no queue stand under None; no mapping at all: anywhere
    where: Mapping[int | None, frozenset[str]] | None = None
    warned: bool = False
    details: dict[str, Any] = field(default_factory=dict)  # for the event: which policy, which version, which run

    def check(self, workitem: Workitem, now: datetime) -> None:
        """Raise a WorkitemError unless the workitem is stale now."""
        if workitem.exempt_until is not None and workitem.exempt_until > now:
            raise IsExempt
        if workitem.active_at + self.after > now:
            raise NotStale
        if self.warned and (workitem.stale_at is None or workitem.stale_at > now):
            raise NotWarned
        fits = (
            self.state in (None, workitem.state)
            and (self.where is None or workitem.channel_type in self.where.get(workitem.queue_id, ()))
            and workitem.archived_at is None
        )
        if not fits:
            raise OtherPolicy


@dataclass(frozen=True)
class TerminateStale(Command):
    """End a workitem in which nothing has happened for too long."""

    stale: Stale
    action = Action.TERMINATE_STALE
    reads = (
        "workitem_id", "state", "current_state_name", "channel_type", "queue", "agent", "assigned_at",
        "offer_expires_at", "is_muted", "ended_by", "archived_at", "active_at", "stale_at", "exempt_until", "version",
    )  # fmt: skip

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require that it is stale."""
        self.stale.check(workitem, now)

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be over, in a way that can be taken back."""
        details = {"since": int(workitem.active_at.timestamp() * 1000), **self.stale.details}
        workitem.end(EndedBy.POLICY, at=now)
        return details


@dataclass(frozen=True)
class RequeueStale(ReturnToQueue):
    """Return to its queue what stands still with its agent."""

    stale: Stale = field(default_factory=lambda: Stale(timedelta.max))

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require that it is stale."""
        self.stale.check(workitem, now)

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be with nobody, in line."""
        since = int(workitem.active_at.timestamp() * 1000)
        return {**super().change(workitem, actor, now), "since": since, **self.stale.details}


@dataclass(frozen=True)
class DisposeStale(SetDisposition):
    """Set the disposition of what stands in wrap-up for too long."""

    stale: Stale = field(default_factory=lambda: Stale(timedelta.max))

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require that it is stale, and a disposition that applies."""
        self.stale.check(workitem, now)
        super().check(workitem, actor, now)

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be done."""
        since = int(workitem.active_at.timestamp() * 1000)
        return {**super().change(workitem, actor, now), "since": since, **self.stale.details}


@dataclass(frozen=True)
class WarnStale(Command):
    """Mark a workitem on which a policy will act soon; the mark goes with the next activity."""

    stale: Stale  # with the time after which to warn
    warning: timedelta
    action = Action.WARN_STALE
    is_activity = False

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require that nothing has happened for long enough, and no mark yet."""
        self.stale.check(workitem, now)
        if workitem.stale_at is not None:
            raise NotStale

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Bear the time from which the policy may act: the warning stands its time, however late it comes."""
        workitem.stale_at = now + self.warning
        return {"staleAt": int(workitem.stale_at.timestamp() * 1000), **self.stale.details}


@dataclass(frozen=True)
class Exempt(Command):
    """Keep stale policies off a workitem until a time; None lets them on it again."""

    until: datetime | None
    action = Action.EXEMPT
    is_activity = False

    def already(self, workitem: Workitem) -> bool:
        """As asked."""
        return workitem.exempt_until == self.until

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require a time to come, within a year."""
        if self.until is not None and not now < self.until <= now + LONGEST_EXEMPTION:
            raise InvalidValue(field="until", problem=_("This must be a time to come, within a year."))

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be exempt, and no longer marked."""
        workitem.exempt_until = self.until
        workitem.stale_at = None
        return {"until": int(self.until.timestamp() * 1000) if self.until else 0}


@dataclass(frozen=True)
class ReopenUntouched(Reopen):
    """Put back into its queue what a run of a policy ended and nobody has touched since."""

    versions: Mapping[str, int] = field(default_factory=dict)  # that the run left, by workitem id
    details: dict[str, Any] = field(default_factory=dict)  # for the event: which run

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require that it is as the run left it, and that its queue is still in use."""
        super().check(workitem, actor, now)
        left = self.versions.get(workitem.workitem_id)
        if workitem.version != left:
            raise StaleVersion(expected=left, current=workitem.version)

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be open once more."""
        return {**super().change(workitem, actor, now), **self.details}
