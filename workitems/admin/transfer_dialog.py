"""The dialog of transfers: where to, a preview, and the word to go."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from queues.models import Queue
from workitems import transfers
from workitems.admin.addresses import ADDRESSES
from workitems.admin.dialogs import CARRIED, Dialog
from workitems.admin.starting import start
from workitems.choices import Priority
from workitems.errors import SelectionChanged, WorkitemError
from workitems.presenting import starting
from workitems.presenting.previews import groups_of
from workitems.presenting.transfer_form import REASONS, TransferForm
from workitems.presenting.transfer_targets import Sought, named, reads, standing_of, targets_for
from workitems.presenting.words import grouped

TYPED = ("target", "find", "reason", "priority", "when", "at", "zone")


class DressedForm(TransferForm):
    """The form as the back office's theme dresses it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, widget in (
            ("reason", UnfoldAdminTextInputWidget),
            ("priority", UnfoldAdminSelectWidget),
            ("at", UnfoldAdminTextInputWidget),
        ):
            field = self.fields[name]
            choices = getattr(field, "choices", None)
            field.widget = widget(attrs=field.widget.attrs)
            if choices is not None:
                field.choices = choices  # type: ignore[attr-defined]


class TransferDialog(Dialog):
    """Where to, a preview, and the word to go."""

    def answer(self) -> HttpResponse:
        """Do the step that was asked for and return the next page."""
        if self.step not in ("preview", "confirm"):
            return self._ask(DressedForm(initial=self._typed(), actor=self.actor))
        form = DressedForm(self.request.POST, actor=self.actor)
        if not form.is_valid():
            return self._ask(form)
        try:
            return self._confirm(form) if self.step == "confirm" else self._preview(form)
        except WorkitemError as refusal:
            return self._ask(form, problem=refusal.message)

    def _typed(self) -> dict[str, str]:
        return {name: self.request.POST[name] for name in TYPED if name in self.request.POST}

    def _ask(self, form: TransferForm, problem: str = "") -> HttpResponse:
        find = self.request.POST.get("find", "").strip()
        chosen, count = str(form["target"].value() or ""), self.rows.count()
        targets, left_out = targets_for(self.actor, Sought(find, chosen), timezone.now())
        return self.page(
            "transfer_dialog.html",
            _("Transfer"),
            form=form,
            problem=problem,
            count=count,
            count_text=grouped(count),
            find=find,
            chosen=chosen,
            targets=targets,
            left_out=left_out,
            reasons=REASONS,
            zone=timezone.get_default_timezone_name(),
            carried=self.hidden(CARRIED),
        )

    def _preview(self, form: TransferForm, problem: str = "") -> HttpResponse:
        now = timezone.now()
        preview = transfers.preview(self.selection, form.terms, actor=self.actor, now=now)
        start_at: datetime | None = form.cleaned_data["start_at"]
        return self.page(
            "transfer_preview.html",
            _("Preview of the transfer"),
            form=form,
            problem=problem,
            preview=preview,
            expected=preview.total,
            facts=_figures(preview),
            target=named(form.cleaned_data["target"]),
            standing=standing_of(preview.load, form.cleaned_data["target"], self.actor, now),
            is_queue=isinstance(form.cleaned_data["target"], Queue),
            reads_target=reads(self.actor, form.cleaned_data["target"]),
            left_out=self.left_out(preview.total),
            **groups_of(preview, ADDRESSES.item),
            priority=Priority(form.terms.priority).label if form.terms.priority else "",
            start_at=start_at,
            zone=form.cleaned_data["zone"],
            at_once=preview.total <= starting.AT_ONCE and start_at is None,
            most_at_once=starting.AT_ONCE,
            carried=self.hidden((*CARRIED, *TYPED)),
        )

    def _confirm(self, form: TransferForm) -> HttpResponse:
        if self.expected is None:
            return self._preview(form)
        start_at, now = form.cleaned_data["start_at"], timezone.now()
        try:
            transfer = transfers.request(
                self.selection, form.terms, actor=self.actor, now=now, start_at=start_at, expected=self.expected
            )
        except SelectionChanged as refusal:
            return self._preview(form, problem=refusal.message)
        start(transfer, self.actor, now)
        return self.to_receipt(transfer)


def _figures(preview: transfers.Preview) -> dict[str, str]:
    return {
        "total": grouped(preview.total),
        "moving": grouped(preview.forecast.allowed),
        "refused": grouped(preview.forecast.refusals),
        "after": grouped(preview.load.waiting + preview.forecast.allowed),
    }
