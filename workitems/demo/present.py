"""How the demo centre stands when somebody sees it first: who is there, what waits, and what wants looking at.

A call is nearly late and a mail overdue, customers have gone away from their chats, and an agent has left with work in
hand: more forgotten wrap-ups than a policy may touch at once, so that it stops and somebody has to look.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from queues.channels import Channel
from workitems import policies, routing
from workitems.actors import Actor
from workitems.choices import EndedBy, Event, State
from workitems.demo.centre import Centre, Story, arrival, goes_silent
from workitems.demo.past import accept, end, offer
from workitems.models import Presence, StalePolicy
from workitems.outcomes import History

POLICIES = ("p_lost_calls", "p_unanswered_offers", "p_idle_chats")  # of those that are shipped, switched on here
GONE, AWAY = "hugo.ives", "ella.fox"
CAPACITY = {  # so little of what is written that some of it waits
    Channel.VOICE.value: 1,
    Channel.VIDEO_MEETING.value: 1,
    Channel.CHAT.value: 2,
    Channel.SMS.value: 2,
    Channel.EMAIL.value: 1,
}
LEFT_BEHIND, CAP = 6, 4  # wrap-ups of who is gone, and how many of them the policy takes at once
# queue, channel, and for how many seconds it has waited
WAITING = (
    ("q_support", Channel.VOICE, 19),
    ("q_support", Channel.VOICE, 4),
    ("q_support", Channel.CHAT, 11),
    ("q_support", Channel.EMAIL, 840),
    ("q_sales", Channel.VOICE, 8),
    ("q_billing", Channel.VOICE, 38),
    ("q_billing", Channel.VOICE, 14),
    ("q_billing", Channel.EMAIL, 3_870),
    ("q_billing", Channel.EMAIL, 2_950),
    ("q_billing", Channel.EMAIL, 900),
    ("q_billing", Channel.EMAIL, 240),
    ("q_messages", Channel.SMS, 2_400),
    ("q_messages", Channel.SMS, 420),
    ("q_messages", Channel.CHAT, 16),
    ("q_vip", Channel.EMAIL, 500),
)
# agent, queue, channel, state, and for how many seconds he has had it
IN_HAND = (
    ("ann.brook", "q_support", Channel.VOICE, State.ACTIVE, 95),
    ("ann.brook", "q_vip", Channel.EMAIL, State.ACTIVE, 410),
    ("ben.carter", "q_support", Channel.CHAT, State.ACTIVE, 130),
    ("ben.carter", "q_messages", Channel.CHAT, State.ACTIVE, 45),
    ("ben.carter", "q_messages", Channel.SMS, State.TERMINATED, 20),
    ("chloe.diaz", "q_billing", Channel.VOICE, State.HOLD, 240),
    ("chloe.diaz", "q_support", Channel.EMAIL, State.ACTIVE, 300),
    ("dev.edwards", "q_sales", Channel.VOICE, State.ACTIVE, 61),
    ("dev.edwards", "q_sales", Channel.CHAT, State.TERMINATED, 35),
    ("ella.fox", "q_messages", Channel.SMS, State.ACTIVE, 500),
    ("finn.grant", "q_vip", Channel.VIDEO_MEETING, State.CONFERENCE, 380),
    ("finn.grant", "q_billing", Channel.EMAIL, State.ACTIVE, 150),
    ("grace.hill", "q_support", Channel.VOICE, State.ACCEPTED, 6),
    ("grace.hill", "q_messages", Channel.CHAT, State.OFFERED, 3),
    (GONE, "q_sales", Channel.VOICE, State.ACTIVE, 1_100),
    (GONE, "q_vip", Channel.EMAIL, State.ACTIVE, 1_900),
)
SILENT = (("ben.carter", "q_support", 1_795), ("dev.edwards", "q_sales", 1_560), ("grace.hill", "q_messages", 1_310))


def histories(dice: random.Random, centre: Centre, now: datetime) -> Iterator[History]:
    """Tell of all that is open, or still in wrap-up."""
    for queue_id, channel, seconds in WAITING:
        yield Story(arrival(dice, centre, queue_id, channel), now - timedelta(seconds=seconds)).history()
    for name, queue_id, channel, state, seconds in IN_HAND:
        yield _in_hand(dice, centre, now, (centre.agents[name], queue_id, channel, state, seconds))
    for name, queue_id, seconds in SILENT:
        yield _gone_silent(dice, centre, now, (centre.agents[name], queue_id, seconds))
    for number in range(LEFT_BEHIND):
        about = (centre.agents[GONE], "q_sales", Channel.VOICE, State.TERMINATED, 3_900 + 240 * number)
        yield _in_hand(dice, centre, now, about)


def come_to_work(centre: Centre, actor: Actor, now: datetime) -> None:
    """Let everybody be there, but one who is away and one who has left."""
    statuses = {GONE: Presence.Status.OFFLINE, AWAY: Presence.Status.AWAY}
    for number, (name, agent) in enumerate(centre.agents.items()):
        since = now - timedelta(minutes=4 + 7 * number)
        routing.set_presence(agent, statuses.get(name, Presence.Status.AVAILABLE), actor=actor, now=since)
        routing.set_capacity(agent, CAPACITY, actor=actor, now=since)


def switch_policies_on(centre: Centre, actor: Actor, now: datetime) -> None:
    """Let policies clean up."""
    for policy in StalePolicy.objects.filter(policy_id__in=POLICIES):
        policy.is_enabled = True
        policies.save(policy, actor=actor, now=now)
    forgotten = StalePolicy(
        policy_id="p_forgotten_wrap_up",
        name="Wrap-up that lasts longer than an hour",
        is_enabled=True,
        state=State.TERMINATED,
        after_seconds=3600,
        act=StalePolicy.Act.DISPOSE,
        disposition=next(one for one in centre.dispositions if one.disposition_id == "d_follow_up"),
        cap=CAP,
    )
    policies.save(forgotten, actor=actor, now=now)


def _in_hand(
    dice: random.Random, centre: Centre, now: datetime, about: tuple[User, str, Channel, State, int]
) -> History:
    agent, queue_id, channel, state, seconds = about
    story = Story(arrival(dice, centre, queue_id, channel), now - timedelta(seconds=seconds + 12))
    offer(story, agent, 7)
    if state is State.OFFERED:
        story.workitem.offer_expires_at = now + timedelta(seconds=20)
        return story.history()
    accept(story, agent, 4)
    if state is not State.ACCEPTED:
        story.step(Event.ACTIVATED, State.ACTIVE, 1, agent)
    if state is State.HOLD:
        story.step(Event.HELD, State.HOLD, seconds * 0.8, agent)
    elif state is State.CONFERENCE:
        story.step(Event.CONFERENCED, State.CONFERENCE, seconds * 0.5, agent, participant="+442079460199")
    elif state is State.TERMINATED:
        end(story, EndedBy.CUSTOMER, agent, 0)
    return story.history()


def _gone_silent(dice: random.Random, centre: Centre, now: datetime, about: tuple[User, str, int]) -> History:
    agent, queue_id, seconds = about
    what = arrival(dice, centre, queue_id, Channel.CHAT)
    what["contact"] = next(one for one in centre.contacts if goes_silent(Channel.CHAT, one.pk))
    story = Story(what, now - timedelta(seconds=seconds + 12))
    offer(story, agent, 7)
    accept(story, agent, 4)
    story.step(Event.ACTIVATED, State.ACTIVE, 1, agent)
    return story.history()
