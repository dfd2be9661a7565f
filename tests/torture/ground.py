"""Where one promise is put to the test: a directory, a database and a broker, all of them made for it."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.torture import servers


@dataclass(frozen=True)
class Order:
    """What is to be tested, on what, and how hard."""

    promise: int
    database_url: str  # "": SQLite
    broker_url: str
    seed: int = 1
    minutes: float = 20
    kills: int = 60
    items: int = 10_000
    plant: str = ""


@dataclass
class Verdict:
    """What was seen, and what of it breaks the promise."""

    figures: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def require(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.problems.append(otherwise)


class Ground:
    """Enter it before Django is loaded: it sets the environment that the settings read."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.until = time.monotonic() + order.minutes * 60
        self.directory = Path(tempfile.mkdtemp(prefix="workitems-torture-"))
        self.prefix = f"torture-{uuid.uuid4().hex[:12]}-"
        self.database = f"workitems_{self.prefix.replace('-', '_')}"[:-1]
        self.cluster: servers.Cluster | None = None
        self.broker: servers.Broker | None = None
        self.hall: Any = None

    def __enter__(self) -> Ground:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": str(self.directory),
            "DATABASE_URL": self._database_url(),
            "CELERY_BROKER_URL": self._broker_url(),
            "CELERY_QUEUE_PREFIX": self.prefix,
            "DATABASE_POOL_SIZE": "8",
            "RATE_LIMIT_PER_MINUTE": "0",
            "HTTPS": "off",
            "TORTURE_PLANT": self.order.plant,
        }
        return self

    def open_hall(self) -> Any:
        """Return the hall, once Django is loaded."""
        from tests.halls import Hall

        self.hall = Hall(
            self.directory,
            os.environ["CELERY_BROKER_URL"],
            os.environ["DATABASE_URL"],
            prefix=self.prefix,
            app="tests.torture.planted" if self.order.plant else "config",
        )
        return self.hall

    def start_web(self) -> int:
        """Start a web server and return its port when it answers."""
        port = servers.free_port()
        application = "tests.torture.planted:application" if self.order.plant else "config.wsgi:application"
        words = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        self.hall.start("web.log", "-m", "granian", *words, "--blocking-threads", "8", application)
        servers.wait_for_port(port)
        return port

    def keep_logs(self) -> str:
        """Save the logs from the end of the ground and return where they are."""
        kept = tempfile.mkdtemp(prefix="workitems-torture-logs-")
        for log in self.directory.glob("*.log"):
            shutil.copy(log, kept)
        return kept

    @property
    def time_is_up(self) -> bool:
        return time.monotonic() > self.until

    def __exit__(self, *problem: object) -> None:
        if self.broker is not None:
            with suppress(ProcessLookupError):
                self.broker.go_on()
        if self.hall is not None:
            self.hall.close()
        if self.broker is not None:
            self.broker.kill()
        if self.cluster is not None:
            self.cluster.remove()
        elif self.order.database_url:
            from django.db import connections

            connections.close_all()
            servers.drop_database(self.order.database_url, self.database)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _database_url(self) -> str:
        if not self.order.database_url:
            return f"sqlite:///{self.directory / 'workitems.sqlite3'}"
        if self.order.promise == 8 and servers.can_make_a_cluster():
            self.cluster = servers.Cluster(durable=self.order.plant != "commit-late")
            self.cluster.make()
            return self.cluster.url
        return servers.make_database(self.order.database_url, self.database)

    def _broker_url(self) -> str:
        url = self.order.broker_url
        if self.order.promise == 7 and not url.startswith("embedded"):
            self.broker = (servers.redis_of_our_own() if url.startswith("redis") else None) or servers.wire_to(url)
            self.broker.start()
            return self.broker.url
        return url
