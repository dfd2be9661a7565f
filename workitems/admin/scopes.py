"""The pages that say who may do what on a queue and from where, and on which that is granted and taken back."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin as PlainAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from queues.models import Queue
from workitems import scopes
from workitems.actors import Actor
from workitems.choices import Scope
from workitems.errors import InvalidValue
from workitems.staff import actor_of

MOST_FOUND = 20
NUMBER = re.compile(r"[0-9]{1,9}")
MOST_SHOWN = 50  # of those who hold something everywhere
MOST_GIVEN = 200  # of those who were given something on the queue


class ScopePages:
    """Who has what on one queue, for those with the admin scope there."""

    admin_site: Any
    opts: Any

    def scope_urls(self) -> list[Any]:
        """Return the address of the pages."""
        view = self.admin_site.admin_view(self.scopes_view)
        return [path("<path:object_id>/scopes/", view, name="queues_queue_scopes")]

    def scopes_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show everybody, or the one who is asked for, and change what he has been given."""
        queue: Queue = self.seen(request, object_id)  # type: ignore[attr-defined]
        if not actor_of(request).can_in(Scope.ADMIN, queue):
            raise PermissionDenied
        if "who" in request.GET:
            return self._holder_page(request, queue, _holder(request.GET["who"]))
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        return self._everybody(request, queue)

    def _everybody(self, request: HttpRequest, queue: Queue) -> HttpResponse:
        """Show who has been given what here, who holds it everywhere, and whom one looks for."""
        words = request.GET.get("find", "").replace("\x00", "").strip()
        found: list[scopes.Holder] = scopes.find_holders(words, MOST_FOUND) if words else []
        superusers = User.objects.filter(is_superuser=True, is_active=True).order_by("username")
        everywhere = scopes.given_everywhere()
        given = scopes.given_on(queue)
        counts = _members_of(one.holder for one in [*given, *everywhere] if one.is_group)
        return self._page(
            request,
            "scopes.html",
            _("Who may do what in %s") % queue.name,
            queue,
            find=words,
            found=[(_name(one), self._address(queue, one), isinstance(one, Group)) for one in found],
            given=[self._line(queue, one, counts) for one in given[:MOST_GIVEN]],
            left_out=max(0, len(given) - MOST_GIVEN),
            everywhere=[self._line(queue, one, counts) for one in everywhere[:MOST_SHOWN]],
            superusers=[_name(one) for one in superusers[:MOST_SHOWN]],
            members=queue.members.count(),
            supervisors=queue.supervisors.count(),
        )

    def _holder_page(self, request: HttpRequest, queue: Queue, holder: scopes.Holder) -> HttpResponse:
        """Show what one person or group has here and from where, and change what was given here."""
        given = next((one.codes for one in scopes.given_on(queue) if one.holder == holder), frozenset())
        wanted = given
        asks = False
        if request.method == "POST":
            wanted = frozenset(request.POST.getlist("scopes"))
            asks = "sure" not in request.POST and self._loses_admin(request, queue, holder, wanted)
            if not asks:
                try:
                    return self._set(request, queue, holder, wanted)
                except InvalidValue as refusal:
                    messages.error(request, refusal.message)
        return self._page(
            request,
            "scope_holder.html",
            _("%(who)s in %(queue)s") % {"who": _name(holder), "queue": queue.name},
            queue,
            holder=holder,
            name=_name(holder),
            is_group=isinstance(holder, Group),
            members=holder.user_set.filter(is_active=True).count() if isinstance(holder, Group) else 0,
            works_here=_works_here(holder, queue),
            asks=asks,
            lines=[
                (code, words, code in wanted, [source_words(one) for one in found])
                for (code, words), found in zip(
                    scopes.WORDS.items(), scopes.sources(holder, queue).values(), strict=True
                )
            ],
        )

    def _set(self, request: HttpRequest, queue: Queue, holder: scopes.Holder, wanted: frozenset[str]) -> HttpResponse:
        with transaction.atomic():
            granted, revoked = scopes.set_on_queue(queue, holder, wanted, actor=actor_of(request), now=timezone.now())
            told = [
                text % {"who": _name(holder), "scopes": ", ".join(codes)}
                for text, codes in (
                    (_("%(who)s was granted %(scopes)s."), granted),
                    (_("%(who)s has %(scopes)s no more from here."), revoked),
                )
                if codes
            ]
            if told:
                PlainAdmin.log_change(self, request, queue, " ".join(told))  # type: ignore[arg-type]
        messages.success(request, " ".join(told) or _("Nothing was changed."))
        if self._loses_admin(request, queue, holder, wanted):
            return HttpResponseRedirect(reverse("admin:index"))
        return HttpResponseRedirect(reverse("admin:queues_queue_scopes", args=[queue.pk]))

    def _loses_admin(self, request: HttpRequest, queue: Queue, holder: scopes.Holder, wanted: frozenset[str]) -> bool:
        return not scopes.keeps_admin(request.user, queue, holder, wanted)  # type: ignore[arg-type]

    def _line(self, queue: Queue, one: scopes.OnQueue, counts: dict[int, int]) -> dict[str, Any]:
        return {
            "name": _name(one.holder),
            "public_name": one.holder.username if isinstance(one.holder, User) else "",
            "is_group": one.is_group,
            "has_left": isinstance(one.holder, User) and not one.holder.is_active,
            "members": counts.get(one.holder.pk, 0) if one.is_group else None,
            "codes": [code for code in scopes.CODES if code in one.codes],
            "address": self._address(queue, one.holder),
        }

    def _address(self, queue: Queue, holder: scopes.Holder) -> str:
        kind = "group" if isinstance(holder, Group) else "user"
        return f"{reverse('admin:queues_queue_scopes', args=[queue.pk])}?who={kind}:{holder.pk}"

    def _page(self, request: HttpRequest, template: str, title: str, queue: Queue, **context: Any) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": queue,
            "queue": queue,
            "title": title,
        }
        return TemplateResponse(request, f"admin/workitems/{template}", {**shared, **context})


