"""What people choose for themselves."""

from typing import Any

from django import forms

from organizations.models import Theme, User
from organizations.profile.time_zones import zone_choices
from organizations.sign_in.form_fields import StyledField


class ProfileForm(forms.ModelForm[User]):
    bound_field_class = StyledField

    class Meta:
        model = User
        fields = ["name", "time_zone", "theme", "has_shortcuts"]
        help_texts = {
            "time_zone": "All times on pages are shown in it.",
            "has_shortcuts": "Single keys such as / and j. Press ? on the board to see them all.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"] = forms.ChoiceField(
            choices=[("", "As the browser reports it"), *zone_choices(self.instance.time_zone)],
            required=False,
            help_text=self.fields["time_zone"].help_text,
        )


class ThemeForm(forms.Form):
    theme = forms.ChoiceField(choices=Theme.choices)
