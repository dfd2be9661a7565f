"""What the parts around the list of workitems show: its search box, the bar of views, and the views in the sidebar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.template import Context, Library
from django.urls import reverse

from workitems import saved_views
from workitems.admin.saved_views import current_view, list_address, views_in_menu
from workitems.admin.search_box import COMPLETE
from workitems.choices import Scope
from workitems.errors import InvalidValue
from workitems.models import SavedView
from workitems.presenting.search_box import Box, box_of
from workitems.staff import actor_of

register = Library()


@dataclass(frozen=True)
class Bar:
    """What the bar of views shows above the list."""

    view: SavedView | None
    view_link: str
    is_mine: bool
    may_delete: bool
    differs: bool  # from what the view shows by itself
    query: str
    columns: str
    groups: list[Group]


@dataclass(frozen=True)
class Entry:
    """A view in the sidebar."""

    view: SavedView
    link: str
    is_mine: bool
    is_current: bool


@dataclass(frozen=True)
class Menu:
    """The views in the sidebar."""

    entries: list[Entry]
    has_more: bool
    counts_url: str


@register.simple_tag(takes_context=True)
def search_box(context: Context, cl: Any) -> Box:
    """Return what the search box of this list shows; a search that is refused stands in `cl.search_error`."""
    request: HttpRequest = context["request"]
    return box_of(request.GET, getattr(cl, "search_error", None), reverse(COMPLETE))


@register.simple_tag(takes_context=True)
def view_bar(context: Context, cl: Any) -> Bar:
    """Return what the bar of views shows above this list."""
    request: HttpRequest = context["request"]
    actor, view = actor_of(request), current_view(request)
    try:
        query = saved_views.normal_query(request.GET.urlencode())
    except InvalidValue:
        query = ""
    columns = list(cl.columns)
    return Bar(
        view=view,
        view_link=list_address(view) if view else "",
        is_mine=view is not None and saved_views.is_mine(view, actor),
        may_delete=view is not None and saved_views.may_delete(view, actor),
        differs=view is not None and (view.query != query or (view.columns or columns) != columns),
        query=query,
        columns=",".join(columns),
        groups=list(saved_views.groups_of(actor)),
    )


@register.simple_tag(takes_context=True)
def saved_views_menu(context: Context) -> Menu | None:
    """Return the views for the sidebar, or None for whoever has no list to look at."""
    request: HttpRequest | None = context.get("request")
    if request is None or not hasattr(request, "user"):
        return None
    actor = actor_of(request)
    if not actor.can_anywhere(Scope.READ):
        return None
    views = views_in_menu(request)
    shown = views[: saved_views.MOST_IN_MENU]
    opened = request.GET.get(saved_views.VIEW, "")
    return Menu(
        entries=[
            Entry(one, list_address(one), saved_views.is_mine(one, actor), one.view_id == opened) for one in shown
        ],
        has_more=len(views) > len(shown),
        counts_url=reverse("admin:workitems_savedview_counts"),
    )
