"""All addresses of the product."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.generic import RedirectView

from workitems.api.sign_in import LimitedForm

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="open-work"), name="home"),
    path("login/", LoginView.as_view(redirect_authenticated_user=True, authentication_form=LimitedForm), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("", include("workitems.watch.urls")),
    path("", include("workitems.pages.urls")),
    path("", include("workitems.api.account_urls")),
    path("", include("workitems.api.oauth_urls")),
    path("", include("workitems.api.urls")),
]

handler400 = "workitems.api.errors.bad_request"
handler500 = "workitems.api.errors.server_error"
