"""What the pages of runs that somebody has asked for share: the receipt, its parts and files, and its buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workitems import requested, runs
from workitems.actors import Actor
from workitems.admin.addresses import ADDRESSES, LIST_QUERY
from workitems.admin.runs import RunAdmin
from workitems.admin.starting import start
from workitems.errors import WorkitemError
from workitems.models import BulkRun, Transfer
from workitems.presenting import receipt_files, starting
from workitems.presenting.receipts import Receipt
from workitems.presenting.words import grouped, is_key
from workitems.staff import actor_of

Asked = Transfer | BulkRun


class RequestedRunAdmin(RunAdmin):
    """Runs of one kind: one's own, and everybody's with the admin scope everywhere."""

    kind: ClassVar[runs.Kind[Any]]
    receipt: ClassVar[type[Receipt[Any]]]

    def may_open(self, actor: Actor) -> bool:
        """Tell whether the pages are open to this person at all."""
        raise NotImplementedError

    def undo(self, run: Any, actor: Actor) -> Any:
        """Have a run written down that takes this one back."""
        raise NotImplementedError

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
        receipt = self._receipt(request, object_id)
        return self._page(
            request, receipt.run, "run_receipt.html", receipt.title, etag=receipt.etag, **receipt.context()
        )

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the part of the receipt that changes while the run goes on, or that nothing has changed."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        receipt = self._receipt(request, object_id)
        unchanged: HttpResponse | None = get_conditional_response(request, etag=receipt.etag)
        if unchanged is not None:
            return unchanged
        context = {"run": receipt.run, "route": self._route, **receipt.context()}
        answer = TemplateResponse(request, "admin/workitems/run_live.html", context)
        answer["ETag"] = receipt.etag
        return answer

    def export_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Return every item with its outcome, as CSV or as one JSON object a line."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        return receipt_files.export(self._seen(request, object_id), request.GET.get("format", "csv"))

    def pause_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let it stand still."""
        return self._press(request, object_id, requested.pause, _("Paused."))

    def resume_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let it go on."""
        return self._press(request, object_id, requested.resume, _("It goes on."), wakes=True)

    def retry_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take on once more what was set aside."""
        return self._press(request, object_id, requested.retry, _("What was set aside is tried again."), wakes=True)

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End it, after a question."""
        if request.method == "POST":
            return self._press(request, object_id, requested.cancel, _("Cancelled."))
        receipt = self._receipt(request, object_id)
        if receipt.run.is_finished:
            return self._back(request, receipt.run)
        counts = {**receipt.counted(), "has_done": receipt.run.done > 0, "undo_hint": receipt.undo_hint}
        return self._page(request, receipt.run, "run_cancel.html", str(self.receipt.words["cancel"]), **counts)

    def undo_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take back what it has done, after a question."""
        receipt = self._receipt(request, object_id)
        if request.method == "POST":
            return self._undo(request, receipt.run)
        if not receipt.can_undo:
            return self._back(request, receipt.run)
        return self._page(
            request, receipt.run, "run_undo.html", str(self.receipt.words["undo"]), **receipt.undo_question()
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Open to everybody who could ask for such a run."""
        return self.may_open(actor_of(request))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Open to everybody who could ask for such a run."""
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: runs begin in the list of workitems."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep what was asked for as it was asked."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep the receipts."""
        return False

    def _undo(self, request: HttpRequest, run: Asked) -> HttpResponse:
        actor = actor_of(request)
        try:
            undoing = self.undo(run, actor)
        except WorkitemError as refusal:
            messages.error(request, refusal.message)
            return self._back(request, run)
        start(undoing, actor, timezone.now())
        text = ngettext("%s item goes back.", "%s items go back.", undoing.total)
        messages.success(request, text % grouped(undoing.total))
        return self._back(request, undoing)

    def _press(
        self, request: HttpRequest, object_id: str, do: Callable[..., Any], text: str, *, wakes: bool = False
    ) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        run = self._seen(request, object_id)
        try:
            do(self.kind, run, actor=actor_of(request), now=timezone.now())
        except WorkitemError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, text)
            if wakes:
                starting.wake(run)
        return self._back(request, run)

    def _receipt(self, request: HttpRequest, object_id: str) -> Receipt[Any]:
        run, actor = self._seen(request, object_id), actor_of(request)
        return self.receipt(run, actor, request.GET, timezone.now(), addresses=ADDRESSES)

    def _seen(self, request: HttpRequest, object_id: str) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = self.get_queryset(request).filter(pk=object_id).first() if is_key(object_id) else None
        if run is None:
            raise Http404
        return run

    def _back(self, request: HttpRequest, run: Asked) -> HttpResponse:
        query = request.GET.urlencode()
        return HttpResponseRedirect(f"{run.get_absolute_url()}?{query}" if query else run.get_absolute_url())

    @property
    def _route(self) -> str:
        return f"admin:{self.opts.app_label}_{self.opts.model_name}"

    def _page(self, request: HttpRequest, run: Asked, template: str, title: str, **context: Any) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "run": run,
            "route": self._route,
            "list_query": request.GET.get(LIST_QUERY, ""),
            "words": self.receipt.words,
        }
        return TemplateResponse(request, f"admin/workitems/{template}", {**shared, **context})
