"""The steps of an action on many workitems: what is to be said, a preview, and the word to go, at every door."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workitems import bulk, runs
from workitems.actors import Actor
from workitems.errors import SelectionChanged, WorkitemError
from workitems.models import BulkRun, RunItem
from workitems.presenting import starting
from workitems.presenting.action_forms import ActionForm
from workitems.presenting.addresses import Addresses
from workitems.presenting.bulk_receipts import facts_of
from workitems.presenting.offered import Offered
from workitems.presenting.previews import groups_of
from workitems.presenting.words import grouped
from workitems.selections import Selection


class BulkSteps(ABC):
    """One action on what somebody has chosen; a door says how it looks, what it carries along and where it leads."""

    request: HttpRequest
    offered: Offered
    addresses: Addresses

    @property
    @abstractmethod
    def actor(self) -> Actor:
        """Return who asks."""

    @property
    @abstractmethod
    def selection(self) -> Selection:
        """Return what is meant."""

    @property
    @abstractmethod
    def count(self) -> int:
        """Return how many are meant, before anybody looks what is possible."""

    @abstractmethod
    def carried(self, fields: Iterable[str]) -> list[tuple[str, str]]:
        """Return what the next step is told, as names and values: what is chosen, and these fields as typed."""

    @abstractmethod
    def shown(self, step: str, title: str, **context: Any) -> HttpResponse:
        """Return the page of the step: ask or preview."""

    @abstractmethod
    def receipt(self, run: BulkRun) -> HttpResponse:
        """Lead on from a run that has begun."""

    def left_out(self, total: int) -> int:
        """Return how many that were chosen are not meant any more."""
        return 0

    def dress(self, form: ActionForm) -> ActionForm:
        """Let the form look like the door."""
        return form

    def begin(self, run: BulkRun, now: datetime) -> None:
        """Begin with a run that has been asked for."""
        starting.start(run, self.actor, now)

    @property
    def step(self) -> str:
        """Return which step was asked for."""
        return self.request.POST.get("step", "")

    @property
    def expected(self) -> int | None:
        """Return how many the person has seen in the preview, None where he has seen none."""
        text = self.request.POST.get("expected", "")
        return int(text) if text.isdecimal() and len(text) < 10 else None

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
        return self.dress(self.offered.form(data, actor=self.actor, asks_word=asks_word))

    def _ask(self, form: ActionForm, problem: str = "") -> HttpResponse:
        title = _("%(action)s: %(count)s") % {"action": self.offered.label, "count": items_in_words(self.count)}
        return self.shown(
            "ask", title, form=form, problem=problem, offered=self.offered, carried=self.carried(())
        )  # fmt: skip

    def _preview(self, form: ActionForm, problem: str = "", word_form: ActionForm | None = None) -> HttpResponse:
        arguments = form.arguments()
        preview = bulk.preview(self.offered.action, arguments, self.selection, actor=self.actor, now=timezone.now())
        allowed = preview.forecast.allowed
        return self.shown(
            "preview",
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
            confirm=_("%(action)s: %(count)s") % {"action": self.offered.label, "count": items_in_words(allowed)},
            left_out=self.left_out(preview.total),
            at_once=preview.total <= starting.AT_ONCE,
            most_at_once=starting.AT_ONCE,
            asks=bool(form.fields),
            carried=self.carried(form.fields),
            **groups_of(preview, self.addresses.item),
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
        self.begin(run, now)
        return self.receipt(run)


@dataclass(frozen=True)
class Done:
    """What a routine action that was done at once has led to."""

    address: str  # of its receipt
    done: int
    refused: list[str]
    refused_ids: list[str]


def do_now(steps: BulkSteps) -> Done:
    """Do to what is chosen what asks nothing, and tell what was refused and why."""
    now = timezone.now()
    run = bulk.request(steps.offered.action, {}, steps.selection, actor=steps.actor, now=now)
    steps.begin(run, now)
    by_reason: dict[str, list[str]] = {}
    for item in run.items.filter(outcome=RunItem.Outcome.REFUSED).order_by("pk"):
        by_reason.setdefault(runs.refusal_of(item), []).append(item.workitem_id)
    told = [f"{_some(ids)}: {why}" for why, ids in by_reason.items()]
    return Done(steps.addresses.run(run), run.done, told, [one for ids in by_reason.values() for one in ids])


def items_in_words(count: int) -> str:
    """Return so many workitems in words."""
    return ngettext("%s workitem", "%s workitems", count) % grouped(count)


def _some(ids: list[str], most: int = 3) -> str:
    named, more = ", ".join(ids[:most]), len(ids) - most
    if more <= 0:
        return named
    return ngettext("%(ids)s and %(count)d more", "%(ids)s and %(count)d more", more) % {"ids": named, "count": more}
