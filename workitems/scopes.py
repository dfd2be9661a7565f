"""Who has what on a queue, and from where; and giving and taking it.

A scope is held by a person or a group, on one queue or everywhere. This module grants on queues only; what is held
everywhere comes with the groups that people are in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from queues.models import Queue, QueueGroupObjectPermission, QueueUserObjectPermission
from workitems import audit
from workitems.actors import CODENAMES, IMPLIED, SCOPE_OF_CODENAME, Actor
from workitems.choices import TRANSFER_IN, Scope
from workitems.errors import InvalidValue, MissingScope

Holder = User | Group
# in the words in which they are granted, from the least to the most
WORDS: dict[str, str | Promise] = {
    Scope.READ.value: _("See the queue's workitems"),
    TRANSFER_IN: _("Send workitems into the queue, seen or not"),
    Scope.WRITE.value: _("Create and change them; brings seeing them along"),
    Scope.DELETE.value: _("Archive them; brings seeing them along"),
    Scope.ADMIN.value: _("Everything, and decide who else may; brings all others along"),
}
CODES = tuple(WORDS)


@dataclass(frozen=True)
class Held:
    """A scope, on one queue or everywhere, with the group by which it is held."""

    code: str
    queue: Queue | None = None
    group: Group | None = None
    is_superuser: bool = False

    @property
    def brings(self) -> frozenset[str]:
        """Return what comes with it on the queue in question, itself included."""
        if self.code == TRANSFER_IN:
            return frozenset({TRANSFER_IN})
        scope = Scope(self.code)
        brought = {one.value for one in IMPLIED[scope]}
        into_every_queue = scope is Scope.ADMIN or (scope is Scope.WRITE and self.queue is None)
        return frozenset(brought | {TRANSFER_IN} if into_every_queue else brought)


@dataclass(frozen=True)
class OnQueue:
    """What a person or a group has been given on a queue."""

    holder: Holder
    codes: frozenset[str]

    @property
    def is_group(self) -> bool:
        """Tell it from a person."""
        return isinstance(self.holder, Group)


def given_on(queue: Queue) -> list[OnQueue]:
    """Return who has been given what on this very queue: groups first, then people, by name."""
    groups: dict[Any, set[str]] = {}
    for held in QueueGroupObjectPermission.objects.filter(content_object=queue).select_related("group", "permission"):
        groups.setdefault(held.group, set()).add(code_of(held.permission))
    people: dict[Any, set[str]] = {}
    for one in QueueUserObjectPermission.objects.filter(content_object=queue).select_related("user", "permission"):
        people.setdefault(one.user, set()).add(code_of(one.permission))
    return [
        *(OnQueue(group, frozenset(groups[group])) for group in sorted(groups, key=lambda group: group.name)),
        *(OnQueue(user, frozenset(people[user])) for user in sorted(people, key=User.get_username)),
    ]


def given_everywhere() -> list[OnQueue]:
    """Return the groups that carry a scope everywhere, and the people who hold one there without a group."""
    everywhere = Permission.objects.filter(content_type__app_label="queues", codename__in=CODENAMES)
    carrying: QuerySet[Group] = Group.objects.filter(permissions__in=everywhere).distinct().order_by("name")
    holding: QuerySet[User] = User.objects.filter(user_permissions__in=everywhere, is_active=True).distinct()
    return [
        *(
            OnQueue(one, _codes(one.permissions.all()))
            for one in carrying.prefetch_related("permissions__content_type")
        ),
        *(
            OnQueue(one, _codes(one.user_permissions.all()))
            for one in holding.order_by("username").prefetch_related("user_permissions__content_type")
        ),
    ]


def held_by(user: User) -> list[Held]:
    """Return all that a person holds, everywhere and on queues, himself and by groups; nothing once he has left."""
    if not user.is_active:
        return []
    if user.is_superuser:
        return [Held(Scope.ADMIN.value, is_superuser=True)]
    by_groups = QueueGroupObjectPermission.objects.filter(group__in=user.groups.all())
    himself = QueueUserObjectPermission.objects.filter(user=user).select_related("permission", "content_object")
    found = [
        *(Held(code) for code in sorted(_codes(user.user_permissions.select_related("content_type")))),
        *(
            Held(code, group=group)
            for group in user.groups.prefetch_related("permissions__content_type")
            for code in sorted(_codes(group.permissions.all()))
        ),
        *(Held(code_of(one.permission), one.content_object) for one in himself),
        *(
            Held(code_of(one.permission), one.content_object, one.group)
            for one in by_groups.select_related("permission", "content_object", "group")
        ),
    ]
    place = {code: number for number, code in enumerate(CODES)}
    return sorted(found, key=lambda one: (one.queue.name if one.queue else "", -place[one.code], str(one.group or "")))


def sources(holder: Holder, queue: Queue) -> dict[str, list[Held]]:
    """Return for each scope on a queue from where else a person has it than from what he himself was given there.

    A group has beside that what it carries everywhere.
    """
    if isinstance(holder, User):
        held = [one for one in held_by(holder) if one.queue is None or (one.queue == queue and one.group is not None)]
    else:
        held = [Held(code) for code in sorted(_codes(holder.permissions.select_related("content_type")))]
    return {code: [one for one in held if code in one.brings] for code in CODES}


def set_on_queue(
    queue: Queue, holder: Holder, codes: Collection[str], *, actor: Actor, now: datetime
) -> tuple[list[str], list[str]]:
    """Have somebody hold exactly these scopes on a queue; return what was granted and what was taken back.

    Only the admin scope on the queue grants there, and as it brings all others along, nobody grants what he has not.
    """
    if not actor.can_in(Scope.ADMIN, queue):
        raise MissingScope(scope=Scope.ADMIN.value)
    wanted = set(codes)
    if unknown := wanted - set(CODES):
        raise InvalidValue(field="scopes", problem=gettext("There is no scope “%s”.") % sorted(unknown)[0])
    with transaction.atomic():
        Queue.objects.select_for_update().get(pk=queue.pk)  # two who change the same go one after the other
        rows = _rows(queue, holder)
        present = {code_of(one.permission) for one in rows.select_related("permission")}
        granted, revoked = _in_order(wanted - present), _in_order(present - wanted)
        if granted and isinstance(holder, User) and not holder.is_active:
            raise InvalidValue(field="scopes", problem=gettext("Somebody who has left is given nothing."))
        rows.filter(permission__codename__in=[codename_of(code) for code in revoked]).delete()
        for code in granted:
            _grant(queue, holder, code)
        whom = {"person": holder.username} if isinstance(holder, User) else {"group": holder.name}
        for what, changed in (("granted", granted), ("revoked", revoked)):
            for code in changed:
                audit.write(f"queue scope {what}", queue.queue_id, actor=actor, now=now, scope=code, **whom)
    return granted, revoked


def keeps_admin(user: User, queue: Queue, holder: Holder, codes: Collection[str]) -> bool:
    """Tell whether somebody would hold the admin scope on a queue still, were this set."""
    for held in held_by(user):
        is_theirs = held.queue == queue and (
            held.group == holder if isinstance(holder, Group) else held.group is None and holder == user
        )
        if held.code == Scope.ADMIN.value and held.queue in (None, queue) and not is_theirs:
            return True
    is_his = holder == user if isinstance(holder, User) else user.groups.filter(pk=holder.pk).exists()
    return is_his and Scope.ADMIN.value in codes


def find_holders(words: str, most: int) -> list[Holder]:
    """Return the groups, and the people who are still there, whose names have these words in them."""
    groups = Group.objects.filter(name__icontains=words).order_by("name")[:most]
    return [*groups, *find_people(words, most)]


def find_people(words: str, most: int) -> list[User]:
    """Return the people who are still there whose names have these words in them."""
    named = Q()
    for word in words.split():
        named &= Q(username__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word)
    return list(User.objects.filter(named, is_active=True).order_by("username")[:most])


def code_of(permission: Permission) -> str:
    """Return the name of the scope that a permission grants."""
    scope = SCOPE_OF_CODENAME.get(permission.codename)
    return scope.value if scope else permission.codename


def codename_of(code: str) -> str:
    """Return the name of the permission that grants a scope."""
    return code if code == TRANSFER_IN else Scope(code).codename


def _codes(permissions: Iterable[Permission]) -> frozenset[str]:
    return frozenset(
        code_of(one) for one in permissions if one.content_type.app_label == "queues" and one.codename in CODENAMES
    )


def _in_order(codes: Collection[str]) -> list[str]:
    return [code for code in CODES if code in codes]


def _rows(queue: Queue, holder: Holder) -> QuerySet[Any]:
    if isinstance(holder, User):
        return QueueUserObjectPermission.objects.filter(content_object=queue, user=holder)
    return QueueGroupObjectPermission.objects.filter(content_object=queue, group=holder)


def _grant(queue: Queue, holder: Holder, code: str) -> None:
    permission = Permission.objects.get(content_type__app_label="queues", codename=codename_of(code))
    if isinstance(holder, User):
        QueueUserObjectPermission.objects.create(content_object=queue, user=holder, permission=permission)
    else:
        QueueGroupObjectPermission.objects.create(content_object=queue, group=holder, permission=permission)
