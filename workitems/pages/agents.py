"""The desk: the agents, what each of them has in hand and did today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from queues.models import Queue
from workitems import agents as people
from workitems import measures, routing
from workitems.actors import Actor
from workitems.agents import Agent
from workitems.models import Presence
from workitems.pages import live
from workitems.pages.agent_facts import Figure, Held, figures_of, has_accepted, held_of
from workitems.pages.people import actor_of
from workitems.pages.presence import Status
from workitems.presenting.presences import Room, room
from workitems.presenting.words import name_of

PAGE = 50
LONGEST_SEARCH = 150
UNKNOWN = "unknown"  # of those who have never said any presence
ORDER_OF_PRESENCE = ("available", "noAnswer", "away", "offline", "")
FIGURES = ("handled", "aht", "wrapUp")


@dataclass(frozen=True)
class Row:
    """One agent in the list."""

    agent: Agent
    status: Status
    held: list[Held]
    room: list[Room]
    figures: list[Figure]
    may_set: bool

    @property
    def name(self) -> str:
        """How people call him."""
        return name_of(self.agent.user)

    @property
    def may_return(self) -> bool:
        """Tell whether he has accepted something that could go back; how much of it, the question tells."""
        return has_accepted(self.agent)


@dataclass(frozen=True)
class Total:
    """How many have one presence, and the list of them."""

    status: Status
    count: int
    address: str
    is_chosen: bool


@dataclass(frozen=True)
class Column:
    """A column that the list can be sorted by."""

    label: Any
    address: str
    direction: str  # as aria-sort says it
    definition: Any = ""
    is_number: bool = False


def _name(agent: Agent) -> Any:
    return name_of(agent.user).casefold(), agent.user.get_username()


def _since(agent: Agent) -> Any:
    return agent.presence.since.timestamp() if agent.presence else 0.0


def _figure(name: str) -> Callable[[Agent], Any]:
    """Return what sorts by a figure; who has none comes before all who have one."""

    def key(agent: Agent) -> float:
        value = measures.FIGURES[name].value(agent.today)
        return -1.0 if value is None else value

    return key


SORTS: dict[str, tuple[Any, Callable[[Agent], Any]]] = {
    "name": (_("Agent"), _name),
    "presence": (_("Presence"), lambda agent: ORDER_OF_PRESENCE.index(agent.status)),
    "since": (_("Since"), _since),
    "hand": (_("In hand"), lambda agent: agent.held.total()),
    "handled": (measures.FIGURES["handled"].label, _figure("handled")),
    "aht": (measures.FIGURES["aht"].label, _figure("aht")),
    "wrapUp": (measures.FIGURES["wrapUp"].label, _figure("wrapUp")),
}
USUAL_SORT = "presence"


@dataclass(frozen=True)
class Asked:
    """What the list is asked for by its address."""

    presence: str = ""
    queue: str = ""
    q: str = ""
    sort: str = USUAL_SORT
    page: int = 1

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Asked:
        """Read it; what cannot be meant is not there."""
        page = values.get("p") or "1"
        asked = cls(
            values.get("presence", ""),
            values.get("queue", ""),
            values.get("q", "").strip()[:LONGEST_SEARCH],
            values.get("sort") or USUAL_SORT,
            int(page) if page.isdecimal() and len(page) < 6 else 0,
        )
        known = asked.presence in {"", UNKNOWN, *Presence.Status.values} and asked.sort.removeprefix("-") in SORTS
        if not known or asked.page < 1:
            raise Http404
        return asked

    def address(self, **changes: Any) -> str:
        """Return the list's address with this changed; from its first page unless another is named."""
        wanted = {"presence": self.presence, "queue": self.queue, "q": self.q, "sort": self.sort, **changes}
        query = {name: value for name, value in wanted.items() if value and (name, value) != ("sort", USUAL_SORT)}
        return f"{reverse('agents')}?{urlencode(query)}" if query else reverse("agents")

    def keeps(self, agent: Agent) -> bool:
        """Tell whether an agent is asked for, whatever his presence."""
        works = not self.queue or any(queue.queue_id == self.queue for queue in agent.queues)
        called = f"{name_of(agent.user)} {agent.user.get_username()}".casefold()
        return works and all(word in called for word in self.q.casefold().split())

    def has_presence(self, agent: Agent) -> bool:
        """Tell whether his presence is the one that is asked for."""
        return not self.presence or (agent.status or UNKNOWN) == self.presence


