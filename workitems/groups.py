"""The four groups of people, and scopes given to one person."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission, User
from guardian.shortcuts import assign_perm

from queues.models import Queue
from workitems.actors import CODENAMES
from workitems.choices import Scope

RESERVED = "workitems:"


def sync_scope_groups(**kwargs: Any) -> None:
    """Make the four groups carry exactly their scopes; called after every migrate."""
    for scope in Scope:
        group, _created = Group.objects.get_or_create(name=scope.value)
        group.permissions.set(Permission.objects.filter(content_type__app_label="queues", codename=scope.codename))


def is_reserved(name: str) -> bool:
    """Tell whether only the system's own groups are called so."""
    return name.casefold().startswith(RESERVED)


def gives_scopes_only(group: Group) -> bool:
    """Tell whether being in a group gives scopes and nothing else."""
    scopes = Permission.objects.filter(content_type__app_label="queues", codename__in=CODENAMES)
    return not group.permissions.exclude(pk__in=scopes).exists()


def grant(user: User, scope: Scope, queue: Queue | None = None) -> None:
    """Give somebody a scope, on every workitem or on one queue's."""
    if queue is None:
        user.groups.add(Group.objects.get(name=scope.value))
    else:
        assign_perm(f"queues.{scope.codename}", user, queue)


def grant_transfer_in(user: User, queue: Queue) -> None:
    """Let somebody send work into a queue."""
    assign_perm("queues.transfer_in", user, queue)
