"""A cache that may be out of reach, which costs time and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache as once
from typing import TypeVar, cast

from django.conf import settings
from django.core.cache import cache

Found = TypeVar("Found")


@once
def out_of_reach() -> tuple[type[Exception], ...]:
    """Return what a cache raises that cannot be reached; only a server of its own can be out of reach."""
    if not settings.CACHES["default"]["BACKEND"].endswith("RedisCache"):
        return ()
    from redis.exceptions import RedisError

    return (RedisError,)


def remembered(key: str, look: Callable[[], Found], seconds: int) -> Found:
    """Return what looking has found within the last seconds, here or elsewhere."""
    try:
        return cast("Found", cache.get_or_set(key, look, seconds))
    except out_of_reach():
        return look()


def forget(key: str) -> None:
    """Look anew the next time."""
    try:
        cache.delete(key)
    except out_of_reach():
        return
