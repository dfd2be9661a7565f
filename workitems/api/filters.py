"""The plain filters of the lists: one value a field, and several separated by commas where it has set values."""

from __future__ import annotations

from typing import Any

import django_filters
from django.contrib.auth.models import User
from django.db.models import QuerySet

from contacts.addresses import normal_address
from contacts.models import Contact, ContactEmail, ContactPhone
from queues.channels import Channel
from queues.models import Queue, QueueChannel
from workitems.choices import Priority, State, Type
from workitems.models import Disposition, Presence, Run, RunItem, Transfer, TransferItem, Workitem

TRUTH = [("true", "true"), ("false", "false")]


class ChoicesIn(django_filters.BaseInFilter, django_filters.ChoiceFilter):
    """One or several of a field's own values."""


class Truth(django_filters.ChoiceFilter):
    """``true`` or ``false``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=TRUTH, **options)

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        """Keep what is, or is not."""
        return qs if value in (None, "") else qs.filter(**{self.field_name: value == "true"})


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
    archived = django_filters.ChoiceFilter(choices=[*TRUTH, ("any", "any")], method="only_archived")
    stale = django_filters.ChoiceFilter(choices=TRUTH, method="only_stale")

    class Meta:
        model = Workitem
        fields: list[str] = []

    def only_archived(self, rows: QuerySet[Workitem], name: str, value: str) -> QuerySet[Workitem]:
        """Keep what does, or does not, lie in the archive."""
        return rows if value == "any" else rows.filter(archived_at__isnull=value == "false")

    def only_stale(self, rows: QuerySet[Workitem], name: str, value: str) -> QuerySet[Workitem]:
        """Keep what a stale policy has, or has not, marked."""
        return rows.filter(stale_at__isnull=value == "false")


class Address(django_filters.CharFilter):
    """A number however it is typed, an e-mail address in any case, or a handle."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        """Keep what came from, or went to, this address."""
        return qs.filter(**{f"{self.field_name}__in": {value, normal_address(value)}}) if value else qs


# `from` is a word of Python's, so it cannot stand in the class.
WorkitemFilters.base_filters["from"] = Address(field_name="from_address")
WorkitemFilters.base_filters["to"] = Address(field_name="to_address")


class ContactFilters(django_filters.FilterSet):
    """Contacts by what identifies them."""

    contactId = django_filters.CharFilter(field_name="contact_id")  # noqa: N815
    displayName = django_filters.CharFilter(field_name="display_name")  # noqa: N815
    source = django_filters.CharFilter()
    externalId = django_filters.CharFilter(field_name="external_id")  # noqa: N815
    phone = django_filters.CharFilter(method="with_phone")
    email = django_filters.CharFilter(method="with_email")
    blocked = Truth(field_name="is_blocked")

    class Meta:
        model = Contact
        fields: list[str] = []

    def with_phone(self, rows: QuerySet[Contact], name: str, value: str) -> QuerySet[Contact]:
        """Keep who has this number, however it is typed."""
        return rows.filter(pk__in=ContactPhone.objects.filter(number=normal_address(value)).values("contact"))

    def with_email(self, rows: QuerySet[Contact], name: str, value: str) -> QuerySet[Contact]:
        """Keep who has this address."""
        return rows.filter(pk__in=ContactEmail.objects.filter(address=normal_address(value)).values("contact"))


class QueueFilters(django_filters.FilterSet):
    """Queues by id, by channel, and whether they are open."""

    queueId = django_filters.CharFilter(field_name="queue_id")  # noqa: N815
    isOpen = Truth(field_name="is_open")  # noqa: N815
    offersAutomatically = Truth(field_name="offers_automatically")  # noqa: N815
    channel = django_filters.ChoiceFilter(choices=Channel.choices, method="taking")

    class Meta:
        model = Queue
        fields: list[str] = []

    def taking(self, rows: QuerySet[Queue], name: str, value: str) -> QuerySet[Queue]:
        """Keep the queues that take this channel."""
        return rows.filter(pk__in=QueueChannel.objects.filter(channel=value).values("queue"))


class DispositionFilters(django_filters.FilterSet):
    """Dispositions by id, and whether they are in use."""

    dispositionId = django_filters.CharFilter(field_name="disposition_id")  # noqa: N815
    isActive = Truth(field_name="is_active")  # noqa: N815
    resolved = Truth(field_name="is_resolved")

    class Meta:
        model = Disposition
        fields: list[str] = []


class AgentFilters(django_filters.FilterSet):
    """Agents by name, by presence, and whether they can sign in."""

    username = django_filters.CharFilter()
    isActive = Truth(field_name="is_active")  # noqa: N815
    presence = ChoicesIn(field_name="presence__status", choices=Presence.Status.choices)

    class Meta:
        model = User
        fields: list[str] = []


class TransferFilters(django_filters.FilterSet):
    """Bulk transfers by how far they have got."""

    state = ChoicesIn(choices=Run.State.choices)

    class Meta:
        model = Transfer
        fields: list[str] = []


class TransferItemFilters(django_filters.FilterSet):
    """Lines of a receipt by what became of them."""

    outcome = ChoicesIn(choices=RunItem.Outcome.choices)
    code = django_filters.CharFilter()
    workitemId = django_filters.CharFilter(field_name="workitem_id")  # noqa: N815

    class Meta:
        model = TransferItem
        fields: list[str] = []
