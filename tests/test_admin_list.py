"""The list of workitems in the back office: columns, filters, search, pages, and what one chooses to see."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.admin import site
from django.utils import timezone
from django.utils.html import strip_tags

from tests.builders import NOON, make_contact, make_queue, make_user, make_workitem
from tests.doors import browser
from workitems.choices import Event, Scope, State, Type
from workitems.groups import grant
from workitems.models import ListLayout, SavedView, TimeEvent, Workitem

LIST = "/admin/workitems/workitem/"
LAYOUT = f"{LIST}layout/"

pytestmark = pytest.mark.django_db


def look(user, query=""):
    answer = browser(user).get(f"{LIST}?{query}")
    assert answer.status_code == 200
    return answer


def ids(answer):
    return [row.workitem_id for row in answer.context["cl"].result_list]


def text_of(answer):
    """Return what stands in the list, without the parts around it."""
    page = answer.content.decode()
    return " ".join(strip_tags(page[page.index('id="content-main"') :]).split())


def cells_of(answer):
    """Return the first row: each column's head with what its cell says."""
    line = answer.context["cl"].lines[0]
    return {cell.column.name: " ".join(filter(None, [cell.text, cell.more])) for cell in line.cells}


def choose(user, columns, size=25, order=None, **more):
    known = order or [*columns, *(name for name in ALL if name not in columns)]
    return browser(user).post(LAYOUT, {"order": known, "column": columns, "size": size, "address": "", **more})


ALL = [
    "id", "channel", "type", "subject", "state", "queue", "age", "wait", "priority", "contact", "from", "to", "agent",
    "sla", "transfers", "event", "created",
]  # fmt: skip
USUAL = ["id", "channel", "state", "queue", "age", "priority", "contact", "agent", "sla", "created"]


# What the rows say


def test_the_usual_columns_are_there(sue, queue):
    make_workitem(queue=queue)
    assert [head.column.name for head in look(sue).context["cl"].heads] == USUAL


def test_a_row_says_all_in_words(sue, queue, ann):
    now = timezone.now()
    item = make_workitem(
        queue=queue, contact=make_contact("Ada Lovelace"), type=Type.WHATSAPP, priority=5, name="Late refund",
        from_address="+12025550123", to_address="+12025550100", workitem_id="wi_1",
        created_at=now - timedelta(minutes=10), state_changed_at=now - timedelta(minutes=3),
        queued_at=now - timedelta(seconds=90),
    )  # fmt: skip
    TimeEvent.objects.create(
        workitem=item, version=2, type=Event.TRANSFERRED, timestamp=now - timedelta(minutes=2), actor="x", door="api"
    )
    choose(sue, ALL)
    said = cells_of(look(sue))
    assert said["id"] == "wi_1"
    assert (said["channel"], said["type"], said["state"]) == ("Chat", "WhatsApp", "In queue")
    assert (said["queue"], said["contact"], said["agent"]) == ("Support", "Ada Lovelace", "")
    assert (said["priority"], said["subject"]) == ("Highest", "Late refund")
    assert (said["from"], said["to"]) == ("+12025550123", "+12025550100")
    assert re.fullmatch(r"3 min \d s", said["age"])
    assert re.fullmatch(r"10 min \d s", said["wait"])
    assert re.fullmatch(r"1 min \d s over", said["sla"])
    assert (said["transfers"], said["event"][:17]) == ("1", "Transferred 2 min")


@pytest.mark.parametrize(
    ("state", "facts", "wait"),
    [
        (State.ACTIVE, {"assigned_at": NOON + timedelta(seconds=40)}, "40 s"),
        (State.TERMINATED, {"assigned_at": NOON + timedelta(minutes=2)}, "2 min 0 s"),
        (State.TERMINATED, {"terminated_at": NOON + timedelta(seconds=9)}, "9 s"),
        (State.ACTIVE, {"type": Type.OUTBOUND_CALL}, ""),
    ],
)
def test_the_customers_wait_ends_with_his_agent_or_his_call(state, facts, wait, sue, queue, ann):
    make_workitem(state, queue=queue, agent=ann if state == State.ACTIVE else None, **facts)
    choose(sue, ["wait"])
    assert cells_of(look(sue)) == {"wait": wait}


