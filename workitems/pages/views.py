"""The supervisor's pages: what is open, and one workitem with its story and all that can be done to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from workitems import services, tasks
from workitems.actors import Actor
from workitems.choices import Action, Door, Priority
from workitems.errors import Kind, WorkitemError
from workitems.middleware import request_id
from workitems.models import TimeEvent, Workitem
from workitems.pages.forms import FORMS, ActionForm

SHOWN = 50
EVENTS_SHOWN = 500
STATUS = {Kind.FORBIDDEN: 403, Kind.CONFLICT: 409, Kind.PRECONDITION: 412, Kind.INVALID: 400}


@dataclass(frozen=True)
class ActionCard:
    """One action on the item page: its form, or the reason why not."""

    action: Action
    refusal: WorkitemError | None
    form: ActionForm | None
    error: str = ""

    @property
    def has_fields(self) -> bool:
        """Tell whether there is something to fill in."""
        return self.form is not None and len(self.form.visible_fields()) > 0

    @property
    def is_open(self) -> bool:
        """Tell whether its form lies open: the transfer always, the others once something was wrong."""
        return self.action is Action.TRANSFER or bool(self.error) or (self.form is not None and self.form.is_bound)


@login_required
@require_GET
def open_work(request: HttpRequest) -> HttpResponse:
    """Show the open work that the person may see, in the order in which it is handed out."""
    actor = _actor(request)
    visible = Workitem.objects.visible_to(actor).open()
    items = visible.in_line().select_related("queue", "agent", "contact")[: SHOWN + 1]
    shown = list(items)
    context = {"items": shown[:SHOWN], "more": len(shown) > SHOWN, "shown": SHOWN}
    return render(request, "workitems/open_work.html", context)


@login_required
@require_GET
def workitem(request: HttpRequest, workitem_id: str) -> HttpResponse:
    """Show one workitem."""
    actor = _actor(request)
    return _page(request, _seen(workitem_id, actor), actor)


@login_required
@require_POST
def act(request: HttpRequest, workitem_id: str, action: str) -> HttpResponse:
    """Do one thing and show the workitem; where it is refused, say so beside what was typed."""
    actor = _actor(request)
    item = _seen(workitem_id, actor)
    if action not in FORMS:
        raise Http404
    form = FORMS[Action(action)](item, actor, request.POST)
    if not form.is_valid():
        return _page(request, item, actor, form, status=400)
    try:
        changed = services.execute(
            form.command(), workitem_id, actor=actor, now=timezone.now(), if_version=form.cleaned_data["version"]
        )
    except WorkitemError as refusal:
        return _page(request, _seen(workitem_id, actor), actor, form, refusal.message, status=STATUS[refusal.kind])
    if form.action is Action.SEND_EMAIL_RESPONSE:
        tasks.wake_mails()
    messages.success(request, _("Done: %(action)s.") % {"action": Action(action).label})
    # by a transfer somebody may give a workitem out of his own sight, and a purge leaves nothing to show
    still_there = Workitem.objects.visible_to(actor).filter(pk=changed.pk).exists()
    return redirect("workitem", workitem_id) if still_there else redirect("open-work")


def _actor(request: HttpRequest) -> Actor:
    return Actor.of(request.user, Door.PAGE, request_id=request_id(request))


def _seen(workitem_id: str, actor: Actor) -> Workitem:
    item: Workitem = get_object_or_404(Workitem.objects.visible_to(actor).with_card(), workitem_id=workitem_id)
    return item


def _page(
    request: HttpRequest,
    item: Workitem,
    actor: Actor,
    tried: ActionForm | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    cards = list(_cards(item, actor, tried, error))
    events = TimeEvent.objects.filter(workitem=item).order_by("-version").select_related("queue", "agent")
    possible = [card for card in cards if card.refusal is None or card.error]
    context = {
        "workitem": item,
        "priority_label": Priority(item.priority).label,
        "at_a_click": [card for card in possible if not card.has_fields and not card.error],
        "with_fields": [card for card in possible if card.has_fields or card.error],
        "refused": [card for card in cards if card.refusal is not None and not card.error],
        "events": events[:EVENTS_SHOWN],
        "events_left_out": max(0, item.version - EVENTS_SHOWN),
    }
    return render(request, "workitems/workitem.html", context, status=status)


def _cards(item: Workitem, actor: Actor, tried: ActionForm | None, error: str) -> Iterator[ActionCard]:
    reasons = services.explain(item, actor)
    order = [*FORMS, *(action for action in reasons if action not in FORMS)]
    for action in order:
        shape = FORMS.get(action)
        if tried is not None and tried.action is action:
            tried.data = {**dict(tried.data.items()), "version": str(item.version)}
            yield ActionCard(action, reasons[action], tried, error)
        elif reasons[action] is not None:
            yield ActionCard(action, reasons[action], None)
        elif shape is not None:
            yield ActionCard(action, None, shape(item, actor))
