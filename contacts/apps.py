"""The contacts application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContactsConfig(AppConfig):
    """The people who call, write and chat."""

    name = "contacts"
    verbose_name = _("Contacts")
