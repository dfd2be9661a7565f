"""The demo centre: its queues, its people with passwords of their own, its contacts, and how a story of it is told.

Names are made up, telephone numbers lie in the ranges that Ofcom keeps for drama, e-mail addresses in example domains.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from contacts.models import Contact, ContactEmail, ContactPhone
from queues.channels import Channel
from queues.models import Queue
from workitems.choices import Event, Priority, Scope, State, Type
from workitems.groups import grant, grant_transfer_in
from workitems.models import Disposition, TimeEvent, Workitem
from workitems.outcomes import History

NAME = "demo"
CONTACTS = 400

QUEUES = {
    "q_support": ("Support", (Channel.VOICE, Channel.CHAT, Channel.EMAIL)),
    "q_sales": ("Sales", (Channel.VOICE, Channel.CHAT)),
    "q_billing": ("Billing", (Channel.VOICE, Channel.EMAIL)),
    "q_messages": ("Messages", (Channel.SMS, Channel.CHAT)),
    "q_vip": ("Key accounts", (Channel.VOICE, Channel.VIDEO_MEETING, Channel.EMAIL)),
}
SHARES = {"q_support": 36, "q_sales": 22, "q_billing": 18, "q_messages": 14, "q_vip": 10}  # of all that comes
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
SILENT = 9  # every so manieth customer goes away from a chat without a word
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


def build(dice: random.Random) -> Centre:
    """Make the queues, the people and the contacts."""
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
    _add_contacts(dice, centre)
    return centre


def _add_contacts(dice: random.Random, centre: Centre) -> None:
    names = [(dice.choice(FIRST), dice.choice(LAST)) for _number in range(CONTACTS)]
    centre.contacts = Contact.objects.bulk_create(
        Contact(display_name=f"{first} {last}", first_name=first, last_name=last, company=dice.choice(COMPANIES))
        for first, last in names
    )
    for number, contact in enumerate(centre.contacts):
        centre.numbers[contact.pk] = f"+4477009{number:05d}"
        centre.addresses[contact.pk] = f"{contact.first_name}.{contact.last_name}{number}@example.org".lower()
    ContactPhone.objects.bulk_create(
        ContactPhone(contact_id=pk, number=number, is_primary=True) for pk, number in centre.numbers.items()
    )
    ContactEmail.objects.bulk_create(
        ContactEmail(contact_id=pk, address=address, is_primary=True) for pk, address in centre.addresses.items()
    )


def open_accounts(centre: Centre) -> list[Account]:
    """Let people in, each with a password of his own, and return who they are: whom to try first comes first."""
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
        supervisor: "the desk and the back office, all queues: begin here",
        centre.agents[VISITOR]: "an agent of Support and Key accounts",
        admin: "everything, people and rights included",
        integration: "REST, all queues",
    }
    return [_with_password(user, role) for user, role in roles.items()]


def _with_password(user: User, role: str) -> Account:
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save(update_fields=["password"])
    return Account(user.get_username(), role, password)


def chosen(dice: random.Random, among: Collection[Channel] = tuple(Channel)) -> tuple[str, Channel]:
    """Return a queue and one of these channels that it takes, as often as customers choose them."""
    lines = [(queue_id, one) for queue_id, (_name, takes) in QUEUES.items() for one in takes if one in among]
    weights = [SHARES[queue_id] / len(QUEUES[queue_id][1]) for queue_id, _channel in lines]
    return dice.choices(lines, weights=weights)[0]


def arrival(dice: random.Random, centre: Centre, queue_id: str, channel: Channel) -> dict[str, Any]:
    """Return what a new interaction is about: queue, channel, type, who and what."""
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


def goes_silent(channel: str, contact_id: int | None) -> bool:
    """Tell whether this customer goes away from a chat without a word."""
    return channel == Channel.CHAT and (contact_id or 0) % SILENT == 0


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

    def history(self) -> History:
        """Return it, to be recorded."""
        return History(self.workitem, self.events)
