"""Who acts: a person, with a token's limits, or a job that says what it may.

The only place that reads permissions. A scope held as a plain permission counts for every workitem; the same permission
held on one queue, through guardian, counts for that queue's workitems.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Protocol

from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, F, OuterRef, Q

from queues.models import Queue, QueueGroupObjectPermission, QueueUserObjectPermission
from workitems import statements
from workitems.choices import TRANSFER_IN, Door, Scope

EVERY_SCOPE = frozenset(Scope)
IMPLIED = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.WRITE: frozenset({Scope.WRITE, Scope.READ}),
    Scope.DELETE: frozenset({Scope.DELETE, Scope.READ}),
    Scope.ADMIN: EVERY_SCOPE,
}
SCOPE_OF_CODENAME = {scope.codename: scope for scope in Scope}
CODENAMES = [*SCOPE_OF_CODENAME, TRANSFER_IN]

# Rights are read with every request, so their statement is put together once and not by the ORM each time.
_RIGHTS_SQL = f"""
SELECT p.codename, held.queue FROM (
    SELECT permission_id, CAST(NULL AS integer) AS queue
    FROM {User.user_permissions.through._meta.db_table} WHERE user_id = %s
    UNION ALL
    SELECT g.permission_id, NULL
    FROM {User.groups.through._meta.db_table} m
    JOIN {Group.permissions.through._meta.db_table} g ON g.group_id = m.group_id WHERE m.user_id = %s
    UNION ALL
    SELECT permission_id, content_object_id
    FROM {QueueUserObjectPermission._meta.db_table} WHERE user_id = %s
    UNION ALL
    SELECT g.permission_id, g.content_object_id
    FROM {User.groups.through._meta.db_table} m
    JOIN {QueueGroupObjectPermission._meta.db_table} g ON g.group_id = m.group_id WHERE m.user_id = %s
) held
JOIN {Permission._meta.db_table} p ON p.id = held.permission_id
JOIN {ContentType._meta.db_table} c ON c.id = p.content_type_id
WHERE c.app_label = 'queues' AND p.codename IN ({", ".join(["%s"] * len(CODENAMES))})
"""  # noqa: S608  made of the models' own names


class Standing(Protocol):
    """What rights and lifecycle ask about a workitem: the row itself answers, and so does a line read from a list."""

    @property
    def state(self) -> str: ...
    @property
    def channel_type(self) -> str: ...
    @property
    def agent_id(self) -> int | None: ...
    @property
    def queue_id(self) -> int | None: ...
    @property
    def ended_by(self) -> str: ...
    @property
    def archived_at(self) -> datetime | int | None: ...


def implied(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """Return these scopes with those that they bring along."""
    return frozenset().union(*(IMPLIED[scope] for scope in scopes))


@dataclass(frozen=True)
class Actor:
    """Somebody who looks at or changes workitems, with what he may do as read at one moment."""

    name: str
    door: Door
    user: User | None = None
    everywhere: frozenset[Scope] = frozenset()
    by_queue: Mapping[int, frozenset[Scope]] = field(default_factory=dict)
    may_transfer_in: frozenset[int] = frozenset()
    own_items: frozenset[Scope] = frozenset()
    token: str = ""  # the name of the token that opened the door
    token_scopes: frozenset[Scope] | None = None  # what the token is limited to; None: there is no token
    request_id: str = ""
    address: str = ""  # from where he came in, as far as that is known

    @classmethod
    def of(
        cls,
        user: User | AnonymousUser,
        door: Door,
        token_scopes: Iterable[Scope] | None = None,
        *,
        token: str = "",
        request_id: str = "",
        address: str = "",
    ) -> Actor:
        """Return the actor for this person; a token narrows what he may do and never widens it."""
        if not isinstance(user, User) or not user.is_active:
            return cls(name=user.get_username(), door=door)
        limit = EVERY_SCOPE if token_scopes is None else implied(token_scopes)
        narrowed = None if token_scopes is None else limit
        rights = [] if user.is_superuser else _rights(user)
        everywhere = (EVERY_SCOPE if user.is_superuser else _scopes_everywhere(rights)) & limit
        by_queue: dict[int, frozenset[Scope]] = {}
        transfer_in: set[int] = set()
        if Scope.ADMIN not in everywhere:
            for codename, queue in _permissions_on_queues(rights):
                if codename == TRANSFER_IN:
                    transfer_in.add(queue)
                else:
                    scopes = implied([SCOPE_OF_CODENAME[codename]]) & limit
                    by_queue[queue] = by_queue.get(queue, frozenset()) | scopes
        return cls(
            name=user.get_username(),
            door=door,
            user=user,
            everywhere=everywhere,
            by_queue=by_queue,
            may_transfer_in=frozenset(transfer_in) if Scope.WRITE in limit else frozenset(),
            own_items=implied([Scope.WRITE]) & limit,
            token=token,
            token_scopes=narrowed,
            request_id=request_id,
            address=address,
        )

    @classmethod
    def job(cls, name: str, *scopes: Scope) -> Actor:
        """Return the actor for one of the system's own jobs."""
        return cls(name=name, door=Door.JOB, everywhere=implied(scopes))

    @property
    def is_system(self) -> bool:
        """Tell whether it is the system itself that acts, not a job on behalf of a person."""
        return self.user is None and self.door is Door.JOB

    def can(self, scope: Scope, workitem: Standing) -> bool:
        """Tell whether the actor holds this scope on this workitem."""
        if scope in self.everywhere:
            return True
        if self.user is not None and workitem.agent_id == self.user.pk and scope in self.own_items:
            return True
        return scope in self.by_queue.get(workitem.queue_id or 0, ())

    def can_in(self, scope: Scope, queue: Queue | None) -> bool:
        """Tell whether the actor holds this scope on a queue, or everywhere where no queue is named."""
        return scope in self.everywhere or (queue is not None and scope in self.by_queue.get(queue.pk, ()))

    def can_anywhere(self, scope: Scope) -> bool:
        """Tell whether there can be any workitem on which the actor holds this scope."""
        return scope in self.everywhere or any(scope in scopes for scopes in self.by_queue.values())

    def can_transfer_into(self, queue: Queue) -> bool:
        """Tell whether the actor may send work into this queue."""
        return (
            Scope.WRITE in self.everywhere
            or queue.pk in self.may_transfer_in
            or Scope.ADMIN in self.by_queue.get(queue.pk, ())
        )

    def queues_with(self, scope: Scope) -> list[int]:
        """Return the pks of the queues on which the actor holds this scope, those of `everywhere` aside."""
        return sorted(queue for queue, scopes in self.by_queue.items() if scope in scopes)

    def may_know(self, queue_pk: int) -> bool:
        """Tell whether the actor may be told a queue's name: he sees its work, or may send some there."""
        return Scope.READ in self.everywhere or queue_pk in self.queues_known

    @property
    def queues_known(self) -> frozenset[int]:
        """The pks of the queues whose names the actor may be told, where he does not see all work."""
        return self.may_transfer_in.union(self.queues_with(Scope.READ))

    def scopes_for_token(self) -> list[Scope]:
        """Return all scopes that can come to bear somewhere, on an agent's own items too."""
        return [scope for scope in Scope if self.can_anywhere(scope) or scope in self.own_items]


