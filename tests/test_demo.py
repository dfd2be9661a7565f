"""`manage.py demo` as somebody at a terminal sees it: it starts, shows itself, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

from workitems.management.commands.demo import LIFE_SECONDS, START_SECONDS


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Demo:
    """One start of the demo in a directory."""

    def __init__(self, directory: Path, port: int | str) -> None:
        env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "CELERY_BROKER_URL")}
        self.marker = str(directory)
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--port", str(port)],
            cwd=settings.BASE_DIR,
            env=env | {"DATA_DIR": str(directory), "HTTPS": "off", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def read_until(self, text: str) -> str:
        assert self.process.stdout is not None
        seen = ""
        for line in self.process.stdout:
            seen += line
            if text in line:
                return seen
        raise AssertionError(f"it ended without saying “{text}”:\n{seen}")

    def stop(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)

    def pids(self, words: str) -> list[int]:
        return [pid for pid, command in self.processes().items() if words in command]

    def left_behind(self) -> list[str]:
        return list(self.processes().values())

    def processes(self) -> dict[int, str]:
        """Return the processes that have this directory in their environment."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                environment = (entry / "environ").read_bytes().decode(errors="replace")
                if f"DATA_DIR={self.marker}\0" in environment and int(entry.name) != os.getpid():
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if command:  # one that has ended and not been waited for has none
                        found[int(entry.name)] = command
            except OSError:
                continue
        return found


@dataclass
class FirstStart:
    """What somebody saw at the first start in a directory, and what was left after it."""

    directory: Path
    port: int
    said: str
    page: str
    running: list[str]
    left_with: int
    left_behind: list[str]


@pytest.fixture(scope="module")
def first(tmp_path_factory) -> FirstStart:
    """Start it in an empty directory, look at it and stop it, once for all: the database takes its time."""
    directory, port = tmp_path_factory.mktemp("demo"), free_port()
    demo = Demo(directory, port)
    said = demo.read_until("Ctrl+C")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/login/") as answer:
        page = answer.read().decode()
    running = demo.left_behind()
    return FirstStart(directory, port, said, page, running, demo.stop(signal.SIGINT), demo.left_behind())


def test_it_says_where_it_is_and_who_can_sign_in(first):
    assert f"http://127.0.0.1:{first.port}/" in first.said
    assert re.findall(r"^  (\S+) +\S{16} ", first.said, re.M) == ["supervisor", "ann.brook", "admin", "integration"]
    assert "Sign in" in first.page


def test_it_runs_all_that_the_product_is_made_of_and_leaves_nothing_behind(first):
    running = " ".join(first.running)
    for words in ("granian", "worker -Q interactive", "worker -Q bulk", "beat", "simulate"):
        assert words in running
    assert (first.left_with, first.left_behind) == (0, [])


def test_it_goes_on_where_it_was_and_shows_no_password_again(first):
    began = time.monotonic()
    again = Demo(first.directory, free_port())
    said = again.read_until("Ctrl+C")
    took = time.monotonic() - began
    assert again.stop(signal.SIGTERM) == 0
    assert again.left_behind() == []
    assert "there already" in said
    assert not re.search(r"supervisor +\S{16} ", said)
    assert took < START_SECONDS


def test_what_is_killed_starts_again(first):
    demo = Demo(first.directory, free_port())
    demo.read_until("Ctrl+C")
    time.sleep(LIFE_SECONDS)  # what dies younger is given up
    (worker,) = demo.pids("worker -Q bulk")
    os.kill(worker, signal.SIGKILL)
    deadline = time.monotonic() + START_SECONDS
    while demo.pids("worker -Q bulk") in ([], [worker]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert demo.stop(signal.SIGINT) == 0
    assert demo.left_behind() == []


@pytest.mark.parametrize(("port", "reason"), [("x", "PORT must be a number"), ("0", "PORT must be a number")])
def test_an_impossible_port_is_one_clear_line(port, reason, tmp_path):
    demo = Demo(tmp_path, port)
    output, _nothing = demo.process.communicate(timeout=30)
    assert demo.process.returncode == 1
    assert len(output.strip().splitlines()) == 1
    assert reason in output


def test_a_taken_port_is_one_clear_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        demo = Demo(tmp_path, taken.getsockname()[1])
        output, _nothing = demo.process.communicate(timeout=30)
    assert demo.process.returncode == 1
    assert len(output.strip().splitlines()) == 1
    assert "cannot be used" in output
