"""Fail unless the three servers that the tests need are there."""

import os
import sys

import kombu
import psycopg


def problem(name: str) -> str:
    """Return why a server cannot be used, or nothing."""
    address = os.environ[name]
    try:
        if address.startswith("postgres"):
            psycopg.connect(address, connect_timeout=5).close()
        else:
            with kombu.Connection(address, connect_timeout=5) as link:
                link.ensure_connection(max_retries=1, timeout=10)
    except (OSError, psycopg.Error, kombu.exceptions.OperationalError) as error:
        return f"{name} ({address}) cannot be used: {error}"
    return ""


problems = [text for name in ("CI_DATABASE_URL", "CI_REDIS_URL", "CI_RABBITMQ_URL") if (text := problem(name))]
if problems:
    sys.exit("\n".join(problems))
