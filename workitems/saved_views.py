"""Saved views of the list of workitems: whose they are, who sees them, and how many workitems each of them shows.

A view is a way of looking and gives no rights: what it shows is what the person who opens it may see.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib.auth.models import Group, User
from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from workitems import audit
from workitems.actors import Actor
from workitems.cached import remembered
from workitems.choices import Scope
from workitems.errors import InvalidValue, WorkitemError
from workitems.models import SavedView, Workitem

VIEW = "view"  # in the list's address, beside the view's own query
NOT_KEPT = frozenset({VIEW, "p", "e", "all", "_popup", "_to_field", "_changelist_filters"})
MOST_CHARACTERS = 8_000
MOST_PARAMETERS = 200
MOST_COLUMNS = 40
MOST_IN_MENU = 20
MOST_COUNTED = 1_000
COUNTS_LAST_SECONDS = 30
ONE_COUNT_MILLISECONDS = 500
ALL_COUNTS_MILLISECONDS = 2_000
QUERY_CANCELLED = "57014"

# from a view's query and who asks to the rows that the list would show
RowsOf = Callable[[str, Actor], QuerySet[Workitem]]


def visible_to(actor: Actor) -> QuerySet[SavedView]:
    """Return the actor's own views, those shared with a group of his, and all shared ones for the admin scope."""
    rows = SavedView.objects.select_related("owner", "shared_with")
    if actor.user is None:
        return rows.none()
    seen = _in_menu(actor.user)
    if Scope.ADMIN in actor.everywhere:
        seen |= Q(shared_with__isnull=False)
    return rows.filter(seen)


def menu_of(actor: Actor) -> list[SavedView]:
    """Return the views that stand in the actor's sidebar, and one more where there are more than it holds."""
    if actor.user is None:
        return []
    rows = SavedView.objects.filter(_in_menu(actor.user)).select_related("owner", "shared_with").order_by("name", "pk")
    return list(rows[: MOST_IN_MENU + 1])


def current(parameters: Mapping[str, Any], actor: Actor) -> SavedView | None:
    """Return the view that the list's address names, or None where it names none that the actor may see."""
    view_id = str(parameters.get(VIEW) or "")
    return visible_to(actor).filter(view_id=view_id).first() if view_id else None


def groups_of(actor: Actor) -> QuerySet[Group]:
    """Return the groups with which the actor may share: those that he belongs to."""
    return Group.objects.filter(user=actor.user).order_by("name") if actor.user else Group.objects.none()


def is_mine(view: SavedView, actor: Actor) -> bool:
    """Tell whether the actor may change the view, which its owner alone may."""
    return actor.user is not None and view.owner_id == actor.user.pk


def may_delete(view: SavedView, actor: Actor) -> bool:
    """Tell whether the actor may delete the view: his own, and with the admin scope shared ones."""
    return is_mine(view, actor) or (Scope.ADMIN in actor.everywhere and view.shared_with_id is not None)


def is_name_free(name: str, owner: User, besides: SavedView | None = None) -> bool:
    """Tell whether the owner has no other view of this name; inside a transaction nobody takes it meanwhile."""
    if connection.in_atomic_block:
        User.objects.select_for_update(no_key=True).filter(pk=owner.pk).first()
    rows = SavedView.objects.filter(owner=owner, name=name)
    if besides is not None and besides.pk:
        rows = rows.exclude(pk=besides.pk)
    return not rows.exists()


