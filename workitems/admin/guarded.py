"""What every list and form of the back office keeps to.

One sees, chooses, exports and counts only what `visible_rows` has, and anything else answers 404. Who may open, add,
change and delete is asked of the actor and never of Django's own permissions. Each change leaves an audit entry with
old and new beside Django's own line, and nobody overwrites what a colleague has changed while he was typing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.core import signing
from django.db import connection
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from workitems import audit
from workitems.actors import Actor
from workitems.admin.importing import Importing
from workitems.choices import Scope
from workitems.models import AuditEntry
from workitems.presenting.words import duration
from workitems.staff import actor_of

SEEN = "seen"
HISTORY_SHOWN = 100
Rows = QuerySet[Any]


class SeenForm(forms.ModelForm):
    """A form that knows what its person saw of the row, and tells him what somebody else has changed since.

    What he typed stays; fields that he did not touch take the colleague's value. Sent once more, it is saved.
    """

    model_admin: ClassVar[GuardedAdmin]
    actor: ClassVar[Actor]
    seen_token = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound:
            self.seen_token = self.data.get(SEEN, "")
        elif self.instance.pk:
            self.seen_token = self._token_of(self.model_admin.facts_of(self.instance))

    def clean(self) -> dict[str, Any]:
        """Refuse to overwrite what has changed since the page was loaded."""
        cleaned = super().clean() or {}
        if self.instance.pk is None:
            return cleaned
        stored = type(self.instance)._default_manager.select_for_update().get(pk=self.instance.pk)
        now = self.model_admin.facts_of(stored)
        try:
            seen = signing.loads(self.seen_token, salt=self._salt())
        except signing.BadSignature:
            self.add_error(None, _("This page was not complete. Look through it and save it again."))
            self.seen_token = self._token_of(now)
            return cleaned
        changed = audit.changes(seen["facts"], now)
        if changed:
            self._keep_what_others_typed(seen["facts"], cleaned, changed)
            self.add_error(None, self._told(changed, datetime.fromisoformat(seen["at"])))
            self.seen_token = self._token_of(now)
        return cleaned

    def _keep_what_others_typed(self, seen: audit.Facts, cleaned: dict[str, Any], changed: dict[str, Any]) -> None:
        data: QueryDict = self.data.copy()  # type: ignore[attr-defined]
        for name in changed:
            field = self.fields.get(name)
            if field is None or name not in cleaned or isinstance(field.widget, forms.MultiWidget):
                continue
            if audit.plain(cleaned[name]) == seen.get(name):
                value = field.prepare_value(self.get_initial_for_field(field, name))
                data[self.add_prefix(name)] = "" if value is None else value
        self.data = data

    def _told(self, changed: dict[str, Any], since: datetime) -> str:
        who = self.model_admin.changed_by(self.instance, since)
        changes = "; ".join(
            _("%(field)s: “%(old)s” → “%(new)s”")
            % {"field": self.model_admin.label_of(name), "old": shown(values["old"]), "new": shown(values["new"])}
            for name, values in changed.items()
        )
        facts = {"who": who or _("Somebody"), "changes": changes}
        return _("%(who)s has changed this while you were typing. %(changes)s. Your text is kept; save to put it "
                 "in place.") % facts  # fmt: skip

    def _token_of(self, facts: audit.Facts) -> str:
        seen = {"facts": facts, "at": timezone.now().isoformat()}
        return signing.dumps(seen, salt=self._salt(), compress=True)

    def _salt(self) -> str:
        return f"{self.instance._meta.label_lower}:{self.instance.pk}"


class GuardedAdmin(Importing):
    """Lists and forms of what the person may see."""

    form = SeenForm
    kind: ClassVar[str]  # in audit entries, as in "queue changed"
    neighbours: ClassVar[tuple[str, ...]] = ()  # many-to-many fields and inlines that belong to the row
    change_form_before_template = "admin/workitems/seen.html"
    actions: Any = None
    list_per_page = 25
    show_full_result_count = False

    def visible_rows(self, actor: Actor) -> Rows:
        """Return what this person may see; lists, pages, choices, exports and histories all begin here."""
        raise NotImplementedError

    def can_open(self, actor: Actor) -> bool:
        """Tell whether the list is open to this person at all."""
        return actor.can_anywhere(Scope.READ)

    def can_add(self, actor: Actor) -> bool:
        """Tell whether this person may make new ones."""
        return False

    def can_change(self, actor: Actor, row: Any) -> bool:
        """Tell whether this person may change this row, or any where none is named."""
        return False

    def can_delete(self, actor: Actor, row: Any) -> bool:
        """Tell whether this person may delete this row, or any where none is named."""
        return False

    def get_queryset(self, request: HttpRequest) -> Rows:
        """Show what the person may see."""
        rows = self.visible_rows(actor_of(request))
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show it in the menu to whom it is open."""
        return self.can_open(actor_of(request))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Open to the same people; which rows they see is the queryset's matter."""
        return self.can_open(actor_of(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Ask the actor."""
        return self.can_add(actor_of(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask the actor."""
        return self.can_change(actor_of(request), obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask the actor."""
        return self.can_delete(actor_of(request), obj)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the row; whoever changes it holds it until he is done, so that what is read here still stands then."""
        row = super().get_object(request, object_id, from_field)
        if row is None or request.method != "POST" or not connection.in_atomic_block:
            return row
        self.model._default_manager.select_for_update().filter(pk=row.pk).values_list("pk").first()
        return super().get_object(request, object_id, from_field)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Tell the form who is typing."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.model_admin, form.actor = self, actor_of(request)
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Keep what the row said before, and save it."""
        row = obj
        before = self.model._default_manager.filter(pk=row.pk).first() if change else None
        request.facts_before = self.facts_of(before) if before else {}  # type: ignore[attr-defined]
        super().save_model(request, row, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Move the version on, where anything has changed: programs ask by it whether they know the latest."""
        super().save_related(request, form, formsets, change)
        row = form.instance
        if change and hasattr(row, "version") and audit.changes(request.facts_before, self._facts_anew(row)):  # type: ignore[attr-defined]
            row.version += 1
            self.model._default_manager.filter(pk=row.pk).update(version=row.version)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write an audit entry beside Django's own line."""
        self.write_audit(request, "created", obj, changes=audit.changes({}, self._facts_anew(obj)))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write an audit entry with old and new beside Django's own line, neither where nothing was changed."""
        if hasattr(request, "facts_before"):  # saved by the form; what a button did has written its own entry
            changes = audit.changes(request.facts_before, self._facts_anew(obj))
            if not changes and not message:
                return None
            self.write_audit(request, "changed", obj, changes=changes)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Write an audit entry for each with what it said at last."""
        for row in queryset:
            self.write_audit(request, "deleted", row, changes=audit.changes(self.facts_of(row), {}))
        return super().log_deletions(request, queryset)

    def write_audit(self, request: HttpRequest, what: str, row: Any, **details: Any) -> None:
        """Write down that the person did this to this row."""
        subject, actor = audit.public_id(row), actor_of(request)
        audit.write(f"{self.kind} {what}", subject, actor=actor, now=timezone.now(), **details)

    def facts_of(self, row: Any) -> audit.Facts:
        """Return what the row and what belongs to it say now."""
        return audit.facts_of(row, self.neighbours)

    def changed_by(self, row: Any, since: datetime) -> str:
        """Return who has changed the row last since then, or ``""``."""
        entries = self.history_of(row).filter(at__gte=since)
        return entries.values_list("actor", flat=True).first() or ""

    def history_of(self, row: Any) -> QuerySet[AuditEntry]:
        """Return what was done to the row, the latest first."""
        return AuditEntry.objects.filter(subject=audit.public_id(row), what__startswith=f"{self.kind} ").order_by("-pk")

    def history_for(self, request: HttpRequest, row: Any) -> QuerySet[AuditEntry]:
        """Return what of it this person may see."""
        return self.history_of(row)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show who has changed what, from what to what, when and from where."""
        row = self.seen(request, object_id)
        entries = list(self.history_for(request, row)[: HISTORY_SHOWN + 1])
        lines = [(entry, self._lines(entry)) for entry in entries[:HISTORY_SHOWN]]
        context = {
            **self.admin_site.each_context(request),
            "title": _("History of %s") % row,
            "opts": self.opts,
            "original": row,
            "lines": lines,
            "more": len(entries) > HISTORY_SHOWN,
            "shows_addresses": Scope.ADMIN in actor_of(request).everywhere,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/workitems/audit_history.html", context)

    def seen(self, request: HttpRequest, object_id: str) -> Any:
        """Return the object of a page of our own; raise Http404 where the person may not see it."""
        row = self.get_object(request, object_id) if self.has_view_permission(request) else None
        if row is None:
            raise Http404
        return row

    def label_of(self, name: str) -> str:
        """Return a field's name in words."""
        field = next((one for one in self.model._meta.get_fields() if one.name == name), None)
        related = getattr(field, "related_model", None) if field is not None and field.auto_created else None
        words = related._meta.verbose_name_plural if related else getattr(field, "verbose_name", name)
        return str(words)[:1].upper() + str(words)[1:]

    def _lines(self, entry: AuditEntry) -> list[tuple[str, str, str]]:
        changes: dict[str, Any] = entry.details.get("changes", {})
        lines = [
            (self.label_of(name), shown(values.get("old")), shown(values.get("new")))
            for name, values in changes.items()
        ]
        others = {name: value for name, value in entry.details.items() if name != "changes"}
        return lines + [(name, "", shown(value)) for name, value in others.items()]

    def _facts_anew(self, row: Any) -> audit.Facts:
        return self.facts_of(self.model._default_manager.get(pk=row.pk))


class PartsOfTheRow:
    """Rules of an inline: its rows are seen and edited by those who see and edit the row that they belong to."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show them with the row."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for the row."""
        return self._may(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for the row."""
        return self._may(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for the row."""
        return self._may(request, obj)

    def _may(self, request: HttpRequest, obj: Any) -> bool:
        owner: GuardedAdmin = self.admin_site.get_model_admin(self.parent_model)  # type: ignore[attr-defined]
        return owner.has_add_permission(request) if obj is None else owner.has_change_permission(request, obj)


def age(moment: datetime, now: datetime) -> str:
    """Return how long ago something was."""
    return _("%s ago") % duration((now - moment).total_seconds())


def shown(value: Any) -> str:
    """Return a fact in a few words: parts and lists in one line, nothing as a dash."""
    if value in (None, "", [], {}):
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return ", ".join(f"{name}: {shown(one)}" for name, one in value.items())
    if isinstance(value, list):
        return "; ".join(shown(one) for one in value)
    return str(value)
