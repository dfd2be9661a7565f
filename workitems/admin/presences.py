"""Agents in the back office: who is there, how much he can take and has, where he works and what he may."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import Count, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.views import ChangeList
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from queues.channels import Channel
from workitems import directory, routing, tasks
from workitems.actors import Actor
from workitems.admin.base import AT_ONCE
from workitems.admin.guarded import GuardedAdmin, SeenForm, age
from workitems.admin.queue_load import items_address
from workitems.admin.scopes import lines_for
from workitems.choices import Scope
from workitems.models import AuditEntry, Presence, Workitem
from workitems.models.presence import MOST_AT_ONCE
from workitems.presenting.icons import PRESENCE_ICONS
from workitems.presenting.presences import CAPACITIES, room, room_field, typed_capacity
from workitems.staff import actor_of

PROBLEMS_SHOWN = 10
STYLES = {
    Presence.Status.AVAILABLE: "wi-done",
    Presence.Status.AWAY: "wi-paused",
    Presence.Status.NO_ANSWER: "wi-cancelled",
    Presence.Status.OFFLINE: "",
}


class AgentForm(SeenForm):
    """Whether an agent takes work, and how much of it; a field for each channel stands beside these."""

    class Meta:
        model = Presence
        fields = ["status"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update({name: self.instance.room_for(channel) for name, channel in CAPACITIES.items()})
        if "status" in self.fields:  # only expired offers mark somebody as not answering
            chosen = [one for one in Presence.Status if one in (*routing.CHOICES, self.instance.status)]
            self.fields["status"].choices = [(one.value, one.label) for one in chosen]  # type: ignore[attr-defined]

    @property
    def capacity(self) -> dict[str, int]:
        """Return the capacity that was typed, without the channels on which the agent takes nothing."""
        return typed_capacity(self.cleaned_data)


def _room_field(channel: Channel) -> forms.IntegerField:
    return room_field(channel, UnfoldAdminIntegerFieldWidget(attrs={"min": 0, "max": MOST_AT_ONCE}))


class AgentWithCapacityForm(AgentForm):
    """The form of those who may say how much an agent takes."""

    capacity_voice = _room_field(Channel.VOICE)
    capacity_video_meeting = _room_field(Channel.VIDEO_MEETING)
    capacity_chat = _room_field(Channel.CHAT)
    capacity_sms = _room_field(Channel.SMS)
    capacity_email = _room_field(Channel.EMAIL)


class LoadedChangeList(ChangeList):
    """A page of agents with what they have in hand, counted for all of them at once."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then the loads."""
        super().get_results(request)
        page: list[Any] = list(self.result_list)  # type: ignore[has-type]
        held = routing.in_hand([presence.user_id for presence in page], now=timezone.now())
        for presence in page:
            presence.held = held[presence.user_id]
        self.result_list = page


