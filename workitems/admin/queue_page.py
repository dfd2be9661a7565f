"""The page of a queue: what it takes, who works there, when it is open, and where it stands."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import TimeField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.widgets import INPUT_CLASSES, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from queues.models import Queue, QueueChannel, QueueHours
from workitems import audit, opening, tasks
from workitems.admin.guarded import PartsOfTheRow, SeenForm
from workitems.admin.queue_load import Load, items_address, loads_of
from workitems.admin.queue_people import PeopleField, check_newcomers
from workitems.choices import Scope, State
from workitems.models import Presence
from workitems.presenting.words import duration
from workitems.staff import actor_of

PEOPLE = ("members", "supervisors")


class QueueForm(SeenForm):
    """What a queue says of itself, and who works there."""

    class Meta:
        model = Queue
        fields = "__all__"
        widgets = {
            "description": UnfoldAdminTextareaWidget(attrs={"rows": 3}),
            "time_zone": UnfoldAdminTextInputWidget(attrs={"list": "time-zones", "autocomplete": "off"}),
        }

    def clean_time_zone(self) -> str:
        """Take the names of the time zone database only."""
        name: str = self.cleaned_data["time_zone"].strip()
        if name and not opening.is_zone(name):
            raise ValidationError(_("There is no time zone “%s”; they are called like Europe/Berlin.") % name)
        return name

    def clean_members(self) -> Any:
        """Take in nobody who has left."""
        return self._checked("members")

    def clean_supervisors(self) -> Any:
        """Take in nobody who has left."""
        return self._checked("supervisors")

    def _checked(self, name: str) -> Any:
        people = self.cleaned_data[name]
        check_newcomers(people, getattr(self.instance, name).all() if self.instance.pk else ())
        return people

    def _keep_what_others_typed(self, seen: audit.Facts, cleaned: dict[str, Any], changed: dict[str, Any]) -> None:
        super()._keep_what_others_typed(seen, cleaned, changed)
        for name in PEOPLE:
            if name in changed and name in cleaned and sorted(one.username for one in cleaned[name]) == seen.get(name):
                self.data.setlist(self.add_prefix(name), changed[name]["new"])  # type: ignore[attr-defined]


class QueueChannelInline(PartsOfTheRow, TabularInline):
    """The channels a queue takes, each with its service level."""

    model = QueueChannel
    extra = 0


class OneClock(forms.BaseInlineFormSet):
    """Opening hours: each stretch has a beginning and a later end, and none reaches into another."""

    def clean(self) -> None:
        """Say in words what makes no sense."""
        super().clean()
        kept = [form.cleaned_data for form in self.forms if form.is_valid() and form not in self.deleted_forms]
        lines = sorted(
            (one["weekday"], one["opens_at"], one["closes_at"]) for one in kept if one.get("closes_at") is not None
        )
        for weekday, opens_at, closes_at in lines:
            if closes_at != opening.MIDNIGHT and closes_at <= opens_at:
                words = {"day": QueueHours.Weekday(weekday).label, "time": f"{opens_at:%H:%M}"}
                raise ValidationError(
                    _("%(day)s %(time)s: it closes before it opens. Let a night end at 00:00 and go on the next day.")
                    % words
                )
        for (day, _opens, closes_at), (next_day, next_opens, _closes) in pairwise(lines):
            if day == next_day and (closes_at == opening.MIDNIGHT or next_opens < closes_at):
                words = {"day": QueueHours.Weekday(day).label}
                raise ValidationError(_("%(day)s: two stretches of the opening hours overlap.") % words)


class QueueHoursInline(PartsOfTheRow, TabularInline):
    """When a queue is open; without any line it is opened and closed by hand only."""

    model = QueueHours
    formset = OneClock
    extra = 0

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Take times as the browser lets people choose them."""
        if isinstance(db_field, TimeField):
            attrs = {"type": "time", "class": " ".join(INPUT_CLASSES)}
            return db_field.formfield(widget=forms.TimeInput(attrs=attrs, format="%H:%M"))
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class QueueParts:
    """The form of a queue, what belongs to it and what stands above it."""

    inlines = [QueueChannelInline, QueueHoursInline]
    fieldsets = [
        (None, {"fields": ["queue_id", "name", "description", "priority"]}),
        (
            gettext_lazy("How it takes work"),
            {
                "fields": [
                    "is_open", "offers_automatically", "offer_timeout_seconds", "wrap_up_seconds",
                    "short_abandon_seconds",
                ]
            },
        ),
        (gettext_lazy("Who works there"), {"fields": ["members", "supervisors"]}),
        (gettext_lazy("By which clock"), {"fields": ["time_zone"]}),
    ]  # fmt: skip
    change_form_outer_before_template = "admin/workitems/queue_head.html"
    change_form_outer_after_template = "admin/workitems/queue_zones.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the id of an existing queue, as integrations know it, and keep a retired one closed."""
        if obj is None:
            return []
        return ["queue_id", "is_open"] if obj.is_retired else ["queue_id"]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Choose people by search: a list of everybody would have thousands."""
        if db_field.name in PEOPLE:
            return PeopleField(label=db_field.verbose_name.capitalize(), required=False)
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Show above the form where the queue stands."""
        context = {"time_zones": sorted(available_timezones()), **(extra_context or {})}
        queue = self.get_object(request, object_id) if object_id else None  # type: ignore[attr-defined]
        if queue is not None:
            context |= head_of(queue, request)
        return super().changeform_view(request, object_id, form_url, context)  # type: ignore[misc]

    def save_model(self, request: HttpRequest, obj: Queue, form: Any, change: bool) -> None:
        """Save it; whoever opens or closes it by hand is right until its hours say otherwise next."""
        if "is_open" in form.changed_data:
            obj.hours_applied_at = timezone.now()
        super().save_model(request, obj, form, change)  # type: ignore[misc]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save what belongs to it, let new hours take hold, and let routing know."""
        super().save_related(request, form, formsets, change)  # type: ignore[misc]
        queue: Queue = form.instance
        has_new_hours = any(one.model is QueueHours and one.has_changed() for one in formsets)
        if (has_new_hours or "time_zone" in form.changed_data) and "is_open" not in form.changed_data:
            Queue.objects.filter(pk=queue.pk).update(hours_applied_at=None)
        _let_be_found(queue)
        tasks.queues_changed()


