"""Bulk transfers."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from ulid import ULID

from queues.models import Queue
from workitems.choices import Door, Priority
from workitems.models.runs import Run, RunChunk, RunItem, unfinished_index


def new_transfer_id() -> str:
    """Make a public id that sorts by time."""
    return f"tr_{str(ULID()).lower()}"


class Transfer(Run):
    """Work on many: what somebody asked to be moved, to a queue, to an agent, or back to where it was."""

    transfer_id = models.CharField(_("transfer id"), max_length=64, unique=True, default=new_transfer_id)
    queue = models.ForeignKey(
        Queue, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("to queue")
    )
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("to agent"),
    )
    undoes = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by", verbose_name=_("undoes")
    )
    query = models.TextField(_("search"), blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority.choices, null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("requested by")
    )
    door = models.CharField(_("by way of"), max_length=8, choices=Door.choices)
    token = models.CharField(_("token"), max_length=150, blank=True)
    token_scopes = models.JSONField(_("scopes of the token"), null=True, blank=True)  # null: no token narrows it

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        indexes = [
            # what the beat has to drive on
            unfinished_index("transfer_unfinished"),
            # one's own, newest first
            models.Index(fields=["requested_by", "-id"], name="transfer_of_person"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(queue__isnull=False, agent__isnull=True, undoes__isnull=True)
                | Q(queue__isnull=True, agent__isnull=False, undoes__isnull=True)
                | Q(queue__isnull=True, agent__isnull=True, undoes__isnull=False),
                name="transfer_has_one_target",
            ),
        ]

    def __str__(self) -> str:
        return self.transfer_id

    @property
    def public_id(self) -> str:
        """The transfer's id."""
        return self.transfer_id

    @property
    def target(self) -> str:
        """Where it goes, in a word."""
        if self.queue is not None:
            return self.queue.name
        return self.agent.get_username() if self.agent is not None else str(_("back"))

    def get_absolute_url(self) -> str:
        """Return the address of its receipt."""
        return reverse("admin:workitems_transfer_change", args=[self.pk])


class TransferItem(RunItem):
    """One workitem of a transfer, and what became of it."""

    run = models.ForeignKey(
        Transfer, on_delete=models.CASCADE, related_name="items", db_index=False, verbose_name=_("transfer")
    )
    seen_version = models.PositiveIntegerField(_("version when chosen"), null=True, blank=True)

    class Meta:
        verbose_name = _("transfer item")
        verbose_name_plural = _("transfer items")
        constraints = [
            models.UniqueConstraint(fields=["run", "workitem_id"], name="transfer_item_once"),
        ]
        indexes = [
            # the receipt in its order, and the items of a chunk
            models.Index(fields=["run", "id"], name="transfer_item_in_order"),
        ]


class TransferChunk(RunChunk):
    """Items of a transfer that a worker has taken on."""

    run = models.ForeignKey(Transfer, on_delete=models.CASCADE, related_name="chunks")
