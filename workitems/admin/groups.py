"""Groups of people: the four that carry a scope everywhere, and a centre's own, for its views and for queues."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workitems import audit, groups
from workitems.actors import Actor
from workitems.admin.guarded import GuardedAdmin, SeenForm
from workitems.admin.queue_people import PeopleField, check_newcomers
from workitems.choices import Scope

if admin.site.is_registered(Group):
    admin.site.unregister(Group)


class GroupForm(SeenForm):
    """A group's name and who is in it; its permissions are no matter of a form."""

    members = PeopleField(label=gettext_lazy("Members"), required=False)

    class Meta:
        model = Group
        fields = ["name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.present = list(self.instance.user_set.all()) if self.instance.pk else []
        self.initial["members"] = self.present

    def clean_name(self) -> str:
        """Keep the names of the system's own groups for those."""
        name: str = self.cleaned_data["name"]
        if groups.is_reserved(name):
            raise ValidationError(_("Names that begin with “workitems:” belong to the system's own groups."))
        return name

    def clean_members(self) -> Any:
        """Take in nobody who has left, and let nobody shut himself out of everything."""
        people: list[User] = self.cleaned_data["members"]
        check_newcomers(people, self.present)
        himself = self.actor.user
        shuts_out = self.instance.pk and self.instance.name == Scope.ADMIN.value and himself in self.present
        if shuts_out and himself not in people and himself is not None and not himself.is_superuser:
            raise ValidationError(_("You would shut yourself out. Ask a colleague to take the admin scope from you."))
        return people

    def _keep_what_others_typed(self, seen: audit.Facts, cleaned: dict[str, Any], changed: dict[str, Any]) -> None:
        super()._keep_what_others_typed(seen, cleaned, changed)
        typed = sorted(one.username for one in cleaned.get("members", ()))
        if "members" in changed and typed == seen.get("members"):
            self.data.setlist(self.add_prefix("members"), changed["members"]["new"])  # type: ignore[attr-defined]


@admin.register(Group)
class GroupAdmin(GuardedAdmin):
    """Who is in which group; open to those with the admin scope everywhere."""

    kind = "group"
    form = GroupForm
    fields = ["name", "members"]
    list_display = ["name", "kept_by", "member_count"]
    search_fields = ["name"]
    ordering = ["name"]

    class Media:
        css = {"all": ["queues.css"]}

    def visible_rows(self, actor: Actor) -> QuerySet[Group]:
        """Show all of them."""
        return Group.objects.annotate(count=Count("user", filter=Q(user__is_active=True)))

    def can_open(self, actor: Actor) -> bool:
        """Open to those who may do everything."""
        return Scope.ADMIN in actor.everywhere

    def can_add(self, actor: Actor) -> bool:
        """Let the same people make groups."""
        return Scope.ADMIN in actor.everywhere

    def can_change(self, actor: Actor, row: Group | None) -> bool:
        """Let nobody but a superuser fill a group that gives more than scopes."""
        return Scope.ADMIN in actor.everywhere and (
            row is None or _is_superuser(actor) or groups.gives_scopes_only(row)
        )

    def can_delete(self, actor: Actor, row: Group | None) -> bool:
        """Keep the system's own groups."""
        return self.can_change(actor, row) and (row is None or not groups.is_reserved(row.name))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the names of the system's own groups."""
        return ["name"] if obj is not None and groups.is_reserved(obj.name) else []

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Have in the group whom the form names."""
        super().save_related(request, form, formsets, change)
        form.instance.user_set.set(form.cleaned_data["members"])

    def facts_of(self, row: Group) -> audit.Facts:
        """Return the name and the members' usernames."""
        return {"name": row.name, "members": sorted(row.user_set.values_list("username", flat=True))}

    def label_of(self, name: str) -> str:
        """Return a field's name in words."""
        return _("Members") if name == "members" else super().label_of(name)

    @admin.display(description=gettext_lazy("what it is"))
    def kept_by(self, row: Group) -> SafeString | str:
        """Mark the four groups that the system keeps, with what they give."""
        if row.name not in Scope.values:
            return _("Own group")
        words = {"style": "wi-running", "icon": "lock", "word": _("Kept by the system: %s") % Scope(row.name).label}
        return render_to_string("admin/workitems/agent_word.html", words)

    @admin.display(description=gettext_lazy("members"), ordering="count")
    def member_count(self, row: Any) -> SafeString:
        """Count the members who are still there."""
        return render_to_string("admin/workitems/queue_figure.html", {"count": row.count})

    def export_member_count(self, row: Any) -> int:
        """Give files the number itself."""
        return int(row.count)


def _is_superuser(actor: Actor) -> bool:
    return actor.user is not None and actor.user.is_superuser
