"""Saved views at the desk: the same as in the back office, saved, updated, renamed, shared and deleted here too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from workitems import saved_views
from workitems.actors import Actor
from workitems.errors import InvalidValue
from workitems.models import SavedView
from workitems.pages.people import actor_of
from workitems.pages.work_list import list_address
from workitems.presenting.list_query import rows_of, shown_by
from workitems.presenting.words import grouped

QUERY, COLUMNS = "query", "columns"


class ViewForm(forms.Form):
    """A name, and whom it is for."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    shared_with = forms.ModelChoiceField(
        Group.objects.none(),
        label=gettext_lazy("Share with"),
        required=False,
        empty_label=gettext_lazy("Nobody: only you see it"),
    )

    def __init__(self, data: Any = None, *, actor: Actor, view: SavedView | None = None) -> None:
        initial = {"name": view.name, "shared_with": view.shared_with_id} if view else None
        super().__init__(data, initial=initial)
        self.fields["shared_with"].queryset = saved_views.groups_of(actor)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Entry:
    """A view in the menu."""

    view: SavedView
    link: str
    is_mine: bool
    count: str


@login_required
@require_http_methods(["GET", "POST"])
def save(request: HttpRequest) -> HttpResponse:
    """Show the views that there are, and save another one."""
    actor = actor_of(request)
    if request.method == "GET":
        return _menu(request, ViewForm(actor=actor), request.GET)
    form = ViewForm(request.POST, actor=actor)
    if not form.is_valid():
        return _menu(request, form, request.POST, status=400)
    query, columns = request.POST.get(QUERY, ""), request.POST.get(COLUMNS, "").split(",")
    try:
        view = saved_views.create(
            form.cleaned_data["name"],
            query,
            columns,
            shared_with=form.cleaned_data["shared_with"],
            actor=actor,
            now=timezone.now(),
        )
    except InvalidValue as problem:
        form.add_error("name" if problem.facts["field"] == "name" else None, problem.message)
        return _menu(request, form, request.POST, status=400)
    messages.success(request, _("Saved as “%s”.") % view.name)
    return HttpResponseRedirect(list_address(view))


@login_required
@require_http_methods(["GET", "POST"])
def update(request: HttpRequest, view_id: str) -> HttpResponse:
    """Let a view show what the list shows now, or give it another name and other people."""
    actor, view = actor_of(request), _mine(request, view_id)
    if QUERY in request.POST:
        return _shows_now(request, view, actor)
    form = ViewForm(request.POST if request.method == "POST" else None, actor=actor, view=view)
    if request.method == "GET" or not form.is_valid():
        return _rename(request, form, view, status=200 if request.method == "GET" else 400)
    try:
        shared_with = form.cleaned_data["shared_with"]
        view = saved_views.rename(
            view, form.cleaned_data["name"], shared_with=shared_with, actor=actor, now=timezone.now()
        )
    except InvalidValue as problem:
        form.add_error("name", problem.message)
        return _rename(request, form, view, status=400)
    except SavedView.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("“%s” is saved.") % view.name)
    return HttpResponseRedirect(list_address(view))


@login_required
@require_POST
def delete(request: HttpRequest, view_id: str) -> HttpResponse:
    """Delete a view, and leave the list as it was."""
    actor, view = actor_of(request), _seen(request, view_id)
    if not saved_views.may_delete(view, actor):
        raise PermissionDenied
    saved_views.delete(view, actor=actor, now=timezone.now())
    messages.success(request, _("The view “%s” is deleted. The list is as it was.") % view.name)
    return HttpResponseRedirect(f"{reverse('work')}?{view.query}")


def _shows_now(request: HttpRequest, view: SavedView, actor: Actor) -> HttpResponse:
    columns = request.POST.get(COLUMNS, "").split(",")
    try:
        view = saved_views.update(view, request.POST[QUERY], columns, actor=actor, now=timezone.now())
    except SavedView.DoesNotExist:
        raise Http404 from None
    except InvalidValue as problem:
        messages.error(request, problem.message)
        return HttpResponseRedirect(list_address(view))
    messages.success(request, _("“%s” shows from now on what you see.") % view.name)
    return HttpResponseRedirect(list_address(view))


def _menu(request: HttpRequest, form: ViewForm, asked: Any, status: int = 200) -> HttpResponse:
    actor, query = actor_of(request), asked.get(QUERY, "")
    views = saved_views.menu_of(actor)
    shown = views[: saved_views.MOST_IN_MENU]
    counts = saved_views.counts(shown, rows_of, actor=actor)
    context = {
        "form": form,
        "query": query,
        "columns": asked.get(COLUMNS, ""),
        "shows": shown_by(query, actor),
        "entries": [
            Entry(one, list_address(one), saved_views.is_mine(one, actor), _in_words(counts[one.view_id]))
            for one in shown
        ],
        "has_more": len(views) > len(shown),
    }
    return render(request, "supervisor/work_views.html", context, status=status)


def _rename(request: HttpRequest, form: ViewForm, view: SavedView, status: int) -> HttpResponse:
    context = {"form": form, "view": view, "link": list_address(view)}
    return render(request, "supervisor/work_view.html", context, status=status)


def _seen(request: HttpRequest, view_id: str) -> SavedView:
    view = saved_views.visible_to(actor_of(request)).filter(view_id=view_id).first()
    if view is None:
        raise Http404
    return view


def _mine(request: HttpRequest, view_id: str) -> SavedView:
    view = _seen(request, view_id)
    if not saved_views.is_mine(view, actor_of(request)):
        raise PermissionDenied
    return view


def _in_words(count: int | None) -> str:
    if count is None:
        return ""
    return f"{grouped(saved_views.MOST_COUNTED)}+" if count > saved_views.MOST_COUNTED else grouped(count)
