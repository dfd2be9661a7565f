"""The vendor's own operations, on the vendor's own paths."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import User
from rest_framework.request import Request
from rest_framework.response import Response

from queues.models import Queue
from workitems.actors import Actor
from workitems.api import bodies, named, representation, strict
from workitems.api.authentication import actor_of
from workitems.api.base import ApiView
from workitems.api.catalogue import WORKITEMS
from workitems.api.errors import Unknown
from workitems.api.listing import MAX_ROWS, refuse_another_id, refuse_unknown_parameters, shape_of
from workitems.api.views.commands import execute
from workitems.choices import Action
from workitems.commands import Command, Dtmf, Hold, Mute, TransferToAgent, TransferToQueue, Unhold, Unmute
from workitems.errors import InvalidValue
from workitems.models import Workitem


class MyWorkitems(ApiView):
    """What the caller has in hand."""

    def get(self, request: Request) -> Response:
        """Answer with the caller's current items, oldest assignment first."""
        refuse_unknown_parameters(request, ("fields", "expand"))
        actor = actor_of(request)
        mine = Workitem.objects.visible_to(actor).current_for(actor).order_by("assigned_at", "pk")
        pks = list(mine.values_list("pk", flat=True)[:MAX_ROWS])
        return Response({"objects": representation.workitems(pks, actor, shape_of(request, WORKITEMS))})


class VendorCommandView(ApiView):
    """One command on one workitem, whose id a body may repeat but not change."""

    body: ClassVar[type[strict.Body]]
    does: ClassVar[Action]

    def post(self, request: Request, workitem_id: str, **path: str) -> Response:
        """Do it."""
        refuse_unknown_parameters(request, ())
        actor = actor_of(request)
        found = named.workitem(workitem_id, actor)
        values = strict.read(self.body, request)
        refuse_another_id(values, "workitemId", workitem_id, found.workitem_id)
        named.check_scope(self.does, found, actor)
        return execute(request, found, self.command(actor, values, **path))

    def undo(self, request: Request, workitem_id: str, command: Command) -> Response:
        """Do the opposite, which leaves nothing to choose."""
        found = named.workitem(workitem_id, actor_of(request))
        refuse_another_id(strict.read(bodies.Repeated, request), "workitemId", workitem_id, found.workitem_id)
        return execute(request, found, command)

    def command(self, actor: Actor, values: dict[str, Any], **path: str) -> Command:
        """Return what the request asks for; usually what its body says."""
        shape = self.body()
        assert isinstance(shape, bodies.CommandBody)  # noqa: S101  the other views have a method of their own
        return shape.command(actor, values)


class Bridge(VendorCommandView):
    """Connect agent and customer."""

    does = Action.BRIDGE
    body = bodies.VENDOR_COMMANDS[Action.BRIDGE]


class HoldAndResume(VendorCommandView):
    """Hold and resume."""

    does = Action.HOLD
    body = bodies.VendorHoldBody

    def command(self, actor: Actor, values: dict[str, Any], **path: str) -> Command:
        """Hold, unless the body says otherwise."""
        return Hold() if values["hold"] else Unhold()

    def delete(self, request: Request, workitem_id: str) -> Response:
        """Resume."""
        refuse_unknown_parameters(request, ())
        return self.undo(request, workitem_id, Unhold())


class HangUp(VendorCommandView):
    """End the interaction."""

    does = Action.HANGUP
    body = bodies.VENDOR_COMMANDS[Action.HANGUP]


class MuteAndUnmute(VendorCommandView):
    """Mute and unmute."""

    does = Action.MUTE
    body = bodies.Repeated

    def command(self, actor: Actor, values: dict[str, Any], **path: str) -> Command:
        """Mute."""
        return Mute()

    def delete(self, request: Request, workitem_id: str) -> Response:
        """Unmute."""
        refuse_unknown_parameters(request, ())
        return self.undo(request, workitem_id, Unmute())


class Tones(VendorCommandView):
    """Send the key tones of the path."""

    does = Action.DTMF
    body = bodies.Repeated

    def command(self, actor: Actor, values: dict[str, Any], **path: str) -> Command:
        """Send them."""
        return Dtmf(path["digit"])


class Acd(VendorCommandView):
    """Set the priority."""

    does = Action.PRIORITY
    body = bodies.VENDOR_COMMANDS[Action.PRIORITY]


class AnswerByEmail(VendorCommandView):
    """Answer by e-mail."""

    does = Action.SEND_EMAIL_RESPONSE
    body = bodies.VENDOR_COMMANDS[Action.SEND_EMAIL_RESPONSE]


class TransferToAnAgent(VendorCommandView):
    """Offer to another agent."""

    does = Action.TRANSFER
    body = bodies.VendorToAgentBody

    def command(self, actor: Actor, values: dict[str, Any], **path: str) -> Command:
        """To the path's agent; the body may only repeat him."""
        user_id = path["user_id"]
        refuse_another_id(values, "userId", user_id)
        return TransferToAgent(_agent(user_id, actor), bodies.options_of(values))


class TransferToAQueue(VendorCommandView):
    """Put in line in another queue."""

    does = Action.TRANSFER
    body = bodies.VendorToQueueBody

    def command(self, actor: Actor, values: dict[str, Any], **path: str) -> Command:
        """To the path's queue; the body may only repeat it."""
        inbox_id = path["inbox_id"]
        refuse_another_id(values, "inboxId", inbox_id)
        return TransferToQueue(_queue(inbox_id, actor), bodies.options_of(values))


def _agent(user_id: str, actor: Actor) -> User:
    try:
        return named.agent(user_id, actor)
    except InvalidValue as problem:
        raise Unknown(problem.message) from None


def _queue(inbox_id: str, actor: Actor) -> Queue:
    try:
        return named.target_queue(inbox_id, actor)
    except InvalidValue as problem:
        raise Unknown(problem.message) from None
