"""Queues in the back office."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from queues.models import Queue, QueueChannel


class QueueChannelInline(TabularInline):
    """The channels a queue takes, each with its service level."""

    model = QueueChannel
    extra = 0


@admin.register(Queue)
class QueueAdmin(ModelAdmin):
    """Who works in a queue, what it takes and how long is too long."""

    list_display = ["name", "queue_id", "is_open", "offers_automatically", "priority", "takes_channels"]
    list_filter = ["is_open", "offers_automatically", "channel_rows__channel"]
    search_fields = ["queue_id", "name", "description"]
    filter_horizontal = ["members", "supervisors"]
    inlines = [QueueChannelInline]
    actions = None
    list_per_page = 25
    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Move the version on: programs ask by it whether they know the latest."""
        queue: Queue = obj
        queue.version += change
        super().save_model(request, queue, form, change)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Load the channels along with the page."""
        return Queue.objects.with_channels()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the id of an existing queue: integrations know it."""
        return ["queue_id"] if obj else []

    @admin.display(description=_("channels"))
    def takes_channels(self, queue: Queue) -> str:
        """Name the channels in words."""
        return ", ".join(str(row) for row in queue.channel_rows.all())
