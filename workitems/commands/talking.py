"""While agent and customer are connected."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from contacts.addresses import normal_address
from workitems.actors import Actor
from workitems.choices import Action, State
from workitems.commands.base import Command, Details
from workitems.errors import (
    InvalidValue,
)
from workitems.lifecycle import LIVE
from workitems.models import Workitem

TONES = re.compile(r"[0-9*#A-D]{1,32}")


@dataclass(frozen=True)
class Bridge(Command):
    """Connect agent and customer."""

    action = Action.BRIDGE


@dataclass(frozen=True)
class Hold(Command):
    """Put the customer on hold."""

    action = Action.HOLD

    def already(self, workitem: Workitem) -> bool:
        """On hold is on hold."""
        return workitem.state == State.HOLD


@dataclass(frozen=True)
class Unhold(Command):
    """Go on talking with a customer on hold."""

    action = Action.UNHOLD

    def already(self, workitem: Workitem) -> bool:
        """Talking is talking."""
        return workitem.state == State.ACTIVE and workitem.channel_type in LIVE


@dataclass(frozen=True)
class Mute(Command):
    """Switch the agent's microphone off."""

    action = Action.MUTE

    def already(self, workitem: Workitem) -> bool:
        """Muted is muted."""
        return workitem.is_muted

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be muted."""
        workitem.is_muted = True
        return {}


@dataclass(frozen=True)
class Unmute(Command):
    """Switch the agent's microphone on."""

    action = Action.UNMUTE

    def already(self, workitem: Workitem) -> bool:
        """Not muted is not muted."""
        return not workitem.is_muted

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Be heard."""
        workitem.is_muted = False
        return {}


@dataclass(frozen=True)
class Dtmf(Command):
    """Send telephone key tones."""

    tones: str
    action = Action.DTMF

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Allow 1 to 32 of the sixteen keys."""
        if not TONES.fullmatch(self.tones):
            raise InvalidValue(field="digit", problem=_("Tones are 1 to 32 characters of 0-9 * # A-D."))

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Keep what was sent."""
        return {"tones": self.tones}


@dataclass(frozen=True)
class Conference(Command):
    """Bring a third party into the conversation."""

    participant: str
    action = Action.CONFERENCE

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require that somebody is named."""
        if not 1 <= len(self.participant.strip()) <= 254:
            raise InvalidValue(field="participant", problem=_("Name a number or address, 254 characters at most."))

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Keep who was brought in."""
        return {"participant": normal_address(self.participant)}


@dataclass(frozen=True)
class LeaveConference(Command):
    """Go on with the customer alone."""

    action = Action.LEAVE_CONFERENCE
