"""Tables from and to the files that people keep them in: CSV as spreadsheets write it, and XLSX.

What cannot be read is refused in words. A workbook is unpacked only as far as a table of the allowed size can need.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from django.utils.translation import gettext as _
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils.exceptions import InvalidFileException

from workitems import cells

MOST_BYTES = 10 * 1024 * 1024
MOST_ROWS = 20_000
MOST_LINES = 100_000
MOST_COLUMNS = 200
MOST_UNPACKED = 100 * 1024 * 1024
LONGEST_CELL = 32_767  # Excel's own limit
# what a broken workbook makes the library stumble over
BROKEN = (
    zipfile.BadZipFile, zlib.error, InvalidFileException, ParseError, KeyError, ValueError, TypeError, AttributeError,
    IndexError, OSError, EOFError, NotImplementedError, RuntimeError,
)  # fmt: skip
Line = tuple[int, list[str]]  # its number in the file, and its cells


class Unreadable(Exception):
    """The file holds no table that can be read; the message says why."""


def write(file: IO[bytes], title: str, headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a workbook with one sheet; texts are texts whatever they begin with, times are in UTC."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(ILLEGAL_CHARACTERS_RE.sub("", title).translate(str.maketrans("", "", "[]:*?/\\"))[:31])
    sheet.freeze_panes = "A2"
    sheet.append([_cell(sheet, header) for header in headers])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])
    book.save(file)


def text_of(value: Any) -> Any:
    """Return a value as a cell of CSV has it: times in ISO 8601 with their zone, lists as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return value


def read(name: str, content: bytes) -> list[Line]:
    """Return the lines of a table that are not empty, the header first; raise Unreadable where that cannot be."""
    if len(content) > MOST_BYTES:
        raise Unreadable(_("The file is larger than 10 MB. Cut it into several."))
    is_workbook = content.startswith(b"PK") or name.lower().endswith((".xlsx", ".xlsm"))
    found: list[Line] = []
    for number, line in enumerate(_workbook(content) if is_workbook else _csv(content), start=1):
        if number > MOST_LINES:  # empty ones too: a workbook of a few bytes can have as many as it likes
            raise Unreadable(_("The file has more than 100,000 lines. Take the empty ones out."))
        if any(len(cell) > LONGEST_CELL for cell in line):
            facts = {"row": number, "most": LONGEST_CELL}
            raise Unreadable(_("Row %(row)d has a cell of more than %(most)d characters.") % facts)
        trimmed = [cell.strip() for cell in line]
        while trimmed and not trimmed[-1]:
            trimmed.pop()
        if not trimmed:
            continue
        if len(trimmed) > MOST_COLUMNS:
            raise Unreadable(_("Row %(row)d has more than %(most)d columns.") % {"row": number, "most": MOST_COLUMNS})
        if len(found) > MOST_ROWS:
            raise Unreadable(_("The file has more than 20,000 rows. Cut it into several."))
        found.append((number, trimmed))
    if not found:
        raise Unreadable(_("The file is empty."))
    return found


def _cell(sheet: Any, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, list | dict):
        value = text_of(value)
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, cells.safe(ILLEGAL_CHARACTERS_RE.sub("", value))[:LONGEST_CELL])
    cell.data_type = "s"  # else what begins with "=" were a formula, and "#N/A" an error
    return cell


def _csv(content: bytes) -> Iterator[list[str]]:
    text = _decoded(content)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    try:
        yield from lines
    except csv.Error as problem:
        facts = {"row": lines.line_num, "problem": problem}
        raise Unreadable(_("Line %(row)d is no CSV: %(problem)s.") % facts) from None


def _decoded(content: bytes) -> str:
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ["utf-16"] if is_wide else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text
    raise Unreadable(_("This is no text file. Save it as CSV in UTF-8, or as XLSX."))


def _separator(text: str) -> str:
    """Return what separates the cells of the header; a header has no such characters in its names."""
    header = text.lstrip("\r\n").split("\n", 1)[0]
    return max((",", ";", "\t"), key=header.count)


def _workbook(content: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(one.file_size for one in packed.infolist()) > MOST_UNPACKED:
                raise Unreadable(_("The workbook is too large once unpacked. Save the table alone, or as CSV."))
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        try:
            if book.active is None or not hasattr(book.active, "iter_rows"):
                raise Unreadable(_("The workbook has no table."))
            for row in book.active.iter_rows(values_only=True, max_col=MOST_COLUMNS + 1):
                yield [_read(value) for value in row]
        finally:
            book.close()
    except BROKEN:
        raise Unreadable(_("This is no workbook that can be read. Save it anew as XLSX, or as CSV.")) from None


def _read(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)
