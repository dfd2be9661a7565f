"""A person's own pages: his account, and the tokens of his scripts, made, shown once and revoked."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from oauth2_provider.settings import oauth2_settings

from workitems.actors import Actor
from workitems.api import tokens
from workitems.api.models import PersonalToken
from workitems.choices import Door, Scope

MOST_LIVE = 50
MOST_DAYS = 365
PK_MAX = 2**63 - 1


class TokenForm(forms.Form):
    """What a new token is called, may do and for how long."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        help_text=gettext_lazy("What uses it. The history of every workitem shows this name."),
    )
    scopes = forms.MultipleChoiceField(label=gettext_lazy("It may"), widget=forms.CheckboxSelectMultiple)
    days = forms.IntegerField(
        label=gettext_lazy("Valid for, in days"), min_value=1, max_value=MOST_DAYS, initial=90, required=True
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        held = Actor.of(user, Door.PAGE).scopes_for_token()
        self.fields["scopes"].choices = [(one.value, oauth2_settings.SCOPES[one.value]) for one in held]  # type: ignore[attr-defined]
        for name in ("name", "days"):
            if self.is_bound and name in self.errors:
                self.fields[name].widget.attrs["aria-invalid"] = "true"

    def make(self) -> str | None:
        """Make the token and return its secret; None, with an error in the form, where it cannot be made."""
        now = timezone.now()
        with transaction.atomic():
            User.objects.select_for_update().get(pk=self.user.pk)  # one at a time for each person
            own = PersonalToken.objects.filter(user=self.user)
            if own.live(now).count() >= MOST_LIVE:
                self.add_error(None, _("You have %d tokens; revoke one first.") % MOST_LIVE)
                return None
            # an expired one leaves its name to its successor
            own.filter(name=self.cleaned_data["name"], expires_at__lte=now).revoke(now)
            if own.filter(name=self.cleaned_data["name"], revoked_at=None).exists():
                self.add_error("name", _("You have a token of this name."))
                return None
            scopes = [Scope(name) for name in self.cleaned_data["scopes"]]
            return tokens.make_personal(
                self.user, name=self.cleaned_data["name"], scopes=scopes, days=self.cleaned_data["days"], now=now
            )


@login_required
@never_cache
@require_safe
def account_page(request: HttpRequest) -> HttpResponse:
    """Lead to the person's password, second factor, sessions and tokens."""
    has_second_factor = Authenticator.objects.filter(user=request.user.pk).exclude(type="recovery_codes").exists()
    return render(request, "account/account.html", {"has_second_factor": has_second_factor})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens_page(request: HttpRequest) -> HttpResponse:
    """Show the person's tokens, and make a new one; its secret is in this one answer and nowhere else."""
    assert isinstance(request.user, User)  # noqa: S101  the decorator lets nobody else through
    form = TokenForm(request.user, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and (secret := form.make()):
        return render(request, "account/token_made.html", {"secret": secret, "name": form.cleaned_data["name"]})
    shown = PersonalToken.objects.filter(user=request.user).live(timezone.now()).order_by("name")
    labels = oauth2_settings.SCOPES
    lines = [(token, [labels[name] for name in token.scopes if name in labels]) for token in shown]
    return render(request, "account/tokens.html", {"form": form, "lines": lines}, status=400 if form.errors else 200)


@login_required
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Revoke one of the person's own tokens; those of others are not there."""
    own = PersonalToken.objects.filter(user=request.user.pk, pk=min(pk, PK_MAX))
    token = get_object_or_404(own)
    own.revoke(timezone.now())
    messages.success(request, _("%s is revoked.") % token.name)
    return redirect("account-tokens")
