"""What to do first in a new installation, and what of it is done; over as soon as the first workitem has come."""

from __future__ import annotations

from dataclasses import dataclass

from django.apps import apps
from django.urls import reverse
from django.utils.translation import gettext as _

from queues.models import Queue
from workitems.actors import Actor
from workitems.choices import Scope
from workitems.models import Workitem


@dataclass(frozen=True)
class Step:
    """One thing to do in a new installation, and what comes of it."""

    name: str
    title: str
    text: str
    address: str
    link: str
    is_done: bool


def steps(actor: Actor) -> list[Step]:
    """Return the steps for somebody who can take them, in their order; none once there has been a workitem."""
    if Scope.ADMIN not in actor.everywhere or Workitem.objects.exists():
        return []
    return [
        Step(
            "queue", _("Make a queue"),
            _("Work waits in queues. Choose its channels and how long a wait is still good."),
            reverse("admin:queues_queue_add"), _("Add a queue"), Queue.objects.exists(),
        ),
        Step(
            "members", _("Say who works in it"), _("Make the people, and add them to the queue as its members."),
            reverse("admin:auth_user_changelist"), _("People"), Queue.members.through.objects.exists(),
        ),
        Step(
            "program", _("Let a program in"),
            _("With a token of your own you can try the API at once; gateways sign in as an application."),
            reverse("account-tokens"), _("Make a token"), _has_program(),
        ),
        Step(
            "workitem", _("Bring in the first workitem"),
            _("By a gateway over REST, from a file, or by hand as a call-back."),
            reverse("admin:workitems_workitem_changelist"), _("Workitems in the back office"), False,
        ),
    ]  # fmt: skip


def _has_program() -> bool:
    kinds = ("api.Application", "api.PersonalToken")
    return any(apps.get_model(kind)._default_manager.exists() for kind in kinds)
