"""What somebody has chosen to be moved, as the pages of a transfer carry it from step to step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import parse_qs, urlsplit

from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from workitems.actors import Actor
from workitems.errors import InvalidValue, NothingToDo, TooMany
from workitems.models import Workitem
from workitems.pages.addresses import path_within
from workitems.pages.people import actor_of
from workitems.presenting import list_query
from workitems.selections import MOST_ITEMS, Selection

MOST_KINDS = 200
MOST_IDS, LONGEST_ID = 10_000, 64
YEARS = range(1990, 2200)


@dataclass
class Chosen:
    """Workitems named by their ids, or all that a work list's address matches."""

    actor: Actor
    ids: list[str]
    query: str = ""
    is_all: bool = False
    seen_at: datetime | None = None
    next: str = ""
    version: int | None = None  # of one workitem, as the person has seen it

    @classmethod
    def of(cls, request: HttpRequest) -> Chosen:
        """Read it from a request; raise a WorkitemError where nothing, or what cannot be meant, is chosen."""
        asked = request.POST if request.method == "POST" else request.GET
        named = (one for value in asked.getlist("workitem") for one in value.split(","))  # a form has 1,000 fields
        chosen = cls(
            actor=actor_of(request),
            ids=list(dict.fromkeys(one.strip() for one in named if one.strip())),
            query=asked.get("query", "").removeprefix("?"),
            is_all=asked.get("all") == "1",
            seen_at=_moment(asked.get("seen_at", "")),
            next=path_within(asked.get("next", "")),
            version=_number(asked.get("version", "")),
        )
        if not chosen.is_all and not chosen.ids:
            raise NothingToDo
        if len(chosen.ids) > MOST_IDS:
            raise TooMany(most=MOST_IDS)
        if any(len(one) > LONGEST_ID for one in chosen.ids):
            raise InvalidValue(field="workitem", problem=_("An id has %d characters at most.") % LONGEST_ID)
        return chosen

    @property
    def is_one(self) -> bool:
        """Tell whether it is one workitem by its name: it moves without a preview."""
        return not self.is_all and len(self.ids) == 1

    @cached_property
    def item(self) -> Workitem:
        """The one workitem, as it is now."""
        rows = Workitem.objects.visible_to(self.actor).select_related("queue", "agent", "contact")
        found = rows.filter(workitem_id=self.ids[0]).first()
        if found is None:
            raise Http404
        return found

    @cached_property
    def selection(self) -> Selection:
        """The workitems that are meant now."""
        if self.is_all:
            rows = list_query.rows_of(self.query, self.actor)
            return Selection(rows=rows, query=self.query, seen_at=self.seen_at)
        return Selection(workitem_ids=self.ids, seen_at=self.seen_at)

    @cached_property
    def count(self) -> int:
        """How many are meant; of more than a run takes, one more than that."""
        rows = self.selection.rows
        return len(self.ids) if rows is None else rows.order_by()[: MOST_ITEMS + 1].count()

    @property
    def carried(self) -> list[tuple[str, str]]:
        """What the next step is told, as names and values."""
        named = {
            "workitem": "" if self.is_all else ",".join(self.ids),
            "query": self.query,
            "all": "1" if self.is_all else "",
            "seen_at": self.seen_at.isoformat() if self.seen_at else "",
            "next": self.next,
        }
        return [(name, value) for name, value in named.items() if value]

    @cached_property
    def samples(self) -> list[Workitem]:
        """One workitem of each kind, as far as a target may ask; none where there are too many kinds."""
        if self.is_one:
            return [self.item]
        kinds = {
            kind
            for part in self.selection.parts(self.actor)
            for kind in part.order_by().values_list("channel_type", "queue_id", "agent_id").distinct()[:MOST_KINDS]
        }
        if len(kinds) >= MOST_KINDS:
            return []
        samples = [Workitem(channel_type=channel, queue_id=queue, agent_id=agent) for channel, queue, agent in kinds]
        prefetch_related_objects(samples, "queue")
        return samples

    def way_back(self, *, is_seen: bool) -> str:
        """Return where the person goes on: where he came from, or before that, where that shows nothing any more."""
        here = reverse("workitem", args=[self.ids[0]]) if self.is_one else ""
        parts = urlsplit(self.next)
        if self.next and (is_seen or parts.path != here):
            return self.next
        before = parse_qs(parts.query).get("next", [""])[0]
        return path_within(before) or reverse("work")


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and moment.year in YEARS else None


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None