@login_required
@require_GET
def agents(request: HttpRequest) -> HttpResponse:
    """Show every agent whom the person may see."""
    asked = Asked.of(request.GET.dict())
    return live.answer(request, "supervisor/agents.html", lambda _mark: _list(request, asked))


def _list(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    actor, now = actor_of(request), timezone.now()
    everybody = people.look(actor, now=now)
    queues = _queues_of(everybody)
    if asked.queue and asked.queue not in {queue.queue_id for queue in queues}:
        raise Http404
    fitting = [one for one in everybody if asked.keeps(one)]
    chosen = _sorted([one for one in fitting if asked.has_presence(one)], asked.sort)
    pages = max(1, -(-len(chosen) // PAGE))
    page = chosen[(min(asked.page, pages) - 1) * PAGE :][:PAGE]
    return {
        "now": now,
        "asked": asked,
        "rows": _rows(page, actor, now),
        "count": len(chosen),
        "is_narrowed": bool(asked.presence or asked.queue or asked.q),
        "is_anybody_there": bool(everybody),
        "queues": queues,
        "totals": _totals(fitting, asked),
        "columns": _columns(asked),
        "pages": pages,
        "page": min(asked.page, pages),
        "before": asked.address(p=asked.page - 1) if asked.page > 1 else "",
        "after": asked.address(p=asked.page + 1) if asked.page < pages else "",
        "presence_choices": routing.CHOICES,
        "here": request.get_full_path(),
        "zone": timezone.get_default_timezone_name(),
    }


def _queues_of(found: Sequence[Agent]) -> list[Queue]:
    queues = {queue.pk: queue for one in found for queue in one.queues}
    return sorted(queues.values(), key=lambda queue: queue.name)


def _sorted(found: list[Agent], sort: str) -> list[Agent]:
    by_name = sorted(found, key=_name)
    return sorted(by_name, key=SORTS[sort.removeprefix("-")][1], reverse=sort.startswith("-"))


def _totals(found: Sequence[Agent], asked: Asked) -> list[Total]:
    counts = Counter(one.status for one in found)
    statuses = [status for status in ORDER_OF_PRESENCE if status or counts[status]]
    return [
        Total(
            Status(status),
            counts[status],
            asked.address(presence="" if asked.presence == (status or UNKNOWN) else status or UNKNOWN),
            asked.presence == (status or UNKNOWN),
        )
        for status in statuses
    ]


def _columns(asked: Asked) -> list[Column]:
    columns = []
    for name, (label, _key) in SORTS.items():
        direction = {name: "ascending", f"-{name}": "descending"}.get(asked.sort, "none")
        starts_high = name not in ("name", "presence", "since")
        turned = f"-{name}" if direction == "ascending" or (starts_high and direction == "none") else name
        is_number = name in measures.FIGURES
        definition = measures.FIGURES[name].definition if is_number else ""
        columns.append(Column(label, asked.address(sort=turned), direction, definition, is_number))
    return columns


def _rows(page: Sequence[Agent], actor: Actor, now: datetime) -> list[Row]:
    pks = [one.user.pk for one in page]
    taken = routing.in_hand(pks, now=now, seen_by=actor) if pks else {}
    began = people.today_began(now).isoformat()
    settable = routing.whose_presence_may_be_set(pks, actor)
    return [
        Row(
            one,
            Status.of(one.presence),
            held_of(one),
            room(one.presence, taken[one.user.pk]),
            figures_of(one, FIGURES, began),
            one.user.pk in settable,
        )
        for one in page
    ]
