"""The only writer of workitems and of their history.

Every door ends here: lock the rows, ask whether this actor may see and do it, ask the lifecycle, ask the command, write
the change and its event, all in one transaction. One workitem and ten thousand go the same way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Count, Max, Min, Model, QuerySet, prefetch_related_objects
from django.db.models.expressions import DatabaseDefault

from workitems import audit, ledger, lifecycle, sets
from workitems.actors import Actor, Standing
from workitems.choices import Action, Scope
from workitems.commands import Command, Create
from workitems.errors import (
    DuplicateWorkitem,
    MissingScope,
    StaleVersion,
    UnknownWorkitem,
    WorkitemError,
    WrongState,
)
from workitems.history import BLANK, telling_of_people
from workitems.models import AuditEntry, Onlooker, OutgoingMail, Stay, TimeEvent, Workitem
from workitems.outcomes import Forecast, History, Outcome, Rehearsal

CHUNK = 500
TRIES = 3
LOST_RACES = {"40001", "40P01"}  # PostgreSQL: serialization failure, deadlock

FACTS = {column.attname for column in Workitem._meta.concrete_fields} - {"id", "version"}

T = TypeVar("T")


@dataclass
class Decided:
    """A locked workitem, changed in memory, with what has to be written."""

    workitem: Workitem
    changes: dict[str, Any]
    event: dict[str, Any] | None  # by the names of its columns
    stay: dict[str, Any] | None = None  # the one that ended with it, where it has moved
    companions: Sequence[Model] = ()


def execute(
    command: Command, workitem_id: str, *, actor: Actor, now: datetime, if_version: int | None = None
) -> Workitem:
    """Do one thing to one workitem and return it as it is now; raise a WorkitemError where that is refused."""
    outcome = in_transaction(partial(_execute_chunk, command, [workitem_id], actor, now, if_version))
    for refusal in outcome.refused.values():
        raise refusal
    return outcome.done[workitem_id]


def execute_many(command: Command, workitem_ids: Iterable[str], *, actor: Actor, now: datetime) -> Outcome:
    """Do one thing to many workitems, 500 a transaction; what is refused is reported and stops nothing else."""
    total = Outcome()
    for chunk in chunks(dict.fromkeys(workitem_ids), CHUNK):
        outcome = in_transaction(partial(_execute_chunk, command, chunk, actor, now, None))
        total.done.update(outcome.done)
        total.unchanged |= outcome.unchanged
        total.refused.update(outcome.refused)
    return total


def create(command: Create, *, actor: Actor, now: datetime) -> Workitem:
    """Let a workitem arrive and return it; raise a WorkitemError where that is refused."""
    _check_may_create(command, actor)

    def write() -> Workitem:
        arrival = _arrival(command, actor, now)
        arrival.workitem.save(force_insert=True)
        assert arrival.event is not None  # noqa: S101  an arrival always tells of itself
        arrival.event.save(force_insert=True)
        return arrival.workitem

    try:
        return in_transaction(write)
    except IntegrityError:
        if Workitem.objects.filter(workitem_id=command.workitem_id).exists():
            raise DuplicateWorkitem(workitem_id=command.workitem_id) from None
        raise


def record(histories: Sequence[History], *, actor: Actor) -> None:
    """Write down workitems that lived elsewhere, with their own times; all of them or none.

    They are facts and not wishes, so no command runs. The database's constraints hold all the same.
    """
    if Scope.ADMIN not in actor.everywhere:
        raise MissingScope(scope=Scope.ADMIN.value)

    def write() -> None:
        stays: list[tuple[Workitem, list[ledger.Row]]] = []
        for history in histories:
            history.workitem.version = len(history.events)
            for version, event in enumerate(history.events, start=1):
                event.workitem, event.version, event.door = history.workitem, version, actor.door
            standing, rows = ledger.follow(history.workitem, history.events)
            standing.write(history.workitem)
            stays.append((history.workitem, rows))
        Workitem.objects.bulk_create([history.workitem for history in histories])
        events = [event for history in histories for event in history.events]
        sets.insert(TimeEvent, [_told(event) for event in events])
        sets.insert(Stay, [row | {"workitem_id": workitem.pk} for workitem, rows in stays for row in rows])

    in_transaction(write)


def _told(event: TimeEvent) -> dict[str, Any]:
    """Return an event of a workitem that is saved by now, by the names of its columns."""
    told = {}
    for column in TimeEvent._meta.concrete_fields:
        value = getattr(event, column.attname)
        told[column.attname] = column.db_default if isinstance(value, DatabaseDefault) else value
    del told["id"]
    return told | {"workitem_id": event.workitem.pk}


def blank_history(workitem_ids: Sequence[str], *, actor: Actor) -> int:
    """Take out of the events of these workitems what can tell of a person, and return how many events that were.

    The triggers allow it only where the personal data of the workitem's contact was erased before.
    """
    if Scope.ADMIN not in actor.everywhere:
        raise MissingScope(scope=Scope.ADMIN.value)
    events = TimeEvent.objects.filter(telling_of_people(), workitem__workitem_id__in=workitem_ids)
    return events.update(details=BLANK)


def explain(workitem: Standing, actor: Actor) -> dict[Action, WorkitemError | None]:
    """Return every action with None where this actor may take it now, else the reason why not."""
    return {action: lifecycle.refusal(action, workitem, actor) for action in lifecycle.ITEM_ACTIONS}


def explain_command(command: Command, workitem: Workitem, actor: Actor, now: datetime) -> WorkitemError | None:
    """Return why this very command would be refused, or None; write nothing."""
    try:
        _decide(command.fresh().knowing([workitem]), workitem, actor, now)
    except WorkitemError as refusal:
        return refusal
    return None


def explain_many(command: Command, rows: QuerySet[Workitem], *, actor: Actor, now: datetime) -> Forecast:
    """Return what the command would do to all of these workitems, in a few queries however many; write nothing.

    Workitems that are alike in all that decides are decided once.
    """
    command, forecast = command.fresh(), Forecast()
    if command.decides_by is None:
        for pks in chunks(rows.order_by().values_list("pk", flat=True).iterator(), CHUNK):
            workitems = list(Workitem.objects.filter(pk__in=pks).prefetch_related("queue", "agent"))
            knowing = command.knowing(workitems)
            for workitem in workitems:
                forecast.count(_refusal(knowing, workitem, actor, now), 1, [workitem.workitem_id])
        return forecast
    kinds = (
        rows.order_by().values_list(*command.decides_by).annotate(Count("pk"), Min("workitem_id"), Max("workitem_id"))
    )
    alike = [
        (Workitem(workitem_id=first, **dict(zip(command.decides_by, facts, strict=True))), count, last)
        for *facts, count, first, last in kinds
    ]
    prefetch_related_objects([workitem for workitem, _count, _last in alike], "queue", "agent")
    for workitem, count, last in alike:
        forecast.count(_refusal(command, workitem, actor, now), count, [workitem.workitem_id, last])
    return forecast


def rehearse(
    command: Command, workitem_id: str, *, actor: Actor, now: datetime, if_version: int | None = None
) -> Rehearsal:
    """Return what executing this would lead to, or raise what it would raise; write nothing and lock nothing."""
    command = command.fresh()
    workitem = Workitem.objects.filter(workitem_id=workitem_id).first()
    if workitem is not None:
        command = command.knowing([workitem])
    if workitem is None or not actor.can(Scope.READ, command.standing(workitem, actor)):
        raise UnknownWorkitem(workitem_id=workitem_id)
    if if_version is not None and if_version != workitem.version:
        raise StaleVersion(expected=if_version, current=workitem.version)
    change = _change(command, workitem, actor, now)
    event = TimeEvent(**change.event) if change and change.event else None
    return Rehearsal(workitem, event, changes=change is not None)


def rehearse_create(command: Create, *, actor: Actor, now: datetime) -> Rehearsal:
    """Return the workitem that would arrive, or raise what creating it would raise; write nothing."""
    _check_may_create(command, actor)
    return _arrival(command, actor, now)


def in_transaction(work: Callable[[], T]) -> T:
    """Run work in a transaction, anew up to twice where the database chose it as the loser of a race."""
    for attempt in range(1, TRIES + 1):
        try:
            with transaction.atomic():
                return work()
        except OperationalError as error:
            lost = getattr(error.__cause__, "sqlstate", None) in LOST_RACES
            if not lost or connection.in_atomic_block or attempt == TRIES:
                raise
    raise AssertionError("unreachable")


def chunks(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut a sequence into lists of this size; the last may be shorter."""
    rest = iter(things)
    while chunk := list(islice(rest, size)):
        yield chunk


