"""Put the promises to the test, one after the other on each combination of database and broker, and print figures."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict

import kombu
import psycopg
from kombu.exceptions import OperationalError

from tests.torture.ground import Order, Verdict

PLANTS = {"lock-off": 6, "beat-off": 6, "publish-waits": 7, "commit-late": 8}
SERVERS = {
    "CI_DATABASE_URL": "postgres://postgres@127.0.0.1:5432/postgres",
    "CI_REDIS_URL": "redis://127.0.0.1:6379/9",
    "CI_RABBITMQ_URL": "amqp://guest:guest@127.0.0.1:5672//",
}
EMBEDDED = "embedded://localhost"
TITLES = {
    6: "workers killed during a bulk transfer",
    7: "broker flushed, hung, killed under load",
    8: "PostgreSQL's backends terminated, and restarted hard, under load",
}


def main() -> int:
    asked = read()
    red = 0
    for name, database_url, broker_url in combinations():
        say(f"\n{name}")
        for promise in asked.promises:
            if promise == 8 and not database_url:
                continue
            order = Order(
                promise, database_url, broker_url, asked.seed, asked.minutes, asked.kills, asked.items, asked.plant
            )
            red += tell(promise, play(order))
    say(f"\n{red} broken" if red else "\nall promises kept")
    return 1 if red else 0


def read() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=20, help="at most, for each promise and combination")
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--promises", type=int, nargs="+", choices=TITLES, default=list(TITLES))
    parser.add_argument("--plant", choices=PLANTS, default="", help="plant a fault: what looks for it must turn red")
    asked = parser.parse_args()
    if asked.plant:
        asked.promises = [PLANTS[asked.plant]]
    return asked


def combinations() -> Iterator[tuple[str, str, str]]:
    """Yield what the environment names; with TORTURE_ALL or nothing named, all three, as far as servers answer."""
    database_url, broker_url = os.environ.get("DATABASE_URL", ""), os.environ.get("CELERY_BROKER_URL", "")
    if (database_url or broker_url) and not os.environ.get("TORTURE_ALL"):
        name = "as the environment says"
        yield name, "" if database_url.startswith("sqlite") else database_url, broker_url or EMBEDDED
        return
    yield "SQLite, embedded broker", "", EMBEDDED
    server = os.environ.get("CI_DATABASE_URL", SERVERS["CI_DATABASE_URL"])
    for name, variable in (("PostgreSQL, Redis", "CI_REDIS_URL"), ("PostgreSQL, RabbitMQ", "CI_RABBITMQ_URL")):
        broker = os.environ.get(variable, SERVERS[variable])
        if problem := unreachable(server, broker):
            say(f"\n{name}: left out, {problem}")
        else:
            yield name, server, broker


def unreachable(server: str, broker: str) -> str:
    try:
        psycopg.connect(server, connect_timeout=5).close()
        with kombu.Connection(broker, connect_timeout=5) as link:
            link.ensure_connection(max_retries=1, timeout=10)
    except (OSError, psycopg.Error, OperationalError) as error:
        return str(error).strip()
    return ""


def play(order: Order) -> Verdict:
    command = [sys.executable, "-m", "tests.torture.play", json.dumps(asdict(order))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as player:
        try:
            told, _errors = player.communicate()
        finally:
            player.terminate()  # where we are interrupted: it tidies up behind itself
    if player.returncode:
        return Verdict(problems=[f"it ended with {player.returncode}"])
    return Verdict(**json.loads(told.splitlines()[-1]))


def tell(promise: int, verdict: Verdict) -> bool:
    say(f"  {promise}  {TITLES[promise]}")
    for name, figure in verdict.figures.items():
        say(f"       {name:<32} {figure}")
    for problem in verdict.problems:
        say(f"     ! {problem}")
    say(f"     {'BROKEN' if verdict.problems else 'kept'}  ({time.strftime('%H:%M:%S')})")
    return bool(verdict.problems)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
