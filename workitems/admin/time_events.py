"""All that has happened to workitems, to look at and to search, within what an index answers."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import KT
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from queues.models import Queue
from workitems.actors import Actor
from workitems.admin.base import CappedPaginator
from workitems.admin.guarded import GuardedAdmin
from workitems.choices import Door, Event, Scope
from workitems.models import TimeEvent, Workitem
from workitems.presenting import item_history
from workitems.staff import actor_of

ANOTHER_QUEUE = _("another queue")
LONGEST = 160  # characters of a line
WINDOW = 50_000  # the latest events that are looked through where no index answers


class LatestFilter(admin.SimpleListFilter):
    """A filter that looks through the latest events only, or through those of the one workitem that is searched for."""

    column: ClassVar[str]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what was chosen."""
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class TypeFilter(LatestFilter):
    """What happened."""

    title, parameter_name, column = _("event"), "event", "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer our own events; those of integrations are found by their workitem."""
        return list(Event.choices)


class DoorFilter(LatestFilter):
    """By which door."""

    title, parameter_name, column = _("by way of"), "door", "door"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer the doors."""
        return list(Door.choices)


@admin.register(TimeEvent)
class TimeEventAdmin(GuardedAdmin):
    """The history of all workitems, newest first; nothing of it can be changed."""

    kind = "time event"
    list_display = ["at", "what", "item", "who", "to_state", "where", "told"]
    list_display_links = ["at"]
    list_filter = [TypeFilter, DoorFilter]
    list_select_related = ["workitem", "queue", "agent"]
    search_fields = ["workitem__workitem_id"]
    search_help_text = _(
        "The whole id of a workitem, or the name of who acted. Names and filters look through the latest 50,000 "
        "events, or through those of the workitem."
    )
    fields = readonly_fields = [
        "item", "version", "what", "at", "actor", "user", "door", "token", "request_id", "from_state",
        "to_state", "in_queue", "agent", "told",
    ]  # fmt: skip
    ordering = ["-pk"]
    sortable_by: ClassVar[list[str]] = []
    paginator = CappedPaginator

    class Media:
        css = {"all": ["item.css"]}

    def visible_rows(self, actor: Actor) -> QuerySet[TimeEvent]:
        """Show the events of the workitems that the person may see."""
        rows = TimeEvent.objects.select_related("workitem", "queue", "agent", "user")
        rows = rows.annotate(moved_from=KT("details__from"), moved_to=KT("details__to"))
        if Scope.READ in actor.everywhere:
            return rows.annotate(is_known=Value(True), knows_from=Value(True), knows_to=Value(True))
        known = Queue.objects.filter(Q(pk__in=actor.queues_known) | Q(pk=OuterRef("workitem__queue")))
        rows = rows.annotate(
            is_known=Exists(known.filter(pk=OuterRef("queue"))),
            knows_from=Exists(known.filter(queue_id=OuterRef("moved_from"))),
            knows_to=Exists(known.filter(queue_id=OuterRef("moved_to"))),
        )
        return rows.filter(workitem__in=Workitem.objects.visible_to(actor))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[TimeEvent], search_term: str
    ) -> tuple[QuerySet[TimeEvent], bool]:
        """Look where an index answers; whoever sees a part of the work only has to name a workitem."""
        actor, term = actor_of(request), search_term.strip()
        workitems = Workitem.objects.visible_to(actor).filter(workitem_id=term) if term else Workitem.objects.none()
        pk = workitems.values_list("pk", flat=True).first()
        if pk is not None:
            return queryset.filter(workitem=pk).order_by("-version"), False
        if Scope.READ not in actor.everywhere:
            return queryset.none(), False
        if term or request.GET.get("event") or request.GET.get("door"):
            latest = TimeEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            queryset = queryset.filter(pk__gt=latest - WINDOW)
        return (queryset.filter(actor=term) if term else queryset), False

    @admin.display(description=_("time"))
    def at(self, event: TimeEvent) -> str:
        """Tell the time to the second."""
        return date_format(timezone.localtime(event.timestamp), "Y-m-d H:i:s")

    @admin.display(description=_("event"))
    def what(self, event: TimeEvent) -> str:
        """Name what happened."""
        return event.label

    @admin.display(description=_("workitem"))
    def item(self, event: TimeEvent) -> SafeString:
        """Lead to the workitem."""
        address = reverse("admin:workitems_workitem_change", args=[event.workitem_id])
        return format_html('<a class="wi-id" href="{}">{}</a>', address, event.workitem.workitem_id)

    @admin.display(description=_("by"))
    def who(self, event: TimeEvent) -> str:
        """Name who did it, and by which door."""
        return f"{event.actor}, {event.door_label}"

    @admin.display(description=_("queue and agent"))
    def where(self, event: TimeEvent) -> str:
        """Name where it was afterwards."""
        places = [self.in_queue(event), event.agent.get_username() if event.agent else ""]
        return " · ".join(place for place in places if place) or "–"

    @admin.display(description=_("queue"))
    def in_queue(self, event: TimeEvent) -> str:
        """Name its queue to who may know it."""
        if event.queue is None:
            return ""
        return event.queue.name if event.is_known else str(ANOTHER_QUEUE)  # type: ignore[attr-defined]

    @admin.display(description=_("details"))
    def told(self, event: TimeEvent) -> str:
        """Say old and new, and the rest, in a line that is not too long."""
        changes = item_history.changes_of(event, {}, self._hidden(event))
        others = [f"{name}: {value}" for name, value in item_history.others_of(event)]
        return Truncator("; ".join([*map(str, changes), *others])).chars(LONGEST) or "–"

    def _hidden(self, event: Any) -> dict[str, str]:
        """Return a word for each queue of a transfer that the person may not know, by its id."""
        moves = ((event.moved_from, event.knows_from), (event.moved_to, event.knows_to))
        return {queue_id: str(ANOTHER_QUEUE) for queue_id, is_known in moves if queue_id and not is_known}
