"""How work on many is worked off: chunk by chunk, each chunk one transaction, whatever is killed meanwhile.

A worker takes a chunk on (a row, committed), then does it in a second transaction that locks the chunk's row, changes
the workitems, settles their items and deletes the row, all or nothing. A row that is left over and not locked is one
whose worker died or failed: it is done again, after its second time item by item, and an item that has been tried five
times is set aside. So nothing is lost, nothing is done twice, and one bad item stops no other.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any, Generic, TypeVar

import orjson
from django.db import InterfaceError, OperationalError, connection
from django.db.models import F, QuerySet

from workitems import errors, outcomes, services, sets, statements
from workitems.errors import WorkitemError, WrongRunState
from workitems.models import DRIVEN, MOST_ATTEMPTS, Run, RunChunk, RunItem

CHUNK = 500
UNMOVED_AFTER = timedelta(seconds=15)
LEFT_OVER_AFTER = timedelta(seconds=5)  # a worker needs a moment between taking a chunk and locking it
WHOLE_TRIES = 2
PATIENCE_SECONDS = 0.2
MOST_ERROR = 500
DATABASE_IS_AWAY = (OperationalError, InterfaceError)  # the fault of no item

logger = logging.getLogger(__name__)
State, Outcome = Run.State, RunItem.Outcome
R = TypeVar("R", bound=Run)
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Kind(Generic[R]):
    """One kind of run: its tables, and what is done to the workitems of a chunk, inside its transaction."""

    runs: type[R]
    items: Any  # models below RunItem and RunChunk, each with a foreign key named run
    chunks: Any
    act: Callable[[R, Sequence[RunItem], datetime], outcomes.Outcome]


def work_off(kind: Kind[R], run_pk: int, *, clock: Clock, seconds: float, stop: Callable[[], bool] = bool) -> int:
    """Work off a run for at most so many seconds, or until told to stop, and return how many items were settled.

    Never stops within a chunk. Where nothing is left but what somebody else has taken on, waits for it a little.
    """
    settled, until = 0, time.monotonic() + seconds
    while not stop():
        chunk = services.in_transaction(partial(_take, kind, run_pk, clock()))
        if chunk is not None:
            settled += _do(kind, chunk, clock)
        elif _is_waiting_for_others(kind, run_pk):
            time.sleep(PATIENCE_SECONDS)
        else:
            break
        if time.monotonic() >= until:
            break
    return settled


def unfinished(kind: Kind[R], now: datetime) -> QuerySet[R]:
    """Return the runs that are due and that nobody has driven on for a while: a message was lost, or a worker died."""
    runs: QuerySet[R] = kind.runs._default_manager.filter(
        state__in=DRIVEN, start_at__lte=now, moved_at__lte=now - UNMOVED_AFTER
    )
    return runs.order_by("moved_at")


def pause(kind: Kind[R], run: R, *, now: datetime) -> None:
    """Let the run stand still after the chunks in flight."""
    _change_state(kind, run, DRIVEN, state=State.PAUSED, paused_at=now)


def resume(kind: Kind[R], run: R, *, now: datetime) -> None:
    """Let a paused run go on."""
    paused_at = kind.runs._default_manager.values_list("paused_at", flat=True).get(pk=run.pk)
    seconds = (now - paused_at).total_seconds() if paused_at and run.started_at else 0.0
    state = State.RUNNING if run.started_at else State.PENDING
    _change_state(
        kind,
        run,
        (State.PAUSED,),
        state=state,
        paused_at=None,
        moved_at=now,
        paused_seconds=F("paused_seconds") + seconds,
    )


def cancel(kind: Kind[R], run: R, *, now: datetime) -> None:
    """End the run after the chunks in flight; what is pending then stays as it is."""
    _change_state(kind, run, (*DRIVEN, State.PAUSED), state=State.CANCELLED, finished_at=now)


def retry(kind: Kind[R], run: R, *, now: datetime) -> int:
    """Take the items that were set aside on once more, and return how many they are."""

    def write() -> int:
        locked = kind.runs._default_manager.select_for_update().get(pk=run.pk)
        aside = kind.items._default_manager.filter(run=run.pk, outcome=Outcome.FAILED)
        pks = list(aside.order_by("pk").values_list("pk", flat=True))
        if not pks or locked.state == State.CANCELLED:
            raise WrongRunState(state=locked.get_state_display())
        others = kind.items._default_manager.filter(run=run.pk, pk__range=(pks[0], pks[-1]), outcome=Outcome.PENDING)
        chunks = list(_apart(pks, others.values_list("pk", flat=True)))
        aside.update(outcome=Outcome.PENDING, attempts=0, error="")
        for chunk in chunks:
            _new_chunk(kind, run.pk, chunk[0], chunk[-1], now - LEFT_OVER_AFTER, tries=0)
        state = State.PAUSED if locked.state == State.PAUSED else State.RUNNING
        kind.runs._default_manager.filter(pk=run.pk).update(
            state=state, failed=F("failed") - len(pks), finished_at=None, moved_at=now
        )
        return len(pks)

    count = services.in_transaction(write)
    run.refresh_from_db()
    return count


def _apart(pks: Iterable[int], others: Iterable[int]) -> Iterator[list[int]]:
    """Cut items into chunks within whose bounds lies none of the others, which somebody has in hand already."""
    held = set(others)
    for is_held, group in groupby(sorted({*pks, *held}), held.__contains__):
        if not is_held:
            yield from services.chunks(group, CHUNK)


def refusal_of(item: RunItem) -> str:
    """Return in a sentence why an item was refused, or ``""``."""
    return errors.message_of(item.code, {"workitem_id": item.workitem_id, **item.facts}) if item.code else ""


def _change_state(kind: Kind[R], run: R, sources: Sequence[str], **facts: Any) -> None:
    changed = kind.runs._default_manager.filter(pk=run.pk, state__in=sources).update(**facts)
    run.refresh_from_db()
    if not changed:
        raise WrongRunState(state=run.get_state_display())


def _take(kind: Kind[R], run_pk: int, now: datetime) -> RunChunk | None:
    """Take a chunk on: the next, else one that is left over; end the run where there is none at all."""
    run = kind.runs._default_manager.select_for_update().filter(pk=run_pk).first()
    if run is None or run.state not in DRIVEN or run.start_at > now:
        return None
    chunk = _next(kind, run, now) or _left_over(kind, run_pk, now)
    if chunk is not None:
        statements.commit_lazily()  # were it lost, somebody would take the same items on again
    is_over = chunk is None and not kind.chunks._default_manager.filter(run=run_pk).exists()
    run.state, run.finished_at = (State.DONE, now) if is_over else (State.RUNNING, None)
    run.started_at = run.started_at or now
    run.moved_at = now
    run.save(update_fields=["state", "started_at", "moved_at", "finished_at", "handed_out"])
    return chunk


def _left_over(kind: Kind[R], run_pk: int, now: datetime) -> RunChunk | None:
    skip = connection.features.has_select_for_update_skip_locked
    rows = kind.chunks._default_manager.select_for_update(skip_locked=skip).filter(
        run=run_pk, taken_at__lte=now - LEFT_OVER_AFTER
    )
    chunk: RunChunk | None = rows.order_by("pk").first()
    if chunk is not None:
        _mark_whole_tries(kind, chunk)
        chunk.tries += 1
        chunk.taken_at = now
        chunk.save(update_fields=["tries", "taken_at"])
    return chunk


def _next(kind: Kind[R], run: R, now: datetime) -> RunChunk | None:
    items = kind.items._default_manager.filter(run=run.pk, pk__gt=run.handed_out).order_by("pk")
    pks = list(items.values_list("pk", flat=True)[:CHUNK])
    if not pks:
        return None
    run.handed_out = pks[-1]
    return _new_chunk(kind, run.pk, pks[0], pks[-1], now, tries=1)


def _new_chunk(kind: Kind[R], run_pk: int, first: int, last: int, now: datetime, *, tries: int) -> RunChunk:
    chunk: RunChunk = kind.chunks._default_manager.create(
        run_id=run_pk, first=first, last=last, taken_at=now, tries=tries
    )
    return chunk


def _is_waiting_for_others(kind: Kind[R], run_pk: int) -> bool:
    driven = kind.runs._default_manager.filter(pk=run_pk, state__in=DRIVEN)
    return driven.exists() and bool(kind.chunks._default_manager.filter(run=run_pk).exists())


def _do(kind: Kind[R], chunk: RunChunk, clock: Clock) -> int:
    if chunk.tries <= WHOLE_TRIES:
        try:
            return services.in_transaction(partial(_do_whole, kind, chunk, chunk.taken_at))
        except DATABASE_IS_AWAY:
            raise
        except Exception:
            logger.exception("a chunk of a run failed; its items are tried one by one")
            _mark_whole_tries(kind, chunk)
            kind.chunks._default_manager.filter(pk=chunk.pk).update(tries=WHOLE_TRIES)
    return _do_one_by_one(kind, chunk, clock)


def _mark_whole_tries(kind: Kind[R], chunk: RunChunk) -> None:
    """Count for each item the times that the chunk was tried as a whole; alone, each item counts its own."""
    tries = min(chunk.tries, WHOLE_TRIES)
    _pending(kind, chunk).filter(attempts__lt=tries).update(attempts=tries)


def _do_whole(kind: Kind[R], chunk: RunChunk, now: datetime) -> int:
    run = _locked(kind, chunk)
    if run is None:
        return 0
    statements.commit_lazily()  # were it lost, it would be done again, whole
    items = list(_pending(kind, chunk).order_by("pk").defer("outcome", "code", "facts", "error", "version", "attempts"))
    settled = _act(kind, run, items, now)
    chunk.delete()
    return settled


def _do_one_by_one(kind: Kind[R], chunk: RunChunk, clock: Clock) -> int:
    """Give each item a transaction of its own, those least tried first, and each attempt a mark that outlives it."""
    settled = 0
    for pk in list(_pending(kind, chunk).order_by("attempts", "pk").values_list("pk", flat=True)):
        kind.items._default_manager.filter(pk=pk).update(attempts=F("attempts") + 1)
        kind.chunks._default_manager.filter(pk=chunk.pk).update(taken_at=clock())
        error = ""
        try:
            settled += services.in_transaction(partial(_do_one, kind, chunk, pk, clock()))
        except DATABASE_IS_AWAY:
            raise
        except Exception as problem:
            logger.exception("an item of a run failed")
            error = f"{type(problem).__name__}: {problem}"[:MOST_ERROR]
        settled += services.in_transaction(partial(_set_aside, kind, chunk, pk, error, clock()))

    def close() -> None:
        if _locked(kind, chunk) is not None and not _pending(kind, chunk).exists():
            chunk.delete()

    services.in_transaction(close)
    return settled


def _do_one(kind: Kind[R], chunk: RunChunk, pk: int, now: datetime) -> int:
    run = _locked(kind, chunk)
    items = list(_pending(kind, chunk).filter(pk=pk))
    if run is None or not items or items[0].attempts > MOST_ATTEMPTS:
        return 0
    return _act(kind, run, items, now)


def _set_aside(kind: Kind[R], chunk: RunChunk, pk: int, error: str, now: datetime) -> int:
    """Keep what went wrong, and give the item up after its last attempt."""
    item = _pending(kind, chunk).filter(pk=pk).first()
    if item is None:
        return 0
    item.error = error or item.error or "interrupted"
    given_up = item.attempts >= MOST_ATTEMPTS
    if given_up:
        item.outcome = Outcome.FAILED
        _tell_progress(kind, chunk, now, failed=F("failed") + 1)
    item.save(update_fields=["error", "outcome"])
    return int(given_up)


def _locked(kind: Kind[R], chunk: RunChunk) -> R | None:
    """Return the chunk's run with the chunk's row locked, or None where somebody else has done with it."""
    # joined, though it may have waited for the lock: what a run says does not change, and whose work it is is read here
    rows = kind.chunks._default_manager.select_for_update(of=("self",)).select_related("run__requested_by")
    locked = rows.filter(pk=chunk.pk).first()
    run: R | None = locked.run if locked else None
    return run


def _pending(kind: Kind[R], chunk: RunChunk) -> QuerySet[RunItem]:
    run_pk: int = chunk.run_id  # type: ignore[attr-defined]
    pending: QuerySet[RunItem] = kind.items._default_manager.filter(
        run=run_pk, pk__gte=chunk.first, pk__lte=chunk.last, outcome=Outcome.PENDING
    )
    return pending


def _act(kind: Kind[R], run: R, items: Sequence[RunItem], now: datetime) -> int:
    """Do it to these items' workitems, and write down what became of each."""
    outcome = kind.act(run, items, now)
    by_id = {item.workitem_id: item.pk for item in items}
    done = [
        {"id": by_id[one], "outcome": Outcome.DONE.value, "version": workitem.version}
        for one, workitem in outcome.done.items()
    ]
    sets.update(kind.items, done)
    alike: dict[tuple[str, bytes], list[int]] = defaultdict(list)
    for workitem_id, refusal in outcome.refused.items():
        alike[refusal.code, orjson.dumps(_facts(refusal))].append(by_id[workitem_id])
    refusals: dict[str, int] = defaultdict(int)
    for (code, facts), pks in alike.items():
        refusals[code] += len(pks)
        kind.items._default_manager.filter(pk__in=pks).update(
            outcome=Outcome.REFUSED, code=code, facts=orjson.loads(facts)
        )
    _count(kind, run, len(done), dict(refusals), now)
    return len(items)


