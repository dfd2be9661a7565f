"""Redis that hangs while a worker is about to say that a message is done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kombu import Connection
from redis.exceptions import TimeoutError as NoAnswer

import config.celery  # noqa: F401  names the transport
from tests.environment import REAL_BROKER_URL
from tests.torture.servers import Broker, redis_of_our_own, wire_to

pytestmark = pytest.mark.skipif(not REAL_BROKER_URL.startswith("redis"), reason="it is about Redis")


@pytest.fixture
def broker() -> Iterator[Broker]:
    broker = redis_of_our_own() or wire_to(REAL_BROKER_URL)
    broker.start()
    yield broker
    broker.go_on()
    broker.kill()


@pytest.mark.parametrize("say", ["ack", "reject", "requeue"])
def test_who_cannot_say_that_a_message_is_done_takes_the_next_one_all_the_same(broker, say):
    with Connection(broker.url, transport_options={"socket_timeout": 0.5}) as link:
        queue = link.SimpleQueue(f"test-hung-{say}")
        queue.put({})
        queue.consumer.qos(prefetch_count=1)
        message = queue.get(timeout=5)
        assert not message.channel.qos.can_consume()
        broker.hang()
        with pytest.raises(NoAnswer):
            getattr(message, say)()
        broker.go_on()
        assert message.channel.qos.can_consume()
        queue.clear()
