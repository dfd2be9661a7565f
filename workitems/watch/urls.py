"""Where health and metrics are asked for."""

from django.urls import path

from workitems.watch.health import live, ready
from workitems.watch.metrics import metrics

urlpatterns = [
    path("health/live", live, name="health-live"),
    path("health/ready", ready, name="health-ready"),
    path("metrics", metrics, name="metrics"),
]
