"""OAuth 2.0 for programs: what the toolkit leaves open, and its views with errors that stay errors.

Programs act for themselves (client credentials, as their service user) or for a person who agreed (authorization code
with PKCE, refreshed with rotation). There is no password grant, no implicit grant and no device grant.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from django.contrib.auth.models import User
from django.core.exceptions import SuspiciousOperation
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.models import RefreshToken
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes
from oauth2_provider.settings import oauth2_settings
from oauth2_provider.views import AuthorizationView, RevokeTokenView, TokenView
from oauth2_provider.views.mixins import OAuthLibMixin
from oauthlib.common import Request as OAuthRequest
from oauthlib.common import generate_token
from oauthlib.oauth2 import (
    AuthorizationCodeGrant,
    AuthorizationEndpoint,
    BearerToken,
    ClientCredentialsGrant,
    RefreshTokenGrant,
    ResourceEndpoint,
    RevocationEndpoint,
    TokenEndpoint,
)
from oauthlib.oauth2.rfc6749 import errors

from workitems.actors import Actor
from workitems.api import sign_in, tokens
from workitems.api.models import Application
from workitems.choices import Door

GRANTS = ("authorization_code", "client_credentials", "refresh_token")
LONGEST = {"code_challenge": 128, "nonce": 255}  # what the toolkit's columns hold
LONGEST_QUERY = 8_000
HALF_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class TooManySecrets(errors.OAuth2Error):
    """So many secrets were wrong that none is checked for a while."""

    error = "temporarily_unavailable"
    status_code = 429

    def __init__(self, refusal: sign_in.TooManyAttempts) -> None:
        super().__init__(description=str(refusal.detail))
        self.wait = refusal.wait

    @property
    def headers(self) -> dict[str, str]:
        """Say when to come again."""
        return {"Retry-After": str(self.wait)}


class Server(AuthorizationEndpoint, TokenEndpoint, ResourceEndpoint, RevocationEndpoint):
    """An authorization server with the three grants that RFC 9700 leaves."""

    def __init__(
        self,
        request_validator: Any,
        token_expires_in: Any = None,
        token_generator: Any = None,
        refresh_token_generator: Any = None,
        **kwargs: Any,
    ) -> None:
        bearer = BearerToken(request_validator, token_generator, token_expires_in, refresh_token_generator)
        code = AuthorizationCodeGrant(request_validator)
        AuthorizationEndpoint.__init__(
            self, default_response_type="code", response_types={"code": code}, default_token_type=bearer
        )
        TokenEndpoint.__init__(
            self,
            default_grant_type="authorization_code",
            grant_types={
                "authorization_code": code,
                "client_credentials": ClientCredentialsGrant(request_validator),
                "refresh_token": RefreshTokenGrant(request_validator),
            },
            default_token_type=bearer,
        )
        ResourceEndpoint.__init__(self, default_token="Bearer", token_types={"Bearer": bearer})  # noqa: S106
        RevocationEndpoint.__init__(self, request_validator)


class ApplicationScopes(BaseScopes):
    """A program may ask for what stands in its own row, and gets that where it asks for nothing in particular."""

    def get_all_scopes(self) -> dict[str, Any]:
        scopes: dict[str, Any] = oauth2_settings.SCOPES
        return scopes

    def get_available_scopes(
        self, application: Application | None = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        """Return the scopes of the program's row, none where there is no program."""
        return [scope.value for scope in tokens.scopes_named(application.scopes if application else ())]

    def get_default_scopes(
        self, application: Application | None = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        return self.get_available_scopes(application)


class Validator(OAuth2Validator):
    """The toolkit's validator, with service users, limits for guessing, and people who are still there."""

    def authenticate_client(self, request: OAuthRequest, *args: Any, **kwargs: Any) -> bool:
        """Check the secret where not too many were wrong; with a header, what the body says does not count."""
        header = self._extract_basic_auth(request)
        client_id = _client_in(header) if header else request.client_id
        if not client_id:
            return False
        limits = {sign_in.name_key("client", client_id): sign_in.PER_NAME}
        limits |= dict.fromkeys(sign_in.address_keys(request.headers), sign_in.PER_ADDRESS)
        try:
            reservation = sign_in.reserve(limits)
        except sign_in.TooManyAttempts as refusal:
            raise TooManySecrets(refusal) from refusal
        if not (self._authenticate_basic_auth(request) if header else self._authenticate_request_body(request)):
            return False
        reservation.take_back()
        return True

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: OAuthRequest, *args: Any, **kwargs: Any
    ) -> bool:
        """Let a program act for itself only where there is an active person whose rights it has."""
        if grant_type not in GRANTS or not super().validate_grant_type(client_id, grant_type, client, request):
            return False
        if grant_type != "client_credentials":
            return True
        user = request.client.service_user
        return bool(
            request.client.client_type == Application.CLIENT_CONFIDENTIAL and user is not None and user.is_active
        )

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Any, request: OAuthRequest, *args: Any, **kwargs: Any
    ) -> bool:
        """Refuse tokens for nothing, as well as for more than the program may have."""
        return bool(scopes) and super().validate_scopes(client_id, scopes, client, request)

    def validate_code(
        self, client_id: str, code: str, client: Any, request: OAuthRequest, *args: Any, **kwargs: Any
    ) -> bool:
        """Refuse the code of somebody who has left."""
        return bool(super().validate_code(client_id, code, client, request) and request.user.is_active)

    def validate_refresh_token(
        self, refresh_token: str, client: Any, request: OAuthRequest, *args: Any, **kwargs: Any
    ) -> bool:
        """Refuse the token of somebody who has left, and one of which no scope is left."""
        if not super().validate_refresh_token(refresh_token, client, request) or not request.user.is_active:
            return False
        return bool(self.get_original_scopes(refresh_token, request))

    def get_original_scopes(self, refresh_token: str, request: OAuthRequest, *args: Any, **kwargs: Any) -> list[str]:
        """Return what the person agreed to, as far as the program may have it still."""
        agreed = request.refresh_token_instance.access_token.scope.split()
        return [scope for scope in ApplicationScopes().get_available_scopes(request.client) if scope in agreed]

    def validate_user(self, *args: Any, **kwargs: Any) -> bool:
        """Know no password grant."""
        return False

    def save_bearer_token(self, token: dict[str, Any], request: OAuthRequest, *args: Any, **kwargs: Any) -> None:
        """Keep the tokens; of two requests with one refresh token, the second is a reuse like any later one."""
        used = getattr(request, "refresh_token_instance", None)
        with transaction.atomic():
            if used is None or RefreshToken.objects.select_for_update().filter(pk=used.pk, revoked=None).first():
                super().save_bearer_token(token, request, *args, **kwargs)
                return
        RefreshToken.revoke_family(used.token_family)
        raise errors.InvalidGrantError(request=request)

    def _create_access_token(self, expires: Any, request: OAuthRequest, token: Any, **kwargs: Any) -> Any:
        request.user = person_of(request)
        return super()._create_access_token(expires, request, token, **kwargs)


