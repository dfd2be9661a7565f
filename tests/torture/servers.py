"""Servers of our own, to be stopped, killed and restarted without harm to anybody else's."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

UNPRIVILEGED = ("postgres", "nobody")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


class Broker:
    """A process that can be hung and killed, and an address that leads to the broker by way of it."""

    def __init__(self, command: list[str], url: str, port: int) -> None:
        self.command, self.url, self.port = command, url, port
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port)

    def hang(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self._pid, signal.SIGCONT)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    @property
    def _pid(self) -> int:
        assert self.process is not None
        return self.process.pid


def redis_of_our_own() -> Broker | None:
    """Return a Redis that keeps nothing when it is killed, or None where there is no program for it."""
    program = shutil.which("redis-server")
    if program is None:
        return None
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    return Broker(command, f"redis://127.0.0.1:{port}/0", port)


def wire_to(url: str) -> Broker:
    """Return a wire to a broker that belongs to others too: what is hung and killed is the wire."""
    port, parts = free_port(), urlsplit(url)
    server_port = parts.port or {"amqp": 5672, "redis": 6379}[parts.scheme]
    command = [sys.executable, "-m", "tests.torture.wire", str(port), parts.hostname or "127.0.0.1", str(server_port)]
    login = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return Broker(command, urlunsplit(parts._replace(netloc=f"{login}127.0.0.1:{port}")), port)


class Cluster:
    """A PostgreSQL of our own, run by somebody without privileges, as it insists."""

    def __init__(self, *, durable: bool) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="workitems-torture-pg-"))
        self.port = free_port()
        self.user = next((one for one in UNPRIVILEGED if _exists(one)), None) if os.geteuid() == 0 else None
        if self.user is not None:
            shutil.chown(self.directory, self.user)
        self.options = f"-p {self.port} -k {self.directory} -c listen_addresses=127.0.0.1"
        if not durable:
            self.options += " -c synchronous_commit=off -c wal_writer_delay=10s -c wal_writer_flush_after=0"

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def make(self) -> None:
        self._run("initdb", "-D", str(self.directory / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8")
        self.start()

    def start(self) -> None:
        log = str(self.directory / "log")
        self._run("pg_ctl", "-D", str(self.directory / "data"), "-o", self.options, "-l", log, "-w", "start")

    def stop_hard(self) -> None:
        """Stop as if the power had gone."""
        self._run("pg_ctl", "-D", str(self.directory / "data"), "-m", "immediate", "-w", "stop")

    def remove(self) -> None:
        self.stop_hard()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _run(self, program: str, *words: str) -> None:
        found = _postgres_program(program)
        assert found is not None
        quiet = subprocess.DEVNULL
        subprocess.run([found, *words], check=True, user=self.user, cwd="/", stdin=quiet, stdout=quiet, stderr=quiet)


def can_make_a_cluster() -> bool:
    somebody = os.geteuid() != 0 or any(map(_exists, UNPRIVILEGED))
    return somebody and None not in (_postgres_program("initdb"), _postgres_program("pg_ctl"))


def _postgres_program(name: str) -> str | None:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(installed[-1]) if installed else None)


def _exists(user: str) -> bool:
    return any(one.pw_name == user for one in pwd.getpwall())


def make_database(server_url: str, name: str) -> str:
    """Make a database on a server and return its address."""
    drop_database(server_url, name)
    with psycopg.connect(server_url, autocommit=True) as link:
        link.execute(f"CREATE DATABASE {name}".encode())
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def drop_database(server_url: str, name: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as link:
        link.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
