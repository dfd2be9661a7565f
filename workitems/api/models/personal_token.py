"""Tokens that people make for their own scripts."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class PersonalTokenQuerySet(models.QuerySet["PersonalToken"]):
    """Tokens, by what they are still good for."""

    def live(self, now: datetime) -> PersonalTokenQuerySet:
        """Return those that open the door at this moment."""
        return self.filter(revoked_at=None, expires_at__gt=now)

    def revoke(self, now: datetime) -> int:
        """Revoke those that are not revoked yet, and return how many."""
        return self.filter(revoked_at=None).update(revoked_at=now)


class PersonalToken(models.Model):
    """A named token with its own scopes and its own end; the secret itself is nowhere."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("person")
    )
    name = models.CharField(_("name"), max_length=100)
    checksum = models.CharField(_("checksum"), max_length=64, unique=True, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    created_at = models.DateTimeField(_("made"))
    expires_at = models.DateTimeField(_("expires"))
    last_used_at = models.DateTimeField(_("last used"), null=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True)

    objects: ClassVar = PersonalTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("personal token")
        verbose_name_plural = _("personal tokens")
        constraints = [
            # a name is free again once its token is revoked
            models.UniqueConstraint(
                fields=["user", "name"], condition=models.Q(revoked_at=None), name="personal_token_name_once"
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="personal_token_ends_after_it_began"
            ),
        ]

    def __str__(self) -> str:
        return self.name
