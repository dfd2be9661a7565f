"""Files of large lists in the back office: how far they have got, and the file itself; each for its requester only."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, Func, IntegerField, QuerySet
from django.forms.widgets import Script
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from workitems import exports
from workitems.actors import Actor
from workitems.admin import import_jobs, tasks
from workitems.admin.base import CappedPaginator
from workitems.admin.exporting import file_name
from workitems.admin.guarded import GuardedAdmin
from workitems.errors import WorkitemError
from workitems.models import Export
from workitems.presenting.words import grouped

State = Export.State
ICONS = {
    State.PENDING: "schedule",
    State.RUNNING: "sync",
    State.DONE: "check_circle",
    State.FAILED: "error",
    State.CANCELLED: "cancel",
}


class Length(Func):
    """How many things a JSON list holds."""

    function = "JSON_ARRAY_LENGTH"
    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Name it as PostgreSQL does."""
        return super().as_sql(compiler, connection, function="jsonb_array_length", **context)


@admin.register(Export)
class ExportAdmin(GuardedAdmin):
    """One's own files of large lists."""

    kind = "export"
    list_display = ["list_words", "state_word", "format", "rows_written", "asked_for", "ended"]
    list_filter = ["state", "format"]
    ordering = ["-pk"]
    paginator = CappedPaginator

    class Media:
        js = [Script("local-times.js", defer=True)]

    def visible_rows(self, actor: Actor) -> QuerySet[Export]:
        """Show each person his own; what is brought in has pages of its own."""
        return exports.of(actor).exclude(list_name__startswith=import_jobs.PREFIX).defer("selected")

    def get_urls(self) -> list[Any]:
        """Add the buttons and the file."""
        pages = {
            "progress": require_GET(self.progress_view),
            "cancel": require_POST(self.cancel_view),
            "retry": require_POST(self.retry_view),
            "download": require_GET(self.download_view),
        }
        return [
            *(
                path(f"<path:object_id>/{name}/", self.admin_site.admin_view(view), name=f"workitems_export_{name}")
                for name, view in pages.items()
            ),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("list"), ordering="list_name")
    def list_words(self, export: Export) -> str:
        """Name the list."""
        return list_words(export)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_word(self, export: Export) -> str:
        """Show the state with its icon."""
        context = {"run": export, "icon": ICONS[State(export.state)]}
        return render_to_string("admin/workitems/run_state.html", context)

    @admin.display(description=gettext_lazy("requested"), ordering="created_at")
    def asked_for(self, export: Export) -> str:
        """Show when it was asked for, in the reader's own zone."""
        return render_to_string("workitems/time.html", {"moment": export.created_at})

    @admin.display(description=gettext_lazy("rows"), ordering="rows")
    def rows_written(self, export: Export) -> str:
        """Show how many rows are in the file by now."""
        return grouped(export.rows)

    @admin.display(description=gettext_lazy("finished"), ordering="finished_at", empty_value="–")
    def ended(self, export: Export) -> str | None:
        """Show when it was over."""
        moment = export.finished_at
        return None if moment is None else render_to_string("workitems/time.html", {"moment": moment})

    def export_rows_written(self, export: Export) -> int:
        """Write the number as a number."""
        return export.rows

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show how far it has got."""
        if request.method == "POST":
            raise PermissionDenied  # what was asked for stays as it was asked
        export = self.seen(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Export: %(rows)s") % {"rows": list_words(export)},
            "opts": self.opts,
            **_facts(export),
        }
        return TemplateResponse(request, "admin/workitems/export_page.html", context)

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the part of the page that changes meanwhile."""
        export = self.seen(request, object_id)
        return TemplateResponse(request, "admin/workitems/export_live.html", _facts(export))

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End it."""
        return self._press(request, object_id, exports.cancel, _("Cancelled."))

    def retry_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let one that has failed go on."""
        return self._press(request, object_id, exports.retry, _("It goes on."))

    def download_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Return the file."""
        export: Export = self.seen(request, object_id)
        if export.state != State.DONE:
            raise Http404
        form = Export.Format(export.format)
        name = file_name(export.list_name.rpartition(".")[2], form)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(exports.content(export), content_type=exports.CONTENT_TYPES[form], headers=headers)

    def _press(self, request: HttpRequest, object_id: str, press: Any, said: str) -> HttpResponse:
        export = self.seen(request, object_id)
        try:
            press(export, now=timezone.now())
        except WorkitemError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, said)
            if export.state in exports.DRIVEN:
                tasks.wake_export(export)
        return HttpResponseRedirect(reverse("admin:workitems_export_change", args=[object_id]))


def list_words(export: Export) -> str:
    """Return the name of the list, in words."""
    try:
        return str(capfirst(apps.get_model(export.list_name)._meta.verbose_name_plural))
    except (LookupError, ValueError):
        return export.list_name


def _facts(export: Export) -> dict[str, Any]:
    total = Export.objects.filter(pk=export.pk).values_list(Length(F("selected")), flat=True).get()
    return {
        "export": export,
        "icon": ICONS[State(export.state)],
        "words": list_words(export),
        "is_finished": export.state not in exports.DRIVEN,
        "is_done": export.state == State.DONE,
        "has_failed": export.state == State.FAILED,
        "rows_text": grouped(export.rows),
        "rows_total": max(total or 0, 1),
        "total_text": grouped(total) if total else "",
        "days": exports.KEPT_FOR.days,
    }
