"""Runs that somebody has asked for: in whose name they act, who sees them, and who may steer them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db.models import QuerySet

from workitems import runs
from workitems.actors import Actor
from workitems.choices import Door, Scope
from workitems.errors import MissingScope, NoAgent
from workitems.models import BulkRun, RunItem, Transfer, Workitem
from workitems.outcomes import Outcome

AT_ONCE_SECONDS = 5.0  # the longest that a person waits; what is left then is for the workers

Requested = TypeVar("Requested", Transfer, BulkRun)


def person(actor: Actor) -> User:
    """Return who asks; raise NoAgent where that is the system itself."""
    if actor.user is None:
        raise NoAgent
    return actor.user


def frame(actor: Actor, now: datetime, start_at: datetime | None = None) -> dict[str, Any]:
    """Return what every run keeps of who has asked for it, and when it is to start."""
    return {
        "requested_by": person(actor),
        "door": actor.door,
        "request_id": actor.request_id,
        "created_at": now,
        "start_at": start_at or now,
        "moved_at": now,
    }


def visible_to(rows: QuerySet[Requested], actor: Actor) -> QuerySet[Requested]:
    """Keep the runs that somebody may see: his own, and all of them with the admin scope everywhere."""
    if Scope.ADMIN in actor.everywhere:
        return rows
    return rows.filter(requested_by=actor.user) if actor.user is not None else rows.none()


def is_visible(requested_by: int | None, actor: Actor) -> bool:
    """Tell the same of one run, by the pk of who has asked for it."""
    return Scope.ADMIN in actor.everywhere or (actor.user is not None and actor.user.pk == requested_by)


def check_owns(run: Transfer | BulkRun, actor: Actor) -> None:
    """Raise MissingScope unless the run is the actor's own, or he has the admin scope everywhere."""
    mine = actor.user is not None and run.requested_by_id == actor.user.pk and Scope.WRITE in actor.own_items
    if not mine and Scope.ADMIN not in actor.everywhere:
        raise MissingScope(scope=Scope.ADMIN.value)


def actor_of(run: Transfer | BulkRun, token_scopes: Iterable[str] | None = None, token: str = "") -> Actor:
    """Return the requester with the rights that he has now, narrowed as his token was."""
    scopes = None if token_scopes is None else [Scope(one) for one in token_scopes]
    return Actor.of(run.requested_by, Door.JOB, scopes, token=token, request_id=run.request_id)


def do_at_once(
    kind: runs.Kind[Requested],
    run: Requested,
    act: Callable[[Requested, Sequence[RunItem], datetime], Outcome],
    *,
    clock: runs.Clock,
) -> list[Workitem]:
    """Work off a small run while the person waits, and return what changed.

    `act` does it through the door by which he has come in.
    """
    changed: dict[str, Workitem] = {}

    def act_now(run: Requested, items: Sequence[RunItem], now: datetime) -> Outcome:
        outcome = act(run, items, now)
        changed.update((one, row) for one, row in outcome.done.items() if one not in outcome.unchanged)
        return outcome

    runs.work_off(replace(kind, act=act_now), run.pk, clock=clock, seconds=AT_ONCE_SECONDS)
    run.refresh_from_db()
    return list(changed.values())


def pause(kind: runs.Kind[Requested], run: Requested, *, actor: Actor, now: datetime) -> None:
    """Let it stand still after the chunk in flight."""
    check_owns(run, actor)
    runs.pause(kind, run, now=now)


def resume(kind: runs.Kind[Requested], run: Requested, *, actor: Actor, now: datetime) -> None:
    """Let it go on."""
    check_owns(run, actor)
    runs.resume(kind, run, now=now)


def cancel(kind: runs.Kind[Requested], run: Requested, *, actor: Actor, now: datetime) -> None:
    """End it after the chunk in flight."""
    check_owns(run, actor)
    runs.cancel(kind, run, now=now)


def retry(kind: runs.Kind[Requested], run: Requested, *, actor: Actor, now: datetime) -> int:
    """Take on once more what was set aside, and return how many items that is."""
    check_owns(run, actor)
    return runs.retry(kind, run, now=now)
