"""Fields that take what JSON says and nothing that only looks like it, and bodies that know all their fields."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = (datetime(9999, 12, 31, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)


class StrictText(serializers.CharField):
    """Text as JSON knows it: a number is none, and blanks at its ends belong to it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **options})

    def to_internal_value(self, data: Any) -> str:
        """Take text only."""
        if not isinstance(data, str):
            raise serializers.ValidationError(_("This must be text."))
        return super().to_internal_value(data)


class StrictInteger(serializers.IntegerField):
    """A whole number as JSON knows it: text and truth values are none."""

    def to_internal_value(self, data: Any) -> int:
        """Take whole numbers only."""
        if type(data) is not int:
            raise serializers.ValidationError(_("This must be a whole number."))
        return super().to_internal_value(data)


class StrictMoment(StrictInteger):
    """A moment in Unix milliseconds; 0 stands for none, as everywhere on the wire."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": LATEST, **options})

    def run_validation(self, data: Any = serializers.empty) -> datetime | None:
        """Return the moment, once the number is known to be one."""
        milliseconds: int | None = super().run_validation(data)
        return EPOCH + timedelta(milliseconds=milliseconds) if milliseconds else None


class StrictBoolean(serializers.BooleanField):
    """``true`` or ``false``, not what looks like it, and never what a form leaves out."""

    default_empty_html = serializers.empty

    def to_internal_value(self, data: Any) -> bool:
        """Take truth values only."""
        if type(data) is not bool:
            raise serializers.ValidationError(_("This must be true or false."))
        return data


class Choice(serializers.ChoiceField):
    """One of some texts or numbers, of the very kind."""

    def to_internal_value(self, data: Any) -> Any:
        """Take what stands among the choices, and no number for its text."""
        if not isinstance(data, str):
            raise serializers.ValidationError(_("This must be text."))
        return super().to_internal_value(data)


def words(longest: int, **options: Any) -> StrictText:
    """Return an optional text field."""
    return StrictText(**{"required": False, "allow_blank": True, "max_length": longest, **options})


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


def read(shape: type[Body], request: Request, **options: Any) -> dict[str, Any]:
    """Return the values of a request's body, or refuse it field by field."""
    nothing = request.data is None or isinstance(request.data, QueryDict)  # an empty form; a full one is a 415
    return values_of(shape, {} if nothing else request.data, **options)


def values_of(shape: type[Body], data: Any, **options: Any) -> dict[str, Any]:
    """Return the values of something that should have this shape, or refuse it field by field."""
    body = shape(data=data, **options)
    body.is_valid(raise_exception=True)
    values: dict[str, Any] = body.validated_data
    return values
