"""Answers by e-mail: the row that a worker will send, and what the timeline tells of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Model
from django.utils.encoding import punycode
from django.utils.translation import gettext as _

from workitems.actors import Actor
from workitems.choices import Action, Event, Type
from workitems.commands.base import Command, Details
from workitems.errors import InvalidValue
from workitems.models import OutgoingMail, Workitem, new_mail_id

MOST_RECIPIENTS = 100
MOST_SUBJECT_BYTES = 998
MOST_BODY_BYTES = 1024 * 1024
MOST_IN_THREAD = 20
MOST_ERROR = 500
LAST_MILLISECOND = 253_402_300_799_999  # of the year 9999

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
REPLY = re.compile(r"re\s*:", re.IGNORECASE)


@dataclass(frozen=True)
class SendEmailResponse(Command):
    """Answer by e-mail; sender, recipient and subject follow from the workitem where they are not given."""

    from_address: str = ""
    to_addresses: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    written_at: int | None = None  # milliseconds; to us a word to keep
    action = Action.SEND_EMAIL_RESPONSE

    def check(self, workitem: Workitem, actor: Actor, now: datetime) -> None:
        """Require addresses that can be mailed, a subject of one line, and something to read."""
        self._check_sender(workitem)
        self._check_recipients(workitem)
        if not _is_text(self.subject) or CONTROL.search(self.subject):
            raise InvalidValue(field="subject", problem=_("The subject is one line of text."))
        if len(self.subject.encode()) > MOST_SUBJECT_BYTES:
            raise InvalidValue(field="subject", problem=_("The subject has %d bytes at most.") % MOST_SUBJECT_BYTES)
        if not _is_text(self.text) or not _is_text(self.html):
            raise InvalidValue(field="bodyParts", problem=_("This holds something that cannot be mailed."))
        if not self.text.strip() and not self.html.strip():
            raise InvalidValue(field="bodyParts", problem=_("The answer is empty."))
        if len(self.text.encode()) + len(self.html.encode()) > MOST_BODY_BYTES:
            raise InvalidValue(
                field="bodyParts", problem=_("The answer has %d KiB at most.") % (MOST_BODY_BYTES // 1024)
            )
        if self.written_at is not None and not 0 <= self.written_at <= LAST_MILLISECOND:
            raise InvalidValue(field="createdAt", problem=_("This must be a time in milliseconds."))

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Keep whom the answer goes to and under which ids; blind copies are counted and not named."""
        mail_id = new_mail_id()
        details = {
            "mailId": mail_id,
            "messageId": _message_id(mail_id, self._sender(workitem)),
            "to": list(self._recipients(workitem)),
            "cc": list(self.cc),
            "bccCount": len(self.bcc),
            "subject": self._subject(workitem),
            "createdAt": self.written_at,
        }
        return {name: value for name, value in details.items() if value not in ([], 0, None)}

    def companions(self, workitem: Workitem, details: Details, now: datetime) -> Iterable[Model]:
        """Return the mail, to be sent once all this is committed."""
        in_reply_to, references = _thread(workitem)
        mail = OutgoingMail(
            mail_id=details["mailId"],
            workitem=workitem,
            from_address=self._sender(workitem),
            to_addresses=details["to"],
            cc_addresses=list(self.cc),
            bcc_addresses=list(self.bcc),
            subject=details["subject"],
            text=self.text,
            html=self.html,
            message_id=details["messageId"],
            in_reply_to=in_reply_to,
            references=" ".join(references),
            created_at=now,
            next_attempt_at=now,
        )
        return [mail]

    def _check_sender(self, workitem: Workitem) -> None:
        if not self._sender(workitem):
            raise InvalidValue(
                field="from", problem=_("It was not sent to an e-mail address: say from which to answer.")
            )
        _check_address("from", self._sender(workitem))

    def _check_recipients(self, workitem: Workitem) -> None:
        for name, addresses in {
            "toAddresses": self.to_addresses,
            "ccAddresses": self.cc,
            "bccAddresses": self.bcc,
        }.items():
            for address in addresses:
                _check_address(name, address)
        recipients = self._recipients(workitem)
        if not recipients:
            raise InvalidValue(field="to", problem=_("It did not come from an e-mail address: say whom to answer."))
        if len(recipients) + len(self.cc) + len(self.bcc) > MOST_RECIPIENTS:
            problem = _("An answer goes to %d addresses at most.") % MOST_RECIPIENTS
            raise InvalidValue(field="toAddresses", problem=problem)

    def _sender(self, workitem: Workitem) -> str:
        if self.from_address:
            return self.from_address
        usual = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
        return next((one for one in (our_address(workitem), usual) if is_address(one)), "")

    def _recipients(self, workitem: Workitem) -> tuple[str, ...]:
        theirs = their_address(workitem)
        return self.to_addresses or ((theirs,) if is_address(theirs) else ())

    def _subject(self, workitem: Workitem) -> str:
        return self.subject or reply_subject(workitem)