@pytest.mark.parametrize(
    ("waited", "words", "icon"), [(2, "in", "schedule"), (27, "in 3 s Due soon", "warning"), (60, "30 s over", "error")]
)
def test_what_is_due_says_so_with_word_and_icon(waited, words, icon, sue, queue, time_machine):
    time_machine.move_to(NOON, tick=False)
    make_workitem(queue=queue, queued_at=NOON - timedelta(seconds=waited))
    answer = look(sue)
    cell = next(cell for cell in answer.context["cl"].lines[0].cells if cell.column.name == "sla")
    assert cells_of(answer)["sla"].startswith(words)
    assert cell.icon == icon


def test_a_row_leads_to_its_page_contact_queue_and_agent(amy, queue, ann):
    ada = make_contact()
    item = make_workitem(State.ACTIVE, queue=queue, agent=ann, contact=ada)
    page = look(amy).content.decode()
    for path in (
        f"/admin/workitems/workitem/{item.pk}/change/",
        f"/admin/contacts/contact/{ada.pk}/change/",
        f"/admin/queues/queue/{queue.pk}/change/",
        f"/admin/auth/user/{ann.pk}/change/",
    ):
        assert f'href="{path}"' in page


def test_a_queue_that_one_may_not_see_is_named_and_not_linked(queue, sales):
    user = make_user(is_staff=True)
    grant(user, Scope.READ, queue)
    make_workitem(State.ACTIVE, queue=sales, agent=user)
    page = look(user).content.decode()
    assert ">Sales<" in page
    assert f"/admin/queues/queue/{sales.pk}/" not in page


def test_the_exact_time_stands_beside_each_age(sue, queue):
    make_workitem(queue=queue)
    assert 'title="2026-03-02 12:00:00 UTC" data-at="2026-03-02T12:00:00+00:00"' in look(sue).content.decode()


def test_the_whole_id_can_be_copied(sue, queue):
    item = make_workitem(queue=queue)
    assert f'data-copy="{item.workitem_id}"' in look(sue).content.decode()


def test_an_archived_row_says_so(sue, queue):
    make_workitem(State.TERMINATED, queue=queue, archived_at=NOON)
    assert cells_of(look(sue, "archived=only"))["state"] == "In wrap-up archived"


@pytest.mark.parametrize("where", ["name", "from_address", "contact", "queue"])
def test_what_customers_write_is_text_and_never_markup(where, sue, queue, ann):
    evil = "<script>alert(1)</script>"
    facts = {"contact": make_contact(evil)} if where == "contact" else {where: evil} if where != "queue" else {}
    make_workitem(queue=make_queue("q_evil", name=evil) if where == "queue" else queue, **facts)
    choose(sue, ALL)
    page = look(sue).content.decode()
    assert evil not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


# Filters and search


def test_filters_of_several_values_are_read_from_the_address(sue, queue, sales, ann):
    make_workitem(State.HOLD, queue=queue, agent=ann, workitem_id="held")
    make_workitem(State.ACTIVE, queue=sales, agent=ann, workitem_id="active")
    make_workitem(queue=queue, workitem_id="waits")
    assert sorted(ids(look(sue, "state=hold&state=active"))) == ["active", "held"]
    assert ids(look(sue, "state=hold&state=active&queue=q_sales")) == ["active"]


def test_a_filter_and_a_search_hold_together(sue, queue):
    make_workitem(queue=queue, name="Late refund", workitem_id="refund")
    make_workitem(queue=queue, name="Late parcel", workitem_id="parcel")
    make_workitem(State.TERMINATED, queue=queue, name="Late refund", workitem_id="old")
    assert ids(look(sue, "state=inqueue&q=refund")) == ["refund"]
    assert ids(look(sue, "q=name:refund+AND+state:terminated")) == ["old"]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("colour=red", "There is no filter “colour”."),
        ("state__exact=hold", "There is no filter “state__exact”."),
        ("state=nonsense", "and not “nonsense”."),
        ("queue=q_none", "There is no queue “q_none” whose work you may see."),
        ("created_from=9999-12-31", "created_from takes a time"),
        ("sort=name", "not by “name”."),
        ("p=0", "There is no page “0”."),
        ("p=99999999999", "There is no page “99999999999”."),
        ("p=-1", "There is no page “-1”."),
        ("agent=%00", "has a value that cannot be meant."),
        ("o=1", "There is no filter “o”."),
    ],
)
def test_what_is_not_understood_is_told_and_shows_no_rows(query, told, sue, queue):
    make_workitem(queue=queue)
    answer = look(sue, query)
    assert told in text_of(answer)
    assert ids(answer) == []


