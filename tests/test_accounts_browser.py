"""Signing in with an authenticator's code and with a passkey, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import Browser, Page, expect

from tests.browsers import IN_A_BROWSER
from tests.builders import make_user
from tests.visits import objections

PASSWORD = "a long password"

pytestmark = IN_A_BROWSER


@pytest.fixture
def kim():
    user = make_user("kim", is_staff=True, is_superuser=True)
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def page(chromium: Browser, live_server, kim, settings) -> Iterator[Page]:
    settings.SECOND_FACTOR = "staff"
    # passkeys belong to a host name, and an address is none
    context = chromium.new_context(base_url=live_server.url.replace("127.0.0.1", "localhost"))
    page = context.new_page()
    page.problems = []  # type: ignore[attr-defined]
    page.on("console", lambda line: page.problems.append(line.text) if line.type == "error" else None)
    yield page
    assert page.problems == []  # type: ignore[attr-defined]
    context.close()


def sign_in(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill("kim")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")


def password_again(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def code_for(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time())))))


def virtual_key(page: Page) -> None:
    """Plug a key into the browser that says yes to everything."""
    protocol = page.context.new_cdp_session(page)
    protocol.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    protocol.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_the_first_sign_in_leads_through_an_authenticator_to_the_back_office(page, kim):
    sign_in(page)
    page.get_by_role("heading", name="Two-Factor Authentication").wait_for()
    assert objections(page) == []
    page.get_by_role("link", name="Activate").click()
    password_again(page)
    secret = page.get_by_label("Authenticator secret").input_value()
    assert objections(page) == []
    page.get_by_label("Authenticator code").fill(code_for(secret))
    page.get_by_role("button", name="Activate").click()
    page.get_by_role("heading", name="Recovery Codes").wait_for()
    assert objections(page) == []
    page.goto("/admin/")
    expect(page).to_have_url("http://localhost:" + page.url.split(":")[2].split("/")[0] + "/admin/")
    assert Authenticator.objects.filter(user=kim, type="totp").exists()


def test_a_passkey_is_made_and_opens_the_door_alone(page, kim):
    virtual_key(page)
    sign_in(page)
    page.get_by_role("link", name="Add").click()
    password_again(page)
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    page.get_by_role("heading", name="Recovery Codes").wait_for()
    page.locator(".top-right > .menu > summary").last.click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    assert objections(page) == []
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.locator(".top-right > .menu > summary").last.wait_for()
    page.goto("/admin/auth/user/")
    page.get_by_role("link", name="kim").first.wait_for()
