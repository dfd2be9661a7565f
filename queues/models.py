"""Queues: where work waits, who works there, and how long a customer should wait."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from queues.channels import DEFAULT_SLA_SECONDS, Channel


class QueueQuerySet(models.QuerySet["Queue"]):
    """The questions asked about queues."""

    def with_channels(self) -> QueueQuerySet:
        """Load the channels along, so that takes() asks no further query."""
        return self.prefetch_related("channel_rows")


class Queue(models.Model):
    """A line in which workitems wait for an agent."""

    queue_id = models.CharField(
        _("queue id"),
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9_.-]+$", _("Letters, digits and _ . - only."))],
        help_text=_("Chosen once and used by integrations, for example q_support."),
    )
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), blank=True)
    is_open = models.BooleanField(_("open"), default=True, help_text=_("A closed queue takes no new work."))
    priority = models.PositiveSmallIntegerField(
        _("priority of new work"), default=3, help_text=_("From 1, the lowest, to 5, the highest.")
    )
    short_abandon_seconds = models.PositiveIntegerField(_("short abandon, seconds"), default=5)
    offer_timeout_seconds = models.PositiveIntegerField(_("offer time-out, seconds"), default=20)
    wrap_up_seconds = models.PositiveIntegerField(_("wrap-up, seconds"), default=60)
    offers_automatically = models.BooleanField(
        _("offers by itself"),
        default=False,
        help_text=_("Waiting work is offered to available members, the longest idle first."),
    )
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("members"), blank=True, related_name="member_of_queues"
    )
    supervisors = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("supervisors"), blank=True, related_name="supervised_queues"
    )

    objects = QueueQuerySet.as_manager()

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        ordering = ["queue_id"]
        permissions = [
            ("read_workitems", _("Can see the queue's workitems")),
            ("write_workitems", _("Can create and change the queue's workitems")),
            ("delete_workitems", _("Can archive the queue's workitems")),
            ("admin_workitems", _("Can do everything with the queue's workitems")),
            ("transfer_in", _("Can send workitems into the queue")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(priority__range=(1, 5)), name="queue_priority_1_to_5"),
            models.CheckConstraint(condition=Q(offer_timeout_seconds__gte=1), name="queue_offer_timeout_positive"),
        ]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def sla_seconds(self) -> dict[str, int]:
        """Map each channel that the queue takes to its service level, in seconds."""
        return {row.channel: row.sla_seconds for row in self.channel_rows.all()}

    def takes(self, channel: str) -> bool:
        """Tell whether work of this channel may wait here."""
        return channel in self.sla_seconds

    def take(self, channels: Iterable[Channel]) -> None:
        """Let work of these channels wait here, each with its usual service level."""
        for channel in channels:
            QueueChannel.objects.get_or_create(
                queue=self, channel=channel, defaults={"sla_seconds": DEFAULT_SLA_SECONDS[channel]}
            )
        self.__dict__.pop("sla_seconds", None)


class QueueChannel(models.Model):
    """A channel that a queue takes, with the wait that is still good service."""

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="channel_rows", verbose_name=_("queue"))
    channel = models.CharField(_("channel"), max_length=16, choices=Channel.choices)
    sla_seconds = models.PositiveIntegerField(
        _("service level, seconds"), help_text=_("Voice, chat and video usually 30, SMS and e-mail 3600.")
    )

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["channel"]
        constraints = [
            models.UniqueConstraint(fields=["queue", "channel"], name="queue_channel_once"),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="queue_channel_known"),
        ]

    def __str__(self) -> str:
        return self.get_channel_display()


class QueueUserObjectPermission(UserObjectPermissionBase):
    """A scope that one person holds on one queue."""

    content_object = models.ForeignKey(Queue, on_delete=models.CASCADE)


class QueueGroupObjectPermission(GroupObjectPermissionBase):
    """A scope that a group holds on one queue."""

    content_object = models.ForeignKey(Queue, on_delete=models.CASCADE)
