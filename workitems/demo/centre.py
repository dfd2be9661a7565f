"""The demo centre: queues, people with passwords of their own, contacts, and some weeks of work.

Names are made up, telephone numbers lie in the ranges that Ofcom keeps for drama, e-mail addresses in example domains.
"""

from __future__ import annotations

import random
import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from contacts.models import Contact, ContactEmail, ContactPhone
from queues.channels import Channel
from queues.models import Queue
from workitems import policies, routing, services
from workitems.actors import Actor
from workitems.choices import EndedBy, Event, Priority, Scope, State, Type
from workitems.groups import grant, grant_transfer_in
from workitems.models import Disposition, Presence, StalePolicy, TimeEvent, Workitem

NAME = "demo"
WEEKS = 4
PAST_ITEMS = 3_000
OPEN_ITEMS = 60
CONTACTS = 400

QUEUES = {
    "q_support": ("Support", (Channel.VOICE, Channel.CHAT, Channel.EMAIL)),
    "q_sales": ("Sales", (Channel.VOICE, Channel.CHAT)),
    "q_billing": ("Billing", (Channel.VOICE, Channel.EMAIL)),
    "q_messages": ("Messages", (Channel.SMS, Channel.CHAT)),
    "q_vip": ("Key accounts", (Channel.VOICE, Channel.VIDEO_MEETING, Channel.EMAIL)),
}
AGENTS = {
    "ann.brook": ("q_support", "q_vip"),
    "ben.carter": ("q_support", "q_messages"),
    "chloe.diaz": ("q_support", "q_billing"),
    "dev.edwards": ("q_sales",),
    "ella.fox": ("q_sales", "q_messages"),
    "finn.grant": ("q_billing", "q_vip"),
    "grace.hill": ("q_messages", "q_support"),
    "hugo.ives": ("q_sales", "q_vip"),
}
OFFERING = ("q_support", "q_sales", "q_vip")  # by themselves; in the others the simulation offers
POLICIES = ("p_lost_calls", "p_unanswered_offers", "p_idle_chats")  # of those that are shipped, switched on here
VISITOR = "ann.brook"  # the agent whose password is shown
DISPOSITIONS = {
    "d_solved": ("Solved", True, []),
    "d_follow_up": ("Needs follow-up", False, []),
    "d_sold": ("Sold", True, [Type.INBOUND_CALL, Type.OUTBOUND_CALL, Type.CHAT]),
    "d_wrong_number": ("Wrong number", True, [Type.INBOUND_CALL]),
    "d_spam": ("Spam", True, [Type.INBOUND_EMAIL, Type.INBOUND_SMS, Type.FACEBOOK, Type.WHATSAPP]),
}
TYPES = {
    Channel.VOICE: ((Type.INBOUND_CALL, 8), (Type.PREDICTIVE_CALL, 1)),
    Channel.VIDEO_MEETING: ((Type.INBOUND_CALL, 1),),
    Channel.EMAIL: ((Type.INBOUND_EMAIL, 1),),
    Channel.SMS: ((Type.INBOUND_SMS, 1),),
    Channel.CHAT: ((Type.CHAT, 5), (Type.WHATSAPP, 3), (Type.FACEBOOK, 1), (Type.INSTAGRAM, 1), (Type.TWITTER, 1)),
}
SUBJECTS = (
    "Parcel has not arrived", "Invoice is wrong", "Change of address", "Cannot sign in", "Wants an offer for ten seats",
    "Refund for order", "Question about opening hours", "Complaint about delivery", "Cancel the subscription",
    "Technical fault after update", "Wants a call back", "Lost card", "Upgrade of the plan", "Missing part",
)  # fmt: skip
FIRST = (
    "Amelia", "Bruno", "Carla", "Daniel", "Edith", "Farid", "Gina", "Hector", "Ines", "Jonas", "Kaya", "Liam", "Mona",
    "Nils", "Olga", "Pavel", "Quinn", "Rosa", "Samir", "Tessa",
)  # fmt: skip
LAST = (
    "Abbott", "Berger", "Castro", "Dalton", "Egan", "Fischer", "Greco", "Hansen", "Ibarra", "Jansen", "Keller", "Lopez",
    "Moore", "Novak", "Owens", "Petrov", "Quist", "Rossi", "Sato", "Turner",
)  # fmt: skip
COMPANIES = ("", "", "", "Northwind Example Ltd", "Harbour Example plc", "Meadow Example GmbH", "Summit Example Inc")
TALK_SECONDS = {
    Channel.VOICE: 280,
    Channel.VIDEO_MEETING: 900,
    Channel.EMAIL: 420,
    Channel.SMS: 120,
    Channel.CHAT: 500,
}
WAIT_SECONDS = {Channel.VOICE: 40, Channel.VIDEO_MEETING: 30, Channel.EMAIL: 2400, Channel.SMS: 900, Channel.CHAT: 45}


