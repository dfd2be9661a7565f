"""How often a password or a secret was tried."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class SignInGuard(models.Model):
    """The checks of the last minutes for one name or address; both are kept as checksums only."""

    key = models.CharField(_("key"), max_length=100, unique=True)
    checks = models.JSONField(_("checks"), default=list)  # moments, in seconds since 1970
    last_at = models.DateTimeField(_("last check"), null=True)

    class Meta:
        verbose_name = _("sign-in guard")
        verbose_name_plural = _("sign-in guards")
        indexes = [
            # what can be forgotten
            models.Index(fields=["last_at"], name="sign_in_guard_age"),
        ]

    def __str__(self) -> str:
        return self.key
