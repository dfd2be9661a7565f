"""Answers by e-mail in the back office."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from workitems import mails, tasks
from workitems.admin.base import AT_ONCE, CappedPaginator
from workitems.admin.exporting import Exporting
from workitems.choices import Scope
from workitems.errors import WorkitemError
from workitems.models import OutgoingMail, Workitem
from workitems.staff import actor_of


@admin.register(OutgoingMail)
class OutgoingMailAdmin(Exporting):
    """Answers by e-mail, and what the mail server said to them."""

    list_display = ["mail_id", "workitem", "subject", "progress", "attempts", "created_at", "sent_at", "error"]
    list_filter = ["progress"]
    list_select_related = ["workitem"]
    search_fields = ["mail_id"]
    search_help_text = gettext_lazy("The id of a mail or of its workitem.")
    fields = readonly_fields = [
        "mail_id", "workitem", "progress", "attempts", "error", "created_at", "next_attempt_at", "sent_at",
        "from_address", "to_addresses", "cc_addresses", "bcc_addresses", "subject", "text", "html",
        "message_id", "in_reply_to", "references",
    ]  # fmt: skip
    ordering = ["-pk"]
    actions = ["send_again"]
    paginator = CappedPaginator
    list_per_page = 25
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutgoingMail]:
        """Show the mails of the workitems that the person may see."""
        actor = actor_of(request)
        rows: QuerySet[OutgoingMail] = super().get_queryset(request)
        if Scope.READ in actor.everywhere:
            return rows
        return rows.filter(workitem__in=Workitem.objects.visible_to(actor))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OutgoingMail], search_term: str
    ) -> tuple[QuerySet[OutgoingMail], bool]:
        """Look for whole ids only."""
        term = search_term.strip()
        return (queryset.filter(Q(mail_id=term) | Q(workitem__workitem_id=term)) if term else queryset), False

    @admin.action(description=gettext_lazy("Send again"), permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[OutgoingMail]) -> None:
        """Let those of the selection that have failed be sent after all."""
        ids = list(queryset.values_list("mail_id", flat=True)[: AT_ONCE + 1])
        if len(ids) > AT_ONCE:
            messages.error(request, _("Nothing was done: choose %d mails at most.") % AT_ONCE)
            return
        again = 0
        for mail_id in ids:
            try:
                mails.retry(mail_id, actor=actor_of(request), now=timezone.now())
            except WorkitemError as refusal:
                messages.warning(request, f"{mail_id}: {refusal.message}")
            else:
                again += 1
        if again:
            tasks.wake_mails()
            text = ngettext("%d mail will be sent again.", "%d mails will be sent again.", again)
            messages.success(request, text % again)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Open to everybody who may see some workitem."""
        return actor_of(request).can_anywhere(Scope.READ)

    def has_view_permission(self, request: HttpRequest, obj: OutgoingMail | None = None) -> bool:
        """Open to the readers of this mail's workitem, or of any."""
        actor = actor_of(request)
        return actor.can_anywhere(Scope.READ) if obj is None else actor.can(Scope.READ, obj.workitem)

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Offer the action to everybody who may write some workitem; each mail is asked for its own."""
        return actor_of(request).can_anywhere(Scope.WRITE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Answers are written with their workitems."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep what went out as it was."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answers go with their workitems."""
        return False
