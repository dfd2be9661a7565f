"""What can be done to the workitems of a list: to those that are ticked, or to all that match."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.forms.widgets import Media, Script
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET
from unfold.admin import ModelAdmin

from workitems import services
from workitems.admin.bulk_dialog import BulkDialog
from workitems.admin.transfer_dialog import TransferDialog
from workitems.choices import Action, Scope
from workitems.errors import WorkitemError
from workitems.models import Workitem
from workitems.presenting import starting
from workitems.presenting.bulk_steps import do_now
from workitems.presenting.offered import ON_MANY
from workitems.presenting.words import grouped
from workitems.staff import actor_of

Answer = Callable[["WorkitemActions", HttpRequest, QuerySet[Workitem]], HttpResponse | None]
# the names under which the menu sends them, in its order
NAMES: dict[str, Action] = {
    "transfer": Action.TRANSFER,
    "hold": Action.HOLD,
    "unhold": Action.UNHOLD,
    "return_to_queue": Action.RETURN_TO_QUEUE,
    "hang_up": Action.HANGUP,
    "set_priority": Action.PRIORITY,
    "set_disposition": Action.DISPOSITION,
    "add_note": Action.NOTE,
    "exempt": Action.EXEMPT,
    "archive": Action.ARCHIVE,
    "unarchive": Action.UNARCHIVE,
    "purge": Action.PURGE,
}
PERMISSIONS = {Action.ARCHIVE: "archive", Action.UNARCHIVE: "archive", Action.PURGE: "purge"}  # change, for all others
MOST_ASKED = 250  # rows of a page
KEY = re.compile(r"[0-9]{1,18}")


@admin.action(description=gettext_lazy("Transfer…"), permissions=["change"])
def transfer(self: WorkitemActions, request: HttpRequest, queryset: QuerySet[Workitem]) -> HttpResponse:
    """Send the selection to a queue or an agent, after a preview."""
    return TransferDialog(request, queryset, self.every_page(request)).answer()


def _on_many(name: str, action: Action) -> Answer:
    """Return what Django's menu calls for an action."""

    @admin.action(
        description=lazy(lambda: ON_MANY[action].menu_label, str)(), permissions=[PERMISSIONS.get(action, "change")]
    )
    def act(self: WorkitemActions, request: HttpRequest, queryset: QuerySet[Workitem]) -> HttpResponse | None:
        dialog = BulkDialog(request, queryset, self.every_page(request), ON_MANY[action])
        is_routine = not dialog.offered.asks and not dialog.across and dialog.ticked <= starting.AT_ONCE
        if not is_routine or dialog.step:
            return dialog.answer()
        self.do_at_once(request, dialog)
        return None

    act.__name__ = name
    return act


class WorkitemActions(ModelAdmin):
    """The actions of the list."""

    actions = [transfer, *(_on_many(name, action) for name, action in NAMES.items() if action in ON_MANY)]

    @property
    def media(self) -> Media:
        """Grey in the menu what the ticked rows do not allow."""
        others: Media = super().media
        return others + Media(js=[Script("bulk.js", defer=True)], css={"all": ["bulk.css"]})  # type: ignore[list-item]

    def has_archive_permission(self, request: HttpRequest) -> bool:
        """Offer the archive to those who may archive something."""
        return actor_of(request).can_anywhere(Scope.DELETE)

    def has_purge_permission(self, request: HttpRequest) -> bool:
        """Offer what is for good to those who may do everything somewhere."""
        return actor_of(request).can_anywhere(Scope.ADMIN)

    def get_urls(self) -> list[Any]:
        """Add where the menu asks what the ticked rows allow."""
        view = self.admin_site.admin_view(require_GET(self.actions_view))
        return [path("actions/", view, name="workitems_workitem_actions"), *super().get_urls()]

    def actions_view(self, request: HttpRequest) -> HttpResponse:
        """Return for each action how many of these rows allow it, and why the others do not."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        pks = request.GET.get("ids", "").split(",")[:MOST_ASKED]
        if any(KEY.fullmatch(pk) is None for pk in pks):
            raise BadRequest
        actor = actor_of(request)
        rows = list(Workitem.objects.visible_to(actor).filter(pk__in=pks))
        told = [services.explain(row, actor) for row in rows]
        offered = {name: NAMES[name] for name in self.get_actions(request) if name in NAMES}
        answer = {name: _tally([reasons[action] for reasons in told]) for name, action in offered.items()}
        return JsonResponse({"rows": len(rows), "actions": answer}, headers={"Cache-Control": "no-store"})

    def every_page(self, request: HttpRequest) -> dict[str, Any]:
        """Return what every page of the back office needs."""
        return {**self.admin_site.each_context(request), "opts": self.opts}

    def do_at_once(self, request: HttpRequest, dialog: BulkDialog) -> None:
        """Do what can be undone without a question, and say what came of it above the list."""
        try:
            result = do_now(dialog)
        except WorkitemError as refusal:
            messages.error(request, refusal.message)
            return
        if result.done:
            text = ngettext("%s workitem done.", "%s workitems done.", result.done) % grouped(result.done)
            link = format_html('<a class="wi-to-receipt" href="{}">{}</a>', result.address, _("Receipt and undo"))
            messages.success(request, format_html("{}: {} {}", dialog.offered.label, text, link))
        for refused in result.refused:
            messages.warning(request, refused)


def _tally(refusals: list[WorkitemError | None]) -> dict[str, Any]:
    """Return how many allow it, and the reasons of the others, the most frequent first."""
    reasons = Counter(one.message for one in refusals if one is not None)
    return {
        "allowed": refusals.count(None),
        "refused": [{"count": count, "reason": reason} for reason, count in reasons.most_common()],
    }
