"""The forms that both doors share, in the theme's clothes."""

from __future__ import annotations

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from workitems.presenting.action_forms import ActionForm

CLOTHES: dict[type[forms.Widget], type[forms.Widget]] = {
    forms.Select: UnfoldAdminSelectWidget,
    forms.Textarea: UnfoldAdminTextareaWidget,
    forms.TextInput: UnfoldAdminTextInputWidget,
}


def dressed(form: ActionForm) -> ActionForm:
    """Give the form the theme's widgets and return it."""
    for field in form.fields.values():
        plain = field.widget
        if type(plain) not in CLOTHES:
            continue
        field.widget = CLOTHES[type(plain)](attrs=plain.attrs)
        field.widget.is_required = plain.is_required
        if isinstance(plain, forms.Select):
            field.widget.choices = plain.choices
    return form
