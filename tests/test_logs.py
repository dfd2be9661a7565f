"""Logs: lines for people or JSON, each with the request or the task that it is about."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog
from celery import current_app
from django.conf import settings as deployment
from django.core.exceptions import ImproperlyConfigured

from config import logs
from tests.builders import make_workitem
from tests.test_worker import Hall, hall, wait_for  # noqa: F401  the fixture
from workitems import tasks, transfers
from workitems.actors import Actor
from workitems.choices import Door


class Console:
    """What a logger writes, in the form that is asked for."""

    def __init__(self, form: str) -> None:
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        options = dict(logs.configuration(form, "INFO")["formatters"]["console"])
        self.handler.setFormatter(options.pop("()")(**options))

    def text(self) -> str:
        return self.stream.getvalue()

    def lines(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture(params=["line", "json"])
def form(request) -> str:
    return request.param


@pytest.fixture
def console(form) -> Iterator[Console]:
    console = Console(form)
    logging.getLogger().addHandler(console.handler)
    structlog.contextvars.clear_contextvars()
    yield console
    logging.getLogger().removeHandler(console.handler)
    structlog.contextvars.clear_contextvars()


only_json = pytest.mark.parametrize("form", ["json"])
only_lines = pytest.mark.parametrize("form", ["line"])


@only_json
def test_a_line_for_programs_has_its_parts_by_name(console):
    logging.getLogger("workitems.here").warning("%d of %s", 3, "ten")
    (line,) = console.lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "3 of ten", "level": "warning", "logger": "workitems.here"}


@only_lines
def test_a_line_for_people_says_the_same(console):
    structlog.contextvars.bind_contextvars(request_id="rq_1")
    logging.getLogger("workitems.here").warning("%d of %s", 3, "ten")
    assert console.text().endswith("Z [warning] 3 of ten [workitems.here] request_id=rq_1\n")


def test_what_went_wrong_is_told_with_its_traceback(console):
    try:
        raise ValueError("odd")
    except ValueError:
        logging.getLogger("workitems.here").exception("broken")
    assert "Traceback (most recent call last)" in console.text()
    assert "ValueError: odd" in console.text()


@only_json
def test_no_line_breaks_into_several(console):
    logging.getLogger("workitems.here").warning("one\ntwo")
    assert [line["event"] for line in console.lines()] == ["one\ntwo"]


def test_another_form_is_refused():
    with pytest.raises(ImproperlyConfigured, match="LOG_FORMAT must be one of line, json"):
        logs.configuration("xml", "INFO")


@only_json
def test_every_line_of_a_request_names_it(console, client, db):
    client.get("/api/v1/workitems/wi_none", headers={"X-Request-Id": "crm-78"})
    assert console.lines()
    assert {line["request_id"] for line in console.lines()} == {"crm-78"}


def test_a_request_does_not_inherit_the_name_of_the_one_before(console, client, db):
    client.get("/nowhere", headers={"X-Request-Id": "crm-78"})
    answer = client.get("/nowhere")
    assert answer["X-Request-Id"] == structlog.contextvars.get_contextvars()["request_id"] != "crm-78"


@pytest.fixture
def transfer(sue, queue, sales):
    from django.utils import timezone

    selection = transfers.Selection(workitem_ids=[make_workitem(queue=queue).workitem_id])
    return transfers.request(selection, transfers.Terms(queue=sales), actor=Actor.of(sue, Door.API), now=timezone.now())


@only_json
def test_every_line_of_a_task_names_it_and_its_run(console, transfer):
    done = tasks.run_transfer.apply(kwargs={"transfer_id": transfer.transfer_id})
    (line,) = [line for line in console.lines() if "succeeded" in line["event"]]
    assert (line["task"], line["task_id"]) == ("workitems.tasks.run_transfer", done.id)
    assert line["run_id"] == transfer.transfer_id


@only_json
def test_what_comes_after_a_task_is_not_called_by_its_name(console, transfer):
    tasks.run_transfer.apply(kwargs={"transfer_id": transfer.transfer_id})
    logging.getLogger("workitems.here").warning("idle")
    assert "task_id" not in console.lines()[-1]


@pytest.mark.django_db(transaction=True)
def test_a_worker_knows_which_request_it_works_for(hall):  # noqa: F811
    hall.env["LOG_FORMAT"] = "json"
    hall.start_worker()
    call = (
        "import structlog; from workitems import tasks; "
        "structlog.contextvars.bind_contextvars(request_id='crm-78'); tasks.send_mails.delay()"
    )
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", call], cwd=deployment.BASE_DIR, env=hall.env, check=True
    )
    wait_for(lambda: "succeeded" in hall.log.read_text())
    (line,) = [json.loads(line) for line in hall.log.read_text().splitlines() if "succeeded" in line]
    assert (line["task"], line["request_id"]) == ("workitems.tasks.send_mails", "crm-78")
    assert line["task_id"] in line["event"]


def test_celery_leaves_our_logging_alone():
    handlers = list(logging.getLogger().handlers)
    current_app.log.already_setup = False
    current_app.log.setup_logging_subsystem()
    assert logging.getLogger().handlers == handlers
