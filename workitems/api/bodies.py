"""What may stand in a request's body: one small shape per operation; a field that is not in it is refused."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from queues.channels import Channel
from workitems.choices import EndedBy, Recording, Type


class Body(serializers.Serializer[Any]):
    """A body that knows all its fields."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse names that mean nothing here, rather than lose what the caller wanted."""
        if isinstance(data, dict):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                allowed = ", ".join(self.fields) or _("none")
                problem = _("Unknown field; allowed are: %s.") % allowed
                raise serializers.ValidationError({name: [problem] for name in unknown})
        return super().to_internal_value(data)


class Nothing(Body):
    """An empty body."""


class HoldBody(Body):
    """Hold, or resume with `false`."""

    hold = serializers.BooleanField(default=True)


class HangUpBody(Body):
    """Why it ended."""

    reason = serializers.ChoiceField(
        choices=[EndedBy.AGENT.value, EndedBy.CUSTOMER.value, EndedBy.SYSTEM.value], default=EndedBy.AGENT.value
    )


class PriorityBody(Body):
    """How urgent it is."""

    priority = serializers.IntegerField(min_value=1, max_value=5)


class ToAgentBody(Body):
    """What a transfer to an agent may say beside its path."""

    userId = serializers.CharField(required=False)  # noqa: N815  the wire's own name
    workitemId = serializers.CharField(required=False)  # noqa: N815
    eventName = serializers.CharField(required=False, allow_blank=True, max_length=64)  # noqa: N815
    recording = serializers.ChoiceField(choices=Recording.values, required=False)
    survey = serializers.CharField(required=False, allow_blank=True, max_length=64)


class ToQueueBody(Body):
    """What a transfer to a queue may say beside its path."""

    inboxId = serializers.CharField(required=False)  # noqa: N815
    workitemId = serializers.CharField(required=False)  # noqa: N815
    eventName = serializers.CharField(required=False, allow_blank=True, max_length=64)  # noqa: N815
    recording = serializers.ChoiceField(choices=Recording.values, required=False)
    ringAll = serializers.BooleanField(required=False, allow_null=True, default=None)  # noqa: N815
    survey = serializers.CharField(required=False, allow_blank=True, max_length=64)


class CreateBody(Body):
    """A workitem that arrives, or that an agent starts."""

    type = serializers.ChoiceField(choices=Type.values)
    channelType = serializers.ChoiceField(choices=Channel.values, required=False, default="")  # noqa: N815
    workitemId = serializers.CharField(required=False, default="", max_length=64)  # noqa: N815
    selectedQueue = serializers.CharField(required=False, default="", allow_blank=True)  # noqa: N815
    agentUsername = serializers.CharField(required=False, default="", allow_blank=True)  # noqa: N815
    contactId = serializers.CharField(required=False, default="", allow_blank=True)  # noqa: N815
    name = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)
    priority = serializers.IntegerField(required=False, default=None, min_value=1, max_value=5)
    data = serializers.DictField(required=False, default=dict)  # type: ignore[assignment]  # also a property of DRF's
    currentStateName = serializers.CharField(required=False, default="", max_length=64)  # noqa: N815

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, a word of Python's that cannot stand in the class, and its counterpart."""

        def address() -> serializers.CharField:
            return serializers.CharField(required=False, default="", allow_blank=True, max_length=254)

        return {**super().get_fields(), "from": address(), "to": address()}
