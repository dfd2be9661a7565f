"""Work on many, as rows."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from ulid import ULID

from queues.models import Queue
from workitems.choices import Door


def new_transfer_id() -> str:
    """Make a public id that sorts by time."""
    return f"tr_{str(ULID()).lower()}"


class Transfer(models.Model):
    """Work on many: what somebody asked to be moved to a queue, worked off chunk by chunk."""

    class Progress(models.TextChoices):
        """How far it has got."""

        PENDING = "pending", _("Pending")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")

    transfer_id = models.CharField(_("transfer id"), max_length=64, unique=True, default=new_transfer_id)
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+", verbose_name=_("to queue"))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("requested by")
    )
    door = models.CharField(_("by way of"), max_length=8, choices=Door.choices)
    progress = models.CharField(_("progress"), max_length=8, choices=Progress.choices, default=Progress.PENDING)
    created_at = models.DateTimeField(_("requested"))
    moved_at = models.DateTimeField(_("last progress"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        indexes = [
            # what the beat has to drive on
            models.Index(fields=["moved_at"], name="transfer_unfinished", condition=~Q(progress="done")),
        ]

    def __str__(self) -> str:
        return self.transfer_id


class TransferItem(models.Model):
    """One workitem of a transfer, and what became of it."""

    class Outcome(models.TextChoices):
        """What became of it."""

        PENDING = "pending", _("Pending")
        DONE = "done", _("Moved")
        REFUSED = "refused", _("Refused")

    transfer = models.ForeignKey(
        Transfer, on_delete=models.CASCADE, related_name="items", db_index=False, verbose_name=_("transfer")
    )
    workitem_id = models.CharField(_("workitem id"), max_length=64)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices, default=Outcome.PENDING)
    code = models.CharField(_("reason"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("transfer item")
        verbose_name_plural = _("transfer items")
        constraints = [
            models.UniqueConstraint(fields=["transfer", "workitem_id"], name="transfer_item_once"),
        ]
        indexes = [
            # the next chunk of a transfer
            models.Index(fields=["transfer", "outcome", "id"], name="transfer_item_next"),
        ]

    def __str__(self) -> str:
        return f"{self.workitem_id}: {self.outcome}"
