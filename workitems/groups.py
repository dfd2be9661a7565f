"""The four groups of people, and scopes given to one person."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q
from guardian.shortcuts import assign_perm

from queues.models import Queue
from workitems.choices import Scope

# What each scope opens in the back office beside the workitems themselves.
BACK_OFFICE = {
    Scope.READ: ["view_contact", "view_queue", "view_disposition"],
    Scope.WRITE: ["view_contact", "view_queue", "view_disposition", "add_contact", "change_contact"],
    Scope.DELETE: ["view_contact", "view_queue", "view_disposition"],
    Scope.ADMIN: [
        f"{verb}_{model}"
        for verb in ("view", "add", "change", "delete")
        for model in ("contact", "queue", "disposition")
    ],
}
# A queue's channels, a contact's numbers and addresses are edited on the page of the row they belong to.
PARTS = {"queue": ["queuechannel"], "contact": ["contactphone", "contactemail"], "disposition": []}


def sync_scope_groups(**kwargs: Any) -> None:
    """Make the four groups carry exactly their permissions; called after every migrate."""
    for scope in Scope:
        group, _created = Group.objects.get_or_create(name=scope.value)
        wanted = Q(content_type__app_label="queues", codename=scope.codename)
        for codename in BACK_OFFICE[scope]:
            verb, model = codename.split("_")
            parts = [f"{verb}_{part}" for part in PARTS[model]]
            wanted |= Q(
                content_type__app_label__in=["contacts", "queues", "workitems"], codename__in=[codename, *parts]
            )
        group.permissions.set(Permission.objects.filter(wanted))


def grant(user: User, scope: Scope, queue: Queue | None = None) -> None:
    """Give somebody a scope, on every workitem or on one queue's."""
    if queue is None:
        user.groups.add(Group.objects.get(name=scope.value))
    else:
        assign_perm(f"queues.{scope.codename}", user, queue)


def grant_transfer_in(user: User, queue: Queue) -> None:
    """Let somebody send work into a queue."""
    assign_perm("queues.transfer_in", user, queue)
