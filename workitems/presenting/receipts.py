"""What the receipt of work on many shows: facts, progress, and every item with its outcome."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.http import quote_etag, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workitems.actors import Actor
from workitems.models import BulkRun, RunItem, Transfer, Workitem
from workitems.presenting.addresses import Addresses
from workitems.presenting.run_words import COUNTS, OUTCOMES, Chip, Fact, Line, Outcome, State, progress_of, reason_of
from workitems.presenting.words import grouped, is_key

ITEMS_SHOWN = 50
SAMPLES = 10
# the reasons in a word or two; the sentence of each item says more
REASONS = {
    "not_found": gettext_lazy("gone, or not visible"),
    "scope": gettext_lazy("scope missing"),
    "transfer_in": gettext_lazy("may not send there"),
    "state": gettext_lazy("wrong state"),
    "queue_closed": gettext_lazy("queue closed"),
    "queue_channel": gettext_lazy("channel not taken"),
    "already_in_queue": gettext_lazy("there already"),
    "already_with_agent": gettext_lazy("with the agent already"),
    "agent_unavailable": gettext_lazy("agent unavailable"),
    "touched_since": gettext_lazy("changed since"),
    "channel": gettext_lazy("wrong channel"),
    "archived": gettext_lazy("in the archive"),
    "not_archived": gettext_lazy("not in the archive"),
    "no_queue": gettext_lazy("came from no queue"),
    "disposition_does_not_apply": gettext_lazy("disposition does not fit"),
    "invalid": gettext_lazy("value does not fit"),
}


R = TypeVar("R", Transfer, BulkRun)


class Receipt(Generic[R]):
    """A run as one person sees it now, with the items that he asks for."""

    done_word: str | Promise = gettext_lazy("Done")
    words: ClassVar[dict[str, str | Promise]]  # what pages call the run, and what is done in it

    def __init__(self, run: R, actor: Actor, asked: Mapping[str, str], now: datetime, *, addresses: Addresses) -> None:
        self.run: R = run
        self.actor, self.now, self.addresses = actor, now, addresses
        self.outcome = asked.get("outcome", "") if asked.get("outcome", "") in Outcome.values else ""
        self.code = asked.get("code", "") if self.outcome == Outcome.REFUSED else ""
        self.after, self.before = _number(asked.get("after", "")), _number(asked.get("before", ""))
        self.carried = {name: asked[name] for name in addresses.carried if asked.get(name)}

    @property
    def title(self) -> str:
        """What the run is called."""
        raise NotImplementedError

    @property
    def headline(self) -> str:
        """What has come of it so far, in a sentence."""
        raise NotImplementedError

    @property
    def terms(self) -> list[Fact]:
        """What was asked for."""
        raise NotImplementedError

    @property
    def can_undo(self) -> bool:
        """Whether it has done something that could be taken back."""
        raise NotImplementedError

    @property
    def undo_hint(self) -> str:
        """Why it cannot be taken back, where it never can."""
        return ""

    @cached_property
    def undoes(self) -> R | None:
        """The run that this one takes back."""
        raise NotImplementedError

    @cached_property
    def undone_by(self) -> list[R]:
        """The runs that have taken it back."""
        raise NotImplementedError

    def undoable(self) -> QuerySet[Any]:
        """Return the items that could go back now."""
        raise NotImplementedError

    @cached_property
    def etag(self) -> str:
        """Return what stays the same as long as nothing of the receipt has changed."""
        one = self.run
        facts = [
            one.pk, one.state, one.done, one.refused, one.failed, one.total, one.moved_at, one.paused_at,
            one.finished_at, self.outcome, self.code, self.after, self.before, self.carried, self.actor.name,
        ]  # fmt: skip
        facts += [undoing.pk for undoing in self.undone_by]
        return str(quote_etag(hashlib.sha256(repr(facts).encode()).hexdigest()[:32]))

    def context(self) -> dict[str, Any]:
        """Return what the templates show."""
        lines, newer, older = self._lines()
        return {
            **progress_of(self.run, self.now),
            "done_word": self.done_word,
            "headline": self.headline,
            "can_undo": self.can_undo,
            "undo_hint": self.undo_hint,
            "facts": [*self.terms, *self._facts()],
            "undoes": self.undoes,
            "undone_by": self.undone_by,
            "chips": self._chips(),
            "reasons": self._reasons(),
            "lines": lines,
            "newer": newer,
            "older": older,
            "query": self._query(outcome=self.outcome, code=self.code, after=self.after, before=self.before),
            "selected_in": self.addresses.selected(self.run),
        }

    def undo_question(self) -> dict[str, Any]:
        """Return how many items can go back and how many were touched since, with some of these."""
        undoable = self.undoable()
        count = undoable.count()
        done = self.run.items.filter(outcome=Outcome.DONE)
        touched = self.run.done - count
        kept = done.exclude(pk__in=undoable.order_by().values("pk")).order_by("pk") if touched else done.none()
        ids = list(kept.values_list("workitem_id", flat=True)[:SAMPLES])
        seen = dict(
            Workitem.objects.visible_to(self.actor).filter(workitem_id__in=ids).values_list("workitem_id", "pk")
        )
        pages = {one: self.addresses.item(pk, one) for one, pk in seen.items()}
        return {
            "can_go": count,
            "can_go_text": grouped(count),
            "done": grouped(self.run.done),
            "touched": touched,
            "touched_text": grouped(touched),
            "samples": [(one, pages.get(one, "")) for one in ids],
            "left_out": grouped(touched - len(ids)) if touched > len(ids) else "",
        }

    def counted(self) -> dict[str, str]:
        """Return the counts as people read them."""
        return {name: grouped(getattr(self.run, name)) for name in (*COUNTS, "total")}

    def _facts(self) -> list[Fact]:
        run = self.run
        moments = {_("Started"): run.started_at, _("Finished"): run.finished_at}
        if run.state == State.PENDING and run.start_at > self.now:
            moments = {_("Starts"): run.start_at, **moments}
        return [Fact(term, moment=moment) for term, moment in moments.items() if moment is not None]

    def _query(self, **values: Any) -> str:
        kept = {**self.carried, **values}
        return urlencode({name: value for name, value in kept.items() if value})

    def _chips(self) -> list[Chip]:
        chips = [Chip(_("All"), grouped(self.run.total), self._query(), not self.outcome)]
        for name, outcome in zip(COUNTS, (Outcome.DONE, Outcome.REFUSED, Outcome.FAILED, Outcome.PENDING), strict=True):
            count, is_on = getattr(self.run, name), outcome == self.outcome
            if count or is_on:
                chips.append(Chip(self._word(outcome), grouped(count), self._query(outcome=outcome.value), is_on))
        return chips

    def _word(self, outcome: RunItem.Outcome) -> str:
        return str(self.done_word if outcome == Outcome.DONE else OUTCOMES[outcome][1])

    def _reasons(self) -> list[Chip]:
        counted = sorted(self.run.refusals.items(), key=lambda one: -one[1])
        return [
            Chip(
                str(REASONS.get(code, code)),
                grouped(count),
                self._query(outcome=Outcome.REFUSED.value, code=code),
                code == self.code,
            )
            for code, count in counted
        ]

    def _lines(self) -> tuple[list[Line], str, str]:
        """Return a page of the items, and the queries of the pages before and after it."""
        rows = self.run.items.all()
        if self.outcome:
            rows = rows.filter(outcome=self.outcome)
        if self.code:
            rows = rows.filter(code=self.code)
        backwards = bool(self.before)
        if backwards:
            items = list(rows.filter(pk__lt=self.before).order_by("-pk")[: ITEMS_SHOWN + 1])
        else:
            items = list(rows.filter(pk__gt=self.after).order_by("pk")[: ITEMS_SHOWN + 1])
        more = len(items) > ITEMS_SHOWN
        items = items[:ITEMS_SHOWN]
        if backwards:
            items.reverse()
        has_before, has_after = (more, True) if backwards else (self.after > 0, more)
        shared = {"outcome": self.outcome, "code": self.code}
        newer = self._query(**shared, before=items[0].pk) if items and has_before else ""
        older = self._query(**shared, after=items[-1].pk) if items and has_after else ""
        seen = self._seen(items)
        return [self._line(item, seen.get(item.workitem_id)) for item in items], newer, older

    def _seen(self, items: list[Any]) -> dict[str, Workitem]:
        ids = [item.workitem_id for item in items]
        rows = Workitem.objects.visible_to(self.actor).filter(workitem_id__in=ids)
        return {row.workitem_id: row for row in rows.select_related("queue", "agent")}

    def _line(self, item: RunItem, row: Workitem | None) -> Line:
        about = ""
        if row is not None:
            place = row.agent_username or (row.queue.name if row.queue else "")
            about = " · ".join(text for text in (row.name, row.get_state_display(), place) if text)
        return Line(
            workitem_id=item.workitem_id,
            address=self.addresses.item(row.pk, row.workitem_id) if row is not None else "",
            about=about,
            outcome=item.outcome,
            icon=OUTCOMES[Outcome(item.outcome)][0],
            word=self._word(Outcome(item.outcome)),
            reason=self._reason(item, row),
        )

    def _reason(self, item: RunItem, row: Workitem | None) -> str:
        changed = item.outcome == Outcome.DONE and row is not None and row.version != item.version
        if changed and self.leaves_changed:
            return _("Changed since; an undo would leave it.")
        return reason_of(item)

    @property
    def leaves_changed(self) -> bool:
        """Whether an undo would leave what has changed since."""
        return self.can_undo


def _number(text: str) -> int:
    return int(text) if is_key(text) else 0
