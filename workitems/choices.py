"""The words of the domain; every value is the one used on the wire."""

from __future__ import annotations

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _

from queues.channels import Channel


class Type(TextChoices):
    """What kind of interaction a workitem is."""

    INBOUND_CALL = "InboundCall", _("Inbound call")
    OUTBOUND_CALL = "OutboundCall", _("Outbound call")
    PREDICTIVE_CALL = "PredictiveCall", _("Predictive call")
    INBOUND_EMAIL = "InboundEmail", _("Inbound e-mail")
    OUTBOUND_EMAIL = "OutboundEmail", _("Outbound e-mail")
    INBOUND_SMS = "InboundSMS", _("Inbound SMS")
    OUTBOUND_SMS = "OutboundSMS", _("Outbound SMS")
    CHAT = "Chat", _("Chat")
    FACEBOOK = "Facebook", _("Facebook")
    INSTAGRAM = "Instagram", _("Instagram")
    TWITTER = "Twitter", _("Twitter")
    WHATSAPP = "Whatsapp", _("WhatsApp")

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels on which an interaction of this type can happen; the first is the usual one."""
        if self.value.endswith("Call"):
            return (Channel.VOICE, Channel.VIDEO_MEETING)
        if self.value.endswith("Email"):
            return (Channel.EMAIL,)
        if self.value.endswith("SMS"):
            return (Channel.SMS,)
        return (Channel.CHAT,)

    @property
    def is_outbound(self) -> bool:
        """Tell whether an agent starts it; a predictive call is dialled by the system and then waits for an agent."""
        return self in (Type.OUTBOUND_CALL, Type.OUTBOUND_EMAIL, Type.OUTBOUND_SMS)


class State(TextChoices):
    """Where a workitem is in its life."""

    INQUEUE = "inqueue", _("In queue")
    OFFERED = "offered", _("Offered")
    ACCEPTED = "accepted", _("Accepted")
    ACTIVE = "active", _("Active")
    HOLD = "hold", _("On hold")
    CONFERENCE = "conference", _("In conference")
    TERMINATED = "terminated", _("In wrap-up")
    DISPOSITIONED = "dispositioned", _("Dispositioned")


WAITING = (State.INQUEUE, State.OFFERED)
HANDLED = (State.ACCEPTED, State.ACTIVE, State.HOLD, State.CONFERENCE)
OPEN = WAITING + HANDLED
WITH_AGENT = (State.OFFERED, *HANDLED)
ENDED = (State.TERMINATED, State.DISPOSITIONED)


class Priority(IntegerChoices):
    """How urgent a workitem is."""

    LOWEST = 1, _("Lowest")
    LOW = 2, _("Low")
    NORMAL = 3, _("Normal")
    HIGH = 4, _("High")
    HIGHEST = 5, _("Highest")


class EndedBy(TextChoices):
    """Who ended the interaction."""

    AGENT = "agent", _("Agent")
    CUSTOMER = "customer", _("Customer")
    SYSTEM = "system", _("System")
    POLICY = "policy", _("Stale policy")


class EntryOutcome(TextChoices):
    """How an entry into a queue ended."""

    ANSWERED = "answered", _("Answered")
    ABANDONED = "abandoned", _("Abandoned")
    FLOWED_OUT = "flowedOut", _("Flowed out")


class Action(TextChoices):
    """What can be done to a workitem."""

    CREATE = "create", _("Create")
    OFFER = "offer", _("Offer to an agent")
    ACCEPT = "accept", _("Accept")
    REJECT = "reject", _("Reject")
    EXPIRE_OFFER = "expireOffer", _("Expire offer")
    RETURN_TO_QUEUE = "returnToQueue", _("Return to its queue")
    PULL = "pull", _("Take it yourself")
    BRIDGE = "bridge", _("Activate")
    HOLD = "hold", _("Hold")
    UNHOLD = "unhold", _("Resume")
    MUTE = "mute", _("Mute")
    UNMUTE = "unmute", _("Unmute")
    DTMF = "dtmf", _("Send tones")
    CONFERENCE = "conference", _("Add to conference")
    LEAVE_CONFERENCE = "leaveConference", _("Leave conference")
    HANGUP = "hangup", _("Hang up")
    TRANSFER = "transfer", _("Transfer")
    PRIORITY = "priority", _("Set priority")
    SEND_EMAIL_RESPONSE = "sendEmailResponse", _("Answer by e-mail")
    EDIT = "edit", _("Edit")
    NOTE = "note", _("Add a note")
    DISPOSITION = "disposition", _("Disposition")
    EXEMPT = "exempt", _("Exempt from stale policies")
    WARN_STALE = "warnStale", _("Warn before it is stale")
    TERMINATE_STALE = "terminateStale", _("Terminate as stale")
    REOPEN = "reopen", _("Reopen")
    ARCHIVE = "archive", _("Archive")
    UNARCHIVE = "unarchive", _("Bring back from the archive")
    PURGE = "purge", _("Purge")


class Event(TextChoices):
    """What the timeline can tell; integrations add names of their own beside these."""

    CREATED = "created", _("Created")
    OFFERED = "offered", _("Offered")
    ACCEPTED = "accepted", _("Accepted")
    REJECTED = "rejected", _("Offer rejected")
    OFFER_EXPIRED = "offerExpired", _("Offer expired")
    RETURNED = "returnedToQueue", _("Returned to its queue")
    PULLED = "pulled", _("Taken from the queue")
    ACTIVATED = "activated", _("Activated")
    HELD = "held", _("Put on hold")
    RESUMED = "resumed", _("Resumed")
    MUTED = "muted", _("Muted")
    UNMUTED = "unmuted", _("Unmuted")
    TONES_SENT = "tonesSent", _("Tones sent")
    CONFERENCED = "conferenced", _("Conference started")
    CONFERENCE_LEFT = "conferenceLeft", _("Conference left")
    ABANDONED = "abandoned", _("Abandoned by the customer")
    TERMINATED = "terminated", _("Ended")
    TRANSFERRED = "transferred", _("Transferred")
    TRANSFER_UNDONE = "transferUndone", _("Transfer undone")
    PRIORITIZED = "prioritized", _("Priority set")
    EMAIL_ANSWERED = "emailAnswered", _("Answered by e-mail")
    EMAIL_FAILED = "emailFailed", _("E-mail not delivered")
    EMAIL_SENT = "emailSent", _("E-mail sent after all")
    EDITED = "edited", _("Edited")
    NOTED = "note", _("Note")
    DISPOSITIONED = "dispositioned", _("Dispositioned")
    EXEMPTED = "exempted", _("Exempted from stale policies")
    STALE_WARNED = "staleWarned", _("Soon stale")
    TERMINATED_STALE = "terminatedStale", _("Ended as stale")
    REOPENED = "reopened", _("Reopened")
    ARCHIVED = "archived", _("Archived")
    UNARCHIVED = "unarchived", _("Brought back from the archive")


# what shows nobody caring for a workitem: the events of commands that are no activity
PASSIVE = frozenset(
    {
        Event.PRIORITIZED,
        Event.EDITED,
        Event.EMAIL_FAILED,
        Event.EMAIL_SENT,
        Event.EXEMPTED,
        Event.STALE_WARNED,
        Event.ARCHIVED,
        Event.UNARCHIVED,
    }
)


class Scope(TextChoices):
    """What somebody may do with workitems; the four groups of people bear these names."""

    READ = "workitems:read", _("See workitems")
    WRITE = "workitems:write", _("Create and change workitems")
    DELETE = "workitems:delete", _("Delete or archive workitems")
    ADMIN = "workitems:admin", _("Everything")

    @property
    def codename(self) -> str:
        """The name of the permission on Queue that grants this scope."""
        return f"{self.value.removeprefix('workitems:')}_workitems"


TRANSFER_IN = "transfer_in"


class Door(TextChoices):
    """The way by which somebody came in."""

    ADMIN = "admin", _("Back office")
    PAGE = "page", _("Supervisor's page")
    API = "api", _("API")
    JOB = "job", _("Job")


class Recording(TextChoices):
    """What happens to a running recording when a call is transferred to an agent."""

    KEEP = "keepCurrent", _("Keep")
    START = "startRecording", _("Start")
    STOP = "stopRecording", _("Stop")
