"""Workitems in the back office."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import Q, QuerySet
from django.forms.fields import InvalidJSONInput
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from contacts.addresses import normal_address
from contacts.models import Contact
from workitems import services, tasks
from workitems.actors import Actor
from workitems.admin.base import (
    AT_ONCE,
    EVENTS_SHOWN,
    MOST_CONTACTS,
    MOST_COUNTED,
    CappedPaginator,
    ReadableQueueFilter,
    actor_of,
)
from workitems.admin.transfer_dialog import TransferDialog
from workitems.choices import EndedBy, Scope
from workitems.commands import Command, Edit, HangUp, Hold, SetPriority
from workitems.errors import StaleVersion, WorkitemError
from workitems.models import TimeEvent, Workitem


class DataField(forms.JSONField):
    """JSON that was typed, with all that typing can do to it."""

    def to_python(self, value: Any) -> Any:
        """Refuse what nests too deep to be read."""
        try:
            return super().to_python(value)
        except RecursionError:
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": "…"}) from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Show what cannot be read, or not be shown otherwise, as it was typed."""
        try:
            value = super().bound_data(data, initial)
            json.dumps(value, ensure_ascii=False).encode()
        except (RecursionError, UnicodeEncodeError):
            return InvalidJSONInput(data)
        return value


class WorkitemForm(forms.ModelForm):
    """What back-office staff may correct, checked by the very commands that will do it."""

    seen_version = forms.IntegerField(widget=forms.HiddenInput)
    data = DataField(required=False, widget=UnfoldAdminTextareaWidget)  # type: ignore[assignment]
    actor: Actor

    class Meta:
        model = Workitem
        fields = ["name", "contact", "priority", "from_address", "to_address", "data"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seen_version"].initial = self.instance.version

    def clean(self) -> dict[str, Any]:
        """Refuse now what the executor would refuse, while what was typed is still there.

        The page saves in this same transaction, so with the row locked nothing can come between.
        """
        cleaned = super().clean() or {}
        cleaned["data"] = cleaned.get("data") or {}
        workitem = Workitem.objects.select_for_update().get(pk=self.instance.pk)
        if cleaned.get("seen_version") != workitem.version:
            refusal: WorkitemError = StaleVersion(expected=cleaned.get("seen_version"), current=workitem.version)
            self.add_error(None, refusal.message)
            return cleaned
        for command in self.commands():
            found = services.explain_command(command, workitem, self.actor, timezone.now())
            if found is not None:
                self.add_error(None, found.message)
        return cleaned

    def commands(self) -> list[Command]:
        """Return what has to be done for the fields that were changed."""
        edited = {
            name: self.cleaned_data[field]
            for name, field in {
                "name": "name",
                "contact": "contact",
                "from": "from_address",
                "to": "to_address",
                "data": "data",
            }.items()
            if field in self.changed_data and field in self.cleaned_data
        }
        commands: list[Command] = [Edit(edited)] if edited else []
        if "priority" in self.changed_data and self.cleaned_data.get("priority"):
            commands.append(SetPriority(self.cleaned_data["priority"]))
        return commands


class HangUpForm(forms.Form):
    """Why."""

    reason = forms.ChoiceField(
        choices=[(by.value, by.label) for by in (EndedBy.AGENT, EndedBy.CUSTOMER, EndedBy.SYSTEM)],
        initial=EndedBy.SYSTEM.value,
        label=gettext_lazy("Ended by"),
        widget=UnfoldAdminSelectWidget,
    )


@admin.register(Workitem)
class WorkitemAdmin(ModelAdmin):
    """Find any interaction, see its whole story, correct what may be corrected."""

    form = WorkitemForm
    list_display = ["workitem_id", "type", "state", "priority", "queue", "contact", "agent", "created_at"]
    list_filter = ["state", "channel_type", "type", "priority", ("queue", ReadableQueueFilter)]
    list_select_related = ["queue", "contact", "agent"]
    search_fields = ["workitem_id"]
    search_help_text = gettext_lazy(
        "A workitem id, a whole number or e-mail address, or the start of a contact's name."
    )
    autocomplete_fields = ["contact"]
    fieldsets = [
        (None, {"fields": ["name", "contact", "priority", "from_address", "to_address", "data", "seen_version"]}),
        (
            gettext_lazy("Where it stands"),
            {
                "fields": [
                    "workitem_id",
                    ("type", "channel_type"),
                    ("state", "current_state_name", "is_muted"),
                    ("queue", "agent"),
                    ("disposition", "disposition_note", "ended_by"),
                    ("created_at", "queued_at", "assigned_at"),
                    ("terminated_at", "dispositioned_at", "archived_at"),
                    ("modified_at", "version"),
                ]
            },
        ),
        (gettext_lazy("History"), {"fields": ["history"]}),
    ]
    readonly_fields = [
        "workitem_id", "type", "channel_type", "state", "current_state_name", "is_muted", "queue", "agent",
        "disposition", "disposition_note", "ended_by", "created_at", "queued_at", "assigned_at", "terminated_at",
        "dispositioned_at", "archived_at", "modified_at", "version", "history",
    ]  # fmt: skip
    actions = ["transfer", "hold", "hang_up"]
    ordering = ["-created_at", "-pk"]
    paginator = CappedPaginator
    list_per_page = 25
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workitem]:
        """Show what the person may see."""
        return Workitem.objects.visible_to(actor_of(request))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Remember when the list was read, so that a preview can tell what has changed since."""
        if any(not pk.isdecimal() for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest
        context = {"seen_at": timezone.now().isoformat(), "most_counted": MOST_COUNTED, **(extra_context or {})}
        page: HttpResponse = super().changelist_view(request, context)
        return page

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Open to everybody who may see some workitem."""
        return actor_of(request).can_anywhere(Scope.READ)

    def has_view_permission(self, request: HttpRequest, obj: Workitem | None = None) -> bool:
        """Open to the readers of this workitem, or of any."""
        actor = actor_of(request)
        return actor.can_anywhere(Scope.READ) if obj is None else actor.can(Scope.READ, obj)

    def has_change_permission(self, request: HttpRequest, obj: Workitem | None = None) -> bool:
        """Open to those who may write this workitem, or any."""
        actor = actor_of(request)
        return actor.can_anywhere(Scope.WRITE) if obj is None else actor.can(Scope.WRITE, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Workitems arrive; nobody types them in here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Workitem | None = None) -> bool:
        """Workitems are archived and purged by commands."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Let only those choose a contact who may see contacts."""
        may_choose = request.user.has_perm("contacts.view_contact")
        return self.readonly_fields if may_choose else [*self.readonly_fields, "contact"]

    def view_on_site(self, obj: Workitem) -> str:
        """Lead to the supervisor's page of what is shown here anyway."""
        return obj.get_absolute_url()

    @admin.display(description="")
    def history(self, workitem: Workitem) -> str:
        """Show the latest of its history, without a form: there is nothing to edit."""
        events = TimeEvent.objects.filter(workitem=workitem).order_by("-version").select_related("queue", "agent")
        context = {"events": events[:EVENTS_SHOWN], "left_out": max(0, workitem.version - EVENTS_SHOWN)}
        return render_to_string("admin/workitems/history.html", context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Tell the form who is typing."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.actor = actor_of(request)
        return form

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Workitem], search_term: str
    ) -> tuple[QuerySet[Workitem], bool]:
        """Look where an index answers: ids, addresses, and contacts by the start of their names."""
        term = search_term.strip()
        if not term:
            return queryset, False
        address = normal_address(term)
        people = Contact.objects.filter(Q(display_name__istartswith=term) | Q(contact_id=term)).order_by("pk")
        known = Contact.objects.known_by(term)
        contacts = [*people.values_list("pk", flat=True)[:MOST_CONTACTS], *known.values_list("pk", flat=True)]
        found = Q(workitem_id=term) | Q(from_address=address) | Q(to_address=address) | Q(contact_id__in=contacts)
        return queryset.filter(found), False

    def save_model(self, request: HttpRequest, obj: Workitem, form: WorkitemForm, change: bool) -> None:
        """Have the commands do it."""
        for command in form.commands():
            services.execute(command, obj.workitem_id, actor=actor_of(request), now=timezone.now())

    @admin.action(description=gettext_lazy("Hold"), permissions=["change"])
    def hold(self, request: HttpRequest, queryset: QuerySet[Workitem]) -> None:
        """Put the selection on hold; resuming undoes it, so nothing is asked."""
        self._do_at_once(request, queryset, Hold())

    @admin.action(description=gettext_lazy("Hang up…"), permissions=["change"])
    def hang_up(self, request: HttpRequest, queryset: QuerySet[Workitem]) -> HttpResponse | None:
        """End the selection, after a question: this cannot be undone."""
        return self._ask_first(
            request,
            queryset,
            form=HangUpForm(request.POST if "apply" in request.POST else None),
            title=_("Hang up"),
            warning=_("The customers are cut off. This cannot be undone."),
            do=lambda cleaned: self._do_at_once(request, queryset, HangUp(EndedBy(cleaned["reason"]))),
        )

    @admin.action(description=gettext_lazy("Transfer…"), permissions=["change"])
    def transfer(self, request: HttpRequest, queryset: QuerySet[Workitem]) -> HttpResponse:
        """Send the selection to a queue or an agent, after a preview."""
        site = {**self.admin_site.each_context(request), "opts": self.opts}
        return TransferDialog(request, queryset, site).answer()

    def _ask_first(
        self,
        request: HttpRequest,
        queryset: QuerySet[Workitem],
        *,
        form: forms.Form,
        title: str,
        warning: str,
        do: Callable[[dict[str, Any]], None],
    ) -> HttpResponse | None:
        if form.is_bound and form.is_valid():
            do(form.cleaned_data)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "warning": warning,
            "form": form,
            "count": queryset.count(),
            "sample": queryset[:10],
            "selected": request.POST.getlist("_selected_action"),
            "across": request.POST.get("select_across", "0"),
            "action": request.POST["action"],
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/workitems/ask_first.html", context)

    def _do_at_once(self, request: HttpRequest, queryset: QuerySet[Workitem], command: Command) -> None:
        ids = list(queryset.values_list("workitem_id", flat=True)[: AT_ONCE + 1])
        if len(ids) > AT_ONCE:
            messages.error(request, _("Nothing was done: choose %d workitems at most.") % AT_ONCE)
            return
        outcome = services.execute_many(command, ids, actor=actor_of(request), now=timezone.now())
        if outcome.done:
            tasks.wake_after([command.action])
            text = ngettext("%d workitem done.", "%d workitems done.", len(outcome.done))
            messages.success(request, text % len(outcome.done))
        for workitem_id, refusal in outcome.refused.items():
            messages.warning(request, f"{workitem_id}: {refusal.message}")
