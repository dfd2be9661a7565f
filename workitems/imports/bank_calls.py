"""The calls of an anonymous bank's call centre, February 1999, one line each, tab-separated.

Collected by I. Guedj and A. Mandelbaum (Technion); the columns and the oddities are those of the data's own README.
Times are the call centre's wall clock, without a date for what happens past midnight. A call's wait in the queue begins
when the voice unit lets it go; who hung up before that has never entered a queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from queues.channels import Channel
from workitems.choices import EndedBy, Event, Priority, State, Type
from workitems.imports.records import Happening, Line, Person, Record, Rejected, Skipped, Unusable, check_encoding

ZONE = ZoneInfo("Asia/Jerusalem")
COLUMNS = [
    "vru+line", "call_id", "customer_id", "priority", "type", "date", "vru_entry", "vru_exit", "vru_time",
    "q_start", "q_exit", "q_time", "outcome", "ser_start", "ser_exit", "ser_time", "server",
]  # fmt: skip
SERVICES = {
    "PS": "Regular service",
    "PE": "Regular service in English",
    "IN": "Internet support",
    "NE": "Stock exchange",
    "NW": "Prospective customers",
    "TT": "Call-backs",
}
PRIORITIES = {"0": Priority.NORMAL, "1": Priority.NORMAL, "2": Priority.HIGH}
QUEUES = {f"q_bank_{code.lower()}": name for code, name in SERVICES.items()}
CHANNELS = (Channel.VOICE,)
DISPOSITIONS = {"bank_served": "Served"}
SOURCE = "bank-calls"
NOBODY = "NO_SERVER"
HALF_A_DAY = timedelta(hours=12)


@dataclass(frozen=True)
class Stretch:
    """A stretch of the call: in the voice unit, in the queue or with the agent."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Arrival:
    """When a call came in, when it was let into the queue, when it left it, and whether it waited there at all."""

    entered: datetime
    queued: datetime
    left: datetime
    has_waited: bool


def read(lines: Iterable[tuple[int, str]]) -> Iterator[Line]:
    """Turn numbered lines into records; the first must be the header."""
    numbered = iter(lines)
    number, header = next(numbered, (1, ""))
    if header.split("\t") != COLUMNS:
        yield Rejected(number, f"The header must be: {' '.join(COLUMNS)}", header)
        return
    for number, text in numbered:
        try:
            yield _record(number, text)
        except Unusable as problem:
            yield Rejected(number, str(problem), text)


def _record(number: int, text: str) -> Line:
    check_encoding(text)
    values = text.split("\t")
    if len(values) != len(COLUMNS):
        raise Unusable(f"{len(values)} columns instead of {len(COLUMNS)}")
    row = dict(zip(COLUMNS, values, strict=True))
    if row["outcome"] == "PHANTOM":
        return Skipped(number)
    if row["outcome"] not in ("AGENT", "HANG"):
        raise Unusable(f"unknown outcome “{row['outcome']}”")
    if row["type"] not in SERVICES:
        raise Unusable(f"unknown type “{row['type']}”")
    if row["priority"] not in PRIORITIES:
        raise Unusable(f"unknown priority “{row['priority']}”")
    return _served(number, row) if row["outcome"] == "AGENT" else _hung_up(number, row)


def _served(number: int, row: dict[str, str]) -> Record:
    arrival = _before_service(row)
    entered, queued, left = arrival.entered, arrival.queued, arrival.left
    talk = _stretch(row, "ser", left)
    # A service may start a second or two before the queue is left, by the clocks of two machines.
    accepted = max(talk.start if talk else left, entered)
    ended = max(talk.end if talk else accepted, accepted)
    queued = min(queued, accepted)
    offered = max(min(left, accepted), queued)
    agent = "" if row["server"] == NOBODY else row["server"].lower()
    queue = f"q_bank_{row['type'].lower()}"
    who: dict[str, Any] = {"queue": queue, "agent": agent, "actor": agent or SOURCE}
    timeline = (
        _arrived(entered, queue, queued),
        Happening(Event.OFFERED, offered, SOURCE, State.INQUEUE, State.OFFERED, queue, agent),
        Happening(Event.ACCEPTED, accepted, from_state=State.OFFERED, to_state=State.ACCEPTED, **who),
        Happening(Event.ACTIVATED, accepted, from_state=State.ACCEPTED, to_state=State.ACTIVE, **who),
        Happening(
            Event.TERMINATED,
            ended,
            from_state=State.ACTIVE,
            to_state=State.TERMINATED,
            details={"reason": EndedBy.AGENT.value},
            **who,
        ),
        Happening(
            Event.DISPOSITIONED,
            ended,
            from_state=State.TERMINATED,
            to_state=State.DISPOSITIONED,
            details={"dispositionId": "bank_served"},
            **who,
        ),
    )
    return Record(
        **_common(number, row),
        state=State.DISPOSITIONED,
        created_at=entered,
        queued_at=queued,
        assigned_at=accepted,
        terminated_at=ended,
        dispositioned_at=ended,
        disposition="bank_served",
        agent=agent,
        ended_by=EndedBy.AGENT,
        timeline=timeline,
    )


