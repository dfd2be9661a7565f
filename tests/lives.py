"""Calls that came, waited and were answered or given up at times that a test names, led there by the commands."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from queues.models import Queue
from tests.builders import make_disposition
from workitems import services
from workitems.actors import Actor
from workitems.choices import EndedBy, Scope, Type
from workitems.commands import Accept, Bridge, Command, Create, HangUp, Offer, SetDisposition
from workitems.models import Disposition, Workitem

EVERYBODY = Actor.job("life", Scope.ADMIN)


def after(moment: datetime, seconds: float) -> datetime:
    return moment + timedelta(seconds=seconds)


def did(item: Workitem, command: Command, at: datetime) -> Workitem:
    return services.execute(command, item.workitem_id, actor=EVERYBODY, now=at)


def came(queue: Queue, at: datetime, kind: Type = Type.INBOUND_CALL) -> Workitem:
    return services.create(Create(type=kind, queue=queue), actor=EVERYBODY, now=at)


def given_up(queue: Queue, at: datetime, wait: float, kind: Type = Type.INBOUND_CALL) -> Workitem:
    return did(came(queue, at, kind), HangUp(by=EndedBy.CUSTOMER), after(at, wait))


def answered(queue: Queue, at: datetime, wait: float, agent: User, **facts: Any) -> Workitem:
    """Return a call that has been answered, talked for `talk` seconds and wrapped up in `wrap`; usually 60 and 10."""
    talk, wrap, kind = facts.get("talk", 60), facts.get("wrap", 10), facts.get("kind", Type.INBOUND_CALL)
    queue.members.add(agent)
    disposition = Disposition.objects.first() or make_disposition()
    item, accepted = came(queue, at, kind), after(at, wait)
    did(item, Offer(agent), accepted)
    did(item, Accept(), accepted)
    did(item, Bridge(), accepted)
    did(item, HangUp(), after(accepted, talk))
    return did(item, SetDisposition(disposition), after(accepted, talk + wrap))
