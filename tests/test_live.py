"""Living pages on the server's side: one small query while nothing changes, and sessions that last as long as they."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from tests.builders import NOON, facts_of, make_presence, make_user, make_workitem
from tests.doors import browser, personal
from workitems import audit, directory, marks, routing, services
from workitems.actors import Actor
from workitems.choices import Door, Scope, State
from workitems.commands import AddNote, Purge
from workitems.groups import grant
from workitems.models import Presence, Transfer
from workitems.pages.live import HOLDS_SECONDS, SHARED_SECONDS, STEP_SECONDS

BOARD, WORK, AGENTS = "/supervisor/", "/supervisor/work/", "/supervisor/agents/"
LIVE = {"X-Live": "1"}


@pytest.fixture
def clock():
    """A clock that stands at noon until a test moves it on."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def again(client, etag: str, path: str = BOARD, **headers: str):
    return client.get(path, headers={**LIVE, "If-None-Match": etag, **headers})


def asked(client, path: str = BOARD) -> str:
    """Return the ETag of a page that was opened and asked for again."""
    client.get(path)
    answer = client.get(path, headers=LIVE)
    assert answer.status_code == 200
    return answer["ETag"]


# Nothing new


@pytest.mark.parametrize("path", [BOARD, WORK, AGENTS, "/supervisor/wallboard/", "/supervisor/runs/"])
def test_nothing_new_costs_one_query_and_has_no_body(path, clock, sue, queue, django_assert_num_queries):
    make_workitem(queue=queue)
    client = browser(sue)
    etag = asked(client, path)
    with django_assert_num_queries(1):
        answer = again(client, etag, path)
    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)


def test_only_the_script_of_a_living_page_is_told_that_nothing_has_changed(clock, sue, queue):
    client = browser(sue)
    etag = asked(client)
    assert client.get(BOARD, headers={"If-None-Match": etag}).status_code == 200
    assert client.head(BOARD, headers={**LIVE, "If-None-Match": etag}).status_code != 304
    assert client.get("/users/api/workitems", headers={**LIVE, "If-None-Match": etag}).status_code == 200


def test_the_living_part_is_all_that_is_sent(clock, sue, queue):
    client = browser(sue)
    whole, part = client.get(BOARD).content.decode(), client.get(BOARD, headers=LIVE).content.decode()
    assert ("<html" in whole, "<html" in part) == (True, False)
    assert 'id="sort-waiting"' in part
    assert "<script" not in part


def test_no_cache_keeps_what_is_for_one_person(clock, sue, queue):
    answer = browser(sue).get(BOARD)
    assert answer["Cache-Control"] == "private, no-cache"
    assert {"X-Live", "Cookie"} <= {one.strip() for one in answer["Vary"].split(",")}


# What it is bound to


def test_the_mark_of_one_session_says_nothing_to_another(clock, sue, tom, queue):
    etag = asked(browser(sue))
    assert again(browser(tom), etag).status_code == 200
    assert again(browser(sue), etag).status_code == 200


def test_whoever_has_no_session_signs_in(client, clock, sue, queue):
    assert again(client, asked(browser(sue))).status_code == 302


@pytest.mark.parametrize("other", [f"{BOARD}?sort=name", "/supervisor/wallboard/"])
def test_the_mark_of_one_address_says_nothing_at_another(other, clock, sue, queue):
    client = browser(sue)
    assert again(client, asked(client), other).status_code == 200


def run_out(client, clock) -> int:
    """Return how many seconds from now the mark of this session holds."""
    etag = asked(client)
    for seconds in range(HOLDS_SECONDS + 1):
        if again(client, etag).status_code == 200:
            return seconds
        clock.shift(1)
    raise AssertionError("it holds for too long")


def test_the_mark_holds_for_some_seconds_only(clock, sue, queue):
    client = browser(sue)
    assert STEP_SECONDS <= run_out(client, clock) <= HOLDS_SECONDS
    assert run_out(client, clock) == HOLDS_SECONDS


