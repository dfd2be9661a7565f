"""Bulk transfers in the back office: the list, and each one's receipt."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy

from workitems import transfers
from workitems.actors import Actor
from workitems.admin.requested_runs import RequestedRunAdmin
from workitems.choices import Scope
from workitems.models import Transfer
from workitems.presenting.transfer_receipts import TransferReceipt, target_of
from workitems.staff import actor_of


@admin.register(Transfer)
class TransferAdmin(RequestedRunAdmin):
    """Bulk transfers: one's own, and everybody's with the admin scope everywhere."""

    kind = transfers.TRANSFERS
    receipt = TransferReceipt
    list_display = ["transfer_id", "state_word", "progress", "goes_to", "requested_by", "began"]
    list_filter = ["state"]
    search_fields = ["transfer_id"]
    search_help_text = gettext_lazy("The id of a transfer.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transfer]:
        """Show what the person may see."""
        return transfers.visible_to(actor_of(request))

    @admin.display(description=gettext_lazy("to"))
    def goes_to(self, transfer: Transfer) -> str:
        """Name where it goes."""
        return target_of(transfer)

    def may_open(self, actor: Actor) -> bool:
        """Open to everybody who may move workitems."""
        return actor.can_anywhere(Scope.WRITE)

    def undo(self, run: Transfer, actor: Actor) -> Transfer:
        """Send what it has moved back."""
        return transfers.undo(run, actor=actor, now=timezone.now())
