"""The whole product on one machine: web server, workers, beat and a simulation that keeps the demo centre alive."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

GRACE_SECONDS = 10
START_SECONDS = 90
LIFE_SECONDS = 5


class Command(BaseCommand):
    """Start everything, wait, and stop everything."""

    help = "Make the database, load a demo centre on first start, and run web server, workers, beat and simulation."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Say where to listen."""
        parser.add_argument("--port", default="8000")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until Ctrl+C, or until one of the processes cannot be kept alive."""
        port = self._free_port(options["port"])
        with (settings.DATA_DIR / "demo.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CommandError(f"A demo is running in {settings.DATA_DIR} already; stop it first.") from None
            call_command("migrate", verbosity=0)
            call_command("load_demo", stdout=self.stdout)
            self._run(port)

    def _free_port(self, text: str) -> int:
        if not text.isdigit() or not 1 <= int(text) <= 65535:
            raise CommandError(f"PORT must be a number from 1 to 65535, not “{text}”.")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", int(text)))
            except OSError as error:
                raise CommandError(f"Port {text} cannot be used ({error.strerror}); try: make demo PORT=8001") from None
        return int(text)

    def _run(self, port: int) -> None:
        house = House(settings.DATA_DIR / "logs")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _stop)
        try:
            house.start("web", "granian", *_web_options(port))
            house.wait_until_answering(f"http://127.0.0.1:{port}/login/")
            for name, queue in (("worker", settings.INTERACTIVE), ("bulk worker", settings.BULK)):
                house.start(name, "celery", "-A", "config", "worker", *_worker_options(queue))
            house.start("beat", "celery", "-A", "config", "beat")
            house.start("simulation", str(settings.BASE_DIR / "manage.py"), "simulate", module=False)
            self.stdout.write(f"\nWorkitems is running: http://127.0.0.1:{port}/")
            self.stdout.write(f"Logs and data: {settings.DATA_DIR}. Ctrl+C stops everything.")
            self.stdout.flush()
            house.wait()
        except KeyboardInterrupt:
            self.stdout.write("\nStopping …")
        finally:
            house.stop()


class House:
    """The processes of the demo, each in a group of its own so that nothing is left behind."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.commands: dict[str, list[str]] = {}
        self.started: dict[str, float] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, *words: str, module: bool = True) -> None:
        """Start one process that writes to a log of its own."""
        self.commands[name] = [sys.executable, *(["-m"] if module else []), *words]
        self._spawn(name)

    def _spawn(self, name: str) -> None:
        self.started[name] = time.monotonic()
        with self._log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(  # noqa: S603  our own programs
                self.commands[name],
                cwd=settings.BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until_answering(self, address: str) -> None:
        """Return when the web server answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for name in self._dead():
                raise CommandError(f"The {name} has stopped by itself; see {self._log(name)}.")
            try:
                with urllib.request.urlopen(address, timeout=5):  # noqa: S310  our own address
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise CommandError(f"The web server does not answer; see {self._log('web')}.")

    def wait(self) -> None:
        """Wait for ever; start again what was killed, and give up on what does not live for five seconds."""
        while True:
            for name in self._dead():
                if time.monotonic() - self.started[name] < LIFE_SECONDS:
                    raise CommandError(f"The {name} has stopped by itself; see {self._log(name)}.")
                self._spawn(name)
            time.sleep(0.5)

    def stop(self) -> None:
        """Stop all, the patient way first, and leave nothing behind."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for process in self.processes.values():
            process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for process in self.processes.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
        for process in self.processes.values():
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            finally:
                process.wait()

    def _dead(self) -> list[str]:
        return [name for name, process in self.processes.items() if process.poll() is not None]

    def _log(self, name: str) -> Path:
        return self.logs / f"{name.replace(' ', '-')}.log"


def _worker_options(queue: str) -> list[str]:
    return ["-Q", queue, "-n", f"{queue}@%h", "--without-gossip", "--without-mingle"]


def _web_options(port: int) -> list[str]:
    return [
        "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--blocking-threads", "8", "--respawn-failed-workers", "config.wsgi:application",
    ]  # fmt: skip


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
