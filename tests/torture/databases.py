"""Promise 8: backends are terminated and PostgreSQL is restarted hard under load; every 2xx is true, and once."""

from __future__ import annotations

import itertools
import random
import time
import uuid
from collections import Counter
from typing import Any

import psycopg
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from queues.models import Queue
from tests.builders import make_queue, make_user
from tests.crowds import ask_for_transfer, make_crowd, torn_histories, violations
from tests.doors import personal
from tests.torture.ground import Ground, Verdict
from tests.torture.load import Answer, Load, Site, percentile
from workitems import tasks
from workitems.choices import Scope
from workitems.groups import grant
from workitems.models import TimeEvent, Transfer, Workitem
from workitems.models.runs import FINISHED

CLIENTS, PAUSE_SECONDS = 6, 0.1
TERMINATING_SECONDS, EVERY_SECONDS = 30.0, 0.25
RESTARTS, BETWEEN_SECONDS, DOWN_SECONDS = 3, 15.0, 1.0
LONGEST_BACK = 5.0
TRIES_UNTIL_GIVEN_UP = 100


class Scribe:
    """A client that writes notes, each again and again under one key until it is told that the note is there."""

    def __init__(self, site: Site, ids: list[str], luck: random.Random) -> None:
        self.site, self.ids, self.luck = site, ids, luck
        self.told: list[str] = []  # notes that a 2xx has promised
        self.note, self.item, self.tries = "", "", 0

    def turn(self) -> Answer:
        if not self.note:
            self.note, self.item, self.tries = uuid.uuid4().hex, self.luck.choice(self.ids), 0
        path = f"/api/v1/workitems/{self.item}/note"
        answer = self.site.ask("POST", path, {"text": self.note}, **{"Idempotency-Key": self.note})
        self.tries += 1
        if answer.is_fine:
            self.told.append(self.note)
        if answer.is_fine or self.tries >= TRIES_UNTIL_GIVEN_UP:
            self.note = ""
        return answer


