"""Hypothesis drives all commands at random against a model written as a table; after every step they must agree."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.builders import NOON, make_disposition, make_queue, make_user
from workitems import commands, ledger, rebuilding, services
from workitems.actors import Actor
from workitems.choices import Action, Door, EndedBy, Scope, State, Type
from workitems.commands import moving
from workitems.errors import WorkitemError
from workitems.groups import grant, grant_transfer_in, sync_scope_groups
from workitems.lifecycle import MOVES, available
from workitems.models import Stay, TimeEvent, Workitem

EXAMPLES, STEPS, SHARDS = 300, 60, 4

ITEM = "SELECT * FROM workitems_workitem WHERE workitem_id = %s"
EVENTS = "SELECT * FROM workitems_timeevent WHERE workitem_id = %s ORDER BY version"
STAYS = "SELECT * FROM workitems_stay WHERE workitem_id = %s ORDER BY version"

OPEN = {"inqueue", "offered", "accepted", "active", "hold", "conference"}
ENDED = {"terminated", "dispositioned"}
WAITING, TALKING = {"inqueue", "offered"}, {"active", "hold", "conference"}
SPOKEN, LIVE, ALL = {"voice"}, {"voice", "chat"}, {"voice", "chat", "email"}

# action: (from, to or None to stay, channels, scope), by hand from the contract
TABLE = {
    "offer": ({"inqueue"}, "offered", ALL, "write"),
    "accept": ({"offered"}, "accepted", ALL, "write"),
    "reject": ({"offered"}, "inqueue", ALL, "write"),
    "expireOffer": ({"offered"}, "inqueue", ALL, "system"),
    "returnToQueue": (OPEN - {"inqueue"}, "inqueue", ALL, "write"),
    "pull": ({"inqueue"}, "accepted", ALL, "write"),
    "bridge": ({"accepted"}, "active", ALL, "write"),
    "hold": ({"active"}, "hold", LIVE, "write"),
    "unhold": ({"hold"}, "active", LIVE, "write"),
    "mute": ({"active", "conference"}, None, SPOKEN, "write"),
    "unmute": ({"active", "conference"}, None, SPOKEN, "write"),
    "dtmf": ({"active", "conference"}, None, SPOKEN, "write"),
    "conference": ({"active", "hold"}, "conference", SPOKEN, "write"),
    "leaveConference": ({"conference"}, "active", SPOKEN, "write"),
    "hangup": (OPEN, "terminated", ALL, "write"),
    "transfer": (OPEN, None, ALL, "write"),
    "priority": (OPEN, None, ALL, "write"),
    "sendEmailResponse": ({"accepted", "active"}, None, {"email"}, "write"),
    "edit": (OPEN | ENDED, None, ALL, "write"),
    "note": (OPEN | ENDED, None, ALL, "write"),
    "disposition": ({"terminated"}, "dispositioned", ALL, "write"),
    "exempt": (OPEN | {"terminated"}, None, ALL, "write"),
    "warnStale": (OPEN | {"terminated"}, None, ALL, "system"),
    "terminateStale": (OPEN, "terminated", ALL, "system"),
    "reopen": ({"terminated"}, "inqueue", ALL, "admin"),
    "archive": (ENDED, None, ALL, "delete"),
    "unarchive": (ENDED, None, ALL, "delete"),
    "purge": (ENDED, "gone", ALL, "admin"),
}
NO_ACTIVITY = {"priority", "edit", "exempt", "warnStale", "archive", "unarchive"}
HOLDS = {
    "admin": {"read", "write", "delete", "admin"},
    "writer": {"read", "write"},
    "reader": {"read"},
    "agent": set(),
    "system": {"read", "write", "delete", "admin", "system"},
}


AGENTS = ("agent", "writer")
OFTEN_POSSIBLE = {
    "hangup", "terminateStale", "priority", "edit", "note", "reject", "expireOffer", "returnToQueue",
    "exempt", "warnStale",
}  # fmt: skip
NOBODY = {"agent": "", "assigned_at": None, "muted": False}
KINDS = (Type.INBOUND_CALL, Type.INBOUND_CALL, Type.CHAT, Type.INBOUND_EMAIL)


@dataclass
class Log:
    """What the ledger should say, by hand from interface.md: the entry that runs, how the others ended, who talked."""

    entered: int | None = 0
    waits: list[tuple[str, str, int, int]] = field(default_factory=list)  # queue, outcome, entered and waited
    before_transfer: int | None = None
    at: int = 0
    talked: int = 0
    handled: list[int] = field(default_factory=list)

    def work_on(self, state: str, target: str, action: str, now: int) -> None:
        if target == state:
            return  # what it has come to is written down when it moves on
        if state in TALKING:
            self.talked += now - self.at
        self.at = now
        if state not in OPEN - WAITING or target in OPEN - WAITING:
            return
        counts = action != "terminateStale" if target == "terminated" else self.talked > 0
        self.handled += [self.talked] if counts else []
        self.talked = 0

    def wait_on(self, entered: int) -> None:
        if self.entered is None:
            self.entered = entered

    def end_wait(self, queue: str, outcome: str, now: int) -> None:
        if self.entered is not None:
            self.waits.append((queue, outcome, self.entered, now - self.entered))
        self.entered = None


@dataclass
class Model:
    """What a workitem should be like."""

    channel: str
    state: str = "inqueue"
    agent: str = ""
    queue: str = "q_one"
    muted: bool = False
    priority: int = 3
    name: str = ""
    ended_by: str = ""
    archived: bool = False
    queued_at: int = 0
    assigned_at: int | None = None
    offered_until: int = 0
    changed_at: int = 0
    modified_at: int = 0
    active_at: int = 0
    stale_at: int | None = None
    exempt_until: int | None = None
    version: int = 1
    log: Log = field(default_factory=Log)

    def holds(self, who: str) -> set[str]:
        own = {"read", "write"} if who == "agent" and self.agent == "agent" else set()
        return HOLDS[who] | own

    def allows(self, action: str, who: str) -> bool:
        sources, _target, channels, scope = TABLE[action]
        return (
            scope in self.holds(who)
            and self.channel in channels
            and self.state in sources
            and not (action == "accept" and who not in ("admin", "system") and self.agent != who)
            and not (action == "pull" and who == "system")
            and not (action == "reopen" and (self.ended_by != "policy" or self.archived))
            and not (action == "archive" and self.archived)
            and not (action in ("unarchive", "purge") and not self.archived)
            and not (action == "exempt" and self.archived)
        )

    def is_stale(self, after: int, now: int, *, warned: bool = False) -> bool:
        return (
            (self.exempt_until is None or self.exempt_until <= now)
            and self.active_at + after <= now
            and (not warned or (self.stale_at is not None and self.stale_at <= now))
            and not self.archived
        )


@dataclass
class Moved:
    """Who transferred the workitem last, if nothing has happened since, and what it was like before."""

    who: str
    before: Model


def second_of(moment):
    return None if moment is None else int((moment - NOON).total_seconds())


class Life(RuleBasedStateMachine):
    """One workitem, one model, and five people who do what they like."""

    @initialize(dice=st.integers(0, 2**32))
    def begin(self, dice):
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.people = {name: make_user(name) for name in ("admin", "writer", "reader", "agent")}
        for name, scope in (("admin", Scope.ADMIN), ("writer", Scope.WRITE), ("reader", Scope.READ)):
            grant(self.people[name], scope)
        members = [self.people["agent"], self.people["writer"]]
        self.queues = {name: make_queue(name, members=members) for name in ("q_one", "q_two")}
        self.people_by_pk = {one.pk: one for one in self.people.values()}
        self.queues_by_pk = {one.pk: one for one in self.queues.values()}
        grant_transfer_in(self.people["agent"], self.queues["q_two"])
        self.actors = {name: Actor.of(user, Door.API) for name, user in self.people.items()}
        self.actors["system"] = Actor.job("system", Scope.ADMIN)
        self.disposition = make_disposition()
        self.arrive(KINDS[dice % len(KINDS)])

    def arrive(self, kind):
        self.seconds, self.moved = 0, None
        create = commands.Create(kind, queue=self.queues["q_one"])
        self.item_id = services.create(create, actor=self.actors["admin"], now=NOON).workitem_id
        self.model = Model(kind.channels[0])

    def teardown(self):
        if hasattr(self, "savepoint"):
            try:
                self.check_with_the_command()
            finally:
                transaction.set_rollback(True)
                self.savepoint.__exit__(None, None, None)

    def attempt(self, who, command):
        self.seconds += 1
        try:
            services.execute(command, self.item_id, actor=self.actors[who], now=NOON + timedelta(seconds=self.seconds))
        except WorkitemError:
            return False
        return True

    @property
    def next(self):
        """The second at which the next attempt is made."""
        return self.seconds + 1

    def expect(self, action, who, command, *, also=True, nothing=False, at_home=False, **changes):
        """Attempt a command that should be done where the table and `also` allow it, and update the model."""
        done = self.attempt(who, command)
        settled = nothing and "write" in self.model.holds(who) and self.model.channel in TABLE[action][2]
        may = (self.model.allows(action, who) or at_home) and also
        assert done == (may or settled), f"{action} by {who} in {self.model}"
        if not may or nothing:
            return
        target = TABLE[action][1] or changes.pop("state", self.model.state)
        if target == "gone":
            self.model.state = "gone"
            return
        if target != self.model.state:
            self.model.changed_at = self.seconds
        if target != "offered":
            self.model.offered_until = 0
        if action not in NO_ACTIVITY:
            self.model.active_at, self.model.stale_at = self.seconds, None
        self.moved = None
        self.keep_log(action, target, command, changes.get("queue", self.model.queue))
        self.model.state = target
        for name, value in changes.items():
            setattr(self.model, name, value)
        self.model.version += 1
        self.model.modified_at = self.seconds

    def keep_log(self, action, target, command, queue):
        """Say what the entry into the queue comes to, told apart by hand and not by the ledger's rule."""
        model, log, now = self.model, self.model.log, self.seconds
        log.work_on(model.state, target, action, now)
        entered = log.entered
        if isinstance(command, commands.UndoTransfer):
            if queue != model.queue:
                log.end_wait(model.queue, "flowedOut", now)
            if target == "inqueue":
                log.wait_on(now if log.before_transfer is None else log.before_transfer)
            elif target == "offered" and log.before_transfer is not None:
                log.wait_on(log.before_transfer)
            return
        if action == "transfer":
            log.before_transfer = entered
        if queue != model.queue:
            log.end_wait(model.queue, "flowedOut", now)
        if target == "inqueue":
            log.wait_on(now)
        elif target == "accepted":
            log.end_wait(queue, "answered", now)
        elif target == "terminated":
            gave_up = getattr(command, "by", None) is EndedBy.CUSTOMER and model.channel in LIVE
            log.end_wait(queue, "abandoned" if gave_up else "flowedOut", now)

    @rule(seed=st.integers(0, 2**32))
    def step(self, seed):
        """Let somebody do something: three times in four what the model allows, for chance alone seldom comes far."""
        dice = random.Random(seed)
        if self.model.state in ENDED | {"gone"} and dice.random() < 0.3:
            self.check_with_the_command()
            self.arrive(dice.choice(KINDS))
            return
        if self.model.state == "gone":
            return
        who, action = dice.choice(sorted(HOLDS)), dice.choice(sorted(TABLE))
        if self.moved is not None and dice.random() < 0.4:  # or else something would nearly always come in between
            self.undo_transfer(who)
            return
        if dice.random() < 0.75:
            possible = [one for one in sorted(TABLE) if any(self.model.allows(one, who) for who in HOLDS)]
            action = dice.choices(possible, [0.15 if one in OFTEN_POSSIBLE else 1 for one in possible])[0]
            who = dice.choice([one for one in HOLDS if self.model.allows(action, one)])
        STEPS_OF_A_LIFE[action](self, who, dice.randrange(1000))

    def offer(self, who, number):
        agent = AGENTS[number % 2]
        until = self.seconds + 21
        self.expect("offer", who, commands.Offer(self.people[agent]), agent=agent, offered_until=until)

    def accept(self, who, number):
        self.expect("accept", who, commands.Accept(), assigned_at=self.next)

    def reject(self, who, number):
        self.expect("reject", who, commands.Reject(), **NOBODY)

    def return_to_queue(self, who, number):
        keeps_place, after = number % 2 == 0, number % 4
        if who == "system" and number % 3 == 0:
            command = commands.RequeueStale(keeps_place, stale=commands.Stale(timedelta(seconds=after)))
            also = self.model.is_stale(after, self.next)
        else:
            command, also = commands.ReturnToQueue(keeps_place), True
        queued_at = self.model.queued_at if keeps_place else self.next
        self.expect("returnToQueue", who, command, also=also, queued_at=queued_at, **NOBODY)

    def expire_offer(self, who, number):
        self.seconds += number % 40
        over = self.model.offered_until <= self.seconds + 1
        self.expect("expireOffer", who, commands.ExpireOffer(), also=over, **NOBODY)

    def pull(self, who, number):
        self.expect("pull", who, commands.Pull(), agent=who, assigned_at=self.next)

    def bridge(self, who, number):
        self.expect("bridge", who, commands.Bridge())

    def hold(self, who, number):
        self.expect("hold", who, commands.Hold(), nothing=self.model.state == "hold")

    def unhold(self, who, number):
        self.expect("unhold", who, commands.Unhold(), nothing=self.model.state == "active")

    def mute(self, who, number):
        nothing = self.model.muted and self.model.state in TABLE["mute"][0]
        self.expect("mute", who, commands.Mute(), nothing=nothing, muted=True)

    def unmute(self, who, number):
        nothing = not self.model.muted and self.model.state in TABLE["unmute"][0]
        self.expect("unmute", who, commands.Unmute(), nothing=nothing, muted=False)

    def dtmf(self, who, number):
        tones = ("1", "12#", "", "x")[number % 4]
        self.expect("dtmf", who, commands.Dtmf(tones), also=tones not in ("", "x"))

    def conference(self, who, number):
        self.expect("conference", who, commands.Conference("+442079460123"))

    def leave_conference(self, who, number):
        self.expect("leaveConference", who, commands.LeaveConference())

    @property
    def who_keeps_it(self):
        """What remains of the agent when a workitem ends: one who had accepted keeps it."""
        return NOBODY if self.model.state in ("inqueue", "offered") else {"muted": False}

    def hang_up(self, who, number):
        by = (EndedBy.AGENT, EndedBy.CUSTOMER, EndedBy.SYSTEM)[number % 3]
        self.expect("hangup", who, commands.HangUp(by), ended_by=by.value, **self.who_keeps_it)

    def transfer(self, who, number):
        if number % 5 < 2:
            self.undo_transfer(who)
            return
        before, version = replace(self.model), self.model.version
        (self.transfer_to_queue if number % 5 < 4 else self.transfer_to_agent)(who, number)
        if self.model.version != version and who != "system":
            self.moved = Moved(who, before)

    def transfer_to_queue(self, who, number):
        queue_id, priority = ("q_one", "q_two")[number % 2], (None, 1, 5)[number % 3]
        elsewhere = queue_id != self.model.queue
        # an agent on his own item holds no permission to send it into another queue, except this one
        also = elsewhere and (who != "agent" or queue_id == "q_two")
        command = commands.TransferToQueue(self.queues[queue_id], priority=priority)
        self.expect(
            "transfer",
            who,
            command,
            also=also,
            state="inqueue",
            queue=queue_id,
            queued_at=self.next,
            priority=priority or self.model.priority,
            **NOBODY,
        )

    def transfer_to_agent(self, who, number):
        agent, priority = AGENTS[number % 2], (None, 1, 5)[number % 3]
        self.expect(
            "transfer",
            who,
            commands.TransferToAgent(self.people[agent], priority=priority),
            also=agent != self.model.agent,
            state="offered",
            offered_until=self.seconds + 21,
            priority=priority or self.model.priority,
            **(NOBODY | {"agent": agent}),
        )

    def undo_transfer(self, who):
        """Put it back where it was; who moved it needs his rights there only, others the right to send it there."""
        undo = commands.UndoTransfer()
        if self.moved is None:
            self.expect("transfer", who, undo, also=False)
            return
        before = self.moved.before
        at_home = self.moved.who == who and "write" in before.holds(who)
        self.expect(
            "transfer",
            who,
            undo,
            also=at_home or who != "agent" or before.queue in ("q_two", self.model.queue),
            at_home=at_home,
            state=before.state,
            queue=before.queue,
            queued_at=before.queued_at,
            agent=before.agent,
            assigned_at=before.assigned_at,
            muted=before.muted,
            priority=before.priority,
            offered_until=self.seconds + 21 if before.state == "offered" else 0,
        )

    def set_priority(self, who, number):
        priority = number % 7
        nothing = priority == self.model.priority and self.model.state in OPEN
        command = commands.SetPriority(priority)
        self.expect("priority", who, command, also=1 <= priority <= 5, nothing=nothing, priority=priority)

    def send_email_response(self, who, number):
        text = ("", "Here it is.")[number % 2]
        command = commands.SendEmailResponse(
            from_address="help@example.com", to_addresses=("a@example.com",), text=text
        )
        self.expect("sendEmailResponse", who, command, also=bool(text))

    def edit(self, who, number):
        name = ("", "one", "two", "x" * 201)[number % 4]
        nothing = name == self.model.name
        self.expect("edit", who, commands.Edit({"name": name}), also=len(name) <= 200, nothing=nothing, name=name)

    def note(self, who, number):
        text = ("", "seen")[number % 2]
        self.expect("note", who, commands.AddNote(text), also=bool(text))

    def dispose(self, who, number):
        command, also = commands.SetDisposition(self.disposition), True
        if who == "system" and number % 2:
            after = number % 4
            command = commands.DisposeStale(self.disposition, stale=commands.Stale(timedelta(seconds=after)))
            also = self.model.is_stale(after, self.next)
        self.expect("disposition", who, command, also=also)

    def exempt(self, who, number):
        until = (None, self.seconds + 5, self.seconds + 30, self.seconds)[number % 4]
        valid = until is None or until > self.next
        nothing = until == self.model.exempt_until and self.model.allows("exempt", who)
        command = commands.Exempt(None if until is None else NOON + timedelta(seconds=until))
        self.expect("exempt", who, command, also=valid, nothing=nothing and valid, exempt_until=until, stale_at=None)

    def warn_stale(self, who, number):
        after = number % 4
        command = commands.WarnStale(commands.Stale(timedelta(seconds=after)), warning=timedelta(seconds=3))
        also = self.model.is_stale(after, self.next) and self.model.stale_at is None
        self.expect("warnStale", who, command, also=also, stale_at=self.next + 3)

    def terminate_stale(self, who, number):
        after, warned = number % 4, number % 3 == 0
        command = commands.TerminateStale(commands.Stale(timedelta(seconds=after), warned=warned))
        stale = self.model.is_stale(after, self.next, warned=warned)
        self.expect("terminateStale", who, command, also=stale, ended_by="policy", **self.who_keeps_it)

    def reopen(self, who, number):
        self.expect("reopen", who, commands.Reopen(), ended_by="", **NOBODY)

    def archive(self, who, number):
        self.expect("archive", who, commands.Archive(), archived=True)

    def unarchive(self, who, number):
        self.expect("unarchive", who, commands.Unarchive(), archived=False)

    def purge(self, who, number):
        if number % 5 == 0:
            self.check_with_the_command()
            self.expect("purge", who, commands.Purge())

    @invariant()
    def facts_events_actions_and_ledger_agree(self):
        if not hasattr(self, "model"):
            return
        # Each is read once a step, and as it stands: most of the time of this test went into making up queries.
        item = next(iter(Workitem.objects.raw(ITEM, [self.item_id])), None)
        if self.model.state == "gone":
            assert item is None
            return
        item.agent, item.queue = self.people_by_pk.get(item.agent_id), self.queues_by_pk[item.queue_id]
        events = list(TimeEvent.objects.raw(EVENTS, [item.pk]))
        stays = list(Stay.objects.raw(STAYS, [item.pk]))
        self.check_facts(item)
        self.check_events(item, events)
        self.check_stays(item, stays)
        standing, rows = ledger.follow(item, events)
        assert standing == ledger.Standing.of(item)
        assert len(rows) == len(stays)
        assert rows == [{name: getattr(one, name) for name in row} for row, one in zip(rows, stays, strict=True)]

    def check_facts(self, item):
        model = self.model
        found = Model(
            channel=item.channel_type,
            state=item.state,
            agent=item.agent_username,
            queue=item.selected_queue_id,
            muted=item.is_muted,
            priority=item.priority,
            name=item.name,
            ended_by=item.ended_by,
            archived=item.archived_at is not None,
            queued_at=second_of(item.queued_at),
            assigned_at=second_of(item.assigned_at),
            offered_until=second_of(item.offer_expires_at) or 0,
            changed_at=second_of(item.state_changed_at),
            modified_at=second_of(item.modified_at),
            active_at=second_of(item.active_at),
            stale_at=second_of(item.stale_at),
            exempt_until=second_of(item.exempt_until),
            version=item.version,
            log=model.log,
        )
        assert found == model

    def check_events(self, item, events):
        model = self.model
        assert [event.version for event in events] == list(range(1, model.version + 1))
        assert events[-1].to_state == model.state
        for who in HOLDS:
            may = {action.value for action in available(item, self.actors[who])}
            assert may == {action for action in TABLE if model.allows(action, who)}

    def check_stays(self, item, stays):
        """Demand that the stays are the whole life without a gap, and what interface.md makes of it."""
        assert [one.began_at for one in stays] == [NOON, *(one.ended_at for one in stays)][: len(stays)]
        assert item.place_since == (stays[-1].ended_at if stays else NOON)
        lasted = sum((one.ended_at - one.began_at for one in stays), timedelta())
        assert item.place_since == NOON + lasted
        assert [(one.lasted_ms, one.lasted_ms < 1000 * 4**one.magnitude) for one in stays] == [
            (second_of(one.ended_at) * 1000 - second_of(one.began_at) * 1000, True) for one in stays
        ]
        ends = [
            (self.queues_by_pk[one.queue_id].queue_id, one.outcome, second_of(one.entered_at), one.wait_ms / 1000)
            for one in stays
            if one.outcome
        ]
        assert ends == self.model.log.waits
        assert all(one.customer_ms == second_of(one.ended_at) * 1000 for one in stays if one.outcome)
        assert second_of(item.entered_at) == self.model.log.entered
        handled = [one.handled_ms / 1000 for one in stays if one.handled_ms is not None]
        assert (handled, item.handled_ms / 1000) == (self.model.log.handled, self.model.log.talked)

    def check_with_the_command(self):
        """Demand that the command which checks the ledger finds a life that is over as it should be."""
        if not hasattr(self, "model") or self.model.state == "gone":
            return
        item = Workitem.objects.get(workitem_id=self.item_id)
        tally, differences = rebuilding.check([item.pk])
        assert differences == {}
        assert (tally.right, tally.stays) == (1, item.stays.count())


