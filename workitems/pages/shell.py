"""What stands around every page of the desk: where one can go, and how the person likes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workitems.models import REFRESH_SECONDS
from workitems.pages import presence
from workitems.pages.people import settings_of

PLACES = (  # name of the address, icon, words, and the letter that goes there after "g"
    ("board", "monitoring", _("Board"), "b"),
    ("work", "list", _("Work list"), "w"),
    ("agents", "groups", _("Agents"), "a"),
    ("desk-runs", "move_up", _("Transfers"), "t"),
    ("reports", "bar_chart", _("Reports"), "r"),
)


DEMO = "Demo"  # the name of the environment that "make demo" makes


@dataclass(frozen=True)
class Place:
    """One entry of the menu."""

    address: str
    icon: str
    label: str
    key: str
    is_here: bool


def context(request: HttpRequest) -> dict[str, Any]:
    """Return what base.html needs for somebody who is signed in; pages of the back office have a shell of their own."""
    user = getattr(request, "user", None)
    if user is None or request.path_info.startswith("/admin/") or not user.is_authenticated:
        return {}
    return {
        "desk": settings_of(request),
        "places": _places(request.path_info),
        "refresh_choices": REFRESH_SECONDS,
        "shell_now": timezone.now(),
        "is_demo": settings.ENVIRONMENT_NAME == DEMO,
        **presence.menu(request),
    }


def _places(path: str) -> list[Place]:
    addresses = [(reverse(name), icon, str(label), key) for name, icon, label, key in PLACES]
    here = max((one for one, *_rest in addresses if path.startswith(one)), key=len, default="")
    if here == reverse("board") and path not in (here, reverse("wallboard")):
        here = ""  # everything of the desk lies below the board's address
    return [Place(address, icon, label, key, address == here) for address, icon, label, key in addresses]
