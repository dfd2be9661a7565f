"""Bulk transfers: what is to move is previewed, written down as rows, worked off, and can be taken back.

runs.py works the rows off; here stands what a transfer is: to a queue, to an agent, or back to where things were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from queues.models import Queue
from workitems import requested, runs, selections, services
from workitems.actors import Actor
from workitems.choices import Recording
from workitems.commands import (
    AddNote,
    Command,
    TransferOptions,
    TransferToAgent,
    TransferToQueue,
    UndoTransfer,
    check_priority,
)
from workitems.errors import InvalidValue, UnknownObject, WrongRunState
from workitems.models import FINISHED, RunItem, Transfer, TransferChunk, TransferItem, Workitem
from workitems.outcomes import Forecast, Outcome
from workitems.selections import Drift, Selection

__all__ = ["Drift", "Selection"]

MOST_REASON = 200
LONGEST_DELAY = timedelta(days=366)  # until a planned transfer starts


@dataclass(frozen=True)
class Terms:
    """Where to, why, and how urgent: exactly one of queue and agent; priority None leaves it as it is."""

    queue: Queue | None = None
    agent: User | None = None
    reason: str = ""
    priority: int | None = None

    def check(self) -> None:
        """Raise InvalidValue where this makes no sense, whatever the workitems."""
        if (self.queue is None) == (self.agent is None):
            raise InvalidValue(field="selectedQueue", problem=_("Name a queue or an agent, and not both."))
        if len(self.reason) > MOST_REASON:
            raise InvalidValue(field="reason", problem=_("There may be at most %d characters.") % MOST_REASON)
        if self.priority is not None:
            check_priority(self.priority)

    def command(self, options: TransferOptions | None = None) -> Command:
        """Return what is done to each workitem."""
        options = options or TransferOptions()
        if self.queue is not None:
            return TransferToQueue(self.queue, options, self.priority)
        assert self.agent is not None  # noqa: S101  checked above
        return TransferToAgent(self.agent, options, self.priority)


@dataclass
class Load:
    """How the target stands: how much waits, or is in the agent's hands, and since when the longest."""

    waiting: int = 0
    longest_since: datetime | None = None
    in_hand: int = 0
    is_open: bool = True


@dataclass
class Preview(selections.Preview):
    """What a transfer would do now."""

    load: Load


def move_one(
    workitem_id: str,
    terms: Terms,
    *,
    actor: Actor,
    now: datetime,
    recording: Recording | None = None,
    if_version: int | None = None,
) -> Workitem:
    """Move one workitem now and return it; raise a WorkitemError where that is refused, and then nothing has changed.

    No run keeps the reason, so it becomes a note, just before: notes are erased with the person whom they tell of.
    """
    terms.check()

    def write() -> Workitem:
        version = if_version
        if terms.reason:
            noted = services.execute(AddNote(terms.reason), workitem_id, actor=actor, now=now, if_version=version)
            version = noted.version
        command = terms.command(TransferOptions(recording=recording))
        return services.execute(command, workitem_id, actor=actor, now=now, if_version=version)

    return services.in_transaction(write)


def undo_one(workitem_id: str, version: int, *, actor: Actor, now: datetime) -> Workitem:
    """Send one workitem back to where it was before the transfer that has left it at this version."""
    command = UndoTransfer({workitem_id: version})
    return services.execute(command, workitem_id, actor=actor, now=now)


def preview(selection: Selection, terms: Terms, *, actor: Actor, now: datetime) -> Preview:
    """Return what would move and what would be refused and why, where the target stands, and what has changed."""
    terms.check()
    parts, command = selection.parts(actor), terms.command()
    forecast = Forecast()
    for part in parts:
        forecast.add(services.explain_many(command, part, actor=actor, now=now))
    return Preview(**vars(selections.preview(selection, parts, forecast)), load=load_of(terms, actor))


def request(
    selection: Selection,
    terms: Terms,
    *,
    actor: Actor,
    now: datetime,
    start_at: datetime | None = None,
    expected: int | None = None,
) -> Transfer:
    """Write down that these workitems, as they are chosen now, are to move on the actor's behalf.

    `expected` is how many the person has seen; raises SelectionChanged where there are others by now, NothingToDo and
    TooMany.
    """
    terms.check()
    framed = _frame(actor, now, start_at)

    def write() -> Transfer:
        transfer = Transfer.objects.create(
            queue=terms.queue,
            agent=terms.agent,
            reason=terms.reason,
            priority=terms.priority,
            query=selection.query,
            **framed,
        )
        selections.freeze(transfer, TransferItem, selection, actor, seen_version="version")
        selections.close(transfer, TransferItem, expected)
        return transfer

    return services.in_transaction(write)


def do_at_once(transfer: Transfer, *, actor: Actor, clock: runs.Clock) -> list[Workitem]:
    """Work off a small transfer while the person waits, through the door by which he has come in; return what moved."""

    def act(run: Transfer, items: Sequence[RunItem], now: datetime) -> Outcome:
        return services.execute_many(_command(run, items), [item.workitem_id for item in items], actor=actor, now=now)

    return requested.do_at_once(TRANSFERS, transfer, act, clock=clock)