STEPS_OF_A_LIFE = {
    "offer": Life.offer,
    "accept": Life.accept,
    "reject": Life.reject,
    "expireOffer": Life.expire_offer,
    "returnToQueue": Life.return_to_queue,
    "pull": Life.pull,
    "bridge": Life.bridge,
    "hold": Life.hold,
    "unhold": Life.unhold,
    "mute": Life.mute,
    "unmute": Life.unmute,
    "dtmf": Life.dtmf,
    "conference": Life.conference,
    "leaveConference": Life.leave_conference,
    "hangup": Life.hang_up,
    "transfer": Life.transfer,
    "priority": Life.set_priority,
    "sendEmailResponse": Life.send_email_response,
    "edit": Life.edit,
    "note": Life.note,
    "disposition": Life.dispose,
    "exempt": Life.exempt,
    "warnStale": Life.warn_stale,
    "terminateStale": Life.terminate_stale,
    "reopen": Life.reopen,
    "archive": Life.archive,
    "unarchive": Life.unarchive,
    "purge": Life.purge,
}


def run_lives(examples, **more):
    sync_scope_groups()
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            # a failing life is told as it was found: to make it smaller takes longer than to read it
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            **more,
        ),
    )


@pytest.mark.django_db
@pytest.mark.parametrize("shard", range(SHARDS))
def test_commands_and_model_agree_whatever_happens(shard):
    run_lives(EXAMPLES // SHARDS)


@pytest.mark.django_db
def test_a_fault_in_a_change_is_found(monkeypatch):
    def leave_agent_muted(self):
        self.agent = self.assigned_at = None

    monkeypatch.setattr(Workitem, "leave_agent", leave_agent_muted)
    with pytest.raises(AssertionError):
        run_lives(EXAMPLES, derandomize=True)


@pytest.mark.django_db
def test_a_fault_in_what_a_transfer_remembers_is_found(monkeypatch):
    original = moving._before

    def without_place(workitem, priority):
        return {"before": {**original(workitem, priority)["before"], "queuedAt": NOON.timestamp() * 1000}}

    monkeypatch.setattr(moving, "_before", without_place)
    with pytest.raises(AssertionError):
        run_lives(EXAMPLES, derandomize=True)


@pytest.mark.django_db
def test_a_fault_in_what_counts_as_activity_is_found(monkeypatch):
    monkeypatch.setattr(commands.Edit, "is_activity", True)
    with pytest.raises(AssertionError):
        run_lives(EXAMPLES, derandomize=True)


@pytest.mark.django_db
def test_a_fault_in_when_a_wait_begins_is_found(monkeypatch):
    def with_every_offer(kind, step):
        return step.place.state in ("inqueue", "offered")

    monkeypatch.setattr(ledger, "_enters", with_every_offer)
    with pytest.raises(AssertionError):
        run_lives(EXAMPLES, derandomize=True)


@pytest.mark.django_db
def test_a_fault_in_what_the_executor_tells_the_ledger_is_found(monkeypatch):
    monkeypatch.setattr(commands.UndoTransfer, "waited_since", commands.base.Command.waited_since)
    with pytest.raises(AssertionError):
        run_lives(EXAMPLES, derandomize=True)


@pytest.mark.django_db
def test_a_fault_in_what_was_handled_is_found(monkeypatch):
    monkeypatch.setattr(ledger, "_counts_as_handled", lambda step, handled: True)
    with pytest.raises(AssertionError):
        run_lives(EXAMPLES, derandomize=True)


@pytest.mark.django_db
def test_a_stay_that_was_not_written_is_found(monkeypatch):
    original = services._move

    def forgetting_holds(workitem, standing, step):
        stay = original(workitem, standing, step)
        return None if standing.place.state == State.HOLD else stay

    monkeypatch.setattr(services, "_move", forgetting_holds)
    with pytest.raises(AssertionError):
        run_lives(EXAMPLES, derandomize=True)


@pytest.mark.django_db
def test_a_fault_in_the_lifecycle_is_found(monkeypatch):
    monkeypatch.setitem(MOVES, Action.UNHOLD, replace(MOVES[Action.UNHOLD], target=State.ACCEPTED))
    with pytest.raises(AssertionError):
        run_lives(EXAMPLES, derandomize=True)


def test_eight_states_are_all_there_are():
    assert {state.value for state in State} == OPEN | ENDED
