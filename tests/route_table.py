"""Who gets which answer from which route: written by hand from the contract, never computed from the product.

A cell is what the caller sees: `ok` is the row's own success, a number is a status, a dash is a case that cannot be.
The columns of an API shape are the placements of the object that the request is about: in the queue on which the people
`...-here` hold their one scope, in another queue, in no queue, and missing altogether. Shapes with one column are about
no object. A list's cells are what comes back of `own`, `other` and the like; `nothing` is an empty list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PLACEMENTS = ("own", "other", "none", "missing")
PEOPLE = (
    "anonymous",  # no token at all
    "inactive",  # somebody with the admin scope who has left, with the token he had
    "nobody",  # without any scope
    "holder",  # without any scope; the agent of every workitem that has one
    "read-here",  # with one scope, on the queue q_own only
    "write-here",
    "delete-here",
    "admin-here",
    "read",  # in the group of this name
    "write",
    "delete",
    "admin",
    "superuser",
    "read-token",  # a superuser with a token for reading
)
Shape = Mapping[str, tuple[str, ...]]


def shape(text: str) -> Shape:
    """Return each person's cells."""
    lines = [line.split() for line in text.strip().splitlines()]
    cells = {person: tuple(rest) for person, *rest in lines}
    assert set(cells) == set(PEOPLE), set(PEOPLE) ^ set(cells)
    assert {len(one) for one in cells.values()} <= {1, 4}
    return cells


class Lists(dict[str, tuple[str, ...]]):
    """A shape whose cells say what is in a list."""


def lists(text: str) -> Lists:
    """Return what each person's list holds, as one cell; the status of those who get none."""
    lines = [line.split() for line in text.strip().splitlines()]
    cells = Lists({person: (" ".join(sorted(rest)),) for person, *rest in lines})
    assert set(cells) == set(PEOPLE), set(PEOPLE) ^ set(cells)
    return cells


# One workitem

READ_ONE = shape("""
    anonymous    401  401  401  401
    inactive     401  401  401  401
    nobody       404  404  404  404
    holder       ok   ok   ok   404
    read-here    ok   404  404  404
    write-here   ok   404  404  404
    delete-here  ok   404  404  404
    admin-here   ok   404  404  404
    read         ok   ok   ok   404
    write        ok   ok   ok   404
    delete       ok   ok   ok   404
    admin        ok   ok   ok   404
    superuser    ok   ok   ok   404
    read-token   ok   ok   ok   404
""")
WRITE_ONE = shape("""
    anonymous    401  401  401  401
    inactive     401  401  401  401
    nobody       404  404  404  404
    holder       ok   ok   ok   404
    read-here    403  404  404  404
    write-here   ok   404  404  404
    delete-here  403  404  404  404
    admin-here   ok   404  404  404
    read         403  403  403  404
    write        ok   ok   ok   404
    delete       403  403  403  404
    admin        ok   ok   ok   404
    superuser    ok   ok   ok   404
    read-token   403  403  403  404
""")
# what waits in a queue has a queue, and no agent
WRITE_WAITING = shape("""
    anonymous    401  401  -    401
    inactive     401  401  -    401
    nobody       404  404  -    404
    holder       404  404  -    404
    read-here    403  404  -    404
    write-here   ok   404  -    404
    delete-here  403  404  -    404
    admin-here   ok   404  -    404
    read         403  403  -    404
    write        ok   ok   -    404
    delete       403  403  -    404
    admin        ok   ok   -    404
    superuser    ok   ok   -    404
    read-token   403  403  -    404
""")
# an offer: to the holder; only he accepts it, or the admin scope
ACCEPT_ONE = shape("""
    anonymous    401  401  -    401
    inactive     401  401  -    401
    nobody       404  404  -    404
    holder       ok   ok   -    404
    read-here    403  404  -    404
    write-here   403  404  -    404
    delete-here  403  404  -    404
    admin-here   ok   404  -    404
    read         403  403  -    404
    write        403  403  -    404
    delete       403  403  -    404
    admin        ok   ok   -    404
    superuser    ok   ok   -    404
    read-token   403  403  -    404
""")
REJECT_ONE = shape("""
    anonymous    401  401  -    401
    inactive     401  401  -    401
    nobody       404  404  -    404
    holder       ok   ok   -    404
    read-here    403  404  -    404
    write-here   ok   404  -    404
    delete-here  403  404  -    404
    admin-here   ok   404  -    404
    read         403  403  -    404
    write        ok   ok   -    404
    delete       403  403  -    404
    admin        ok   ok   -    404
    superuser    ok   ok   -    404
    read-token   403  403  -    404
""")
ARCHIVE_ONE = shape("""
    anonymous    401  401  401  401
    inactive     401  401  401  401
    nobody       404  404  404  404
    holder       403  403  403  404
    read-here    403  404  404  404
    write-here   403  404  404  404
    delete-here  ok   404  404  404
    admin-here   ok   404  404  404
    read         403  403  403  404
    write        403  403  403  404
    delete       ok   ok   ok   404
    admin        ok   ok   ok   404
    superuser    ok   ok   ok   404
    read-token   403  403  403  404
""")
PURGE_ONE = shape("""
    anonymous    401  401  401  401
    inactive     401  401  401  401
    nobody       404  404  404  404
    holder       403  403  403  404
    read-here    403  404  404  404
    write-here   403  404  404  404
    delete-here  403  404  404  404
    admin-here   ok   404  404  404
    read         403  403  403  404
    write        403  403  403  404
    delete       403  403  403  404
    admin        ok   ok   ok   404
    superuser    ok   ok   ok   404
    read-token   403  403  403  404
""")
# without a queue there is none to go back to
REOPEN_ONE = shape("""
    anonymous    401  401  401  401
    inactive     401  401  401  401
    nobody       404  404  404  404
    holder       403  403  403  404
    read-here    403  404  404  404
    write-here   403  404  404  404
    delete-here  403  404  404  404
    admin-here   ok   404  404  404
    read         403  403  403  404
    write        403  403  403  404
    delete       403  403  403  404
    admin        ok   ok   409  404
    superuser    ok   ok   409  404
    read-token   403  403  403  404
""")
# without a queue there is none to go back to
RETURN_ONE = shape("""
    anonymous    401  401  401  401
    inactive     401  401  401  401
    nobody       404  404  404  404
    holder       ok   ok   409  404
    read-here    403  404  404  404
    write-here   ok   404  404  404
    delete-here  403  404  404  404
    admin-here   ok   404  404  404
    read         403  403  403  404
    write        ok   ok   409  404
    delete       403  403  403  404
    admin        ok   ok   409  404
    superuser    ok   ok   409  404
    read-token   403  403  403  404
""")
# into a queue on which the caller holds nothing: as if it did not exist, in the body 400 and in the path 404
TRANSFER_BLINDLY = shape("""
    anonymous    401  401  401  401
    inactive     401  401  401  401
    nobody       404  404  404  404
    holder       400  400  400  404
    read-here    403  404  404  404
    write-here   400  404  404  404
    delete-here  403  404  404  404
    admin-here   400  404  404  404
    read         403  403  403  404
    write        ok   ok   ok   404
    delete       403  403  403  404
    admin        ok   ok   ok   404
    superuser    ok   ok   ok   404
    read-token   403  403  403  404
""")
TRANSFER_BLINDLY_BY_PATH = shape("""
    anonymous    401  401  401  401
    inactive     401  401  401  401
    nobody       404  404  404  404
    holder       404  404  404  404
    read-here    403  404  404  404
    write-here   404  404  404  404
    delete-here  403  404  404  404
    admin-here   404  404  404  404
    read         403  403  403  404
    write        ok   ok   ok   404
    delete       403  403  403  404
    admin        ok   ok   ok   404
    superuser    ok   ok   ok   404
    read-token   403  403  403  404
""")
BULK = shape("""
    anonymous    401        401        401        401
    inactive     401        401        401        401
    nobody       not_found  not_found  not_found  not_found
    holder       done       done       done       not_found
    read-here    scope      not_found  not_found  not_found
    write-here   done       not_found  not_found  not_found
    delete-here  scope      not_found  not_found  not_found
    admin-here   done       not_found  not_found  not_found
    read         scope      scope      scope      not_found
    write        done       done       done       not_found
    delete       scope      scope      scope      not_found
    admin        done       done       done       not_found
    superuser    done       done       done       not_found
    read-token   scope      scope      scope      not_found
""")

# New workitems: the placement is the queue that is named

