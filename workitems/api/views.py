"""The vendor's operations: read the request, one call, show the workitem."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from contacts.models import Contact
from queues.models import Queue
from workitems import services
from workitems.actors import Actor
from workitems.api import bodies, representation, tokens
from workitems.api.authentication import PasswordAuthentication, actor_of
from workitems.api.errors import Unknown, invalid
from workitems.api.filters import WorkitemFilters
from workitems.choices import EndedBy, Recording, Scope, Type
from workitems.commands import (
    INTERNAL_ID,
    Bridge,
    Command,
    Create,
    HangUp,
    Hold,
    SetPriority,
    TransferOptions,
    TransferToAgent,
    TransferToQueue,
    Unhold,
)
from workitems.errors import MissingScope, UnknownWorkitem
from workitems.models import Workitem

MAX_ROWS = 1000
MAX_START = 2**31 - 1


class LogIn(APIView):
    """Exchange a username and password for a token."""

    authentication_classes = [PasswordAuthentication]

    def get(self, request: Request) -> Response:
        """Answer with a token that carries all scopes the person holds."""
        assert isinstance(request.user, User)  # noqa: S101  authentication lets nobody else through
        address = settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")
        token = tokens.issue(request.user, now=timezone.now())
        return Response({"location": address, "token": token, "clientLocation": address})


class WorkitemList(APIView):
    """All workitems that the caller may see, and the way in for new ones."""

    def get(self, request: Request) -> Response:
        """Answer with one page and the exact number of all that match."""
        actor = actor_of(request)
        filters = WorkitemFilters(request.query_params, queryset=Workitem.objects.visible_to(actor))
        _refuse_unknown_parameters(request, [*filters.filters, "rows", "start"])
        rows = _number(request, "rows", default=100, highest=MAX_ROWS)
        start = _number(request, "start", default=0, highest=MAX_START)
        if not filters.is_valid():
            field, problems = next(iter(filters.errors.items()))
            raise invalid(field, str(problems[0]))
        total = filters.found().count()
        # ids first: the neighbours and timelines are loaded for this page's rows only
        page = list(filters.found().newest_first().values_list("pk", flat=True)[start : start + rows])
        found = Workitem.objects.filter(pk__in=page).newest_first().with_card().with_timeline()
        objects = [representation.workitem(item, actor) for item in found]
        return Response({"count": len(objects), "total": total, "objects": objects})

    def post(self, request: Request) -> Response:
        """Let a workitem arrive."""
        actor = actor_of(request)
        body = _body(bodies.CreateBody, request)
        if not actor.can_anywhere(Scope.WRITE):
            raise MissingScope(scope=Scope.WRITE.value)  # before anybody is named
        command = Create(
            type=Type(body["type"]),
            channel_type=body["channelType"],
            queue=_queue_named(body["selectedQueue"], actor),
            agent=_agent_named(body["agentUsername"]),
            contact=_contact_named(body["contactId"]),
            workitem_id=body["workitemId"],
            from_address=body["from"],
            to_address=body["to"],
            name=body["name"],
            priority=body["priority"],
            data=body["data"],
            current_state_name=body["currentStateName"],
        )
        item = services.create(command, actor=actor, now=timezone.now())
        return Response(_result(item, actor), status=status.HTTP_201_CREATED)


class MyWorkitems(APIView):
    """What the caller has in hand."""

    def get(self, request: Request) -> Response:
        """Answer with the caller's current items, oldest assignment first."""
        actor = actor_of(request)
        mine = Workitem.objects.visible_to(actor).current_for(actor).order_by("assigned_at", "pk")
        found = mine.with_card().with_timeline()[:MAX_ROWS]
        return Response({"objects": [representation.workitem(item, actor) for item in found]})


class OneWorkitem(APIView):
    """One workitem, by its public or its internal id."""

    def get(self, request: Request, workitem_id: str) -> Response:
        """Answer with the workitem, or 404 where the caller may not see it."""
        actor = actor_of(request)
        rows = Workitem.objects.with_card().with_timeline()
        item = rows.get(workitem_id=_visible(workitem_id, actor))
        return Response(representation.workitem(item, actor))


class CommandView(APIView):
    """One operation on one workitem: subclasses say which command the request asks for."""

    body: ClassVar[type[bodies.Body]] = bodies.Nothing

    def post(self, request: Request, workitem_id: str, **path: str) -> Response:
        """Do it and answer with the workitem as it is then."""
        body = _body(self.body, request)
        actor = actor_of(request)
        item_id = _visible(workitem_id, actor)  # before anything else that the request names
        repeated = body.pop("workitemId", workitem_id)
        if repeated != workitem_id and (INTERNAL_ID.fullmatch(repeated) is None) == (repeated != item_id):
            raise invalid("workitemId", _("This differs from the id in the path."))
        return self.run(request, item_id, self.command(actor, body, **path))

    def run(self, request: Request, workitem_id: str, command: Command) -> Response:
        """Give the command to the executor."""
        actor = actor_of(request)
        item = services.execute(command, workitem_id, actor=actor, now=timezone.now())
        return Response(_result(item, actor))

    def command(self, actor: Actor, body: dict[str, Any], **path: str) -> Command:
        """Return what the request asks for."""
        raise NotImplementedError


