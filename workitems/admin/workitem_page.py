"""The page of one workitem: its facts, what may be corrected, its commands and its whole story.

The page is drawn by one view in four parts, of which only the one that is looked at is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin

from contacts.models import Contact
from queues.channels import Channel
from workitems import audit, services, tasks
from workitems.actors import Actor
from workitems.admin.addresses import batch_address
from workitems.admin.base import EVENTS_SHOWN
from workitems.admin.dressing import dressed
from workitems.admin.guarded import GuardedAdmin
from workitems.admin.item_form import WorkitemForm
from workitems.api import representation
from workitems.choices import Action, Priority, Scope, State
from workitems.commands import Command
from workitems.errors import WorkitemError
from workitems.models import Workitem
from workitems.presenting import item_actions, item_history, item_life
from workitems.presenting.action_forms import ActionForm
from workitems.presenting.icons import CHANNEL_ICONS, PRIORITY_ICONS, STATE_ICONS
from workitems.presenting.item_actions import Button, Tried
from workitems.presenting.item_facts import moments_of
from workitems.presenting.offered import OFFERED
from workitems.presenting.statuses import STATUS
from workitems.presenting.words import is_key
from workitems.staff import actor_of

OTHERS_SHOWN = 25
EVENTS_IN_RAW = 1_000
TABS = {
    "overview": gettext_lazy("Overview"),
    "timeline": gettext_lazy("Timeline"),
    "contact": gettext_lazy("Contact’s other items"),
    "raw": gettext_lazy("Raw data"),
}


@dataclass(frozen=True)
class Tab:
    """One part of the page."""

    name: str
    label: str
    query: str
    is_open: bool


class WorkitemPage(GuardedAdmin):
    """What the back office shows and does on the page of one workitem."""

    form = WorkitemForm
    autocomplete_fields = ["contact"]
    fieldsets = [(None, {"fields": ["name", "contact", "priority", "from_address", "to_address", "data", "note"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Let only those choose a contact who may see contacts."""
        contacts = self.admin_site.get_model_admin(Contact)
        return [] if contacts.has_view_permission(request) else ["contact"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Choose a contact without a detour to the pages of contacts."""
        form = super().get_form(request, obj, change=change, **kwargs)
        chooser = form.base_fields["contact"].widget if "contact" in form.base_fields else None
        for may in ("can_add_related", "can_change_related", "can_view_related"):
            if chooser is not None:
                setattr(chooser, may, False)
        return form

    def get_urls(self) -> list[Any]:
        """Add the address of the buttons."""
        here = f"{self.opts.app_label}_{self.opts.model_name}"
        act = path("<path:object_id>/do/<str:action>/", self.admin_site.admin_view(self.act_view), name=f"{here}_do")
        return [act, *super().get_urls()]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the workitem with its neighbours; whoever changes it holds it until he is done."""
        if not is_key(object_id):
            return None
        if request.method == "POST" and transaction.get_connection().in_atomic_block:
            Workitem.objects.select_for_update().filter(pk=object_id).first()
        rows = self.get_queryset(request).select_related("queue", "agent", "contact", "disposition")
        return rows.filter(pk=object_id).first()

    def facts_of(self, row: Any) -> audit.Facts:
        """Return what the form shows, and the version, which moves with whatever happens."""
        names = ("name", "contact", "priority", "from_address", "to_address", "data", "version")
        return {name: audit.plain(getattr(row, name)) for name in names}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the page, or save what was corrected."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._page(request, self.seen(request, object_id))
        with transaction.atomic():
            workitem = self.seen(request, object_id)
            if not self.has_change_permission(request, workitem):
                raise PermissionDenied
            form = self.get_form(request, workitem, change=True)(request.POST, instance=workitem)
            if form.is_valid():
                return self._save(request, workitem, form)
        return self._page(request, self.seen(request, object_id), form=form)

    def act_view(self, request: HttpRequest, object_id: str, action: str) -> HttpResponse:
        """Press a button; where that is refused, say so beside what was filled in."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        workitem = self.seen(request, object_id)
        if action == "undo":
            return self._undo(request, workitem)
        if action not in OFFERED:
            raise Http404
        form = item_actions.forms_of(OFFERED[Action(action)], workitem, actor_of(request), request.POST)
        if not form.is_valid():
            return self._page(request, workitem, tried=Tried(form), status=400)
        try:
            self._execute(request, workitem, form.command())
        except WorkitemError as refusal:
            return self._refused(request, object_id, form, refusal)
        messages.success(request, _("Done: %(action)s.") % {"action": form.action.label})
        return self._back(request, workitem)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the timeline, which has the whole history."""
        workitem = self.seen(request, object_id)
        return HttpResponseRedirect(f"{self._address(workitem)}?tab=timeline")

    def log_change(self, request: HttpRequest, obj: Workitem, message: Any) -> Any:
        """Write Django's own line only: the events tell old and new."""
        return ModelAdmin.log_change(self, request, obj, message)

    def _save(self, request: HttpRequest, workitem: Workitem, form: WorkitemForm) -> HttpResponse:
        """Have the commands do it; the form has asked them already, under the same lock."""
        commands, now, before = form.commands(), timezone.now(), workitem.version
        after = before
        for command in commands:
            done = services.execute(command, workitem.workitem_id, actor=actor_of(request), now=now)
            after = done.version
        if after == before:
            messages.info(request, _("There was nothing to save."))
        else:
            self.log_change(request, workitem, self.construct_change_message(request, form, []))
            tasks.wake_after([command.action for command in commands])
            messages.success(request, _("Saved."))
        return self._back(request, workitem)

    def _execute(self, request: HttpRequest, workitem: Workitem, command: Command) -> None:
        """Do one thing to the workitem as the person saw it, with Django's own line about it."""
        version = item_actions.version_in(request.POST)
        with transaction.atomic():
            done = services.execute(
                command, workitem.workitem_id, actor=actor_of(request), now=timezone.now(), if_version=version
            )
            if command.action is Action.PURGE:
                ModelAdmin.log_deletions(self, request, [workitem])
            elif done.version != version:
                self.log_change(request, workitem, command.action.value)
        tasks.wake_after([command.action])

    def _undo(self, request: HttpRequest, workitem: Workitem) -> HttpResponse:
        undo = item_actions.undo_of(workitem, actor_of(request), timezone.now())
        if undo is None:
            messages.warning(
                request, _("Nothing was undone: something else has happened meanwhile, or it is too late.")
            )
            return self._back(request, workitem)
        try:
            self._execute(request, workitem, undo.command)
        except WorkitemError as refusal:
            messages.warning(request, refusal.message)
        else:
            messages.success(request, _("Undone: %(event)s.") % {"event": undo.event.label})
        return self._back(request, workitem)

    def _refused(self, request: HttpRequest, object_id: str, form: ActionForm, refusal: WorkitemError) -> HttpResponse:
        tried = Tried(form, refusal.message)
        return self._page(request, self.seen(request, object_id), tried=tried, status=STATUS[refusal.kind])

    def _back(self, request: HttpRequest, workitem: Workitem) -> HttpResponse:
        """Show the workitem, or the list where it is out of sight or gone."""
        if self.get_queryset(request).filter(pk=workitem.pk).exists():
            return HttpResponseRedirect(self._address(workitem))
        return HttpResponseRedirect(reverse("admin:workitems_workitem_changelist"))

    def _address(self, workitem: Workitem) -> str:
        return reverse("admin:workitems_workitem_change", args=[workitem.pk])

    def _page(
        self,
        request: HttpRequest,
        workitem: Workitem,
        *,
        form: WorkitemForm | None = None,
        tried: Tried | None = None,
        status: int = 200,
    ) -> HttpResponse:
        actor, now = actor_of(request), timezone.now()
        asked = request.GET.get("tab", "")
        tab = asked if asked in TABS and form is None and tried is None else "overview"
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "overview": lambda: self._overview(request, workitem, form, tried),
            "timeline": lambda: {"page": _timeline(request, workitem)},
            "contact": lambda: _others(workitem, actor),
            "raw": lambda: _raw(workitem, actor),
        }
        context = {
            **self.admin_site.each_context(request),
            "title": workitem.name or workitem.workitem_id,
            "opts": self.opts,
            "original": workitem,
            "workitem": workitem,
            "tab": tab,
            "tabs": [Tab(name, str(label), f"?tab={name}", name == tab) for name, label in TABS.items()],
            "part": f"admin/workitems/item_{tab}.html",
            "state_icon": STATE_ICONS[State(workitem.state)],
            "channel_icon": CHANNEL_ICONS[Channel(workitem.channel_type)],
            "priority_icon": PRIORITY_ICONS.get(Priority(workitem.priority), "drag_handle"),
            "undo": item_actions.undo_of(workitem, actor, now),
            "media": self.media,
            **parts[tab](),
        }
        return TemplateResponse(request, _template(request), context, status=status)

    def _overview(
        self, request: HttpRequest, workitem: Workitem, form: WorkitemForm | None, tried: Tried | None
    ) -> dict[str, Any]:
        actor = actor_of(request)
        reasons = item_actions.reasons_for(workitem, actor)
        if form is None and not reasons[Action.EDIT]:
            form = self.get_form(request, workitem, change=True)(instance=workitem)
        return {
            "form": form,
            "media": self.media + form.media if form is not None else self.media,
            "possible": _dressed(item_actions.possible(reasons, workitem, actor, tried)),
            "impossible": item_actions.impossible(reasons),
            "bar": item_life.bar_of(workitem, actor, timezone.now()),
            "sees_queue": workitem.queue is not None and actor.can_in(Scope.READ, workitem.queue),
            "moments": moments_of(workitem),
            "seen_at": timezone.now().isoformat(),
        }


