"""The moments of a workitem's life that its row tells of."""

from __future__ import annotations

from datetime import datetime

from workitems.models import Workitem

MOMENTS = (
    "created_at", "state_changed_at", "queued_at", "offer_expires_at", "assigned_at", "terminated_at",
    "dispositioned_at", "archived_at", "stale_at", "exempt_until", "modified_at",
)  # fmt: skip


def moments_of(workitem: Workitem) -> list[tuple[str, datetime]]:
    """Return those that there are, each by its name."""
    return [(_label(name), at) for name in MOMENTS if (at := getattr(workitem, name)) is not None]


def _label(name: str) -> str:
    word = str(Workitem._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    return word[:1].upper() + word[1:]
