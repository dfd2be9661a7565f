"""How people sign in: password, then an authenticator's code or a passkey where they have one, or must have one.

allauth does the steps; here stands what is ours: who may do without a second factor, how often a code may be tried,
and that nobody signs himself up.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import ChangePasswordForm, LoginForm, ReauthenticateForm
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as CodeAgainForm
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_removed
from allauth.usersessions.models import UserSession
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from workitems.api.sign_in import PER_NAME, TooManyAttempts, name_key, reserve
from workitems.middleware import PROGRAMS, caller_address, request_id

SECOND_FACTOR = "second_factor"  # in the session: this person has one
T = TypeVar("T")
WITHOUT_SECOND_FACTOR = (
    "/account/second-factor/", "/account/again/", "/account/password/", "/account/sessions/", "/account/inactive/",
    "/login/", "/logout/", "/static/", "/health/",
)  # fmt: skip


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by invitation only."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs himself up."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that no caller can choose."""
        return caller_address(request.META)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of authenticators lie in the database in a form that the database alone does not give away."""

    def encrypt(self, text: str) -> str:
        """Encrypt with a key made of the deployment's secret."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt it again."""
        return _cipher().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        """Name the product in people's authenticator apps."""
        return f"Workitems {settings.TENANT_ID}"

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Keep the last one of those who must have one."""
        others = Authenticator.objects.filter(user=authenticator.user_id).exclude(pk=authenticator.pk)
        return not is_required(authenticator.user) or others.exclude(type="recovery_codes").exists()


class SignInForm(LoginForm):
    """A log-in form that says when the next attempt makes sense."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        self.fields["login"].widget.attrs["autofocus"] = True

    def clean(self) -> dict[str, Any]:
        """Turn the refusal into an error of the form."""
        cleaned: dict[str, Any] = _told(super().clean)
        return cleaned


class PasswordAgainForm(ReauthenticateForm):
    """The password once more, before something grave."""

    def clean_password(self) -> str:
        """Turn the refusal into an error of the form."""
        password: str = _told(super().clean_password)
        return password


class NewPasswordForm(ChangePasswordForm):
    """A new password for the old one, which cannot be guessed here either."""

    def clean_oldpassword(self) -> str:
        """Count the attempt like one to sign in."""
        password: str = _counted(self.user, super().clean_oldpassword)
        return password


class CodeForm(AuthenticateForm):
    """A code, of which only so many are checked."""

    def clean_code(self) -> str:
        """Count the attempt before the code is looked at."""
        code: str = _counted(self.user, super().clean_code)
        return code


class CodeOnceMoreForm(CodeAgainForm):
    """A code once more, before something grave."""

    def clean_code(self) -> str:
        """Count the attempt before the code is looked at."""
        code: str = _counted(self.user, super().clean_code)
        return code


class SecondFactorMiddleware:
    """Let those who must have a second factor do nothing else until they have one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Ask once a session; programs with tokens have none."""
        if self._lacks_it(request):
            if request.path_info.startswith(PROGRAMS):
                refusal = {"code": "second_factor", "message": _("Set up a second factor first.")}
                return JsonResponse({**refusal, "requestId": request_id(request)}, status=403)
            if request.path_info != "/account/" and not request.path_info.startswith(WITHOUT_SECOND_FACTOR):
                return HttpResponseRedirect(reverse("mfa_index"))
        return self.get_response(request)

    def _lacks_it(self, request: HttpRequest) -> bool:
        user = request.user
        if settings.SECOND_FACTOR == "off" or not isinstance(user, User) or request.session.get(SECOND_FACTOR):
            return False
        if not is_required(user):
            return False
        if not Authenticator.objects.filter(user=user).exclude(type="recovery_codes").exists():
            return True
        request.session[SECOND_FACTOR] = True
        return False


def is_required(user: User) -> bool:
    """Tell whether this person must have a second factor."""
    return settings.SECOND_FACTOR == "everyone" or (settings.SECOND_FACTOR == "staff" and user.is_staff)


@receiver(authenticator_removed)
def ask_anew(request: HttpRequest, **kwargs: Any) -> None:
    """Look again whether the person has one, and end his other sessions, which have been told that he has."""
    request.session.pop(SECOND_FACTOR, None)
    for session in UserSession.objects.filter(user=request.user.pk).exclude(session_key=request.session.session_key):
        session.end()


def _told(check: Callable[[], T]) -> T:
    try:
        return check()
    except TooManyAttempts as refusal:
        raise ValidationError(str(refusal.detail), code=refusal.default_code) from refusal


def _counted(user: User, check: Callable[[], T]) -> T:
    """Reserve an attempt that the person's name has, check, and give it back where it was right."""
    reservation = _told(lambda: reserve({name_key("code", str(user.pk)): PER_NAME}))
    answer = check()
    reservation.take_back()
    return answer


def _cipher() -> Fernet:
    key = hashlib.sha256(f"second factor {settings.SECRET_KEY}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
