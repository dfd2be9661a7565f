"""What all commands share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Self

from django.db.models import Model

from workitems.actors import Actor, Standing
from workitems.choices import Action, State
from workitems.lifecycle import MOVES
from workitems.models import Workitem

Details = dict[str, Any]


class Command:
    """What all commands share: most check nothing of their own, and lead where the table says."""

    action: ClassVar[Action]
    # whether it shows that somebody cares for the workitem, so that no stale policy need step in
    is_activity: ClassVar[bool] = True

    # the columns of a workitem on which alone rights, lifecycle and check() depend; None: anything may matter
    decides_by: ClassVar[tuple[str, ...] | None] = None

    # the columns that it, rights and lifecycle read, where leaving the others in the database pays; empty: all
    reads: ClassVar[tuple[str, ...]] = ()

    def lock_first(self, actor: Actor) -> None:
        """Lock what has to be locked before any workitem is."""

    def fresh(self) -> Self:
        """Return the command with what it refers to read anew, inside the transaction."""
        return self

    def knowing(self, workitems: Sequence[Workitem]) -> Self:
        """Return the command with what it has to know of these workitems, all of it read at once."""
        return self

    def standing(self, workitem: Workitem, actor: Actor) -> Standing:
        """Return that on which the actor needs his rights: the workitem as it is, for nearly all commands."""
        return workitem

    def already(self, workitem: Workitem) -> bool:
        """Tell whether the workitem is as the command would make it, so that nothing needs to be written."""
        return False

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Raise a WorkitemError where the command's own rules forbid it."""

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Change the facts, and return the codes and public ids that the event keeps."""
        return {}

    def companions(self, workitem: Workitem, details: Details, now: datetime) -> Iterable[Model]:
        """Return rows of its own that have to be kept together with the change."""
        return ()

    def waited_since(self, workitem: Workitem) -> datetime | None:
        """Return since when a workitem waits that comes into a queue; None: since now."""
        return None

    def target(self, workitem: Workitem) -> State | None:
        """Return the state to enter, or None to stay."""
        return MOVES[self.action].target

    def event(self, workitem: Workitem) -> str:
        """Return the code of the event, seen from the state before the change."""
        event = MOVES[self.action].event
        assert event is not None  # noqa: S101  the one action without an event leaves no row to carry it
        return event
