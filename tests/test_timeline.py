"""The stretches of a workitem's life sum to the life, whatever happened in it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOON, make_disposition, make_user, make_workitem
from workitems import services, timeline
from workitems.actors import Actor
from workitems.choices import TRANSFER_IN, Door, Scope, State
from workitems.commands import AddNote, Offer, Reject, SetDisposition, TransferToQueue
from workitems.groups import grant, grant_transfer_in
from workitems.models import Stay, TimeEvent, Workitem
from workitems.timeline import Place, Segment

SEES_ALL = Actor.job("test", Scope.READ)


def after(minutes: float):
    return NOON + timedelta(minutes=minutes)


def told(*entered, ended):
    """Return state, queue, agent and minutes of each stretch, of places entered as minute, state, queue and agent."""
    found = timeline.segments([(Place(*place), after(at)) for at, *place in entered], ended=after(ended))
    return [(*one.place, one.time / timedelta(minutes=1)) for one in found]


def test_what_waits_still_has_waited_until_now():
    assert told((0, "inqueue", "Support"), ended=7) == [("inqueue", "Support", "", 7)]


def test_a_transfer_in_the_middle_of_the_wait_begins_a_stretch_in_the_other_queue():
    assert told((0, "inqueue", "Support"), (3, "inqueue", "Sales"), ended=10) == [
        ("inqueue", "Support", "", 3),
        ("inqueue", "Sales", "", 7),
    ]


def test_of_what_was_entered_at_the_same_moment_the_last_counts():
    assert told(
        (0, "inqueue", "Support"), (2, "offered", "Support", "ann"), (2, "accepted", "Support", "ann"), ended=5
    ) == [
        ("inqueue", "Support", "", 2),
        ("accepted", "Support", "ann", 3),
    ]


def test_there_and_back_at_the_same_moment_is_one_stretch():
    assert told((0, "active"), (2, "hold"), (2, "active"), ended=5) == [("active", "", "", 5)]


def test_what_happened_after_the_end_has_no_time():
    assert told((0, "inqueue"), (5, "terminated"), (20, "dispositioned"), ended=10) == [
        ("inqueue", "", "", 5),
        ("terminated", "", "", 5),
    ]


def test_what_ended_as_it_began_has_no_stretch():
    assert told((0, "inqueue"), ended=0) == []


@given(
    st.lists(st.tuples(st.integers(0, 150), st.sampled_from(["inqueue", "offered", "active"]), st.sampled_from("ab"))),
    st.integers(0, 100),
)
def test_the_stretches_follow_one_another_and_sum_to_the_life(later, ended):
    entered = [(Place("inqueue"), NOON), *((Place(state, queue), after(at)) for at, state, queue in sorted(later))]
    found = timeline.segments(entered, ended=after(ended))
    assert sum((one.time for one in found), timedelta()) == timedelta(minutes=ended)
    assert [one.began for one in found[1:]] == [one.ended for one in found[:-1]]
    assert all(one.time > timedelta() for one in found)
    assert all(one.place != other.place for one, other in pairwise(found))


def test_times_add_up_by_place_and_by_state():
    stretches = [
        Segment(Place("inqueue", "Support"), after(0), after(1)),
        Segment(Place("offered", "Support", "ann"), after(1), after(3)),
        Segment(Place("inqueue", "Support"), after(3), after(7)),
        Segment(Place("inqueue", "Sales"), after(7), after(15)),
    ]
    life = timeline.Life(stretches, NOON, after(15), is_over=False)
    assert life.by_place() == {
        Place("inqueue", "Support"): timedelta(minutes=5),
        Place("offered", "Support", "ann"): timedelta(minutes=2),
        Place("inqueue", "Sales"): timedelta(minutes=8),
    }
    assert life.by_state() == {"inqueue": timedelta(minutes=13), "offered": timedelta(minutes=2)}


@pytest.fixture
def lived(sue, queue, sales, ann):
    """A workitem that was offered, rejected, transferred, offered, and noted upon."""
    item, who = make_workitem(queue=queue), Actor.of(sue, Door.API)
    sales.members.add(ann)
    for minute, command in (
        (1, Offer(ann)), (2, Reject()), (5, TransferToQueue(sales)), (6, AddNote("Waits.")), (9, Offer(ann)),
    ):  # fmt: skip
        services.execute(command, item.workitem_id, actor=who, now=after(minute))
    return Workitem.objects.get(pk=item.pk)


LIVED = [
    ("inqueue", "Support", "", 1),
    ("offered", "Support", "ann", 1),
    ("inqueue", "Support", "", 3),
    ("inqueue", "Sales", "", 4),
    ("offered", "Sales", "ann", 1),
]


def minutes(life):
    return [(*one.place, one.time / timedelta(minutes=1)) for one in life.segments]


def test_the_life_of_a_workitem_is_read_from_the_ledger_in_one_query(lived, django_assert_num_queries):
    item = Workitem.objects.select_related("queue", "agent").get(pk=lived.pk)
    with django_assert_num_queries(1) as asked:
        life = timeline.life_of(item, SEES_ALL, after(10))
    assert "workitems_timeevent" not in asked.captured_queries[0]["sql"]
    assert minutes(life) == LIVED
    assert (life.time, life.is_over) == (timedelta(minutes=10), False)


@pytest.mark.parametrize("is_in_ledger", [True, False])
@pytest.mark.parametrize(("right", "word"), [("", "another queue"), (TRANSFER_IN, "Support")])
def test_an_earlier_queue_is_named_only_to_who_may_know_its_name(lived, queue, sales, right, word, is_in_ledger):
    if not is_in_ledger:
        Stay.objects.all().delete()
        Workitem.objects.update(place_since=None, entered_at=None)
    one = make_user("one")
    grant(one, Scope.WRITE, sales)
    if right == TRANSFER_IN:
        grant_transfer_in(one, queue)
    life = timeline.life_of(Workitem.objects.get(), Actor.of(one, Door.PAGE), after(10))
    assert {segment.place.queue for segment in life.segments} == {word, "Sales"}


def test_what_is_not_in_the_ledger_yet_is_followed_through_its_events(lived):
    Stay.objects.all().delete()
    Workitem.objects.update(place_since=None, entered_at=None)
    life = timeline.life_of(Workitem.objects.get(), SEES_ALL, after(10))
    assert minutes(life) == LIVED


def test_a_life_of_many_stays_is_told_whole(queue):
    item = make_workitem(State.INQUEUE, queue=queue, place_since=after(600))
    stays = [
        Stay(
            workitem=item,
            version=number + 2,
            channel_type="voice",
            state=("inqueue", "offered")[number % 2],
            queue=queue,
            began_at=after(number / 10),
            ended_at=after((number + 1) / 10),
            lasted_ms=6000,
            magnitude=2,
        )
        for number in range(6000)
    ]
    Stay.objects.bulk_create(stays)
    life = timeline.life_of(item, SEES_ALL, after(601))
    assert life.by_state() == {"inqueue": timedelta(minutes=301), "offered": timedelta(minutes=300)}


def test_a_life_ends_with_the_disposition(queue, ann, supervisor):
    item = make_workitem(State.TERMINATED, queue=queue, agent=ann)
    command = SetDisposition(make_disposition())
    services.execute(command, item.workitem_id, actor=supervisor, now=after(4))
    services.execute(AddNote("Late."), item.workitem_id, actor=supervisor, now=after(90))
    life = timeline.life_of(Workitem.objects.get(), SEES_ALL, after(100))
    assert (life.time, life.is_over) == (timedelta(minutes=4), True)
    assert life.by_state() == {"terminated": timedelta(minutes=4)}


def test_what_was_never_dispositioned_ends_with_the_archive(queue):
    item = make_workitem(State.TERMINATED, queue=queue, terminated_at=after(1), archived_at=after(6))
    assert timeline.life_of(item, SEES_ALL, after(100)).time == timedelta(minutes=6)


def test_a_history_that_names_no_states_stands_in_the_state_of_the_workitem(queue):
    item = make_workitem(State.TERMINATED, queue=queue, archived_at=after(6), place_since=None)
    noted = TimeEvent(workitem=item, version=2, type="x", timestamp=after(2), actor="x", door="api")
    TimeEvent.objects.bulk_create([noted])
    life = timeline.life_of(item, SEES_ALL, after(100))
    assert life.by_state() == {"terminated": timedelta(minutes=6)}
