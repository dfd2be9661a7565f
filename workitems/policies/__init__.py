"""Stale policies: what becomes of workitems in which nothing happens for too long.

A sweep warns of what will be stale soon, and begins a run for each policy that finds something stale; the run is worked
off like any work on many. Which of several policies holds stands in reach.py.
"""

from workitems.policies.reach import Found, Reach, resolve
from workitems.policies.records import (
    alerts,
    cancel,
    delete,
    find,
    find_run,
    go_on,
    halting_run,
    pause,
    policies_for,
    reopen,
    reopenable,
    resume,
    retry,
    runs_for,
    save,
)
from workitems.policies.simulation import Line, Simulation, simulate
from workitems.policies.sweeps import POLICY_RUNS, look, sweep, warn

__all__ = [
    "POLICY_RUNS",
    "Found",
    "Line",
    "Reach",
    "Simulation",
    "alerts",
    "cancel",
    "delete",
    "find",
    "find_run",
    "go_on",
    "halting_run",
    "look",
    "pause",
    "policies_for",
    "reopen",
    "reopenable",
    "resolve",
    "resume",
    "retry",
    "runs_for",
    "save",
    "simulate",
    "sweep",
    "warn",
]
