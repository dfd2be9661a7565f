"""Work on many, as rows: what every run, every item of it, and every chunk of items has."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from workitems.models.loading import LoadedQuickly

MOST_ATTEMPTS = 5


class Run(models.Model):
    """Something that is to be done to many workitems, and how far it has got.

    `handed_out` is the pk of the last item that some chunk has taken on; all counts are kept in the very transactions
    that they tell of.
    """

    class State(models.TextChoices):
        """How far it has got."""

        PENDING = "pending", _("Pending")
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")

    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.PENDING)
    created_at = models.DateTimeField(_("requested"))
    start_at = models.DateTimeField(_("to start"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True)
    paused_seconds = models.FloatField(_("paused so far, seconds"), default=0)
    moved_at = models.DateTimeField(_("last progress"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    total = models.PositiveIntegerField(_("items"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    refusals = models.JSONField(_("refused, by reason"), default=dict, blank=True)
    handed_out = models.BigIntegerField(default=0, editable=False)
    request_id = models.CharField(_("request"), max_length=64, blank=True)

    class Meta:
        abstract = True

    @property
    def public_id(self) -> str:
        """The id by which people and programs know it."""
        raise NotImplementedError

    @property
    def settled(self) -> int:
        """How many items have an outcome."""
        return self.done + self.refused + self.failed

    @property
    def pending(self) -> int:
        """How many items have none yet."""
        return max(0, self.total - self.settled)

    @property
    def is_finished(self) -> bool:
        """Tell whether nothing more will be done."""
        return self.state in FINISHED

    def rate(self, now: datetime) -> float:
        """Return how many items it settles a second, pauses left out; 0 while that cannot be said."""
        if self.started_at is None or not self.settled:
            return 0.0
        until = self.finished_at or self.paused_at or now
        seconds = (until - self.started_at).total_seconds() - self.paused_seconds
        return self.settled / seconds if seconds > 0 else 0.0

    def remaining_seconds(self, now: datetime) -> int | None:
        """Return in how many seconds it will be done at its rate so far, or None while that cannot be said."""
        rate = self.rate(now)
        if self.state != self.State.RUNNING or not rate:
            return None
        return round(self.pending / rate)


DRIVEN = (Run.State.PENDING, Run.State.RUNNING)
FINISHED = (Run.State.DONE, Run.State.CANCELLED)


class RunItem(LoadedQuickly):
    """One workitem of a run, and what became of it.

    `version` is the workitem's after the run's change: as long as it stays so, nobody has touched it since.
    """

    class Outcome(models.TextChoices):
        """What became of it."""

        PENDING = "pending", _("Pending")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")
        FAILED = "failed", _("Failed")

    workitem_id = models.CharField(_("workitem id"), max_length=64)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices, default=Outcome.PENDING)
    version = models.PositiveIntegerField(_("version"), null=True, blank=True)
    code = models.CharField(_("reason"), max_length=64, blank=True)
    facts = models.JSONField(_("facts of the reason"), default=dict, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.workitem_id}: {self.outcome}"


class RunChunk(models.Model):
    """Items that some worker has taken on: those of a run with a pk from `first` to `last`.

    It is locked while it is worked on and deleted together with what it leads to, so one that can be locked belongs to
    a worker that died, or failed, `tries` times.
    """

    first = models.BigIntegerField()
    last = models.BigIntegerField()
    tries = models.PositiveSmallIntegerField(default=0)
    taken_at = models.DateTimeField()

    class Meta:
        abstract = True


def unfinished_index(name: str) -> models.Index:
    """Return the index that finds what has to be driven on."""
    return models.Index(fields=["moved_at"], name=name, condition=Q(state__in=DRIVEN))
