"""What the receipt of one action on many workitems shows, and what such an action is given, in words."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Contact
from workitems import bulk
from workitems.choices import Action, EndedBy, Priority
from workitems.models import BulkRun, Disposition
from workitems.presenting.receipts import Receipt
from workitems.presenting.run_words import Fact


class BulkReceipt(Receipt[BulkRun]):
    """Work on many as one person sees it now."""

    words = {
        "all": gettext_lazy("All bulk runs"),
        "cancel": gettext_lazy("Cancel this run?"),
        "cancel_it": gettext_lazy("Cancel the run"),
        "undo": gettext_lazy("Undo this run?"),
        "undo_means": gettext_lazy("Each gets back what the run has changed. The undo is a run of its own, with a "
                                   "receipt."),
        "kept": gettext_lazy("Touched since, or so before, and left as they are"),
        "leave": gettext_lazy("Leave them as they are"),
    }  # fmt: skip

    @property
    def title(self) -> str:
        """What is done."""
        return title_of(self.run)

    @property
    def headline(self) -> str:
        """How many are done."""
        return (
            _("%(done)s of %(total)s done, %(refused)s refused, %(failed)s set aside, %(pending)s pending.")
            % self.counted()
        )

    @property
    def terms(self) -> list[Fact]:
        """What was asked for."""
        return facts_of(Action(self.run.action), self.run.arguments)

    @property
    def can_undo(self) -> bool:
        """Whether it has done something whose former state can be restored exactly."""
        return bulk.can_be_undone(self.run)

    @property
    def undo_hint(self) -> str:
        """Why it cannot be taken back, where it never can."""
        if "mergeId" in self.run.arguments:
            return _("Undo the merge of the contacts to take this back.")
        if self.run.undoes_id is not None or Action(self.run.action) in bulk.UNDOING:
            return ""
        return _("This cannot be undone.")

    @property
    def leaves_changed(self) -> bool:
        """Whether an undo would leave what has changed since; one of an edit asks for the fields only."""
        return self.can_undo and self.run.action != Action.EDIT

    @cached_property
    def undoes(self) -> BulkRun | None:
        """The run that this one takes back."""
        undone: BulkRun | None = self.run.undoes
        return undone

    @cached_property
    def undone_by(self) -> list[BulkRun]:
        """The runs that have taken it back."""
        return list(self.run.undone_by.order_by("pk"))

    def undoable(self) -> QuerySet[Any]:
        """Return what nobody has touched since."""
        return bulk.undoable(self.run)


def title_of(run: BulkRun) -> str:
    """Return what is done, in a word or two."""
    action = str(Action(run.action).label)
    return _("Undo: %s") % action if run.undoes_id is not None else action


def facts_of(action: Action, arguments: bulk.Arguments) -> list[Fact]:
    """Return what an action is given, in words."""
    facts = [Fact(_("Action"), str(action.label))]
    if "reason" in arguments:
        facts.append(Fact(_("Ended by"), str(EndedBy(arguments["reason"]).label)))
    if "priority" in arguments:
        facts.append(Fact(_("Priority"), str(Priority(arguments["priority"]).label)))
    if "place" in arguments:
        facts.append(Fact(_("Place"), _("At its old place") if arguments["place"] == "old" else _("At the end")))
    if "onlyFrom" in arguments:
        facts.append(Fact(_("From"), arguments["onlyFrom"]))
    if "dispositionId" in arguments:
        facts.append(Fact(_("Disposition"), _disposition(arguments["dispositionId"])))
    if "contactId" in arguments:
        facts.append(Fact(_("Contact"), _contact(arguments["contactId"])))
    for text in (arguments.get("note"), arguments.get("text")):
        if text:
            facts.append(Fact(_("Note"), text))
    if "until" in arguments:
        until = arguments["until"]
        moment = None if until is None else datetime.fromtimestamp(until / 1000, UTC)
        facts.append(Fact(_("Until"), "" if moment else _("Policies may act again"), moment))
    return facts


def _disposition(disposition_id: str) -> str:
    found = Disposition.objects.filter(disposition_id=disposition_id).first()
    return found.name if found else disposition_id


def _contact(contact_id: str | None) -> str:
    found = Contact.objects.filter(contact_id=contact_id).first() if contact_id else None
    return str(found) if found else contact_id or _("None")
