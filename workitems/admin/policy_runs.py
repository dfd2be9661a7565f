"""The record of what stale policies did, with the buttons that steer a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from queues.channels import Channel
from queues.models import Queue
from workitems import policies, tasks
from workitems.admin.policies import OnlyForAdmins
from workitems.admin.runs import RunAdmin
from workitems.choices import State
from workitems.errors import WorkitemError
from workitems.models import FINISHED, PolicyRun, PolicyRunItem, RunItem, StalePolicy, Workitem
from workitems.presenting.run_words import OUTCOMES, Chip, Line, progress_of, reason_of
from workitems.presenting.words import duration, grouped
from workitems.staff import actor_of

ITEMS_SHOWN = 50

Outcome = RunItem.Outcome


@admin.register(PolicyRun)
class PolicyRunAdmin(OnlyForAdmins, RunAdmin):
    """Each time that a policy acted, and each time that this was taken back."""

    list_display = ["run_id", "policy", "state_word", "progress", "began", "alert"]
    list_filter = ["state", "is_capped", "policy"]
    list_select_related = ["policy", "acknowledged_by"]
    search_fields = ["run_id"]
    search_help_text = gettext_lazy("The id of a run.")
    list_before_template = "admin/workitems/policy_alerts.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PolicyRun]:
        """Show all of them to those who may see any."""
        return policies.runs_for(actor_of(request))

    @display(  # type: ignore[untyped-decorator]
        description=gettext_lazy("alert"), label={"waits": "danger", "seen": "info"}
    )
    def alert(self, run: PolicyRun) -> tuple[str, str] | None:
        """Say whether it has halted its policy, and whether somebody has seen to that."""
        if not run.is_halting:
            return None
        if run.acknowledged_at is None:
            return "waits", _("Waits")
        return "seen", _("Seen to by %s") % (run.acknowledged_by or "–")

    def pages(self) -> dict[str, Callable[..., HttpResponseBase]]:
        """Return the buttons."""
        return {
            "pause": self.pause_view,
            "resume": self.resume_view,
            "retry": self.retry_view,
            "go_on": self.go_on_view,
            "cancel": self.cancel_view,
            "reopen": self.reopen_view,
        }

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the record."""
        if request.method == "POST":
            raise PermissionDenied  # what was done stays as it is written
        run: PolicyRun = self.seen(request, object_id)
        return self.page(
            request,
            "policy_run.html",
            _title(run),
            run=run,
            **progress_of(run, timezone.now()),
            terms=_terms(run),
            reopened_by=list(run.reopened_by.order_by("pk")),
            **_buttons(run),
            **_items(run, request),
        )

    def pause_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let it stand still."""
        return self._press(request, object_id, policies.pause, _("Paused."))

    def resume_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let it go on."""
        return self._press(request, object_id, policies.resume, _("It goes on."), wakes=True)

    def retry_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take on once more what was set aside."""
        return self._press(request, object_id, policies.retry, _("What was set aside is tried again."), wakes=True)

    def go_on_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """See to the alert, and let the policy go on."""
        return self._press(request, object_id, policies.go_on, _("The policy goes on with the next sweep."))

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End it, after a question."""
        if request.method == "POST":
            return self._press(request, object_id, policies.cancel, _("Cancelled."))
        run: PolicyRun = self.seen(request, object_id)
        if run.is_finished:
            return self._back(run)
        return self.page(
            request, "policy_cancel.html", _("Cancel this run?"), run=run, pending_text=grouped(run.pending)
        )

    def reopen_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Reopen what it has ended, after a question with the count."""
        run: PolicyRun = self.seen(request, object_id)
        if request.method == "POST":
            return self._reopen(request, run)
        if not _can_be_reopened(run):
            return self._back(run)
        count = policies.reopenable(run).count()
        return self.page(
            request,
            "policy_reopen.html",
            _("Reopen what this run has ended?"),
            run=run,
            count=count,
            count_text=grouped(count),
            ended_text=grouped(run.done),
            touched=run.done - count,
            touched_text=grouped(run.done - count),
        )

    def _reopen(self, request: HttpRequest, run: PolicyRun) -> HttpResponse:
        try:
            reopening = policies.reopen(run, actor=actor_of(request), now=timezone.now())
        except WorkitemError as refusal:
            messages.error(request, refusal.message)
            return self._back(run)
        tasks.wake_policy_run(reopening)
        text = ngettext("%s workitem is reopened.", "%s workitems are reopened.", reopening.total)
        messages.success(request, text % grouped(reopening.total))
        return self._back(reopening)

    def _press(
        self, request: HttpRequest, object_id: str, do: Callable[..., Any], text: str, *, wakes: bool = False
    ) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        run: PolicyRun = self.seen(request, object_id)
        try:
            do(run, actor=actor_of(request), now=timezone.now())
        except WorkitemError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, text)
            if wakes:
                tasks.wake_policy_run(run)
        return self._back(run)

    def _back(self, run: PolicyRun) -> HttpResponse:
        return HttpResponseRedirect(run.get_absolute_url())

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Policies begin their runs themselves."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep what was done as it is written."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep the records."""
        return False


def _title(run: PolicyRun) -> str:
    if run.reopens is not None:
        return _("Reopening of run %s") % run.reopens.run_id
    return _("Run of “%s”") % run.policy


