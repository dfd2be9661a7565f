"""Who acts in a request of the desk, and what he has chosen for its pages."""

from __future__ import annotations

from django.http import HttpRequest

from workitems.actors import Actor
from workitems.choices import Door
from workitems.middleware import caller_address, request_id
from workitems.models import DeskSettings


def actor_of(request: HttpRequest) -> Actor:
    """Return who acts in this request; his rights are read once a request."""
    actor: Actor | None = getattr(request, "workitems_actor", None)
    if actor is None:
        address = caller_address(request.META)[:64]
        actor = Actor.of(request.user, Door.PAGE, request_id=request_id(request), address=address)
        request.workitems_actor = actor  # type: ignore[attr-defined]
    return actor


def settings_of(request: HttpRequest) -> DeskSettings:
    """Return what the person has chosen, or what holds for who has chosen nothing; it is loaded with the user."""
    found: DeskSettings | None = getattr(request.user, "desk_settings", None)
    return found or DeskSettings()
