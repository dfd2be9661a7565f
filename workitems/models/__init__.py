"""What is kept about workitems, with the constraints that the database holds them to.

Facts and small changes of facts that go together; whether a change is allowed stands in lifecycle.py and commands/,
and only services.py saves.
"""

from workitems.models.events import AuditEntry, TimeEvent
from workitems.models.mail import OutgoingMail, new_mail_id
from workitems.models.transfer import Transfer, TransferItem, new_transfer_id
from workitems.models.workitem import Disposition, Workitem, new_workitem_id

__all__ = [
    "AuditEntry",
    "Disposition",
    "OutgoingMail",
    "TimeEvent",
    "Transfer",
    "TransferItem",
    "Workitem",
    "new_mail_id",
    "new_transfer_id",
    "new_workitem_id",
]
