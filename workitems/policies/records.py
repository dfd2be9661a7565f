"""Policies and their runs as people handle them; all of it needs the admin scope everywhere."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from workitems import audit, runs, services
from workitems.actors import Actor
from workitems.choices import Scope
from workitems.errors import (
    DuplicateObject,
    InUse,
    MissingScope,
    NoAgent,
    NothingToDo,
    StaleVersion,
    UnknownObject,
    WrongRunState,
)
from workitems.models import FINISHED, PolicyRun, PolicyRunItem, RunItem, StalePolicy, Workitem
from workitems.policies.sweeps import POLICY_RUNS

SETTLED = [
    "name", "is_enabled", "queue", "channel", "state", "after_seconds", "act", "keeps_place", "disposition",
    "warn_seconds", "cap",
]  # fmt: skip


def policies_for(actor: Actor) -> QuerySet[StalePolicy]:
    """Return the policies, for those who may do everything."""
    rows = StalePolicy.objects.select_related("queue", "disposition")
    return rows if Scope.ADMIN in actor.everywhere else rows.none()


def runs_for(actor: Actor) -> QuerySet[PolicyRun]:
    """Return the runs, newest first, for those who may do everything."""
    rows = PolicyRun.objects.select_related("policy", "requested_by", "acknowledged_by", "reopens").order_by("-pk")
    return rows if Scope.ADMIN in actor.everywhere else rows.none()


def find(policy_id: str, actor: Actor) -> StalePolicy:
    """Return a policy that the actor may see, or raise UnknownObject."""
    policy = policies_for(actor).filter(policy_id=policy_id).first()
    if policy is None:
        raise UnknownObject(what=_("stale policy"), id=policy_id)
    return policy


def find_run(run_id: str, actor: Actor) -> PolicyRun:
    """Return a run that the actor may see, or raise UnknownObject."""
    run = runs_for(actor).filter(run_id=run_id).first()
    if run is None:
        raise UnknownObject(what=_("policy run"), id=run_id)
    return run


def save(policy: StalePolicy, *, actor: Actor, now: datetime, if_version: int | None = None) -> bool:
    """Write a policy down, new or changed, with an audit entry, and tell whether anything was changed.

    Raises DuplicateObject where its id is taken, or another policy is switched on for just the same.
    """
    check_admin(actor)
    try:
        return services.in_transaction(partial(_save, policy, actor, now, if_version))
    except IntegrityError:
        namesake = StalePolicy.objects.filter(policy_id=policy.policy_id).exclude(pk=policy.pk).first()
        rival = namesake or policy.rival()
        if rival is None:
            raise
        raise DuplicateObject(what=_("stale policy"), id=rival.policy_id) from None


def delete(policy: StalePolicy, *, actor: Actor, now: datetime) -> None:
    """Delete a policy that has never acted, with an audit entry; raise InUse where there is a run of it."""
    check_admin(actor)
    with transaction.atomic():
        locked = StalePolicy.objects.select_for_update().get(pk=policy.pk)
        if locked.runs.exists():
            raise InUse(what=_("stale policy"), id=locked.policy_id)
        _audit("deleted", locked, {}, actor, now)
        locked.delete()


def alerts() -> QuerySet[PolicyRun]:
    """Return the runs that stopped at their cap and that nobody has seen to yet, newest first."""
    return PolicyRun.objects.filter(is_capped=True, acknowledged_at=None).select_related("policy").order_by("-pk")


def halting_run(policy: StalePolicy) -> PolicyRun | None:
    """Return the run for which a halted policy waits: it met its cap, or somebody cancelled it."""
    waiting = policy.runs.filter(Q(is_capped=True) | Q(state=PolicyRun.State.CANCELLED), acknowledged_at=None)
    return waiting.filter(reopens=None).order_by("-pk").first()


def go_on(run: PolicyRun, *, actor: Actor, now: datetime) -> None:
    """See to a run that has halted its policy, and let the policy go on; a second time this does nothing."""
    check_admin(actor)

    def write() -> None:
        policy = StalePolicy.objects.select_for_update().get(pk=run.policy_id)
        locked = PolicyRun.objects.select_for_update().get(pk=run.pk)
        if not locked.is_halting:
            raise WrongRunState(state=locked.get_state_display())
        if locked.acknowledged_at is not None:
            return
        PolicyRun.objects.filter(pk=run.pk).update(acknowledged_at=now, acknowledged_by=actor.user)
        if halting_run(policy) is None:
            StalePolicy.objects.filter(pk=policy.pk).update(halted_at=None)
        _audit("went on", policy, {"runId": run.run_id}, actor, now)

    services.in_transaction(write)
    run.refresh_from_db()


def reopenable(run: PolicyRun) -> QuerySet[PolicyRunItem]:
    """Return the items that a run has ended and that nobody has touched since."""
    if run.reopens_id is not None or run.terms["act"] != StalePolicy.Act.TERMINATE:
        return run.items.none()
    version = Workitem.objects.filter(workitem_id=OuterRef("workitem_id")).values("version")
    ended = run.items.filter(outcome=RunItem.Outcome.DONE)
    return ended.alias(current=Subquery(version)).filter(current=F("version")).order_by("pk")


def reopen(run: PolicyRun, *, actor: Actor, now: datetime) -> PolicyRun:
    """Write down that what a finished run has ended is to be reopened, as far as nobody has touched it since."""
    check_admin(actor)
    user = actor.user
    if user is None:
        raise NoAgent
    if run.state not in FINISHED or run.reopens_id is not None or run.terms["act"] != StalePolicy.Act.TERMINATE:
        raise WrongRunState(state=run.get_state_display())

    def write() -> PolicyRun:
        reopening = PolicyRun.objects.create(
            policy_id=run.policy_id,
            policy_version=run.policy_version,
            terms=run.terms,
            reopens=run,
            requested_by=user,
            token=actor.token,
            request_id=actor.request_id,
            created_at=now,
            start_at=now,
            moved_at=now,
        )
        reopening.total = _copy(reopening, reopenable(run))
        if not reopening.total:
            raise NothingToDo
        reopening.save(update_fields=["total"])
        return reopening

    return services.in_transaction(write)


def pause(run: PolicyRun, *, actor: Actor, now: datetime) -> None:
    """Let a run stand still after the chunk in flight; its policy begins no other meanwhile."""
    check_admin(actor)
    runs.pause(POLICY_RUNS, run, now=now)


def resume(run: PolicyRun, *, actor: Actor, now: datetime) -> None:
    """Let a run go on."""
    check_admin(actor)
    runs.resume(POLICY_RUNS, run, now=now)


def cancel(run: PolicyRun, *, actor: Actor, now: datetime) -> None:
    """End a run after the chunk in flight, and halt its policy: the next sweep would begin the same anew."""
    check_admin(actor)

    def write() -> None:
        policy = StalePolicy.objects.select_for_update().get(pk=run.policy_id)
        runs.cancel(POLICY_RUNS, run, now=now)
        if run.reopens_id is None and run.acknowledged_at is None:
            StalePolicy.objects.filter(pk=policy.pk, halted_at=None).update(halted_at=now)

    services.in_transaction(write)


def retry(run: PolicyRun, *, actor: Actor, now: datetime) -> int:
    """Take on once more what was set aside, and return how many items that is."""
    check_admin(actor)
    return runs.retry(POLICY_RUNS, run, now=now)


def check_admin(actor: Actor) -> None:
    """Raise MissingScope unless the actor may do everything everywhere."""
    if Scope.ADMIN not in actor.everywhere:
        raise MissingScope(scope=Scope.ADMIN.value)


def _save(policy: StalePolicy, actor: Actor, now: datetime, if_version: int | None) -> bool:
    if policy._state.adding:
        policy.save(force_insert=True)
        _audit("created", policy, {"values": _facts(policy)}, actor, now)
        return True
    before = StalePolicy.objects.select_for_update().get(pk=policy.pk)
    if if_version is not None and if_version != before.version:
        raise StaleVersion(expected=if_version, current=before.version)
    was = _facts(before)
    changes = {name: {"old": was[name], "new": value} for name, value in _facts(policy).items() if value != was[name]}
    if changes:
        policy.version = before.version + 1
        policy.save(update_fields=[*SETTLED, "version"])  # a sweep may have halted it meanwhile
        _audit("changed", policy, {"version": policy.version, "changes": changes}, actor, now)
    return bool(changes)


def _facts(policy: StalePolicy) -> dict[str, Any]:
    return {"name": policy.name, "isEnabled": policy.is_enabled, **policy.terms()}


def _audit(what: str, policy: StalePolicy, details: dict[str, Any], actor: Actor, now: datetime) -> None:
    audit.write(f"stale policy {what}", policy.policy_id, actor=actor, now=now, **details)


def _copy(run: PolicyRun, items: QuerySet[PolicyRunItem]) -> int:
    """Let the database copy the ids itself, however many, and return how many they are."""
    sql, params = items.values_list("workitem_id").query.sql_with_params()
    columns = "run_id, outcome, code, facts, attempts, error, workitem_id"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {PolicyRunItem._meta.db_table} ({columns}) "  # noqa: S608  made of names of our own
            f"SELECT %s, 'pending', '', '{{}}', 0, '', chosen.* FROM ({sql}) chosen",
            [run.pk, *params],
        )
        return int(cursor.rowcount)
