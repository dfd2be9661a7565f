"""What an agent had in hand when he left, and what became of it: the sheet that is printed and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import OuterRef, QuerySet, Subquery

from workitems.actors import Actor
from workitems.choices import Action, Event, State
from workitems.models import BulkRun, RunItem, TimeEvent, Workitem
from workitems.presenting.run_words import reason_of
from workitems.presenting.words import grouped, name_of

ONLY_FROM = "onlyFrom"
ITEMS_SHOWN = 500
LONGEST_NOTE = 300


@dataclass(frozen=True)
class SheetLine:
    """One workitem that was handed over."""

    workitem_id: str
    item: Workitem | None  # as it is now; None where the person may not see it
    contact: str
    was: str  # the state in which it was, in words
    note: str
    outcome: str
    reason: str  # why it was not handed over


@dataclass(frozen=True)
class Sheet:
    """A handover: who has left, when, by whom, and each workitem."""

    run: BulkRun
    agent: str
    username: str
    by: str
    at: datetime
    lines: list[SheetLine]
    left_out: str
    is_going_on: bool


def is_handover(run: object) -> bool:
    """Tell whether a run has taken an agent's work back into its queues."""
    return isinstance(run, BulkRun) and run.action == Action.RETURN_TO_QUEUE and ONLY_FROM in run.arguments


def sheet_of(run: BulkRun, actor: Actor) -> Sheet:
    """Return the sheet of a handover as somebody may see it now."""
    username = run.arguments[ONLY_FROM]
    agent = User.objects.filter(username=username).first()
    items = list(run.items.order_by("pk")[:ITEMS_SHOWN])
    ids = [one.workitem_id for one in items]
    seen = {row.workitem_id: row for row in with_notes(Workitem.objects.visible_to(actor).filter(workitem_id__in=ids))}
    was = _states_before(run, items)
    return Sheet(
        run=run,
        agent=name_of(agent) if agent else username,
        username=username,
        by=name_of(run.requested_by),
        at=run.created_at,
        lines=[_line(one, seen.get(one.workitem_id), was.get(one.workitem_id, "")) for one in items],
        left_out=grouped(run.total - len(items)) if run.total > len(items) else "",
        is_going_on=not run.is_finished,
    )


def with_notes(rows: QuerySet[Workitem]) -> QuerySet[Workitem]:
    """Load along queue, agent and contact, and under `last_note` what was noted last."""
    notes = TimeEvent.objects.filter(workitem=OuterRef("pk"), type=Event.NOTED).order_by("-version")
    return rows.select_related("queue", "agent", "contact").annotate(
        last_note=Subquery(notes.values("details__text")[:1])
    )


def note_of(item: Workitem) -> str:
    """Return what was noted last, cut to what a line bears."""
    text = str(getattr(item, "last_note", None) or "")
    return text if len(text) <= LONGEST_NOTE else f"{text[: LONGEST_NOTE - 1]}…"


def _line(item: RunItem, row: Workitem | None, was: str) -> SheetLine:
    return SheetLine(
        workitem_id=item.workitem_id,
        item=row,
        contact=(str(row.contact) if row.contact else row.from_address) if row else "",
        was=str(State(was).label) if was in State.values else "",
        note=note_of(row) if row else "",
        outcome=item.outcome,
        reason=reason_of(item),
    )


def _states_before(run: BulkRun, items: Sequence[RunItem]) -> dict[str, str]:
    """Return from which state the run took each item."""
    versions = {one.workitem_id: one.version for one in items if one.version}
    events = TimeEvent.objects.filter(
        workitem__workitem_id__in=list(versions), version__in=set(versions.values()), request_id=run.request_id
    )
    told = events.values_list("workitem__workitem_id", "version", "from_state")
    return {one: state for one, version, state in told if versions[one] == version}
