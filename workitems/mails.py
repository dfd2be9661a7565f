"""Answers by e-mail: what a mail server has still to take.

A row is claimed, sent with neither a lock nor a transaction open, and then settled. It is sent at least once and never
lost: a worker that is killed between sending and settling leaves a claim that lapses after five minutes, and the mail
goes out again under the same Message-ID, by which mail programs show it once.
"""

from __future__ import annotations

import enum
import re
import smtplib
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import unescape
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from workitems import services
from workitems.actors import Actor
from workitems.choices import Event, Scope
from workitems.commands import TellOfMail
from workitems.errors import MissingScope, UnknownWorkitem, WrongState
from workitems.models import OutgoingMail, TimeEvent

CLAIMED_FOR = timedelta(minutes=5)
BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
TRIES = len(BACK_OFF) + 1
MOST_ERROR = 500

# none of these can be made to look at the same stretch over and over again
UNREADABLE = re.compile(r"(<!--|-->|</?(?:style|script|title)\b[^<>]*>)", re.IGNORECASE)
CLOSES = {"<!--": "-->", "<style": "</style", "<script": "</script", "<title": "</title"}
TAG = re.compile(r"</?[a-z!?][^<>]*>", re.IGNORECASE)
LINE_ENDS = re.compile(r"<br\b[^<>]*>|</(?:p|div|tr|li|h[1-6])\b[^<>]*>", re.IGNORECASE)
ADDRESS = re.compile(r"[^\s<>:;,\"']+@[^\s<>:;,\"']+")

Progress = OutgoingMail.Progress
Refusals = Mapping[str, tuple[int, bytes]]


class UnknownMail(UnknownWorkitem):
    """No such mail, or none that this actor may see."""

    text = _("There is no mail %(mail_id)s.")


class Result(enum.Enum):
    """What one attempt came to."""

    SENT = "sent"
    FAILED = "failed"
    LATER = "later"
    UNREACHABLE = "unreachable"  # no mail will get through now
    NOT_DUE = "not due"  # somebody else has it, or had it


def due(now: datetime) -> QuerySet[OutgoingMail]:
    """Return what is to be sent now, the longest due first."""
    return OutgoingMail.objects.filter(progress=Progress.PENDING, next_attempt_at__lte=now).order_by(
        "next_attempt_at", "pk"
    )


def send(pk: int, *, now: datetime) -> Result:
    """Attempt to send one mail, unless it is not due any more, and write down what came of it."""
    mail = _claim(pk, now)
    if mail is None:
        return Result.NOT_DUE
    if mail.attempts > TRIES:  # the last one was cut short, whatever came of it
        return _not_sent(mail, mail.error or "interrupted", now, for_good=True)
    try:
        server = get_connection()
        server.open()
    except (OSError, ValueError, ImproperlyConfigured) as error:  # log-in and encryption too: about us, not the mail
        _not_sent(mail, _words_of(error), now)
        return Result.UNREACHABLE
    try:
        refused = _refusals_heard_by(server)
        _message(mail, server).send()
    except (OSError, ValueError) as error:
        return _not_sent(mail, _words_of(error), now, for_good=_is_permanent(error))
    else:
        return _sent(mail, refused, now)
    finally:
        with suppress(OSError):
            server.close()


def retry(mail_id: str, *, actor: Actor, now: datetime) -> OutgoingMail:
    """Let a mail that has failed be sent after all."""
    mail = OutgoingMail.objects.select_related("workitem").filter(mail_id=mail_id).first()
    if mail is None or not actor.can(Scope.READ, mail.workitem):
        raise UnknownMail(mail_id=mail_id)
    if not actor.can(Scope.WRITE, mail.workitem):
        raise MissingScope(scope=Scope.WRITE.value)
    failed = OutgoingMail.objects.filter(pk=mail.pk, progress=Progress.FAILED)
    again = failed.update(progress=Progress.PENDING, attempts=0, next_attempt_at=now)
    mail.refresh_from_db()
    if not again:
        raise WrongState(state=mail.get_progress_display())
    return mail


def _claim(pk: int, now: datetime) -> OutgoingMail | None:
    """Take the mail for five minutes; of several workers one changes the row, and the others find it not due."""
    if not due(now).filter(pk=pk).order_by().update(attempts=F("attempts") + 1, next_attempt_at=now + CLAIMED_FOR):
        return None
    return OutgoingMail.objects.select_related("workitem").filter(pk=pk).first()


def _message(mail: OutgoingMail, server: Any) -> EmailMultiAlternatives:
    headers = {
        "Message-ID": mail.message_id,
        "Date": format_datetime(mail.created_at),
        "In-Reply-To": mail.in_reply_to,
        "References": mail.references,
    }
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text or _readable(mail.html),
        from_email=mail.from_address,
        to=mail.to_addresses,
        cc=mail.cc_addresses,
        bcc=mail.bcc_addresses,
        headers={name: value for name, value in headers.items() if value},
        connection=server,
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    return message


