"""How work on many begins in the back office: what is changed at once leaves lines of Django's own log, too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.utils.translation import gettext as _

from workitems.actors import Actor
from workitems.choices import Action
from workitems.models import BulkRun, Transfer, Workitem
from workitems.presenting import starting


def start(run: Transfer | BulkRun, actor: Actor, now: datetime) -> None:
    """Begin a run, and write down in Django's log what has changed by then."""
    _log(starting.start(run, actor, now), actor, starting.action_of(run), run.public_id)


def _log(workitems: Sequence[Workitem], actor: Actor, action: Action, run_id: str) -> None:
    """Write a line of Django's own for each workitem that somebody has changed by way of a run."""
    if not workitems or actor.user is None:
        return
    LogEntry.objects.log_actions(
        user_id=actor.user.pk,
        queryset=workitems,
        action_flag=DELETION if action is Action.PURGE else CHANGE,
        change_message=_("%(action)s, in run %(run)s") % {"action": action.label, "run": run_id},
    )