def _hung_up(number: int, row: dict[str, str]) -> Record:
    """Return a call that the customer ended in the queue, or in the voice unit before it came to waiting."""
    arrival = _before_service(row)
    queue = f"q_bank_{row['type'].lower()}"
    gone = Happening(
        Event.ABANDONED,
        arrival.left,
        SOURCE,
        State.INQUEUE,
        State.TERMINATED,
        queue,
        details={"reason": EndedBy.CUSTOMER.value},
    )
    return Record(
        **_common(number, row),
        state=State.TERMINATED,
        created_at=arrival.entered,
        queued_at=arrival.queued,
        terminated_at=arrival.left,
        ended_by=EndedBy.CUSTOMER,
        timeline=(_arrived(arrival.entered, queue, arrival.queued if arrival.has_waited else None), gone),
    )


def _arrived(at: datetime, queue: str, queued: datetime | None) -> Happening:
    """Return the arrival, with the moment from which on it waited in the queue, or 0 where it never did."""
    details = {"queuedAt": int(queued.timestamp()) * 1000 if queued else 0}
    return Happening(Event.CREATED, at, SOURCE, "", State.INQUEUE, queue, details=details)


def _before_service(row: dict[str, str]) -> Arrival:
    entered = _moment(row["date"], row["vru_entry"])
    # The voice unit may let a call go up to a minute "before" it came: then the call came when it was let go.
    out = _moment(row["date"], row["vru_exit"])
    out = _not_long_before(out, entered)
    entered = min(entered, out)
    wait = _stretch(row, "q", out)
    if wait is None:
        return Arrival(entered, out, out, has_waited=False)
    return Arrival(entered, max(wait.start, entered), max(wait.end, wait.start), has_waited=True)


def _stretch(row: dict[str, str], name: str, after: datetime) -> Stretch | None:
    """Return a stretch that came after a moment, or None where there was none; a bare midnight counts as a time."""
    start, end = row[f"{name}_start"], row[f"{name}_exit"]
    if start == end == "0:00:00":
        return None
    begun = _not_long_before(_moment(row["date"], start), after)
    return Stretch(begun, _not_long_before(_moment(row["date"], end), begun))


def _moment(date: str, clock: str) -> datetime:
    try:
        day = datetime.strptime(date, "%y%m%d").replace(tzinfo=ZONE)
        hours, minutes, seconds = (int(part) for part in clock.split(":"))
        return day.replace(hour=hours, minute=minutes, second=seconds)
    except ValueError:
        raise Unusable(f"no time: {date} {clock}") from None


def _not_long_before(moment: datetime, reference: datetime) -> datetime:
    """Move a wall-clock time past midnight where it would otherwise lie half a day and more before the reference."""
    return moment + timedelta(days=1) if reference - moment > HALF_A_DAY else moment


def _common(number: int, row: dict[str, str]) -> dict[str, Any]:
    customer = row["customer_id"]
    # Some ids went through a spreadsheet ("6.02701E+11") and could be anybody's.
    person = None
    if customer.isdigit() and customer != "0":
        person = Person(source=SOURCE, external_id=customer, display_name=f"Customer {customer}")
    clock = row["vru_entry"].replace(":", "").zfill(6)
    return {
        "line": number,
        "workitem_id": f"wi_bank_{row['vru+line']}_{row['date']}_{clock}_{row['call_id']}",
        "type": Type.INBOUND_CALL,
        "channel_type": Channel.VOICE,
        "priority": PRIORITIES[row["priority"]],
        "queue": f"q_bank_{row['type'].lower()}",
        "person": person,
        "data": {name: row[name] for name in ("vru+line", "call_id", "customer_id")},
    }
