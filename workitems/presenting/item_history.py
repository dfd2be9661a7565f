"""A workitem's history in words: who did what by which door, what was old and what is new, and in which batch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import F, Q, QuerySet
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from queues.models import Queue
from workitems import bulk, directory, policies, transfers
from workitems.actors import Actor
from workitems.choices import Door, EndedBy, Event, Priority, Scope
from workitems.commands import EDITABLE
from workitems.models import BulkRun, TimeEvent, Workitem
from workitems.presenting.words import name_of
from workitems.timeline import name_for, queues_told

AddressOf = Callable[[Any], str]  # of a batch
Text = str | Promise

LONGEST = 300  # characters of a value
NEWEST, OLDEST = "newest", "oldest"
WORDS = {
    "agent": gettext_lazy("Agent"),
    "why": gettext_lazy("Why"),
    "reason": gettext_lazy("Ended by"),
    "text": gettext_lazy("Note"),
    "tones": gettext_lazy("Keys"),
    "participant": gettext_lazy("Brought in"),
    "dispositionId": gettext_lazy("Disposition"),
    "until": gettext_lazy("Until"),
    "policyId": gettext_lazy("Policy"),
    "policyVersion": gettext_lazy("Version of the policy"),
    "mailId": gettext_lazy("Mail"),
    "to": gettext_lazy("To"),
    "cc": gettext_lazy("Copy to"),
    "subject": gettext_lazy("Subject"),
    "error": gettext_lazy("Error"),
}
# the batches that an event can belong to: where they are named, what they are called, and which of them one may see
BATCHES: dict[str, tuple[Any, str, Callable[[Actor], QuerySet[Any]]]] = {
    "transferId": (gettext_lazy("Transfer"), "transfer_id", transfers.visible_to),
    "runId": (gettext_lazy("Run of a policy"), "run_id", policies.runs_for),
}


class Change(NamedTuple):
    """What was old and what is new."""

    label: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.label}: “{self.old}” → “{self.new}”"


@dataclass(frozen=True)
class Batch:
    """The piece of work on many that an event was part of; the address is ``""`` for those who may not see it."""

    label: str
    public_id: str
    address: str


@dataclass(frozen=True)
class Line:
    """One event as it is told."""

    event: TimeEvent
    queue: str  # where it stood then, named as far as the reader may know it
    changes: list[Change]
    others: list[tuple[str, str]]
    batches: list[Batch] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.who}: {', '.join([self.event.label, *map(str, self.changes)])}"

    @property
    def who(self) -> str:
        """Who did it, by name where it was a person."""
        return name_of(self.event.user) if self.event.user is not None else self.event.actor

    @property
    def is_note(self) -> bool:
        """Tell whether somebody wrote it down for others to read."""
        return self.event.type == Event.NOTED

    @property
    def text(self) -> str:
        """What was written down, whole."""
        return str(self.event.details.get("text", ""))

    @property
    def others_beside_text(self) -> list[tuple[str, str]]:
        """The other details where the text of a note is shown by itself."""
        return [(name, value) for name, value in self.others if not self.is_note or name != str(WORDS["text"])]

    @property
    def moves(self) -> bool:
        """Tell whether it led into another state."""
        return bool(self.event.from_state) and self.event.from_state != self.event.to_state


@dataclass(frozen=True)
class Kind:
    """Events of one kind, which can be shown alone."""

    name: str
    label: Text
    condition: Q


KINDS = {
    kind.name: kind
    for kind in (
        Kind("notes", gettext_lazy("Notes"), Q(type=Event.NOTED) | ~Q(type__in=Event.values)),
        Kind("moves", gettext_lazy("Moves"), ~Q(from_state=F("to_state")) | Q(type=Event.TRANSFERRED)),
        Kind("corrections", gettext_lazy("Corrections"), Q(type__in=[Event.EDITED, Event.PRIORITIZED])),
    )
}


@dataclass(frozen=True)
class Page:
    """So many lines, in one order, and where it goes on; a query is ``""`` where there is nothing more.

    `more` is how many more there are, 0 where that is not known.
    """

    lines: list[Line]
    order: str
    more: int
    more_query: str
    first_query: str
    kind: str = ""

    @property
    def latest(self) -> Line | None:
        """The last thing that has happened, where this page begins with it."""
        begins_there = self.lines and self.order == NEWEST and not self.first_query and not self.kind
        return self.lines[0] if begins_there else None


def page_of(
    workitem: Workitem,
    asked: QueryDict,
    actor: Actor,
    *,
    address_of: AddressOf,
    size: int,
    carried: Mapping[str, str] | None = None,
) -> Page:
    """Return a part of the timeline, from the version on that is asked for; its addresses carry something along."""
    order = OLDEST if asked.get("order") == OLDEST else NEWEST
    edge = _number(asked.get("from", ""))
    kind = KINDS.get(asked.get("kind", ""))
    events = TimeEvent.objects.filter(workitem=workitem).select_related("queue", "agent", "user")
    if kind is not None:
        events = events.filter(kind.condition)
    if order == OLDEST:
        events = events.filter(version__gt=edge or 0).order_by("version")
    elif edge is not None:
        events = events.filter(version__lt=edge).order_by("-version")
    else:
        events = events.order_by("-version")
    found = list(events[: size + 1])
    shown, is_more = found[:size], len(found) > size
    last = shown[-1].version if shown else 0
    here = urlencode({**(carried or {}), "order": order} | ({"kind": kind.name} if kind else {}))
    return Page(
        lines(workitem, shown, actor, address_of),
        order,
        more=(workitem.version - last if order == OLDEST else last - 1) if is_more and kind is None else 0,
        more_query=f"{here}&from={last}" if is_more else "",
        first_query=here if edge is not None else "",
        kind=kind.name if kind else "",
    )


def since(workitem: Workitem, version: int, actor: Actor, address_of: AddressOf, *, most: int) -> list[Line]:
    """Return what has happened after a version, in order; not more than so many."""
    events = TimeEvent.objects.filter(workitem=workitem, version__gt=version).select_related("queue", "user")
    return lines(workitem, list(events.order_by("version")[:most]), actor, address_of)


def lines(workitem: Workitem, events: Sequence[TimeEvent], actor: Actor, address_of: AddressOf) -> list[Line]:
    """Return what a workitem's events tell, with five queries for all of them at most."""
    names, runs = _contact_names(events, actor), _bulk_runs(events, actor)
    hidden = _hidden_queues(workitem, events, actor)
    known = {key: address_of(batch) for key, batch in _batches(events, actor).items()}
    found = []
    for event in events:
        batches = [
            Batch(str(label), str(event.details[key]), known.get((key, str(event.details[key])), ""))
            for key, (label, *_rest) in BATCHES.items()
            if event.details.get(key)
        ]
        run = runs.get((event.user_id, event.request_id)) if not batches and _is_of_a_run(event) else None
        if run is not None:
            batches.append(Batch(_("Bulk run"), run.bulk_id, address_of(run)))
        queue = name_for(actor, workitem, event.queue.pk, event.queue.name) if event.queue else ""
        found.append(Line(event, queue, changes_of(event, names, hidden), others_of(event), batches))
    return found