def _can_be_reopened(run: PolicyRun) -> bool:
    ends = run.reopens_id is None and run.terms["act"] == StalePolicy.Act.TERMINATE
    return ends and run.state in FINISHED and run.done > 0


def _buttons(run: PolicyRun) -> dict[str, bool]:
    return {
        "is_alert": run.is_halting and run.acknowledged_at is None,
        "can_reopen": _can_be_reopened(run),
    }


def _terms(run: PolicyRun) -> list[tuple[str, str]]:
    """Return what the policy said, in words."""
    terms = run.terms
    queue = Queue.objects.filter(queue_id=terms["queueId"]).first() if terms["queueId"] else None
    lines = [
        (_("Queue"), queue.name if queue else terms["queueId"] or _("Any")),
        (_("Channel"), str(Channel(terms["channel"]).label) if terms["channel"] else _("Any")),
        (_("State"), str(State(terms["state"]).label)),
        (_("Without activity for"), duration(terms["afterSeconds"])),
        (_("Warning ahead"), duration(terms["warnSeconds"]) if terms["warnSeconds"] else _("None")),
        (_("What to do"), str(StalePolicy.Act(terms["act"]).label)),
    ]
    if terms["act"] == StalePolicy.Act.REQUEUE:
        lines.append((_("Place in the queue"), _("As it was") if terms["keepsPlace"] else _("At the end")))
    if terms["dispositionId"]:
        lines.append((_("Disposition"), terms["dispositionId"]))
    return [*lines, (_("At most in a run"), grouped(terms["cap"]))]


def _items(run: PolicyRun, request: HttpRequest) -> dict[str, Any]:
    """Return a page of the items with their outcomes, and where the other pages are."""
    counts = {Outcome.DONE: run.done, Outcome.REFUSED: run.refused, Outcome.FAILED: run.failed}
    counts[Outcome.PENDING] = run.pending
    asked = request.GET.get("outcome", "")
    outcome = asked if asked in Outcome.values else ""
    code = request.GET.get("code", "") if outcome == Outcome.REFUSED else ""
    total = run.refusals.get(code, 0) if code else counts[Outcome(outcome)] if outcome else run.total
    pages = max(1, -(-total // ITEMS_SHOWN))
    number = request.GET.get("page", "1")
    page = min(max(1, int(number)), pages) if number.isdecimal() and len(number) < 10 else 1
    rows = run.items.order_by("pk")
    rows = rows.filter(outcome=outcome) if outcome else rows
    rows = rows.filter(code=code) if code else rows
    items = list(rows[(page - 1) * ITEMS_SHOWN : page * ITEMS_SHOWN])
    known = Workitem.objects.filter(workitem_id__in=[item.workitem_id for item in items]).select_related("queue")
    by_id = {workitem.workitem_id: workitem for workitem in known}

    def address(wanted: int) -> str:
        asked = {"outcome": outcome, "code": code, "page": str(wanted)}
        return urlencode({name: value for name, value in asked.items() if value})

    return {
        "lines": [_line(run, item, by_id.get(item.workitem_id)) for item in items],
        "chips": [
            Chip(_("All"), grouped(run.total), "", not outcome),
            *(
                Chip(_word(run, one), grouped(count), urlencode({"outcome": one.value}), one == outcome)
                for one, count in counts.items()
                if count or one == outcome
            ),
        ],
        "reasons": [
            Chip(words, grouped(count), urlencode({"outcome": Outcome.REFUSED.value, "code": one}), one == code)
            for words, one, count in sorted((_reason(one), one, count) for one, count in run.refusals.items())
        ],
        "page": page,
        "pages": pages,
        "newer": address(page - 1) if page > 1 else "",
        "older": address(page + 1) if page < pages else "",
    }


def _line(run: PolicyRun, item: PolicyRunItem, workitem: Workitem | None) -> Line:
    about = ""
    if workitem is not None:
        queue = workitem.queue.name if workitem.queue else ""
        about = " · ".join(text for text in (workitem.name, workitem.get_state_display(), queue) if text)
    return Line(
        workitem_id=item.workitem_id,
        address=reverse("admin:workitems_workitem_change", args=[workitem.pk]) if workitem else "",
        about=about,
        outcome=item.outcome,
        icon=OUTCOMES[Outcome(item.outcome)][0],
        word=_word(run, Outcome(item.outcome)),
        reason=reason_of(item),
    )


def _word(run: PolicyRun, outcome: RunItem.Outcome) -> str:
    if outcome is Outcome.DONE:
        acts = {
            StalePolicy.Act.TERMINATE: _("Terminated"),
            StalePolicy.Act.REQUEUE: _("Returned"),
            StalePolicy.Act.DISPOSE: _("Dispositioned"),
        }
        return _("Reopened") if run.reopens_id is not None else acts[StalePolicy.Act(run.terms["act"])]
    return {
        Outcome.REFUSED: _("Spared"),
        Outcome.FAILED: _("Set aside"),
        Outcome.PENDING: _("Pending"),
    }[outcome]


def _reason(code: str) -> str:
    known = {
        "exempt": _("exempt"),
        "not_stale": _("active meanwhile"),
        "not_warned": _("warning still stands"),
        "other_policy": _("policy changed, or another holds"),
        "stale_version": _("touched since"),
        "state": _("another state meanwhile"),
        "not_found": _("gone, or not visible"),
    }
    return known.get(code, code)
