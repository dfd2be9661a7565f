"""Nobody but services writes workitems and their history; the rest of the house's shape is import-linter's."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.conf import settings

from workitems import services

WRITES = {
    "create", "get_or_create", "update_or_create", "bulk_create", "bulk_update", "update", "save", "delete",
    "_raw_delete", "acreate", "aupdate", "asave", "adelete", "abulk_create",
}  # fmt: skip
OWNED = {"Workitem", "TimeEvent", "Stay"}
# names under which the code holds workitems, their querysets and events
HELD_AS = {"workitem", "item", "event", "queryset", "waiting", "overdue", "mine", "visible", "obj"}
ITEMS_OF_RUNS = {"workitems/runs.py"}  # where an item is a run's and never a workitem
FACTS = set(services.FACTS) | {"version", "agent", "queue", "contact", "disposition"}
# unsaved workitems are put together here, and handed to services.record
BUILD_UNSAVED = {"workitems/demo/past.py", "workitems/imports/runner.py"}
MAY_CHANGE_FACTS = {"workitems/services.py", "workitems/models/workitem.py"}


def sources() -> list[Path]:
    folders = ("config", "contacts", "queues", "workitems")
    return [
        path
        for folder in folders
        for path in sorted((settings.BASE_DIR / folder).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def name_of(path: Path) -> str:
    return str(path.relative_to(settings.BASE_DIR))


def root_of(node: ast.AST) -> str:
    """Return the name that a chain of attributes and calls begins with."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def writes_in(path: Path) -> list[str]:
    """Return the lines that write a workitem or an event to the database."""
    found, names = [], OWNED | HELD_AS - ({"item"} if name_of(path) in ITEMS_OF_RUNS else set())
    for node in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in WRITES
            and root_of(node.func.value) in names
        ):
            found.append(f"{name_of(path)}:{node.lineno} {ast.unparse(node.func)}")
    return found


def assignments_in(path: Path) -> list[str]:
    """Return the lines that change a fact of a workitem."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Attribute) and target.attr in FACTS and root_of(target) in HELD_AS:
                found.append(f"{name_of(path)}:{node.lineno} {ast.unparse(target)}")
    return found


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_only_services_saves(path):
    if name_of(path) != "workitems/services.py":
        assert writes_in(path) == []


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_only_models_and_commands_change_facts(path):
    may = MAY_CHANGE_FACTS | BUILD_UNSAVED
    if name_of(path) not in may and "workitems/commands/" not in name_of(path):
        assert assignments_in(path) == []


def test_the_checks_find_what_they_look_for(tmp_path):
    assert writes_in(settings.BASE_DIR / "workitems/services.py")
    assert assignments_in(settings.BASE_DIR / "workitems/commands/ending.py")


def test_the_embedded_default_needs_no_server():
    source = (settings.BASE_DIR / "config/settings.py").read_text()
    assert 'default="embedded://localhost"' in source
    assert "sqlite:///" in source
