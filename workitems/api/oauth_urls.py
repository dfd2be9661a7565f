"""OAuth's end points, each with and without its last slash."""

from django.urls import re_path

from workitems.api import oauth

urlpatterns = [
    re_path(r"^oauth/token/?$", oauth.Token.as_view(), name="oauth-token"),
    re_path(r"^oauth/revoke/?$", oauth.Revoke.as_view(), name="oauth-revoke"),
    re_path(r"^oauth/introspect/?$", oauth.Introspect.as_view(), name="oauth-introspect"),
    re_path(r"^oauth/authorize/?$", oauth.Authorize.as_view(), name="oauth-authorize"),
]
