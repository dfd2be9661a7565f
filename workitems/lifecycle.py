"""The lifecycle: what may happen to a workitem, from which state, by whom.

The one table that the executor, the wire's `actions`, buttons, admin actions and documents read. What depends on the
parameters of a command (is the target queue open?) stands with the command.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from queues.channels import Channel
from workitems.actors import Actor, Standing
from workitems.choices import ENDED, OPEN, WITH_AGENT, Action, EndedBy, Event, Scope, State
from workitems.errors import (
    IsArchived,
    MissingScope,
    NoAgent,
    NoQueue,
    NotArchived,
    NotEndedByPolicy,
    NotYourOffer,
    OnlyForJobs,
    WorkitemError,
    WrongChannel,
    WrongState,
)

Rule = Callable[[Standing, Actor], WorkitemError | None]


def only_who_was_asked(workitem: Standing, actor: Actor) -> WorkitemError | None:
    """Require the agent to whom the offer was made, or the admin scope."""
    asked = actor.user is not None and actor.user.pk == workitem.agent_id
    return None if asked or actor.can(Scope.ADMIN, workitem) else NotYourOffer()


def only_people(workitem: Standing, actor: Actor) -> WorkitemError | None:
    """Require a person: whoever takes a workitem becomes its agent."""
    return None if actor.user is not None else NoAgent()


def only_ended_by_policy(workitem: Standing, actor: Actor) -> WorkitemError | None:
    """Require that a policy ended it: what people ended stays ended."""
    if workitem.archived_at is not None:
        return IsArchived()
    if workitem.ended_by != EndedBy.POLICY:
        return NotEndedByPolicy()
    return NoQueue() if workitem.queue_id is None else None


def only_from_a_queue(workitem: Standing, actor: Actor) -> WorkitemError | None:
    """Require that it came from a queue."""
    return NoQueue() if workitem.queue_id is None else None


def not_archived(workitem: Standing, actor: Actor) -> WorkitemError | None:
    """Require that it does not lie in the archive."""
    return IsArchived() if workitem.archived_at is not None else None


def archived(workitem: Standing, actor: Actor) -> WorkitemError | None:
    """Require that it lies in the archive."""
    return NotArchived() if workitem.archived_at is None else None


@dataclass(frozen=True)
class Move:
    """One line of the table; `target` None leaves the state as it is."""

    sources: tuple[State, ...]
    target: State | None
    event: Event | None  # None: nothing is left to carry one
    scope: Scope = Scope.WRITE
    channels: tuple[Channel, ...] = tuple(Channel)
    rule: Rule | None = None
    by_system: bool = False


SPOKEN = (Channel.VOICE, Channel.VIDEO_MEETING)
LIVE = (*SPOKEN, Channel.CHAT)
TALKING = (State.ACTIVE, State.CONFERENCE)
EVERY_STATE = tuple(State)

MOVES: dict[Action, Move] = {
    Action.CREATE: Move((), State.INQUEUE, Event.CREATED),  # outbound work starts as accepted
    Action.OFFER: Move((State.INQUEUE,), State.OFFERED, Event.OFFERED),
    Action.ACCEPT: Move((State.OFFERED,), State.ACCEPTED, Event.ACCEPTED, rule=only_who_was_asked),
    Action.REJECT: Move((State.OFFERED,), State.INQUEUE, Event.REJECTED),
    Action.EXPIRE_OFFER: Move((State.OFFERED,), State.INQUEUE, Event.OFFER_EXPIRED, by_system=True),
    Action.RETURN_TO_QUEUE: Move(WITH_AGENT, State.INQUEUE, Event.RETURNED, rule=only_from_a_queue),
    Action.PULL: Move((State.INQUEUE,), State.ACCEPTED, Event.PULLED, rule=only_people),
    Action.BRIDGE: Move((State.ACCEPTED,), State.ACTIVE, Event.ACTIVATED),
    Action.HOLD: Move((State.ACTIVE,), State.HOLD, Event.HELD, channels=LIVE),
    Action.UNHOLD: Move((State.HOLD,), State.ACTIVE, Event.RESUMED, channels=LIVE),
    Action.MUTE: Move(TALKING, None, Event.MUTED, channels=SPOKEN),
    Action.UNMUTE: Move(TALKING, None, Event.UNMUTED, channels=SPOKEN),
    Action.DTMF: Move(TALKING, None, Event.TONES_SENT, channels=(Channel.VOICE,)),
    Action.CONFERENCE: Move((State.ACTIVE, State.HOLD), State.CONFERENCE, Event.CONFERENCED, channels=SPOKEN),
    Action.LEAVE_CONFERENCE: Move((State.CONFERENCE,), State.ACTIVE, Event.CONFERENCE_LEFT, channels=SPOKEN),
    Action.HANGUP: Move(OPEN, State.TERMINATED, Event.TERMINATED),
    Action.TRANSFER: Move(OPEN, State.INQUEUE, Event.TRANSFERRED),  # to an agent: offered
    Action.PRIORITY: Move(OPEN, None, Event.PRIORITIZED),
    Action.SEND_EMAIL_RESPONSE: Move(
        (State.ACCEPTED, State.ACTIVE), None, Event.EMAIL_ANSWERED, channels=(Channel.EMAIL,)
    ),
    Action.EDIT: Move(EVERY_STATE, None, Event.EDITED),
    Action.NOTE: Move(EVERY_STATE, None, Event.NOTED),
    Action.DISPOSITION: Move((State.TERMINATED,), State.DISPOSITIONED, Event.DISPOSITIONED),
    Action.EXEMPT: Move((*OPEN, State.TERMINATED), None, Event.EXEMPTED, rule=not_archived),
    Action.WARN_STALE: Move((*OPEN, State.TERMINATED), None, Event.STALE_WARNED, by_system=True),
    Action.TERMINATE_STALE: Move(OPEN, State.TERMINATED, Event.TERMINATED_STALE, by_system=True),
    Action.REOPEN: Move(
        (State.TERMINATED,), State.INQUEUE, Event.REOPENED, scope=Scope.ADMIN, rule=only_ended_by_policy
    ),
    Action.ARCHIVE: Move(ENDED, None, Event.ARCHIVED, scope=Scope.DELETE, rule=not_archived),
    Action.UNARCHIVE: Move(ENDED, None, Event.UNARCHIVED, scope=Scope.DELETE, rule=archived),
    Action.PURGE: Move(ENDED, None, None, scope=Scope.ADMIN, rule=archived),
}
ITEM_ACTIONS = tuple(action for action in MOVES if action is not Action.CREATE)


def refusal(action: Action, workitem: Standing, actor: Actor) -> WorkitemError | None:
    """Return why this actor may not do this to this workitem now, or None where he may."""
    move = MOVES[action]
    if move.by_system and not actor.is_system:
        return OnlyForJobs()
    if not actor.can(move.scope, workitem):
        return MissingScope(scope=move.scope.value)
    if workitem.channel_type not in move.channels:
        return WrongChannel(channel=Channel(workitem.channel_type).label)
    if workitem.state not in move.sources:
        return WrongState(state=State(workitem.state).label)
    return move.rule(workitem, actor) if move.rule else None


def available(workitem: Standing, actor: Actor) -> list[Action]:
    """Return what this actor may do to this workitem now."""
    return [action for action in ITEM_ACTIONS if refusal(action, workitem, actor) is None]
