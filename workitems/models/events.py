"""What has happened: history, and what is left of what was purged."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from queues.models import Queue
from workitems.choices import Door, Event, State
from workitems.models.workitem import Workitem


class TimeEvent(models.Model):
    """One line of a workitem's history; triggers in the database keep it as it was written."""

    workitem = models.ForeignKey(
        Workitem, on_delete=models.PROTECT, related_name="time_events", db_index=False, verbose_name=_("workitem")
    )
    version = models.PositiveIntegerField(_("version"))
    type = models.CharField(_("event"), max_length=64)
    timestamp = models.DateTimeField(_("time"))
    actor = models.CharField(_("actor"), max_length=150)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("user"),
    )
    door = models.CharField(_("by way of"), max_length=8, choices=Door.choices)
    token = models.CharField(_("token"), max_length=150, blank=True, db_default="")
    request_id = models.CharField(_("request"), max_length=64, blank=True, db_default="")
    from_state = models.CharField(_("from"), max_length=16, choices=State.choices, blank=True)
    to_state = models.CharField(_("to"), max_length=16, choices=State.choices, blank=True)
    queue = models.ForeignKey(
        Queue,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("queue"),
    )
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("agent"),
    )
    details: models.JSONField[dict[str, Any]] = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        verbose_name = _("time event")
        verbose_name_plural = _("time events")
        ordering = ["version"]
        indexes = [
            # a timeline, without a look at the table for what most readers want of it
            models.Index(fields=["workitem", "timestamp", "id"], name="time_event_timeline", include=["type", "user"]),
        ]
        constraints = [
            # a lock that was lost can never write history twice
            models.UniqueConstraint(fields=["workitem", "version"], name="time_event_once_per_version"),
            models.CheckConstraint(condition=Q(door__in=Door.values), name="time_event_door_known"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.timestamp:%Y-%m-%d %H:%M:%S}"

    @property
    def label(self) -> str:
        """The event in words; a name of an integration's own stays as it is."""
        return str(Event(self.type).label) if self.type in Event.values else self.type

    @property
    def told(self) -> list[tuple[str, str]]:
        """The details, each with its name; lists in one line, and what only an undo has to know left out."""
        return [
            (name, ", ".join(map(str, value)) if isinstance(value, list) else str(value))
            for name, value in self.details.items()
            if name != "before"
        ]

    @property
    def door_label(self) -> str:
        """The door in words."""
        return str(Door(self.door).label)


class AuditEntry(models.Model):
    """What was done to something that keeps no history of its own: contacts, queues, people, rights, what was purged.

    `details` holds under "changes" old and new of each field that changed, and codes and public ids beside.
    """

    at = models.DateTimeField(_("time"))
    actor = models.CharField(_("actor"), max_length=150)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("user")
    )
    door = models.CharField(_("by way of"), max_length=8, choices=Door.choices)
    token = models.CharField(_("token"), max_length=150, blank=True, db_default="")
    request_id = models.CharField(_("request"), max_length=64, blank=True, db_default="")
    address = models.CharField(_("from"), max_length=64, blank=True, db_default="")
    what = models.CharField(_("what"), max_length=64)
    subject = models.CharField(_("of what"), max_length=150, db_index=True)
    details: models.JSONField[dict[str, Any]] = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.what} {self.subject}"