ARRIVE = shape("""
    anonymous    401  401  401  401
    inactive     401  401  401  401
    nobody       403  403  403  403
    holder       403  403  403  403
    read-here    403  403  403  403
    write-here   ok   400  403  400
    delete-here  403  403  403  403
    admin-here   ok   400  403  400
    read         403  403  403  403
    write        ok   ok   400  400
    delete       403  403  403  403
    admin        ok   ok   400  400
    superuser    ok   ok   400  400
    read-token   403  403  403  403
""")
START = shape("""
    anonymous    401  401  401  401
    inactive     401  401  401  401
    nobody       403  403  403  403
    holder       403  403  403  403
    read-here    403  403  403  403
    write-here   ok   400  403  400
    delete-here  403  403  403  403
    admin-here   ok   400  403  400
    read         403  403  403  403
    write        ok   ok   ok   400
    delete       403  403  403  403
    admin        ok   ok   ok   400
    superuser    ok   ok   ok   400
    read-token   403  403  403  403
""")

# Lists of workitems

LIST = lists("""
    anonymous    401
    inactive     401
    nobody       nothing
    holder       own other none
    read-here    own
    write-here   own
    delete-here  own
    admin-here   own
    read         own other none
    write        own other none
    delete       own other none
    admin        own other none
    superuser    own other none
    read-token   own other none
""")
MINE = lists("""
    anonymous    401
    inactive     401
    nobody       nothing
    holder       own other none
    read-here    nothing
    write-here   nothing
    delete-here  nothing
    admin-here   nothing
    read         nothing
    write        nothing
    delete       nothing
    admin        nothing
    superuser    nothing
    read-token   nothing
""")

# Contacts: seen with the workitems that are theirs, kept by those who may write everywhere. The one in no queue has no
# workitem; the others cannot be deleted for theirs.

CONTACT_LIST = lists("""
    anonymous    401
    inactive     401
    nobody       nothing
    holder       own other
    read-here    own
    write-here   own
    delete-here  own
    admin-here   own
    read         own other none
    write        own other none
    delete       own other none
    admin        own other none
    superuser    own other none
    read-token   own other none
""")
CONTACT_READ = shape("""
    anonymous    401  401  401  401
    inactive     401  401  401  401
    nobody       404  404  404  404
    holder       ok   ok   404  404
    read-here    ok   404  404  404
    write-here   ok   404  404  404
    delete-here  ok   404  404  404
    admin-here   ok   404  404  404
    read         ok   ok   ok   404
    write        ok   ok   ok   404
    delete       ok   ok   ok   404
    admin        ok   ok   ok   404
    superuser    ok   ok   ok   404
    read-token   ok   ok   ok   404
""")
CONTACT_WRITE = shape("""
    anonymous    401  401  401  401
    inactive     401  401  401  401
    nobody       404  404  404  404
    holder       403  403  404  404
    read-here    403  404  404  404
    write-here   403  404  404  404
    delete-here  403  404  404  404
    admin-here   403  404  404  404
    read         403  403  403  404
    write        ok   ok   ok   404
    delete       403  403  403  404
    admin        ok   ok   ok   404
    superuser    ok   ok   ok   404
    read-token   403  403  403  404
""")
CONTACT_DELETE = shape("""
    anonymous    401  401  401  401
    inactive     401  401  401  401
    nobody       404  404  404  404
    holder       403  403  404  404
    read-here    403  404  404  404
    write-here   403  404  404  404
    delete-here  403  404  404  404
    admin-here   403  404  404  404
    read         403  403  403  404
    write        403  403  403  404
    delete       403  403  403  404
    admin        409  409  ok   404
    superuser    409  409  ok   404
    read-token   403  403  403  404
""")
BY_WRITERS = shape("""
    anonymous    401
    inactive     401
    nobody       403
    holder       403
    read-here    403
    write-here   403
    delete-here  403
    admin-here   403
    read         403
    write        ok
    delete       403
    admin        ok
    superuser    ok
    read-token   403
""")

# Queues: seen by those who may see their work, kept by the admin scope, on the very queue or everywhere

QUEUE_LIST = lists("""
    anonymous    401
    inactive     401
    nobody       nothing
    holder       nothing
    read-here    own
    write-here   own
    delete-here  own
    admin-here   own
    read         own other target
    write        own other target
    delete       own other target
    admin        own other target
    superuser    own other target
    read-token   own other target
""")
QUEUE_READ = shape("""
    anonymous    401  401  -  401
    inactive     401  401  -  401
    nobody       404  404  -  404
    holder       404  404  -  404
    read-here    ok   404  -  404
    write-here   ok   404  -  404
    delete-here  ok   404  -  404
    admin-here   ok   404  -  404
    read         ok   ok   -  404
    write        ok   ok   -  404
    delete       ok   ok   -  404
    admin        ok   ok   -  404
    superuser    ok   ok   -  404
    read-token   ok   ok   -  404
""")
QUEUE_WRITE = shape("""
    anonymous    401  401  -  401
    inactive     401  401  -  401
    nobody       404  404  -  404
    holder       404  404  -  404
    read-here    403  404  -  404
    write-here   403  404  -  404
    delete-here  403  404  -  404
    admin-here   ok   404  -  404
    read         403  403  -  404
    write        403  403  -  404
    delete       403  403  -  404
    admin        ok   ok   -  404
    superuser    ok   ok   -  404
    read-token   403  403  -  404
""")
BY_ADMINS = shape("""
    anonymous    401
    inactive     401
    nobody       403
    holder       403
    read-here    403
    write-here   403
    delete-here  403
    admin-here   403
    read         403
    write        403
    delete       403
    admin        ok
    superuser    ok
    read-token   403
""")

# Dispositions: everybody who can have a workitem needs them; they are in no queue

DISPOSITION_LIST = lists("""
    anonymous    401
    inactive     401
    nobody       own
    holder       own
    read-here    own
    write-here   own
    delete-here  own
    admin-here   own
    read         own
    write        own
    delete       own
    admin        own
    superuser    own
    read-token   own
""")
DISPOSITION_READ = shape("""
    anonymous    401  -  -  401
    inactive     401  -  -  401
    nobody       ok   -  -  404
    holder       ok   -  -  404
    read-here    ok   -  -  404
    write-here   ok   -  -  404
    delete-here  ok   -  -  404
    admin-here   ok   -  -  404
    read         ok   -  -  404
    write        ok   -  -  404
    delete       ok   -  -  404
    admin        ok   -  -  404
    superuser    ok   -  -  404
    read-token   ok   -  -  404
""")
DISPOSITION_WRITE = shape("""
    anonymous    401  -  -  401
    inactive     401  -  -  401
    nobody       403  -  -  404
    holder       403  -  -  404
    read-here    403  -  -  404
    write-here   403  -  -  404
    delete-here  403  -  -  404
    admin-here   403  -  -  404
    read         403  -  -  404
    write        403  -  -  404
    delete       403  -  -  404
    admin        ok   -  -  404
    superuser    ok   -  -  404
    read-token   403  -  -  404
""")

# Agents: the members of the queues whose work one may see; who is in no queue is no agent

AGENT_LIST = lists("""
    anonymous    401
    inactive     401
    nobody       nothing
    holder       nothing
    read-here    own
    write-here   own
    delete-here  own
    admin-here   own
    read         own other
    write        own other
    delete       own other
    admin        own other
    superuser    own other
    read-token   own other
""")
AGENT_READ = shape("""
    anonymous    401  401  401  401
    inactive     401  401  401  401
    nobody       404  404  404  404
    holder       404  404  404  404
    read-here    ok   404  404  404
    write-here   ok   404  404  404
    delete-here  ok   404  404  404
    admin-here   ok   404  404  404
    read         ok   ok   404  404
    write        ok   ok   404  404
    delete       ok   ok   404  404
    admin        ok   ok   404  404
    superuser    ok   ok   404  404
    read-token   ok   ok   404  404
""")

# presence: the agent's own to say, and of those who may write where he works
PRESENCE_WRITE = shape("""
    anonymous    401  401  401  401
    inactive     401  401  401  401
    nobody       404  404  404  404
    holder       404  404  404  404
    read-here    403  404  404  404
    write-here   ok   404  404  404
    delete-here  403  404  404  404
    admin-here   ok   404  404  404
    read         403  403  404  404
    write        ok   ok   404  404
    delete       403  403  404  404
    admin        ok   ok   404  404
    superuser    ok   ok   404  404
    read-token   403  403  404  404
""")
CAPACITY_WRITE = shape("""
    anonymous    401  401  401  401
    inactive     401  401  401  401
    nobody       404  404  404  404
    holder       404  404  404  404
    read-here    403  404  404  404
    write-here   403  404  404  404
    delete-here  403  404  404  404
    admin-here   ok   404  404  404
    read         403  403  404  404
    write        403  403  404  404
    delete       403  403  404  404
    admin        ok   ok   404  404
    superuser    ok   ok   404  404
    read-token   403  403  404  404
""")