@dataclass(frozen=True)
class Account:
    """Somebody who can sign in, with a password that is shown once."""

    username: str
    role: str
    password: str


@dataclass
class Centre:
    """What the past is told with."""

    queues: dict[str, Queue]
    agents: dict[str, User]
    dispositions: list[Disposition]
    contacts: list[Contact]
    numbers: dict[int, str] = field(default_factory=dict)
    addresses: dict[int, str] = field(default_factory=dict)

    def members(self, queue: Queue) -> list[User]:
        """Return the agents who work in a queue."""
        return [self.agents[name] for name, queues in AGENTS.items() if queue.queue_id in queues]


def is_loaded() -> bool:
    """Tell whether this database has the demo centre."""
    return Queue.objects.filter(queue_id__in=QUEUES).count() == len(QUEUES)


@transaction.atomic
def load(*, now: datetime, seed: int = 1) -> list[Account]:
    """Build the centre with its past, all or nothing, and return who can sign in."""
    dice = random.Random(seed)  # noqa: S311  a past to look at, no secret
    centre = _centre(dice)
    accounts = _accounts(centre)
    actor = Actor.job(NAME, Scope.ADMIN)
    histories = (_past(dice, centre, now) for _number in range(PAST_ITEMS))
    for chunk in services.chunks(histories, services.CHUNK):
        services.record(chunk, actor=actor)
    services.record([_present(dice, centre, now) for _number in range(OPEN_ITEMS)], actor=actor)
    _come_to_work(centre, actor, now)
    _switch_policies_on(centre, actor, now)
    return accounts


def _centre(dice: random.Random) -> Centre:
    queues = {}
    for queue_id, (name, channels) in QUEUES.items():
        queues[queue_id] = Queue.objects.create(
            queue_id=queue_id,
            name=name,
            priority=4 if queue_id == "q_vip" else 3,
            offers_automatically=queue_id in OFFERING,
        )
        queues[queue_id].take(channels)
    agents = {}
    for username, queue_ids in AGENTS.items():
        first, last = (part.title() for part in username.split("."))
        agent = User.objects.create_user(username, f"{username}@example.com", first_name=first, last_name=last)
        for queue_id in queue_ids:
            queues[queue_id].members.add(agent)
            grant(agent, Scope.WRITE, queues[queue_id])
        for queue in queues.values():
            grant_transfer_in(agent, queue)
        agents[username] = agent
    dispositions = [
        Disposition.objects.create(disposition_id=one, name=name, is_resolved=resolved, types=[str(t) for t in types])
        for one, (name, resolved, types) in DISPOSITIONS.items()
    ]
    centre = Centre(queues, agents, dispositions, [])
    for number in range(CONTACTS):
        _add_contact(dice, centre, number)
    return centre


def _add_contact(dice: random.Random, centre: Centre, number: int) -> None:
    first, last = dice.choice(FIRST), dice.choice(LAST)
    contact = Contact.objects.create(
        display_name=f"{first} {last}", first_name=first, last_name=last, company=dice.choice(COMPANIES)
    )
    phone, email = f"+4477009{number:05d}", f"{first}.{last}{number}@example.org".lower()
    ContactPhone.objects.create(contact=contact, number=phone, is_primary=True)
    ContactEmail.objects.create(contact=contact, address=email, is_primary=True)
    centre.contacts.append(contact)
    centre.numbers[contact.pk], centre.addresses[contact.pk] = phone, email


def _accounts(centre: Centre) -> list[Account]:
    admin = User.objects.create_superuser("admin", "admin@example.com", first_name="Ada", last_name="Min")
    supervisor = User.objects.create_user(
        "supervisor", "supervisor@example.com", first_name="Sofia", last_name="Visor", is_staff=True
    )
    for scope in (Scope.WRITE, Scope.DELETE):
        grant(supervisor, scope)
    for queue in centre.queues.values():
        queue.supervisors.add(supervisor)
    integration = User.objects.create_user("integration", "integration@example.com")
    grant(integration, Scope.WRITE)
    roles = {
        admin: "everything",
        supervisor: "back office and supervisor's pages, all queues",
        centre.agents[VISITOR]: "an agent of Support and Key accounts",
        integration: "REST, all queues",
    }
    return [_with_password(user, role) for user, role in roles.items()]


