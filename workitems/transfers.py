"""Bulk transfers: what is to move is previewed, written down as rows, worked off, and can be taken back.

runs.py works the rows off; here stands what a transfer is: to a queue, to an agent, or back to where things were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from queues.models import Queue
from workitems import runs, services
from workitems.actors import Actor
from workitems.choices import Door, Scope
from workitems.commands import (
    Command,
    TransferOptions,
    TransferToAgent,
    TransferToQueue,
    UndoTransfer,
    check_priority,
)
from workitems.errors import (
    InvalidValue,
    MissingScope,
    NoAgent,
    NothingToDo,
    SelectionChanged,
    TooMany,
    UnknownObject,
    WrongRunState,
)
from workitems.models import FINISHED, RunItem, Transfer, TransferChunk, TransferItem, Workitem

MOST_ITEMS = 500_000
MOST_REASON = 200
IDS_AT_ONCE = 5_000
MOST_SAMPLES = services.MOST_SAMPLES
AT_ONCE_SECONDS = 5.0  # the longest that a person waits; what is left then is for the workers


@dataclass(frozen=True)
class Selection:
    """Which workitems are meant: those with these ids, or those among these rows that the actor can see.

    `seen_at` is when the person saw them, and says what has changed since.
    """

    workitem_ids: Sequence[str] | None = None
    rows: QuerySet[Workitem] | None = None
    query: str = ""  # for the record: what was searched for
    seen_at: datetime | None = None

    @property
    def ids(self) -> list[str]:
        """The ids that were named, each once."""
        return list(dict.fromkeys(self.workitem_ids or ()))

    def parts(self, actor: Actor) -> list[QuerySet[Workitem]]:
        """Return what the actor can see of it, in portions that a statement can bear."""
        visible = Workitem.objects.visible_to(actor)
        if self.rows is not None:
            return [self.rows & visible]
        return [visible.filter(workitem_id__in=ids) for ids in services.chunks(self.ids, IDS_AT_ONCE)]


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

    def command(self, transfer_id: str = "") -> Command:
        """Return what is done to each workitem."""
        options = TransferOptions(transfer_id=transfer_id)
        if self.queue is not None:
            return TransferToQueue(self.queue, options, self.priority)
        assert self.agent is not None  # noqa: S101  checked above
        return TransferToAgent(self.agent, options, self.priority)


@dataclass
class Drift:
    """What has become of a selection since somebody saw it; `samples` holds some of the ids of each kind."""

    changed: int = 0
    gone: int = 0
    new: int = 0
    samples: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Load:
    """How the target stands: how much waits, or is in the agent's hands, and since when the longest."""

    waiting: int = 0
    longest_since: datetime | None = None
    in_hand: int = 0
    is_open: bool = True


@dataclass
class Preview:
    """What a transfer would do now."""

    total: int
    forecast: services.Forecast
    missing: int  # ids that do not exist, or not for this actor
    missing_samples: list[str]
    load: Load
    drift: Drift | None


def preview(selection: Selection, terms: Terms, *, actor: Actor, now: datetime) -> Preview:
    """Return what would move and what would be refused and why, where the target stands, and what has changed."""
    terms.check()
    parts, command = selection.parts(actor), terms.command()
    forecast = services.Forecast()
    for part in parts:
        forecast.add(services.explain_many(command, part, actor=actor, now=now))
    found = forecast.allowed + forecast.refusals
    missing = _missing(selection, parts) if selection.rows is None and found < len(selection.ids) else []
    return Preview(
        total=found + len(missing),
        forecast=forecast,
        missing=len(missing),
        missing_samples=missing[:MOST_SAMPLES],
        load=load_of(terms),
        drift=_drift(selection, parts, missing),
    )


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
    user = _person(actor)

    def write() -> Transfer:
        transfer = Transfer.objects.create(
            queue=terms.queue,
            agent=terms.agent,
            reason=terms.reason,
            priority=terms.priority,
            query=selection.query,
            **_frame(actor, user, now, start_at),
        )
        _freeze(transfer, selection, actor)
        _close(transfer, expected)
        return transfer

    return services.in_transaction(write)


