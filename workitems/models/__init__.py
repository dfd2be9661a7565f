"""What is kept about workitems, with the constraints that the database holds them to.

Facts and small changes of facts that go together; whether a change is allowed stands in lifecycle.py and commands/,
and only services.py saves.
"""

from workitems.models.beat import BeatSlot
from workitems.models.bulk import BulkChunk, BulkItem, BulkRun, new_bulk_id
from workitems.models.desk import REFRESH_SECONDS, DeskSettings, Onlooker
from workitems.models.events import AuditEntry, TimeEvent
from workitems.models.export import Export, ExportPart, new_export_id
from workitems.models.lists import ListLayout, SavedView, new_view_id
from workitems.models.mail import OutgoingMail, new_mail_id
from workitems.models.merge import ContactMerge, new_merge_id
from workitems.models.policy import PolicyRun, PolicyRunChunk, PolicyRunItem, StalePolicy, new_run_id
from workitems.models.presence import USUAL_CAPACITY, Presence, usual_capacity
from workitems.models.runs import DRIVEN, FINISHED, MOST_ATTEMPTS, Run, RunChunk, RunItem
from workitems.models.stay import Stay
from workitems.models.transfer import Transfer, TransferChunk, TransferItem, new_transfer_id
from workitems.models.workitem import Disposition, Workitem, new_workitem_id

__all__ = [
    "DRIVEN",
    "FINISHED",
    "MOST_ATTEMPTS",
    "REFRESH_SECONDS",
    "USUAL_CAPACITY",
    "AuditEntry",
    "BeatSlot",
    "BulkChunk",
    "BulkItem",
    "BulkRun",
    "ContactMerge",
    "DeskSettings",
    "Disposition",
    "Export",
    "ExportPart",
    "ListLayout",
    "Onlooker",
    "OutgoingMail",
    "PolicyRun",
    "PolicyRunChunk",
    "PolicyRunItem",
    "Presence",
    "Run",
    "RunChunk",
    "RunItem",
    "SavedView",
    "StalePolicy",
    "Stay",
    "TimeEvent",
    "Transfer",
    "TransferChunk",
    "TransferItem",
    "Workitem",
    "new_bulk_id",
    "new_export_id",
    "new_mail_id",
    "new_merge_id",
    "new_run_id",
    "new_transfer_id",
    "new_view_id",
    "new_workitem_id",
    "usual_capacity",
]
