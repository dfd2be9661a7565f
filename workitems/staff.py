"""Who acts in a request of the back office."""

from __future__ import annotations

from django.http import HttpRequest

from workitems.actors import Actor
from workitems.choices import Door
from workitems.middleware import caller_address, request_id


def actor_of(request: HttpRequest) -> Actor:
    """Return who acts in this request; his rights are read once a request."""
    actor: Actor | None = getattr(request, "workitems_actor", None)
    if actor is None:
        address = caller_address(request.META)[:64]
        actor = Actor.of(request.user, Door.ADMIN, request_id=request_id(request), address=address)
        request.workitems_actor = actor  # type: ignore[attr-defined]
    return actor
