"""One POST per command, many commands in one request, and what may be done and has been done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from workitems import services, tasks
from workitems.actors import Actor
from workitems.api import bodies, conditional, errors, named, representation, strict
from workitems.api.authentication import actor_of
from workitems.api.base import ApiView, single
from workitems.api.listing import MAX_ROWS, number, refuse_unknown_parameters, truth
from workitems.api.views.objects import rehearsed
from workitems.choices import Action
from workitems.commands import Command
from workitems.errors import InvalidValue, UnknownWorkitem, WorkitemError

MOST_COMMANDS = 1000
FRAME = ("workitemId", "action", "ifVersion")


def execute(request: Request, found: named.Found, command: Command) -> Response:
    """Have one command done, wake who has to go on with it, and answer with the workitem."""
    actor = actor_of(request)
    expected = conditional.expected_version(request, found.version)
    services.execute(command, found.workitem_id, actor=actor, now=timezone.now(), if_version=expected)
    tasks.wake_after([command.action])
    if command.action is Action.PURGE:
        return Response(status=204)
    # shown also to somebody who gave the workitem out of his own sight by it
    wire = representation.workitem(found.pk, actor)
    return single(request, wire, wire["version"])


class CommandView(ApiView):
    """One command on one workitem."""

    does: Action = Action.HOLD

    def post(self, request: Request, workitem_id: str) -> Response:
        """Do it; with `dryRun`, say only what would happen."""
        refuse_unknown_parameters(request, ("dryRun",))
        actor = actor_of(request)
        found = named.workitem(workitem_id, actor)
        shape = bodies.COMMANDS[self.does]
        values = strict.read(shape, request)
        named.check_scope(self.does, found, actor)
        command = shape().command(actor, values)
        if not truth(request, "dryRun"):
            return execute(request, found, command)
        expected, now = conditional.expected_version(request, found.version), timezone.now()
        would_be = services.rehearse(command, found.workitem_id, actor=actor, now=now, if_version=expected)
        return Response(rehearsed(would_be))


class Actions(ApiView):
    """What the caller may do to a workitem now, and why not the rest."""

    def get(self, request: Request, workitem_id: str) -> Response:
        """Answer with every action, allowed or refused with its reason."""
        refuse_unknown_parameters(request, ())
        actor = actor_of(request)
        reasons = services.explain(named.workitem(workitem_id, actor), actor)
        lines = [
            {
                "action": action.value,
                "allowed": refusal is None,
                "code": refusal.code if refusal else "",
                "message": refusal.message if refusal else "",
            }
            for action, refusal in reasons.items()
        ]
        return Response({"actions": lines})


class Timeline(ApiView):
    """What has happened to a workitem."""

    def get(self, request: Request, workitem_id: str) -> Response:
        """Answer with its events, oldest first, those after the version `after` only."""
        refuse_unknown_parameters(request, ("after", "rows"))
        actor = actor_of(request)
        found = named.workitem(workitem_id, actor)
        after = number(request, "after", default=0, highest=2**31 - 1)
        rows = number(request, "rows", default=MAX_ROWS, highest=MAX_ROWS)
        events = representation.timeline(found.pk, actor, after=after, rows=rows)
        return single(request, {"count": len(events), "timeEvents": events}, found.version)


@dataclass
class Order:
    """One line of a bulk request."""

    index: int
    workitem_id: str
    command: Command
    alike: bytes  # the same for the same command
    if_version: int | None


@dataclass
class Run:
    """Orders that follow each other and ask the same of different workitems: the executor takes them together."""

    orders: list[Order] = field(default_factory=list)

    def takes(self, order: Order) -> bool:
        """Tell whether this order can go along."""
        if not self.orders:
            return True
        first = self.orders[0]
        if order.if_version is not None or first.if_version is not None or order.alike != first.alike:
            return False
        return all(order.workitem_id != one.workitem_id for one in self.orders)


class Bulk(ApiView):
    """Up to a thousand commands in one request, each with a result of its own."""

    def post(self, request: Request) -> Response:
        """Do them in their order; what is refused stops nothing else. With `dryRun`, say only what would happen."""
        refuse_unknown_parameters(request, ("dryRun",))
        actor = actor_of(request)
        lines = _lines(request.data)
        results: list[dict[str, Any]] = [{} for _line in lines]
        orders = _orders(lines, actor, results)
        do = _rehearse if truth(request, "dryRun") else _execute
        if transaction.get_connection().in_atomic_block:  # with an Idempotency-Key all of it is one transaction
            services.lock([order.workitem_id for order in orders])  # in the order in which everybody locks
        for run in _runs(orders):
            do(run, actor, results)
        if do is _execute:
            tasks.wake_after(order.command.action for order in orders)
        counts = {name: sum(one["status"] == name for one in results) for name in ("done", "unchanged", "refused")}
        return Response({"count": len(results), **counts, "results": results})


def _lines(data: Any) -> list[Any]:
    if not isinstance(data, dict) or set(data) != {"commands"} or not isinstance(data["commands"], list):
        raise errors.invalid("commands", _("The body must be an object with a list called commands."))
    lines: list[Any] = data["commands"]
    if not 1 <= len(lines) <= MOST_COMMANDS:
        raise errors.invalid("commands", _("There may be 1 to %d commands in a request.") % MOST_COMMANDS)
    return lines


def _orders(lines: list[Any], actor: Actor, results: list[dict[str, Any]]) -> list[Order]:
    """Return the lines that can be read; those that cannot have their result already."""
    commands: dict[bytes, Command] = {}
    orders = []
    ids = {line["workitemId"] for line in lines if isinstance(line, dict) and isinstance(line.get("workitemId"), str)}
    found = named.workitems(ids, actor)
    for index, line in enumerate(lines):
        try:
            orders.append(_order(index, line, actor, commands, found))
        except (WorkitemError, ValidationError) as refusal:
            given = line.get("workitemId", "") if isinstance(line, dict) else ""
            results[index] = _refused(index, given if isinstance(given, str) else "", refusal)
    return orders


def _order(index: int, line: Any, actor: Actor, commands: dict[bytes, Command], found: dict[str, named.Found]) -> Order:
    if not isinstance(line, dict):
        raise errors.invalid("commands", _("A command must be an object."))
    given, action, if_version = (line.get(name) for name in FRAME)
    if not isinstance(given, str) or not given:
        raise errors.invalid("workitemId", _("Name the workitem."))
    if not isinstance(action, str) or action not in set(bodies.COMMANDS):
        raise errors.invalid("action", _("This must be one of: %s.") % ", ".join(bodies.COMMANDS))
    if if_version is not None and (type(if_version) is not int or not 0 <= if_version < 2**31):
        raise errors.invalid("ifVersion", _("This must be a version."))
    asked = {name: value for name, value in line.items() if name not in ("workitemId", "ifVersion")}
    if given not in found:
        raise UnknownWorkitem(workitem_id=given)
    named.check_scope(Action(action), found[given], actor)
    alike = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)
    if alike not in commands:
        shape = bodies.COMMANDS[Action(action)]
        values = strict.values_of(shape, {name: value for name, value in asked.items() if name != "action"})
        commands[alike] = shape().command(actor, values)
    return Order(index, found[given].workitem_id, commands[alike], alike, if_version)


def _runs(orders: list[Order]) -> list[Run]:
    runs: list[Run] = []
    for order in orders:
        if not runs or not runs[-1].takes(order):
            runs.append(Run())
        runs[-1].orders.append(order)
    return runs


def _execute(run: Run, actor: Actor, results: list[dict[str, Any]]) -> None:
    now, first = timezone.now(), run.orders[0]
    if first.if_version is not None:  # stands alone in its run
        try:
            item = services.execute(first.command, first.workitem_id, actor=actor, now=now, if_version=first.if_version)
            same = item.version == first.if_version and first.command.action is not Action.PURGE
            results[first.index] = _done(first, item.version, unchanged=same)
        except WorkitemError as refusal:
            results[first.index] = _refused(first.index, first.workitem_id, refusal)
        return
    outcome = services.execute_many(first.command, [order.workitem_id for order in run.orders], actor=actor, now=now)
    for order in run.orders:
        refused = outcome.refused.get(order.workitem_id)
        if refused is not None:
            results[order.index] = _refused(order.index, order.workitem_id, refused)
        else:
            version = outcome.done[order.workitem_id].version
            results[order.index] = _done(order, version, unchanged=order.workitem_id in outcome.unchanged)


def _rehearse(run: Run, actor: Actor, results: list[dict[str, Any]]) -> None:
    for order in run.orders:
        try:
            rehearsal = services.rehearse(
                order.command, order.workitem_id, actor=actor, now=timezone.now(), if_version=order.if_version
            )
            results[order.index] = _done(order, rehearsal.workitem.version, unchanged=not rehearsal.changes)
        except WorkitemError as refusal:
            results[order.index] = _refused(order.index, order.workitem_id, refusal)


def _done(order: Order, version: int, *, unchanged: bool) -> dict[str, Any]:
    status = "unchanged" if unchanged else "done"
    return {"index": order.index, "workitemId": order.workitem_id, "status": status, "version": version}


def _refused(index: int, workitem_id: str, refusal: WorkitemError | ValidationError) -> dict[str, Any]:
    frame = {"index": index, "workitemId": workitem_id, "status": "refused"}
    if isinstance(refusal, ValidationError):
        details = errors.fields_of(refusal)
        return {**frame, "code": InvalidValue.code, "message": errors.invalid_text(), "details": details}
    more = errors.details_of(refusal)
    return {**frame, "code": refusal.code, "message": refusal.message, **({"details": more} if more else {})}
