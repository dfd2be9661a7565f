"""The questions asked about workitems; those that people ask know who is asking."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q

from workitems.actors import Actor
from workitems.choices import OPEN, Scope, State

if TYPE_CHECKING:
    from workitems.models import Workitem  # noqa: F401  the class below names it


def held_on(scope: Scope, actor: Actor) -> Q | None:
    """Return which workitems those are on which this actor holds a scope, or None for all."""
    if scope in actor.everywhere:
        return None
    held = Q(queue_id__in=actor.queues_with(scope))
    if actor.user is not None and scope in actor.own_items:
        held |= Q(agent_id=actor.user.pk)
    return held


class WorkitemQuerySet(models.QuerySet["Workitem"]):
    """Workitems."""

    def visible_to(self, actor: Actor) -> WorkitemQuerySet:
        """Keep what this actor may read; every list, count, page, export and job goes through here."""
        visible = held_on(Scope.READ, actor)
        return self if visible is None else self.filter(visible)

    def writable_by(self, actor: Actor) -> WorkitemQuerySet:
        """Keep what this actor may change."""
        writable = held_on(Scope.WRITE, actor)
        return self if writable is None else self.filter(writable)

    def open(self) -> WorkitemQuerySet:
        """Keep what has not ended."""
        return self.filter(state__in=OPEN)

    def current_for(self, actor: Actor) -> WorkitemQuerySet:
        """Keep what this person has in hand as an agent: open, or ended and still to be dispositioned."""
        return self.filter(agent=actor.user, agent__isnull=False, state__in=[*OPEN, State.TERMINATED], archived_at=None)

    def stuck(self) -> WorkitemQuerySet:
        """Keep what agents have accepted who are offline, or not active any more."""
        gone = User.objects.filter(Q(presence__status="offline") | Q(is_active=False))
        return self.handled().filter(agent__in=gone)

    def waiting(self) -> WorkitemQuerySet:
        """Keep what waits for an agent; that it lies in no archive is said for the index."""
        return self.filter(state=State.INQUEUE, archived_at=None)

    def handled(self) -> WorkitemQuerySet:
        """Keep what agents have accepted and not ended, in the words of the index of what they have in hand."""
        return self.filter(agent__isnull=False, terminated_at=None).exclude(state=State.OFFERED)

    def unarchived(self) -> WorkitemQuerySet:
        """Leave out what lies in the archive."""
        return self.filter(archived_at=None)

    def overdue_offers(self, now: datetime) -> WorkitemQuerySet:
        """Keep the offers that were not answered in time."""
        return self.filter(state=State.OFFERED, offer_expires_at__lte=now)

    def in_line(self) -> WorkitemQuerySet:
        """Order as work is handed out: highest priority first, then longest in the queue."""
        return self.order_by("-priority", "queued_at", "pk")
