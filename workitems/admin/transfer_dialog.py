"""The way from ticked rows to a transfer: where to, a preview, and the word to go.

Each step is a page of the list of workitems itself, so that its filters and its search hold; what was typed and ticked
is carried from step to step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Case, Count, Min, Q, QuerySet, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from queues.models import Queue
from workitems import directory, tasks, transfers
from workitems.actors import Actor
from workitems.admin.base import AT_ONCE, actor_of, duration, grouped
from workitems.choices import Priority, Scope, State
from workitems.errors import SelectionChanged, WorkitemError
from workitems.models import Transfer, Workitem

TARGETS_SHOWN = 200  # of queues, and of agents; the rest is searched for
CARRIED = ("action", "select_across", "seen_at", "_selected_action")
TYPED = ("target", "find", "reason", "priority", "when", "at", "zone")
NOW, LATER = "now", "later"
REASONS = [
    gettext_lazy("Wrong queue"),
    gettext_lazy("Queue is overloaded"),
    gettext_lazy("Agent is absent"),
    gettext_lazy("Customer asked for it"),
    gettext_lazy("Needs a specialist"),
]


@dataclass(frozen=True)
class Target:
    """A queue or an agent as the dialog offers it."""

    value: str
    name: str
    public_id: str
    facts: str
    warning: str = ""

    @property
    def is_queue(self) -> bool:
        """Tell it from an agent."""
        return self.value.startswith("queue:")


class TransferForm(forms.Form):
    """Where to, why, how urgent and when."""

    target = forms.CharField(error_messages={"required": gettext_lazy("Choose a queue or an agent.")})
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=transfers.MOST_REASON,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    priority = forms.TypedChoiceField(
        label=gettext_lazy("Priority"),
        choices=[("", gettext_lazy("Keep as it is")), *reversed(Priority.choices)],
        coerce=int,
        empty_value=None,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    when = forms.ChoiceField(
        choices=[(NOW, gettext_lazy("Now")), (LATER, gettext_lazy("At a time"))], initial=NOW, required=False
    )
    at = forms.CharField(
        label=gettext_lazy("Date and time"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
    )
    zone = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        for name in ("reason", "priority", "at"):
            if self.is_bound and name in self.errors:
                self.fields[name].widget.attrs |= {"aria-invalid": "true", "aria-describedby": f"{name}-errors"}

    def clean_target(self) -> Queue | User:
        """Find the queue or the agent among those that the person may choose."""
        kind, _colon, public_id = self.cleaned_data["target"].partition(":")
        found: Queue | User | None = None
        if kind == "queue":
            found = next((one for one in queues_for(self.actor) if one.queue_id == public_id), None)
        elif kind == "agent":
            found = agents_for(self.actor).filter(username=public_id).first()
        if found is None:
            raise ValidationError(_("This queue or agent cannot be chosen; choose another one."))
        return found

    def clean_zone(self) -> str:
        """Fall back to the server's zone where the browser has told none that is known."""
        return zone_of(self.cleaned_data["zone"]).key

    def clean(self) -> dict[str, Any]:
        """Read the time as the clock on the person's wall shows it."""
        cleaned = super().clean() or {}
        if cleaned.get("when") != LATER:
            cleaned["start_at"] = None
            return cleaned
        try:
            at = datetime.fromisoformat(cleaned.get("at", ""))
        except ValueError:
            self.add_error("at", _("Enter a date and a time."))
            return cleaned
        cleaned["start_at"] = at.replace(tzinfo=zone_of(cleaned.get("zone", "")))
        if cleaned["start_at"] <= timezone.now():
            self.add_error("at", _("This time is past."))
        return cleaned

    @property
    def terms(self) -> transfers.Terms:
        """Return what was chosen."""
        target = self.cleaned_data["target"]
        return transfers.Terms(
            queue=target if isinstance(target, Queue) else None,
            agent=target if isinstance(target, User) else None,
            reason=self.cleaned_data["reason"],
            priority=self.cleaned_data["priority"],
        )


