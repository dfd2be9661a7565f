"""The queues application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QueuesConfig(AppConfig):
    """Where work waits, and who works there."""

    name = "queues"
    verbose_name = _("Queues")