def _holder(text: str) -> scopes.Holder:
    """Return the person or the group that an address names."""
    kind, _colon, pk = text.partition(":")
    model: Any = {"user": User, "group": Group}.get(kind)
    found: scopes.Holder | None = model.objects.filter(pk=pk).first() if model and NUMBER.fullmatch(pk) else None
    if found is None:
        raise Http404
    return found


def source_words(held: scopes.Held) -> str:
    """Say from where somebody holds a scope."""
    if held.is_superuser:
        return _("superuser")
    place = _("on %s") % held.queue.name if held.queue else _("everywhere")
    if held.group is not None:
        place = _("%(place)s, through the group %(group)s") % {"place": place, "group": held.group.name}
    return _("%(scope)s %(place)s") % {"scope": held.code, "place": place}


def _works_here(holder: scopes.Holder, queue: Queue) -> list[str]:
    if isinstance(holder, Group):
        return []
    found = []
    if queue.members.filter(pk=holder.pk).exists():
        found.append(_("Member: sees and handles what he is assigned, without any scope."))
    if queue.supervisors.filter(pk=holder.pk).exists():
        found.append(_("Supervisor: named as such; that alone gives no scope."))
    return found


def _members_of(groups: Any) -> dict[int, int]:
    pks = [one.pk for one in groups]
    counted = Group.objects.filter(pk__in=pks).annotate(count=Count("user", filter=Q(user__is_active=True)))
    return dict(counted.values_list("pk", "count")) if pks else {}


def _name(holder: scopes.Holder) -> str:
    return holder.name if isinstance(holder, Group) else holder.get_full_name() or holder.get_username()


def lines_for(user: User, actor: Actor) -> list[tuple[str, list[str]]]:
    """Return what the person may and from where, as far as the asker decides over it: his queues, and everywhere."""
    lines: dict[str, list[str]] = {}
    for held in scopes.held_by(user):
        if held.queue is None or actor.can_in(Scope.ADMIN, held.queue):
            place = _("Everywhere") if held.queue is None else held.queue.name
            lines.setdefault(place, []).append(_words(held))
    return list(lines.items())


def _words(held: scopes.Held) -> str:
    if held.is_superuser:
        return _("everything, as a superuser")
    if held.group is None:
        return held.code
    return _("%(scope)s through the group %(group)s") % {"scope": held.code, "group": held.group.name}
