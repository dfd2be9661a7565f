"""Saved views in the back office: save what the list shows, find it again, rename, share, update and delete it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST
from unfold.admin import ModelAdmin

from workitems import saved_views
from workitems.actors import Actor
from workitems.admin.guarded import GuardedAdmin, SeenForm
from workitems.admin.search_box import SearchBox
from workitems.errors import InvalidValue
from workitems.models import SavedView
from workitems.presenting.list_query import rows_of, shown_by
from workitems.presenting.words import grouped
from workitems.staff import actor_of

QUERY, COLUMNS = "query", "columns"


class SavedViewForm(SeenForm):
    """A name and whom it is for; a new view brings along what it shows."""

    query = forms.CharField(required=False, widget=forms.HiddenInput)
    columns = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:  # what it shows is changed where one sees it: in the list
            del self.fields[QUERY], self.fields[COLUMNS]

    def clean_name(self) -> str:
        """Refuse a name that another view of the same person has."""
        name: str = self.cleaned_data["name"].strip()
        owner = self.instance.owner if self.instance.pk else self.actor.user
        if owner is None or not saved_views.is_name_free(name, owner, besides=self.instance):
            raise forms.ValidationError(_("You have a view “%s” already. Choose another name.") % name)
        return name

    def clean_query(self) -> str:
        """Keep what a view keeps of an address."""
        try:
            return saved_views.normal_query(self.cleaned_data[QUERY])
        except InvalidValue as problem:
            self.add_error(None, problem.message)
            return ""

    def clean_columns(self) -> list[str]:
        """Return the names that stand between commas."""
        return saved_views.normal_columns(self.cleaned_data[COLUMNS].split(","))


@admin.register(SavedView)
class SavedViewAdmin(SearchBox, GuardedAdmin):
    """One's own views, and those that colleagues share with one's groups."""

    kind = "saved view"
    form = SavedViewForm
    fields = ["name", "shared_with"]
    change_form_before_template = "admin/workitems/saved_view_head.html"
    list_display = ["name", "workitems", "owner", "shared", "modified_at"]
    list_select_related = ["owner", "shared_with"]
    ordering = ["name", "pk"]

    def get_urls(self) -> list[Any]:
        """Add the counts, and the command of the bar above the list."""
        counts = self.admin_site.admin_view(require_GET(self.counts_view))
        update = self.admin_site.admin_view(require_POST(self.update_view))
        return [
            path("counts/", counts, name="workitems_savedview_counts"),
            path("<path:object_id>/update/", update, name="workitems_savedview_update"),
            *super().get_urls(),
        ]

    def visible_rows(self, actor: Actor) -> QuerySet[SavedView]:
        """Show one's own views and those that are shared with one."""
        return saved_views.visible_to(actor)

    def can_add(self, actor: Actor) -> bool:
        """Let everybody save a view who has a list to look at."""
        return self.can_open(actor)

    def can_change(self, actor: Actor, row: SavedView | None) -> bool:
        """Let the owner change it."""
        return self.can_open(actor) and (row is None or saved_views.is_mine(row, actor))

    def can_delete(self, actor: Actor, row: SavedView | None) -> bool:
        """Let the owner delete it, and a shared one those who may do everything."""
        return self.can_open(actor) and (row is None or saved_views.may_delete(row, actor))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin a new view with what the address brings along."""
        return {name: request.GET[name] for name in (QUERY, COLUMNS, "name") if name in request.GET}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer one's own groups to share with."""
        if db_field.name == "shared_with":
            kwargs["queryset"] = saved_views.groups_of(actor_of(request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Leave out the buttons that make and edit groups, and say what it means to choose none."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "shared_with":
            field.widget = field.widget.widget
            field.empty_label = _("Nobody: only you see it")
        return field

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show what the view shows, and one button to save."""
        row = self.get_object(request, object_id) if object_id else None
        query = row.query if row else request.POST.get(QUERY, request.GET.get(QUERY, ""))
        context = {
            "shows": shown_by(query, actor_of(request)),
            "list_link": list_address(row) if row else "",
            "is_owner": row is None or saved_views.is_mine(row, actor_of(request)),
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            **(extra_context or {}),
        }
        return super().changeform_view(request, object_id, form_url, context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Give a new view its owner and what it shows."""
        view: Any = obj
        view.modified_at = timezone.now()
        if not change:
            view.owner, view.created_at = request.user, view.modified_at
            view.query, view.columns = form.cleaned_data[QUERY], form.cleaned_data[COLUMNS]
        super().save_model(request, view, form, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Remember what the list showed, to go on with it."""
        request.list_address = list_address(obj, is_open=False)  # type: ignore[attr-defined]
        super().delete_model(request, obj)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Go to the list, which shows the new view."""
        messages.success(request, _("Saved as “%s”.") % obj.name)
        return HttpResponseRedirect(list_address(obj))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Go to the list, which shows the view."""
        messages.success(request, _("“%s” is saved.") % obj.name)
        return HttpResponseRedirect(list_address(obj))

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Leave the list as it was, without the view's name."""
        messages.success(request, _("The view “%s” is deleted. The list is as it was.") % obj_display)
        address: str = request.list_address  # type: ignore[attr-defined]
        return HttpResponseRedirect(address)

    def update_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let the view show what the list shows now."""
        row: SavedView = self.seen(request, object_id)
        actor = actor_of(request)
        if not self.can_change(actor, row):
            raise PermissionDenied
        query, columns = request.POST.get(QUERY, ""), request.POST.get(COLUMNS, "").split(",")
        try:
            row = saved_views.update(row, query, columns, actor=actor, now=timezone.now())
        except SavedView.DoesNotExist:
            raise Http404 from None
        except InvalidValue as problem:
            messages.error(request, problem.message)
            return HttpResponseRedirect(list_address(row))
        ModelAdmin.log_change(self, request, row, _("It shows other workitems now."))  # the audit entry is written
        messages.success(request, _("“%s” shows from now on what you see.") % row.name)
        return HttpResponseRedirect(list_address(row))

    def counts_view(self, request: HttpRequest) -> JsonResponse:
        """Return how many workitems each view of the sidebar shows; what takes too long is left out."""
        actor = actor_of(request)
        if not self.can_open(actor):
            raise PermissionDenied
        views = saved_views.menu_of(actor)[: saved_views.MOST_IN_MENU]
        found = saved_views.counts(views, rows_of, actor=actor)
        return JsonResponse({"counts": {name: _in_words(count) for name, count in found.items() if count is not None}})

    @admin.display(description=gettext_lazy("Workitems"))
    def workitems(self, row: SavedView) -> Any:
        """Lead to what it shows."""
        return format_html('<a class="wi-link" href="{}">{}</a>', list_address(row), _("Show"))

    @admin.display(description=gettext_lazy("Shared with"), ordering="shared_with__name")
    def shared(self, row: SavedView) -> str:
        """Name the group, or nobody."""
        return row.shared_with.name if row.shared_with else _("nobody")


def list_address(view: SavedView, *, is_open: bool = True) -> str:
    """Return the address of the list as the view shows it; without its name where it is not to be marked."""
    name = urlencode({saved_views.VIEW: view.view_id}) if is_open else ""
    query = "&".join(part for part in (view.query, name) if part)
    return f"{reverse('admin:workitems_workitem_changelist')}?{query}"


def views_in_menu(request: HttpRequest) -> list[SavedView]:
    """Return the views of the sidebar, and one more where there are more than it holds; read once a request."""
    if not hasattr(request, "views_in_menu"):
        request.views_in_menu = saved_views.menu_of(actor_of(request))  # type: ignore[attr-defined]
    found: list[SavedView] = request.views_in_menu  # type: ignore[attr-defined]
    return found


def current_view(request: HttpRequest) -> SavedView | None:
    """Return the view that the address names; it mostly stands in the sidebar, which is read anyway."""
    view_id = request.GET.get(saved_views.VIEW)
    if not view_id:
        return None
    if not hasattr(request, "saved_view"):
        known = next((one for one in views_in_menu(request) if one.view_id == view_id), None)
        request.saved_view = known or saved_views.current(request.GET, actor_of(request))  # type: ignore[attr-defined]
    found: SavedView | None = request.saved_view  # type: ignore[attr-defined]
    return found


def _in_words(count: int) -> dict[str, str]:
    if count > saved_views.MOST_COUNTED:
        most = grouped(saved_views.MOST_COUNTED)
        return {"text": f"{most}+", "words": _("more than %s workitems") % most}
    text = grouped(count)
    return {"text": text, "words": ngettext("%s workitem", "%s workitems", count) % text}