def test_the_marks_of_many_sessions_do_not_all_run_out_in_the_same_second(clock, sue, queue):
    found = set()
    for _ in range(12):
        clock.move_to(NOON)
        found.add(run_out(browser(sue), clock))
    assert len(found) > 1
    assert found <= set(range(STEP_SECONDS, HOLDS_SECONDS + 1, STEP_SECONDS))


@pytest.mark.parametrize("etag", ['W/"x.y"', "*", "", "W/", '"' + "a" * 5000, 'W/"é.ü"'])
def test_a_mark_that_is_not_ours_costs_nothing_and_is_no_mark(etag, clock, sue, queue):
    assert again(browser(sue), etag).status_code == 200


def test_a_mark_that_somebody_has_changed_is_no_mark(clock, sue, queue):
    client = browser(sue)
    etag = asked(client)
    signature = etag.rpartition(".")[2]
    make_workitem(queue=queue)
    assert again(client, f'W/"{marks.current()}.{signature}').status_code == 200


def test_a_session_that_has_ended_is_told_so_when_the_mark_has_run_out(clock, sue, queue):
    client = browser(sue)
    etag = asked(client)
    client.session.flush()
    clock.shift(HOLDS_SECONDS)
    assert again(client, etag).status_code == 302


def test_who_is_deactivated_hears_of_no_change_any_more(clock, sue, queue):
    client = browser(sue)
    etag = asked(client)
    sue.is_active = False
    sue.save()
    make_workitem(queue=queue)
    assert again(client, etag).status_code == 302


def test_a_right_that_is_taken_away_shows_with_the_next_change(clock, queue):
    user = make_user("wes")
    grant(user, Scope.READ, queue)
    client = browser(user)
    etag = asked(client)
    user.queueuserobjectpermission_set.all().delete()
    make_workitem(queue=queue)
    answer = again(client, etag)
    assert answer.status_code == 200
    assert "Support" not in answer.content.decode()


# What changes it


def note(item, actor):
    services.execute(AddNote("Called back."), item.workitem_id, actor=actor, now=timezone.now())


def purge(item, actor):
    services.execute(Purge(), item.workitem_id, actor=actor, now=timezone.now())


def set_presence(item, actor):
    routing.set_presence(item.agent, Presence.Status.AWAY, actor=actor, now=timezone.now())


def first_presence(item, actor):
    make_presence(make_user("new"), since=NOON - timedelta(days=1))


def rename_queue(item, actor):
    directory.QUEUE.change(item.queue.queue_id, {"name": "Service"}, actor=actor, now=timezone.now())


def write_audit(item, actor):
    audit.write("queue changed", "q_support", actor=actor, now=timezone.now())


def ask_for_transfer(item, actor):
    times = {"created_at": NOON, "start_at": NOON, "moved_at": NOON}
    Transfer.objects.create(queue=item.queue, requested_by=actor.user, door=Door.PAGE, **times)


def drive_transfer(item, actor):
    Transfer.objects.update(done=1, moved_at=timezone.now())


def end_transfer(item, actor):
    Transfer.objects.update(state="done")


@pytest.mark.parametrize(
    "change",
    [
        note,
        purge,
        set_presence,
        first_presence,
        rename_queue,
        write_audit,
        ask_for_transfer,
        drive_transfer,
        end_transfer,
    ],
)
def test_whatever_pages_show_changes_the_mark(change, clock, amy, queue, ann):
    actor = Actor.of(amy, Door.API)
    make_presence(ann, Presence.Status.AVAILABLE, since=NOON - timedelta(minutes=1))
    item = make_workitem(State.DISPOSITIONED, queue=queue, agent=ann, archived_at=NOON)
    if change in (drive_transfer, end_transfer):
        ask_for_transfer(item, actor)
        Transfer.objects.update(state="running")
    client = browser(amy)
    etag = asked(client)
    clock.shift(SHARED_SECONDS + 0.1)
    assert again(client, etag).status_code == 304
    change(item, actor)
    answer = again(client, etag)
    assert (answer.status_code, answer["ETag"] != etag) == (200, True)
    assert again(client, answer["ETag"]).status_code == 304


