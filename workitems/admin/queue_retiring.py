"""The page on which a queue is taken out of use, and taken into use again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin as PlainAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from queues.models import Queue
from workitems import retiring, tasks
from workitems.admin.queue_load import items_address
from workitems.choices import OPEN, Scope
from workitems.errors import QueueHasWork
from workitems.presenting.words import grouped
from workitems.staff import actor_of


class RetirePages:
    """Retiring a queue, with its consequences and what stands against it."""

    admin_site: Any
    opts: Any

    def retire_urls(self) -> list[Any]:
        """Return the address of the page."""
        view = self.admin_site.admin_view(self.retire_view)
        return [path("<path:object_id>/retire/", view, name="queues_queue_retire")]

    def retire_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what retiring means, or do it."""
        queue: Queue = self.seen(request, object_id)  # type: ignore[attr-defined]
        if not actor_of(request).can_in(Scope.ADMIN, queue):
            raise PermissionDenied
        if request.method == "POST":
            try:
                return self._retire(request, queue)
            except QueueHasWork as refusal:
                messages.error(request, refusal.message)
        count = retiring.work_in(queue)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Bring %s back") % queue.name if queue.is_retired else _("Retire %s") % queue.name,
            "opts": self.opts,
            "original": queue,
            "queue": queue,
            "count": count,
            "count_text": f"{grouped(retiring.MOST_COUNTED)}+" if count > retiring.MOST_COUNTED else grouped(count),
            "items": items_address(queue=queue.queue_id, state=[one.value for one in OPEN]),
        }
        return TemplateResponse(request, "admin/workitems/queue_retire.html", context)

    def _retire(self, request: HttpRequest, queue: Queue) -> HttpResponse:
        actor, now = actor_of(request), timezone.now()
        with transaction.atomic():
            if "bring_back" in request.POST:
                retiring.bring_back(queue, actor=actor, now=now)
                text = _("%s is in use again. It is closed until you or its hours open it.") % queue.name
            else:
                retiring.retire(queue, actor=actor, now=now)
                text = _("%s is retired. Its history and its members stay.") % queue.name
            PlainAdmin.log_change(self, request, queue, text)  # type: ignore[arg-type]
        tasks.queues_changed()
        messages.success(request, text)
        return HttpResponseRedirect(reverse("admin:queues_queue_change", args=[queue.pk]))