def changes_of(event: TimeEvent, names: Mapping[str, str], hidden: Mapping[str, str]) -> list[Change]:
    """Return old and new of what the event changed, in words.

    Contacts are named where their names are known, and queues by a word where their ids are to stay hidden.
    """
    details = event.details
    if event.type == Event.EDITED:
        edited = [*(name for name in EDITABLE if name in details), *(name for name in details if name not in EDITABLE)]
        return [change for name in edited for change in _edit(name, details[name], names)]
    if event.type == Event.PRIORITIZED:
        return [priority_change(details.get("old"), details.get("new"))]
    between = queues_told(event.type, details)
    if between:
        old, new = (_queue(details.get(name), hidden) for name in between)
        return [Change(_label("queue"), old, new)]
    if event.type == Event.TRANSFERRED:
        return [Change(_label("agent"), words(details.get("from")), words(details.get("agent")))]
    return []


def others_of(event: TimeEvent) -> list[tuple[str, str]]:
    """Return the details that are neither old nor new nor a batch, nor what only an undo has to know."""
    told = {"before", *BATCHES}
    if event.type == Event.EDITED:
        return []
    if event.type == Event.PRIORITIZED:
        told |= {"old", "new"}
    if event.type in (Event.TRANSFERRED, Event.TRANSFER_UNDONE):
        told |= {"from", "to"} | ({"agent"} if event.type == Event.TRANSFERRED else set())
    found = []
    for name, value in event.details.items():
        if name not in told:
            ended_by = name == "reason" and value in EndedBy.values
            found.append((str(WORDS.get(name, name)), str(EndedBy(value).label) if ended_by else words(value)))
    return found


