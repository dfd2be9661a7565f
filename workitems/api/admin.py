"""The back office's pages for programs and personal tokens, for those who may do everything."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import AccessToken, Grant, IDToken, RefreshToken
from oauth2_provider.settings import oauth2_settings
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from workitems import audit
from workitems.api.models import Application, PersonalToken
from workitems.choices import Scope
from workitems.staff import actor_of

GRANTS = [
    (Application.GRANT_CLIENT_CREDENTIALS, gettext_lazy("For itself, as its own person (client credentials)")),
    (Application.GRANT_AUTHORIZATION_CODE, gettext_lazy("For people who agree (authorization code)")),
]

admin.site.unregister([AccessToken, Application, Grant, IDToken, RefreshToken])


class AdminScopeOnly(ModelAdmin):
    """Pages for those who may do everything, everywhere."""

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Narrow by nothing but the filters that the list offers: secrets could be found by their beginnings."""
        return lookup.removesuffix("__exact") in self.get_list_filter(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Open to the admin scope, which superusers have."""
        return Scope.ADMIN in actor_of(request).everywhere

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Open to the admin scope."""
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Open to the admin scope."""
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Open to the admin scope."""
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Open to the admin scope."""
        return self.has_module_permission(request)


def write_down(request: HttpRequest, what: str, row: Any, **details: Any) -> None:
    """Leave an audit entry of what the person did to a program or a token."""
    audit.write(what, audit.public_id(row), actor=actor_of(request), now=timezone.now(), **details)


class ApplicationForm(forms.ModelForm):
    """A program: what it may ask for, and whose rights it has when it acts for itself."""

    authorization_grant_type = forms.ChoiceField(choices=GRANTS, label=gettext_lazy("acts"), widget=forms.RadioSelect)
    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, scope.value) for scope in Scope],
        label=gettext_lazy("allowed scopes"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy("Its tokens never carry more than these, nor more than the person has."),
    )

    class Meta:
        model = Application
        fields = ["name", "authorization_grant_type", "client_type", "scopes", "service_user", "redirect_uris"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        self.fields["service_user"].queryset = User.objects.filter(is_active=True)  # type: ignore[attr-defined]
        self.fields["scopes"].choices = [  # type: ignore[attr-defined]
            (name, words) for name, words in oauth2_settings.SCOPES.items() if name in Scope.values
        ]

    def clean(self) -> dict[str, Any]:
        """Ask for what each kind needs."""
        cleaned = super().clean() or {}
        if cleaned.get("authorization_grant_type") == Application.GRANT_CLIENT_CREDENTIALS:
            if cleaned.get("service_user") is None:
                self.add_error("service_user", ValidationError(_("Name the person whose rights it has.")))
            if cleaned.get("client_type") == Application.CLIENT_PUBLIC:
                self.add_error("client_type", ValidationError(_("A program that acts for itself has a secret.")))
        return cleaned


@admin.register(Application)
class ApplicationAdmin(AdminScopeOnly):
    """Programs; a secret is shown when it is made, and never again."""

    form = ApplicationForm
    list_display = ["name", "client_id", "authorization_grant_type", "service_user", "created"]
    list_select_related = ["service_user"]
    search_fields = ["name", "client_id"]
    actions = ["new_secret"]
    view_on_site = False
    ordering = ["name", "pk"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Show the client id once there is one."""
        return ["client_id"] if obj else []

    def save_model(self, request: HttpRequest, obj: Application, form: Any, change: bool) -> None:
        """Keep the secret of a new program for this one answer."""
        before = audit.facts_of(Application.objects.get(pk=obj.pk)) if change else {}
        if not change:
            obj.client_secret = request.workitems_secret = generate_client_secret()  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)
        changes = audit.changes(before, audit.facts_of(Application.objects.get(pk=obj.pk)))
        if changes:
            write_down(request, "program changed" if change else "program created", obj, changes=changes)

    def delete_model(self, request: HttpRequest, obj: Application) -> None:
        """Leave an audit entry with what it was."""
        write_down(request, "program deleted", obj, changes=audit.changes(audit.facts_of(obj), {}))
        super().delete_model(request, obj)

    def response_add(self, request: HttpRequest, obj: Application, post_url_continue: Any = None) -> HttpResponse:
        """Show the secret."""
        return self._show(request, obj, request.workitems_secret)  # type: ignore[attr-defined]

    @admin.action(description=gettext_lazy("Make a new secret"), permissions=["change"])
    def new_secret(self, request: HttpRequest, queryset: QuerySet[Application]) -> HttpResponse | None:
        """Replace the secret of one program; the old one stops working at once."""
        if len(queryset) != 1:
            messages.error(request, _("Nothing was done: choose one application."))
            return None
        application, secret = queryset[0], generate_client_secret()
        application.client_secret = secret
        application.save(update_fields=["client_secret", "updated"])
        self.log_change(request, application, _("New secret"))
        write_down(request, "program given a new secret", application)
        return self._show(request, application, secret)

    def _show(self, request: HttpRequest, application: Application, secret: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": application.name,
            "application": application,
            "secret": secret,
            "opts": self.opts,
        }
        template = "oauth2_provider/client_secret.html"
        return TemplateResponse(request, template, context, headers={"Cache-Control": "no-store"})


@admin.register(PersonalToken)
class PersonalTokenAdmin(AdminScopeOnly):
    """The tokens of all people, to see and to revoke."""

    list_display = ["name", "user", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at"]
    list_select_related = ["user"]
    fields = readonly_fields = list_display
    search_fields = ["name", "user__username"]
    actions = ["revoke"]
    ordering = ["-pk"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """People make their own."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep them as they were made."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep what the history names."""
        return False

    @admin.action(description=gettext_lazy("Revoke"), permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[PersonalToken]) -> None:
        """Revoke the selection at once."""
        tokens = list(queryset.select_related("user"))
        with transaction.atomic():
            count = PersonalToken.objects.filter(pk__in=[token.pk for token in tokens]).revoke(timezone.now())
            for token in tokens:
                write_down(request, "token revoked", token.user, token=token.name)
                self.log_change(request, token, _("Revoked"))
        messages.success(request, ngettext("%d token revoked.", "%d tokens revoked.", count) % count)
