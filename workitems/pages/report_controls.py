"""What stands above a report: which days, which lines, how finely, which queues and channels; all of them addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from queues.channels import Channel
from queues.models import Queue
from workitems.clocks import Step
from workitems.errors import InvalidValue
from workitems.pages.report_query import By, View
from workitems.presenting.icons import CHANNEL_ICONS
from workitems.reports import Period

PERIODS = {
    Period.TODAY: gettext_lazy("Today"),
    Period.YESTERDAY: gettext_lazy("Yesterday"),
    Period.WEEK: gettext_lazy("7 days"),
    Period.FOUR_WEEKS: gettext_lazy("28 days"),
}
BYS = {
    By.QUEUE: gettext_lazy("Queue"),
    By.CHANNEL: gettext_lazy("Channel"),
    By.TIME: gettext_lazy("Time"),
    By.AGENT: gettext_lazy("Agent"),
}
STEPS = {Step.HOUR: gettext_lazy("Hour"), Step.DAY: gettext_lazy("Day")}


@dataclass(frozen=True)
class Way:
    """One of a few reports to choose from; without an address it cannot be."""

    label: str
    address: str
    is_here: bool
    reason: str = ""


@dataclass(frozen=True)
class Choice:
    """A queue or a channel that can be ticked."""

    value: str
    label: str
    is_chosen: bool
    icon: str = ""


@dataclass(frozen=True)
class Tick:
    """One queue or channel that the report is narrowed to, and the report without it."""

    label: str
    address: str


@dataclass(frozen=True)
class Controls:
    """All that stands above a report."""

    view: View
    queues: Iterable[Queue]

    @property
    def periods(self) -> list[Way]:
        """Return the usual days."""
        period = self.view.asked.period
        return [Way(str(label), self.view.of(one).address(), one is period) for one, label in PERIODS.items()]

    @property
    def bys(self) -> list[Way]:
        """Return what the lines can be."""
        return [Way(str(label), self.view.grouped(one).address(), one is self.view.by) for one, label in BYS.items()]

    @property
    def steps(self) -> list[Way]:
        """Return how finely time can be divided."""
        return [self._step(step, str(label)) for step, label in STEPS.items()]

    def _step(self, step: Step, label: str) -> Way:
        is_here = step is self.view.asked.fineness
        try:
            return Way(label, self.view.stepped(step).address(), is_here)
        except InvalidValue as refusal:
            return Way(label, "", is_here, refusal.message)

    @property
    def is_of_own_days(self) -> bool:
        """Tell whether somebody has named the days himself."""
        return self.view.asked.period is Period.OWN

    @property
    def queue_choices(self) -> list[Choice]:
        """Return the queues that can be chosen; one that is out of use says so."""
        return [
            Choice(
                one.queue_id,
                _("%s (retired)") % one.name if one.is_retired else one.name,
                one.queue_id in self.view.asked.queues,
            )
            for one in sorted(self.queues, key=lambda one: (one.is_retired, one.name.casefold()))
        ]

    @property
    def channel_choices(self) -> list[Choice]:
        """Return the channels that can be chosen."""
        chosen = self.view.asked.channels
        return [Choice(one.value, str(one.label), one in chosen, CHANNEL_ICONS[one]) for one in Channel]

    @property
    def ticks(self) -> list[Tick]:
        """Return what the report is narrowed to."""
        names = {one.queue_id: one.name for one in self.queues}
        queues = [
            Tick(names.get(one, one), self.view.without("queue", one).address()) for one in self.view.asked.queues
        ]
        channels = [
            Tick(str(one.label), self.view.without("channel", one.value).address()) for one in self.view.asked.channels
        ]
        return queues + channels

    @property
    def without_days(self) -> list[tuple[str, str]]:
        """Return what the form of the days carries along."""
        return self.view.but("range", "from", "to", "step")

    @property
    def without_queues(self) -> list[tuple[str, str]]:
        """Return what the form of the queues carries along."""
        return self.view.but("queue")

    @property
    def without_channels(self) -> list[tuple[str, str]]:
        """Return what the form of the channels carries along."""
        return self.view.but("channel")
