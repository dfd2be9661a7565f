"""The vendor's paths and our own; each answers with and without its last slash (see middleware.py).

What lies beside them is a 404 in JSON.
"""

from __future__ import annotations

from typing import Any

from django.urls import path, re_path
from django.urls.resolvers import URLPattern

from workitems.api import bodies, errors
from workitems.api.base import BY_CURSOR, BY_NUMBER
from workitems.api.log_in import LogIn, RenewToken
from workitems.api.views import commands, objects, presence, transfers, vendor
from workitems.api.views.document import Document, DocumentPage

CALL = "users/api/calls/<str:workitem_id>"
TYPES = "data/api/types"
V1 = "api/v1"
ALL: dict[str, Any] = {"get": "list", "post": "create"}
ONE = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}


def kept(place: str, viewset: Any, name: str, *, key: str, paging: str, is_kept: bool = True) -> list[URLPattern]:
    """Return the two routes of one kind of object; what is not kept here can only be read."""
    every, one = (ALL, ONE) if is_kept else ({"get": "list"}, {"get": "retrieve"})
    return [
        path(place, viewset.as_view(every, paging=paging), name=f"{name}-list"),
        path(f"{place}/<str:{key}>", viewset.as_view(one, paging=paging), name=f"{name}-one"),
    ]


vendor_patterns = [
    path("provider/token-with-authorities", LogIn.as_view(), name="vendor-log-in"),
    path("provider/api/token-refresh", RenewToken.as_view(), name="vendor-renew"),
    path("users/api/workitems", vendor.MyWorkitems.as_view(), name="vendor-mine"),
    path(
        "users/api/workitems/<str:workitem_id>", objects.Workitems.as_view({"get": "retrieve"}), name="vendor-workitem"
    ),
    path(
        "users/api/workitems/<str:workitem_id>/sendemailresponse", vendor.AnswerByEmail.as_view(), name="vendor-email"
    ),
    path(f"{CALL}/bridge", vendor.Bridge.as_view(), name="vendor-bridge"),
    path(f"{CALL}/hold", vendor.HoldAndResume.as_view(), name="vendor-hold"),
    path(f"{CALL}/hangup", vendor.HangUp.as_view(), name="vendor-hang-up"),
    path(f"{CALL}/mute", vendor.MuteAndUnmute.as_view(), name="vendor-mute"),
    path(f"{CALL}/dtmf/<str:digit>", vendor.Tones.as_view(), name="vendor-tones"),
    path(f"{CALL}/usertransfer/<str:user_id>", vendor.TransferToAnAgent.as_view(), name="vendor-to-agent"),
    path(f"{CALL}/queuetransfer/<str:inbox_id>", vendor.TransferToAQueue.as_view(), name="vendor-to-queue"),
    path("workflows/api/workitems/<str:workitem_id>/acd", vendor.Acd.as_view(), name="vendor-priority"),
    *kept(f"{TYPES}/workitem", objects.Workitems, "type-workitem", key="workitem_id", paging=BY_NUMBER),
    *kept(f"{TYPES}/contact", objects.Contacts, "type-contact", key="object_id", paging=BY_NUMBER),
    *kept(f"{TYPES}/queue", objects.Queues, "type-queue", key="object_id", paging=BY_NUMBER),
    *kept(f"{TYPES}/disposition", objects.Dispositions, "type-disposition", key="object_id", paging=BY_NUMBER),
]
v1_patterns = [
    *kept(f"{V1}/workitems", objects.Workitems, "v1-workitem", key="workitem_id", paging=BY_CURSOR),
    path(f"{V1}/workitems/<str:workitem_id>/actions", commands.Actions.as_view(), name="v1-actions"),
    path(f"{V1}/workitems/<str:workitem_id>/timeline", commands.Timeline.as_view(), name="v1-timeline"),
    *(
        path(
            f"{V1}/workitems/<str:workitem_id>/{action.value}",
            commands.CommandView.as_view(does=action),
            name=f"v1-{action.value}",
        )
        for action in bodies.COMMANDS
    ),
    path(f"{V1}/bulk", commands.Bulk.as_view(), name="v1-bulk"),
    *kept(f"{V1}/contacts", objects.Contacts, "v1-contact", key="object_id", paging=BY_CURSOR),
    *kept(f"{V1}/queues", objects.Queues, "v1-queue", key="object_id", paging=BY_CURSOR),
    *kept(f"{V1}/dispositions", objects.Dispositions, "v1-disposition", key="object_id", paging=BY_CURSOR),
    *kept(f"{V1}/agents", objects.Agents, "v1-agent", key="username", paging=BY_CURSOR, is_kept=False),
    path(f"{V1}/agents/<str:username>/presence", presence.SetPresence.as_view(), name="v1-agent-presence"),
    path(f"{V1}/agents/<str:username>/capacity", presence.SetCapacity.as_view(), name="v1-agent-capacity"),
    path(f"{V1}/agents/<str:username>/returnAll", presence.ReturnAll.as_view(), name="v1-agent-return-all"),
    path(f"{V1}/transfers", transfers.Transfers.as_view(ALL), name="v1-transfer-list"),
    path(f"{V1}/transfers/<str:transfer_id>", transfers.Transfers.as_view({"get": "retrieve"}), name="v1-transfer-one"),
    path(
        f"{V1}/transfers/<str:transfer_id>/items",
        transfers.TransferItems.as_view({"get": "list"}),
        name="v1-transfer-items",
    ),
    *(
        path(
            f"{V1}/transfers/<str:transfer_id>/{verb}",
            transfers.TransferCommand.as_view(does=verb),
            name=f"v1-transfer-{verb}",
        )
        for verb in transfers.COMMANDS
    ),
    path(f"{V1}/transfers/<str:transfer_id>/undo", transfers.UndoTransfer.as_view(), name="v1-transfer-undo"),
]
documented = [*vendor_patterns, *v1_patterns]
document_patterns = [
    path(f"{V1}/openapi.json", Document.as_view(), name="v1-document"),
    path(f"{V1}/docs", DocumentPage.as_view(), name="v1-docs"),
]
urlpatterns = [
    *document_patterns,
    *vendor_patterns,
    *v1_patterns,
    *(re_path(rf"^{place[1:]}(?:/[^\0]*)?$", errors.not_found) for place in errors.PATHS),
]
