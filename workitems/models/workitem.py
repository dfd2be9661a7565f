"""The workitem itself, and how it may come out."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from ulid import ULID

from contacts.models import Contact
from queues.channels import Channel
from queues.models import Queue
from workitems.choices import ENDED, OPEN, WAITING, WITH_AGENT, EndedBy, Priority, State, Type
from workitems.models.loading import LoadedQuickly
from workitems.querysets import WorkitemQuerySet


def new_workitem_id() -> str:
    """Make a public id that sorts by time."""
    return f"wi_{str(ULID()).lower()}"


def _type_fits_channel() -> Q:
    fits = Q()
    for kind in Type:
        fits |= Q(type=kind, channel_type__in=kind.channels)
    return fits


class Disposition(models.Model):
    """How an interaction came out, in the words of the centre."""

    disposition_id = models.CharField(_("disposition id"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=100)
    is_resolved = models.BooleanField(_("resolved"), default=True)
    types = models.JSONField(
        _("workitem types"), default=list, blank=True, help_text=_("The types it applies to; empty means all.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    class Meta:
        verbose_name = _("disposition")
        verbose_name_plural = _("dispositions")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Allow known types only."""
        if not isinstance(self.types, list) or any(one not in Type.values for one in self.types):
            raise ValidationError({"types": _('A list of workitem types, for example ["InboundCall", "Chat"].')})

    def applies_to(self, kind: str) -> bool:
        """Tell whether workitems of this type may end this way."""
        return self.is_active and (not self.types or kind in self.types)


