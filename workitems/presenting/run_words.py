"""How far a run is, in words and as a bar; every kind of run shows it alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from workitems import runs
from workitems.models import DRIVEN, Run, RunItem
from workitems.presenting.words import duration, grouped

State, Outcome = Run.State, RunItem.Outcome
COUNTS = ("done", "refused", "failed", "pending")
ICONS = {
    State.PENDING: "schedule",
    State.RUNNING: "play_circle",
    State.PAUSED: "pause_circle",
    State.DONE: "check_circle",
    State.CANCELLED: "cancel",
}
OUTCOMES = {
    Outcome.DONE: ("check", gettext_lazy("Done")),
    Outcome.REFUSED: ("block", gettext_lazy("Refused")),
    Outcome.FAILED: ("error", gettext_lazy("Set aside")),
    Outcome.PENDING: ("hourglass_empty", gettext_lazy("Pending")),
}


@dataclass(frozen=True)
class Chip:
    """A filter of the items: its words and count, where it leads, and whether it holds now."""

    words: str
    count: str
    query: str
    is_on: bool


@dataclass(frozen=True)
class Line:
    """One item of the receipt."""

    workitem_id: str
    address: str  # "" where the person may not see it
    about: str
    outcome: str
    icon: str
    word: str
    reason: str


@dataclass(frozen=True)
class Fact:
    """What is known of a run: a term with a word, a moment, or the address of something."""

    term: str
    words: str = ""
    moment: datetime | None = None
    address: str = ""


def progress_of(run: Run, now: datetime) -> dict[str, Any]:
    """Return what head, bar, figures and buttons of a run show."""
    seconds = run.remaining_seconds(now)
    return {
        "icon": icon_of(run),
        "bar": bar_of(run),
        "counts": {name: grouped(getattr(run, name)) for name in COUNTS},
        "rate": rate_of(run, now),
        "remaining": "" if seconds is None else duration(seconds),
        "is_finished": run.is_finished,
        "can_pause": run.state in DRIVEN,
        "can_resume": run.state == State.PAUSED,
        "can_cancel": not run.is_finished,
        "can_retry": run.failed > 0 and run.state != State.CANCELLED,
    }


def icon_of(run: Run) -> str:
    """Return the name of the state's icon."""
    return ICONS[State(run.state)]


def rate_of(run: Run, now: datetime) -> str:
    """Return how many items it settles a second, or ``""`` while that cannot be said."""
    rate = run.rate(now)
    if not rate:
        return ""
    number = grouped(round(rate)) if rate >= 10 else f"{rate:.1f}"
    return _("%s a second") % number


def pace_of(run: Run, now: datetime) -> str:
    """Return its rate and its remaining time in a line, as far as they can be said."""
    rate, seconds = rate_of(run, now), run.remaining_seconds(now)
    if seconds is None:
        return rate
    return _("%(rate)s, %(time)s left") % {"rate": rate, "time": duration(seconds)}


def bar_of(run: Run) -> dict[str, Any]:
    """Return the lengths of the bar, and what it says in words."""
    total = max(run.total, 1)
    share = 100 * run.settled // total
    return {
        "total": str(total),
        "done": str(run.done),
        "refused": str(run.refused),
        "refused_from": str(run.done),
        "failed": str(run.failed),
        "failed_from": str(run.done + run.refused),
        "text": _("%(settled)s of %(total)s (%(share)s %%)")
        % {"settled": grouped(run.settled), "total": grouped(run.total), "share": share},
    }


def reason_of(item: RunItem) -> str:
    """Return in a sentence why an item was refused, or what is wrong with it, or ``""``."""
    if item.outcome == Outcome.FAILED:
        text = ngettext("Given up after %(count)d attempt: %(error)s", "Given up after %(count)d attempts: %(error)s",
                        item.attempts)  # fmt: skip
        return text % {"count": item.attempts, "error": item.error}
    return runs.refusal_of(item) or item.error
