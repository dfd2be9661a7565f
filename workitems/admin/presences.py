"""Who is there, how much he can take and has, and what he leaves behind, in the back office."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.views import ChangeList
from unfold.widgets import UnfoldAdminTextareaWidget

from queues.channels import Channel
from workitems import routing, tasks
from workitems.admin.base import AT_ONCE, actor_of
from workitems.admin.workitems import DataField
from workitems.choices import Scope
from workitems.models import Presence, Workitem

PROBLEMS_SHOWN = 10


class PresenceForm(forms.ModelForm):
    """Whether an agent takes work, and how much of it."""

    capacity = DataField(
        required=False,
        label=Presence._meta.get_field("capacity").verbose_name,
        help_text=Presence._meta.get_field("capacity").help_text,
        widget=UnfoldAdminTextareaWidget,
    )

    class Meta:
        model = Presence
        fields = ["status", "capacity"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "status" in self.fields:  # only expired offers mark somebody as not answering
            chosen = [one for one in Presence.Status if one in (*routing.CHOICES, self.instance.status)]
            self.fields["status"].choices = [(one.value, one.label) for one in chosen]  # type: ignore[attr-defined]

    def clean_capacity(self) -> Any:
        """Take nothing for no capacity at all."""
        return self.cleaned_data["capacity"] or {}


class LoadedChangeList(ChangeList):
    """A page of presences with what their agents have in hand, counted for all of them at once."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then the loads."""
        super().get_results(request)
        page: list[Any] = list(self.result_list)  # type: ignore[has-type]
        held = routing.in_hand([presence.user_id for presence in page], now=timezone.now())
        for presence in page:
            presence.held = held[presence.user_id]
        self.result_list = page


@admin.register(Presence)
class PresenceAdmin(ModelAdmin):
    """Agents who are there, or not."""

    form = PresenceForm
    list_display = ["user", "status", "since", "load"]
    list_filter = ["status"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__first_name", "user__last_name"]
    fields = ["user", "status", "since", "capacity", "load"]
    readonly_fields = ["user", "since", "load"]
    ordering = ["user__username"]
    actions = ["return_all"]
    list_per_page = 25
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Presence]:
        """Show the agents of the queues in which the person may write."""
        actor = actor_of(request)
        rows: QuerySet[Presence] = super().get_queryset(request)
        if Scope.WRITE in actor.everywhere:
            return rows
        theirs = User.objects.filter(member_of_queues__in=actor.queues_with(Scope.WRITE))
        return rows.filter(user__in=theirs)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Count the loads of a page at once."""
        return LoadedChangeList

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Leave the capacity to those with the admin scope where the agent works."""
        may_set = obj is not None and routing.may_set_capacity(obj.user, actor_of(request))
        return self.readonly_fields if may_set else [*self.readonly_fields, "capacity"]

    @admin.display(description=gettext_lazy("in hand, of capacity"))
    def load(self, presence: Any) -> str:
        """Tell for each channel how much the agent has in hand, and how much he can take."""
        if not hasattr(presence, "held"):
            presence.held = routing.in_hand([presence.user_id], now=timezone.now())[presence.user_id]
        return ", ".join(
            f"{channel.label} {presence.held[channel]}/{presence.room_for(channel)}"
            for channel in Channel
            if presence.held[channel] or presence.room_for(channel)
        )

    def save_model(self, request: HttpRequest, obj: Presence, form: Any, change: bool) -> None:
        """Have the domain do it: who goes offline hands back what he was offered."""
        actor, now, values = actor_of(request), timezone.now(), form.cleaned_data
        if "status" in form.changed_data:
            routing.set_presence(obj.user, Presence.Status(values["status"]), actor=actor, now=now)
        if "capacity" in form.changed_data:
            routing.set_capacity(obj.user, values["capacity"], actor=actor, now=now)
        if form.changed_data:
            tasks.wake_routing()

    @admin.action(description=gettext_lazy("Return all to queue…"), permissions=["change"])
    def return_all(self, request: HttpRequest, queryset: QuerySet[Presence]) -> HttpResponse | None:
        """Put all that the selected agents have accepted back at its old places, after a question."""
        agents = list(User.objects.filter(pk__in=queryset.values("user")).order_by("username")[: AT_ONCE + 1])
        if len(agents) > AT_ONCE:
            messages.error(request, _("Nothing was done: choose %d agents at most.") % AT_ONCE)
            return None
        if "apply" in request.POST:
            self._return_all(request, agents)
            return None
        held = Workitem.objects.writable_by(actor_of(request)).handled().filter(agent__in=agents)
        counts = dict(held.order_by().values_list("agent").annotate(Count("pk")))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Return all to queue"),
            "agents": [(agent, counts.get(agent.pk, 0)) for agent in agents],
            "count": sum(counts.values()),
            "selected": request.POST.getlist("_selected_action"),
            "across": request.POST.get("select_across", "0"),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/workitems/return_all.html", context)

    def _return_all(self, request: HttpRequest, agents: list[User]) -> None:
        done, refused = 0, []
        for agent in agents:
            outcome = routing.return_all(agent, actor=actor_of(request), now=timezone.now())
            done += len(outcome.done)
            refused += [f"{workitem_id}: {refusal.message}" for workitem_id, refusal in outcome.refused.items()]
        tasks.wake_routing()
        text = ngettext("%d workitem is back in its queue.", "%d workitems are back in their queues.", done)
        messages.success(request, text % done)
        for line in refused[:PROBLEMS_SHOWN]:
            messages.warning(request, line)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Open to everybody who may write some workitem."""
        return actor_of(request).can_anywhere(Scope.WRITE)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Open to those who may write where the agent works."""
        return self.has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Open to those who may write where the agent works."""
        return self.has_module_permission(request) and (
            obj is None or routing.may_set_presence(obj.user, actor_of(request))
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let presences begin when somebody first says one."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let presences go with their agents."""
        return False
