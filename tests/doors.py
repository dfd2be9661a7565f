"""One way in for each door: the same transfer, asked for by REST, back office, page and job."""

from __future__ import annotations

import base64

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from queues.models import Queue
from tests.builders import NOON
from workitems import tasks
from workitems.api import tokens
from workitems.choices import Door, Scope
from workitems.models import Transfer, TransferItem, Workitem


def bearer(user: User) -> dict[str, str]:
    """Return the headers of somebody with a fresh token."""
    from django.utils import timezone

    return {"Authorization": f"Bearer {tokens.issue(user, now=timezone.now())}"}


def basic(username: str, password: str) -> dict[str, str]:
    """Return the headers of a name and its password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def personal(user: User, *scopes: Scope, name: str = "script") -> dict[str, str]:
    """Return the headers of somebody with a personal token, with every scope unless some are named."""
    from django.utils import timezone

    secret = tokens.make_personal(user, name=name, scopes=scopes or Scope, days=1, now=timezone.now())
    return {"Authorization": f"Bearer {secret}"}


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def by_rest(user: User, item: Workitem, target: Queue) -> None:
    Client(headers=bearer(user)).post(
        f"/users/api/calls/{item.workitem_id}/queuetransfer/{target.queue_id}", content_type="application/json"
    )


def by_back_office(user: User, item: Workitem, target: Queue) -> None:
    browser(user).post(
        reverse("admin:workitems_workitem_changelist"),
        {
            "action": "transfer",
            "step": "confirm",
            "_selected_action": [item.pk],
            "target": f"queue:{target.queue_id}",
            "expected": 1,
        },
    )


def by_page(user: User, item: Workitem, target: Queue) -> None:
    browser(user).post(
        reverse("transfer-start"),
        {"workitem": item.workitem_id, "target": f"queue:{target.queue_id}", "version": item.version},
    )


def by_job(user: User, item: Workitem, target: Queue) -> None:
    transfer = Transfer.objects.create(
        queue=target, requested_by=user, door=Door.API, created_at=NOON, start_at=NOON, moved_at=NOON, total=1
    )
    TransferItem.objects.create(run=transfer, workitem_id=item.workitem_id)
    tasks.run_transfer(transfer_id=transfer.transfer_id)


DOORS = {Door.API: by_rest, Door.ADMIN: by_back_office, Door.PAGE: by_page, Door.JOB: by_job}
