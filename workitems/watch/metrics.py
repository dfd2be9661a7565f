"""Figures for Prometheus, counted in the database when they are asked for.

The processes are many and on several hosts, and each knows only what it did itself; the database knows all of it. Every
figure is one grouped query over few rows, or over an index, whatever the number of workitems.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from queues.models import Queue
from workitems import lags, statements
from workitems.choices import OPEN, State
from workitems.models import FINISHED, BulkRun, OutgoingMail, PolicyRun, Presence, Run, Transfer, Workitem

KINDS: dict[str, type[Run]] = {"transfers": Transfer, "policy_runs": PolicyRun, "bulk_runs": BulkRun}


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Return all figures to whoever knows the token; without a token in the settings there is no such page."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    registry.register(Figures())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Figures(Collector):
    """What there is and how it goes, as of now."""

    def collect(self) -> Iterable[Metric]:
        """Count everything."""
        now = statements.now()
        yield from _runs()
        yield _refusals()
        yield from _lags(now)
        yield _offers(now)
        yield _queues()
        yield _presences()
        yield _mails()


def _runs() -> Iterable[Metric]:
    runs = GaugeMetricFamily("workitems_runs", "Runs, by how far they have got.", labels=["kind", "state"])
    settled = CounterMetricFamily(
        "workitems_run_items_settled", "Items of runs with an outcome.", labels=["kind", "outcome"]
    )
    pending = GaugeMetricFamily("workitems_run_items_pending", "Items that runs have still to do.", labels=["kind"])
    aside = GaugeMetricFamily("workitems_run_items_set_aside", "Items that runs have given up.", labels=["kind"])
    for kind, model in KINDS.items():
        by_state = {one["state"]: one for one in _sums(model)}
        for state in Run.State.values:
            runs.add_metric([kind, state], by_state.get(state, {}).get("count", 0))
        for outcome in ("done", "refused"):
            settled.add_metric([kind, outcome], _total(by_state.values(), f"{outcome}_items"))
        pending.add_metric([kind], _total((one for one in by_state.values() if one["state"] not in FINISHED), "left"))
        aside.add_metric([kind], _total(by_state.values(), "failed_items"))
    return runs, settled, pending, aside


def _sums(model: type[Run]) -> Iterable[Any]:
    """Return the sums of a kind of run, a row for each state."""
    return (
        model._default_manager.order_by()
        .values("state")
        .annotate(
            count=Count("pk"),
            done_items=Sum("done"),
            refused_items=Sum("refused"),
            failed_items=Sum("failed"),
            left=Sum(F("total") - F("done") - F("refused") - F("failed")),
        )
    )


def _total(rows: Iterable[dict[str, Any]], name: str) -> int:
    return sum(row[name] for row in rows)


def _refusals() -> Metric:
    refusals = CounterMetricFamily(
        "workitems_run_items_refused", "Items that runs were refused, by reason.", labels=["kind", "code"]
    )
    each = "jsonb_each_text" if connection.vendor == "postgresql" else "json_each"
    for kind, model in KINDS.items():
        table = model._meta.db_table
        sql = (
            f"SELECT reason.key, SUM(CAST(reason.value AS bigint)) FROM {table}, {each}(refusals) reason "  # noqa: S608
            "WHERE refused > 0 GROUP BY reason.key ORDER BY reason.key"
        )
        for code, count in statements.fetch(sql, []):
            refusals.add_metric([kind, code], float(count))
    return refusals


def _lags(now: datetime) -> Iterable[Metric]:
    due = GaugeMetricFamily(
        "workitems_oldest_due_seconds", "How long the oldest work that is due has been so.", labels=["kind"]
    )
    for kind, seconds in lags.seconds_due(now).items():
        due.add_metric([kind], seconds)
    age = lags.beat_age_seconds(now)
    beat = GaugeMetricFamily("workitems_beat_age_seconds", "How long ago the beat was last heard; none: never.")
    if age is not None:
        beat.add_metric([], age)
    return due, beat


def _offers(now: datetime) -> Metric:
    offers = GaugeMetricFamily("workitems_offers", "Offers that wait for an answer.", labels=["state"])
    overdue = Q(offer_expires_at__lte=now)
    counts = Workitem.objects.filter(offer_expires_at__isnull=False).aggregate(
        open=Count("pk", filter=~overdue), overdue=Count("pk", filter=overdue)
    )
    for state, count in counts.items():
        offers.add_metric([state], count)
    return offers


def _queues() -> Metric:
    depths = GaugeMetricFamily("workitems_queue_depth", "Open workitems of a queue.", labels=["queue", "state"])
    names = dict(Queue.objects.values_list("pk", "queue_id"))
    # written so that the index of what stands still answers, without a look at the rows
    standing = Workitem.objects.open().unarchived().filter(~Q(state=State.DISPOSITIONED)).order_by()
    counts: dict[tuple[int | None, str], int] = {}
    for part in (standing.filter(queue__in=list(names)), standing.filter(queue__isnull=True)):
        rows = part.values_list("queue_id", "state").annotate(Count("pk"))
        counts.update({(pk, state): count for pk, state, count in rows})
    for pk, name in [*names.items(), (None, "")]:
        for state in OPEN:
            depths.add_metric([name, state], counts.get((pk, state), 0))
    return depths


def _presences() -> Metric:
    agents = GaugeMetricFamily("workitems_agents", "Agents, by presence.", labels=["presence"])
    counts = dict(Presence.objects.order_by().values_list("status").annotate(Count("pk")))
    for status in Presence.Status.values:
        agents.add_metric([status], counts.get(status, 0))
    return agents


def _mails() -> Metric:
    """Count what is to be sent and what has failed, each by an index of its own."""
    mails = GaugeMetricFamily("workitems_mails", "Answers by e-mail that have not gone out.", labels=["state"])
    for progress in (OutgoingMail.Progress.PENDING, OutgoingMail.Progress.FAILED):
        mails.add_metric([progress.value], OutgoingMail.objects.filter(progress=progress).count())
    return mails