def test_a_search_that_is_not_understood_shows_no_rows_and_keeps_its_place(sue, queue):
    make_workitem(queue=queue)
    answer = look(sue, "q=state:holding")
    changes = answer.context["cl"]
    assert ids(answer) == []
    assert (changes.search_error.facts["position"], changes.search_error.facts["suggestion"]) == (6, "hold")


def test_markup_in_an_address_is_text(sue):
    page = look(sue, "state=%3Cscript%3Ealert(1)%3C/script%3E").content.decode()
    assert "<script>alert(1)" not in page


@pytest.mark.parametrize("query", ["q=%00", "q=%ff", "state=%ff", "q=" + "(" * 300, "created_from=" + "9" * 140])
def test_no_address_is_an_error_of_the_server(query, sue, queue):
    make_workitem(queue=queue)
    assert ids(look(sue, query)) == []


def test_each_filter_that_holds_can_be_taken_away(sue, queue):
    chips = look(sue, "state=hold&state=active&q=ada&p=2").context["cl"].chips
    assert [(chip.label, chip.words, chip.link) for chip in chips] == [
        ("State", "On hold", "?state=active&q=ada"),
        ("State", "Active", "?state=hold&q=ada"),
    ]


def test_the_panel_offers_the_queues_that_one_may_see(queue, sales):
    user = make_user(is_staff=True)
    grant(user, Scope.READ, queue)
    groups = {group.name: group for group in look(user, "queue=q_support").context["cl"].panel.groups}
    assert [(option.value, option.is_on) for option in groups["queue"].options] == [("q_support", True)]
    assert "Sales" not in text_of(look(user))


def test_many_queues_are_typed_and_not_ticked(sue, queue):
    for number in range(31):
        make_queue(f"q_{number}", channels=())
    groups = {group.name: group for group in look(sue, "queue=q_support").context["cl"].panel.groups}
    assert groups["queue"].is_typed
    assert [option.value for option in groups["queue"].options] == ["q_support"]
    assert len(groups["queue"].offers) == 32


def test_agents_are_offered_by_username_and_by_name(queue, ann, ben):
    user = make_user(is_staff=True)
    grant(user, Scope.READ, queue)
    ann.first_name, ann.last_name = "Annabel", "Brook"
    ann.save()
    make_user("annother")
    for begun, found in (("an", ["ann"]), ("bro", ["ann"]), ("x", []), ("\0", [])):
        answer = browser(user).get(f"{LIST}offers/", {"of": "agent", "begun": begun})
        assert [one["value"] for one in answer.json()["offers"]] == found
    assert browser(user).get(f"{LIST}offers/", {"of": "queue", "begun": "sup"}).json()["offers"] == [
        {"value": "q_support", "words": "Support"}
    ]


@pytest.mark.parametrize("name", ["agent", "queue"])
def test_nothing_is_offered_to_those_without_a_list(name, eve):
    assert browser(eve).get(f"{LIST}offers/", {"of": name}).status_code == 403


@pytest.mark.parametrize("name", ["contact", ""])
def test_nothing_else_is_offered(name, sue):
    assert browser(sue).get(f"{LIST}offers/", {"of": name}).status_code == 400


def test_the_archive_is_looked_into_on_request(sue, queue):
    make_workitem(State.TERMINATED, queue=queue, archived_at=NOON, workitem_id="kept")
    assert ids(look(sue)) == []
    assert ids(look(sue, "archived=yes")) == ["kept"]
    assert ids(look(sue, "q=archived:true")) == ["kept"]


# Order and pages


