"""Where the cells of the back office's list lead, and how they look."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.contrib.admin.sites import AdminSite
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from contacts.models import Contact
from queues.models import Queue
from workitems.choices import Scope
from workitems.models import Presence, Workitem
from workitems.presenting.cells import Addresses
from workitems.staff import actor_of

STYLES = {
    "long": "wi-long",
    "name": "wi-name",
    "state": "wi-badge wi-is-*",
    "priority": "wi-priority-*",
    "sla": "wi-sla wi-sla-*",
}


class BackOffice(Addresses):
    """The pages of the back office that this person may open."""

    def __init__(self, request: HttpRequest, site: AdminSite) -> None:
        self.request, self.site = request, site

    def workitem(self, row: Workitem) -> str:
        """Lead to its page."""
        return reverse("admin:workitems_workitem_change", args=[row.pk])

    def queue(self, queue: Queue) -> str:
        """Lead to its page, whoever sees its work."""
        if not self._sees_queues or not actor_of(self.request).can_in(Scope.READ, queue):
            return ""
        return reverse("admin:queues_queue_change", args=[queue.pk])

    def contact(self, contact: Contact) -> str:
        """Lead to its page."""
        return reverse("admin:contacts_contact_change", args=[contact.pk]) if self._sees_contacts else ""

    def agent(self, agent: User) -> str:
        """Lead to the account, or to where presence is told."""
        if self._sees_people:
            return reverse("admin:auth_user_change", args=[agent.pk])
        if self._sees_presences:
            return reverse("admin:workitems_presence_changelist") + "?" + urlencode({"q": agent.get_username()})
        return ""

    @cached_property
    def _sees_queues(self) -> bool:
        return self._opens(Queue)

    @cached_property
    def _sees_contacts(self) -> bool:
        return self._opens(Contact)

    @cached_property
    def _sees_people(self) -> bool:
        return self._opens(User)

    @cached_property
    def _sees_presences(self) -> bool:
        return self._opens(Presence)

    def _opens(self, model: Any) -> bool:
        if not self.site.is_registered(model):
            return False
        return bool(self.site.get_model_admin(model).has_view_permission(self.request))
