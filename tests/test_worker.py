"""A real worker on a real broker: the one that CELERY_BROKER_URL names, else the embedded one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.builders import make_queue, make_user, make_workitem
from tests.environment import REAL_BROKER_URL
from workitems import transfers
from workitems.actors import Actor
from workitems.choices import Door, Event, Scope
from workitems.groups import grant
from workitems.models import TimeEvent, Transfer, TransferItem, Workitem

pytestmark = pytest.mark.django_db(transaction=True)


class Hall:
    """Where workers of one test run: a broker queue and a directory of its own, the test's database."""

    def __init__(self, directory: Path) -> None:
        self.log = directory / "worker.log"
        self.env = os.environ | {
            "CELERY_BROKER_URL": REAL_BROKER_URL,
            "CELERY_QUEUE": f"test-{uuid.uuid4().hex[:12]}",
            "DATA_DIR": str(directory),
            "DATABASE_URL": self._database_url(),
            "DATABASE_POOL_SIZE": "4",
        }
        self.workers: list[subprocess.Popen[bytes]] = []

    def start_worker(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-c", "1", "--without-gossip"]
        with self.log.open("ab") as log:
            worker = subprocess.Popen(
                command, cwd=settings.BASE_DIR, env=self.env, stdout=log, stderr=log, start_new_session=True
            )
        self.workers.append(worker)
        return worker

    def wake(self, task: str, **ids: str) -> None:
        """Send a wake-up from a process of its own, as a web server would."""
        call = f"from workitems import tasks; tasks.{task}.delay(**{ids!r})"
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-v0", "-c", call], cwd=settings.BASE_DIR, env=self.env, check=True
        )

    def is_ready(self) -> bool:
        return f"exchange={self.env['CELERY_QUEUE']}" in self.log.read_text()

    @staticmethod
    def children(worker: subprocess.Popen[bytes]) -> list[int]:
        """Return the worker's pool processes; the embedded default has none."""
        found = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text()
        return [int(child) for child in found.split()]

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def close(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                self.kill(worker)
        if REAL_BROKER_URL.startswith(("redis", "amqp")):
            from kombu import Connection

            with Connection(REAL_BROKER_URL) as link:
                link.default_channel.queue_delete(self.env["CELERY_QUEUE"])

    @staticmethod
    def _database_url() -> str:
        db = connection.settings_dict
        if connection.vendor == "sqlite":
            return f"sqlite:///{db['NAME']}"
        return f"postgres://{db['USER']}:{db['PASSWORD']}@{db['HOST']}:{db['PORT']}/{db['NAME']}"


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    hall = Hall(tmp_path)
    yield hall
    hall.close()


def wait_for(condition, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def make_transfer(count: int) -> Transfer:
    user, source, target = make_user("boss"), make_queue("q_source"), make_queue("q_target")
    grant(user, Scope.WRITE)
    ids = [make_workitem(queue=source).workitem_id for _ in range(count)]
    from django.utils import timezone

    return transfers.request(ids, target, actor=Actor.of(user, Door.API), now=timezone.now())


def check_moved_once(count: int) -> None:
    assert TransferItem.objects.filter(outcome="done").count() == count
    assert Workitem.objects.filter(queue__queue_id="q_target", version=2).count() == count
    assert TimeEvent.objects.filter(type=Event.TRANSFERRED).count() == count


def test_a_worker_moves_a_transfer_that_it_is_woken_for(hall):
    transfer = make_transfer(30)
    hall.start_worker()
    hall.wake("run_transfer", transfer_id=transfer.transfer_id)
    wait_for(lambda: Transfer.objects.get().progress == "done")
    check_moved_once(30)


def test_a_killed_worker_loses_nothing_and_doubles_nothing(hall):
    transfer = make_transfer(2000)
    for _ in range(4):
        worker = hall.start_worker()
        hall.wake("run_transfer", transfer_id=transfer.transfer_id)
        before = TransferItem.objects.filter(outcome="done").count()
        wait_for(
            lambda before=before: (
                TransferItem.objects.filter(outcome="done").count() > before
                or Transfer.objects.get().progress == "done"
            )
        )
        hall.kill(worker)
    hall.start_worker()
    hall.wake("run_transfer", transfer_id=transfer.transfer_id)
    wait_for(lambda: Transfer.objects.get().progress == "done")
    check_moved_once(2000)


def test_a_worker_whose_idle_pool_was_killed_goes_on(hall):
    transfer = make_transfer(30)
    worker = hall.start_worker()
    wait_for(hall.is_ready)
    for child in hall.children(worker):
        os.kill(child, signal.SIGKILL)
    hall.wake("run_transfer", transfer_id=transfer.transfer_id)
    wait_for(lambda: Transfer.objects.get().progress == "done")
    check_moved_once(30)


def test_a_doubled_wake_up_does_no_harm(hall):
    transfer = make_transfer(30)
    for _ in range(3):
        hall.wake("run_transfer", transfer_id=transfer.transfer_id)
    hall.start_worker()
    hall.start_worker()
    wait_for(lambda: Transfer.objects.get().progress == "done")
    check_moved_once(30)
