"""How long a customer has waited since he came: until now, or until an agent accepted him or it was over."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import DateTimeField, ExpressionWrapper, F, Q, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual

from workitems.choices import WAITING, Type
from workitems.models import Workitem

INBOUND = tuple(one for one in Type if not one.is_outbound)


def waited_until(row: Workitem, now: datetime) -> datetime | None:
    """Return the end of the customer's wait, now where it goes on, or None where nobody waited."""
    if Type(row.type).is_outbound:
        return None
    return now if row.state in WAITING else row.assigned_at or row.terminated_at or now


def waited_for(span: timedelta, now: datetime) -> Q:
    """Return the condition that a customer has waited at least so long."""
    end = ExpressionWrapper(F("created_at") + Value(span), output_field=DateTimeField())
    over = Coalesce(F("assigned_at"), F("terminated_at"), Value(now, output_field=DateTimeField()))
    still = Q(state__in=WAITING, created_at__lte=now - span)
    return Q(type__in=INBOUND) & (still | (~Q(state__in=WAITING) & Q(GreaterThanOrEqual(over, end))))
