"""What the receipt of a transfer shows: facts, progress, every item with its outcome, and the whole as a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import orjson
from django.http import Http404, StreamingHttpResponse
from django.urls import reverse
from django.utils.http import quote_etag, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from workitems import cells, runs, transfers
from workitems.actors import Actor
from workitems.admin.base import duration, grouped
from workitems.choices import Door
from workitems.models import FINISHED, Run, RunItem, Transfer, TransferItem, Workitem

ITEMS_SHOWN = 50
SAMPLES = 10
EXPORTED_AT_ONCE = 2_000
# what spreadsheets take for the beginning of a formula, in its full-width forms too
COLUMNS = ["workitemId", "outcome", "code", "reason", "attempts", "error", "version"]

State, Outcome = Run.State, RunItem.Outcome
ICONS = {
    State.PENDING: "schedule",
    State.RUNNING: "play_circle",
    State.PAUSED: "pause_circle",
    State.DONE: "check_circle",
    State.CANCELLED: "cancel",
}
OUTCOMES = {
    Outcome.DONE: ("check", gettext_lazy("Moved")),
    Outcome.REFUSED: ("block", gettext_lazy("Refused")),
    Outcome.FAILED: ("error", gettext_lazy("Set aside")),
    Outcome.PENDING: ("hourglass_empty", gettext_lazy("Pending")),
}
# the reasons in a word or two; the sentence of each item says more
REASONS = {
    "not_found": gettext_lazy("gone, or not visible"),
    "scope": gettext_lazy("scope missing"),
    "transfer_in": gettext_lazy("may not send there"),
    "state": gettext_lazy("wrong state"),
    "queue_closed": gettext_lazy("queue closed"),
    "queue_channel": gettext_lazy("channel not taken"),
    "already_in_queue": gettext_lazy("there already"),
    "already_with_agent": gettext_lazy("with the agent already"),
    "agent_unavailable": gettext_lazy("agent unavailable"),
    "touched_since": gettext_lazy("changed since"),
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


class Receipt:
    """A transfer as one person sees it now, with the items that he asks for."""

    def __init__(self, transfer: Transfer, actor: Actor, asked: Mapping[str, str], now: datetime) -> None:
        self.transfer, self.actor, self.now = transfer, actor, now
        self.outcome = asked.get("outcome", "") if asked.get("outcome", "") in Outcome.values else ""
        self.code = asked.get("code", "") if self.outcome == Outcome.REFUSED else ""
        self.after, self.before = _number(asked.get("after", "")), _number(asked.get("before", ""))
        self.list_query = asked.get("_changelist_filters", "")

    @cached_property
    def etag(self) -> str:
        """Return what stays the same as long as nothing of the receipt has changed."""
        one = self.transfer
        facts = [
            one.pk, one.state, one.done, one.refused, one.failed, one.total, one.moved_at, one.paused_at,
            one.finished_at, self.outcome, self.code, self.after, self.before, self.list_query, self.actor.name,
        ]  # fmt: skip
        facts += [undoing.pk for undoing in self.undone_by]
        return str(quote_etag(hashlib.sha256(repr(facts).encode()).hexdigest()[:32]))

    @cached_property
    def undone_by(self) -> list[Transfer]:
        """Return the transfers that have taken it back."""
        return list(self.transfer.undone_by.order_by("pk"))

    def context(self) -> dict[str, Any]:
        """Return what the templates show."""
        transfer = self.transfer
        seconds = transfer.remaining_seconds(self.now)
        lines, newer, older = self._lines()
        return {
            "icon": icon_of(transfer),
            "bar": bar_of(transfer),
            "counts": {name: grouped(getattr(transfer, name)) for name in ("done", "refused", "failed", "pending")},
            "headline": headline_of(transfer),
            "rate": rate_of(transfer, self.now),
            "remaining": "" if seconds is None else duration(seconds),
            "is_waiting": transfer.state == State.PENDING and transfer.start_at > self.now,
            "is_finished": transfer.is_finished,
            "can_pause": transfer.state in (State.PENDING, State.RUNNING),
            "can_resume": transfer.state == State.PAUSED,
            "can_cancel": not transfer.is_finished,
            "can_retry": transfer.failed > 0 and transfer.state != State.CANCELLED,
            "can_undo": can_be_undone(transfer),
            "target": target_of(transfer),
            "undone_by": self.undone_by,
            "chips": self._chips(),
            "reasons": self._reasons(),
            "lines": lines,
            "newer": newer,
            "older": older,
            "query": self._query(outcome=self.outcome, code=self.code, after=self.after, before=self.before),
            "selected_in": self._selected_in(),
            "list_query": self.list_query,
        }

    def _query(self, **values: Any) -> str:
        kept = {"_changelist_filters": self.list_query, **values}
        return urlencode({name: value for name, value in kept.items() if value})

    def _selected_in(self) -> str:
        """Return the address of the list in which all were chosen, where that was the list of the back office."""
        if not self.transfer.query or self.transfer.door != Door.ADMIN:
            return ""
        return f"{reverse('admin:workitems_workitem_changelist')}?{self.transfer.query}"

    def _chips(self) -> list[Chip]:
        transfer = self.transfer
        counts = {
            Outcome.DONE: transfer.done,
            Outcome.REFUSED: transfer.refused,
            Outcome.FAILED: transfer.failed,
            Outcome.PENDING: transfer.pending,
        }
        chips = [Chip(_("All"), grouped(transfer.total), self._query(), not self.outcome)]
        for outcome, count in counts.items():
            if count or outcome == self.outcome:
                word, is_on = str(OUTCOMES[outcome][1]), outcome == self.outcome
                chips.append(Chip(word, grouped(count), self._query(outcome=outcome.value), is_on))
        return chips

    def _reasons(self) -> list[Chip]:
        counted = sorted(self.transfer.refusals.items(), key=lambda one: -one[1])
        return [
            Chip(
                str(REASONS.get(code, code)),
                grouped(count),
                self._query(outcome=Outcome.REFUSED.value, code=code),
                code == self.code,
            )
            for code, count in counted
        ]

    def _lines(self) -> tuple[list[Line], str, str]:
        """Return a page of the items, and the queries of the pages before and after it."""
        rows = self.transfer.items.all()
        if self.outcome:
            rows = rows.filter(outcome=self.outcome)
        if self.code:
            rows = rows.filter(code=self.code)
        backwards = bool(self.before)
        if backwards:
            items = list(rows.filter(pk__lt=self.before).order_by("-pk")[: ITEMS_SHOWN + 1])
        else:
            items = list(rows.filter(pk__gt=self.after).order_by("pk")[: ITEMS_SHOWN + 1])
        more = len(items) > ITEMS_SHOWN
        items = items[:ITEMS_SHOWN]
        if backwards:
            items.reverse()
        has_before, has_after = (more, True) if backwards else (self.after > 0, more)
        shared = {"outcome": self.outcome, "code": self.code}
        newer = self._query(**shared, before=items[0].pk) if items and has_before else ""
        older = self._query(**shared, after=items[-1].pk) if items and has_after else ""
        seen = self._seen(items)
        return [self._line(item, seen.get(item.workitem_id)) for item in items], newer, older

    def _seen(self, items: list[TransferItem]) -> dict[str, Workitem]:
        ids = [item.workitem_id for item in items]
        rows = Workitem.objects.visible_to(self.actor).filter(workitem_id__in=ids)
        return {row.workitem_id: row for row in rows.select_related("queue", "agent")}

    def _line(self, item: TransferItem, row: Workitem | None) -> Line:
        icon, word = OUTCOMES[Outcome(item.outcome)]
        about = ""
        if row is not None:
            place = row.agent_username or (row.queue.name if row.queue else "")
            about = " · ".join(text for text in (row.name, row.get_state_display(), place) if text)
        return Line(
            workitem_id=item.workitem_id,
            address=reverse("admin:workitems_workitem_change", args=[row.pk]) if row is not None else "",
            about=about,
            outcome=item.outcome,
            icon=icon,
            word=str(word),
            reason=_reason(item, row),
        )


def icon_of(transfer: Run) -> str:
    """Return the name of the state's icon."""
    return ICONS[State(transfer.state)]


