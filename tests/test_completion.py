"""What the search box offers while somebody types; a bar in a search is the cursor."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from tests.builders import NOON, make_disposition, make_queue, make_user
from workitems.actors import Actor
from workitems.choices import Door, Scope
from workitems.errors import InvalidSearch
from workitems.groups import grant
from workitems.presenting.search_box import box_of, lookups_for, mistake
from workitems.search import WORKITEMS, condition
from workitems.search.completion import FIELDS, complete

QUEUES = [("q_sales", "Sales"), ("q_support", "Support")]


def queues(typed):
    return [one for one in QUEUES if one[0].startswith(typed) or one[1].lower().startswith(typed)]


def offers(typed, lookups=None):
    text, position = typed.replace("|", ""), typed.index("|")
    return complete(text, position, WORKITEMS, lookups or {"selectedQueue": queues}, now=NOON)


def inserts(typed, lookups=None):
    return [one.insert for one in offers(typed, lookups)]


def taken(typed, number=0):
    """Return the search after an offer was taken."""
    text, one = typed.replace("|", ""), offers(typed)[number]
    return text[: one.start] + one.insert + text[one.end :]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("sta|", "state:"),
        ("STA|", "state:"),
        ("agent|", "agentUsername:"),
        ("dat|", "data."),
        ("-prio|", "priority:"),
        ("(cha|", "channelType:"),
        ("state:active sel|", "selectedQueue:"),
        ("contact:(na|", "name:"),
        ("contact.na|", "contact.name:"),
        ("state:act|", "active"),
        ("state:|", "inqueue"),
        ("state: hol|", "hold"),
        ("state:(inqueue off|", "offered"),
        ("state:(inqueue OR off|", "offered"),
        ("channelType:video|", "videoMeeting"),
        ("priority:hi|", "4"),
        ("priority:>=|", "1"),
        ("priority:[4 TO 5|", None),
        ("event:trans|", "transferred"),
        ("muted:|", "true"),
        ("createdAt:|", "2026-03-02"),
        ("createdAt:>|", "2026-03-02"),
        ("createdAt:>now-1|", "now-1h"),
        ("createdAt:[now-7|", "now-7d"),
        ("exemptUntil:now|", ">now-1h"),
        ("selectedQueue:q_su|", "q_support"),
        ("selectedQueue:sup|", "q_support"),
        ("refund AN|", "AND"),
        ("refund o|", "OR"),
        ("refund |", "AND"),
        ("refund AND |", "state:"),
        ("hold|", "state:hold"),
        ("supp|", "selectedQueue:q_support"),
        ("|", "state:"),
    ],
)
def test_the_likeliest_comes_first(typed, first):
    found = inserts(typed)
    assert (found[0] if found else None) == first


@pytest.mark.parametrize(
    "typed",
    [
        "state:active|",  # it is there already
        "|refund",  # it would stick to the word
        "name:ref|",  # a text has no list of values
        'name:"late ref|',
        '"late ref|',
        "data.ord|",
        "data.order:47|",
        "nothing.like.this:x|",
        "state:zzz|",
        "xyzzy|",
        "from:+1800|",
    ],
)
def test_where_nothing_is_known_nothing_is_offered(typed):
    assert inserts(typed) == []


@pytest.mark.parametrize(
    ("typed", "after"),
    [
        ("sta|te:active", None),
        ("stat|:active", "state:active"),
        ("state:ac|cepted refund", "state:active refund"),
        ("state:|accepted", "state:inqueue"),
        ("chan| AND state:hold", "channelType: AND state:hold"),
        ("state:active sel|:q_sales", "state:active selectedQueue:q_sales"),
        ("state:(hold, act|)", "state:(hold, active)"),
        ("-sta|", "-state:"),
        ('state:"act|', 'state:"active"'),
        ('state:"act|"', 'state:"active"'),
        ("priority:>=hi|", "priority:>=4"),
        ("createdAt:2026-03-01T10:15 sta|", "createdAt:2026-03-01T10:15 state:"),
        ('name:"a:b (" sta|', 'name:"a:b (" state:'),
        (r"name:a\:b\  sta|", r"name:a\:b\  state:"),
    ],
)
def test_an_offer_replaces_what_it_completes_and_leaves_the_rest(typed, after):
    if after is None:
        assert "state" not in inserts(typed)
    else:
        assert taken(typed) == after


def test_an_offer_says_what_it_is():
    first = offers("state:act|")[0]
    assert (first.label, first.about) == ("active", "Active")
    assert offers("sta|")[0].about == "where it is in its life"


def test_every_field_that_people_search_by_says_what_it_is():
    assert set(WORKITEMS.fields) - set(FIELDS) == {"_id", "tenantId", "version"}
    assert set(FIELDS) <= set(WORKITEMS.fields)


def test_at_most_ten_are_offered():
    many = {"selectedQueue": lambda typed: [(f"q_{number}", "") for number in range(50)]}
    assert len(offers("selectedQueue:|", many)) == 10


def test_a_value_with_blanks_is_put_into_quotation_marks():
    known = {"queue.name": lambda typed: [('The "late" ones', ""), ("AND", "")]}
    assert inserts("queue.name:t|", known) == [r'"The \"late\" ones"', '"AND"']


@pytest.mark.parametrize(
    "text", ["state:(", 'name:"', "((", "))", "a:b:c:d", "\\", "[", "state:\\", '"\\', ":::", "->"]
)
def test_nothing_that_is_typed_is_too_odd(text):
    for position in range(-1, len(text) + 2):
        complete(text, position, WORKITEMS, {"selectedQueue": queues}, now=NOON)


def test_a_search_that_is_too_long_gets_no_offers():
    assert inserts("x" * 2001 + " sta|") == []


@pytest.mark.parametrize("typed", ["state:|", "priority:|", "channelType:|", "type:|", "event:|", "createdAt:|",
                                   "createdAt:>|", "muted:|", "selectedQueue:|"])  # fmt: skip
def test_every_value_that_is_offered_can_be_searched_for(typed):
    for number in range(len(offers(typed))):
        try:
            condition(taken(typed, number), WORKITEMS, now=NOON)
        except InvalidSearch as problem:  # pragma: no cover
            pytest.fail(f"{taken(typed, number)}: {problem.message}")


class TestLookups:
    @pytest.fixture
    def lookups(self, db):
        support = make_queue("q_support", name="Support", members=[make_user("ann", first_name="Ann")])
        make_queue("q_secret", name="Secret", members=[make_user("mole", last_name="Ankle")])
        make_disposition("d_solved", name="Solved")
        reader = make_user("rea")
        grant(reader, Scope.READ, support)
        return lookups_for(Actor.of(reader, Door.ADMIN))

    def test_only_queues_are_offered_that_the_person_may_see(self, lookups):
        assert list(lookups["selectedQueue"]("")) == [("q_support", "Support")]
        assert list(lookups["queue.name"]("s")) == [("Support", "q_support")]

    def test_only_agents_are_offered_whom_the_person_may_see(self, lookups):
        assert list(lookups["agentUsername"]("")) == [("ann", "Ann")]
        assert list(lookups["agentUsername"]("ank")) == []

    def test_a_queue_is_found_by_its_id_and_by_a_word_of_its_name(self, lookups):
        assert list(lookups["selectedQueue"]("Q_SUP")) == [("q_support", "Support")]
        assert list(lookups["selectedQueue"]("port")) == [("q_support", "Support")]

    def test_dispositions_are_offered(self, lookups):
        assert list(lookups["dispositionId"]("sol")) == [("d_solved", "Solved")]

    def test_a_stranger_is_offered_nothing(self, lookups):
        nobody = lookups_for(Actor(name="", door=Door.ADMIN))
        assert [list(nobody[name]("")) for name in ("selectedQueue", "agentUsername", "dispositionId")] == [[], [], []]

    def test_a_look_up_is_one_query(self, lookups, django_assert_num_queries):
        with django_assert_num_queries(1):
            list(lookups["selectedQueue"]("s"))


@pytest.mark.django_db
class TestMistakes:
    def wrong(self, text):
        with pytest.raises(InvalidSearch) as caught:
            condition(text, WORKITEMS, now=NOON)
        return mistake(text, caught.value)

    @pytest.mark.parametrize(
        ("text", "fault", "mended"),
        [
            ("refund chanelType:voice", "chanelType", "refund channelType:voice"),
            ("state:actve refund", "actve", "state:active refund"),
            ('state:"actve" refund', '"actve"', "state:active refund"),
            ("(state:active", "(", "(state:active)"),
            ('name:"late refund', '"late refund', 'name:"late refund"'),
            ("refund and late", "and", "refund AND late"),
            ("data:4711 refund", "4711", "data.order:4711 refund"),
            ("priority:x", "x", ""),
            ("refund AND", "", ""),
        ],
    )
    def test_the_fault_is_marked_and_mended(self, text, fault, mended):
        found = self.wrong(text)
        assert (found.fault, found.mended) == (fault, mended)
        assert found.before + found.fault + found.after == text
        if mended:
            condition(mended, WORKITEMS, now=NOON)

    def test_of_a_long_search_only_the_place_is_repeated(self):
        found = self.wrong(f"{'x' * 200} priority:x {'y' * 200}")
        assert found.before == "…" + (("x" * 200) + " priority:")[-80:]
        assert len(found.after) == 81

    def test_the_mended_search_keeps_the_filters_and_begins_at_the_first_page(self):
        with pytest.raises(InvalidSearch) as caught:
            condition("state:actve", WORKITEMS, now=NOON)
        box = box_of(QueryDict("q=state:actve&channel=voice&channel=sms&p=7&view=sv_1"), caught.value)
        assert box.mended_link == "?channel=voice&channel=sms&view=sv_1&q=state%3Aactive"
        assert box.clear_link == "?channel=voice&channel=sms&view=sv_1"
        assert box.kept == [("channel", "voice"), ("channel", "sms"), ("view", "sv_1")]

    def test_every_example_can_be_searched_for(self):
        for example, _about, _link in box_of(QueryDict(""), None).examples:
            condition(example, WORKITEMS, now=NOON)
