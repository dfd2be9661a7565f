"""A cheap mark of everything that pages show: as long as it stays the same, nothing has changed.

(Where two transactions commit in another order than they began, a mark may miss one of them; no page relies on a mark
for longer than fifteen seconds.)

One statement, each part of it read from the end of an index or from a table of some hundred rows.
"""

from __future__ import annotations

import hashlib

from queues.models import Queue
from workitems import statements
from workitems.models import AuditEntry, BulkRun, PolicyRun, Presence, TimeEvent, Transfer, Workitem

_UNFINISHED = "state IN ('pending', 'running')"


def _runs(model: type[Transfer] | type[BulkRun] | type[PolicyRun]) -> list[str]:
    table = model._meta.db_table
    return [
        f"(SELECT MAX(id) FROM {table})",  # noqa: S608  names of our own
        f"(SELECT COUNT(*) FROM {table} WHERE {_UNFINISHED})",  # noqa: S608
        f"(SELECT MAX(moved_at) FROM {table} WHERE {_UNFINISHED})",  # noqa: S608
    ]


_PARTS = [
    f"(SELECT modified_at FROM {Workitem._meta.db_table} ORDER BY modified_at DESC, id DESC LIMIT 1)",  # noqa: S608
    f"(SELECT MAX(id) FROM {TimeEvent._meta.db_table})",  # noqa: S608
    f"(SELECT MAX(id) FROM {AuditEntry._meta.db_table})",  # noqa: S608
    f"(SELECT MAX(since) FROM {Presence._meta.db_table})",  # noqa: S608
    f"(SELECT COUNT(*) FROM {Presence._meta.db_table})",  # noqa: S608
    f"(SELECT SUM(version) FROM {Queue._meta.db_table})",  # noqa: S608
    *(part for model in (Transfer, BulkRun, PolicyRun) for part in _runs(model)),
]
_SQL = f"SELECT {', '.join(_PARTS)}"


def current() -> str:
    """Return the mark of this moment, in one query."""
    return hashlib.sha256(repr(statements.fetch(_SQL, [])[0]).encode()).hexdigest()[:24]
