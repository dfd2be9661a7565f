"""One promise on one database and one broker, in a process of its own: settings are read but once."""

from __future__ import annotations

import importlib
import json
import signal
import sys
from dataclasses import asdict

import django

from tests.torture.ground import Ground, Order

PROMISES = {6: "kills", 7: "brokers", 8: "databases"}


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by way of the exit, which leaves nothing behind
    order = Order(**json.loads(sys.argv[1]))
    with Ground(order) as ground:
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        ground.open_hall()
        verdict = importlib.import_module(f"tests.torture.{PROMISES[order.promise]}").play(ground)
        if verdict.problems:
            verdict.figures["logs"] = ground.keep_logs()
    sys.stdout.write(f"\n{json.dumps(asdict(verdict))}\n")


if __name__ == "__main__":
    main()