@dataclass
class TransferDialog:
    """One request of the dialog: the rows that are meant, and what the person has typed so far."""

    request: HttpRequest
    rows: QuerySet[Workitem]
    site: dict[str, Any]  # what every page of the back office needs

    def answer(self) -> HttpResponse:
        """Do the step that was asked for and return the next page."""
        step = self.request.POST.get("step", "")
        if step not in ("preview", "confirm"):
            return self._ask(TransferForm(initial=self._typed(), actor=self.actor))
        form = TransferForm(self.request.POST, actor=self.actor)
        if not form.is_valid():
            return self._ask(form)
        try:
            return self._confirm(form) if step == "confirm" else self._preview(form)
        except WorkitemError as refusal:
            return self._ask(form, problem=refusal.message)

    @cached_property
    def actor(self) -> Actor:
        """Return the person."""
        return actor_of(self.request)

    @cached_property
    def across(self) -> bool:
        """Tell whether all rows that match are meant, and not the ticked ones."""
        return self.request.POST.get("select_across") == "1"

    @cached_property
    def ticked(self) -> int:
        """How many rows the person has ticked."""
        return len(set(self.request.POST.getlist("_selected_action")))

    @cached_property
    def selection(self) -> transfers.Selection:
        """Return the rows that are meant, and when the person has seen them."""
        query = self.request.GET.urlencode() if self.across else ""
        return transfers.Selection(rows=self.rows, query=query, seen_at=_moment(self.request.POST.get("seen_at", "")))

    def _typed(self) -> dict[str, str]:
        return {name: self.request.POST[name] for name in TYPED if name in self.request.POST}

    def _ask(self, form: TransferForm, problem: str = "") -> HttpResponse:
        find = self.request.POST.get("find", "").strip()
        chosen, count = str(form["target"].value() or ""), self.rows.count()
        targets, left_out = targets_for(self.actor, find, chosen, timezone.now())
        return self._page(
            "transfer_dialog.html",
            _("Transfer"),
            form=form,
            problem=problem,
            count=count,
            count_text=grouped(count),
            find=find,
            chosen=chosen,
            targets=targets,
            left_out=left_out,
            reasons=REASONS,
            zone=timezone.get_default_timezone_name(),
            carried=self._hidden(CARRIED),
        )

    def _preview(self, form: TransferForm, problem: str = "") -> HttpResponse:
        now = timezone.now()
        preview = transfers.preview(self.selection, form.terms, actor=self.actor, now=now)
        start_at: datetime | None = form.cleaned_data["start_at"]
        pages = _pages(preview)
        return self._page(
            "transfer_preview.html",
            _("Preview of the transfer"),
            form=form,
            problem=problem,
            preview=preview,
            expected=preview.total,
            facts=_figures(preview),
            target=_name_of(form.cleaned_data["target"]),
            standing=_standing(preview, form.cleaned_data["target"], now),
            is_queue=isinstance(form.cleaned_data["target"], Queue),
            reads_target=self._reads(form.cleaned_data["target"]),
            left_out=0 if self.across else self.ticked - preview.total,
            drift=_drift(preview, pages),
            refused=_reasons(preview, pages),
            priority=Priority(form.terms.priority).label if form.terms.priority else "",
            start_at=start_at,
            zone=form.cleaned_data["zone"],
            at_once=preview.total <= AT_ONCE and start_at is None,
            most_at_once=AT_ONCE,
            carried=self._hidden((*CARRIED, *TYPED)),
        )

    def _confirm(self, form: TransferForm) -> HttpResponse:
        expected = self.request.POST.get("expected", "")
        if not expected.isdecimal():
            return self._preview(form)
        start_at, now = form.cleaned_data["start_at"], timezone.now()
        try:
            transfer = transfers.request(
                self.selection, form.terms, actor=self.actor, now=now, start_at=start_at, expected=int(expected)
            )
        except SelectionChanged as refusal:
            return self._preview(form, problem=refusal.message)
        set_going(transfer, self.actor, now)
        address = reverse("admin:workitems_transfer_change", args=[transfer.pk])
        query = self.request.GET.urlencode()
        return HttpResponseRedirect(f"{address}?{urlencode({'_changelist_filters': query})}" if query else address)

    def _reads(self, target: Queue | User) -> bool:
        return isinstance(target, User) or self.actor.can_in(Scope.READ, target)

    def _hidden(self, names: Iterable[str]) -> list[tuple[str, str]]:
        posted: MultiValueDict[str, str] = self.request.POST
        return [(name, value) for name in names for value in posted.getlist(name)]

    def _page(self, template: str, title: str, **context: Any) -> HttpResponse:
        return TemplateResponse(
            self.request,
            f"admin/workitems/{template}",
            {
                **self.site,
                "title": title,
                "list_query": self.request.GET.urlencode(),
                **context,
            },
        )


def set_going(transfer: Transfer, actor: Actor, now: datetime) -> None:
    """Do a small transfer that is due at once; leave the rest of it, and larger ones, to the workers."""
    if transfer.start_at > now:
        return
    if transfer.total <= AT_ONCE:
        transfers.do_at_once(transfer, actor=actor, clock=timezone.now)
        tasks.wake_routing()
    if not transfer.is_finished:
        tasks.wake_transfer(transfer)


def queues_for(actor: Actor) -> list[Queue]:
    """Return the queues that somebody may send work into."""
    return [queue for queue in Queue.objects.order_by("name", "pk") if actor.can_transfer_into(queue)]


def agents_for(actor: Actor) -> QuerySet[User]:
    """Return the agents to whom somebody may transfer: those he sees who are active."""
    agents: QuerySet[User] = directory.visible_agents(actor).filter(is_active=True)
    return agents.select_related("presence").order_by("username")


