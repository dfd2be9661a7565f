"""Workitems in the form they have on the wire: one JSON object a line, or CSV with the wire names as its header."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import orjson

from queues.channels import Channel
from workitems.choices import ENDED, OPEN, WAITING, WITH_AGENT, EndedBy, Event, State, Type
from workitems.commands import check_field, check_workitem_id
from workitems.errors import InvalidValue
from workitems.imports.records import Happening, Line, Person, Record, Rejected, Unusable, check_encoding
from workitems.lifecycle import MOVES

# Computed or ours, so accepted and left aside: a file that we exported comes in again as it is.
LEFT_ASIDE = {"_id", "tenantId", "actions", "version", "modifiedAt"}
TIMES = {
    "createdAt": "created_at",
    "queuedAt": "queued_at",
    "assignedAt": "assigned_at",
    "terminatedAt": "terminated_at",
    "dispositionedAt": "dispositioned_at",
    "archivedAt": "archived_at",
    "staleAt": "stale_at",
    "exemptUntil": "exempt_until",
}
TEXTS = {
    "name": "name",
    "from": "from_address",
    "to": "to_address",
    "currentStateName": "current_state_name",
    "selectedQueue": "queue",
    "agentUsername": "agent",
    "dispositionId": "disposition",
    "dispositionNote": "disposition_note",
}
OTHERS = {
    "workitemId",
    "type",
    "channelType",
    "state",
    "priority",
    "contactId",
    "contact",
    "muted",
    "data",
    "timeEvents",
}
KNOWN = LEFT_ASIDE | TIMES.keys() | TEXTS.keys() | OTHERS
LAST_MOMENT = 221_845_392_000_000  # the beginning of the year 9000, in milliseconds


def read_jsonl(lines: Iterable[tuple[int, str]]) -> Iterator[Line]:
    """Turn numbered lines, each a JSON object, into records."""
    for number, text in lines:
        if not text.strip():
            continue
        try:
            check_encoding(text)
            yield _record(number, _parsed(text))
        except Unusable as problem:
            yield Rejected(number, str(problem), text)


def read_csv(lines: Iterable[tuple[int, str]]) -> Iterator[Line]:
    """Turn CSV into records; empty cells are unset, `data`, `contact` and `timeEvents` hold JSON."""
    rows = csv.reader(text + "\n" for _number, text in lines)
    header = next(rows, [])
    unknown = sorted(set(header) - KNOWN)
    if unknown or "workitemId" not in header or len(set(header)) != len(header):
        problem = f"unknown columns: {', '.join(unknown)}" if unknown else "workitemId is missing, or a column is twice"
        yield Rejected(1, f"The header cannot be used: {problem}", ",".join(header))
        return
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as problem:
            yield Rejected(rows.line_num, str(problem))
            continue
        if not row:
            continue
        try:
            check_encoding(",".join(row))
            yield _record(rows.line_num, _from_cells(header, row))
        except Unusable as problem:
            yield Rejected(rows.line_num, str(problem), ",".join(row))


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError as problem:
        raise Unusable(f"no JSON: {problem}") from None


def _from_cells(header: list[str], row: list[str]) -> dict[str, Any]:
    if len(row) != len(header):
        raise Unusable(f"{len(row)} cells instead of {len(header)}")
    values: dict[str, Any] = {name: cell for name, cell in zip(header, row, strict=True) if cell != ""}
    for name in values.keys() & {"data", "contact", "timeEvents"}:
        values[name] = _parsed(values[name])
    for name in values.keys() & (TIMES.keys() | {"priority"}):
        if not re.fullmatch(r"-?[0-9]{1,15}", values[name]):
            raise Unusable(f"{name}: must be a whole number")
        values[name] = int(values[name])
    if "muted" in values:
        if values["muted"] not in ("true", "false"):
            raise Unusable("muted: must be true or false")
        values["muted"] = values["muted"] == "true"
    return values


def _record(number: int, values: Any) -> Record:
    if not isinstance(values, dict):
        raise Unusable("a workitem must be an object")
    if unknown := sorted(values.keys() - KNOWN):
        raise Unusable(f"unknown field {', '.join(unknown)}")
    texts = {field: _text(values, name) for name, field in TEXTS.items()}
    times = {field: _time(values, name) for name, field in TIMES.items()}
    kind = _one_of(values, "type", Type.values)
    state = _one_of(values, "state", State.values)
    channel = _one_of(values, "channelType", Channel.values, default=Type(kind).channels[0])
    if channel not in Type(kind).channels:
        raise Unusable(f"channelType: {channel} does not fit the type {kind}")
    created_at = times.pop("created_at")
    if created_at is None:
        raise Unusable("createdAt: is missing")
    timeline = _timeline(values, state, created_at, times, texts)
    timeline = timeline or _timeline_from_times(Type(kind), state, created_at, times, texts)
    for name in ("name", "from", "to", "data"):
        _check(name, values.get(name, {} if name == "data" else ""))
    workitem_id = _text(values, "workitemId")
    _checked(check_workitem_id, workitem_id)
    priority = values.get("priority", 3)
    if type(priority) is not int or not 1 <= priority <= 5:
        raise Unusable("priority: must be from 1 to 5")
    _check_facts(state, times, texts)
    return Record(
        line=number,
        workitem_id=workitem_id,
        type=kind,
        channel_type=channel,
        state=state,
        priority=priority,
        person=_person(values),
        is_muted=values.get("muted") is True,
        ended_by=_ended_by(state, timeline),
        data=values.get("data", {}),
        created_at=created_at,
        timeline=timeline,
        **times,  # type: ignore[arg-type]
        **texts,  # type: ignore[arg-type]
    )


def _check_facts(state: str, times: dict[str, datetime | None], texts: dict[str, str]) -> None:
    """Raise Unusable where the facts contradict the state; the database would refuse them too, less clearly."""
    if (state in ENDED) != (times["terminated_at"] is not None):
        raise Unusable(f"terminatedAt: must be set if and only if it has ended, and the state is {state}")
    if (state == State.DISPOSITIONED) != (times["dispositioned_at"] is not None):
        raise Unusable(f"dispositionedAt: must be set if and only if the state is dispositioned, not {state}")
    if texts["disposition"] and state != State.DISPOSITIONED:
        raise Unusable(f"dispositionId: only for the state dispositioned, not {state}")
    if state in WAITING and not (texts["queue"] and times["queued_at"]):
        raise Unusable(f"selectedQueue and queuedAt: needed in the state {state}")
    if state in WITH_AGENT and not texts["agent"]:
        raise Unusable(f"agentUsername: needed in the state {state}")
    if state == State.INQUEUE and texts["agent"]:
        raise Unusable("agentUsername: nobody has it in the state inqueue")
    if times["archived_at"] and state not in ENDED:
        raise Unusable(f"archivedAt: only what has ended is archived, and the state is {state}")


def _timeline(
    values: dict[str, Any],
    state: str,
    created_at: datetime,
    times: dict[str, datetime | None],
    texts: dict[str, str],
) -> tuple[Happening, ...]:
    told = [at for at in (created_at, *times.values()) if at is not None]
    if min(told) < created_at:
        raise Unusable("createdAt: nothing can have happened before")
    given = values.get("timeEvents") or []
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise Unusable("timeEvents: must be a list of objects")
    timeline = tuple(_happening(one) for one in given)
    if any(later.at < earlier.at for earlier, later in pairwise(timeline)):
        raise Unusable("timeEvents: must be in order, the oldest first")
    for one in timeline:
        if (
            one.type in Event.values
            and one.from_state
            and one.to_state
            and not _is_legal(one.type, one.from_state, one.to_state)
        ):
            raise Unusable(f"timeEvents: {one.type} cannot lead from {one.from_state} to {one.to_state}")
    last = next((one.to_state for one in reversed(timeline) if one.to_state), state)
    if last != state:
        raise Unusable(f"timeEvents: they end in {last}, the workitem is {state}")
    return _placed(timeline, given, state, texts)


def _placed(
    timeline: tuple[Happening, ...], given: list[dict[str, Any]], state: str, texts: dict[str, str]
) -> tuple[Happening, ...]:
    """Let each event say where it led: what it leaves out is as before, or as with the workitem.

    Where no event tells of a state, the first one says that it has always been in the one that it is in.
    """
    if timeline and not any(one.to_state for one in timeline):
        whole = replace(timeline[0], from_state=state, to_state=state, queue=texts["queue"], agent=texts["agent"])
        return (whole, *timeline[1:])
    placed, queue, agent = [], texts["queue"], texts["agent"]
    for one, values in zip(timeline, given, strict=True):
        if one.to_state:
            queue = one.queue if "queueId" in values else queue
            agent = one.agent if "agentUsername" in values else agent
            one = replace(one, queue=queue, agent="" if one.to_state == State.INQUEUE else agent)  # noqa: PLW2901
        placed.append(one)
    return tuple(placed)


def _is_legal(code: str, from_state: str, to_state: str) -> bool:
    """Tell whether the lifecycle has a move with this event between these states."""
    if code == Event.TRANSFER_UNDONE:
        return from_state in WAITING and to_state in OPEN
    if code in (Event.EMAIL_FAILED, Event.EMAIL_SENT):
        return from_state == to_state
    for move in MOVES.values():
        if (
            code in (move.event, Event.ABANDONED if move.event == Event.TERMINATED else None)
            and from_state in move.sources
        ):
            targets = (State.INQUEUE, State.OFFERED) if code == Event.TRANSFERRED else (move.target or from_state,)
            if to_state in targets:
                return True
    return False


def _timeline_from_times(
    kind: Type, state: str, created_at: datetime, times: dict[str, datetime | None], texts: dict[str, str]
) -> tuple[Happening, ...]:
    """Return what can be told from a workitem's times alone."""
    told = [
        (Event.CREATED, State.ACCEPTED if kind.is_outbound else State.INQUEUE, created_at),
        (Event.ACCEPTED, State.ACCEPTED, times["assigned_at"]),
        (Event.TERMINATED, State.TERMINATED, times["terminated_at"]),
        (Event.DISPOSITIONED, State.DISPOSITIONED, times["dispositioned_at"]),
    ]
    happened = sorted(((at, code, to) for code, to, at in told if at is not None), key=lambda one: one[0])
    timeline, before = [], ""
    for number, (at, code, to) in enumerate(happened, start=1):
        after = to if number < len(happened) else state  # the last one led to where it is
        agent = "" if after == State.INQUEUE else texts["agent"]
        timeline.append(Happening(code, at, from_state=before, to_state=after, queue=texts["queue"], agent=agent))
        before = after
    queued_at = times["queued_at"]
    if queued_at is not None and created_at < queued_at <= min((one.at for one in timeline[1:]), default=queued_at):
        milliseconds = (queued_at - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
        timeline[0] = replace(timeline[0], details={"queuedAt": milliseconds})
    return tuple(timeline)


def _happening(values: dict[str, Any]) -> Happening:
    if unknown := sorted(
        values.keys()
        - {
            "type",
            "timestamp",
            "userId",
            "door",
            "token",
            "requestId",
            "fromState",
            "toState",
            "queueId",
            "agentUsername",
            "details",
            "version",
        }
    ):
        raise Unusable(f"timeEvents: unknown field {', '.join(unknown)}")
    code, at = _text(values, "type"), _time(values, "timestamp")
    if not 1 <= len(code) <= 64 or at is None:
        raise Unusable("timeEvents: each needs a type of 1 to 64 characters and a timestamp")
    _check("data", values.get("details", {}))
    return Happening(
        type=code,
        at=at,
        actor=_text(values, "userId")[:150],
        from_state=_one_of(values, "fromState", ["", *State.values], default=""),
        to_state=_one_of(values, "toState", ["", *State.values], default=""),
        queue=_text(values, "queueId"),
        agent=_text(values, "agentUsername"),
        details=values.get("details", {}),
        token=_text(values, "token")[:150],
        request_id=_text(values, "requestId")[:64],
    )


def _ended_by(state: str, timeline: tuple[Happening, ...]) -> str:
    """Return who ended it, from the event that did; the system where no event tells."""
    if state not in ENDED:
        return ""
    for one in reversed(timeline):
        if one.type == Event.ABANDONED:
            return EndedBy.CUSTOMER
        if one.type == Event.TERMINATED_STALE:
            return EndedBy.POLICY
        if one.type == Event.TERMINATED and one.details.get("reason") in EndedBy.values:
            return str(one.details["reason"])
    return EndedBy.SYSTEM


def _person(values: dict[str, Any]) -> Person | None:
    contact = values.get("contact") or {}
    contact_id = _text(values, "contactId")
    if not isinstance(contact, dict):
        raise Unusable("contact: must be an object")
    if not contact_id and not contact:
        return None
    if not contact_id:
        raise Unusable("contactId: is missing beside contact")
    numbers, addresses = contact.get("phones") or [], contact.get("emails") or []
    for given in (numbers, addresses):
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            raise Unusable("contact: phones and emails must be lists of texts")
    return Person(
        contact_id=contact_id,
        external_id=_text(contact, "externalId"),
        display_name=_text(contact, "displayName") or contact_id,
        phones=tuple(numbers),
        emails=tuple(addresses),
    )


def _text(values: dict[str, Any], name: str) -> str:
    value = values.get(name) or ""
    if not isinstance(value, str) or "\x00" in value:
        raise Unusable(f"{name}: must be text")
    return value


def _time(values: dict[str, Any], name: str) -> datetime | None:
    value = values.get(name) or 0
    if type(value) is not int or not 0 <= value <= LAST_MOMENT:
        raise Unusable(f"{name}: must be Unix milliseconds")
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=value) if value else None


def _one_of(values: dict[str, Any], name: str, allowed: list[str], default: str | None = None) -> str:
    value = values.get(name, default)
    if value is None:
        raise Unusable(f"{name}: is missing")
    if value not in allowed:
        raise Unusable(f"{name}: must be one of {', '.join(one for one in allowed if one)}")
    return str(value)


def _check(name: str, value: Any) -> None:
    _checked(check_field, name, value)


def _checked(check: Callable[..., None], *values: Any) -> None:
    try:
        check(*values)
    except InvalidValue as problem:
        raise Unusable(f"{problem.field}: {problem.message}") from None
