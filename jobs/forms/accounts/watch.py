"""The id of a job that is to be added to an account."""

from typing import Any

from django import forms

from jobs.models import ProviderAccount
from organizations.sign_in.form_fields import StyledField
from providers.parsing.text import ID_LENGTH


class WatchForm(forms.Form):
    bound_field_class = StyledField
    remote_id = forms.CharField(
        max_length=ID_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, account: ProviderAccount, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["remote_id"].label = f"Job id at {account.provider_label}"
