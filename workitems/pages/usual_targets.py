"""Where somebody often sends work: what his session remembers, else where his last bulk transfers went."""

from __future__ import annotations

from collections import Counter

from django.http import HttpRequest

from workitems.actors import Actor
from workitems.models import Transfer

KEPT, SHOWN, LOOKED_AT = 30, 3, 20
SENT_TO = "sent_to"


def usual_targets(request: HttpRequest, actor: Actor) -> list[str]:
    """Return where the person sends most, most often first."""
    if SENT_TO not in request.session:  # asked once a session
        request.session[SENT_TO] = _of_transfers(actor)
    latest = request.session[SENT_TO]
    return [value for value, _times in Counter(latest).most_common(SHOWN)]


def remember(request: HttpRequest, value: str) -> None:
    """Keep that the person has sent something there."""
    request.session[SENT_TO] = [value, *request.session.get(SENT_TO, [])][:KEPT]


def _of_transfers(actor: Actor) -> list[str]:
    mine = Transfer.objects.filter(requested_by=actor.user, undoes=None).order_by("-pk")
    targets = mine.values_list("queue__queue_id", "agent__username")[:LOOKED_AT]
    return [f"queue:{queue_id}" if queue_id else f"agent:{username}" for queue_id, username in targets]
