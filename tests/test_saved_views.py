"""Saved views: whose they are, what they show, how many that is, and who may change them."""

from __future__ import annotations

import time

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Func, TextField
from django.db.models.functions import Cast
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from tests.builders import LATER, NOON, make_queue, make_user, make_workitem
from workitems import saved_views
from workitems.actors import Actor
from workitems.choices import Door, Scope, State
from workitems.errors import InvalidValue
from workitems.groups import grant
from workitems.models import AuditEntry, SavedView, Workitem
from workitems.presenting.list_query import rows_of, shown_by

LIST = "/admin/workitems/workitem/"
ADD = "/admin/workitems/savedview/add/"
COUNTS = "/admin/workitems/savedview/counts/"


@pytest.fixture
def night(db):
    return Group.objects.create(name="Night shift")


def make_view(owner, name="Urgent", **facts):
    return SavedView.objects.create(owner=owner, name=name, created_at=NOON, modified_at=NOON, **facts)


def actor(user):
    return Actor.of(type(user).objects.get(pk=user.pk), Door.ADMIN)


def browser(user):
    client = Client()
    client.force_login(user)
    return client


def ids(rows):
    return sorted(one.name for one in rows)


class TestWhoSees:
    def test_ones_own_are_seen(self, sue, tom):
        make_view(sue)
        assert ids(saved_views.visible_to(actor(sue))) == ["Urgent"]
        assert ids(saved_views.visible_to(actor(tom))) == []

    def test_a_shared_one_is_seen_by_the_group(self, sue, tom, night):
        make_view(sue, shared_with=night)
        tom.groups.add(night)
        assert ids(saved_views.visible_to(actor(tom))) == ["Urgent"]
        assert ids(saved_views.menu_of(actor(tom))) == ["Urgent"]

    def test_whoever_leaves_the_group_sees_it_no_more(self, sue, tom, night):
        view = make_view(sue, shared_with=night)
        tom.groups.add(night)
        tom.groups.remove(night)
        assert saved_views.current({"view": view.view_id}, actor(tom)) is None

    def test_the_admin_scope_sees_shared_ones_but_has_them_in_no_menu(self, sue, amy, night):
        make_view(sue, "Mine")
        make_view(sue, "Ours", shared_with=night)
        assert ids(saved_views.visible_to(actor(amy))) == ["Ours"]
        assert saved_views.menu_of(actor(amy)) == []

    def test_a_program_without_a_person_sees_none(self, sue, system):
        make_view(sue)
        assert list(saved_views.visible_to(system)) == []

    def test_the_menu_is_one_query(self, sue, night, django_assert_num_queries):
        for number in range(25):
            make_view(sue, f"View {number:02}", shared_with=night)
        someone = actor(sue)
        with django_assert_num_queries(1):
            assert len([(one.owner.username, one.shared_with.name) for one in saved_views.menu_of(someone)]) == 21

    def test_the_current_view_is_the_one_that_the_address_names(self, sue):
        view = make_view(sue)
        assert saved_views.current(QueryDict(f"state=active&view={view.view_id}"), actor(sue)) == view
        assert saved_views.current(QueryDict("state=active"), actor(sue)) is None
        assert saved_views.current(QueryDict("view=sv_nothing"), actor(sue)) is None


class TestWhatIsKept:
    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            ("", ""),
            ("q=refund&p=3&view=sv_1&e=1", "q=refund"),
            ("sort=priority&q=a+b&state=active&state=hold", "q=a+b&sort=priority&state=active&state=hold"),
            ("q=&state=", ""),
            ("q=%C3%A4+%26", "q=%C3%A4+%26"),
        ],
    )
    def test_a_query_is_kept_without_its_page_and_in_one_order(self, typed, kept):
        assert saved_views.normal_query(typed) == kept

    @pytest.mark.parametrize("typed", [f"q={'x' * 9000}", "&".join(["state=active"] * 300)])
    def test_a_query_that_is_too_long_is_refused(self, typed):
        with pytest.raises(InvalidValue):
            saved_views.normal_query(typed)

    def test_columns_are_kept_once_each_and_nothing_that_is_no_name(self):
        assert saved_views.normal_columns(["id", "state", "id", "", "x y", "a" * 99]) == ["id", "state"]


