"""A broker that is down or hung keeps nobody waiting, and what comes after it is sent again."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings

from tests.environment import REAL_BROKER_URL

PATIENCE_SECONDS = 4.0  # generous: it is about seconds and not about a minute, or for ever
SCRIPT = """
import json, sys, time
import django
django.setup()
from kombu.exceptions import OperationalError
from workitems import tasks

def send():
    began = time.monotonic()
    try:
        tasks.send_mails.delay()
    except OperationalError:
        return "failed", time.monotonic() - began
    return "sent", time.monotonic() - began
"""
TWICE = """
print(json.dumps([send(), send()]))
"""
THROUGH_A_PROXY = """
import socket, threading

flows = threading.Event()
flows.set()

def pump(source, target):
    while data := source.recv(65536):
        flows.wait()
        target.sendall(data)

def serve(listener, address):
    while True:
        client, _peer = listener.accept()
        server = socket.create_connection(address)
        threading.Thread(target=pump, args=(client, server), daemon=True).start()
        threading.Thread(target=pump, args=(server, client), daemon=True).start()

def start(port, address):
    listener = socket.create_server(("127.0.0.1", port))
    threading.Thread(target=serve, args=(listener, address), daemon=True).start()

start(int(sys.argv[1]), (sys.argv[2], int(sys.argv[3])))
steps = [send()]
flows.clear()
steps += [send(), send()]
flows.set()
time.sleep(5.5)
steps.append(send())
print(json.dumps(steps))
"""


def run(script: str, broker: str, *words: str) -> list[tuple[str, float]]:
    env = os.environ | {
        "CELERY_BROKER_URL": broker,
        "CELERY_QUEUE_PREFIX": "test-publishing-",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + script, *words],
        cwd=settings.BASE_DIR, env=env, check=True, stdout=subprocess.PIPE, timeout=60,
    )  # fmt: skip
    return [tuple(step) for step in json.loads(done.stdout.splitlines()[-1])]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Return where somebody takes connections and says nothing, as a stopped server does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_hung_broker_keeps_nobody_waiting(scheme, silent_port):
    (first, seconds), (second, more) = run(TWICE, f"{scheme}://guest:guest@127.0.0.1:{silent_port}//")
    assert (first, second) == ("failed", "failed")
    assert seconds < PATIENCE_SECONDS
    assert more < 0.5  # nobody tries again at once


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_dead_broker_keeps_nobody_waiting(scheme):
    (first, seconds), (second, _more) = run(TWICE, f"{scheme}://guest:guest@127.0.0.1:1//")
    assert (first, second) == ("failed", "failed")
    assert seconds < PATIENCE_SECONDS


if REAL_BROKER_URL.startswith(("redis", "amqp")):

    def test_a_broker_that_hangs_for_a_while_gets_messages_again_afterwards():
        from kombu import Connection

        real = Connection(REAL_BROKER_URL)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        address = f"{real.hostname}:{real.port or real.transport.default_port}"
        broker = REAL_BROKER_URL.replace(address, f"127.0.0.1:{port}")
        assert broker != REAL_BROKER_URL
        steps = run(THROUGH_A_PROXY, broker, str(port), *address.split(":"))
        assert [step for step, _seconds in steps] == ["sent", "failed", "failed", "sent"]
        assert max(seconds for _step, seconds in steps) < PATIENCE_SECONDS
        with real:
            real.default_channel.queue_delete("test-publishing-interactive")
