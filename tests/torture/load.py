"""Clients that ask a web server again and again, and remember every answer."""

from __future__ import annotations

import http.client
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

TIMEOUT_SECONDS = 60.0
CUT = 0  # the status of an answer that never came


@dataclass(frozen=True)
class Answer:
    """What came of one request."""

    begun: float
    seconds: float
    status: int
    body: Any = None

    @property
    def is_fine(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_a_failure(self) -> bool:
        return self.status >= 500 or self.status == CUT


class Site:
    """A web server and somebody's token for it."""

    def __init__(self, port: int, token: dict[str, str]) -> None:
        self.port, self.token = port, token

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        begun, status, text = time.monotonic(), CUT, b""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        try:
            sent = None if body is None else json.dumps(body)
            link.request(method, path, sent, {**self.token, "Content-Type": "application/json", **headers})
            answer = link.getresponse()
            text, status = answer.read(), answer.status
        except (OSError, http.client.HTTPException):
            status = CUT
        finally:
            link.close()
        answered = json.loads(text) if 200 <= status < 300 and text else None
        return Answer(begun, time.monotonic() - begun, status, answered)


class Load:
    """Several clients, each with its own turn of what to ask, until they are told to stop."""

    def __init__(self, turns: Iterable[Callable[[], Answer]], pause_seconds: float) -> None:
        self.answers: list[Answer] = []
        self._stop, self._pause = threading.Event(), pause_seconds
        self._threads = [threading.Thread(target=self._play, args=(turn,), daemon=True) for turn in turns]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(TIMEOUT_SECONDS + 5)

    def within(self, begin: float, end: float) -> list[Answer]:
        return [one for one in list(self.answers) if begin <= one.begun < end]

    def _play(self, turn: Callable[[], Answer]) -> None:
        while not self._stop.wait(self._pause):
            self.answers.append(turn())


def percentile(answers: Iterable[Answer], which: int) -> float:
    """Return within how many seconds so many of a hundred answers came."""
    seconds = [one.seconds for one in answers]
    return statistics.quantiles(seconds, n=100)[which - 1] if len(seconds) > 1 else sum(seconds)
