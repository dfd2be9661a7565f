"""Answers kept for a caller who did not hear them and asks again."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class KeptAnswer(models.Model):
    """The answer to a request that bore an Idempotency-Key, written in the same transaction as its effect."""

    principal = models.CharField(_("who asked"), max_length=200)
    key = models.CharField(_("key"), max_length=255)
    fingerprint = models.CharField(_("what was asked"), max_length=64)
    rights = models.CharField(_("what the caller could do"), max_length=64)
    status = models.PositiveSmallIntegerField(_("status"))
    headers = models.JSONField(_("headers"), default=dict)
    body = models.BinaryField(_("body"))
    created_at = models.DateTimeField(_("answered"))

    class Meta:
        verbose_name = _("kept answer")
        verbose_name_plural = _("kept answers")
        constraints = [models.UniqueConstraint(fields=["principal", "key"], name="kept_answer_once")]
        indexes = [
            # what is old enough to be forgotten
            models.Index(fields=["created_at"], name="kept_answer_age"),
        ]

    def __str__(self) -> str:
        return f"{self.principal} {self.key}"
