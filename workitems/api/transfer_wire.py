"""How bulk transfers, their previews and their receipts look on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from workitems import directory, runs
from workitems import transfers as domain
from workitems.actors import Actor
from workitems.api.representation import Wire, milliseconds
from workitems.choices import Scope
from workitems.models import Transfer, TransferItem

TRANSFER_FIELDS = (
    "transferId", "state", "total", "done", "refused", "failed", "pending", "refusals", "ratePerSecond",
    "remainingSeconds", "createdAt", "startAt", "startedAt", "finishedAt", "requestedBy", "reason", "priority", "q",
    "selectedQueue", "agentUsername", "undoes",
)  # fmt: skip
UNDOABLE = "undoable"
ITEM_FIELDS = ("workitemId", "outcome", "code", "message", "attempts", "error", "version")


def transfers(pks: Sequence[int]) -> list[Wire]:
    """Return transfers as they stand now."""
    now = timezone.now()
    rows = Transfer.objects.select_related("queue", "agent", "requested_by", "undoes").in_bulk(list(pks))
    return [transfer(rows[pk], now) for pk in pks if pk in rows]


def transfer(row: Transfer, now: datetime) -> Wire:
    """Return one transfer as it stands now; what its undo would reach is counted only where that is asked for."""
    return {
        "transferId": row.transfer_id,
        "state": row.state,
        "total": row.total,
        "done": row.done,
        "refused": row.refused,
        "failed": row.failed,
        "pending": row.pending,
        "refusals": row.refusals,
        "ratePerSecond": round(row.rate(now), 1),
        "remainingSeconds": row.remaining_seconds(now),
        "createdAt": milliseconds(row.created_at),
        "startAt": milliseconds(row.start_at),
        "startedAt": milliseconds(row.started_at),
        "finishedAt": milliseconds(row.finished_at),
        "requestedBy": row.requested_by.get_username(),
        "reason": row.reason,
        "priority": row.priority,
        "q": row.query,
        "selectedQueue": row.queue.queue_id if row.queue else "",
        "agentUsername": row.agent.get_username() if row.agent else "",
        "undoes": row.undoes.transfer_id if row.undoes else "",
    }


def undoable(row: Transfer) -> int | None:
    """Return how many workitems an undo would bring back, None while there is nothing to undo."""
    if not row.is_finished:
        return None
    return 0 if row.undoes_id is not None else domain.undoable(row).count()


def items(pks: Sequence[int]) -> list[Wire]:
    """Return lines of a receipt."""
    rows = TransferItem.objects.in_bulk(list(pks))
    return [_item(rows[pk]) for pk in pks if pk in rows]


def preview(found: domain.Preview, terms: domain.Terms, actor: Actor) -> Wire:
    """Return what a transfer would do."""
    refusals = sorted(found.forecast.refused.values(), key=lambda one: -one.count)
    return {
        "dryRun": True,
        "total": found.total,
        "willMove": found.forecast.allowed,
        "samples": found.forecast.samples,
        "refused": [
            {
                "code": one.refusal.code,
                "message": one.refusal.message,
                "count": one.count,
                "samples": one.samples,
            }
            for one in refusals
        ],
        "missing": found.missing,
        "missingSamples": found.missing_samples,
        "target": _load(found.load) if _may_see_load(terms, actor) else None,
        "drift": _drift(found.drift) if found.drift else None,
    }


def _item(row: TransferItem) -> Wire:
    return {
        "workitemId": row.workitem_id,
        "outcome": row.outcome,
        "code": row.code,
        "message": runs.refusal_of(row),
        "attempts": row.attempts,
        "error": row.error,
        "version": row.version,
    }


def _may_see_load(terms: domain.Terms, actor: Actor) -> bool:
    """Tell whether the actor may know how much waits there: one may send work into queues that one cannot see."""
    if terms.queue is not None:
        return actor.can_in(Scope.READ, terms.queue)
    assert terms.agent is not None  # noqa: S101  the preview has looked at the terms
    return directory.visible_agents(actor).filter(pk=terms.agent.pk).exists()


def _load(load: domain.Load) -> Wire:
    return {
        "waiting": load.waiting,
        "longestWaitSince": milliseconds(load.longest_since),
        "inHand": load.in_hand,
        "isOpen": load.is_open,
    }


def _drift(drift: domain.Drift) -> Wire:
    samples = {name: drift.samples.get(name, []) for name in ("changed", "gone", "new")}
    return {"changed": drift.changed, "gone": drift.gone, "new": drift.new, "samples": samples}
