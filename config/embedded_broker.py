"""The message broker of a deployment without servers: one directory, one file a message.

kombu's own file-system transport writes a message under its final name (so a reader may take half of it) and forgets
messages that a killed worker had taken. Here a message appears by rename and is claimed by rename into a directory of
the process that takes it. The process holds a lock there as long as it lives, whatever its end; what lies in a
directory that can be locked comes back.
"""

import contextlib
import fcntl
import os
import time
import uuid
from collections import defaultdict
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem, virtual
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads

RECLAIM_SECONDS = 10.0  # how often a living process looks for what dead ones held
LOCK = ".lock"


class Claims:
    """The messages that this process has taken and not finished, in a directory that it has locked."""

    def __init__(self, folder: Path) -> None:
        name = f"{os.getpid()}-{uuid.uuid4().hex}"
        unfinished = folder / f".{name}"  # seen by nobody until it is locked
        unfinished.mkdir()
        self._lock = (unfinished / LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.directory = unfinished.rename(folder / name)

    def leave(self) -> None:
        """Forget the directory without unlocking it; a parent keeps what its child forgets."""
        self._lock.close()


_claims: dict[Path, Claims] = {}  # of this process, by the folder they are in


def _claims_in(folder: Path) -> Claims:
    if folder not in _claims:
        _claims[folder] = Claims(folder)
    return _claims[folder]


def _leave_all_to_the_parent() -> None:
    while _claims:
        _claims.popitem()[1].leave()


os.register_at_fork(after_in_child=_leave_all_to_the_parent)


class Channel(filesystem.Channel):
    """A channel whose messages are whole or not there at all."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reclaim_at = time.monotonic() + RECLAIM_SECONDS
        for folder in (self._messages, self._claimed, self.control_folder):
            folder.mkdir(parents=True, exist_ok=True)

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]
        name = f"{time.time_ns():020d}_{uuid.uuid4().hex}.{queue}.msg"
        unfinished = self._messages / f".{name}"
        with unfinished.open("wb") as file:
            file.write(str_to_bytes(dumps(payload)))
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self._messages / name)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        self._reclaim_at_times()
        for name in self._waiting(queue):
            claimed = _claims_in(self._claimed).directory / name
            try:
                (self._messages / name).rename(claimed)
            except FileNotFoundError:
                continue  # another worker was faster
            payload = loads(bytes_to_str(claimed.read_bytes()))
            payload["properties"]["claimed_as"] = str(claimed)
            return payload
        raise Empty

    def _reclaim_at_times(self) -> None:
        if time.monotonic() >= self._reclaim_at:
            self._reclaim_at = time.monotonic() + RECLAIM_SECONDS
            hand_back(self._claimed, self._messages)

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Forget a message that has been worked off."""
        message = self.qos.get(delivery_tag)
        super().basic_ack(delivery_tag, multiple)
        Path(message.properties["claimed_as"]).unlink(missing_ok=True)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Give a message up, or back (which writes it anew)."""
        message = self.qos.get(delivery_tag)
        super().basic_reject(delivery_tag, requeue)
        Path(message.properties["claimed_as"]).unlink(missing_ok=True)

    def _restore(self, message: Any) -> None:
        """Give back a message that was not worked off: the very file, so that it cannot come back twice."""
        claimed = Path(message.properties["claimed_as"])
        with contextlib.suppress(FileNotFoundError):
            claimed.rename(self._messages / claimed.name)

    def get_table(self, exchange: str) -> list[Any]:
        """Return which queues hang on an exchange; a file that a crash left empty says nothing."""
        try:
            rows = loads(bytes_to_str(self._table_file(exchange).read_bytes()))
        except (FileNotFoundError, ValueError):
            return []
        return [filesystem.exchange_queue_t(*row) for row in rows]

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str | None) -> None:
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with (self.control_folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            table = self.get_table(exchange)
            if row not in table:
                draft = self.control_folder / f".{uuid.uuid4().hex}"
                draft.write_bytes(str_to_bytes(dumps([row, *table])))
                draft.rename(self._table_file(exchange))

    def _purge(self, queue: str) -> int:
        names = self._waiting(queue)
        for name in names:
            (self._messages / name).unlink(missing_ok=True)
        return len(names)

    def _size(self, queue: str) -> int:
        return len(self._waiting(queue))

    def _waiting(self, queue: str) -> list[str]:
        return sorted(name for name in os.listdir(self._messages) if name.partition(".")[2] == f"{queue}.msg")

    def _table_file(self, exchange: str) -> Path:
        file: Path = self._exchange_file(exchange)  # type: ignore[attr-defined]  # kombu's own, newer than its types
        return file

    @property
    def _messages(self) -> Path:
        return Path(self.data_folder_in)

    @property
    def _claimed(self) -> Path:
        return Path(self.processed_folder)


class Transport(filesystem.Transport):
    """The transport behind the broker address ``embedded://``."""

    Channel = Channel
    polling_interval = 0.1
    # What is declared already, for each directory: kombu keeps it for the whole process.
    states: defaultdict[str, virtual.BrokerState] = defaultdict(virtual.BrokerState)

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self.state = self.states[client.transport_options["control_folder"]]


def reclaim(directory: Path) -> None:
    """Hand back what processes that are no more had taken from the broker in this directory."""
    messages, claimed = directory / "messages", directory / "claimed"
    for folder in (messages, claimed):
        folder.mkdir(parents=True, exist_ok=True)
    hand_back(claimed, messages)


def hand_back(claimed: Path, messages: Path) -> None:
    """Hand back the messages in every directory whose process has ended, and remove the directory."""
    own = _claims.get(claimed)
    for directory in claimed.glob("[!.]*"):
        if own is None or directory != own.directory:
            # its process lives, or somebody was faster, or it is a file that is not ours
            with contextlib.suppress(BlockingIOError, FileNotFoundError, NotADirectoryError):
                _hand_back(directory, messages)


def _hand_back(directory: Path, messages: Path) -> None:
    with (directory / LOCK).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for message in directory.glob("[!.]*"):
            message.rename(messages / message.name)
        (directory / LOCK).unlink()
        directory.rmdir()


def transport_options(directory: Path) -> dict[str, str | bool]:
    """Return kombu's options for a broker that lives in this directory."""
    return {
        "data_folder_in": str(directory / "messages"),
        "data_folder_out": str(directory / "messages"),
        "processed_folder": str(directory / "claimed"),
        "control_folder": str(directory / "control"),
        "store_processed": True,
    }
