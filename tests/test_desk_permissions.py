"""The desk shows and does nothing that is not one's own: a centre with a queue next door, of which every word betrays.

Whatever belongs to the queue next door bears a name with "zanzibar" in it, and stands there in a number that occurs
nowhere else; so one look at an answer tells whether anything of it has come through.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from queues.models import Queue
from tests.builders import facts_of, make_presence, make_queue, make_user
from workitems.choices import EndedBy, EntryOutcome, Scope, State, Type
from workitems.groups import grant, grant_transfer_in
from workitems.models import (
    AuditEntry,
    BulkRun,
    PolicyRun,
    Presence,
    SavedView,
    StalePolicy,
    Stay,
    TimeEvent,
    Transfer,
    TransferItem,
    Workitem,
)
from workitems.pages.urls import urlpatterns

WAITING, ON_HOLD, HANDLED = 777, 333, 555  # next door
AT_HOME = 3
# a number of the queue next door, alone and with what stands at home
NUMBERS = sorted({number + more for number in (WAITING, ON_HOLD, HANDLED, WAITING + ON_HOLD) for more in range(5)})
BETRAYALS = re.compile("|".join(["zanzibar", *(rf"(?<![\w.:-]){number}(?![\w.:-])" for number in NUMBERS)]), re.I)
HOME = re.compile("homeward", re.I)
# what differs from answer to answer and says nothing
NOISE = re.compile(
    r'csrfmiddlewaretoken" value="[^"]*"|datetime="[^"]*"|data-now="[^"]*"|data-until="[^"]*"|\d\d:\d\d:\d\d'
    r'|\s(?:x|y|x1|x2|y1|y2|cx|cy|r|rx|width|height|d|points|viewBox|transform)="[^"]*"'  # of drawings
)


@dataclass
class Centre:
    """What the addresses name: things at home, and the same next door."""

    home: Queue
    door: Queue
    names: dict[str, dict[str, str]]


@pytest.fixture
def centre(db) -> Centre:
    now = timezone.now()
    home = make_queue("q_homeward", name="Homeward line")
    door = make_queue("q_zanzibar", name="Zanzibar line")
    make_queue("q_sendable", name="Sendable line")
    ann, ben = make_user("ann"), make_user("ben")
    zed = make_user("zed.zanzibar", first_name="Zed", last_name="Zanzibar")
    home.members.add(ann, ben)
    door.members.add(ann, zed)
    boss = make_user("boss", is_superuser=True)
    make_presence(ann, since=now)
    make_presence(zed, Presence.Status.OFFLINE, since=now)
    _items(home, "homeward", AT_HOME, State.INQUEUE, now)
    _items(home, "homeward-active", 1, State.ACTIVE, now, ann)
    _items(home, "homeward-ben", 1, State.ACTIVE, now, ben)
    _items(door, "zanzibar", WAITING, State.INQUEUE, now)
    _items(door, "zanzibar-hold", ON_HOLD, State.HOLD, now, ann)
    _items(door, "zanzibar-stuck", 1, State.ACTIVE, now, zed)
    _stays(door, zed, now)
    _stays(door, ann, now)
    names = {
        "home": {"queue": "q_homeward", "item": "wi_homeward_0", "agent": "ann"},
        "door": {"queue": "q_zanzibar", "item": "wi_zanzibar_0", "agent": "zed.zanzibar"},
        "none": {"queue": "q_none", "item": "wi_none", "agent": "none"},
    }
    names["door"] |= _things_of(boss, door, now)
    names["home"] |= {"run": "tr_none", "view": "sv_none"}
    names["none"] |= {"run": "tr_none", "view": "sv_none"}
    return Centre(home, door, names)


def _items(queue: Queue, name: str, count: int, state: State, now: Any, agent: User | None = None) -> None:
    Workitem.objects.bulk_create(
        Workitem(
            workitem_id=f"wi_{name}_{number}", type=Type.INBOUND_CALL, channel_type="voice", state=state,
            current_state_name=state, queue=queue, agent=agent, name=f"About {name}",
            from_address=f"{name}@example.com",
            created_at=now, modified_at=now, state_changed_at=now, active_at=now, queued_at=now, place_since=now,
            entered_at=now if state == State.INQUEUE else None, assigned_at=now if agent else None,
        )
        for number in range(count)
    )  # fmt: skip


def _stays(queue: Queue, agent: User, now: Any) -> None:
    """Let an agent have handled much today, with one item of the queue."""
    item = Workitem.objects.filter(queue=queue, agent=agent).first()
    began = now - timedelta(seconds=1)
    Stay.objects.bulk_create(
        Stay(
            workitem=item, version=number + 1000, channel_type="voice", state=State.OFFERED, queue=queue, agent=agent,
            began_at=began, ended_at=now, lasted_ms=1000, magnitude=1, entered_at=began, outcome=EntryOutcome.ANSWERED,
            wait_ms=1000, customer_ms=1000, handled_ms=60_000, ended_by=EndedBy.AGENT,
        )
        for number in range(HANDLED)
    )  # fmt: skip


def _things_of(boss: User, queue: Queue, now: Any) -> dict[str, str]:
    """Return what a colleague next door has under way."""
    times = dict.fromkeys(("created_at", "start_at", "moved_at"), now)
    transfer = Transfer.objects.create(
        transfer_id="tr_zanzibar", queue=queue, requested_by=boss, door="page", reason="Zanzibar moves", total=WAITING,
        state="running", query="queue=q_zanzibar", **times,
    )  # fmt: skip
    TransferItem.objects.create(run=transfer, workitem_id="wi_zanzibar_0")
    BulkRun.objects.create(
        bulk_id="bk_zanzibar", action="hold", requested_by=boss, door="page", total=WAITING, state="running", **times
    )
    policy = StalePolicy.objects.create(
        policy_id="p_zanzibar", name="Zanzibar policy", state="inqueue", after_seconds=60, queue=queue
    )
    PolicyRun.objects.create(
        run_id="pr_zanzibar", policy=policy, policy_version=1, terms=policy.terms() | {"cap": WAITING}, is_capped=True,
        **times,
    )  # fmt: skip
    far = Group.objects.create(name="Zanzibar group")
    SavedView.objects.create(
        view_id="sv_zanzibar", name="Zanzibar view", owner=boss, shared_with=far, query="queue=q_zanzibar",
        created_at=now, modified_at=now,
    )  # fmt: skip
    near = Group.objects.create(name="Everybody")
    near.user_set.set(User.objects.all())
    SavedView.objects.create(
        view_id="sv_everybody", name="All that waits", owner=boss, shared_with=near, query="state=inqueue",
        created_at=now, modified_at=now,
    )  # fmt: skip
    return {"run": "tr_zanzibar", "view": "sv_zanzibar"}


def _supervisor(centre: Centre, name: str, scope: Scope) -> User:
    user = make_user(name)
    user.groups.add(Group.objects.get(name="Everybody"))
    grant(user, scope, centre.home)
    return user


@pytest.fixture
def wes(centre) -> User:
    """A supervisor with the write scope at home, who may send into a third queue."""
    user = _supervisor(centre, "wes", Scope.WRITE)
    grant_transfer_in(user, Queue.objects.get(queue_id="q_sendable"))
    return user


@pytest.fixture
def rita(centre) -> User:
    """A supervisor with the read scope at home."""
    return _supervisor(centre, "rita", Scope.READ)


@pytest.fixture
def ben(centre) -> User:
    """An agent at home, without any scope."""
    return User.objects.get(username="ben")


@pytest.fixture
def nell(centre) -> User:
    """Somebody with nothing."""
    return make_user("nell")


# What is asked for: every route of the desk, at home, next door, and where nothing is

GETS: dict[str, tuple[str, ...]] = {
    "board": ("", "?q=1", "?by=channel", "?open=q_zanzibar"),
    "wallboard": ("",),
    "find": ("?q=zanzibar", "?q={item}", "?q=About"),
    "desk-settings": ("",),
    "presence": ("",),
    "agents": ("", "?q=zed", "?queue={queue}", "?presence=offline", "?sort=-handled"),
    "agent": ("",),
    "agent-presence": ("",),
    "return-all": ("",),
    "handover": ("",),
    "work": (
        "", "?q=zanzibar", "?queue={queue}", "?agent={agent}", "?agent=ann", "?figure=answered", "?figure=waiting",
        "?figure=handled&agent=ann", "?stuck=silent", "?view=sv_everybody", "?view={view}", "?sort=wait", "?p=2",
        "?state=hold", "?wait_over=0", "?age_over=0",
    ),
    "work-layout": ("",),
    "work-offers": ("?of=queue", "?of=agent", "?of=queue&begun=zan", "?of=agent&begun=ze"),
    "work-complete": ("?q=queue:&at=6", "?q=queue:zan&at=9", "?q=agent:ze&at=8", "?q=zan&at=3"),
    "work-bulk": ("",),
    "work-next": ("", "?queue={queue}"),
    "work-view-save": ("", "?state=inqueue"),
    "work-view-update": ("",),
    "work-view-delete": ("",),
    "transfer": ("?workitem={item}", "?workitem=wi_homeward_0", "?all=1&query=", "?workitem=wi_homeward_0,wi_none"),
    "transfer-targets": (
        "", "?find=zan", "?find=line", "?find=ze", "?find=ann", "?workitem={item}&find=", "?workitem=wi_homeward_0",
    ),
    "transfer-preview": ("",),
    "transfer-start": ("",),
    "transfer-undo": ("?version=1",),
    "desk-runs": ("", "?state=running"),
    "desk-run": ("",),
    "desk-run-press": ("",),
    "reports": ("", "?by=hour", "?range=7", "?queue={queue}", "?split=agent", "?split=channel", "?by=agent"),
    "reports-export": ("", "?split=agent", "?queue={queue}"),
    "moment": ("", "?at=2026-03-02T12:00", "?ago=1"),
    "workitem": ("",),
    "item-look": ("",),
    "item-undo": ("",),
    "act": ("",),
}  # fmt: skip
# beside the whole page: the living part, and what a script puts into the page
LIVING = {"board", "wallboard", "agents", "agent", "work", "desk-runs", "desk-run", "workitem"}
PARTS = {"transfer", "transfer-targets", "work-view-save", "work-view-update", "desk-run", "presence"}
OTHERS = {"action": "note", "what": "stop"}


def paths_of(pattern: Any, names: dict[str, str]) -> str:
    """Return the path of a route with these names in it."""
    known = {"workitem_id": names["item"], "username": names["agent"], "run_id": names["run"], "view_id": names["view"]}
    route = str(pattern.pattern)
    for argument in pattern.pattern.converters:
        value = (known | OTHERS)[argument] if pattern.name != "work-bulk" else "hangup"
        route = route.replace(f"<str:{argument}>", value)
    return f"/{route}"


def asked(centre: Centre) -> list[tuple[str, dict[str, str]]]:
    """Return every address of the desk that is read, with the headers of those who ask for a part of it."""
    found: dict[tuple[str, str], None] = {}
    for names in centre.names.values():
        for pattern in urlpatterns:
            headers = ["", *["X-Live"] * (pattern.name in LIVING), *["HX-Request"] * (pattern.name in PARTS)]
            for query in GETS[str(pattern.name)]:
                path = (paths_of(pattern, names) + query).format(**names)
                found |= dict.fromkeys((path, header) for header in headers)
    return [(path, {header: "true"} if header else {}) for path, header in found]


def told(answer: Any) -> str:
    """Return what an answer says to whoever reads it, its headers included; not what he has said himself."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    headers = " ".join(f"{name}: {value}" for name, value in answer.items() if name not in ("ETag", "Set-Cookie"))
    text = f"{headers} {body.decode(errors='replace')}"
    said = unquote(answer.request["PATH_INFO"] + "?" + answer.request["QUERY_STRING"])
    for word in sorted(set(re.findall(r"[\w.]*(?:zan|homeward_)[\w.]*|\bann\b", said)), key=len, reverse=True):
        text = text.replace(word, "")
    return NOISE.sub("", text)


