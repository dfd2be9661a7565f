"""What the page of one workitem shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpRequest, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from queues.channels import Channel
from workitems import onlookers
from workitems.actors import Actor
from workitems.choices import WAITING, Action, Priority, State, Type
from workitems.models import PolicyRun, Workitem
from workitems.pages import addresses, work_next
from workitems.presenting import item_actions, item_history, item_life
from workitems.presenting.icons import CHANNEL_ICONS, PRIORITY_ICONS, SLA_ICONS, STATE_ICONS
from workitems.presenting.item_actions import Tried
from workitems.presenting.item_facts import moments_of
from workitems.presenting.offered import OFFERED
from workitems.worklist import Sla, standing_of
from workitems.worklist.sla import level_of_the_row

EVENTS_SHOWN = 30
OTHERS_SHOWN = 5
MOST_TOLD = 10
LONGEST_QUERY = 2_000  # characters of a work list's address


@dataclass(frozen=True)
class Asked:
    """What the page's address carries along where somebody goes through a work list item by item.

    That is the address of the next one, as the page before has told it, or the list itself.
    """

    carried: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, request: HttpRequest) -> Asked:
        """Read it from the address."""
        onwards, query = request.GET.get("next", ""), request.GET.get("list")
        is_next = onwards.startswith(f"{reverse('work-next')}?") and len(onwards) <= LONGEST_QUERY
        if is_next and addresses.path_within(onwards):
            return cls({"next": onwards})
        return cls({"list": query}) if query is not None and len(query) <= LONGEST_QUERY else cls()

    @property
    def query(self) -> str:
        """What stands behind the addresses of this page."""
        return f"?{urlencode(self.carried)}" if self.carried else ""

    @property
    def list_address(self) -> str:
        """Where the list is, as it was left."""
        query = QueryDict(self.carried.get("list", self.carried.get("next", "").partition("?")[2]), mutable=True)
        for name in (work_next.AFTER, work_next.PLACE):
            query.pop(name, None)
        return f"{reverse('work')}?{query.urlencode()}"

    def address_of(self, item: Workitem, **more: str) -> str:
        """Return the address of the page."""
        query = urlencode({**self.carried, **more})
        return reverse("workitem", args=[item.workitem_id]) + (f"?{query}" if query else "")

    def next_of(self, item: Workitem) -> str:
        """Return where the next one of the list is."""
        if "next" in self.carried:
            return self.carried["next"]
        query = QueryDict(self.carried["list"], mutable=True)
        query[work_next.AFTER] = item.workitem_id
        return f"{reverse('work-next')}?{query.urlencode()}"


@dataclass(frozen=True)
class Due:
    """By when a waiting customer should have been answered."""

    at: datetime
    warn_at: datetime
    state: Sla
    icon: str


def seen(workitem_id: str, actor: Actor) -> Workitem:
    """Return the workitem with all that the page shows of its neighbours, or raise Http404."""
    rows = Workitem.objects.visible_to(actor).select_related("queue", "agent", "contact", "disposition")
    item: Workitem = get_object_or_404(rows.annotate(sla_seconds=level_of_the_row()), workitem_id=workitem_id)
    return item


def context(request: HttpRequest, item: Workitem, actor: Actor, tried: Tried | None = None) -> dict[str, Any]:
    """Return all that the page shows; `tried` is the form that was sent and not done."""
    now, asked = timezone.now(), Asked.of(request)
    reasons = item_actions.reasons_for(item, actor)
    buttons = item_actions.possible(reasons, item, actor, tried)
    timeline = _timeline(request, item, actor)
    return {
        **form_context(request, item, actor, tried),
        **_head(item, now),
        "now": now,
        "undo": item_actions.undo_of(item, actor, now),
        "transfer": next((one for one in buttons if one.action is Action.TRANSFER), None),
        "note": next((one for one in buttons if one.action is Action.NOTE), None),
        "clicks": [one for one in buttons if one.form is None and one.action is not Action.TRANSFER],
        "forms": [one for one in buttons if one.form is not None and one.action is not Action.NOTE],
        "impossible": item_actions.impossible(reasons),
        "moments": moments_of(item),
        "bar": item_life.bar_of(item, actor, now),
        "timeline": timeline,
        "kinds": [(kind, asked.address_of(item, kind=kind.name)) for kind in item_history.KINDS.values()],
        "onlookers": onlookers.others(item, actor, now),
        **_others(item, actor),
    }


def form_context(request: HttpRequest, item: Workitem, actor: Actor, tried: Tried | None = None) -> dict[str, Any]:
    """Return what one form needs, and what has changed since its page was made."""
    asked = Asked.of(request)
    shared = {
        "workitem": item,
        "asked": asked,
        "address": asked.address_of(item),
        "next_address": asked.next_of(item) if asked.carried else "",
    }
    if tried is None:
        return shared
    offered = OFFERED[tried.form.action]
    button = item_actions.Button(offered.action, offered.icon, str(offered.consequence), tried.form, tried.error)
    return {**shared, "button": button, "tried": button, "meanwhile": _meanwhile(request, item, actor)}


def _meanwhile(request: HttpRequest, item: Workitem, actor: Actor) -> list[item_history.Line]:
    version = item_actions.version_in(request.POST)
    return item_history.since(item, version, actor, _batch_address(actor), most=MOST_TOLD) if version else []


def _head(item: Workitem, now: datetime) -> dict[str, Any]:
    standing = standing_of(item.state, item.entered_at, item.sla_seconds, now)  # type: ignore[attr-defined]
    due = Due(standing.due_at, standing.warns_at, standing.state, SLA_ICONS[standing.state]) if standing else None
    waits = item.state in WAITING and not Type(item.type).is_outbound
    return {
        "due": due,
        "waits_since": item.created_at if waits else None,
        "waited_ms": None if waits else _waited_ms(item),
        "state_icon": STATE_ICONS[State(item.state)],
        "channel_icon": CHANNEL_ICONS[Channel(item.channel_type)],
        "priority_icon": PRIORITY_ICONS.get(Priority(item.priority), "drag_handle"),
        "priorities": list(reversed(Priority.choices)),
    }


def _waited_ms(item: Workitem) -> float | None:
    until = item.assigned_at or item.terminated_at
    if until is None or Type(item.type).is_outbound:
        return None
    return (until - item.created_at).total_seconds() * 1000


def _timeline(request: HttpRequest, item: Workitem, actor: Actor) -> item_history.Page:
    asked = Asked.of(request)
    return item_history.page_of(
        item,
        request.GET,
        actor,
        address_of=_batch_address(actor),
        size=EVENTS_SHOWN,
        carried=asked.carried,
    )


def _batch_address(actor: Actor) -> item_history.AddressOf:
    """Return where a batch's page stands; runs of policies have theirs in the back office, for its staff."""

    def address_of(batch: Any) -> str:
        if not isinstance(batch, PolicyRun):
            return addresses.run(batch)
        return batch.get_absolute_url() if actor.user is not None and actor.user.is_staff else ""

    return address_of


def _others(item: Workitem, actor: Actor) -> dict[str, Any]:
    """Return what else of the same contact is open, of what the person may see, and where the rest is listed."""
    if item.contact is None:
        return {"others": [], "contact_address": ""}
    rows = Workitem.objects.visible_to(actor).open().filter(contact=item.contact).exclude(pk=item.pk)
    query = urlencode({"q": f'contactId:"{item.contact.contact_id}"'})
    found = list(rows.order_by("-created_at", "-pk").select_related("queue", "agent")[: OTHERS_SHOWN + 1])
    return {
        "others": [(other, STATE_ICONS[State(other.state)]) for other in found[:OTHERS_SHOWN]],
        "are_more_others": len(found) > OTHERS_SHOWN,
        "contact_address": f"{reverse('work')}?{query}",
    }
