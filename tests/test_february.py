"""The figures of February 1999 at the bank, reckoned straight from the file, are those that the measures give.

The reckoning below knows nothing of our reader, our ledger or our measures: it reads lines of text, and adds up.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from datetime import date, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.db.models.functions import TruncDate

from queues.models import Queue, QueueChannel
from workitems import measures
from workitems.measures import COUNTED_AT_ENTRY, COUNTED_AT_THE_END, Sums

BANK_CALLS = settings.BASE_DIR.parent / "shared/data/bank-calls-1999-02.tsv.gz"
pytestmark = [
    pytest.mark.skipif(not BANK_CALLS.exists(), reason=f"the real calls are not at {BANK_CALLS}"),
    pytest.mark.django_db,  # or else there is no database to import into
]

ZONE = ZoneInfo("Asia/Jerusalem")
SERVICE_LEVEL, SHORT = 20, 5  # seconds
DAY = 24 * 3600


def seconds(clock: str) -> int:
    hours, minutes, rest = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(rest)


def after(clock: str, earlier: int) -> int:
    """Return the second of the call's day; some forty calls go on past midnight, where the clock begins anew."""
    second = seconds(clock)
    return second + DAY if earlier - second > DAY // 2 else second


def reckon_call(row: dict[str, str]) -> tuple[int, int, int, int, int | None] | None:
    """Return when a call came in and to wait, when that ended, when all was over, and the talk, if anybody answered.

    All in seconds of the call's day; None altogether for what reached neither the queue nor an agent.
    """
    entry = seconds(row["vru_entry"])
    let_go = after(row["vru_exit"], entry)
    # a voice unit may let a call go up to a minute "before" it came in: then it came in when it was let go
    entry = min(entry, let_go)
    has_waited = (row["q_start"], row["q_exit"]) != ("0:00:00", "0:00:00")
    begins = max(after(row["q_start"], let_go), entry) if has_waited else let_go
    left = max(after(row["q_exit"], after(row["q_start"], let_go)), begins) if has_waited else let_go
    if row["outcome"] == "HANG":
        # 1,941 hung up in the voice unit: no entry into a queue; 31 more hung up in the second in which they entered it
        return (entry, begins, left, left, None) if has_waited else None
    # 50 were served without any times of service: answered when they left the queue, with no talk
    has_talked = (row["ser_start"], row["ser_exit"]) != ("0:00:00", "0:00:00")
    starts = after(row["ser_start"], left) if has_talked else left
    answered = max(starts, entry)
    over = max(after(row["ser_exit"], starts), answered) if has_talked else answered
    # where two clocks disagree, service starts before the queue was left, or even entered: nobody waits less than not
    return entry, min(begins, answered), answered, over, over - answered


@pytest.fixture(scope="module")
def reckoned():
    """Add up by service type and day, entries by the day on which they began and talks by that on which they ended."""
    sums: dict[tuple[str, date], Sums] = defaultdict(Sums)
    with gzip.open(BANK_CALLS, "rt", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            # 278 phantoms are no calls
            call = None if row["outcome"] == "PHANTOM" else reckon_call(row)
            if call is None:
                continue
            comes, begins, ends, over, talk = call
            midnight = date(1900 + int(row["date"][:2]), int(row["date"][2:4]), int(row["date"][4:]))
            entered = sums[row["type"], midnight + timedelta(days=begins // DAY)]
            wait = ends - begins
            entered.ended += 1
            entered.longest_ms = max(entered.longest_ms, wait * 1000)
            entered.longest_customer_ms = max(entered.longest_customer_ms, (ends - comes) * 1000)
            if talk is None:
                entered.abandoned += 1
                entered.abandoned_short += wait <= SHORT
                entered.abandoned_missed += wait > SHORT
                continue
            entered.answered += 1
            entered.answered_in_time += wait <= SERVICE_LEVEL
            entered.answered_late += wait > SERVICE_LEVEL
            entered.answered_ms += wait * 1000
            # 491 were served by agents without names: they count as well
            left = sums[row["type"], midnight + timedelta(days=over // DAY)]
            left.handled += 1
            left.handled_ms += talk * 1000
            left.wrapped_by_agent += 1  # the file knows of no wrap-up: each takes no time
    return dict(sums)


@pytest.fixture(scope="module")
def measured(django_db_setup, django_db_blocker, tmp_path_factory):
    """Import the calls once, ask the measures, and leave nothing behind."""
    rejects = tmp_path_factory.mktemp("february") / "rejects"
    with django_db_blocker.unblock(), transaction.atomic():
        call_command(
            "import_workitems", str(BANK_CALLS), "--format", "bank-calls", "--rejects", str(rejects), stdout=StringIO()
        )
        Queue.objects.update(time_zone=ZONE.key, short_abandon_seconds=SHORT)
        QueueChannel.objects.update(sla_seconds=SERVICE_LEVEL)
        sums: dict[tuple[str, date], Sums] = defaultdict(Sums)
        for rows, field, counted in (
            (measures.entries(), "entered_at", COUNTED_AT_ENTRY),
            (measures.handling(), "ended_at", COUNTED_AT_THE_END),
        ):
            by_day = rows.annotate(day=TruncDate(field, tzinfo=ZONE)).values("queue__queue_id", "day")
            for row in by_day.annotate(**counted):
                service = row.pop("queue__queue_id").removeprefix("q_bank_").upper()
                sums[service, row.pop("day")] += Sums(**row)
        waiting = measures.running().count()
        transaction.set_rollback(True)
    return {key: some for key, some in sums.items() if some != Sums()}, waiting


def test_there_are_as_many_calls_as_the_file_has(reckoned):
    total = sum(reckoned.values(), Sums())
    assert (total.offered, total.answered, total.abandoned) == (33344 - 278 - 1941, 27162, 5904 - 1941)
    assert {service for service, _day in reckoned} == {"PS", "PE", "IN", "NE", "NW", "TT"}


@pytest.mark.parametrize(
    "figure", ["offered", "answered", "abandoned", "abandoned_short", "service_level", "asa_ms", "handled", "aht_ms"]
)
def test_each_figure_is_the_same_for_each_service_and_day(figure, reckoned, measured):
    ours, _waiting = measured
    assert {key: getattr(some, figure) for key, some in ours.items()} == {
        key: getattr(some, figure) for key, some in reckoned.items()
    }


def test_all_that_figures_are_made_of_is_the_same(reckoned, measured):
    ours, waiting = measured
    calls_without_agent = [key for key in ours if ours[key].wrapped_by_agent != reckoned[key].wrapped_by_agent]
    assert ours == reckoned, calls_without_agent
    assert waiting == 0
