"""What was perhaps meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from django.utils.translation import gettext as _


def closest(typed: str, known: Iterable[str]) -> str:
    """Return the word that is most like the one typed, or ``""`` where none is."""
    by_lower = {word.lower(): word for word in known}
    # comparing costs time, and no name is that long
    found = get_close_matches(typed[:64].lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else ""


def did_you_mean(problem: str, suggestion: str) -> str:
    """Return a problem together with what was perhaps meant."""
    if not suggestion:
        return problem
    return _('%(problem)s, did you mean "%(suggestion)s"?') % {"problem": problem, "suggestion": suggestion}