def test_the_newest_stand_first_and_the_order_can_be_turned(sue, queue):
    make_workitem(queue=queue, workitem_id="old", created_at=NOON - timedelta(hours=1), modified_at=NOON)
    make_workitem(queue=queue, workitem_id="new", modified_at=NOON - timedelta(hours=1), priority=5)
    assert ids(look(sue)) == ["new", "old"]
    assert ids(look(sue, "sort=created")) == ["old", "new"]
    assert ids(look(sue, "sort=-changed")) == ["old", "new"]
    assert ids(look(sue, "sort=-priority")) == ["new", "old"]


def test_only_columns_with_an_index_can_be_sorted_by(sue, queue):
    make_workitem(queue=queue)
    choose(sue, ALL)
    heads = look(sue, "sort=created&state=inqueue").context["cl"].heads
    assert {head.column.name: (head.link, head.order) for head in heads if head.link} == {
        "priority": ("?state=inqueue&sort=-priority", ""),
        "sla": ("?state=inqueue&sort=due", ""),
        "event": ("?state=inqueue&sort=-changed", ""),
        "created": ("?state=inqueue", "ascending"),
    }


def test_pages_lead_to_each_other_and_keep_the_filters(sue, queue):
    for _ in range(25):
        make_workitem(queue=queue)
    choose(sue, USUAL, size=10)
    changes = look(sue, "state=inqueue&p=2").context["cl"]
    assert (changes.previous_link, changes.next_link) == ("?state=inqueue", "?state=inqueue&p=3")
    assert changes.place_words == "11–20 of 25"
    assert look(sue, "p=3").context["cl"].next_link == ""


def test_a_page_that_is_not_there_leads_back(sue, queue):
    make_workitem(queue=queue)
    answer = look(sue, "p=77&state=inqueue")
    assert "There is no page 77 any more." in text_of(answer)
    assert 'href="?state=inqueue"' in answer.content.decode()


def test_many_are_counted_up_to_a_thousand(sue, queue, monkeypatch):
    monkeypatch.setattr("workitems.worklist.pages.MOST_COUNTED", 4)
    for _ in range(12):
        make_workitem(queue=queue)
    choose(sue, USUAL, size=10)
    answer = look(sue)
    assert answer.context["cl"].place_words == "1–10 of 4+"
    assert "Select all 4+ matching" in text_of(answer)


def test_an_empty_list_says_what_to_do(sue, queue):
    assert "There are no workitems yet." in text_of(look(sue))
    assert "No workitem matches." in text_of(look(sue, "state=hold"))


# One's own columns and page size


def test_columns_and_page_size_are_kept_for_the_person(sue, tom, queue):
    for _ in range(12):
        make_workitem(queue=queue)
    answer = choose(sue, ["state", "id"], size=10)
    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?")
    changes = look(sue).context["cl"]
    assert [head.column.name for head in changes.heads] == ["state", "id"]
    assert len(changes.result_list) == 10
    assert [head.column.name for head in look(tom).context["cl"].heads] == USUAL


@pytest.mark.parametrize(
    ("press", "kept"),
    [({"up": "state"}, ["state", "id"]), ({"down": "id"}, ["state", "id"]), ({"up": "id"}, ["id", "state"])],
)
def test_an_arrow_moves_a_column_without_any_script(press, kept, sue):
    answer = choose(sue, ["id", "state"], **press)
    assert answer["Location"].endswith("#columns")
    assert ListLayout.objects.get(user=sue).columns == kept


def test_one_can_go_back_to_the_usual_columns(sue):
    choose(sue, ["id"])
    choose(sue, ["id"], reset="1")
    assert not ListLayout.objects.exists()


def test_the_list_is_shown_again_with_its_filters_from_the_first_page(sue):
    answer = choose(sue, ["id"], address="state=hold&q=a%26b&p=7")
    assert answer["Location"] == f"{LIST}?state=hold&q=a%26b"


def view_of(user, **facts):
    return SavedView.objects.create(owner=user, name="Mine", created_at=NOON, modified_at=NOON, **facts)


def test_a_view_brings_its_own_columns(sue, queue):
    make_workitem(queue=queue)
    choose(sue, ["id"])
    view = view_of(sue, columns=["state", "gone", "agent"])
    heads = look(sue, f"view={view.view_id}").context["cl"].heads
    assert [head.column.name for head in heads] == ["state", "agent"]