# Transfers: seen and steered by whoever asked for them, and by the admin scope everywhere. `own` is write-here's,
# `other` is write's. To ask for one, the write scope is needed somewhere; what is out of reach is refused by item.

TRANSFER_LIST = lists("""
    anonymous    401
    inactive     401
    nobody       nothing
    holder       nothing
    read-here    nothing
    write-here   own
    delete-here  nothing
    admin-here   nothing
    read         nothing
    write        other
    delete       nothing
    admin        own other
    superuser    own other
    read-token   nothing
""")
TRANSFER_ONE = shape("""
    anonymous    401  401  -  401
    inactive     401  401  -  401
    nobody       404  404  -  404
    holder       404  404  -  404
    read-here    404  404  -  404
    write-here   ok   404  -  404
    delete-here  404  404  -  404
    admin-here   404  404  -  404
    read         404  404  -  404
    write        404  ok   -  404
    delete       404  404  -  404
    admin        ok   ok   -  404
    superuser    ok   ok   -  404
    read-token   404  404  -  404
""")
TRANSFER_ASK = shape("""
    anonymous    401
    inactive     401
    nobody       403
    holder       403
    read-here    403
    write-here   ok
    delete-here  403
    admin-here   ok
    read         403
    write        ok
    delete       403
    admin        ok
    superuser    ok
    read-token   403
""")
TRANSFER_ASK_BLINDLY = shape("""
    anonymous    401
    inactive     401
    nobody       403
    holder       403
    read-here    403
    write-here   400
    delete-here  403
    admin-here   400
    read         403
    write        ok
    delete       403
    admin        ok
    superuser    ok
    read-token   403
""")

# Ways in, and what everybody may read

EVERYBODY = shape("\n".join(f"{person} ok" for person in PEOPLE))
# the page to try it out on reads the token, to be used there
NO_PASSWORD = shape("\n".join(f"{person} 401" for person in PEOPLE))
PASSWORD = shape("""
    anonymous    401
    inactive     401
    nobody       ok
    holder       ok
    read-here    ok
    write-here   ok
    delete-here  ok
    admin-here   ok
    read         ok
    write        ok
    delete       ok
    admin        ok
    superuser    ok
    read-token   -
""")
RENEW = shape("""
    anonymous    401
    inactive     401
    nobody       ok
    holder       ok
    read-here    ok
    write-here   ok
    delete-here  ok
    admin-here   ok
    read         ok
    write        ok
    delete       ok
    admin        ok
    superuser    ok
    read-token   403
""")


@dataclass(frozen=True)
class Row:
    """One route and method: what is asked, of a workitem in which state, and what comes of it."""

    cells: Shape
    ok: int = 200
    state: str = "active"
    body: Any = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    query: str = ""
    run: str = "pending"  # the state of the transfers that there are, each with an item moved and one set aside
    may_transfer_in: bool = False  # the people `...-here` and the holder may send work into q_target
    by_internal_id: bool = False
    accept: str = "*/*"
    password: bool = False


EMAIL = {
    "type": "InboundEmail",
    "channel_type": "email",
    "from_address": "ada@example.com",
    "to_address": "us@example.com",
}
ARCHIVED = {"archived": True}
STALE = {"ended_by": "policy"}
ANSWER = {
    "from": "us@example.com",
    "to": "ada@example.com",
    "subject": "Re: Parcel",
    "bodyParts": [{"content": "Yes."}],
}
INBOUND = {"type": "InboundCall", "from": "+12025550123", "selectedQueue": "q_{placement}"}
OUTBOUND = {"type": "OutboundCall", "to": "+12025550123", "selectedQueue": "q_{placement}"}
CSV, NDJSON = "text/csv", "application/x-ndjson"


def kept(prefix: str) -> dict[tuple[str, str, str], Row]:
    """Return the rows of the kinds of objects, which are the same on both surfaces."""
    return {
        (f"{prefix}-workitem-list", "GET", ""): Row(LIST),
        (f"{prefix}-workitem-list", "GET", "search"): Row(LIST, query="q=state:active"),
        (f"{prefix}-workitem-list", "GET", "CSV"): Row(LIST, accept=CSV),
        (f"{prefix}-workitem-list", "GET", "NDJSON"): Row(LIST, accept=NDJSON),
        (f"{prefix}-workitem-list", "POST", "inbound"): Row(ARRIVE, ok=201, body=INBOUND),
        (f"{prefix}-workitem-list", "POST", "outbound"): Row(START, ok=201, body=OUTBOUND),
        (f"{prefix}-workitem-list", "POST", "dry run"): Row(ARRIVE, body=INBOUND, query="dryRun=true"),
        (f"{prefix}-workitem-one", "GET", ""): Row(READ_ONE),
        (f"{prefix}-workitem-one", "GET", "by _id"): Row(READ_ONE, by_internal_id=True),
        (f"{prefix}-workitem-one", "PATCH", ""): Row(WRITE_ONE, body={"name": "Parcel"}),
        (f"{prefix}-workitem-one", "PATCH", "by _id"): Row(WRITE_ONE, body={"priority": 5}, by_internal_id=True),
        (f"{prefix}-workitem-one", "DELETE", ""): Row(ARCHIVE_ONE, ok=204, state="terminated"),
        (f"{prefix}-workitem-one", "DELETE", "purge"): Row(
            PURGE_ONE, ok=204, state="terminated", facts=ARCHIVED, query="purge=true"
        ),
        (f"{prefix}-contact-list", "GET", ""): Row(CONTACT_LIST),
        (f"{prefix}-contact-list", "POST", ""): Row(BY_WRITERS, ok=201, body={"displayName": "Ada"}),
        (f"{prefix}-contact-one", "GET", ""): Row(CONTACT_READ),
        (f"{prefix}-contact-one", "PATCH", ""): Row(CONTACT_WRITE, body={"company": "Example"}),
        (f"{prefix}-contact-one", "DELETE", ""): Row(CONTACT_DELETE, ok=204),
        (f"{prefix}-queue-list", "GET", ""): Row(QUEUE_LIST),
        (f"{prefix}-queue-list", "POST", ""): Row(BY_ADMINS, ok=201, body={"queueId": "q_new", "name": "New"}),
        (f"{prefix}-queue-one", "GET", ""): Row(QUEUE_READ),
        (f"{prefix}-queue-one", "PATCH", ""): Row(QUEUE_WRITE, body={"description": "Parcels"}),
        (f"{prefix}-queue-one", "DELETE", ""): Row(QUEUE_WRITE, ok=204, state="gone"),
        (f"{prefix}-disposition-list", "GET", ""): Row(DISPOSITION_LIST),
        (f"{prefix}-disposition-list", "POST", ""): Row(
            BY_ADMINS, ok=201, body={"dispositionId": "d_new", "name": "New"}
        ),
        (f"{prefix}-disposition-one", "GET", ""): Row(DISPOSITION_READ),
        (f"{prefix}-disposition-one", "PATCH", ""): Row(DISPOSITION_WRITE, body={"resolved": False}),
        (f"{prefix}-disposition-one", "DELETE", ""): Row(DISPOSITION_WRITE, ok=204),
    }


