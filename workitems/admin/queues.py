"""Queues in the back office: the list with where each stands, and the page of one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import ProtectedError, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from queues.models import Queue
from workitems import directory, tasks
from workitems.actors import Actor
from workitems.admin.guarded import GuardedAdmin
from workitems.admin.queue_load import LoadedChangeList, items_address
from workitems.admin.queue_page import QueueForm, QueueParts
from workitems.admin.queue_people import people_view
from workitems.admin.queue_retiring import RetirePages
from workitems.admin.scopes import ScopePages
from workitems.choices import Scope, State
from workitems.models import AuditEntry
from workitems.presenting.words import duration
from workitems.staff import actor_of


class UseFilter(admin.SimpleListFilter):
    """Open, closed or retired; what is retired is left out unless asked for."""

    title = gettext_lazy("state")
    parameter_name = "use"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer what a queue can be."""
        return [("open", _("Open")), ("closed", _("Closed")), ("retired", _("Retired")), ("any", _("All, retired too"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Queue]) -> QuerySet[Queue]:
        """Keep those."""
        chosen = self.value()
        if chosen == "retired":
            return queryset.filter(retired_at__isnull=False)
        if chosen in ("open", "closed"):
            return queryset.filter(retired_at=None, is_open=chosen == "open")
        return queryset if chosen == "any" else queryset.filter(retired_at=None)


@admin.register(Queue)
class QueueAdmin(RetirePages, ScopePages, QueueParts, GuardedAdmin):
    """Who works in a queue, what it takes, when it is open and how long is too long."""

    kind = "queue"
    neighbours = ("members", "supervisors", "channel_rows", "hours")
    form = QueueForm
    list_display = [
        "called", "state_word", "takes_channels", "waiting", "longest_wait", "active", "on_hold", "in_wrap_up",
        "member_count",
    ]  # fmt: skip
    list_filter = [UseFilter, "offers_automatically", "channel_rows__channel"]
    search_fields = ["queue_id", "name", "description"]
    ordering = ["name", "pk"]

    class Media:
        css = {"all": ["queues.css"]}

    def visible_rows(self, actor: Actor) -> QuerySet[Queue]:
        """Show the queues whose work the person may see, with their channels."""
        return directory.visible_queues(actor).prefetch_related("channel_rows")

    def can_add(self, actor: Actor) -> bool:
        """Let those make queues who may do everything."""
        return Scope.ADMIN in actor.everywhere

    def can_change(self, actor: Actor, row: Queue | None) -> bool:
        """Let those change a queue who may do everything in it."""
        return actor.can_anywhere(Scope.ADMIN) if row is None else actor.can_in(Scope.ADMIN, row)

    def history_for(self, request: HttpRequest, row: Any) -> QuerySet[AuditEntry]:
        """Tell who was given which scope only to those who give them."""
        entries = super().history_for(request, row)
        if actor_of(request).can_in(Scope.ADMIN, row):
            return entries
        return entries.exclude(what__startswith="queue scope ")

    def can_delete(self, actor: Actor, row: Queue | None) -> bool:
        """Let those delete queues who may do everything."""
        return Scope.ADMIN in actor.everywhere

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LoadedChangeList]:
        """Count the loads of a page at once."""
        return LoadedChangeList

    def get_urls(self) -> list[Any]:
        """Add the search for people and the pages of scopes and of retiring."""
        people = path("people/", self.admin_site.admin_view(people_view), name="queues_queue_people")
        return [people, *self.scope_urls(), *self.retire_urls(), *super().get_urls()]

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Delete what was never used; what was is retired instead."""
        queue = self.seen(request, object_id)
        if self.has_delete_permission(request, queue) and directory.is_used(queue):
            return self._retire_instead(request, queue)
        try:
            answer: HttpResponse = super().delete_view(request, object_id, extra_context)
        except ProtectedError:  # used just now
            return self._retire_instead(request, queue)
        return answer

    def delete_model(self, request: HttpRequest, obj: Queue) -> None:
        """Delete it and let the routing know."""
        super().delete_model(request, obj)
        tasks.queues_changed()

    def _retire_instead(self, request: HttpRequest, queue: Queue) -> HttpResponse:
        messages.error(request, _("%s has been used, so its history needs it. Retire it instead.") % queue.name)
        return HttpResponseRedirect(reverse("admin:queues_queue_retire", args=[queue.pk]))

    @admin.display(description=gettext_lazy("queue"), ordering="name")
    def called(self, queue: Queue) -> SafeString:
        """Show the name, and below it the id by which programs know it."""
        return render_to_string("admin/workitems/queue_name.html", {"queue": queue})

    @admin.display(description=gettext_lazy("state"))
    def state_word(self, queue: Queue) -> SafeString:
        """Say whether it takes work, in a word with an icon."""
        return render_to_string("admin/workitems/queue_state.html", {"queue": queue})

    @admin.display(description=gettext_lazy("channels, within"))
    def takes_channels(self, queue: Queue) -> SafeString:
        """Name the channels in words, each with the wait that is still good service."""
        channels = [(row, _in_short(row.sla_seconds)) for row in queue.channel_rows.all()]
        return render_to_string("admin/workitems/queue_channels.html", {"channels": channels})

    @admin.display(description=gettext_lazy("waiting"))
    def waiting(self, queue: Any) -> SafeString:
        """Count what waits."""
        return _figure(queue, queue.load.waiting, State.INQUEUE)

    def export_waiting(self, queue: Any) -> int:
        """Give files the number itself."""
        return int(queue.load.waiting)

    @admin.display(description=gettext_lazy("longest wait"), empty_value="–")
    def longest_wait(self, queue: Any) -> str | None:
        """Tell for how long the first in line has been in this queue."""
        since = queue.load.longest_since
        return None if since is None else duration((timezone.now() - since).total_seconds())

    @admin.display(description=gettext_lazy("active"))
    def active(self, queue: Any) -> SafeString:
        """Count what agents have accepted and not put on hold."""
        return _figure(queue, queue.load.active, State.ACCEPTED, State.ACTIVE, State.CONFERENCE)

    def export_active(self, queue: Any) -> int:
        """Give files the number itself."""
        return int(queue.load.active)

    @admin.display(description=gettext_lazy("on hold"))
    def on_hold(self, queue: Any) -> SafeString:
        """Count what is on hold."""
        return _figure(queue, queue.load.on_hold, State.HOLD)

    def export_on_hold(self, queue: Any) -> int:
        """Give files the number itself."""
        return int(queue.load.on_hold)

    @admin.display(description=gettext_lazy("in wrap-up"))
    def in_wrap_up(self, queue: Any) -> SafeString:
        """Count what ended so lately that its agent is still at it."""
        return _figure(queue, queue.load.in_wrap_up)

    def export_in_wrap_up(self, queue: Any) -> int:
        """Give files the number itself."""
        return int(queue.load.in_wrap_up)

    @admin.display(description=gettext_lazy("members"))
    def member_count(self, queue: Any) -> SafeString:
        """Count who works there."""
        return _figure(queue, queue.load.members)

    def export_member_count(self, queue: Any) -> int:
        """Give files the number itself."""
        return int(queue.load.members)


def _figure(queue: Queue, count: int, *states: State) -> SafeString:
    address = items_address(queue=queue.queue_id, state=[one.value for one in states]) if states and count else ""
    return render_to_string("admin/workitems/queue_figure.html", {"count": count, "address": address})


def _in_short(seconds: int) -> str:
    """Return a span in one unit where that is exact."""
    if seconds and seconds % 3600 == 0:
        return _("%d h") % (seconds // 3600)
    if seconds and seconds % 60 == 0:
        return _("%d min") % (seconds // 60)
    return duration(seconds)