@pytest.mark.parametrize(("columns", "leads"), [(["state"], "?state=hold"), ([], "?state=hold&view=VIEW")])
def test_choosing_columns_leaves_a_view_that_has_its_own(columns, leads, sue):
    view = view_of(sue, columns=columns)
    answer = choose(sue, ["id"], address=f"state=hold&view={view.view_id}")
    assert answer["Location"] == LIST + leads.replace("VIEW", view.view_id)


@pytest.mark.parametrize(
    "data",
    [
        {"order": ["id", "secret"], "column": ["id"], "size": 25},
        {"order": ["id"], "column": ["state"], "size": 25},
        {"order": ["id"], "column": ["id"], "size": 1000},
        {"order": ["id"], "column": ["id"], "size": "x"},
        {"order": ["id"], "column": ["id"]},
    ],
)
def test_what_the_panel_does_not_offer_is_refused(data, sue):
    assert browser(sue).post(LAYOUT, data).status_code == 400
    assert not ListLayout.objects.exists()


def test_without_a_list_there_is_nothing_to_choose(eve):
    assert choose(eve, ["id"]).status_code == 403
    assert not ListLayout.objects.exists()


def test_columns_are_not_chosen_by_a_link(sue):
    assert browser(sue).get(LAYOUT).status_code == 405


def test_a_column_that_there_is_no_more_is_left_out(sue, queue):
    ListLayout.objects.create(user=sue, list_name="workitems", columns=["gone", "state"])
    make_workitem(queue=queue)
    assert [head.column.name for head in look(sue).context["cl"].heads] == ["state"]


# Actions, files and cost


def test_an_action_on_all_that_match_gets_what_the_filters_and_the_search_leave(sue, queue):
    wanted = make_workitem(queue=queue, name="Late refund", priority=5)
    make_workitem(queue=queue, name="Late refund")
    make_workitem(queue=queue, name="Parcel", priority=5)
    request = look(sue, "priority=5&q=refund&p=3").wsgi_request
    changes = site.get_model_admin(Workitem).get_changelist_instance(request)
    assert list(changes.get_queryset(request)) == [wanted]


@pytest.mark.parametrize("query", ["priority=9", "q=state:holding", "colour=red"])
def test_an_action_on_a_list_that_was_not_understood_gets_nothing(query, sue, queue):
    make_workitem(queue=queue)
    request = look(sue, query).wsgi_request
    changes = site.get_model_admin(Workitem).get_changelist_instance(request)
    assert list(changes.get_queryset(request)) == []


@pytest.mark.parametrize("pk", ["x", "٣", "9" * 30, "-1"])
def test_a_tick_that_is_no_number_is_refused(pk, sue, queue):
    make_workitem(queue=queue)
    assert browser(sue).post(LIST, {"action": "hold", "_selected_action": [pk]}).status_code == 400


@pytest.mark.parametrize("rows", [1, 25])
@pytest.mark.parametrize("query", ["", "state=active", "agent=ann", "queue=q_support", "q=ada", "sla=breached", "p=2"])
def test_a_look_costs_the_same_for_any_number_of_rows(rows, query, sue, queue, ann, django_assert_max_num_queries):
    for _ in range(rows):
        make_workitem(State.ACTIVE, queue=queue, agent=ann, contact=make_contact())
    choose(sue, ALL)
    client = browser(sue)
    client.get(LIST)
    with django_assert_max_num_queries(12):
        client.get(f"{LIST}?{query}")


def test_a_full_page_is_light(sue, queue, ann):
    for number in range(25):
        make_workitem(State.ACTIVE, queue=queue, agent=ann, contact=make_contact(f"Customer number {number}"))
    assert len(look(sue).content) < 150_000
    choose(sue, ALL)
    assert len(look(sue).content) < 250_000


def test_the_columns_of_a_file_are_those_of_the_screen(sue, queue):
    item = make_workitem(queue=queue, queued_at=NOON)
    choose(sue, ["created", "id", "state", "sla"])
    answer = browser(sue).post(f"{LIST}export/?state=inqueue", {"format": "csv"})
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines[0].lstrip("\ufeff") == "Created,Workitem,State,Due"
    assert item.workitem_id in lines[1]
    assert "In queue" in lines[1]
    assert Workitem.objects.count() == 1
