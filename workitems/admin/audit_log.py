"""The audit log: who did what to which contact, queue, account or right, when, by which door and from where."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy

from workitems.actors import Actor
from workitems.admin.base import CappedPaginator
from workitems.admin.guarded import GuardedAdmin, shown
from workitems.choices import Scope
from workitems.models import AuditEntry


@admin.register(AuditEntry)
class AuditLog(GuardedAdmin):
    """Read only: nobody changes what was written down."""

    kind = "audit entry"
    list_display = ["when", "what", "subject", "actor", "door", "address"]
    list_filter = ["door"]
    search_fields = ["subject"]
    search_help_text = gettext_lazy("The whole id of a contact, queue or disposition, or a username.")
    ordering = ["-pk"]
    paginator = CappedPaginator
    fields = ["when", "what", "subject", "actor", "door", "token", "address", "request_id", "changes"]
    readonly_fields = fields

    def visible_rows(self, actor: Actor) -> QuerySet[AuditEntry]:
        """Show all of it to those who may do everything, and nothing to others."""
        return AuditEntry.objects.all() if self.can_open(actor) else AuditEntry.objects.none()

    def can_open(self, actor: Actor) -> bool:
        """Open to those who may do everything."""
        return Scope.ADMIN in actor.everywhere

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look for whole ids and names only: these have an index."""
        term = search_term.strip()
        return (queryset.filter(subject=term) if term else queryset), False

    @admin.display(description=gettext_lazy("when"), ordering="pk")
    def when(self, entry: AuditEntry) -> str:
        """Show the time in the reader's own zone."""
        return render_to_string("workitems/time.html", {"moment": entry.at})

    @admin.display(description=gettext_lazy("change"))
    def changes(self, entry: AuditEntry) -> str:
        """Show old and new of each field, and what else was written down."""
        changes: dict[str, Any] = entry.details.get("changes", {})
        lines = [(name, shown(values.get("old")), shown(values.get("new"))) for name, values in changes.items()]
        lines += [(name, "", shown(value)) for name, value in entry.details.items() if name != "changes"]
        return render_to_string("admin/workitems/audit_changes.html", {"changes": lines})
