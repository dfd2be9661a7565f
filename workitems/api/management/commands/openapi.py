"""Write the OpenAPI document that is committed, so that every change of it is seen in review."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    """Write the document."""

    help = "Write the OpenAPI document to a file."

    def add_arguments(self, parser: CommandParser) -> None:
        """Say where to."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it, the same for the same code."""
        from workitems.api.views.document import document

        options["file"].write_text(json.dumps(document(), indent=1, default=str) + "\n")
