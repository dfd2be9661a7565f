"""Pages of our own for contacts: who may be the same, a merge with its preview, blocking, and erasing a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from contacts.models import Contact
from workitems import contact_book, tasks
from workitems.actors import Actor
from workitems.admin.contact_list import items_text
from workitems.admin.contact_panels import line_of, words_of
from workitems.admin.guarded import GuardedAdmin, shown
from workitems.choices import Scope
from workitems.contact_book import Choice
from workitems.errors import StaleVersion, WorkitemError
from workitems.presenting.words import grouped, is_key
from workitems.staff import actor_of

MOST_FOUND = 10
WORD = gettext_lazy("erase")
CHOICE = "choice-"


@dataclass
class Row:
    """One fact of two contacts, side by side."""

    name: str
    label: str
    kept: str
    gone: str
    chosen: str
    is_conflict: bool
    choices: list[tuple[str, str]]


class ContactPages(GuardedAdmin):
    """The pages and what they do; the contact book decides."""

    def get_urls(self) -> list[Any]:
        """Add the pages."""
        pages: list[tuple[str, str, Any]] = [
            ("duplicates/", "duplicates", require_GET(self.duplicates_view)),
            ("<path:object_id>/merge/", "merge", require_http_methods(["GET", "POST"])(self.merge_view)),
            ("<path:object_id>/block/", "block", require_POST(self.block_view)),
            ("<path:object_id>/erase/", "erase", require_http_methods(["GET", "POST"])(self.erase_view)),
        ]
        own = [
            path(route, self.admin_site.admin_view(view), name=f"contacts_contact_{name}")
            for route, name, view in pages
        ]
        return [*own, *super().get_urls()]

    def duplicates_view(self, request: HttpRequest) -> HttpResponse:
        """Show who shares a number, an address or a name, a part of the book at a time."""
        actor = actor_of(request)
        if Scope.READ not in actor.everywhere:
            raise PermissionDenied
        after = request.GET.get("after", "0")
        found = contact_book.find_groups(int(after) if is_key(after) else 0)
        groups = [(group, words_of(group.shared)) for group in found.groups]
        return self.page(
            request, "contact_duplicates.html", _("Possible duplicates"), found=found, groups=groups,
            is_start=after in ("", "0"), may_merge=self.can_change(actor, None),
        )  # fmt: skip

    def merge_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask with whom, show both side by side, and merge."""
        contact = self._changeable(request, object_id)
        other_pk = (request.POST if request.method == "POST" else request.GET).get("other", "")
        if not other_pk:
            return self._ask_with_whom(request, contact)
        other = self._other(request, other_pk)
        if request.method == "POST":
            try:
                return self._merge(request, contact, other)
            except StaleVersion:
                return self._preview(
                    request, contact, other, _("One of them has changed meanwhile. Look at both once more.")
                )
            except WorkitemError as refusal:
                messages.error(request, _("Nothing was merged: %s") % refusal.message)
                return self._back_to(contact)
        return self._preview(request, contact, other)

    def block_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Block the contact or let it through again."""
        contact = self._changeable(request, object_id)
        blocked = request.POST.get("blocked") == "1"
        try:
            contact_book.set_blocked(contact.contact_id, blocked, actor=actor_of(request), now=timezone.now())
        except WorkitemError as refusal:
            messages.error(request, refusal.message)
            return self._back_to(contact)
        self.log_change(request, contact, [{"changed": {"fields": [_("blocked")]}}])
        text = _("%s is blocked now.") if blocked else _("%s is not blocked any more.")
        messages.success(request, text % contact)
        return self._back_to(contact)

    def erase_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask first, with what goes and what stays, and erase the person behind a contact."""
        contact = self.seen(request, object_id)
        actor = actor_of(request)
        if Scope.ADMIN not in actor.everywhere:
            raise PermissionDenied
        goes_on = contact_book.erasure_left(contact)
        if contact.erased_at is not None and not goes_on:
            return self._back_to(contact)
        problem = ""
        if request.method == "POST":
            if goes_on or request.POST.get("word", "").strip().casefold() == str(WORD).casefold():
                return self._erase(request, contact, actor)
            problem = _("Type the word “%s” to go on.") % WORD
        count = contact_book.waiting_items(contact)[: contact_book.MOST_COUNTED + 1].count()
        return self.page(
            request, "contact_erase.html", _("Erase the personal data of %s") % contact, contact=contact,
            items=items_text(count, contact_book.MOST_COUNTED), problem=problem, word=WORD, goes_on=goes_on,
        )  # fmt: skip

    def page(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        """Return a page of our own."""
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "media": self.media}
        return TemplateResponse(request, f"admin/workitems/{template}", {**shared, **context})

    def _changeable(self, request: HttpRequest, object_id: str) -> Contact:
        contact: Contact = self.seen(request, object_id)
        if not self.has_change_permission(request, contact):
            raise PermissionDenied
        return contact

    def _other(self, request: HttpRequest, pk: str) -> Contact:
        found = self.get_queryset(request).filter(pk=pk).first() if is_key(pk) else None
        if found is None:
            raise Http404
        other: Contact = found
        return other

    def _back_to(self, contact: Contact) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:contacts_contact_change", args=[contact.pk]))

    def _ask_with_whom(self, request: HttpRequest, contact: Contact) -> HttpResponse:
        text = request.GET.get("q", "").strip()
        found: list[Contact] = []
        if text:
            rows, _twice = self.get_search_results(request, self.get_queryset(request), text)
            found = list(rows.filter(erased_at=None).exclude(pk=contact.pk)[:MOST_FOUND])
        suggested = [one.contact for one in contact_book.duplicates_of(contact, actor_of(request))] if not text else []
        return self.page(
            request, "contact_merge_with.html", _("Merge %s with…") % contact, contact=contact, text=text,
            found=found, suggested=suggested,
        )  # fmt: skip

    def _preview(self, request: HttpRequest, kept: Contact, gone: Contact, problem: str = "") -> HttpResponse:
        try:
            preview = contact_book.preview(kept.contact_id, gone.contact_id, actor=actor_of(request))
        except WorkitemError as refusal:
            messages.error(request, refusal.message)
            return self._back_to(kept)
        rows = [self._row(one, request) for one in preview.differences]
        return self.page(
            request,
            "contact_merge.html",
            _("Merge two contacts"),
            kept=preview.kept,
            gone=preview.gone,
            sides=[line_of(preview.kept), line_of(preview.gone)],
            rows=rows,
            conflicts=sum(row.is_conflict for row in rows),
            parts=self._parts(preview),
            items=preview.items,
            items_text=items_text(preview.items, contact_book.MOST_COUNTED),
            in_a_run=preview.items > contact_book.AT_ONCE,
            at_once=contact_book.AT_ONCE,
            problem=problem,
        )

    def _row(self, one: contact_book.Difference, request: HttpRequest) -> Row:
        labels = {Choice.KEPT: _("Keep this"), Choice.GONE: _("Take this"), Choice.BOTH: _("Both, one below the other")}
        chosen = request.POST.get(CHOICE + one.name, one.choice)
        return Row(
            name=CHOICE + one.name,
            label=_("Id in the source system") if one.name == "external_id" else self.label_of(one.name),
            kept=shown(one.kept),
            gone=shown(one.gone),
            chosen=chosen,
            is_conflict=one.is_conflict,
            choices=[(choice.value, labels[choice]) for choice in one.choices],
        )

    def _parts(self, preview: contact_book.Preview) -> list[tuple[str, list[tuple[str, bool]]]]:
        """Return all numbers and addresses that the kept one will have, each with whether it is new to it."""
        kept, gone = contact_book.parts_of(preview.kept), contact_book.parts_of(preview.gone)
        lines = []
        for name, label in (("phones", _("Phones")), ("emails", _("E-mail addresses"))):
            own = [part["value"] for part in kept[name]]
            new = [part["value"] for part in gone[name] if part["value"] not in own]
            lines.append((label, [*((one, False) for one in own), *((one, True) for one in new)]))
        return lines

    def _merge(self, request: HttpRequest, kept: Contact, gone: Contact) -> HttpResponse:
        choices = {
            name.removeprefix(CHOICE): str(value) for name, value in request.POST.items() if name.startswith(CHOICE)
        }
        merge = contact_book.merge(
            kept.contact_id, gone.contact_id, choices, actor=actor_of(request), now=timezone.now(),
            seen=(_version(request, "kept_version"), _version(request, "gone_version")),
        )  # fmt: skip
        if merge.run is not None:
            tasks.wake_bulk(merge.run)
        self.log_change(request, merge.kept, _("Merged with %s.") % gone)
        moved = len(merge.facts.get("items", ()))
        text = _("%(gone)s went up in %(kept)s.") % {"gone": gone, "kept": merge.kept}
        if merge.run is not None:
            text += " " + _("Its workitems follow in the background; see below.")
        elif moved:
            text += " " + ngettext("%d workitem moved.", "%d workitems moved.", moved) % moved
        messages.success(request, text)
        return self._back_to(merge.kept)

    def _erase(self, request: HttpRequest, contact: Contact, actor: Actor) -> HttpResponse:
        try:
            erasure = contact_book.erase(contact.contact_id, actor=actor, now=timezone.now())
        except WorkitemError as refusal:
            messages.error(request, _("Nothing was erased: %s") % refusal.message)
            return self._back_to(contact)
        contact.refresh_from_db()
        self.log_change(request, contact, _("Personal data erased."))
        if erasure.is_complete:
            text = ngettext(
                "The person is erased. %s workitem was emptied.",
                "The person is erased. %s workitems were emptied.",
                erasure.items,
            )
            messages.success(request, text % grouped(erasure.items))
        else:
            messages.warning(request, _("There is more than is done at once. Go on with the erasure below."))
        return self._back_to(contact)


def _version(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0
