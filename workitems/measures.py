"""What the figures of the centre mean, each said once: the board, the reports and the list of workitems all read this.

Sources: the metric definitions of Genesys and of Amazon Connect, Cisco's types of service level, ICMI. An entry counts
where and when it began, whatever became of it later, so that offered = answered + abandoned + flowed out + waiting.
What an agent handled counts when it left his hands, a wrap-up when it was over. Means are made of sums and counts, so
that they can be added up; without a denominator there is no figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Count, F, FilteredRelation, Max, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from workitems.choices import EndedBy, EntryOutcome, State
from workitems.models import Stay, Workitem

Row = TypeVar("Row", Stay, Workitem)

ANSWERED = Q(outcome=EntryOutcome.ANSWERED)
ABANDONED = Q(outcome=EntryOutcome.ABANDONED)
FLOWED_OUT = Q(outcome=EntryOutcome.FLOWED_OUT)
IS_SHORT = Q(wait_ms__lte=F("queue__short_abandon_seconds") * 1000)
IN_TIME = Q(wait_ms__lte=F("level__sla_seconds") * 1000)
LATE = Q(wait_ms__gt=F("level__sla_seconds") * 1000)
MISSED = ABANDONED & ~IS_SHORT & Q(level__sla_seconds__isnull=False)
HANDLED = Q(handled_ms__isnull=False)
WRAPPED_UP = Q(state=State.TERMINATED, agent__isnull=False) & ~Q(ended_by=EndedBy.POLICY)
WRAPPED_UP_BY_AGENT = Q(state=State.TERMINATED, ended_by=EndedBy.AGENT)


LONGEST = ("longest_ms", "longest_customer_ms")  # of which the greater one holds, where the others add up


@dataclass
class Sums:
    """What the figures are made of; two of them can be added. Spans are in milliseconds."""

    ended: int = 0  # entries that are over
    waiting: int = 0  # entries that still run
    waiting_late: int = 0  # of these, past the service level
    answered: int = 0
    answered_in_time: int = 0
    answered_late: int = 0  # both only where the channel has a service level
    answered_ms: int = 0  # the waits of all that were answered
    abandoned: int = 0
    abandoned_short: int = 0
    abandoned_missed: int = 0  # the others, where their channel has a service level
    flowed_out: int = 0
    longest_ms: int = 0  # from the entry
    longest_customer_ms: int = 0  # from the creation
    handled: int = 0
    handled_ms: int = 0  # active, on hold and in conference
    wrapped_ms: int = 0  # the wrap-ups of what agents had handled
    wrapped_by_agent: int = 0
    wrapped_by_agent_ms: int = 0

    def __add__(self, other: Sums) -> Sums:
        """Return both together."""
        both = Sums(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(Sums)})
        for name in LONGEST:
            setattr(both, name, max(getattr(self, name), getattr(other, name)))
        return both

    @property
    def offered(self) -> int:
        """How many entries began."""
        return self.ended + self.waiting

    @property
    def service_level(self) -> float | None:
        """The share answered in time, from 0 to 1; who still waits past the service level is missed already."""
        missed = self.answered_late + self.abandoned_missed + self.waiting_late
        return ratio(self.answered_in_time, self.answered_in_time + missed)

    @property
    def abandoned_share(self) -> float | None:
        """The share of entries that customers gave up, of those that were answered or given up."""
        return ratio(self.abandoned, self.answered + self.abandoned)

    @property
    def asa_ms(self) -> float | None:
        """The mean wait of what was answered."""
        return ratio(self.answered_ms, self.answered)

    @property
    def aht_ms(self) -> float | None:
        """The mean time that agents were at it, wrap-up included."""
        return ratio(self.handled_ms + self.wrapped_ms, self.handled)

    @property
    def wrap_up_ms(self) -> float | None:
        """The mean wrap-up of what agents ended."""
        return ratio(self.wrapped_by_agent_ms, self.wrapped_by_agent)


@dataclass(frozen=True)
class Figure:
    """One figure: its name in addresses, its label, what it means, and how it is made of the sums."""

    name: str
    label: Any
    definition: Any
    value: Callable[[Sums], float | None]
    unit: str = "count"  # count, share or milliseconds


FIGURES: dict[str, Figure] = {
    one.name: one
    for one in (
        Figure(
            "offered",
            _("Offered"),
            _("Entries into the queue that began in this time. What agents began themselves does not count."),
            lambda sums: sums.offered,
        ),
        Figure(
            "answered",
            _("Answered"),
            _("Entries that an agent accepted. A rejected or expired offer does not end the wait."),
            lambda sums: sums.answered,
        ),
        Figure(
            "abandoned",
            _("Abandoned"),
            _("Calls, chats and video calls that the customer ended while waiting or offered."),
            lambda sums: sums.abandoned,
        ),
        Figure(
            "shortAbandoned",
            _("Short abandons"),
            _("Abandoned within the queue's short-abandon limit; they do not count against the service level."),
            lambda sums: sums.abandoned_short,
        ),
        Figure(
            "abandonedShare",
            _("Abandoned %"),
            _("Abandoned, of all that was answered or abandoned."),
            lambda sums: sums.abandoned_share,
            "share",
        ),
        Figure(
            "flowedOut",
            _("Flow-out"),
            _("Left without answer and without the customer giving up: transferred on, or ended by others."),
            lambda sums: sums.flowed_out,
        ),
        Figure(
            "waiting",
            _("Still waiting"),
            _("Entries of this time that are not over yet: they wait, or are offered to an agent."),
            lambda sums: sums.waiting,
        ),
        Figure(
            "serviceLevel",
            _("Service level"),
            _(
                "Answered within the service level, of all that was answered or abandoned after the short-abandon "
                "limit. What still waits past the service level counts as missed; flow-outs do not count. The limits "
                "are those that the queue has now for the channel; without one there is nothing to miss."
            ),
            lambda sums: sums.service_level,
            "share",
        ),
        Figure(
            "asa",
            _("ASA"),
            _("Average speed of answer: the mean time from entering the queue until an agent accepted."),
            lambda sums: sums.asa_ms,
            "milliseconds",
        ),
        Figure(
            "longestWait",
            _("Longest wait"),
            _("The longest time from entering the queue until the entry ended, or until now."),
            lambda sums: float(sums.longest_ms) if sums.offered else None,
            "milliseconds",
        ),
        Figure(
            "longestWaitInAll",
            _("Longest wait in all"),
            _("The longest time from a workitem's creation until its entry ended, or until now, whatever came before."),
            lambda sums: float(sums.longest_customer_ms) if sums.offered else None,
            "milliseconds",
        ),
        Figure(
            "handled",
            _("Handled"),
            _("How often work left an agent's hands after he had dealt with it. What a policy ended does not count."),
            lambda sums: sums.handled,
        ),
        Figure(
            "aht",
            _("AHT"),
            _("Average handle time: active, on hold, in conference and in wrap-up, by what was handled."),
            lambda sums: sums.aht_ms,
            "milliseconds",
        ),
        Figure(
            "wrapUp",
            _("Wrap-up"),
            _("The mean time from the end until the disposition, of what agents ended."),
            lambda sums: sums.wrap_up_ms,
            "milliseconds",
        ),
    )
}

# which stays stand behind a figure, and by which of their times they count; waiting entries come from the workitems
BEHIND: Mapping[str, Q] = {
    "offered": ~Q(outcome=""),
    "answered": ANSWERED,
    "answeredInTime": ANSWERED & IN_TIME,
    "answeredLate": ANSWERED & LATE,
    "abandoned": ABANDONED,
    "shortAbandoned": ABANDONED & IS_SHORT,
    "serviceLevel": ANSWERED & (IN_TIME | LATE) | MISSED,
    "flowedOut": FLOWED_OUT,
    "handled": HANDLED,
    "wrappedUp": WRAPPED_UP,
    "wrappedUpByAgent": WRAPPED_UP_BY_AGENT,
}
BY_THEIR_END = frozenset({"handled", "wrappedUp", "wrappedUpByAgent"})
COUNTED_AT_ENTRY: dict[str, Any] = {
    "ended": Count("pk"),
    "answered": Count("pk", filter=ANSWERED),
    "answered_in_time": Count("pk", filter=ANSWERED & IN_TIME),
    "answered_late": Count("pk", filter=ANSWERED & LATE),
    "answered_ms": Coalesce(Sum("wait_ms", filter=ANSWERED), 0),
    "abandoned": Count("pk", filter=ABANDONED),
    "abandoned_short": Count("pk", filter=ABANDONED & IS_SHORT),
    "abandoned_missed": Count("pk", filter=MISSED),
    "flowed_out": Count("pk", filter=FLOWED_OUT),
    "longest_ms": Coalesce(Max("wait_ms"), 0),
    "longest_customer_ms": Coalesce(Max("customer_ms"), 0),
}
COUNTED_AT_THE_END: dict[str, Any] = {
    "handled": Count("pk", filter=HANDLED),
    "handled_ms": Coalesce(Sum("handled_ms"), 0),
    "wrapped_ms": Coalesce(Sum("lasted_ms", filter=WRAPPED_UP), 0),
    "wrapped_by_agent": Count("pk", filter=WRAPPED_UP_BY_AGENT),
    "wrapped_by_agent_ms": Coalesce(Sum("lasted_ms", filter=WRAPPED_UP_BY_AGENT), 0),
}


def entries() -> QuerySet[Stay]:
    """Return the stays with which a queue entry ended, beside them the service level of their queue and channel."""
    return with_level(Stay.objects.exclude(outcome="").order_by())


def handling() -> QuerySet[Stay]:
    """Return the stays with which an agent's handling or a wrap-up ended."""
    return Stay.objects.filter(Q(handled_ms__isnull=False) | Q(state=State.TERMINATED)).order_by()


