"""Bring in workitems that lived elsewhere."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from workitems.actors import Actor
from workitems.choices import Scope
from workitems.imports import bank_calls, wire
from workitems.imports.records import Rejected
from workitems.imports.runner import NAME, Importer

LONGEST_LINE = 1024 * 1024
READERS = {"bank-calls": bank_calls.read, "jsonl": wire.read_jsonl, "csv": wire.read_csv}


class Command(BaseCommand):
    """Read a file line by line; what is there already stays as it is."""

    help = (
        "Import workitems with their history from a file, which may be gzipped. A second run changes nothing. "
        "Exit code 0: everything was taken; 1: some lines were rejected, the rest is in."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Say which file, and how to read it."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", choices=READERS, required=True)
        parser.add_argument("--rejects", type=Path, help="where rejected lines go (default: FILE.rejects.jsonl)")
        parser.add_argument(
            "--create-missing",
            action="store_true",
            help="make queues, agents, contacts and dispositions that the file names and that do not exist yet",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, and say what became of every line."""
        path: Path = options["file"]
        rejects = options["rejects"] or path.with_name(f"{path.name}.rejects.jsonl")
        of_the_bank = options["format"] == "bank-calls"
        try:
            with path.open("rb") as file, Rejects(rejects) as rejected:
                importer = Importer(
                    Actor.job(NAME, Scope.ADMIN),
                    rejected.write,
                    create_missing=options["create_missing"] or of_the_bank,
                    queue_names=bank_calls.QUEUES,
                    disposition_names=bank_calls.DISPOSITIONS,
                )
                importer.take(READERS[options["format"]](numbered_lines(file, path)))
        except (OSError, EOFError) as error:
            raise CommandError(f"The import stopped: {error}. What was taken is in; start it again to go on.") from None
        counts = importer.counts
        self.stdout.write(
            f"{counts.read} read = {counts.imported} imported + {counts.unchanged} unchanged "
            f"+ {counts.skipped} skipped + {counts.rejected} rejected"
        )
        if counts.read and counts.unchanged + counts.skipped == counts.read:
            self.stdout.write("Nothing has changed: everything was there already.")
        if counts.rejected:
            self.stderr.write(f"Rejected lines with their reasons: {rejects}")
            sys.exit(1)


class Rejects:
    """The file of rejected lines; it comes into being with the first of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: IO[str] | None = None

    def __enter__(self) -> Rejects:
        return self

    def write(self, rejected: Rejected) -> None:
        """Add a line: its number, the reason, and the text where it is at hand."""
        if self.file is None:
            self.file = self.path.open("w", encoding="utf-8", errors="backslashreplace")
        entry = {"line": rejected.line, "reason": rejected.reason, "text": rejected.text[:LONGEST_LINE]}
        self.file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def __exit__(self, *problem: object) -> None:
        if self.file is not None:
            self.file.close()


def numbered_lines(file: IO[bytes], path: Path) -> Iterator[tuple[int, str]]:
    """Yield a file's lines with their numbers from 1, unpacked where it is gzipped, with a progress bar."""
    lines = gzip.GzipFile(fileobj=file) if path.suffix == ".gz" else file
    with tqdm(total=path.stat().st_size, unit="B", unit_scale=True, disable=None) as bar:
        for number, line in enumerate(lines, start=1):
            encoding = "utf-8-sig" if number == 1 else "utf-8"  # spreadsheets begin a file with a byte order mark
            yield number, line.decode(encoding, errors="surrogateescape").rstrip("\r\n")
            bar.update(file.tell() - bar.n)
