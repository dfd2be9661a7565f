"""What in a newer OpenAPI document breaks a client made from an older one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def breaking_changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return every promise of the older document that the newer one does not keep, in words."""
    return [*_paths(before["paths"], after["paths"]), *_schemas(before, after)]


def _paths(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for path, methods in before.items():
        if path not in after:
            yield f"path {path} is gone"
            continue
        for method, operation in methods.items():
            if method not in after[path]:
                yield f"{method} {path} is gone"
            else:
                yield from _operation(f"{method} {path}", operation, after[path][method])


def _operation(where: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    if before["operationId"] != after["operationId"]:
        yield f"{where}: {before['operationId']} is called {after['operationId']}"
    old = {one["name"]: one for one in before.get("parameters", [])}
    new = {one["name"]: one for one in after.get("parameters", [])}
    for name, one in old.items():
        if name not in new:
            yield f"{where}: parameter {name} is gone"
        else:
            yield from _value(f"{where}: parameter {name}", one["schema"], new[name]["schema"])
    for name, one in new.items():
        if one.get("required") and not old.get(name, {}).get("required"):
            yield f"{where}: parameter {name} is required now"
    for status in before.get("responses", {}):
        if status not in after.get("responses", {}):
            yield f"{where}: answer {status} is gone"
    if "requestBody" not in before and after.get("requestBody", {}).get("required"):
        yield f"{where}: a body is required now"


def _schemas(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    newer = after["components"]["schemas"]
    for name, old in before["components"]["schemas"].items():
        if name not in newer:
            yield f"{name} is gone"
            continue
        for field, value in old.get("properties", {}).items():
            if field not in newer[name].get("properties", {}):
                yield f"{name}.{field} is gone"
            else:
                yield from _value(f"{name}.{field}", value, newer[name]["properties"][field])
        for field in newer[name].get("required", []):
            if field not in old.get("required", []) and name.endswith(("Body", "Changes")):
                yield f"{name}.{field} is required now"


def _value(where: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    if before.get("type") != after.get("type"):
        yield f"{where} was {before.get('type')}, is {after.get('type')}"
    if before.get("$ref") != after.get("$ref"):
        yield f"{where} was {before.get('$ref')}, is {after.get('$ref')}"
    if "enum" in after:
        for one in before.get("enum", []):
            if one not in after["enum"]:
                yield f"{where} takes no {one} any more"
