"""People, queues and a database of one's own."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import IntegrityError, connection, connections, transaction
from django.test import TransactionTestCase
from playwright.sync_api import Browser, sync_playwright
from whitenoise.middleware import WhiteNoiseMiddleware

from queues.models import Queue
from tests.browsers import ARGUMENTS, CHROMIUM
from tests.builders import make_queue, make_user
from workitems import history
from workitems.actors import Actor
from workitems.choices import Door, Scope
from workitems.groups import grant, sync_scope_groups

DOORS = {"test_routes", "test_fuzz_api", "test_desk_permissions"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what talks to the broker that the environment names, looks at pages, or asks for everything at every door.

    With another broker nothing but the first can go otherwise; with another database the others go as they did.
    """
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        if item.path.stem in DOORS:
            item.add_marker("door")
        talks = hasattr(getattr(item, "module", None), "REAL_BROKER_URL")
        if talks or "hall" in getattr(item, "fixturenames", ()):
            item.add_marker("broker")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread, and Django asks for none around its queries.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Keep SQLite's test database in a file: threads and worker processes must see the same one."""
    settings = connections["default"].settings_dict
    if settings["ENGINE"].endswith("sqlite3"):
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        settings["TEST"]["NAME"] = str(Path(os.environ["DATA_DIR"]) / f"test-{worker}.sqlite3")


@pytest.fixture(autouse=True, scope="session")
def tables_are_emptied() -> Iterator[None]:
    """Empty those tables after a transactional test that have rows, in the place of Django's flush.

    That empties a hundred of them and then makes all permissions and triggers anew, which takes longer than most tests.
    """
    original = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = lambda _self: empty_tables_for_good()
    yield
    TransactionTestCase._fixture_teardown = original


def empty_tables_for_good() -> None:
    """Empty the tables, once more where a browser's last request wrote into one of them meanwhile."""
    for _attempt in range(5):
        with suppress(IntegrityError):
            empty_tables()
            return
    empty_tables()


def empty_tables() -> None:
    """Leave the database as it is after a migrate, but for the numbers that come next and what migrations wrote."""
    kept = {ContentType._meta.db_table, Permission._meta.db_table}
    tables = [one for one in every_table() if one not in kept]
    with connection.cursor() as cursor:
        asked = (f"SELECT '{one}' WHERE EXISTS (SELECT 1 FROM {one})" for one in tables)  # noqa: S608  names of ours
        cursor.execute(" UNION ALL ".join(asked))
        full = [name for (name,) in cursor.fetchall()]
        with connection.constraint_checks_disabled(), transaction.atomic(), history_open(full):
            for name in full:
                cursor.execute(f"DELETE FROM {name}")  # noqa: S608
    sync_scope_groups()


@contextmanager
def history_open(tables: Iterable[str]) -> Iterator[None]:
    """Let history be deleted, which its triggers are there to forbid."""
    guarded = [one for one in (history.EVENTS, history.WORKITEMS) if one in tables]
    if not guarded:
        yield
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in history.TRIGGERS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            yield
            history.install_triggers()
            return
        for table in guarded:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # while there are events to come, no table is altered
        for table in guarded:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@functools.cache
def every_table() -> list[str]:
    return connection.introspection.django_table_names(only_existing=True, include_views=False)


@pytest.fixture(autouse=True, scope="session")
def static_files_are_looked_for_once() -> Iterator[None]:
    """Let all test clients share what the first one found: each looks for three hundred files otherwise."""
    original, found = WhiteNoiseMiddleware.add_files_from_finders, {}

    def look(self: WhiteNoiseMiddleware) -> None:
        if not found:
            original(self)
            found.update(self.files)
        self.files.update(found)

    WhiteNoiseMiddleware.add_files_from_finders = look
    yield
    WhiteNoiseMiddleware.add_files_from_finders = original


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """Begin each test with no request counted."""
    cache.clear()


@pytest.fixture
def ann(db: None) -> User:
    """An agent of the queue, without any scope."""
    return make_user("ann")


@pytest.fixture
def ben(db: None) -> User:
    """Another agent of the queue, without any scope."""
    return make_user("ben")


@pytest.fixture
def queue(ann: User, ben: User) -> Queue:
    """The queue that ann and ben work in."""
    return make_queue("q_support", name="Support", members=[ann, ben])


@pytest.fixture
def sales(db: None) -> Queue:
    """Another queue, with nobody in it."""
    return make_queue("q_sales", name="Sales")


@pytest.fixture
def sue(db: None) -> User:
    """A supervisor: write and delete everywhere."""
    user = make_user("sue", is_staff=True)
    grant(user, Scope.WRITE)
    grant(user, Scope.DELETE)
    return user


@pytest.fixture
def amy(db: None) -> User:
    """Somebody with the admin scope everywhere."""
    user = make_user("amy", is_staff=True)
    grant(user, Scope.ADMIN)
    return user


@pytest.fixture
def tom(db: None) -> User:
    """A team mate of this queue's supervisors: staff, with read everywhere and nothing more."""
    user = make_user("tom", is_staff=True)
    grant(user, Scope.READ)
    return user


@pytest.fixture
def eve(db: None) -> User:
    """A stranger: staff, but without any scope."""
    return make_user("eve", is_staff=True)


@pytest.fixture
def supervisor(sue: User) -> Actor:
    return Actor.of(sue, Door.API)


@pytest.fixture
def admin_actor(amy: User) -> Actor:
    return Actor.of(amy, Door.API)


@pytest.fixture
def system() -> Actor:
    return Actor.job("sweep", Scope.ADMIN)
