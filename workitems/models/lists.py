"""How people look at lists: views under a name, and columns and page size of one's own."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from ulid import ULID


def new_view_id() -> str:
    """Make a public id that sorts by time."""
    return f"sv_{str(ULID()).lower()}"


class SavedView(models.Model):
    """A way of looking at the workitems: filters, search, order and columns, for oneself or for a group too.

    `query` is the part of the list's address after the question mark, without the page; no columns: one's own.
    """

    view_id = models.CharField(_("view id"), max_length=64, unique=True, default=new_view_id, editable=False)
    name = models.CharField(_("name"), max_length=60)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views", verbose_name=_("owner")
    )
    shared_with = models.ForeignKey(
        Group,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="saved_views",
        verbose_name=_("shared with"),
    )
    query = models.TextField(_("search"), blank=True)
    columns = models.JSONField(_("columns"), default=list, blank=True)
    created_at = models.DateTimeField(_("created"))
    modified_at = models.DateTimeField(_("modified"))

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="saved_view_once_per_owner"),
        ]

    def __str__(self) -> str:
        return self.name


class ListLayout(models.Model):
    """The columns, in their order, and the page size that somebody has chosen for one list."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    list_name = models.CharField(_("list"), max_length=60)
    columns = models.JSONField(_("columns"), default=list, blank=True)
    page_size = models.PositiveSmallIntegerField(_("rows a page"), default=25)

    class Meta:
        verbose_name = _("list layout")
        verbose_name_plural = _("list layouts")
        constraints = [
            models.UniqueConstraint(fields=["user", "list_name"], name="list_layout_once"),
            models.CheckConstraint(condition=Q(page_size__range=(10, 100)), name="list_layout_page_size"),
        ]

    def __str__(self) -> str:
        return self.list_name
