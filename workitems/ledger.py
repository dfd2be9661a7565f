"""The rule of the ledger: what of a workitem's life is written down when it moves on, and how its queue entries end.

One pure function, `move`, says it; the executor asks it for every change, and the rebuild for every event of a history,
so both come to the same rows. docs/decisions/0008 tells why it is so.

A queue entry begins when a workitem comes to wait in a queue and ends when an agent accepts, the customer gives up, or
it flows out. Rejected and expired offers do not end it, and neither does an offer to a certain agent. What agents begin
themselves never enters a queue. An agent's handling ends when the workitem leaves his hands, ended or passed on. The
undo of a transfer lets the entry go on that the transfer had ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from workitems.choices import ENDED, HANDLED, WAITING, EndedBy, EntryOutcome, Event, State, Type
from workitems.lifecycle import LIVE
from workitems.models import Workitem

# what a change of many has to read for it, beside what its command reads
READS = (
    "channel_type", "type", "state", "queue", "agent", "created_at", "state_changed_at", "ended_by", "place_since",
    "entered_at", "handled_ms",
)  # fmt: skip
TALKING = (State.ACTIVE, State.HOLD, State.CONFERENCE)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
MAGNITUDES = 16  # 4 to the power of 15 seconds are 34 years

Row = dict[str, Any]  # of a stay, by the names of its columns


class Place(NamedTuple):
    """A state, a queue and an agent, by their keys."""

    state: str
    queue_id: int | None
    agent_id: int | None

    @classmethod
    def of(cls, workitem: Workitem) -> Place:
        """Return where a workitem stands."""
        return cls(workitem.state, workitem.queue_id, workitem.agent_id)


class Told(Protocol):
    """What is read of an event."""

    @property
    def type(self) -> str: ...
    @property
    def timestamp(self) -> datetime: ...
    @property
    def version(self) -> int: ...
    @property
    def from_state(self) -> str: ...
    @property
    def to_state(self) -> str: ...
    @property
    def queue_id(self) -> int | None: ...
    @property
    def agent_id(self) -> int | None: ...
    @property
    def details(self) -> Any: ...


@dataclass(frozen=True)
class Standing:
    """Where a workitem stands and since when, the entry that runs, and how long its agent has been at it."""

    place: Place
    since: datetime
    entered_at: datetime | None = None
    handled_ms: int = 0

    def write(self, workitem: Workitem) -> None:
        """Set what the row keeps of it; the place itself is there already."""
        workitem.stand(self.since, self.entered_at, self.handled_ms)

    @classmethod
    def of(cls, workitem: Workitem) -> Standing | None:
        """Return what the row says, or None where the workitem is not in the ledger yet: half a life is no life."""
        if workitem.place_since is None:
            return None
        return cls(Place.of(workitem), workitem.place_since, workitem.entered_at, workitem.handled_ms)


@dataclass(frozen=True)
class Step:
    """What has happened to a workitem: which event, when, and where it stands after it.

    `ended_by` is who has ended it, before this step or with it. `waits_since` is since when it waits, where that is not
    since the step itself; `never_waited` says that it came from elsewhere and did not wait.
    """

    code: str
    at: datetime
    place: Place
    version: int
    ended_by: str = ""
    waits_since: datetime | None = None
    never_waited: bool = False


def begin(kind: str, step: Step) -> Standing:
    """Return where a workitem stands that has just come."""
    return Standing(step.place, step.at, _entered(kind, step))


def move(workitem: Workitem, before: Standing, step: Step) -> tuple[Standing, Row | None]:
    """Return where it stands after the step, and the stay that ended with it; None where it has not moved.

    Of the workitem itself only that is read which never changes.

    Where times run backwards, as those of several clocks and of imported histories may, the earlier one holds.
    """
    if step.place == before.place:
        return before, None
    at = max(step.at, before.since)
    lasted = milliseconds(at - before.since)
    outcome = _outcome(workitem.channel_type, before, step)
    handled = before.handled_ms + (lasted if before.place.state in TALKING else 0)
    has_left = before.place.state in HANDLED and not _is_same_hand(before.place, step.place)
    entered = before.entered_at if outcome is None else None
    if entered is None and _enters(workitem.type, step):
        entered = step.waits_since or at
    row = {
        "workitem_id": workitem.pk,
        "version": step.version,
        "channel_type": workitem.channel_type,
        "state": str(before.place.state),
        "queue_id": before.place.queue_id,
        "agent_id": before.place.agent_id,
        "began_at": before.since,
        "ended_at": at,
        "lasted_ms": lasted,
        "magnitude": magnitude(at - before.since),
        "entered_at": before.entered_at,
        "outcome": outcome.value if outcome else "",
        "wait_ms": milliseconds(max(at - before.entered_at, timedelta())) if outcome and before.entered_at else None,
        "customer_ms": milliseconds(max(at - workitem.created_at, timedelta())) if outcome else None,
        "handled_ms": handled if has_left and _counts_as_handled(step, handled) else None,
        "ended_by": step.ended_by if before.place.state == State.TERMINATED else "",
    }
    return Standing(step.place, at, entered, 0 if has_left else handled), row


def follow(workitem: Workitem, events: Sequence[Told]) -> tuple[Standing, list[Row]]:
    """Return where a workitem stands after all its events, and all its stays, as `move` would have written them."""
    steps = _steps(workitem, events)
    standing, rows = begin(workitem.type, next(steps)), []
    for step in steps:
        standing, row = move(workitem, standing, step)
        if row is not None:
            rows.append(row)
    return standing, rows


def entered_before(event: Told | None) -> datetime | None:
    """Return when the queue entry began that a transfer has ended, as its event tells for an undo; None where none ran.

    An event tells of it where that is not the workitem's `queuedAt`.
    """
    before = _details(event).get("before") if event is not None else None
    if not isinstance(before, Mapping) or before.get("state") not in WAITING:
        return None
    return moment(before.get("enteredAt", before.get("queuedAt")))


def moment(value: Any) -> datetime | None:
    """Return a time in milliseconds, with microseconds as its fraction, as such; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 253_402_300_800_000:
        return None
    return EPOCH + timedelta(microseconds=round(value * 1000))


