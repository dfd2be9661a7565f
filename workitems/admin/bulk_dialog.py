"""The dialog of an action on many workitems: what is to be said, a preview, and the word to go."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workitems import bulk, runs
from workitems.admin import starting
from workitems.admin.action_forms import ActionForm, Offered
from workitems.admin.base import grouped
from workitems.admin.bulk_runs import facts_of
from workitems.admin.dialogs import CARRIED, Dialog
from workitems.admin.previews import groups_of
from workitems.errors import SelectionChanged, WorkitemError
from workitems.models import RunItem


@dataclass
class BulkDialog(Dialog):
    """One action: a form where it is given something, and always a preview."""

    offered: Offered

    def answer(self) -> HttpResponse:
        """Do the step that was asked for and return the next page."""
        asks = bool(self._form(bound=False, asks_word=False).fields)
        if asks and self.step not in ("preview", "confirm"):
            return self._ask(self._form(bound=self.step == "change", asks_word=False))
        form = self._form(bound=True, asks_word=False)
        if not form.is_valid():
            return self._ask(form)
        try:
            return self._confirm(form) if self.step == "confirm" else self._preview(form)
        except WorkitemError as refusal:
            return self._ask(form, problem=refusal.message)

    def _form(self, *, bound: bool, asks_word: bool) -> ActionForm:
        data = self.request.POST if bound else None
        return self.offered.form(data, actor=self.actor, asks_word=asks_word)

    def _ask(self, form: ActionForm, problem: str = "") -> HttpResponse:
        count = self.rows.count()
        title = _("%(action)s: %(count)s") % {"action": self.offered.label, "count": _items(count)}
        return self.page(
            "bulk_dialog.html",
            title,
            form=form,
            problem=problem,
            offered=self.offered,
            carried=self.hidden(CARRIED),
        )

    def _preview(self, form: ActionForm, problem: str = "", word_form: ActionForm | None = None) -> HttpResponse:
        arguments = form.arguments()
        preview = bulk.preview(self.offered.action, arguments, self.selection, actor=self.actor, now=timezone.now())
        allowed = preview.forecast.allowed
        return self.page(
            "bulk_preview.html",
            _("Preview: %s") % self.offered.label,
            form=form,
            word_form=word_form or (self._form(bound=False, asks_word=True) if self.offered.word else None),
            problem=problem,
            preview=preview,
            expected=preview.total,
            offered=self.offered,
            facts=facts_of(self.offered.action, arguments)[1:],
            figures={"total": grouped(preview.total), "allowed": grouped(allowed),
                     "refused": grouped(preview.forecast.refusals)},
            confirm=_("%(action)s: %(count)s") % {"action": self.offered.label, "count": _items(allowed)},
            left_out=self.left_out(preview.total),
            at_once=preview.total <= starting.AT_ONCE,
            most_at_once=starting.AT_ONCE,
            asks=bool(form.fields),
            carried=self.hidden((*CARRIED, *form.fields)),
            **groups_of(preview),
        )  # fmt: skip

    def _confirm(self, form: ActionForm) -> HttpResponse:
        if self.expected is None:
            return self._preview(form)
        word_form = self._form(bound=True, asks_word=True)
        if self.offered.word and not word_form.is_valid():
            return self._preview(form, word_form=word_form)
        now = timezone.now()
        try:
            run = bulk.request(
                self.offered.action,
                form.arguments(),
                self.selection,
                actor=self.actor,
                now=now,
                expected=self.expected,
            )
        except SelectionChanged as refusal:
            return self._preview(form, problem=refusal.message)
        starting.start(run, self.actor, now)
        return self.to_receipt(run)


@dataclass(frozen=True)
class Done:
    """What a routine action that was done at once has led to."""

    address: str
    done: int
    refused: list[str]


def do_now(dialog: BulkDialog) -> Done:
    """Do to the ticked rows what asks nothing, and tell what was refused and why."""
    now = timezone.now()
    run = bulk.request(dialog.offered.action, {}, dialog.selection, actor=dialog.actor, now=now)
    starting.start(run, dialog.actor, now)
    by_reason: dict[str, list[str]] = {}
    for item in run.items.filter(outcome=RunItem.Outcome.REFUSED).order_by("pk"):
        by_reason.setdefault(runs.refusal_of(item), []).append(item.workitem_id)
    return Done(run.get_absolute_url(), run.done, [f"{_some(ids)}: {why}" for why, ids in by_reason.items()])


def _items(count: int) -> str:
    return ngettext("%s workitem", "%s workitems", count) % grouped(count)


def _some(ids: list[str], most: int = 3) -> str:
    named, more = ", ".join(ids[:most]), len(ids) - most
    if more <= 0:
        return named
    return ngettext("%(ids)s and %(count)d more", "%(ids)s and %(count)d more", more) % {"ids": named, "count": more}
