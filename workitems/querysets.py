"""The questions asked about workitems; those that people ask know who is asking."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from workitems.actors import Actor
from workitems.choices import OPEN, Scope, State

if TYPE_CHECKING:
    from workitems.models import Workitem  # noqa: F401  the class below names it


class WorkitemQuerySet(models.QuerySet["Workitem"]):
    """Workitems."""

    def visible_to(self, actor: Actor) -> WorkitemQuerySet:
        """Keep what this actor may read; every list, count, page, export and job goes through here."""
        if Scope.READ in actor.everywhere:
            return self
        visible = Q(queue_id__in=actor.queues_with(Scope.READ))
        if actor.user is not None and Scope.READ in actor.own_items:
            visible |= Q(agent_id=actor.user.pk)
        return self.filter(visible)

    def open(self) -> WorkitemQuerySet:
        """Keep what has not ended."""
        return self.filter(state__in=OPEN)

    def current_for(self, actor: Actor) -> WorkitemQuerySet:
        """Keep what this person has in hand as an agent: open, or ended and still to be dispositioned."""
        return self.filter(agent=actor.user, agent__isnull=False, state__in=[*OPEN, State.TERMINATED], archived_at=None)

    def unarchived(self) -> WorkitemQuerySet:
        """Leave out what lies in the archive."""
        return self.filter(archived_at=None)

    def overdue_offers(self, now: datetime) -> WorkitemQuerySet:
        """Keep the offers that were not answered in time."""
        return self.filter(state=State.OFFERED, offer_expires_at__lte=now)

    def waiting_since_before(self, limit: datetime) -> WorkitemQuerySet:
        """Keep what has stood in its queue, unoffered and without any activity, since before this moment."""
        return self.filter(state=State.INQUEUE, state_changed_at__lt=limit, modified_at__lt=limit)

    def in_line(self) -> WorkitemQuerySet:
        """Order as work is handed out: highest priority first, then longest in the queue."""
        return self.order_by("-priority", "queued_at", "pk")

    def with_card(self) -> WorkitemQuerySet:
        """Load along what one line or one JSON object shows of its neighbours."""
        return self.select_related("agent", "queue", "disposition", "contact").prefetch_related(
            "contact__phones", "contact__emails"
        )
