"""Who has the page of a workitem open, so that two people do not take care of the same thing without knowing.

A page says every few seconds that it is looked at; what was not said lately does not count. Looking is no event: it
changes neither a workitem nor its version. Nobody is told of what he may not see, and nobody is named who may not see
it any more.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet

from workitems.actors import Actor, may_read
from workitems.models import Onlooker, Workitem

COUNTS_FOR = timedelta(seconds=30)
LOOKS_EVERY = timedelta(seconds=15)


def look(workitem_pk: int, actor: Actor, now: datetime) -> None:
    """Take note that this person has the page of this workitem open."""
    if actor.user is None:
        return
    looks = Onlooker.objects.filter(workitem=workitem_pk, user=actor.user)
    if looks.filter(seen_at__gt=now - COUNTS_FOR).update(seen_at=now):
        return
    row = Onlooker(workitem_id=workitem_pk, user=actor.user, since=now, seen_at=now)
    try:
        with transaction.atomic():
            Onlooker.objects.bulk_create(
                [row], update_conflicts=True, unique_fields=["workitem", "user"], update_fields=["since", "seen_at"]
            )
    except IntegrityError:  # it was purged meanwhile
        return


def leave(workitem_pk: int, actor: Actor) -> None:
    """Take note that this person has closed the page; another one that he has open says so again soon."""
    Onlooker.objects.filter(workitem=workitem_pk, user=actor.user).delete()


def others(workitem: Workitem, actor: Actor, now: datetime) -> list[tuple[str, datetime]]:
    """Return who else looks at this workitem and since when, by name, the first to come first."""
    rows = _looking(now).filter(workitem=workitem).exclude(user=actor.user).order_by("since", "pk")
    return [(_name(row.user), row.since) for row in rows]


def open_elsewhere(actor: Actor, now: datetime) -> dict[int, list[str]]:
    """Return the workitems that others have open, of those that the actor may see, each with their names."""
    seen = Workitem.objects.visible_to(actor).filter(pk=OuterRef("workitem_id"))
    rows = _looking(now).filter(Exists(seen)).exclude(user=actor.user).order_by("since", "pk")
    found: dict[int, list[str]] = {}
    for row in rows:
        found.setdefault(row.workitem_id, []).append(_name(row.user))
    return found


def mark(workitem_id: str, now: datetime) -> str:
    """Return a mark that changes when somebody comes to look at a workitem, or goes."""
    rows = _looking(now).filter(workitem__workitem_id=workitem_id).order_by("user")
    return hashlib.sha256(repr(list(rows.values_list("user", flat=True))).encode()).hexdigest()[:12]


def forget(*, before: datetime) -> int:
    """Delete what does not count any more, and return how many rows that was."""
    return Onlooker.objects.filter(seen_at__lt=before).delete()[0]


def _looking(now: datetime) -> QuerySet[Onlooker]:
    """Return those who look now and may see what they look at."""
    fresh = Onlooker.objects.filter(seen_at__gt=now - COUNTS_FOR)
    return fresh.filter(may_read("user", "workitem__queue", "workitem__agent")).select_related("user")


def _name(user: User) -> str:
    return user.get_full_name() or user.get_username()
