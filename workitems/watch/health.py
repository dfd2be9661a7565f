"""Whether this process answers, and whether it and what it needs can do their work."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import KombuError

from workitems import lags, statements

BROKER_SECONDS = 1.5
BROKER_KEPT_SECONDS = 5.0  # anybody may ask, and each look is a connection

logger = logging.getLogger(__name__)
Check = dict[str, Any]


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """Say that the process answers, whatever else is the matter."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """Say how each thing is that work needs; 503 where one fails that HEALTH_FAILS_ON names."""
    checks = {"database": _state_of("database", _database), "broker": _state_of("broker", broker.check)}
    is_there = checks["database"]["state"] == "ok"
    for name, look in DATABASE_CHECKS.items():
        checks[name] = _state_of(name, look) if is_there else {"state": "unknown"}
    states = {check["state"] for check in checks.values()}
    status = next((state for state in ("failing", "warning") if state in states), "ok")
    return JsonResponse({"status": status, "checks": checks}, status=503 if status == "failing" else 200)


def _state_of(name: str, look: Callable[[], Check]) -> Check:
    """Return what a look found, and how bad that is; why it failed is for the log and not for whoever asks."""
    try:
        found = look()
        is_well = found.pop("is_well")
    except (DatabaseError, InterfaceError):
        logger.warning("the health check of %s failed", name, exc_info=True)
        found, is_well = {}, False
    bad = "failing" if name in settings.HEALTH_FAILS_ON else "warning"
    return {"state": "ok" if is_well else bad, **found}


def _database() -> Check:
    statements.fetch("SELECT 1", [])
    return {"is_well": True}


def _migrations() -> Check:
    applied = set(MigrationRecorder.Migration.objects.values_list("app", "name"))
    missing = _newest_migrations() - applied
    return {"is_well": not missing, "unapplied": sorted({app for app, _name in missing})}


@functools.cache
def _newest_migrations() -> set[tuple[str, str]]:
    """Return each application's last migration, which stands for those before it."""
    return set(MigrationLoader(None).graph.leaf_nodes())


class Broker:
    """The broker as this process saw it last."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.look_again_at = 0.0
        self.is_there = False

    def check(self) -> Check:
        """Look whether the broker answers, unless somebody has just looked."""
        with self.lock:
            if time.monotonic() >= self.look_again_at:
                self.is_there = _broker_answers()
                self.look_again_at = time.monotonic() + BROKER_KEPT_SECONDS
            return {"is_well": self.is_there}


def _broker_answers() -> bool:
    link = current_app.connection_for_write(connect_timeout=BROKER_SECONDS)
    problems: tuple[type[BaseException], ...] = (KombuError, OSError, *link.connection_errors, *link.channel_errors)
    try:
        with link:
            link.ensure_connection(max_retries=0)
    except problems:
        logger.warning("the broker does not answer", exc_info=True)
        return False
    return True


def _work() -> Check:
    """Look for work that has been due for too long: no worker, or too few."""
    kind, seconds = max(lags.seconds_due(statements.now()).items(), key=lambda lag: lag[1])
    limit = settings.HEALTH_WORK_SECONDS
    oldest = kind if seconds else ""
    return {"is_well": seconds <= limit, "oldest": oldest, "seconds": int(seconds), "limitSeconds": limit}


def _beat() -> Check:
    seconds = lags.beat_age_seconds(statements.now())
    limit = settings.HEALTH_BEAT_SECONDS
    is_well = seconds is not None and seconds <= limit
    return {"is_well": is_well, "seconds": None if seconds is None else int(seconds), "limitSeconds": limit}


broker = Broker()
DATABASE_CHECKS: dict[str, Callable[[], Check]] = {"migrations": _migrations, "work": _work, "beat": _beat}
