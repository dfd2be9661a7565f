"""How work on many begins: what is little is done while the person waits, the rest is for the workers.

What a person changes at once leaves lines of Django's own log too, beside the events.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.utils import timezone
from django.utils.translation import gettext as _

from workitems import bulk, tasks, transfers
from workitems.actors import Actor
from workitems.admin import base
from workitems.choices import Action
from workitems.models import BulkRun, Transfer, Workitem

AT_ONCE = base.AT_ONCE


def start(run: Transfer | BulkRun, actor: Actor, now: datetime) -> None:
    """Do a small run that is due at once; leave the rest of it, and larger ones, to the workers."""
    if run.start_at > now:
        return
    if run.total <= AT_ONCE:
        changed = _do(run, actor)
        log(changed, actor, action_of(run), run.public_id)
        tasks.wake_after([action_of(run)])
    if not run.is_finished:
        wake(run)


def wake(run: Transfer | BulkRun) -> None:
    """Tell workers about a run."""
    if isinstance(run, Transfer):
        tasks.wake_transfer(run)
    else:
        tasks.wake_bulk(run)


def action_of(run: Transfer | BulkRun) -> Action:
    """Return what a run does to each workitem."""
    return Action.TRANSFER if isinstance(run, Transfer) else Action(run.action)


def log(workitems: Sequence[Workitem], actor: Actor, action: Action, run_id: str) -> None:
    """Write a line of Django's own for each workitem that somebody has changed by way of a run."""
    if not workitems or actor.user is None:
        return
    LogEntry.objects.log_actions(
        user_id=actor.user.pk,
        queryset=workitems,
        action_flag=DELETION if action is Action.PURGE else CHANGE,
        change_message=_("%(action)s, in run %(run)s") % {"action": action.label, "run": run_id},
    )


def _do(run: Transfer | BulkRun, actor: Actor) -> list[Workitem]:
    if isinstance(run, Transfer):
        return transfers.do_at_once(run, actor=actor, clock=timezone.now)
    return bulk.do_at_once(run, actor=actor, clock=timezone.now)