def target_of(transfer: Transfer) -> str:
    """Return in a word where it goes."""
    if transfer.undoes is not None:
        return _("back to where they were")
    return transfer.target


def title_of(transfer: Transfer) -> str:
    """Return what it is called."""
    if transfer.undoes is not None:
        return _("Undo of transfer %s") % transfer.undoes.transfer_id
    return _("Transfer to %s") % transfer.target


def headline_of(transfer: Transfer) -> str:
    """Return what has come of it so far, in a sentence."""
    return _("%(done)s of %(total)s moved, %(refused)s refused, %(failed)s set aside, %(pending)s pending.") % {
        name: grouped(getattr(transfer, name)) for name in ("done", "total", "refused", "failed", "pending")
    }


def rate_of(transfer: Run, now: datetime) -> str:
    """Return how many items it settles a second, or ``""`` while that cannot be said."""
    rate = transfer.rate(now)
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


def bar_of(transfer: Run) -> dict[str, Any]:
    """Return the lengths of the bar, and what it says in words."""
    total = max(transfer.total, 1)
    share = 100 * transfer.settled // total
    return {
        "total": str(total),
        "done": str(transfer.done),
        "refused": str(transfer.refused),
        "refused_from": str(transfer.done),
        "failed": str(transfer.failed),
        "failed_from": str(transfer.done + transfer.refused),
        "text": _("%(settled)s of %(total)s (%(share)s %%)")
        % {"settled": grouped(transfer.settled), "total": grouped(transfer.total), "share": share},
    }