class BridgeView(CommandView):
    """Connect agent and customer."""

    def command(self, actor: Actor, body: dict[str, Any], **path: str) -> Command:
        """Nothing to choose."""
        return Bridge()


class HoldView(CommandView):
    """Hold and resume."""

    body = bodies.HoldBody

    def command(self, actor: Actor, body: dict[str, Any], **path: str) -> Command:
        """Hold, unless the body says otherwise."""
        return Hold() if body["hold"] else Unhold()

    def delete(self, request: Request, workitem_id: str) -> Response:
        """Resume."""
        _body(bodies.Nothing, request)
        return self.run(request, _visible(workitem_id, actor_of(request)), Unhold())


class HangUpView(CommandView):
    """End the interaction."""

    body = bodies.HangUpBody

    def command(self, actor: Actor, body: dict[str, Any], **path: str) -> Command:
        """By the agent, unless the body says otherwise."""
        return HangUp(EndedBy(body["reason"]))


class PriorityView(CommandView):
    """Set the priority."""

    body = bodies.PriorityBody

    def command(self, actor: Actor, body: dict[str, Any], **path: str) -> Command:
        """To the body's number."""
        return SetPriority(body["priority"])


class TransferToAgentView(CommandView):
    """Offer to another agent."""

    body = bodies.ToAgentBody

    def command(self, actor: Actor, body: dict[str, Any], **path: str) -> Command:
        """To the path's agent; the body may only repeat him."""
        _same_as_path("userId", body, path["user_id"])
        return TransferToAgent(_agent(path["user_id"]), _options(body))


class TransferToQueueView(CommandView):
    """Put in line in another queue."""

    body = bodies.ToQueueBody

    def command(self, actor: Actor, body: dict[str, Any], **path: str) -> Command:
        """To the path's queue; the body may only repeat it."""
        inbox_id = path["inbox_id"]
        _same_as_path("inboxId", body, inbox_id)
        queue = Queue.objects.with_channels().filter(queue_id=inbox_id).first()
        if queue is None or not (actor.can_transfer_into(queue) or actor.can_in(Scope.READ, queue)):
            raise Unknown(_("There is no queue %s.") % inbox_id)
        return TransferToQueue(queue, _options(body))


def _result(item: Workitem, actor: Actor) -> dict[str, Any]:
    """Show what a command led to, also to somebody who gave the workitem out of his own sight by it."""
    return representation.workitem(Workitem.objects.with_card().with_timeline().get(pk=item.pk), actor)


def _visible(given: str, actor: Actor) -> str:
    """Return the public id for an id of either kind, as if it did not exist where the actor may not see it."""
    rows = Workitem.objects.visible_to(actor)
    wanted = Q(pk=min(int(given, 16), 2**63 - 1)) if INTERNAL_ID.fullmatch(given) else Q(workitem_id=given)
    found = rows.filter(wanted).values_list("workitem_id", flat=True).first()
    if found is None:
        raise UnknownWorkitem(workitem_id=given)
    return found


def _body(shape: type[bodies.Body], request: Request) -> dict[str, Any]:
    body = shape(data={} if request.data is None else request.data)
    body.is_valid(raise_exception=True)
    values: dict[str, Any] = body.validated_data
    return values


def _options(body: dict[str, Any]) -> TransferOptions:
    return TransferOptions(
        event_name=body.get("eventName", ""),
        recording=Recording(body["recording"]) if body.get("recording") else None,
        survey=body.get("survey", ""),
        ring_all=body.get("ringAll"),
    )


def _same_as_path(field: str, body: dict[str, Any], given: str) -> None:
    if body.get(field, given) != given:
        raise invalid(field, _("This differs from the id in the path."))


def _agent(user_id: str) -> User:
    """Return the user with this username or, failing that, this id."""
    agent = User.objects.filter(username=user_id).first()
    if agent is None and user_id.isascii() and user_id.isdigit() and len(user_id) < 19:
        agent = User.objects.filter(pk=int(user_id)).first()
    if agent is None:
        raise Unknown(_("There is no agent %s.") % user_id)
    return agent


def _agent_named(username: str) -> User | None:
    if not username:
        return None
    agent = User.objects.filter(username=username).first()
    if agent is None:
        raise invalid("agentUsername", _("There is no agent %s.") % username)
    return agent


def _queue_named(queue_id: str, actor: Actor) -> Queue | None:
    """Return the queue, as if it did not exist where the actor can neither see nor fill it."""
    if not queue_id:
        return None
    queue = Queue.objects.filter(queue_id=queue_id).first()
    if queue is None or not actor.can_in(Scope.READ, queue):
        raise invalid("selectedQueue", _("There is no queue %s.") % queue_id)
    return queue


def _contact_named(contact_id: str) -> Contact | None:
    if not contact_id:
        return None
    contact = Contact.objects.filter(contact_id=contact_id).first()
    if contact is None:
        raise invalid("contactId", _("There is no contact %s.") % contact_id)
    return contact


def _number(request: Request, name: str, *, default: int, highest: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= highest):
        raise invalid(name, _("This must be a whole number from 0 to %d.") % highest)
    return int(text)


def _refuse_unknown_parameters(request: Request, known: list[str]) -> None:
    for name in request.query_params:
        if name not in known:
            raise invalid(name, _("Unknown parameter; allowed are: %s.") % ", ".join(sorted(known)))