class TestUpdate:
    def test_it_shows_what_the_list_shows_and_leaves_an_audit_entry(self, sue):
        view = make_view(sue, query="state=active")
        saved_views.update(view, "state=hold&p=2", ["id"], actor=actor(sue), now=LATER)
        view.refresh_from_db()
        assert (view.query, view.columns, view.modified_at) == ("state=hold", ["id"], LATER)
        entry = AuditEntry.objects.get()
        assert (entry.what, entry.subject, entry.actor) == ("saved view changed", view.view_id, "sue")
        assert entry.details["changes"]["query"] == {"old": "state=active", "new": "state=hold"}

    def test_without_a_change_nothing_is_written(self, sue):
        view = make_view(sue, query="state=active")
        saved_views.update(view, "state=active", [], actor=actor(sue), now=LATER)
        view.refresh_from_db()
        assert view.modified_at == NOON
        assert not AuditEntry.objects.exists()


class TestCounts:
    def test_a_view_counts_what_the_list_shows(self, sue, queue, sales):
        make_workitem(State.INQUEUE, queue=queue, priority=5)
        make_workitem(State.INQUEUE, queue=queue, priority=1)
        make_workitem(State.INQUEUE, queue=sales, priority=5)
        make_workitem(State.DISPOSITIONED, queue=queue, priority=5, archived_at=NOON)
        view = make_view(sue, query="q=priority%3A5&queue=q_support")
        assert saved_views.counts([view], rows_of, actor=actor(sue)) == {view.view_id: 1}

    def test_everybody_counts_what_he_may_see(self, sue, queue, sales):
        make_workitem(State.INQUEUE, queue=queue)
        make_workitem(State.INQUEUE, queue=sales)
        reader = make_user("rea")
        grant(reader, Scope.READ, queue)
        view = make_view(sue, query="state=inqueue")
        assert saved_views.counts([view], rows_of, actor=actor(sue)) == {view.view_id: 2}
        assert saved_views.counts([view], rows_of, actor=actor(reader)) == {view.view_id: 1}

    def test_a_right_that_is_taken_counts_at_once(self, sue, queue):
        make_workitem(State.INQUEUE, queue=queue)
        view = make_view(sue, query="state=inqueue")
        saved_views.counts([view], rows_of, actor=actor(sue))
        sue.groups.clear()
        assert saved_views.counts([view], rows_of, actor=actor(sue)) == {view.view_id: 0}

    def test_a_count_is_kept_for_a_while_and_made_anew_after_an_update(self, sue, queue, django_assert_num_queries):
        view, someone = make_view(sue, query="state=inqueue"), actor(sue)
        assert saved_views.counts([view], rows_of, actor=someone) == {view.view_id: 0}
        make_workitem(State.INQUEUE, queue=queue)
        with django_assert_num_queries(0):
            assert saved_views.counts([view], rows_of, actor=someone) == {view.view_id: 0}
        view = saved_views.update(view, "state=inqueue&sort=priority", [], actor=someone, now=LATER)
        assert saved_views.counts([view], rows_of, actor=someone) == {view.view_id: 1}

    @pytest.mark.parametrize("query", ["q=stat%3Aactive", "state=gone", "queue=q_nowhere", "colour=red", "q=%00"])
    def test_a_view_whose_search_is_refused_has_no_count(self, query, sue):
        view = make_view(sue, query=query)
        assert saved_views.counts([view], rows_of, actor=actor(sue)) == {view.view_id: None}

    def test_it_stops_counting_after_a_thousand(self, sue, queue, monkeypatch):
        monkeypatch.setattr(saved_views, "MOST_COUNTED", 2)
        for _ in range(5):
            make_workitem(State.INQUEUE, queue=queue)
        view = make_view(sue)
        assert saved_views.counts([view], rows_of, actor=actor(sue)) == {view.view_id: 3}

    def test_a_count_that_takes_too_long_is_given_up_and_the_others_go_on(self, sue, queue):
        if connection.vendor != "postgresql":
            pytest.skip("SQLite has no limit to a statement")
        make_workitem(State.INQUEUE, queue=queue)
        slow, quick = make_view(sue, "Slow", query="q=slow"), make_view(sue, "Quick")

        def slept(query, someone):
            rows = Workitem.objects.visible_to(someone)
            return (
                rows.annotate(slept=Cast(Func(20, function="pg_sleep"), TextField())).exclude(slept="x")
                if "slow" in query
                else rows
            )

        began = time.monotonic()
        found = saved_views.counts([slow, quick], slept, actor=actor(sue))
        assert found == {slow.view_id: None, quick.view_id: 1}
        assert time.monotonic() - began < 5

    def test_all_counts_together_have_a_limit_too(self, sue, monkeypatch):
        monkeypatch.setattr(saved_views, "ALL_COUNTS_MILLISECONDS", 0)
        view = make_view(sue)
        assert saved_views.counts([view], rows_of, actor=actor(sue)) == {view.view_id: None}


