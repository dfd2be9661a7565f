"""The list behind a figure: exactly the workitems that the figure counts, told by the lives that they led."""

from __future__ import annotations

from datetime import timedelta

import pytest

from queues.models import QueueChannel
from tests.builders import NOON, make_user
from tests.lives import after, answered, came, did, given_up
from workitems import measures, worklist
from workitems.actors import Actor
from workitems.choices import Door, Scope, Type
from workitems.commands import Accept, Archive, Bridge, HangUp, Offer, ReturnToQueue, TransferToQueue
from workitems.groups import grant
from workitems.models import Workitem
from workitems.worklist import Reader

NOW = after(NOON, 3600)
DAY = {"during_from": "2026-03-02T12:00:00Z", "during_to": "2026-03-02T13:00:00Z"}
SECOND_HALF = {"during_from": "2026-03-02T12:30:00Z", "during_to": "2026-03-02T13:00:00Z"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def centre(queue, sales, ann, ben):
    """Two queues of calls that became everything that a call can become; the level is 30 s, an abandon short to 5 s."""
    QueueChannel.objects.filter(channel="voice").update(sla_seconds=30)
    QueueChannel.objects.filter(channel="email").update(sla_seconds=3600)
    lives = {
        "in time": answered(queue, NOON, 20, ann),
        "late": answered(queue, after(NOON, 1800), 40, ben),
        "chat": answered(queue, NOON, 20, ben, kind=Type.CHAT),
        "given up": given_up(queue, NOON, 50),
        "given up at once": given_up(queue, NOON, 4),
        "waits": came(queue, after(NOW, -10)),
        "waits late": came(queue, after(NOW, -40)),
        "mail": came(queue, after(NOW, -1800), Type.INBOUND_EMAIL),
        "passed on": came(queue, NOON),
        "back and forth": came(queue, NOON),
        "in wrap-up": came(queue, after(NOON, 1800)),
    }
    did(lives["passed on"], TransferToQueue(sales), after(NOON, 15))
    for seconds, command in (
        (10, Offer(ann)), (10, Accept()), (10, Bridge()), (60, ReturnToQueue()),
        (70, Offer(ann)), (70, Accept()), (70, Bridge()), (90, HangUp()),
    ):  # fmt: skip
        did(lives["back and forth"], command, after(NOON, seconds))
    for seconds, command in ((5, Offer(ben)), (5, Accept()), (5, Bridge()), (65, HangUp())):
        did(lives["in wrap-up"], command, after(NOON, 1800 + seconds))
    for name, item in lives.items():
        Workitem.objects.filter(pk=item.pk).update(workitem_id=name)
    return lives


def behind(actor, figure, **asked):
    """Return the names of what stands behind a figure, each as often as the list has it."""
    names = {"figure": figure, **asked}
    filters = Reader(actor, NOW).read({name: [one] if isinstance(one, str) else one for name, one in names.items()})
    rows = worklist.matching(Workitem.objects.visible_to(actor), filters, now=NOW)
    assert list(worklist.ordered(rows, "created")) == [*dict.fromkeys(worklist.ordered(rows, "created"))]
    return sorted(row.workitem_id for row in rows)


@pytest.mark.parametrize(
    ("figure", "names"),
    [
        ("answered", ["back and forth", "chat", "in time", "in wrap-up", "late"]),
        ("answeredInTime", ["back and forth", "chat", "in time", "in wrap-up"]),
        ("answeredLate", ["late"]),
        ("abandoned", ["given up", "given up at once"]),
        ("shortAbandoned", ["given up at once"]),
        ("flowedOut", ["passed on"]),
        (
            "serviceLevel",
            ["back and forth", "chat", "given up", "in time", "in wrap-up", "late", "passed on", "waits late"],
        ),
        ("waiting", ["mail", "passed on", "waits", "waits late"]),
        ("waitingLate", ["passed on", "waits late"]),
        ("handled", ["back and forth", "chat", "in time", "in wrap-up", "late"]),
        ("wrappedUp", ["chat", "in time", "late"]),
        ("inWrapUp", ["back and forth", "in wrap-up"]),
    ],
)
def test_each_figure_leads_to_what_it_counts(figure, names, admin_actor, centre):
    assert behind(admin_actor, figure) == names


def test_offered_is_what_has_entered_a_queue_whatever_became_of_it(admin_actor, centre):
    assert behind(admin_actor, "offered") == sorted(centre)


@pytest.mark.parametrize("figure", measures.BEHIND)
@pytest.mark.parametrize("during", [DAY, SECOND_HALF])
def test_the_list_has_the_workitems_of_the_stays_that_are_counted(figure, during, admin_actor, queue, centre):
    start = NOON if during is DAY else after(NOON, 1800)
    counted = set(measures.stays_behind(figure, start, NOW).filter(queue=queue).values_list("workitem_id", flat=True))
    if figure == "offered":
        counted |= set(measures.running().filter(queue=queue, entered_at__gte=start).values_list("pk", flat=True))
    if figure == "serviceLevel":
        late = measures.running().filter(measures.late([30, 3600], NOW), queue=queue, entered_at__gte=start)
        counted |= set(late.values_list("pk", flat=True))
    names = sorted(Workitem.objects.filter(pk__in=counted).values_list("workitem_id", flat=True))
    assert behind(admin_actor, figure, queue="q_support", **during) == names
    assert names or during is SECOND_HALF


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"figure": "flowedOut", "queue": "q_support"}, ["passed on"]),  # though it is in the other one by now
        ({"figure": "flowedOut", "queue": "q_sales"}, []),
        ({"figure": "offered", "queue": "q_sales"}, ["passed on"]),
        ({"figure": "waiting", "queue": "q_sales"}, ["passed on"]),
        ({"figure": "answered", "channel": "chat"}, ["chat"]),
        ({"figure": "waiting", "channel": ["chat", "email"]}, ["mail"]),
        ({"figure": "handled", "agent": "ann"}, ["back and forth", "in time"]),
        ({"figure": "handled", "agent": "ben", "channel": "voice"}, ["in wrap-up", "late"]),
        ({"figure": "inWrapUp", "agent": "ben"}, ["in wrap-up"]),
    ],
)
def test_queue_channel_and_agent_are_those_of_the_stays(asked, names, admin_actor, centre):
    assert behind(admin_actor, **asked) == names


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"figure": "answered"}, ["in wrap-up", "late"]),
        ({"figure": "abandoned"}, []),
        ({"figure": "waiting"}, ["mail", "waits", "waits late"]),
        ({"figure": "waitingLate"}, ["waits late"]),
        ({"figure": "offered"}, ["in wrap-up", "late", "mail", "waits", "waits late"]),
    ],
)
def test_an_entry_counts_when_it_began(asked, names, admin_actor, centre):
    assert behind(admin_actor, **asked, **SECOND_HALF) == names


