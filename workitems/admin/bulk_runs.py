"""Work on many in the back office, transfers aside: the list, and each run's receipt."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy

from workitems import bulk
from workitems.actors import Actor
from workitems.admin.requested_runs import RequestedRunAdmin
from workitems.choices import Scope
from workitems.models import BulkRun
from workitems.presenting.bulk_receipts import BulkReceipt, title_of
from workitems.staff import actor_of


@admin.register(BulkRun)
class BulkRunAdmin(RequestedRunAdmin):
    """Work on many, transfers aside: one's own, and everybody's with the admin scope everywhere."""

    kind = bulk.BULK_RUNS
    receipt = BulkReceipt
    list_display = ["bulk_id", "what", "state_word", "progress", "requested_by", "began"]
    list_filter = ["state", "action"]
    search_fields = ["bulk_id"]
    search_help_text = gettext_lazy("The id of a run.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkRun]:
        """Show what the person may see."""
        return bulk.visible_to(actor_of(request))

    @admin.display(description=gettext_lazy("action"), ordering="action")
    def what(self, run: BulkRun) -> str:
        """Name what is done."""
        return title_of(run)

    def may_open(self, actor: Actor) -> bool:
        """Open to everybody who may change or archive workitems."""
        return actor.can_anywhere(Scope.WRITE) or actor.can_anywhere(Scope.DELETE)

    def undo(self, run: BulkRun, actor: Actor) -> BulkRun:
        """Take back what it has done."""
        return bulk.undo(run, actor=actor, now=timezone.now())
