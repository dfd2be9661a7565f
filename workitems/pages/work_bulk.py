"""What can be done to many workitems of the work list, beside transfers: asked, previewed, confirmed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from workitems.actors import Actor
from workitems.choices import Action, Scope
from workitems.errors import WorkitemError
from workitems.models import BulkRun
from workitems.pages.addresses import ADDRESSES
from workitems.pages.chosen import Chosen
from workitems.presenting import starting
from workitems.presenting.bulk_steps import BulkSteps, do_now
from workitems.presenting.offered import ON_MANY, Offered
from workitems.presenting.words import grouped
from workitems.selections import Selection

SCOPES = {Action.ARCHIVE: Scope.DELETE, Action.UNARCHIVE: Scope.DELETE, Action.PURGE: Scope.ADMIN}  # WRITE for others
AT_HAND = (Action.PRIORITY, Action.HOLD, Action.UNHOLD, Action.ARCHIVE)
PAGES = {"ask": "supervisor/work_bulk_ask.html", "preview": "supervisor/work_bulk_preview.html"}


@dataclass(frozen=True)
class Button:
    """One action in the bar of the selected rows."""

    offered: Offered
    address: str
    is_at_hand: bool  # and not behind "More"
    key: str = ""


class WorkBulk(BulkSteps):
    """The steps as the desk shows them."""

    addresses = ADDRESSES

    def __init__(self, request: HttpRequest, offered: Offered) -> None:
        self.request, self.offered = request, offered
        self.chosen = Chosen.of(request)

    @property
    def actor(self) -> Actor:
        """Return who asks."""
        return self.chosen.actor

    @property
    def selection(self) -> Selection:
        """Return what is meant."""
        return self.chosen.selection

    @property
    def count(self) -> int:
        """Return how many are meant."""
        return self.chosen.count

    @property
    def is_routine(self) -> bool:
        """Tell whether it is done without a question: it can be taken back, and is little."""
        return not self.offered.asks and not self.chosen.is_all and len(self.chosen.ids) <= starting.AT_ONCE

    def carried(self, fields: Iterable[str]) -> list[tuple[str, str]]:
        """Carry what is chosen, and what was typed."""
        posted = self.request.POST
        return [*self.chosen.carried, *((name, value) for name in fields for value in posted.getlist(name))]

    def shown(self, step: str, title: str, **context: Any) -> HttpResponse:
        """Return the page of the step."""
        way_back = self.chosen.next or reverse("work")
        return render(self.request, PAGES[step], {"title": title, "way_back": way_back, **context})

    def receipt(self, run: BulkRun) -> HttpResponse:
        """Lead to the run's receipt."""
        return HttpResponseRedirect(self.addresses.run(run))


def choices_for(actor: Actor) -> list[Button]:
    """Return what somebody may do to many, in the order of menus."""
    return [
        Button(
            offered,
            reverse("work-bulk", args=[action.value]),
            action in AT_HAND,
            "p" if action is Action.PRIORITY else "",
        )
        for action, offered in ON_MANY.items()
        if actor.can_anywhere(SCOPES.get(action, Scope.WRITE))
    ]


@login_required
@require_POST
def bulk(request: HttpRequest, action: str) -> HttpResponse:
    """Do an action to the chosen workitems, step by step; what can be taken back and is little is done at once."""
    offered = ON_MANY.get(Action(action)) if action in Action.values else None
    if offered is None:
        raise Http404
    try:
        steps = WorkBulk(request, offered)
        return _done_now(request, steps) if steps.is_routine else steps.answer()
    except WorkitemError as refusal:
        messages.error(request, refusal.message)
        return redirect("work")


def _done_now(request: HttpRequest, steps: WorkBulk) -> HttpResponse:
    result = do_now(steps)
    if result.done:
        text = ngettext("%s workitem done.", "%s workitems done.", result.done) % grouped(result.done)
        receipt = format_html('<a href="{}">{}</a>', result.address, _("Receipt and undo"))
        messages.success(request, format_html("{}: {} {}", steps.offered.label, text, receipt))
    for refused in result.refused:
        messages.warning(request, refused)
    back = steps.chosen.next or reverse("work")
    return HttpResponseRedirect(
        f"{back}#{urlencode({'select': ','.join(result.refused_ids)})}" if result.refused else back
    )
