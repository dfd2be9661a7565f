"""What comes back, for the document only: representation.py builds it without serializers."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from queues.channels import Channel
from workitems.api.errors import all_codes
from workitems.api.strict import Body, words
from workitems.choices import Action, Door, Recording, State, Type
from workitems.models import Presence, Run, RunItem

Shape = type[serializers.Serializer[Any]]


class Wire(serializers.Serializer[Any]):
    """Everything may be left out by `fields` and `expand`."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Require nothing."""
        fields = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields


def said(**options: Any) -> serializers.CharField:
    """Return text that may be empty."""
    return serializers.CharField(allow_blank=True, **options)


def moment() -> serializers.IntegerField:
    """Return a moment in Unix milliseconds, 0 while it is not set."""
    return serializers.IntegerField(min_value=0, help_text="Unix milliseconds, 0 while it is not set")


class Free(serializers.DictField):
    """An object of the integrations' own."""

    child = serializers.JSONField()


class ContactWire(Wire):
    """A contact."""

    contactId = said()  # noqa: N815  the wire's own name
    displayName = said()  # noqa: N815
    firstName = said()  # noqa: N815
    lastName = said()  # noqa: N815
    company = said()
    phones = serializers.ListField(child=said())
    emails = serializers.ListField(child=said())
    source = said()  # type: ignore[assignment]
    externalId = said()  # noqa: N815
    blocked = serializers.BooleanField()
    notes = said()
    data = Free()  # type: ignore[assignment]
    createdAt = moment()  # noqa: N815
    modifiedAt = moment()  # noqa: N815
    version = serializers.IntegerField()


class TimeEventWire(Wire):
    """One line of a workitem's history."""

    type = said()
    timestamp = moment()
    userId = said()  # noqa: N815
    door = serializers.ChoiceField(choices=Door.values)
    token = said()
    requestId = said()  # noqa: N815
    queueId = said()  # noqa: N815
    agentUsername = said()  # noqa: N815
    details = Free()
    fromState = said()  # noqa: N815
    toState = said()  # noqa: N815
    version = serializers.IntegerField()


class WorkitemWire(Wire):
    """A workitem as the caller sees it."""

    _id = said()
    workitemId = said()  # noqa: N815
    tenantId = said()  # noqa: N815
    channelType = serializers.ChoiceField(choices=Channel.values)  # noqa: N815
    type = serializers.ChoiceField(choices=Type.values)
    state = serializers.ChoiceField(choices=State.values)
    currentStateName = said()  # noqa: N815
    priority = serializers.IntegerField(min_value=1, max_value=5)
    contactId = said()  # noqa: N815
    contact = ContactWire(allow_null=True)
    agentUsername = said()  # noqa: N815
    selectedQueue = said()  # noqa: N815
    createdAt = moment()  # noqa: N815
    assignedAt = moment()  # noqa: N815
    terminatedAt = moment()  # noqa: N815
    modifiedAt = moment()  # noqa: N815
    dispositionedAt = moment()  # noqa: N815
    queuedAt = moment()  # noqa: N815
    archivedAt = moment()  # noqa: N815
    staleAt = moment()  # noqa: N815
    exemptUntil = moment()  # noqa: N815
    actions = serializers.ListField(child=serializers.ChoiceField(choices=Action.values))
    timeEvents = TimeEventWire(many=True)  # noqa: N815
    dispositionId = said()  # noqa: N815
    dispositionNote = said()  # noqa: N815
    muted = serializers.BooleanField()
    name = said()
    data = Free()  # type: ignore[assignment]
    version = serializers.IntegerField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, a word of Python's that cannot stand in the class, and its counterpart."""
        ends = {name: said(required=False) for name in ("from", "to")}
        return {**super().get_fields(), **ends}


class QueueWire(Wire):
    """A queue."""

    queueId = said()  # noqa: N815
    name = said()
    description = said()
    channels = serializers.ListField(child=serializers.ChoiceField(choices=Channel.values))
    slaSeconds = serializers.DictField(child=serializers.IntegerField(min_value=0))  # noqa: N815
    isOpen = serializers.BooleanField()  # noqa: N815
    priority = serializers.IntegerField(min_value=1, max_value=5)
    shortAbandonSeconds = serializers.IntegerField()  # noqa: N815
    offerTimeoutSeconds = serializers.IntegerField()  # noqa: N815
    wrapUpSeconds = serializers.IntegerField()  # noqa: N815
    offersAutomatically = serializers.BooleanField()  # noqa: N815
    members = serializers.ListField(child=said())
    supervisors = serializers.ListField(child=said())
    version = serializers.IntegerField()


