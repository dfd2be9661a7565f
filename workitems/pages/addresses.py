"""Where on the desk the things stand that its pages share with those of the back office."""

from __future__ import annotations

from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from workitems.choices import Door
from workitems.models import BulkRun, Transfer
from workitems.presenting.addresses import Addresses


def item(_pk: int, workitem_id: str) -> str:
    """Return where a workitem stands."""
    return reverse("workitem", args=[workitem_id])


def run(of: Transfer | BulkRun) -> str:
    """Return where a run's receipt stands."""
    return reverse("desk-run", args=[of.public_id])


def selected(of: Transfer | BulkRun) -> str:
    """Return the work list in which all of a run's items were chosen, or ``""`` where they were not chosen there."""
    return f"{reverse('work')}?{of.query}" if of.query and of.door == Door.PAGE else ""


def path_within(text: str) -> str:
    """Return an address of this site as it was given, and ``""`` for any other."""
    is_path = text.startswith("/") and text.isprintable() and url_has_allowed_host_and_scheme(text, allowed_hosts=None)
    return text if is_path else ""


ADDRESSES = Addresses(item=item, run=run, selected=selected)
