"""How our pages draw the fields of a form: with Tabler's classes, and the focus on an error."""

from typing import Any

from django import forms
from django.forms import BoundField

CHECKBOXES = (forms.CheckboxInput, forms.CheckboxSelectMultiple)


class StyledField(BoundField):
    """Set as `bound_field_class` of a form. The first field with an error gets the focus."""

    def build_widget_attrs(
        self, attrs: dict[str, Any], widget: forms.Widget | None = None
    ) -> dict[str, Any]:
        widget = widget or self.field.widget
        attrs = super().build_widget_attrs(attrs, widget)
        classes = [_base_class(widget), *widget.attrs.get("class", "").split()]
        if self.errors:
            classes.append("is-invalid")
        if self.errors and next(n for n in self.form.fields if n in self.form.errors) == self.name:
            attrs["autofocus"] = True
        return attrs | {"class": " ".join(dict.fromkeys(classes))}


def _base_class(widget: forms.Widget) -> str:
    if isinstance(widget, CHECKBOXES):
        return "form-check-input"
    if isinstance(widget, forms.RadioSelect):
        return "btn-check"  # shown as a row of buttons
    return "form-select" if isinstance(widget, forms.Select) else "form-control"