def _timeline(request: HttpRequest, workitem: Workitem) -> item_history.Page:
    return item_history.page_of(
        workitem,
        request.GET,
        actor_of(request),
        address_of=batch_address,
        size=EVENTS_SHOWN,
        carried={"tab": "timeline"},
    )


def _dressed(buttons: list[Button]) -> list[Button]:
    for button in buttons:
        if button.form is not None:
            dressed(button.form)
    return buttons


def _template(request: HttpRequest) -> str:
    """Return the page, or only the part that a script asks for to put it beside the others."""
    if request.headers.get("X-Part") == "1":
        return "admin/workitems/item_part.html"
    return "admin/workitems/workitem/change_form.html"


def _others(workitem: Workitem, actor: Actor) -> dict[str, Any]:
    """Return the contact's latest other workitems, those that the person may see."""
    if workitem.contact is None:
        return {"others": [], "others_more": False, "others_query": ""}
    rows = Workitem.objects.visible_to(actor).filter(contact=workitem.contact).exclude(pk=workitem.pk)
    found = list(rows.order_by("-created_at", "-pk").select_related("queue", "agent")[: OTHERS_SHOWN + 1])
    return {
        "others": found[:OTHERS_SHOWN],
        "others_more": len(found) > OTHERS_SHOWN,
        "others_query": urlencode({"q": f'contactId:"{workitem.contact.contact_id}"'}),
    }


def _raw(workitem: Workitem, actor: Actor) -> dict[str, Any]:
    """Return the workitem as the REST API gives it; a very long timeline is left to the API."""
    whole = workitem.version <= EVENTS_IN_RAW
    shape = representation.WHOLE if whole else representation.Shape(frozenset({"contact", "actions"}))
    wire = orjson.loads(orjson.dumps(representation.workitem(workitem.pk, actor, shape)))
    left_out = ngettext("%d event is left out here; the API has it.", "%d events are left out here; the API has them.",
                        workitem.version) % workitem.version  # fmt: skip
    return {"raw": json.dumps(wire, indent=2, ensure_ascii=False), "left_out": "" if whole else left_out}
