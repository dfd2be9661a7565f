"""How somebody works at the supervisor's desk, and who looks at what there."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from workitems.models.workitem import Workitem

REFRESH_SECONDS = (3, 5, 10, 30, 60)


class DeskSettings(models.Model):
    """What somebody has chosen for the pages of the desk; who has chosen nothing has no row."""

    class Density(models.TextChoices):
        """How much room a row takes."""

        COMFORTABLE = "comfortable", _("Comfortable")
        COMPACT = "compact", _("Compact")

    class Theme(models.TextChoices):
        """Which colours."""

        SYSTEM = "system", _("As the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="desk_settings", verbose_name=_("user")
    )
    refresh_seconds = models.PositiveSmallIntegerField(
        _("refresh every"), choices=[(one, one) for one in REFRESH_SECONDS], default=REFRESH_SECONDS[0]
    )
    has_single_keys = models.BooleanField(_("single keys"), default=True)
    density = models.CharField(_("density"), max_length=11, choices=Density.choices, default=Density.COMFORTABLE)
    theme = models.CharField(_("colours"), max_length=6, choices=Theme.choices, default=Theme.SYSTEM)

    class Meta:
        verbose_name = _("desk settings")
        verbose_name_plural = _("desk settings")
        constraints = [
            # a range: where a check has a list of numbers, Django cannot read the table's columns on SQLite
            models.CheckConstraint(
                condition=Q(refresh_seconds__range=(REFRESH_SECONDS[0], REFRESH_SECONDS[-1])),
                name="desk_settings_refresh_seconds",
            ),
        ]

    def __str__(self) -> str:
        return str(self.user)


class Onlooker(models.Model):
    """Somebody who has a workitem's page open, as of the last time that his browser said so."""

    workitem = models.ForeignKey(Workitem, on_delete=models.CASCADE, related_name="onlookers")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(_("since"))
    seen_at = models.DateTimeField(_("last seen"), db_index=True)

    class Meta:
        verbose_name = _("onlooker")
        verbose_name_plural = _("onlookers")
        constraints = [
            models.UniqueConstraint(fields=["workitem", "user"], name="onlooker_once"),
        ]

    def __str__(self) -> str:
        return str(self.user)