def _with_password(user: User, role: str) -> Account:
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save(update_fields=["password"])
    return Account(user.get_username(), role, password)


def _come_to_work(centre: Centre, actor: Actor, now: datetime) -> None:
    """Let everybody be there but one, who has left with work in hand: so there is something to return."""
    in_hand = Counter(Workitem.objects.handled().values_list("agent", flat=True))
    others = [agent for username, agent in centre.agents.items() if username != VISITOR]
    gone = max(others, key=lambda agent: in_hand[agent.pk])
    for agent in centre.agents.values():
        status = Presence.Status.OFFLINE if agent == gone else Presence.Status.AVAILABLE
        routing.set_presence(agent, status, actor=actor, now=now)


def _switch_policies_on(centre: Centre, actor: Actor, now: datetime) -> None:
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
        warn_seconds=600,
    )
    policies.save(forgotten, actor=actor, now=now)


def arrival(dice: random.Random, centre: Centre) -> dict[str, Any]:
    """Return what a new interaction is about: queue, channel, type, who and what."""
    queue_id = dice.choices(list(QUEUES), weights=[40, 20, 18, 14, 8])[0]
    channel = dice.choice(QUEUES[queue_id][1])
    types, weights = zip(*TYPES[channel], strict=True)
    contact = dice.choice(centre.contacts)
    address = centre.addresses[contact.pk] if channel is Channel.EMAIL else centre.numbers[contact.pk]
    return {
        "queue": centre.queues[queue_id],
        "channel_type": channel,
        "type": dice.choices(types, weights=weights)[0],
        "contact": contact,
        "from_address": address,
        "to_address": f"{queue_id[2:]}@example.com" if channel is Channel.EMAIL else "+442079460100",
        "name": dice.choice(SUBJECTS),
        "priority": dice.choices([*Priority.values], weights=[3, 10, 70, 12, 5])[0],
    }


class Story:
    """A workitem as it would have lived, told step by step."""

    def __init__(self, about: dict[str, Any], at: datetime, outbound_agent: User | None = None) -> None:
        self.at = at
        self.workitem = Workitem(
            **about,
            state=State.INQUEUE,
            current_state_name=State.INQUEUE,
            created_at=at,
            modified_at=at,
            state_changed_at=at,
            active_at=at,
            queued_at=at,
        )
        self.events: list[TimeEvent] = []
        if outbound_agent is None:
            self._tell(Event.CREATED, "", NAME, State.INQUEUE)
        else:
            self.workitem.queued_at = None
            self.workitem.be_assigned(outbound_agent, at)
            self._tell(Event.CREATED, "", outbound_agent.get_username(), State.ACCEPTED)

    def step(self, code: Event, state: State, seconds: float, actor: User | None = None, **details: Any) -> None:
        """Go on to a state after some time."""
        self.at += timedelta(seconds=seconds)
        before = self.workitem.state
        name = actor.get_username() if actor else NAME
        self._tell(code, before, name, state, **details)

    def _tell(self, code: Event, before: str, actor: str, state: State, **details: Any) -> None:
        self.workitem.enter_state(state, self.at)
        self.workitem.modified_at = self.workitem.active_at = self.at
        self.events.append(
            TimeEvent(
                type=code,
                timestamp=self.at,
                actor=actor,
                from_state=before,
                to_state=state,
                queue=self.workitem.queue,
                agent=self.workitem.agent,
                details=details,
            )
        )

    def history(self) -> services.History:
        """Return it, to be recorded."""
        return services.History(self.workitem, self.events)


