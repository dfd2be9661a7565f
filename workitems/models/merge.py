"""Two contacts that were one person."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from ulid import ULID

from contacts.models import Contact
from workitems.models.bulk import BulkRun


def new_merge_id() -> str:
    """Make a public id that sorts by time."""
    return f"mg_{str(ULID()).lower()}"


class ContactMerge(models.Model):
    """A contact that went up in another one; `facts` holds what an undo has to know.

    The workitems follow by `run`, and go back by `undo_run`.
    """

    merge_id = models.CharField(_("merge id"), max_length=64, unique=True, default=new_merge_id)
    kept = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="merges", verbose_name=_("kept"))
    gone = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="merged_by", verbose_name=_("merged"))
    facts: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)
    made_at = models.DateTimeField(_("merged at"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("merged by")
    )
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("undone by"),
    )
    run = models.ForeignKey(BulkRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    undo_run = models.ForeignKey(BulkRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.merge_id