@pytest.mark.parametrize(
    ("end", "names"), [("12:31:39", ["in wrap-up"]), ("12:31:41", ["in wrap-up", "late"])]
)  # its talk ended at 12:31:40
def test_handling_counts_when_it_ended(end, names, admin_actor, centre):
    during = {"during_from": "2026-03-02T12:30:00Z", "during_to": f"2026-03-02T{end}Z"}
    assert behind(admin_actor, "handled", **during) == names


def test_the_end_of_the_time_is_not_within_it(admin_actor, centre):
    until = "2026-03-02T12:30:00Z"
    assert "late" not in behind(admin_actor, "answered", during_to=until)
    assert "late" in behind(admin_actor, "answered", during_from=until)


def test_what_is_archived_by_now_is_still_counted_and_shown(admin_actor, centre):
    did(Workitem.objects.get(workitem_id="in time"), Archive(), NOW)
    assert "in time" in behind(admin_actor, "answered")


def test_what_was_answered_twice_is_shown_once(admin_actor, centre):
    assert behind(admin_actor, "answered", agent="ann").count("back and forth") == 1


def test_other_filters_say_what_the_workitems_are_by_now(admin_actor, centre):
    assert behind(admin_actor, "answered", state="dispositioned") == ["chat", "in time", "late"]
    assert behind(admin_actor, "flowedOut", state="inqueue") == ["passed on"]


def test_stays_in_queues_that_one_may_not_see_are_behind_no_figure(queue, sales, centre):
    """What came from there is visible by now, what happened there is not."""
    came_back = came(sales, NOON)
    did(came_back, TransferToQueue(queue), after(NOON, 15))
    Workitem.objects.filter(pk=came_back.pk).update(workitem_id="from sales")
    user = make_user("sam")
    grant(user, Scope.READ, queue)
    sam = Actor.of(user, Door.PAGE)
    assert "from sales" in behind(sam, "waiting")
    assert behind(sam, "flowedOut") == []  # that of sales is not his to see, and that of support is in sales by now
    assert behind(sam, "flowedOut", during_from=(NOON - timedelta(days=1)).isoformat()) == []
