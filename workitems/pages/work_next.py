"""Working through a list: the first item that no colleague has open, then the one after it, until the list ends."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from workitems import onlookers, worklist
from workitems.models import Workitem
from workitems.pages.work_list import WorkList, without_page
from workitems.presenting.words import grouped
from workitems.worklist import MOST_COUNTED

AFTER, PLACE = "after", "place"  # the item that was opened last, and where it stood in the list


@login_required
@require_GET
def next_item(request: HttpRequest) -> HttpResponse:
    """Open the first item after the present one that nobody else has open, or say that the list is at its end."""
    query = without_page(request.GET)
    after, stood = query.pop(AFTER, [""])[-1], query.pop(PLACE, [""])[-1]
    look = WorkList(request, query)
    page = _in_order(look)
    pks = page.pks
    place, pk = _first_free(pks, _begin(pks, after, stood), set(onlookers.open_elsewhere(look.actor, look.now)))
    found = Workitem.objects.filter(pk=pk).values_list("workitem_id", flat=True).first() if pk else None
    if found is None or pk is None:
        return _at_the_end(request, query, page, is_begun=bool(after))
    onlookers.look(pk, look.actor, look.now)  # his page will say so too, but only once it is there
    onwards = f"{reverse('work-next')}?{_with(query, after=found, place=str(place))}"
    return HttpResponseRedirect(f"{reverse('workitem', args=[found])}?{urlencode({'next': onwards})}")


def _in_order(look: WorkList) -> worklist.Page:
    """Return the first thousand items of the list in its order."""
    return worklist.page_of(look.rows, 1, MOST_COUNTED, sort=look.asked.sort)


def _begin(pks: list[int], after: str, place: str) -> int:
    """Return where to go on: after the present item, or where it stood if it has left the list."""
    if not after:
        return 0
    pk = Workitem.objects.filter(workitem_id=after).values_list("pk", flat=True).first()
    if pk in pks:
        return pks.index(pk) + 1
    return int(place) if place.isdecimal() and len(place) < 7 else 0


def _first_free(pks: list[int], begin: int, taken: set[int]) -> tuple[int, int | None]:
    return next(((at, pk) for at, pk in enumerate(pks) if at >= begin and pk not in taken), (len(pks), None))


def _at_the_end(request: HttpRequest, query: QueryDict, page: worklist.Page, *, is_begun: bool) -> HttpResponse:
    if is_begun and page.has_next:
        text = _("That was the last of the first %s items of this list. Begin anew to go through what has moved up.")
        messages.info(request, text % grouped(MOST_COUNTED))
    elif is_begun:
        messages.info(request, _("That was the last item of this list which nobody else has open."))
    elif not page.pks:
        messages.info(request, _("There is nothing in this list to work through."))
    else:
        messages.info(request, _("Colleagues have every item of this list open."))
    return HttpResponseRedirect(f"{reverse('work')}?{query.urlencode()}")


def _with(query: QueryDict, **more: str) -> str:
    onwards = query.copy()
    for name, value in more.items():
        onwards[{"after": AFTER, "place": PLACE}[name]] = value
    return onwards.urlencode()
