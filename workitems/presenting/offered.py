"""The one table of what people can do to a workitem, beside transfers, which have a dialog of their own.

The pages of an item of both doors, the back office's menu and the dialogs of many read it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy

from workitems.choices import Action
from workitems.commands import Accept, Bridge, Command, LeaveConference, Mute, Pull, Reject, Reopen, Unmute
from workitems.presenting.action_forms import (
    ActionForm,
    AnswerForm,
    ConferenceForm,
    DispositionForm,
    DtmfForm,
    EditForm,
    ExemptForm,
    HangUpForm,
    NoteForm,
    OfferForm,
    PriorityForm,
    PurgeForm,
    ReturnToQueueForm,
    Text,
)


def _form_of(action: Action) -> type[ActionForm]:
    """Return the form of an action of which there is nothing to say."""
    return type(f"{action.name.title().replace('_', '')}Form", (ActionForm,), {"action": action})


@dataclass(frozen=True)
class Offered:
    """One action as the pages offer it.

    `asks` is whether a dialog comes first, to fill in or to answer; what does not ask is done at once. `can_undo` is
    whether the former state can be restored exactly, `consequence` what the dialog says of it.
    """

    form: type[ActionForm]
    icon: str
    consequence: Text
    can_undo: bool = False
    asks: bool = True
    on_many: bool = True

    @property
    def action(self) -> Action:
        """The action itself."""
        return self.form.action

    @property
    def label(self) -> str:
        """The action in a word or two."""
        return str(self.action.label)

    @property
    def word(self) -> Text:
        """The word that has to be typed first, or ``""``."""
        return self.form.word

    @property
    def menu_label(self) -> str:
        """The action as menus and buttons name it: three dots say that a dialog comes first."""
        return f"{self.label}…" if self.asks else self.label


def _simple(action: Action, makes: type[Command], icon: str, consequence: Text) -> Offered:
    """Return an action that is given nothing, on one item only."""
    form = type(f"{makes.__name__}Form", (ActionForm,), {"action": action, "command": lambda self: makes()})
    return Offered(form, icon, consequence, asks=False, on_many=False)


# in the order in which menus show them
OFFERED: dict[Action, Offered] = {
    one.action: one
    for one in (
        Offered(OfferForm, "person_add", gettext_lazy("The agent is asked, and has the queue's time to answer."),
                on_many=False),
        _simple(Action.PULL, Pull, "pan_tool", gettext_lazy("It is yours.")),
        _simple(Action.ACCEPT, Accept, "check", gettext_lazy("It is in the hands of the agent who was asked.")),
        _simple(Action.REJECT, Reject, "close", gettext_lazy("It goes back to its place in the queue.")),
        _simple(Action.BRIDGE, Bridge, "play_arrow", gettext_lazy("The conversation begins.")),
        Offered(_form_of(Action.HOLD), "pause", gettext_lazy("The customer waits on hold."), can_undo=True, asks=False),
        Offered(_form_of(Action.UNHOLD), "play_arrow", gettext_lazy("The conversation goes on."), can_undo=True,
                asks=False),
        _simple(Action.MUTE, Mute, "mic_off", gettext_lazy("The customer does not hear the agent.")),
        _simple(Action.UNMUTE, Unmute, "mic", gettext_lazy("The customer hears the agent again.")),
        Offered(DtmfForm, "dialpad", gettext_lazy("The keys are pressed in the call."), on_many=False),
        Offered(ConferenceForm, "group_add", gettext_lazy("Somebody else is brought in."), on_many=False),
        _simple(Action.LEAVE_CONFERENCE, LeaveConference, "group_remove", gettext_lazy("Agent and customer remain.")),
        Offered(AnswerForm, "reply", gettext_lazy("The mail goes out at once. This cannot be undone."), on_many=False),
        Offered(ReturnToQueueForm, "undo",
                gettext_lazy("Work is taken from its agent and waits in its queue. This cannot be undone.")),
        Offered(HangUpForm, "call_end", gettext_lazy("Whoever is on the line is cut off. This cannot be undone.")),
        Offered(PriorityForm, "priority_high", gettext_lazy("Handed out sooner or later than other work."),
                can_undo=True),
        Offered(DispositionForm, "task_alt", gettext_lazy("The wrap-up is over. This cannot be undone.")),
        Offered(NoteForm, "edit_note", gettext_lazy("Written into the timeline. This cannot be undone.")),
        Offered(EditForm, "edit", gettext_lazy("The timeline keeps what was there before."), can_undo=True,
                on_many=False),
        Offered(ExemptForm, "timer_off", gettext_lazy("Stale policies keep off until then.")),
        _simple(Action.REOPEN, Reopen, "restart_alt", gettext_lazy("It waits in its queue again, at its old place.")),
        Offered(_form_of(Action.ARCHIVE), "archive", gettext_lazy("Moved out of the ordinary lists, into the archive."),
                can_undo=True),
        Offered(_form_of(Action.UNARCHIVE), "unarchive",
                gettext_lazy("Moved out of the archive, back into the ordinary lists."), can_undo=True),
        Offered(PurgeForm, "delete_forever",
                gettext_lazy("Deleted with its history, for good. This cannot be undone.")),
    )
}  # fmt: skip
ON_MANY: dict[Action, Offered] = {action: one for action, one in OFFERED.items() if one.on_many}
