"""Who acts: a person, with a token's limits, or a job that says what it may.

The only place that reads permissions. A scope held as a plain permission counts for every workitem; the same permission
held on one queue, through guardian, counts for that queue's workitems.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser, Permission, User
from django.db.models import Q

from queues.models import Queue, QueueGroupObjectPermission, QueueUserObjectPermission
from workitems.choices import TRANSFER_IN, Door, Scope

if TYPE_CHECKING:
    from workitems.models import Workitem

EVERY_SCOPE = frozenset(Scope)
IMPLIED = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.WRITE: frozenset({Scope.WRITE, Scope.READ}),
    Scope.DELETE: frozenset({Scope.DELETE, Scope.READ}),
    Scope.ADMIN: EVERY_SCOPE,
}
SCOPE_OF_CODENAME = {scope.codename: scope for scope in Scope}
CODENAMES = [*SCOPE_OF_CODENAME, TRANSFER_IN]


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
    request_id: str = ""

    @classmethod
    def of(
        cls,
        user: User | AnonymousUser,
        door: Door,
        token_scopes: Iterable[Scope] | None = None,
        *,
        token: str = "",
        request_id: str = "",
    ) -> Actor:
        """Return the actor for this person; a token narrows what he may do and never widens it."""
        if not isinstance(user, User) or not user.is_active:
            return cls(name=user.get_username(), door=door)
        limit = EVERY_SCOPE if token_scopes is None else implied(token_scopes)
        everywhere = _scopes_everywhere(user) & limit
        by_queue: dict[int, frozenset[Scope]] = {}
        transfer_in: set[int] = set()
        if Scope.ADMIN not in everywhere:
            for codename, queue in _permissions_on_queues(user):
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
            request_id=request_id,
        )

    @classmethod
    def job(cls, name: str, *scopes: Scope) -> Actor:
        """Return the actor for one of the system's own jobs."""
        return cls(name=name, door=Door.JOB, everywhere=implied(scopes))

    @property
    def is_system(self) -> bool:
        """Tell whether it is the system itself that acts, not a job on behalf of a person."""
        return self.user is None and self.door is Door.JOB

    def can(self, scope: Scope, workitem: Workitem) -> bool:
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

    def scopes_for_token(self) -> list[Scope]:
        """Return all scopes that can come to bear somewhere, on an agent's own items too."""
        return [scope for scope in Scope if self.can_anywhere(scope) or scope in self.own_items]


def _scopes_everywhere(user: User) -> frozenset[Scope]:
    if user.is_superuser:
        return EVERY_SCOPE
    held = Permission.objects.filter(
        Q(user=user) | Q(group__user=user), content_type__app_label="queues", codename__in=SCOPE_OF_CODENAME
    )
    return implied(SCOPE_OF_CODENAME[codename] for codename in held.values_list("codename", flat=True))


def _permissions_on_queues(user: User) -> Iterable[tuple[str, int]]:
    row = ("permission__codename", "content_object_id")
    own = QueueUserObjectPermission.objects.filter(user=user, permission__codename__in=CODENAMES)
    shared = QueueGroupObjectPermission.objects.filter(group__user=user, permission__codename__in=CODENAMES)
    return own.values_list(*row).union(shared.values_list(*row))
