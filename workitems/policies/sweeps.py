"""What the beat does with stale policies: warn ahead, begin runs, and act on their items."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection

from workitems import runs, services, statements
from workitems.actors import Actor
from workitems.choices import Door, Scope
from workitems.commands import Command, DisposeStale, ReopenUntouched, RequeueStale, Stale, TerminateStale, WarnStale
from workitems.errors import IsExempt, OtherPolicy
from workitems.models import FINISHED, Disposition, PolicyRun, PolicyRunChunk, PolicyRunItem, RunItem, StalePolicy
from workitems.outcomes import Outcome
from workitems.policies import reach as reaches
from workitems.policies.reach import Found, Reach, Sought

NAME = "stale-policies"
MOST_WARNED = 5_000  # in one sweep; the next one goes on
MOST_EXEMPT = 100  # that a run names as spared

Act = StalePolicy.Act


def look(*, now: datetime) -> list[Found]:
    """Return where there is something to warn of or to act on: three queries, whatever the number of workitems."""
    awake = _awake()
    unwarned = [(one, Sought.UNWARNED) for one in awake if one.policy.warn_seconds]
    return reaches.look([*unwarned, *((one, Sought.DUE) for one in awake)], now)


def warn(found: Sequence[Found], *, now: datetime) -> int:
    """Mark what a policy will act on soon, and return how many workitems were marked; no more than 5,000 at a time."""
    warned = 0
    for one in found:
        if one.sought is Sought.UNWARNED and warned < MOST_WARNED:
            warned += _warn(one, now, MOST_WARNED - warned)
    return warned


def sweep(found: Sequence[Found], *, now: datetime) -> list[PolicyRun]:
    """Begin a run for each policy that finds something stale, and return the runs."""
    due = [one for one in found if one.sought is Sought.DUE]
    begun = [services.in_transaction(partial(_begin, one, now)) for one in due]
    return [run for run in begun if run is not None]


def _awake() -> list[Reach]:
    """Return where the policies hold that are switched on and not halted."""
    return [one for one in reaches.resolve(reaches.enabled()) if one.policy.halted_at is None]


def _warn(found: Found, now: datetime, most: int) -> int:
    policy = found.reach.policy
    sql, params = reaches.oldest(found, Sought.UNWARNED, now, most)
    ids = [workitem_id for workitem_id, _exempt_until in statements.fetch(sql, params)]
    soon = Stale(
        after=policy.after - policy.warning,
        state=policy.state,
        where=found.reach.channels,
        details={"policyId": policy.policy_id, "policyVersion": policy.version},
    )
    outcome = services.execute_many(WarnStale(soon, policy.warning), ids, actor=_system(), now=now)
    return len(outcome.done)


def _begin(found: Found, now: datetime) -> PolicyRun | None:
    """Write a run down with what it is to act on; None where somebody else has, or nothing is left.

    The policy's row is locked, so two sweeps at once do not begin two runs.
    """
    seen = found.reach.policy
    policy = StalePolicy.objects.select_for_update().filter(pk=seen.pk).first()
    if policy is None or not policy.is_enabled or policy.version != seen.version or policy.halted_at is not None:
        return None
    if policy.runs.filter(reopens=None).exclude(state__in=FINISHED).exists():
        return None
    run = PolicyRun(policy=policy, policy_version=policy.version, terms=policy.terms())
    run.created_at = run.start_at = run.moved_at = now
    run.save(force_insert=True)
    meant = _take(run, found, policy.cap, now)
    if not meant:
        run.delete()
        return None
    run.is_capped = meant > policy.cap
    spared = _spare(run, found, now)
    run.total, run.refused = min(meant, policy.cap) + spared, spared
    run.refusals = {IsExempt.code: spared} if spared else {}
    run.save(update_fields=["total", "refused", "refusals", "is_capped"])
    if run.is_capped:
        policy.halted_at = now
        policy.save(update_fields=["halted_at"])
    return run


def _take(run: PolicyRun, found: Found, cap: int, now: datetime) -> int:
    """Write down what is to be acted on, as far as the cap, and return how much that is or, if more is due, cap + 1."""
    meant = _insert(run, reaches.oldest(found, Sought.DUE, now, cap + 1), "pending")
    if meant > cap:
        run.items.filter(pk=run.items.order_by("-pk").values("pk")[:1]).delete()
    return meant


def _spare(run: PolicyRun, found: Found, now: datetime) -> int:
    """Write down some of what would be acted on in this run had nobody exempted it, and return how much that is."""
    everywhere = Found(found.reach, Sought.DUE_OR_EXEMPT, found.reach.places)
    sql, params = reaches.oldest(everywhere, Sought.DUE_OR_EXEMPT, now, found.reach.policy.cap)
    exempt = f"SELECT workitem_id FROM ({sql}) old WHERE exempt_until > %s LIMIT {MOST_EXEMPT}"  # noqa: S608
    at = connection.ops.adapt_datetimefield_value(now)
    return _insert(run, (exempt, [*params, at]), "refused", IsExempt.code)


def _insert(run: PolicyRun, ids: tuple[str, list[Any]], outcome: str, code: str = "") -> int:
    """Let the database copy the ids itself, however many, and return how many they are."""
    sql, params = ids
    columns = "run_id, outcome, code, facts, attempts, error, workitem_id"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {PolicyRunItem._meta.db_table} ({columns}) "  # noqa: S608  made of names of our own
            f"SELECT %s, %s, %s, '{{}}', 0, '', ids.workitem_id FROM ({sql}) ids",
            [run.pk, outcome, code, *params],
        )
        return int(cursor.rowcount)


def _act(run: PolicyRun, items: Sequence[RunItem], now: datetime) -> Outcome:
    """Do to a chunk what the run says, as far as the policy still says so."""
    ids = [item.workitem_id for item in items]
    if run.reopens_id is not None:
        return services.execute_many(_reopening(run, ids), ids, actor=_requester(run), now=now)
    reach = _reach_now(run)
    if reach is None:
        return Outcome(refused={one: OtherPolicy() for one in ids})
    return services.execute_many(_command(run, reach), ids, actor=_system(), now=now)


def _reach_now(run: PolicyRun) -> Reach | None:
    """Return where the run's policy holds now, unless it was switched off or changed since."""
    for one in reaches.resolve(reaches.enabled()):
        if one.policy.pk == run.policy_id and one.policy.version == run.policy_version:
            return one
    return None


