"""Transfers at the desk: one workitem moves at a word and can be taken back; many move after a preview."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from queues.models import Queue
from workitems import lifecycle, tasks, transfers
from workitems.choices import Action, Priority
from workitems.errors import SelectionChanged, StaleVersion, UnknownWorkitem, WorkitemError
from workitems.models import Workitem
from workitems.pages.addresses import ADDRESSES
from workitems.pages.answers import is_script, is_seen, toast
from workitems.pages.chosen import Chosen
from workitems.pages.people import actor_of
from workitems.pages.usual_targets import remember, usual_targets
from workitems.presenting import starting
from workitems.presenting.previews import groups_of
from workitems.presenting.statuses import STATUS
from workitems.presenting.transfer_form import REASONS, TransferForm
from workitems.presenting.transfer_targets import Sought, named, reads, standing_of, targets_for
from workitems.presenting.words import grouped
from workitems.selections import MOST_ITEMS

TYPED = ("target", "find", "reason", "priority", "recording", "when", "at", "zone")

View = Callable[..., HttpResponse]


def _told(view: View) -> View:
    """Show a refusal that no form can bear as a page of its own."""

    @wraps(view)
    def answer(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, **kwargs)
        except WorkitemError as refusal:
            return _refused(request, refusal)

    return answer


@login_required
@require_http_methods(["GET", "POST"])
@_told
def dialog(request: HttpRequest) -> HttpResponse:
    """Ask where to; of many workitems as well when."""
    chosen = Chosen.of(request)
    return _ask(request, chosen, _form_again(request, chosen))


@login_required
@require_GET
@_told
def targets(request: HttpRequest) -> HttpResponse:
    """Return the targets that a word finds, where not all of them are on the page."""
    actor = actor_of(request)
    samples = Chosen.of(request).samples if request.GET.get("workitem") else []
    sought = Sought(request.GET.get("find", "").strip(), samples=samples)
    found, left_out = targets_for(actor, sought, timezone.now())
    return render(request, "supervisor/transfer_targets.html", {"targets": found, "left_out": left_out})


@login_required
@require_POST
@_told
def preview(request: HttpRequest) -> HttpResponse:
    """Show what would happen, and move nothing."""
    chosen = Chosen.of(request)
    form = TransferForm(request.POST, actor=chosen.actor)
    return _preview(request, chosen, form) if form.is_valid() else _ask(request, chosen, form, status=400)


@login_required
@require_POST
@_told
def start(request: HttpRequest) -> HttpResponse:
    """Move one workitem at once, or begin with the many that the person has seen in the preview."""
    chosen = Chosen.of(request)
    form = TransferForm(request.POST, actor=chosen.actor)
    is_previewed = "expected" in request.POST
    if not form.is_valid():
        return _ask(request, chosen, form, status=400)
    return _move_one(request, chosen, form) if chosen.is_one and not is_previewed else _begin(request, chosen, form)


@login_required
@require_http_methods(["GET", "POST"])
def undo_one(request: HttpRequest, workitem_id: str) -> HttpResponse:
    """Send one workitem back to where it was before the transfer that left it at this version."""
    version = request.GET.get("version", "")
    if not version.isdecimal() or len(version) > 9:
        raise Http404
    if request.method == "GET":  # the way of a browser without script
        return render(request, "supervisor/transfer_undo.html")
    actor = actor_of(request)
    try:
        back = transfers.undo_one(workitem_id, int(version), actor=actor, now=timezone.now())
    except UnknownWorkitem:
        raise Http404 from None
    except WorkitemError as refusal:
        problem = _("It was not moved back. %s") % refusal.message
        if is_script(request):
            return toast({"text": problem, "kind": "is-bad"}, status=STATUS[refusal.kind])
        return render(request, "supervisor/transfer_undo.html", {"problem": problem}, status=STATUS[refusal.kind])
    tasks.wake_after([Action.TRANSFER])
    sees_it = is_seen(request, back)
    text = _("Moved back to %s.") % _place_of(back) if sees_it else _("Moved back to where you do not see it.")
    if is_script(request):
        return toast({"text": text})
    messages.success(request, text)
    return redirect("workitem", workitem_id) if sees_it else redirect("work")


def _ask(
    request: HttpRequest, chosen: Chosen, form: TransferForm, *, problem: str = "", status: int = 200
) -> HttpResponse:
    if chosen.is_one:
        refusal = lifecycle.refusal(Action.TRANSFER, chosen.item, chosen.actor)
        if refusal is not None:
            raise refusal
    find, target = request.POST.get("find", "").strip(), str(form["target"].value() or "")
    sought = Sought(find, target, chosen.samples, usual_targets(request, chosen.actor))
    found, left_out = targets_for(chosen.actor, sought, timezone.now())
    return _page(request, "supervisor/transfer.html", {
        "form": form,
        "chosen": chosen,
        "item": chosen.item if chosen.is_one else None,
        "count": chosen.count,
        "count_text": grouped(chosen.count) if chosen.count <= MOST_ITEMS else f"{grouped(MOST_ITEMS)}+",
        "problem": problem,
        "find": find,
        "target": target,
        "targets": found,
        "left_out": left_out,
        "reasons": REASONS,
        "zone": timezone.get_default_timezone_name(),
        "has_recording": chosen.is_one and chosen.item.channel_type in lifecycle.SPOKEN,
        "way_back": chosen.way_back(is_seen=True),
        "now": timezone.now(),
    }, status)  # fmt: skip


def _form_again(request: HttpRequest, chosen: Chosen) -> TransferForm:
    """Return the form with what was typed before, in an earlier step."""
    typed = {name: request.POST[name] for name in TYPED if name in request.POST}
    return TransferForm(initial=typed, actor=chosen.actor)


def _preview(
    request: HttpRequest, chosen: Chosen, form: TransferForm, *, problem: str = "", status: int = 200
) -> HttpResponse:
    now, target, start_at = timezone.now(), form.cleaned_data["target"], form.cleaned_data["start_at"]
    found = transfers.preview(chosen.selection, form.terms, actor=chosen.actor, now=now)
    moving = found.forecast.allowed
    is_read, is_queue = reads(chosen.actor, target), isinstance(target, Queue)
    return render(request, "supervisor/transfer_preview.html", {
        "form": form,
        "chosen": chosen,
        "carried": [*chosen.carried, *((name, request.POST[name]) for name in TYPED if name in request.POST)],
        "preview": found,
        "total": grouped(found.total),
        "moving": grouped(moving),
        "refusals": grouped(found.forecast.refusals + found.missing),
        "missing": grouped(found.missing) if found.missing else "",
        "missing_samples": found.missing_samples,
        "target": named(target),
        "is_queue": is_queue,
        "is_read": is_read,
        "standing": standing_of(found.load, target, chosen.actor, now),
        "after": grouped(found.load.waiting + moving if is_queue else found.load.in_hand + moving) if is_read else "",
        "priority": Priority(form.terms.priority).label if form.terms.priority else "",
        "start_at": start_at,
        "zone": form.cleaned_data["zone"],
        "is_at_once": found.total <= starting.AT_ONCE and start_at is None,
        "most_at_once": starting.AT_ONCE,
        "problem": problem,
        "way_back": chosen.way_back(is_seen=True),
        **groups_of(found, ADDRESSES.item),
    }, status=status)  # fmt: skip


def _begin(request: HttpRequest, chosen: Chosen, form: TransferForm) -> HttpResponse:
    expected = request.POST.get("expected", "")
    if not expected.isdecimal() or len(expected) > 9:
        return _preview(request, chosen, form)
    now = timezone.now()
    try:
        run = transfers.request(
            chosen.selection,
            form.terms,
            actor=chosen.actor,
            now=now,
            start_at=form.cleaned_data["start_at"],
            expected=int(expected),
        )
    except SelectionChanged as refusal:
        return _preview(request, chosen, form, problem=refusal.message, status=409)
    starting.start(run, chosen.actor, now)
    remember(request, form.data["target"])
    return redirect(ADDRESSES.run(run))


def _move_one(request: HttpRequest, chosen: Chosen, form: TransferForm) -> HttpResponse:
    try:
        moved = transfers.move_one(
            chosen.ids[0],
            form.terms,
            actor=chosen.actor,
            now=timezone.now(),
            recording=form.told_recording,
            if_version=chosen.version,
        )
    except UnknownWorkitem:
        raise Http404 from None
    except StaleVersion:
        return _ask(request, chosen, form, problem=_changed(chosen.item), status=412)
    except WorkitemError as refusal:
        return _ask(request, chosen, form, problem=refusal.message, status=STATUS[refusal.kind])
    tasks.wake_after([Action.TRANSFER])
    remember(request, form.data["target"])
    return _moved(request, chosen, moved, named(form.cleaned_data["target"]))


def _moved(request: HttpRequest, chosen: Chosen, moved: Workitem, target: str) -> HttpResponse:
    """Tell of it, with the way to take it back, and lead on where the page shows nothing any more."""
    text, undo = (
        _("Moved to %s.") % target,
        f"{reverse('transfer-undo', args=[moved.workitem_id])}?version={moved.version}",
    )
    way_back = chosen.way_back(is_seen=is_seen(request, moved))
    if not is_script(request):
        messages.success(request, format_html('{} <a href="{}">{}</a>', text, undo, _("Undo")))
        return redirect(way_back)
    answer = toast({"text": text, "undo": {"url": undo, "label": _("Undo")}})
    if way_back != chosen.next:
        answer["HX-Location"] = way_back
    return answer


def _changed(item: Workitem) -> str:
    words = {"state": item.get_state_display(), "place": _place_of(item)}
    return _("It has changed meanwhile: it is “%(state)s” now, %(place)s. Confirm once more to move it.") % words


def _place_of(item: Workitem) -> str:
    names = (item.queue.name if item.queue else "", item.agent_username)
    return ", ".join(one for one in names if one) or _("nowhere")


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Return a page, or for a dialog what is within it."""
    part = template.replace(".html", "_part.html") if is_script(request) else template
    return render(request, part, context, status=status)


def _refused(request: HttpRequest, refusal: WorkitemError) -> HttpResponse:
    return _page(request, "supervisor/transfer_refused.html", {"problem": refusal.message}, STATUS[refusal.kind])
