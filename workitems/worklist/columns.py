"""The columns that a list of workitems can have, and the orders in which an index hands it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Column:
    """One column: its name in addresses and layouts, its head, and what it means where that is not plain."""

    name: str
    label: Any
    hint: Any = ""
    is_usual: bool = True
    is_number: bool = False


COLUMNS = {
    one.name: one
    for one in (
        Column("id", _("Workitem")),
        Column("channel", _("Channel")),
        Column("type", _("Type"), is_usual=False),
        Column("subject", _("Subject"), is_usual=False),
        Column("state", _("State")),
        Column("queue", _("Queue"), _("The queue it is in, or came from last")),
        Column("age", _("In state for"), _("How long it has been in this state"), is_number=True),
        Column(
            "wait",
            _("Wait"),
            _("How long the customer has waited since it was created: until now, or until its agent accepted it"),
            is_usual=False,
            is_number=True,
        ),
        Column("priority", _("Priority")),
        Column("contact", _("Contact")),
        Column("from", _("From"), is_usual=False),
        Column("to", _("To"), is_usual=False),
        Column("agent", _("Agent")),
        Column(
            "sla",
            _("Due"),
            _("When the service level of its queue is over, for what waits; the last fifth of it is the warning"),
        ),
        Column("transfers", _("Transfers"), _("How often it was transferred"), is_usual=False, is_number=True),
        Column("event", _("Last event"), _("The latest line of its history"), is_usual=False),
        Column("created", _("Created"), is_number=True),
    )
}
USUAL_COLUMNS = tuple(name for name, column in COLUMNS.items() if column.is_usual)

BY_DUE = "due"
# The name in the address, and the fields that an index has in this very order, or the other way round. What is due has
# no index: ordering.py says what it costs.
SORTS = {
    BY_DUE: ("due_place", "due_after", "state_changed_at", "pk"),
    "-created": ("-created_at", "-pk"),
    "created": ("created_at", "pk"),
    "-changed": ("-modified_at", "-pk"),
    "changed": ("modified_at", "pk"),
    "-priority": ("-priority", "created_at", "pk"),
    "priority": ("priority", "-created_at", "-pk"),
}
USUAL_SORT = "-created"
SORT_OF_COLUMN = {"created": "created", "event": "changed", "priority": "priority", "sla": BY_DUE}
