"""What a manager fills in to store a source or a destination."""

from typing import Any

from django import forms

from jobs.models import StoredLocation
from jobs.models.requests.storage import NAME_PATTERN
from jobs.storage.service import LocationInvalid, Saved, save_location
from organizations.models import User
from organizations.sign_in.form_fields import StyledField

CREDENTIALS = ("key_id", "secret", "url")


def _secret(label: str, help_text: str = "") -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "off"})
    return forms.CharField(
        label=label, required=False, max_length=4000, help_text=help_text, widget=widget
    )


class StorageForm(forms.ModelForm[StoredLocation]):
    """Credentials are write-only: never shown, and kept when left empty."""

    bound_field_class = StyledField
    name = forms.RegexField(
        rf"^{NAME_PATTERN}\Z",
        max_length=60,
        help_text="Letters, digits, dots, hyphens and underscores. Requests name it: NAME/path.",
        error_messages={"invalid": "Use letters, digits, dots, hyphens and underscores alone."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    key_id = _secret("Key id")
    secret = _secret("Secret", "Never shown. Leave empty to keep the stored one.")
    url = _secret(
        "URL", "For a URL: with user name and password, such as sftp://user:password@host/folder/."
    )

    class Meta:
        model = StoredLocation
        fields = [
            *("name", "kind", "is_source", "is_destination"),
            *("endpoint", "region", "bucket", "prefix"),
        ]
        labels = {
            "is_source": "Source: inputs are read from it",
            "is_destination": "Destination: outputs are delivered to it",
            "prefix": "Folder",
        }
        help_texts = {
            "endpoint": "Of another store than AWS's, such as https://s3.example.com.",
            "prefix": "In the bucket; empty for all of it.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.fields["name"].help_text += (
                " Under another name, requests and templates with this one are refused, and jobs "
                "that wait with it fail."
            )

    def clean_prefix(self) -> str:
        return str(self.cleaned_data["prefix"]).lstrip("/")

    def keep(self, user: User) -> Saved | None:
        """Save a valid form; None, with the reason in the form, where it is refused."""
        given = {name: self.cleaned_data[name] for name in CREDENTIALS}
        try:
            return save_location(self.instance, given, user)
        except LocationInvalid as error:
            self.add_error(error.field if error.field in self.fields else None, str(error))
            return None
