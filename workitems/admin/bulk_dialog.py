"""The dialog of an action on many workitems, as the back office shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse

from workitems.admin.addresses import ADDRESSES
from workitems.admin.dialogs import CARRIED, Dialog
from workitems.admin.dressing import dressed
from workitems.admin.starting import start
from workitems.models import BulkRun
from workitems.presenting.action_forms import ActionForm
from workitems.presenting.bulk_steps import BulkSteps
from workitems.presenting.offered import Offered

PAGES = {"ask": "bulk_dialog.html", "preview": "bulk_preview.html"}


@dataclass
class BulkDialog(Dialog, BulkSteps):
    """One action: a form where it is given something, and always a preview."""

    offered: Offered
    addresses = ADDRESSES

    @property
    def count(self) -> int:
        """Return how many rows are meant."""
        return self.rows.count()

    def carried(self, fields: Iterable[str]) -> list[tuple[str, str]]:
        """Carry the ticked rows, and what was typed."""
        return self.hidden((*CARRIED, *fields))

    def shown(self, step: str, title: str, **context: Any) -> HttpResponse:
        """Return a page of the list of workitems."""
        return self.page(PAGES[step], title, **context)

    def receipt(self, run: BulkRun) -> HttpResponse:
        """Lead to the run's receipt."""
        return self.to_receipt(run)

    def dress(self, form: ActionForm) -> ActionForm:
        """Let the form look like the theme."""
        return dressed(form)

    def begin(self, run: BulkRun, now: datetime) -> None:
        """Begin, and leave lines of Django's own log."""
        start(run, self.actor, now)
