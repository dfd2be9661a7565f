"""Let customers and agents play in the demo centre."""

from __future__ import annotations

import random
import signal
import threading
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from workitems.demo import centre
from workitems.demo.simulation import Simulation

MOST_INTERVALS = 10  # that one look plays at most


class Command(BaseCommand):
    """Play until stopped."""

    help = "Play customers and agents in the demo centre, through the ordinary commands. Ctrl+C stops it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Say how fast, and for how long."""
        parser.add_argument("--speed", type=float, default=1.0, help="1 is life's own speed, 10 is ten times as fast")
        parser.add_argument("--interval", type=float, default=1.0, help="seconds between two looks")
        parser.add_argument("--ticks", type=int, default=0, help="stop after so many looks (0: never)")
        parser.add_argument("--seed", type=int, default=None, help="play the same game again")

    def handle(self, *args: Any, **options: Any) -> None:
        """Play tick by tick."""
        if not 0 < options["speed"] <= 1000 or not 0 < options["interval"] <= 60:
            raise CommandError(
                "The speed must be above 0 and at most 1000, the interval above 0 and at most 60 seconds."
            )
        if not centre.is_loaded():
            raise CommandError("There is no demo centre in this database; manage.py load_demo makes one.")
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        game = Simulation(random.Random(options["seed"]), options["speed"])  # noqa: S311  a game, no secret
        ticks = done = 0
        passed, looked_at = options["interval"], time.monotonic()
        while not stop.is_set() and (not options["ticks"] or ticks < options["ticks"]):
            done += game.tick(timezone.now(), passed)
            ticks += 1
            stop.wait(options["interval"])
            # a slow machine looks more seldom and plays as much; who wakes from sleep plays no night after
            passed = min(time.monotonic() - looked_at, MOST_INTERVALS * options["interval"])
            looked_at = time.monotonic()
        self.stdout.write(f"{done} things done in {ticks} looks.")
