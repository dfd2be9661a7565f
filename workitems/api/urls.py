"""The vendor's paths, each with and without its last slash; what lies beside them is a 404 in JSON."""

from django.urls import re_path
from django.urls.resolvers import URLPattern

from workitems.api import errors, views

CALL = r"^users/api/calls/(?P<workitem_id>[^/]+)"


def vendor_path(pattern: str, view: type, name: str) -> URLPattern:
    """Return the route for a path, with and without its last slash."""
    return re_path(pattern + r"/?$", view.as_view(), name=name)  # type: ignore[attr-defined]


urlpatterns = [
    vendor_path(r"^provider/token-with-authorities", views.LogIn, "api-log-in"),
    vendor_path(r"^data/api/types/workitem", views.WorkitemList, "api-workitems"),
    vendor_path(r"^users/api/workitems", views.MyWorkitems, "api-mine"),
    vendor_path(r"^users/api/workitems/(?P<workitem_id>[^/]+)", views.OneWorkitem, "api-workitem"),
    vendor_path(CALL + r"/bridge", views.BridgeView, "api-bridge"),
    vendor_path(CALL + r"/hold", views.HoldView, "api-hold"),
    vendor_path(CALL + r"/hangup", views.HangUpView, "api-hang-up"),
    vendor_path(CALL + r"/usertransfer/(?P<user_id>[^/]+)", views.TransferToAgentView, "api-transfer-to-agent"),
    vendor_path(CALL + r"/queuetransfer/(?P<inbox_id>[^/]+)", views.TransferToQueueView, "api-transfer-to-queue"),
    vendor_path(r"^workflows/api/workitems/(?P<workitem_id>[^/]+)/acd", views.PriorityView, "api-priority"),
    *(re_path(rf"^{path[1:]}(?:/.*)?$", errors.not_found) for path in errors.PATHS),
]
