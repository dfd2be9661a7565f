"""The REST door as an application: it keeps rows of its own."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    """Clients and tokens."""

    name = "workitems.api"
    label = "api"
    verbose_name = _("API")
