"""Exports that are too large for a request."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from ulid import ULID


def new_export_id() -> str:
    """Make a public id that sorts by time."""
    return f"ex_{str(ULID()).lower()}"


class Export(models.Model):
    """A list that somebody wants as a file: what was asked for, and how far it has got.

    The file is kept in parts beside it, so that any web process can hand out what any worker has written.
    """

    class State(models.TextChoices):
        """How far it has got."""

        PENDING = "pending", _("Pending")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    class Format(models.TextChoices):
        """The kinds of files."""

        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"
        JSON = "json", "JSON"

    export_id = models.CharField(_("export id"), max_length=64, unique=True, default=new_export_id)
    list_name = models.CharField(_("list"), max_length=60)
    format = models.CharField(_("format"), max_length=4, choices=Format.choices)
    query = models.TextField(_("search"), blank=True)
    columns = models.JSONField(_("columns"), default=list, blank=True)
    selected = models.JSONField(_("selected"), null=True, blank=True)  # primary keys; null: all that match
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("requested by")
    )
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.PENDING)
    created_at = models.DateTimeField(_("requested"))
    moved_at = models.DateTimeField(_("last progress"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-pk"]
        indexes = [
            # what the beat has to drive on
            models.Index(fields=["moved_at"], name="export_unfinished", condition=Q(state__in=["pending", "running"])),
        ]

    def __str__(self) -> str:
        return self.export_id


class ExportPart(models.Model):
    """A piece of an export's file."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["export", "number"], name="export_part_once"),
        ]

    def __str__(self) -> str:
        return str(self.number)