def targets_for(actor: Actor, find: str, chosen: str, now: datetime) -> tuple[list[Target], int]:
    """Return the queues and agents to choose from, each with where it stands, and how many more there are.

    What is chosen already is always among them.
    """
    word = find.casefold()
    named = Q(username__icontains=find) | Q(first_name__icontains=find) | Q(last_name__icontains=find)
    is_chosen = Q(username=chosen.removeprefix("agent:"))
    queues = [
        one
        for one in queues_for(actor)
        if word in f"{one.name}\n{one.queue_id}".casefold() or chosen == f"queue:{one.queue_id}"
    ]
    people = agents_for(actor).filter(named | is_chosen)
    left_out = max(0, len(queues) - TARGETS_SHOWN) + max(0, people.count() - TARGETS_SHOWN)
    queues.sort(key=lambda one: chosen != f"queue:{one.queue_id}" and len(queues) > TARGETS_SHOWN)
    agents = list(people.order_by(Case(When(is_chosen, then=0), default=1), "username")[:TARGETS_SHOWN])
    return [
        *_queue_targets(queues[:TARGETS_SHOWN], actor, now),
        *_agent_targets(sorted(agents, key=User.get_username)),
    ], left_out


def _queue_targets(queues: list[Queue], actor: Actor, now: datetime) -> list[Target]:
    waiting = Workitem.objects.filter(state=State.INQUEUE, queue__in=[one.pk for one in queues])
    lines = {
        pk: (count, longest)
        for pk, count, longest in waiting.order_by().values_list("queue").annotate(Count("pk"), Min("queued_at"))
    }
    targets = []
    for queue in queues:
        count, longest = lines.get(queue.pk, (0, None))
        warnings = [
            *([] if queue.is_open else [_("It takes no work now.")]),
            *([] if actor.can_in(Scope.READ, queue) else [_("You will not see it there.")]),
        ]
        facts = f"{_('Open') if queue.is_open else _('Closed')}: {_line_in_words(count, longest, now)}"
        targets.append(Target(f"queue:{queue.queue_id}", queue.name, queue.queue_id, facts, " ".join(warnings)))
    return targets


def _agent_targets(agents: list[User]) -> list[Target]:
    held = Workitem.objects.open().filter(agent__in=[one.pk for one in agents]).order_by()
    in_hand = dict(held.values_list("agent").annotate(Count("pk")))
    targets = []
    for agent in agents:
        presence = getattr(agent, "presence", None)
        count = in_hand.get(agent.pk, 0)
        facts = ngettext("%d item in hand", "%d items in hand", count) % count
        name = agent.get_full_name() or agent.get_username()
        facts = f"{presence.get_status_display()}: {facts}" if presence else facts
        targets.append(Target(f"agent:{agent.get_username()}", name, agent.get_username(), facts))
    return targets


def _line_in_words(count: int, longest: datetime | None, now: datetime) -> str:
    if not count or longest is None:
        return _("nothing waits")
    words = {"count": grouped(count), "wait": duration((now - longest).total_seconds())}
    return _("%(count)s waiting, the longest for %(wait)s") % words


def _standing(preview: transfers.Preview, target: Queue | User, now: datetime) -> str:
    load = preview.load
    if isinstance(target, User):
        return ngettext("%d item in hand", "%d items in hand", load.in_hand) % load.in_hand
    return _line_in_words(load.waiting, load.longest_since, now)


def _figures(preview: transfers.Preview) -> dict[str, str]:
    return {
        "total": grouped(preview.total),
        "moving": grouped(preview.forecast.allowed),
        "refused": grouped(preview.forecast.refusals),
        "after": grouped(preview.load.waiting + preview.forecast.allowed),
    }


@dataclass(frozen=True)
class Group:
    """Some of the workitems of which one thing is to be said, and how many there are."""

    words: str
    count: str
    samples: list[tuple[str, str]]  # id and address
    left_out: str = ""


def _reasons(preview: transfers.Preview, pages: dict[str, str]) -> list[Group]:
    refused = sorted(preview.forecast.refused.values(), key=lambda one: -one.count)
    return [_group(one.refusal.message, one.count, one.samples, pages) for one in refused]


def _drift(preview: transfers.Preview, pages: dict[str, str]) -> list[Group]:
    drift = preview.drift
    if drift is None:
        return []
    kinds = [
        (_("Changed since you loaded the list"), drift.changed, "changed"),
        (_("New since then"), drift.new, "new"),
    ]
    return [_group(words, count, drift.samples.get(name, []), pages) for words, count, name in kinds if count]


def _group(words: str, count: int, samples: list[str], pages: dict[str, str]) -> Group:
    known = [(one, pages[one]) for one in samples if one in pages]
    return Group(words, grouped(count), known, grouped(count - len(known)) if count > len(known) else "")


def _pages(preview: transfers.Preview) -> dict[str, str]:
    """Return the addresses of all samples, which are all such that the person may see them."""
    samples = {one for refused in preview.forecast.refused.values() for one in refused.samples}
    if preview.drift is not None:
        samples |= {one for some in preview.drift.samples.values() for one in some}
    pks = Workitem.objects.filter(workitem_id__in=samples).values_list("workitem_id", "pk")
    return {one: reverse("admin:workitems_workitem_change", args=[pk]) for one, pk in pks}


def _name_of(target: Queue | User) -> str:
    return target.name if isinstance(target, Queue) else target.get_full_name() or target.get_username()


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone of this name, or the server's."""
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return ZoneInfo(timezone.get_default_timezone_name())


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