class TestPages:
    def save(self, client, **typed):
        return client.post(ADD, {"name": "Urgent", "shared_with": "", "query": "", "columns": "", **typed})

    def test_a_view_is_saved_and_opened(self, sue):
        answer = self.save(browser(sue), query="q=priority%3A5&p=4&state=active", columns="id,state")
        view = SavedView.objects.get()
        assert answer["Location"] == f"{LIST}?q=priority%3A5&state=active&view={view.view_id}"
        assert (view.owner, view.name, view.shared_with) == (sue, "Urgent", None)
        assert (view.query, view.columns) == ("q=priority%3A5&state=active", ["id", "state"])
        entry = AuditEntry.objects.get()
        assert (entry.what, entry.subject) == ("saved view created", view.view_id)

    def test_a_name_twice_is_refused_and_nothing_typed_is_lost(self, sue, night):
        sue.groups.add(night)
        make_view(sue)
        answer = self.save(browser(sue), query="state=active", columns="id,state", shared_with=str(night.pk))
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "You have a view “Urgent” already" in page
        assert 'value="Urgent"' in page
        assert '<input type="hidden" name="query" value="state=active"' in page
        assert '<input type="hidden" name="columns" value="id,state"' in page
        assert f'<option value="{night.pk}" selected>' in page
        assert SavedView.objects.count() == 1

    def test_two_people_may_use_one_name(self, sue, tom):
        make_view(tom)
        self.save(browser(sue))
        assert SavedView.objects.filter(name="Urgent").count() == 2

    def test_one_shares_with_groups_of_ones_own_only(self, sue, night):
        answer = self.save(browser(sue), shared_with=str(night.pk))
        assert answer.status_code == 200
        assert not SavedView.objects.exists()

    def test_the_owner_renames_and_shares(self, sue, night):
        sue.groups.add(night)
        view, client = make_view(sue, query="state=active"), browser(sue)
        address = reverse("admin:workitems_savedview_change", args=[view.pk])
        seen = client.get(address).context["adminform"].form.seen_token
        answer = client.post(address, {"name": "Late", "shared_with": str(night.pk), "seen": seen})
        view.refresh_from_db()
        assert answer["Location"] == f"{LIST}?state=active&view={view.view_id}"
        assert (view.name, view.shared_with, view.query) == ("Late", night, "state=active")
        changes = AuditEntry.objects.get().details["changes"]
        assert changes["name"] == {"old": "Urgent", "new": "Late"}

    def test_a_name_that_is_taken_is_refused_when_renaming(self, sue):
        make_view(sue, "Late")
        view, client = make_view(sue), browser(sue)
        address = reverse("admin:workitems_savedview_change", args=[view.pk])
        seen = client.get(address).context["adminform"].form.seen_token
        answer = client.post(address, {"name": "Late", "shared_with": "", "seen": seen})
        assert "You have a view “Late” already" in answer.content.decode()
        view.refresh_from_db()
        assert view.name == "Urgent"

    def test_the_filters_of_the_list_are_put_into_the_view(self, sue):
        view = make_view(sue, query="state=active")
        address = reverse("admin:workitems_savedview_update", args=[view.pk])
        answer = browser(sue).post(address, {"query": "state=hold", "columns": "id"})
        view.refresh_from_db()
        assert answer["Location"] == f"{LIST}?state=hold&view={view.view_id}"
        assert (view.query, view.columns) == ("state=hold", ["id"])
        assert AuditEntry.objects.count() == 1

    def test_too_many_filters_are_refused_and_the_view_stays(self, sue):
        view = make_view(sue, query="state=active")
        address = reverse("admin:workitems_savedview_update", args=[view.pk])
        browser(sue).post(address, {"query": f"q={'x' * 9000}", "columns": ""})
        view.refresh_from_db()
        assert view.query == "state=active"

    def test_a_deleted_view_leaves_the_list_as_it_was(self, sue):
        view = make_view(sue, query="state=active")
        answer = browser(sue).post(reverse("admin:workitems_savedview_delete", args=[view.pk]), {"post": "yes"})
        assert answer["Location"] == f"{LIST}?state=active"
        assert not SavedView.objects.exists()
        assert AuditEntry.objects.get().what == "saved view deleted"

    @pytest.mark.parametrize("command", ["change", "update", "delete"])
    def test_a_colleague_sees_a_shared_view_and_changes_nothing(self, command, sue, tom, night):
        tom.groups.add(night)
        view = make_view(sue, query="state=active", shared_with=night)
        before = SavedView.objects.values().get()
        address = reverse(f"admin:workitems_savedview_{command}", args=[view.pk])
        answer = browser(tom).post(address, {"name": "Mine now", "query": "", "post": "yes"})
        assert answer.status_code == 403
        assert SavedView.objects.values().get() == before
        assert not AuditEntry.objects.exists()

    @pytest.mark.parametrize("command", ["change", "update", "delete", "history"])
    def test_a_private_view_of_others_is_not_there(self, command, sue, amy):
        view = make_view(sue)
        address = reverse(f"admin:workitems_savedview_{command}", args=[view.pk])
        client = browser(amy)
        answer = client.post(address, {"post": "yes"}) if command != "history" else client.get(address)
        assert answer.status_code == 404
        assert SavedView.objects.count() == 1

    def test_the_admin_scope_deletes_a_shared_view_and_does_not_change_it(self, sue, amy, night):
        view, client = make_view(sue, shared_with=night), browser(amy)
        assert client.post(reverse("admin:workitems_savedview_update", args=[view.pk])).status_code == 403
        client.post(reverse("admin:workitems_savedview_delete", args=[view.pk]), {"post": "yes"})
        assert not SavedView.objects.exists()

    def test_the_list_of_views_has_ones_own_and_shared_ones(self, sue, tom, night, django_assert_max_num_queries):
        tom.groups.add(night)
        make_view(tom, "Mine")
        for number in range(20):
            make_view(sue, f"Ours {number}", shared_with=night)
        make_view(sue, "Hers")
        client = browser(tom)
        with django_assert_max_num_queries(12):
            page = client.get("/admin/workitems/savedview/").content.decode()
        assert "Mine" in page
        assert "Ours 19" in page
        assert "Hers" not in page

    @pytest.mark.parametrize("name", ['<script>alert("x")</script>', '"><img src=x onerror=alert(1)>', "{{ 7|add:7 }}"])
    def test_a_name_stays_a_name(self, name, sue):
        view = make_view(sue, name, query="q=%3Cscript%3Ealert(1)%3C/script%3E")
        for address in (
            f"{LIST}?view={view.view_id}",
            f"{LIST}?q=%3Cscript%3Ealert(1)%3C/script%3E&view={view.view_id}",
            reverse("admin:workitems_savedview_change", args=[view.pk]),
            "/admin/workitems/savedview/",
        ):
            page = browser(sue).get(address).content.decode()
            assert "<script>alert(" not in page
            assert "<img src=x" not in page


