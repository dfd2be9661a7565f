"""What answers to a script and answers to a browser without one have in common."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse

from workitems.models import Workitem
from workitems.pages.people import actor_of


def is_script(request: HttpRequest) -> bool:
    """Tell whether a script of ours asks and puts the answer into the page that is open."""
    return request.headers.get("HX-Request") == "true"


def is_seen(request: HttpRequest, item: Workitem) -> bool:
    """Tell whether it is still in sight: one may give it away, and a purge leaves nothing."""
    return Workitem.objects.visible_to(actor_of(request)).filter(pk=item.pk).exists()


def toast(words: dict[str, Any], *, status: int = 200, is_refreshing: bool = False) -> HttpResponse:
    """Answer with a few words beside the page, which brings itself up to date where that is asked for.

    The words are ``text``, a ``kind`` of ``is-bad`` for what went wrong, and ``undo`` with a ``url`` and a ``label``.
    """
    told = {"desk:toast": words} | ({"desk:refresh": True} if is_refreshing else {})
    return HttpResponse(status=status, headers={"HX-Trigger": json.dumps(told)})
