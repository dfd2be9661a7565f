"""The verbs: one small class each, with its own rules, its change, and what its event says.

A command is a value. It neither locks nor saves nor asks for scopes on the workitem: services.py does that for all of
them alike. Rules that need none of a command's parameters stand in lifecycle.py.
"""

from workitems.commands.answering import SendEmailResponse, TellOfMail, our_address, reply_subject, their_address
from workitems.commands.base import Command, Details
from workitems.commands.cleaning import (
    DisposeStale,
    Exempt,
    ReopenUntouched,
    RequeueStale,
    Stale,
    TerminateStale,
    WarnStale,
)
from workitems.commands.correcting import AddNote, Edit, SetPriority
from workitems.commands.creating import Create
from workitems.commands.ending import HangUp, Reopen, SetDisposition
from workitems.commands.following import ErasePerson, FollowContact
from workitems.commands.handling import Accept, ExpireOffer, HandBack, Offer, Pull, Reject, ReturnToQueue
from workitems.commands.keeping import Archive, Purge, Unarchive
from workitems.commands.moving import TransferOptions, TransferToAgent, TransferToQueue, UndoTransfer
from workitems.commands.talking import (
    Bridge,
    Conference,
    Dtmf,
    Hold,
    LeaveConference,
    Mute,
    Unhold,
    Unmute,
)
from workitems.commands.values import (
    EDITABLE,
    INTERNAL_ID,
    address_on,
    check_field,
    check_object,
    check_priority,
    check_workitem_id,
)

__all__ = [
    "EDITABLE",
    "INTERNAL_ID",
    "Accept",
    "AddNote",
    "Archive",
    "Bridge",
    "Command",
    "Conference",
    "Create",
    "Details",
    "DisposeStale",
    "Dtmf",
    "Edit",
    "ErasePerson",
    "Exempt",
    "ExpireOffer",
    "FollowContact",
    "HandBack",
    "HangUp",
    "Hold",
    "LeaveConference",
    "Mute",
    "Offer",
    "Pull",
    "Purge",
    "Reject",
    "Reopen",
    "ReopenUntouched",
    "RequeueStale",
    "ReturnToQueue",
    "SendEmailResponse",
    "SetDisposition",
    "SetPriority",
    "Stale",
    "TellOfMail",
    "TerminateStale",
    "TransferOptions",
    "TransferToAgent",
    "TransferToQueue",
    "Unarchive",
    "UndoTransfer",
    "Unhold",
    "Unmute",
    "WarnStale",
    "address_on",
    "check_field",
    "check_object",
    "check_priority",
    "check_workitem_id",
    "our_address",
    "reply_subject",
    "their_address",
]
