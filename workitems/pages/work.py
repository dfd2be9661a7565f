"""The work list: the page, its living part, its columns, and what completes while one types."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from workitems import saved_views, worklist
from workitems.errors import InvalidValue
from workitems.pages import live
from workitems.pages.people import actor_of
from workitems.pages.work_bulk import choices_for
from workitems.pages.work_list import WorkList, without_page
from workitems.presenting import layout as layouts
from workitems.presenting.panel import offered
from workitems.presenting.search_box import completions

LONGEST_BEGINNING = 100


@login_required
@require_GET
def work(request: HttpRequest) -> HttpResponse:
    """Show the work that the address asks for."""
    return live.answer(request, "supervisor/work.html", lambda _mark: _context(WorkList(request)))


@login_required
@require_POST
def layout(request: HttpRequest) -> HttpResponse:
    """Keep the columns and the page size for this person, and go back to the list's first page."""
    user: Any = request.user
    try:
        if "reset" in request.POST:
            layouts.forget(user, layouts.DESK)
        else:
            layouts.keep(user, layouts.DESK, layouts.typed(request.POST, worklist.COLUMNS))
    except InvalidValue:
        raise BadRequest from None
    return HttpResponseRedirect(_back_to_the_list(request))


@login_required
@require_GET
def offers(request: HttpRequest) -> HttpResponse:
    """Return queues or agents whose names begin as was typed."""
    name = request.GET.get("of", "")
    if name not in ("queue", "agent"):
        raise BadRequest
    begun = request.GET.get("begun", "")[:LONGEST_BEGINNING]
    found = offered(actor_of(request), name, begun) if begun.isprintable() else []
    return JsonResponse({"offers": [{"value": value, "words": words} for value, words in found]})


@login_required
@require_GET
def complete(request: HttpRequest) -> HttpResponse:
    """Return what could stand at the cursor of the search box."""
    return completions(request.GET, actor_of(request))


def _context(look: WorkList) -> dict[str, Any]:
    return {"look": look, "now": look.now, "bulk": choices_for(look.actor) if look.may_change else []}


def _back_to_the_list(request: HttpRequest) -> str:
    """Return the list as it was; a view with columns of its own is left, or one would not see what one has chosen."""
    query = without_page(QueryDict(request.POST.get("address", "")))
    view = saved_views.current(query, actor_of(request))
    if view is not None and view.columns:
        query.pop(saved_views.VIEW)
    opened = "#columns" if "up" in request.POST or "down" in request.POST else ""
    return f"{reverse('work')}?{query.urlencode()}{opened}"