def running() -> QuerySet[Workitem]:
    """Return the workitems whose entry into a queue is not over, beside them their service level."""
    return with_level(Workitem.objects.filter(entered_at__isnull=False).order_by())


def with_level(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Return workitems or stays with `level`, what their queue keeps of their channel: `level__sla_seconds`."""
    return rows.alias(
        level=FilteredRelation("queue__channel_rows", condition=Q(queue__channel_rows__channel=F("channel_type")))
    )


def late(levels: Iterable[int], now: datetime) -> Q:
    """Return the condition that an entry still runs past its service level; `levels` are all that there are."""
    found = Q(pk__in=[])
    for seconds in sorted(set(levels)):
        found |= Q(level__sla_seconds=seconds, entered_at__lt=now - timedelta(seconds=seconds))
    return found


def stays_behind(figure: str, start: datetime, end: datetime) -> QuerySet[Stay]:
    """Return the stays behind a figure of a stretch of time; start is within it, end is not.

    A queue, a channel or an agent is asked for in these stays: their workitems may be elsewhere by now. What still
    waits stands in `running()`, and counts as offered, and once it is late for the service level, by the same times.
    """
    field = "ended_at" if figure in BY_THEIR_END else "entered_at"
    rows = handling() if figure in BY_THEIR_END else entries()
    return rows.filter(BEHIND[figure], **{f"{field}__gte": start, f"{field}__lt": end})


def ratio(part: float, whole: float) -> float | None:
    """Return part of whole, or None where there is no whole."""
    return part / whole if whole else None
