"""Bulk transfers: previewed, asked for, followed, stopped, taken back, and their receipts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from workitems import tasks, transfers
from workitems.api import catalogue, strict, transfer_wire
from workitems.api.authentication import actor_of
from workitems.api.base import ApiView, ListView, single
from workitems.api.listing import refuse_unknown_parameters, shape_of, truth
from workitems.api.transfer_bodies import TransferManyBody, order_of
from workitems.api.views.objects import fingerprint_of
from workitems.choices import Scope
from workitems.errors import MissingScope
from workitems.models import Transfer

# what an undo would reach costs a look at every item, so lists do not say it
ONE = replace(catalogue.TRANSFERS, fields=(*catalogue.TRANSFERS.fields, transfer_wire.UNDOABLE))
COMMANDS: dict[str, Callable[..., object]] = {
    "pause": transfers.pause,
    "resume": transfers.resume,
    "cancel": transfers.cancel,
    "retry": transfers.retry,
}
NEED_WORKERS = ("resume", "retry")


class Transfers(ViewSetMixin, ListView):
    """Bulk transfers."""

    catalogue = catalogue.TRANSFERS

    def list(self, request: Request) -> HttpResponseBase:
        """Answer with the caller's own transfers, or with all of them for the admin scope."""
        return self.page(request)

    def retrieve(self, request: Request, transfer_id: str) -> Response:
        """Answer with one transfer as it stands now."""
        refuse_unknown_parameters(request, ("fields",))
        return _show(request, transfers.find(transfer_id, actor_of(request)))

    def create(self, request: Request) -> Response:
        """Write down what is to move and wake workers; with `dryRun`, say only what would move."""
        refuse_unknown_parameters(request, ("dryRun",))
        actor, now = actor_of(request), timezone.now()
        values = strict.read(TransferManyBody, request)
        if not actor.can_anywhere(Scope.WRITE):
            raise MissingScope(scope=Scope.WRITE.value)  # before anybody is named
        order = order_of(values, actor, now)
        if truth(request, "dryRun"):
            found = transfers.preview(order.selection, order.terms, actor=actor, now=now)
            return Response(transfer_wire.preview(found, order.terms, actor))
        row = transfers.request(
            order.selection, order.terms, actor=actor, now=now, start_at=order.start_at, expected=order.expected
        )
        if order.start_at is None:
            tasks.wake_transfer(row)
        answer = _show(request, row, status.HTTP_201_CREATED)
        answer["Location"] = f"{request.path}/{row.transfer_id}"
        return answer


class TransferItems(ViewSetMixin, ListView):
    """The receipt of a transfer: every workitem, and what became of it."""

    catalogue = catalogue.TRANSFER_ITEMS

    def list(self, request: Request, transfer_id: str) -> HttpResponseBase:
        """Answer with the items in the order in which they are moved."""
        self.catalogue = catalogue.items_of(transfers.find(transfer_id, actor_of(request)))
        return self.page(request)


class TransferCommand(ApiView):
    """One thing that can be done to a transfer that is under way, or has left something undone."""

    does: str = "pause"

    def post(self, request: Request, transfer_id: str) -> Response:
        """Do it, and answer with the transfer."""
        refuse_unknown_parameters(request, ())
        strict.read(strict.Body, request)
        actor = actor_of(request)
        row = transfers.find(transfer_id, actor)
        COMMANDS[self.does](row, actor=actor, now=timezone.now())
        if self.does in NEED_WORKERS:
            tasks.wake_transfer(row)
        return _show(request, row)


class UndoTransfer(ApiView):
    """The way back."""

    def post(self, request: Request, transfer_id: str) -> Response:
        """Have what nobody has touched since brought back, and answer with the transfer that does it."""
        refuse_unknown_parameters(request, ())
        strict.read(strict.Body, request)
        actor = actor_of(request)
        undone = transfers.find(transfer_id, actor)
        row = transfers.undo(undone, actor=actor, now=timezone.now())
        tasks.wake_transfer(row)
        answer = _show(request, row, status.HTTP_201_CREATED, left=undone.done - row.total)
        answer["Location"] = f"{request.path.removesuffix(f'{transfer_id}/undo')}{row.transfer_id}"
        return answer


def _show(request: Request, row: Transfer, status: int = 200, **more: Any) -> Response:
    shape = shape_of(request, ONE)
    wire = {**transfer_wire.transfer(row, timezone.now()), **more}
    if transfer_wire.UNDOABLE in shape.fields:
        wire[transfer_wire.UNDOABLE] = transfer_wire.undoable(row)
    shown = shape.cut(wire) if request.method in ("GET", "HEAD") else wire
    return single(request, shown, fingerprint_of(shown), status)
