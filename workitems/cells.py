"""Lines of a table that a spreadsheet may open without harm."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable

# what spreadsheets take for the beginning of a formula, in its full-width forms too
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NUMBER = re.compile(r"\+[0-9]{3,15}")  # E.164: no spreadsheet can do harm with it, and it has to stay as it is
NUMBERS = re.compile(rf"{NUMBER.pattern}(, {NUMBER.pattern})*")


class _Echo:
    def write(self, text: str) -> str:
        return text


def safe(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if _is_risky(text) else text


def unsafe(text: str) -> str:
    """Return what a cell said before it was made safe."""
    return text[1:] if text.startswith("'") and _is_risky(text[1:]) else text


def line(cells: Iterable[object]) -> str:
    """Return a line of CSV, each text in it safe."""
    written: str = csv.writer(_Echo()).writerow([safe(cell) if isinstance(cell, str) else cell for cell in cells])
    return written


def _is_risky(text: str) -> bool:
    return text.lstrip(" ").startswith(FORMULA) and not NUMBERS.fullmatch(text)