TO_QUEUE = {"selectedQueue": "q_target"}
MANY = {"workitemIds": ["wi_own", "wi_other", "wi_missing"], **TO_QUEUE}
FOUND = {"q": "state:active", **TO_QUEUE}
API: dict[tuple[str, str, str], Row] = {
    **kept("type"),
    **kept("v1"),
    ("vendor-log-in", "GET", "by token"): Row(NO_PASSWORD),
    ("vendor-log-in", "GET", "by password"): Row(PASSWORD, password=True),
    ("vendor-renew", "GET", ""): Row(RENEW),
    ("vendor-mine", "GET", ""): Row(MINE),
    ("vendor-workitem", "GET", ""): Row(READ_ONE),
    ("vendor-workitem", "GET", "by _id"): Row(READ_ONE, by_internal_id=True),
    ("vendor-email", "POST", ""): Row(WRITE_ONE, facts=EMAIL, body=ANSWER),
    ("vendor-bridge", "POST", ""): Row(WRITE_ONE, state="accepted"),
    ("vendor-hold", "POST", ""): Row(WRITE_ONE),
    ("vendor-hold", "POST", "already"): Row(WRITE_ONE, state="hold"),
    ("vendor-hold", "POST", "resume"): Row(WRITE_ONE, state="hold", body={"hold": False}),
    ("vendor-hold", "DELETE", ""): Row(WRITE_ONE, state="hold"),
    ("vendor-hang-up", "POST", ""): Row(WRITE_ONE),
    ("vendor-hang-up", "POST", "waiting"): Row(WRITE_WAITING, state="inqueue"),
    ("vendor-mute", "POST", ""): Row(WRITE_ONE),
    ("vendor-mute", "DELETE", ""): Row(WRITE_ONE),
    ("vendor-tones", "POST", ""): Row(WRITE_ONE),
    ("vendor-to-agent", "POST", ""): Row(WRITE_ONE),
    ("vendor-to-queue", "POST", ""): Row(WRITE_ONE, may_transfer_in=True),
    ("vendor-to-queue", "POST", "blindly"): Row(TRANSFER_BLINDLY_BY_PATH),
    ("vendor-priority", "POST", ""): Row(WRITE_ONE, body={"priority": 5}),
    ("v1-actions", "GET", ""): Row(READ_ONE),
    ("v1-timeline", "GET", ""): Row(READ_ONE),
    ("v1-offer", "POST", ""): Row(WRITE_WAITING, state="inqueue", body={"agentUsername": "agent_both"}),
    ("v1-accept", "POST", ""): Row(ACCEPT_ONE, state="offered"),
    ("v1-reject", "POST", ""): Row(REJECT_ONE, state="offered"),
    ("v1-returnToQueue", "POST", ""): Row(RETURN_ONE),
    ("v1-returnToQueue", "POST", "dry run"): Row(RETURN_ONE, query="dryRun=true", body={"keepsPlace": False}),
    ("v1-pull", "POST", ""): Row(WRITE_WAITING, state="inqueue"),
    ("v1-bridge", "POST", ""): Row(WRITE_ONE, state="accepted"),
    ("v1-hold", "POST", ""): Row(WRITE_ONE),
    ("v1-hold", "POST", "already"): Row(WRITE_ONE, state="hold"),
    ("v1-hold", "POST", "dry run"): Row(WRITE_ONE, query="dryRun=true"),
    ("v1-unhold", "POST", ""): Row(WRITE_ONE, state="hold"),
    ("v1-mute", "POST", ""): Row(WRITE_ONE),
    ("v1-unmute", "POST", ""): Row(WRITE_ONE),
    ("v1-dtmf", "POST", ""): Row(WRITE_ONE, body={"tones": "12"}),
    ("v1-conference", "POST", ""): Row(WRITE_ONE, body={"participant": "+12025550199"}),
    ("v1-leaveConference", "POST", ""): Row(WRITE_ONE, state="conference"),
    ("v1-hangup", "POST", ""): Row(WRITE_ONE),
    ("v1-transfer", "POST", "to a queue"): Row(WRITE_ONE, body=TO_QUEUE, may_transfer_in=True),
    ("v1-transfer", "POST", "blindly"): Row(TRANSFER_BLINDLY, body=TO_QUEUE),
    ("v1-transfer", "POST", "to an agent"): Row(WRITE_ONE, body={"agentUsername": "agent_both"}),
    ("v1-priority", "POST", ""): Row(WRITE_ONE, body={"priority": 5}),
    ("v1-sendEmailResponse", "POST", ""): Row(WRITE_ONE, facts=EMAIL, body=ANSWER),
    ("v1-edit", "POST", ""): Row(WRITE_ONE, body={"name": "Parcel"}),
    ("v1-note", "POST", ""): Row(WRITE_ONE, body={"text": "Called back."}),
    ("v1-disposition", "POST", ""): Row(WRITE_ONE, state="terminated", body={"dispositionId": "d_own"}),
    ("v1-exempt", "POST", ""): Row(WRITE_ONE, body={"until": None}),
    ("v1-reopen", "POST", ""): Row(REOPEN_ONE, state="terminated", facts=STALE),
    ("v1-archive", "POST", ""): Row(ARCHIVE_ONE, state="terminated"),
    ("v1-unarchive", "POST", ""): Row(ARCHIVE_ONE, state="terminated", facts=ARCHIVED),
    ("v1-purge", "POST", ""): Row(PURGE_ONE, ok=204, state="terminated", facts=ARCHIVED),
    ("v1-bulk", "POST", ""): Row(
        BULK, body={"commands": [{"workitemId": "wi_{placement}", "action": "note", "text": "Called back."}]}
    ),
    ("v1-bulk", "POST", "by _id"): Row(
        BULK, body={"commands": [{"workitemId": "{_id}", "action": "note", "text": "Called back."}]}
    ),
    ("v1-bulk", "POST", "dry run"): Row(
        BULK, query="dryRun=true", body={"commands": [{"workitemId": "wi_{placement}", "action": "hold"}]}
    ),
    ("v1-agent-list", "GET", ""): Row(AGENT_LIST),
    ("v1-agent-one", "GET", ""): Row(AGENT_READ),
    ("v1-agent-presence", "POST", ""): Row(PRESENCE_WRITE, body={"presence": "available"}),
    ("v1-agent-capacity", "POST", ""): Row(CAPACITY_WRITE, body={"capacity": {"voice": 2}}),
    ("v1-agent-return-all", "POST", ""): Row(PRESENCE_WRITE),
    ("v1-transfer-list", "GET", ""): Row(TRANSFER_LIST),
    ("v1-transfer-list", "GET", "CSV"): Row(TRANSFER_LIST, accept=CSV),
    ("v1-transfer-list", "POST", "by ids"): Row(TRANSFER_ASK, ok=201, body=MANY, may_transfer_in=True),
    ("v1-transfer-list", "POST", "by a search"): Row(TRANSFER_ASK, ok=201, body=FOUND, may_transfer_in=True),
    ("v1-transfer-list", "POST", "blindly"): Row(TRANSFER_ASK_BLINDLY, ok=201, body=MANY),
    ("v1-transfer-list", "POST", "preview"): Row(TRANSFER_ASK, body=MANY, query="dryRun=true", may_transfer_in=True),
    ("v1-transfer-list", "POST", "preview blindly"): Row(TRANSFER_ASK_BLINDLY, body=FOUND, query="dryRun=true"),
    ("v1-transfer-one", "GET", ""): Row(TRANSFER_ONE),
    ("v1-transfer-one", "GET", "done"): Row(TRANSFER_ONE, run="done"),
    ("v1-transfer-items", "GET", ""): Row(TRANSFER_ONE),
    ("v1-transfer-items", "GET", "NDJSON"): Row(TRANSFER_ONE, accept=NDJSON),
    ("v1-transfer-pause", "POST", ""): Row(TRANSFER_ONE),
    ("v1-transfer-resume", "POST", ""): Row(TRANSFER_ONE, run="paused"),
    ("v1-transfer-cancel", "POST", ""): Row(TRANSFER_ONE),
    ("v1-transfer-retry", "POST", ""): Row(TRANSFER_ONE, run="done"),
    ("v1-transfer-undo", "POST", ""): Row(TRANSFER_ONE, ok=201, run="done"),
    ("v1-document", "GET", ""): Row(EVERYBODY),
    ("v1-docs", "GET", ""): Row(EVERYBODY),
    (r"^data(?:/[^\0]*)?$", "GET", ""): Row(EVERYBODY, ok=404),
    (r"^users(?:/[^\0]*)?$", "GET", ""): Row(EVERYBODY, ok=404),
    (r"^workflows(?:/[^\0]*)?$", "GET", ""): Row(EVERYBODY, ok=404),
    (r"^provider(?:/[^\0]*)?$", "GET", ""): Row(EVERYBODY, ok=404),
    (r"^oauth(?:/[^\0]*)?$", "GET", ""): Row(EVERYBODY, ok=404),
    (r"^api(?:/[^\0]*)?$", "GET", ""): Row(EVERYBODY, ok=404),
}

# Pages, for browsers. A cell is a status, or where one is sent: `in` to sign in, `back` to sign in to the back office,
# `index` to its front page (as for an object that is not there), `on` to anywhere else. Health is not good there: the
# mails of noon have not gone out.

PAGE_PEOPLE = (
    "anonymous", "inactive", "nobody", "staff", "read-here", "read", "write", "delete", "admin", "superuser",
)  # fmt: skip
OUT = "back back back "
SELF = "in  in "  # pages about oneself
SENT_ON = "on " * 8
NOT_THERE = "404 " * 8
EVERYBODY = "200 " * 8
FORMS_ONLY = "405 " * 8
INCOMPLETE = "400 " * 8


