"""How messages get to the broker: quickly or not at all.

A message is only a wake-up, and the beat finds what none has told of. So a broker that is down or hung must keep
neither a request nor the beat waiting.
"""

from __future__ import annotations

import time
from typing import Any

import celery
from kombu.exceptions import OperationalError

PATIENCE_SECONDS = 1.5  # for one message
QUICK_SECONDS = 0.5  # what fails so quickly, as the stale connection to a broker that was restarted, is tried again
SILENT_SECONDS = 5.0  # after a failure nobody tries for so long, and then one


class Line:
    """What this process knows of the way to the broker."""

    def __init__(self) -> None:
        self.silent_until = 0.0

    def check(self) -> None:
        """Raise OperationalError while there is no point in trying; of those who wait, let one try at a time."""
        now = time.monotonic()
        if now < self.silent_until:
            raise OperationalError("the broker has just failed")
        if self.silent_until:
            self.fail()

    def fail(self) -> None:
        """Let nobody try for a while."""
        self.silent_until = time.monotonic() + SILENT_SECONDS

    def succeed(self) -> None:
        """Let everybody try."""
        self.silent_until = 0.0


line = Line()


class Task(celery.Task):
    """A task whose messages never keep anybody waiting for long."""

    abstract = True

    def apply_async(self, *args: Any, **options: Any) -> Any:
        """Send the message, or raise OperationalError within a few seconds."""
        line.check()
        began = time.monotonic()
        try:
            sent = self._send(*args, **options)
        except OperationalError:
            if time.monotonic() - began > QUICK_SECONDS:
                line.fail()
                raise
            sent = self._send_again(*args, **options)
        line.succeed()
        return sent

    def _send_again(self, *args: Any, **options: Any) -> Any:
        try:
            return self._send(*args, **options)
        except OperationalError:
            line.fail()
            raise

    def _send(self, *args: Any, **options: Any) -> Any:
        limits = {"retry": False, "timeout": PATIENCE_SECONDS, "confirm_timeout": PATIENCE_SECONDS}
        with self.app.producer_pool.acquire(block=True) as producer:
            try:
                return super().apply_async(*args, **{**options, **limits, "producer": producer})
            except OperationalError:
                if producer.connection is not None:
                    producer.connection.collect()  # or the next message would wait on it, too
                raise
