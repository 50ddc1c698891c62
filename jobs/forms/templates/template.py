"""The form of a template: its name, and settings that suit any provider."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django import forms

from jobs.forms.job_copy import JobCopy, StoredValues
from jobs.forms.job_fields import JobFields, read_extra
from jobs.forms.job_values import neutral_values, write_json
from jobs.forms.thumbnail_fields import FILTERS, FORMATS, PLACEMENTS
from jobs.models import TemplateVersion
from jobs.models.requests.template import MAX_NAME
from jobs.submission.templates.service import TemplateRefused
from jobs.submission.templates.settings import (
    TemplateSettings,
    read_settings,
    shown_settings,
)
from organizations.encryption import Undecryptable
from providers.core import registry
from providers.core.thumbnails import ThumbnailSupport
from providers.core.types import Capability, JobRequest
from providers.http.redaction import has_marker

# what only a job has, and not its settings
_OF_JOBS = (
    *(
        "account",
        "template",
        "save_as",
        "input",
        "presets",
        "extra",
        "allow_duplicate",
        "idempotency_key",
    ),
    *("retry_of", "copied_from"),
)
_ANY_THUMBNAILS = ThumbnailSupport(
    tuple(PLACEMENTS), tuple(FORMATS), tuple(FILTERS), ("width", "height")
)
_THUMBNAIL_CHOICES = ("thumbnails_formats", "thumbnails_filters")


class TemplateForm(JobFields):
    """Settings without an account. Each provider that takes jobs has its own extra settings.

    `stored` has the originals of secrets: what comes back as it was shown is replaced by them.
    """

    name = forms.CharField(
        max_length=MAX_NAME, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    # which version is changed: a later one is not overwritten
    based_on = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, stored: StoredValues, **kwargs: Any) -> None:
        initial = neutral_values(stored.shown) | _extra_values(stored.shown.extra)
        kwargs["initial"] = initial | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        self.stored = stored
        for name in _OF_JOBS:
            del self.fields[name]
        for slug, label in _submitting_providers():
            field = forms.CharField(
                label=f"Extra settings for {label}",
                max_length=20_000,
                required=False,
                help_text=f"A JSON object, merged into the job that {label} is sent.",
                widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "class": "code"}),
            )
            self.fields[f"extra_{slug}"] = field
        self.fields["destination"].help_text = "For all jobs; empty for the provider's default."
        self.fields["test"].help_text = "Submit as a test, where the provider has that."
        self.order_fields(["name"])
        self.offer_heights(())
        chosen = {name: self.initial.get(name, []) for name in _THUMBNAIL_CHOICES}
        self.offer_thumbnails(_ANY_THUMBNAILS)
        # not every provider has these: none is chosen unless somebody does
        self.initial.update(chosen)

    @property
    def has_secrets(self) -> bool:
        """Whether redacted values were filled in."""
        return has_marker(self.stored.shown.extra) or has_marker(
            [self.stored.shown.destination, self.stored.shown.metadata]
        )

    @property
    def extra_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("extra_")]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for slug, _ in _submitting_providers():
            name = f"extra_{slug}"
            try:
                cleaned[name] = read_extra(cleaned.get(name, ""))
            except forms.ValidationError as error:
                self.add_error(name, error)
        return cleaned

    def to_settings(self) -> TemplateSettings:
        """The settings of a valid form, with the stored secrets."""
        data = self.cleaned_data
        extra = {slug: data[f"extra_{slug}"] for slug, _ in _submitting_providers()}
        restored = self.stored.restore(replace(self.read_request(None), extra=extra))
        return TemplateSettings(replace(restored, extra={}), _extra_of(restored))

    def refuse(self, error: TemplateRefused) -> None:
        """Say at its field why the template cannot be saved."""
        name = error.field.replace(".", "_")
        self.add_error(name if name in self.fields else None, str(error))


def stored_values(version: TemplateVersion) -> StoredValues:
    """The values of a template's form; `extra` is by provider.

    Without the key of its secrets, the originals are the redacted values: these are refused when
    they are saved.
    """
    shown = _as_request(shown_settings(version))
    try:
        return StoredValues(_as_request(read_settings(version)), shown)
    except Undecryptable:
        return StoredValues(shown, shown)


def values_of_job(copied: JobCopy) -> StoredValues:
    """As `stored_values`, of the request of a job."""
    provider = copied.job.account.provider
    original, shown = (
        replace(one, input="", extra={provider: dict(one.extra)})
        for one in (copied.original, copied.shown)
    )
    return StoredValues(original, shown)


def empty_values() -> StoredValues:
    empty = JobRequest(input="")
    return StoredValues(empty, empty)


def _as_request(settings: TemplateSettings) -> JobRequest:
    return replace(settings.request, extra=settings.extra)


def _extra_of(request: JobRequest) -> dict[str, Mapping[str, Any]]:
    return {slug: values for slug, values in request.extra.items() if values}


def _extra_values(extra: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {f"extra_{slug}": write_json(values) for slug, values in extra.items() if values}


def _submitting_providers() -> list[tuple[str, str]]:
    return [
        (provider.slug, provider.label)
        for provider in registry.all_providers()
        if provider.supports(Capability.SUBMIT)
    ]
