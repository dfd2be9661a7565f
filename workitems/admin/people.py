"""Who has an account, in the back office: invited, put out of action, let in again; nobody types passwords here."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from workitems import access, groups, tasks
from workitems.actors import Actor
from workitems.admin.guarded import GuardedAdmin, SeenForm
from workitems.admin.scopes import lines_for
from workitems.choices import Scope
from workitems.errors import WorkitemError
from workitems.models import Workitem
from workitems.presenting.words import is_key
from workitems.staff import actor_of

MOST_COUNTED = 1_000
SESSIONS_SHOWN = 20

for model in (User, EmailAddress, Authenticator, UserSession):
    admin.site.unregister(model)


class AccountForm(SeenForm):
    """The facts of somebody's account."""

    groups = forms.ModelMultipleChoiceField(
        queryset=Group.objects.order_by("name"),
        required=False,
        label=gettext_lazy("Groups"),
        help_text=gettext_lazy("A group gives its scopes on every workitem, or on the queues where it has them."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    def clean_groups(self) -> Any:
        """Let only superusers put people into a group that gives more than scopes; nobody gives his own access up."""
        chosen = self.cleaned_data["groups"]
        held = set(self.instance.groups.all()) if self.instance.pk else set()
        if self.actor.user is not None and not self.actor.user.is_superuser:
            more = next((one for one in chosen if one not in held and not groups.gives_scopes_only(one)), None)
            if more is not None:
                raise ValidationError(_("“%s” gives more than scopes; only a superuser can fill it.") % more)
        if self.instance == self.actor.user and any(
            one.name == Scope.ADMIN.value and one not in chosen for one in held
        ):
            raise ValidationError(_("You cannot leave this group yourself; somebody else has to take you out."))
        return chosen

    def clean_is_staff(self) -> bool:
        """Let nobody shut himself out."""
        is_staff: bool = self.cleaned_data["is_staff"]
        if not is_staff and self.instance == self.actor.user:
            raise ValidationError(_("You cannot shut yourself out of the back office."))
        return is_staff

    class Meta:
        model = User
        fields = ["username", "first_name", "last_name", "email", "is_staff", "is_superuser", "groups"]
        labels = {"is_staff": gettext_lazy("Back office"), "is_superuser": gettext_lazy("Superuser")}
        help_texts = {
            "is_staff": gettext_lazy("May enter the back office; sees there what his scopes show him."),
            "is_superuser": gettext_lazy("Has every scope everywhere and looks after superusers."),
            "username": gettext_lazy("Stands in every history, and stays as it is."),
        }


@admin.register(User)
class UserAdmin(GuardedAdmin):
    """Accounts: invited by mail, put out of action with all that they hold, never deleted."""

    form = AccountForm
    kind = "user"
    neighbours = ("groups",)
    list_display = ["username", "full_name", "email", "status", "is_staff", "second_factor", "last_sign_in"]
    list_filter = ["is_active", "is_staff", "groups"]
    search_fields = ["username", "first_name", "last_name", "email"]
    search_help_text = gettext_lazy("A username, name or e-mail address, or a part of it.")
    ordering = ["username"]
    change_form_outer_after_template = "admin/workitems/account_more.html"

    def visible_rows(self, actor: Actor) -> QuerySet[User]:
        """Show everybody to those who look after accounts, and nobody to others."""
        if not access.may_manage(actor):
            return User.objects.none()
        factors = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type="recovery_codes")
        return User.objects.annotate(has_second_factor=Exists(factors))

    def can_open(self, actor: Actor) -> bool:
        """Open to those who look after accounts."""
        return access.may_manage(actor)

    def can_add(self, actor: Actor) -> bool:
        """Let them invite people."""
        return access.may_manage(actor)

    def can_change(self, actor: Actor, row: User | None) -> bool:
        """Let only superusers change superusers."""
        return access.may_manage(actor, row)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Offer the mark of superusers to superusers only."""
        fields = access.accounts_for(actor_of(request)) or ["first_name", "last_name", "email", "is_staff", "groups"]
        return ["username", *fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the name of an existing account: histories and integrations know it."""
        return ["username"] if obj else []

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Make a new account without a password."""
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        """Remember whom to send the invitation, once the account is there for good."""
        request.invited = obj  # type: ignore[attr-defined]
        return HttpResponseRedirect(self._page(obj))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show beside the form what is done with buttons."""
        more: dict[str, Any] = {"title": _("Invite somebody")} if object_id is None else self._more(request, object_id)
        answer = super().changeform_view(request, object_id, form_url, {**more, **(extra_context or {})})
        if invited := getattr(request, "invited", None):
            self._send(request, invited)
        return answer

    def get_urls(self) -> list[Any]:
        """Add the buttons."""
        views = {
            "send_link": self.send_link, "deactivate": self.deactivate, "activate": self.activate,
            "end_sessions": self.end_sessions, "remove_second_factor": self.remove_second_factor,
        }  # fmt: skip
        return [
            *(
                path(f"<path:object_id>/{name}/", self.admin_site.admin_view(view), name=f"auth_user_{name}")
                for name, view in views.items()
            ),
            *super().get_urls(),
        ]

    @method_decorator(require_POST)
    def send_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send the person a link to choose a password."""
        user = self._managed(request, object_id)
        self._send(request, user)
        return HttpResponseRedirect(self._page(user))

    def deactivate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask first, then let the person in no more and give the work back."""
        user = self._managed(request, object_id)
        if request.method != "POST":
            return self._ask_first(request, user)
        try:
            handover = access.deactivate(user, actor=actor_of(request), now=timezone.now())
        except WorkitemError as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(self._page(user))
        tasks.wake_routing()
        self.log_change(request, user, _("Deactivated."))
        text = ngettext(
            "%(name)s cannot sign in any more. %(count)d item went back to its queue.",
            "%(name)s cannot sign in any more. %(count)d items went back to their queues.",
            handover.returned,
        )
        messages.success(request, text % {"name": user, "count": handover.returned})
        if handover.kept:
            messages.warning(request, _("These have no queue to go back to: %s.") % ", ".join(handover.kept))
        return HttpResponseRedirect(self._page(user))

    @method_decorator(require_POST)
    def activate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let the person in again."""
        user = self._managed(request, object_id)
        access.activate(user, actor=actor_of(request), now=timezone.now())
        messages.success(request, _("%s can sign in again.") % user)
        return HttpResponseRedirect(self._page(user))

    @method_decorator(require_POST)
    def end_sessions(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End one session of the person, or all of them."""
        user, one = self._managed(request, object_id), request.POST.get("session", "")
        pk = int(one) if is_key(one) else None
        ended = access.end_sessions(user, actor=actor_of(request), now=timezone.now(), pk=pk)
        messages.success(request, ngettext("%d session is ended.", "%d sessions are ended.", ended) % ended)
        return HttpResponseRedirect(self._page(user))

    @method_decorator(require_POST)
    def remove_second_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Forget the second factor of somebody who has lost it."""
        user = self._managed(request, object_id)
        if access.remove_second_factor(user, actor=actor_of(request), now=timezone.now()):
            messages.success(request, _("The second factor of %s is forgotten.") % user)
        else:
            messages.info(request, _("%s has no second factor.") % user)
        return HttpResponseRedirect(self._page(user))

    @admin.display(description=gettext_lazy("name"), empty_value="–")
    def full_name(self, user: User) -> str | None:
        """Return first and last name."""
        return user.get_full_name() or None

    @display(  # type: ignore[untyped-decorator]
        description=gettext_lazy("status"), label={"on": "success", "off": "danger"}, ordering="is_active"
    )
    def status(self, user: User) -> tuple[str, str]:
        """Say whether the person can sign in."""
        return ("on", _("Active")) if user.is_active else ("off", _("Deactivated"))

    @admin.display(description=gettext_lazy("second factor"), empty_value="–")
    def second_factor(self, user: User) -> str | None:
        """Tell whether signing in takes more than the password."""
        return _("On") if user.has_second_factor else None  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("last sign-in"), ordering="last_login", empty_value="–")
    def last_sign_in(self, user: User) -> str | None:
        """Show the time in the reader's own zone."""
        return render_to_string("workitems/time.html", {"moment": user.last_login}) if user.last_login else None

    def _managed(self, request: HttpRequest, object_id: str) -> User:
        user: User = self.seen(request, object_id)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        return user

    def _send(self, request: HttpRequest, user: User) -> None:
        address = request.build_absolute_uri(access.link_for(user))
        if access.send_link(user, address, actor=actor_of(request), now=timezone.now()):
            messages.success(request, _("%(name)s has a mail at %(email)s.") % {"name": user, "email": user.email})
        else:
            text = _("No mail went out. Give %(name)s this address yourself; it works once: %(address)s")
            messages.warning(request, text % {"name": user, "address": address})

    def _page(self, user: User) -> str:
        return reverse("admin:auth_user_change", args=[user.pk])

    def _ask_first(self, request: HttpRequest, user: User) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Deactivate %s") % user,
            "account": user,
            "held": Workitem.objects.open().filter(agent=user)[:MOST_COUNTED].count(),
            "queues": user.member_of_queues.order_by("name")[:MOST_COUNTED],
        }
        return TemplateResponse(request, "admin/workitems/account_deactivate.html", context)

    def _more(self, request: HttpRequest, object_id: str) -> dict[str, Any]:
        user: User = self.seen(request, object_id)
        live = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
        sessions = UserSession.objects.filter(user=user, session_key__in=live).order_by("-pk")
        return {
            "account": user,
            "may_manage": access.may_manage(actor_of(request), user),
            "is_self": user == request.user,
            "sessions": sessions[:SESSIONS_SHOWN],
            "scope_lines": lines_for(user, actor_of(request)),
            "factors": Authenticator.objects.filter(user=user).exclude(type="recovery_codes"),
        }