def test_a_refusal_changes_no_mark(clock, tom, queue):
    item = make_workitem(queue=queue)
    before, mark = facts_of(item), marks.current()
    browser(tom).post(f"/supervisor/workitems/{item.workitem_id}/hangup/", {"version": 1, "reason": "agent"})
    assert (facts_of(item), marks.current()) == (before, mark)


def test_the_mark_is_one_query_at_any_size(queue, django_assert_num_queries):
    for _ in range(5):
        make_workitem(queue=queue)
    with django_assert_num_queries(1):
        marks.current()


# What is shared moves on twice a step


def test_those_who_only_ask_again_are_shown_the_same_within_a_second(clock, sue, tom, queue):
    clients = [browser(sue), browser(tom)]
    etags = [asked(client) for client in clients]
    make_workitem(queue=queue)
    shown = again(clients[0], etags[0])
    assert 'data-row="q_support"' in shown.content.decode()
    assert again(clients[0], shown["ETag"]).status_code == 200  # it is known to be behind, and asks on
    clock.shift(SHARED_SECONDS + 0.1)
    caught_up = [again(client, etag) for client, etag in zip(clients, etags, strict=True)]
    assert all('figure=waiting&amp;sort=due&amp;queue=q_support"' in one.content.decode() for one in caught_up)
    assert again(clients[0], caught_up[0]["ETag"]).status_code == 304


# Compression


def test_pages_of_the_desk_go_out_compressed(sue, queue):
    client = browser(sue)
    answer = client.get(BOARD, headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert b"</html>" in gzip.decompress(answer.content)
    assert "Content-Encoding" not in client.get(BOARD).headers


def test_programs_get_their_answers_as_they_are(sue, queue):
    for _ in range(5):
        make_workitem(queue=queue)
    answer = browser(sue).get("/api/v1/workitems", headers={"Accept-Encoding": "gzip", **personal(sue)})
    assert (answer.status_code, "Content-Encoding" in answer.headers) == (200, False)


def test_a_compressed_page_is_still_told_that_nothing_has_changed(clock, sue, queue):
    client = browser(sue)
    packed = {"Accept-Encoding": "gzip"}
    etag = client.get(BOARD, headers={**LIVE, **packed})["ETag"]
    assert again(client, etag, **packed).status_code == 304


# Sessions


def test_after_twelve_hours_one_signs_in_again(sue):
    client = browser(sue)
    assert client.get(BOARD).status_code == 200
    session = client.session
    session["signed_in_at"] -= 12 * 3600 + 1
    session.save()
    assert client.get(BOARD).status_code == 302


def test_a_session_ends_after_half_an_hour_of_idleness(clock, sue):
    client = browser(sue)
    assert client.get(BOARD).status_code == 200
    clock.shift(30 * 60 + 1)
    assert client.get(BOARD).status_code == 302


def test_a_page_that_is_looked_at_keeps_its_session_while_nothing_changes(clock, sue, queue):
    client = browser(sue)
    etag = asked(client)
    for _ in range(60):
        clock.shift(60)
        etag = again(client, etag).headers.get("ETag", etag)
    assert client.get(BOARD).status_code == 200


def test_a_page_that_is_looked_at_is_signed_out_after_twelve_hours_all_the_same(clock, sue, queue):
    client = browser(sue)
    etag = asked(client)
    for _ in range(12 * 4):
        clock.shift(15 * 60)
        assert again(client, etag).status_code == 200
    clock.shift(60)
    assert again(client, etag).status_code == 302


def test_a_session_is_written_once_a_minute_at_most(clock, sue, queue, django_assert_num_queries):
    client = browser(sue)
    client.get(BOARD)
    clock.shift(59)
    with django_assert_num_queries(6):
        client.get(BOARD)
    clock.shift(2)
    with django_assert_num_queries(9):  # a savepoint, the session, and the end of it
        client.get(BOARD)


def test_programs_with_tokens_have_no_session(client, sue, queue):
    client.get("/users/api/workitems", headers=personal(sue))
    assert "sessionid" not in client.cookies