def _past(dice: random.Random, centre: Centre, now: datetime) -> services.History:
    """Tell of a workitem that has ended: by office hours, most of them answered, some abandoned."""
    about = arrival(dice, centre)
    channel, queue = about["channel_type"], about["queue"]
    day = dice.randrange(1, WEEKS * 7)
    opens = (now - timedelta(days=day)).replace(hour=8, minute=0, second=0, microsecond=0)
    at = opens + timedelta(seconds=dice.triangular(0, 10 * 3600, 3 * 3600))
    if dice.random() < 0.08:
        return _outbound(dice, centre, about, at)
    story = Story(about, at)
    wait = dice.expovariate(1 / WAIT_SECONDS[channel])
    spoken = channel in (Channel.VOICE, Channel.CHAT, Channel.VIDEO_MEETING)
    if spoken and dice.random() < 0.07:
        return _abandoned(story, wait)
    agent = dice.choice(centre.members(queue))
    if dice.random() < 0.08:
        _offer(story, dice.choice(centre.members(queue)), wait)
        story.workitem.leave_agent()
        story.step(Event.OFFER_EXPIRED, State.INQUEUE, queue.offer_timeout_seconds)
        wait = 3
    _offer(story, agent, wait)
    _accept(story, agent, dice.uniform(2, 12))
    story.step(Event.ACTIVATED, State.ACTIVE, 1, agent)
    talk = dice.expovariate(1 / TALK_SECONDS[channel]) + 20
    if spoken and dice.random() < 0.2:
        story.step(Event.HELD, State.HOLD, talk / 2, agent)
        story.step(Event.RESUMED, State.ACTIVE, dice.uniform(15, 120), agent)
    return _finish(dice, centre, story, agent, talk / 2)


def _outbound(dice: random.Random, centre: Centre, about: dict[str, Any], at: datetime) -> services.History:
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


def _abandoned(story: Story, wait: float) -> services.History:
    story.workitem.end(EndedBy.CUSTOMER, story.at + timedelta(seconds=wait))
    story.step(Event.ABANDONED, State.TERMINATED, wait, reason=EndedBy.CUSTOMER.value)
    return story.history()


def _offer(story: Story, agent: User, seconds: float) -> None:
    at = story.at + timedelta(seconds=seconds)
    story.workitem.be_offered(agent, at + timedelta(seconds=20))
    story.step(Event.OFFERED, State.OFFERED, seconds)


def _accept(story: Story, agent: User, seconds: float) -> None:
    story.workitem.be_assigned(agent, story.at + timedelta(seconds=seconds))
    story.step(Event.ACCEPTED, State.ACCEPTED, seconds, agent)


def _finish(dice: random.Random, centre: Centre, story: Story, agent: User, talk: float) -> services.History:
    workitem = story.workitem
    by = EndedBy.CUSTOMER if dice.random() < 0.5 else EndedBy.AGENT
    workitem.end(by, story.at + timedelta(seconds=talk))
    story.step(Event.TERMINATED, State.TERMINATED, talk, agent, reason=by.value)
    fitting = [one for one in centre.dispositions if one.applies_to(workitem.type)]
    workitem.disposition = dice.choice(fitting)
    wrap_up = dice.uniform(10, 90)
    workitem.dispositioned_at = story.at + timedelta(seconds=wrap_up)
    story.step(
        Event.DISPOSITIONED,
        State.DISPOSITIONED,
        wrap_up,
        agent,
        dispositionId=workitem.disposition.disposition_id,
    )
    return story.history()


def _present(dice: random.Random, centre: Centre, now: datetime) -> services.History:
    """Tell of a workitem that is open at this moment, in one of the six states, or still in wrap-up."""
    state = dice.choices(
        [State.INQUEUE, State.OFFERED, State.ACCEPTED, State.ACTIVE, State.HOLD, State.CONFERENCE, State.TERMINATED],
        weights=[30, 4, 4, 12, 4, 2, 6],
    )[0]
    about = arrival(dice, centre)
    if state in (State.HOLD, State.CONFERENCE):
        about |= {"channel_type": Channel.VOICE, "type": Type.INBOUND_CALL, "queue": centre.queues["q_support"]}
    story = Story(about, now - timedelta(seconds=dice.uniform(20, 900)))
    if state is State.INQUEUE:
        return story.history()
    agent = dice.choice(centre.members(about["queue"]))
    _offer(story, agent, 2)
    if state is State.OFFERED:
        story.workitem.offer_expires_at = now + timedelta(seconds=about["queue"].offer_timeout_seconds)
        return story.history()
    _accept(story, agent, 3)
    if state is State.ACCEPTED:
        return story.history()
    story.step(Event.ACTIVATED, State.ACTIVE, 1, agent)
    if state is State.HOLD:
        story.step(Event.HELD, State.HOLD, 5, agent)
    elif state is State.CONFERENCE:
        story.step(Event.CONFERENCED, State.CONFERENCE, 5, agent, participant="+442079460199")
    elif state is State.TERMINATED:
        story.workitem.end(EndedBy.CUSTOMER, story.at + timedelta(seconds=10))
        story.step(Event.TERMINATED, State.TERMINATED, 10, agent, reason=EndedBy.CUSTOMER.value)
    return story.history()
