"""All addresses of the product."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="board"), name="home"),
    path("admin/", admin.site.urls),
    path("", include("workitems.watch.urls")),
    path("", include("workitems.pages.urls")),
    path("", include("workitems.api.accounts_urls")),
    path("", include("workitems.api.account_urls")),
    path("", include("workitems.api.oauth_urls")),
    path("", include("workitems.api.urls")),
]

handler400 = "workitems.api.errors.bad_request"
handler500 = "workitems.api.errors.server_error"