def do_at_once(transfer: Transfer, *, actor: Actor, clock: runs.Clock) -> None:
    """Work off a small transfer while the person waits, through the door by which he has come in."""

    def act(run: Transfer, items: Sequence[RunItem], now: datetime) -> services.Outcome:
        return services.execute_many(_command(run, items), [item.workitem_id for item in items], actor=actor, now=now)

    runs.work_off(replace(TRANSFERS, act=act), transfer.pk, clock=clock, seconds=AT_ONCE_SECONDS)
    transfer.refresh_from_db()


def undo(transfer: Transfer, *, actor: Actor, now: datetime) -> Transfer:
    """Write down that what a finished transfer has moved is to go back, as far as nobody has touched it since.

    The new transfer's total says how many these are; the rest is left where it is.
    """
    user = _person(actor)
    _check_owns(transfer, actor)
    if transfer.state not in FINISHED or transfer.undoes_id is not None:
        raise WrongRunState(state=transfer.get_state_display())

    def write() -> Transfer:
        undoing = Transfer.objects.create(undoes=transfer, **_frame(actor, user, now, None))
        _insert(undoing, undoable(transfer).values_list("workitem_id", "version"))
        _close(undoing, None)
        return undoing

    return services.in_transaction(write)


def undoable(transfer: Transfer) -> QuerySet[TransferItem]:
    """Return the items of a transfer that were moved and that nobody has touched since."""
    version = Workitem.objects.filter(workitem_id=OuterRef("workitem_id")).values("version")
    moved = transfer.items.filter(outcome=RunItem.Outcome.DONE)
    return moved.alias(current=Subquery(version)).filter(current=F("version")).order_by("pk")


def visible_to(actor: Actor) -> QuerySet[Transfer]:
    """Return the transfers that somebody may see: his own, and all of them with the admin scope everywhere."""
    transfers = Transfer.objects.select_related("queue", "agent", "requested_by", "undoes")
    if Scope.ADMIN in actor.everywhere:
        return transfers
    return transfers.filter(requested_by=actor.user) if actor.user is not None else transfers.none()


def find(transfer_id: str, actor: Actor) -> Transfer:
    """Return a transfer that the actor may see, or raise UnknownObject."""
    transfer = visible_to(actor).filter(transfer_id=transfer_id).first()
    if transfer is None:
        raise UnknownObject(what=_("transfer"), id=transfer_id)
    return transfer


def pause(transfer: Transfer, *, actor: Actor, now: datetime) -> None:
    """Let it stand still after the chunk in flight."""
    _check_owns(transfer, actor)
    runs.pause(TRANSFERS, transfer, now=now)


def resume(transfer: Transfer, *, actor: Actor, now: datetime) -> None:
    """Let it go on."""
    _check_owns(transfer, actor)
    runs.resume(TRANSFERS, transfer, now=now)


def cancel(transfer: Transfer, *, actor: Actor, now: datetime) -> None:
    """End it after the chunk in flight."""
    _check_owns(transfer, actor)
    runs.cancel(TRANSFERS, transfer, now=now)


def retry(transfer: Transfer, *, actor: Actor, now: datetime) -> int:
    """Take on once more what was set aside, and return how many items that is."""
    _check_owns(transfer, actor)
    return runs.retry(TRANSFERS, transfer, now=now)


def load_of(terms: Terms) -> Load:
    """Return how the target stands now."""
    if terms.queue is not None:
        waiting = Workitem.objects.filter(queue=terms.queue, state="inqueue")
        longest = waiting.order_by("queued_at").values_list("queued_at", flat=True).first()
        is_open = Queue.objects.values_list("is_open", flat=True).get(pk=terms.queue.pk)
        return Load(waiting=waiting.count(), longest_since=longest, is_open=is_open)
    assert terms.agent is not None  # noqa: S101  checked before
    return Load(in_hand=Workitem.objects.open().filter(agent=terms.agent).count(), is_open=terms.agent.is_active)


def _person(actor: Actor) -> User:
    if actor.user is None:
        raise NoAgent
    return actor.user


def _check_owns(transfer: Transfer, actor: Actor) -> None:
    mine = actor.user is not None and transfer.requested_by_id == actor.user.pk and Scope.WRITE in actor.own_items
    if not mine and Scope.ADMIN not in actor.everywhere:
        raise MissingScope(scope=Scope.ADMIN.value)


def _frame(actor: Actor, user: User, now: datetime, start_at: datetime | None) -> dict[str, Any]:
    scopes = None if actor.token_scopes is None else sorted(scope.value for scope in actor.token_scopes)
    return {
        "requested_by": user,
        "door": actor.door,
        "token": actor.token,
        "token_scopes": scopes,
        "request_id": actor.request_id,
        "created_at": now,
        "start_at": start_at or now,
        "moved_at": now,
    }


