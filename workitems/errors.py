"""Every way in which a command can be refused; a bug is none of them.

`code` is for programs and stable, the message for people. A door translates `kind` once.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from functools import cache
from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Kind(enum.Enum):
    """What sort of refusal it is."""

    UNKNOWN = "unknown"
    FORBIDDEN = "forbidden"
    CONFLICT = "conflict"
    PRECONDITION = "precondition"
    INVALID = "invalid"


class WorkitemError(Exception):
    """A command was refused, and nothing has changed."""

    code: ClassVar[str]
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str | Promise]

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__()

    @property
    def message(self) -> str:
        """Say the reason in a sentence, in the reader's language."""
        return str(self.text) % self.facts

    def __str__(self) -> str:
        return self.message


class UnknownWorkitem(WorkitemError):
    """No such workitem, or none that this actor may see."""

    code, kind = "not_found", Kind.UNKNOWN
    text = _("There is no workitem %(workitem_id)s.")


class MissingScope(WorkitemError):
    """The actor may see the workitem, but not do this."""

    code, kind = "scope", Kind.FORBIDDEN
    text = _("This needs the scope %(scope)s.")


class MissingTransferIn(WorkitemError):
    """The actor may not send work into the target queue."""

    code, kind = "transfer_in", Kind.FORBIDDEN
    text = _("This needs the permission to send work into %(queue)s.")


class OnlyForJobs(WorkitemError):
    """The action belongs to the system's own jobs."""

    code, kind = "job_only", Kind.FORBIDDEN
    text = _("Only the system itself does this.")


class NotYourOffer(WorkitemError):
    """The offer was made to somebody else."""

    code, kind = "not_your_offer", Kind.FORBIDDEN
    text = _("It is offered to another agent.")


class WrongState(WorkitemError):
    """The lifecycle does not allow the action from this state."""

    code = "state"
    text = _("Not possible while it is “%(state)s”.")


class WrongChannel(WorkitemError):
    """The action makes no sense on this channel."""

    code = "channel"
    text = _("Not possible on the channel “%(channel)s”.")


class StaleVersion(WorkitemError):
    """The workitem has changed since the caller looked."""

    code, kind = "stale_version", Kind.PRECONDITION
    text = _("It has changed meanwhile: it is at version %(current)s, not %(expected)s.")


class QueueClosed(WorkitemError):
    """The queue takes no new work."""

    code = "queue_closed"
    text = _("%(queue)s is closed.")


class QueueHasWork(WorkitemError):
    """A queue with work in it cannot be retired."""

    code = "queue_has_work"
    text = _("%(queue)s still has %(count)s workitems in it.")


class QueueRefusesChannel(WorkitemError):
    """The queue does not take work of this channel."""

    code = "queue_channel"
    text = _("%(queue)s does not take “%(channel)s”.")


class AlreadyInQueue(WorkitemError):
    """The target is the queue it belongs to."""

    code = "already_in_queue"
    text = _("It belongs to %(queue)s already.")


class NoQueue(WorkitemError):
    """It has no queue to go to."""

    code = "no_queue"
    text = _("It has no queue to go to.")


class AgentUnavailable(WorkitemError):
    """The person cannot be given work."""

    code = "agent_unavailable"
    text = _("%(agent)s is not an active member of a queue that can take it.")


class AlreadyWithAgent(WorkitemError):
    """The target is the agent who has it."""

    code = "already_with_agent"
    text = _("%(agent)s has it already.")


class NoAgent(WorkitemError):
    """The action needs a person as its agent."""

    code = "no_agent"
    text = _("It needs an agent.")


class OfferStillOpen(WorkitemError):
    """The deadline of the offer has not passed."""

    code = "offer_open"
    text = _("The agent still has time to answer.")


class NotStale(WorkitemError):
    """There was activity since the limit."""

    code = "not_stale"
    text = _("There was activity meanwhile.")


class IsExempt(WorkitemError):
    """Somebody has exempted it from stale policies."""

    code = "exempt"
    text = _("It is exempt from stale policies.")


class NotWarned(WorkitemError):
    """The warning that has to come first has not stood its time."""

    code = "not_warned"
    text = _("The warning has not stood its time yet.")


class OtherPolicy(WorkitemError):
    """The policy does not fit it any more, or has changed."""

    code = "other_policy"
    text = _("The policy does not hold for it any more.")


class TouchedSince(WorkitemError):
    """Somebody has changed it since the work that is to be undone."""

    code = "touched_since"
    text = _("It has been changed since.")


class WrongRunState(WorkitemError):
    """The run cannot do this from where it is."""

    code = "run_state"
    text = _("Not possible while the run is “%(state)s”.")


