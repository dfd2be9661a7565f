"""How log lines look: for people, or JSON, each with the request or the run that it is about.

All code logs by the standard library; structlog turns what comes into lines, and keeps what is bound to the request or
the task at hand (workitems/middleware.py, config/celery.py).
"""

from __future__ import annotations

from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured

FORMS = ("line", "json")


def configuration(form: str, level: str) -> dict[str, Any]:
    """Return what Django's LOGGING says: everything goes to the console, in this form."""
    if form not in FORMS:
        raise ImproperlyConfigured(f"LOG_FORMAT must be one of {', '.join(FORMS)}, not {form}.")
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(form)],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"console": formatter},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "console"}},
        "root": {"handlers": ["console"], "level": level},
    }


def _renderers(form: str) -> list[Any]:
    if form == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [
        structlog.dev.ConsoleRenderer(
            colors=False, pad_event_to=0, pad_level=False, exception_formatter=structlog.dev.plain_traceback
        )
    ]
