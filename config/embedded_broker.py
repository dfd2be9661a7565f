"""The message broker of a deployment without servers: one directory, one file a message.

kombu's own file-system transport writes a message under its final name (so a reader may take half of it) and forgets
messages that a killed worker had taken. Here a message appears by rename, is claimed by rename, and claimed messages
come back when the worker starts again.
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


class Channel(filesystem.Channel):
    """A channel whose messages are whole or not there at all."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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
        for name in self._waiting(queue):
            claimed = self._claimed / name
            try:
                (self._messages / name).rename(claimed)
            except FileNotFoundError:
                continue  # another worker was faster
            payload = loads(bytes_to_str(claimed.read_bytes()))
            payload["properties"]["claimed_as"] = name
            return payload
        raise Empty

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Forget a message that has been worked off."""
        message = self.qos.get(delivery_tag)
        super().basic_ack(delivery_tag, multiple)
        (self._claimed / message.properties["claimed_as"]).unlink(missing_ok=True)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Give a message up, or back (which writes it anew)."""
        message = self.qos.get(delivery_tag)
        super().basic_reject(delivery_tag, requeue)
        (self._claimed / message.properties["claimed_as"]).unlink(missing_ok=True)

    def _restore(self, message: Any) -> None:
        """Give back a message that was not worked off: the very file, so that it cannot come back twice."""
        name = message.properties["claimed_as"]
        with contextlib.suppress(FileNotFoundError):
            (self._claimed / name).rename(self._messages / name)

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
        return sorted(
            name for name in os.listdir(self._messages) if name.endswith(f".{queue}.msg") and not name.startswith(".")
        )

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
    """Hand back the messages that a killed worker had claimed.

    Called when a worker starts. A second worker on the same directory would have its own claims handed out twice,
    which costs a look at rows already done.
    """
    messages, claimed = directory / "messages", directory / "claimed"
    for folder in (messages, claimed):
        folder.mkdir(parents=True, exist_ok=True)
    for name in os.listdir(claimed):
        (claimed / name).rename(messages / name)


def transport_options(directory: Path) -> dict[str, str | bool]:
    """Return kombu's options for a broker that lives in this directory."""
    return {
        "data_folder_in": str(directory / "messages"),
        "data_folder_out": str(directory / "messages"),
        "processed_folder": str(directory / "claimed"),
        "control_folder": str(directory / "control"),
        "store_processed": True,
    }
