"""The workitems application."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class WorkitemsConfig(AppConfig):
    """Interactions with customers, from the queue to their disposition."""

    name = "workitems"
    verbose_name = _("Workitems")

    def ready(self) -> None:
        """Keep the scope groups and the triggers right after every migrate."""
        from workitems.groups import sync_scope_groups
        from workitems.history import install_triggers, remove_triggers

        pre_migrate.connect(remove_triggers, sender=self)
        post_migrate.connect(sync_scope_groups, sender=self)
        post_migrate.connect(install_triggers, sender=self)
