"""Who has an account: invited by a mail with a link, put out of action with all that he holds, and let in again.

Somebody who may do everything everywhere looks after accounts; only a superuser looks after superusers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from smtplib import SMTPException

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from workitems import audit, routing
from workitems.actors import Actor
from workitems.choices import Scope
from workitems.errors import InvalidValue, MissingScope
from workitems.models import Presence, Workitem
from workitems.outcomes import Outcome


@dataclass(frozen=True)
class Handover:
    """What became of the work of somebody who was put out of action."""

    returned: int
    kept: list[str]  # ids of what has no queue to go back to


def accounts_for(actor: Actor) -> list[str]:
    """Return which fields of accounts somebody may change: none, the ordinary ones, or a superuser's too."""
    if not may_manage(actor):
        return []
    plain = ["first_name", "last_name", "email", "is_staff", "groups"]
    return [*plain, "is_superuser"] if actor.user and actor.user.is_superuser else plain


def may_manage(actor: Actor, user: User | None = None) -> bool:
    """Tell whether somebody may look after this account, or after any where none is named."""
    if Scope.ADMIN not in actor.everywhere:
        return False
    return user is None or not user.is_superuser or bool(actor.user and actor.user.is_superuser)


def link_for(user: User) -> str:
    """Return the path at which the person chooses a password, good for three days and for one time."""
    key = default_token_generator.make_token(user)
    return reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})


def send_link(user: User, address: str, *, actor: Actor, now: datetime) -> bool:
    """Send somebody the full address at which he chooses a password; return whether the mail went out."""
    _require(actor, user)
    if not user.email:
        return False
    days = settings.PASSWORD_RESET_TIMEOUT // 86_400
    context = {"user": user, "by": actor.user, "address": address, "days": days}
    text = render_to_string("account/invitation.txt", context)
    mail = EmailMessage(_("Your account at Workitems"), text, to=[user.email])
    try:
        mail.send()
    except (OSError, SMTPException):
        return False
    audit.write("user sent a link", user.get_username(), actor=actor, now=now)
    return True


def deactivate(user: User, *, actor: Actor, now: datetime) -> Handover:
    """Let somebody in no more: sessions end, offers and work in hand go back to their old places in the queues.

    What has no queue to go back to stays his, and shows as stuck.
    """
    _require(actor, user)
    if actor.user == user:
        raise InvalidValue(field="user", problem=_("You cannot deactivate yourself."))
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        if locked.is_active:
            locked.is_active = user.is_active = False
            locked.save(update_fields=["is_active"])
            change = {"is_active": {"old": True, "new": False}}
            audit.write("user deactivated", user.get_username(), actor=actor, now=now, changes=change)
    end_sessions(user, actor=actor, now=now)
    if Presence.objects.filter(user=user).exists():
        routing.set_presence(user, Presence.Status.OFFLINE, actor=actor, now=now)
    outcome: Outcome = routing.return_all(user, actor=actor, now=now)
    kept = Workitem.objects.handled().filter(agent=user).values_list("workitem_id", flat=True)
    return Handover(returned=len(outcome.done), kept=list(kept[:10]))


def activate(user: User, *, actor: Actor, now: datetime) -> None:
    """Let somebody in again, with the password, the second factor and the rights that he had."""
    _require(actor, user)
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        if not locked.is_active:
            locked.is_active = user.is_active = True
            locked.save(update_fields=["is_active"])
            change = {"is_active": {"old": False, "new": True}}
            audit.write("user activated", user.get_username(), actor=actor, now=now, changes=change)


def end_sessions(user: User, *, actor: Actor, now: datetime, pk: int | None = None) -> int:
    """End all sessions of somebody, or one of them, and return how many."""
    _require(actor, user)
    sessions = UserSession.objects.filter(user=user) if pk is None else UserSession.objects.filter(user=user, pk=pk)
    found = list(sessions)
    for session in found:
        session.end()
    if found:
        audit.write("user signed out", user.get_username(), actor=actor, now=now, sessions=len(found))
    return len(found)


def remove_second_factor(user: User, *, actor: Actor, now: datetime) -> bool:
    """Forget authenticator and passkeys of somebody who has lost them, and sign him out; return whether he had any."""
    _require(actor, user)
    with transaction.atomic():
        removed, _by_model = Authenticator.objects.filter(user=user).delete()
        if removed:
            audit.write("user lost second factor", user.get_username(), actor=actor, now=now)
    end_sessions(user, actor=actor, now=now)
    return bool(removed)


def _require(actor: Actor, user: User) -> None:
    if not may_manage(actor, user):
        raise MissingScope(scope=Scope.ADMIN.value)