def head_of(queue: Queue, request: HttpRequest) -> dict[str, Any]:
    """Return what stands above the form of a queue: its figures and when it opens or closes next."""
    now = timezone.now()
    load = loads_of([queue], now)[queue.pk]
    boundary = None if queue.is_retired else opening.next_boundary(queue.hours.all(), queue.zone, now)
    by_its_clock = boundary and boundary.at.astimezone(queue.zone).replace(tzinfo=None)
    return {
        "queue": queue,
        "tiles": _tiles(queue, load, now),
        "all_items": items_address(queue=queue.queue_id),
        "next_boundary": boundary,
        "is_by_hand": boundary is not None and boundary.opens == queue.is_open,
        "by_its_clock": by_its_clock and date_format(by_its_clock, "D j M Y, H:i"),
        "zone": queue.zone,
        "may_admin": actor_of(request).can_in(Scope.ADMIN, queue),
    }


def _tiles(queue: Queue, load: Load, now: datetime) -> list[tuple[str, str, str]]:
    """Return the figures, each with its words and the address of what is behind it."""

    def address(*states: State) -> str:
        return items_address(queue=queue.queue_id, state=[one.value for one in states])

    waits = "–" if load.longest_since is None else duration((now - load.longest_since).total_seconds())
    return [
        (_("Waiting"), str(load.waiting), address(State.INQUEUE)),
        (_("Longest wait"), waits, ""),
        (_("Active"), str(load.active), address(State.ACCEPTED, State.ACTIVE, State.CONFERENCE)),
        (_("On hold"), str(load.on_hold), address(State.HOLD)),
        (_("In wrap-up"), str(load.in_wrap_up), ""),
        (_("Members"), str(load.members), ""),
    ]


def _let_be_found(queue: Queue) -> None:
    """Let members who have never said whether they are there stand among the agents, as being off."""
    members = queue.members.filter(presence=None)
    absent = [Presence(user=one, since=timezone.now()) for one in members]
    Presence.objects.bulk_create(absent, ignore_conflicts=True)
