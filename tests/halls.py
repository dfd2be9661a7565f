"""Where real workers and beats of one test run: with a broker's queues, a directory and a database of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connection

Process = subprocess.Popen[bytes]


class Hall:
    """Everything that is started in it is gone when it is closed."""

    def __init__(
        self, directory: Path, broker_url: str, database_url: str = "", *, prefix: str = "", app: str = "config"
    ) -> None:
        self.directory, self.broker_url, self.app = directory, broker_url, app
        self.log = directory / "worker.log"
        self.prefix = prefix or f"test-{uuid.uuid4().hex[:12]}-"
        self.env = os.environ | {
            "CELERY_BROKER_URL": broker_url,
            "CELERY_QUEUE_PREFIX": self.prefix,
            "DATA_DIR": str(directory),
            "DATABASE_URL": database_url or url_of_this_database(),
            "DATABASE_POOL_SIZE": "4",
        }
        self.processes: list[Process] = []

    def start(self, log: str, *words: str) -> Process:
        """Start a program of ours in a group of its own."""
        with (self.directory / log).open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, *words],
                cwd=settings.BASE_DIR,
                env=self.env,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def start_worker(self) -> Process:
        words = ("worker", "-c", "1", "--without-gossip", "--without-mingle")
        return self.start("worker.log", "-m", "celery", "-A", self.app, *words)

    def start_beat(self) -> Process:
        schedule = str(self.directory / f"schedule-{len(self.processes)}")
        words = ("beat", "--schedule", schedule, "--pidfile", "")
        return self.start("beat.log", "-m", "celery", "-A", self.app, *words)

    def wake(self, task: str, times: int = 1, **ids: str) -> None:
        """Send wake-ups from a process of its own, as a web server would."""
        call = f"from workitems import tasks\nfor _ in range({times}): tasks.{task}.delay(**{ids!r})"
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-v0", "-c", call], cwd=settings.BASE_DIR, env=self.env, check=True
        )

    def is_ready(self) -> bool:
        """Tell whether a worker has said that it takes messages."""
        return " ready." in self.log.read_text()

    def kill(self, process: Process) -> None:
        self.signal(process, signal.SIGKILL)
        process.wait()

    @staticmethod
    def signal(process: Process, number: int) -> None:
        """Send a signal to a program and all it has started."""
        os.killpg(process.pid, number)

    @staticmethod
    def children(process: Process) -> list[int]:
        """Return a worker's pool processes; the embedded default has none."""
        found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        return [int(child) for child in found.split()]

    def purge(self) -> None:
        """Lose every message that waits."""
        with self._link() as link:
            for name in self._queues():
                link.default_channel.queue_purge(name)

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                self.kill(process)
        if self.broker_url.startswith(("redis", "amqp")):
            with self._link() as link:
                for name in self._queues():
                    link.default_channel.queue_delete(name)

    def _queues(self) -> list[str]:
        return [f"{self.prefix}{name}" for name in ("interactive", "bulk")]

    def _link(self):
        from kombu import Connection

        from config import embedded_broker

        options = {}
        if self.broker_url.startswith("embedded"):
            options = embedded_broker.transport_options(self.directory / "broker")
        return Connection(self.broker_url, transport_options=options)


def url_of_this_database() -> str:
    """Return the address of the database that this process is connected to."""
    db = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{db['NAME']}"
    return f"postgres://{db['USER']}:{db['PASSWORD']}@{db['HOST']}:{db['PORT']}/{db['NAME']}"


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
