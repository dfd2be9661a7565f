"""The Celery application; its settings stand in config/settings.py under CELERY_."""

import gc
import os
from typing import Any

import structlog
from billiard import pool
from celery import Celery
from celery.signals import before_task_publish, setup_logging, task_postrun, task_prerun, worker_init
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

TRANSPORT_ALIASES["embedded"] = "config.embedded_broker:Transport"
TRANSPORT_ALIASES["redis"] = TRANSPORT_ALIASES["rediss"] = "config.redis_broker:Transport"

# A pool process that is told to stop waits until the worker has read what it reported, in tenths of a second. A worker
# that stops right after it took a message counts one report too few (billiard 4.3.2), and each restart that met such a
# moment took 30 s. A report that is lost does no harm here: the message comes again.
pool.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT = 20

app = Celery("workitems", task_cls="config.publishing:Task")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def reclaim_messages(**kwargs: Any) -> None:
    """Give a fresh worker what its killed predecessor had taken and not finished."""
    from django.conf import settings

    from config import embedded_broker

    if settings.CELERY_BROKER_URL.startswith("embedded:"):
        embedded_broker.reclaim(settings.BROKER_DIR)


@worker_init.connect
def leave_the_program_alone(**kwargs: Any) -> None:
    """Keep the garbage collector off what is loaded at the start: its rounds cost bulk work a fifth of its time."""
    gc.collect()
    gc.freeze()


@setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """Leave the logs as the settings have them; Celery sets its own up where nobody answers."""


@before_task_publish.connect
def name_the_request_in_the_message(headers: dict[str, Any], **kwargs: Any) -> None:
    """Let the worker know which request it works for."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if request_id:
        headers["request_id"] = request_id


@task_prerun.connect
def name_the_task_in_the_log(task_id: str, task: Any, kwargs: dict[str, Any], **others: Any) -> None:
    """Put the task, its run and the request that asked for it into every line of the log."""
    run_id = kwargs.get("transfer_id") or kwargs.get("run_id")
    names = {"task": task.name, "task_id": task_id, "run_id": run_id, "request_id": task.request.get("request_id")}
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**{key: name for key, name in names.items() if name})


@task_postrun.connect
def forget_the_task(**kwargs: Any) -> None:
    """Name nothing until the next task begins."""
    structlog.contextvars.clear_contextvars()
