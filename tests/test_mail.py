"""Answers by e-mail: rows first, sent after the commit, at least once and never lost."""

from __future__ import annotations

import smtplib
import socket
import socketserver
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail as outbox_of
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, connections, transaction
from django.urls import reverse

from tests.builders import LATER, NOON, facts_of, last_event, make_queue, make_user, make_workitem
from tests.doors import browser
from workitems import mails, services, tasks
from workitems.actors import Actor
from workitems.choices import Door, Event, Scope, State, Type
from workitems.commands import Archive, HangUp, Purge, SendEmailResponse
from workitems.errors import InvalidValue, MissingScope, WrongState
from workitems.groups import grant
from workitems.models import OutgoingMail, TimeEvent

LETTER = {
    "type": Type.INBOUND_EMAIL,
    "name": "Lost card",
    "from_address": "ada@example.com",
    "to_address": "help@example.org",
}


def letter(queue, agent, **facts):
    return make_workitem(State.ACTIVE, queue=queue, agent=agent, **(LETTER | facts))


@pytest.fixture
def item(queue, ann):
    return letter(queue, ann)


@pytest.fixture
def answer(item, supervisor):
    """Answer the letter, and return the row."""

    def send(workitem=item, **facts):
        command = SendEmailResponse(**({"text": "It is blocked."} | facts))
        services.execute(command, workitem.workitem_id, actor=supervisor, now=NOON)
        return OutgoingMail.objects.latest("pk")

    return send


def sent_by(row, now=LATER):
    """Send a mail and return what went out."""
    assert mails.send(row.pk, now=now) is mails.Result.SENT
    return outbox_of.outbox[-1]


def state_of(row):
    row.refresh_from_db()
    return row.progress, row.attempts


# What is sent


def test_an_answer_goes_to_who_wrote_from_where_he_wrote_to(answer):
    message = sent_by(answer())
    assert (message.from_email, message.to, message.subject) == (
        "help@example.org",
        ["ada@example.com"],
        "Re: Lost card",
    )


def test_text_and_html_are_alternatives(answer):
    message = sent_by(answer(html="<p>It is <b>blocked</b>.</p>")).message()
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_html_alone_gets_a_text_beside_it(answer):
    html = "<head><title>x</title></head><STYLE>p > a {}</style><p>One &amp; <b>2</b> < 3</p><!-- a > b --><p>Three</p>"
    message = sent_by(answer(text="", html=html))
    assert message.body == "One & 2 < 3\nThree"


