"""One action, other than a transfer, on many workitems: previewed, written down as rows, worked off, taken back.

runs.py works the rows off; here stands which actions there are, what each is given, and which can be taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.utils.translation import gettext as _

from contacts.models import Contact
from workitems import lifecycle, requested, runs, selections, services
from workitems.actors import Actor
from workitems.choices import Action, EndedBy
from workitems.commands import (
    AddNote,
    Archive,
    Command,
    Edit,
    Exempt,
    FollowContact,
    HangUp,
    Hold,
    Purge,
    ReturnToQueue,
    SetDisposition,
    SetPriority,
    Unarchive,
    Unhold,
)
from workitems.commands.undoing import UndoArchive, UndoEdit, UndoHold, UndoPriority, UndoUnarchive, UndoUnhold
from workitems.errors import InvalidValue, WorkitemError, WrongRunState
from workitems.models import (
    FINISHED,
    BulkChunk,
    BulkItem,
    BulkRun,
    Disposition,
    RunItem,
    TimeEvent,
    Workitem,
)
from workitems.outcomes import Forecast, Outcome
from workitems.selections import Selection

Arguments = Mapping[str, Any]


def command_of(action: Action, arguments: Arguments) -> Command:
    """Return what is done to each workitem; raise InvalidValue where that makes no sense, whatever the workitem.

    The arguments are what a run keeps: codes and public ids, under their wire names.
    """
    if action not in COMMANDS:
        raise InvalidValue(field="action", problem=_("This cannot be done to many workitems."))
    return COMMANDS[action](arguments)


def preview(
    action: Action, arguments: Arguments, selection: Selection, *, actor: Actor, now: datetime
) -> selections.Preview:
    """Return what would be done and what would be refused and why, and what has changed; write nothing."""
    command, parts = command_of(action, arguments), selection.parts(actor)
    forecast = Forecast()
    for part in parts:
        forecast.add(_forecast(command, part, actor, now))
    return selections.preview(selection, parts, forecast)


def request(
    action: Action,
    arguments: Arguments,
    selection: Selection,
    *,
    actor: Actor,
    now: datetime,
    expected: int | None = None,
) -> BulkRun:
    """Write down that this is to be done to these workitems, as they are chosen now, on the actor's behalf.

    `Action.EDIT` takes `{"contactId": "ct_…"}`, with None for nobody, and other wire names that an edit knows. The run
    is worked off by `do_at_once`, by tasks.wake_bulk or by the beat; `undo` takes it back. `expected` is how many the
    person has seen; raises SelectionChanged where there are others by now, NothingToDo and TooMany.
    """
    command_of(action, arguments)
    framed = requested.frame(actor, now)

    def write() -> BulkRun:
        run = BulkRun.objects.create(action=action.value, arguments=dict(arguments), query=selection.query, **framed)
        selections.freeze(run, BulkItem, selection, actor)
        selections.close(run, BulkItem, expected)
        return run

    return services.in_transaction(write)


def do_at_once(run: BulkRun, *, actor: Actor, clock: runs.Clock) -> list[Workitem]:
    """Work off a small run while the person waits, through the door by which he has come in; return what changed."""

    def act(run: BulkRun, items: Sequence[RunItem], now: datetime) -> Outcome:
        return _do(run, items, actor, now)

    return requested.do_at_once(BULK_RUNS, run, act, clock=clock)


def undo(run: BulkRun, *, actor: Actor, now: datetime) -> BulkRun:
    """Write down that what a finished run has done is to be taken back, as far as nobody has touched it since.

    The new run's total says how many these are. Of an edit, each item goes back whose fields still say what the run
    made of them, whatever else has happened to it.
    """
    framed = requested.frame(actor, now)
    requested.check_owns(run, actor)
    if not can_be_undone(run):
        raise WrongRunState(state=run.get_state_display())

    def write() -> BulkRun:
        action, _command = UNDOING[Action(run.action)]
        undoing = BulkRun.objects.create(action=action.value, undoes=run, **framed)
        selections.copy(undoing, BulkItem, undoable(run).values_list("workitem_id"))
        selections.close(undoing, BulkItem, None)
        return undoing

    return services.in_transaction(write)


def can_be_undone(run: BulkRun) -> bool:
    """Tell whether the run has done something whose former state can be restored exactly.

    An undo is not undone, and of what follows a merged contact the merge is.
    """
    is_final = run.undoes_id is not None or "mergeId" in run.arguments
    return run.state in FINISHED and run.done > 0 and not is_final and Action(run.action) in UNDOING


def undoable(run: BulkRun) -> QuerySet[BulkItem]:
    """Return the items that the run has changed and that can go back: those that nobody has touched since."""
    by_run = TimeEvent.objects.filter(
        workitem__workitem_id=OuterRef("workitem_id"),
        version=OuterRef("version"),
        user=run.requested_by_id,
        request_id=run.request_id,
    )
    done = run.items.filter(Exists(by_run), outcome=RunItem.Outcome.DONE).order_by("pk")
    if run.action == Action.EDIT:
        return done
    version = Workitem.objects.filter(workitem_id=OuterRef("workitem_id")).values("version")
    return done.alias(current=Subquery(version)).filter(current=F("version"))


def visible_to(actor: Actor) -> QuerySet[BulkRun]:
    """Return the runs that somebody may see: his own, and all of them with the admin scope everywhere."""
    return requested.visible_to(BulkRun.objects.select_related("requested_by", "undoes"), actor)


def _forecast(command: Command, rows: QuerySet[Workitem], actor: Actor, now: datetime) -> Forecast:
    """Decide once what is alike in all that these actions look at: few queries and few decisions, however many rows.

    All rows are such that the actor sees them.
    """
    command, forecast = command.fresh(), Forecast()
    mine = actor.user.pk if actor.user is not None else None
    yes, no = Value(True), Value(False)
    kinds = (
        rows.order_by()
        .annotate(
            is_mine=Case(When(Q(agent=mine, agent__isnull=False), then=yes), default=no, output_field=BooleanField()),
            is_kept=Case(When(archived_at__isnull=False, then=yes), default=no, output_field=BooleanField()),
        )
        .values_list("state", "channel_type", "queue_id", "ended_by", "type", "is_mine", "is_kept")
        .annotate(Count("pk"), Min("workitem_id"), Max("workitem_id"))
    )
    for state, channel, queue, ended_by, kind, is_mine, is_kept, count, first, last in kinds:
        workitem = Workitem(
            workitem_id=first,
            state=state,
            channel_type=channel,
            queue_id=queue,
            ended_by=ended_by,
            type=kind,
            agent_id=mine if is_mine else None,
            archived_at=now if is_kept else None,
        )
        forecast.count(_refusal(command, workitem, actor, now), count, [first, last])
    return forecast


def _refusal(command: Command, workitem: Workitem, actor: Actor, now: datetime) -> WorkitemError | None:
    refusal = lifecycle.refusal(command.action, workitem, actor)
    if isinstance(refusal, WorkitemError):
        is_settled = workitem.state == command.target(workitem) and command.already(workitem)
        return None if is_settled and refusal.code == "state" else refusal
    try:
        command.check(workitem, actor, now)
    except WorkitemError as found:
        return found
    return None


def _act(run: BulkRun, items: Sequence[RunItem], now: datetime) -> Outcome:
    """Do a chunk with the rights that the requester, read with it, has now."""
    return _do(run, items, requested.actor_of(run), now)


def _do(run: BulkRun, items: Sequence[RunItem], actor: Actor, now: datetime) -> Outcome:
    ids = [item.workitem_id for item in items]
    try:
        command = _command(run, ids)
    except WorkitemError as refusal:  # what it names is gone
        return Outcome(refused=dict.fromkeys(ids, refusal))
    return services.execute_many(command, ids, actor=actor, now=now)


def _command(run: BulkRun, ids: Sequence[str]) -> Command:
    if run.undoes is None:
        return command_of(Action(run.action), run.arguments)
    undone = run.undoes
    left = undone.items.filter(workitem_id__in=ids).values_list("workitem_id", "version")
    _action, command = UNDOING[Action(undone.action)]
    return command({one: version for one, version in left if version is not None})


def _hang_up(arguments: Arguments) -> Command:
    return HangUp(EndedBy(arguments["reason"]))


def _return_to_queue(arguments: Arguments) -> Command:
    only_from = None
    if "onlyFrom" in arguments:  # what somebody else has got meanwhile stays with him
        only_from = User.objects.filter(username=arguments["onlyFrom"]).first()
        if only_from is None:
            raise InvalidValue(field="onlyFrom", problem=_("There is no such agent."))
    return ReturnToQueue(keeps_place=arguments.get("place", "old") == "old", only_from=only_from)


def _set_priority(arguments: Arguments) -> Command:
    return SetPriority(arguments["priority"])


def _set_disposition(arguments: Arguments) -> Command:
    found = Disposition.objects.filter(disposition_id=arguments["dispositionId"]).first()
    if found is None:
        raise InvalidValue(field="dispositionId", problem=_("There is no such disposition."))
    return SetDisposition(found, arguments.get("note", ""))


def _add_note(arguments: Arguments) -> Command:
    return AddNote(arguments["text"])


def _exempt(arguments: Arguments) -> Command:
    until = arguments["until"]
    return Exempt(None if until is None else datetime.fromtimestamp(until / 1000, UTC))


def _edit(arguments: Arguments) -> Command:
    if "mergeId" in arguments:  # workitems follow their contact, which was merged into another one
        former, contact = _contact(arguments["formerContactId"]), _contact(arguments["contactId"])
        return FollowContact(former, contact, arguments["mergeId"])
    changes = {name: value for name, value in arguments.items() if name != "contactId"}
    if "contactId" in arguments:
        changes["contact"] = _contact(arguments["contactId"]) if arguments["contactId"] is not None else None
    return Edit(changes)


def _contact(contact_id: str) -> Contact:
    found = Contact.objects.filter(contact_id=contact_id).first()
    if found is None:
        raise InvalidValue(field="contactId", problem=_("There is no such contact."))
    return found


COMMANDS: dict[Action, Callable[[Arguments], Command]] = {
    Action.HOLD: lambda arguments: Hold(),
    Action.UNHOLD: lambda arguments: Unhold(),
    Action.RETURN_TO_QUEUE: _return_to_queue,
    Action.HANGUP: _hang_up,
    Action.PRIORITY: _set_priority,
    Action.DISPOSITION: _set_disposition,
    Action.NOTE: _add_note,
    Action.EDIT: _edit,
    Action.EXEMPT: _exempt,
    Action.ARCHIVE: lambda arguments: Archive(),
    Action.UNARCHIVE: lambda arguments: Unarchive(),
    Action.PURGE: lambda arguments: Purge(),
}

# what takes each back exactly, given the versions at which its run has left the workitems
UNDOING: dict[Action, tuple[Action, Callable[[Mapping[str, int]], Command]]] = {
    Action.HOLD: (Action.UNHOLD, UndoHold),
    Action.UNHOLD: (Action.HOLD, UndoUnhold),
    Action.ARCHIVE: (Action.UNARCHIVE, UndoArchive),
    Action.UNARCHIVE: (Action.ARCHIVE, UndoUnarchive),
    Action.PRIORITY: (Action.PRIORITY, UndoPriority),
    Action.EDIT: (Action.EDIT, UndoEdit),
}

BULK_RUNS: runs.Kind[BulkRun] = runs.Kind(BulkRun, BulkItem, BulkChunk, _act)

pause, resume = partial(requested.pause, BULK_RUNS), partial(requested.resume, BULK_RUNS)
cancel, retry = partial(requested.cancel, BULK_RUNS), partial(requested.retry, BULK_RUNS)