def leaks(user: User, centre: Centre, betrayals: re.Pattern[str]) -> list[str]:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    found = []
    for path, headers in asked(centre):
        answer = client.get(path, headers=headers)
        words = told(answer)
        if answer.status_code >= 500:
            found.append(f"{path} {headers}: {answer.status_code}")
        if match := betrayals.search(words):
            found.append(f"{path} {headers}: …{words[max(0, match.start() - 80) : match.end() + 40]}…")
    return found


def test_every_route_of_the_desk_is_asked():
    assert {pattern.name for pattern in urlpatterns} == set(GETS)


def test_the_words_that_betray_are_there_for_whoever_may_see_them(centre):
    client = Client()
    client.force_login(User.objects.get(username="boss"))
    for path in (
        "/supervisor/",
        "/supervisor/agents/",
        "/supervisor/work/",
        "/supervisor/reports/",
        "/supervisor/runs/",
    ):
        assert BETRAYALS.search(told(client.get(path))), path


@pytest.mark.parametrize("who", ["wes", "rita"])
def test_a_supervisor_of_one_queue_sees_nothing_of_the_queue_next_door(who, centre, request):
    assert leaks(request.getfixturevalue(who), centre, BETRAYALS) == []


def test_an_agent_without_scopes_sees_what_is_his_alone(centre, ben):
    others = re.compile(rf"{BETRAYALS.pattern}|wi_homeward_\d|homeward-active|\bann\b", re.I)
    assert leaks(ben, centre, others) == []