def milliseconds(span: timedelta) -> int:
    """Return a span in whole milliseconds."""
    return span // MILLISECOND


def magnitude(span: timedelta) -> int:
    """Return the smallest power of 4 that a span is shorter than, in seconds, at most the last."""
    seconds = int(span.total_seconds())
    return min((seconds.bit_length() + 1) // 2, MAGNITUDES - 1)


def longest(power: int) -> timedelta:
    """Return what all stays of a magnitude are shorter than."""
    return timedelta(seconds=4**power)


def _entered(kind: str, step: Step) -> datetime | None:
    counts = step.place.state in WAITING and step.place.queue_id is not None and not Type(kind).is_outbound
    return (step.waits_since or step.at) if counts and not step.never_waited else None


def _enters(kind: str, step: Step) -> bool:
    """Tell whether it comes to wait in a queue; an offer to a certain agent is not yet a wait."""
    if Type(kind).is_outbound or step.place.queue_id is None:
        return False
    goes_on = step.place.state == State.OFFERED and step.waits_since is not None
    return step.place.state == State.INQUEUE or goes_on


def _outcome(channel: str, before: Standing, step: Step) -> EntryOutcome | None:
    """Return how the entry that ran has ended, or None where none ran or it goes on."""
    if before.entered_at is None:
        return None
    if step.place.queue_id != before.place.queue_id:
        return EntryOutcome.FLOWED_OUT
    if step.place.state in HANDLED:
        return EntryOutcome.ANSWERED
    if step.place.state in ENDED:
        gave_up = step.code == Event.ABANDONED and channel in LIVE
        return EntryOutcome.ABANDONED if gave_up else EntryOutcome.FLOWED_OUT
    return None


def _is_same_hand(before: Place, after: Place) -> bool:
    return after.state in HANDLED and after.agent_id == before.agent_id and after.queue_id == before.queue_id


def _counts_as_handled(step: Step, handled: int) -> bool:
    """Leave out what a policy ended, and what was given back before anybody had talked."""
    if step.place.state in ENDED:
        return step.ended_by != EndedBy.POLICY
    return handled > 0


def _steps(workitem: Workitem, events: Sequence[Told]) -> Iterator[Step]:
    """Return the events as steps, the first of them the beginning, whatever an imported history leaves out."""
    if not events:
        yield Step(Event.CREATED, workitem.created_at, Place.of(workitem), 0)
        return
    place = Place(_first_state(workitem, events), None, None)
    ended_by = _who_ended(workitem, events)
    last: Told | None = None
    for event in events:
        if event.to_state:
            place = Place(event.to_state, event.queue_id, event.agent_id)
        yield Step(
            event.type,
            event.timestamp if last else workitem.created_at,
            place,
            event.version,
            ended_by[event.version],
            _waits_since(event, last),
            never_waited=event.type == Event.CREATED and _details(event).get("queuedAt") == 0,
        )
        last = event


def _waits_since(event: Told, last: Told | None) -> datetime | None:
    if event.type == Event.TRANSFER_UNDONE:
        return entered_before(last)
    return moment(_details(event).get("queuedAt")) if event.type == Event.CREATED else None


def _details(event: Told) -> Mapping[str, Any]:
    return event.details if isinstance(event.details, Mapping) else {}


def _first_state(workitem: Workitem, events: Sequence[Told]) -> str:
    told = (state for event in events for state in (event.to_state, event.from_state) if state)
    return next(told, workitem.state)


def _who_ended(workitem: Workitem, events: Sequence[Told]) -> dict[int, str]:
    """Return at each version who had ended it by then: what was reopened, a policy had ended."""
    found, by = {}, workitem.ended_by
    for event in reversed(events):
        found[event.version] = by
        if event.type == Event.REOPENED:
            found[event.version] = by = EndedBy.POLICY
    return found