def undo(transfer: Transfer, *, actor: Actor, now: datetime) -> Transfer:
    """Write down that what a finished transfer has moved is to go back, as far as nobody has touched it since.

    The new transfer's total says how many these are; the rest is left where it is.
    """
    framed = _frame(actor, now)
    requested.check_owns(transfer, actor)
    if transfer.state not in FINISHED or transfer.undoes_id is not None:
        raise WrongRunState(state=transfer.get_state_display())

    def write() -> Transfer:
        undoing = Transfer.objects.create(undoes=transfer, **framed)
        rows = undoable(transfer).values_list("workitem_id", "version")
        selections.copy(undoing, TransferItem, rows, ["seen_version"])
        selections.close(undoing, TransferItem, None)
        return undoing

    return services.in_transaction(write)


def undoable(transfer: Transfer) -> QuerySet[TransferItem]:
    """Return the items of a transfer that were moved and that nobody has touched since."""
    version = Workitem.objects.filter(workitem_id=OuterRef("workitem_id")).values("version")
    moved = transfer.items.filter(outcome=RunItem.Outcome.DONE)
    return moved.alias(current=Subquery(version)).filter(current=F("version")).order_by("pk")


def visible_to(actor: Actor) -> QuerySet[Transfer]:
    """Return the transfers that somebody may see: his own, and all of them with the admin scope everywhere."""
    return requested.visible_to(Transfer.objects.select_related("queue", "agent", "requested_by", "undoes"), actor)


def find(transfer_id: str, actor: Actor) -> Transfer:
    """Return a transfer that the actor may see, or raise UnknownObject."""
    transfer = visible_to(actor).filter(transfer_id=transfer_id).first()
    if transfer is None:
        raise UnknownObject(what=_("transfer"), id=transfer_id)
    return transfer


def pause(transfer: Transfer, *, actor: Actor, now: datetime) -> None:
    """Let it stand still after the chunk in flight."""
    requested.pause(TRANSFERS, transfer, actor=actor, now=now)


def resume(transfer: Transfer, *, actor: Actor, now: datetime) -> None:
    """Let it go on."""
    requested.resume(TRANSFERS, transfer, actor=actor, now=now)


def cancel(transfer: Transfer, *, actor: Actor, now: datetime) -> None:
    """End it after the chunk in flight."""
    requested.cancel(TRANSFERS, transfer, actor=actor, now=now)


def retry(transfer: Transfer, *, actor: Actor, now: datetime) -> int:
    """Take on once more what was set aside, and return how many items that is."""
    return requested.retry(TRANSFERS, transfer, actor=actor, now=now)


def load_of(terms: Terms, actor: Actor) -> Load:
    """Return how the target stands now; of an agent what the actor sees in his hands."""
    if terms.queue is not None:
        waiting = Workitem.objects.filter(queue=terms.queue, state="inqueue")
        longest = waiting.order_by("queued_at").values_list("queued_at", flat=True).first()
        is_open = Queue.objects.values_list("is_open", flat=True).get(pk=terms.queue.pk)
        return Load(waiting=waiting.count(), longest_since=longest, is_open=is_open)
    assert terms.agent is not None  # noqa: S101  checked before
    in_hand = Workitem.objects.visible_to(actor).open().filter(agent=terms.agent)
    return Load(in_hand=in_hand.count(), is_open=terms.agent.is_active)


def _frame(actor: Actor, now: datetime, start_at: datetime | None = None) -> dict[str, Any]:
    scopes = None if actor.token_scopes is None else sorted(scope.value for scope in actor.token_scopes)
    return {**requested.frame(actor, now, start_at), "token": actor.token, "token_scopes": scopes}


def _act(transfer: Transfer, items: Sequence[RunItem], now: datetime) -> Outcome:
    """Move a chunk with the rights that the requester, read with it, has now, narrowed as his token was."""
    actor = requested.actor_of(transfer, transfer.token_scopes, transfer.token)
    ids = [item.workitem_id for item in items]
    return services.execute_many(_command(transfer, items), ids, actor=actor, now=now)


def _command(transfer: Transfer, items: Sequence[RunItem]) -> Command:
    if transfer.undoes_id is not None:
        versions = {item.workitem_id: item.seen_version or 0 for item in items if isinstance(item, TransferItem)}
        return UndoTransfer(versions, TransferOptions(transfer_id=transfer.transfer_id))
    # the command reads them anew itself
    queue = Queue(pk=transfer.queue_id) if transfer.queue_id else None
    agent = User(pk=transfer.agent_id) if transfer.agent_id else None
    options = TransferOptions(transfer_id=transfer.transfer_id)
    return Terms(queue, agent, priority=transfer.priority).command(options)


TRANSFERS: runs.Kind[Transfer] = runs.Kind(Transfer, TransferItem, TransferChunk, _act)
