"""Workitems in the back office: find any interaction, see its whole story, correct what may be corrected."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet

from workitems.actors import Actor
from workitems.admin.guarded import GuardedAdmin
from workitems.admin.item_add import WorkitemAdd
from workitems.admin.workitem_actions import WorkitemActions
from workitems.admin.workitem_list import WorkitemList
from workitems.admin.workitem_page import WorkitemPage
from workitems.choices import Scope
from workitems.models import Workitem


@admin.register(Workitem)
class WorkitemAdmin(WorkitemList, WorkitemActions, WorkitemPage, WorkitemAdd, GuardedAdmin):
    """The list, its actions, the page and the form for new ones, for those who may see some workitem."""

    kind = "workitem"

    def visible_rows(self, actor: Actor) -> QuerySet[Workitem]:
        """Show what the person may see."""
        return Workitem.objects.visible_to(actor)

    def can_change(self, actor: Actor, row: Workitem | None) -> bool:
        """Let those change a workitem who may write it."""
        return actor.can_anywhere(Scope.WRITE) if row is None else actor.can(Scope.WRITE, row)

    def view_on_site(self, obj: Workitem) -> str:
        """Lead to the supervisor's page of what is shown here anyway."""
        return obj.get_absolute_url()