@admin.register(Presence)
class PresenceAdmin(GuardedAdmin):
    """The people who work in queues."""

    kind = "agent"
    form = AgentForm
    list_display = ["username", "full_name", "presence", "load", "works_in"]
    list_filter = ["status", "user__member_of_queues"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__first_name", "user__last_name"]
    ordering = ["user__username"]
    actions = ["return_all"]
    change_form_outer_before_template = "admin/workitems/agent_head.html"

    class Media:
        css = {"all": ["queues.css"]}

    def visible_rows(self, actor: Actor) -> QuerySet[Presence]:
        """Show the agents of the queues that the person may see; to those who see all work, all agents."""
        queues = Prefetch("user__member_of_queues", directory.visible_queues(actor).order_by("name"), "seen_queues")
        rows = Presence.objects.select_related("user").prefetch_related(queues)
        if Scope.READ in actor.everywhere:
            return rows
        return rows.filter(user__in=directory.visible_agents(actor))

    def can_change(self, actor: Actor, row: Presence | None) -> bool:
        """Let those change it who may write where the agent works."""
        return actor.can_anywhere(Scope.WRITE) if row is None else routing.may_set_presence(row.user, actor)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Count the loads of a page at once."""
        return LoadedChangeList

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Offer the queues to filter by to those only who see all of them."""
        return self.list_filter if Scope.READ in actor_of(request).everywhere else ["status"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Leave the capacity to those with the admin scope where the agent works."""
        if self._may_set_capacity(request, obj):
            kwargs["form"] = AgentWithCapacityForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the capacity as numbers to change, or as words."""
        told = list(CAPACITIES) if self._may_set_capacity(request, obj) else ["capacity_in_words"]
        return [(None, {"fields": ["status"]}), (gettext_lazy("How much at a time"), {"fields": told})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Show the capacity in words to those who may not set it."""
        return [] if self._may_set_capacity(request, obj) else ["capacity_in_words"]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Show above the form what the agent has in hand, where he works and what he may."""
        presence = self.get_object(request, object_id) if object_id else None
        context = self._head(request, presence) if presence is not None else {}
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: Presence, form: Any, change: bool) -> None:
        """Have the domain do it: who goes offline hands back what he was offered."""
        actor, now = actor_of(request), timezone.now()
        request.facts_before = self.facts_of(Presence.objects.get(pk=obj.pk))  # type: ignore[attr-defined]
        if "status" in form.changed_data:
            routing.set_presence(obj.user, Presence.Status(form.cleaned_data["status"]), actor=actor, now=now)
        if CAPACITIES.keys() & set(form.changed_data):
            routing.set_capacity(obj.user, form.capacity, actor=actor, now=now)
        if form.changed_data:
            tasks.wake_routing()

    def write_audit(self, request: HttpRequest, what: str, row: Presence, **details: Any) -> None:
        """Write it down about the person by his username."""
        super().write_audit(request, what, row.user, **details)

    def history_of(self, row: Presence) -> QuerySet[AuditEntry]:
        """Return what was done to the agent, the latest first."""
        return super().history_of(row.user)

    @admin.display(description=gettext_lazy("agent"), ordering="user__username")
    def username(self, presence: Presence) -> str:
        """Show the username."""
        return presence.user.get_username()

    @admin.display(description=gettext_lazy("name"), ordering="user__last_name")
    def full_name(self, presence: Presence) -> str:
        """Show the name."""
        return presence.user.get_full_name()

    @admin.display(description=gettext_lazy("presence"), ordering="status")
    def presence(self, presence: Presence) -> SafeString:
        """Say whether he takes work, in a word with an icon, and since when."""
        return _presence_word(presence)

    @admin.display(description=gettext_lazy("in hand, of capacity"))
    def load(self, presence: Any) -> str:
        """Tell for each channel how much the agent has in hand, and how much he can take."""
        return ", ".join(f"{channel.label} {held}/{most}" for channel, held, most in room(presence, presence.held))

    @admin.display(description=gettext_lazy("queues"))
    def works_in(self, presence: Any) -> str:
        """Name the queues, those of them that the person may see."""
        return ", ".join(queue.name for queue in presence.user.seen_queues) or "–"

    @admin.display(description=gettext_lazy("capacity"))
    def capacity_in_words(self, presence: Presence) -> str:
        """Tell the capacity of each channel."""
        return ", ".join(f"{channel.label} {presence.room_for(channel)}" for channel in Channel)

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

    def _may_set_capacity(self, request: HttpRequest, presence: Any) -> bool:
        return presence is not None and routing.may_set_capacity(presence.user, actor_of(request))

    def _head(self, request: HttpRequest, presence: Any) -> dict[str, Any]:
        actor, agent = actor_of(request), presence.user
        held = routing.in_hand([agent.pk], now=timezone.now())[agent.pk]
        return {
            "agent": agent,
            "presence_word": _presence_word(presence),
            "room": room(presence, held),
            "items": items_address(agent=agent.get_username()),
            "queues": agent.seen_queues,
            "may_see_scopes": actor.can_anywhere(Scope.ADMIN),
            "scope_lines": lines_for(agent, actor) if actor.can_anywhere(Scope.ADMIN) else [],
        }


def _presence_word(presence: Presence) -> SafeString:
    status = Presence.Status(presence.status)
    facts = {"style": STYLES[status], "icon": PRESENCE_ICONS[status], "word": status.label}
    ago = age(presence.since, timezone.now())
    return render_to_string("admin/workitems/agent_presence.html", {**facts, "since": presence.since, "ago": ago})
