"""Look after the ledger."""

from __future__ import annotations

import sys
from datetime import datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date
from tqdm import tqdm

from queues.models import Queue
from workitems import rebuilding

MOST_NAMED = 100


class Command(BaseCommand):
    """Compare the ledger with the history, or make it anew from it."""

    help = (
        "The ledger is what figures and reports are counted from: where each workitem stood, from when to when. "
        "“check” compares it with the history and ends with exit code 1 where they differ; “rebuild” makes anew what "
        "differs. Both may run while the centre works, and may be stopped and started again at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Say what to do, and with which workitems."""
        parser.add_argument("what", choices=["check", "rebuild"])
        parser.add_argument("--since", metavar="DATE", help="only what has changed since then, for example 2026-03-01")
        parser.add_argument("--queue", metavar="ID", default="", help="only what was ever in this queue")
        parser.add_argument(
            "--missing", action="store_true", help="only what was never in the ledger, as after an update"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Go through the workitems, and say how it came out."""
        if options["queue"] and not Queue.objects.filter(queue_id=options["queue"]).exists():
            raise CommandError(f"There is no queue {options['queue']}.")
        rows = rebuilding.of_interest(
            since=_moment(options["since"]), queue_id=options["queue"], only_missing=options["missing"]
        )
        is_right = True
        with tqdm(total=rows.count(), unit="workitem", disable=None) as bar:
            tally = rebuilding.Tally()
            for pks in rebuilding.portions(rows):
                tally.add(self._check(pks, tally.wrong) if options["what"] == "check" else rebuilding.rebuild(pks))
                bar.update(len(pks))
        if options["what"] == "check":
            is_right = tally.wrong == 0
            self.stdout.write(f"{tally.seen} workitems, {tally.stays} stays: {tally.right} right, {tally.wrong} not.")
        else:
            self.stdout.write(
                f"{tally.seen} workitems, {tally.stays} stays: {tally.right} were right, {tally.wrong} made anew."
            )
        if not is_right:
            self.stderr.write("“manage.py ledger rebuild” makes them anew from their history.")
            sys.exit(1)

    def _check(self, pks: list[int], named: int) -> rebuilding.Tally:
        tally, differences = rebuilding.check(pks)
        for workitem_id, found in list(differences.items())[: max(0, MOST_NAMED - named)]:
            self.stdout.write(f"{workitem_id}: {'; '.join(found)}")
        if named < MOST_NAMED < named + tally.wrong:
            self.stdout.write("More differ, which are counted only.")
        return tally


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError(f"“{text}” is no date; write it as 2026-03-01.")
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
