"""The board: how each queue stands and how its day has gone, what is behind each figure, and what it costs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import time_machine

from queues.channels import Channel
from tests.builders import (
    NOON,
    make_presence,
    make_queue,
    make_user,
    make_workitem,
)
from tests.doors import browser
from workitems import board, measures, services, transfers
from workitems.actors import Actor
from workitems.board import TARGET
from workitems.choices import Action, Door, EndedBy, EntryOutcome, Scope, State, Type
from workitems.commands import Accept, HangUp, Offer
from workitems.groups import grant
from workitems.ledger import milliseconds
from workitems.models import BulkRun, PolicyRun, Presence, StalePolicy, Stay, Transfer
from workitems.pages.board_cells import COLUMNS
from workitems.worklist import Sla

BOARD, WALL = "/supervisor/", "/supervisor/wallboard/"
SECOND = timedelta(seconds=1)


@pytest.fixture
def noon():
    """The clock stands at ten minutes past noon: what waits since noon has waited ten minutes."""
    with time_machine.travel(NOON + timedelta(minutes=10), tick=False):
        yield NOON + timedelta(minutes=10)


def waits(queue, seconds: float, state: State = State.INQUEUE, **facts):
    """Put a call in line that entered so many seconds ago."""
    since = NOON + timedelta(minutes=10) - timedelta(seconds=seconds)
    return make_workitem(state, queue=queue, **({"entered_at": since, "created_at": since, "queued_at": since} | facts))


def entry(queue, outcome: EntryOutcome, wait: int = 5, *, at: datetime = NOON, channel: Channel = Channel.VOICE):
    """Write down an entry that is over."""
    item = make_workitem(
        State.DISPOSITIONED, queue=queue, type=Type.CHAT if channel == Channel.CHAT else Type.INBOUND_CALL
    )
    ended = at + wait * SECOND
    return Stay.objects.create(
        workitem=item, version=99, channel_type=channel, state=State.INQUEUE, queue=queue, began_at=at, ended_at=ended,
        lasted_ms=wait * 1000, magnitude=2, entered_at=at, outcome=outcome, wait_ms=milliseconds(ended - at),
        customer_ms=milliseconds(ended - at),
    )  # fmt: skip


def look(user):
    return board.count(Actor.of(user, Door.PAGE), now=NOON + timedelta(minutes=10))


def line(user, queue):
    (found,) = [one for one in look(user).queues if one.queue_id == queue.queue_id]
    return found.total


def words(user, path: str = BOARD) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", browser(user).get(path).content.decode())).split())


def links(user, path: str = BOARD) -> list[str]:
    return [unescape(one) for one in re.findall(r'href="([^"]*)"', browser(user).get(path).content.decode())]


def names(user, path: str = BOARD) -> list[str]:
    page = browser(user).get(path).content.decode()
    return re.findall(r'<tbody role="rowgroup" data-row="([^"]*)"', page)


# How each queue stands


def test_what_is_open_counts_once_each_by_its_state(noon, sue, queue, ann):
    for state in State:
        make_workitem(state, queue=queue, agent=None if state == State.INQUEUE else ann)
    found = line(sue, queue)
    assert (found.waiting, found.offered, found.talking, found.hold, found.wrapping) == (1, 1, 3, 1, 1)


def test_a_wrap_up_is_what_its_agent_ended_and_nobody_else(noon, sue, queue, ann):
    oldest = make_workitem(State.TERMINATED, queue=queue, agent=ann, terminated_at=NOON)
    make_workitem(State.TERMINATED, queue=queue, agent=ann, terminated_at=NOON + SECOND)
    make_workitem(State.TERMINATED, queue=queue, agent=None, ended_by=EndedBy.CUSTOMER)
    make_workitem(State.TERMINATED, queue=queue, agent=ann, ended_by=EndedBy.POLICY)
    make_workitem(State.TERMINATED, queue=queue, agent=ann, archived_at=NOON)
    found = line(sue, queue)
    assert (found.wrapping, found.wrapping_since) == (2, oldest.terminated_at)


def test_the_longest_wait_is_told_since_the_queue_and_since_the_customer_came(noon, sue, queue, ann):
    came = NOON - timedelta(hours=1)
    waits(queue, 20, created_at=came)
    first = waits(queue, 25, State.OFFERED, agent=ann)
    found = line(sue, queue)
    assert (found.entered_at, found.created_at) == (first.entered_at, came)


def test_an_offer_to_a_certain_agent_is_no_wait(noon, sue, queue, ann):
    make_workitem(State.OFFERED, queue=queue, agent=ann, entered_at=None)
    assert line(sue, queue).entered_at is None


@pytest.mark.parametrize(
    ("seconds", "way"), [(23, Sla.FINE), (24, Sla.WARNING), (30, Sla.WARNING), (30.1, Sla.BREACHED)]
)
def test_a_wait_warns_in_the_last_fifth_of_its_service_level_and_is_late_past_it(seconds, way, noon, sue, queue):
    waits(queue, seconds)
    found = line(sue, queue)
    assert (found.way, found.late) == (way, int(way is Sla.BREACHED))


def test_each_channel_is_judged_by_its_own_service_level(noon, sue, queue):
    waits(queue, 600, type=Type.INBOUND_EMAIL)
    assert line(sue, queue).way is Sla.FINE
    waits(queue, 25)
    (shown,) = look(sue).queues
    assert {channel: one.way for channel, one in shown.channels.items() if one.way} == {
        "email": Sla.FINE,
        "voice": Sla.WARNING,
    }
    assert shown.total.way is Sla.WARNING


def test_agents_count_as_available_or_as_logged_in(noon, sue, queue, sales, ann, ben):
    make_presence(ann, Presence.Status.AVAILABLE)
    make_presence(ben, Presence.Status.NO_ANSWER)
    sales.members.add(ann, make_user("unsaid"), make_user("left", is_active=False))
    make_presence(make_user("stranger"), Presence.Status.AVAILABLE)
    seen = look(sue)
    by_queue = {one.queue_id: (board.available(one.agents), board.logged_in(one.agents)) for one in seen.queues}
    assert by_queue == {"q_support": (1, 2), "q_sales": (1, 1)}
    assert (board.available(seen.agents), board.logged_in(seen.agents)) == (1, 2)


# How the day has gone


def test_the_day_is_made_of_the_entries_that_began_today(noon, sue, queue):
    for outcome, wait in (("answered", 5), ("answered", 31), ("abandoned", 3), ("abandoned", 9), ("flowedOut", 90)):
        entry(queue, EntryOutcome(outcome), wait)
    waits(queue, 31)
    waits(queue, 5)
    today = line(sue, queue).today
    assert (today.offered, today.answered, today.abandoned, today.flowed_out, today.waiting) == (7, 2, 2, 1, 2)
    assert today.service_level == 1 / 4  # in time, of 2 answered, 1 abandoned after the limit and 1 late already
    assert today.abandoned_share == 1 / 2


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("", datetime(2026, 3, 2, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 3, 1, 23, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 2, 5, tzinfo=UTC)),
    ],
)
def test_today_begins_at_midnight_by_the_clock_of_the_queue(zone, midnight, noon, sue, queue):
    queue.time_zone = zone
    queue.save()
    make_queue("q_other", time_zone="Asia/Tokyo")
    entry(queue, EntryOutcome.ANSWERED, at=midnight - SECOND)
    entry(queue, EntryOutcome.ANSWERED, at=midnight)
    assert line(sue, queue).today.answered == 1


def test_what_still_waits_since_yesterday_is_late_and_not_of_today(noon, sue, queue):
    waits(queue, 13 * 3600)
    found = line(sue, queue)
    assert (found.late, found.today.waiting, found.today.waiting_late) == (1, 0, 0)


def test_a_call_is_counted_on_its_whole_way(noon, sue, queue, ann):
    actor, now = Actor.of(sue, Door.API), NOON + timedelta(minutes=10)
    item = waits(queue, 10)
    services.execute(Offer(ann), item.workitem_id, actor=actor, now=now)
    assert line(sue, queue).offered == 1
    services.execute(Accept(), item.workitem_id, actor=Actor.of(ann, Door.API), now=now)
    services.execute(HangUp(EndedBy.AGENT), item.workitem_id, actor=actor, now=now)
    found = line(sue, queue)
    assert (found.waiting, found.offered, found.talking, found.wrapping) == (0, 0, 0, 1)
    assert (found.today.offered, found.today.answered, found.today.answered_in_time) == (1, 1, 1)


def test_without_a_denominator_there_is_no_figure(noon, sue, queue):
    row = browser(sue).get(BOARD).content.decode()
    assert "No data." in row
    for name in ("abandoned", "level"):
        cell = re.search(rf'<td role="cell" class="num col-{name}.*?</td>', row, re.DOTALL)
        assert cell is not None
        assert re.sub(r"<[^>]*>", "", cell[0]).strip() == "–"


def test_a_service_level_below_the_target_is_told_by_an_icon_with_words(noon, sue, queue):
    entry(queue, EntryOutcome.ANSWERED, 31)
    assert f"Below the target of {TARGET:.0%}".replace("%", " %") in words(sue)


# Rows and their order


def test_the_worst_comes_first(noon, sue, queue, sales):
    make_queue("q_calm", name="Calm")
    waits(make_queue("q_late", name="Late"), 40)
    waits(make_queue("q_soon", name="Soon"), 25)
    waits(queue, 5)
    waits(queue, 6)
    waits(sales, 7)
    assert names(sue) == ["q_late", "q_soon", "q_support", "q_sales", "q_calm"]


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("name", ["q_sales", "q_support"]),
        ("-name", ["q_support", "q_sales"]),
        ("-waiting", ["q_support", "q_sales"]),
        ("waiting", ["q_sales", "q_support"]),
        ("-wait", ["q_sales", "q_support"]),
        ("-agents", ["q_support", "q_sales"]),
        ("level", ["q_sales", "q_support"]),
    ],
)
def test_rows_are_sorted_by_any_column(sort, found, noon, sue, queue, sales, ann):
    make_presence(ann)
    waits(queue, 5)
    waits(queue, 6)
    waits(sales, 9)
    entry(queue, EntryOutcome.ANSWERED)
    assert names(sue, f"{BOARD}?sort={sort}") == found
    column = sort.removeprefix("-")
    heads = browser(sue).get(f"{BOARD}?sort={sort}").content.decode()
    direction = "descending" if sort.startswith("-") else "ascending"
    assert re.search(rf'aria-sort="{direction}">\s*<a id="sort-{column}"', heads)


@pytest.mark.parametrize("query", ["sort=shoe", "queue=q_none"])
def test_what_cannot_be_meant_is_not_there(query, sue, queue):
    assert browser(sue).get(f"{BOARD}?{query}").status_code == 404


def test_a_queue_opens_to_its_channels_and_stays_open_while_sorted(noon, sue, queue):
    waits(queue, 5, type=Type.CHAT)
    assert "Chat" not in words(sue)
    page = browser(sue).get(f"{BOARD}?open=q_support").content.decode()
    assert page.count('class="board-channel"') == len(Channel)
    assert 'aria-expanded="true"' in page
    assert all("open=q_support" in one for one in re.findall(r'id="sort-[^"]*" href="([^"]*)"', page))


def test_a_retired_queue_stays_as_long_as_there_is_something_in_it(noon, sue, queue, sales, ann):
    queue.retired_at, queue.is_open = NOON, False
    queue.save()
    assert names(sue) == ["q_sales"]
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    assert names(sue) == ["q_sales", "q_support"]


def test_open_and_closed_are_said(noon, sue, queue, sales):
    sales.is_open = False
    sales.save()
    assert "Support Open" in words(sue)
    assert "Sales Closed" in words(sue)


def test_what_is_in_no_queue_counts_in_the_total_and_is_told_apart(noon, sue, queue, ann):
    make_workitem(State.ACTIVE, queue=None, agent=ann, type=Type.OUTBOUND_CALL)
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    seen = look(sue)
    assert (seen.elsewhere.talking, line(sue, queue).talking) == (1, 1)
    assert "counted above: Active 1" in words(sue)


# What is behind each figure


def test_every_figure_leads_to_exactly_the_items_behind_it(noon, sue, queue, sales, ann):
    for place in (queue, sales):
        for state in State:
            make_workitem(state, queue=place, agent=None if state == State.INQUEUE else ann)
        make_workitem(State.TERMINATED, queue=place, ended_by=EndedBy.CUSTOMER)
        make_workitem(State.TERMINATED, queue=place, ended_by=EndedBy.POLICY, agent=ann)
        waits(place, 40)
        waits(place, 5)
        entry(place, EntryOutcome.ANSWERED, 5)
        entry(place, EntryOutcome.ANSWERED, 31)
        entry(place, EntryOutcome.ABANDONED, 31)
        entry(place, EntryOutcome.ANSWERED, at=NOON - timedelta(days=1))
    make_workitem(State.ACTIVE, queue=None, agent=ann, type=Type.OUTBOUND_CALL)
    client = browser(sue)
    page = client.get(f"{BOARD}?open=q_support").content.decode()
    counted = re.findall(
        r'<a class="figure" href="(/supervisor/work/[^"]*)" title="[^"]*">(\d+)( late| answered late)?</a>', page
    )
    assert len(counted) > 40
    for address, number, _late in counted:
        assert listed(client, unescape(address)) == int(number), unescape(address)


def test_a_longest_wait_leads_to_all_that_wait(noon, sue, queue, ann):
    waits(queue, 40)
    waits(queue, 5, State.OFFERED, agent=ann)
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    (address,) = {one for one in links(sue) if "figure=waiting&" in one and "queue=q_support" in one}
    assert listed(browser(sue), address) == 2


def listed(client, address: str) -> int:
    """Return how many workitems a page of the work list says it has."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    return len(set(re.findall(r'data-row="(wi_[^"]*)"', answer.content.decode())))


def test_every_figure_says_what_it_means(noon, sue, queue):
    waits(queue, 5)
    entry(queue, EntryOutcome.ANSWERED)
    page = unescape(browser(sue).get(BOARD).content.decode())
    for column in COLUMNS.values():
        assert page.count(f'title="{column.definition}') >= 2, column.name
        assert f"<dd>{column.definition}</dd>" in page
    for name in ("answered", "abandonedShare", "serviceLevel"):
        assert str(measures.FIGURES[name].definition) in page


def test_a_day_of_several_clocks_has_no_single_list(noon, sue, queue, sales):
    sales.time_zone = "Asia/Tokyo"
    sales.save()
    entry(queue, EntryOutcome.ANSWERED)
    found = [one for one in links(sue) if "figure=answered&" in one]
    assert found
    assert all("queue=" in one for one in found)


# Who sees what


@pytest.fixture
def wes(queue):
    """A supervisor of Support alone."""
    user = make_user("wes")
    grant(user, Scope.WRITE, queue)
    return user


def test_a_supervisor_of_one_queue_sees_that_one_alone(noon, wes, queue, sales, ann):
    sales.members.add(make_user("zoe", first_name="Zoe"))
    make_workitem(State.ACTIVE, queue=sales, agent=wes)
    waits(sales, 40)
    entry(sales, EntryOutcome.ANSWERED)
    waits(queue, 5)
    seen = look(wes)
    assert [one.queue_id for one in seen.queues] == ["q_support"]
    assert (seen.elsewhere.is_empty, sum(seen.agents.values())) == (True, 2)
    page = words(wes)
    assert "Sales" not in page
    assert "Zoe" not in page
    assert browser(wes).get(f"{BOARD}?queue=q_sales").status_code == 404
    assert all("queue=q_support" in one for one in links(wes) if one.startswith("/supervisor/work/?"))


def test_a_right_that_is_taken_away_bites_at_once(noon, queue, sales):
    user = make_user()
    for place in (queue, sales):
        grant(user, Scope.READ, place)
    client = browser(user)
    assert "Sales" in client.get(BOARD).content.decode()
    user.queueuserobjectpermission_set.filter(content_object=sales).delete()
    assert "Sales" not in client.get(BOARD, headers={"X-Live": "1"}).content.decode()


def test_somebody_without_a_queue_sees_what_is_his(noon, ann, queue):
    make_workitem(State.ACTIVE, queue=queue, agent=ann, name="Lost card")
    make_workitem(queue=queue, name="Of others")
    page = words(ann)
    assert "What you have in hand Lost card" in page
    assert "Of others" not in page
    assert "ask an administrator for a scope" in page


def test_somebody_with_nothing_is_told_how_that_changes(noon, eve, queue):
    make_workitem(queue=queue, name="Of others")
    page = words(eve)
    assert "You may see no queue so far." in page
    assert "Of others" not in page


def test_a_new_installation_is_led_through_its_first_steps(noon, amy):
    assert "steps to the first workitem" in words(amy)
    make_workitem(queue=make_queue())
    assert "steps to the first workitem" not in words(amy)


# What wants looking at


@pytest.mark.parametrize(
    ("way", "state", "facts", "is_stuck"),
    [
        ("offered", State.OFFERED, {"offer_expires_at": NOON + timedelta(minutes=9)}, True),
        ("offered", State.OFFERED, {"offer_expires_at": NOON + timedelta(minutes=11)}, False),
        ("silent", State.ACTIVE, {"active_at": NOON - timedelta(minutes=20)}, True),
        ("silent", State.HOLD, {"active_at": NOON - timedelta(minutes=20)}, True),
        ("silent", State.ACTIVE, {"active_at": NOON - timedelta(minutes=19)}, False),
        ("silent", State.ACTIVE, {"active_at": NOON - timedelta(hours=1), "type": Type.INBOUND_EMAIL}, False),
        ("silent", State.ACTIVE, {"active_at": NOON - timedelta(days=1), "type": Type.INBOUND_EMAIL}, True),
        ("undispositioned", State.TERMINATED, {"terminated_at": NOON - timedelta(minutes=50)}, True),
        ("undispositioned", State.TERMINATED, {"terminated_at": NOON}, False),
    ],
)
def test_work_is_stuck_in_its_way(way, state, facts, is_stuck, noon, sue, queue, ann):
    make_workitem(state, queue=queue, agent=ann, **facts)
    assert line(sue, queue).stuck[way] == int(is_stuck)
    assert listed(browser(sue), f"/supervisor/work/?stuck={way}") == int(is_stuck)


@pytest.mark.parametrize("how", ["offline", "deactivated"])
def test_work_of_an_agent_who_is_gone_is_stuck(how, noon, sue, queue, ann):
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    assert line(sue, queue).stuck["inactive"] == 0
    if how == "offline":
        make_presence(ann, Presence.Status.OFFLINE)
    else:
        ann.is_active = False
        ann.save()
    assert line(sue, queue).stuck["inactive"] == 1
    assert listed(browser(sue), "/supervisor/work/?stuck=inactive") == 1


def test_stuck_work_is_told_with_its_agents_and_a_question(sue, queue, ann, ben):
    ann.first_name, ann.last_name = "Ann", "Brook"
    ann.save()
    make_presence(ann, Presence.Status.OFFLINE)
    make_presence(ben, Presence.Status.AWAY)
    for agent in (ann, ann, ben):
        make_workitem(State.ACTIVE, queue=queue, agent=agent)
    page = words(sue)
    assert "Ann Brook 2 workitems · offline for" in page
    assert "2 workitems go back to their queues, at their old places. This cannot be undone." in page
    forms = re.findall(r'action="([^"]*return-all/)"', browser(sue).get(BOARD).content.decode())
    assert forms == ["/supervisor/agents/ann/return-all/"]


def test_who_may_only_read_gets_no_button(tom, queue, ann):
    make_presence(ann, Presence.Status.OFFLINE)
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    page = browser(tom).get(BOARD).content.decode()
    assert "1 workitem" in page
    assert "return-all" not in page


def test_where_nobody_is_gone_nothing_is_said(sue, queue, ann):
    make_workitem(State.ACTIVE, queue=queue, agent=ann)
    assert "Work of agents who are gone" not in words(sue)


def make_alert(**facts):
    policy = StalePolicy.objects.create(policy_id="p_x", name="Lost calls", state="inqueue", after_seconds=60)
    return PolicyRun.objects.create(
        policy=policy, policy_version=1, terms={"cap": 500}, is_capped=True, created_at=NOON, start_at=NOON,
        moved_at=NOON, **facts,
    )  # fmt: skip


def test_a_policy_that_stopped_at_its_cap_is_told_to_administrators(amy):
    run = make_alert()
    assert "The stale policy “Lost calls” stopped at its cap of 500 workitems" in words(amy)
    assert run.get_absolute_url() in links(amy)


def test_others_are_told_of_no_policy(sue):
    make_alert()
    assert "Lost calls" not in words(sue)


def test_an_alert_that_somebody_has_seen_is_told_no_more(amy):
    make_alert(acknowledged_at=NOON, acknowledged_by=amy)
    assert "stopped at its cap" not in words(amy)


def begun(model, user, **facts):
    times = {"created_at": NOON, "start_at": NOON, "started_at": NOON, "moved_at": NOON}
    counts = {"total": 40, "done": 9, "refused": 1}
    return model.objects.create(requested_by=user, door=Door.PAGE, state="running", **times, **counts, **facts)


def test_runs_on_their_way_are_told_to_who_asked_and_to_administrators(noon, sue, tom, amy, queue):
    transfer = begun(Transfer, sue, queue=queue)
    begun(BulkRun, sue, action=Action.HANGUP)
    for user in (sue, amy):
        page = words(user)
        assert "Transfer to Support" in page
        assert "Hang up" in page
        assert "10 of 40 (25 %)" in page
        assert f"/supervisor/runs/{transfer.transfer_id}/" in links(user)
    assert "10 of 40" not in words(tom)


def test_a_policy_at_work_is_told_to_administrators(noon, amy, sue):
    run = make_alert(acknowledged_at=NOON, acknowledged_by=amy)
    PolicyRun.objects.filter(pk=run.pk).update(state="running", total=3)
    assert "Stale policy “Lost calls”" in words(amy)
    assert "Lost calls" not in words(sue)


# The wallboard


def test_the_wallboard_shows_queues_without_controls(noon, sue, queue, sales):
    waits(queue, 40)
    page = browser(sue).get(WALL).content.decode()
    assert re.findall(r'<tr role="row" data-row="([^"]*)"', page) == ["q_support", "q_sales"]
    assert 'class="places"' not in page
    assert "1 late" in words(sue, WALL)


def test_the_wallboard_shows_the_queues_that_are_chosen(noon, sue, queue, sales):
    waits(queue, 40)
    waits(sales, 40)
    page = words(sue, f"{WALL}?queue=q_sales")
    assert "Support" not in page
    assert "Sales" in page
    assert browser(sue).get(f"{WALL}?queue=q_none").status_code == 404


def test_the_wallboard_without_a_queue_says_so(eve):
    assert "There is no queue to show" in words(eve, WALL)


# What it costs


@pytest.mark.parametrize("path", [BOARD, WALL, f"{BOARD}?open=q_support&sort=-wait"])
@pytest.mark.parametrize("headers", [{}, {"X-Live": "1"}])
def test_the_board_costs_six_queries_for_any_number_of_queues_and_items(
    path, headers, noon, sue, queue, ann, django_assert_num_queries
):
    client = browser(sue)
    client.get(BOARD)  # which writes the session, as a page does once a minute
    make_presence(ann, Presence.Status.OFFLINE)
    for number in range(8):
        place = make_queue(f"q_{number}", members=[ann])
        waits(place, 40)
        make_workitem(State.ACTIVE, queue=place, agent=ann)
        entry(place, EntryOutcome.ANSWERED)
        begun(Transfer, sue, queue=place)
    with django_assert_num_queries(6):  # mark, session, user, rights, queues, and all that is counted
        assert client.get(path, headers=headers).status_code == 200


def test_what_was_counted_is_counted_once_for_all_who_see_the_same(noon, sue, tom, queue, django_assert_num_queries):
    for user in (sue, tom):
        grant(user, Scope.WRITE)
        grant(user, Scope.DELETE)
        browser(user).get(BOARD)
    clients = [browser(sue), browser(tom)]
    for client in clients:
        client.get(BOARD)
    make_workitem(queue=queue)
    clients[0].get(BOARD)
    with django_assert_num_queries(4):
        clients[1].get(BOARD)


def test_whoever_sees_other_queues_is_told_of_other_figures(noon, sue, wes, queue, sales):
    waits(sales, 5)
    assert browser(sue).get(BOARD).context["figures"] != browser(wes).get(BOARD).context["figures"]


def test_a_change_is_counted_at_once_when_the_page_is_opened(noon, sue, queue):
    client = browser(sue)
    client.get(BOARD)
    make_workitem(queue=queue, name="new", modified_at=NOON + SECOND)
    assert re.search(r'tile-waiting.*?<a class="figure"[^>]*>1</a>', client.get(BOARD).content.decode(), re.DOTALL)


def test_a_transfer_flows_out_of_one_queue_and_begins_to_wait_in_the_other(noon, sue, queue, sales):
    item = waits(queue, 10)
    actor = Actor.of(sue, Door.PAGE)
    transfers.move_one(item.workitem_id, transfers.Terms(queue=sales), actor=actor, now=NOON + timedelta(minutes=10))
    assert (line(sue, queue).today.flowed_out, line(sue, sales).waiting, line(sue, sales).late) == (1, 1, 0)
