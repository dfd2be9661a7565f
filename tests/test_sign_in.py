"""Nobody guesses passwords or secrets here: ten checks for a name in any fifteen minutes, whoever counts."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import hashers
from django.db import connection
from django.test import Client
from oauth2_provider.models import AccessToken

from tests.builders import NOON, make_user
from tests.doors import basic, browser
from workitems.api import sign_in
from workitems.api.models import Application, SignInGuard

RIGHT, WRONG = "a long password", "a wrong password"


@pytest.fixture(autouse=True)
def quick_hashes(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def person(db):
    user = make_user("kim", is_staff=True)
    user.set_password(RIGHT)
    user.save()
    return user


@pytest.fixture
def checks(monkeypatch):
    """Count the password checks, which are what an attacker wants."""
    made = []
    original = hashers.verify_password

    def counted(*args, **kwargs):
        made.append(args)
        return original(*args, **kwargs)

    monkeypatch.setattr(hashers, "verify_password", counted)
    return made


def by_basic(password, username="kim", **headers):
    return Client().get(
        "/provider/token-with-authorities", headers=basic(username, password) | headers, REMOTE_ADDR="192.0.2.1"
    )


def by_form(password, username="kim"):
    return Client().post("/login/", {"login": username, "password": password}, REMOTE_ADDR="192.0.2.1")


def guess(times, **headers):
    return [by_basic(WRONG, **headers).status_code for _ in range(times)]


def test_the_eleventh_wrong_password_is_not_checked(person, checks):
    assert guess(11) == [401] * 10 + [429]
    assert len(checks) == 10


def test_who_is_locked_out_is_told_for_how_long(person):
    with time_machine.travel(NOON, tick=False):
        guess(10)
        answer = by_basic(RIGHT)
    assert (answer.status_code, answer["Retry-After"], answer.json()["code"]) == (429, "900", "too_many_attempts")
    assert "15 minutes" in answer.json()["message"]
    assert not AccessToken.objects.exists()


def test_fifteen_minutes_later_one_may_try_again(person):
    with time_machine.travel(NOON, tick=False) as clock:
        guess(10)
        clock.shift(timedelta(minutes=14, seconds=59))
        assert by_basic(RIGHT).status_code == 429
        clock.shift(timedelta(seconds=2))
        assert by_basic(RIGHT).status_code == 200


def test_the_window_slides(person):
    with time_machine.travel(NOON, tick=False) as clock:
        seen = []
        for _ in range(4):
            seen += guess(5)
            clock.shift(timedelta(minutes=6))
        assert seen.count(401) == 15  # five at 0, 6, and 18 minutes; at 12 there are ten already


def test_right_passwords_do_not_count(person):
    guess(9)
    assert {by_basic(RIGHT).status_code for _ in range(12)} == {200}
    assert guess(2) == [401, 429]


def test_the_form_counts_with_the_rest_and_says_so(person, checks):
    guess(10)
    page = by_form(RIGHT)
    assert "Too many attempts. Try again in 15 minutes." in page.content.decode()
    assert "sessionid" not in page.cookies
    assert len(checks) == 10


def test_the_form_lets_the_right_one_in(person):
    assert "sessionid" in by_form(RIGHT).cookies


@pytest.mark.parametrize("spelling", ["KIM", "Kim"])
def test_another_spelling_is_no_other_name(spelling, person):
    for _ in range(10):
        by_basic(WRONG, spelling)
    assert by_basic(RIGHT).status_code == 429


@pytest.mark.parametrize("name", ["", "\0", "n" * 100_000, "\u0130" * 300, "kim\ud800"])
def test_strange_names_are_just_wrong(name, person):
    assert by_form(WRONG, username=name.encode(errors="replace").decode()).status_code == 200


def test_a_name_that_is_not_there_is_limited_alike(person):
    assert [by_basic(WRONG, "nobody").status_code for _ in range(11)] == [401] * 10 + [429]


def test_a_forwarding_header_that_anybody_can_write_does_not_help(person):
    codes = [by_basic(WRONG, **{"X-Forwarded-For": f"198.51.100.{one}"}).status_code for one in range(11)]
    assert codes == [401] * 10 + [429]


def test_one_address_cannot_try_everybody(person):
    codes = [by_basic(WRONG, f"u{one}", **{"X-Forwarded-For": f"198.51.100.{one}"}).status_code for one in range(101)]
    assert codes == [401] * 100 + [429]


def test_other_addresses_are_not_held_for_it(person):
    for one in range(100):
        by_basic(WRONG, f"u{one}")
    answer = Client().get("/provider/token-with-authorities", headers=basic("kim", RIGHT), REMOTE_ADDR="192.0.2.2")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("behind", "header", "address"),
    [
        (False, "203.0.113.5", "192.0.2.1"),
        (True, "203.0.113.5", "203.0.113.5"),
        (True, "198.51.100.9, 203.0.113.5", "203.0.113.5"),
        (True, "", "192.0.2.1"),
        (True, "x, 2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (True, "::ffff:203.0.113.5", "203.0.113.5"),
    ],
)
def test_only_what_our_own_proxy_saw_is_an_address(behind, header, address, settings):
    settings.BEHIND_PROXY = behind
    assert sign_in.address_of({"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": header}) == address


def test_neither_names_nor_addresses_are_kept_in_clear(person):
    guess(1)
    assert not any("kim" in row.key or "192" in row.key for row in SignInGuard.objects.all())


def test_who_is_signed_in_otherwise_is_not_asked(person):
    guess(10)
    assert browser(person).get("/account/tokens/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_get_ten_checks(checks):
    user = make_user("kim")
    user.set_password(RIGHT)
    user.save()
    checks.clear()
    start = threading.Barrier(20)

    def try_it(_):
        try:
            start.wait()
            return by_basic(WRONG).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(try_it, range(20)))
    assert sorted(codes) == [401] * 10 + [429] * 10
    assert len(checks) == 10
    assert {len(row.checks) for row in SignInGuard.objects.all()} == {10}


# Secrets of programs


@pytest.fixture
def program(person):
    return Application.objects.create(
        name="CRM", client_id="crm", client_secret=RIGHT, client_type="confidential",
        authorization_grant_type="client-credentials", scopes=["workitems:read"], service_user=person,
    )  # fmt: skip


def ask(secret, client_id="crm", path="token"):
    body = {"grant_type": "client_credentials", "token": "x"}
    return Client().post(f"/oauth/{path}", body, headers=basic(client_id, secret))


@pytest.mark.parametrize("path", ["token", "revoke", "introspect"])
def test_secrets_of_programs_are_limited_too(path, program, checks):
    codes = [ask(WRONG, path=path).status_code for _ in range(11)]
    answer = ask(RIGHT, path=path)
    assert codes == [401] * 10 + [429]
    assert (answer.status_code, answer.json()["error"]) == (429, "temporarily_unavailable")
    assert int(answer["Retry-After"]) > 0
    assert len(checks) == 10


def test_right_secrets_do_not_count(program):
    assert {ask(RIGHT).status_code for _ in range(12)} == {200}


def test_a_header_for_one_program_is_no_cover_for_guessing_at_another(program, checks):
    body = {"grant_type": "client_credentials", "client_id": "crm", "client_secret": RIGHT}
    answer = Client().post("/oauth/token", body, headers=basic("other", WRONG))
    assert answer.status_code == 401
    assert not checks
