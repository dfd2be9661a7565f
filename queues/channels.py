"""The channels a customer may come in by."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    """How a customer talks to the centre; the values are the wire's."""

    VOICE = "voice", _("Voice")
    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")
    CHAT = "chat", _("Chat")
    VIDEO_MEETING = "videoMeeting", _("Video meeting")


DEFAULT_SLA_SECONDS = {
    Channel.VOICE: 30,
    Channel.EMAIL: 3600,
    Channel.SMS: 3600,
    Channel.CHAT: 30,
    Channel.VIDEO_MEETING: 30,
}