def _check_may_create(command: Create, actor: Actor) -> None:
    if not actor.can_in(Scope.WRITE, command.queue):
        raise MissingScope(scope=Scope.WRITE.value)


def _arrival(command: Create, actor: Actor, now: datetime) -> Rehearsal:
    """Return a workitem and its first event, neither of them saved."""
    arrival = command.fresh()
    arrival.check(actor)
    workitem = arrival.build(actor, now)
    if command.workitem_id and Workitem.objects.filter(workitem_id=command.workitem_id).exists():
        raise DuplicateWorkitem(workitem_id=command.workitem_id)
    code = lifecycle.MOVES[Action.CREATE].event or ""
    step = ledger.Step(code, workitem.created_at, ledger.Place.of(workitem), workitem.version)
    ledger.begin(workitem.type, step).write(workitem)
    event = _event(workitem, code, "", actor, now, {})
    return Rehearsal(workitem, TimeEvent(**{**event, "workitem_id": None, "workitem": workitem}))


def _execute_chunk(
    command: Command, workitem_ids: Sequence[str], actor: Actor, now: datetime, if_version: int | None
) -> Outcome:
    command.lock_first(actor)
    command = command.fresh()
    locked = {workitem.workitem_id: workitem for workitem in lock(workitem_ids, command.reads)}
    command = command.knowing(list(locked.values()))
    outcome, decided = Outcome(), []
    for workitem_id in workitem_ids:
        workitem = locked.get(workitem_id)
        try:
            if workitem is None or not actor.can(Scope.READ, command.standing(workitem, actor)):
                raise UnknownWorkitem(workitem_id=workitem_id)
            if if_version is not None and if_version != workitem.version:
                raise StaleVersion(expected=if_version, current=workitem.version)
            change = _change(command, workitem, actor, now)
        except WorkitemError as refusal:
            outcome.refused[workitem_id] = refusal
            continue
        outcome.done[workitem_id] = workitem
        if change is None:
            outcome.unchanged.add(workitem_id)
        else:
            decided.append(change)
    if command.action is Action.PURGE:
        _remove([change.workitem for change in decided], actor, now)
    else:
        _write(decided)
    return outcome


