"""What the address of a report says, and the addresses of other reports, of the items behind a figure, of a moment.

A name or a value that is not known is an error and never left out: a report of too much is believed all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from queues.channels import Channel
from workitems.clocks import Slot, Step, Stretch
from workitems.errors import InvalidValue
from workitems.reports import Asked, Period, Subject

SEVERAL = ("queue", "channel")
NAMES = ("range", "from", "to", "step", "by", *SEVERAL)
MOST_VALUES = 100
# which items stand behind a figure, by the work list's name for them
BEHIND = {
    "offered": "offered", "answered": "answered", "abandoned": "abandoned", "abandonedShare": "abandoned",
    "shortAbandoned": "shortAbandoned", "flowedOut": "flowedOut", "waiting": "waiting", "serviceLevel": "serviceLevel",
    "asa": "answered", "longestWait": "offered", "longestWaitInAll": "offered", "handled": "handled", "aht": "handled",
    "wrapUp": "wrappedUpByAgent",
}  # fmt: skip

Choice = TypeVar("Choice", bound=StrEnum)


class By(StrEnum):
    """What the lines of a report's table are."""

    QUEUE = "queue"
    CHANNEL = "channel"
    TIME = "time"
    AGENT = "agent"


@dataclass(frozen=True)
class View:
    """One report as its address names it."""

    asked: Asked = field(default_factory=Asked)
    by: By = By.QUEUE

    def params(self) -> list[tuple[str, str]]:
        """Return what an address has to say to lead here; what is usual is left out."""
        asked = self.asked
        found = [("range", asked.period.value)] if asked.period not in (Period.TODAY, Period.OWN) else []
        if asked.first and asked.last:
            found += [("from", asked.first.isoformat()), ("to", asked.last.isoformat())]
        if asked.step is not None:
            found.append(("step", asked.step.value))
        if self.by is not By.QUEUE:
            found.append(("by", self.by.value))
        return found + [("queue", one) for one in asked.queues] + [("channel", one.value) for one in asked.channels]

    def but(self, *names: str) -> list[tuple[str, str]]:
        """Return the same without these, for a form that asks for them anew."""
        return [(name, value) for name, value in self.params() if name not in names]

    def address(self, name: str = "reports") -> str:
        """Return the address of this report, or of its file."""
        params = self.params()
        return f"{reverse(name)}?{urlencode(params)}" if params else reverse(name)

    def of(self, period: Period) -> View:
        """Return the same for other days, with the step that is usual for them."""
        return replace(self, asked=replace(self.asked, period=period, first=None, last=None, step=None))

    def on(self, day: date) -> View:
        """Return the same of one day by the hour."""
        return replace(self, asked=replace(self.asked, period=Period.OWN, first=day, last=day, step=Step.HOUR))

    def grouped(self, by: By) -> View:
        """Return the same in other lines."""
        subject = Subject.AGENTS if by is By.AGENT else Subject.WORK
        return replace(self, by=by, asked=replace(self.asked, subject=subject))

    def stepped(self, step: Step) -> View:
        """Return the same by the hour or by the day; raise InvalidValue where these are too many days for that."""
        return replace(self, asked=replace(self.asked, step=step))

    def without(self, name: str, value: str) -> View:
        """Return the same without one queue or channel that was asked for."""
        if name == "queue":
            left = tuple(one for one in self.asked.queues if one != value)
            return replace(self, asked=replace(self.asked, queues=left))
        kept = tuple(one for one in self.asked.channels if one != value)
        return replace(self, asked=replace(self.asked, channels=kept))


def read(asked: QueryDict) -> View:
    """Return the report that an address names; raise InvalidValue for what is not known."""
    for name in asked:
        if name not in NAMES:
            raise InvalidValue(field=name, problem=_("A report knows no “%s”.") % name[:100])
        if name not in SEVERAL and len(asked.getlist(name)) > 1:
            raise InvalidValue(field=name, problem=_("“%s” takes one value.") % name)
    first, last = _day(asked, "from"), _day(asked, "to")
    period = _choice(asked, "range", Period, Period.OWN if first or last else Period.TODAY)
    if period is Period.OWN:
        first, last = first or last, last or first  # one alone is that day
    elif first or last:
        raise InvalidValue(field="from", problem=_("Ask for days of your own, or for “%s”, not for both.") % period)
    by = _choice(asked, "by", By, By.QUEUE)
    return View(
        Asked(
            period=period,
            first=first,
            last=last,
            step=_choice(asked, "step", Step, None),
            queues=tuple(_values(asked, "queue")),
            channels=tuple(_channel(one) for one in _values(asked, "channel")),
            subject=Subject.AGENTS if by is By.AGENT else Subject.WORK,
        ),
        by,
    )


def items(figure: str, stretch: Stretch | None, **named: Iterable[str]) -> str:
    """Return the address of the items behind a figure of a stretch of time; "" where no one stretch is meant."""
    if stretch is None or figure not in BEHIND:
        return ""
    params: list[tuple[str, str]] = [("figure", BEHIND[figure])]
    params += [("during_from", _instant(stretch.start)), ("during_to", _instant(stretch.end))]
    params += [(name, value) for name, values in named.items() for value in values]
    return f"{reverse('work')}?{urlencode(params)}"


def moment(slot: Slot, zone: str) -> str:
    """Return the address of how everything stood as an hour began."""
    return f"{reverse('moment')}?{urlencode({'at': f'{slot.shows:%Y-%m-%dT%H:%M}{slot.offset}', 'zone': zone})}"


def _instant(at: Any) -> str:
    return str(at.isoformat().replace("+00:00", "Z"))


def _values(asked: QueryDict, name: str) -> list[str]:
    values = [one for one in dict.fromkeys(asked.getlist(name)) if one]
    if len(values) > MOST_VALUES:
        raise InvalidValue(field=name, problem=_("“%s” takes 100 values at most.") % name)
    for value in values:
        if len(value) > 64 or not value.isprintable():
            raise InvalidValue(field=name, problem=_("“%s” has a value that cannot be meant.") % name)
    return values


def _channel(value: str) -> Channel:
    if value not in Channel.values:
        raise InvalidValue(field="channel", problem=_("There is no channel “%s”.") % value)
    return Channel(value)


def _choice(asked: QueryDict, name: str, choices: type[Choice], usual: Any) -> Any:
    value = asked.get(name, "")
    if not value:
        return usual
    if value not in list(choices):
        known = ", ".join(one.value for one in choices)
        facts = {"name": name, "known": known, "value": value[:100]}
        raise InvalidValue(field=name, problem=_("“%(name)s” takes %(known)s, and not “%(value)s”.") % facts)
    return choices(value)


def _day(asked: QueryDict, name: str) -> date | None:
    value = asked.get(name, "")
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        problem = _("“%s” is no day. Write it as in 2026-11-26.") % value[:100]
        raise InvalidValue(field=name, problem=problem) from None