def _readable(html: str) -> str:
    """Return the words of a page, line by line."""
    kept, until = [], ""
    for part in UNREADABLE.split(html):
        mark = part.lower()
        if until:
            until = "" if mark.startswith(until) else until
        elif UNREADABLE.fullmatch(part):
            until = next((end for begin, end in CLOSES.items() if mark.startswith(begin)), "")
        else:
            kept.append(part)
    lines = TAG.sub("", LINE_ENDS.sub("\n", "".join(kept))).splitlines()
    return unescape("\n".join(line.strip() for line in lines)).strip()


def _refusals_heard_by(server: Any) -> Refusals:
    """Return a dictionary that will hold the recipients that a server refuses while it takes the mail for others.

    smtplib returns them, and Django's backend drops what it returns.
    """
    heard: dict[str, tuple[int, bytes]] = {}
    client = getattr(server, "connection", None)
    if isinstance(client, smtplib.SMTP):
        sendmail = client.sendmail

        def listening(*args: Any, **kwargs: Any) -> Refusals:
            heard.update(sendmail(*args, **kwargs))
            return heard

        client.sendmail = listening  # type: ignore[method-assign,assignment]
    return heard


def _is_permanent(error: Exception) -> bool:
    """Tell whether the mail itself was refused, so that another attempt would end the same way."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _text in error.recipients.values())
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return False
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code >= 500
    return isinstance(error, ValueError)  # a header or an address that cannot be written


def _sent(mail: OutgoingMail, refused: Refusals, now: datetime) -> Result:
    error = _words_of_refusals(refused)
    tell = Event.EMAIL_FAILED if refused else Event.EMAIL_SENT if _has_told_of_failure(mail) else None
    # sent is sent, even if the claim has lapsed meanwhile
    rows = OutgoingMail.objects.filter(pk=mail.pk).exclude(progress=Progress.SENT)
    _settle(rows, mail, tell, now, progress=Progress.SENT, sent_at=now, error=error)
    return Result.SENT


def _not_sent(mail: OutgoingMail, error: str, now: datetime, *, for_good: bool = False) -> Result:
    rows = OutgoingMail.objects.filter(pk=mail.pk, progress=Progress.PENDING, attempts=mail.attempts)
    if for_good or mail.attempts >= TRIES:
        _settle(rows, mail, Event.EMAIL_FAILED, now, progress=Progress.FAILED, error=error)
        return Result.FAILED
    _settle(rows, mail, None, now, next_attempt_at=now + BACK_OFF[mail.attempts - 1], error=error)
    return Result.LATER


def _settle(rows: QuerySet[OutgoingMail], mail: OutgoingMail, tell: Event | None, now: datetime, **facts: Any) -> None:
    """Change the row and tell of it in the timeline, both or neither."""
    workitem_id = mail.workitem.workitem_id

    def write() -> None:
        if tell is not None:
            services.lock([workitem_id])  # workitems before their mails, as a purge does
        if rows.update(**facts) and tell is not None:
            command = TellOfMail(tell, mail.mail_id, _without_blind_copies(facts["error"], mail))
            services.execute(command, workitem_id, actor=Actor.job("send-mails", Scope.ADMIN), now=now)

    services.in_transaction(write)


def _has_told_of_failure(mail: OutgoingMail) -> bool:
    told = TimeEvent.objects.filter(workitem=mail.workitem_id, type=Event.EMAIL_FAILED, details__mailId=mail.mail_id)
    return bool(mail.error) and told.exists()


def _words_of(error: Exception) -> str:
    """Return what went wrong, in the server's words where it said something."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _words_of_refusals(error.recipients)
    if isinstance(error, smtplib.SMTPResponseException):
        return _kept(f"{error.smtp_code} {_decoded(error.smtp_error)}")
    return _kept(f"{type(error).__name__}: {error}")


def _words_of_refusals(refused: Refusals) -> str:
    return _kept("; ".join(f"{address}: {code} {_decoded(text)}" for address, (code, text) in refused.items()))


def _decoded(text: bytes | str) -> str:
    return text.decode(errors="replace") if isinstance(text, bytes) else text


def _kept(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())[:MOST_ERROR]


def _without_blind_copies(error: str, mail: OutgoingMail) -> str:
    """Take out every address that the readers of the timeline need not know."""
    if not mail.bcc_addresses:
        return error
    known = {address.lower() for address in [mail.from_address, *mail.to_addresses, *mail.cc_addresses]}
    return ADDRESS.sub(lambda found: found[0] if found[0].lower() in known else "…", error)