class NothingToDo(WorkitemError):
    """The selection is empty."""

    code = "nothing_to_do"
    text = _("There is nothing to do: no workitem is meant.")


class TooMany(WorkitemError):
    """More workitems than one run takes."""

    code = "too_many"
    text = _("There are more than %(most)s workitems; choose fewer.")


class SelectionChanged(WorkitemError):
    """Not as many workitems match as the caller has seen."""

    code = "selection_changed"
    text = _("%(current)s workitems match now, not %(expected)s; look again.")


class NotAvailable(WorkitemError):
    """The agent takes no offers now."""

    code = "agent_not_available"
    text = _("%(agent)s is “%(presence)s”.")


class NotEndedByPolicy(WorkitemError):
    """Only what a stale policy ended can be reopened."""

    code = "not_ended_by_policy"
    text = _("Only what was ended as stale can be reopened.")


class IsArchived(WorkitemError):
    """The workitem lies in the archive."""

    code = "archived"
    text = _("It is archived.")


class NotArchived(WorkitemError):
    """The workitem does not lie in the archive."""

    code = "not_archived"
    text = _("It is not archived.")


class DispositionDoesNotApply(WorkitemError):
    """The disposition is inactive, or meant for other types."""

    code = "disposition_does_not_apply"
    text = _("The disposition “%(disposition)s” does not apply to it.")


class DuplicateWorkitem(WorkitemError):
    """The public id is taken."""

    code = "duplicate"
    text = _("There is a workitem %(workitem_id)s already.")


class UnknownObject(WorkitemError):
    """No such contact, queue, disposition or agent, or none that this actor may see."""

    code, kind = "not_found", Kind.UNKNOWN
    text = _("There is no %(what)s %(id)s.")


class DuplicateObject(WorkitemError):
    """The id of a contact, queue or disposition is taken."""

    code = "duplicate"
    text = _("There is a %(what)s %(id)s already.")


class InUse(WorkitemError):
    """Workitems, or their history, refer to it."""

    code = "in_use"
    text = _("The %(what)s %(id)s is in use.")


class SameContact(WorkitemError):
    """A contact cannot be merged into itself."""

    code = "same_contact"
    text = _("A contact cannot be merged into itself.")


class ContactMerged(WorkitemError):
    """The contact went up in another one."""

    code = "contact_merged"
    text = _("%(contact)s was merged into %(kept)s meanwhile.")


class ContactErased(WorkitemError):
    """The personal data of the contact was erased for good."""

    code = "contact_erased"
    text = _("The personal data of %(contact)s was erased for good.")


class ContactHasOpenWork(WorkitemError):
    """Somebody is still at work for the contact."""

    code = "contact_has_open_work"
    text = _("There is still open work for %(contact)s: end it first.")


class MergeUndone(WorkitemError):
    """The merge was taken back before."""

    code = "merge_undone"
    text = _("The merge %(merge)s has been undone already.")


class InvalidSearch(WorkitemError):
    """A search cannot be understood, or costs more than it may.

    `position` counts characters from 0; `suggestion` is what was perhaps meant, or ``""``.
    """

    code, kind = "search", Kind.INVALID
    text = "%(problem)s"

    def __init__(self, problem: object, *, position: int = 0, suggestion: str = "") -> None:
        super().__init__(problem=problem, position=position, suggestion=suggestion)


class TooManyRows(WorkitemError):
    """More rows than one file takes."""

    code = "too_many_rows"
    text = _("There are more than %(most)s rows; narrow the list with a filter.")


class ListClosed(WorkitemError):
    """The list that was asked for is not open to this person, or not any more."""

    code, kind = "list_closed", Kind.FORBIDDEN
    text = _("You may not see this list any more.")


class InvalidValue(WorkitemError):
    """A value cannot be used, whatever the workitem."""

    code, kind = "invalid", Kind.INVALID
    text = "%(problem)s"

    @property
    def field(self) -> str:
        """The wire name of the field at fault."""
        return str(self.facts["field"])


def message_of(code: str, facts: Mapping[str, str]) -> str:
    """Return the sentence of a workitem's refusal that was kept as a code and its facts."""
    kind = _by_code().get(code)
    return kind(**facts).message if kind else code


@cache
def _by_code() -> dict[str, type[WorkitemError]]:
    found: dict[str, type[WorkitemError]] = {}
    kinds = [WorkitemError]
    while kinds:
        kind = kinds.pop(0)  # of several with the same code the first, which is about workitems
        kinds.extend(kind.__subclasses__())
        if hasattr(kind, "code"):
            found.setdefault(kind.code, kind)
    return found
