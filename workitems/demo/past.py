"""What the demo centre has done so far: it opened four weeks ago, has grown since, and has its hours like any other.

Whatever the hour of the first visit, there is a yesterday and a today until this minute.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from queues.channels import Channel
from queues.models import Queue
from workitems.choices import EndedBy, Event, State, Type
from workitems.demo.centre import Centre, Story, arrival, chosen
from workitems.outcomes import History

DAYS = 28
FULL_DAY = 1_200  # today and yesterday are as busy as the simulation is
OLDER_DAY, GROWTH = 120, 0.85  # the day before them, and so much of a day's work had the day before it
# how much comes in by the hour, from midnight on
SHAPE = (14, 11, 10, 10, 11, 13, 16, 20, 25, 28, 30, 29, 26, 25, 27, 28, 27, 24, 21, 19, 18, 17, 16, 15)
BUSY = 26  # of the shape; then people wait longer
TALK_SECONDS = {
    Channel.VOICE: 150,
    Channel.VIDEO_MEETING: 280,
    Channel.EMAIL: 330,
    Channel.SMS: 140,
    Channel.CHAT: 190,
}
WAIT_SECONDS = {Channel.VOICE: 9, Channel.VIDEO_MEETING: 9, Channel.EMAIL: 1300, Channel.SMS: 800, Channel.CHAT: 9}
PACE = {"q_billing": 1.7, "q_messages": 1.2, "q_vip": 0.6}  # some queues are short of people


def histories(dice: random.Random, centre: Centre, now: datetime) -> Iterator[History]:
    """Tell of all workitems that have ended, the oldest day first."""
    told = (_told(dice, centre, at) for at in _moments(dice, timezone.localtime(now)) if at < now)
    return (history for history in told if history.workitem.modified_at <= now)


def _moments(dice: random.Random, now: datetime) -> Iterator[datetime]:
    """Return when they came, by the hours of each day."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for days_ago in reversed(range(DAYS)):
        hours = dice.choices(range(24), weights=SHAPE, k=_day(days_ago))
        moments = sorted(midnight + timedelta(hours=hour, seconds=dice.uniform(0, 3600)) for hour in hours)
        yield from (at - timedelta(days=days_ago) for at in moments)


def _day(days_ago: int) -> int:
    """Return how much came in on a day."""
    return FULL_DAY if days_ago < 2 else round(OLDER_DAY * GROWTH ** (days_ago - 2))


def _told(dice: random.Random, centre: Centre, at: datetime) -> History:
    about = arrival(dice, centre, *chosen(dice))
    if dice.random() < 0.08:
        return _outbound(dice, centre, about, at)
    channel, queue = about["channel_type"], about["queue"]
    spoken = channel in (Channel.VOICE, Channel.CHAT, Channel.VIDEO_MEETING)
    story = Story(about, at)
    if spoken and dice.random() < 0.05:
        return _abandoned(story, 2 + dice.expovariate(1 / 45))
    agent = _answer(dice, centre, story, _wait(dice, channel, queue, at))
    talk = dice.expovariate(1 / TALK_SECONDS[channel]) + 15
    if spoken and dice.random() < 0.2:
        story.step(Event.HELD, State.HOLD, talk / 2, agent)
        story.step(Event.RESUMED, State.ACTIVE, dice.uniform(15, 120), agent)
        talk /= 2
    elsewhere = [one for one in centre.queues.values() if one != queue and one.takes(channel)]
    if elsewhere and dice.random() < 0.06:
        _pass_on(story, dice.choice(elsewhere), agent, talk / 2)
        agent = _answer(dice, centre, story, _wait(dice, channel, queue, at))
    return _finish(dice, centre, story, agent, talk)


def _wait(dice: random.Random, channel: Channel, queue: Queue, at: datetime) -> float:
    rush = 1.4 if SHAPE[timezone.localtime(at).hour] >= BUSY else 1.0
    return dice.expovariate(1 / (WAIT_SECONDS[channel] * PACE.get(queue.queue_id, 1.0) * rush))