@dataclass(frozen=True)
class TellOfMail(Command):
    """Tell in the timeline what became of an answer."""

    what: Event
    mail_id: str
    error: str = ""
    action = Action.NOTE
    is_activity = False

    def event(self, workitem: Workitem) -> str:
        """Return what happened."""
        return self.what

    def change(self, workitem: Workitem, actor: Actor, now: datetime) -> Details:
        """Keep which mail it was, and the mail server's words."""
        return {"mailId": self.mail_id} | ({"error": self.error[:MOST_ERROR]} if self.error else {})


def our_address(workitem: Workitem) -> str:
    """Return the address at which the customer reached us, or from which we wrote."""
    return workitem.from_address if Type(workitem.type).is_outbound else workitem.to_address


def their_address(workitem: Workitem) -> str:
    """Return the customer's address."""
    return workitem.to_address if Type(workitem.type).is_outbound else workitem.from_address


def reply_subject(workitem: Workitem) -> str:
    """Return the workitem's subject as that of an answer, on one line and with one "Re:"."""
    name = " ".join(CONTROL.sub(" ", workitem.name).split())
    return name if REPLY.match(name) else f"Re: {name}".strip()


def is_address(value: Any) -> bool:
    """Tell whether this is an e-mail address that fits where addresses are kept."""
    if not _is_text(value) or len(value) > 254 or CONTROL.search(value):
        return False
    try:
        validate_email(value)
        punycode(value.rpartition("@")[2])
    except (ValidationError, UnicodeError):
        return False
    return True


def _check_address(name: str, value: Any) -> None:
    if not is_address(value):
        raise InvalidValue(field=name, problem=_("“%s” is not an e-mail address.") % CONTROL.sub(" ", str(value))[:100])


def _is_text(value: Any) -> bool:
    """Tell whether both a database and a mail can hold it."""
    if not isinstance(value, str) or "\x00" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _message_id(mail_id: str, sender: str) -> str:
    domain = punycode(sender.rpartition("@")[2]).strip("[]")
    return f"<{mail_id}@{domain[-200:].lstrip('.-')}>"


def _thread(workitem: Workitem) -> tuple[str, list[str]]:
    """Return what is answered and all that went before, oldest first, as far as the gateway and we know it."""
    received = _message_ids(workitem.data.get("messageId"))[:1]
    ours = OutgoingMail.objects.filter(workitem=workitem).order_by("-pk").values_list("message_id", flat=True)
    answers = list(ours[:MOST_IN_THREAD])[::-1]
    thread = list(dict.fromkeys([*_message_ids(workitem.data.get("references")), *received, *answers]))
    if len(thread) > MOST_IN_THREAD:
        thread = [thread[0], *thread[1 - MOST_IN_THREAD :]]
    return next(iter([*received, *answers[-1:]]), ""), thread


def _message_ids(value: Any) -> list[str]:
    """Return the message ids in what a gateway has put there, and nothing else of it."""
    parts = value if isinstance(value, list) else [value]
    return [found for part in parts if isinstance(part, str) for found in MESSAGE_ID.findall(part)]
