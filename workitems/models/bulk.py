"""One action on many workitems."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from ulid import ULID

from workitems.choices import Action, Door
from workitems.models.runs import Run, RunChunk, RunItem, unfinished_index


def new_bulk_id() -> str:
    """Make a public id that sorts by time."""
    return f"bk_{str(ULID()).lower()}"


class BulkRun(Run):
    """Work on many: one action, other than a transfer, that somebody asked to be taken on each of many workitems."""

    bulk_id = models.CharField(_("run id"), max_length=64, unique=True, default=new_bulk_id)
    action = models.CharField(_("action"), max_length=24, choices=[(one.value, one.value) for one in Action])
    arguments: models.JSONField[dict[str, Any]] = models.JSONField(_("with"), default=dict, blank=True)
    undoes = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by", verbose_name=_("undoes")
    )
    query = models.TextField(_("search"), blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("requested by")
    )
    door = models.CharField(_("by way of"), max_length=8, choices=Door.choices)

    class Meta:
        verbose_name = _("bulk run")
        verbose_name_plural = _("bulk runs")
        indexes = [
            # what the beat has to drive on
            unfinished_index("bulk_run_unfinished"),
            # one's own, newest first
            models.Index(fields=["requested_by", "-id"], name="bulk_run_of_person"),
        ]

    def __str__(self) -> str:
        return self.bulk_id

    @property
    def public_id(self) -> str:
        """The run's id."""
        return self.bulk_id

    def get_absolute_url(self) -> str:
        """Return the address of its receipt."""
        return reverse("admin:workitems_bulkrun_change", args=[self.pk])


class BulkItem(RunItem):
    """One workitem of a bulk run, and what became of it."""

    run = models.ForeignKey(
        BulkRun, on_delete=models.CASCADE, related_name="items", db_index=False, verbose_name=_("bulk run")
    )

    class Meta:
        verbose_name = _("bulk item")
        verbose_name_plural = _("bulk items")
        constraints = [
            models.UniqueConstraint(fields=["run", "workitem_id"], name="bulk_item_once"),
        ]
        indexes = [
            # the receipt in its order, and the items of a chunk
            models.Index(fields=["run", "id"], name="bulk_item_in_order"),
        ]


class BulkChunk(RunChunk):
    """Items of a bulk run that a worker has taken on."""

    run = models.ForeignKey(BulkRun, on_delete=models.CASCADE, related_name="chunks")
