"""What becomes of commands: done, refused, foreseen or tried out; and a life as it was lived elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from workitems.errors import UnknownWorkitem, WorkitemError
from workitems.models import TimeEvent, Workitem

MOST_SAMPLES = 10


@dataclass
class Outcome:
    """What became of each workitem, by its public id."""

    done: dict[str, Workitem] = field(default_factory=dict)
    unchanged: set[str] = field(default_factory=set)
    refused: dict[str, WorkitemError] = field(default_factory=dict)


@dataclass
class Refused:
    """How many would be refused for one reason, and some of them."""

    refusal: WorkitemError
    count: int = 0
    samples: list[str] = field(default_factory=list)


@dataclass
class Forecast:
    """What a command would do to many workitems."""

    allowed: int = 0
    samples: list[str] = field(default_factory=list)
    refused: dict[str, Refused] = field(default_factory=dict)  # by code and message

    @property
    def refusals(self) -> int:
        """How many would be refused."""
        return sum(one.count for one in self.refused.values())

    def add(self, other: Forecast) -> None:
        """Add another one."""
        self.count(None, other.allowed, other.samples)
        for one in other.refused.values():
            self.count(one.refusal, one.count, one.samples)

    def count(self, refusal: WorkitemError | None, count: int, samples: Iterable[str]) -> None:
        """Add so many that would end alike."""
        if refusal is None:
            self.allowed += count
            kept = self.samples
        else:
            # what cannot be seen is all alike, whatever its id
            about = "" if isinstance(refusal, UnknownWorkitem) else refusal.message
            one = self.refused.setdefault(f"{refusal.code} {about}", Refused(refusal))
            one.count += count
            kept = one.samples
        kept.extend(list(dict.fromkeys(one for one in samples if one not in kept))[: MOST_SAMPLES - len(kept)])


@dataclass
class History:
    """A workitem that lived elsewhere, with its timeline, neither of them saved yet."""

    workitem: Workitem
    events: list[TimeEvent]


@dataclass(frozen=True)
class Rehearsal:
    """What a command would do: the workitem as it would be, in memory only, and the event that would tell of it."""

    workitem: Workitem
    event: TimeEvent | None  # None: it is so already, or nothing is left to tell
    changes: bool = True
