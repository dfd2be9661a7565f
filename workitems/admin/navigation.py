"""Where things stand in the back office: one table of groups, from which the sidebar and the palette of pages are made.

A list shows to those whom its own page lets in; whatever is registered stands in a group here or among what is hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

Words = str | Promise


class Place(NamedTuple):
    """A list or a page: a model by its label, or a named address, with its icon, and words where the model has none."""

    target: str
    icon: str
    title: Words = ""
    nothing_yet: Words = ""  # what to do when there is none


@dataclass(frozen=True)
class Group:
    """Places that belong together."""

    title: Words
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Page:
    """A place that somebody may open."""

    target: str
    title: str
    group: str
    icon: str
    address: str
    add_address: str = ""
    add_title: str = ""


GROUPS = (
    Group(
        gettext_lazy("Work"),
        (
            Place("admin:index", "home", gettext_lazy("Home")),
            Place(
                "workitems.Workitem",
                "inbox",
                nothing_yet=gettext_lazy(
                    "Workitems come in from gateways over REST, from an import, or by hand for a call-back or a "
                    "walk-in. Make a queue first: work waits in queues."
                ),
            ),
            Place("board", "monitoring", gettext_lazy("Supervisor's desk")),
            Place(
                "workitems.OutgoingMail",
                "outgoing_mail",
                nothing_yet=gettext_lazy("Answers by e-mail stand here from the moment somebody sends one."),
            ),
            Place(
                "workitems.TimeEvent",
                "history",
                gettext_lazy("History"),
                gettext_lazy("Every change of a workitem is told here, and none has been made yet."),
            ),
            Place(
                "workitems.SavedView",
                "bookmark",
                nothing_yet=gettext_lazy("Search or filter the workitems, then save the view under a name."),
            ),
        ),
    ),
    Group(
        gettext_lazy("People"),
        (
            Place(
                "contacts.Contact",
                "contacts",
                nothing_yet=gettext_lazy(
                    "Add the people who write and call, or import them. New work finds its contact by number or "
                    "e-mail address."
                ),
            ),
            Place(
                "workitems.ContactMerge",
                "merge",
                nothing_yet=gettext_lazy("When two contacts are merged, what was moved stands here and can be undone."),
            ),
            Place(
                "workitems.Presence",
                "support_agent",
                gettext_lazy("Agents"),
                gettext_lazy("Agents stand here once they have said for the first time whether they take work."),
            ),
        ),
    ),
    Group(
        gettext_lazy("Queues"),
        (
            Place(
                "queues.Queue",
                "stacks",
                nothing_yet=gettext_lazy(
                    "Work waits in queues. Make one, choose its channels, and add the people who work in it."
                ),
            ),
        ),
    ),
    Group(
        gettext_lazy("Rules"),
        (
            Place(
                "workitems.StalePolicy",
                "timer",
                nothing_yet=gettext_lazy("A policy says what becomes of work in which nothing happens for too long."),
            ),
            Place(
                "workitems.Disposition",
                "label",
                nothing_yet=gettext_lazy(
                    "Dispositions say how work came out. Add one for each outcome, as in “Solved”."
                ),
            ),
        ),
    ),
    Group(
        gettext_lazy("Jobs"),
        (
            Place(
                "workitems.Transfer",
                "move_up",
                nothing_yet=gettext_lazy("Choose workitems in their list and transfer them: the receipt stands here."),
            ),
            Place(
                "workitems.BulkRun",
                "checklist",
                nothing_yet=gettext_lazy(
                    "Choose more than 200 workitems in their list and an action: it runs here, with its progress."
                ),
            ),
            Place(
                "workitems.PolicyRun",
                "auto_delete",
                nothing_yet=gettext_lazy("Once a stale policy finds something, what it did and why stands here."),
            ),
            Place(
                "workitems.Export",
                "download",
                nothing_yet=gettext_lazy("Export a long list, and its file waits for you here."),
            ),
        ),
    ),
    Group(
        gettext_lazy("Access"),
        (
            Place("auth.User", "person", nothing_yet=gettext_lazy("Invite the people who work with the back office.")),
            Place("auth.Group", "groups", nothing_yet=gettext_lazy("A group gives all its people the same scopes.")),
            Place(
                "api.Application",
                "terminal",
                nothing_yet=gettext_lazy("Add each program that talks to the API, with the scopes that it needs."),
            ),
            Place(
                "api.PersonalToken",
                "key",
                nothing_yet=gettext_lazy("People make their own tokens, on the page behind their name."),
            ),
            Place(
                "usersessions.UserSession", "devices", gettext_lazy("Sessions"), gettext_lazy("Nobody is signed in.")
            ),
            Place(
                "mfa.Authenticator",
                "phonelink_lock",
                gettext_lazy("Second factors"),
                gettext_lazy("Nobody has set up an authenticator app or a passkey yet."),
            ),
            Place(
                "workitems.AuditEntry",
                "policy",
                gettext_lazy("Audit log"),
                gettext_lazy("Whoever changes a setting, a right or a person is named here."),
            ),
        ),
    ),
)
# registered by others for pages of theirs, and reached from other lists
HIDDEN = frozenset({"account.EmailAddress"})
SEARCHED = ("workitems.Workitem", "contacts.Contact")  # by what was typed into the palette


def pages(request: HttpRequest) -> Iterator[Page]:
    """Yield the pages that this person may open, in their order."""
    owners = {model._meta.label: owner for model, owner in admin.site._registry.items()}
    for group in GROUPS:
        for place in group.places:
            page = _page(request, group, place, owners)
            if page is not None:
                yield page


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of the sidebar that have something for this person, in the theme's form."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for page in pages(request):
        groups.setdefault(page.group, []).append({"title": page.title, "icon": page.icon, "link": page.address})
    return [{"title": title, "items": items} for title, items in groups.items()]


def found(request: HttpRequest, term: str) -> list[dict[str, str]]:
    """Return the pages that a few letters may mean, and where to look for just these words.

    Nothing is looked for in the tables: the lists do that, by their indexes, when somebody goes there.
    """
    wanted = term.casefold().split()
    results: list[dict[str, str]] = []
    searches: list[dict[str, str]] = []
    for page in pages(request):
        if _means(wanted, f"{page.title} {page.group}"):
            results.append(_result(page.title, page.group, page.icon, page.address))
        if page.add_address and _means(wanted, page.add_title):
            results.append(_result(page.add_title, page.group, "add", page.add_address))
        if page.target in SEARCHED:
            address = f"{page.address}?{urlencode({'q': term})}"
            searches.append(_result(_("Look for “%s”") % term, page.title, "search", address))
    return results + searches


def nothing_yet() -> dict[str, Words]:
    """Return what to do when there is none of it, by the label of the model."""
    return {place.target: place.nothing_yet for group in GROUPS for place in group.places}


def _page(request: HttpRequest, group: Group, place: Place, owners: dict[str, Any]) -> Page | None:
    if "." not in place.target:
        return Page(place.target, str(place.title), str(group.title), place.icon, reverse(place.target))
    owner = owners.get(place.target)
    if owner is None or not (owner.has_module_permission(request) and owner.has_view_permission(request)):
        return None
    names = f"admin:{owner.opts.app_label}_{owner.opts.model_name}"
    may_add = owner.has_add_permission(request)
    return Page(
        target=place.target,
        title=str(place.title or capfirst(owner.opts.verbose_name_plural)),
        group=str(group.title),
        icon=place.icon,
        address=reverse(f"{names}_changelist"),
        add_address=reverse(f"{names}_add") if may_add else "",
        add_title=_("Add %s") % owner.opts.verbose_name if may_add else "",
    )


def _means(wanted: list[str], words: str) -> bool:
    return all(word in words.casefold() for word in wanted)


def _result(title: str, description: str, icon: str, link: str) -> dict[str, str]:
    return {"title": title, "description": description, "icon": icon, "link": link}