def play(ground: Ground) -> Verdict:
    verdict, luck = Verdict(), random.Random(ground.order.seed)
    boss = make_user("boss")
    grant(boss, Scope.WRITE)
    here, there = make_queue("q_here"), make_queue("q_there")
    ids = [one.workitem_id for one in make_crowd(50, here)]
    crowds = [make_crowd(ground.order.items // (1 + RESTARTS), here) for _ in range(1 + RESTARTS)]
    site = Site(ground.start_web(), personal(boss))
    ground.hall.start_worker()
    ground.hall.start_beat()
    scribes = [Scribe(site, ids, random.Random(luck.random())) for _ in range(CLIENTS)]
    load = Load([scribe.turn for scribe in scribes], PAUSE_SECONDS)
    load.start()
    time.sleep(3)
    transfers = [begin_transfer(crowds[0], there, boss)]
    backs = [terminate_backends(ground, luck, load, verdict)]
    for crowd in crowds[1:] if ground.cluster is not None else ():
        connection.close_pool()  # its connections were cut, too
        transfers.append(begin_transfer(crowd, there, boss))
        backs.append(restart(ground, load))
    load.stop()
    connection.close_pool()  # its connections were cut, too
    if ground.cluster is not None:
        restart_at_night(ground, site, verdict)
    tell(verdict, ground, load, backs)
    check_notes(verdict, scribes, ids)
    check_transfers(verdict, transfers)
    return verdict


def begin_transfer(crowd: list[Workitem], target: Queue, boss: User) -> Transfer:
    """Have a bulk transfer under way when something happens to the database."""
    transfer = ask_for_transfer(crowd, target, boss, now=timezone.now())
    tasks.run_transfer.delay(transfer_id=transfer.transfer_id)
    until = time.monotonic() + 15
    while not Transfer.objects.get(pk=transfer.pk).done and time.monotonic() < until:
        time.sleep(0.01)
    connection.close()
    return transfer


def terminate_backends(ground: Ground, luck: random.Random, load: Load, verdict: Verdict) -> float:
    """Terminate one backend after the other for a while; return in how many seconds after the last all was well."""
    until, count = time.monotonic() + TERMINATING_SECONDS, 0
    with psycopg.connect(ground.hall.env["DATABASE_URL"], autocommit=True) as link:
        while time.monotonic() < until:
            others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            pids = [pid for (pid,) in link.execute(others)]
            if pids:
                link.execute("SELECT pg_terminate_backend(%s)", [luck.choice(pids)])
                count += 1
            time.sleep(EVERY_SECONDS)
    verdict.figures["backends terminated"] = count
    return seconds_until_well(load, time.monotonic())


def restart(ground: Ground, load: Load) -> float:
    assert ground.cluster is not None
    ground.cluster.stop_hard()
    time.sleep(DOWN_SECONDS)
    ground.cluster.start()
    return seconds_until_well(load, time.monotonic())


def restart_at_night(ground: Ground, site: Site, verdict: Verdict) -> None:
    """Restart while nobody asks for anything; the first who come find no connection that leads nowhere."""
    assert ground.cluster is not None
    ground.cluster.stop_hard()
    ground.cluster.start()
    time.sleep(LONGEST_BACK)
    answers = [site.ask("GET", "/api/v1/workitems?rows=1") for _ in range(20)]
    failures = sum(one.is_a_failure for one in answers)
    verdict.figures["failures after a restart at night"] = f"{failures} of {len(answers)} requests"
    verdict.require(not failures, f"{failures} requests failed {LONGEST_BACK:.0f} s after a restart at night")


def seconds_until_well(load: Load, up: float) -> float:
    """Return for how long requests failed that were begun after the database was there again."""
    time.sleep(BETWEEN_SECONDS)
    failed = [one for one in load.within(up, time.monotonic()) if one.is_a_failure]
    return max((one.begun + one.seconds - up for one in failed), default=0.0)


def tell(verdict: Verdict, ground: Ground, load: Load, backs: list[float]) -> None:
    statuses: Counter[str] = Counter("cut" if one.status == 0 else f"{one.status // 100}xx" for one in load.answers)
    worst = max(one.seconds for one in load.answers)
    restarts = "no cluster of our own could be made here" if ground.cluster is None else len(backs) - 1
    verdict.figures |= {
        "hard restarts": restarts,
        "requests": ", ".join(f"{count} {status}" for status, count in sorted(statuses.items())),
        "p99 and worst of all, ms": f"{percentile(load.answers, 99) * 1000:.0f}, {worst * 1000:.0f}",
        "service back after, seconds": ", ".join(f"{one:.1f}" for one in backs),
    }
    verdict.require(max(backs) <= LONGEST_BACK, f"service was back only after {max(backs):.1f} s")


def check_notes(verdict: Verdict, scribes: list[Scribe], ids: list[str]) -> None:
    told = list(itertools.chain.from_iterable(scribe.told for scribe in scribes))
    written: Counter[Any] = Counter(TimeEvent.objects.filter(type="note").values_list("details__text", flat=True))
    lost = [note for note in told if not written[note]]
    doubled = [note for note, times in written.items() if times > 1]
    verdict.figures["notes promised by a 2xx"] = len(told)
    verdict.require(not lost, f"{len(lost)} notes that a 2xx promised are not there")
    verdict.require(not doubled, f"{len(doubled)} notes are there twice")
    torn = torn_histories(Workitem.objects.filter(workitem_id__in=ids).values("workitem_id"))
    verdict.require(not torn, f"{torn} histories are torn")


def check_transfers(verdict: Verdict, transfers: list[Transfer]) -> None:
    """Require that the bulk transfers that ran meanwhile have come out whole."""
    until = time.monotonic() + 120
    while Transfer.objects.exclude(state__in=FINISHED).exists() and time.monotonic() < until:
        time.sleep(0.2)
    verdict.problems += [problem for transfer in transfers for problem in violations(transfer)]
    moved = sum(transfer.done for transfer in transfers)
    verdict.figures["moved meanwhile"] = f"{moved} workitems in {len(transfers)} bulk transfers"