def rows(text: str) -> dict[tuple[str, str, str], dict[str, str]]:
    """Return the cells of each route, method and case; the case is `own`, `other` or `missing`, a dash for none."""
    table = {}
    for line in text.strip().splitlines():
        name, method, case, *cells = line.split()
        assert len(cells) == len(PAGE_PEOPLE), line
        assert (name, method, case) not in table, line
        table[name, method, case] = dict(zip(PAGE_PEOPLE, cells, strict=True))
    return table


def back_office(model: str, *, view: str, add: str, change: str, delete: str, history: str = "", page: str = "") -> str:
    """Return the lines of one model's pages; nobody but staff comes further than the sign-in."""
    return f"""
        admin:{model}_changelist  GET   -    {OUT} {view}
        admin:{model}_add         GET   -    {OUT} {add}
        admin:{model}_add         POST  -    {OUT} {add}
        admin:{model}_change      GET   own  {OUT} {page or view}
        admin:{model}_change      POST  own  {OUT} {change}
        admin:{model}_history     GET   own  {OUT} {history or view}
        admin:{model}_delete      GET   own  {OUT} {delete}
        admin:{model}_delete      POST  own  {OUT} {delete}
        admin/{model.replace("_", "/")}/<path:object_id>/  GET  own  {OUT} on on on on on on on
    """.strip()


def files_of(model: str, view: str, bring: str = "") -> str:
    """Return the lines of the pages by which a list is taken away, and brought in where it can be."""
    missing = bring.replace("200", "404")
    lines = f"""
        admin:{model}_exporting           GET   -    {OUT} {view}
        admin:{model}_exporting           POST  -    {OUT} {view}
    """.strip()
    if bring:
        lines += f"""
        admin:{model}_importing           GET   -    {OUT} {bring}
        admin:{model}_importing           POST  -    {OUT} {bring}
        admin:{model}_importing_template  GET   own  {OUT} {missing}
        admin:{model}_importing_plan      GET   own  {OUT} {missing}
        admin:{model}_importing_plan      POST  own  {OUT} {missing}
        admin:{model}_importing_refused   GET   own  {OUT} {missing}
    """.rstrip()
    return lines


#                   staff read-here read write delete admin superuser
NOBODYS = "         403   403       403  403   403    403   403"
MANAGERS = "404 404 404 404 404 200 200"
MANAGED = "404 404 404 404 404 on on"
ADMINS = "          403   403       403  403   403    200   200"
WRITERS = "         403   403       403  200   403    200   200"
GROUPS_OF_ALL = "   403   403       200  200   200    200   200"
READERS = "         403   200       200  200   200    200   200"
SEEN = "            404   200       200  200   200    200   200"
UNUSED = "          404   403       403  403   403    200   200"
RETIRED_INSTEAD = " 404   403       403  403   403    on    on"

