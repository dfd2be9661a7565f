"""The Celery application; its settings stand in config/settings.py under CELERY_."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

TRANSPORT_ALIASES["embedded"] = "config.embedded_broker:Transport"

app = Celery("workitems")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def reclaim_messages(**kwargs: Any) -> None:
    """Give a fresh worker what its killed predecessor had taken and not finished."""
    from django.conf import settings

    from config import embedded_broker

    if settings.CELERY_BROKER_URL.startswith("embedded:"):
        embedded_broker.reclaim(settings.BROKER_DIR)