def priority_change(old: Any, new: Any) -> Change:
    """Return a change of priority in words."""
    return Change(_label("priority"), _priority(old), _priority(new))


def words(value: Any) -> str:
    """Return a value in one line that is not too long; nothing is a dash."""
    if value in (None, "", [], {}):
        return "–"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = ", ".join(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Truncator(text).chars(LONGEST)


def _edit(name: str, values: Any, names: Mapping[str, str]) -> list[Change]:
    if not isinstance(values, dict) or not {"old", "new"} <= set(values):
        return [Change(_label(EDITABLE.get(name, name)), "–", words(values))]
    old, new = values["old"], values["new"]
    label = _label(EDITABLE.get(name, name))
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(key for key in {*old, *new} if old.get(key) != new.get(key) or (key in old) != (key in new))
        return [Change(f"{label} · {key}", words(old.get(key)), words(new.get(key))) for key in keys]
    if name == "contact":
        old, new = names.get(old, old), names.get(new, new)
    return [Change(label, words(old), words(new))]


def _number(typed: str) -> int | None:
    return int(typed) if typed.isdecimal() and len(typed) < 10 else None


def _label(name: str) -> str:
    fields = {one.name: one for one in Workitem._meta.concrete_fields}
    word = str(fields[name].verbose_name) if name in fields else name
    return word[:1].upper() + word[1:]


def _priority(value: Any) -> str:
    return str(Priority(value).label) if value in Priority.values else words(value)


def _contact_names(events: Iterable[TimeEvent], actor: Actor) -> dict[str, str]:
    ids = set()
    for event in events:
        values = event.details.get("contact") if event.type == Event.EDITED else None
        if isinstance(values, dict):
            ids |= {one for one in values.values() if isinstance(one, str)}
    if not ids:
        return {}
    people = directory.visible_contacts(actor).filter(contact_id__in=ids)
    return {
        contact_id: _("%(name)s (%(id)s)") % {"name": name, "id": contact_id}
        for contact_id, name in people.values_list("contact_id", "display_name")
    }


def _queue(value: Any, hidden: Mapping[str, str]) -> str:
    return hidden.get(value, value) if isinstance(value, str) and value else words(value)


def _hidden_queues(workitem: Workitem, events: Iterable[TimeEvent], actor: Actor) -> dict[str, str]:
    """Return a word for each queue of the events' details whose name the actor may not know, by its id."""
    told = [one.details.get(name) for one in events for name in queues_told(one.type, one.details)]
    ids = {one for one in told if isinstance(one, str)}
    if not ids or Scope.READ in actor.everywhere:
        return {}
    rows = Queue.objects.filter(queue_id__in=ids).values_list("queue_id", "pk")
    words = {queue_id: name_for(actor, workitem, pk, queue_id) for queue_id, pk in rows}
    return {queue_id: word for queue_id, word in words.items() if word != queue_id}


def _is_of_a_run(event: TimeEvent) -> bool:
    """Tell whether a job did it on somebody's behalf, as the request says that he made."""
    return event.door == Door.JOB and bool(event.request_id) and event.user_id is not None


def _bulk_runs(events: Iterable[TimeEvent], actor: Actor) -> dict[tuple[int | None, str], BulkRun]:
    """Return the runs that the actor may see by who asked for them and in which request, as the events know them."""
    asked = {(event.user_id, event.request_id) for event in events if _is_of_a_run(event)}
    if not asked:
        return {}
    rows = bulk.visible_to(actor).filter(requested_by__in={user for user, _request in asked})
    found = rows.filter(request_id__in={request for _user, request in asked})
    return {(run.requested_by_id, run.request_id): run for run in found}


def _batches(events: Iterable[TimeEvent], actor: Actor) -> dict[tuple[str, str], Any]:
    """Return those batches that the actor may see, by the name and the id that events know them by."""
    found: dict[tuple[str, str], Any] = {}
    for key, (_label, id_field, visible_to) in BATCHES.items():
        ids = {str(event.details[key]) for event in events if event.details.get(key)}
        if ids:
            rows = visible_to(actor).filter(**{f"{id_field}__in": ids})
            found |= {(key, getattr(row, id_field)): row for row in rows}
    return found
