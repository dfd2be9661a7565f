"""Which columns somebody sees in a list, in which order, and how many rows a page: his own choice, kept for him."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.http import QueryDict

from workitems.errors import InvalidValue
from workitems.models import ListLayout

BACK_OFFICE, DESK = "workitems", "desk"  # the lists
SIZES = (10, 25, 50, 100)
USUAL_SIZE = 25


@dataclass(frozen=True)
class Layout:
    """Columns in their order, and rows a page."""

    columns: tuple[str, ...]
    size: int = USUAL_SIZE


@dataclass(frozen=True)
class Choice:
    """A column as the panel offers it."""

    column: Any
    is_shown: bool
    is_first: bool
    is_last: bool


def layout_of(
    user: User, list_name: str, known: Mapping[str, Any], usual: Sequence[str], usual_size: int = USUAL_SIZE
) -> Layout:
    """Return what somebody has chosen; a column that there is no more is left out."""
    kept = ListLayout.objects.filter(user=user, list_name=list_name).first()
    if kept is None:
        return Layout(tuple(usual), usual_size)
    return Layout(tuple(name for name in kept.columns if name in known) or tuple(usual), kept.page_size)


def keep(user: User, list_name: str, layout: Layout) -> None:
    """Remember what somebody has chosen."""
    facts = {"columns": list(layout.columns), "page_size": layout.size}
    ListLayout.objects.update_or_create(user=user, list_name=list_name, defaults=facts)


def forget(user: User, list_name: str) -> None:
    """Show somebody what everybody sees."""
    ListLayout.objects.filter(user=user, list_name=list_name).delete()


def typed(data: QueryDict, known: Mapping[str, Any]) -> Layout:
    """Return what the panel's form says, with one column moved where an arrow was pressed.

    Raise InvalidValue for what the form does not offer.
    """
    order, shown = list(dict.fromkeys(data.getlist("order"))), set(data.getlist("column"))
    size = data.get("size", "")
    if not set(order) | shown <= set(known) or not shown <= set(order):
        raise InvalidValue(field="column", problem="column")
    if size not in {str(one) for one in SIZES}:
        raise InvalidValue(field="size", problem="size")
    for name, step in (("up", -1), ("down", 1)):
        moved = str(data.get(name, ""))
        if moved in order:
            move(order, moved, step)
    return Layout(tuple(name for name in order if name in shown), int(size))


def move(order: list[str], name: str, step: int) -> None:
    """Let a column change its place with its neighbour."""
    place = order.index(name)
    other = place + step
    if 0 <= other < len(order):
        order[place], order[other] = order[other], order[place]


def choices(layout: Layout, known: Mapping[str, Any]) -> list[Choice]:
    """Return all columns for the panel: the shown ones first, in their order."""
    names = [*layout.columns, *(name for name in known if name not in layout.columns)]
    return [
        Choice(known[name], name in layout.columns, place == 0, place == len(names) - 1)
        for place, name in enumerate(names)
    ]
