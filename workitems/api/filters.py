"""The plain filters of the list: one value a field, and several separated by commas where it has set values."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from queues.channels import Channel
from workitems.choices import Priority, State, Type
from workitems.models import Workitem
from workitems.querysets import WorkitemQuerySet


class ChoicesIn(django_filters.BaseInFilter, django_filters.ChoiceFilter):
    """One or several of a field's own values."""


class WorkitemFilters(django_filters.FilterSet):
    """Plain property filters, by wire name."""

    state = ChoicesIn(choices=State.choices)
    type = ChoicesIn(choices=Type.choices)
    channelType = ChoicesIn(field_name="channel_type", choices=Channel.choices)  # noqa: N815  the wire's own name
    priority = ChoicesIn(choices=Priority.choices)
    workitemId = django_filters.CharFilter(field_name="workitem_id")  # noqa: N815
    selectedQueue = django_filters.CharFilter(field_name="queue__queue_id")  # noqa: N815
    agentUsername = django_filters.CharFilter(field_name="agent__username")  # noqa: N815
    contactId = django_filters.CharFilter(field_name="contact__contact_id")  # noqa: N815
    archived = django_filters.ChoiceFilter(choices=[("true", "true"), ("false", "false")], method="only_archived")

    class Meta:
        model = Workitem
        fields: list[str] = []

    def found(self) -> WorkitemQuerySet:
        """Return what matches; the archive stays out unless it is asked for."""
        rows: WorkitemQuerySet = self.qs
        return rows if self.form.cleaned_data.get("archived") else rows.unarchived()

    def only_archived(self, rows: QuerySet[Workitem], name: str, value: str) -> QuerySet[Workitem]:
        """Keep what does, or does not, lie in the archive."""
        return rows.filter(archived_at__isnull=value == "false")


# `from` is a word of Python's, so it cannot stand in the class.
WorkitemFilters.base_filters["from"] = django_filters.CharFilter(field_name="from_address")
WorkitemFilters.base_filters["to"] = django_filters.CharFilter(field_name="to_address")
