"""What a person fills in for a transfer, of one workitem and of many."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from queues.models import Queue
from workitems import transfers
from workitems.actors import Actor
from workitems.choices import Priority, Recording
from workitems.presenting.transfer_targets import agents_for, queues_for

NOW, LATER = "now", "later"
REASONS = [
    gettext_lazy("Wrong queue"),
    gettext_lazy("Queue is overloaded"),
    gettext_lazy("Agent is absent"),
    gettext_lazy("Customer asked for it"),
    gettext_lazy("Needs a specialist"),
]
RECORDINGS = [
    ("", gettext_lazy("Leave it to the telephony")),
    *Recording.choices,
]


class TransferForm(forms.Form):
    """Where to, why, how urgent and when."""

    target = forms.CharField(error_messages={"required": gettext_lazy("Choose a queue or an agent.")})
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=transfers.MOST_REASON,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    priority = forms.TypedChoiceField(
        label=gettext_lazy("Priority"),
        choices=[("", gettext_lazy("Keep as it is")), *reversed(Priority.choices)],
        coerce=int,
        empty_value=None,
        required=False,
    )
    recording = forms.ChoiceField(label=gettext_lazy("Recording"), choices=RECORDINGS, required=False)
    when = forms.ChoiceField(
        choices=[(NOW, gettext_lazy("Now")), (LATER, gettext_lazy("At a time"))], initial=NOW, required=False
    )
    at = forms.CharField(
        label=gettext_lazy("Date and time"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )
    zone = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        for name in ("reason", "priority", "at"):
            if self.is_bound and name in self.errors:
                self.fields[name].widget.attrs |= {"aria-invalid": "true", "aria-describedby": f"{name}-errors"}

    def clean_target(self) -> Queue | User:
        """Find the queue or the agent among those that the person may choose."""
        kind, _colon, public_id = self.cleaned_data["target"].partition(":")
        found: Queue | User | None = None
        if kind == "queue":
            found = next((one for one in queues_for(self.actor) if one.queue_id == public_id), None)
        elif kind == "agent":
            found = agents_for(self.actor).filter(username=public_id).first()
        if found is None:
            raise ValidationError(_("This queue or agent cannot be chosen; choose another one."))
        return found

    def clean_zone(self) -> str:
        """Fall back to the server's zone where the browser has told none that is known."""
        return zone_of(self.cleaned_data["zone"]).key

    def clean(self) -> dict[str, Any]:
        """Read the time as the clock on the person's wall shows it."""
        cleaned = super().clean() or {}
        if cleaned.get("when") != LATER:
            cleaned["start_at"] = None
            return cleaned
        try:
            at = datetime.fromisoformat(cleaned.get("at", ""))
        except ValueError:
            self.add_error("at", _("Enter a date and a time."))
            return cleaned
        start_at, now = at.replace(tzinfo=zone_of(cleaned.get("zone", ""))), timezone.now()
        if start_at <= now:
            self.add_error("at", _("This time is past."))
        elif start_at > now + transfers.LONGEST_DELAY:
            self.add_error("at", _("Choose a time within a year."))
        cleaned["start_at"] = start_at
        return cleaned

    @property
    def terms(self) -> transfers.Terms:
        """Return what was chosen."""
        target = self.cleaned_data["target"]
        return transfers.Terms(
            queue=target if isinstance(target, Queue) else None,
            agent=target if isinstance(target, User) else None,
            reason=self.cleaned_data["reason"],
            priority=self.cleaned_data["priority"],
        )

    @property
    def told_recording(self) -> Recording | None:
        """Return what the telephony is to do with a running recording, None where nothing is said."""
        chosen = self.cleaned_data["recording"]
        return Recording(chosen) if chosen else None


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone of this name, or the server's."""
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return ZoneInfo(timezone.get_default_timezone_name())
