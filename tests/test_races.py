"""Two at once end as if one came after the other; each guard, taken away, turns its test red.

On PostgreSQL, where transactions really overlap; SQLite lets one writer in at a time (test_sqlite_writers.py).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections

from tests.builders import (
    LATER,
    NOON,
    make_contact,
    make_disposition,
    make_presence,
    make_queue,
    make_user,
    make_workitem,
)
from workitems import commands, services
from workitems.actors import Actor
from workitems.choices import Door, EndedBy, Event, Scope, State, Type
from workitems.errors import WorkitemError
from workitems.groups import grant
from workitems.models import Stay, TimeEvent, Workitem

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="transactions overlap on PostgreSQL only"),
]

OFFERS, AGENTS = 300, 8


def in_thread(work: Callable[[], Any]) -> Any:
    """Run work and give the thread's connection back."""
    try:
        return work()
    finally:
        connections["default"].close()


def take(item_id: str, actor: Actor) -> bool:
    try:
        services.execute(commands.Pull(), item_id, actor=actor, now=LATER)
    except WorkitemError:
        return False
    return True


def grab_everything() -> tuple[list[bool], int]:
    """Let eight agents take three hundred items at once; return who got what, and how many errors there were."""
    queue = make_queue("q_one")
    actors = []
    for _ in range(AGENTS):
        user = make_user()
        grant(user, Scope.WRITE, queue)
        actors.append(Actor.of(user, Door.API))
    ids = [make_workitem(queue=queue).workitem_id for _ in range(OFFERS)]
    start = threading.Barrier(AGENTS)
    errors = []

    def play(actor: Actor) -> list[bool]:
        start.wait()
        got = []
        for item_id in ids:
            try:
                got.append(take(item_id, actor))
            except IntegrityError as error:
                errors.append(error)
        return got

    with ThreadPoolExecutor(AGENTS) as pool:
        got = [one for row in pool.map(lambda actor: in_thread(lambda: play(actor)), actors) for one in row]
    return got, len(errors)


def doubled() -> int:
    """Count the workitems that were taken more than once, by their history."""
    taken = TimeEvent.objects.filter(type="pulled").values_list("workitem_id", flat=True)
    return len(taken) - len(set(taken))


def test_two_agents_cannot_take_one_item():
    got, errors = grab_everything()
    assert (sum(got), errors, doubled()) == (OFFERS, 0, 0)
    assert Workitem.objects.filter(state=State.ACCEPTED, version=2).count() == OFFERS


@pytest.fixture
def lock_off(monkeypatch):
    """Plant a fault: rows are read without being locked, and others have time to read them as well."""

    def read(ids, reads=()):
        rows = list(Workitem.objects.filter(workitem_id__in=ids))
        time.sleep(0.002)
        return rows

    monkeypatch.setattr(services, "lock", read)


@pytest.fixture
def unique_off() -> Iterator[None]:
    """Plant a fault: history and ledger may tell a version twice."""
    names = {TimeEvent: "time_event_once_per_version", Stay: "stay_once_per_version"}
    constraints = {
        model: next(one for one in model._meta.constraints if one.name == name) for model, name in names.items()
    }
    with connection.schema_editor() as editor:
        for model, constraint in constraints.items():
            editor.remove_constraint(model, constraint)
    yield
    with connection.schema_editor() as editor:
        editor.execute("ALTER TABLE workitems_timeevent DISABLE TRIGGER USER")
        editor.execute("DELETE FROM workitems_timeevent")
        editor.execute("DELETE FROM workitems_stay")
        editor.execute("ALTER TABLE workitems_timeevent ENABLE TRIGGER USER")
        for model, constraint in constraints.items():
            editor.add_constraint(model, constraint)


def test_without_the_lock_the_unique_version_still_stops_them(lock_off):
    _got, errors = grab_everything()
    assert errors > 0
    assert doubled() == 0


def test_without_lock_and_unique_version_items_are_taken_twice(lock_off, unique_off):
    grab_everything()
    assert doubled() > 0


# Every pair of commands, in both orders

