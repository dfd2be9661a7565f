"""From filters to conditions, and the slices along which a page of what they leave is found at any size.

A slice fixes the columns that an index of workitems begins with, so that the index hands out the slice newest first and
a page is read from the ends of a few of them. A single filter is always made of slices; several at once are left to the
database, which knows which of them leaves the least.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q
from django.db.models.lookups import GreaterThanOrEqual

from queues.channels import Channel
from workitems.actors import Actor
from workitems.choices import OPEN, WAITING, Scope, State, Type
from workitems.querysets import WorkitemQuerySet
from workitems.search.reading import MAX_CHARACTERS
from workitems.stuck import is_stuck
from workitems.worklist.behind import is_behind
from workitems.worklist.filters import Archived, Filters
from workitems.worklist.rows import transfers_of_the_row
from workitems.worklist.sla import stands
from workitems.worklist.waits import waited_for

MOST_SLICES = 24
QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
NAMES_ARCHIVE = re.compile(r"\barchived(At)?\s*:")
WHOLE = [Q()]


def matching(rows: WorkitemQuerySet, filters: Filters, *, now: datetime, q: str = "") -> WorkitemQuerySet:
    """Keep what the filters ask for; of the archive only where they, or the search beside them, ask for it.

    What stands behind a figure is meant wherever it lies by now, in the archive too.
    """
    found = _within(filters) & _lasting(filters, now)
    found &= is_behind(filters, now) if filters.figure else _placed(filters)
    if filters.is_stale is not None:
        found &= Q(stale_at__isnull=not filters.is_stale)
    if filters.sla:
        found &= stands(filters.sla, now)
    if filters.archived is Archived.ONLY:
        found &= Q(archived_at__isnull=False)
    elif filters.archived is Archived.NO and not filters.figure and not names_archive(q):
        found &= Q(archived_at__isnull=True)
    return rows.filter(found)


def names_archive(q: str) -> bool:
    """Tell whether a search itself says what of the archive it wants."""
    return len(q) <= MAX_CHARACTERS and NAMES_ARCHIVE.search(QUOTED.sub("", q)) is not None


def slices(filters: Filters, actor: Actor) -> list[Q]:
    """Return conditions that exclude each other and, together, leave out nothing of what the filters find."""
    by_state = bool(filters.states or filters.sla)
    ways = {
        _by_state: by_state,
        _by_kind: bool(filters.types) or (bool(filters.channels) and not by_state),  # states have the channel beside
        _by_queue: bool(filters.queues),
        _by_agent: bool(filters.agents) or filters.is_with_nobody or filters.inactive_agents is not None,
        _by_priority: bool(filters.priorities),
        _by_an_index_of_their_own: (
            bool(filters.is_stale or filters.ended or filters.is_open or filters.stuck or filters.figure)
            or filters.archived is Archived.ONLY
        ),
    }
    wanted = [way for way, is_asked in ways.items() if is_asked]
    if len(wanted) > 1:
        return WHOLE
    found = wanted[0](filters) if wanted else _by_reach(actor)
    return found if 0 < len(found) <= MOST_SLICES else WHOLE


def _within(filters: Filters) -> Q:
    found = filters.created.on("created_at") & filters.ended.on("terminated_at")
    if filters.ended.end:  # what ended then had come in before: the newest need not be walked down to that day
        found &= Q(created_at__lt=filters.ended.end)
    for field, values in {
        "state": filters.states,
        "type": filters.types,
        "priority": filters.priorities,
    }.items():
        if values:
            found &= Q(**{f"{field}__in": values})
    return found


def _placed(filters: Filters) -> Q:
    """Return the condition on where it is now."""
    found = filters.with_whom
    if filters.queues:
        found &= Q(queue__in=filters.queues)
    if filters.channels:
        found &= Q(channel_type__in=filters.channels)
    return found


def _lasting(filters: Filters, now: datetime) -> Q:
    """Return the conditions on what has gone on for long, or was done often."""
    # several ways to be stuck leave no index but that of open work
    found = Q(state__in=OPEN) if filters.is_open or (filters.stuck and filters.is_about_open_work) else Q()
    if filters.age_over:
        found &= Q(state_changed_at__lte=now - filters.age_over)
    if filters.wait_over:
        found &= waited_for(filters.wait_over, now)
    if filters.transfers_min:
        found &= Q(GreaterThanOrEqual(transfers_of_the_row(), filters.transfers_min))
    if filters.stuck:
        found &= is_stuck(filters.stuck, now)
    return found


def _by_state(filters: Filters) -> list[Q]:
    states: Iterable[State] = filters.states
    if filters.sla:
        states = [one for one in WAITING if one in (filters.states or WAITING)]
    return [Q(state=state, channel_type=channel) for state in states for channel in filters.channels or Channel]


def _by_kind(filters: Filters) -> list[Q]:
    wanted = filters.channels or tuple(Channel)
    pairs = [(channel, kind) for kind in filters.types or Type for channel in kind.channels]
    return [Q(channel_type=channel, type=kind) for channel, kind in pairs if channel in wanted]


def _by_queue(filters: Filters) -> list[Q]:
    return [Q(queue_id=queue.pk) for queue in filters.queues]


def _by_agent(filters: Filters) -> list[Q]:
    if filters.is_with_nobody:
        return WHOLE
    return [Q(agent_id=pk) for pk in filters.agent_pks]


def _by_priority(filters: Filters) -> list[Q]:
    return [Q(priority=one) for one in filters.priorities]


def _by_an_index_of_their_own(_filters: Filters) -> list[Q]:
    return WHOLE


def _by_reach(actor: Actor) -> list[Q]:
    """Return the queues that somebody may see, and what he has in hand of others."""
    if Scope.READ in actor.everywhere:
        return WHOLE
    queues = actor.queues_with(Scope.READ)
    own = [Q(agent_id=actor.user.pk) & ~Q(queue_id__in=queues)] if actor.user and Scope.READ in actor.own_items else []
    return [Q(queue_id=pk) for pk in queues] + own