def lock(workitem_ids: Sequence[str], reads: Sequence[str] = ()) -> list[Workitem]:
    """Lock these workitems, lowest pk first so that two of us cannot block each other; of many load what is read only.

    Neighbours are loaded after the lock and never joined: PostgreSQL, having waited for a row, looks at its new version
    but keeps the joined rows of the old one. One workitem loads its neighbours when a command asks for them.
    """
    rows = Workitem.objects.select_for_update().filter(workitem_id__in=workitem_ids).order_by("pk")
    if len(workitem_ids) == 1:
        return list(rows)
    read = rows.only(*reads, *ledger.READS) if reads else rows
    return list(read.prefetch_related("queue", "agent"))


def _refusal(command: Command, workitem: Workitem, actor: Actor, now: datetime) -> WorkitemError | None:
    if not actor.can(Scope.READ, command.standing(workitem, actor)):
        return UnknownWorkitem(workitem_id=workitem.workitem_id)
    try:
        _decide(command, workitem, actor, now)
    except WorkitemError as refusal:
        return refusal
    return None


def _decide(command: Command, workitem: Workitem, actor: Actor, now: datetime) -> bool:
    """Return whether there is something to change; raise a WorkitemError where it is refused."""
    refusal = lifecycle.refusal(command.action, command.standing(workitem, actor), actor)
    settled = isinstance(refusal, WrongState) and workitem.state == command.target(workitem)
    if settled and command.already(workitem):
        return False
    if refusal is not None:
        raise refusal
    command.check(workitem, actor, now)
    return not command.already(workitem)


