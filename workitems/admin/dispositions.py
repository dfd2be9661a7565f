"""Dispositions in the back office."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from workitems.models import Disposition


@admin.register(Disposition)
class DispositionAdmin(ModelAdmin):
    """The words in which interactions come out."""

    list_display = ["name", "disposition_id", "is_resolved", "is_active"]
    list_filter = ["is_resolved", "is_active"]
    search_fields = ["disposition_id", "name"]
    actions = None

    def save_model(self, request: HttpRequest, obj: Disposition, form: Any, change: bool) -> None:
        """Move the version on: programs ask by it whether they know the latest."""
        disposition: Disposition = obj
        disposition.version += change
        super().save_model(request, disposition, form, change)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the id of an existing disposition: integrations know it."""
        return ["disposition_id"] if obj else []
