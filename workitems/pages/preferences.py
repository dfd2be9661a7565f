"""How somebody likes the desk: how often its pages ask, single keys, room and colours."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy
from django.views.decorators.http import require_http_methods

from workitems.models import REFRESH_SECONDS, DeskSettings
from workitems.pages.answers import is_script
from workitems.pages.people import settings_of

KEYS = (("on", gettext_lazy("On")), ("off", gettext_lazy("Off: only Ctrl+Enter, Enter and Esc do something")))

ABOUT = {
    "single_keys": gettext_lazy("j and k move through a list, x selects, t transfers, ? shows them all."),
    "density": gettext_lazy("How much room a row of a list takes."),
    "theme": gettext_lazy("Light, dark, or as your system has it at this time of the day."),
}


class PreferencesForm(forms.Form):
    """Everything that can be chosen; what is not sent stays as it is."""

    refresh_seconds = forms.TypedChoiceField(
        label=gettext_lazy("Update every"),
        coerce=int,
        choices=[(one, ngettext_lazy("%d second", "%d seconds", one) % one) for one in REFRESH_SECONDS],
    )
    single_keys = forms.ChoiceField(label=gettext_lazy("Single keys"), choices=KEYS, widget=forms.RadioSelect)
    density = forms.ChoiceField(
        label=gettext_lazy("Rows"), choices=DeskSettings.Density.choices, widget=forms.RadioSelect
    )
    theme = forms.ChoiceField(
        label=gettext_lazy("Colours"), choices=DeskSettings.Theme.choices, widget=forms.RadioSelect
    )

    @classmethod
    def of(cls, chosen: DeskSettings, data: dict[str, Any] | None = None) -> PreferencesForm:
        """Return the form as somebody has chosen, with what he changes of it now."""
        now_is = {
            "refresh_seconds": chosen.refresh_seconds,
            "single_keys": "on" if chosen.has_single_keys else "off",
            "density": chosen.density,
            "theme": chosen.theme,
        }
        return cls(initial=now_is) if data is None else cls(now_is | data)

    def fields_chosen(self) -> dict[str, Any]:
        """Return what to keep."""
        chosen = dict(self.cleaned_data)
        return chosen | {"has_single_keys": chosen.pop("single_keys") == "on"}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """Show what can be chosen, or keep what is; a page's script changes one of them and wants no page back."""
    if request.method != "POST":
        return _page(request, PreferencesForm.of(settings_of(request)))
    form = PreferencesForm.of(settings_of(request), request.POST.dict())
    if not form.is_valid():
        return _page(request, form, status=400)
    DeskSettings.objects.update_or_create(user=cast("User", request.user), defaults=form.fields_chosen())
    if is_script(request):
        return HttpResponse(status=204)
    messages.success(request, _("Your settings are kept."))
    return redirect("desk-settings")


def _page(request: HttpRequest, form: PreferencesForm, status: int = 200) -> HttpResponse:
    radios = [{"bound": form[name], "about": about} for name, about in ABOUT.items()]
    return render(request, "supervisor/preferences.html", {"form": form, "radios": radios}, status=status)