PAGES = rows(f"""
    home                             GET   -        on  on  on  on  on  on  on  on  on  on
    account_login                    GET   -        200 200 on  on  on  on  on  on  on  on
    account_login                    POST  -        200 200 on  on  on  on  on  on  on  on
    account_logout                   GET   -        in  in  200 200 200 200 200 200 200 200
    account_logout                   POST  -        in  in  in  in  in  in  in  in  in  in
    account_inactive                 GET   -        200 200 200 200 200 200 200 200 200 200
    account_signup                   GET   -        in  in  in  in  in  in  in  in  in  in
    account_signup                   POST  -        in  in  in  in  in  in  in  in  in  in
    account_reset_password           GET   -        200 200 200 200 200 200 200 200 200 200
    account_reset_password           POST  -        200 200 200 200 200 200 200 200 200 200
    account_reset_password_done      GET   -        200 200 200 200 200 200 200 200 200 200
    account_reset_password_from_key  GET   -        200 200 200 200 200 200 200 200 200 200
    account_reset_password_from_key  POST  -        200 200 200 200 200 200 200 200 200 200
    account_reset_password_from_key_done GET -      200 200 200 200 200 200 200 200 200 200
    account_reauthenticate           GET   -        {SELF} 200 200 200 200 200 200 200 200
    account_reauthenticate           POST  -        {SELF} 200 200 200 200 200 200 200 200
    account_change_password          GET   -        {SELF} 200 200 200 200 200 200 200 200
    account_change_password          POST  -        {SELF} 200 200 200 200 200 200 200 200
    account_set_password             GET   -        {SELF} {SENT_ON}
    account_set_password             POST  -        {SELF} {SENT_ON}
    mfa_index                        GET   -        {SELF} 200 200 200 200 200 200 200 200
    mfa_authenticate                 GET   -        {SELF} {SENT_ON}
    mfa_authenticate                 POST  -        {SELF} {SENT_ON}
    mfa_reauthenticate               GET   -        {SELF} {SENT_ON}
    mfa_reauthenticate               POST  -        {SELF} {SENT_ON}
    mfa_activate_totp                GET   -        {SELF} {SENT_ON}
    mfa_activate_totp                POST  -        {SELF} {SENT_ON}
    mfa_deactivate_totp              GET   -        {SELF} {NOT_THERE}
    mfa_deactivate_totp              POST  -        {SELF} {NOT_THERE}
    mfa_view_recovery_codes          GET   -        {SELF} {NOT_THERE}
    mfa_generate_recovery_codes      GET   -        {SELF} {SENT_ON}
    mfa_generate_recovery_codes      POST  -        {SELF} {SENT_ON}
    mfa_download_recovery_codes      GET   -        {SELF} {NOT_THERE}
    mfa_list_webauthn                GET   -        {SELF} 200 200 200 200 200 200 200 200
    mfa_add_webauthn                 GET   -        {SELF} {SENT_ON}
    mfa_add_webauthn                 POST  -        {SELF} {SENT_ON}
    mfa_reauthenticate_webauthn      GET   -        {SELF} {SENT_ON}
    mfa_reauthenticate_webauthn      POST  -        {SELF} {SENT_ON}
    mfa_remove_webauthn              GET   -        {SELF} {SENT_ON}
    mfa_remove_webauthn              POST  -        {SELF} {SENT_ON}
    mfa_edit_webauthn                GET   -        {SELF} {SENT_ON}
    mfa_edit_webauthn                POST  -        {SELF} {SENT_ON}
    mfa_login_webauthn               GET   -        in  in  {SENT_ON}
    mfa_login_webauthn               POST  -        in  in  {SENT_ON}
    usersessions_list                GET   -        {SELF} 200 200 200 200 200 200 200 200
    usersessions_list                POST  -        {SELF} {SENT_ON}
    account                          GET   -        {SELF} 200 200 200 200 200 200 200 200
    health-live                      GET   -        200 200 200 200 200 200 200 200 200 200
    health-ready                     GET   -        503 503 503 503 503 503 503 503 503 503
    metrics                          GET   -        404 404 404 404 404 404 404 404 404 404
    board                            GET   -        in  in  200 200 200 200 200 200 200 200
    transfer                         GET   own      in  in  404 404 403 403 200 403 200 200
    transfer                         GET   other    in  in  404 404 404 403 200 403 200 200
    transfer                         POST  -        in  in  409 409 409 409 409 409 409 409
    transfer-targets                 GET   -        in  in  200 200 200 200 200 200 200 200
    transfer-preview                 GET   -        in  in  405 405 405 405 405 405 405 405
    transfer-preview                 POST  -        in  in  409 409 409 409 409 409 409 409
    transfer-start                   GET   -        in  in  405 405 405 405 405 405 405 405
    transfer-start                   POST  -        in  in  409 409 409 409 409 409 409 409
    transfer-undo                    GET   own      in  in  200 200 200 200 200 200 200 200
    transfer-undo                    POST  own      in  in  404 404 403 403 409 403 409 409
    transfer-undo                    POST  other    in  in  404 404 404 403 409 403 409 409
    desk-runs                        GET   -        in  in  200 200 200 200 200 200 200 200
    desk-run                         GET   own      in  in  404 404 404 404 404 404 200 200
    desk-run                         GET   missing  in  in  404 404 404 404 404 404 404 404
    desk-run-press                   GET   own      in  in  404 404 404 404 404 404 200 200
    desk-run-press                   POST  own      in  in  404 404 404 404 404 404 on  on
    handover                         GET   own      in  in  404 404 200 200 200 200 200 200
    handover                         GET   other    in  in  404 404 404 200 200 200 200 200
    handover                         POST  own      in  in  404 404 403 403 409 403 409 409
    handover                         POST  other    in  in  404 404 404 403 409 403 409 409
    find                             GET   -        {SELF} {SENT_ON}
    desk-settings                    GET   -        {SELF} 200 200 200 200 200 200 200 200
    desk-settings                    POST  -        {SELF} {SENT_ON}
    work                             GET   -        in  in  {EVERYBODY}
    work-layout                      GET   -        in  in  {FORMS_ONLY}
    work-layout                      POST  -        in  in  {INCOMPLETE}
    work-offers                      GET   -        in  in  {INCOMPLETE}
    work-complete                    GET   -        in  in  {EVERYBODY}
    work-bulk                        GET   own      in  in  {FORMS_ONLY}
    work-bulk                        POST  own      in  in  {SENT_ON}
    work-next                        GET   -        in  in  {SENT_ON}
    work-view-save                   GET   -        in  in  {EVERYBODY}
    work-view-save                   POST  -        in  in  {INCOMPLETE}
    work-view-update                 GET   own      in  in  404 404 404 404 404 404 404 200
    work-view-update                 POST  own      in  in  404 404 404 404 404 404 404 400
    work-view-delete                 GET   own      in  in  {FORMS_ONLY}
    work-view-delete                 POST  own      in  in  404 404 404 404 404 404 404 on
    reports                          GET   -        in  in  {EVERYBODY}
    reports-export                   GET   -        in  in  {EVERYBODY}
    moment                           GET   -        in  in  {EVERYBODY}
    wallboard                        GET   -        in  in  200 200 200 200 200 200 200 200
    agents                           GET   -        in  in  200 200 200 200 200 200 200 200
    agent                            GET   own      in  in  404 404 200 200 200 200 200 200
    agent                            GET   other    in  in  404 404 404 200 200 200 200 200
    agent                            GET   missing  in  in  404 404 404 404 404 404 404 404
    agent                            POST  own      in  in  404 404 403 403 403 403 400 400
    agent                            POST  other    in  in  404 404 404 403 403 403 400 400
    agent-presence                   GET   own      in  in  405 405 405 405 405 405 405 405
    agent-presence                   POST  own      in  in  404 404 403 403 on  403 on  on
    agent-presence                   POST  other    in  in  404 404 404 403 on  403 on  on
    agent-presence                   POST  missing  in  in  404 404 404 404 404 404 404 404
    presence                         GET   -        in  in  404 404 404 404 404 404 404 404
    presence                         POST  -        in  in  404 404 404 404 404 404 404 404
    return-all                       GET   own      in  in  404 404 200 200 200 200 200 200
    return-all                       GET   other    in  in  404 404 404 200 200 200 200 200
    return-all                       POST  own      in  in  on  on  403 403 on  403 on  on
    return-all                       POST  other    in  in  on  on  on  403 on  403 on  on
    return-all                       POST  missing  in  in  on  on  on  on  on  on  on  on
    workitem                         GET   own      in  in  404 404 200 200 200 200 200 200
    workitem                         GET   other    in  in  404 404 404 200 200 200 200 200
    workitem                         GET   missing  in  in  404 404 404 404 404 404 404 404
    act                              GET   own      in  in  405 405 405 405 405 405 405 405
    act                              POST  own      in  in  404 404 403 403 on  403 on  on
    act                              POST  other    in  in  404 404 404 403 on  403 on  on
    act                              POST  missing  in  in  404 404 404 404 404 404 404 404
    item-look                        GET   own      in  in  405 405 405 405 405 405 405 405
    item-look                        POST  own      in  in  404 404 204 204 204 204 204 204
    item-look                        POST  other    in  in  404 404 404 204 204 204 204 204
    item-look                        POST  missing  in  in  404 404 404 404 404 404 404 404
    item-undo                        GET   own      in  in  405 405 405 405 405 405 405 405
    item-undo                        POST  own      in  in  404 404 on  on  on  on  on  on
    item-undo                        POST  other    in  in  404 404 404 on  on  on  on  on
    item-undo                        POST  missing  in  in  404 404 404 404 404 404 404 404
    account-tokens                   GET   -        in  in  200 200 200 200 200 200 200 200
    account-tokens                   POST  -        in  in  400 400 400 400 400 400 400 400
    account-token-revoke             GET   own      in  in  405 405 405 405 405 405 405 405
    account-token-revoke             POST  own      in  in  404 404 404 404 404 404 404 on
    account-token-revoke             POST  missing  in  in  404 404 404 404 404 404 404 404
    oauth-token                      POST  -        400 400 400 400 400 400 400 400 400 400
    oauth-revoke                     POST  -        400 400 400 400 400 400 400 400 400 400
    oauth-introspect                 POST  -        401 401 401 401 401 401 401 401 401 401
    oauth-authorize                  GET   -        in  in  400 400 400 400 400 400 400 400
    oauth-authorize                  POST  -        in  in  400 400 400 400 400 400 400 400
    admin:login                      GET   -        in  in  403 index index index index index index index
    admin:logout                     POST  -        index index index in in in in in in in
    admin:workitems_stalepolicy_changelist  GET   -     {OUT} {ADMINS}
    admin:workitems_stalepolicy_add         GET   -     {OUT} {ADMINS}
    admin:workitems_stalepolicy_add         POST  -     {OUT} {ADMINS}
    admin:workitems_stalepolicy_change      GET   own   {OUT} {ADMINS}
    admin:workitems_stalepolicy_change      POST  own   {OUT} {ADMINS}
    admin:workitems_stalepolicy_history     GET   own   {OUT} 404 404 404 404 404 200 200
    admin:workitems_stalepolicy_delete      GET   own   {OUT} {ADMINS}
    admin:workitems_stalepolicy_delete      POST  own   {OUT} {ADMINS}
    admin:workitems_stalepolicy_simulate    GET   own   {OUT} {ADMINS}
    admin:workitems_stalepolicy_simulate    POST  own   {OUT} 405 405 405 405 405 405 405
    admin/workitems/stalepolicy/<path:object_id>/  GET  own  {OUT} on on on on on on on
    admin:workitems_policyrun_changelist  GET   -        {OUT} {ADMINS}
    admin:workitems_policyrun_add         GET   -        {OUT} {NOBODYS}
    admin:workitems_policyrun_add         POST  -        {OUT} {NOBODYS}
    admin:workitems_policyrun_change      GET   own      {OUT} {ADMINS}
    admin:workitems_policyrun_change      POST  own      {OUT} {NOBODYS}
    admin:workitems_policyrun_history     GET   own      {OUT} 404 404 404 404 404 200 200
    admin:workitems_policyrun_delete      GET   own      {OUT} {NOBODYS}
    admin:workitems_policyrun_delete      POST  own      {OUT} {NOBODYS}
    admin:workitems_policyrun_pause       GET   own      {OUT} 405 405 405 405 405 405 405
    admin:workitems_policyrun_pause       POST  own      {OUT} 403 403 403 403 403 on  on
    admin:workitems_policyrun_resume      GET   own      {OUT} 405 405 405 405 405 405 405
    admin:workitems_policyrun_resume      POST  own      {OUT} 403 403 403 403 403 on  on
    admin:workitems_policyrun_retry       GET   own      {OUT} 405 405 405 405 405 405 405
    admin:workitems_policyrun_retry       POST  own      {OUT} 403 403 403 403 403 on  on
    admin:workitems_policyrun_go_on       GET   own      {OUT} 405 405 405 405 405 405 405
    admin:workitems_policyrun_go_on       POST  own      {OUT} 403 403 403 403 403 on  on
    admin:workitems_policyrun_cancel      GET   own      {OUT} {ADMINS}
    admin:workitems_policyrun_cancel      POST  own      {OUT} 403 403 403 403 403 on  on
    admin:workitems_policyrun_reopen      GET   own      {OUT} 403 403 403 403 403 on  on
    admin:workitems_policyrun_reopen      POST  own      {OUT} 403 403 403 403 403 on  on
    admin:workitems_policyrun_reopen      POST  missing  {OUT} 403 403 403 403 403 404 404
    admin/workitems/policyrun/<path:object_id>/  GET  own  {OUT} on on on on on on on
    admin:index                      GET   -        {OUT} 200 200 200 200 200 200 200
    admin:search                     GET   -        {OUT} 200 200 200 200 200 200 200
    admin:jsi18n                     GET   -        {OUT} 200 200 200 200 200 200 200
    admin:password_change            GET   -        {OUT} on  on  on  on  on  on  on
    admin:password_change            POST  -        {OUT} on  on  on  on  on  on  on
    admin:password_change_done       GET   -        {OUT} 200 200 200 200 200 200 200
    admin:autocomplete               GET   -        {OUT} 403 200 200 200 200 200 200
    admin:app_list                   GET   -        {OUT} 404 200 200 200 200 200 200
    admin/(?P<url>.*)$               GET   -        {OUT} 404 404 404 404 404 404 404
    {
    back_office(
        "contacts_contact",
        view=READERS,
        add=WRITERS,
        change=WRITERS,
        delete="404 403 403 403 403 on on",
        history="404 200 200 200 200 200 200",
    )
}
    admin:contacts_contact_change      GET   other  {OUT} 403 404 200 200 200 200 200
    admin:contacts_contact_history     GET   other  {OUT} 404 404 200 200 200 200 200
    admin:contacts_contact_duplicates  GET   -      {OUT} 403 403 200 200 200 200 200
    admin:contacts_contact_merge       GET   own    {OUT} 404 403 403 200 403 200 200
    admin:contacts_contact_merge       GET   other  {OUT} 404 404 403 200 403 200 200
    admin:contacts_contact_merge       POST  other  {OUT} 404 404 403 200 403 200 200
    admin:contacts_contact_block       POST  own    {OUT} 404 403 403 on  403 on  on
    admin:contacts_contact_block       POST  other  {OUT} 404 404 403 on  403 on  on
    admin:contacts_contact_erase       GET   own    {OUT} 404 403 403 403 403 200 200
    admin:contacts_contact_erase       GET   other  {OUT} 404 404 403 403 403 200 200
    admin:contacts_contact_erase       POST  other  {OUT} 404 404 403 403 403 200 200
    admin:workitems_contactmerge_undo    POST  own  {OUT} 404 404 403 on  403 on  on
    admin:workitems_contactmerge_follow  POST  own  {OUT} 404 404 403 on  403 on  on
    admin:workitems_contactmerge_changelist  GET   -    {OUT} 403 403 200 200 200 200 200
    admin:workitems_contactmerge_add         GET   -    {OUT} 403 403 403 403 403 403 403
    admin:workitems_contactmerge_add         POST  -    {OUT} 403 403 403 403 403 403 403
    admin:workitems_contactmerge_change      GET   own  {OUT} 404 404 on  on  on  on  on
    admin:workitems_contactmerge_change      POST  own  {OUT} 404 404 on  on  on  on  on
    admin:workitems_contactmerge_history     GET   own  {OUT} 404 404 200 200 200 200 200
    admin:workitems_contactmerge_delete      GET   own  {OUT} 403 403 403 403 403 403 403
    admin:workitems_contactmerge_delete      POST  own  {OUT} 403 403 403 403 403 403 403
    admin/workitems/contactmerge/<path:object_id>/  GET  own  {OUT} on on on on on on on
    {back_office("queues_queue", view=READERS, add=ADMINS, change=ADMINS, delete=RETIRED_INSTEAD, history=SEEN)}
    admin:queues_queue_change        GET   other    {OUT} 403   404   200 200 200 200 200
    admin:queues_queue_change        POST  other    {OUT} 403   403   403 403 403 200 200
    admin:queues_queue_people        GET   -        {OUT} {ADMINS}
    admin:queues_queue_people        POST  -        {OUT} 405   405   405 405 405 405 405
    admin:queues_queue_scopes        GET   own      {OUT} 404   403   403 403 403 200 200
    admin:queues_queue_scopes        GET   other    {OUT} 404   404   403 403 403 200 200
    admin:queues_queue_scopes        POST  own      {OUT} 404   403   403 403 403 405 405
    admin:queues_queue_retire        GET   own      {OUT} 404   403   403 403 403 200 200
    admin:queues_queue_retire        GET   other    {OUT} 404   404   403 403 403 200 200
    admin:queues_queue_retire        POST  own      {OUT} 404   403   403 403 403 200 200
    admin:queues_queue_retire        POST  missing  {OUT} 404   404   404 404 404 404 404
    {back_office("workitems_disposition", view=READERS, add=ADMINS, change=ADMINS, delete=UNUSED, history=SEEN)}
    {
    back_office(
        "workitems_workitem",
        view=READERS,
        add=WRITERS,
        change=WRITERS,
        delete=NOBODYS,
        history="404 on on on on on on",
    )
}
    admin:workitems_workitem_change  GET   other    {OUT} 403   404   200 200 200 200 200
    admin:workitems_workitem_change  POST  other    {OUT} 403   404   403 200 403 200 200
    admin:workitems_workitem_history GET   other    {OUT} 404   404   on  on  on  on  on
    admin:workitems_workitem_delete  POST  other    {OUT} {NOBODYS}
    admin:workitems_workitem_do      GET   own      {OUT} 405   405   405 405 405 405 405
    admin:workitems_workitem_do      POST  own      {OUT} 404   403   403 on  403 on  on
    admin:workitems_workitem_do      POST  other    {OUT} 404   404   403 on  403 on  on
    admin:workitems_workitem_do      POST  missing  {OUT} 404   404   404 404 404 404 404
    {
    back_office(
        "workitems_timeevent",
        view=READERS,
        add=NOBODYS,
        change=NOBODYS,
        delete=NOBODYS,
        history="404 200 200 200 200 200 200",
    )
}
    admin:workitems_timeevent_change GET   other    {OUT} 403   404   200 200 200 200 200
    {
    back_office(
        "workitems_outgoingmail",
        view=READERS,
        add=NOBODYS,
        change=NOBODYS,
        delete=NOBODYS,
        history="404 200 200 200 200 200 200",
    )
}
    {
    back_office(
        "workitems_presence",
        view=READERS,
        add=NOBODYS,
        change=WRITERS,
        delete=NOBODYS,
        history="404 404 200 200 200 200 200",
        page="403 404 200 200 200 200 200",
    )
}
    admin:workitems_presence_change      GET   other    {OUT} 403   404   200   200 200   200 200
    admin:workitems_presence_change      POST  other    {OUT} 403   403   403   200 403   200 200
    admin:workitems_outgoingmail_change  GET   other    {OUT} 403   404 200 200 200 200 200
    admin:workitems_outgoingmail_history GET   other    {OUT} 404 404 200 200 200 200 200
    admin:workitems_transfer_changelist  GET   -        {OUT} {WRITERS}
    admin:workitems_transfer_add         GET   -        {OUT} {NOBODYS}
    admin:workitems_transfer_add         POST  -        {OUT} {NOBODYS}
    admin:workitems_transfer_change      GET   own      {OUT} 403   403   403   404   403   200 200
    admin:workitems_transfer_change      POST  own      {OUT} {NOBODYS}
    admin:workitems_transfer_history     GET   own      {OUT} 404 404 404 404 404 200 200
    admin:workitems_transfer_delete      GET   own      {OUT} {NOBODYS}
    admin:workitems_transfer_delete      POST  own      {OUT} {NOBODYS}
    admin:workitems_transfer_progress    GET   own      {OUT} 403   403   403   404   403   200 200
    admin:workitems_transfer_progress    POST  own      {OUT} 405   405   405   405   405   405 405
    admin:workitems_transfer_export      GET   own      {OUT} 403   403   403   404   403   200 200
    admin:workitems_transfer_export      POST  own      {OUT} 405   405   405   405   405   405 405
    admin:workitems_transfer_pause       GET   own      {OUT} 405   405   405   405   405   405 405
    admin:workitems_transfer_pause       POST  own      {OUT} 403   403   403   404   403   on  on
    admin:workitems_transfer_resume      GET   own      {OUT} 405   405   405   405   405   405 405
    admin:workitems_transfer_resume      POST  own      {OUT} 403   403   403   404   403   on  on
    admin:workitems_transfer_retry       GET   own      {OUT} 405   405   405   405   405   405 405
    admin:workitems_transfer_retry       POST  own      {OUT} 403   403   403   404   403   on  on
    admin:workitems_transfer_cancel      GET   own      {OUT} 403   403   403   404   403   200 200
    admin:workitems_transfer_cancel      POST  own      {OUT} 403   403   403   404   403   on  on
    admin:workitems_transfer_undo        GET   own      {OUT} 403   403   403   404   403   on  on
    admin:workitems_transfer_undo        POST  own      {OUT} 403   403   403   404   403   on  on
    admin:workitems_transfer_undo        POST  missing  {OUT} 403   403   403   404   403   404 404
    admin/workitems/transfer/<path:object_id>/  GET  own  {OUT} on on on on on on on
    admin:workitems_bulkrun_changelist  GET   -        {OUT} 403   403   403   200   200   200 200
    admin:workitems_bulkrun_add         GET   -        {OUT} {NOBODYS}
    admin:workitems_bulkrun_add         POST  -        {OUT} {NOBODYS}
    admin:workitems_bulkrun_change      GET   own      {OUT} 403   403   403   404   404   200 200
    admin:workitems_bulkrun_change      POST  own      {OUT} {NOBODYS}
    admin:workitems_bulkrun_history     GET   own      {OUT} 404 404 404 404 404 200 200
    admin:workitems_bulkrun_delete      GET   own      {OUT} {NOBODYS}
    admin:workitems_bulkrun_delete      POST  own      {OUT} {NOBODYS}
    admin:workitems_bulkrun_progress    GET   own      {OUT} 403   403   403   404   404   200 200
    admin:workitems_bulkrun_progress    POST  own      {OUT} 405   405   405   405   405   405 405
    admin:workitems_bulkrun_export      GET   own      {OUT} 403   403   403   404   404   200 200
    admin:workitems_bulkrun_export      POST  own      {OUT} 405   405   405   405   405   405 405
    admin:workitems_bulkrun_pause       GET   own      {OUT} 405   405   405   405   405   405 405
    admin:workitems_bulkrun_pause       POST  own      {OUT} 403   403   403   404   404   on  on
    admin:workitems_bulkrun_resume      GET   own      {OUT} 405   405   405   405   405   405 405
    admin:workitems_bulkrun_resume      POST  own      {OUT} 403   403   403   404   404   on  on
    admin:workitems_bulkrun_retry       GET   own      {OUT} 405   405   405   405   405   405 405
    admin:workitems_bulkrun_retry       POST  own      {OUT} 403   403   403   404   404   on  on
    admin:workitems_bulkrun_cancel      GET   own      {OUT} 403   403   403   404   404   200 200
    admin:workitems_bulkrun_cancel      POST  own      {OUT} 403   403   403   404   404   on  on
    admin:workitems_bulkrun_undo        GET   own      {OUT} 403   403   403   404   404   on  on
    admin:workitems_bulkrun_undo        POST  own      {OUT} 403   403   403   404   404   on  on
    admin:workitems_bulkrun_undo        POST  missing  {OUT} 403   403   403   404   404   404 404
    admin/workitems/bulkrun/<path:object_id>/  GET  own  {OUT} on on on on on on on
    admin:workitems_workitem_actions     GET   -        {OUT} 403   400   400   400   400   400 400
    admin:workitems_workitem_layout      GET   -        {OUT} 405   405   405   405   405   405 405
    admin:workitems_workitem_layout      POST  -        {OUT} 403   400   400   400   400   400 400
    admin:workitems_workitem_offers      GET   -        {OUT} 403   400   400   400   400   400 400
    {files_of("contacts_contact", READERS, bring=WRITERS)}
    {files_of("queues_queue", READERS, bring=ADMINS)}
    {files_of("workitems_disposition", READERS, bring=ADMINS)}
    {files_of("workitems_workitem", READERS)}
    {files_of("workitems_outgoingmail", READERS)}
    {files_of("workitems_timeevent", READERS)}
    {files_of("workitems_savedview", READERS)}
    {files_of("workitems_presence", READERS)}
    {files_of("workitems_contactmerge", GROUPS_OF_ALL)}
    {files_of("workitems_transfer", WRITERS)}
    {files_of("workitems_bulkrun", "403 403 403 200 200 200 200")}
    {files_of("workitems_policyrun", ADMINS)}
    {files_of("workitems_stalepolicy", ADMINS)}
    {files_of("workitems_auditentry", ADMINS)}
    {files_of("auth_user", ADMINS)}
    {files_of("auth_group", ADMINS)}
    {files_of("workitems_export", READERS)}
    admin:workitems_export_changelist GET   -        {OUT} {READERS}
    admin:workitems_export_add        GET   -        {OUT} {NOBODYS}
    admin:workitems_export_add        POST  -        {OUT} {NOBODYS}
    admin:workitems_export_change     GET   own      {OUT} 404   404   404   404   404   404   200
    admin:workitems_export_change     POST  own      {OUT} {NOBODYS}
    admin:workitems_export_history    GET   own      {OUT} 404   404   404   404   404   404   200
    admin:workitems_export_delete     GET   own      {OUT} {NOBODYS}
    admin:workitems_export_delete     POST  own      {OUT} {NOBODYS}
    admin:workitems_export_progress   GET   own      {OUT} 404   404   404   404   404   404   200
    admin:workitems_export_progress   POST  own      {OUT} 405   405   405   405   405   405   405
    admin:workitems_export_download   GET   own      {OUT} 404   404   404   404   404   404   200
    admin:workitems_export_download   POST  own      {OUT} 405   405   405   405   405   405   405
    admin:workitems_export_cancel     GET   own      {OUT} 405   405   405   405   405   405   405
    admin:workitems_export_cancel     POST  own      {OUT} 404   404   404   404   404   404   on
    admin:workitems_export_retry      GET   own      {OUT} 405   405   405   405   405   405   405
    admin:workitems_export_retry      POST  own      {OUT} 404   404   404   404   404   404   on
    admin:workitems_export_retry      POST  missing  {OUT} 404   404   404   404   404   404   404
    admin/workitems/export/<path:object_id>/  GET  own  {OUT} on on on on on on on
    admin:workitems_savedview_changelist GET   -        {OUT} {READERS}
    admin:workitems_savedview_add        GET   -        {OUT} {READERS}
    admin:workitems_savedview_add        POST  -        {OUT} {READERS}
    admin:workitems_savedview_change     GET   own      {OUT} 403   404   404   404   404   404   200
    admin:workitems_savedview_change     POST  own      {OUT} 403   404   404   404   404   404   200
    admin:workitems_savedview_history    GET   own      {OUT} 404   404   404   404   404   404   200
    admin:workitems_savedview_delete     GET   own      {OUT} 403   404   404   404   404   404   200
    admin:workitems_savedview_delete     POST  own      {OUT} 403   404   404   404   404   404   200
    admin:workitems_savedview_update     GET   own      {OUT} 405   405   405   405   405   405   405
    admin:workitems_savedview_update     POST  own      {OUT} 404   404   404   404   404   404   on
    admin:workitems_savedview_update     POST  missing  {OUT} 404   404   404   404   404   404   404
    admin:workitems_savedview_counts     GET   -        {OUT} {READERS}
    admin:workitems_savedview_counts     POST  -        {OUT} 405   405   405   405   405   405   405
    admin:workitems_savedview_complete   GET   -        {OUT} {READERS}
    admin:workitems_savedview_complete   POST  -        {OUT} 405   405   405   405   405   405   405
    admin/workitems/savedview/<path:object_id>/  GET  own  {OUT} on on on on on on on
    {
    back_office("auth_user", view=ADMINS, add=ADMINS, change=MANAGERS, delete=NOBODYS, page=MANAGERS, history=MANAGERS)
}
    admin:auth_user_send_link             GET   own  {OUT} 405 405 405 405 405 405 405
    admin:auth_user_send_link             POST  own  {OUT} {MANAGED}
    admin:auth_user_deactivate            GET   own  {OUT} {MANAGERS}
    admin:auth_user_deactivate            POST  own  {OUT} {MANAGED}
    admin:auth_user_activate              GET   own  {OUT} 405 405 405 405 405 405 405
    admin:auth_user_activate              POST  own  {OUT} {MANAGED}
    admin:auth_user_end_sessions          GET   own  {OUT} 405 405 405 405 405 405 405
    admin:auth_user_end_sessions          POST  own  {OUT} {MANAGED}
    admin:auth_user_remove_second_factor  GET   own  {OUT} 405 405 405 405 405 405 405
    admin:auth_user_remove_second_factor  POST  own  {OUT} {MANAGED}
    {back_office("workitems_auditentry", view=ADMINS, add=NOBODYS, change=NOBODYS, delete=NOBODYS, history=MANAGERS)}
    {
    back_office(
        "auth_group",
        view=ADMINS,
        add=ADMINS,
        change=ADMINS,
        delete=ADMINS,
        history="404 404 404 404 404 200 200",
    )
}
    {back_office("api_application", view=ADMINS, add=ADMINS, change=ADMINS, delete=ADMINS)}
    {back_office("api_personaltoken", view=ADMINS, add=NOBODYS, change=NOBODYS, delete=NOBODYS)}
""")
