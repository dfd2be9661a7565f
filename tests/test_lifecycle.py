"""State by action, written out by hand from the contract and never computed from the code."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from queues.models import Queue
from tests.builders import LATER, NOON, facts_of, last_event, make_disposition, make_workitem
from workitems import commands, services
from workitems.actors import Actor
from workitems.choices import Action, EndedBy, State, Type
from workitems.errors import WorkitemError, WrongChannel, WrongState
from workitems.lifecycle import MOVES, available
from workitems.models import Workitem

MINUTE = timedelta(minutes=1)
BY_SYSTEM = {"expireOffer", "requeueStale", "disposeStale", "warnStale", "terminateStale"}
STATES = ["inqueue", "offered", "accepted", "active", "hold", "conference", "terminated", "dispositioned"]

# "." refused for its state, "=" allowed and nothing to write, else the state it leads to (its first letters).
VOICE = """
                    inqueue offered accepted active hold conference terminated dispositioned
offer               offered .       .        .      .    .          .          .
accept              .       accepted .       .      .    .          .          .
reject              .       inqueue .        .      .    .          .          .
expireOffer         .       inqueue .        .      .    .          .          .
handBack            .       inqueue .        .      .    .          .          .
returnToQueue       .       inqueue inqueue  inqueue inqueue inqueue .         .
requeueStale        .       inqueue inqueue  inqueue inqueue inqueue .         .
pull                accepted .      .        .      .    .          .          .
bridge              .       .       active   .      .    .          .          .
hold                .       .       .        hold   =    .          .          .
unhold              .       .       .        =      active .        .          .
mute                .       .       .        active .    conference .          .
unmute              .       .       .        =      .    =          .          .
dtmf                .       .       .        active .    conference .          .
conference          .       .       .        conference conference . .         .
leaveConference     .       .       .        .      .    active     .          .
hangup              terminated terminated terminated terminated terminated terminated . .
transferToQueue     inqueue inqueue inqueue  inqueue inqueue inqueue .         .
transferToAgent     offered offered offered  offered offered offered .         .
priority            inqueue offered accepted active hold conference .          .
edit                inqueue offered accepted active hold conference terminated dispositioned
note                inqueue offered accepted active hold conference terminated dispositioned
disposition         .       .       .        .      .    .          dispositioned .
disposeStale        .       .       .        .      .    .          dispositioned .
exempt              inqueue offered accepted active hold conference terminated .
warnStale           inqueue offered accepted active hold conference terminated .
terminateStale      terminated terminated terminated terminated terminated terminated . .
reopen              .       .       .        .      .    .          inqueue    .
archive             .       .       .        .      .    .          terminated dispositioned
unarchive           .       .       .        .      .    .          terminated dispositioned
purge               .       .       .        .      .    .          gone       gone
"""
EMAIL = """
                    inqueue offered accepted active terminated dispositioned