class TestCountsOverHttp:
    def test_the_counts_come_in_one_answer(self, sue, queue):
        make_workitem(State.INQUEUE, queue=queue)
        one, none = make_view(sue, "One"), make_view(sue, "None", query="state=hold")
        broken = make_view(sue, "Broken", query="state=gone")
        counts = browser(sue).get(COUNTS).json()["counts"]
        assert counts == {
            one.view_id: {"text": "1", "words": "1 workitem"},
            none.view_id: {"text": "0", "words": "0 workitems"},
        }
        assert broken.view_id not in counts

    def test_many_are_told_as_many(self, sue, queue, monkeypatch):
        monkeypatch.setattr(saved_views, "MOST_COUNTED", 1)
        make_workitem(State.INQUEUE, queue=queue)
        make_workitem(State.INQUEUE, queue=queue)
        view = make_view(sue)
        assert browser(sue).get(COUNTS).json()["counts"][view.view_id] == {
            "text": "1+",
            "words": "more than 1 workitems",
        }

    @pytest.mark.parametrize("address", [COUNTS, "/admin/workitems/savedview/complete/?q=sta&at=3"])
    def test_whoever_has_no_list_has_no_answer(self, address, eve):
        assert browser(eve).get(address).status_code == 403
        assert browser(eve).post(address).status_code == 405

    def test_completions_are_for_the_place_of_the_cursor(self, sue):
        answer = browser(sue).get("/admin/workitems/savedview/complete/", {"q": "sta AND priority:5", "at": "3"})
        assert answer.json()["completions"][0] == {
            "insert": "state:",
            "from": 0,
            "to": 3,
            "label": "state",
            "about": "where it is in its life",
        }

    def test_completions_name_only_queues_that_one_may_see(self, queue):
        make_queue("q_secret", name="Secret")
        reader = make_user("rea", is_staff=True)
        grant(reader, Scope.READ, queue)
        answer = browser(reader).get("/admin/workitems/savedview/complete/", {"q": "selectedQueue:", "at": "14"})
        assert [one["insert"] for one in answer.json()["completions"]] == ["q_support"]