@pytest.mark.parametrize("part", ["<style ", "<style>", "<!--", "<", "</p", "<br ", "&", "<style></title>"])
def test_no_html_keeps_a_worker_busy(part):
    began = time.monotonic()
    mails._readable(part * (1024 * 1024 // len(part)))
    assert time.monotonic() - began < 5


def test_copies_are_sent_and_blind_ones_are_in_no_header(answer):
    message = sent_by(answer(cc=("bob@example.com",), bcc=("spy@example.com",)))
    assert message.recipients() == ["ada@example.com", "bob@example.com", "spy@example.com"]
    assert message.message()["Cc"] == "bob@example.com"
    assert "spy@example.com" not in message.message().as_string()


def test_the_event_counts_blind_copies_and_does_not_name_them(answer, item):
    row = answer(cc=("bob@example.com",), bcc=("spy@example.com",), written_at=1_700_000_000_000)
    assert last_event(item).details == {
        "mailId": row.mail_id,
        "messageId": row.message_id,
        "to": ["ada@example.com"],
        "cc": ["bob@example.com"],
        "bccCount": 1,
        "subject": "Re: Lost card",
        "createdAt": 1_700_000_000_000,
    }


def test_a_letter_that_is_an_answer_already_gets_no_second_re(answer, queue, ann):
    assert answer(letter(queue, ann, name="RE: Lost\ncard")).subject == "RE: Lost card"


def test_what_we_began_goes_on_to_the_customer(answer, queue, ann):
    began = letter(queue, ann, type=Type.OUTBOUND_EMAIL, from_address="help@example.org", to_address="ada@example.com")
    row = answer(began)
    assert (row.from_address, row.to_addresses) == ("help@example.org", ["ada@example.com"])


def test_without_an_address_of_the_item_the_deployments_own_answers(answer, queue, ann, settings):
    settings.DEFAULT_FROM_EMAIL = "Help <centre@example.org>"
    assert answer(letter(queue, ann, to_address="")).from_address == "centre@example.org"


# Threads


def test_the_reply_headers_keep_the_thread(answer, queue, ann):
    data = {"messageId": "<3@a.example>", "references": "<1@a.example> <2@a.example>"}
    item = letter(queue, ann, data=data)
    first = answer(item)
    headers = sent_by(answer(item)).message()
    assert headers["In-Reply-To"] == "<3@a.example>"
    assert headers["References"].split() == ["<1@a.example>", "<2@a.example>", "<3@a.example>", first.message_id]


def test_the_message_id_is_ours_and_of_the_senders_domain(answer):
    row = answer()
    assert sent_by(row).message()["Message-ID"] == row.message_id == f"<{row.mail_id}@example.org>"


def test_a_mail_bears_the_time_at_which_it_was_written(answer):
    assert sent_by(answer()).message()["Date"] == "Mon, 02 Mar 2026 12:00:00 +0000"


def test_references_may_be_a_list(answer, queue, ann):
    data = {"messageId": "<3@a.example>", "references": ["<1@a.example>", 7, "<2@a.example>"]}
    assert answer(letter(queue, ann, data=data)).references == "<1@a.example> <2@a.example> <3@a.example>"


def test_nothing_but_message_ids_comes_out_of_what_the_gateway_says(answer, queue, ann):
    data = {"messageId": "<3@a.example>\r\nBcc: <x y>\r\n", "references": {"<1@a.example>": 1}}
    row = answer(letter(queue, ann, data=data))
    assert (row.in_reply_to, row.references) == ("<3@a.example>", "<3@a.example>")


def test_a_long_thread_keeps_its_beginning_and_its_end(answer, queue, ann):
    data = {"messageId": "<last@a>", "references": [f"<{number}@a>" for number in range(100)]}
    references = answer(letter(queue, ann, data=data)).references.split()
    assert (len(references), references[0], references[-2:]) == (20, "<0@a>", ["<99@a>", "<last@a>"])


# What is refused


@pytest.mark.parametrize(
    ("field", "facts"),
    [
        ("from", {"from_address": "help"}),
        ("from", {"from_address": "help@example.org\nBcc: x@example.com"}),
        ("toAddresses", {"to_addresses": ("ada@example.com\r\nBcc: x@example.com",)}),
        ("toAddresses", {"to_addresses": ("ada@example.com, bob@example.com",)}),
        ("toAddresses", {"to_addresses": ("Ada <ada@example.com>",)}),
        ("toAddresses", {"to_addresses": (7,)}),
        ("toAddresses", {"to_addresses": (f"ada@{'x' * 63}.example.com", f"{'a' * 250}@example.com")}),
        ("toAddresses", {"to_addresses": tuple(f"a{number}@example.com" for number in range(101))}),
        ("ccAddresses", {"cc": ("bob",)}),
        ("bccAddresses", {"bcc": ('"\x01"@example.com',)}),
        ("subject", {"subject": "Hello\nBcc: x@example.com"}),
        ("subject", {"subject": "x" * 999}),
        ("subject", {"subject": "\ud800"}),
        ("bodyParts", {"text": " \n", "html": ""}),
        ("bodyParts", {"text": "a\x00b"}),
        ("bodyParts", {"text": "x" * 700_000, "html": "x" * 400_000}),
        ("createdAt", {"written_at": -1}),
    ],
)
def test_what_cannot_be_mailed_is_refused_by_its_name_on_the_wire(field, facts, answer, item):
    before = facts_of(item)
    with pytest.raises(InvalidValue) as refused:
        answer(**facts)
    assert refused.value.field == field
    assert (facts_of(item), OutgoingMail.objects.count()) == (before, 0)


@pytest.mark.parametrize(("field", "facts"), [("from", {"to_address": "+18005551212"}), ("to", {"from_address": ""})])
def test_an_item_without_addresses_wants_them_said(field, facts, answer, queue, ann):
    with pytest.raises(InvalidValue) as refused:
        answer(letter(queue, ann, **facts))
    assert refused.value.field == field


def test_a_refused_answer_leaves_nothing_to_send(answer, queue, ann):
    with pytest.raises(WrongState):
        answer(make_workitem(State.TERMINATED, queue=queue, agent=ann, **LETTER))
    assert (tasks.send_mails(), OutgoingMail.objects.count()) == (0, 0)


def test_an_answer_that_is_rolled_back_is_never_sent(answer):
    with transaction.atomic():
        answer()
        transaction.set_rollback(True)
    assert (tasks.send_mails(), outbox_of.outbox) == (0, [])


def test_explaining_an_answer_writes_nothing(item, supervisor):
    assert services.explain_command(SendEmailResponse(text="x"), item, supervisor, NOON) is None
    services.rehearse(SendEmailResponse(text="x"), item.workitem_id, actor=supervisor, now=NOON)
    assert OutgoingMail.objects.count() == 0


# What the mail server says


class Post(socketserver.ThreadingTCPServer):
    """A mail server that answers as it is told: by command, or by the recipient of a RCPT."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.answers, self.delivered, self.ids = {}, [], []


class Conversation(socketserver.StreamRequestHandler):
    def handle(self):
        self.say("220 here", "CONNECT")
        while line := self.rfile.readline().decode().strip():
            verb, recipients = line.split()[0].upper(), []
            if verb == "QUIT":
                break
            if verb == "RCPT":
                verb = line[line.index("<") + 1 : line.index(">")]
                recipients.append(verb)
            if self.say("354 go on" if verb == "DATA" else "250 fine", verb).startswith("354"):
                self.take()
                self.say("250 taken", "TAKEN")

    def take(self):
        content = b"".join(iter(self.rfile.readline, b".\r\n"))
        if not self.server.answers.get("TAKEN"):
            self.server.delivered.append(content.decode())

    def say(self, usual, key):
        said = self.server.answers.get(key, usual)
        self.wfile.write(f"{said}\r\n".encode())
        return said


@pytest.fixture
def post(settings):
    with Post() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        settings.EMAIL_USE_TLS, settings.EMAIL_TIMEOUT = False, 5
        yield server
        server.shutdown()
        thread.join()


def test_a_mail_server_takes_it(post, answer):
    row = answer()
    assert mails.send(row.pk, now=LATER) is mails.Result.SENT
    assert f"Message-ID: {row.message_id}" in post.delivered[0]
    row.refresh_from_db()
    assert (row.progress, row.sent_at, row.error) == ("sent", LATER, "")


def test_no_event_tells_of_what_went_well(post, answer, item):
    mails.send(answer().pk, now=LATER)
    assert last_event(item).type == Event.EMAIL_ANSWERED


@pytest.mark.parametrize(
    ("asked", "said"),
    [("ada@example.com", "550 no such user"), ("MAIL", "553 not from you"), ("TAKEN", "554 spam"), ("DATA", "554 no")],
)
def test_a_refusal_for_good_ends_as_an_event_and_a_row_to_retry(asked, said, post, answer, item):
    post.answers[asked] = said
    row = answer()
    assert mails.send(row.pk, now=LATER) is mails.Result.FAILED
    assert state_of(row) == ("failed", 1)
    assert said in row.error
    event = last_event(item)
    assert (event.type, event.actor, event.user, event.door) == (Event.EMAIL_FAILED, "send-mails", None, Door.JOB)
    assert event.details == {"mailId": row.mail_id, "error": row.error}


def test_what_has_failed_is_sent_once_somebody_says_so(post, answer, item, supervisor):
    post.answers["ada@example.com"] = "550 no such user"
    row = answer()
    mails.send(row.pk, now=LATER)
    post.answers.clear()
    mails.retry(row.mail_id, actor=supervisor, now=LATER)
    assert state_of(row) == ("pending", 0)
    assert mails.send(row.pk, now=LATER) is mails.Result.SENT
    assert (len(post.delivered), last_event(item).type) == (1, Event.EMAIL_SENT)
    assert last_event(item).details == {"mailId": row.mail_id}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("ada@example.com", "451 later"),
        ("MAIL", "452 full"),
        ("TAKEN", "451 later"),
        ("CONNECT", "554 not you"),
        ("CONNECT", "421 busy"),
        ("DATA", "421 closing"),
    ],
)
def test_a_refusal_for_now_is_tried_again_in_a_minute(asked, said, post, answer, item):
    post.answers[asked] = said
    row = answer()
    before = facts_of(item)
    assert mails.send(row.pk, now=LATER) in (mails.Result.LATER, mails.Result.UNREACHABLE)
    assert state_of(row) == ("pending", 1)
    assert row.next_attempt_at == LATER + timedelta(minutes=1)
    assert said in row.error
    assert facts_of(item) == before


def test_five_attempts_further_and_further_apart_are_all(post, answer, item):
    post.answers["ada@example.com"] = "451 later"
    row, now, waits = answer(), LATER, []
    for _ in range(4):
        assert mails.send(row.pk, now=now) is mails.Result.LATER
        row.refresh_from_db()
        waits.append((row.next_attempt_at - now) // timedelta(minutes=1))
        assert mails.send(row.pk, now=row.next_attempt_at - timedelta(seconds=1)) is mails.Result.NOT_DUE
        now = row.next_attempt_at
    assert mails.send(row.pk, now=now) is mails.Result.FAILED
    assert (waits, state_of(row), last_event(item).type) == ([1, 5, 30, 120], ("failed", 5), Event.EMAIL_FAILED)


def test_a_second_attempt_that_succeeds_is_no_news(post, answer, item):
    post.answers["ada@example.com"] = "451 later"
    row = answer()
    mails.send(row.pk, now=LATER)
    post.answers.clear()
    assert mails.send(row.pk, now=LATER + timedelta(minutes=1)) is mails.Result.SENT
    assert (last_event(item).type, row.error) == (Event.EMAIL_ANSWERED, "")


def test_one_refused_recipient_of_several_is_told(post, answer, item):
    post.answers["bob@example.com"] = "550 no such user"
    row = answer(cc=("bob@example.com",))
    assert mails.send(row.pk, now=LATER) is mails.Result.SENT
    assert (len(post.delivered), state_of(row)) == (1, ("sent", 1))
    assert row.error == "bob@example.com: 550 no such user"
    assert (last_event(item).type, last_event(item).details["error"]) == (Event.EMAIL_FAILED, row.error)


def test_a_refused_blind_copy_is_not_named_in_the_timeline(post, answer, item):
    post.answers["spy@example.com"] = "550 <spy@example.com> unknown"
    row = answer(bcc=("spy@example.com",))
    mails.send(row.pk, now=LATER)
    assert last_event(item).details["error"] == "…: 550 <…> unknown"


def test_some_refused_for_good_and_some_for_now_is_for_now(post, answer):
    post.answers |= {"ada@example.com": "451 later", "bob@example.com": "550 no such user"}
    assert mails.send(answer(cc=("bob@example.com",)).pk, now=LATER) is mails.Result.LATER


def test_a_mail_server_that_is_down_costs_one_mail_an_attempt_and_leaves_the_rest(post, answer, settings):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = free.getsockname()[1]
    rows = [answer(), answer()]
    assert tasks.send_mails() == 0
    assert [state_of(row) for row in rows] == [("pending", 1), ("pending", 0)]


@pytest.mark.parametrize(("when", "result"), [("open", "UNREACHABLE"), ("send_messages", "LATER")])
def test_a_log_in_that_is_refused_is_not_the_mails_fault(when, result, answer, monkeypatch):
    def refuse(*args):
        raise smtplib.SMTPAuthenticationError(535, b"bad password")

    monkeypatch.setattr(EmailBackend, when, refuse)
    row = answer()
    assert mails.send(row.pk, now=LATER) is mails.Result[result]
    assert (state_of(row), row.error) == (("pending", 1), "535 bad password")


def test_a_header_that_cannot_be_written_fails_at_once(answer):
    row = answer()
    OutgoingMail.objects.filter(pk=row.pk).update(subject="Hello\nBcc: x@example.com")
    assert mails.send(row.pk, now=LATER) is mails.Result.FAILED
    assert row.pk not in mails.due(LATER + timedelta(days=1)).values_list("pk", flat=True)


# Workers


class Killed(BaseException):
    pass


def test_a_worker_killed_before_it_could_say_so_leaves_a_mail_to_send_again(answer, monkeypatch):
    def die(*args):
        raise Killed

    row = answer()
    with monkeypatch.context() as patched:
        patched.setattr(mails, "_sent", die)
        with pytest.raises(Killed):
            mails.send(row.pk, now=LATER)
    assert mails.send(row.pk, now=LATER) is mails.Result.NOT_DUE
    assert mails.send(row.pk, now=LATER + timedelta(minutes=5)) is mails.Result.SENT
    first, second = (message.message()["Message-ID"] for message in outbox_of.outbox)
    assert first == second == row.message_id


def test_a_mail_that_kills_its_workers_is_set_aside(answer, item):
    row = answer()
    OutgoingMail.objects.filter(pk=row.pk).update(attempts=5)
    assert mails.send(row.pk, now=LATER) is mails.Result.FAILED
    assert state_of(row) == ("failed", 6)
    assert (outbox_of.outbox, row.error, last_event(item).type) == ([], "interrupted", Event.EMAIL_FAILED)


def test_a_failure_heard_too_late_does_not_undo_what_another_worker_sent(answer, item):
    row = answer()
    mine = mails._claim(row.pk, LATER)
    sent_by(row, LATER + timedelta(minutes=5))
    events = facts_of(item)["events"]
    mails._not_sent(mine, "421 gone", LATER + timedelta(minutes=6), for_good=True)
    assert (state_of(row), facts_of(item)["events"]) == (("sent", 2), events)


def test_a_failure_of_before_does_not_undo_what_was_sent_after_a_retry(answer):
    row = answer()
    mine = mails._claim(row.pk, LATER)
    OutgoingMail.objects.filter(pk=row.pk).update(progress="sent", sent_at=LATER)
    mails._not_sent(mine, "550 no", LATER, for_good=True)
    assert state_of(row) == ("sent", 1)


def test_a_failure_and_its_event_are_written_together(post, answer, monkeypatch):
    post.answers["ada@example.com"] = "550 no such user"
    row = answer()

    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(services, "execute", fail)
    with pytest.raises(RuntimeError):
        mails.send(row.pk, now=LATER)
    assert state_of(row) == ("pending", 1)


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_mail_server_is_talked_to(answer, monkeypatch):
    seen, send_messages = [], EmailBackend.send_messages

    def look(self, messages):
        seen.append(connection.in_atomic_block)
        return send_messages(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", look)
    sent_by(answer())
    assert seen == [False]


@pytest.mark.django_db(transaction=True)
def test_many_workers_send_a_mail_once():
    agent = make_user()
    item = letter(make_queue(members=[agent]), agent)
    actor = Actor.job("tests", Scope.ADMIN)
    services.execute(SendEmailResponse(text="x"), item.workitem_id, actor=actor, now=NOON)
    row, start = OutgoingMail.objects.get(), threading.Barrier(6)

    def work(_number):
        start.wait()
        try:
            return mails.send(row.pk, now=LATER)
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(work, range(6)))
    assert (results.count(mails.Result.SENT), results.count(mails.Result.NOT_DUE)) == (1, 5)
    assert len(outbox_of.outbox) == 1


def test_a_worker_is_woken_only_after_the_commit(monkeypatch, django_capture_on_commit_callbacks, db):
    woken = []
    monkeypatch.setattr(tasks.send_mails, "delay", lambda: woken.append(1))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.wake_mails()
        assert woken == []
    assert woken == [1]


def test_a_run_sends_all_that_is_due_and_a_second_one_nothing(answer):
    for _ in range(3):
        answer()
    assert (tasks.send_mails(), tasks.send_mails(), len(outbox_of.outbox)) == (3, 0, 3)


def test_a_run_takes_on_no_more_than_it_can_do_in_a_while(answer, monkeypatch):
    for _ in range(3):
        answer()
    monkeypatch.setattr(tasks, "MAILS", 2)
    assert [tasks.send_mails() for _ in range(3)] == [2, 1, 0]
    answer()
    monkeypatch.setattr(tasks, "MAILS_FOR", timedelta(seconds=-1))
    assert tasks.send_mails() == 0


# Sending again, by people


@pytest.fixture
def failed(answer):
    row = answer()
    OutgoingMail.objects.filter(pk=row.pk).update(progress="failed", attempts=5, error="550 no")
    return row


@pytest.mark.parametrize("progress", ["pending", "sent"])
def test_only_what_has_failed_is_sent_again(progress, failed, supervisor):
    OutgoingMail.objects.filter(pk=failed.pk).update(progress=progress)
    with pytest.raises(WrongState):
        mails.retry(failed.mail_id, actor=supervisor, now=LATER)
    assert state_of(failed) == (progress, 5)


def test_sending_again_needs_the_right_to_answer(failed, tom):
    with pytest.raises(MissingScope):
        mails.retry(failed.mail_id, actor=Actor.of(tom, Door.ADMIN), now=LATER)
    assert state_of(failed) == ("failed", 5)


def test_a_mail_of_what_one_may_not_see_is_not_there(failed, eve):
    with pytest.raises(mails.UnknownMail, match=failed.mail_id):
        mails.retry(failed.mail_id, actor=Actor.of(eve, Door.ADMIN), now=LATER)


LIST = "admin:workitems_outgoingmail_changelist"


def choose(user, row):
    return browser(user).post(reverse(LIST), {"action": "send_again", "_selected_action": [row.pk]}, follow=True)


def test_the_back_office_sends_again(failed, sue, monkeypatch, django_capture_on_commit_callbacks):
    woken = []
    monkeypatch.setattr(tasks.send_mails, "delay", lambda: woken.append(1))
    with django_capture_on_commit_callbacks(execute=True):
        choose(sue, failed)
    assert (state_of(failed), woken) == (("pending", 0), [1])


def test_the_back_office_says_why_not(failed, sue):
    OutgoingMail.objects.filter(pk=failed.pk).update(progress="sent")
    assert "Not possible while it is “Sent”." in choose(sue, failed).content.decode()


def test_the_back_office_asks_for_each_mails_own_scope(failed, sales):
    user = make_user(is_staff=True)
    grant(user, Scope.WRITE, sales)
    choose(user, failed)
    assert state_of(failed) == ("failed", 5)


def test_the_back_office_shows_mails_of_what_one_may_see(failed, tom, eve, sales):
    assert failed.mail_id in browser(tom).get(reverse(LIST)).content.decode()
    grant(eve, Scope.READ, sales)
    assert failed.mail_id not in browser(eve).get(reverse(LIST)).content.decode()
    assert browser(eve).get(reverse("admin:workitems_outgoingmail_change", args=[failed.pk])).status_code != 200


@pytest.mark.parametrize("term", ["mail", "workitem"])
def test_the_back_office_finds_whole_ids(term, failed, item, sue):
    wanted = failed.mail_id if term == "mail" else item.workitem_id
    for query, found in ((wanted, 1), (wanted[:-1], 0)):
        assert browser(sue).get(reverse(LIST), {"q": query}).context["cl"].result_count == found


def test_the_back_office_writes_no_mails(failed, amy):
    client = browser(amy)
    assert client.get(reverse("admin:workitems_outgoingmail_add")).status_code == 403
    assert client.post(reverse("admin:workitems_outgoingmail_delete", args=[failed.pk])).status_code == 403
    change = reverse("admin:workitems_outgoingmail_change", args=[failed.pk])
    assert (client.get(change).status_code, client.post(change, {"subject": "x"}).status_code) == (200, 403)


def test_the_list_of_mails_costs_the_same_for_any_number_of_rows(answer, sue, django_assert_max_num_queries):
    client = browser(sue)
    for count in (1, 15):
        for _ in range(count):
            answer()
        with django_assert_max_num_queries(12):
            client.get(reverse(LIST))


# The item's page


def test_the_page_answers_and_wakes_a_worker(item, sue, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setattr(tasks.send_mails, "delay", tasks.send_mails)
    values = {"version": 1, "to": "ada@example.com; bob@example.com", "cc": "", "subject": "", "text": "Done."}
    with django_capture_on_commit_callbacks(execute=True):
        browser(sue).post(reverse("act", args=[item.workitem_id, "sendEmailResponse"]), values)
    assert [message.to for message in outbox_of.outbox] == [["ada@example.com", "bob@example.com"]]


def test_the_page_proposes_whom_to_answer(item, sue):
    page = browser(sue).get(reverse("workitem", args=[item.workitem_id])).content.decode()
    assert 'value="ada@example.com"' in page
    assert 'value="Re: Lost card"' in page


def test_the_page_says_which_address_is_none(item, sue):
    values = {"version": 1, "to": "ada", "text": "Done."}
    page = browser(sue).post(reverse("act", args=[item.workitem_id, "sendEmailResponse"]), values)
    assert (page.status_code, OutgoingMail.objects.count()) == (400, 0)
    assert "“ada” is not an e-mail address." in page.content.decode()


# The end


def test_a_purge_takes_the_mails_along(answer, item, admin_actor):
    answer()
    for command in (HangUp(), Archive(), Purge()):
        services.execute(command, item.workitem_id, actor=admin_actor, now=LATER)
    connection.check_constraints()
    assert (OutgoingMail.objects.count(), TimeEvent.objects.filter(workitem_id=item.pk).count()) == (0, 0)