def _change(command: Command, workitem: Workitem, actor: Actor, now: datetime) -> Decided | None:
    if not _decide(command, workitem, actor, now):
        return None
    if command.action is Action.PURGE:
        return Decided(workitem, {}, None)
    before, standing = workitem.__dict__.copy(), ledger.Standing.of(workitem)
    code, target = command.event(workitem), command.target(workitem)
    details = command.change(workitem, actor, now)
    if target is not None:
        workitem.enter_state(target, now)
    workitem.modified_at = now
    if command.is_activity:
        workitem.show_activity(now)
    workitem.version += 1
    stay = None
    if standing is not None:
        step = ledger.Step(
            code,
            now,
            ledger.Place.of(workitem),
            workitem.version,
            ended_by=workitem.ended_by or before["ended_by"],
            waits_since=command.waited_since(workitem),
        )
        stay = _move(workitem, standing, step)
    changes = {
        name: value
        for name, value in workitem.__dict__.items()
        if value is not before.get(name, before) and name in FACTS and (name not in before or value != before[name])
    }
    event = _event(workitem, code, before["state"], actor, now, details)
    return Decided(workitem, changes, event, stay, tuple(command.companions(workitem, details, now)))


def _move(workitem: Workitem, standing: ledger.Standing, step: ledger.Step) -> ledger.Row | None:
    """Keep on the row where it stands now, and return the stay that has ended, if one has."""
    after, stay = ledger.move(workitem, standing, step)
    if stay is not None:
        after.write(workitem)
    return stay


def _event(workitem: Workitem, code: str, from_state: str, actor: Actor, now: datetime, details: Any) -> dict[str, Any]:
    return {
        "workitem_id": workitem.pk,
        "version": workitem.version,
        "type": str(code),
        "timestamp": now,
        "actor": actor.name,
        "user_id": actor.user.pk if actor.user else None,
        "door": actor.door.value,
        "token": actor.token,
        "request_id": actor.request_id,
        "from_state": from_state,
        "to_state": str(workitem.state),
        "queue_id": workitem.queue_id,
        "agent_id": workitem.agent_id,
        "details": details,
    }


def _write(decided: Sequence[Decided]) -> None:
    """Write all changes, one statement for all rows in which the same columns change, and all events."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for change in decided:
        alike[tuple(sorted(change.changes))].append({"id": change.workitem.pk, **change.changes})
    for rows in alike.values():
        sets.update(Workitem, rows, adding={"version": 1})
    sets.insert(TimeEvent, [change.event for change in decided if change.event is not None])
    sets.insert(Stay, [change.stay for change in decided if change.stay is not None])
    for row in (row for change in decided for row in change.companions):
        row.save(force_insert=True)


def _remove(workitems: Sequence[Workitem], actor: Actor, now: datetime) -> None:
    """Delete workitems and then their history: the triggers allow it in this order only."""
    pks = [workitem.pk for workitem in workitems]
    events = TimeEvent.objects.filter(workitem__in=pks)
    AuditEntry.objects.bulk_create(audit.entry("purged", item.workitem_id, actor=actor, now=now) for item in workitems)
    OutgoingMail.objects.filter(workitem__in=pks).delete()
    Onlooker.objects.filter(workitem__in=pks).delete()
    Stay.objects.filter(workitem__in=pks)._raw_delete(using=events.db)
    Workitem.objects.filter(pk__in=pks)._raw_delete(using=events.db)
    events._raw_delete(using=events.db)
