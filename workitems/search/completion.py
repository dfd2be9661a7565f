"""What could come next in a search while somebody types it: names of fields, their values, and operators.

The words come from the schema; what only the database knows comes from look-ups that the caller has narrowed to what
the person may see.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db.models import Choices
from django.utils.functional import Promise
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from queues.channels import Channel
from workitems.choices import Event, Priority, State, Type
from workitems.search.kinds import Moment
from workitems.search.reading import MAX_CHARACTERS
from workitems.search.schema import Schema
from workitems.search.spots import Spot, spot_at

MOST = 10
LEAST_TYPED = 2  # characters of a word without a field for which values are looked up

# from what was typed to values that begin with it, each with what it is
Lookup = Callable[[str], Iterable[tuple[str, str]]]

SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")
NOT_A_VALUE = ("AND", "OR", "NOT", "TO")
WORDS: Mapping[str, type[Choices]] = {
    "state": State,
    "channelType": Channel,
    "type": Type,
    "priority": Priority,
    "event": Event,
}
USUAL = ("state", "channelType", "selectedQueue", "agentUsername", "priority", "from", "createdAt", "staleAt")
FIELDS: Mapping[str, str | Promise] = {
    "workitemId": gettext_lazy("id of the workitem"),
    "channelType": gettext_lazy("how the customer talks to us"),
    "type": gettext_lazy("kind of interaction"),
    "state": gettext_lazy("where it is in its life"),
    "currentStateName": gettext_lazy("an integration's own name of the state"),
    "priority": gettext_lazy("from 1 to 5"),
    "contactId": gettext_lazy("id of the contact"),
    "contact.name": gettext_lazy("name of the contact"),
    "contact.company": gettext_lazy("company of the contact"),
    "contact.phone": gettext_lazy("any number of the contact"),
    "contact.email": gettext_lazy("any e-mail address of the contact"),
    "agentUsername": gettext_lazy("who has it"),
    "selectedQueue": gettext_lazy("id of the queue"),
    "queue.id": gettext_lazy("id of the queue"),
    "queue.name": gettext_lazy("words in the queue's name"),
    "queue.open": gettext_lazy("whether the queue takes new work"),
    "from": gettext_lazy("number or address it came from"),
    "to": gettext_lazy("number or address it went to"),
    "createdAt": gettext_lazy("when it came in"),
    "assignedAt": gettext_lazy("when an agent took it"),
    "terminatedAt": gettext_lazy("when it ended"),
    "modifiedAt": gettext_lazy("when it changed last"),
    "dispositionedAt": gettext_lazy("when its outcome was said"),
    "queuedAt": gettext_lazy("when it got into line"),
    "archivedAt": gettext_lazy("when it was archived"),
    "staleAt": gettext_lazy("when a policy marked it"),
    "exemptUntil": gettext_lazy("how long policies leave it alone"),
    "archived": gettext_lazy("whether it lies in the archive"),
    "event": gettext_lazy("what has ever happened to it"),
    "dispositionId": gettext_lazy("id of the outcome"),
    "dispositionNote": gettext_lazy("words in the note on the outcome"),
    "muted": gettext_lazy("whether the agent is muted"),
    "name": gettext_lazy("words in the subject"),
    "data": gettext_lazy("what an integration knows, as in data.order:4711"),
}
OPERATORS: Mapping[str, str | Promise] = {
    "AND": gettext_lazy("both must match"),
    "OR": gettext_lazy("either may match"),
    "NOT": gettext_lazy("must not match"),
}
SPANS: Mapping[str, str | Promise] = {
    ">now-1h": gettext_lazy("in the last hour"),
    ">now-1d": gettext_lazy("in the last 24 hours"),
    ">now-7d": gettext_lazy("in the last 7 days"),
    "<now-1h": gettext_lazy("more than an hour ago"),
    "<now-1d": gettext_lazy("more than a day ago"),
}
MOMENTS: Mapping[str, str | Promise] = {
    "now": gettext_lazy("this moment"),
    "now-1h": gettext_lazy("an hour ago"),
    "now-1d": gettext_lazy("a day ago"),
    "now-7d": gettext_lazy("a week ago"),
}


@dataclass(frozen=True)
class Completion:
    """A text that can stand from `start` to `end` in place of what stands there."""

    insert: str
    start: int
    end: int
    label: str
    about: str


def complete(
    text: str, position: int, schema: Schema, lookups: Mapping[str, Lookup], *, now: datetime
) -> list[Completion]:
    """Return what could stand at this place of a search, the likeliest first; at most ten."""
    if len(text) > MAX_CHARACTERS:
        return []
    spot = spot_at(text, min(max(position, 0), len(text)))
    if spot is None:
        return []
    is_value = spot.field in schema.fields and not (spot.is_named and not spot.typed)
    found = _values(spot, schema, lookups, now) if is_value else _terms(spot, schema, lookups)
    distinct = {one.insert: one for one in reversed(list(islice(found, 4 * MOST)))}
    there = text[spot.start : spot.end]
    return [one for one in reversed(distinct.values()) if one.insert != there][:MOST]


def _values(spot: Spot, schema: Schema, lookups: Mapping[str, Lookup], now: datetime) -> Iterator[Completion]:
    for value, about in _fixed(spot.field, schema, spot.typed):
        yield _value(spot, value, about)
    if isinstance(schema.fields[spot.field], Moment):
        for value, about in _times(spot, now):
            yield Completion(value, spot.start, spot.end, value, about)
    elif spot.field in lookups:
        for value, about in lookups[spot.field](spot.typed):
            yield _value(spot, value, about)


def _value(spot: Spot, value: str, about: str) -> Completion:
    return Completion(quoted(value, always=spot.is_quoted), spot.start, spot.end, value, about)


def _fixed(field: str, schema: Schema, typed: str) -> Iterator[tuple[str, str]]:
    """Yield the listed values that begin with what was typed, or whose words do."""
    typed = typed.casefold()
    known = {str(value): str(label) for value, label in WORDS[field].choices} if field in WORDS else {}
    for value in schema.values(field):
        words = known.get(value, "")
        if value.casefold().startswith(typed) or words.casefold().startswith(typed):
            yield value, words


def _times(spot: Spot, now: datetime) -> Iterator[tuple[str, str]]:
    today = localdate(now).isoformat()
    known = MOMENTS if spot.is_compared else {**SPANS, "*": _("at any time")}
    for value, about in {today: _("today"), **known}.items():
        if value.startswith(spot.typed) or value.lstrip("<>").startswith(spot.typed):
            yield value, str(about)


def _terms(spot: Spot, schema: Schema, lookups: Mapping[str, Lookup]) -> Iterator[Completion]:
    """Yield names of fields, and words that may stand between them; values with their field where one was typed."""
    prefix = f"{spot.field}." if spot.field else ""
    if prefix and not schema.is_prefix(spot.field):
        return
    for word, about in OPERATORS.items():
        possible = spot.is_after_operand or (word == "NOT" and spot.typed)
        if possible and word.startswith(spot.typed.upper()):
            yield Completion(word, spot.start, spot.end, word, str(about))
    for name in _names(spot.typed, prefix, schema):
        colon = "" if spot.is_named else ("." if name == "data" else ":")
        short = name.removeprefix(prefix)
        yield Completion(short + colon, spot.start, spot.end, short, str(FIELDS.get(name, "")))
    if len(spot.typed) >= LEAST_TYPED and not prefix and not spot.is_named:
        yield from _values_with_field(spot, schema, lookups)


def _names(typed: str, prefix: str, schema: Schema) -> list[str]:
    names = [name for name in schema.fields if name.startswith(prefix)]
    if not typed:
        return names if prefix else [name for name in USUAL if name in schema.fields]
    typed = typed.casefold()
    shown = {name: name.removeprefix(prefix).casefold() for name in names}
    begins = [name for name, short in shown.items() if short.startswith(typed)]
    return begins + [name for name, short in shown.items() if typed in short and name not in begins]


def _values_with_field(spot: Spot, schema: Schema, lookups: Mapping[str, Lookup]) -> Iterator[Completion]:
    for field in ("state", "channelType", "type", "selectedQueue", "agentUsername"):
        if field not in schema.fields:
            continue
        rows = lookups[field](spot.typed) if field in lookups else _fixed(field, schema, spot.typed)
        for value, about in rows:
            yield Completion(f"{field}:{quoted(value)}", spot.start, spot.end, f"{field}:{value}", about)


def quoted(value: str, *, always: bool = False) -> str:
    """Return a value as it can stand in a search, in quotation marks where it needs them."""
    if not always and SAFE.fullmatch(value) and value not in NOT_A_VALUE:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
