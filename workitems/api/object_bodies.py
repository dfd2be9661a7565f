"""What may stand in the body of a contact, a queue or a disposition, and in what an agent says of himself.

A PATCH names only what is to change.
"""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from rest_framework import serializers

from queues.channels import Channel
from workitems.api.strict import Body, Choice, StrictBoolean, StrictInteger, StrictText, words
from workitems.choices import Priority, Type
from workitems.models import Presence
from workitems.models.presence import MOST_AT_ONCE

MOST_SECONDS = 2**31 - 1
# what people choose; that somebody gave no answer is the system's to say
PRESENCES = [one.value for one in Presence.Status if one is not Presence.Status.NO_ANSWER]
PUBLIC_ID = r"^[A-Za-z0-9_.:-]{1,64}\Z"


def seconds(least: int = 0) -> StrictInteger:
    """Return an optional field for a number of seconds."""
    return StrictInteger(required=False, min_value=least, max_value=MOST_SECONDS)


def public_id(**options: Any) -> StrictText:
    """Return a field for an id that is chosen once."""
    return StrictText(max_length=64, validators=[RegexValidator(PUBLIC_ID)], **options)


class ContactChanges(Body):
    """The facts of a contact; the id may repeat the path's."""

    contactId = words(64)  # noqa: N815
    displayName = words(200, allow_blank=False)  # noqa: N815  the wire's own name
    firstName = words(100)  # noqa: N815
    lastName = words(100)  # noqa: N815
    company = words(200)
    phones = serializers.ListField(child=StrictText(max_length=50), required=False, max_length=50)
    emails = serializers.ListField(child=StrictText(max_length=254), required=False, max_length=50)
    source = words(50)  # type: ignore[assignment]  # also a property of DRF's
    externalId = words(100)  # noqa: N815
    blocked = StrictBoolean(required=False)
    notes = words(65_536)
    data = serializers.DictField(required=False)  # type: ignore[assignment]  # also a property of DRF's


class ContactBody(ContactChanges):
    """A new contact."""

    contactId = public_id(required=False)  # noqa: N815
    displayName = StrictText(max_length=200)  # noqa: N815


class QueueChanges(Body):
    """The facts of a queue; lists stand for the whole of them, the id may repeat the path's."""

    queueId = words(64)  # noqa: N815
    name = words(100, allow_blank=False)
    description = words(65_536)
    channels = serializers.ListField(child=Choice(choices=Channel.values), required=False, max_length=len(Channel))
    slaSeconds = serializers.DictField(child=StrictInteger(min_value=0, max_value=MOST_SECONDS), required=False)  # noqa: N815
    isOpen = StrictBoolean(required=False)  # noqa: N815
    priority = StrictInteger(required=False, min_value=Priority.LOWEST, max_value=Priority.HIGHEST)
    shortAbandonSeconds = seconds()  # noqa: N815
    offerTimeoutSeconds = seconds(least=1)  # noqa: N815
    wrapUpSeconds = seconds()  # noqa: N815
    offersAutomatically = StrictBoolean(required=False)  # noqa: N815
    members = serializers.ListField(child=StrictText(max_length=150), required=False, max_length=5_000)
    supervisors = serializers.ListField(child=StrictText(max_length=150), required=False, max_length=5_000)


class QueueBody(QueueChanges):
    """A new queue."""

    queueId = public_id()  # noqa: N815
    name = StrictText(max_length=100)


class DispositionChanges(Body):
    """The facts of a disposition; no types mean all of them, the id may repeat the path's."""

    dispositionId = words(64)  # noqa: N815
    name = words(100, allow_blank=False)
    resolved = StrictBoolean(required=False)
    types = serializers.ListField(child=Choice(choices=Type.values), required=False, max_length=len(Type))
    isActive = StrictBoolean(required=False)  # noqa: N815


class DispositionBody(DispositionChanges):
    """A new disposition."""

    dispositionId = public_id()  # noqa: N815
    name = StrictText(max_length=100)


class PresenceBody(Body):
    """Whether an agent takes work."""

    presence = Choice(choices=PRESENCES)


class CapacityBody(Body):
    """How many workitems of each channel an agent has in hand at most; of a channel that is not named, none."""

    capacity = serializers.DictField(child=StrictInteger(min_value=0, max_value=MOST_AT_ONCE))

    def validate_capacity(self, capacity: dict[str, int]) -> dict[str, int]:
        """Know all channels."""
        for name in capacity:
            if name not in Channel.values:
                problem = _("“%(name)s” is none of: %(allowed)s.")
                raise serializers.ValidationError(problem % {"name": name, "allowed": ", ".join(Channel.values)})
        return capacity
