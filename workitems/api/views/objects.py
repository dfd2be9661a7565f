"""Workitems, contacts, queues, dispositions and agents: listed, read, created, changed, deleted, on both surfaces."""

from __future__ import annotations

import hashlib
from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from workitems import directory, services, tasks
from workitems.api import bodies, catalogue, conditional, named, object_bodies, representation, strict
from workitems.api.authentication import actor_of
from workitems.api.base import ListView, single
from workitems.api.listing import refuse_another_id, refuse_unknown_parameters, shape_of, truth
from workitems.api.rendering import to_json
from workitems.choices import Action, Scope, State
from workitems.commands import Archive, Purge
from workitems.errors import MissingScope, UnknownObject
from workitems.outcomes import Rehearsal


class Workitems(ViewSetMixin, ListView):
    """Workitems."""

    catalogue = catalogue.WORKITEMS

    def list(self, request: Request) -> HttpResponseBase:
        """Answer with the workitems that match and that the caller may see."""
        return self.page(request)

    def retrieve(self, request: Request, workitem_id: str) -> Response:
        """Answer with one workitem, or 404 where the caller may not see it."""
        refuse_unknown_parameters(request, ("fields", "expand"))
        actor = actor_of(request)
        found = named.workitem(workitem_id, actor)
        wire = representation.workitem(found.pk, actor, shape_of(request, self.catalogue))
        return single(request, wire, wire.get("version", found.version))

    def create(self, request: Request) -> Response:
        """Let a workitem arrive; with `dryRun`, say only what would arrive."""
        refuse_unknown_parameters(request, ("dryRun",))
        actor = actor_of(request)
        values = strict.read(bodies.CreateBody, request)
        if not actor.can_anywhere(Scope.WRITE):
            raise MissingScope(scope=Scope.WRITE.value)  # before anybody is named
        command = bodies.CreateBody().command(actor, values)
        if truth(request, "dryRun"):
            return Response(rehearsed(services.rehearse_create(command, actor=actor, now=timezone.now())))
        item = services.create(command, actor=actor, now=timezone.now())
        if item.state == State.INQUEUE and command.queue is not None and command.queue.offers_automatically:
            tasks.wake_routing()
        wire = representation.workitem(item.pk, actor)
        answer = single(request, wire, wire["version"], status.HTTP_201_CREATED)
        answer["Location"] = f"{request.path}/{wire['workitemId']}"
        return answer

    def partial_update(self, request: Request, workitem_id: str) -> Response:
        """Correct descriptive facts and the priority, all of them or none."""
        refuse_unknown_parameters(request, ())
        actor = actor_of(request)
        values = strict.read(bodies.WorkitemPatchBody, request)
        found = named.workitem(workitem_id, actor)
        refuse_another_id(values, "workitemId", workitem_id, found.workitem_id)
        expected = conditional.expected_version(request, found.version)
        named.check_scope(Action.EDIT, found, actor)
        commands = bodies.WorkitemPatchBody().commands(actor, values)

        def write() -> None:
            now, if_version = timezone.now(), expected
            for command in commands:
                changed = services.execute(command, found.workitem_id, actor=actor, now=now, if_version=if_version)
                if_version = changed.version

        services.in_transaction(write)
        wire = representation.workitem(found.pk, actor)
        return single(request, wire, wire["version"])

    def destroy(self, request: Request, workitem_id: str) -> Response:
        """Archive a workitem; with `purge`, delete what is archived with its history, for good."""
        refuse_unknown_parameters(request, ("purge",))
        actor = actor_of(request)
        found = named.workitem(workitem_id, actor)
        services.execute(
            Purge() if truth(request, "purge") else Archive(),
            found.workitem_id,
            actor=actor,
            now=timezone.now(),
            if_version=conditional.expected_version(request, found.version),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class DirectoryObjects(ViewSetMixin, ListView):
    """What contacts, queues and dispositions have in common."""

    kind: directory.Kind
    new_body: type[strict.Body]
    change_body: type[strict.Body]

    def list(self, request: Request) -> HttpResponseBase:
        """Answer with those that match and that the caller may see."""
        return self.page(request)

    def retrieve(self, request: Request, object_id: str) -> Response:
        """Answer with one, or 404 where the caller may not see it."""
        refuse_unknown_parameters(request, ("fields",))
        return self._show(request, self.kind.find(object_id, actor_of(request)))

    def create(self, request: Request) -> Response:
        """Make one."""
        refuse_unknown_parameters(request, ())
        values = strict.read(self.new_body, request)
        row = self.kind.create(values, actor=actor_of(request), now=timezone.now())
        answer = self._show(request, row, status.HTTP_201_CREATED)
        answer["Location"] = f"{request.path}/{getattr(row, self.kind.id_field)}"
        return answer

    def partial_update(self, request: Request, object_id: str) -> Response:
        """Change what the body names."""
        refuse_unknown_parameters(request, ())
        actor = actor_of(request)
        values = strict.read(self.change_body, request)
        refuse_another_id(values, self.kind.id_name, object_id)
        row = self.kind.change(
            object_id, values, actor=actor, now=timezone.now(), if_version=self._expected(request, object_id)
        )
        return self._show(request, row)

    def destroy(self, request: Request, object_id: str) -> Response:
        """Delete one that nothing refers to."""
        refuse_unknown_parameters(request, ())
        expected = self._expected(request, object_id)
        self.kind.delete(object_id, actor=actor_of(request), now=timezone.now(), if_version=expected)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _expected(self, request: Request, object_id: str) -> int | None:
        return conditional.expected_version(request, self.kind.find(object_id, actor_of(request)).version)

    def _show(self, request: Request, row: Any, status: int = 200) -> Response:
        shape = shape_of(request, self.catalogue)
        shown = self.catalogue.show([row.pk], actor_of(request), shape)
        if not shown:  # deleted since it was found
            raise UnknownObject(what=self.kind.name, id=getattr(row, self.kind.id_field))
        return single(request, shown[0], row.version, status)


class Contacts(DirectoryObjects):
    """Contacts."""

    catalogue = catalogue.CONTACTS
    kind = directory.CONTACT
    new_body = object_bodies.ContactBody
    change_body = object_bodies.ContactChanges


class Queues(DirectoryObjects):
    """Queues."""

    catalogue = catalogue.QUEUES
    kind = directory.QUEUE
    new_body = object_bodies.QueueBody
    change_body = object_bodies.QueueChanges

    def create(self, request: Request) -> Response:
        """Make one."""
        answer = super().create(request)
        tasks.queues_changed()
        return answer

    def partial_update(self, request: Request, object_id: str) -> Response:
        """Change what the body names; there may be somebody now for what waits."""
        answer = super().partial_update(request, object_id)
        tasks.queues_changed()
        return answer


class Dispositions(DirectoryObjects):
    """Dispositions."""

    catalogue = catalogue.DISPOSITIONS
    kind = directory.DISPOSITION
    new_body = object_bodies.DispositionBody
    change_body = object_bodies.DispositionChanges


class Agents(ViewSetMixin, ListView):
    """The people who work in queues; they are kept in the back office."""

    catalogue = catalogue.AGENTS

    def list(self, request: Request) -> HttpResponseBase:
        """Answer with the agents of the queues that the caller may see."""
        return self.page(request)

    def retrieve(self, request: Request, username: str) -> Response:
        """Answer with one agent."""
        refuse_unknown_parameters(request, ("fields",))
        actor = actor_of(request)
        user = self.catalogue.visible_to(actor).filter(username=username).first()
        if user is None:
            raise UnknownObject(what="agent", id=username)
        whole = representation.agents([user.pk], actor)[0]
        return single(request, shape_of(request, self.catalogue).cut(whole), fingerprint_of(whole))


def rehearsed(rehearsal: Rehearsal) -> dict[str, Any]:
    """Return what a dry run says."""
    item, event = rehearsal.workitem, rehearsal.event
    return {
        "dryRun": True,
        "changes": rehearsal.changes,
        "event": event.type if event else "",
        "fromState": event.from_state if event else item.state,
        "toState": item.state,
        "selectedQueue": item.selected_queue_id,
        "agentUsername": item.agent_username,
        "version": item.version,
    }


def fingerprint_of(wire: dict[str, Any]) -> str:
    """Return the ETag of what has no version: it changes with what is shown."""
    return hashlib.sha256(to_json(wire)).hexdigest()[:16]