class DispositionWire(Wire):
    """A disposition."""

    dispositionId = said()  # noqa: N815
    name = said()
    resolved = serializers.BooleanField()
    types = serializers.ListField(child=serializers.ChoiceField(choices=Type.values))
    isActive = serializers.BooleanField()  # noqa: N815
    version = serializers.IntegerField()


class AgentWire(Wire):
    """Somebody who works in queues."""

    userId = said()  # noqa: N815
    username = said()
    firstName = said()  # noqa: N815
    lastName = said()  # noqa: N815
    isActive = serializers.BooleanField()  # noqa: N815
    queues = serializers.ListField(child=said())
    presence = serializers.ChoiceField(choices=["", *Presence.Status.values])
    presenceSince = moment()  # noqa: N815
    capacity = serializers.DictField(child=serializers.IntegerField(min_value=0))


class ErrorWire(serializers.Serializer[Any]):
    """What went wrong: a code for programs, a message for people, and the request's name to ask about it."""

    code = serializers.ChoiceField(choices=all_codes())
    message = said()
    requestId = said()  # noqa: N815
    details = serializers.DictField(
        child=serializers.JSONField(), required=False, help_text="The fields at fault, with reasons"
    )


class ActionWire(serializers.Serializer[Any]):
    """An action, and why it is not possible."""

    action = serializers.ChoiceField(choices=Action.values)
    allowed = serializers.BooleanField()
    code = said()
    message = said()


class ActionsWire(serializers.Serializer[Any]):
    """Every action."""

    actions = ActionWire(many=True)


class TimelineWire(serializers.Serializer[Any]):
    """Events, oldest first."""

    count = serializers.IntegerField()
    timeEvents = TimeEventWire(many=True)  # noqa: N815


class RehearsalWire(serializers.Serializer[Any]):
    """What would happen."""

    dryRun = serializers.BooleanField()  # noqa: N815
    changes = serializers.BooleanField()
    event = said()
    fromState = said()  # noqa: N815
    toState = serializers.ChoiceField(choices=State.values)  # noqa: N815
    selectedQueue = said()  # noqa: N815
    agentUsername = said()  # noqa: N815
    version = serializers.IntegerField()


class TokenWire(serializers.Serializer[Any]):
    """A token, and where to go with it."""

    location = said()
    token = said()
    clientLocation = said()  # noqa: N815


class MineWire(serializers.Serializer[Any]):
    """What the caller has in hand."""

    objects = WorkitemWire(many=True)


class BulkLine(serializers.Serializer[Any]):
    """One command; what it needs beside these stands next to them, as in a request of its own."""

    workitemId = words(64, required=True, allow_blank=False)  # noqa: N815
    action = serializers.ChoiceField(choices=Action.values)
    ifVersion = serializers.IntegerField(required=False, min_value=0)  # noqa: N815
    selectedQueue = words(64)  # noqa: N815
    agentUsername = words(150)  # noqa: N815
    priority = serializers.IntegerField(required=False, min_value=1, max_value=5)
    reason = serializers.ChoiceField(choices=["agent", "customer", "system"], required=False)
    recording = serializers.ChoiceField(choices=Recording.values, required=False)
    dispositionId = words(64)  # noqa: N815
    note = words(16_384)
    text = words(16_384)
    keepsPlace = serializers.BooleanField(required=False)  # noqa: N815
    until = serializers.IntegerField(required=False, min_value=0, allow_null=True)


class BulkBody(Body):
    """Up to a thousand commands."""

    commands = serializers.ListField(child=BulkLine(), min_length=1, max_length=1000)


class BulkResult(serializers.Serializer[Any]):
    """What became of one command."""

    index = serializers.IntegerField()
    workitemId = said()  # noqa: N815
    status = serializers.ChoiceField(choices=["done", "unchanged", "refused"])
    version = serializers.IntegerField(required=False)
    code = said(required=False)
    message = said(required=False)
    details = serializers.DictField(child=serializers.JSONField(), required=False)


class BulkWire(serializers.Serializer[Any]):
    """What became of all of them."""

    count = serializers.IntegerField()
    done = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = BulkResult(many=True)