bridge              .       .       active   .      .          .
sendEmailResponse   .       .       accepted active .          .
hangup              terminated terminated terminated terminated . .
"""
# what shows that somebody cares, so that a policy's clock begins anew; all else leaves the clock alone
ACTIVITY = """
offer accept reject expireOffer handBack returnToQueue requeueStale pull bridge hold unhold mute unmute dtmf conference
leaveConference hangup transferToQueue transferToAgent sendEmailResponse note disposition disposeStale terminateStale
reopen
"""
NO_ACTIVITY = "priority edit exempt warnStale archive unarchive"
NOT_ON_EMAIL = ["hold", "unhold", "mute", "unmute", "dtmf", "conference", "leaveConference"]


def cells(table: str) -> list[tuple[str, str, str]]:
    header, *rows = [line.split() for line in table.strip().splitlines()]
    return [(row[0], state, cell) for row in rows for state, cell in zip(header, row[1:], strict=True)]


@pytest.fixture
def every_command(ann: User, ben: User, sales: Queue) -> dict[str, commands.Command]:
    return {
        "offer": commands.Offer(ben),
        "accept": commands.Accept(),
        "reject": commands.Reject(),
        "expireOffer": commands.ExpireOffer(),
        "pull": commands.Pull(),
        "bridge": commands.Bridge(),
        "hold": commands.Hold(),
        "unhold": commands.Unhold(),
        "mute": commands.Mute(),
        "unmute": commands.Unmute(),
        "dtmf": commands.Dtmf("1"),
        "conference": commands.Conference("+442079460123"),
        "leaveConference": commands.LeaveConference(),
        "hangup": commands.HangUp(),
        "handBack": commands.HandBack(ann),
        "returnToQueue": commands.ReturnToQueue(),
        "requeueStale": commands.RequeueStale(stale=commands.Stale(MINUTE)),
        "transferToQueue": commands.TransferToQueue(sales),
        "transferToAgent": commands.TransferToAgent(ben),
        "priority": commands.SetPriority(5),
        "sendEmailResponse": commands.SendEmailResponse(
            from_address="help@example.com", to_addresses=("a@example.com",), text="Here it is."
        ),
        "edit": commands.Edit({"name": "New"}),
        "note": commands.AddNote("Called back."),
        "disposition": commands.SetDisposition(make_disposition()),
        "disposeStale": commands.DisposeStale(make_disposition("d_silent"), stale=commands.Stale(MINUTE)),
        "exempt": commands.Exempt(LATER + MINUTE),
        "warnStale": commands.WarnStale(commands.Stale(MINUTE), warning=MINUTE),
        "terminateStale": commands.TerminateStale(commands.Stale(MINUTE)),
        "reopen": commands.Reopen(),
        "archive": commands.Archive(),
        "unarchive": commands.Unarchive(),
        "purge": commands.Purge(),
    }


@pytest.fixture
def somebody(amy: User, system: Actor, admin_actor: Actor) -> dict[str, Actor]:
    return {"system": system, "person": admin_actor}


def item_in(state: str, action: str, queue: Queue, ann: User, kind: Type = Type.INBOUND_CALL) -> Workitem:
    """Return a workitem in a state, with what the action needs beside the state."""
    agent = None if state == "inqueue" else ann
    facts = {"ended_by": EndedBy.POLICY} if action == "reopen" and state == "terminated" else {}
    if action in ("unarchive", "purge") and state in ("terminated", "dispositioned"):
        facts["archived_at"] = LATER
    return make_workitem(State(state), queue=queue, agent=agent, type=kind, **facts)


def actor_for(action: str, somebody: dict[str, Actor]) -> Actor:
    return somebody["system" if action in BY_SYSTEM else "person"]


@pytest.mark.parametrize(("action", "state", "expected"), cells(VOICE))
def test_a_call_goes_where_the_table_says(action, state, expected, every_command, somebody, queue, ann):
    check_cell(action, state, expected, every_command, somebody, queue, ann, Type.INBOUND_CALL)


@pytest.mark.parametrize(("action", "state", "expected"), cells(EMAIL))
def test_an_email_goes_where_the_table_says(action, state, expected, every_command, somebody, queue, ann):
    check_cell(action, state, expected, every_command, somebody, queue, ann, Type.INBOUND_EMAIL)


def check_cell(action, state, expected, every_command, somebody, queue, ann, kind):
    item = item_in(state, action, queue, ann, kind)
    before, actor = facts_of(item), actor_for(action, somebody)
    now = LATER + timedelta(seconds=1)
    if expected == ".":
        with pytest.raises(WrongState):
            services.execute(every_command[action], item.workitem_id, actor=actor, now=now)
        assert facts_of(item) == before
    elif expected == "=":
        services.execute(every_command[action], item.workitem_id, actor=actor, now=now)
        assert facts_of(item) == before
    elif expected == "gone":
        services.execute(every_command[action], item.workitem_id, actor=actor, now=now)
        assert not Workitem.objects.filter(pk=item.pk).exists()
    else:
        services.execute(every_command[action], item.workitem_id, actor=actor, now=now)
        after = facts_of(item)
        assert after["state"] == expected
        assert after["version"] == 2
        assert after["events"] == 2
        event = last_event(item)
        assert (event.from_state, event.to_state, event.actor, event.door, event.version) == (
            state,
            expected,
            actor.name,
            actor.door,
            2,
        )


def do_where_possible(action, every_command, somebody, queue, ann, **facts):
    """Do this to a workitem in a state from which the tables allow it."""
    kind, table = (Type.INBOUND_EMAIL, EMAIL) if action == "sendEmailResponse" else (Type.INBOUND_CALL, VOICE)
    allowed = [(cell == "=", state) for name, state, cell in cells(table) if name == action and cell != "."]
    _nothing_to_do, state = min(allowed)
    item = item_in(state, action, queue, ann, kind)
    Workitem.objects.filter(pk=item.pk).update(is_muted=action == "unmute", **facts)
    now = LATER + timedelta(seconds=1)
    services.execute(every_command[action], item.workitem_id, actor=actor_for(action, somebody), now=now)
    return facts_of(item), now


@pytest.mark.parametrize("action", ACTIVITY.split())
def test_what_shows_that_somebody_cares_sets_the_policies_clock_back(action, every_command, somebody, queue, ann):
    after, now = do_where_possible(action, every_command, somebody, queue, ann, stale_at=LATER)
    assert (after["active_at"], after["stale_at"]) == (now, None)


@pytest.mark.parametrize("action", NO_ACTIVITY.split())
def test_what_shows_nothing_of_the_kind_leaves_the_clock_alone(action, every_command, somebody, queue, ann):
    after, _now = do_where_possible(action, every_command, somebody, queue, ann)
    assert after["active_at"] == NOON


@pytest.mark.parametrize("action", ["priority", "edit", "archive", "unarchive"])
def test_what_is_no_activity_leaves_the_mark_of_a_warning(action, every_command, somebody, queue, ann):
    after, _now = do_where_possible(action, every_command, somebody, queue, ann, stale_at=LATER)
    assert after["stale_at"] == LATER


def test_every_action_is_activity_or_not():
    named = {cell[0] for cell in cells(VOICE) + cells(EMAIL)} - {"purge"}
    assert {*ACTIVITY.split(), *NO_ACTIVITY.split()} == named


@pytest.mark.parametrize("action", NOT_ON_EMAIL)
@pytest.mark.parametrize("state", ["inqueue", "offered", "accepted", "active", "terminated", "dispositioned"])
def test_an_email_is_never_held_muted_or_conferenced(action, state, every_command, somebody, queue, ann):
    item = item_in(state, action, queue, ann, Type.INBOUND_EMAIL)
    before = facts_of(item)
    with pytest.raises(WrongChannel):
        services.execute(every_command[action], item.workitem_id, actor=somebody["person"], now=LATER)
    assert facts_of(item) == before


@pytest.mark.parametrize("state", STATES)
def test_the_tables_here_name_every_action(state):
    named = {cell[0] for cell in cells(VOICE) + cells(EMAIL)}
    variants = {"handBack", "transferToQueue", "transferToAgent", "requeueStale", "disposeStale"}
    named = (named - variants) | {"transfer", "create"}
    assert named == {action.value for action in MOVES} == set(Action.values)


ACTIONS_OF_A_SUPERVISOR = {
    "inqueue": "offer pull hangup transfer priority edit note exempt",
    "offered": "reject returnToQueue hangup transfer priority edit note exempt",
    "accepted": "returnToQueue bridge hangup transfer priority edit note exempt",
    "active": "returnToQueue hold mute unmute dtmf conference hangup transfer priority edit note exempt",
    "hold": "returnToQueue unhold conference hangup transfer priority edit note exempt",
    "conference": "returnToQueue mute unmute dtmf leaveConference hangup transfer priority edit note exempt",
    "terminated": "edit note disposition exempt archive",
    "dispositioned": "edit note archive",
}


@pytest.mark.parametrize("state", STATES)
def test_actions_name_what_the_caller_may_do_now(state, supervisor, queue, ann):
    item = make_workitem(State(state), queue=queue, agent=None if state == "inqueue" else ann)
    assert [action.value for action in available(item, supervisor)] == ACTIONS_OF_A_SUPERVISOR[state].split()


@pytest.mark.parametrize("state", STATES)
def test_explain_gives_every_action_a_yes_or_a_reason(state, supervisor, queue, ann):
    item = make_workitem(State(state), queue=queue, agent=None if state == "inqueue" else ann)
    reasons = services.explain(item, supervisor)
    assert set(reasons) == set(Action) - {Action.CREATE}
    allowed = {action.value for action, reason in reasons.items() if reason is None}
    assert allowed == set(ACTIONS_OF_A_SUPERVISOR[state].split())
    assert all(isinstance(reason, WorkitemError) and reason.message for reason in reasons.values() if reason)


def test_explaining_a_command_writes_nothing_and_names_its_own_reason(supervisor, queue):
    item = make_workitem(queue=queue)
    before = facts_of(item)
    refusal = services.explain_command(commands.TransferToQueue(queue), item, supervisor, LATER)
    assert refusal is not None
    assert refusal.code == "already_in_queue"
    assert facts_of(item) == before