def person_of(request: OAuthRequest) -> User:
    """Return whose rights the token will have: the program's own person where it acts for itself."""
    user: User = request.client.service_user if request.grant_type == "client_credentials" else request.user
    return user


def make_access_token(request: OAuthRequest) -> str:
    """Return the text of an access token."""
    user, now = person_of(request), timezone.now()
    scopes = Actor.of(user, Door.API, tokens.scopes_named(request.scopes)).scopes_for_token()
    return tokens.jwt_for(user, scopes, now=now, expires=now + timedelta(seconds=request.expires_in))


def make_refresh_token(request: OAuthRequest) -> str:
    """Return a refresh token, which says nothing."""
    text: str = generate_token(length=43)
    return text


class EndPoint(View):
    """Answers to programs: JSON whatever comes in, never kept by a cache."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse what cannot be read before the toolkit stumbles over it."""
        problem = _problem_in_body(request)
        if request.META.get("QUERY_STRING"):
            problem = _("The parameters belong into the body.")
        try:
            if problem:
                raise errors.InvalidRequestError(description=problem)
            answer: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[assignment]
        except errors.OAuth2Error as error:
            answer = HttpResponse(error.json, status=error.status_code, headers=error.headers)
        if answer.status_code >= 400:
            answer["Content-Type"] = "application/json"  # which the toolkit forgets at times
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say it in JSON too."""
        answer = JsonResponse({"error": "invalid_request", "error_description": _("Use POST.")}, status=405)
        answer["Allow"] = "POST"
        return answer


@method_decorator(csrf_exempt, name="dispatch")
class Token(EndPoint, TokenView):
    """Tokens for programs."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer every grant alike."""
        answer: HttpResponse = self.authorization_flow_token_response(request)
        return answer