class TransferWire(Wire):
    """A bulk transfer, and how far it has got."""

    transferId = said()  # noqa: N815
    state = serializers.ChoiceField(choices=Run.State.values)
    total = serializers.IntegerField(min_value=0)
    done = serializers.IntegerField(min_value=0)
    refused = serializers.IntegerField(min_value=0)
    failed = serializers.IntegerField(min_value=0, help_text="Set aside after five attempts")
    pending = serializers.IntegerField(min_value=0)
    refusals = serializers.DictField(child=serializers.IntegerField(), help_text="How many were refused, by code")
    ratePerSecond = serializers.FloatField(help_text="So far, pauses left out")  # noqa: N815
    remainingSeconds = serializers.IntegerField(allow_null=True)  # noqa: N815
    createdAt = moment()  # noqa: N815
    startAt = moment()  # noqa: N815
    startedAt = moment()  # noqa: N815
    finishedAt = moment()  # noqa: N815
    requestedBy = said()  # noqa: N815
    reason = said()
    priority = serializers.IntegerField(min_value=1, max_value=5, allow_null=True)
    q = said()
    selectedQueue = said()  # noqa: N815
    agentUsername = said()  # noqa: N815
    undoes = said()
    undoable = serializers.IntegerField(
        allow_null=True, help_text="How many an undo would bring back, once it is finished; not in lists"
    )


class UndoingWire(TransferWire):
    """A transfer that takes another one back."""

    left = serializers.IntegerField(min_value=0, help_text="How many stay where they are")


class TransferItemWire(Wire):
    """One line of a receipt."""

    workitemId = said()  # noqa: N815
    outcome = serializers.ChoiceField(choices=RunItem.Outcome.values)
    code = said()
    message = said()
    attempts = serializers.IntegerField()
    error = said()
    version = serializers.IntegerField(allow_null=True, help_text="The workitem's after its move")


class ForecastRefusalWire(serializers.Serializer[Any]):
    """Why some would be refused, how many, and some of them."""

    code = said()
    message = said()
    count = serializers.IntegerField()
    samples = serializers.ListField(child=said())


class LoadWire(serializers.Serializer[Any]):
    """How the target stands."""

    waiting = serializers.IntegerField(help_text="In the queue")
    longestWaitSince = moment()  # noqa: N815
    inHand = serializers.IntegerField(help_text="With the agent")  # noqa: N815
    isOpen = serializers.BooleanField()  # noqa: N815


class DriftSamplesWire(serializers.Serializer[Any]):
    """Some of the ids of each kind."""

    changed = serializers.ListField(child=said())
    gone = serializers.ListField(child=said())
    new = serializers.ListField(child=said())


class DriftWire(serializers.Serializer[Any]):
    """What has become of the selection since it was seen."""

    changed = serializers.IntegerField()
    gone = serializers.IntegerField()
    new = serializers.IntegerField()
    samples = DriftSamplesWire()


class PreviewWire(serializers.Serializer[Any]):
    """What a transfer would do."""

    dryRun = serializers.BooleanField()  # noqa: N815
    total = serializers.IntegerField()
    willMove = serializers.IntegerField()  # noqa: N815
    samples = serializers.ListField(child=said())
    refused = ForecastRefusalWire(many=True)
    missing = serializers.IntegerField()
    missingSamples = serializers.ListField(child=said())  # noqa: N815
    target = LoadWire(allow_null=True, help_text="null where the caller may send work in, but not see it")
    drift = DriftWire(allow_null=True, help_text="null without seenAt")


class RefusedItemWire(serializers.Serializer[Any]):
    """A workitem that stays where it is, and why."""

    workitemId = said()  # noqa: N815
    code = said()
    message = said()


class ReturnedWire(serializers.Serializer[Any]):
    """What became of all that an agent had in hand."""

    done = serializers.IntegerField()
    refused = RefusedItemWire(many=True)


def page_of(shape: Shape, *, by_cursor: bool) -> Shape:
    """Return the shape of a page of these."""
    name = shape.__name__.removesuffix("Wire")
    fields: dict[str, Any] = {
        "__doc__": "A page of a list.",
        "count": serializers.IntegerField(help_text="Objects on this page"),
        "total": serializers.IntegerField(required=False, help_text="All that match; left out with total=none"),
        "totalCapped": serializers.BooleanField(required=False, help_text="There are more than total"),
        "objects": shape(many=True),
    }
    if by_cursor:
        fields["next"] = said(help_text="The cursor of the next page, empty after the last row")
    return type(f"{name}{'CursorPage' if by_cursor else 'Page'}", (serializers.Serializer,), fields)
