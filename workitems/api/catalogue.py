"""The kinds of lists: what is in them for whom, how they are searched, sorted and shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import django_filters
from django.db.models import QuerySet

from workitems import directory, search, transfers
from workitems.actors import Actor
from workitems.api import filters, representation, transfer_wire
from workitems.api.representation import Shape, Wire
from workitems.models import Transfer, TransferItem, Workitem
from workitems.search import Schema

CONTACT_FIELDS = (
    "contactId", "displayName", "firstName", "lastName", "company", "phones", "emails", "source", "externalId",
    "blocked", "notes", "data", "createdAt", "modifiedAt", "version",
)  # fmt: skip
QUEUE_FIELDS = (
    "queueId", "name", "description", "channels", "slaSeconds", "isOpen", "priority", "shortAbandonSeconds",
    "offerTimeoutSeconds", "wrapUpSeconds", "offersAutomatically", "members", "supervisors", "version",
)  # fmt: skip
DISPOSITION_FIELDS = ("dispositionId", "name", "resolved", "types", "isActive", "version")
AGENT_FIELDS = (
    "userId", "username", "firstName", "lastName", "isActive", "queues", "presence", "presenceSince", "capacity",
)  # fmt: skip


@dataclass(frozen=True)
class Catalogue:
    """One kind of list."""

    name: str
    visible_to: Callable[[Actor], QuerySet[Any]]
    schema: Schema | None  # None: it cannot be searched
    filters: type[django_filters.FilterSet]
    sorts: dict[str, str]  # by wire name; each has an index, which ends in the pk
    usual_sort: str
    fields: tuple[str, ...]
    show: Callable[[Sequence[int], Actor, Shape], list[Wire]]
    expandable: tuple[str, ...] = ()

    @property
    def sort_names(self) -> list[str]:
        """Every sort, each also backwards."""
        return [name for sort in self.sorts for name in (sort, f"-{sort}")]


WORKITEMS = Catalogue(
    name="workitems",
    visible_to=Workitem.objects.visible_to,
    schema=search.WORKITEMS,
    filters=filters.WorkitemFilters,
    sorts={"createdAt": "created_at", "modifiedAt": "modified_at", "workitemId": "workitem_id"},
    usual_sort="-createdAt",
    fields=representation.WORKITEM_FIELDS,
    show=representation.workitems,
    expandable=representation.EXPANDABLE,
)
CONTACTS = Catalogue(
    name="contacts",
    visible_to=directory.visible_contacts,
    schema=search.CONTACTS,
    filters=filters.ContactFilters,
    sorts={"contactId": "contact_id", "displayName": "display_name"},
    usual_sort="displayName",
    fields=CONTACT_FIELDS,
    show=lambda pks, actor, shape: [shape.cut(one) for one in representation.contacts(pks)],
)
QUEUES = Catalogue(
    name="queues",
    visible_to=directory.visible_queues,
    schema=search.QUEUES,
    filters=filters.QueueFilters,
    sorts={"queueId": "queue_id"},
    usual_sort="queueId",
    fields=QUEUE_FIELDS,
    show=lambda pks, actor, shape: [shape.cut(one) for one in representation.queues(pks)],
)
DISPOSITIONS = Catalogue(
    name="dispositions",
    visible_to=directory.visible_dispositions,
    schema=search.DISPOSITIONS,
    filters=filters.DispositionFilters,
    sorts={"dispositionId": "disposition_id"},
    usual_sort="dispositionId",
    fields=DISPOSITION_FIELDS,
    show=lambda pks, actor, shape: [shape.cut(one) for one in representation.dispositions(pks)],
)
AGENTS = Catalogue(
    name="agents",
    visible_to=directory.visible_agents,
    schema=search.AGENTS,
    filters=filters.AgentFilters,
    sorts={"username": "username"},
    usual_sort="username",
    fields=AGENT_FIELDS,
    show=lambda pks, actor, shape: [shape.cut(one) for one in representation.agents(pks, actor)],
)
TRANSFERS = Catalogue(
    name="transfers",
    visible_to=transfers.visible_to,
    schema=None,
    filters=filters.TransferFilters,
    sorts={"createdAt": "id"},  # they are numbered as they are asked for
    usual_sort="-createdAt",
    fields=transfer_wire.TRANSFER_FIELDS,
    show=lambda pks, actor, shape: [shape.cut(one) for one in transfer_wire.transfers(pks)],
)
TRANSFER_ITEMS = Catalogue(
    name="transfer-items",
    visible_to=lambda actor: TransferItem.objects.none(),  # until the path has said of which transfer
    schema=None,
    filters=filters.TransferItemFilters,
    sorts={"place": "id"},
    usual_sort="place",
    fields=transfer_wire.ITEM_FIELDS,
    show=lambda pks, actor, shape: [shape.cut(one) for one in transfer_wire.items(pks)],
)


def items_of(transfer: Transfer) -> Catalogue:
    """Return the list of one transfer's items."""
    return replace(TRANSFER_ITEMS, visible_to=lambda actor: transfer.items.all())
