"""From text to luqum's tree: the bounds, and where exactly a text cannot be understood.

Everything that could cost much is refused on the stream of tokens, before luqum builds a tree of any depth.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext as _
from luqum.exceptions import IllegalCharacterError, ParseSyntaxError
from luqum.parser import lexer as luqum_lexer
from luqum.thread import parse
from luqum.tree import Item
from ply.lex import LexToken

from workitems.errors import InvalidSearch

MAX_CHARACTERS = 2_000
MAX_DEPTH = 20
MAX_CLAUSES = 100

PREFIXES = ("NOT", "MINUS", "PLUS")
OPERANDS = ("TERM", "PHRASE", "TO")
POSITION = re.compile(r" at position ([0-9]+)!\Z")


def read(text: str) -> Item:
    """Return the tree of a text that is not blank, or raise InvalidSearch."""
    check_characters(text)
    tokens = _tokens(text)
    _check_supported(tokens)
    _check_depth(tokens)
    _check_clauses(tokens)
    try:
        return parse(text)
    except ParseSyntaxError as error:
        found = POSITION.search(str(error))
        raise _misplaced(text, int(found[1]) if found else len(text)) from None


def check_characters(text: str) -> None:
    """Refuse what is too long, or what no database could keep."""
    if len(text) > MAX_CHARACTERS:
        problem = _("the search is longer than %(limit)s characters") % {"limit": MAX_CHARACTERS}
        raise InvalidSearch(problem, position=MAX_CHARACTERS)
    for position, character in enumerate(text):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise InvalidSearch(_("this character cannot be searched for"), position=position)


def _tokens(text: str) -> list[LexToken]:
    lexer = luqum_lexer.clone()  # the original is not safe between threads
    lexer.input(text)
    tokens: list[LexToken] = []
    try:
        while token := lexer.token():
            tokens.append(token)
    except IllegalCharacterError:
        raise _illegal(text, lexer.lexpos) from None
    return tokens


def _illegal(text: str, position: int) -> InvalidSearch:
    character = text[position : position + 1]
    if character == '"':
        return InvalidSearch(_("this quotation mark is never closed"), position=position, suggestion='"')
    if character == "/":
        problem = _('a word cannot begin with "/"; put it into quotation marks')
        return InvalidSearch(problem, position=position)
    problem = _('"%(character)s" is not possible here') % {"character": character}
    return InvalidSearch(problem, position=position)


def _misplaced(text: str, position: int) -> InvalidSearch:
    if position >= len(text):
        return InvalidSearch(_("the search ends too early"), position=len(text))
    word = re.match(r"[A-Za-z]+|.", text[position:], re.DOTALL)
    problem = _('"%(word)s" is not possible here') % {"word": word[0] if word else ""}
    return InvalidSearch(problem, position=position)


def _check_supported(tokens: list[LexToken]) -> None:
    problems = {
        "REGEX": _("regular expressions are not supported; use * and ?"),
        "APPROX": _('similar words ("~") are not supported; use * and ?'),
        "BOOST": _('weights ("^") are not supported; put the word into quotation marks if you mean the character'),
    }
    for token in tokens:
        if token.type in problems:
            raise InvalidSearch(problems[token.type], position=token.lexpos)


def _check_depth(tokens: list[LexToken]) -> None:
    """Count brackets, and the signs, NOTs and fields in a row, each of which is one more level of the tree."""
    depth, signs = 0, 0
    outer: list[int] = []
    opened: list[int] = []
    following: list[str] = [token.type for token in tokens[1:]] + [""]
    for token, after in zip(tokens, following, strict=True):
        if token.type in PREFIXES or (token.type == "TERM" and after == "COLUMN"):
            signs += 1
        elif token.type == "LPAREN":
            outer.append(depth)
            opened.append(token.lexpos)
            depth, signs = depth + signs + 1, 0
        elif token.type == "RPAREN":
            if not outer:
                raise InvalidSearch(_("this bracket was never opened"), position=token.lexpos)
            depth, signs = outer.pop(), 0
            opened.pop()
        elif token.type != "COLUMN":
            signs = 0
        if depth + signs > MAX_DEPTH:
            problem = _("the search is nested more than %(limit)s levels deep") % {"limit": MAX_DEPTH}
            raise InvalidSearch(problem, position=token.lexpos)
    if opened:
        raise InvalidSearch(_("this bracket is never closed"), position=opened[-1], suggestion=")")


def _check_clauses(tokens: list[LexToken]) -> None:
    clauses = 0
    following: list[str] = [token.type for token in tokens[1:]] + [""]
    for token, after in zip(tokens, following, strict=True):
        if token.type in OPERANDS and after != "COLUMN":
            clauses += 1
        if clauses > MAX_CLAUSES:
            problem = _("the search has more than %(limit)s words") % {"limit": MAX_CLAUSES}
            raise InvalidSearch(problem, position=token.lexpos)
