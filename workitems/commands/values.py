"""What the fields of a workitem can hold."""

from __future__ import annotations

import math
import re
from typing import Any

import orjson
from django.utils.translation import gettext as _

from contacts.addresses import normal_address
from contacts.models import Contact
from queues.channels import Channel
from workitems.choices import Priority
from workitems.errors import (
    InvalidValue,
)
from workitems.models import Workitem

MAX_DATA_BYTES = 16 * 1024
PUBLIC_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
INTERNAL_ID = re.compile(r"[0-9a-f]{24}")


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


def check_workitem_id(workitem_id: str) -> None:
    """Raise InvalidValue unless it can stand in addresses, and does not look like an internal id."""
    if not PUBLIC_ID.fullmatch(workitem_id) or INTERNAL_ID.fullmatch(workitem_id):
        problem = _("An id has 1 to 64 letters, digits or characters of _ . : - and is not of 24 hex digits.")
        raise InvalidValue(field="workitemId", problem=problem)


def address_on(channel: str, text: str) -> str:
    """Return an address as it is kept: chat handles stay as they are, unless they say that they are more.

    A handle of digits alone is somebody's name and not somebody else's telephone number.
    """
    text = text.strip()
    return text if channel == Channel.CHAT and not text.startswith("+") and "@" not in text else normal_address(text)


def check_field(name: str, value: Any) -> None:
    """Raise InvalidValue where a descriptive field, by its wire name, is given something it cannot hold."""
    if name == "contact":
        if value is not None and not isinstance(value, Contact):
            raise InvalidValue(field="contactId", problem=_("There is no such contact."))
        return
    if name == "data":
        if not isinstance(value, dict):
            raise InvalidValue(field="data", problem=_("The data must be an object."))
        check_object("data", value)
        return
    length: int = Workitem._meta.get_field(EDITABLE[name]).max_length  # type: ignore[union-attr,assignment]
    if not isinstance(value, str) or "\x00" in value or max(len(value), len(value.lower())) > length:
        raise InvalidValue(field=name, problem=_("This must be text of %d characters at most.") % length)
    if name == "currentStateName" and not value:
        raise InvalidValue(field=name, problem=_("The workflow step needs a name."))


def check_object(name: str, value: dict[str, Any]) -> None:
    """Raise InvalidValue where an object is too large or holds what neither database can keep."""
    try:
        text = orjson.dumps(value)
    except (TypeError, RecursionError):  # surrogates, integers beyond 64 bits, what nests too deep
        raise InvalidValue(field=name, problem=_("This holds something that cannot be kept.")) from None
    if b"\\u0000" in text or not _is_finite(value):
        raise InvalidValue(field=name, problem=_("This holds something that cannot be kept."))
    if len(text) > MAX_DATA_BYTES:
        raise InvalidValue(field=name, problem=_("This must be %d KiB at most.") % (MAX_DATA_BYTES // 1024))


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_finite(one) for one in value.values())
    if isinstance(value, list):
        return all(_is_finite(one) for one in value)
    return not isinstance(value, float) or math.isfinite(value)
