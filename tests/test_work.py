"""The work list of the desk: what it shows by itself and when asked, to whom, and what is done from it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from queues.models import QueueChannel
from tests.builders import facts_of, make_contact, make_queue, make_user, make_workitem
from tests.doors import browser
from workitems.choices import Priority, Scope, State, Type
from workitems.groups import grant
from workitems.models import AuditEntry, BulkRun, DeskSettings, ListLayout, Onlooker, SavedView
from workitems.pages import work_next

WORK = "/supervisor/work/"
MOST_QUERIES = 8

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def sam(queue):
    """A supervisor of one queue."""
    user = make_user("sam")
    grant(user, Scope.WRITE, queue)
    return user


def waiting(queue, seconds, now, **facts):
    """Return what waits in the queue for so long."""
    since = now - timedelta(seconds=seconds)
    return make_workitem(queue=queue, queued_at=since, created_at=since, state_changed_at=since, **facts)


def look(user, query=""):
    answer = browser(user).get(f"{WORK}?{query}")
    assert answer.status_code == 200
    return answer.context["look"]


def ids(user, query=""):
    return [line.row.workitem_id for line in look(user, query).lines]


def chips(user, query=""):
    return [(one.label, one.words) for one in look(user, query).chips]


def ended(queue, workitem_id, **facts):
    return make_workitem(State.TERMINATED, queue=queue, workitem_id=workitem_id, **facts)


def test_it_shows_open_work_unless_more_is_asked_for(sue, queue):
    make_workitem(queue=queue, workitem_id="open", name="late refund")
    ended(queue, "ended", name="late refund")
    assert ids(sue) == ["open"]
    assert ids(sue, "open=all") == ["open", "ended"] or ids(sue, "open=all") == ["ended", "open"]
    assert ids(sue, "state=terminated") == ["ended"]
    assert sorted(ids(sue, "q=refund")) == ["ended", "open"]
    assert ids(sue, "q=refund&open=yes") == ["open"]


def test_a_chip_says_that_open_work_is_meant_and_takes_it_away(sue, queue):
    assert chips(sue) == [("Open work", "only")]
    assert look(sue).chips[0].link == "?open=all"
    assert look(sue, "open=yes&priority=5").chips[0].link == "?priority=5&open=all"
    assert chips(sue, "state=hold") == [("State", "On hold")]


def test_what_is_due_first_comes_first_and_then_what_has_stood_longest(sue, queue, ann, now):
    QueueChannel.objects.filter(queue=queue, channel="voice").update(sla_seconds=30)
    QueueChannel.objects.filter(queue=queue, channel="email").update(sla_seconds=3600)
    waiting(queue, 100, now, type=Type.INBOUND_EMAIL, workitem_id="mail, due in an hour")
    waiting(queue, 20, now, workitem_id="call, due in 10 s")
    waiting(queue, 50, now, workitem_id="call, 20 s late")
    for seconds in (300, 7200):
        since = now - timedelta(seconds=seconds)
        make_workitem(State.ACTIVE, queue=queue, agent=ann, workitem_id=f"active {seconds}", state_changed_at=since)
    assert ids(sue) == ["call, 20 s late", "call, due in 10 s", "mail, due in an hour", "active 7200", "active 300"]
    assert look(sue).asked.sort == "due"


def test_work_in_a_queue_without_a_service_level_comes_after_what_is_due(sue, queue, now):
    make_queue("q_calls", name="Calls", channels=("voice",))
    waiting(queue, 10, now, workitem_id="due")
    QueueChannel.objects.filter(queue=queue, channel="chat").delete()
    waiting(queue, 9000, now, type=Type.CHAT, workitem_id="without")
    assert ids(sue) == ["due", "without"]


def test_ended_work_is_not_sorted_by_due_time_and_the_list_says_so(sue, queue):
    ended(queue, "ended")
    seen = look(sue, "state=terminated&sort=due")
    assert "Only open work is sorted" in seen.filter_error.message
    assert seen.lines == []
    assert look(sue, "state=terminated").asked.sort == "-created"


@pytest.mark.parametrize("query", ["state=waiting", "nothing=1", "sort=wait", "p=0", "age_over=soon", "queue=q_gone"])
def test_what_cannot_be_understood_shows_no_rows_and_says_why(query, sue, queue):
    make_workitem(queue=queue)
    seen = look(sue, query)
    assert seen.lines == []
    assert seen.filter_error.message


def test_a_wrong_search_is_marked_at_its_place(sue, queue):
    make_workitem(queue=queue)
    answer = browser(sue).get(f"{WORK}?q=state:actve")
    assert answer.context["look"].lines == []
    assert "<mark>actve</mark>" in answer.content.decode()
    assert "state:active" in answer.content.decode()


def test_a_supervisor_of_one_queue_sees_nothing_of_the_others(sam, sue, queue, sales, now):
    waiting(queue, 10, now, workitem_id="mine")
    waiting(sales, 10, now, workitem_id="wi_theirs", contact=make_contact("Zoe Elsewhere"))
    page = browser(sam).get(WORK).content.decode()
    assert ids(sam) == ["mine"]
    assert look(sam).page.count == 1
    assert "wi_theirs" not in page
    assert "Sales" not in page
    assert "q_sales" not in page
    assert look(sam, "queue=q_sales").filter_error.message == "There is no queue “q_sales” whose work you may see."
    assert browser(sam).get("/supervisor/work/offers/?of=queue&begun=q_").json() == {
        "offers": [{"value": "q_support", "words": "Support"}]
    }
    completions = browser(sam).get("/supervisor/work/complete/?q=selectedQueue:q_").json()["completions"]
    assert [one["label"] for one in completions] == ["q_support"]


def test_a_count_of_a_view_is_of_what_the_person_may_see(sam, sue, queue, sales, now):
    group = Group.objects.create(name="desk")
    sam.groups.add(group)
    SavedView.objects.create(
        name="All", owner=sue, shared_with=group, query="open=yes", created_at=now, modified_at=now
    )
    waiting(queue, 10, now)
    waiting(sales, 10, now)
    entries = browser(sam).get("/supervisor/work/views/").context["entries"]
    assert [(one.view.name, one.count, one.is_mine) for one in entries] == [("All", "1", False)]


def test_someone_without_rights_sees_an_empty_list(eve, queue):
    make_workitem(queue=queue)
    assert ids(eve) == []


def test_who_has_not_signed_in_is_sent_to_do_so(client):
    assert client.get(WORK).headers["Location"].startswith("/login/")


def test_the_first_page_costs_few_queries_however_many_rows(sue, queue, sales, ann, now):
    seen = []
    for count in (2, 40):
        for number in range(count):
            waiting(queue, number, now, contact=make_contact())
            make_workitem(State.ACTIVE, queue=sales, agent=ann)
        client = browser(sue)
        client.get(WORK)  # a new session is written once
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            client.get(WORK)
        seen.append(len(queries))
    assert seen[0] == seen[1]
    assert seen[1] <= MOST_QUERIES


def test_a_script_gets_the_living_part_and_later_nothing_new(sue, queue):
    make_workitem(queue=queue, workitem_id="one")
    client = browser(sue)
    first = client.get(WORK, headers={"X-Live": "1"})
    assert "<html" not in first.content.decode()
    assert 'data-row="one"' in first.content.decode()
    again = client.get(WORK, headers={"X-Live": "1", "If-None-Match": first["ETag"]})
    assert again.status_code == 304


def test_columns_and_page_size_are_kept_for_the_desk_alone(sue, queue):
    ListLayout.objects.create(user=sue, list_name="workitems", columns=["id"], page_size=10)
    asked = {"order": ["state", "id", "queue"], "column": ["state", "id"], "size": "25", "address": "state=hold&p=2"}
    answer = browser(sue).post("/supervisor/work/layout/", asked)
    assert answer.headers["Location"] == "/supervisor/work/?state=hold"
    assert look(sue).columns == ("state", "id")
    assert ListLayout.objects.get(user=sue, list_name="workitems").columns == ["id"]
    browser(sue).post("/supervisor/work/layout/", {"reset": "1"})
    assert "queue" in look(sue).columns


def test_columns_that_the_form_does_not_offer_are_refused(sue):
    assert browser(sue).post("/supervisor/work/layout/", {"order": ["secret"], "size": "25"}).status_code == 400
    assert not ListLayout.objects.filter(user=sue).exists()


def test_rows_are_as_close_as_the_person_likes(sue, queue):
    DeskSettings.objects.create(user=sue, density="compact")
    assert 'data-density="compact"' in browser(sue).get(WORK).content.decode()


# Saved views


def test_a_view_keeps_all_that_the_list_means(sue, queue):
    seen = look(sue, "priority=5")
    answer = browser(sue).post(
        "/supervisor/work/views/", {"name": "Urgent", "query": seen.query, "columns": "id,state", "shared_with": ""}
    )
    view = SavedView.objects.get()
    assert view.query == "open=yes&priority=5&sort=due"
    assert view.columns == ["id", "state"]
    assert answer.headers["Location"] == f"/supervisor/work/?{view.query}&view={view.view_id}"
    assert AuditEntry.objects.filter(what="saved view created", subject=view.view_id).exists()
    opened = look(sue, f"{view.query}&view={view.view_id}")
    assert opened.columns == ("id", "state")
    assert not opened.bar.differs
    assert look(sue, f"open=yes&priority=4&sort=due&view={view.view_id}").bar.differs


def test_a_view_without_a_word_of_open_work_shows_all_work_as_in_the_back_office(sue, queue, now):
    view = SavedView.objects.create(name="All", owner=sue, query="", created_at=now, modified_at=now)
    ended(queue, "ended")
    assert ids(sue, f"view={view.view_id}") == ["ended"]


def test_a_name_is_given_once(sue, queue, now):
    SavedView.objects.create(name="Urgent", owner=sue, query="", created_at=now, modified_at=now)
    answer = browser(sue).post("/supervisor/work/views/", {"name": "Urgent", "query": "priority=5", "columns": ""})
    assert answer.status_code == 400
    assert "You have a view “Urgent” already" in answer.content.decode()
    assert SavedView.objects.count() == 1


def test_a_view_is_updated_renamed_shared_and_deleted_by_its_owner(sue, queue, now):
    group = Group.objects.create(name="desk")
    sue.groups.add(group)
    view = SavedView.objects.create(name="Mine", owner=sue, query="", created_at=now, modified_at=now)
    address = f"/supervisor/work/views/{view.view_id}/"
    client = browser(sue)
    client.post(address, {"query": "state=hold&p=3", "columns": "id"})
    view.refresh_from_db()
    assert (view.query, view.columns) == ("state=hold", ["id"])
    client.post(address, {"name": "Ours", "shared_with": group.pk})
    view.refresh_from_db()
    assert (view.name, view.shared_with) == ("Ours", group)
    assert client.post(f"{address}delete/").headers["Location"] == "/supervisor/work/?state=hold"
    assert not SavedView.objects.exists()
    told = AuditEntry.objects.filter(subject=view.view_id).order_by("pk").values_list("what", flat=True)
    assert list(told) == ["saved view changed", "saved view changed", "saved view deleted"]


def test_others_open_a_shared_view_and_change_nothing_of_it(tom, sue, now):
    group = Group.objects.create(name="desk")
    tom.groups.add(group)
    view = SavedView.objects.create(
        name="Shared", owner=sue, shared_with=group, query="state=hold", created_at=now, modified_at=now
    )
    address = f"/supervisor/work/views/{view.view_id}/"
    assert look(tom, f"state=hold&view={view.view_id}").bar.view == view
    assert browser(tom).post(address, {"query": "state=active", "columns": ""}).status_code == 403
    assert browser(tom).post(f"{address}delete/").status_code == 403
    view.refresh_from_db()
    assert view.query == "state=hold"


def test_a_private_view_is_not_there_for_others(tom, sue, now):
    view = SavedView.objects.create(name="Mine", owner=sue, query="", created_at=now, modified_at=now)
    address = f"/supervisor/work/views/{view.view_id}/"
    assert browser(tom).get(address).status_code == 404
    assert browser(tom).post(f"{address}delete/").status_code == 404
    assert SavedView.objects.exists()


# Many at once


def send(user, action, **fields):
    return browser(user).post(f"/supervisor/work/bulk/{action}/", fields)


def test_what_can_be_taken_back_is_done_at_once_and_refusals_are_told(sue, queue, ann):
    active = make_workitem(State.ACTIVE, queue=queue, agent=ann)
    waits = make_workitem(queue=queue)
    before = facts_of(waits)
    back = "/supervisor/work/?queue=q_support"
    answer = browser(sue).post(
        "/supervisor/work/bulk/hold/", {"workitem": [active.workitem_id, waits.workitem_id], "next": back}, follow=True
    )
    active.refresh_from_db()
    assert active.state == State.HOLD
    assert facts_of(waits) == before
    assert answer.redirect_chain[-1][0] == f"{back}#select={waits.workitem_id}"  # which stays selected
    said = [str(one) for one in answer.context["messages"]]
    assert "1 workitem done." in said[0]
    assert waits.workitem_id in said[1]


def test_a_priority_is_asked_previewed_and_confirmed(sue, queue):
    one, other = make_workitem(queue=queue), make_workitem(queue=queue)
    chosen = {"workitem": f"{one.workitem_id},{other.workitem_id}"}
    assert "Priority" in send(sue, "priority", **chosen).content.decode()
    preview = send(sue, "priority", step="preview", priority="5", **chosen)
    assert preview.context["figures"] == {"total": "2", "allowed": "2", "refused": "0"}
    one.refresh_from_db()
    assert one.priority == Priority.NORMAL
    answer = send(sue, "priority", step="confirm", priority="5", expected="2", **chosen)
    one.refresh_from_db()
    assert one.priority == Priority.HIGHEST
    assert answer.headers["Location"] == reverse("desk-run", args=[BulkRun.objects.get().public_id])


def test_all_that_match_are_those_of_the_list_and_of_its_person(sam, queue, sales, now):
    mine = [waiting(queue, number, now) for number in range(3)]
    theirs = waiting(sales, 5, now)
    ended(queue, "ended")
    query = look(sam).query
    preview = send(sam, "priority", step="preview", priority="5", all="1", query=query, seen_at=now.isoformat())
    assert preview.context["expected"] == 3
    send(sam, "priority", step="confirm", priority="5", expected="3", all="1", query=query)
    assert {one.priority for one in type(theirs).objects.filter(pk__in=[one.pk for one in mine])} == {5}
    theirs.refresh_from_db()
    assert theirs.priority == Priority.NORMAL


def test_a_number_that_has_changed_since_the_preview_is_shown_again(sue, queue, now):
    items = [waiting(queue, number, now) for number in range(2)]
    answer = send(sue, "priority", step="confirm", priority="5", expected="1", all="1", query="open=yes&sort=due")
    assert answer.context["problem"]
    assert answer.context["expected"] == 2
    assert not BulkRun.objects.exists()
    for item in items:
        item.refresh_from_db()
        assert item.priority == Priority.NORMAL


def test_nothing_selected_is_said_and_nothing_is_done(sue, queue):
    answer = browser(sue).post("/supervisor/work/bulk/hold/", follow=True)
    assert len([str(one) for one in answer.context["messages"]]) == 1
    assert not BulkRun.objects.exists()


def test_an_action_that_is_none_of_many_is_not_there(sue):
    assert send(sue, "offer", workitem="wi_1").status_code == 404
    assert send(sue, "dance", workitem="wi_1").status_code == 404


def test_who_may_only_read_has_nothing_to_select(tom, queue):
    make_workitem(queue=queue)
    page = browser(tom).get(WORK).content.decode()
    assert 'name="workitem"' not in page
    assert "bulk-bar" not in page


# Next item


def step(user, query=""):
    answer = browser(user).get(f"/supervisor/work/next/?{query}")
    assert answer.status_code == 302
    return answer.headers["Location"]


def onwards(address):
    return urlsplit(parse_qs(urlsplit(address).query)["next"][0]).query


def opened(address):
    return urlsplit(address).path.split("/")[-2]


@pytest.fixture
def three(queue, now):
    return [waiting(queue, seconds, now, workitem_id=f"wi_{seconds}") for seconds in (30, 20, 10)]


def test_one_works_through_the_list_in_its_order_to_its_end(sue, three):
    seen, query = [], ""
    for _ in three:
        address = step(sue, query)
        seen.append(opened(address))
        query = onwards(address)
    assert seen == ["wi_30", "wi_20", "wi_10"]
    last = browser(sue).get(f"/supervisor/work/next/?{query}", follow=True)
    assert last.redirect_chain[-1][0] == "/supervisor/work/?"
    assert "the last item" in str(next(iter(last.context["messages"])))


def test_what_a_colleague_has_open_is_skipped(sue, tom, three, now):
    Onlooker.objects.create(workitem=three[0], user=tom, since=now, seen_at=now)
    Onlooker.objects.create(workitem=three[1], user=sue, since=now, seen_at=now)
    assert opened(step(sue)) == "wi_20"


def test_what_a_colleague_has_closed_is_not_skipped(sue, tom, three, now):
    Onlooker.objects.create(workitem=three[0], user=tom, since=now, seen_at=now - timedelta(seconds=31))
    assert opened(step(sue)) == "wi_30"


def test_the_end_of_the_first_thousand_is_not_called_the_end_of_the_list(sue, three, monkeypatch):
    monkeypatch.setattr(work_next, "MOST_COUNTED", 2)
    query = onwards(step(sue, onwards(step(sue))))
    end = browser(sue).get(f"/supervisor/work/next/?{query}", follow=True)
    assert "the last of the first 2 items" in str(next(iter(end.context["messages"])))


def test_after_an_item_that_has_left_the_list_the_next_in_its_place_comes(sue, three):
    query = onwards(step(sue))
    type(three[0]).objects.filter(pk=three[0].pk).update(
        state=State.TERMINATED, terminated_at=timezone.now(), ended_by="agent"
    )
    assert opened(step(sue, query)) == "wi_20"


def test_the_filters_hold_while_one_works_through(sue, three, queue, now):
    waiting(queue, 5, now, workitem_id="wi_urgent", priority=5)
    address = step(sue, "priority=5")
    assert opened(address) == "wi_urgent"
    assert "priority=5" in onwards(address)


def test_a_list_with_nothing_to_work_through_says_so(sue, queue):
    answer = browser(sue).get("/supervisor/work/next/", follow=True)
    assert "nothing in this list" in str(next(iter(answer.context["messages"])))
