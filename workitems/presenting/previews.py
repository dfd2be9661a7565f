"""What the previews of all work on many show alike: refusals by reason and what has changed, with samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from workitems.models import Workitem
from workitems.presenting.words import grouped
from workitems.selections import Preview


@dataclass(frozen=True)
class Group:
    """Some of the workitems of which one thing is to be said, and how many there are."""

    words: str
    count: str
    samples: list[tuple[str, str]]  # id and address
    left_out: str = ""


def groups_of(preview: Preview, address: Callable[[int, str], str]) -> dict[str, list[Group]]:
    """Return what is refused, by reason, and what has changed since the list was loaded.

    `address` is where a workitem with this pk and id stands.
    """
    pages = _pages(preview, address)
    return {"refused": _reasons(preview, pages), "drift": _drift(preview, pages)}


def _reasons(preview: Preview, pages: dict[str, str]) -> list[Group]:
    refused = sorted(preview.forecast.refused.values(), key=lambda one: -one.count)
    return [_group(one.refusal.message, one.count, one.samples, pages) for one in refused]


def _drift(preview: Preview, pages: dict[str, str]) -> list[Group]:
    drift = preview.drift
    if drift is None:
        return []
    kinds = [
        (_("Changed since you loaded the list"), drift.changed, "changed"),
        (_("New since then"), drift.new, "new"),
    ]
    return [_group(words, count, drift.samples.get(name, []), pages) for words, count, name in kinds if count]


def _group(words: str, count: int, samples: list[str], pages: dict[str, str]) -> Group:
    known = [(one, pages[one]) for one in samples if one in pages]
    return Group(words, grouped(count), known, grouped(count - len(known)) if count > len(known) else "")


def _pages(preview: Preview, address: Callable[[int, str], str]) -> dict[str, str]:
    """Return the addresses of all samples, which are all such that the person may see them."""
    samples = {one for refused in preview.forecast.refused.values() for one in refused.samples}
    if preview.drift is not None:
        samples |= {one for some in preview.drift.samples.values() for one in some}
    pks = Workitem.objects.filter(workitem_id__in=samples).values_list("workitem_id", "pk")
    return {one: address(pk, one) for one, pk in pks}
