"""A call-back or a walk-in that somebody takes down by hand: a short form, and all of it is made or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from contacts.addresses import normal_email, normal_phone
from contacts.models import Contact
from queues.channels import Channel
from queues.models import Queue
from workitems import directory, services, tasks
from workitems.actors import Actor
from workitems.admin.guarded import GuardedAdmin
from workitems.choices import Priority, Scope, Type
from workitems.commands import AddNote, Create
from workitems.errors import DuplicateWorkitem, InvalidValue, MissingScope, WorkitemError
from workitems.models import Workitem, new_workitem_id
from workitems.presenting.action_forms import MOST_NOTE
from workitems.presenting.words import is_key
from workitems.staff import actor_of

# what people take down by hand comes first, each with a word on what it is for
PURPOSES = {
    Type.INBOUND_CALL: gettext_lazy("Inbound call: somebody who has come or called"),
    Type.PREDICTIVE_CALL: gettext_lazy("Predictive call: a call-back that any agent of the queue makes"),
    Type.OUTBOUND_CALL: gettext_lazy("Outbound call: a call-back that you make yourself"),
}
# the fields of the form by the names that refusals give them
FIELDS = {
    "selectedQueue": "queue", "contactId": "contact", "type": "type", "channelType": "type", "priority": "priority",
    "name": "name", "phones": "new_address", "emails": "new_address", "displayName": "new_name", "text": "note",
}  # fmt: skip


def _type_choices() -> list[Any]:
    def named(kinds: Iterable[Type]) -> list[tuple[str, Any]]:
        return [
            (kind.value, PURPOSES.get(kind, kind.label)) for kind in sorted(kinds, key=lambda one: one not in PURPOSES)
        ]

    return [
        ("", gettext_lazy("Choose what it is")),
        (gettext_lazy("Waits in a queue for an agent"), named(kind for kind in Type if not kind.is_outbound)),
        (gettext_lazy("Is in your own hands at once"), named(kind for kind in Type if kind.is_outbound)),
    ]


class AddForm(forms.Form):
    """What it is, of whom, where it waits, how urgent, and a note."""

    workitem_id = forms.CharField(widget=forms.HiddenInput, max_length=64)
    type = forms.TypedChoiceField(
        label=gettext_lazy("What"), choices=_type_choices, coerce=Type, widget=UnfoldAdminSelectWidget
    )
    contact = forms.ModelChoiceField(Contact.objects.none(), label=gettext_lazy("Contact"), required=False)
    new_name = forms.CharField(
        label=gettext_lazy("Name"), max_length=200, required=False, widget=UnfoldAdminTextInputWidget
    )
    new_address = forms.CharField(
        label=gettext_lazy("Number or e-mail address"),
        max_length=254,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )
    queue = forms.ModelChoiceField(
        Queue.objects.none(),
        label=gettext_lazy("Queue"),
        required=False,
        empty_label=gettext_lazy("Choose a queue"),
        help_text=gettext_lazy("Open queues into which you may put work. What is in your own hands needs none."),
        widget=UnfoldAdminSelectWidget,
    )
    priority = forms.TypedChoiceField(
        label=gettext_lazy("Priority"),
        choices=[("", gettext_lazy("As usual in the queue")), *reversed(Priority.choices)],
        coerce=int,
        empty_value=None,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    name = forms.CharField(
        label=gettext_lazy("Subject"), max_length=200, required=False, widget=UnfoldAdminTextInputWidget
    )
    theirs = forms.CharField(
        label=gettext_lazy("Customer’s number or address"),
        max_length=254,
        required=False,
        help_text=gettext_lazy("Where to reach the customer; empty: the contact’s first number or address."),
        widget=UnfoldAdminTextInputWidget,
    )
    ours = forms.CharField(
        label=gettext_lazy("Our number or address"),
        max_length=254,
        required=False,
        help_text=gettext_lazy("Where the customer reached us, or from which we call back; may stay empty."),
        widget=UnfoldAdminTextInputWidget,
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=MOST_NOTE,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, actor: Actor, chooser: forms.Widget, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fields["workitem_id"].initial = new_workitem_id()
        contact = self.fields["contact"]
        contact.widget = chooser
        there = directory.visible_contacts(actor).filter(erased_at=None)
        contact.queryset = there  # type: ignore[attr-defined]
        self.fields["queue"].queryset = queues_for(actor)  # type: ignore[attr-defined]
        if not may_add_contacts(actor):
            del self.fields["new_name"], self.fields["new_address"]

    def clean(self) -> dict[str, Any]:
        """Take one contact at most, and of a new one a name with the number or address."""
        cleaned = super().clean() or {}
        new_name, new_address = cleaned.get("new_name", ""), cleaned.get("new_address", "")
        if cleaned.get("contact") and (new_name or new_address):
            self.add_error("new_name", _("Choose a contact or name a new one, not both."))
        elif new_name and not new_address:
            self.add_error("new_address", _("Enter a number or an e-mail address."))
        elif new_address and not new_name:
            self.add_error("new_name", _("Enter a name."))
        elif new_address:
            self._check_unknown(new_address)
        return cleaned

    def _check_unknown(self, address: str) -> None:
        if "@" not in address and normal_phone(address) is None:
            self.add_error("new_address", _("“%s” is neither a number nor an e-mail address.") % address[:50])
            return
        known = directory.visible_contacts(self.actor).filter(pk__in=Contact.objects.known_by(address).values("pk"))
        found = known.order_by("pk").first()
        if found is not None:
            facts = {"name": found.display_name, "id": found.contact_id}
            self.add_error("new_address", _("%(name)s (%(id)s) is known by it: choose that contact above.") % facts)

    def make(self) -> Workitem:
        """Make contact, workitem and note; raise a WorkitemError, and make nothing, where one is refused."""
        with transaction.atomic():
            now = timezone.now()
            workitem = services.create(self._command(), actor=self.actor, now=now)
            if self.cleaned_data["note"]:
                note = AddNote(self.cleaned_data["note"])
                workitem = services.execute(note, workitem.workitem_id, actor=self.actor, now=now)
            return workitem

    def _command(self) -> Create:
        cleaned = self.cleaned_data
        kind: Type = cleaned["type"]
        contact = cleaned["contact"] or self._new_contact()
        theirs = cleaned["theirs"] or (_usual_address(contact, kind.channels[0]) if contact else "")
        sender, receiver = (cleaned["ours"], theirs) if kind.is_outbound else (theirs, cleaned["ours"])
        return Create(
            kind,
            queue=cleaned["queue"],
            contact=contact,
            workitem_id=cleaned["workitem_id"],
            from_address=sender,
            to_address=receiver,
            name=cleaned["name"],
            priority=cleaned["priority"],
        )

    def _new_contact(self) -> Contact | None:
        name, address = self.cleaned_data.get("new_name"), self.cleaned_data.get("new_address")
        if not name or not address:
            return None
        kind = "emails" if "@" in address else "phones"
        values = {"displayName": name, kind: [address]}
        made: Contact = directory.CONTACT.create(values, actor=self.actor, now=timezone.now())
        return made

    def field_at_fault(self, refusal: WorkitemError) -> str | None:
        """Return the field beside which a refusal is told, or None for the whole form."""
        if isinstance(refusal, InvalidValue):
            outbound = self.cleaned_data["type"].is_outbound
            addresses = {"from": "ours", "to": "theirs"} if outbound else {"from": "theirs", "to": "ours"}
            field = (FIELDS | addresses).get(refusal.field)
        else:
            field = "queue" if isinstance(refusal, MissingScope) or "queue" in refusal.facts else None
        return field if field in self.fields else None


class WorkitemAdd(GuardedAdmin):
    """The form for a new workitem."""

    def can_add(self, actor: Actor) -> bool:
        """Let those take work down who may write anywhere."""
        return actor.can_anywhere(Scope.WRITE)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the form, or make what was taken down."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        typed = request.POST if request.method == "POST" else None
        form = AddForm(typed, actor=actor_of(request), chooser=self._chooser(request), initial=_asked(request))
        if form.is_bound and form.is_valid():
            made = self._make(request, form)
            if made is not None:
                return made
        context = {
            **self.admin_site.each_context(request),
            "title": _("Take down a call-back or a walk-in"),
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/workitems/workitem/add_form.html", context)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write Django's own line only: the first event tells the rest."""
        return ModelAdmin.log_addition(self, request, obj, message)

    def _chooser(self, request: HttpRequest) -> forms.Widget:
        """Return what finds contacts while one types, as the page of a workitem has it."""
        field = self.formfield_for_foreignkey(Workitem._meta.get_field("contact"), request)
        assert field is not None  # noqa: S101  a foreign key has a field
        chooser: forms.Widget = field.widget
        return chooser

    def _make(self, request: HttpRequest, form: AddForm) -> HttpResponse | None:
        try:
            with transaction.atomic():
                workitem = form.make()
                self.log_addition(request, workitem, [{"added": {}}])
        except DuplicateWorkitem as refusal:
            there = self.get_queryset(request).filter(workitem_id=form.cleaned_data["workitem_id"]).first()
            if there is None:
                form.add_error(None, refusal.message)
                return None
            messages.info(request, _("It was taken down already; here it is."))
            workitem = there
        except WorkitemError as refusal:
            form.add_error(form.field_at_fault(refusal), refusal.message)
            return None
        else:
            tasks.wake_routing()
            messages.success(request, _("Taken down: %s.") % workitem.workitem_id)
        return HttpResponseRedirect(reverse("admin:workitems_workitem_change", args=[workitem.pk]))


def queues_for(actor: Actor) -> Any:
    """Return the open queues into which the person may put new work."""
    queues = Queue.objects.filter(is_open=True, retired_at=None).order_by("name", "pk")
    return queues if Scope.WRITE in actor.everywhere else queues.filter(pk__in=actor.queues_with(Scope.WRITE))


def may_add_contacts(actor: Actor) -> bool:
    """Tell whether the directory would let the person add a contact."""
    return actor.can_in(directory.CONTACT.change_scope, None)


def _usual_address(contact: Contact, channel: str) -> str:
    """Return the contact's first number or address that fits the channel."""
    if channel == Channel.EMAIL:
        email = contact.emails.first()
        return normal_email(email.address) if email else ""
    if channel in (Channel.VOICE, Channel.SMS):
        phone = contact.phones.first()
        return phone.number if phone else ""
    return ""


def _asked(request: HttpRequest) -> dict[str, str]:
    """Return what the address fills in; a contact that is no number is none."""
    asked: dict[str, str] = request.GET.dict()
    contact = asked.get("contact", "")
    return asked if is_key(contact) else {**asked, "contact": ""}
