"""What no database takes as text is refused on every page of the desk, before anything is looked up by it."""

from __future__ import annotations

import pytest

from tests.builders import NOON
from tests.doors import browser
from workitems.actors import Actor
from workitems.choices import Door
from workitems.errors import InvalidValue
from workitems.worklist import Reader

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address",
    [
        "/supervisor/work/next/?after=%00",
        "/supervisor/transfer/?workitem=%00",
        "/supervisor/transfer/targets/?find=%00",
        "/supervisor/work/?view=%00",
        "/supervisor/find/?q=wi_%00",
    ],
)
def test_a_nul_in_an_address_is_a_bad_request(sue, address):
    assert browser(sue).get(address).status_code == 400


def test_a_nul_in_a_form_is_a_bad_request(sue):
    assert browser(sue).post("/supervisor/transfer/", {"workitem": "\x00"}).status_code == 400


def test_a_stretch_of_time_without_its_figure_is_refused(sue):
    with pytest.raises(InvalidValue):
        Reader(Actor.of(sue, Door.PAGE), NOON).read({"during_from": ["2026-01-01"]})
