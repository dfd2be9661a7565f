"""Merges of contacts: the list of them, bringing over what is left behind, and taking one back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from contacts.models import Contact
from workitems import contact_book, tasks
from workitems.actors import Actor
from workitems.admin.base import CappedPaginator
from workitems.admin.contact_list import mark
from workitems.admin.guarded import GuardedAdmin
from workitems.choices import Scope
from workitems.errors import WorkitemError
from workitems.models import ContactMerge
from workitems.staff import actor_of


@admin.register(ContactMerge)
class ContactMergeAdmin(GuardedAdmin):
    """Who went up in whom, when and by whom; made and undone on the contacts' own pages."""

    kind = "merge"
    list_display = ["made", "gone_name", "kept_name", "made_by", "state_word"]
    list_select_related = ["kept", "gone", "made_by", "undone_by"]
    list_display_links = None
    search_fields = ["merge_id__exact", "kept__contact_id__exact", "gone__contact_id__exact"]
    search_help_text = gettext_lazy("The id of a merge, or of one of its contacts.")
    ordering = ["-pk"]
    paginator = CappedPaginator

    class Media:
        css = {"all": ["contacts.css"]}

    def visible_rows(self, actor: Actor) -> QuerySet[ContactMerge]:
        """Show them to those who see all contacts."""
        rows: QuerySet[ContactMerge] = ContactMerge.objects.all()
        return rows if Scope.READ in actor.everywhere else rows.none()

    def can_open(self, actor: Actor) -> bool:
        """Open to those who see all contacts."""
        return Scope.READ in actor.everywhere

    def get_urls(self) -> list[Any]:
        """Add what is done to one."""
        own = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(require_POST(view)),
                name=f"workitems_contactmerge_{name}",
            )
            for name, view in (("undo", self.undo_view), ("follow", self.follow_view))
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the contact that is left: its page shows the merge."""
        return self._back_to(self.seen(request, object_id).kept.survivor)

    def undo_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take the merge back and say what could not be restored."""
        merge = self._changeable(request, object_id)
        try:
            undone = contact_book.undo(merge.merge_id, actor=actor_of(request), now=timezone.now())
        except WorkitemError as refusal:
            messages.error(request, _("Nothing was undone: %s") % refusal.message)
            return self._back_to(merge.kept)
        if undone.merge.undo_run is not None:
            tasks.wake_bulk(undone.merge.undo_run)
        self.log_change(request, merge, _("Undone."))
        for text in self._told(undone):
            messages.warning(request, text)
        kept, gone = undone.merge.kept, undone.merge.gone
        text = _("%(gone)s and %(kept)s are two contacts again.") % {"gone": gone, "kept": kept}
        if undone.items:
            back = ngettext(
                "%(n)d workitem goes back to %(gone)s.", "%(n)d workitems go back to %(gone)s.", undone.items
            )
            text += " " + back % {"n": undone.items, "gone": gone}
        messages.success(request, text)
        return self._back_to(kept)

    def follow_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Bring over what stands with the merged contact still."""
        merge = self._changeable(request, object_id)
        try:
            contact_book.bring_over(merge.merge_id, actor=actor_of(request), now=timezone.now())
        except WorkitemError as refusal:
            messages.error(request, refusal.message)
            return self._back_to(merge.kept)
        merge.refresh_from_db()
        if merge.run is not None and not merge.run.is_finished:
            tasks.wake_bulk(merge.run)
        messages.success(request, _("What was left behind follows."))
        return self._back_to(merge.kept)

    @admin.display(description=gettext_lazy("when"), ordering="pk")
    def made(self, merge: ContactMerge) -> SafeString:
        """Say when."""
        return render_to_string("workitems/time.html", {"moment": merge.made_at})

    def export_made(self, merge: ContactMerge) -> datetime:
        """Return the moment itself for a file."""
        return merge.made_at

    @admin.display(description=gettext_lazy("merged"))
    def gone_name(self, merge: ContactMerge) -> str:
        """Name who went up."""
        return f"{merge.gone.display_name} ({merge.gone.contact_id})"

    @admin.display(description=gettext_lazy("into"))
    def kept_name(self, merge: ContactMerge) -> SafeString:
        """Name who is left, and lead there."""
        address = reverse("admin:workitems_contactmerge_change", args=[merge.pk])
        link = '<a class="wi-text-link" href="{}">{}</a> ({})'
        return format_html(link, address, merge.kept.display_name, merge.kept.contact_id)

    @admin.display(description=gettext_lazy("state"))
    def state_word(self, merge: ContactMerge) -> SafeString:
        """Say whether it was undone."""
        if merge.undone_at is not None:
            return mark("undo", _("Undone by %s") % merge.undone_by, "wi-paused")
        return mark("merge", _("Merged"), "wi-done")

    def _changeable(self, request: HttpRequest, object_id: str) -> ContactMerge:
        merge: ContactMerge = self.seen(request, object_id)
        if Scope.WRITE not in actor_of(request).everywhere:
            raise PermissionDenied
        return merge

    def _back_to(self, contact: Contact) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:contacts_contact_change", args=[contact.pk]))

    def _told(self, undone: contact_book.Undone) -> list[str]:
        """Return in sentences what could not be restored."""
        told = []
        if undone.kept_as_is:
            contacts = self.admin_site.get_model_admin(Contact)
            names = ", ".join(contacts.label_of(name) for name in undone.kept_as_is)
            told.append(_("Changed since the merge, and left as it is: %s.") % names)
        if undone.not_given_back:
            values = ", ".join(undone.not_given_back)
            told.append(_("Taken away since the merge, and not given back: %s.") % values)
        if undone.items_left:
            told.append(
                ngettext(
                    "%d workitem is with another contact by now and stays there.",
                    "%d workitems are with another contact by now and stay there.",
                    undone.items_left,
                )
                % undone.items_left
            )
        return told
