"""Any list of the back office as a file: all that matches what is searched for, or what is ticked.

A column X is exported as the list's method `export_X(row)` says, where there is one; else a field's plain value; else
the words that are shown. `complete_rows` is there for lists that add something to the rows of a page.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IS_POPUP_VAR, IncorrectLookupParameters
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    QueryDict,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from workitems import exports
from workitems.actors import Actor
from workitems.admin import tasks
from workitems.admin.exported import header_of, value_of
from workitems.errors import ListClosed
from workitems.models import Export
from workitems.presenting.words import grouped
from workitems.staff import actor_of

FILTER_WAYS = ("exact", "in", "isnull", "id__exact", "pk__exact")  # as the filters of the theme write them
COUNTED = 1_000
SHOWN = "show_"  # before the name of a column in the name of the method that shows it
EVERY_FIELD = "*"  # instead of columns: all that an import takes


class ExportForm(forms.Form):
    """What the file is to be."""

    format = forms.ChoiceField(choices=Export.Format.choices, initial=Export.Format.CSV)
    fields_of = forms.ChoiceField(choices=[("list", ""), ("import", "")], initial="list", required=False)


class AdminTable:
    """A list of the back office as somebody sees it, with its filters, search and columns; a table to export."""

    def __init__(self, model_admin: Any, request: HttpRequest, columns: Sequence[str] | None = None) -> None:
        if not model_admin.has_view_permission(request):
            raise ListClosed
        self.admin, self.request = model_admin, request
        self.title = str(capfirst(model_admin.opts.verbose_name_plural))
        shown = list(model_admin.get_list_display(request) if columns in (None, [EVERY_FIELD]) else columns or [])
        self.resource = model_admin.import_resource() if columns == [EVERY_FIELD] else None
        self.shown = shown
        self.names = self.resource.column_names() if self.resource else [one.removeprefix(SHOWN) for one in shown]
        self.headers = self.names if self.resource else [header_of(model_admin, name) for name in shown]
        self.changes = _change_list(model_admin, request, shown)

    @property
    def columns(self) -> list[str]:
        """What a later run needs to know of the columns."""
        return [EVERY_FIELD] if self.resource else self.shown

    def matching(self) -> QuerySet[Any]:
        """Return the rows in their order on the screen."""
        rows: QuerySet[Any] = self.changes.queryset
        return rows

    def ids(self, most: int, selected: Sequence[str] | None = None) -> list[int]:
        """Return the keys of what matches, or of what is ticked of it, in the order of the screen."""
        rows = self.matching()
        if selected is not None:
            rows = rows.filter(pk__in=selected)
        return list(rows.values_list("pk", flat=True)[:most])

    def rows(self, pks: Sequence[int]) -> list[exports.Row]:
        """Return what stands in the columns of these rows, without those that are gone or out of sight by now."""
        seen = self.changes.apply_select_related(self.admin.get_queryset(self.request).filter(pk__in=pks).order_by())
        by_pk = {row.pk: row for row in seen}
        found = self.changes.complete([by_pk[pk] for pk in pks if pk in by_pk])
        self.admin.complete_rows(found)
        if self.resource:
            return [self.resource.exported(row) for row in found]
        return [[value_of(self.admin, row, name) for name in self.shown] for row in found]


class Portioned(ChangeList):
    """A list whose page is any rows that are handed to it: what it adds to those of a page, it adds to them."""

    portion: Sequence[Any] = ()
    result_list: Any

    def __init__(self, request: HttpRequest, *arguments: Any, **options: Any) -> None:
        self.asked_by = request
        super().__init__(request, *arguments, **options)

    def get_results(self, request: HttpRequest) -> None:
        """Show the portion, and count nothing."""
        self.result_list = self.portion
        self.result_count, self.full_result_count = len(self.portion), None
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True

    def complete(self, rows: list[Any]) -> list[Any]:
        """Return these rows as they were on a page."""
        self.result_list = self.portion = rows
        self.get_results(self.asked_by)
        return list(self.result_list)


class _Unheard:
    """Takes the messages of a list that nobody looks at."""

    def add(self, level: int, message: str, extra_tags: str = "") -> None:
        """Let it go by."""


class JobRequest(HttpRequest):
    """What a list asks of a request, where there is none: somebody wants this list, with these filters."""

    def __init__(self, user: Any, query: str, actor: Actor) -> None:
        super().__init__()
        self.method = "GET"
        self.user = user
        self.GET = QueryDict(query)
        self.session = {}  # type: ignore[assignment]
        self.workitems_actor = actor
        self._messages = _Unheard()


def open_table(export: Export) -> AdminTable:
    """Return the list that a worker makes a file of, with what its person may see now; raise ListClosed if nothing."""
    model_admin: Any = admin.site.get_model_admin(apps.get_model(export.list_name))
    request = JobRequest(export.requested_by, export.query, exports.actor_for(export))
    if not admin.site.has_permission(request):
        raise ListClosed
    return AdminTable(model_admin, request, export.columns)


class Exporting(ModelAdmin):
    """What a list needs so that it can be taken away as a file."""

    class Media:
        css = {"all": ["exports.css"]}

    def complete_rows(self, rows: Sequence[Any]) -> None:
        """Add to these rows what the list adds to those of a page; most have nothing to add."""

    def import_resource(self) -> Any:
        """Return how rows are written for a later import, or None where the list takes none."""
        return None

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Narrow by the filters that the list offers, and by nothing else.

        Django would allow every look-up in the row's own fields, and relations back to it: hashes of passwords could be
        found by their beginnings, and hidden workitems counted.
        """
        offered = [one[0] if isinstance(one, tuple) else one for one in self.get_list_filter(request)]
        names = [one if isinstance(one, str) else one.parameter_name for one in offered]
        return any(lookup in {name, *(f"{name}__{way}" for way in FILTER_WAYS)} for name in names)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Answer 404 for what is not there, and for what the person may not see alike."""
        raise Http404

    def get_urls(self) -> list[Any]:
        """Add the page on which the file is chosen."""
        view = self.admin_site.admin_view(self.exporting_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_exporting"
        return [path("export/", view, name=name), *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer the file of what is ticked as well."""
        actions: dict[str, Any] = super().get_actions(request)
        if IS_POPUP_VAR not in request.GET:
            method, name, description = self.get_action("exporting_action")
            actions[name] = (method, name, description)
        return actions

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to the page above the list."""
        links = {} if IS_POPUP_VAR in request.GET else {"exporting_address": self._exporting_address(request.GET)}
        answer: HttpResponse = super().changelist_view(request, {**links, **(extra_context or {})})
        return answer

    @admin.action(description=gettext_lazy("Export…"))
    def exporting_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Ask which file it shall be of what is ticked, or of all that matches."""
        across = request.POST.get("select_across") == "1"
        selected = None if across else request.POST.getlist(ACTION_CHECKBOX_NAME)
        return self._ask_which_file(request, AdminTable(self, request), ExportForm(), selected)

    def exporting_view(self, request: HttpRequest) -> HttpResponseBase:
        """Ask which file it shall be; make it at once, or let a worker make it."""
        try:
            table = AdminTable(self, request)
        except ListClosed:
            raise PermissionDenied from None
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))
        selected = _decimals(request.POST.getlist("selected")) if "selected" in request.POST else None
        form = ExportForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self._ask_which_file(request, table, form, selected)
        chosen = form.cleaned_data["format"]
        if form.cleaned_data["fields_of"] == "import" and self.import_resource() is not None:
            table = AdminTable(self, request, [EVERY_FIELD])
        return self._hand_out_file(request, table, Export.Format(chosen), selected)

    def _hand_out_file(
        self, request: HttpRequest, table: AdminTable, form: Export.Format, selected: list[str] | None
    ) -> HttpResponseBase:
        actor, now = actor_of(request), timezone.now()
        most, query = exports.AT_ONCE[form], _without_page(request.GET).urlencode()
        pks = table.ids(most + 1, selected)
        if len(pks) > most:
            export = exports.request(
                self.opts.label_lower, form, query, table.columns, user=request.user, actor=actor, now=now
            )
            tasks.wake_export(export)
            return HttpResponseRedirect(reverse("admin:workitems_export_change", args=[quote(export.pk)]))
        ticked = len(selected) if selected is not None else 0
        exports.tell(self.opts.label_lower, form, query, actor=actor, now=now, rows=len(pks), ticked=ticked)
        name = file_name(self.opts.model_name or "", form)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        if form != Export.Format.XLSX:
            pieces = exports.stream(table, form, pks)
            return StreamingHttpResponse(pieces, content_type=exports.CONTENT_TYPES[form], headers=headers)
        file = tempfile.TemporaryFile()  # noqa: SIM115  the answer closes it
        exports.write_workbook(file, table, pks)
        file.seek(0)
        return FileResponse(file, as_attachment=True, filename=name, content_type=exports.CONTENT_TYPES[form])

    def _ask_which_file(
        self, request: HttpRequest, table: AdminTable, form: ExportForm, selected: Sequence[str] | None
    ) -> HttpResponse:
        count = len(selected) if selected is not None else table.matching().order_by()[: COUNTED + 1].count()
        query = _without_page(request.GET)
        changelist = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Export %(rows)s") % {"rows": self.opts.verbose_name_plural},
            "opts": self.opts,
            "form": form,
            "headers": table.headers,
            "selected": selected or [],
            "is_ticked": selected is not None,
            "count": count,
            "count_text": grouped(min(count, COUNTED)),
            "is_capped": count > COUNTED,
            "is_filtered": bool(query),
            "address": self._exporting_address(request.GET),
            "back": f"{changelist}?{query.urlencode()}" if query else changelist,
            "can_import": self.import_resource() is not None,
            "at_once": grouped(exports.AT_ONCE[Export.Format.CSV]),
            "sheet_at_once": grouped(exports.AT_ONCE[Export.Format.XLSX]),
        }
        return TemplateResponse(request, "admin/workitems/export_ask.html", context)

    def _exporting_address(self, query: QueryDict) -> str:
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_exporting")
        kept = _without_page(query).urlencode()
        return f"{address}?{kept}" if kept else address