def _freeze(transfer: Transfer, selection: Selection, actor: Actor) -> None:
    """Write down the workitems that are meant now, in the order in which they wait."""
    for part in selection.parts(actor):
        ordered = part.in_line()  # type: ignore[attr-defined]
        _insert(transfer, ordered.values_list("workitem_id", "version")[: MOST_ITEMS + 1])
    if selection.rows is None:
        missing = _missing(selection, [])
        known = set(transfer.items.values_list("workitem_id", flat=True)) if missing else set()
        TransferItem.objects.bulk_create(
            [TransferItem(run=transfer, workitem_id=one) for one in missing if one not in known], batch_size=1000
        )


def _insert(transfer: Transfer, rows: QuerySet[Any, tuple[Any, ...]]) -> None:
    """Let the database copy ids and versions itself, however many."""
    try:
        sql, params = rows.query.sql_with_params()
    except EmptyResultSet:  # no look at the database is needed to know that there are none
        return
    columns = "run_id, workitem_id, seen_version, outcome, code, facts, attempts, error"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {TransferItem._meta.db_table} ({columns}) "  # noqa: S608  made of names of our own
            f"SELECT %s, chosen.*, 'pending', '', '{{}}', 0, '' FROM ({sql}) chosen",
            [transfer.pk, *params],
        )


def _close(transfer: Transfer, expected: int | None) -> None:
    transfer.total = transfer.items.count()
    if not transfer.total:
        raise NothingToDo
    if transfer.total > MOST_ITEMS:
        raise TooMany(most=MOST_ITEMS)
    if expected is not None and expected != transfer.total:
        raise SelectionChanged(current=transfer.total, expected=expected)
    transfer.save(update_fields=["total"])


def _missing(selection: Selection, parts: list[QuerySet[Workitem]]) -> list[str]:
    """Return the ids that were named and are not among these rows."""
    known = {one for part in parts for one in part.order_by().values_list("workitem_id", flat=True)}
    return [one for one in selection.ids if one not in known]


def _drift(selection: Selection, parts: list[QuerySet[Workitem]], missing: list[str]) -> Drift | None:
    """Return what has changed since the selection was seen; what a search matched then and not now, nobody knows."""
    if selection.seen_at is None:
        return None
    drift = Drift(gone=len(missing))
    drift.samples["gone"] = missing[:MOST_SAMPLES]
    for part in parts:
        touched = part.order_by().filter(modified_at__gt=selection.seen_at)
        kinds = {"changed": touched}
        if selection.rows is not None:
            kinds = {
                "changed": touched.filter(created_at__lte=selection.seen_at),
                "new": touched.filter(created_at__gt=selection.seen_at),
            }
        for name, rows in kinds.items():
            setattr(drift, name, getattr(drift, name) + rows.count())
            kept = drift.samples.setdefault(name, [])
            kept.extend(rows.values_list("workitem_id", flat=True)[: MOST_SAMPLES - len(kept)])
    return drift


def _act(transfer: Transfer, items: Sequence[RunItem], now: datetime) -> services.Outcome:
    """Move a chunk with the rights that the requester, read with it, has now, narrowed as his token was."""
    scopes = None if transfer.token_scopes is None else [Scope(one) for one in transfer.token_scopes]
    actor = Actor.of(transfer.requested_by, Door.JOB, scopes, token=transfer.token, request_id=transfer.request_id)
    ids = [item.workitem_id for item in items]
    return services.execute_many(_command(transfer, items), ids, actor=actor, now=now)


def _command(transfer: Transfer, items: Sequence[RunItem]) -> Command:
    if transfer.undoes_id is not None:
        versions = {item.workitem_id: item.seen_version or 0 for item in items if isinstance(item, TransferItem)}
        return UndoTransfer(versions, TransferOptions(transfer_id=transfer.transfer_id))
    # the command reads them anew itself
    queue = Queue(pk=transfer.queue_id) if transfer.queue_id else None
    agent = User(pk=transfer.agent_id) if transfer.agent_id else None
    return Terms(queue, agent, priority=transfer.priority).command(transfer.transfer_id)


TRANSFERS: runs.Kind[Transfer] = runs.Kind(Transfer, TransferItem, TransferChunk, _act)
