"""Queues and dispositions in the back office: figures, people, hours, retiring, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from queues.models import Queue, QueueHours
from tests.builders import NOON, facts_of, make_disposition, make_queue, make_user, make_workitem
from tests.doors import browser
from workitems import retiring, tasks
from workitems.actors import Actor
from workitems.choices import Door, Scope, State
from workitems.errors import MissingScope, QueueHasWork
from workitems.groups import grant
from workitems.models import AuditEntry, Disposition, Presence

LIST = reverse("admin:queues_queue_changelist")
DISPOSITIONS = reverse("admin:workitems_disposition_changelist")
ADD = reverse("admin:queues_queue_add")


@pytest.fixture
def quinn(queue):
    """Staff with the admin scope on this queue only."""
    user = make_user("quinn", is_staff=True)
    grant(user, Scope.ADMIN, queue)
    return user


@pytest.fixture
def told(monkeypatch):
    """Return what has been told of queues that have changed."""
    calls: list[int] = []
    monkeypatch.setattr(tasks, "queues_changed", lambda: calls.append(1))
    return calls


def page_of(queue: Queue) -> str:
    return reverse("admin:queues_queue_change", args=[queue.pk])


def retire_page(queue: Queue) -> str:
    return reverse("admin:queues_queue_retire", args=[queue.pk])


def typed(user, queue: Queue, **changes):
    """Return what the form of a queue would send, as the person has just loaded it, with these changes."""
    page = browser(user).get(page_of(queue)).context
    values: dict = {
        "seen": page["adminform"].form.seen_token,
        "name": queue.name,
        "description": queue.description,
        "priority": queue.priority,
        "offer_timeout_seconds": queue.offer_timeout_seconds,
        "wrap_up_seconds": queue.wrap_up_seconds,
        "short_abandon_seconds": queue.short_abandon_seconds,
        "members": [one.username for one in queue.members.all()],
        "supervisors": [one.username for one in queue.supervisors.all()],
        "time_zone": queue.time_zone,
    }
    if queue.is_open:
        values["is_open"] = "on"
    for inline in page["inline_admin_formsets"]:
        values |= {f"{inline.formset.prefix}-TOTAL_FORMS": inline.formset.initial_form_count()}
        values |= {f"{inline.formset.prefix}-INITIAL_FORMS": inline.formset.initial_form_count()}
        for form in inline.formset.initial_forms:
            values |= {form.add_prefix(name): form[name].value() for name in form.fields if name != "DELETE"}
    return values | changes


def with_hours(*lines: tuple[int, str, str]) -> dict:
    values: dict = {"hours-TOTAL_FORMS": len(lines), "hours-INITIAL_FORMS": 0}
    for place, (weekday, opens_at, closes_at) in enumerate(lines):
        values |= {
            f"hours-{place}-weekday": weekday, f"hours-{place}-opens_at": opens_at,
            f"hours-{place}-closes_at": closes_at,
        }  # fmt: skip
    return values


def save(user, queue: Queue, **changes):
    return browser(user).post(page_of(queue), typed(user, queue, **changes))


def kept(queue: Queue) -> dict:
    """Return all that the database has of a queue."""
    row = Queue.objects.filter(pk=queue.pk).values().get()
    return row | {
        "members": sorted(queue.members.values_list("username", flat=True)),
        "supervisors": sorted(queue.supervisors.values_list("username", flat=True)),
        "channels": list(queue.channel_rows.values_list("channel", "sla_seconds")),
        "hours": list(queue.hours.values_list("weekday", "opens_at", "closes_at")),
    }


# The list


def test_the_list_tells_where_each_queue_stands(tom, queue, sales, ann, ben):
    now = timezone.now()
    make_workitem(queue=queue, queued_at=now - timedelta(minutes=5))
    make_workitem(State.OFFERED, queue=queue, agent=ben, queued_at=now - timedelta(minutes=2))
    for state in (State.ACTIVE, State.ACCEPTED, State.HOLD):
        make_workitem(state, queue=queue, agent=ann)
    make_workitem(State.TERMINATED, queue=queue, agent=ann, terminated_at=now - timedelta(seconds=30))
    make_workitem(State.TERMINATED, queue=queue, agent=ann, terminated_at=now - timedelta(minutes=5))
    make_workitem(State.DISPOSITIONED, queue=queue, agent=ann, terminated_at=now)
    loads = {one.queue_id: one.load for one in browser(tom).get(LIST).context["cl"].result_list}
    support = loads["q_support"]
    assert (support.waiting, support.active, support.on_hold, support.in_wrap_up, support.members) == (1, 2, 1, 1, 2)
    assert support.longest_since == now - timedelta(minutes=5)
    assert (loads["q_sales"].waiting, loads["q_sales"].longest_since, loads["q_sales"].members) == (0, None, 0)


def test_the_list_says_in_words_whether_a_queue_is_open(tom):
    make_queue("q_one", name="One")
    make_queue("q_two", name="Two", is_open=False, channels=())
    page = browser(tom).get(LIST).content.decode()
    assert "Open" in page
    assert "Closed" in page
    assert "Takes nothing" in page


def test_what_is_retired_shows_only_when_it_is_asked_for(tom):
    make_queue("q_one")
    make_queue("q_old", is_open=False, retired_at=NOON)

    def shown(**asked):
        return {one.queue_id for one in browser(tom).get(LIST, asked).context["cl"].result_list}

    assert shown() == {"q_one"}
    assert shown(use="retired") == {"q_old"}
    assert shown(use="any") == {"q_one", "q_old"}
    assert shown(use="open") == {"q_one"}
    assert shown(use="closed") == set()


def test_the_list_costs_the_same_for_any_number(tom, ann, django_assert_max_num_queries):
    for number in range(20):
        queue = make_queue(f"q_{number}", members=[ann])
        make_workitem(State.ACTIVE, queue=queue, agent=ann)
        make_workitem(queue=queue)
    client = browser(tom)
    client.get(LIST)
    with django_assert_max_num_queries(16):
        assert len(client.get(LIST).context["cl"].result_list) == 20


def test_one_sees_the_queues_that_one_may_read_and_no_others(queue, sales):
    reader = make_user("reader", is_staff=True)
    grant(reader, Scope.READ, queue)
    client = browser(reader)
    assert "q_sales" not in client.get(LIST).content.decode()
    assert client.get(page_of(queue)).status_code == 200
    assert client.get(page_of(sales)).status_code == 404


# The page


def test_the_page_tells_where_the_queue_stands_and_when_it_opens_next(tom, queue):
    QueueHours.objects.create(queue=queue, weekday=0, opens_at="00:00", closes_at="00:01")
    Queue.objects.update(is_open=False)
    make_workitem(queue=queue)
    page = " ".join(browser(tom).get(page_of(queue)).content.decode().split())
    assert "Opens next at" in page
    assert "/admin/workitems/workitem/?queue=q_support&amp;state=inqueue" in page


def test_a_change_is_saved_with_its_version_an_entry_and_djangos_line(quinn, queue, ann, ben, told):
    cleo = make_user("cleo")
    answer = save(
        quinn,
        queue,
        name="Help",
        members=["ann"],
        members_add="cleo",
        supervisors_add="ben",
        **with_hours((0, "08:00", "18:00")),
    )
    assert answer.status_code == 302
    after = kept(queue)
    assert (after["name"], after["version"], after["members"], after["supervisors"]) == (
        "Help", 2, ["ann", "cleo"], ["ben"],
    )  # fmt: skip
    changes = AuditEntry.objects.get(what="queue changed").details["changes"]
    assert changes["members"] == {"old": ["ann", "ben"], "new": ["ann", "cleo"]}
    assert changes["hours"]["new"] == [{"weekday": 0, "opens_at": "08:00:00", "closes_at": "18:00:00"}]
    assert set(changes) == {"name", "members", "supervisors", "hours"}
    assert LogEntry.objects.get().user == quinn
    assert told == [1]
    assert Presence.objects.get(user=cleo).status == "offline"


@pytest.mark.parametrize(("changes", "field"), [
    ({"members_add": "nobody.there"}, "members"),
    ({"supervisors_add": "gone"}, "supervisors"),
    ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ({"time_zone": "../../etc/passwd"}, "time_zone"),
])  # fmt: skip
def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_saved(changes, field, quinn, queue, told):
    make_user("gone", is_active=False)
    before = kept(queue)
    answer = save(quinn, queue, name="Help", **changes)
    assert list(answer.context["adminform"].form.errors) == [field]
    assert kept(queue) == before
    assert not AuditEntry.objects.exists()
    assert told == []


@pytest.mark.parametrize(("lines", "words"), [
    ([(0, "18:00", "08:00")], "Monday 18:00: it closes before it opens."),
    ([(0, "09:00", "09:00")], "Monday 09:00: it closes before it opens."),
    ([(1, "08:00", "12:00"), (1, "11:00", "14:00")], "Tuesday: two stretches of the opening hours overlap."),
    ([(1, "08:00", "00:00"), (1, "11:00", "14:00")], "Tuesday: two stretches of the opening hours overlap."),
])  # fmt: skip
def test_hours_that_make_no_sense_are_refused_in_words(lines, words, quinn, queue):
    before = kept(queue)
    answer = save(quinn, queue, **with_hours(*lines))
    assert words in answer.content.decode()
    assert kept(queue) == before


def test_stretches_that_touch_are_fine(quinn, queue):
    assert save(quinn, queue, **with_hours((0, "08:00", "12:00"), (0, "12:00", "00:00"))).status_code == 302
    assert queue.hours.count() == 2


def test_who_has_left_stays_a_member_until_somebody_takes_him_out(quinn, queue, ann):
    type(ann).objects.filter(pk=ann.pk).update(is_active=False)
    assert save(quinn, queue, name="Help").status_code == 302
    assert "ann" in kept(queue)["members"]
    assert save(quinn, Queue.objects.get(pk=queue.pk), members=["ben"]).status_code == 302
    assert kept(queue)["members"] == ["ben"]


def test_new_hours_take_hold_at_once_and_a_switch_by_hand_holds(quinn, queue):
    Queue.objects.update(hours_applied_at=NOON)
    save(quinn, queue, **with_hours((0, "08:00", "18:00")))
    assert kept(queue)["hours_applied_at"] is None
    changed = typed(quinn, Queue.objects.get(pk=queue.pk))
    del changed["is_open"]
    browser(quinn).post(page_of(queue), changed)
    assert not kept(queue)["is_open"]
    assert kept(queue)["hours_applied_at"] > NOON


def test_what_a_colleague_has_changed_meanwhile_is_told_and_his_members_stay(quinn, queue, amy):
    mine = typed(quinn, queue, name="Mine")
    cleo = make_user("cleo")
    save(amy, queue, members_add="cleo")
    client = browser(quinn)
    answer = client.post(page_of(queue), mine)
    assert "has changed this while you were typing" in answer.content.decode()
    form = answer.context["adminform"].form
    assert (form["name"].value(), sorted(form["members"].value())) == ("Mine", ["ann", "ben", "cleo"])
    assert cleo in queue.members.all()
    assert kept(queue)["name"] == "Support"


@pytest.mark.parametrize("who", ["tom", "sue", "elsewhere"])
def test_without_the_admin_scope_there_nothing_is_changed(who, tom, sue, queue, sales):
    there = make_user("there", is_staff=True)
    grant(there, Scope.ADMIN, sales)
    grant(there, Scope.READ, queue)
    user = {"tom": tom, "sue": sue, "elsewhere": there}[who]
    before = kept(queue)
    client = browser(user)
    assert client.post(page_of(queue), {"name": "Mine"}).status_code == 403
    assert client.post(retire_page(queue), {}).status_code == 403
    assert kept(queue) == before
    assert not AuditEntry.objects.exists()


def test_a_new_queue_takes_its_members_and_channels(amy):
    values = {
        "queue_id": "q_new", "name": "New", "priority": 3, "offer_timeout_seconds": 20, "wrap_up_seconds": 60,
        "short_abandon_seconds": 5, "is_open": "on", "members_add": "amy", "channel_rows-TOTAL_FORMS": 1,
        "channel_rows-INITIAL_FORMS": 0, "channel_rows-0-channel": "chat", "channel_rows-0-sla_seconds": 45,
        **with_hours(),
    }  # fmt: skip
    assert browser(amy).post(ADD, values).status_code == 302
    after = kept(Queue.objects.get(queue_id="q_new"))
    assert (after["members"], after["channels"]) == (["amy"], [("chat", 45)])
    assert AuditEntry.objects.get().what == "queue created"


def test_people_are_found_for_a_queue_by_those_who_may_fill_one(quinn, tom, ann):
    make_user("anna", first_name="Anna", is_active=False)
    place = reverse("admin:queues_queue_people")
    assert browser(quinn).get(place, {"q": "ann"}).json() == {"people": [{"username": "ann", "name": ""}]}
    assert browser(tom).get(place, {"q": "ann"}).status_code == 403


def test_the_page_does_not_list_everybody(quinn, queue):
    for _ in range(50):
        make_user()
    with CaptureQueriesContext(connection) as seen:
        page = browser(quinn).get(page_of(queue)).content.decode()
    assert "user1" not in page
    assert len(seen) < 40


# Retiring


def test_a_queue_with_work_in_it_is_not_retired_and_says_how_much(quinn, queue, ann, told):
    items = [make_workitem(queue=queue), make_workitem(State.ACTIVE, queue=queue, agent=ann)]
    before, facts = kept(queue), [facts_of(item) for item in items]
    page = " ".join(browser(quinn).post(retire_page(queue)).content.decode().split())
    assert "Support still has 2 workitems in it." in page
    assert "?queue=q_support&amp;state=inqueue" in page
    assert (kept(queue), [facts_of(item) for item in items]) == (before, facts)
    assert not AuditEntry.objects.exists()
    assert told == []


def test_a_retired_queue_is_closed_keeps_its_members_and_can_be_brought_back(quinn, queue, ann, told):
    make_workitem(State.TERMINATED, queue=queue, agent=ann)
    browser(quinn).post(retire_page(queue))
    after = kept(queue)
    assert (after["is_open"], after["retired_at"] is not None, after["version"]) == (False, True, 2)
    assert after["members"] == ["ann", "ben"]
    browser(quinn).post(retire_page(queue), {"bring_back": "1"})
    after = kept(queue)
    assert (after["is_open"], after["retired_at"], after["version"]) == (False, None, 3)
    entries = [(one.what, one.subject, one.actor) for one in AuditEntry.objects.order_by("pk")]
    assert entries == [("queue retired", "q_support", "quinn"), ("queue brought back", "q_support", "quinn")]
    assert LogEntry.objects.count() == 2
    assert told == [1, 1]


def test_a_retired_queue_cannot_be_opened_on_its_page(quinn, queue):
    Queue.objects.update(is_open=False, retired_at=NOON)
    save(quinn, Queue.objects.get(), is_open="on", name="Help")
    assert (kept(queue)["is_open"], kept(queue)["name"]) == (False, "Help")


def test_retiring_twice_changes_nothing_more(amy, queue):
    actor = Actor.of(amy, Door.ADMIN)
    retiring.retire(queue, actor=actor, now=NOON)
    before = kept(queue)
    retiring.retire(queue, actor=actor, now=NOON + timedelta(days=1))
    assert kept(queue) == before


def test_retiring_wants_the_admin_scope_whoever_asks(sue, queue):
    before = kept(queue)
    with pytest.raises(MissingScope):
        retiring.retire(queue, actor=Actor.of(sue, Door.ADMIN), now=NOON)
    assert kept(queue) == before


def test_work_is_counted_up_to_a_thousand(amy, queue, monkeypatch):
    monkeypatch.setattr(retiring, "MOST_COUNTED", 2)
    for _ in range(4):
        make_workitem(queue=queue)
    with pytest.raises(QueueHasWork, match=r"Support still has 2\+ workitems in it\."):
        retiring.retire(queue, actor=Actor.of(amy, Door.ADMIN), now=NOON)


# Deleting


def test_a_queue_that_was_used_is_retired_instead_of_deleted(amy, queue, ann):
    make_workitem(State.TERMINATED, queue=queue, agent=ann)
    before = kept(queue)
    place = reverse("admin:queues_queue_delete", args=[queue.pk])
    for answer in (browser(amy).get(place, follow=True), browser(amy).post(place, {"post": "yes"}, follow=True)):
        assert answer.redirect_chain[-1][0] == retire_page(queue)
        assert "Support has been used, so its history needs it. Retire it instead." in answer.content.decode()
    assert kept(queue) == before


def test_a_queue_that_was_never_used_is_deleted_with_an_entry(amy, sales):
    browser(amy).post(reverse("admin:queues_queue_delete", args=[sales.pk]), {"post": "yes"})
    assert not Queue.objects.exists()
    assert (AuditEntry.objects.get().what, AuditEntry.objects.get().subject) == ("queue deleted", "q_sales")


# Dispositions


def disposition_page(row: Disposition, what: str = "change") -> str:
    return reverse(f"admin:workitems_disposition_{what}", args=[row.pk])


def test_the_list_of_dispositions_names_types_and_state_in_words(tom):
    make_disposition("d_one", types=["InboundCall", "Chat"])
    make_disposition("d_two", is_active=False)
    page = browser(tom).get(DISPOSITIONS).content.decode()
    for words in ("Inbound call, Chat", "All types", "Active", "Inactive"):
        assert words in page


def test_types_are_ticked_and_unknown_ones_are_refused(amy):
    row, client = make_disposition("d_one", types=["Chat"]), browser(amy)
    seen = client.get(disposition_page(row)).context["adminform"].form.seen_token
    values = {"seen": seen, "name": "Solved", "is_active": "on", "is_resolved": "on"}
    client.post(disposition_page(row), {**values, "types": ["InboundCall", "InboundSMS"]})
    row.refresh_from_db()
    assert (row.types, row.version) == (["InboundCall", "InboundSMS"], 2)
    assert AuditEntry.objects.get().details["changes"] == {
        "types": {"old": ["Chat"], "new": ["InboundCall", "InboundSMS"]}
    }
    seen = client.get(disposition_page(row)).context["adminform"].form.seen_token
    client.post(disposition_page(row), {**values, "seen": seen, "types": ["Fax"]})
    row.refresh_from_db()
    assert row.types == ["InboundCall", "InboundSMS"]


def test_a_disposition_that_was_used_is_deactivated_instead_of_deleted(amy, queue, ann):
    row = make_disposition()
    make_workitem(State.DISPOSITIONED, queue=queue, agent=ann, disposition=row)
    for _method in ("get", "post"):
        answer = getattr(browser(amy), _method)(disposition_page(row, "delete"), {"post": "yes"}, follow=True)
        assert "has been used, so history needs it." in answer.content.decode()
    assert Disposition.objects.filter(pk=row.pk).exists()


def test_a_disposition_that_was_never_used_is_deleted(amy):
    row = make_disposition()
    browser(amy).post(disposition_page(row, "delete"), {"post": "yes"})
    assert not Disposition.objects.exists()
    assert AuditEntry.objects.get().what == "disposition deleted"
