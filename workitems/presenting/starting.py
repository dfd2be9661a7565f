"""How work on many begins: what is little is done while the person waits, the rest is for the workers."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from workitems import bulk, tasks, transfers
from workitems.actors import Actor
from workitems.choices import Action
from workitems.models import BulkRun, Transfer, Workitem

AT_ONCE = 200  # the most that is done while the person waits


def start(run: Transfer | BulkRun, actor: Actor, now: datetime) -> list[Workitem]:
    """Do a small run that is due at once and return what changed; leave the rest, and larger ones, to the workers."""
    changed: list[Workitem] = []
    if run.start_at > now:
        return changed
    if run.total <= AT_ONCE:
        changed = _do(run, actor)
        tasks.wake_after([action_of(run)])
    if not run.is_finished:
        wake(run)
    return changed


def wake(run: Transfer | BulkRun) -> None:
    """Tell workers about a run."""
    if isinstance(run, Transfer):
        tasks.wake_transfer(run)
    else:
        tasks.wake_bulk(run)


def action_of(run: Transfer | BulkRun) -> Action:
    """Return what a run does to each workitem."""
    return Action.TRANSFER if isinstance(run, Transfer) else Action(run.action)


def _do(run: Transfer | BulkRun, actor: Actor) -> list[Workitem]:
    if isinstance(run, Transfer):
        return transfers.do_at_once(run, actor=actor, clock=timezone.now)
    return bulk.do_at_once(run, actor=actor, clock=timezone.now)
