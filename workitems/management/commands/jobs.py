"""What the workers have in hand, in a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, OperationalError, connection

from workitems import lags, statements
from workitems.models import FINISHED, BulkRun, PolicyRun, Run, Transfer

KINDS: tuple[type[Run], ...] = (Transfer, PolicyRun, BulkRun)
LATEST = 10
MOST = 50
REFRESH_SECONDS = 2.0
HOME_AND_CLEAR = "\x1b[H\x1b[2J"
HEAD = ("ID", "KIND", "STATE", "DONE", "REFUSED", "FAILED", "TOTAL", "RATE/S", "REMAINING", "LAST PROGRESS")
RIGHT = {"DONE", "REFUSED", "FAILED", "TOTAL", "RATE/S", "REMAINING"}


class Command(BaseCommand):
    """Show runs and what is due; changes nothing."""

    help = "Show unfinished and latest runs, the oldest work that is due, and the last beat."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Say whether to go on showing."""
        parser.add_argument("--watch", action="store_true", help="show it anew every two seconds until Ctrl+C")

    def handle(self, *args: Any, **options: Any) -> None:
        """Show it once, or until Ctrl+C."""
        try:
            self.stdout.write(_page())
            while options["watch"]:
                time.sleep(REFRESH_SECONDS)
                self.stdout.write(HOME_AND_CLEAR + _page())
                self.stdout.flush()
        except KeyboardInterrupt:
            return


def _page() -> str:
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise CommandError(f"The database does not answer: {error}") from None
    try:
        now = statements.now()
        return "\n\n".join([_table(_rows(now)), _due(now)])
    except DatabaseError as error:
        reason = str(error).splitlines()[0]
        raise CommandError(f"The database is not that of this version; run manage.py migrate ({reason}).") from None


def _rows(now: datetime) -> list[tuple[str, ...]]:
    """Return the unfinished runs, and of the finished ones the latest, each group newest first."""
    unfinished = [run for model in KINDS for run in _newest(model, MOST, finished=False)]
    finished = [run for model in KINDS for run in _newest(model, LATEST, finished=True)]
    latest = sorted(finished, key=lambda run: run.created_at, reverse=True)[:LATEST]
    return [_row(run, now) for run in [*unfinished, *latest]]


def _newest(model: type[Run], most: int, *, finished: bool) -> list[Run]:
    runs = model._default_manager.order_by("-pk")
    asked = runs.filter(state__in=FINISHED) if finished else runs.exclude(state__in=FINISHED)
    return list(asked[:most])


def _row(run: Run, now: datetime) -> tuple[str, ...]:
    seconds = run.remaining_seconds(now)
    return (
        run.public_id,
        str(run._meta.verbose_name),
        run.state,
        str(run.done),
        str(run.refused),
        str(run.failed),
        str(run.total),
        f"{run.rate(now):.1f}",
        "-" if seconds is None else _span(seconds),
        f"{_span((now - run.moved_at).total_seconds())} ago",
    )


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(line[column]) for line in [HEAD, *rows]) for column in range(len(HEAD))]
    lines = [
        "  ".join(
            cell.rjust(width) if name in RIGHT else cell.ljust(width)
            for name, cell, width in zip(HEAD, line, widths, strict=True)
        ).rstrip()
        for line in [HEAD, *rows]
    ]
    return "\n".join(lines if rows else [*lines, "No runs."])


def _due(now: datetime) -> str:
    lines = [
        f"{kind.replace('_', ' ')}: {_span(seconds) if seconds else 'nothing due'}"
        for kind, seconds in lags.seconds_due(now).items()
    ]
    age = lags.beat_age_seconds(now)
    beat = "never" if age is None else f"{_span(age)} ago"
    return "\n".join(["Oldest work that is due", *(f"  {line}" for line in lines), f"Last beat: {beat}"])


def _span(seconds: float) -> str:
    """Return a span of time in its two largest units."""
    whole = max(0, int(seconds))
    for unit, size, part, smaller in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // smaller} {part}"
    return f"{whole} s"
