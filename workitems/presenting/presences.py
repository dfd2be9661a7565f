"""How presence and capacity are told and asked for, in the back office and at the desk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from queues.channels import Channel
from workitems.models import Presence
from workitems.models.presence import MOST_AT_ONCE, usual_capacity
from workitems.presenting.icons import CHANNEL_ICONS

Status = Presence.Status

# the fields in which a capacity is typed
CAPACITIES = {
    "capacity_voice": Channel.VOICE,
    "capacity_video_meeting": Channel.VIDEO_MEETING,
    "capacity_chat": Channel.CHAT,
    "capacity_sms": Channel.SMS,
    "capacity_email": Channel.EMAIL,
}
WHAT_IT_MEANS = {
    Status.AVAILABLE: _("Work may be offered to you."),
    Status.AWAY: _("You get nothing until you are available."),
    Status.NO_ANSWER: _("You did not answer an offer: you get nothing until you are available again."),
    Status.OFFLINE: _("You get nothing. What you have accepted shows as stuck until you are back."),
}
WITHOUT_ONE = _("You get nothing until you are available.")


class Room(NamedTuple):
    """What somebody has in hand on a channel, and how much he can take."""

    channel: Channel
    held: int
    most: int

    @property
    def icon(self) -> str:
        """The icon of the channel."""
        return CHANNEL_ICONS[self.channel]

    @property
    def words(self) -> str:
        """The same in words."""
        facts = {"channel": self.channel.label, "held": self.held, "most": self.most}
        return gettext("%(channel)s: %(held)d of %(most)d") % facts

    @property
    def is_full(self) -> bool:
        """Tell whether he gets no more of it."""
        return self.held >= self.most


def room_field(channel: Channel, widget: forms.Widget | None = None) -> forms.IntegerField:
    """Return the field in which the capacity on a channel is typed."""
    bounds = {"min": 0, "max": MOST_AT_ONCE}
    return forms.IntegerField(
        label=channel.label,
        required=False,
        min_value=0,
        max_value=MOST_AT_ONCE,
        widget=widget or forms.NumberInput(attrs=bounds),
    )


def typed_capacity(cleaned: Mapping[str, Any]) -> dict[str, int]:
    """Return the capacity that was typed, without the channels on which the agent takes nothing."""
    typed = {channel.value: cleaned[name] or 0 for name, channel in CAPACITIES.items()}
    return {channel: most for channel, most in typed.items() if most}


def room(presence: Presence | None, held: Mapping[str, int]) -> list[Room]:
    """Return for each channel that matters to an agent what he has in hand and how much he can take."""
    capacity = presence.capacity if presence is not None else usual_capacity()
    lines = [Room(channel, held.get(channel, 0), int(capacity.get(channel, 0))) for channel in Channel]
    return [line for line in lines if line.held or line.most]
