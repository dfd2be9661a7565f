"""What may stand in the body of a bulk transfer, and what it means: which workitems, where to, when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from workitems import search, transfers
from workitems.actors import Actor
from workitems.api import named
from workitems.api.bodies import a_priority, check_one_target
from workitems.api.errors import invalid
from workitems.api.listing import unless_archived
from workitems.api.strict import Body, StrictInteger, StrictMoment, StrictText, words
from workitems.models import Workitem

MOST_IDS = 100_000
LONGEST_ID = 64
LONGEST_SEARCH = 2_000


class Ids(serializers.ListField):
    """Ids of workitems, looked at in one go: a hundred thousand fields of their own would take seconds."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"child": StrictText(max_length=LONGEST_ID), "max_length": MOST_IDS, **options})

    def run_child_validation(self, data: list[Any]) -> list[str]:
        """Take texts of a sensible length."""
        for place, one in enumerate(data):
            if not isinstance(one, str) or not 1 <= len(one) <= LONGEST_ID or "\x00" in one:
                problem = _("Number %(place)d of the list is no id: a text of 1 to %(longest)d characters.")
                raise serializers.ValidationError(problem % {"place": place + 1, "longest": LONGEST_ID})
        return data


class TransferManyBody(Body):
    """Which workitems, by their ids or by a search, to which queue or agent, and how."""

    workitemIds = Ids(required=False, min_length=1)  # noqa: N815  the wire's own name
    q = words(LONGEST_SEARCH)
    selectedQueue = words(64)  # noqa: N815
    agentUsername = words(150)  # noqa: N815
    reason = words(transfers.MOST_REASON)
    priority = a_priority()
    startAt = StrictMoment(required=False)  # noqa: N815
    seenAt = StrictMoment(required=False)  # noqa: N815
    expectedCount = StrictInteger(required=False, min_value=0, max_value=2**31 - 1)  # noqa: N815

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require one way to choose the workitems, and one target."""
        if bool(attrs.get("workitemIds")) == bool(attrs.get("q", "").strip()):
            problem = _("Name the workitems either by workitemIds or by a search, q.")
            raise serializers.ValidationError({"workitemIds": [problem]})
        check_one_target(attrs)
        return attrs


@dataclass(frozen=True)
class Order:
    """A bulk transfer as somebody asks for it."""

    selection: transfers.Selection
    terms: transfers.Terms
    start_at: datetime | None
    expected: int | None


def order_of(values: Mapping[str, Any], actor: Actor, now: datetime) -> Order:
    """Return what these values ask for; raise InvalidValue or InvalidSearch where that makes no sense."""
    return Order(
        _selection(values, actor, now), _terms(values, actor), _start(values, now), values.get("expectedCount")
    )


def _selection(values: Mapping[str, Any], actor: Actor, now: datetime) -> transfers.Selection:
    seen_at = values.get("seenAt")
    if values.get("workitemIds"):
        return transfers.Selection(named.public_ids(values["workitemIds"], actor), seen_at=seen_at)
    q = values["q"]
    rows = unless_archived(Workitem.objects.visible_to(actor), q)
    return transfers.Selection(rows=search.matching(rows, q, search.WORKITEMS, now=now), query=q, seen_at=seen_at)


def _terms(values: Mapping[str, Any], actor: Actor) -> transfers.Terms:
    queue, agent = values.get("selectedQueue"), values.get("agentUsername")
    return transfers.Terms(
        queue=named.target_queue(queue, actor) if queue else None,
        agent=named.agent(agent, actor) if agent else None,
        reason=values.get("reason", ""),
        priority=values.get("priority"),
    )


def _start(values: Mapping[str, Any], now: datetime) -> datetime | None:
    start_at: datetime | None = values.get("startAt")
    if start_at is not None and not now < start_at <= now + transfers.LONGEST_DELAY:
        raise invalid("startAt", _("This must be a time to come, within a year; leave it out to start at once."))
    return start_at
