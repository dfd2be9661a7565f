"""Requests made from the OpenAPI document, sensible and senseless ones: no 500, no answer that it does not name."""

from __future__ import annotations

import functools
import os

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.builders import make_contact, make_disposition, make_queue, make_user, make_workitem
from workitems.api import tokens
from workitems.api.views.document import document
from workitems.choices import Scope, State, Type
from workitems.groups import grant

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "8"))


@pytest.fixture
def one_connection():
    """Keep the test's own connection open over requests that come in by WSGI."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def schema(db, settings, one_connection):
    settings.RATE_LIMIT_PER_MINUTE = 0
    settings.ALLOWED_HOSTS = ["*"]
    ann = make_user("ann")
    queue = make_queue("q_support", members=[ann])
    make_queue("q_sales")
    make_disposition()
    make_workitem(State.ACTIVE, queue=queue, agent=ann, workitem_id="wi_1", contact=make_contact("Ada"))
    make_workitem(State.ACCEPTED, queue=queue, agent=ann, workitem_id="wi_2", type=Type.INBOUND_EMAIL)
    return loaded()


@functools.cache
def loaded():
    """Load the document once: with each new one all of our code is read for values that are worth trying."""
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())


@pytest.fixture
def token(db):
    user = make_user("gateway")
    grant(user, Scope.ADMIN)
    return tokens.issue(user, now=timezone.now())


OPERATIONS = [
    pytest.param(place, method, id=operation["operationId"])
    for place, methods in document()["paths"].items()
    for method, operation in methods.items()
]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["sensible", "senseless"])
@pytest.mark.parametrize(("place", "method"), OPERATIONS)
def test_every_operation_keeps_to_the_document(place, method, mode, schema, token):
    operation = schema[place][method.upper()]
    name = operation.definition.raw["operationId"]
    headers = {} if name == "logIn" else {"Authorization": f"Bearer {token}"}
    # What a schema allows may still be refused: an unknown queue, a number that is none. Each line of a bulk is.
    excluded = [positive_data_acceptance, *([negative_data_rejection] if name == "doMany" else [])]

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        case.call_and_validate(headers=headers, excluded_checks=excluded)

    try:
        ask()
    except hypothesis.errors.Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # nothing about it can be senseless
