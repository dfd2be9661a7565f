"""The product in this process, for benchmarks that ask for its pages: begun before anything else of it is imported."""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def begin() -> None:
    """Load the product without HTTPS, second factor and broker, with a data directory of its own."""
    sys.path.insert(0, str(ROOT))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATA_DIR": tempfile.mkdtemp(prefix="workitems-benchmark-"),
        "HTTPS": "off",
        "ALLOWED_HOSTS": "testserver,127.0.0.1",
        "SECOND_FACTOR": "off",
        "CELERY_BROKER_URL": "memory://",
    }
    import django

    django.setup()
