"""The beat: which periodic work was begun when."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class BeatSlot(models.Model):
    """A task and a time: whoever writes the row does the work, so two beats, or ten, do it once."""

    task = models.CharField(_("task"), max_length=100)
    slot_at = models.DateTimeField(_("slot"))
    claimed_at = models.DateTimeField(_("claimed"))

    class Meta:
        verbose_name = _("beat slot")
        verbose_name_plural = _("beat slots")
        constraints = [
            models.UniqueConstraint(fields=["task", "slot_at"], name="beat_slot_once"),
        ]
        indexes = [
            # the last beat, and what can be forgotten
            models.Index(fields=["claimed_at"], name="beat_slot_claimed"),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.slot_at:%Y-%m-%d %H:%M:%S}"
