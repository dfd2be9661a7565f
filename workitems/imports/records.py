"""What every reader yields: a workitem's facts and timeline, by public ids and names, or the reason why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Happening:
    """One line of a timeline."""

    type: str
    at: datetime
    actor: str = ""
    from_state: str = ""
    to_state: str = ""
    queue: str = ""
    agent: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    token: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Person:
    """A contact as the other system knows it."""

    contact_id: str = ""
    source: str = ""
    external_id: str = ""
    display_name: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """A workitem as the other system knows it."""

    line: int
    workitem_id: str
    type: str
    channel_type: str
    state: str
    created_at: datetime
    timeline: tuple[Happening, ...]
    current_state_name: str = ""
    priority: int = 3
    name: str = ""
    from_address: str = ""
    to_address: str = ""
    queue: str = ""
    agent: str = ""
    person: Person | None = None
    disposition: str = ""
    disposition_note: str = ""
    is_muted: bool = False
    ended_by: str = ""
    queued_at: datetime | None = None
    assigned_at: datetime | None = None
    terminated_at: datetime | None = None
    dispositioned_at: datetime | None = None
    archived_at: datetime | None = None
    stale_at: datetime | None = None
    exempt_until: datetime | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Skipped:
    """A line that means no workitem."""

    line: int


@dataclass(frozen=True)
class Rejected:
    """A line that cannot be taken, and why."""

    line: int
    reason: str
    text: str = ""


class Unusable(ValueError):
    """Raised inside a reader where a line cannot be taken; the message is the reason."""


def check_encoding(text: str) -> None:
    """Raise Unusable where a line has bytes that are no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Unusable("it is not UTF-8") from None


Line = Record | Skipped | Rejected
