"""What is kept about workitems, with the constraints that the database holds them to.

Facts and small changes of facts that go together; whether a change is allowed stands in lifecycle.py and commands/,
and only services.py saves.
"""

from workitems.models.events import AuditEntry, TimeEvent
from workitems.models.transfer import Transfer, TransferItem, new_transfer_id
from workitems.models.workitem import Disposition, Workitem, new_workitem_id

__all__ = [
    "AuditEntry",
    "Disposition",
    "TimeEvent",
    "Transfer",
    "TransferItem",
    "Workitem",
    "new_transfer_id",
    "new_workitem_id",
]