STATES = {
    "offer": State.INQUEUE,
    "accept": State.OFFERED,
    "reject": State.OFFERED,
    "expireOffer": State.OFFERED,
    "handBack": State.OFFERED,
    "returnToQueue": State.ACTIVE,
    "requeueStale": State.ACTIVE,
    "pull": State.INQUEUE,
    "bridge": State.ACCEPTED,
    "hold": State.ACTIVE,
    "unhold": State.HOLD,
    "mute": State.ACTIVE,
    "unmute": State.ACTIVE,
    "dtmf": State.ACTIVE,
    "conference": State.ACTIVE,
    "leaveConference": State.CONFERENCE,
    "hangup": State.ACTIVE,
    "transferToQueue": State.ACTIVE,
    "transferToAgent": State.ACTIVE,
    "undoTransfer": State.INQUEUE,
    "priority": State.INQUEUE,
    "sendEmailResponse": State.ACTIVE,
    "edit": State.INQUEUE,
    "followContact": State.INQUEUE,
    "erasePerson": State.TERMINATED,
    "note": State.INQUEUE,
    "tellOfMail": State.ACTIVE,
    "disposition": State.TERMINATED,
    "disposeStale": State.TERMINATED,
    "exempt": State.INQUEUE,
    "warnStale": State.INQUEUE,
    "terminateStale": State.INQUEUE,
    "reopen": State.TERMINATED,
    "reopenUntouched": State.TERMINATED,
    "archive": State.TERMINATED,
    "unarchive": State.TERMINATED,
    "purge": State.TERMINATED,
}
BY_SYSTEM = {"expireOffer", "requeueStale", "disposeStale", "warnStale", "terminateStale"}
STALE = commands.Stale(LATER - NOON)
FACTS = [name for name in services.FACTS if name not in ("workitem_id",)]


class Stage:
    """Everybody and everything that the commands need, and two like workitems to try them on."""

    def __init__(self) -> None:
        self.ann, self.ben, root = make_user("ann"), make_user("ben"), make_user("root", is_superuser=True)
        self.queue = make_queue("q_one", members=[self.ann, self.ben])
        self.other = make_queue("q_two")
        make_presence(self.ben)
        self.former, self.contact = make_contact("Ada L."), make_contact("Ada Lovelace")
        self.versions: dict[str, int] = {}
        self.root = Actor.of(root, Door.API)
        self.system = Actor.job("system", Scope.ADMIN)
        self.commands: dict[str, commands.Command] = {
            "offer": commands.Offer(self.ben),
            "accept": commands.Accept(),
            "reject": commands.Reject(),
            "expireOffer": commands.ExpireOffer(),
            "handBack": commands.HandBack(self.ann),
            "returnToQueue": commands.ReturnToQueue(),
            "requeueStale": commands.RequeueStale(stale=STALE),
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
            "transferToQueue": commands.TransferToQueue(self.other),
            "transferToAgent": commands.TransferToAgent(self.ben),
            "undoTransfer": commands.UndoTransfer(),
            "priority": commands.SetPriority(5),
            "sendEmailResponse": commands.SendEmailResponse(
                from_address="help@example.com", to_addresses=("a@example.com",), text="Here it is."
            ),
            "edit": commands.Edit({"name": "New"}),
            "followContact": commands.FollowContact(self.former, self.contact),
            "erasePerson": commands.ErasePerson(self.contact),
            "note": commands.AddNote("x"),
            "tellOfMail": commands.TellOfMail(Event.EMAIL_SENT, "ml_1"),
            "disposition": commands.SetDisposition(make_disposition()),
            "disposeStale": commands.DisposeStale(make_disposition("d_silent"), stale=STALE),
            "exempt": commands.Exempt(LATER + (LATER - NOON)),
            "warnStale": commands.WarnStale(STALE, warning=LATER - NOON),
            "terminateStale": commands.TerminateStale(STALE),
            "reopen": commands.Reopen(),
            "reopenUntouched": commands.ReopenUntouched(self.versions),
            "archive": commands.Archive(),
            "unarchive": commands.Unarchive(),
            "purge": commands.Purge(),
        }

    def item_for(self, name: str) -> Workitem:
        if name == "undoTransfer":
            return self.transferred()
        state = STATES[name]
        facts: dict[str, Any] = {"ended_by": EndedBy.POLICY} if state == State.TERMINATED else {}
        if name in ("unarchive", "purge"):
            facts["archived_at"] = NOON
        if name == "followContact":
            facts["contact"] = self.former
        if name == "erasePerson":
            facts |= {"contact": self.contact, "name": "Ada's parcel"}
        if name == "unmute":
            facts["is_muted"] = True
        if name == "sendEmailResponse":
            facts["type"] = Type.INBOUND_EMAIL
        agent = self.ann if state not in (State.INQUEUE, State.TERMINATED) else None
        item = make_workitem(state, queue=self.queue, agent=agent, **facts)
        self.versions[item.workitem_id] = item.version
        return item

    def transferred(self) -> Workitem:
        """Return what was ann's a minute before noon, and waits in the other queue since noon."""
        item = make_workitem(State.HOLD, queue=self.queue, agent=self.ann, queued_at=NOON - (LATER - NOON))
        return services.execute(commands.TransferToQueue(self.other), item.workitem_id, actor=self.root, now=NOON)

    def do(self, name: str, item: Workitem) -> str:
        actor = self.system if name in BY_SYSTEM else self.root
        try:
            services.execute(self.commands[name], item.workitem_id, actor=actor, now=LATER)
        except WorkitemError as refusal:
            return refusal.code
        return "done"


