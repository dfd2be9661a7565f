"""Transfers and other work on many at the desk: the list, and each one's receipt, which stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from workitems import bulk, requested, transfers
from workitems import runs as worked_off
from workitems.actors import Actor
from workitems.errors import WorkitemError
from workitems.models import BulkRun, RunItem, Transfer
from workitems.pages import live
from workitems.pages.addresses import ADDRESSES
from workitems.pages.handover_sheet import is_handover, sheet_of
from workitems.pages.people import actor_of
from workitems.pages.run_list import Cursor, is_planned, page_of
from workitems.presenting import receipt_files, starting
from workitems.presenting.bulk_receipts import BulkReceipt
from workitems.presenting.receipts import Receipt
from workitems.presenting.transfer_receipts import TransferReceipt
from workitems.presenting.words import grouped, name_of

MOST_SELECTED = 50  # a search names so many ids

Asked = Transfer | BulkRun


@login_required
@require_GET
def runs(request: HttpRequest) -> HttpResponse:
    """Show the runs of which somebody may know."""
    actor = actor_of(request)

    def context(_mark: str) -> dict[str, Any]:
        now = timezone.now()
        cursor = Cursor.read(request.GET.get("before", ""))
        return {"page": page_of(actor, request.GET.get("state", ""), cursor, now), "now": now}

    return live.answer(request, "supervisor/runs.html", context)


@login_required
@require_GET
def run(request: HttpRequest, run_id: str) -> HttpResponse:
    """Show a run's receipt, and how far it is as long as it goes on."""

    def context(_mark: str) -> dict[str, Any]:
        seen = _seen(request, run_id)
        receipt = _receipt(request, seen)
        return {
            "run": seen,
            "receipt": receipt,
            "title": receipt.title,
            "by": name_of(seen.requested_by),
            "is_planned": is_planned(seen, receipt.now),
            "is_handover": is_handover(seen),
            "again": _left_over(seen),
            "now": receipt.now,
            **receipt.context(),
        }

    return live.answer(request, "supervisor/run.html", context)


@login_required
def press(request: HttpRequest, run_id: str, what: str) -> HttpResponseBase:
    """Steer a run, or show one of the pages beside its receipt."""
    views = {"GET": SHOWN, "POST": PRESSED}.get(request.method or "", {})
    if what in views:
        return views[what](request, _seen(request, run_id))
    if what in SHOWN or what in PRESSED:
        return HttpResponseNotAllowed(
            [method for method, kinds in (("GET", SHOWN), ("POST", PRESSED)) if what in kinds]
        )
    raise Http404


def _csv(request: HttpRequest, run: Asked) -> HttpResponseBase:
    return receipt_files.export(run, "csv")


def _ndjson(request: HttpRequest, run: Asked) -> HttpResponseBase:
    return receipt_files.export(run, "ndjson")


def _sheet(request: HttpRequest, run: Asked) -> HttpResponse:
    if not isinstance(run, BulkRun) or not is_handover(run):
        raise Http404
    return render(request, "supervisor/handover_sheet.html", {"sheet": sheet_of(run, actor_of(request))})


def _ask_cancel(request: HttpRequest, run: Asked) -> HttpResponse:
    if run.is_finished:
        return redirect(ADDRESSES.run(run))
    receipt = _receipt(request, run)
    return render(request, "supervisor/run_cancel.html", {
        "run": run, "words": receipt.words, "undo_hint": receipt.undo_hint,
        "is_planned": is_planned(run, receipt.now), **receipt.counted(),
    })  # fmt: skip


def _ask_undo(request: HttpRequest, run: Asked) -> HttpResponse:
    receipt = _receipt(request, run)
    if not receipt.can_undo:
        return redirect(ADDRESSES.run(run))
    context = {"run": run, "words": receipt.words, **receipt.undo_question()}
    return render(request, "supervisor/run_undo.html", context)


def _pause(request: HttpRequest, run: Asked) -> HttpResponse:
    return _steer(request, run, requested.pause, _("Paused."))


def _resume(request: HttpRequest, run: Asked) -> HttpResponse:
    return _steer(request, run, requested.resume, _("It goes on."), wakes=True)


def _cancel(request: HttpRequest, run: Asked) -> HttpResponse:
    return _steer(request, run, requested.cancel, _("Cancelled."))


def _retry(request: HttpRequest, run: Asked) -> HttpResponse:
    return _steer(request, run, requested.retry, _("What was set aside is tried again."), wakes=True)


def _undo(request: HttpRequest, run: Asked) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    undoing: Asked
    try:
        if isinstance(run, Transfer):
            undoing = transfers.undo(run, actor=actor, now=now)
        else:
            undoing = bulk.undo(run, actor=actor, now=now)
    except WorkitemError as refusal:
        messages.error(request, refusal.message)
        return redirect(ADDRESSES.run(run))
    starting.start(undoing, actor, now)
    text = ngettext("%s item goes back.", "%s items go back.", undoing.total)
    messages.success(request, text % grouped(undoing.total))
    return redirect(ADDRESSES.run(undoing))


def _steer(request: HttpRequest, run: Asked, do: Callable[..., Any], text: str, *, wakes: bool = False) -> HttpResponse:
    kind: worked_off.Kind[Any] = transfers.TRANSFERS if isinstance(run, Transfer) else bulk.BULK_RUNS
    try:
        do(kind, run, actor=actor_of(request), now=timezone.now())
    except WorkitemError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, text)
        if wakes:
            starting.wake(run)
    return redirect(ADDRESSES.run(run))


def _seen(request: HttpRequest, run_id: str) -> Asked:
    actor = actor_of(request)
    found = _bulk_run(run_id, actor) if run_id.startswith("bk_") else _transfer(run_id, actor)
    if found is None:
        raise Http404
    return found


def _bulk_run(run_id: str, actor: Actor) -> BulkRun | None:
    return bulk.visible_to(actor).filter(bulk_id=run_id).first()


def _transfer(run_id: str, actor: Actor) -> Transfer | None:
    return transfers.visible_to(actor).filter(transfer_id=run_id).first()


def _receipt(request: HttpRequest, run: Asked) -> Receipt[Any]:
    actor, now = actor_of(request), timezone.now()
    if isinstance(run, Transfer):
        return TransferReceipt(run, actor, request.GET, now, addresses=ADDRESSES)
    return BulkReceipt(run, actor, request.GET, now, addresses=ADDRESSES)


def _left_over(run: Asked) -> dict[str, Any] | None:
    """Return the work list in which what was refused or set aside is selected, and how many that are."""
    if not run.refused + run.failed:
        return None
    outcomes = (RunItem.Outcome.REFUSED, RunItem.Outcome.FAILED)
    rows = run.items.filter(outcome__in=outcomes).order_by("pk")
    ids = list(rows.values_list("workitem_id", flat=True)[:MOST_SELECTED])
    named = " ".join(f'"{one}"' for one in ids)
    query = urlencode({"q": f"workitemId:({named})"})
    left = run.refused + run.failed - len(ids)
    return {
        "address": f"{reverse('work')}?{query}#select={','.join(ids)}",
        "count": len(ids),
        "left_out": grouped(left) if left else "",
    }


Answers = dict[str, Callable[[HttpRequest, Any], HttpResponseBase]]
SHOWN: Answers = {"csv": _csv, "ndjson": _ndjson, "cancel": _ask_cancel, "undo": _ask_undo, "sheet": _sheet}
PRESSED: Answers = {"pause": _pause, "resume": _resume, "cancel": _cancel, "retry": _retry, "undo": _undo}
