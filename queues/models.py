"""Queues: where work waits, who works there, and how long a customer should wait."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import connection, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from queues.channels import DEFAULT_SLA_SECONDS, Channel


class QueueQuerySet(models.QuerySet["Queue"]):
    """The questions asked about queues."""

    def with_channels(self) -> QueueQuerySet:
        """Load the channels along, so that takes() asks no further query."""
        return self.prefetch_related("channel_rows")

    def held(self, pk: int) -> Queue:
        """Return a queue with its channels, and hold off whoever would retire or delete it for this transaction.

        What comes to refer to the queue takes this very lock later anyway; taken first, it makes the checks hold.
        """
        table = connection.ops.quote_name(self.model._meta.db_table)
        lock = " FOR KEY SHARE" if connection.vendor == "postgresql" else ""  # SQLite has one writer at a time
        found = self.raw(f"SELECT * FROM {table} WHERE id = %s{lock}", [pk])  # noqa: S608  a name of our own
        return found.prefetch_related("channel_rows")[0]

    def in_use(self) -> QueueQuerySet:
        """Leave out what is retired."""
        return self.filter(retired_at=None)


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
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        help_text=_("Of the opening hours and the reports, for example Europe/Berlin; empty: the server's."),
    )
    hours_applied_at = models.DateTimeField(null=True, blank=True, editable=False)
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True, editable=False)
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

    @property
    def is_retired(self) -> bool:
        """Tell whether it is out of use and kept for its history."""
        return self.retired_at is not None

    @property
    def zone(self) -> ZoneInfo:
        """The time zone by whose clock it opens and closes; the server's where none is named."""
        return ZoneInfo(self.time_zone or settings.TIME_ZONE)

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


class QueueHours(models.Model):
    """A stretch of a weekday in which a queue is open, by the clock of the queue's time zone."""

    class Weekday(models.IntegerChoices):
        """As Python counts them."""

        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="hours", verbose_name=_("queue"))
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday.choices)
    opens_at = models.TimeField(_("opens"))
    closes_at = models.TimeField(_("closes"), help_text=_("00:00 means midnight at the end of the day."))

    class Meta:
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        ordering = ["weekday", "opens_at"]
        constraints = [
            models.UniqueConstraint(fields=["queue", "weekday", "opens_at"], name="queue_hours_once"),
            models.CheckConstraint(condition=Q(weekday__range=(0, 6)), name="queue_hours_weekday"),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens_at:%H:%M}–{self.closes_at:%H:%M}"


class QueueUserObjectPermission(UserObjectPermissionBase):
    """A scope that one person holds on one queue."""

    content_object = models.ForeignKey(Queue, on_delete=models.CASCADE)


class QueueGroupObjectPermission(GroupObjectPermissionBase):
    """A scope that a group holds on one queue."""

    content_object = models.ForeignKey(Queue, on_delete=models.CASCADE)
