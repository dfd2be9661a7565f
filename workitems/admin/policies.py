"""Stale policies in the back office: what they say, what they would do, and whether one waits for somebody."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from queues.channels import Channel
from workitems import policies
from workitems.admin.exporting import Exporting
from workitems.choices import Scope, State
from workitems.errors import DuplicateObject, StaleVersion
from workitems.models import StalePolicy, Workitem
from workitems.presenting.words import duration, grouped, is_key
from workitems.staff import actor_of


class StalePolicyForm(forms.ModelForm):
    """What a policy says."""

    seen_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = StalePolicy
        fields = [
            "policy_id", "name", "is_enabled", "queue", "channel", "state", "after_seconds", "warn_seconds", "act",
            "keeps_place", "disposition", "cap",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seen_version"].initial = self.instance.version

    def clean(self) -> dict[str, Any]:
        """Refuse to overwrite what somebody else has changed meanwhile.

        The page saves in this same transaction, so with the row locked nothing can come between.
        """
        cleaned = super().clean() or {}
        if self.instance.pk is not None:
            current = StalePolicy.objects.select_for_update().get(pk=self.instance.pk).version
            if cleaned.get("seen_version") != current:
                refusal = StaleVersion(expected=cleaned.get("seen_version"), current=current)
                self.add_error(None, refusal.message)
        return cleaned


class OnlyForAdmins(Exporting):
    """Pages for those with the admin scope everywhere; for others they do not exist."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Open to the admin scope everywhere."""
        return Scope.ADMIN in actor_of(request).everywhere

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Open to the admin scope everywhere."""
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Open to the admin scope everywhere."""
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Open to the admin scope everywhere."""
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Open to the admin scope everywhere."""
        return self.has_module_permission(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show what waits for somebody on top of the list."""
        context = {"alerts": policies.alerts() if self.has_view_permission(request) else []}
        answer: HttpResponse = super().changelist_view(request, {**context, **(extra_context or {})})
        return answer

    def seen(self, request: HttpRequest, object_id: str) -> Any:
        """Return the object of a page of our own, or raise what leads to the right answer."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_queryset(request).filter(pk=object_id).first() if is_key(object_id) else None
        if found is None:
            raise Http404
        return found

    def page(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        """Return a page of our own."""
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        return TemplateResponse(request, f"admin/workitems/{template}", {**shared, **context})


@admin.register(StalePolicy)
class StalePolicyAdmin(OnlyForAdmins):
    """What becomes of workitems in which nothing happens for too long."""

    form = StalePolicyForm
    list_display = ["name", "policy_id", "place", "state", "after", "act", "status"]
    list_filter = ["is_enabled", "state", "channel"]
    list_select_related = ["queue", "disposition"]
    search_fields = ["policy_id", "name"]
    list_before_template = "admin/workitems/policy_alerts.html"
    change_form_outer_before_template = "admin/workitems/policy_head.html"
    fieldsets = [
        (None, {"fields": ["policy_id", "name", "is_enabled", "seen_version"]}),
        (
            gettext_lazy("Which workitems"),
            {
                "fields": ["queue", "channel", "state", "after_seconds"],
                "description": gettext_lazy(
                    "Of several policies that fit, the most specific holds: queue and channel, then queue, then "
                    "channel, then neither."
                ),
            },
        ),
        (
            gettext_lazy("What becomes of them"),
            {"fields": ["warn_seconds", "act", "keeps_place", "disposition", "cap"]},
        ),
    ]
    actions = None
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[StalePolicy]:
        """Show all of them to those who may see any."""
        return policies.policies_for(actor_of(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the id of an existing policy: events and records name it."""
        return ["policy_id"] if obj else []

    @admin.display(description=gettext_lazy("where"))
    def place(self, policy: StalePolicy) -> str:
        """Name its queue and its channel."""
        queue = policy.queue.name if policy.queue else _("Any queue")
        return f"{queue} · {Channel(policy.channel).label if policy.channel else _('any channel')}"

    @admin.display(description=gettext_lazy("after"), ordering="after_seconds")
    def after(self, policy: StalePolicy) -> str:
        """Show the time as people say it."""
        return duration(policy.after_seconds)

    @display(  # type: ignore[untyped-decorator]
        description=gettext_lazy("status"),
        label={"on": "success", "halted": "danger", "off": "info"},
        ordering="is_enabled",
    )
    def status(self, policy: StalePolicy) -> tuple[str, str]:
        """Say whether it is on, and whether it waits for somebody."""
        if policy.halted_at is not None:
            return "halted", _("Halted")
        return ("on", _("On")) if policy.is_enabled else ("off", _("Off"))

    def get_urls(self) -> list[Any]:
        """Add the page of the simulation."""
        view = self.admin_site.admin_view(self.simulate_view)
        return [path("<path:object_id>/simulate/", view, name="workitems_stalepolicy_simulate"), *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the form; where somebody else was quicker with just the same, the form says so on a second look."""
        context = {**self._head(request, object_id), **(extra_context or {})}
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except DuplicateObject:
            return super().changeform_view(request, object_id, form_url, context)

    def save_model(self, request: HttpRequest, obj: StalePolicy, form: StalePolicyForm, change: bool) -> None:
        """Have the policy written down with its new version and an audit entry."""
        policies.save(obj, actor=actor_of(request), now=timezone.now())

    def delete_model(self, request: HttpRequest, obj: StalePolicy) -> None:
        """Delete what has never acted; the page before has refused the rest."""
        policies.delete(obj, actor=actor_of(request), now=timezone.now())

    def simulate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what the policy would do now and would have done of late; nothing is done."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        policy: StalePolicy = self.seen(request, object_id)
        now = timezone.now()
        simulated = policies.simulate(policy, now=now)
        parts = [
            (_("It would act on these now"), simulated.now, _("Nothing is stale now.")),
            (_("It would have acted on these in the last seven days"), simulated.past, _("None in seven days.")),
        ]
        if policy.warn_seconds:
            parts.insert(1, (_("It would warn of these now"), simulated.unwarned, _("Nothing is to be warned of now.")))
        parts.append((_("It would spare these now, being exempt"), simulated.exempt, _("Nothing is exempt.")))
        pks = self._pks([line for _title, lines, _none in parts for line in lines])
        return self.page(
            request,
            "policy_simulation.html",
            _("Simulation of “%s”") % policy,
            policy=policy,
            after=duration(policy.after_seconds),
            moment=now,
            parts=[(title, [self._line(line, pks) for line in lines], none) for title, lines, none in parts],
            total=simulated.total,
            total_text=grouped(simulated.total),
            past_total=simulated.past_total,
            past_text=grouped(simulated.past_total),
            would_halt=simulated.would_halt,
            cap=grouped(simulated.cap),
        )

    def _line(self, line: policies.Line, pks: dict[str, int]) -> dict[str, Any]:
        return {
            "queue": line.queue.name if line.queue else _("No queue"),
            "state": State(line.state).label,
            "count": grouped(line.count),
            "samples": [(one, pks.get(one)) for one in line.samples],
        }

    def _pks(self, lines: list[policies.Line]) -> dict[str, int]:
        ids = {one for line in lines for one in line.samples}
        return dict(Workitem.objects.filter(workitem_id__in=ids).values_list("workitem_id", "pk"))

    def _head(self, request: HttpRequest, object_id: str | None) -> dict[str, Any]:
        """Return what stands above the form of an existing policy."""
        if object_id is None or not is_key(object_id):
            return {}
        policy = self.get_queryset(request).filter(pk=object_id).first()
        if policy is None:
            return {}
        return {
            "policy": policy,
            "halting_run": policies.halting_run(policy) if policy.halted_at else None,
            "latest_run": policy.runs.order_by("-pk").first(),
        }
