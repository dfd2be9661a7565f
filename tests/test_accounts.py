"""People are invited, choose a password, prove a second factor, and are put out of action with all they hold."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group, Permission, User
from django.core import mail
from django.test import Client
from django.utils import timezone

from tests.builders import facts_of, make_presence, make_queue, make_user, make_workitem
from tests.doors import browser
from workitems.api import tokens
from workitems.api.models import PersonalToken
from workitems.choices import Scope, State
from workitems.groups import grant
from workitems.models import AuditEntry, Presence

PASSWORD = "a long password"
SECRET = "JBSWY3DPEHPK3PXP"
USERS = "/admin/auth/user/"


@pytest.fixture(autouse=True)
def quick_hashes(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def kim(db):
    user = make_user("kim", is_staff=True, email="kim@example.com")
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def chief(db):
    """Return somebody who may do everything and is no superuser."""
    user = make_user("chief", is_staff=True)
    grant(user, Scope.ADMIN)
    return user


def sign_in(client=None, username="kim", password=PASSWORD, **extra):
    client = client or Client()
    return client, client.post("/login/", {"login": username, "password": password, **extra})


def code_now(secret=SECRET):
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def give_authenticator(user):
    return TOTP.activate(user, SECRET).instance


def invite(admin, **facts):
    given = {"username": "new", "first_name": "Nell", "last_name": "", "email": "nell@example.com", "is_staff": "on"}
    return browser(admin).post(f"{USERS}add/", given | facts, follow=True)


def press(admin, user, name, **values):
    return browser(admin).post(f"{USERS}{user.pk}/{name}/", values, follow=True)


def test_the_right_password_opens_the_door(kim):
    client, answer = sign_in(next="/admin/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


def test_after_signing_in_nobody_is_sent_to_another_host(kim):
    _client, answer = sign_in(next="https://evil.example/")
    assert answer["Location"] == "/"


def test_the_back_office_sends_strangers_to_the_one_way_in(db):
    answer = Client().get("/admin/login/?next=/admin/queues/queue/")
    assert answer["Location"] == "/login/?next=/admin/queues/queue/"


def test_who_is_in_and_no_staff_is_told_no(db):
    assert browser(make_user("ann")).get("/admin/login/").status_code == 403


def test_nobody_signs_himself_up(db):
    assert Client().get("/account/signup/").status_code == 302
    Client().post("/account/signup/", {"username": "eve", "password1": PASSWORD})
    assert not User.objects.filter(username="eve").exists()


def test_a_second_factor_is_asked_for_after_the_password(kim):
    give_authenticator(kim)
    client, answer = sign_in()
    assert answer["Location"].startswith("/account/second-factor/authenticate/")
    assert client.get("/admin/").status_code == 302
    client.post("/account/second-factor/authenticate/", {"code": code_now()})
    assert client.get("/admin/").status_code == 200


def test_a_wrong_code_keeps_the_door_shut(kim):
    give_authenticator(kim)
    client, _answer = sign_in()
    assert client.post("/account/second-factor/authenticate/", {"code": "000000"}).status_code == 200
    assert client.get("/admin/").status_code == 302


def test_the_eleventh_code_is_not_looked_at_even_where_it_is_right(kim):
    give_authenticator(kim)
    client, _answer = sign_in()
    for _ in range(10):
        client.post("/account/second-factor/authenticate/", {"code": "000000"})
    answer = client.post("/account/second-factor/authenticate/", {"code": code_now()})
    assert "Too many attempts" in answer.content.decode()
    assert client.get("/admin/").status_code == 302


def test_the_secret_of_an_authenticator_does_not_lie_open_in_the_database(kim):
    stored = give_authenticator(kim).data["secret"]
    assert SECRET not in stored
    assert get_adapter().decrypt(stored) == SECRET


def test_staff_without_a_second_factor_can_do_nothing_but_set_one_up(kim, settings):
    settings.SECOND_FACTOR = "staff"
    client, _answer = sign_in()
    assert client.get("/admin/")["Location"] == "/account/second-factor/"
    assert client.get("/account/second-factor/").status_code == 200
    assert client.get("/account/second-factor/totp/activate/")["Location"].startswith("/account/again/")


def test_programs_that_ride_on_such_a_session_are_refused_in_json(kim, settings):
    settings.SECOND_FACTOR = "staff"
    client, _answer = sign_in()
    answer = client.get("/api/v1/workitems")
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor")


@pytest.mark.parametrize(("setting", "is_staff"), [("off", True), ("staff", False)])
def test_others_need_none(setting, is_staff, settings, db):
    settings.SECOND_FACTOR = setting
    assert browser(make_user("ann", is_staff=is_staff)).get("/account/").status_code == 200
    assert browser(User.objects.get(username="ann")).get("/")["Location"] != "/account/second-factor/"


def test_setting_up_an_authenticator_opens_the_back_office(kim, settings):
    settings.SECOND_FACTOR = "staff"
    client, _answer = sign_in()
    client.post("/account/again/", {"password": PASSWORD})
    page = client.get("/account/second-factor/totp/activate/")
    secret = page.context["form"].secret
    client.post("/account/second-factor/totp/activate/", {"code": code_now(secret)})
    assert client.get("/admin/").status_code == 200


def test_the_last_second_factor_of_those_who_must_have_one_stays(kim, settings):
    settings.SECOND_FACTOR = "staff"
    give_authenticator(kim)
    client, _answer = sign_in()
    client.post("/account/second-factor/authenticate/", {"code": code_now()})
    client.post("/account/second-factor/totp/deactivate/")
    assert Authenticator.objects.filter(user=kim, type="totp").exists()


def test_guessing_the_old_password_has_an_end(kim):
    client, _answer = sign_in()
    for _ in range(10):
        client.post("/account/password/", {"oldpassword": "wrong", "password1": "x" * 20, "password2": "x" * 20})
    answer = client.post("/account/password/", {"oldpassword": PASSWORD, "password1": "y" * 20, "password2": "y" * 20})
    assert "Too many attempts" in answer.content.decode()
    kim.refresh_from_db()
    assert kim.check_password(PASSWORD)


@pytest.mark.parametrize(
    "path",
    [
        "/login/", "/account/", "/account/password/", "/account/sessions/", "/account/second-factor/",
        "/account/tokens/", "/account/password/reset/", "/logout/", "/account/again/",
    ],
)  # fmt: skip
def test_the_pages_of_ones_own_account_look_like_ours(path, kim):
    client = Client() if path in ("/login/", "/account/password/reset/") else sign_in()[0]
    page = client.get(path)
    assert page.status_code == 200
    assert 'class="top"' in page.content.decode()


def test_an_invitation_leads_to_a_password_and_in(chief):
    invite(chief)
    text = mail.outbox[0].body
    path = re.search(r"http://testserver(/account/password/reset/key/\S+)", text)[1]
    client = Client()
    form = client.get(path, follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})
    _client, answer = sign_in(username="new")
    assert answer["Location"] == "/"


def test_an_invitation_works_once(chief):
    invite(chief)
    path = re.search(r"http://testserver(/account/password/reset/key/\S+)", mail.outbox[0].body)[1]
    client = Client()
    form = client.get(path, follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})
    again = Client().get(path, follow=True)
    assert "password1" not in again.content.decode()


def test_an_invitation_leaves_an_audit_entry(chief):
    invite(chief)
    entry = AuditEntry.objects.get(what="user created")
    assert (entry.subject, entry.actor, entry.address) == ("new", "chief", "127.0.0.1")
    assert entry.details["changes"]["email"] == {"old": None, "new": "nell@example.com"}


def test_without_an_address_the_link_is_shown_once_instead(chief):
    page = invite(chief, email="").content.decode()
    assert "/account/password/reset/key/" in page
    assert mail.outbox == []


def test_a_name_that_is_taken_is_an_error_in_the_form(chief, kim):
    answer = invite(chief, username="kim")
    assert "already exists" in answer.content.decode()
    assert mail.outbox == []


def test_nobody_but_a_superuser_makes_a_superuser(chief):
    invite(chief, is_superuser="on")
    assert not User.objects.get(username="new").is_superuser


def test_nobody_but_a_superuser_touches_a_superuser(chief):
    root = make_user("root", is_superuser=True, is_staff=True)
    assert press(chief, root, "deactivate").status_code == 403
    assert press(chief, root, "send_link").status_code == 403
    assert press(chief, root, "remove_second_factor").status_code == 403
    root.refresh_from_db()
    assert root.is_active


def test_accounts_are_closed_to_who_may_not_do_everything(kim):
    queue = make_queue()
    grant(kim, Scope.ADMIN, queue)
    assert browser(kim).get(USERS).status_code == 403
    assert browser(kim).get(f"{USERS}{kim.pk}/change/").status_code in (403, 404)
    assert press(kim, make_user("ann"), "deactivate").status_code in (403, 404)


def test_deactivating_gives_the_work_back_at_its_old_place(chief):
    ann = make_user("ann")
    queue = make_queue(members=[ann])
    make_presence(ann)
    talking = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    offered = make_workitem(State.OFFERED, queue=queue, agent=ann)
    press(chief, ann, "deactivate")
    for item in (talking, offered):
        after = facts_of(item)
        assert (after["state"], after["queue_id"], after["queued_at"]) == (State.INQUEUE, queue.pk, item.queued_at)
    ann.refresh_from_db()
    assert not ann.is_active
    assert Presence.objects.get(user=ann).status == Presence.Status.OFFLINE


def test_deactivating_ends_all_sessions(chief, kim):
    client, _answer = sign_in()
    press(chief, kim, "deactivate")
    assert client.get("/admin/").status_code == 302
    assert not UserSession.objects.filter(user=kim).exists()


def test_who_was_deactivated_comes_in_no_more_until_activated(chief, kim):
    press(chief, kim, "deactivate")
    assert sign_in()[1].status_code == 200
    press(chief, kim, "activate")
    assert sign_in()[1].status_code == 302
    assert list(AuditEntry.objects.filter(subject="kim").order_by("pk").values_list("what", flat=True)) == [
        "user deactivated", "user activated",
    ]  # fmt: skip


def test_nobody_deactivates_himself(chief):
    page = press(chief, chief, "deactivate").content.decode()
    chief.refresh_from_db()
    assert chief.is_active
    assert "yourself" in page


def test_one_session_can_be_ended_and_the_other_goes_on(chief, kim):
    (first, _one), (second, _two) = sign_in(), sign_in()
    oldest = UserSession.objects.filter(user=kim).earliest("pk")
    press(chief, kim, "end_sessions", session=oldest.pk)
    assert first.get("/admin/").status_code == 302
    assert second.get("/admin/").status_code == 200


def test_a_lost_second_factor_is_forgotten_and_its_sessions_end(chief, kim):
    give_authenticator(kim)
    press(chief, kim, "remove_second_factor")
    assert not Authenticator.objects.filter(user=kim).exists()
    assert AuditEntry.objects.filter(what="user lost second factor", subject="kim").exists()


def test_a_change_of_groups_is_audited_with_old_and_new(chief, kim):
    page = f"{USERS}{kim.pk}/change/"
    client = browser(chief)
    seen = client.get(page).context["adminform"].form.seen_token
    group = Group.objects.get(name="workitems:read")
    client.post(page, {"first_name": "Kim", "email": kim.email, "is_staff": "on", "groups": [group.pk], "seen": seen})
    changes = AuditEntry.objects.get(what="user changed").details["changes"]
    assert changes == {"first_name": {"old": "", "new": "Kim"}, "groups": {"old": [], "new": ["workitems:read"]}}


def test_the_second_of_two_editors_is_told_what_has_changed_and_keeps_what_he_typed(chief, kim):
    page, client = f"{USERS}{kim.pk}/change/", browser(chief)
    seen = client.get(page).context["adminform"].form.seen_token
    other = browser(make_user("root", is_superuser=True, is_staff=True))
    given = {"email": kim.email, "is_staff": "on"}
    theirs = other.get(page).context["adminform"].form.seen_token
    other.post(page, {**given, "first_name": "Kimberley", "seen": theirs})
    answer = client.post(page, {**given, "last_name": "Ames", "seen": seen})
    form = answer.context["adminform"].form
    assert "root has changed this" in str(form.non_field_errors())
    assert "Kimberley" in str(form.non_field_errors())
    assert (form["first_name"].value(), form["last_name"].value()) == ("Kimberley", "Ames")
    client.post(page, {**given, "first_name": "Kimberley", "last_name": "Ames", "seen": form.seen_token})
    kim.refresh_from_db()
    assert kim.get_full_name() == "Kimberley Ames"


@pytest.mark.parametrize("count", [2, 25])
def test_the_list_costs_the_same_for_any_number_of_people(count, chief, django_assert_max_num_queries):
    for _ in range(count):
        make_user()
    client = browser(chief)
    client.get(USERS)
    with django_assert_max_num_queries(12):
        client.get(USERS)


def test_a_list_is_narrowed_by_its_filters_only(chief):
    make_user("root", is_superuser=True, is_staff=True, password="argon2$secret")
    client = browser(chief)
    assert client.get(f"{USERS}?is_active__exact=1").status_code == 200
    for lookup in ("password__startswith=argon2", "password__regex=a", "username__gte=r", "member_of_queues=1"):
        assert client.get(f"{USERS}?{lookup}").status_code == 400


def test_without_a_second_factor_nobody_who_needs_one_makes_tokens(kim, settings):
    settings.SECOND_FACTOR = "staff"
    client, _answer = sign_in()
    assert client.get("/account/tokens/")["Location"] == "/account/second-factor/"
    client.post("/account/tokens/", {"name": "x", "scopes": ["workitems:read"], "days": "365"})
    assert not PersonalToken.objects.exists()


def test_taking_the_second_factor_away_ends_the_other_sessions(kim, settings):
    give_authenticator(kim)
    (first, _one), (second, _two) = sign_in(), sign_in()
    code = code_now()
    first.post("/account/second-factor/authenticate/", {"code": code})
    second.force_login(kim)
    UserSession.objects.create(user=kim, session_key=second.session.session_key, ip="192.0.2.1")
    first.post("/account/second-factor/totp/deactivate/")
    if Authenticator.objects.filter(user=kim).exists():
        first.post("/account/again/", {"password": PASSWORD})
        first.post("/account/second-factor/totp/deactivate/")
    assert not Authenticator.objects.filter(user=kim).exists()
    assert second.get("/admin/").status_code == 302


def test_only_a_superuser_fills_a_group_that_gives_more_than_scopes(chief, kim):
    group = Group.objects.create(name="more")
    group.permissions.add(Permission.objects.get(codename="add_user"))
    page, client = f"{USERS}{kim.pk}/change/", browser(chief)
    seen = client.get(page).context["adminform"].form.seen_token
    answer = client.post(page, {"email": kim.email, "is_staff": "on", "groups": [group.pk], "seen": seen})
    assert "gives more than scopes" in answer.content.decode()
    assert not kim.groups.exists()


def test_nobody_shuts_himself_out(chief):
    page, client = f"{USERS}{chief.pk}/change/", browser(chief)
    seen = client.get(page).context["adminform"].form.seen_token
    answer = client.post(page, {"email": "", "seen": seen})
    assert "shut yourself out" in answer.content.decode()
    chief.refresh_from_db()
    assert chief.is_staff
    assert chief.groups.filter(name="workitems:admin").exists()


def test_programs_and_tokens_leave_audit_entries_without_their_secrets(chief, kim):
    client = browser(chief)
    given = {
        "name": "Nightly", "authorization_grant_type": "client-credentials", "client_type": "confidential",
        "scopes": ["workitems:read"], "service_user": kim.pk, "redirect_uris": "",
    }  # fmt: skip
    client.post("/admin/api/application/add/", given)
    entry = AuditEntry.objects.get(what="program created")
    assert entry.details["changes"]["service_user"] == {"old": None, "new": "kim"}
    assert "client_secret" not in entry.details["changes"]
    tokens.make_personal(kim, name="script", scopes=[Scope.READ], days=1, now=timezone.now())
    token = PersonalToken.objects.get()
    client.post("/admin/api/personaltoken/", {"action": "revoke", "_selected_action": [token.pk]})
    entry = AuditEntry.objects.get(what="token revoked")
    assert (entry.subject, entry.actor, entry.details) == ("kim", "chief", {"token": "script"})
