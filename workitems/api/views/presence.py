"""Who is there to take work, how much of it at a time, and what an agent leaves behind who is not."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from workitems import directory, routing, tasks
from workitems.actors import Actor
from workitems.api import object_bodies, representation, strict
from workitems.api.authentication import actor_of
from workitems.api.base import ApiView, single
from workitems.api.listing import refuse_unknown_parameters
from workitems.api.views.objects import fingerprint_of
from workitems.choices import Scope
from workitems.errors import MissingScope, UnknownObject
from workitems.models import Presence


class SetPresence(ApiView):
    """Whether an agent takes work."""

    def post(self, request: Request, username: str) -> Response:
        """Take it down, and answer with the agent."""
        refuse_unknown_parameters(request, ())
        actor = actor_of(request)
        agent = _agent(username, actor)
        values = strict.read(object_bodies.PresenceBody, request)
        routing.set_presence(agent, Presence.Status(values["presence"]), actor=actor, now=timezone.now())
        tasks.wake_routing()
        return _show(request, agent, actor)


class SetCapacity(ApiView):
    """How many workitems an agent has in hand at most."""

    def post(self, request: Request, username: str) -> Response:
        """Take it down, and answer with the agent."""
        refuse_unknown_parameters(request, ())
        actor = actor_of(request)
        agent = _agent(username, actor)
        values = strict.read(object_bodies.CapacityBody, request)
        routing.set_capacity(agent, values["capacity"], actor=actor, now=timezone.now())
        tasks.wake_routing()
        return _show(request, agent, actor)


class ReturnAll(ApiView):
    """What an agent has in hand who cannot go on with it."""

    def post(self, request: Request, username: str) -> Response:
        """Put back into its queues, at its old places, what the caller may; what is refused stops nothing else."""
        refuse_unknown_parameters(request, ())
        actor = actor_of(request)
        agent = _agent(username, actor)
        strict.read(strict.Body, request)
        if not actor.can_anywhere(Scope.WRITE) and not routing.may_set_presence(agent, actor):
            raise MissingScope(scope=Scope.WRITE.value)
        outcome = routing.return_all(agent, actor=actor, now=timezone.now())
        tasks.wake_routing()
        refused = [
            {"workitemId": workitem_id, "code": refusal.code, "message": refusal.message}
            for workitem_id, refusal in outcome.refused.items()
        ]
        return Response({"done": len(outcome.done), "refused": refused})


def _agent(username: str, actor: Actor) -> User:
    found = directory.visible_agents(actor).filter(username=username).first()
    if found is None:
        raise UnknownObject(what="agent", id=username)
    return found


def _show(request: Request, agent: User, actor: Actor) -> Response:
    wire = representation.agents([agent.pk], actor)[0]
    return single(request, wire, fingerprint_of(wire))
