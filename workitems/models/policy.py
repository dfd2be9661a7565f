"""Stale policies, and the record of what they did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from ulid import ULID

from queues.channels import Channel
from queues.models import Queue
from workitems.choices import OPEN, WITH_AGENT, State
from workitems.models.runs import Run, RunChunk, RunItem, unfinished_index
from workitems.models.workitem import Disposition

MOST_SECONDS = 366 * 24 * 3600
MOST_CAP = 100_000


def new_run_id() -> str:
    """Make a public id that sorts by time."""
    return f"pr_{str(ULID()).lower()}"


class StalePolicy(models.Model):
    """What becomes of workitems in which nothing happens for too long.

    Of all that are switched on and fit a workitem, the most specific holds: its queue and its channel named, then its
    queue, then its channel, then neither.
    """

    class Act(models.TextChoices):
        """What is done."""

        TERMINATE = "terminate", _("Terminate")
        REQUEUE = "requeue", _("Return to its queue")
        DISPOSE = "dispose", _("Disposition")

    FITTING = {Act.TERMINATE: OPEN, Act.REQUEUE: WITH_AGENT, Act.DISPOSE: (State.TERMINATED,)}

    policy_id = models.CharField(
        _("policy id"),
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9_.-]+$", _("Letters, digits and _ . - only."))],
        help_text=_("Chosen once, for example p_lost_calls."),
    )
    name = models.CharField(_("name"), max_length=100)
    is_enabled = models.BooleanField(_("switched on"), default=False)
    queue = models.ForeignKey(
        Queue,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("queue"),
        help_text=_("Empty means any queue, and workitems without one."),
    )
    channel = models.CharField(
        _("channel"), max_length=16, choices=Channel.choices, blank=True, help_text=_("Empty means any channel.")
    )
    state = models.CharField(
        _("state"),
        max_length=16,
        choices=[(state.value, state.label) for state in (*OPEN, State.TERMINATED)],
    )
    after_seconds = models.PositiveIntegerField(
        _("after, seconds"),
        validators=[MinValueValidator(10), MaxValueValidator(MOST_SECONDS)],
        help_text=_("So long in this state without a change of state, a note, or an event of an integration."),
    )
    act = models.CharField(_("what to do"), max_length=9, choices=Act.choices, default=Act.TERMINATE)
    keeps_place = models.BooleanField(
        _("keeps its place"), default=True, help_text=_("Returned to its queue: at its old place, else at the end.")
    )
    disposition = models.ForeignKey(
        Disposition, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("disposition")
    )
    warn_seconds = models.PositiveIntegerField(
        _("warning ahead, seconds"),
        default=0,
        validators=[MaxValueValidator(MOST_SECONDS)],
        help_text=_("The workitem is marked so long before; 0 is no warning."),
    )
    cap = models.PositiveIntegerField(
        _("at most in a run"),
        default=500,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_CAP)],
        help_text=_("A run that meets more stops there with an alert, and the policy waits for somebody to go on."),
    )
    halted_at = models.DateTimeField(_("halted at its cap"), null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    class Meta:
        verbose_name = _("stale policy")
        verbose_name_plural = _("stale policies")
        ordering = ["policy_id"]
        constraints = [
            # two that are switched on and equally specific would contradict each other
            models.UniqueConstraint(
                fields=["queue", "channel", "state"],
                name="policy_one_of_its_kind",
                condition=Q(is_enabled=True, queue__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["channel", "state"],
                name="policy_one_for_any_queue",
                condition=Q(is_enabled=True, queue__isnull=True),
            ),
            models.CheckConstraint(
                condition=Q(act="dispose", disposition__isnull=False)
                | (~Q(act="dispose") & Q(disposition__isnull=True)),
                name="policy_disposition_iff_dispose",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def after(self) -> timedelta:
        """How long nothing must have happened."""
        return timedelta(seconds=self.after_seconds)

    @property
    def warning(self) -> timedelta:
        """How long ahead the workitem is marked."""
        return timedelta(seconds=self.warn_seconds)

    def clean(self) -> None:
        """Allow only what can be done from the state, and no second policy of the same kind."""
        problems: dict[str, Any] = {}
        if self.act in self.FITTING and self.state and self.state not in self.FITTING[self.Act(self.act)]:
            allowed = ", ".join(str(state.label) for state in self.FITTING[self.Act(self.act)])
            problems["act"] = _("This is possible from these states only: %s.") % allowed
        if (self.act == self.Act.DISPOSE) != (self.disposition is not None):
            problems["disposition"] = _("Name a disposition if, and only if, the policy sets one.")
        if self.warn_seconds and self.after_seconds and self.warn_seconds >= self.after_seconds:
            problems["warn_seconds"] = _("The warning must come after the workitem has stood still for some time.")
        rival = self.rival()
        if rival is not None:
            problems["is_enabled"] = _("“%s” is switched on for the same queue, channel and state.") % rival.name
        if problems:
            raise ValidationError(problems)

    def rival(self) -> StalePolicy | None:
        """Return another policy that is switched on for just the same, if this one is or would be."""
        if not self.is_enabled:
            return None
        same = StalePolicy.objects.filter(is_enabled=True, queue=self.queue, channel=self.channel, state=self.state)
        return same.exclude(pk=self.pk).first()

    def terms(self) -> dict[str, Any]:
        """Return what it says now, for the record."""
        return {
            "queueId": self.queue.queue_id if self.queue else "",
            "channel": self.channel,
            "state": self.state,
            "afterSeconds": self.after_seconds,
            "act": self.act,
            "keepsPlace": self.keeps_place,
            "dispositionId": self.disposition.disposition_id if self.disposition else "",
            "warnSeconds": self.warn_seconds,
            "cap": self.cap,
        }


class PolicyRun(Run):
    """One time that a policy acted, with what it said then; or the taking back of such a run."""

    run_id = models.CharField(_("run id"), max_length=64, unique=True, default=new_run_id)
    policy = models.ForeignKey(StalePolicy, on_delete=models.PROTECT, related_name="runs", verbose_name=_("policy"))
    policy_version = models.PositiveIntegerField(_("policy version"))
    terms = models.JSONField(_("what the policy said"), default=dict)
    is_capped = models.BooleanField(_("stopped at its cap"), default=False)
    acknowledged_at = models.DateTimeField(_("alert seen"), null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("alert seen by"),
    )
    reopens = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="reopened_by", verbose_name=_("reopens")
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("requested by"),
    )
    token = models.CharField(_("token"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("policy run")
        verbose_name_plural = _("policy runs")
        indexes = [
            # what the beat has to drive on
            unfinished_index("policy_run_unfinished"),
            # alerts that nobody has seen yet
            models.Index(
                fields=["-id"], name="policy_run_alert", condition=Q(is_capped=True, acknowledged_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.run_id

    @property
    def public_id(self) -> str:
        """The run's id."""
        return self.run_id

    @property
    def is_halting(self) -> bool:
        """Tell whether its policy was halted because of it: it met its cap, or was cancelled."""
        return self.reopens_id is None and (self.is_capped or self.state == self.State.CANCELLED)

    def get_absolute_url(self) -> str:
        """Return the address of its record."""
        return reverse("admin:workitems_policyrun_change", args=[self.pk])


class PolicyRunItem(RunItem):
    """One workitem of a policy's run; a refused one was spared, for the reason that its code says."""

    run = models.ForeignKey(
        PolicyRun, on_delete=models.CASCADE, related_name="items", db_index=False, verbose_name=_("run")
    )

    class Meta:
        verbose_name = _("policy run item")
        verbose_name_plural = _("policy run items")
        constraints = [
            models.UniqueConstraint(fields=["run", "workitem_id"], name="policy_run_item_once"),
        ]
        indexes = [
            # the record in its order, and the items of a chunk
            models.Index(fields=["run", "id"], name="policy_run_item_in_order"),
            # what was set aside, which no other run takes on until somebody has retried it
            models.Index(fields=["workitem_id"], name="policy_run_item_set_aside", condition=Q(outcome="failed")),
        ]


class PolicyRunChunk(RunChunk):
    """Items of a policy's run that a worker has taken on."""

    run = models.ForeignKey(PolicyRun, on_delete=models.CASCADE, related_name="chunks")
