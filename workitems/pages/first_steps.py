"""The first steps as the desk shows them: which comes next, and a command to bring in the first workitem with."""

from __future__ import annotations

import json
from dataclasses import dataclass

from queues.channels import Channel
from queues.models import Queue
from workitems.actors import Actor
from workitems.choices import Type
from workitems.presenting import first_steps
from workitems.presenting.first_steps import Step


@dataclass(frozen=True)
class Shown:
    """A step in the list."""

    step: Step
    is_next: bool
    body: str = ""  # of the request that makes a workitem


def steps(actor: Actor) -> list[Shown]:
    """Return the steps for somebody who can take them; none once there has been a workitem."""
    found = first_steps.steps(actor)
    coming = next((step.name for step in found if not step.is_done), "")
    return [Shown(step, step.name == coming, _body() if step.name == "workitem" else "") for step in found]


def _body() -> str:
    """Return what a first workitem may be: something that a queue of this installation takes; "" without a queue."""
    queue = Queue.objects.filter(is_open=True).with_channels().order_by("pk").first()
    channels = list(queue.sla_seconds) if queue is not None else []
    if queue is None or not channels:
        return ""
    kind = next(one for one in Type if channels[0] in one.channels and not one.is_outbound)
    sender = "ada@example.org" if channels[0] == Channel.EMAIL else "+12025550123"
    return json.dumps({"type": kind, "selectedQueue": queue.queue_id, "from": sender, "name": "Our first workitem"})
