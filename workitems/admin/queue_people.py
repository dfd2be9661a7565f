"""A field for some people out of thousands: those who are in it, each with a tick, and a search for more."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.widgets import INPUT_CLASSES

from workitems import scopes
from workitems.choices import Scope
from workitems.staff import actor_of

MOST_FOUND = 20
ADDED = "_add"


class PeopleWidget(forms.Widget):
    """Ticked names, and a line to type more usernames into; a script completes them."""

    @property
    def media(self) -> forms.Media:
        """Load the script that completes what is typed."""
        scripts: Any = [Script("queues.js", defer=True)]
        return forms.Media(js=scripts, css={"all": ["queues.css"]})

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        """Return the ticked usernames and the typed ones."""
        ticked = data.getlist(name) if hasattr(data, "getlist") else data.get(name, [])
        typed = [one for one in re.split(r"[,;\s]+", data.get(f"{name}{ADDED}", "")) if one]
        return list(dict.fromkeys([*ticked, *typed]))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Take no tick at all for nobody."""
        return False

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Show the people by name, and give what is no username back as it was typed."""
        names: list[str] = list(value or [])
        people = list(User.objects.filter(username__in=names).order_by("username"))
        known = {one.username for one in people}
        context = {
            "name": name,
            "id": (attrs or {}).get("id", f"id_{name}"),
            "people": people,
            "unknown": ", ".join(one for one in names if one not in known),
            "address": reverse("admin:queues_queue_people"),
            "input_classes": " ".join(INPUT_CLASSES),
        }
        return render_to_string("admin/workitems/queue_people.html", context)


class PeopleField(forms.Field):
    """People by username."""

    widget = PeopleWidget

    def prepare_value(self, value: Any) -> list[str]:
        """Return usernames."""
        return [one.username if isinstance(one, User) else str(one) for one in value or ()]

    def to_python(self, value: Any) -> list[User]:
        """Return the people; raise ValidationError for a name that nobody has."""
        names: list[str] = list(value or ())
        people = {one.username: one for one in User.objects.filter(username__in=names).order_by("username")}
        unknown = [one for one in names if one not in people]
        if unknown:
            raise ValidationError(_("There is nobody with the username “%s”.") % unknown[0])
        return list(people.values())

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare who is in it."""
        return set(self.prepare_value(initial)) != set(data or ())


def check_newcomers(people: Iterable[User], present: Iterable[User]) -> None:
    """Raise ValidationError for somebody who has left and was not in it before."""
    before = {one.pk for one in present}
    gone = [one for one in people if not one.is_active and one.pk not in before]
    if gone:
        raise ValidationError(_("%s has left and cannot be added.") % gone[0].get_username())


def people_view(request: HttpRequest) -> HttpResponse:
    """Return the people whose names match; only for those who may put somebody into a queue."""
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    if not actor_of(request).can_anywhere(Scope.ADMIN):
        raise PermissionDenied
    words = request.GET.get("q", "").replace("\x00", "").strip()
    people = scopes.find_people(words, MOST_FOUND) if words else []
    found = [{"username": one.username, "name": one.get_full_name()} for one in people]
    return JsonResponse({"people": found})
