"""The pages on which a table is brought in: choose a file, look at what it would do, and let it be done or not."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from workitems import cells, exports, sheets
from workitems.admin import import_jobs, tasks
from workitems.admin.exporting import Exporting
from workitems.admin.import_plans import CHANGED, NEW, REFUSED, UNCHANGED, Line, plan
from workitems.admin.import_resources import TABLES, Table
from workitems.errors import WorkitemError
from workitems.models import Export
from workitems.presenting.words import grouped
from workitems.staff import actor_of

AT_ONCE_SECONDS = 5.0  # the longest that a person waits; what is left then is for the workers
SHOWN = 100  # lines of each kind
OUTCOME = {
    NEW: gettext_lazy("New"),
    CHANGED: gettext_lazy("Changed"),
    UNCHANGED: gettext_lazy("Unchanged"),
    REFUSED: gettext_lazy("Refused"),
}


class UploadForm(forms.Form):
    """The file to bring in."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("The file is empty."),
        },
    )

    def clean_file(self) -> Any:
        """Refuse what is too large before it is read."""
        file = self.cleaned_data["file"]
        if file.size > sheets.MOST_BYTES:
            raise forms.ValidationError(_("The file is larger than 10 MB. Cut it into several."))
        return file


class Importing(Exporting):
    """What a list needs so that tables can be brought into it; it is there for those that have columns for that."""

    def import_resource(self) -> Table | None:
        """Return the columns that can be brought in, or None where the list takes none."""
        found = TABLES.get(self.model)
        return found() if found else None

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Ask for the right to add and to change such rows, wherever they belong."""
        table = self.import_resource()
        return (
            table is not None
            and table.kind.change_scope in actor_of(request).everywhere
            and self.has_add_permission(request)
            and self.has_change_permission(request)
        )

    def get_urls(self) -> list[Any]:
        """Add the pages."""
        if self.import_resource() is None:
            return super().get_urls()
        pages: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
            "importing": ("import/", self.importing_view),
            "importing_template": ("import/template/<str:form>/", require_GET(self.importing_template_view)),
            "importing_plan": ("import/<str:import_id>/", self.importing_plan_view),
            "importing_refused": ("import/<str:import_id>/refused/", require_GET(self.importing_refused_view)),
        }
        prefix = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            *(
                path(address, self.admin_site.admin_view(view), name=f"{prefix}_{name}")
                for name, (address, view) in pages.items()
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to the page above the list."""
        may = self.has_import_permission(request) and "_popup" not in request.GET
        links = {"importing_address": self._import_address("importing")} if may else {}
        return super().changelist_view(request, {**links, **(extra_context or {})})

    def importing_view(self, request: HttpRequest) -> HttpResponse:
        """Take a file and lead to what it would do."""
        table = self._import_table(request)
        form = UploadForm(request.POST or None, request.FILES or None) if request.method == "POST" else UploadForm()
        if form.is_bound and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                found = plan(table, sheets.read(file.name, file.read()), actor_of(request))
            except sheets.Unreadable as problem:
                form.add_error("file", str(problem))
            else:
                kept = import_jobs.keep(found, table, file.name, user=request.user, now=timezone.now())
                return HttpResponseRedirect(self._import_address("importing_plan", kept.export_id))
        columns = [(one.column_name, self._column_words(one), one.widget.hint) for one in table.columns()]
        context = {
            "title": _("Import %(rows)s") % {"rows": self.opts.verbose_name_plural},
            "form": form,
            "columns": columns,
            "needed": ", ".join(table.needed),
            "template_csv": self._import_address("importing_template", "csv"),
            "template_xlsx": self._import_address("importing_template", "xlsx"),
        }
        return self._import_page(request, "import_ask.html", context)

    def importing_template_view(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """Return an empty table with the right headers."""
        table = self._import_table(request)
        name = f"{self.opts.model_name}-import.{form}"
        if form == "csv":
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            text = "\ufeff" + cells.line(table.column_names())
            return HttpResponse(text, content_type=exports.CONTENT_TYPES[Export.Format.CSV], headers=headers)
        if form != "xlsx":
            raise Http404
        file = tempfile.TemporaryFile()  # noqa: SIM115  the answer closes it
        sheets.write(file, str(self.opts.verbose_name_plural), table.column_names(), [])
        file.seek(0)
        kind = exports.CONTENT_TYPES[Export.Format.XLSX]
        return FileResponse(file, as_attachment=True, filename=name, content_type=kind)

    def importing_plan_view(self, request: HttpRequest, import_id: str) -> HttpResponse:
        """Show what a file would do, or has done; let it be done, or throw it away."""
        kept = self._kept_import(request, import_id)
        here = self._import_address("importing_plan", import_id)
        if request.method == "POST":
            if "drop" in request.POST:
                import_jobs.drop(kept)
                messages.success(request, _("Nothing was imported."))
                return HttpResponseRedirect(self._import_address("changelist"))
            self._begin_import(request, kept)
            return HttpResponseRedirect(here)
        return self._import_page(
            request, "import_plan.html", {**_facts(kept), "here": here, **self._import_words(kept)}
        )

    def importing_refused_view(self, request: HttpRequest, import_id: str) -> StreamingHttpResponse:
        """Return the refused lines as they stood in the file, each with its row and reason."""
        kept = self._kept_import(request, import_id)
        headers = {"Content-Disposition": f'attachment; filename="{self.opts.model_name}-refused.csv"'}
        return StreamingHttpResponse(
            _refused(kept), content_type=exports.CONTENT_TYPES[Export.Format.CSV], headers=headers
        )

    def _begin_import(self, request: HttpRequest, kept: Export) -> None:
        actor = actor_of(request)
        try:
            import_jobs.begin(kept, actor=actor, now=timezone.now())
        except WorkitemError as refusal:
            messages.error(request, refusal.message)
            return
        import_jobs.work_off(kept.export_id, clock=timezone.now, seconds=AT_ONCE_SECONDS, actor=actor)
        if exports.is_driven(kept.export_id):
            tasks.wake_import(kept)

    def _import_words(self, kept: Export) -> dict[str, Any]:
        after = _("Import of %(rows)s from “%(file)s”")
        title = _("What “%(file)s” would do") if import_jobs.is_open(kept) else after
        return {
            "title": title % {"file": kept.query, "rows": self.opts.verbose_name_plural},
            "refused_address": self._import_address("importing_refused", kept.export_id),
            "again": self._import_address("importing"),
            "back": self._import_address("changelist"),
        }

    def _import_table(self, request: HttpRequest) -> Table:
        table = self.import_resource()
        if table is None or not self.has_import_permission(request):
            raise PermissionDenied
        return table

    def _kept_import(self, request: HttpRequest, import_id: str) -> Export:
        self._import_table(request)
        mine = import_jobs.of(actor_of(request)).filter(list_name=import_jobs.PREFIX + self.opts.label_lower)
        kept = mine.filter(export_id=import_id).first()
        if kept is None:
            raise Http404
        return kept

    def _column_words(self, column: Any) -> str:
        field: Any = self.model._meta.get_field(column.attribute)
        related = field.related_model._meta.verbose_name_plural if field.auto_created else field.verbose_name
        return str(related)

    def _import_address(self, name: str, *arguments: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=arguments)

    def _import_page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        page = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/workitems/{template}", page)


def _facts(kept: Export) -> dict[str, Any]:
    """Return what a page shows of an import."""
    facts: dict[str, Any] = kept.columns
    counts, outcomes = facts["counts"], facts.get("outcomes", {})
    to_do = counts.get(NEW, 0) + counts.get(CHANGED, 0)
    late = outcomes.get(REFUSED, 0)
    return {
        "kept": kept,
        "is_open": import_jobs.is_open(kept),
        "is_running": kept.state in exports.DRIVEN,
        "is_over": kept.state == Export.State.DONE,
        "counts": [(kind, words, grouped(counts.get(kind, 0))) for kind, words in OUTCOME.items()],
        "refused": counts.get(REFUSED, 0) + late,
        "late": late,
        "done": outcomes.get(import_jobs.DONE, 0),
        "to_do": to_do,
        "total": facts["total"],
        "ignored": facts["ignored"],
        "no_ids": not facts["hasIds"],
        "sections": _sections(kept),
    }


def _sections(kept: Export) -> list[dict[str, Any]]:
    """Return the first lines of each kind; those that were refused at last stand with the refused."""
    found: dict[str, list[Line]] = {REFUSED: [], CHANGED: [], NEW: []}
    counts = dict.fromkeys(found, 0)
    for line in import_jobs.lines_of(kept):
        status = REFUSED if line.get("outcome") == REFUSED else line["status"]
        if status in found:
            counts[status] += 1
            if len(found[status]) < SHOWN:
                found[status].append(line)
    return [
        {
            "kind": kind,
            "title": OUTCOME[kind],
            "lines": [
                {**line, "changes": [(name, *values) for name, values in line["diff"].items()]} for line in lines
            ],
            "left_out": counts[kind] - len(lines),
        }
        for kind, lines in found.items()
        if lines
    ]


def _refused(kept: Export) -> Iterator[str]:
    facts: dict[str, Any] = kept.columns
    yield "\ufeff" + cells.line([_("Row"), _("Reason"), *facts["header"]])
    for line in import_jobs.lines_of(kept):
        if line.get("outcome") == REFUSED or line["status"] == REFUSED:
            yield cells.line([line["row"], line["problem"], *_as_it_stood(line["cells"])])


def _as_it_stood(line: Sequence[str]) -> list[str]:
    return [cells.unsafe(cell) for cell in islice(line, sheets.MOST_COLUMNS)]
