"""Bulk transfers in the back office: the list, each one's receipt, and the buttons on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from workitems import tasks, transfers
from workitems.admin import receipts
from workitems.admin.base import actor_of, grouped
from workitems.admin.runs import RunAdmin
from workitems.admin.transfer_dialog import set_going
from workitems.choices import Scope
from workitems.errors import WorkitemError
from workitems.models import Transfer


@admin.register(Transfer)
class TransferAdmin(RunAdmin):
    """Bulk transfers: one's own, and everybody's with the admin scope everywhere."""

    list_display = ["transfer_id", "state_word", "progress", "goes_to", "requested_by", "began"]
    list_filter = ["state"]
    search_fields = ["transfer_id"]
    search_help_text = gettext_lazy("The id of a transfer.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transfer]:
        """Show what the person may see."""
        return transfers.visible_to(actor_of(request))

    @admin.display(description=gettext_lazy("to"))
    def goes_to(self, transfer: Transfer) -> str:
        """Name where it goes."""
        return receipts.target_of(transfer)

    def pages(self) -> dict[str, Callable[..., HttpResponseBase]]:
        """Return the receipt's parts and buttons."""
        return {
            "progress": self.progress_view,
            "export": self.export_view,
            "pause": self.pause_view,
            "resume": self.resume_view,
            "retry": self.retry_view,
            "cancel": self.cancel_view,
            "undo": self.undo_view,
        }

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the receipt."""
        if request.method == "POST":
            raise PermissionDenied  # what was asked for stays as it was asked
        transfer = self._seen(request, object_id)
        receipt = receipts.Receipt(transfer, actor_of(request), request.GET, timezone.now())
        title = receipts.title_of(transfer)
        return self._page(request, transfer, "transfer_receipt.html", title, etag=receipt.etag, **receipt.context())

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the part of the receipt that changes while the transfer runs, or that nothing has changed."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        transfer = self._seen(request, object_id)
        receipt = receipts.Receipt(transfer, actor_of(request), request.GET, timezone.now())
        unchanged: HttpResponse | None = get_conditional_response(request, etag=receipt.etag)
        if unchanged is not None:
            return unchanged
        context = {"transfer": transfer, **receipt.context()}
        answer = TemplateResponse(request, "admin/workitems/transfer_live.html", context)
        answer["ETag"] = receipt.etag
        return answer

    def export_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Return every item with its outcome, as CSV or as one JSON object a line."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        return receipts.export(self._seen(request, object_id), request.GET.get("format", "csv"))

    def pause_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let it stand still."""
        return self._press(request, object_id, transfers.pause, _("Paused."))

    def resume_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let it go on."""
        return self._press(request, object_id, transfers.resume, _("It goes on."), wakes=True)

    def retry_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take on once more what was set aside."""
        return self._press(request, object_id, transfers.retry, _("What was set aside is tried again."), wakes=True)

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End it, after a question."""
        if request.method == "POST":
            return self._press(request, object_id, transfers.cancel, _("Cancelled."))
        transfer = self._seen(request, object_id)
        if transfer.is_finished:
            return self._back(request, transfer)
        counts = {"pending": grouped(transfer.pending), "done": grouped(transfer.done), "has_done": transfer.done > 0}
        return self._page(request, transfer, "transfer_cancel.html", _("Cancel this transfer?"), **counts)

    def undo_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return what it has moved to where that was, after a question."""
        transfer = self._seen(request, object_id)
        if request.method == "POST":
            return self._undo(request, transfer)
        if not receipts.can_be_undone(transfer):
            return self._back(request, transfer)
        return self._page(
            request,
            transfer,
            "transfer_undo.html",
            _("Undo this transfer?"),
            **receipts.undo_question(transfer, actor_of(request)),
        )

    def _undo(self, request: HttpRequest, transfer: Transfer) -> HttpResponse:
        actor, now = actor_of(request), timezone.now()
        try:
            undoing = transfers.undo(transfer, actor=actor, now=now)
        except WorkitemError as refusal:
            messages.error(request, refusal.message)
            return self._back(request, transfer)
        set_going(undoing, actor, now)
        text = ngettext("%s item goes back.", "%s items go back.", undoing.total)
        messages.success(request, text % grouped(undoing.total))
        return self._back(request, undoing)

    def _press(
        self, request: HttpRequest, object_id: str, do: Callable[..., Any], text: str, *, wakes: bool = False
    ) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        transfer = self._seen(request, object_id)
        try:
            do(transfer, actor=actor_of(request), now=timezone.now())
        except WorkitemError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, text)
            if wakes:
                tasks.wake_transfer(transfer)
        return self._back(request, transfer)

    def _seen(self, request: HttpRequest, object_id: str) -> Transfer:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request)
        transfer: Transfer | None = rows.filter(pk=object_id).first() if object_id.isdecimal() else None
        if transfer is None:
            raise Http404
        return transfer

    def _back(self, request: HttpRequest, transfer: Transfer) -> HttpResponse:
        address = reverse("admin:workitems_transfer_change", args=[transfer.pk])
        query = request.GET.urlencode()
        return HttpResponseRedirect(f"{address}?{query}" if query else address)

    def _page(
        self, request: HttpRequest, transfer: Transfer, template: str, title: str, **context: Any
    ) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "transfer": transfer}
        return TemplateResponse(request, f"admin/workitems/{template}", {**shared, **context})

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Open to everybody who may move workitems."""
        return actor_of(request).can_anywhere(Scope.WRITE)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Open to everybody who may move workitems."""
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Transfers begin in the list of workitems."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep what was asked for as it was asked."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Receipts are kept."""
        return False