def can_be_undone(transfer: Transfer) -> bool:
    """Tell whether it has moved something that could go back."""
    return transfer.state in FINISHED and transfer.undoes_id is None and transfer.done > 0


def undo_question(transfer: Transfer, actor: Actor) -> dict[str, Any]:
    """Return how many items can go back and how many were touched since, with some of these."""
    undoable = transfers.undoable(transfer)
    count = undoable.count()
    moved = transfer.items.filter(outcome=Outcome.DONE)
    touched = transfer.done - count
    kept = moved.exclude(pk__in=undoable.order_by().values("pk")).order_by("pk") if touched else moved.none()
    ids = list(kept.values_list("workitem_id", flat=True)[:SAMPLES])
    seen = dict(Workitem.objects.visible_to(actor).filter(workitem_id__in=ids).values_list("workitem_id", "pk"))
    pages = {one: reverse("admin:workitems_workitem_change", args=[pk]) for one, pk in seen.items()}
    return {
        "can_go": count,
        "can_go_text": grouped(count),
        "moved": grouped(transfer.done),
        "touched": touched,
        "touched_text": grouped(touched),
        "samples": [(one, pages.get(one, "")) for one in ids],
        "left_out": grouped(touched - len(ids)) if touched > len(ids) else "",
    }


def export(transfer: Transfer, form: str) -> StreamingHttpResponse:
    """Return all items as a file, streamed: memory does not grow with the transfer."""
    if form not in ("csv", "ndjson"):
        raise Http404
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson"
    name = f'attachment; filename="{transfer.transfer_id}.{form}"'
    lines = _csv(transfer) if form == "csv" else _ndjson(transfer)
    return StreamingHttpResponse(lines, content_type=kind, headers={"Content-Disposition": name})


def _csv(transfer: Transfer) -> Iterator[str]:
    yield cells.line(COLUMNS)
    for row in _exported(transfer):
        yield cells.line(row[name] for name in COLUMNS)


def _ndjson(transfer: Transfer) -> Iterator[bytes]:
    for row in _exported(transfer):
        yield orjson.dumps(row) + b"\n"


def _exported(transfer: Transfer) -> Iterator[dict[str, Any]]:
    """Yield the items in portions, so that no statement stays open while somebody downloads slowly."""
    last = 0
    while items := list(transfer.items.filter(pk__gt=last).order_by("pk")[:EXPORTED_AT_ONCE]):
        last = items[-1].pk
        for item in items:
            yield {
                "workitemId": item.workitem_id,
                "outcome": item.outcome,
                "code": item.code,
                "reason": runs.refusal_of(item),
                "attempts": item.attempts,
                "error": item.error,
                "version": item.version or 0,
            }


def _reason(item: TransferItem, row: Workitem | None) -> str:
    if item.outcome == Outcome.REFUSED:
        return runs.refusal_of(item)
    if item.outcome == Outcome.FAILED:
        text = ngettext("Given up after %(count)d attempt: %(error)s", "Given up after %(count)d attempts: %(error)s",
                        item.attempts)  # fmt: skip
        return text % {"count": item.attempts, "error": item.error}
    if item.outcome == Outcome.DONE and row is not None and row.version != item.version:
        return _("Changed since; an undo would leave it.")
    return ""


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 19 else 0