class TestInWords:
    def test_filters_are_told_in_words(self, sue, queue):
        assert shown_by("q=late&state=hold&queue=q_support", actor(sue)) == [
            ("Search", "late"),
            ("State", "On hold"),
            ("Queue", "Support"),
        ]

    def test_what_is_gone_is_told_as_it_stands(self, sue):
        assert shown_by("queue=q_gone", actor(sue)) == [("queue", "q_gone")]


class TestCost:
    def test_the_list_with_an_open_view_stays_within_its_queries(self, sue, queue, django_assert_max_num_queries):
        for _ in range(30):
            make_workitem(State.INQUEUE, queue=queue)
        views = [make_view(sue, f"View {number:02}", query="q=priority%3A3") for number in range(25)]
        client = browser(sue)
        with django_assert_max_num_queries(12) as caught:
            client.get(f"{LIST}?q=priority%3A3&state=inqueue&view={views[0].view_id}")
        assert sum("savedview" in (one["sql"] or "") for one in caught.captured_queries) == 1

    def test_a_view_that_the_sidebar_does_not_hold_opens_too(self, sue):
        views = [make_view(sue, f"View {number:02}", query="q=priority%3A3") for number in range(25)]
        page = browser(sue).get(f"{LIST}?q=priority%3A3&view={views[24].view_id}").content.decode()
        assert "<strong>View 24</strong>" in page
        assert "All saved views" in page

    def test_a_page_beside_the_list_asks_once_for_the_views(self, sue, django_assert_max_num_queries):
        for number in range(25):
            make_view(sue, f"View {number:02}")
        client = browser(sue)
        with django_assert_max_num_queries(12) as caught:
            client.get("/admin/contacts/contact/")
        assert sum("savedview" in (one["sql"] or "") for one in caught.captured_queries) == 1
