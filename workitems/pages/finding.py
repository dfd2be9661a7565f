"""The search field of the top bar: a whole id leads to its workitem, anything else to the work list."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from workitems.models import Workitem
from workitems.pages.people import actor_of

LONGEST_ID = 64


@login_required
@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """Go to the workitem of this id where the person may see one, and otherwise to what the search finds."""
    typed = request.GET.get("q", "").strip()
    if _is_id(typed) and Workitem.objects.visible_to(actor_of(request)).filter(workitem_id=typed).exists():
        return redirect("workitem", typed)
    query = f"?{urlencode({'q': typed})}" if typed else ""
    return HttpResponseRedirect(f"{reverse('work')}{query}")


def _is_id(typed: str) -> bool:
    return 0 < len(typed) <= LONGEST_ID and "\x00" not in typed and not typed.isspace()
