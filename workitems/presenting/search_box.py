"""The search box of the list of workitems: completion while one types, and what is wrong at the place where it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q
from django.http import JsonResponse, QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from workitems import directory
from workitems.actors import Actor
from workitems.errors import InvalidSearch
from workitems.presenting.list_query import PAGE, SEARCH
from workitems.search import WORKITEMS
from workitems.search.completion import MOST, Lookup, complete

# what stands where a search is wrong: a phrase, a word, or one character
FAULT = re.compile(r'"(?:\\.|[^"\\])*"?|[^\s()\[\]{}":]+|.', re.DOTALL)
NAME_BEFORE = re.compile(r"[A-Za-z0-9_.]+:\Z")
CLOSING = (")", '"')  # a suggestion that belongs at the end
SHOWN_AROUND = 80
ERROR_FLAG = "e"  # of Django's own lists
EXAMPLES: Mapping[str, str | Promise] = {
    "state:inqueue createdAt:<now-1h": gettext_lazy("waits and came in more than an hour ago"),
    "priority:>=4 NOT agentUsername:*": gettext_lazy("urgent and nobody has it"),
    "state:(inqueue offered)": gettext_lazy("waits or is offered"),
    'name:"late refund"': gettext_lazy("these words in the subject"),
    "from:+1800*": gettext_lazy("numbers that begin so"),
    "event:transferred NOT terminatedAt:*": gettext_lazy("was transferred and is still open"),
}


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a search, where, and the search that was perhaps meant."""

    message: str
    before: str
    fault: str
    after: str
    start: int
    end: int
    mended: str = ""


@dataclass(frozen=True)
class Box:
    """What the template of the search box shows."""

    text: str
    kept: list[tuple[str, str]]  # of the list's address, besides the search
    mistake: Mistake | None
    mended_link: str
    clear_link: str
    complete_url: str
    examples: list[tuple[str, str | Promise, str]]


def completions(parameters: QueryDict, actor: Actor) -> JsonResponse:
    """Return what could stand at the cursor; positions count characters, as in the answers of the API."""
    text, at = parameters.get("q", ""), parameters.get("at", "")
    position = int(at) if re.fullmatch(r"[0-9]{1,5}", at) else len(text)
    found = complete(text, position, WORKITEMS, lookups_for(actor), now=timezone.now())
    lines = [
        {"insert": one.insert, "from": one.start, "to": one.end, "label": one.label, "about": one.about}
        for one in found
    ]
    return JsonResponse({"completions": lines})


def lookups_for(actor: Actor) -> dict[str, Lookup]:
    """Return where values are looked up that only the database knows: small tables, and what the person may see."""

    def queues(typed: str) -> list[tuple[str, str]]:
        fits = Q(queue_id__istartswith=typed) | Q(name__icontains=typed)
        rows = directory.visible_queues(actor).filter(fits).order_by("queue_id")
        return list(rows.values_list("queue_id", "name")[:MOST])

    def queue_names(typed: str) -> list[tuple[str, str]]:
        rows = directory.visible_queues(actor).filter(name__icontains=typed).order_by("name", "pk")
        return list(rows.values_list("name", "queue_id")[:MOST])

    def agents(typed: str) -> list[tuple[str, str]]:
        fits = Q(username__istartswith=typed) | Q(first_name__istartswith=typed) | Q(last_name__istartswith=typed)
        rows = directory.visible_agents(actor).filter(fits).order_by("username")
        found = rows.values_list("username", "first_name", "last_name")[:MOST]
        return [(username, f"{first} {last}".strip()) for username, first, last in found]

    def dispositions(typed: str) -> list[tuple[str, str]]:
        fits = Q(disposition_id__istartswith=typed) | Q(name__icontains=typed)
        rows = directory.visible_dispositions(actor).filter(fits).order_by("disposition_id")
        return list(rows.values_list("disposition_id", "name")[:MOST])

    return {
        "selectedQueue": queues,
        "queue.id": queues,
        "queue.name": queue_names,
        "agentUsername": agents,
        "dispositionId": dispositions,
    }


def mistake(text: str, error: InvalidSearch) -> Mistake:
    """Return where the error is in the text, and the text as it was perhaps meant."""
    suggestion = str(error.facts["suggestion"])
    start = min(int(str(error.facts["position"])), len(text))
    found = FAULT.match(text, start)
    end = found.end() if found else start
    mended = ""
    if suggestion in CLOSING:
        mended = text + suggestion
    elif suggestion:
        # a suggestion that brings its field replaces the field, too
        name = NAME_BEFORE.search(text[:start]) if ":" in suggestion else None
        mended = text[: name.start() if name else start] + suggestion + text[end:]
    return Mistake(
        message=error.message[:1].upper() + error.message[1:],
        before=_tail(text[:start]),
        fault=text[start:end] if len(text[start:end]) <= SHOWN_AROUND else f"{text[start:end][:SHOWN_AROUND]}…",
        after=_head(text[end:]),
        start=start,
        end=end,
        mended=mended,
    )


def box_of(parameters: QueryDict, error: InvalidSearch | None, complete_url: str = "") -> Box:
    """Return what the search box of a list with this address shows."""
    text = parameters.get(SEARCH, "")
    wrong = mistake(text, error) if error is not None else None
    kept = parameters.copy()
    for name in (SEARCH, PAGE, ERROR_FLAG):
        kept.pop(name, None)
    return Box(
        text=text,
        kept=[(name, value) for name, values in kept.lists() for value in values],
        mistake=wrong,
        mended_link=_link(kept, wrong.mended) if wrong and wrong.mended else "",
        clear_link=_link(kept, "") if text else "",
        complete_url=complete_url,
        examples=[(example, about, _link(QueryDict(), example)) for example, about in EXAMPLES.items()],
    )


def _link(kept: QueryDict, text: str) -> str:
    parameters = kept.copy()
    if text:
        parameters[SEARCH] = text
    return f"?{parameters.urlencode()}"


def _tail(text: str) -> str:
    return text if len(text) <= SHOWN_AROUND else f"…{text[-SHOWN_AROUND:]}"


def _head(text: str) -> str:
    return text if len(text) <= SHOWN_AROUND else f"{text[:SHOWN_AROUND]}…"
