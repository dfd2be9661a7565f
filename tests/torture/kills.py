"""Promise 6: workers are killed at least 60 times during a bulk transfer; nothing is lost and nothing doubled."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from queues.models import Queue
from tests.builders import make_queue, make_user
from tests.crowds import ask_for_transfer, make_crowd, violations
from tests.halls import wait_for
from tests.torture.ground import Ground, Verdict
from workitems import runs, tasks
from workitems.choices import Scope
from workitems.groups import grant
from workitems.models import Transfer, TransferChunk
from workitems.transfers import TRANSFERS

WORKERS = 2
POOL_ONLY = 0.3  # of the kills hit the pool and leave the worker to notice it
OLDEST_FIRST = 0.8  # of the kills hit the worker that has long begun to work; the rest hit anyone
MESSAGE_LOST = 0.3  # of the kills leave it to the beat to find what is to be done
LIFE_SECONDS = 40.0  # after the longest standstill the beat has driven the run on


class Killer:
    """Two workers that are killed and replaced, and one transfer after the other of the same workitems."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.order, self.hall = ground, ground.order, ground.hall
        self.luck = random.Random(self.order.seed)
        self.boss: User = make_user("boss")
        grant(self.boss, Scope.WRITE)
        self.queues: list[Queue] = [make_queue("q_here"), make_queue("q_there")]
        self.crowd = make_crowd(self.order.items, self.queues[0])
        self.workers = [self.hall.start_worker() for _ in range(WORKERS)]
        wait_for(lambda: self.hall.log.read_text().count(" ready.") == WORKERS)
        self.transfers: list[Transfer] = []
        self.kills = self.within = self.pools = self.set_aside = 0

    def ask(self) -> Transfer:
        target = self.queues[(len(self.transfers) + 1) % 2]
        transfer = ask_for_transfer(self.crowd, target, self.boss, now=timezone.now())
        self.transfers.append(transfer)
        for _message in range(tasks.DRIVERS):
            self.wake()
        return transfer

    def wake(self) -> None:
        tasks.run_transfer.delay(transfer_id=self.transfers[-1].transfer_id)

    def is_finished(self) -> bool:
        return Transfer.objects.get(pk=self.transfers[-1].pk).is_finished

    def wait_for_life(self) -> None:
        """Wait until somebody has taken on a chunk since we looked first."""
        latest = TransferChunk.objects.order_by("-pk")
        before, until = [*latest.values_list("pk", "taken_at")[:1]], time.monotonic() + LIFE_SECONDS
        while [*latest.values_list("pk", "taken_at")[:1]] in ([], before) and time.monotonic() < until:
            if self.is_finished():
                return
            time.sleep(0.005)

    def kill_one(self) -> None:
        number = 0 if self.luck.random() < OLDEST_FIRST else self.luck.randrange(WORKERS)
        worker = self.workers[number]
        pool = self.hall.children(worker)
        if pool and self.luck.random() < POOL_ONLY:
            with suppress(ProcessLookupError):
                os.kill(self.luck.choice(pool), signal.SIGKILL)
            self.pools += 1
        else:
            self.hall.kill(worker)
            del self.workers[number]
            self.workers.append(self.hall.start_worker())
        self.kills += 1
        self.within += TransferChunk.objects.filter(run=self.transfers[-1]).exists()
        if self.luck.random() > MESSAGE_LOST:
            self.wake()

    def lose_everything(self) -> None:
        """Kill all workers at once and lose all messages: now only the beat knows that there is something to do."""
        for worker in self.workers:
            self.hall.kill(worker)
        self.hall.purge()
        self.kills += WORKERS
        self.workers = [self.hall.start_worker() for _ in range(WORKERS)]

    def finish(self, seconds: float) -> list[str]:
        """Let the last transfer come to its end, try once more what was set aside, and return what is wrong with it."""
        self.wait_for_the_end(seconds)
        transfer = self.transfers[-1]
        transfer.refresh_from_db()
        if transfer.failed:
            self.set_aside += runs.retry(TRANSFERS, transfer, now=timezone.now())
            self.wake()
            self.wait_for_the_end(seconds)
        return violations(transfer)

    def wait_for_the_end(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.is_finished() and time.monotonic() < until:
            time.sleep(0.1)


def play(ground: Ground) -> Verdict:
    killer, verdict, begun = Killer(ground), Verdict(), time.monotonic()
    if ground.order.plant != "beat-off":
        ground.hall.start_beat()
    killer.ask()
    while killer.kills < ground.order.kills and not ground.time_is_up:
        if killer.is_finished():
            verdict.problems += killer.finish(60)
            killer.ask()
        killer.wait_for_life()
        time.sleep(killer.luck.uniform(0, 0.06))
        killer.kill_one()
    if killer.is_finished():
        verdict.problems += killer.finish(60)
        killer.ask()
    killer.lose_everything()
    verdict.problems += killer.finish(120)
    verdict.figures = figures_of(killer, begun)
    verdict.require(killer.kills >= ground.order.kills, f"only {killer.kills} kills in the time given")
    return verdict


def figures_of(killer: Killer, begun: float) -> dict[str, Any]:
    return {
        "kills -9": killer.kills,
        "of the pool only": killer.pools,
        "with a chunk in flight": killer.within,
        "transfers": f"{len(killer.transfers)} of {len(killer.crowd)} workitems",
        "moved": sum(Transfer.objects.values_list("done", flat=True)),
        "set aside and tried again": killer.set_aside,
        "seconds": round(time.monotonic() - begun),
    }
