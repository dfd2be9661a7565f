"""The ledger: where each workitem has stood, from when to when."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from queues.channels import Channel
from queues.models import Queue
from workitems.choices import EndedBy, EntryOutcome, State
from workitems.models.workitem import Workitem


class Stay(models.Model):
    """One finished stay of a workitem in a state, a queue and with an agent; ledger.py says when one is written.

    The stay that is not over yet is the workitem itself: its state, queue and agent, `place_since` and `entered_at`. So
    all stays and that one sum to the workitem's life. Spans are in milliseconds.
    """

    workitem = models.ForeignKey(
        Workitem, on_delete=models.PROTECT, related_name="stays", db_index=False, verbose_name=_("workitem")
    )
    version = models.PositiveIntegerField(_("version"), help_text=_("Of the event that ended it."))
    channel_type = models.CharField(_("channel"), max_length=16, choices=Channel.choices)
    state = models.CharField(_("state"), max_length=16, choices=State.choices)
    queue = models.ForeignKey(
        Queue, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("queue")
    )
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("agent"),
    )
    began_at = models.DateTimeField(_("began"))
    ended_at = models.DateTimeField(_("ended"))
    lasted_ms = models.BigIntegerField(_("lasted, milliseconds"))
    magnitude = models.PositiveSmallIntegerField(help_text=_("It lasted less than 4 to this power, in seconds."))
    # of the queue entry that ran in it
    entered_at = models.DateTimeField(_("entered the queue"), null=True)
    outcome = models.CharField(_("the entry ended"), max_length=10, choices=EntryOutcome.choices, blank=True)
    wait_ms = models.BigIntegerField(_("the entry's wait, milliseconds"), null=True)
    customer_ms = models.BigIntegerField(_("since the workitem was created until then, milliseconds"), null=True)
    # of the agent's work that ended with it
    handled_ms = models.BigIntegerField(_("handled, milliseconds"), null=True)
    # of a wrap-up
    ended_by = models.CharField(_("ended by"), max_length=16, choices=EndedBy.choices, blank=True)

    class Meta:
        verbose_name = _("stay")
        verbose_name_plural = _("stays")
        ordering = ["version"]
        indexes = [
            # the queue entries that began in a stretch of time
            models.Index(
                fields=["entered_at", "queue"],
                name="stay_entries",
                condition=~Q(outcome=""),
                include=["channel_type", "outcome", "wait_ms", "customer_ms", "workitem"],
            ),
            # what agents handled and wrapped up in a stretch of time
            models.Index(
                fields=["ended_at", "queue"],
                name="stay_handling",
                condition=Q(handled_ms__isnull=False) | Q(state=State.TERMINATED),
                include=["channel_type", "agent", "state", "handled_ms", "lasted_ms", "ended_by", "workitem"],
            ),
            # where everything stood at a moment: of each magnitude, what began not too long before
            models.Index(
                fields=["magnitude", "began_at"],
                name="stay_at_a_moment",
                include=["ended_at", "queue", "state", "channel_type", "agent", "entered_at"],
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["workitem", "version"], name="stay_once_per_version"),
            models.CheckConstraint(condition=Q(ended_at__gte=models.F("began_at")), name="stay_ends_after_it_began"),
            models.CheckConstraint(
                condition=Q(outcome="", wait_ms__isnull=True, customer_ms__isnull=True)
                | Q(
                    ~Q(outcome=""),
                    wait_ms__isnull=False,
                    customer_ms__isnull=False,
                    entered_at__isnull=False,
                    queue__isnull=False,
                ),
                name="stay_wait_iff_an_entry_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.began_at:%Y-%m-%d %H:%M:%S}–{self.ended_at:%H:%M:%S}"
