"""Promise 7: the broker is flushed, hung and killed under load; the web stays quick and everything gets done."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db.models import F

from tests.builders import make_queue, make_user
from tests.crowds import torn_histories
from tests.doors import personal
from tests.torture.ground import Ground, Verdict
from tests.torture.load import Answer, Load, Site, percentile
from workitems.choices import Scope
from workitems.groups import grant
from workitems.models import TimeEvent, Transfer, Workitem
from workitems.models.runs import FINISHED

CLIENTS, PAUSE_SECONDS = 6, 0.25
QUIET_SECONDS, FAULT_SECONDS = 10.0, 20.0
LONGEST_P99, LONGEST_END = 2.5, 60.0
WARM_UP_SECONDS = 5.0


@dataclass
class Centre:
    """What the clients do: let calls arrive, look at the list, ask for transfers."""

    site: Site
    luck: random.Random
    ids: list[str] = field(default_factory=list)

    def turn(self) -> Answer:
        what = self.luck.random()
        if what < 0.5 or len(self.ids) < 20:
            return self.let_arrive()
        if what < 0.75:
            return self.site.ask("GET", "/api/v1/workitems?rows=25")
        return self.ask_for_transfer()

    def let_arrive(self) -> Answer:
        answer = self.site.ask("POST", "/api/v1/workitems", {"type": "InboundCall", "selectedQueue": "q_here"})
        if answer.is_fine:
            self.ids.append(answer.body["workitemId"])
        return answer

    def ask_for_transfer(self) -> Answer:
        chosen = self.luck.sample(self.ids, min(len(self.ids), 20))
        return self.site.ask("POST", "/api/v1/transfers", {"workitemIds": chosen, "selectedQueue": "q_there"})


def play(ground: Ground) -> Verdict:
    site = open_site(ground)
    luck = random.Random(ground.order.seed)
    load = Load([Centre(site, random.Random(luck.random())).turn for _ in range(CLIENTS)], PAUSE_SECONDS)
    load.start()
    time.sleep(WARM_UP_SECONDS)
    verdict = Verdict()
    for name, fault in faults_of(ground).items():
        judge(verdict, f"quiet before {name}", watched(load, lambda: time.sleep(QUIET_SECONDS)))
        judge(verdict, name, watched(load, fault))
    load.stop()
    seconds = wait_for_the_end(LONGEST_END + 30)
    verdict.figures["everything done after, seconds"] = round(seconds, 1)
    verdict.require(seconds <= LONGEST_END, f"not everything was done within {LONGEST_END:.0f} s")
    check_all_done(verdict)
    return verdict


def open_site(ground: Ground) -> Site:
    boss = make_user("boss")
    grant(boss, Scope.WRITE)
    make_queue("q_here", offers_automatically=True)
    make_queue("q_there")
    port = ground.start_web()
    ground.hall.start_worker()
    if ground.order.plant != "beat-off":
        ground.hall.start_beat()
    return Site(port, personal(boss))


def faults_of(ground: Ground) -> dict[str, Callable[[], None]]:
    def flushed() -> None:
        for _ in range(4):
            ground.hall.purge()
            time.sleep(FAULT_SECONDS / 8)

    if ground.broker is None:
        return {"flushed": flushed}
    broker = ground.broker

    def hung() -> None:
        broker.hang()
        time.sleep(FAULT_SECONDS)
        broker.go_on()

    def killed() -> None:
        broker.kill()
        time.sleep(FAULT_SECONDS / 2)
        broker.start()
        time.sleep(FAULT_SECONDS / 4)

    return {"flushed": flushed, "hung": hung, "killed": killed}


def watched(load: Load, happening: Callable[[], None]) -> Callable[[], list[Answer]]:
    begin = time.monotonic()
    happening()
    end = time.monotonic()
    return lambda: load.within(begin, end)


def judge(verdict: Verdict, name: str, answers_of: Callable[[], list[Answer]]) -> None:
    time.sleep(3)  # those that were begun before its end are answered by now
    answers = answers_of()
    p50, p99, worst = percentile(answers, 50), percentile(answers, 99), max((one.seconds for one in answers), default=0)
    failures = sum(one.is_a_failure for one in answers)
    told = f"{len(answers)} requests, p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, worst {worst * 1000:.0f} ms"
    verdict.figures[name] = f"{told}, {failures} failures"
    verdict.require(p99 <= LONGEST_P99, f"{name}: p99 is {p99:.1f} s")
    verdict.require(not failures, f"{name}: {failures} answers were 5xx or never came")


def wait_for_the_end(most: float) -> float:
    begun = time.monotonic()
    while Transfer.objects.exclude(state__in=FINISHED).exists() and time.monotonic() - begun < most:
        time.sleep(0.2)
    return time.monotonic() - begun


def check_all_done(verdict: Verdict) -> None:
    unfinished = Transfer.objects.exclude(total=F("done") + F("refused")).count()
    moved = sum(Transfer.objects.values_list("done", flat=True))
    told = TimeEvent.objects.filter(type="transferred").count()
    torn = torn_histories(Workitem.objects.values("workitem_id"))
    verdict.figures |= {"transfers": Transfer.objects.count(), "workitems moved": moved}
    verdict.require(not unfinished, f"{unfinished} transfers are not done")
    verdict.require(moved == told, f"{moved} moved, {told} events")
    verdict.require(not torn, f"{torn} histories are torn")
