"""Every operation of the document: its name, what it does in a sentence, what goes in and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workitems.api import bodies, catalogue, object_bodies, strict, transfer_bodies
from workitems.api.openapi import shapes
from workitems.choices import Action

CALL = {"from": "+12025550123", "selectedQueue": "q_support", "type": "InboundCall"}


@dataclass(frozen=True)
class Operation:
    """One operation."""

    name: str
    summary: str
    answer: shapes.Shape | None = None
    status: int = 200
    body: type[Any] | None = None
    example: Any = None
    parameters: tuple[str, ...] = ()
    dry_run: bool = False
    rehearsal: shapes.Shape = shapes.RehearsalWire
    changes: bool = False
    lists: catalogue.Catalogue | None = None
    errors: tuple[int, ...] = field(default=())


# By view and method: the kinds of objects, on both surfaces.
KINDS: dict[str, tuple[str, catalogue.Catalogue, shapes.Shape, type[Any] | None, type[Any] | None, Any, Any]] = {
    "Workitems": (
        "Workitem", catalogue.WORKITEMS, shapes.WorkitemWire, bodies.CreateBody, bodies.WorkitemPatchBody,
        CALL, {"name": "Parcel has not arrived", "priority": 4},
    ),
    "Contacts": (
        "Contact", catalogue.CONTACTS, shapes.ContactWire, object_bodies.ContactBody, object_bodies.ContactChanges,
        {"displayName": "Ada Example", "phones": ["+12025550123"]}, {"company": "Northwind Example Ltd"},
    ),
    "Queues": (
        "Queue", catalogue.QUEUES, shapes.QueueWire, object_bodies.QueueBody, object_bodies.QueueChanges,
        {"channels": ["voice"], "name": "Returns", "queueId": "q_returns"}, {"isOpen": False},
    ),
    "Dispositions": (
        "Disposition", catalogue.DISPOSITIONS, shapes.DispositionWire, object_bodies.DispositionBody,
        object_bodies.DispositionChanges,
        {"dispositionId": "d_callback", "name": "Call back"}, {"isActive": False},
    ),
    "Agents": ("Agent", catalogue.AGENTS, shapes.AgentWire, None, None, None, None),
    "Transfers": (
        "Transfer", catalogue.TRANSFERS, shapes.TransferWire, transfer_bodies.TransferManyBody, None,
        {"reason": "Support is full", "selectedQueue": "q_sales", "workitemIds": ["wi_1"]}, None,
    ),
}  # fmt: skip

COMMAND_EXAMPLES: dict[Action, Any] = {
    Action.OFFER: {"agentUsername": "ann"},
    Action.DTMF: {"tones": "12#"},
    Action.CONFERENCE: {"participant": "+12025550199"},
    Action.HANGUP: {"reason": "customer"},
    Action.TRANSFER: {"selectedQueue": "q_sales"},
    Action.PRIORITY: {"priority": 5},
    Action.SEND_EMAIL_RESPONSE: {"bodyParts": [{"contentType": "text/plain", "content": "It is on its way."}]},
    Action.EDIT: {"name": "Parcel has not arrived"},
    Action.NOTE: {"text": "Called back, nobody there."},
    Action.DISPOSITION: {"dispositionId": "d_solved"},
    Action.RETURN_TO_QUEUE: {"keepsPlace": True},
    Action.EXEMPT: {"until": None},
}

OTHERS = {
    "LogIn.get": Operation("logIn", "Exchange a username and password for a token.", shapes.TokenWire),
    "RenewToken.get": Operation("renewToken", "Exchange a token of the log-in for a fresh one.", shapes.TokenWire),
    "MyWorkitems.get": Operation(
        "listMyWorkitems", "Return what the caller has in hand.", shapes.MineWire, parameters=("fields", "expand")
    ),
    "Actions.get": Operation(
        "explainActions", "Say of every action whether it is allowed and, if not, why.", shapes.ActionsWire
    ),
    "Timeline.get": Operation(
        "readTimeline", "Return a workitem's history.", shapes.TimelineWire, parameters=("after", "rows")
    ),
    "Bulk.post": Operation(
        "doMany",
        "Do up to a thousand commands, each with a result of its own.",
        shapes.BulkWire,
        body=shapes.BulkBody,
        example={"commands": [{"workitemId": "wi_1", "action": "priority", "priority": 5}]},
        dry_run=True,
    ),
    "TransferItems.get": Operation(
        "listTransferItems",
        "List and export what became of every workitem of a transfer.",
        shapes.page_of(shapes.TransferItemWire, by_cursor=True),
        lists=catalogue.TRANSFER_ITEMS,
    ),
    "UndoTransfer.post": Operation(
        "undoTransfer",
        "Bring back what a finished transfer has moved and nobody has touched since.",
        shapes.UndoingWire,
        201,
        strict.Body,
    ),
    "SetPresence.post": Operation(
        "setPresence",
        "Say whether an agent takes work.",
        shapes.AgentWire,
        body=object_bodies.PresenceBody,
        example={"presence": "away"},
    ),
    "SetCapacity.post": Operation(
        "setCapacity",
        "Say how many workitems of each channel an agent has in hand at most.",
        shapes.AgentWire,
        body=object_bodies.CapacityBody,
        example={"capacity": {"chat": 3, "voice": 1}},
    ),
    "ReturnAll.post": Operation(
        "returnAll",
        "Put all that an agent has in hand back into its queues.",
        shapes.ReturnedWire,
        body=strict.Body,
    ),
}
TRANSFER_COMMANDS = {
    "pause": "Let a transfer stand still after the chunk that is under way.",
    "resume": "Let a paused transfer go on.",
    "cancel": "End a transfer after the chunk that is under way.",
    "retry": "Take what was set aside on once more.",
}


def _vendor(name: str, summary: str, body: type[Any] | None, example: Any = None) -> Operation:
    return Operation(name, summary, shapes.WorkitemWire, body=body, example=example, changes=True)


VENDOR = {
    "Bridge.post": _vendor("vendorBridge", "Connect agent and customer.", bodies.VENDOR_COMMANDS[Action.BRIDGE]),
    "HoldAndResume.post": _vendor("vendorHold", "Hold, or resume.", bodies.VendorHoldBody, {"hold": True}),
    "HoldAndResume.delete": _vendor("vendorResume", "Resume.", None),
    "HangUp.post": _vendor(
        "vendorHangUp", "End the interaction.", bodies.VENDOR_COMMANDS[Action.HANGUP], {"reason": "customer"}
    ),
    "MuteAndUnmute.post": _vendor("vendorMute", "Switch the agent's microphone off.", bodies.Repeated),
    "MuteAndUnmute.delete": _vendor("vendorUnmute", "Switch the agent's microphone on.", None),
    "Tones.post": _vendor("vendorSendTones", "Send key tones.", bodies.Repeated),
    "Acd.post": _vendor(
        "vendorSetPriority", "Set the priority.", bodies.VENDOR_COMMANDS[Action.PRIORITY], {"priority": 5}
    ),
    "AnswerByEmail.post": _vendor(
        "vendorSendEmailResponse",
        "Answer by e-mail.",
        bodies.VENDOR_COMMANDS[Action.SEND_EMAIL_RESPONSE],
        COMMAND_EXAMPLES[Action.SEND_EMAIL_RESPONSE],
    ),
    "TransferToAnAgent.post": _vendor(
        "vendorTransferToAgent", "Offer to another agent.", bodies.VendorToAgentBody, {"recording": "keepCurrent"}
    ),
    "TransferToAQueue.post": _vendor(
        "vendorTransferToQueue", "Put in line in another queue.", bodies.VendorToQueueBody, {"eventName": "vip"}
    ),
}


REHEARSALS: dict[str, shapes.Shape] = {"Workitems": shapes.RehearsalWire, "Transfers": shapes.PreviewWire}


def of_kind(view: str, action: str, *, vendor: bool) -> Operation:
    """Return an operation on one kind of object."""
    noun, every, shape, new_body, change_body, new_example, change_example = KINDS[view]
    start = "vendor" if vendor else ""
    thing = noun.lower()
    if action == "list":
        name = _name(start, "list", f"{noun}s")
        page = shapes.page_of(shape, by_cursor=not vendor)
        return Operation(name, f"List, search and export {thing}s.", page, lists=every)
    if action == "retrieve":
        parameters = ("fields", "expand") if every.expandable else ("fields",)
        return Operation(_name(start, "get", noun), f"Return one {thing}.", shape, parameters=parameters, lists=None)
    if action == "create":
        return Operation(
            _name(start, "create", noun), f"Create a {thing}.", shape, 201, new_body, new_example,
            dry_run=view in REHEARSALS, rehearsal=REHEARSALS.get(view, shapes.RehearsalWire),
        )  # fmt: skip
    if action == "partial_update":
        return Operation(
            _name(start, "change", noun), f"Change what the body names of a {thing}.", shape, 200, change_body,
            change_example, changes=True,
        )  # fmt: skip
    how = "Archive a workitem, or purge an archived one." if view == "Workitems" else f"Delete a {thing}."
    purge = ("purge",) if view == "Workitems" else ()
    return Operation(_name(start, "delete", noun), how, None, 204, parameters=purge, changes=True)


def of_command(action: Action) -> Operation:
    """Return the operation that does one command."""
    shape = bodies.COMMANDS[action]
    return Operation(
        f"{action.value}Workitem",
        f"{action.label}.",
        None if action is Action.PURGE else shapes.WorkitemWire,
        204 if action is Action.PURGE else 200,
        shape,
        COMMAND_EXAMPLES.get(action),
        dry_run=True,
        changes=True,
    )


def of_transfer(verb: str) -> Operation:
    """Return the operation that does one thing to a transfer."""
    return Operation(f"{verb}Transfer", TRANSFER_COMMANDS[verb], shapes.TransferWire, body=strict.Body)


def _name(start: str, verb: str, noun: str) -> str:
    return f"{start}{verb.title()}{noun}" if start else f"{verb}{noun}"
