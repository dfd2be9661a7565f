"""One value as it was typed, and the patterns that wildcards make of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _

from workitems.errors import InvalidSearch
from workitems.search.suggestions import did_you_mean

MIN_LITERALS = 3
# LIKE backtracks over every % that it meets
MAX_STARS = 5

ANY, ONE = "%", "_"
PIECE = re.compile(r"\\(.)|(.)", re.DOTALL)


@dataclass(frozen=True)
class Pattern:
    """A word with wildcards, in the pieces of a LIKE: ``%``, ``_``, and characters, escaped where LIKE needs it."""

    pieces: tuple[str, ...]

    def __str__(self) -> str:
        return "".join(self.pieces)

    @property
    def is_star(self) -> bool:
        """Tell whether it is ``*`` alone."""
        return self.pieces == (ANY,)

    @property
    def is_suffix(self) -> bool:
        """Tell whether it begins with ``*`` and ends with a literal character."""
        return self.pieces[0] == ANY and self.pieces[-1] not in (ANY, ONE)

    @property
    def backwards(self) -> Pattern:
        """The same for a text that is read from its end."""
        return Pattern(self.pieces[::-1])

    @property
    def anywhere(self) -> Pattern:
        """The same, wherever it stands in a text."""
        return Pattern((ANY, *self.trimmed, ANY))

    @property
    def trimmed(self) -> tuple[str, ...]:
        """The pieces without ``*`` at either end."""
        pieces = self.pieces
        start = 1 if pieces[0] == ANY else 0
        end = len(pieces) - (1 if pieces[-1] == ANY and len(pieces) > start else 0)
        return pieces[start:end]

    def check(self, position: int) -> None:
        """Refuse what an index cannot help with, or what LIKE would be slow at."""
        literals = [piece for piece in self.pieces if piece not in (ANY, ONE)]
        only_trailing = str(self).rstrip(ANY + ONE) == "".join(literals) and literals
        if not only_trailing and len(literals) < MIN_LITERALS:
            problem = _("a wildcard before other characters needs at least %(least)s characters beside it")
            raise InvalidSearch(problem % {"least": MIN_LITERALS}, position=position)
        if self.pieces.count(ANY) > MAX_STARS:
            problem = _('a word can have at most %(most)s times "*"') % {"most": MAX_STARS}
            raise InvalidSearch(problem, position=position)

    def fits(self, text: str) -> bool:
        """Tell whether a text matches, in upper or lower case."""
        known = {ANY: ".*", ONE: "."}
        expression = "".join(known.get(piece) or re.escape(piece[-1]) for piece in self.pieces)
        return re.fullmatch(expression, text, re.IGNORECASE) is not None


@dataclass(frozen=True)
class Term:
    """A value: which field it was typed for, what, and where."""

    field: str
    text: str
    position: int
    now: datetime
    pattern: Pattern | None = None

    @classmethod
    def of_word(cls, field: str, raw: str, position: int, now: datetime) -> Term:
        """Return a word as typed, in which a backslash takes the meaning from the character after it."""
        text, wild = "", False
        pieces: list[str] = []
        for escaped, plain in PIECE.findall(raw):
            character = escaped or plain
            if plain in ("*", "?"):
                piece, wild = (ANY if plain == "*" else ONE), True
            else:
                piece = literal(character)
            text += character
            if piece != ANY or pieces[-1:] != [ANY]:
                pieces.append(piece)
        term = cls(field, text, position, now)
        if not wild:
            return term
        pattern = Pattern(tuple(pieces))
        if not pattern.is_star:
            pattern.check(position)
        return replace(term, pattern=pattern)

    @classmethod
    def of_phrase(cls, field: str, raw: str, position: int, now: datetime) -> Term:
        """Return what stands between quotation marks, where wildcards are ordinary characters."""
        return cls(field, PIECE.sub(lambda found: found[1] or found[2], raw[1:-1]), position, now)

    @property
    def is_star(self) -> bool:
        """Tell whether it asks for anything at all."""
        return self.pattern is not None and self.pattern.is_star

    def wrong(self, allowed: str, suggestion: str = "") -> InvalidSearch:
        """Return the error that this is no value of the field, with what would be one."""
        problem = _('%(field)s takes %(allowed)s, not "%(value)s"')
        facts = {"field": self.field, "allowed": allowed, "value": shortened(self.text)}
        return InvalidSearch(did_you_mean(problem % facts, suggestion), position=self.position, suggestion=suggestion)


def literal(character: str) -> str:
    """Return a character as LIKE takes it literally."""
    return f"\\{character}" if character in ("%", "_", "\\") else character


def literals(text: str) -> Pattern:
    """Return the pattern that matches a text wherever it stands."""
    return Pattern((ANY, *(literal(character) for character in text), ANY))


def shortened(text: str) -> str:
    """Return a text as a message can quote it."""
    return text if len(text) <= 40 else f"{text[:39]}…"
