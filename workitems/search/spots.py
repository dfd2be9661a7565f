"""Where somebody is in a search while he types it: at a name, or at a value and of which field.

luqum reads whole searches only; this reads the beginning of one, up to the cursor, and never fails.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PIECE = re.compile(
    r"""
      (?P<quote> "(?:\\.|[^"\\])*(?P<closed>")?\\? )
    | (?P<open> [(\[{] )
    | (?P<close> [)\]}] )
    | (?P<colon> : )
    | (?P<blank> \s+ )
    | (?P<word> (?:\\.|\\\Z|(?<=T\d\d):|(?<=T\d\d:\d\d):|[^\s()\[\]{}":\\])+ )
    """,
    re.VERBOSE | re.DOTALL,
)
REST = re.compile(r'(?:\\.|[^\s()\[\]{}":\\])*', re.DOTALL)
SIGNS = re.compile(r"[+-]?(?P<compared>[<>]=?)?")
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
OPERATORS = ("AND", "OR", "NOT")


@dataclass(frozen=True)
class Spot:
    """What is being typed: the text up to the cursor, and from where to where a better one would stand."""

    typed: str
    start: int
    end: int
    field: str = ""  # whose value it is, or in whose brackets its name stands
    is_quoted: bool = False
    is_compared: bool = False  # after < or >, or inside a range
    is_after_operand: bool = False  # so that AND or OR can follow
    is_named: bool = False  # a colon follows


def spot_at(text: str, position: int) -> Spot | None:
    """Return what is being typed at this place, or None where nothing could be put in."""
    walk = _Walk()
    for piece in PIECE.finditer(text[:position]):
        walk.take(piece)
    return walk.spot(text, position)


class _Walk:
    """What the pieces before the cursor mean for it."""

    def __init__(self) -> None:
        self.outer: list[str] = []  # the field of each bracket that is open
        self.ranges: list[bool] = []
        self.pending = ""  # the field after whose colon we are
        self.word: re.Match[str] | None = None  # not ended yet
        self.quote: re.Match[str] | None = None
        self.is_after_operand = False

    @property
    def field(self) -> str:
        return self.pending or (self.outer[-1] if self.outer else "")

    def take(self, piece: re.Match[str]) -> None:
        kind = piece.lastgroup if piece.lastgroup != "closed" else "quote"
        if kind == "colon":
            self._colon()
            return
        self._end_word()
        if kind == "word":
            self.word = piece
        elif kind == "open":
            self.outer.append(self.field)
            self.ranges.append(piece[0] != "(")
            self.pending, self.is_after_operand = "", False
        elif kind == "close":
            del self.outer[-1:], self.ranges[-1:]
            self.pending, self.is_after_operand = "", True
        elif kind == "quote" and piece["closed"]:
            self.pending, self.is_after_operand = "", True
        elif kind == "quote":
            self.quote = piece

    def spot(self, text: str, position: int) -> Spot | None:
        if self.quote is not None:
            end = position + 1 if text[position : position + 1] == '"' else position
            typed = ESCAPED.sub(r"\1", self.quote[0][1:])
            return Spot(typed, self.quote.start(), end, self.field, is_quoted=True) if self.field else None
        end = REST.match(text, position).end()  # type: ignore[union-attr]  # it matches nothing, too
        in_range = bool(self.ranges and self.ranges[-1])
        if self.word is None:
            if end > position and not self.pending:
                return None  # just before a word, to which it would stick
            return Spot(
                "", position, end, self.field, is_compared=in_range, is_after_operand=self.is_after_operand,
                is_named=text[end : end + 1] == ":",
            )  # fmt: skip
        signs = SIGNS.match(self.word[0])
        length = signs.end() if signs else 0
        return Spot(
            ESCAPED.sub(r"\1", self.word[0][length:]),
            self.word.start() + length,
            end,
            self.field,
            is_compared=in_range or bool(signs and signs["compared"]),
            is_after_operand=self.is_after_operand and not length,
            is_named=text[end : end + 1] == ":",
        )

    def _colon(self) -> None:
        if self.word is None:
            return
        name = SIGNS.sub("", self.word[0], count=1)
        self.pending = f"{self.outer[-1]}.{name}" if self.outer and self.outer[-1] else name
        self.word, self.is_after_operand = None, False

    def _end_word(self) -> None:
        if self.word is not None:
            self.is_after_operand = self.word[0] not in OPERATORS
            self.word, self.pending = None, ""