def may_read(user: str, queue: str, agent: str) -> Q:
    """Return the condition that a row's user may see a workitem; told by which names the row knows the three.

    For rows that name people, each of whom would cost a query otherwise.
    """
    codenames = [scope.codename for scope in Scope if Scope.READ in IMPLIED[scope]]
    permission = {"permission__codename__in": codenames, "permission__content_type__app_label": "queues"}
    himself = User.user_permissions.through.objects.filter(user=OuterRef(user), **permission)
    by_group = Group.permissions.through.objects.filter(group__user=OuterRef(user), **permission)
    here = permission | {"content_object": OuterRef(queue)}
    himself_here = QueueUserObjectPermission.objects.filter(user=OuterRef(user), **here)
    by_group_here = QueueGroupObjectPermission.objects.filter(group__user=OuterRef(user), **here)
    held = (Q(Exists(rows)) for rows in (himself, by_group, himself_here, by_group_here))
    is_known = Q(**{f"{user}__is_superuser": True}) | Q(**{user: F(agent)})
    return Q(**{f"{user}__is_active": True}) & reduce(or_, held, is_known)


def _rights(user: User) -> list[tuple[str, int | None]]:
    """Return what the person and his groups hold: codename, and the queue's pk or None for everywhere."""
    rows: list[tuple[str, int | None]] = statements.fetch(_RIGHTS_SQL, [user.pk, user.pk, user.pk, user.pk, *CODENAMES])
    return rows


def _scopes_everywhere(rights: Iterable[tuple[str, int | None]]) -> frozenset[Scope]:
    return implied(
        SCOPE_OF_CODENAME[codename] for codename, queue in rights if queue is None and codename in SCOPE_OF_CODENAME
    )


def _permissions_on_queues(rights: Iterable[tuple[str, int | None]]) -> Iterable[tuple[str, int]]:
    return {(codename, queue) for codename, queue in rights if queue is not None}
