"""Where somebody goes on after he has done something: where he came from, if that is an address of ours."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from workitems.pages.addresses import path_within


def next_of(request: HttpRequest, otherwise: str = "") -> str:
    """Return the path that the request names as `next`, where it leads nowhere else, or else the other one."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return path_within(wanted) or otherwise or reverse("board")
