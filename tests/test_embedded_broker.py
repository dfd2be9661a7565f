"""The broker of files: every message arrives whole and once, also when its reader was killed."""

from __future__ import annotations

from pathlib import Path

import pytest
from kombu import Connection

import config.celery  # noqa: F401  names the transport
from config import embedded_broker


@pytest.fixture
def open_queue(tmp_path):
    def connect():
        link = Connection("embedded://localhost", transport_options=embedded_broker.transport_options(tmp_path))
        return link.SimpleQueue("work")

    return connect


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


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
    assert files(tmp_path / "messages") == files(tmp_path / "claimed") == []


def test_a_message_whose_reader_was_killed_comes_back(open_queue, tmp_path):
    reader = open_queue()
    reader.put({"number": 1})
    message = reader.get(timeout=2)
    assert files(tmp_path / "messages") == []
    message.channel.qos._delivered.clear()  # killed: nothing is given back on the way out
    embedded_broker.reclaim(tmp_path)
    with open_queue() as second:
        again = second.get(timeout=2)
        again.ack()
    assert again.payload == {"number": 1}


def test_a_reader_that_closes_gives_back_what_it_had_not_finished_and_gives_it_back_once(open_queue, tmp_path):
    with open_queue() as queue:
        queue.put({"number": 1})
    for _ in range(3):
        with open_queue() as reader:
            reader.get(timeout=2)
            reader.channel.qos.restore_unacked_once()
        embedded_broker.reclaim(tmp_path)
        assert len(files(tmp_path / "messages")) == 1


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
        assert files(tmp_path / "claimed") == []
        again = queue.get(timeout=2)
        again.ack()
    assert again.payload == {"number": 1}