def test_somebody_with_nothing_sees_nothing(centre, nell):
    nothing = re.compile(rf"{BETRAYALS.pattern}|About homeward|Homeward line", re.I)
    assert leaks(nell, centre, nothing) == []


def test_where_one_may_send_is_named_without_its_figures(centre, wes):
    _items(Queue.objects.get(queue_id="q_sendable"), "sent", 444, State.INQUEUE, timezone.now())
    client = Client()
    client.force_login(wes)
    page = told(client.get("/supervisor/transfer/?workitem=wi_homeward_0"))
    assert "Sendable line" in page
    assert "444" not in page
    betrayals = re.compile(r"wi_sent|About sent|(?<![\w.:-])44[4-9](?![\w.:-])", re.I)
    assert leaks(wes, centre, betrayals) == []


# What is pressed

POSTS: dict[str, dict[str, Any]] = {
    "presence": {"status": ""},
    "desk-settings": {"refresh_seconds": "4"},
    "agent": {"capacity_voice": "9"},
    "agent-presence": {"status": "away"},
    "return-all": {"anyway": "yes"},
    "handover": {"expected": "1", "offline": "1"},
    "work-layout": {"order": "none"},
    "work-bulk": {"workitem": "{item}", "step": "confirm", "expected": "1", "all": "", "reason": "agent"},
    "work-view-save": {"name": ""},
    "work-view-update": {"query": "", "columns": "", "name": "Mine"},
    "work-view-delete": {},
    "transfer": {"workitem": "{item}", "target": "queue:q_sendable"},
    "transfer-preview": {"workitem": "{item}", "target": "queue:q_sendable"},
    "transfer-start": {"workitem": "{item}", "target": "queue:q_sendable", "expected": "1"},
    "transfer-undo": {},
    "desk-run-press": {},
    "item-look": {"leaves": ""},
    "item-undo": {"version": "1", "action": "priority", "priority": "5"},
    "act": {"version": "1", "text": "Called back."},
}


