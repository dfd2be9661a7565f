"""What can be done to one workitem: a button for each action, or the reason why not, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from workitems import bulk, services
from workitems.actors import Actor
from workitems.choices import Action, Event
from workitems.commands import Command, Mute, UndoTransfer, Unmute
from workitems.lifecycle import MOVES
from workitems.models import TimeEvent, Workitem
from workitems.presenting.action_forms import ActionForm
from workitems.presenting.offered import OFFERED, Offered

UNDO_FOR = timedelta(minutes=15)
# has a dialog of its own
ELSEWHERE = {Action.TRANSFER: "move_up"}
ICON = "bolt"

# what takes exactly back what an event tells of, as long as nothing else has happened; it is given the version by id
BACK: Mapping[str, Callable[[Mapping[str, int]], Command]] = {
    Event.HELD: bulk.UNDOING[Action.HOLD][1],
    Event.RESUMED: bulk.UNDOING[Action.UNHOLD][1],
    Event.ARCHIVED: bulk.UNDOING[Action.ARCHIVE][1],
    Event.UNARCHIVED: bulk.UNDOING[Action.UNARCHIVE][1],
    Event.PRIORITIZED: bulk.UNDOING[Action.PRIORITY][1],
    Event.EDITED: bulk.UNDOING[Action.EDIT][1],
    Event.TRANSFERRED: UndoTransfer,
    Event.MUTED: lambda versions: Unmute(),
    Event.UNMUTED: lambda versions: Mute(),
}


@dataclass(frozen=True)
class Button:
    """An action that is possible now; `form` where there is something to fill in or to answer first."""

    action: Action
    icon: str
    consequence: str = ""
    form: ActionForm | None = None
    error: str = ""

    @property
    def is_open(self) -> bool:
        """Tell whether its form lies open: once something was wrong in it."""
        return bool(self.error) or (self.form is not None and self.form.is_bound)


@dataclass(frozen=True)
class Impossible:
    """Actions that are not possible now, for one and the same reason."""

    reason: str
    buttons: list[Button]


@dataclass(frozen=True)
class Undo:
    """The last thing that happened, which the person himself did a moment ago and may take back."""

    event: TimeEvent
    command: Command


@dataclass(frozen=True)
class Tried:
    """A form that was sent and not done, with what was wrong beside what its fields tell themselves."""

    form: ActionForm
    error: str = ""


def forms_of(offered: Offered, workitem: Workitem, actor: Actor, data: Mapping[str, str] | None = None) -> ActionForm:
    """Return the form of an action for this workitem."""
    return offered.form(data, actor=actor, workitem=workitem, auto_id=f"{offered.action.value}_%s")


def at_once(offered: Offered, form: ActionForm) -> bool:
    """Tell whether one click does it: there is nothing to say, and it can be taken back or is harmless."""
    return not form.fields and (offered.can_undo or not offered.asks)


def reasons_for(workitem: Workitem, actor: Actor) -> dict[Action, str]:
    """Return the actions of people, each with why not, or ``""`` where it would change something now."""
    reasons = {}
    for action, refusal in services.explain(workitem, actor).items():
        if MOVES[action].by_system:
            continue  # what only jobs do is not shown to people at all
        reasons[action] = refusal.message if refusal else _is_so(action, workitem, actor)
    return {action: reasons[action] for action in _in_order(reasons)}


def possible(
    reasons: Mapping[Action, str], workitem: Workitem, actor: Actor, tried: Tried | None = None
) -> list[Button]:
    """Return a button for each action that the person may take now, and for the one that he has just tried."""
    shown = []
    for action, reason in reasons.items():
        if tried is not None and tried.form.action is action:
            shown.append(_button(action, tried.form, tried.error))
        elif not reason:
            offered = OFFERED.get(action)
            form = forms_of(offered, workitem, actor) if offered else None
            shown.append(_button(action, None if offered and form and at_once(offered, form) else form))
    return shown


def impossible(reasons: Mapping[Action, str]) -> list[Impossible]:
    """Return the other actions by the reason why not."""
    grouped: dict[str, list[Button]] = {}
    for action, reason in reasons.items():
        if reason:
            grouped.setdefault(reason, []).append(_button(action))
    return [Impossible(reason, buttons) for reason, buttons in grouped.items()]


def version_in(posted: Mapping[str, str]) -> int:
    """Return the version of the workitem that the person saw; 0, which none ever has, where he does not say."""
    typed = posted.get("version", "")
    return int(typed) if typed.isdecimal() and len(typed) < 10 else 0


def undo_of(workitem: Workitem, actor: Actor, now: datetime) -> Undo | None:
    """Return how the person may take back what he did last, or None where there is nothing of that kind."""
    if actor.user is None or workitem.modified_at <= now - UNDO_FOR:
        return None
    event = TimeEvent.objects.filter(workitem=workitem, version=workitem.version, user=actor.user).first()
    if event is None or event.type not in BACK or event.timestamp <= now - UNDO_FOR:
        return None
    command = BACK[event.type]({workitem.workitem_id: workitem.version})
    refusal = services.explain_command(command, workitem, actor, now)
    return Undo(event, command) if refusal is None else None


def _is_so(action: Action, workitem: Workitem, actor: Actor) -> str:
    """Say where one click would change nothing: asked for what already is, a command succeeds and writes nothing."""
    offered = OFFERED.get(action)
    form = forms_of(offered, workitem, actor) if offered and not offered.asks else None
    is_so = form is not None and not form.fields and form.command().already(workitem)
    return _("It is so already.") if is_so else ""


def _in_order(actions: Iterable[Action]) -> list[Action]:
    """Return the actions with the transfer first, then as menus have them."""
    order = {action: place for place, action in enumerate([Action.TRANSFER, *OFFERED])}
    return sorted(actions, key=lambda action: order.get(action, len(order)))


def _button(action: Action, form: ActionForm | None = None, error: str = "") -> Button:
    offered = OFFERED.get(action)
    if offered is None:
        return Button(action, ELSEWHERE.get(action, ICON), error=error)
    return Button(action, offered.icon, str(offered.consequence), form, error)
