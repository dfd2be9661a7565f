"""Tokens as programs and people use them: OAuth, the vendor's log-in and its renewal, personal tokens."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken

from tests.builders import NOON, facts_of, last_event, make_user, make_workitem
from tests.doors import basic, bearer, browser, personal
from workitems.api import tokens
from workitems.api.models import Application, KeptAnswer, PersonalToken, SignInGuard
from workitems.api.tasks import forget
from workitems.choices import Scope, State
from workitems.groups import grant

SECRET = "a very secret secret"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
BACK = "https://crm.example/back"
READ, WRITE, DELETE, ADMIN = (scope.value for scope in Scope)
MINE = "/users/api/workitems"


@pytest.fixture(autouse=True)
def quick_hashes(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def make_application(grant_type=Application.GRANT_CLIENT_CREDENTIALS, **facts) -> Application:
    values = {
        "name": "CRM",
        "client_id": "crm",
        "client_secret": SECRET,
        "client_type": Application.CLIENT_CONFIDENTIAL,
        "authorization_grant_type": grant_type,
        "scopes": [READ, WRITE],
    }
    return Application.objects.create(**(values | facts))


@pytest.fixture
def robot(db):
    user = make_user("robot")
    grant(user, Scope.WRITE)
    return user


@pytest.fixture
def service(robot):
    return make_application(service_user=robot)


@pytest.fixture
def helper(db):
    return make_application(Application.GRANT_AUTHORIZATION_CODE, redirect_uris=BACK)


def ask(path="token", client_id="crm", secret=SECRET, **body):
    return Client().post(f"/oauth/{path}", body, headers=basic(client_id, secret))


def token_for_itself(**body) -> str:
    return ask(grant_type="client_credentials", **body).json()["access_token"]


def status_with(token: str) -> int:
    return Client(headers={"Authorization": f"Bearer {token}"}).get(MINE).status_code


def question(**facts):
    values = {
        "response_type": "code",
        "client_id": "crm",
        "redirect_uri": BACK,
        "scope": READ,
        "state": "s1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (values | facts).items() if value is not None}


def agree(user, **facts):
    return browser(user).post(reverse("oauth-authorize"), question(**facts) | {"allow": "true"})


def pair(user, **facts) -> dict[str, str]:
    """Return the first tokens of a program that the person let in."""
    code = parse_qs(urlsplit(agree(user, **facts)["Location"]).query)["code"][0]
    return ask(grant_type="authorization_code", code=code, redirect_uri=BACK, code_verifier=VERIFIER).json()


def refresh(token: str, **body):
    return ask(grant_type="refresh_token", refresh_token=token, **body)


# Programs for themselves


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_program_gets_a_token_that_says_whose_rights_it_has(slash, service, robot):
    answer = ask(f"token{slash}", grant_type="client_credentials")
    body = answer.json()
    assert (answer.status_code, body["expires_in"], body["scope"]) == (200, 900, f"{READ} {WRITE}")
    claims = jwt.decode(body["access_token"], settings.SECRET_KEY, algorithms=["HS256"])
    assert (claims["sub"], claims["username"], claims["userId"]) == ("robot", "robot", str(robot.pk))
    assert (claims["tenantId"], claims["authorities"]) == ("t_default", [READ, WRITE])
    assert claims["exp"] - claims["iat"] == 900
    assert len(claims["jti"]) == 32


def test_a_programs_token_opens_the_door_as_its_person(service, robot):
    assert status_with(token_for_itself()) == 200
    row = AccessToken.objects.get()
    assert (row.user, row.application, row.token) == (robot, service, "")


@pytest.mark.parametrize("wanted", [DELETE, ADMIN, f"{READ} {ADMIN}", "openid", "read"])
def test_a_program_gets_no_scope_that_it_is_not_allowed(wanted, service):
    answer = ask(grant_type="client_credentials", scope=wanted)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
    assert not AccessToken.objects.exists()


def test_a_program_without_scopes_gets_no_token(service):
    Application.objects.update(scopes=[])
    assert ask(grant_type="client_credentials").json()["error"] == "invalid_scope"
    assert not AccessToken.objects.exists()


def test_a_programs_scopes_taken_back_are_gone_at_once(service, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    token = token_for_itself()
    Application.objects.update(scopes=[READ])
    before = facts_of(item)
    api = Client(headers={"Authorization": f"Bearer {token}"})
    assert api.post(f"/users/api/calls/{item.workitem_id}/hold", content_type="application/json").status_code == 403
    assert facts_of(item) == before


@pytest.mark.parametrize("person", ["none", "inactive"])
def test_a_program_without_an_active_person_gets_no_token(person, service, robot):
    if person == "none":
        Application.objects.update(service_user=None)
    else:
        type(robot).objects.update(is_active=False)
    answer = ask(grant_type="client_credentials")
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert not AccessToken.objects.exists()


def test_a_token_ends_with_its_person(service, robot):
    token = token_for_itself()
    robot.is_active = False
    robot.save()
    assert status_with(token) == 401


def test_a_token_ends_when_its_program_acts_as_somebody_else(service, sue):
    token = token_for_itself()
    Application.objects.update(service_user=sue)
    assert status_with(token) == 401


@pytest.mark.parametrize("grant_type", ["password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "x"])
def test_there_is_no_other_grant(grant_type, service, robot):
    answer = ask(grant_type=grant_type, username="robot", password="x", device_code="x")
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_what_a_program_did_bears_its_name(service, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    headers = {"Authorization": f"Bearer {token_for_itself()}", "X-Request-Id": "rq-7"}
    Client(headers=headers).post(f"/users/api/calls/{item.workitem_id}/hold", content_type="application/json")
    event = last_event(item)
    assert (event.actor, event.token, event.request_id) == ("robot", "CRM", "rq-7")


# Bad requests


@pytest.mark.parametrize("path", ["token", "revoke", "introspect"])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"grant_type": "\0"},
        {"grant_type": "client_credentials", "scope": "\0"},
        {"client_id": "\0", "client_secret": "\0", "grant_type": "client_credentials"},
        {"client_id": "x" * 100_000, "client_secret": "x" * 100_000, "grant_type": "client_credentials"},
        {"grant_type": "authorization_code", "client_id": "crm"},
        {"grant_type": "refresh_token", "client_id": "crm", "client_secret": SECRET},
        {"grant_type": "refresh_token", "refresh_token": "x" * 100_000, "client_id": "crm", "client_secret": SECRET},
    ],
)
def test_bad_input_is_an_error_in_json(path, body, service, client):
    answer = client.post(f"/oauth/{path}", body)
    assert (answer.status_code in (400, 401), "error" in answer.json()) == (True, True)


@pytest.mark.parametrize("path", ["token", "revoke", "introspect"])
@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic x",
        "Basic \xe4",
        "Basic " + base64.b64encode(b"crm").decode(),
        "Basic " + base64.b64encode(b"a\0b:\0").decode(),
        "Basic " + base64.b64encode(b"\xff:x").decode(),
        "Basic " + base64.b64encode(b"%00:%00").decode(),
        "Bearer x",
    ],
)
def test_bad_headers_are_an_error_in_json(path, header, service, client):
    body = {"grant_type": "client_credentials", "token": "x"}
    answer = client.post(f"/oauth/{path}", body, headers={"Authorization": header})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("content", "kind"),
    [("{", "application/json"), ("--x\r\n", "multipart/form-data; boundary=x"), ("%zz=%", "text/plain")],
)
def test_bodies_that_are_no_forms_are_an_error_in_json(content, kind, service, client):
    answer = client.post("/oauth/token", content, content_type=kind)
    assert (answer.status_code, "error" in answer.json()) == (400, True)


@pytest.mark.parametrize("query", ["?grant_type=client_credentials", "?x=%zz", "?token=x"])
@pytest.mark.parametrize("path", ["token", "revoke", "introspect"])
def test_nothing_is_taken_from_the_address(path, query, service, client):
    answer = client.post(f"/oauth/{path}{query}", {}, headers=basic("crm", SECRET))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", ["token", "revoke", "introspect"])
def test_a_wrong_method_is_an_error_in_json(path, client, db):
    answer = client.get(f"/oauth/{path}")
    assert (answer.status_code, answer.json()["error"], answer["Allow"]) == (405, "invalid_request", "POST")


# People who let a program in


def test_a_person_is_asked_in_our_own_page(helper, sue):
    page = browser(sue).get(reverse("oauth-authorize"), question())
    text = page.content.decode()
    assert page.status_code == 200
    assert "Let CRM in?" in text
    assert "See workitems" in text
    assert "<script>" not in text
    assert "form-action 'self' https://crm.example" in page["Content-Security-Policy"]


def test_a_person_signs_in_before_he_is_asked(helper, client):
    assert client.get(reverse("oauth-authorize"), question()).url.startswith("/login/")


def test_who_agrees_lets_the_program_act_for_him(helper, sue):
    tokens_made = pair(sue)
    assert status_with(tokens_made["access_token"]) == 200
    assert AccessToken.objects.get().user == sue
    assert not AccessToken.objects.exclude(token="").exists()
    assert not RefreshToken.objects.exclude(token="").exists()


def test_who_refuses_sends_it_away_with_nothing(helper, sue):
    answer = browser(sue).post(reverse("oauth-authorize"), question())
    assert "error=access_denied" in answer["Location"]
    assert not AccessToken.objects.exists()


def test_consent_needs_the_csrf_token(helper, sue):
    person = Client(enforce_csrf_checks=True)
    person.force_login(sue)
    assert person.post(reverse("oauth-authorize"), question() | {"allow": "true"}).status_code == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"response_type": "token"},
        {"scope": ADMIN},
        {"code_challenge": None},
        {"code_challenge_method": "plain", "code_challenge": VERIFIER},
    ],
)
def test_a_weak_or_greedy_question_gets_no_code(changed, helper, sue):
    answer = agree(sue, **changed)
    assert "code=" not in answer.get("Location", "")
    assert "error=" in answer.get("Location", "error=")


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"client_id": "nobody"},
        {"client_id": "\0"},
        {"client_id": None},
        {"state": "\0"},
        {"nonce": "n" * 256},
        {"code_challenge": "c" * 129},
        {"state": "s" * 9000},
        {"prompt": "create"},
        {"claims": "{"},
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_bad_question_is_refused_and_goes_nowhere(method, changed, helper, sue):
    facts = question(**changed) | ({"allow": "true"} if method == "post" else {})
    answer = getattr(browser(sue), method)(reverse("oauth-authorize"), facts)
    assert answer.status_code in (200, 302, 400)
    assert "evil" not in answer.get("Location", "")


def test_an_address_that_cannot_be_read_is_refused(helper, sue):
    assert browser(sue).get("/oauth/authorize?client_id=%zz").status_code == 400


def test_a_code_works_once(helper, sue):
    code = parse_qs(urlsplit(agree(sue)["Location"]).query)["code"][0]
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    assert ask(**body).status_code == 200
    assert ask(**body).json()["error"] == "invalid_grant"


def test_a_code_ends_with_its_person(helper, sue):
    code = parse_qs(urlsplit(agree(sue)["Location"]).query)["code"][0]
    type(sue).objects.update(is_active=False)
    answer = ask(grant_type="authorization_code", code=code, redirect_uri=BACK, code_verifier=VERIFIER)
    assert answer.json()["error"] == "invalid_grant"


# Refreshing


def test_a_refresh_gives_a_new_pair_and_ends_the_old(helper, sue):
    old = pair(sue)
    new = refresh(old["refresh_token"]).json()
    assert (status_with(old["access_token"]), status_with(new["access_token"])) == (401, 200)
    assert new["refresh_token"] != old["refresh_token"]
    assert new["refresh_token"].count(".") == 0


def test_a_refresh_token_used_twice_ends_its_whole_family(helper, sue):
    first = pair(sue)
    second = refresh(first["refresh_token"]).json()
    third = refresh(second["refresh_token"]).json()
    assert refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert status_with(third["access_token"]) == 401
    assert refresh(third["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_refresh_that_overtook_another_counts_as_a_reuse(helper, sue, monkeypatch):
    from workitems.api import oauth

    first = pair(sue)
    generate = oauth.make_refresh_token

    def while_another_one_is_answered(request):
        RefreshToken.objects.get(revoked=None).revoke()
        return generate(request)

    monkeypatch.setattr(oauth.Token.get_oauthlib_core().server._default_token_type, "refresh_token_generator",
                        while_another_one_is_answered)  # fmt: skip
    answer = refresh(first["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert not AccessToken.objects.exists()


def test_a_refresh_never_widens(helper, sue):
    first = pair(sue)
    assert refresh(first["refresh_token"], scope=f"{READ} {WRITE}").json()["error"] == "invalid_scope"


def test_a_refresh_follows_what_the_program_may_have_now(helper, sue):
    first = pair(sue, scope=f"{READ} {WRITE}")
    Application.objects.update(scopes=[READ])
    assert refresh(first["refresh_token"]).json()["scope"] == READ


@pytest.mark.parametrize("gone", ["person", "scopes"])
def test_nothing_is_refreshed_for_nobody_or_nothing(gone, helper, sue):
    first = pair(sue)
    if gone == "person":
        type(sue).objects.update(is_active=False)
    else:
        Application.objects.update(scopes=[])
    answer = refresh(first["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_another_program_cannot_refresh(helper, sue, robot):
    first = pair(sue)
    make_application(client_id="other", service_user=robot)
    answer = ask(client_id="other", grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert answer.status_code == 400
    assert status_with(first["access_token"]) == 200


# Revoking and looking


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_revoked_token_is_worth_nothing_at_once(kind, helper, sue):
    made = pair(sue)
    assert ask("revoke", token=made[kind]).status_code == 200
    assert status_with(made["access_token"]) == 401
    assert refresh(made["refresh_token"]).json()["error"] == "invalid_grant"


def test_another_program_cannot_revoke(helper, sue, robot):
    made = pair(sue)
    make_application(client_id="other", service_user=robot)
    assert ask("revoke", client_id="other", token=made["access_token"]).status_code == 200
    assert status_with(made["access_token"]) == 200


def test_a_program_may_ask_what_a_token_is_worth(service):
    body = ask("introspect", token=token_for_itself()).json()
    assert (body["active"], body["scope"], body["username"]) == (True, f"{READ} {WRITE}", "robot")
    assert abs(body["exp"] - timezone.now().timestamp() - 900) < 5


@pytest.mark.parametrize("why", ["unknown", "expired", "inactive"])
def test_a_token_that_does_not_work_is_not_active(why, service, robot):
    token = token_for_itself()
    if why == "expired":
        AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    elif why == "inactive":
        type(robot).objects.update(is_active=False)
    answer = ask("introspect", token="x" if why == "unknown" else token)
    assert (answer.status_code, answer.json()) == (200, {"active": False})


def test_nobody_looks_without_a_secret(service, client):
    answer = client.post("/oauth/introspect", {"token": token_for_itself(), "client_id": "crm"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


# Showing a token


def test_a_token_meant_for_another_place_is_refused_here(service):
    token = token_for_itself(resource="https://elsewhere.example/")
    assert status_with(token) == 401


def test_a_bad_token_is_told_so(client, db):
    answer = client.get(MINE, headers={"Authorization": "Bearer x"})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="workitems", error="invalid_token"')


def test_no_token_is_no_bad_token(client, db):
    assert client.get(MINE)["WWW-Authenticate"] == 'Bearer realm="workitems"'


@pytest.mark.parametrize("kind", ["log-in", "personal"])
def test_a_caller_and_his_rights_cost_two_queries(kind, sue, django_assert_num_queries):
    headers = bearer(sue) if kind == "log-in" else personal(sue)
    api = Client(headers=headers)
    api.get(MINE)
    with django_assert_num_queries(3):  # and the one that looks for his workitems
        api.get(MINE)


# The vendor's renewal


def renew(token: str):
    return Client().get("/provider/api/token-refresh", headers={"Authorization": f"Bearer {token}"})


def test_a_renewed_token_works_beside_the_old_one(sue):
    old = tokens.issue(sue, now=timezone.now())
    answer = renew(old)
    body = answer.json()
    assert (answer.status_code, set(body)) == (200, {"clientLocation", "location", "token"})
    assert (status_with(old), status_with(body["token"])) == (200, 200)


def test_a_renewal_reads_the_rights_anew(sue):
    old = tokens.issue(sue, now=timezone.now())
    sue.groups.clear()
    grant(sue, Scope.READ)
    claims = jwt.decode(renew(old).json()["token"], options={"verify_signature": False})
    assert claims["authorities"] == [READ, WRITE]  # write comes from an agent's own items


def test_a_renewal_never_widens(tom):
    old = tokens.issue(tom, now=timezone.now(), scopes=[Scope.READ])
    grant(tom, Scope.ADMIN)
    assert AccessToken.objects.get(expires=AccessToken.objects.latest("pk").expires).scope == READ
    renew(old)
    assert AccessToken.objects.latest("pk").scope == READ


def test_a_chain_of_renewals_ends_twelve_hours_after_the_log_in(sue):
    with time_machine.travel(NOON, tick=False) as clock:
        token = tokens.issue(sue, now=timezone.now())
        for _ in range(71):
            clock.shift(timedelta(minutes=10))
            token = renew(token).json()["token"]
        assert jwt.decode(token, options={"verify_signature": False})["exp"] == NOON.timestamp() + 12 * 3600
        clock.shift(timedelta(minutes=10))
        assert renew(token).status_code == 401


@pytest.mark.parametrize("kind", ["client", "personal"])
def test_only_the_token_of_a_log_in_is_renewed(kind, service, sue):
    token = token_for_itself() if kind == "client" else personal(sue)["Authorization"].split()[1]
    count = AccessToken.objects.count()
    assert renew(token).status_code == 403
    assert AccessToken.objects.count() == count


@pytest.mark.parametrize("token", ["", "x"])
def test_without_a_good_token_nothing_is_renewed(token, db):
    assert renew(token).status_code == 401


def test_a_session_is_no_token_to_renew(sue):
    assert browser(sue).get("/provider/api/token-refresh").status_code == 401


# Personal tokens

PAGE = "/account/tokens/"
NEW = {"name": "Night report", "scopes": [READ], "days": 30}


def made_on_page(user, **facts) -> str:
    page = browser(user).post(PAGE, NEW | facts)
    return page.context["secret"]


def test_a_secret_is_shown_once(sue):
    person = browser(sue)
    page = person.post(PAGE, NEW)
    secret = page.context["secret"]
    assert (page.status_code, secret[:4], secret in page.content.decode()) == (200, "wpt_", True)
    assert "no-store" in page["Cache-Control"]
    assert secret not in person.get(PAGE).content.decode()
    assert PersonalToken.objects.get().checksum == hashlib.sha256(secret.encode()).hexdigest()


def test_a_personal_token_opens_the_door(sue):
    assert status_with(made_on_page(sue)) == 200


def test_a_personal_token_may_less_than_its_person(sue, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    before = facts_of(item)
    api = Client(headers={"Authorization": f"Bearer {made_on_page(sue)}"})
    assert api.post(f"/users/api/calls/{item.workitem_id}/hold", content_type="application/json").status_code == 403
    assert facts_of(item) == before


def test_what_a_personal_token_did_bears_its_name(sue, queue, ann):
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    api = Client(headers={"Authorization": f"Bearer {made_on_page(sue, scopes=[WRITE])}"})
    api.post(f"/users/api/calls/{item.workitem_id}/hold", content_type="application/json")
    assert (last_event(item).actor, last_event(item).token) == ("sue", "Night report")


@pytest.mark.parametrize(
    "changed",
    [
        {"scopes": [ADMIN]},
        {"scopes": []},
        {"scopes": ["x"]},
        {"days": 0},
        {"days": 366},
        {"days": "x"},
        {"name": ""},
        {"name": "n" * 101},
        {"name": "a\0b"},
    ],
)
def test_a_token_that_cannot_be_is_not_made(changed, sue):
    assert browser(sue).post(PAGE, NEW | changed).status_code == 400
    assert not PersonalToken.objects.exists()


def test_a_name_is_given_once_while_its_token_lives(sue):
    made_on_page(sue)
    assert browser(sue).post(PAGE, NEW).status_code == 400
    PersonalToken.objects.all().revoke(timezone.now())
    assert browser(sue).post(PAGE, NEW).status_code == 200


def test_an_expired_token_leaves_its_name(sue):
    with time_machine.travel(NOON):
        made_on_page(sue, days=1)
    assert browser(sue).post(PAGE, NEW).status_code == 200


def test_fifty_tokens_are_enough(sue):
    for number in range(50):
        tokens.make_personal(sue, name=str(number), scopes=[Scope.READ], days=1, now=timezone.now())
    assert browser(sue).post(PAGE, NEW).status_code == 400
    assert PersonalToken.objects.count() == 50


def test_the_page_needs_the_csrf_token(sue):
    person = Client(enforce_csrf_checks=True)
    person.force_login(sue)
    assert person.post(PAGE, NEW).status_code == 403
    assert not PersonalToken.objects.exists()


def test_the_page_is_for_people_who_signed_in(client, db):
    assert client.get(PAGE).url == f"/login/?next={PAGE}"


def test_a_revoked_personal_token_is_worth_nothing_at_once(sue):
    token = made_on_page(sue)
    browser(sue).post(reverse("account-token-revoke", args=[PersonalToken.objects.get().pk]))
    assert status_with(token) == 401


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_cannot_revoke_what_is_not_his(method, sue, amy):
    token = made_on_page(sue)
    answer = getattr(browser(amy), method)(reverse("account-token-revoke", args=[PersonalToken.objects.get().pk]))
    assert answer.status_code == (404 if method == "post" else 405)
    assert status_with(token) == 200


@pytest.mark.parametrize("pk", ["0", "9" * 30])
def test_a_token_that_is_not_there_is_not_found(pk, sue):
    assert browser(sue).post(f"{PAGE}{pk}/revoke/").status_code == 404


@pytest.mark.parametrize("why", ["expired", "inactive"])
def test_a_personal_token_ends_with_its_time_and_its_person(why, sue):
    token = made_on_page(sue)
    if why == "inactive":
        type(sue).objects.update(is_active=False)
    with time_machine.travel(timezone.now() + timedelta(days=31 if why == "expired" else 0)):
        assert status_with(token) == 401


def test_the_last_use_is_written_every_five_minutes(sue):
    token = made_on_page(sue, days=365)
    began = timezone.now()
    seen = []
    for minutes in (0, 4, 6):
        with time_machine.travel(began + timedelta(minutes=minutes), tick=False):
            status_with(token)
        seen.append(PersonalToken.objects.get().last_used_at)
    assert [moment - began for moment in seen] == [timedelta(), timedelta(), timedelta(minutes=6)]


# The back office


def test_an_administrator_makes_a_program_and_sees_its_secret_once(amy, robot):
    form = {
        "name": "Robot",
        "authorization_grant_type": "client-credentials",
        "client_type": "confidential",
        "scopes": [READ],
        "service_user": robot.pk,
        "redirect_uris": "",
    }
    page = browser(amy).post(reverse("admin:api_application_add"), form)
    application = Application.objects.get()
    assert page.context["secret"] in page.content.decode()
    assert (application.scopes, application.client_secret[:4]) == ([READ], "md5$")
    answer = ask(client_id=application.client_id, secret=page.context["secret"], grant_type="client_credentials")
    assert answer.status_code == 200


def test_a_new_secret_replaces_the_old_one(amy, service):
    data = {"action": "new_secret", "_selected_action": [service.pk]}
    page = browser(amy).post(reverse("admin:api_application_changelist"), data)
    assert ask(grant_type="client_credentials").status_code == 401
    assert ask(secret=page.context["secret"], grant_type="client_credentials").status_code == 200


@pytest.mark.parametrize(
    "changed",
    [{"service_user": ""}, {"client_type": "public"}, {"scopes": []}, {"authorization_grant_type": "password"}],
)
def test_a_program_that_makes_no_sense_is_not_made(changed, amy, robot):
    form = {"name": "R", "authorization_grant_type": "client-credentials", "client_type": "confidential",
            "scopes": [READ], "service_user": robot.pk, "redirect_uris": ""}  # fmt: skip
    assert browser(amy).post(reverse("admin:api_application_add"), form | changed).status_code == 200
    assert not Application.objects.exists()


@pytest.mark.parametrize("name", ["api_application_changelist", "api_application_add", "api_personaltoken_changelist"])
def test_programs_and_tokens_are_for_administrators(name, amy, sue):
    assert [browser(one).get(reverse(f"admin:{name}")).status_code for one in (amy, sue)] == [200, 403]


def test_an_administrator_revokes_somebodys_token(amy, sue):
    token = made_on_page(sue)
    data = {"action": "revoke", "_selected_action": [PersonalToken.objects.get().pk]}
    browser(amy).post(reverse("admin:api_personaltoken_changelist"), data)
    assert status_with(token) == 401


# What is forgotten


def test_what_nobody_can_use_is_forgotten(sue):
    now = timezone.now()
    with time_machine.travel(now - timedelta(days=2)):
        tokens.issue(sue, now=timezone.now())
    tokens.issue(sue, now=now)
    for key, hours in (("old", 73), ("new", 71)):
        KeptAnswer.objects.create(
            principal="p", key=key, fingerprint="f", status=200, body=b"", created_at=now - timedelta(hours=hours)
        )
    for key, minutes in (("old", 16), ("new", 14)):
        SignInGuard.objects.create(key=key, last_at=now - timedelta(minutes=minutes))
    assert forget() == {"answers": 1, "guards": 1, "onlookers": 0, "slots": 0}
    assert AccessToken.objects.count() == 1
    assert (KeptAnswer.objects.get().key, SignInGuard.objects.get().key) == ("new", "new")
    assert datetime.now(UTC) - now < timedelta(minutes=1)


def test_the_tokens_of_a_log_in_end_with_its_password(sue):
    client = Client(headers=bearer(sue))
    assert client.get("/users/api/workitems").status_code == 200
    sue.set_password("another long password")
    sue.save()
    for path in ("/users/api/workitems", "/provider/api/token-refresh"):
        assert client.get(path).status_code == 401


def test_both_histories_name_the_token(amy, queue):
    amy.is_superuser = True
    amy.save()
    item = make_workitem(queue=queue)
    Client(headers=personal(amy, name="nightly <export>")).post(
        f"/api/v1/workitems/{item.workitem_id}/note", {"text": "x"}, content_type="application/json"
    )
    timeline = f"/admin/workitems/workitem/{item.pk}/change/?tab=timeline"
    for address in (f"/supervisor/workitems/{item.workitem_id}/", timeline):
        assert "(nightly &lt;export&gt;)" in browser(amy).get(address).content.decode()
