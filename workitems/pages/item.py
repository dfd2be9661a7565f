"""The desk: one workitem, what can be done to it, and who else looks at it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from workitems import onlookers, services, tasks
from workitems.choices import Action
from workitems.commands import Command
from workitems.errors import WorkitemError
from workitems.models import Workitem
from workitems.pages import item_page, live
from workitems.pages.answers import is_script, is_seen, toast
from workitems.pages.people import actor_of
from workitems.presenting import item_actions
from workitems.presenting.item_actions import Tried
from workitems.presenting.offered import OFFERED
from workitems.presenting.statuses import STATUS


def _who_looks(workitem_id: str) -> str:
    return onlookers.mark(workitem_id, timezone.now())


@live.also_marked_by(_who_looks)
@login_required
@require_GET
def workitem(request: HttpRequest, workitem_id: str) -> HttpResponse:
    """Show one workitem."""
    actor = actor_of(request)
    return live.answer(
        request,
        "supervisor/item.html",
        lambda _mark: item_page.context(request, item_page.seen(workitem_id, actor), actor),
    )


@login_required
@require_POST
def act(request: HttpRequest, workitem_id: str, action: str) -> HttpResponse:
    """Do one thing; where it is refused, say so beside what was typed."""
    actor = actor_of(request)
    item = item_page.seen(workitem_id, actor)
    if action not in OFFERED:
        raise Http404
    form = item_actions.forms_of(OFFERED[Action(action)], item, actor, request.POST)
    if not form.is_valid():
        return _refused(request, item, Tried(form), 400)
    try:
        _execute(request, item, form.command())
    except WorkitemError as refusal:
        newer = item_page.seen(workitem_id, actor)
        return _refused(request, newer, Tried(form.renewed(newer), refusal.message), STATUS[refusal.kind])
    return _done(request, item, _("Done: %(action)s.") % {"action": form.action.label})


@login_required
@require_POST
def undo(request: HttpRequest, workitem_id: str) -> HttpResponse:
    """Take back what the person himself did last, as long as nothing else has happened."""
    actor = actor_of(request)
    item = item_page.seen(workitem_id, actor)
    found = item_actions.undo_of(item, actor, timezone.now())
    if found is None:
        text = _("Nothing was undone: something else has happened meanwhile, or it is too late.")
        return _told(request, item, text, is_bad=True)
    try:
        services.execute(found.command, workitem_id, actor=actor, now=timezone.now(), if_version=found.event.version)
    except WorkitemError as refusal:
        return _told(request, item_page.seen(workitem_id, actor), refusal.message, is_bad=True)
    tasks.wake_after([found.command.action])
    return _told(request, item, _("Undone: %(event)s.") % {"event": found.event.label})


@login_required
@require_POST
def look(request: HttpRequest, workitem_id: str) -> HttpResponse:
    """Take note that somebody has the page open, or has just closed it."""
    actor = actor_of(request)
    item = item_page.seen(workitem_id, actor)
    if request.POST.get("leaves"):
        onlookers.leave(item.pk, actor)
    else:
        onlookers.look(item.pk, actor, timezone.now())
    return HttpResponse(status=204)


def _execute(request: HttpRequest, item: Workitem, command: Command) -> None:
    """Do it to the workitem as the person saw it; a note needs no look at what it is written about."""
    version = None if command.action is Action.NOTE else item_actions.version_in(request.POST)
    services.execute(command, item.workitem_id, actor=actor_of(request), now=timezone.now(), if_version=version)
    tasks.wake_after([command.action])


def _refused(request: HttpRequest, item: Workitem, tried: Tried, status: int) -> HttpResponse:
    """Show the form again with what is wrong; to a script the form alone, and of a mere click the sentence."""
    actor = actor_of(request)
    if not is_script(request):
        return render(request, "supervisor/item.html", item_page.context(request, item, actor, tried), status=status)
    if not tried.form.fields:
        return _told(request, item, tried.error, is_bad=True, status=status)
    context = item_page.form_context(request, item, actor, tried)
    return render(request, "supervisor/item_action.html", context, status=status)


def _done(request: HttpRequest, item: Workitem, text: str) -> HttpResponse:
    """Show the workitem as it is now, or go where there is still something to see or to do."""
    asked = item_page.Asked.of(request)
    wants_next = bool(asked.carried) and request.POST.get("then") == "next"
    if wants_next or not is_seen(request, item):
        messages.success(request, text)
        return _go(request, asked.next_of(item) if asked.carried else reverse("work"))
    return _told(request, item, text, can_undo=True)


def _told(
    request: HttpRequest, item: Workitem, text: str, *, is_bad: bool = False, can_undo: bool = False, status: int = 204
) -> HttpResponse:
    """Say it: to a script as a toast beside the page, which it brings up to date, else on the page itself."""
    asked = item_page.Asked.of(request)
    if not is_script(request):
        (messages.warning if is_bad else messages.success)(request, text)
        return HttpResponseRedirect(asked.address_of(item) if is_seen(request, item) else reverse("work"))
    words: dict[str, Any] = {"text": text, "kind": "is-bad" if is_bad else ""}
    if can_undo:
        newer = item_page.seen(item.workitem_id, actor_of(request))
        if item_actions.undo_of(newer, actor_of(request), timezone.now()):
            words["undo"] = {"url": reverse("item-undo", args=[item.workitem_id]), "label": _("Undo")}
    return toast(words, status=status, is_refreshing=True)


def _go(request: HttpRequest, address: str) -> HttpResponse:
    if not is_script(request):
        return HttpResponseRedirect(address)
    answer = HttpResponse(status=204)
    answer["HX-Redirect"] = address
    return answer