class Workitem(LoadedQuickly):
    """One interaction with a customer, from the queue to its disposition."""

    workitem_id = models.CharField(_("workitem id"), max_length=64, unique=True, default=new_workitem_id)
    channel_type = models.CharField(_("channel"), max_length=16, choices=Channel.choices)
    type = models.CharField(_("type"), max_length=16, choices=Type.choices)
    state = models.CharField(_("state"), max_length=16, choices=State.choices)
    current_state_name = models.CharField(_("workflow step"), max_length=64)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority.choices, default=Priority.NORMAL)
    name = models.CharField(_("subject"), max_length=200, blank=True)
    from_address = models.CharField(_("from"), max_length=254, blank=True)
    to_address = models.CharField(_("to"), max_length=254, blank=True)
    contact = models.ForeignKey(
        Contact,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="workitems",
        verbose_name=_("contact"),
    )
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="workitems",
        db_index=False,
        verbose_name=_("agent"),
    )
    queue = models.ForeignKey(
        Queue,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="workitems",
        db_index=False,
        verbose_name=_("queue"),
    )
    disposition = models.ForeignKey(
        Disposition,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="workitems",
        db_index=False,
        verbose_name=_("disposition"),
    )
    disposition_note = models.TextField(_("disposition note"), blank=True)
    is_muted = models.BooleanField(_("muted"), default=False)
    ended_by = models.CharField(_("ended by"), max_length=16, choices=EndedBy.choices, blank=True)
    data = models.JSONField(_("data"), default=dict, blank=True)

    created_at = models.DateTimeField(_("created"))
    modified_at = models.DateTimeField(_("modified"))
    state_changed_at = models.DateTimeField(_("in this state since"))
    active_at = models.DateTimeField(_("last activity"))
    stale_at = models.DateTimeField(_("stale at"), null=True, blank=True)
    exempt_until = models.DateTimeField(_("exempt from stale policies until"), null=True, blank=True)
    queued_at = models.DateTimeField(_("in this queue since"), null=True, blank=True)
    offer_expires_at = models.DateTimeField(_("offer expires"), null=True, blank=True)
    assigned_at = models.DateTimeField(_("assigned"), null=True, blank=True)
    terminated_at = models.DateTimeField(_("ended"), null=True, blank=True)
    dispositioned_at = models.DateTimeField(_("dispositioned"), null=True, blank=True)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    version = models.PositiveIntegerField(_("version"), default=1)
    # the ledger's: where it stands since when; ledger.py keeps them
    place_since = models.DateTimeField(_("in this state, queue and hand since"), null=True, blank=True)
    entered_at = models.DateTimeField(_("entered the queue"), null=True, blank=True)
    handled_ms = models.BigIntegerField(_("handled so far, milliseconds"), default=0, db_default=0)

    objects = WorkitemQuerySet.as_manager()

    class Meta:
        verbose_name = _("workitem")
        verbose_name_plural = _("workitems")
        indexes = [
            # the newest of all
            models.Index(fields=["-created_at", "-id"], name="workitem_newest", include=["archived_at"]),
            # the newest in a state, or in a state on a channel
            models.Index(
                fields=["state", "channel_type", "-created_at", "-id"],
                name="workitem_state_newest",
                include=["archived_at"],
            ),
            # what waits in a queue, in the order in which it is handed out
            models.Index(
                fields=["queue", "-priority", "queued_at", "id"], name="workitem_in_line", condition=Q(state__in=OPEN)
            ),
            # where nothing has happened for too long, by queue and channel
            models.Index(
                fields=["queue", "state", "channel_type", "active_at", "id"],
                name="workitem_standing",
                condition=Q(archived_at__isnull=True) & ~Q(state=State.DISPOSITIONED),
            ),
            # what a policy will act on soon
            models.Index(fields=["stale_at"], name="workitem_marked", condition=Q(stale_at__isnull=False)),
            # the queue entries that run, by when they began
            models.Index(
                fields=["entered_at", "queue"], name="workitem_entered", condition=Q(entered_at__isnull=False)
            ),
            # offers past their deadline
            models.Index(
                fields=["offer_expires_at"], name="workitem_offer_deadline", condition=Q(offer_expires_at__isnull=False)
            ),
            # what an agent has in hand, and had lately
            models.Index(
                fields=["agent", "-created_at", "-id"], name="workitem_of_agent", condition=Q(agent__isnull=False)
            ),
            # what an agent has in hand, not ended, and what he has ended last
            models.Index(fields=["agent", "terminated_at"], name="workitem_in_hand", condition=Q(agent__isnull=False)),
            # what came from, or went to, this number or address, whole or from its start; the ends of numbers and the
            # words of subjects have indexes of PostgreSQL's own, in migration 0003
            models.Index(fields=["from_address"], name="workitem_from", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["to_address"], name="workitem_to", opclasses=["varchar_pattern_ops"]),
            # what has changed since a copy was made elsewhere
            models.Index(fields=["modified_at", "id"], name="workitem_modified"),
            # the newest of a channel or a type
            models.Index(
                fields=["channel_type", "type", "-created_at", "-id"],
                name="workitem_kind_newest",
                include=["archived_at"],
            ),
            # the newest of a priority
            models.Index(
                fields=["priority", "-created_at", "-id"], name="workitem_priority_newest", include=["archived_at"]
            ),
            # the archive, newest first
            models.Index(
                fields=["-created_at", "-id"], name="workitem_archive", condition=Q(archived_at__isnull=False)
            ),
            # what is with nobody, newest first
            models.Index(
                fields=["-created_at", "-id"],
                name="workitem_with_nobody",
                condition=Q(agent__isnull=True),
                include=["archived_at"],
            ),
            # what ended when
            models.Index(
                fields=["terminated_at", "id"], name="workitem_ended", condition=Q(terminated_at__isnull=False)
            ),
            # a queue's newest, ended ones too
            models.Index(fields=["queue", "-created_at", "-id"], name="workitem_queue_newest", include=["archived_at"]),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="workitem_state_known"),
            models.CheckConstraint(condition=Q(priority__range=(1, 5)), name="workitem_priority_1_to_5"),
            models.CheckConstraint(condition=_type_fits_channel(), name="workitem_type_fits_channel"),
            models.CheckConstraint(
                condition=Q(state__in=ENDED, terminated_at__isnull=False)
                | Q(~Q(state__in=ENDED), terminated_at__isnull=True),
                name="workitem_terminated_at_iff_ended",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ENDED, ended_by__in=EndedBy.values) | Q(~Q(state__in=ENDED), ended_by=""),
                name="workitem_ended_by_iff_ended",
            ),
            models.CheckConstraint(
                condition=Q(state=State.DISPOSITIONED, dispositioned_at__isnull=False)
                | Q(~Q(state=State.DISPOSITIONED), dispositioned_at__isnull=True, disposition__isnull=True),
                name="workitem_dispositioned_at_iff_so",
            ),
            models.CheckConstraint(
                condition=Q(state=State.OFFERED, offer_expires_at__isnull=False)
                | Q(~Q(state=State.OFFERED), offer_expires_at__isnull=True),
                name="workitem_deadline_iff_offered",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=WAITING) | Q(queue__isnull=False, queued_at__isnull=False),
                name="workitem_waits_in_a_queue",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=WITH_AGENT) | Q(agent__isnull=False), name="workitem_handled_by_an_agent"
            ),
            models.CheckConstraint(
                condition=~Q(state=State.INQUEUE) | Q(agent__isnull=True), name="workitem_in_queue_without_agent"
            ),
            models.CheckConstraint(
                condition=Q(archived_at__isnull=True) | Q(state__in=ENDED), name="workitem_archived_only_ended"
            ),
        ]

    def __str__(self) -> str:
        return self.workitem_id

    def get_absolute_url(self) -> str:
        """Return the address of the supervisor's page."""
        return reverse("workitem", args=[self.workitem_id])

    @property
    def selected_queue_id(self) -> str:
        """The public id of its queue, or ``""``."""
        return self.queue.queue_id if self.queue else ""

    @property
    def agent_username(self) -> str:
        """The username of its agent, or ``""``."""
        return self.agent.get_username() if self.agent else ""

    def show_activity(self, now: datetime) -> None:
        """Be a case for no stale policy for a while."""
        self.active_at = now
        self.stale_at = None

    def enter_state(self, state: State, now: datetime) -> None:
        """Stand in another state; the workflow step follows unless an integration has named its own."""
        if self.current_state_name == self.state:
            self.current_state_name = state
        if state != self.state:
            self.state = state
            self.state_changed_at = now
        if state != State.OFFERED:
            self.offer_expires_at = None

    def stand(self, since: datetime, entered_at: datetime | None, handled_ms: int) -> None:
        """Be where it is since then, as the ledger has it."""
        self.place_since, self.entered_at, self.handled_ms = since, entered_at, handled_ms

    def enter_queue(self, queue: Queue, at: datetime) -> None:
        """Stand at the end of a queue, with nobody."""
        self.queue = queue
        self.queued_at = at
        self.leave_agent()

    def leave_agent(self) -> None:
        """Be with nobody."""
        self.agent = None
        self.assigned_at = None
        self.is_muted = False

    def be_offered(self, agent: User, expires_at: datetime) -> None:
        """Wait for this agent's answer until the deadline."""
        self.leave_agent()
        self.agent = agent
        self.offer_expires_at = expires_at

    def be_assigned(self, agent: User, at: datetime) -> None:
        """Be in this agent's hands."""
        self.agent = agent
        self.assigned_at = at

    def end(self, by: EndedBy, at: datetime) -> None:
        """Be over; an agent who had accepted keeps it for its disposition."""
        self.ended_by = by
        self.terminated_at = at
        self.is_muted = False
        if self.state in WAITING:
            self.leave_agent()

    def begin_again(self) -> None:
        """Be open once more, with nobody."""
        self.ended_by = ""
        self.terminated_at = None
        self.leave_agent()
