"""The ledger compared with the history, and made anew from it.

History is the truth, the ledger what is reckoned from it; nothing else of a workitem is written here. What seems to
differ is looked at again under its lock, so that both go on while the centre works.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from workitems import ledger, services, sets
from workitems.models import Stay, TimeEvent, Workitem

CHUNK = services.CHUNK
ON_THE_ROW = ("place_since", "entered_at", "handled_ms")
_READ = ("workitem_id", *ledger.READS)
_COLUMNS = [one.attname for one in Stay._meta.concrete_fields if one.name != "id"]
_TOLD = ("type", "timestamp", "version", "from_state", "to_state", "queue_id", "agent_id", "details")

Facts = dict[str, Any]


@dataclass
class Tally:
    """What became of the workitems that were looked at."""

    right: int = 0
    wrong: int = 0  # or made anew
    stays: int = 0  # of all of them, as history tells

    @property
    def seen(self) -> int:
        """How many were looked at."""
        return self.right + self.wrong

    def add(self, other: Tally) -> None:
        """Add another one."""
        self.right, self.wrong, self.stays = (
            self.right + other.right,
            self.wrong + other.wrong,
            self.stays + other.stays,
        )


@dataclass
class Page:
    """One workitem in the ledger: what it should say of it, and what it says."""

    workitem: Workitem
    row: Facts  # that should be on the workitem's row
    stays: list[Facts]  # that should be there
    found: list[Facts] = field(default_factory=list)

    @property
    def differences(self) -> list[str]:
        """What differs, in words for whoever looks after the centre; none where the ledger is right."""
        if self.workitem.place_since is None and not self.found:
            return ["is not in the ledger"]
        return [*_differing("", self._on_the_row, self.row), *self._in_the_stays()]

    @property
    def _on_the_row(self) -> Facts:
        return {name: getattr(self.workitem, name) for name in ON_THE_ROW}

    def _in_the_stays(self) -> Iterator[str]:
        told, found = ({one["version"]: one for one in stays} for stays in (self.stays, self.found))
        for version in sorted(told.keys() | found.keys()):
            if version not in found:
                yield f"stay {version} is missing"
            elif version not in told:
                yield f"stay {version} is of no event"
            else:
                yield from _differing(f"stay {version}: ", found[version], told[version])


def of_interest(*, since: datetime | None = None, queue_id: str = "", only_missing: bool = False) -> QuerySet[Workitem]:
    """Return the workitems to look at: those changed since a time, those that were ever in a queue, or all."""
    rows: QuerySet[Workitem] = Workitem.objects.order_by("pk")
    if since is not None:
        rows = rows.filter(modified_at__gte=since)
    if queue_id:
        was_there = TimeEvent.objects.filter(workitem=OuterRef("pk"), queue__queue_id=queue_id)
        rows = rows.filter(Q(queue__queue_id=queue_id) | Exists(was_there))
    return rows.filter(place_since=None) if only_missing else rows


def portions(rows: QuerySet[Workitem]) -> Iterator[list[int]]:
    """Yield the keys of workitems, some hundred at a time, in their order; what comes meanwhile comes last."""
    last = 0
    while pks := list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:CHUNK]):
        yield pks
        last = pks[-1]


def check(pks: Sequence[int]) -> tuple[Tally, dict[str, list[str]]]:
    """Compare the ledger with the history of these workitems; return what differs, by public id."""
    pages = _pages(pks)
    suspects = [page.workitem.pk for page in pages if page.differences]
    with transaction.atomic():
        differing = [page for page in _locked(suspects) if page.differences]
    tally = Tally(len(pages) - len(differing), len(differing), sum(len(page.stays) for page in pages))
    return tally, {page.workitem.workitem_id: page.differences for page in differing}


def rebuild(pks: Sequence[int]) -> Tally:
    """Make the ledger of these workitems anew where it is not as their history tells; leave alone what is right."""
    pages = _pages(pks)
    suspects = [page.workitem.pk for page in pages if page.differences]
    made = services.in_transaction(lambda: _write([page for page in _locked(suspects) if page.differences]))
    return Tally(len(pages) - made, made, sum(len(page.stays) for page in pages))


def _write(pages: Sequence[Page]) -> int:
    stays = Stay.objects.filter(workitem__in=[page.workitem.pk for page in pages])
    stays._raw_delete(using=stays.db)
    sets.insert(Stay, [stay for page in pages for stay in page.stays])
    sets.update(Workitem, [{"id": page.workitem.pk, **page.row} for page in pages])
    return len(pages)


def _locked(pks: Sequence[int]) -> list[Page]:
    if not pks:
        return []
    # whoever moves one of them has to wait; its row is read before its history, and so is never newer than that
    list(Workitem.objects.select_for_update().filter(pk__in=pks).order_by("pk").values_list("pk"))
    return _pages(pks)


def _pages(pks: Sequence[int]) -> list[Page]:
    workitems = Workitem.objects.filter(pk__in=pks).only(*_READ).order_by("pk")
    events = TimeEvent.objects.filter(workitem__in=pks).order_by("workitem_id", "version")
    stays = Stay.objects.filter(workitem__in=pks).order_by("workitem_id", "version").values(*_COLUMNS)
    told = _by_workitem(events.values_list("workitem_id", *_TOLD, named=True), lambda row: row.workitem_id)
    found = _by_workitem(stays, lambda row: row["workitem_id"])
    return [_page(workitem, told.get(workitem.pk, []), found.get(workitem.pk, [])) for workitem in workitems]


def _page(workitem: Workitem, events: list[Any], found: list[Facts]) -> Page:
    standing, stays = ledger.follow(workitem, events)
    row = dict(zip(ON_THE_ROW, (standing.since, standing.entered_at, standing.handled_ms), strict=True))
    return Page(workitem, row, stays, found)


def _by_workitem(rows: Any, key: Any) -> dict[int, list[Any]]:
    return {pk: list(some) for pk, some in groupby(rows, key)}


def _differing(what: str, found: Facts, told: Facts) -> Iterator[str]:
    for name, value in told.items():
        if found[name] != value:
            yield f"{what}{name} is {_shown(found[name])}, history says {_shown(value)}"


def _shown(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else repr(value)