def _command(run: PolicyRun, reach: Reach) -> Command:
    terms: dict[str, Any] = run.terms
    stale = Stale(
        after=timedelta(seconds=terms["afterSeconds"]),
        state=terms["state"],
        where=reach.channels,
        warned=terms["warnSeconds"] > 0,
        details={"policyId": reach.policy.policy_id, "policyVersion": run.policy_version, "runId": run.run_id},
    )
    if terms["act"] == Act.REQUEUE:
        return RequeueStale(keeps_place=terms["keepsPlace"], stale=stale)
    if terms["act"] == Act.DISPOSE:
        return DisposeStale(Disposition.objects.get(disposition_id=terms["dispositionId"]), stale=stale)
    return TerminateStale(stale)


def _reopening(run: PolicyRun, ids: Sequence[str]) -> Command:
    left = PolicyRunItem.objects.filter(run=run.reopens_id, workitem_id__in=ids)
    versions = {workitem_id: version or 0 for workitem_id, version in left.values_list("workitem_id", "version")}
    return ReopenUntouched(versions, {"runId": run.run_id})


def _requester(run: PolicyRun) -> Actor:
    """Return the person who asked for it, read with the chunk, with the rights that he has now."""
    assert run.requested_by is not None  # noqa: S101  only people reopen
    return Actor.of(run.requested_by, Door.JOB, token=run.token, request_id=run.request_id)


def _system() -> Actor:
    return Actor.job(NAME, Scope.ADMIN)


POLICY_RUNS: runs.Kind[PolicyRun] = runs.Kind(PolicyRun, PolicyRunItem, PolicyRunChunk, _act)
