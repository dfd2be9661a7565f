"""Where the things that pages show stand, for each door: back office and desk show the same at other addresses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workitems.models import BulkRun, Transfer


@dataclass(frozen=True)
class Addresses:
    """The addresses of one door."""

    item: Callable[[int, str], str]  # of a workitem, by its pk and its id
    run: Callable[[Transfer | BulkRun], str]
    selected: Callable[[Transfer | BulkRun], str]  # the list in which a run's items were chosen; "" where there is none
    carried: tuple[str, ...] = ()  # names of what the pages of this door carry along in their addresses