def normal_query(query: str) -> str:
    """Return what a view keeps of the list's address: no page, no view, in one order; or raise InvalidValue."""
    try:
        pairs = parse_qsl(query, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise _too_much() from None
    kept = [(name, value) for name, value in pairs if name not in NOT_KEPT and value.strip()]
    normal = urlencode(sorted(kept, key=lambda pair: pair[0]))
    if len(normal) > MOST_CHARACTERS:
        raise _too_much()
    return normal


def normal_columns(columns: Iterable[str]) -> list[str]:
    """Return names of columns as a view keeps them: each once, and nothing that can be no name."""
    names = [name for name in dict.fromkeys(columns) if name.isidentifier() and len(name) <= 64]
    return names[:MOST_COLUMNS]


def create(
    name: str, query: str, columns: Iterable[str], *, shared_with: Group | None, actor: Actor, now: datetime
) -> SavedView:
    """Save under a name what the list shows; raise InvalidValue where the actor has a view of this name."""
    owner = actor.user
    if owner is None:
        raise InvalidValue(field="name", problem=_("Only people have views."))
    with transaction.atomic():
        view = SavedView(owner=owner, shared_with=shared_with, created_at=now, modified_at=now)
        _name(view, name)
        view.query, view.columns = normal_query(query), normal_columns(columns)
        view.save(force_insert=True)
        changes = audit.changes({}, audit.facts_of(view))
        audit.write("saved view created", view.view_id, actor=actor, now=now, changes=changes)
    return view


def rename(view: SavedView, name: str, *, shared_with: Group | None, actor: Actor, now: datetime) -> SavedView:
    """Give the view another name, or let others see it; raise InvalidValue where the name is taken."""
    with transaction.atomic():
        row = SavedView.objects.select_for_update(of=("self",)).select_related("owner", "shared_with").get(pk=view.pk)
        before = audit.facts_of(row)
        _name(row, name)
        row.shared_with, row.modified_at = shared_with, now
        changes = audit.changes(before, audit.facts_of(row))
        if changes:
            row.save(update_fields=["name", "shared_with", "modified_at"])
            audit.write("saved view changed", row.view_id, actor=actor, now=now, changes=changes)
    return row


def delete(view: SavedView, *, actor: Actor, now: datetime) -> None:
    """Delete the view; what it showed stays as it is."""
    with transaction.atomic():
        changes = audit.changes(audit.facts_of(view), {})
        audit.write("saved view deleted", view.view_id, actor=actor, now=now, changes=changes)
        view.delete()


def update(view: SavedView, query: str, columns: Iterable[str], *, actor: Actor, now: datetime) -> SavedView:
    """Let the view show from now on what the list shows now."""
    with transaction.atomic():
        row = SavedView.objects.select_for_update(of=("self",)).select_related("owner", "shared_with").get(pk=view.pk)
        before = audit.facts_of(row)
        row.query, row.columns, row.modified_at = normal_query(query), normal_columns(columns), now
        changes = audit.changes(before, audit.facts_of(row))
        if changes:
            row.save(update_fields=["query", "columns", "modified_at"])
            audit.write("saved view changed", row.view_id, actor=actor, now=now, changes=changes)
    return row


def counts(views: Iterable[SavedView], rows_of: RowsOf, *, actor: Actor) -> dict[str, int | None]:
    """Return by view id how many workitems each view shows this actor, up to 1,001; None where that takes too long.

    A count is kept for some seconds, so that pages may ask with each visit.
    """
    rights = _rights_in_short(actor)
    ends_at = time.monotonic() + ALL_COUNTS_MILLISECONDS / 1000
    found: dict[str, int | None] = {}
    for view in views:
        key = f"saved-view:{view.view_id}:{view.modified_at.timestamp()}:{rights}"
        left = round((ends_at - time.monotonic()) * 1000)
        if left <= 0:
            found[view.view_id] = None
            continue
        # the defaults bind this round's view and time
        found[view.view_id] = remembered(
            key,
            lambda view=view, left=left: _count(view, rows_of, actor, min(left, ONE_COUNT_MILLISECONDS)),  # type: ignore[misc]
            COUNTS_LAST_SECONDS,
        )
    return found


def _name(view: SavedView, name: str) -> None:
    if not is_name_free(name, view.owner, besides=view):
        raise InvalidValue(field="name", problem=_("You have a view “%s” already. Choose another name.") % name)
    view.name = name


def _too_much() -> InvalidValue:
    return InvalidValue(field="query", problem=_("These are too many filters for a view; choose fewer."))


def _count(view: SavedView, rows_of: RowsOf, actor: Actor, milliseconds: int) -> int | None:
    try:
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
            return rows_of(view.query, actor).order_by()[: MOST_COUNTED + 1].count()
    except WorkitemError:
        return None  # it searches for what there is no more; the list says so when it is opened
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != QUERY_CANCELLED:
            raise
        return None


def _in_menu(user: User) -> Q:
    groups = User.groups.through.objects.filter(user=user).values("group_id")
    return Q(owner=user) | Q(shared_with__in=groups)


def _rights_in_short(actor: Actor) -> str:
    """Return what changes with whatever the actor may see, so that nobody is told a count of before."""
    rights = (
        actor.user.pk if actor.user else 0,
        sorted(actor.everywhere),
        sorted((queue, sorted(scopes)) for queue, scopes in actor.by_queue.items()),
        sorted(actor.own_items),
    )
    return hashlib.sha256(repr(rights).encode()).hexdigest()[:20]