def file_name(name: str, form: str) -> str:
    """Return how the file is called: by what is in it and of which day."""
    return f"{name}-{timezone.localdate():%Y-%m-%d}.{form}"


def _change_list(model_admin: Any, request: HttpRequest, columns: Sequence[str]) -> Portioned:
    """Return the list with its search, filters and order, but without reading or counting a page of it."""
    own: type[ChangeList] = model_admin.get_changelist(request)
    kind: Any = Portioned if own is ChangeList else type("Portioned", (own, Portioned), {})
    found: Portioned = kind(
        request,
        model_admin.model,
        ["action_checkbox", *columns] if model_admin.get_actions(request) else list(columns),
        model_admin.get_list_display_links(request, columns),
        model_admin.get_list_filter(request),
        model_admin.date_hierarchy,
        model_admin.get_search_fields(request),
        model_admin.get_list_select_related(request),
        model_admin.list_per_page,
        model_admin.list_max_show_all,
        model_admin.list_editable,
        model_admin,
        model_admin.get_sortable_by(request),
        model_admin.search_help_text,
    )
    return found


def _without_page(query: QueryDict) -> QueryDict:
    kept = query.copy()
    kept.pop(PAGE_VAR, None)
    return kept


def _decimals(selected: Sequence[str]) -> list[str]:
    return [pk for pk in selected if pk.isascii() and pk.isdecimal() and len(pk) < 19]
