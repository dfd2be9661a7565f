"""Who is there to take work, and how much of it at a time."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from queues.channels import Channel

MOST_AT_ONCE = 100
USUAL_CAPACITY = {
    Channel.VOICE: 1,
    Channel.VIDEO_MEETING: 1,
    Channel.CHAT: 3,
    Channel.SMS: 3,
    Channel.EMAIL: 5,
}


def usual_capacity() -> dict[str, int]:
    """Return how many workitems of each channel an agent has in hand at most, unless told otherwise."""
    return {channel.value: most for channel, most in USUAL_CAPACITY.items()}


class Presence(models.Model):
    """An agent's presence and capacity; whoever gives an agent work locks this row first."""

    class Status(models.TextChoices):
        """Whether somebody takes work."""

        AVAILABLE = "available", _("Available")
        AWAY = "away", _("Away")
        NO_ANSWER = "noAnswer", _("No answer")
        OFFLINE = "offline", _("Offline")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="presence", verbose_name=_("agent")
    )
    status = models.CharField(_("presence"), max_length=9, choices=Status.choices, default=Status.OFFLINE)
    since = models.DateTimeField(_("since"))
    capacity = models.JSONField(
        _("capacity"),
        default=usual_capacity,
        help_text=_('How many workitems at a time, by channel, for example {"voice": 1, "chat": 3}; others: none.'),
    )

    class Meta:
        verbose_name = _("presence")
        verbose_name_plural = _("presences")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["available", "away", "noAnswer", "offline"]), name="presence_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_status_display()}"

    def clean(self) -> None:
        """Allow known channels with sensible numbers."""
        if not isinstance(self.capacity, dict) or any(
            channel not in Channel.values or type(most) is not int or not 0 <= most <= MOST_AT_ONCE
            for channel, most in self.capacity.items()
        ):
            raise ValidationError({"capacity": _('Channels with whole numbers from 0 to 100: {"voice": 1}.')})

    def room_for(self, channel: str) -> int:
        """Return how many workitems of a channel the agent has in hand at most."""
        return int(self.capacity.get(channel, 0))
