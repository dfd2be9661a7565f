"""Where in the back office the things stand that its pages share with those of the desk."""

from __future__ import annotations

from django.urls import reverse

from workitems.choices import Door
from workitems.models import BulkRun, PolicyRun, Transfer
from workitems.presenting.addresses import Addresses

LIST_QUERY = "_changelist_filters"


def _item(pk: int, _workitem_id: str) -> str:
    return reverse("admin:workitems_workitem_change", args=[pk])


def _run(run: Transfer | BulkRun) -> str:
    return run.get_absolute_url()


def batch_address(batch: Transfer | BulkRun | PolicyRun) -> str:
    """Return where the page of a batch stands that an event was part of."""
    return batch.get_absolute_url()


def _selected(run: Transfer | BulkRun) -> str:
    if not run.query or run.door != Door.ADMIN:
        return ""
    return f"{reverse('admin:workitems_workitem_changelist')}?{run.query}"


ADDRESSES = Addresses(item=_item, run=_run, selected=_selected, carried=(LIST_QUERY,))