@method_decorator(csrf_exempt, name="dispatch")
class Revoke(EndPoint, RevokeTokenView):
    """The end of a token (RFC 7009), and with a refresh token of its access token."""


@method_decorator(csrf_exempt, name="dispatch")
class Introspect(OAuthLibMixin, EndPoint):
    """What a token is worth at this moment (RFC 7662), for programs that show their secret."""

    def post(self, request: HttpRequest) -> JsonResponse:
        """Answer as the API itself would see the token."""
        if not self.authenticate_client(request):
            raise errors.InvalidClientError
        text = request.POST.get("token", "")
        if not text:
            raise errors.InvalidRequestError(description=_("The token is missing."))
        found = tokens.find(text)
        if found is None:
            return JsonResponse({"active": False})
        user, credential = found
        facts = {
            "active": True,
            "scope": " ".join(scope.value for scope in credential.scopes),
            "username": user.get_username(),
            "sub": user.get_username(),
            "exp": int(credential.expires.timestamp()),
            "token_type": "Bearer",
            "token_name": credential.name,
        }
        return JsonResponse(facts)


class Authorize(AuthorizationView):
    """The page on which a person agrees, or does not, to a program acting for him."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse what cannot be read before the toolkit stumbles over it."""
        problem = _problem_in_query(request) or _problem_in_body(request)
        if problem:
            return self._refuse(problem)
        answer: HttpResponse = super().dispatch(request, *args, **kwargs)
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        """Go on only with a program that exists."""
        known = Application.objects.filter(client_id=form.cleaned_data["client_id"]).exists()
        answer: HttpResponse = super().form_valid(form) if known else self.form_invalid(form)
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        """Refuse a form that is not the one we sent."""
        return self._refuse(_("The form is not complete."))

    def render_to_response(self, context: dict[str, Any], **response_kwargs: Any) -> HttpResponse:
        """Let the browser follow to the program, which our policy for forms would forbid."""
        answer: HttpResponse = super().render_to_response(context, **response_kwargs)
        target = urlsplit(context.get("redirect_uri") or "")
        if target.netloc:
            answer._csp_update = {"form-action": [f"{target.scheme}://{target.netloc}"]}  # type: ignore[attr-defined]
        answer["Cache-Control"] = "no-store"
        return answer

    def _refuse(self, problem: str) -> HttpResponse:
        return self.render_to_response({"error": errors.InvalidRequestError(description=problem)}, status=400)


def _client_in(header: str) -> str:
    """Return the client id in a Basic header, empty where it cannot be read or cannot be one."""
    try:
        words = base64.b64decode(header).decode()
    except (binascii.Error, ValueError):
        return ""
    client_id = unquote_plus(words.partition(":")[0])
    return str(client_id) if ":" in words and "\x00" not in client_id else ""


def _problem_in_body(request: HttpRequest) -> str:
    try:
        lists = request.POST.lists()
    except (MultiPartParserError, SuspiciousOperation, OSError):
        return _("The body cannot be read.")
    return _problem_with(lists)


def _is_address(text: str) -> bool:
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True


def _problem_in_query(request: HttpRequest) -> str:
    query = request.META.get("QUERY_STRING", "")
    if len(query) > LONGEST_QUERY or HALF_ESCAPE.search(query):
        return _("The address cannot be read.")
    return _problem_with(request.GET.lists())


def _problem_with(lists: Iterable[tuple[str, list[str]]]) -> str:
    for name, values in lists:
        if any("\x00" in text for text in (name, *values)):
            return _("There is a NUL in it.")
        if name == "resource" and not all(map(_is_address, values)):
            return _("The resource is no address.")
        if len(values[-1]) > LONGEST.get(name, len(values[-1])):
            return _("%s is too long.") % str(name)
    return ""
