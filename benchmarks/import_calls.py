"""Compare an import with plain bulk inserts of the same rows, in the same run.

    .venv/bin/python benchmarks/import_calls.py FILE [--format bank-calls]

On SQLite in a directory of its own, or on the server that DATABASE_URL names, in a test database of its own.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="workitems-benchmark-")

import django

django.setup()

from django.db import connection, transaction
from django.test.utils import setup_databases, teardown_databases

from contacts.models import Contact
from workitems import services
from workitems.actors import Actor
from workitems.choices import Scope
from workitems.imports import bank_calls
from workitems.imports.runner import Importer
from workitems.management.commands.import_workitems import READERS, numbered_lines
from workitems.models import TimeEvent, Workitem


def run_import(path: Path, form: str) -> tuple[int, float]:
    """Import the file and return how many workitems came in, and in how many seconds."""
    began = time.perf_counter()
    importer = Importer(
        Actor.job("benchmark", Scope.ADMIN),
        lambda rejected: None,
        create_missing=True,
        queue_names=bank_calls.QUEUES,
        disposition_names=bank_calls.DISPOSITIONS,
    )
    with path.open("rb") as file:
        importer.take(READERS[form](numbered_lines(file, path)))
    return importer.counts.imported, time.perf_counter() - began


def insert_again() -> float:
    """Take the imported rows out, insert them plainly, and return the seconds that the inserts took."""
    workitems, contacts = list(Workitem.objects.order_by("pk")), list(Contact.objects.order_by("pk"))
    events = list(TimeEvent.objects.order_by("pk"))
    with connection.cursor() as cursor:
        for table in (TimeEvent, Workitem):
            rows = table._meta.db_table
            if connection.vendor == "postgresql":
                cursor.execute("DROP TRIGGER IF EXISTS time_event_not_truncated ON workitems_timeevent")
                cursor.execute(f"TRUNCATE {rows} CASCADE")
            else:
                cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                for (name,) in cursor.fetchall():
                    cursor.execute(f"DROP TRIGGER {name}")
                cursor.execute(f"DELETE FROM {rows}")
    Contact.objects.all().delete()
    seconds = 0.0
    for rows in (contacts, workitems, events):
        for chunk in services.chunks(rows, services.CHUNK):
            began = time.perf_counter()
            with transaction.atomic():
                type(chunk[0]).objects.bulk_create(chunk)
            seconds += time.perf_counter() - began
    return seconds


def main() -> None:
    """Print both, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--format", choices=READERS, default="bank-calls")
    options = parser.parse_args()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        count, seconds = run_import(options.file, options.format)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        floor = insert_again()
    finally:
        teardown_databases(databases, verbosity=0)
    print(f"{connection.vendor}: {count} workitems, peak memory of the import {peak:.0f} MiB")
    print(f"import       {seconds:7.1f} s  {count / seconds:7.0f} workitems/s")
    print(f"bulk inserts {floor:7.1f} s  {count / floor:7.0f} workitems/s")
    print(f"ratio        {seconds / floor:7.2f}")


if __name__ == "__main__":
    main()
