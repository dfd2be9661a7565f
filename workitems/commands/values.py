"""What the fields of a workitem can hold."""

from __future__ import annotations

from typing import Any

import orjson
from django.utils.translation import gettext as _

from contacts.models import Contact
from workitems.choices import Priority
from workitems.errors import (
    InvalidValue,
)
from workitems.models import Workitem

MAX_DATA_BYTES = 16 * 1024


EDITABLE = {
    "name": "name",
    "contact": "contact",
    "data": "data",
    "currentStateName": "current_state_name",
    "from": "from_address",
    "to": "to_address",
}


def check_priority(priority: int) -> None:
    """Raise InvalidValue unless the priority is from 1 to 5."""
    if priority not in Priority.values:
        raise InvalidValue(field="priority", problem=_("The priority goes from 1, the lowest, to 5, the highest."))


def check_field(name: str, value: Any) -> None:
    """Raise InvalidValue where a descriptive field, by its wire name, is given something it cannot hold."""
    if name == "contact":
        if value is not None and not isinstance(value, Contact):
            raise InvalidValue(field="contactId", problem=_("There is no such contact."))
        return
    if name == "data":
        if not isinstance(value, dict):
            raise InvalidValue(field="data", problem=_("The data must be an object."))
        check_size("data", value)
        return
    length: int = Workitem._meta.get_field(EDITABLE[name]).max_length  # type: ignore[union-attr,assignment]
    if not isinstance(value, str) or len(value) > length or "\x00" in value:
        raise InvalidValue(field=name, problem=_("This must be text of %d characters at most.") % length)
    if name == "currentStateName" and not value:
        raise InvalidValue(field=name, problem=_("The workflow step needs a name."))


def check_size(name: str, value: dict[str, Any]) -> None:
    """Raise InvalidValue where an object would be too large to keep."""
    if len(orjson.dumps(value, default=str)) > MAX_DATA_BYTES:
        raise InvalidValue(field=name, problem=_("This must be %d KiB at most.") % (MAX_DATA_BYTES // 1024))