def _facts(refusal: WorkitemError) -> dict[str, str]:
    """Return what the refusal's sentence needs, the workitem's own id aside."""
    return {name: str(fact) for name, fact in refusal.facts.items() if name != "workitem_id"}


def _count(kind: Kind[R], run: R, done: int, refusals: dict[str, int], now: datetime) -> None:
    """Add a chunk's outcome to its run, last of all: several workers share the run's row."""
    facts: dict[str, Any] = {"done": F("done") + done, "refused": F("refused") + sum(refusals.values())}
    rows = kind.runs._default_manager.filter(pk=run.pk)
    if refusals:
        known = rows.select_for_update().values_list("refusals", flat=True).get()
        facts["refusals"] = {code: known.get(code, 0) + refusals.get(code, 0) for code in {*known, *refusals}}
    rows.update(**facts, moved_at=now)


def _tell_progress(kind: Kind[R], chunk: RunChunk, now: datetime, **facts: Any) -> None:
    run_pk: int = chunk.run_id  # type: ignore[attr-defined]
    kind.runs._default_manager.filter(pk=run_pk).update(**facts, moved_at=now)


def is_driven(kind: Kind[R], run_pk: int) -> bool:
    """Tell whether there is still something to do."""
    return kind.runs._default_manager.filter(pk=run_pk, state__in=DRIVEN).exists()