def story_of(item: Workitem) -> list[Any]:
    """Return all that the database tells of a workitem, its id aside."""
    facts = list(Workitem.objects.filter(pk=item.pk).values_list("version", *FACTS))
    events = TimeEvent.objects.filter(workitem_id=item.pk).order_by("version")
    return [facts, list(events.values_list("version", "type", "from_state", "to_state", "queue", "agent"))]


@contextmanager
def paused_before_writing() -> Iterator[tuple[threading.Event, threading.Event]]:
    """Hold the first command that comes to write, with its rows locked, until it is let go."""
    reached, go_on = threading.Event(), threading.Event()
    originals = services._write, services._remove
    first = threading.Lock()

    def pausing(original: Callable[..., None]) -> Callable[..., None]:
        def write(*args: Any) -> None:
            if first.acquire(blocking=False):
                reached.set()
                go_on.wait(10)
            original(*args)

        return write

    services._write, services._remove = map(pausing, originals)
    try:
        yield reached, go_on
    finally:
        services._write, services._remove = originals


def is_somebody_waiting_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


def overlap(stage: Stage, pool: ThreadPoolExecutor, first: str, second: str, item: Workitem) -> tuple[str, str]:
    """Run two commands so that the second comes while the first has locked the row and not yet written."""
    with paused_before_writing() as (reached, go_on):
        one = pool.submit(in_thread, lambda: stage.do(first, item))
        assert reached.wait(10), f"{first} never came to write: {one}"
        two = pool.submit(in_thread, lambda: stage.do(second, item))
        deadline = time.monotonic() + 5
        while not is_somebody_waiting_for_a_lock() and not two.done():
            assert time.monotonic() < deadline, f"{second} neither waits nor ends"
            time.sleep(0.001)
        go_on.set()
        return one.result(10), two.result(10)


def differences(stage: Stage, firsts: list[str]) -> list[str]:
    """Return the pairs whose overlap did not end as one after the other does."""
    found = []
    with ThreadPoolExecutor(2) as pool:
        for first in firsts:
            for second in STATES:
                item, twin = stage.item_for(first), stage.item_for(first)
                try:
                    answers = overlap(stage, pool, first, second, item)
                except IntegrityError:
                    found.append(f"{first} + {second}: written twice")
                    continue
                expected = stage.do(first, twin), stage.do(second, twin)
                if (answers, story_of(item)) != (expected, story_of(twin)):
                    found.append(f"{first} + {second}: {answers}, one after the other {expected}")
        for _ in range(2):
            pool.submit(connections["default"].close)
    return found


def test_every_command_takes_part():
    kinds = [kind for kind in vars(commands).values() if isinstance(kind, type) and issubclass(kind, commands.Command)]
    there = Stage().commands
    assert {type(command) for command in there.values()} | {commands.Command} == set(kinds)
    assert set(there) == set(STATES)


@pytest.mark.parametrize("first", list(STATES))
def test_every_pair_ends_as_if_one_came_after_the_other(first):
    assert differences(Stage(), [first]) == []


@pytest.mark.parametrize("pair", [("undoTransfer", "pull"), ("pull", "undoTransfer")])
def test_a_transfer_is_undone_or_taken_on_by_somebody_but_never_both(pair):
    stage = Stage()
    item, twin = stage.transferred(), stage.transferred()
    with ThreadPoolExecutor(2) as pool:
        answers = overlap(stage, pool, *pair, item)
        for _ in range(2):
            pool.submit(connections["default"].close)
    expected = [stage.do(name, twin) for name in pair]
    assert (list(answers), story_of(item)) == (expected, story_of(twin))
    assert expected == ["done", "state" if pair[0] == "undoTransfer" else "touched_since"]


def test_without_the_lock_pairs_end_otherwise(lock_off):
    assert len(differences(Stage(), ["hold", "hangup"])) > 10
