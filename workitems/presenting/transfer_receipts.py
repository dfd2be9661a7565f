"""What the receipt of a bulk transfer shows."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workitems import transfers
from workitems.models import FINISHED, Transfer
from workitems.presenting.receipts import Receipt
from workitems.presenting.run_words import Fact


class TransferReceipt(Receipt[Transfer]):
    """A transfer as one person sees it now."""

    done_word = gettext_lazy("Moved")
    words = {
        "all": gettext_lazy("All transfers"),
        "cancel": gettext_lazy("Cancel this transfer?"),
        "cancel_it": gettext_lazy("Cancel the transfer"),
        "undo": gettext_lazy("Undo this transfer?"),
        "undo_means": gettext_lazy("Each returns to its former queue, place, agent and priority. The undo is a "
                                   "transfer of its own, with a receipt."),
        "kept": gettext_lazy("Touched since, and left where they are"),
        "leave": gettext_lazy("Leave them there"),
    }  # fmt: skip

    @property
    def title(self) -> str:
        """Where it goes."""
        if self.undoes is not None:
            return _("Undo of transfer %(id)s") % {"id": self.undoes.transfer_id}
        return _("Transfer to %(target)s") % {"target": self.run.target}

    @property
    def headline(self) -> str:
        """How many have moved."""
        return (
            _("%(done)s of %(total)s moved, %(refused)s refused, %(failed)s set aside, %(pending)s pending.")
            % self.counted()
        )

    @property
    def terms(self) -> list[Fact]:
        """Where to, why, and how urgent."""
        priority = self.run.get_priority_display() if self.run.priority else _("As it was")
        return [
            Fact(_("To"), target_of(self.run)),
            Fact(_("Reason"), self.run.reason or "–"),
            Fact(_("Priority"), priority),
        ]

    @property
    def can_undo(self) -> bool:
        """Whether it has moved something that could go back."""
        return self.run.state in FINISHED and self.run.undoes_id is None and self.run.done > 0

    @cached_property
    def undoes(self) -> Transfer | None:
        """The transfer that this one takes back."""
        transfer: Transfer | None = self.run.undoes
        return transfer

    @cached_property
    def undone_by(self) -> list[Transfer]:
        """The transfers that have taken it back."""
        return list(self.run.undone_by.order_by("pk"))

    def undoable(self) -> QuerySet[Any]:
        """Return what nobody has touched since."""
        return transfers.undoable(self.run)


def target_of(transfer: Transfer) -> str:
    """Return in a word where it goes."""
    return _("back to where they were") if transfer.undoes is not None else transfer.target
