"""The back office's door: it shows, filters and triggers; whatever changes a workitem goes through services."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.filters import RelatedFieldListFilter
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, QuerySet
from django.forms.fields import InvalidJSONInput
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.paginator import Paginator
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from contacts.addresses import normal_address
from contacts.models import Contact
from queues.models import Queue
from workitems import mails, services, tasks, transfers
from workitems.actors import Actor
from workitems.choices import Door, EndedBy, Scope
from workitems.commands import Command, Edit, HangUp, Hold, SetPriority, TransferToQueue
from workitems.errors import StaleVersion, WorkitemError
from workitems.middleware import request_id
from workitems.models import Disposition, OutgoingMail, TimeEvent, Transfer, TransferItem, Workitem

AT_ONCE = 200  # the most that an action does while the person waits
MOST_COUNTED = 10_000
MOST_CONTACTS = 1_000
EVENTS_SHOWN = 200

admin.site.unregister([User, Group])


def actor_of(request: HttpRequest) -> Actor:
    """Return who acts in this request; his rights are read once a request."""
    actor: Actor | None = getattr(request, "workitems_actor", None)
    if actor is None:
        actor = Actor.of(request.user, Door.ADMIN, request_id=request_id(request))
        request.workitems_actor = actor  # type: ignore[attr-defined]
    return actor


class CappedPaginator(Paginator):
    """Pages without counting the whole table: ten thousand rows can be paged through, the rest searched for."""

    @cached_property
    def count(self) -> int:
        """Count at most so many."""
        rows: QuerySet[Workitem] = self.object_list
        return rows[:MOST_COUNTED].count()


class ReadableQueueFilter(RelatedFieldListFilter):
    """Only the queues whose work the person may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        """Leave the names of other queues out."""
        choices: list[tuple[Any, Any]] = list(super().field_choices(field, request, model_admin))
        actor = actor_of(request)
        if Scope.READ in actor.everywhere:
            return choices
        readable = actor.queues_with(Scope.READ)
        return [(pk, name) for pk, name in choices if pk in readable]


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


class TransferForm(forms.Form):
    """Where to."""

    queue = forms.ModelChoiceField(
        Queue.objects.none(), label=gettext_lazy("To queue"), widget=UnfoldAdminSelectWidget, required=True
    )


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
    actions = ["hold", "hang_up", "transfer"]
    ordering = ["-created_at", "-pk"]
    paginator = CappedPaginator
    list_per_page = 25
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workitem]:
        """Show what the person may see."""
        return Workitem.objects.visible_to(actor_of(request))

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

    @admin.action(description=gettext_lazy("Transfer to a queue…"), permissions=["change"])
    def transfer(self, request: HttpRequest, queryset: QuerySet[Workitem]) -> HttpResponse | None:
        """Send the selection to a queue chosen; more than 200 go as a job."""
        form = TransferForm(request.POST if "apply" in request.POST else None)
        actor = actor_of(request)
        targets = [queue.pk for queue in Queue.objects.all() if actor.can_transfer_into(queue)]
        form.fields["queue"].queryset = Queue.objects.filter(pk__in=targets)  # type: ignore[attr-defined]
        return self._ask_first(
            request,
            queryset,
            form=form,
            title=_("Transfer to a queue"),
            warning=_("They leave their agents and stand at the end of the queue."),
            do=lambda cleaned: self._transfer(request, queryset, cleaned["queue"]),
        )

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

    def _transfer(self, request: HttpRequest, queryset: QuerySet[Workitem], queue: Queue) -> None:
        ids = queryset.values_list("workitem_id", flat=True)
        if len(ids[: AT_ONCE + 1]) <= AT_ONCE:
            self._do_at_once(request, queryset, TransferToQueue(queue))
            return
        transfer = transfers.request(ids.iterator(), queue, actor=actor_of(request), now=timezone.now())
        tasks.wake_transfer(transfer)
        text = _("Transfer %(id)s has started; its page under Transfers shows how far it is.")
        messages.success(request, text % {"id": transfer.transfer_id})

    def _do_at_once(self, request: HttpRequest, queryset: QuerySet[Workitem], command: Command) -> None:
        ids = list(queryset.values_list("workitem_id", flat=True)[: AT_ONCE + 1])
        if len(ids) > AT_ONCE:
            messages.error(request, _("Nothing was done: choose %d workitems at most.") % AT_ONCE)
            return
        outcome = services.execute_many(command, ids, actor=actor_of(request), now=timezone.now())
        if outcome.done:
            text = ngettext("%d workitem done.", "%d workitems done.", len(outcome.done))
            messages.success(request, text % len(outcome.done))
        for workitem_id, refusal in outcome.refused.items():
            messages.warning(request, f"{workitem_id}: {refusal.message}")


@admin.register(Disposition)
class DispositionAdmin(ModelAdmin):
    """The words in which interactions come out."""

    list_display = ["name", "disposition_id", "is_resolved", "is_active"]
    list_filter = ["is_resolved", "is_active"]
    search_fields = ["disposition_id", "name"]
    actions = None

    def save_model(self, request: HttpRequest, obj: Disposition, form: Any, change: bool) -> None:
        """Move the version on: programs ask by it whether they know the latest."""
        disposition: Disposition = obj
        disposition.version += change
        super().save_model(request, disposition, form, change)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the id of an existing disposition: integrations know it."""
        return ["disposition_id"] if obj else []


@admin.register(Transfer)
class TransferAdmin(ModelAdmin):
    """Bulk transfers, and how far they are."""

    list_display = ["transfer_id", "queue", "requested_by", "progress", "created_at", "finished_at"]
    list_filter = ["progress"]
    list_select_related = ["queue", "requested_by"]
    fields = readonly_fields = [*list_display, "receipt"]
    ordering = ["-pk"]
    actions = None
    list_per_page = 25
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transfer]:
        """Show people their own transfers, and all of them to those who may do everything."""
        rows: QuerySet[Transfer] = super().get_queryset(request)
        if Scope.ADMIN not in actor_of(request).everywhere:
            rows = rows.filter(requested_by=request.user.pk)
        return rows

    @admin.display(description=gettext_lazy("receipt"))
    def receipt(self, transfer: Transfer) -> str:
        """Count what became of the items, the refused ones by their reasons."""
        counts = transfer.items.values_list("outcome", "code").annotate(models.Count("pk")).order_by("outcome", "code")
        words = TransferItem.Outcome
        return ", ".join(
            f"{words(outcome).label}{f' ({code})' if code else ''}: {count}" for outcome, code, count in counts
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Open to everybody who may move workitems."""
        return actor_of(request).can_anywhere(Scope.WRITE)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Open to everybody who may move workitems."""
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Transfers begin in the list of workitems."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep what was asked for as it was asked."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Receipts are kept."""
        return False


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ModelAdmin):
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


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    """People, in the theme's forms."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Groups, in the theme's forms."""
