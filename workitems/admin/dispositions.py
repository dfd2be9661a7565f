"""Dispositions in the back office."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import ProtectedError, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from workitems import directory
from workitems.actors import Actor
from workitems.admin.guarded import GuardedAdmin, SeenForm
from workitems.choices import Scope, Type
from workitems.models import Disposition

IN_USE = {True: ("wi-done", "check_circle", gettext_lazy("Active")), False: ("", "block", gettext_lazy("Inactive"))}


class DispositionForm(SeenForm):
    """A word for how interactions come out, and for which of them it is meant."""

    types = forms.MultipleChoiceField(
        choices=Type.choices,
        required=False,
        label=gettext_lazy("For these types"),
        help_text=gettext_lazy("None ticked means all of them."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = Disposition
        fields = "__all__"


@admin.register(Disposition)
class DispositionAdmin(GuardedAdmin):
    """The words in which interactions come out."""

    kind = "disposition"
    form = DispositionForm
    list_display = ["name", "disposition_id", "is_resolved", "in_words", "state_word"]
    list_filter = ["is_resolved", "is_active"]
    search_fields = ["disposition_id", "name"]

    class Media:
        css = {"all": ["queues.css"]}

    def visible_rows(self, actor: Actor) -> QuerySet[Disposition]:
        """Show them to everybody who can have a workitem to disposition."""
        return directory.visible_dispositions(actor)

    def can_add(self, actor: Actor) -> bool:
        """Let those make dispositions who may do everything."""
        return Scope.ADMIN in actor.everywhere

    def can_change(self, actor: Actor, row: Disposition | None) -> bool:
        """Let the same people change them."""
        return Scope.ADMIN in actor.everywhere

    def can_delete(self, actor: Actor, row: Disposition | None) -> bool:
        """Let the same people delete them."""
        return Scope.ADMIN in actor.everywhere

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the id of an existing disposition: integrations know it."""
        return ["disposition_id"] if obj else []

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Delete what was never used; what was is deactivated instead."""
        row = self.seen(request, object_id)
        if self.has_delete_permission(request, row) and directory.is_used(row):
            return self._deactivate_instead(request, row)
        try:
            answer: HttpResponse = super().delete_view(request, object_id, extra_context)
        except ProtectedError:  # used just now
            return self._deactivate_instead(request, row)
        return answer

    def _deactivate_instead(self, request: HttpRequest, row: Disposition) -> HttpResponse:
        text = _("“%s” has been used, so history needs it. Take the tick from “active” instead.") % row.name
        messages.error(request, text)
        return HttpResponseRedirect(reverse("admin:workitems_disposition_change", args=[row.pk]))

    @admin.display(description=gettext_lazy("for these types"))
    def in_words(self, row: Disposition) -> str:
        """Name the types in words."""
        return ", ".join(str(Type(one).label) for one in row.types if one in Type.values) or _("All types")

    @admin.display(description=gettext_lazy("state"), ordering="is_active")
    def state_word(self, row: Disposition) -> SafeString:
        """Say in a word with an icon whether it can be chosen."""
        style, icon, word = IN_USE[row.is_active]
        return render_to_string("admin/workitems/agent_word.html", {"style": style, "icon": icon, "word": word})