def _answer(dice: random.Random, centre: Centre, story: Story, wait: float) -> User:
    """Let somebody answer; now and then the first who is asked does not."""
    queue = story.workitem.queue
    assert queue is not None  # noqa: S101  it waits in one
    if dice.random() < 0.03:
        offer(story, dice.choice(centre.members(queue)), wait)
        story.workitem.leave_agent()
        story.step(Event.OFFER_EXPIRED, State.INQUEUE, queue.offer_timeout_seconds)
        wait = 3
    agent = dice.choice(centre.members(queue))
    offer(story, agent, wait)
    accept(story, agent, dice.uniform(2, 9))
    story.step(Event.ACTIVATED, State.ACTIVE, 1, agent)
    return agent


def _outbound(dice: random.Random, centre: Centre, about: dict[str, Any], at: datetime) -> History:
    queue = about["queue"]
    agent = dice.choice(centre.members(queue))
    kind = {Channel.EMAIL: Type.OUTBOUND_EMAIL, Channel.SMS: Type.OUTBOUND_SMS}.get(
        about["channel_type"], Type.OUTBOUND_CALL
    )
    channel = kind.channels[0]
    about |= {
        "type": kind,
        "channel_type": channel,
        "from_address": about["to_address"],
        "to_address": about["from_address"],
    }
    story = Story(about, at, outbound_agent=agent)
    story.step(Event.ACTIVATED, State.ACTIVE, dice.uniform(3, 20), agent)
    return _finish(dice, centre, story, agent, dice.expovariate(1 / TALK_SECONDS[channel]) + 10)


def _abandoned(story: Story, wait: float) -> History:
    story.workitem.end(EndedBy.CUSTOMER, story.at + timedelta(seconds=wait))
    story.step(Event.ABANDONED, State.TERMINATED, wait, reason=EndedBy.CUSTOMER.value)
    return story.history()


def offer(story: Story, agent: User, seconds: float) -> None:
    """Offer it to an agent after some time."""
    at = story.at + timedelta(seconds=seconds)
    story.workitem.be_offered(agent, at + timedelta(seconds=20))
    story.step(Event.OFFERED, State.OFFERED, seconds)


def accept(story: Story, agent: User, seconds: float) -> None:
    """Let the agent accept it after some time."""
    story.workitem.be_assigned(agent, story.at + timedelta(seconds=seconds))
    story.step(Event.ACCEPTED, State.ACCEPTED, seconds, agent)


def _pass_on(story: Story, queue: Queue, agent: User, seconds: float) -> None:
    details = {"from": story.workitem.selected_queue_id, "to": queue.queue_id}
    story.workitem.enter_queue(queue, at=story.at + timedelta(seconds=seconds))
    story.step(Event.TRANSFERRED, State.INQUEUE, seconds, agent, **details)


def end(story: Story, by: EndedBy, agent: User, seconds: float) -> None:
    """End it after some time."""
    story.workitem.end(by, story.at + timedelta(seconds=seconds))
    story.step(Event.TERMINATED, State.TERMINATED, seconds, agent, reason=by.value)


def _finish(dice: random.Random, centre: Centre, story: Story, agent: User, talk: float) -> History:
    workitem = story.workitem
    end(story, EndedBy.CUSTOMER if dice.random() < 0.5 else EndedBy.AGENT, agent, talk)
    fitting = [one for one in centre.dispositions if one.applies_to(workitem.type)]
    workitem.disposition = dice.choice(fitting)
    wrap_up = dice.uniform(10, 60)
    workitem.dispositioned_at = story.at + timedelta(seconds=wrap_up)
    told = {"dispositionId": workitem.disposition.disposition_id}
    story.step(Event.DISPOSITIONED, State.DISPOSITIONED, wrap_up, agent, **told)
    return story.history()
