"""Answers by e-mail, each a row from the moment it is written until a mail server has taken it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from ulid import ULID

from workitems.models.workitem import Workitem


def new_mail_id() -> str:
    """Make a public id that sorts by time."""
    return f"ml_{str(ULID()).lower()}"


class OutgoingMail(models.Model):
    """One answer to a customer; `message_id` stays the same however often it is sent."""

    class Progress(models.TextChoices):
        """How far it has got."""

        PENDING = "pending", _("To be sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")

    mail_id = models.CharField(_("mail id"), max_length=64, unique=True, default=new_mail_id)
    workitem = models.ForeignKey(
        Workitem, on_delete=models.CASCADE, related_name="outgoing_mails", verbose_name=_("workitem")
    )
    from_address = models.CharField(_("from"), max_length=254)
    to_addresses = models.JSONField(_("to"), default=list)
    cc_addresses = models.JSONField(_("copy to"), default=list, blank=True)
    bcc_addresses = models.JSONField(_("blind copy to"), default=list, blank=True)
    subject = models.CharField(_("subject"), max_length=998, blank=True)
    text = models.TextField(_("text"), blank=True)
    html = models.TextField(_("HTML"), blank=True)
    message_id = models.CharField(_("message id"), max_length=255)
    in_reply_to = models.CharField(_("in reply to"), max_length=998, blank=True)
    references = models.TextField(_("references"), blank=True)
    progress = models.CharField(_("progress"), max_length=8, choices=Progress.choices, default=Progress.PENDING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error = models.TextField(_("error"), blank=True)
    created_at = models.DateTimeField(_("written"))
    next_attempt_at = models.DateTimeField(_("next attempt"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mails")
        indexes = [
            # what is to be sent now
            models.Index(fields=["next_attempt_at", "id"], name="mail_to_be_sent", condition=Q(progress="pending")),
            # what somebody has to look at
            models.Index(fields=["-id"], name="mail_failed", condition=Q(progress="failed")),
        ]

    def __str__(self) -> str:
        return self.mail_id