def everything() -> dict[str, list[Any]]:
    """Return all that the desk can change, but for the runs that somebody asks for himself and whose items refuse."""
    found = {
        model.__name__: list(model.objects.order_by("pk").values())
        for model in (Workitem, Presence, SavedView, PolicyRun, AuditEntry)
    }
    for model in (Transfer, BulkRun):
        found[model.__name__] = list(model.objects.filter(requested_by__username="boss").order_by("pk").values())
    return found | {"events": [TimeEvent.objects.count()]}


def presses(centre: Centre, place: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Return every form of the desk, about the things of a place."""
    names = centre.names[place]
    return [
        (
            str(pattern.name),
            paths_of(pattern, names) + ("?version=1" if pattern.name == "transfer-undo" else ""),
            {name: value.format(**names) for name, value in POSTS[str(pattern.name)].items()},
        )
        for pattern in urlpatterns
        if pattern.name in POSTS
    ]


@pytest.mark.parametrize(
    ("who", "place"), [("wes", "door"), ("rita", "door"), ("rita", "home"), ("nell", "home"), ("ben", "door")]
)
def test_whoever_may_not_changes_nothing(who, place, centre, request):
    user = request.getfixturevalue(who)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    before, wrong = everything(), []
    for name, path, body in presses(centre, place):
        answer = client.post(path, body)
        if answer.status_code >= 500 or everything() != before:
            wrong.append(f"{name}: {answer.status_code}")
            before = everything()
        match = BETRAYALS.search(told(answer)) if place == "home" else None
        if match:
            wrong.append(f"{name} says {match[0]}")
    assert wrong == []


def test_each_form_is_one_of_ours(centre):
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(username="boss"))
    before = everything()
    for name, path, body in presses(centre, "door"):
        assert (name, client.post(path, body).status_code) == (name, 403)
    assert everything() == before


def test_what_takes_no_form_answers_none(centre):
    client = Client()
    client.force_login(User.objects.get(username="boss"))
    for pattern in urlpatterns:
        if pattern.name not in POSTS:
            assert (pattern.name, client.post(paths_of(pattern, centre.names["home"])).status_code) == (
                pattern.name,
                405,
            )


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/x", "/\\evil.example", "javascript:alert(1)"]
)
def test_one_is_sent_on_to_addresses_of_ours_only(elsewhere, centre):
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(username="boss"))
    for _name, path, body in presses(centre, "home"):
        answer = client.post(path, body | {"next": elsewhere})
        assert not answer.get("Location", "").startswith(elsewhere)
        assert f'href="{elsewhere}"' not in answer.content.decode()
    for path, _headers in asked(centre):
        answer = client.get(f"{path}{'&' if '?' in path else '?'}next={elsewhere}")
        assert not answer.get("Location", "").startswith(elsewhere)
        if not answer.streaming:
            assert f'href="{elsewhere}"' not in answer.content.decode()


def test_an_item_next_door_is_as_if_it_were_not(centre, wes):
    client = Client()
    client.force_login(wes)
    item = Workitem.objects.get(workitem_id="wi_zanzibar_0")
    before = facts_of(item)
    assert [client.get(f"/supervisor/workitems/{name}/").status_code for name in ("wi_zanzibar_0", "wi_none")] == [
        404,
        404,
    ]
    assert client.post("/supervisor/workitems/wi_zanzibar_0/note/", {"version": "1", "text": "x"}).status_code == 404
    assert facts_of(item) == before
