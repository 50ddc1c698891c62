"""The fields of the form for a new job, and the request that they make."""

import re
from collections.abc import Collection
from typing import Any

from django import forms

from jobs.forms.thumbnail_fields import ThumbnailFields
from jobs.forms.widgets import AccountChoice, HeightRow, NotedField, read_height_rows
from jobs.models import ProviderAccount
from jobs.models.requests.template import MAX_NAME
from jobs.models.work import MAX_PRIORITY
from jobs.submission.idempotency import KEY_PATTERN, KEY_RULE
from jobs.submission.limits import MAX_HEIGHT, MalformedJson, check_json, read_json
from providers.core.types import JobRequest, Rendition

TOO_LONG = "Use at most %(limit_value)d characters; this has %(show_value)d."
WHOLE_NUMBER = "Enter a whole number."
PRIORITY_RANGE = f"Enter a whole number from -{MAX_PRIORITY} to {MAX_PRIORITY}."
HEIGHTS_RANGE = f"Choose heights from 1 to {MAX_HEIGHT:,}."
PACKAGINGS = ("hls", "mp4")
HEIGHTS = (240, 360, 480, 720, 1080, 2160)


class JobFields(ThumbnailFields):
    """Called as the fields of JobRequest, which a provider's issues name, where there is one."""

    field_order = ("account", "input", "destination", "hls", "presets", "mp4")
    bound_field_class = NotedField
    account = AccountChoice(
        ProviderAccount.objects.none(),
        empty_label=None,
        error_messages={
            "required": "Choose an account.",
            "invalid_choice": "Choose one of the accounts listed.",
        },
    )
    # the version that filled in the form
    template = forms.ChoiceField(
        required=False, error_messages={"invalid_choice": "Choose one of the templates listed."}
    )
    # what the settings are to be saved as
    save_as = forms.CharField(
        label="Name",
        max_length=MAX_NAME,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    input = forms.CharField(
        label="Source file",
        max_length=4000,
        error_messages={
            "required": "Enter the URL of the source file.",
            "max_length": TOO_LONG,
        },
        help_text="A URL that the provider can read, such as https, s3 or ftp; or NAME/path of a "
        "stored source.",
        widget=forms.TextInput(
            attrs={"placeholder": "https://media.example/clip.mp4", "autocomplete": "off"}
        ),
    )
    destination = forms.CharField(
        required=False,
        max_length=4000,
        error_messages={"max_length": TOO_LONG},
        help_text="A folder the provider can write to, or NAME/path of a stored destination. Leave "
        "empty for the provider's default.",
        widget=forms.TextInput(attrs={"placeholder": "s3://bucket/folder/", "autocomplete": "off"}),
    )
    hls = forms.TypedMultipleChoiceField(
        label="HLS",
        coerce=int,
        error_messages={"invalid_choice": HEIGHTS_RANGE},
        initial=[240, 360, 480],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    presets = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "This account has no preset %(value)s."},
        help_text="One output per preset.",
    )
    mp4 = forms.TypedMultipleChoiceField(
        label="MP4",
        coerce=int,
        error_messages={"invalid_choice": HEIGHTS_RANGE},
        initial=[360],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    metadata = forms.CharField(
        required=False,
        max_length=4000,
        error_messages={"max_length": TOO_LONG},
        help_text="Text or JSON, kept with the job and returned unchanged.",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )
    test = forms.BooleanField(
        label="Test mode",
        required=False,
        help_text="Free of charge; only the first few seconds are encoded.",
    )
    priority = forms.IntegerField(
        required=False,
        min_value=-MAX_PRIORITY,
        max_value=MAX_PRIORITY,
        error_messages={
            "invalid": WHOLE_NUMBER,
            "min_value": PRIORITY_RANGE,
            "max_value": PRIORITY_RANGE,
        },
        help_text=f"From -{MAX_PRIORITY} to {MAX_PRIORITY}, 0 by default. The higher, the earlier "
        "a job that waits is sent.",
    )
    extra = forms.CharField(
        label="Extra settings",
        max_length=20_000,
        required=False,
        error_messages={"max_length": TOO_LONG},
        help_text="A JSON object in the provider's own format. It overrides the settings above.",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "class": "code"}),
    )
    allow_duplicate = forms.BooleanField(label="Submit anyway", required=False)
    # made with the form, so that sending it twice makes one job
    idempotency_key = forms.RegexField(
        KEY_PATTERN, max_length=64, widget=forms.HiddenInput, error_messages={"invalid": KEY_RULE}
    )
    retry_of = forms.IntegerField(required=False, widget=forms.HiddenInput)
    # the job that the form is a copy of
    copied_from = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def offer_heights(self, supported: Collection[int]) -> None:
        """Offer the usual heights of those `supported`, or all; and what is chosen beside."""
        usual = [height for height in HEIGHTS if not supported or height in supported]
        for name in PACKAGINGS:
            if isinstance(field := self.fields.get(name), forms.TypedMultipleChoiceField):
                chosen = _read_heights(self[name].value())
                field.choices = [(one, f"{one}p") for one in sorted(chosen.union(usual))]

    @property
    def height_table(self) -> tuple[list[str], list[HeightRow]]:
        return read_height_rows([self[name] for name in PACKAGINGS if name in self.fields])

    def clean_extra(self) -> dict[str, Any]:
        return read_extra(self.cleaned_data["extra"])

    def clean_metadata(self) -> Any:
        text: str = self.cleaned_data["metadata"].strip()
        if text[:1] not in ("{", "["):
            return text or None
        try:
            return _check_json(read_json(text))
        except MalformedJson:
            return text
        except ValueError as error:
            raise forms.ValidationError(f"This is not JSON: {error}.") from None

    def read_request(self, preset_field: str | None) -> JobRequest:
        """The request of a valid form; `preset_field` is the key of `extra` for its presets."""
        data = self.cleaned_data
        presets = data.get("presets")
        chosen = {preset_field: presets} if preset_field and presets else {}
        return JobRequest(
            input=data.get("input", "").strip(),
            destination=data.get("destination", "").strip() or None,
            renditions=tuple(
                Rendition(packaging, tuple(data[packaging]))
                for packaging in PACKAGINGS
                if data.get(packaging)
            ),
            thumbnails=self.read_thumbnails(),
            metadata=data["metadata"],
            test=data.get("test", False),
            priority=data.get("priority"),
            extra=chosen | data.get("extra", {}),
        )


def read_extra(text: str) -> dict[str, Any]:
    """The JSON object of a field for extra settings. Raises ValidationError."""
    try:
        extra = read_json(text or "{}")
    except ValueError as error:
        raise forms.ValidationError(f"This is not JSON: {error}.") from None
    if not isinstance(extra, dict):
        raise forms.ValidationError("Enter a JSON object: {…}.")
    checked: dict[str, Any] = _check_json(extra)
    return checked


def _read_heights(chosen: Any) -> set[int]:
    heights = {int(one) for one in chosen or () if re.fullmatch("[0-9]{1,4}", str(one))}
    return {height for height in heights if 1 <= height <= MAX_HEIGHT}


def _check_json(value: Any) -> Any:
    try:
        return check_json(value)
    except ValueError as error:
        raise forms.ValidationError(str(error)) from None
