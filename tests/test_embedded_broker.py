"""The broker of files: every message arrives whole and once, also when its reader was killed."""

from __future__ import annotations

import multiprocessing
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from kombu import Connection

import config.celery  # noqa: F401  names the transport
from config import embedded_broker


@pytest.fixture
def open_queue(tmp_path):
    def connect():
        link = Connection("embedded://localhost", transport_options=embedded_broker.transport_options(tmp_path))
        return link.SimpleQueue("work")

    return connect


READER = """
import sys, time
from pathlib import Path
from kombu import Connection
import config.celery
from config import embedded_broker

link = Connection("embedded://localhost", transport_options=embedded_broker.transport_options(Path(sys.argv[1])))
message = link.SimpleQueue("work").get(timeout=10)
print("taken", flush=True)
time.sleep(60)
"""


@pytest.fixture
def neighbour(tmp_path) -> Iterator[subprocess.Popen[str]]:
    """Another process, which takes one message and does not finish it."""
    command = [sys.executable, "-c", READER, str(tmp_path)]
    with subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def has_taken(process: subprocess.Popen[str]) -> bool:
    assert process.stdout is not None
    return process.stdout.readline() == "taken\n"


def waiting(directory: Path) -> list[str]:
    return [path.name for path in (directory / "messages").iterdir()]


def claimed(directory: Path) -> list[str]:
    return [path.name for path in (directory / "claimed").rglob("*.msg")]


def test_messages_come_in_the_order_in_which_they_were_sent(open_queue):
    with open_queue() as queue:
        for number in range(20):
            queue.put({"number": number})
        received = []
        for _ in range(20):
            message = queue.get(timeout=2)
            received.append(message.payload["number"])
            message.ack()
    assert received == list(range(20))


def test_an_acknowledged_message_leaves_nothing_behind(open_queue, tmp_path):
    with open_queue() as queue:
        queue.put({})
        queue.get(timeout=2).ack()
    assert waiting(tmp_path) == claimed(tmp_path) == []


def test_a_message_whose_reader_was_killed_comes_back(open_queue, tmp_path, neighbour):
    with open_queue() as queue:
        queue.put({"number": 1})
    assert has_taken(neighbour)
    neighbour.send_signal(signal.SIGKILL)
    neighbour.wait()
    embedded_broker.reclaim(tmp_path)
    with open_queue() as second:
        again = second.get(timeout=2)
        again.ack()
    assert again.payload == {"number": 1}
    assert len(list((tmp_path / "claimed").iterdir())) == 1  # ours


def test_a_message_whose_reader_lives_stays_with_it(open_queue, tmp_path, neighbour):
    with open_queue() as queue:
        queue.put({"number": 1})
    assert has_taken(neighbour)
    embedded_broker.reclaim(tmp_path)
    assert (waiting(tmp_path), len(claimed(tmp_path))) == ([], 1)


def test_a_reader_that_is_stopped_still_lives(open_queue, tmp_path, neighbour):
    with open_queue() as queue:
        queue.put({"number": 1})
    assert has_taken(neighbour)
    neighbour.send_signal(signal.SIGSTOP)
    embedded_broker.reclaim(tmp_path)
    assert (waiting(tmp_path), len(claimed(tmp_path))) == ([], 1)


def test_a_living_reader_takes_over_what_a_dead_neighbour_held(open_queue, neighbour, monkeypatch):
    with open_queue() as queue:
        queue.put({"number": 1})
    assert has_taken(neighbour)
    monkeypatch.setattr(embedded_broker, "RECLAIM_SECONDS", 0.0)
    with open_queue() as queue:
        with pytest.raises(queue.Empty):
            queue.get(timeout=0.3)
        neighbour.send_signal(signal.SIGKILL)
        neighbour.wait()
        again = queue.get(timeout=5)
        again.ack()
    assert again.payload == {"number": 1}


def test_a_message_of_ours_is_not_taken_from_ourselves(open_queue, tmp_path):
    with open_queue() as queue:
        queue.put({"number": 1})
        message = queue.get(timeout=2)
        embedded_broker.reclaim(tmp_path)
        assert (waiting(tmp_path), len(claimed(tmp_path))) == ([], 1)
        message.ack()


def test_a_child_does_not_keep_its_dead_parents_messages(tmp_path):
    """What a parent held comes back although a child of it, made by a fork, is still there."""
    folder = tmp_path / "claimed"
    folder.mkdir()
    context = multiprocessing.get_context("fork")
    claims = embedded_broker._claims_in(folder)
    (claims.directory / "1_x.work.msg").write_text("{}")
    here, go = context.Event(), context.Event()

    def stay():
        here.set()
        go.wait()

    child = context.Process(target=stay)
    child.start()
    try:
        assert here.wait(10)
        embedded_broker._leave_all_to_the_parent()  # as the kernel does it at our end
        embedded_broker.reclaim(tmp_path)
        assert waiting(tmp_path) == ["1_x.work.msg"]
    finally:
        go.set()
        child.join()


def test_a_reader_that_closes_gives_back_what_it_had_not_finished_and_gives_it_back_once(open_queue, tmp_path):
    with open_queue() as queue:
        queue.put({"number": 1})
    for _ in range(3):
        with open_queue() as reader:
            reader.get(timeout=2)
            reader.channel.qos.restore_unacked_once()
        embedded_broker.reclaim(tmp_path)
        assert len(waiting(tmp_path)) == 1


def test_a_table_that_a_crash_left_empty_is_mended(open_queue, tmp_path):
    with open_queue() as queue:
        queue.put({"number": 1})
    (tmp_path / "control" / "work.exchange").write_bytes(b"")
    embedded_broker.Transport.states.clear()
    with open_queue() as queue:
        queue.put({"number": 2})
        assert queue.qsize() == 2
        queue.clear()


def test_a_half_written_message_is_not_seen(open_queue, tmp_path):
    with open_queue() as queue:
        (tmp_path / "messages" / ".00000000000000000001_x.work.msg").write_bytes(b"{")
        with pytest.raises(queue.Empty):
            queue.get(timeout=0.3)


def test_two_readers_never_get_the_same_message(open_queue):
    with open_queue() as one, open_queue() as other:
        for number in range(10):
            one.put({"number": number})
        received = []
        for turn in range(10):
            message = (one, other)[turn % 2].get(timeout=2)
            received.append(message.payload["number"])
            message.ack()
    assert sorted(received) == list(range(10))


def test_a_queue_is_counted_and_emptied(open_queue):
    with open_queue() as queue:
        for _ in range(3):
            queue.put({})
        assert queue.qsize() == 3
        assert queue.clear() == 3
        assert queue.qsize() == 0


def test_a_requeued_message_comes_again(open_queue, tmp_path):
    with open_queue() as queue:
        queue.put({"number": 1})
        queue.get(timeout=2).requeue()
        assert claimed(tmp_path) == []
        again = queue.get(timeout=2)
        again.ack()
    assert again.payload == {"number": 1}
